//! What one shift leaves to the next.

use super::{Caller, Error, Gate, keeps_rosters, person_of, refused};
use crate::domain::{HandoverNote, Instant, PersonId};

/// A note has 1 to so many characters.
const NOTE_MAX: usize = 4_000;

impl Gate {
    /// Notes of a roster, newest first: those with a lower id than `before`, written not after
    /// `upto`. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn handover_notes(
        &self,
        caller: &Caller,
        code: &str,
        bounds: (Option<i64>, Option<Instant>),
        limit: i64,
    ) -> Result<Vec<HandoverNote>, Error> {
        let rosters = self.rosters(caller)?;
        if !rosters.rosters.contains_key(code) {
            return Err(Error::NotFound);
        }
        self.read(|reader| reader.handovers(caller.jurisdiction, code, bounds, limit))
    }

    /// Writes what one shift leaves to the next: somebody of the roster, or who keeps rosters.
    /// Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal for a note that is empty or too long.
    pub fn write_handover(
        &self,
        caller: &Caller,
        code: &str,
        note: &str,
    ) -> Result<HandoverNote, Error> {
        let person = self.of_roster(caller, code)?;
        if !(1..=NOTE_MAX).contains(&note.trim().chars().count()) {
            let (zh, en) = (
                format!("交接事项须有1至{NOTE_MAX}个字"),
                format!("a note has 1 to {NOTE_MAX} characters"),
            );
            return Err(refused("wrong_input", zh, en));
        }
        let (roster, note, at) = (code.to_owned(), note.trim().to_owned(), self.now());
        let mut new = HandoverNote { id: 0, roster, at, person, note, read: None };
        new.id = self.with_hand(|t| t.add_handover(caller.jurisdiction, &new))?;
        Ok(new)
    }

    /// Marks a note as read; the first time counts. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn read_handover(
        &self,
        caller: &Caller,
        code: &str,
        id: i64,
    ) -> Result<HandoverNote, Error> {
        let person = self.of_roster(caller, code)?;
        let stamp = (self.now(), person);
        self.with_hand(|t| t.read_handover(caller.jurisdiction, (code, id), stamp))?;
        let before = (Some(id.saturating_add(1)), None);
        let notes = self.handover_notes(caller, code, before, 1)?;
        notes.into_iter().find(|note| note.id == id).ok_or(Error::NotFound)
    }

    fn of_roster(&self, caller: &Caller, code: &str) -> Result<PersonId, Error> {
        let rosters = self.rosters(caller)?;
        let roster = rosters.rosters.get(code).ok_or(Error::NotFound)?;
        let stand_ins = rosters.stand_ins.get(code).map_or(&[][..], Vec::as_slice);
        let person = person_of(caller).ok_or(Error::Forbidden)?;
        let may = keeps_rosters(caller) || roster.has(person, stand_ins);
        if may { Ok(person) } else { Err(Error::Forbidden) }
    }
}
