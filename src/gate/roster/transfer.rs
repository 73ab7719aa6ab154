//! Stand-ins that come in from a table or a calendar file, all or only the right ones.

use super::{Caller, Deed, Error, Gate, NewStandIn, stood_in};
use crate::domain::refusal::Reason;
use crate::domain::{PersonId, Refusal, StandIn, Text};
use crate::policy::Act;
use crate::roster::transfer::{Entry, Wrong};

/// What is done with entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportWish {
    /// The right ones are taken even if others are wrong.
    pub partial: bool,
    /// Who is entered comes instead of everybody on duty then, not besides.
    pub instead: bool,
}

/// What became of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// So many entries were taken.
    pub taken: usize,
    /// So many were there already.
    pub known: usize,
    /// What was wrong, by line.
    pub wrong: Vec<Wrong>,
}

/// So many faults are told at most.
const FAULTS_MAX: usize = 200;

impl Gate {
    /// Takes entries in as stand-ins. If one is wrong and `partial` is not wished, nothing is
    /// taken. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal with every wrong line.
    pub fn import_stand_ins(
        &self,
        caller: &Caller,
        code: &str,
        (entries, mut wrong): (Vec<Entry>, Vec<Wrong>),
        wish: ImportWish,
    ) -> Result<Imported, Error> {
        self.permit(caller, Act::WriteRosters)?;
        let from = entries.iter().map(|entry| entry.from).min().unwrap_or(self.now());
        let until = entries.iter().map(|entry| entry.until).max().unwrap_or(from);
        let book = self.book(caller.jurisdiction, code, from, until)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let mut rows: Vec<StandIn> = Vec::new();
        let (mut taken, mut known) = (0, 0);
        for entry in entries {
            let line = entry.line;
            let new = self.row(
                caller,
                code,
                &NewStandIn {
                    from: entry.from,
                    until: entry.until,
                    person: Some(entry.person),
                    instead_of: entry.instead_of,
                    note: entry.note,
                },
            );
            if let Err(refusal) = book.roster.check_stand_in(&new, &directory) {
                let reasons = refusal.reasons.into_iter();
                wrong.extend(reasons.map(|reason| Wrong { line, why: reason.text }));
                continue;
            }
            let same = |other: &StandIn| {
                (other.from, other.until, other.person) == (new.from, new.until, new.person)
                    && (other.instead_of == new.instead_of || wish.instead)
                    && other.in_force()
            };
            if book.stand_ins.iter().any(same) || rows.iter().any(same) {
                known += 1;
                continue;
            }
            taken += 1;
            if wish.instead && new.instead_of.is_none() {
                rows.extend(gone(&book, &new));
            }
            rows.push(new);
        }
        wrong.sort_by_key(|one| one.line);
        if !wrong.is_empty() && !wish.partial {
            return Err(Error::Refused(wrong_rows(wrong)));
        }
        if !rows.is_empty() {
            let deed = Deed::of(caller, "stand_ins_imported", format!("roster:{code}"));
            let deed = deed.with(stood_in(&rows));
            self.administer(deed, |t, _| t.add_stand_ins(caller.jurisdiction, &rows))?;
        }
        Ok(Imported { taken, known, wrong })
    }
}

/// Those who are on duty in a stand-in's span stay away.
fn gone(book: &super::Book, new: &StandIn) -> Vec<StandIn> {
    let shifts = book.plan().shifts(new.from, new.until);
    let mut people: Vec<PersonId> = shifts.iter().map(|shift| shift.person).collect();
    people.sort_unstable();
    people.dedup();
    people.retain(|person| Some(*person) != new.person);
    let stays_away = |person| StandIn { person: None, instead_of: Some(person), ..new.clone() };
    people.into_iter().map(stays_away).collect()
}

fn wrong_rows(wrong: Vec<Wrong>) -> Refusal {
    let code = "wrong_rows".to_owned();
    let more = wrong.len().saturating_sub(FAULTS_MAX);
    let mut reasons: Vec<Reason> = Vec::new();
    for Wrong { line, why: Text { zh, en } } in wrong.into_iter().take(FAULTS_MAX) {
        let text = Text::new(format!("第{line}行：{zh}"), format!("line {line}: {en}"));
        reasons.push(Reason { code: code.clone(), text, input: Some(format!("line {line}")) });
    }
    if more > 0 {
        let text = Text::new(format!("另有{more}处错误"), format!("{more} more faults"));
        reasons.push(Reason { code: code.clone(), text, input: None });
    }
    Refusal { code, reasons, possible: Vec::new() }
}
