//! What callers said, as it is shown.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::{Problem, blocking};
use super::receive::{self, Query};
use super::view::{Lens, Listed};
use crate::domain::InstanceId;
use crate::gate::{Voice, Voices, family_of, number_of};

/// What one event brought of a caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Call {
    /// The matter that was merged into this one, at once or by way of others; none: this matter itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<String>,
    /// Its number, as `tell_caller` takes it (`merged`).
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// The event's number; 0: the opening.
    seq: i64,
    /// Whether it is recorded that this caller was told how it went.
    told: bool,
    /// What may be read.
    #[schema(value_type = Object)]
    personal: BTreeMap<String, String>,
    /// What is there and not shown.
    #[schema(value_type = Object)]
    masked: BTreeMap<String, String>,
}

impl Call {
    fn of(voice: Voice) -> Self {
        let Voice { seq, told, open: personal, masked, .. } = voice;
        Self { merged: None, number: None, seq, told, personal, masked }
    }

    fn of_merged(voice: Voice, lens: &Lens, id: InstanceId) -> Self {
        let (merged, number) = (Some(lens.id(id)), Some(number_of(id)));
        Self { merged, number, ..Self::of(voice) }
    }
}

/// Voices as they are shown: who called first with what was noted later, and each further call.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    pub(super) personal: BTreeMap<String, String>,
    pub(super) masked: BTreeMap<String, String>,
    pub(super) calls: Vec<Call>,
}

impl Spoken {
    pub(super) fn of(lens: &Lens, voices: Voices) -> Self {
        let mut spoken = Self::default();
        for voice in voices.own {
            if voice.is_call && voice.seq != 0 {
                spoken.calls.push(Call::of(voice));
                continue;
            }
            let mut more = Voice { seq: voice.seq, told: voice.told, ..Voice::default() };
            sift(voice.open, &mut spoken.personal, &mut more.open);
            sift(voice.masked, &mut spoken.masked, &mut more.masked);
            if !more.open.is_empty() || !more.masked.is_empty() {
                spoken.calls.push(Call::of(more));
            }
        }
        for (id, voices) in voices.merged {
            let calls = voices.into_iter().map(|voice| Call::of_merged(voice, lens, id));
            spoken.calls.extend(calls);
        }
        spoken
    }
}

/// Where a call stands in the list: those about the matter itself first, then matter by matter of those that
/// were merged into it.
type Place = (Option<InstanceId>, i64);

/// The place that a cursor names, which is written as `tell_callers` takes a call.
fn place(cursor: &str) -> Option<Place> {
    match cursor.split_once(':') {
        None => Some((None, cursor.parse().ok()?)),
        Some((number, seq)) => Some((Some(family_of(number)?), seq.parse().ok()?)),
    }
}

fn cursor((of, seq): Place) -> String {
    of.map_or_else(|| seq.to_string(), |id| format!("{}:{seq}", number_of(id)))
}

/// Everybody who called about a matter, in order: who opened it (0), who called again, and the callers of
/// matters that were merged into it. Whoever may read nothing of them is shown none.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/calls", tag = "matters",
    responses((status = 200, body = Listed<Call>, description = "A page.")),
    params(("id" = String, Path, description = "The public id."),
        ("untold" = Option<bool>, Query, description = "Only those whose callers are still to be told."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn calls(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<Call>>, Problem> {
    let (untold, after) = (query.flag("untold")?, query.text("cursor")?);
    let limit = usize::try_from(query.limit()?).unwrap_or(usize::MAX);
    query.end()?;
    let after = after.map(|text| {
        let (zh, en) = ("上一页的next", "the `next` of the previous page");
        place(&text).ok_or_else(|| receive::wrong("cursor", zh, en))
    });
    let after = after.transpose()?;
    let (id, gate, lens) = (id(&house, &path)?, house.gate.clone(), Lens::of(&house, &caller)?);
    let voices = blocking(move || gate.calls(&caller, id, untold)).await?.unwrap_or_default();
    let mut all: BTreeMap<Place, Voice> = BTreeMap::new();
    all.extend(voices.own.into_iter().map(|voice| ((None, voice.seq), voice)));
    for (of, heard) in voices.merged {
        all.extend(heard.into_iter().map(|voice| ((Some(of), voice.seq), voice)));
    }
    let mut rest = all.into_iter().filter(|(place, _)| after.is_none_or(|after| *place > after));
    let page: Vec<(Place, Voice)> = rest.by_ref().take(limit).collect();
    let more = rest.next().is_some();
    let next = page.last().filter(|_| more).map(|(place, _)| cursor(*place));
    let items = page.into_iter().map(|((of, _), voice)| match of {
        None => Call::of(voice),
        Some(of) => Call::of_merged(voice, &lens, of),
    });
    Ok(web::Json(Listed { items: items.collect(), next }))
}

/// What is new stands with the first; what is there already came again.
fn sift(
    from: BTreeMap<String, String>,
    first: &mut BTreeMap<String, String>,
    more: &mut BTreeMap<String, String>,
) {
    for (name, text) in from {
        match first.entry(name) {
            Entry::Occupied(known) => {
                more.insert(known.key().clone(), text);
            }
            Entry::Vacant(free) => {
                free.insert(text);
            }
        }
    }
}
