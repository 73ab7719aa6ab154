//! At a handover the incoming people are told, exactly once, with what the shift before left.

use super::{Book, Error, Gate};
use crate::domain::{
    Directory, HandoverNote, Instant, JurisdictionId, Kind, Language, Person, PersonId,
};
use crate::gate::Note;
use crate::roster::{self, Handover};
use crate::template::{About, Item};

/// A handover that was missed longer ago than this is not told any more.
const MISSED: i64 = 62 * 24 * 3_600_000;

/// So many notes of the shift before are told at most, the newest.
const NOTES_MAX: i64 = 5;

/// What the turn of one roster came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handing {
    /// How many people were told.
    pub told: usize,
    /// When the next handover is, if there is one.
    pub next: Option<Instant>,
}

impl Gate {
    /// If a handover of a roster has come, writes the messages to the incoming people, unless
    /// another node did. Of several that were missed the last one counts. Blocks.
    ///
    /// # Errors
    /// `NotFound` for a roster that is gone; what the store says.
    pub fn hand_over(&self, whose: JurisdictionId, code: &str) -> Result<Handing, Error> {
        let key = format!("handover.{code}@{whose}");
        let now = self.now();
        let Some(last) = self.last_occurrence(&key)? else {
            // A new roster: what lies before it was never missed.
            self.with_hand(|transaction| transaction.take_occurrence(&key, now, now))?;
            let book = self.book(whose, code, now, now)?;
            let next = book.plan().next_handover(now).map(|next| next.at);
            return Ok(Handing { told: 0, next });
        };
        let last = last.max(now.plus(-MISSED));
        let book = self.book(whose, code, last, now)?;
        let first = match book.plan().next_handover(last) {
            Some(first) if first.at <= now => first,
            later => return Ok(Handing { told: 0, next: later.map(|next| next.at) }),
        };
        let (before, taken) = (first.at.plus(-1), first.at);
        let newest = book.plan().last_handover(before, now).unwrap_or(first);
        let notes = self.notes_between(whose, code, last, newest.at)?;
        let directory = self.inner.registry.directory(whose)?;
        let notes = self.handover_notes_for(&book, &directory, &newest, &notes);
        let mut messages = self.compose_all(whose, &notes, now)?;
        let won = self.with_hand(|transaction| {
            // Whoever knows the same last handover knows the same first one after it.
            if !transaction.take_occurrence(&key, taken, now)? {
                return Ok(false);
            }
            if newest.at > taken {
                transaction.take_occurrence(&key, newest.at, now)?;
            }
            transaction.write_messages(&mut messages)?;
            Ok(true)
        })?;
        if won {
            self.bell().notify_waiters();
        }
        let next = book.plan().next_handover(newest.at).map(|next| next.at);
        Ok(Handing { told: if won { messages.len() } else { 0 }, next })
    }

    /// Notes that were written after an instant and not after another, the oldest first.
    fn notes_between(
        &self,
        whose: JurisdictionId,
        code: &str,
        after: Instant,
        upto: Instant,
    ) -> Result<Vec<HandoverNote>, Error> {
        let bounds = (None, Some(upto));
        let mut notes = self.read(|reader| reader.handovers(whose, code, bounds, NOTES_MAX))?;
        notes.retain(|note| note.at > after);
        notes.reverse();
        Ok(notes)
    }

    /// What is told to each of the incoming people who may act.
    fn handover_notes_for(
        &self,
        book: &Book,
        directory: &Directory,
        handover: &Handover,
        notes: &[HandoverNote],
    ) -> Vec<Note> {
        let (unit, role) = (book.roster.unit.as_str(), book.roster.role);
        let come = handover.incoming.iter();
        let fit = come.filter(|person| roster::knows(directory, unit, role, **person));
        let people = fit.filter_map(|person| directory.people.get(person));
        let note = |person: &Person| Note {
            person: person.id,
            channel: None,
            kind: Kind::Handover,
            urgent: false,
            about: about(book, directory, handover, notes, person),
        };
        people.map(note).collect()
    }
}

fn about(
    book: &Book,
    directory: &Directory,
    handover: &Handover,
    notes: &[HandoverNote],
    person: &Person,
) -> About {
    let zone = book.calendar.zone();
    let time =
        |at: Instant| zone.to_datetime(at.timestamp()).strftime("%Y-%m-%d %H:%M").to_string();
    let name = |id: &PersonId| {
        directory.people.get(id).map_or_else(|| id.to_string(), |one| one.name.clone())
    };
    let language = person.rules.language;
    let gap = match language {
        Language::Zh => "、",
        Language::En => ", ",
    };
    let shifts = book.plan().on_duty(handover.at);
    let own = shifts.iter().find(|shift| shift.person == person.id);
    let outgoing: Vec<String> = handover.outgoing.iter().map(name).collect();
    let lines: Vec<String> = notes
        .iter()
        .map(|note| format!("{} {}: {}", time(note.at), name(&note.person), note.note))
        .collect();
    About {
        roster: book.roster.title.say(language).to_owned(),
        since: time(handover.at),
        until: own.map(|own| time(own.until)).unwrap_or_default(),
        whose: outgoing.join(gap),
        note: lines.join("\n"),
        items: lines.into_iter().map(|sentence| Item { sentence, ..Item::default() }).collect(),
        ..About::default()
    }
}
