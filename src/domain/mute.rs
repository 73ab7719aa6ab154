//! A mute: less urgent alerts to one person wait until an end that is always set.

use super::id::{JurisdictionId, PersonId};
use super::instant::Instant;

/// Less urgent alerts to a person wait. Urgent ones never do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mute {
    /// Its id; 0 when writing means that the store gives one.
    pub id: i64,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// Whose.
    pub person: PersonId,
    /// From when on.
    pub from: Instant,
    /// Until before when.
    pub until: Instant,
    /// Why, in the person's words.
    pub reason: String,
    /// Who made it: an actor's name.
    pub made_by: String,
    /// When it ended: before its time, or when its end was told.
    pub ended_at: Option<Instant>,
}

impl Mute {
    /// Whether it holds alerts back at an instant.
    #[must_use]
    pub fn holds(&self, now: Instant) -> bool {
        self.ended_at.is_none() && self.from <= now && now < self.until
    }
}
