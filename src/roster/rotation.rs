//! One rotation: whose turn it is, and when turns begin and end.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan as _};

use super::{Cover, Length, Rotation};
use crate::calendar::Calendar;
use crate::domain::{Instant, PersonId};

/// A stretch of one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) from: Instant,
    pub(super) until: Instant,
    /// The number of the turn, from 0.
    pub(super) turn: i64,
}

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A rotation with the calendar that it is read by.
#[derive(Clone, Copy)]
pub(super) struct Turns<'a> {
    pub(super) rotation: &'a Rotation,
    pub(super) calendar: &'a Calendar,
}

impl Turns<'_> {
    /// Whose turn a number is.
    pub(super) fn person(&self, turn: i64) -> Option<PersonId> {
        let count = i64::try_from(self.rotation.people.len()).ok().filter(|count| *count > 0)?;
        let index = usize::try_from(turn.rem_euclid(count)).ok()?;
        self.rotation.people.get(index).copied()
    }

    /// Whose turn it is at an instant.
    pub(super) fn person_at(&self, at: Instant) -> Option<PersonId> {
        let pieces = self.pieces(at, at.plus(1), 0);
        self.person(pieces.last()?.turn)
    }

    /// The shifts that touch a span, whole, in order.
    pub(super) fn shifts(&self, from: Instant, until: Instant) -> Vec<Piece> {
        // A turn of several days is put together of its days, those before and after the span too.
        let reach = match self.rotation.shift {
            Length::Hours(_) => 0,
            Length::Days(days) => days,
            Length::Weeks(weeks) => weeks * 7,
        };
        let mut shifts: Vec<Piece> = Vec::new();
        for piece in self.pieces(from, until, reach) {
            match shifts.last_mut() {
                Some(last) if last.turn == piece.turn && last.until == piece.from => {
                    last.until = piece.until;
                }
                _ => shifts.push(piece),
            }
        }
        shifts.retain(|shift| shift.from < until && shift.until > from);
        shifts
    }

    /// Stretches that touch a span (and, on either side, those of `reach` days more), in order.
    fn pieces(&self, from: Instant, until: Instant, reach: i64) -> Vec<Piece> {
        let zone = self.calendar.zone();
        let Rotation { first, hours, days, shift, .. } = *self.rotation;
        let end = self.rotation.until.map(|end| instant(zone, end));
        let mut pieces = Vec::new();
        let mut add = |start: DateTime, minutes: i64, turn: i64| {
            let until = instant(zone, later(start, minutes));
            let until = end.map_or(until, |end| until.min(end));
            let from = instant(zone, start);
            if from < until {
                pieces.push(Piece { from, until, turn });
            }
        };
        match (shift, days, hours) {
            // Nothing is left out: shifts follow each other whatever the days.
            (Length::Hours(length), Cover::EveryDay, None) => {
                let passed = |at: Instant| {
                    let civil = zone.to_datetime(at.timestamp());
                    civil.duration_since(first).as_hours().div_euclid(length)
                };
                // Two more on either side: clocks may be put forward or back.
                let last = passed(until).saturating_add(2);
                for turn in passed(from).saturating_sub(2).max(0)..=last {
                    add(later(first, turn.saturating_mul(length * HOUR)), length * HOUR, turn);
                }
            }
            _ => self.by_day(from, until, reach, &mut add),
        }
        if reach == 0 {
            pieces.retain(|piece| piece.from < until && piece.until > from);
        }
        pieces
    }

    /// The same for rotations that are counted in days.
    fn by_day(
        &self,
        from: Instant,
        until: Instant,
        reach: i64,
        add: &mut dyn FnMut(DateTime, i64, i64),
    ) {
        let Rotation { first, hours, shift, .. } = *self.rotation;
        let start = first.date();
        let minutes = hours.map_or(DAY, |hours| hours.minutes);
        // What touches the span began at most a day before it; another for clocks put forward.
        let mut date = moved(self.calendar.date_of(from), -(reach + 2)).max(start);
        let last = moved(self.calendar.date_of(until), reach);
        let mut covered = self.covered_before(date);
        while date <= last {
            if self.covers(date) {
                let begin = DateTime::from_parts(date, first.time());
                match shift {
                    Length::Hours(length) => {
                        let length = length * HOUR;
                        let slots = (minutes + length - 1) / length;
                        for slot in 0..slots {
                            let left = minutes - slot * length;
                            let turn = covered * slots + slot;
                            add(later(begin, slot * length), left.min(length), turn);
                        }
                    }
                    Length::Days(length) => add(begin, minutes, covered.div_euclid(length)),
                    Length::Weeks(length) => {
                        let days = date.duration_since(start).as_hours() / 24;
                        add(begin, minutes, days.div_euclid(length * 7));
                    }
                }
                covered += 1;
            }
            match date.tomorrow() {
                Ok(next) => date = next,
                Err(_) => break,
            }
        }
    }

    fn covers(&self, date: Date) -> bool {
        match self.rotation.days {
            Cover::EveryDay => true,
            Cover::WorkingDays => self.calendar.is_working_day(date),
            Cover::DaysOff => !self.calendar.is_working_day(date),
        }
    }

    /// How many days the rotation covers from its first one on and before `date`.
    fn covered_before(&self, date: Date) -> i64 {
        let start = self.rotation.first.date();
        let all = (date.duration_since(start).as_hours() / 24).max(0);
        match self.rotation.days {
            Cover::EveryDay => all,
            Cover::WorkingDays => self.calendar.working_days_in(start, date),
            Cover::DaysOff => all - self.calendar.working_days_in(start, date),
        }
    }
}

fn moved(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

fn later(at: DateTime, minutes: i64) -> DateTime {
    at.saturating_add(SignedDuration::from_mins(minutes))
}

/// The instant of a civil time. Where clocks are put forward over it, the moment of the change, so
/// that later civil times never become earlier instants; the first of two where they are put back.
pub(super) fn instant(zone: &TimeZone, civil: DateTime) -> Instant {
    let ambiguous = zone.to_ambiguous_timestamp(civil);
    let gap = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
    // Fails only at the very ends of jiff's years, which no roster reaches.
    let read = ambiguous.earlier().unwrap_or(jiff::Timestamp::MAX);
    let change = gap.then(|| zone.following(read).next()).flatten();
    change.map_or(read, |change| change.timestamp()).into()
}
