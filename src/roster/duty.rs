//! A roster with its stand-ins: shifts of a span, gaps, handovers.

use std::collections::{BTreeMap, BTreeSet};

use super::rotation::Turns;
use super::{Roster, StandIn};
use crate::calendar::Calendar;
use crate::domain::{Instant, PersonId};

/// Somebody is on duty from an instant until before another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shift {
    /// From here …
    pub from: Instant,
    /// … until before here.
    pub until: Instant,
    /// Who.
    pub person: PersonId,
    /// The number of the rotation, from 0; none for who is there besides.
    pub rotation: Option<usize>,
    /// Whose shift it would be.
    pub instead_of: Option<PersonId>,
    /// The stand-in that says so.
    pub stand_in: Option<i64>,
}

impl Shift {
    /// Whether it touches a span.
    fn touches(&self, from: Instant, until: Instant) -> bool {
        self.from < until && self.until > from
    }
}

/// Nobody who can act is on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// From here …
    pub from: Instant,
    /// … until before here.
    pub until: Instant,
    /// Who is entered, but may not act; nobody: nobody is entered.
    pub unfit: Vec<PersonId>,
}

/// Somebody comes on duty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// When.
    pub at: Instant,
    /// Who goes.
    pub outgoing: Vec<PersonId>,
    /// Who comes.
    pub incoming: Vec<PersonId>,
}

/// A roster as it is asked.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// Its stand-ins, in order of id; those that are not in force are left out by whoever asks it.
    pub stand_ins: &'a [StandIn],
    /// The calendar that says which days are worked.
    pub calendar: &'a Calendar,
}

const DAY: i64 = 24 * 3_600_000;

/// The next handover is looked for so far ahead: longer than the longest turn of two people.
const AHEAD: i64 = 512 * DAY;

