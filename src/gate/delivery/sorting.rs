//! Which of the claimed messages leave now, alone or in a summary, and which wait a while. Urgent
//! ones always leave at once and alone.

use std::collections::{BTreeMap, BTreeSet};

use super::Parcel;
use crate::domain::{Instant, Kind, Message, MessageId, PersonId};
use crate::store::{Claimed, PutBack};

/// Channels on which a person is not flooded.
const SPARING: [&str; 2] = ["sms", "email"];

/// What sorting needs to know.
pub(super) struct Habits<'h> {
    /// The time.
    pub(super) now: Instant,
    /// A person gets one letter with less urgent alerts on a channel in so many milliseconds; 0:
    /// every alert is a letter.
    pub(super) bundle_ms: i64,
    /// How long a message that waited is tried; milliseconds.
    pub(super) patience_ms: i64,
    /// When each person was last sent something on this channel, as far as that was not long ago.
    pub(super) last_sent: BTreeMap<PersonId, Instant>,
    /// Until when a person is not to be disturbed by something less urgent.
    pub(super) disturb_from: &'h dyn Fn(PersonId) -> Option<Instant>,
}

/// Whether a message may be made to wait or join a summary, and for whom it is.
pub(super) fn patient(message: &Message) -> Option<PersonId> {
    let person = message.to.person()?;
    let sparing = SPARING.contains(&message.channel.as_str());
    (sparing && !message.urgent && message.kind == Kind::Alert).then_some(person)
}

/// Sorts what was claimed, which comes in order of tier and due instant; parcels keep that order.
/// What may have arrived already leaves again as it left before, alone or in the same summary: under
/// one id there is one letter, whatever has come up meanwhile.
pub(super) fn sort(claimed: Vec<Claimed>, habits: &Habits<'_>) -> (Vec<Parcel>, Vec<PutBack>) {
    let mut parcels: Vec<Parcel> = Vec::new();
    let mut back = Vec::new();
    let mut started: BTreeMap<PersonId, usize> = BTreeMap::new();
    let mut waited: BTreeMap<PersonId, bool> = BTreeMap::new();
    let mut copies: BTreeMap<MessageId, usize> = BTreeMap::new();
    let mut copied: BTreeSet<PersonId> = BTreeSet::new();
    for Claimed { message, .. } in &claimed {
        if let Some(person) = patient(message) {
            if message.unknowns > 0 {
                copied.insert(person);
            }
            *waited.entry(person).or_default() |= message.due_at > message.created_at;
        }
    }
    for Claimed { message, .. } in claimed {
        let Some(person) = patient(&message) else {
            parcels.push(Parcel { messages: vec![message] });
            continue;
        };
        let quiet = (habits.disturb_from)(person).filter(|end| *end > habits.now);
        let next = habits.last_sent.get(&person).map(|last| last.plus(habits.bundle_ms));
        let next = next.filter(|next| habits.bundle_ms > 0 && *next > habits.now);
        if let Some(until) = quiet.max(next) {
            back.push(put_back(&message, until, habits));
            continue;
        }
        if message.unknowns > 0 {
            let letter = message.bundle.unwrap_or(message.id);
            let known = copies.get(&letter).and_then(|index| parcels.get_mut(*index));
            if let Some(parcel) = known {
                parcel.messages.push(message);
            } else {
                copies.insert(letter, parcels.len());
                parcels.push(Parcel { messages: vec![message] });
            }
            continue;
        }
        if habits.bundle_ms > 0 && copied.contains(&person) {
            back.push(put_back(&message, habits.now.plus(habits.bundle_ms), habits));
            continue;
        }
        match started.get(&person).copied() {
            // What has waited leaves together; of what comes new the first leaves at once.
            Some(index) if habits.bundle_ms > 0 => {
                if waited.get(&person) == Some(&true) {
                    if let Some(parcel) = parcels.get_mut(index) {
                        parcel.messages.push(message);
                    }
                } else {
                    back.push(put_back(&message, habits.now.plus(habits.bundle_ms), habits));
                }
            }
            _ => {
                started.insert(person, parcels.len());
                parcels.push(Parcel { messages: vec![message] });
            }
        }
    }
    (parcels, back)
}

fn put_back(message: &Message, due_at: Instant, habits: &Habits<'_>) -> PutBack {
    let deadline_at = message.deadline_at.max(due_at.plus(habits.patience_ms));
    PutBack { id: message.id, attempts: message.attempts, due_at, deadline_at }
}

#[cfg(test)]
mod tests;
