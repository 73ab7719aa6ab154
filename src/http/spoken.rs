//! What callers said, as it is shown.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use utoipa::ToSchema;

use super::view::Lens;
use crate::domain::InstanceId;
use crate::gate::{Voice, Voices, number_of};

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
