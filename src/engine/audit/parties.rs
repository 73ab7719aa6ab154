//! Who takes part in an instance, and from and to which event: what the events say, compared with the rows
//! by which units are let in to see it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, Part, differs};
use crate::domain::{Instant, JurisdictionId};

/// The row of a unit that takes part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyLine {
    /// The unit, by code.
    pub unit: String,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// The event that made it a party.
    pub from_seq: i64,
    /// The event by which it was one no longer; none while it is.
    pub to_seq: Option<i64>,
}

/// Since which event a unit takes part, and until which.
type Spell = (i64, Option<i64>);

/// Who took part after each event.
#[derive(Debug, Default)]
pub(super) struct Parties {
    spells: BTreeMap<String, Vec<Spell>>,
    now: BTreeSet<String>,
    /// When each event was recorded, the first at 0.
    times: Vec<Instant>,
}

impl Parties {
    /// Takes who takes part after the next event.
    pub(super) fn note(&mut self, (seq, at): (i64, Instant), after: BTreeSet<String>) {
        self.times.push(at);
        for unit in after.difference(&self.now) {
            self.spells.entry(unit.clone()).or_default().push((seq, None));
        }
        for unit in self.now.difference(&after) {
            let spell = self.spells.get_mut(unit).and_then(|spells| spells.last_mut());
            if let Some((_, to)) = spell {
                *to = Some(seq);
            }
        }
        self.now = after;
    }

    fn at(&self, seq: i64) -> Option<Instant> {
        let place = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.times.get(place).copied()
    }

    /// Whether a row may name this event where the events say that one: what is written together is written
    /// by the last event of it, and has one time.
    fn near(&self, named: i64, said: i64) -> bool {
        named >= said && self.at(named).is_some() && self.at(named) == self.at(said)
    }

    /// Whether a spell may have no row: the unit came and went with what was written together.
    fn is_short(&self, (from, to): Spell) -> bool {
        to.is_some_and(|to| self.at(to) == self.at(from))
    }

    fn fits(&self, spells: &[Spell], line: &PartyLine) -> bool {
        let mut begins = false;
        for spell in spells {
            begins |= self.near(line.from_seq, spell.0);
            if begins || !self.is_short(*spell) {
                break;
            }
        }
        let mut ends = false;
        for spell in spells.iter().rev() {
            ends |= match (line.to_seq, spell.1) {
                (None, None) => true,
                (Some(named), Some(said)) => self.near(named, said),
                _ => false,
            };
            if ends || !self.is_short(*spell) {
                break;
            }
        }
        begins && ends
    }

    /// Rows that no event gave, that say another part than the events do, or that are missing.
    pub(super) fn compare(&self, owner: JurisdictionId, lines: &[PartyLine]) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut found = |what: String| differences.push(differs(Part::Party, None, what));
        let mut missing: BTreeSet<&String> = self.spells.keys().collect();
        for line in lines {
            let unit = &line.unit;
            missing.remove(unit);
            let Some(spells) = self.spells.get(unit) else {
                found(format!("`{unit}` takes part, which no event says"));
                continue;
            };
            if line.jurisdiction != owner || !self.fits(spells, line) {
                let said: Vec<String> = spells.iter().map(|(from, to)| part(*from, *to)).collect();
                let (now, said) = (part(line.from_seq, line.to_seq), said.join(", "));
                found(format!("`{unit}` takes part {now}; the events say {said}"));
            }
        }
        for unit in missing {
            let spells = self.spells.get(unit).map(Vec::as_slice).unwrap_or_default();
            if !spells.iter().all(|spell| self.is_short(*spell)) {
                found(format!("`{unit}` takes part, as the events say, and has no row"));
            }
        }
        differences
    }
}

fn part(from: i64, to: Option<i64>) -> String {
    match to {
        Some(to) => format!("from event {from} to {to}"),
        None => format!("from event {from} on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: JurisdictionId = JurisdictionId(1);

    /// Events of these times, each with the units that take part after it.
    fn after(events: &[(i64, &[&str])]) -> Parties {
        let mut parties = Parties::default();
        for (seq, (at, units)) in (1_i64..).zip(events) {
            let units = units.iter().map(|unit| (*unit).to_owned()).collect();
            parties.note((seq, Instant(*at)), units);
        }
        parties
    }

    fn line(unit: &str, from_seq: i64, to_seq: Option<i64>) -> PartyLine {
        PartyLine { unit: unit.to_owned(), jurisdiction: OWNER, from_seq, to_seq }
    }

    fn faults(parties: &Parties, lines: &[PartyLine]) -> Vec<String> {
        parties.compare(OWNER, lines).into_iter().map(|one| one.what).collect()
    }

    #[test]
    fn rows_are_what_the_events_say() {
        let parties = after(&[(1, &["desk"]), (2, &["desk", "a"]), (3, &["desk", "b"])]);
        let right = [line("desk", 1, None), line("a", 2, Some(3)), line("b", 3, None)];
        assert_eq!(faults(&parties, &right), [""; 0]);
        for (wrong, said) in [
            (
                line("a", 2, None),
                "`a` takes part from event 2 on; the events say from event 2 to 3",
            ),
            (line("a", 1, Some(3)), "from event 1 to 3; the events say from event 2 to 3"),
            (line("a", 2, Some(2)), "from event 2 to 2; the events say from event 2 to 3"),
            (line("b", 3, Some(3)), "`b` takes part from event 3 to 3; the events say"),
            (line("c", 1, None), "`c` takes part, which no event says"),
            (line("b", 9, None), "`b` takes part from event 9 on"),
        ] {
            let mut lines: Vec<_> =
                right.iter().filter(|l| l.unit != wrong.unit).cloned().collect();
            lines.push(wrong);
            let faults = faults(&parties, &lines);
            assert!(faults.len() == 1 && faults[0].contains(said), "{said}: {faults:?}");
        }
        let less = faults(&parties, &right[..2]);
        assert_eq!(less, ["`b` takes part, as the events say, and has no row"]);
        let other = PartyLine { jurisdiction: JurisdictionId(2), ..line("desk", 1, None) };
        assert_eq!(faults(&parties, &[other, right[1].clone(), right[2].clone()]).len(), 1);
    }

    #[test]
    fn what_was_written_together_stands_at_its_last_event() {
        let parties =
            after(&[(1, &["a"]), (5, &["a", "b"]), (5, &["b"]), (5, &["b", "c"]), (9, &[])]);
        let together = [line("a", 1, Some(4)), line("b", 4, Some(5)), line("c", 4, Some(5))];
        assert_eq!(faults(&parties, &together), [""; 0]);
        let later = [line("a", 1, Some(5)), together[1].clone(), together[2].clone()];
        assert_eq!(faults(&parties, &later).len(), 1, "it would see an event that is not its own");
    }

    #[test]
    fn who_came_and_went_at_once_need_have_no_row() {
        let parties = after(&[(1, &[]), (5, &["a"]), (5, &[])]);
        assert_eq!(faults(&parties, &[]), [""; 0]);
        let again = after(&[(1, &["a"]), (5, &[]), (6, &["a"]), (9, &[])]);
        assert_eq!(faults(&again, &[line("a", 1, Some(4))]), [""; 0]);
        assert_eq!(faults(&again, &[line("a", 3, Some(4))]).len(), 1, "it began earlier");
    }
}