impl Plan<'_> {
    /// Everybody on duty at an instant, each once, in order of id. Cheap: no shift is laid out.
    #[must_use]
    pub fn people_at(&self, at: Instant) -> BTreeSet<PersonId> {
        let turns = self.roster.rotations.iter();
        let turns = turns.map(|rotation| Turns { rotation, calendar: self.calendar });
        let mut present: Vec<PersonId> = turns.filter_map(|turns| turns.person_at(at)).collect();
        for stand_in in self.in_force(at, at.plus(1)) {
            match (stand_in.instead_of, stand_in.person) {
                (None, Some(person)) => present.push(person),
                (Some(gone), Some(person)) => {
                    for place in present.iter_mut().filter(|place| **place == gone) {
                        *place = person;
                    }
                }
                (Some(gone), None) => present.retain(|place| *place != gone),
                (None, None) => {}
            }
        }
        present.into_iter().collect()
    }

    /// The shifts that are on at an instant, whole.
    #[must_use]
    pub fn on_duty(&self, at: Instant) -> Vec<Shift> {
        self.shifts(at, at.plus(1))
    }

    /// The shifts that touch a span, whole, in order of their beginning.
    #[must_use]
    pub fn shifts(&self, from: Instant, until: Instant) -> Vec<Shift> {
        let mut shifts = Vec::new();
        for (number, rotation) in self.roster.rotations.iter().enumerate() {
            let turns = Turns { rotation, calendar: self.calendar };
            for piece in turns.shifts(from, until) {
                if let Some(person) = turns.person(piece.turn) {
                    shifts.push(Shift {
                        from: piece.from,
                        until: piece.until,
                        person,
                        rotation: Some(number),
                        instead_of: None,
                        stand_in: None,
                    });
                }
            }
        }
        // What a shift loses outside the span belongs to its true length too.
        let reach = shifts
            .iter()
            .map(|s| (s.from, s.until))
            .fold((from, until), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        for stand_in in self.in_force(reach.0, reach.1) {
            apply(&mut shifts, stand_in);
        }
        shifts.retain(|shift| shift.touches(from, until));
        shifts.sort();
        shifts
    }

    fn in_force(&self, from: Instant, until: Instant) -> impl Iterator<Item = &StandIn> {
        self.stand_ins.iter().filter(move |stand_in| {
            stand_in.in_force() && stand_in.from < until && stand_in.until > from
        })
    }

    /// From when on who is on duty, within a span: the first entry is the span's beginning.
    fn changes(&self, from: Instant, until: Instant) -> Vec<(Instant, BTreeSet<PersonId>)> {
        let shifts = self.shifts(from, until);
        let mut moments: BTreeMap<Instant, Vec<(PersonId, i64)>> = BTreeMap::new();
        moments.entry(from).or_default();
        for shift in &shifts {
            moments.entry(shift.from.max(from)).or_default().push((shift.person, 1));
            if shift.until < until {
                moments.entry(shift.until).or_default().push((shift.person, -1));
            }
        }
        let mut present: BTreeMap<PersonId, i64> = BTreeMap::new();
        let mut changes: Vec<(Instant, BTreeSet<PersonId>)> = Vec::new();
        for (at, steps) in moments {
            for (person, step) in steps {
                *present.entry(person).or_default() += step;
            }
            present.retain(|_, count| *count > 0);
            let people: BTreeSet<PersonId> = present.keys().copied().collect();
            if changes.last().is_none_or(|(_, before)| *before != people) {
                changes.push((at, people));
            }
        }
        changes
    }

    /// When within a span nobody is on duty, or only people who may not act (`fit` says no).
    #[must_use]
    pub fn gaps(&self, from: Instant, until: Instant, fit: &dyn Fn(PersonId) -> bool) -> Vec<Gap> {
        let changes = self.changes(from, until);
        let ends = changes.iter().skip(1).map(|(at, _)| *at).chain([until]);
        let mut gaps: Vec<Gap> = Vec::new();
        for ((begin, people), end) in changes.iter().zip(ends) {
            if people.iter().any(|person| fit(*person)) || *begin >= end {
                continue;
            }
            let unfit: Vec<PersonId> = people.iter().copied().collect();
            gaps.push(Gap { from: *begin, until: end, unfit });
        }
        gaps
    }

    /// The first handover after an instant: somebody comes who was not on duty just before. None
    /// within more than a year: there is none.
    #[must_use]
    pub fn next_handover(&self, after: Instant) -> Option<Handover> {
        let mut from = after;
        let mut width = 8 * DAY;
        while from < after.plus(AHEAD) {
            let changes = self.changes(from, from.plus(width));
            for ((_, before), (at, people)) in changes.iter().zip(changes.iter().skip(1)) {
                let incoming: Vec<PersonId> = people.difference(before).copied().collect();
                if !incoming.is_empty() {
                    let outgoing = before.difference(people).copied().collect();
                    return Some(Handover { at: *at, outgoing, incoming });
                }
            }
            // The next stretch begins a moment earlier, so that no change falls between two.
            from = from.plus(width - 1);
            width *= 2;
        }
        None
    }

    /// The last handover after `after` and not after `upto`.
    #[must_use]
    pub fn last_handover(&self, after: Instant, upto: Instant) -> Option<Handover> {
        let changes = self.changes(after, upto.plus(1));
        let pairs = changes.iter().zip(changes.iter().skip(1));
        pairs.rev().find_map(|((_, before), (at, people))| {
            let incoming: Vec<PersonId> = people.difference(before).copied().collect();
            let outgoing = before.difference(people).copied().collect();
            (!incoming.is_empty()).then_some(Handover { at: *at, outgoing, incoming })
        })
    }
}

/// What a stand-in makes of some shifts.
fn apply(shifts: &mut Vec<Shift>, stand_in: &StandIn) {
    let StandIn { from, until, person, instead_of, .. } = *stand_in;
    let Some(gone) = instead_of else {
        shifts.extend(person.map(|person| Shift {
            from,
            until,
            person,
            rotation: None,
            instead_of: None,
            stand_in: Some(stand_in.id),
        }));
        return;
    };
    let mut after = Vec::with_capacity(shifts.len() + 2);
    for shift in shifts.drain(..) {
        if shift.person != gone || !shift.touches(from, until) {
            after.push(shift);
            continue;
        }
        let (begin, end) = (shift.from.max(from), shift.until.min(until));
        if shift.from < begin {
            after.push(Shift { until: begin, ..shift.clone() });
        }
        if let Some(person) = person {
            // Who was to be there at first is told, also when another stood in before.
            let instead_of = shift.instead_of.or(Some(gone)).filter(|first| *first != person);
            let stand_in = Some(stand_in.id);
            after.push(Shift { from: begin, until: end, person, instead_of, stand_in, ..shift });
        }
        if end < shift.until {
            after.push(Shift { from: end, ..shift });
        }
    }
    *shifts = after;
}
