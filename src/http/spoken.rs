//! What callers said, as it is shown.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use utoipa::ToSchema;

use super::view::Lens;
use crate::gate::{Voice, Voices};

/// What one event brought of a caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Call {
    /// The matter that was merged into this one; none: this matter itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged: Option<String>,
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
    fn of(voice: Voice, merged: Option<String>) -> Self {
        let Voice { seq, told, open: personal, masked } = voice;
        Self { merged, seq, told, personal, masked }
    }
}

/// Voices as they are shown: of each input what was given first, and what came later.
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
            let mut more = Voice { seq: voice.seq, told: voice.told, ..Voice::default() };
            sift(voice.open, &mut spoken.personal, &mut more.open);
            sift(voice.masked, &mut spoken.masked, &mut more.masked);
            if !more.open.is_empty() || !more.masked.is_empty() {
                spoken.calls.push(Call::of(more, None));
            }
        }
        for (id, voices) in voices.merged {
            let calls = voices.into_iter().map(|voice| Call::of(voice, Some(lens.id(id))));
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
