//! What one shift leaves to the next.

use super::{Caller, Error, Gate, keeps_rosters, person_of, refused};
use crate::domain::{HandoverNote, Instant, JurisdictionId, PersonId};
use crate::policy::{self, Act, Relation};

/// A note has 1 to so many characters.
const NOTE_MAX: usize = 4_000;

impl Gate {
    /// Whether the caller may read what shifts of a roster leave to the next ones: who sees every matter
    /// may, and who is of the roster.
    ///
    /// # Errors
    /// `Forbidden` for who may not even see rosters; `NotFound`.
    pub fn reads_handovers(&self, caller: &Caller, code: &str) -> Result<bool, Error> {
        let rosters = self.rosters(caller)?;
        let roster = rosters.rosters.get(code).ok_or(Error::NotFound)?;
        let stand_ins = rosters.stand_ins.get(code).map_or(&[][..], Vec::as_slice);
        let own = policy::may_at(&caller.actor, Act::ReadHandovers, Relation::Own, None);
        let of_roster = person_of(caller).is_some_and(|person| roster.has(person, stand_ins));
        Ok(own && of_roster || self.may_all(caller, Act::ReadHandovers)?)
    }

    /// Notes of a roster, newest first: those with a lower id than `before`, written not after
    /// `upto`. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, also for who is not of the roster; `NotFound`.
    pub fn handover_notes(
        &self,
        caller: &Caller,
        code: &str,
        bounds: (Option<i64>, Option<Instant>),
        limit: i64,
    ) -> Result<Vec<HandoverNote>, Error> {
        if !self.reads_handovers(caller, code)? {
            return Err(Error::Forbidden);
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
        if !self.reads_handovers(caller, code)? {
            return Err(Error::Forbidden);
        }
        let stamp = (self.now(), person);
        self.with_hand(|t| t.read_handover(caller.jurisdiction, (code, id), stamp))?;
        let before = (Some(id.saturating_add(1)), None);
        let notes = self.handover_notes(caller, code, before, 1)?;
        notes.into_iter().find(|note| note.id == id).ok_or(Error::NotFound)
    }

    /// Forgets what shifts left to the next ones before an instant, also where it was told to the people
    /// who came; answers how many notes. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn forget_handovers(&self, whose: JurisdictionId, before: Instant) -> Result<usize, Error> {
        self.with_hand(|transaction| transaction.forget_handovers(whose, before))
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
