//! Counting limits forwards and backwards. Every due date is found by one walk ([`Calendar::walk`]);
//! the explanation of a due date listens to that same walk.

use jiff::civil::Date;

use super::{Calendar, Limit, limit::MINUTE, year::Row};
use crate::domain::Instant;

/// One thing the walk counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Counted {
    /// A working day.
    Day(Date),
    /// Working milliseconds on a day.
    Time(Date, i64),
    /// Calendar days from the first to the last, both included.
    Span(Date, Date),
}

/// Where the walk ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    /// The due instant.
    pub(super) at: Instant,
    /// The first and the last day whose being worked or not mattered, if any did.
    pub(super) judged: Option<(Date, Date)>,
}

impl Calendar {
    /// The due instant of `limit` counted from `base`: [`Calendar::due`] without the explanation.
    ///
    /// - `Real`: that many milliseconds later.
    /// - `Work`: the earliest instant with that many working minutes counted since `base`, so a
    ///   count that ends with a span of office hours is due at the end of that span, not at the
    ///   start of the next one. Seconds of `base` are kept.
    /// - `Workdays(n)`: close of the n-th working day after the calendar day of `base`, whatever
    ///   the hour of `base` (civil code: the start day is not counted, the end is close of business
    ///   where there are business hours). `Workdays(0)`: the first close at or after `base`.
    /// - `Days(n)`: 24:00 (midnight that ends) the n-th calendar day after the day of `base`; if
    ///   that is a day off, close of the next working day (civil code: a last day that is a day off
    ///   moves to the day after the holiday).
    ///
    /// Never before `base`. Days before 1900 and after 2199 are not counted: a limit that runs
    /// beyond ends with the last working day of 2199.
    #[must_use]
    pub fn due_at(&self, base: Instant, limit: &Limit) -> Instant {
        self.walk(base, limit, &mut |_| ()).at
    }

    /// Counts `limit` from `base`, telling `see` what is counted, in order.
    pub(super) fn walk(&self, base: Instant, limit: &Limit, see: &mut dyn FnMut(Counted)) -> Reach {
        match *limit {
            Limit::Real(millis) => Reach { at: base.plus(millis.max(0)), judged: None },
            Limit::Work(minutes) => self.walk_time(base, minutes.saturating_mul(MINUTE), see),
            Limit::Workdays(days) => self.walk_workdays(base, days, see),
            Limit::Days(days) => self.walk_days(base, days, see),
        }
    }

    /// Counts `millis` of working time from `base`.
    fn walk_time(&self, base: Instant, millis: i64, see: &mut dyn FnMut(Counted)) -> Reach {
        let first = self.date_of(base);
        if millis <= 0 {
            return Reach { at: base, judged: None };
        }
        let mut left = millis;
        let mut reached = Reach { at: base, judged: Some((first, first)) };
        for row in self.rows_from(first) {
            let at_start = left;
            reached.judged = Some((first, row.date));
            for &(start, end) in &row.spans {
                let start = start.max(base);
                let worked = end.since(start).max(0);
                if left <= worked {
                    see(Counted::Time(row.date, at_start));
                    return Reach { at: start.plus(left), ..reached };
                }
                left -= worked;
            }
            if left < at_start {
                see(Counted::Time(row.date, at_start - left));
            }
            reached.at = row.close.max(base);
        }
        reached
    }

    /// Counts `days` working days from the day of `base`, which is not counted.
    fn walk_workdays(&self, base: Instant, days: i64, see: &mut dyn FnMut(Counted)) -> Reach {
        let start = self.date_of(base);
        if days <= 0 {
            let row = self.rows_from(start).find(|row| row.close >= base);
            let last = row.map_or(start, |row| row.date);
            return Reach { at: row.map_or(base, |row| row.close), judged: Some((start, last)) };
        }
        let first = tomorrow(start);
        let mut left = days;
        let mut reached = Reach { at: base, judged: Some((first, first)) };
        for row in self.rows_from(first) {
            see(Counted::Day(row.date));
            reached = Reach { at: row.close, judged: Some((first, row.date)) };
            left -= 1;
            if left == 0 {
                break;
            }
        }
        reached
    }

    /// Counts `days` calendar days from the day of `base`, which is not counted.
    fn walk_days(&self, base: Instant, days: i64, see: &mut dyn FnMut(Counted)) -> Reach {
        let start = self.date_of(base);
        let last = self.days_after(start, days.max(0));
        if last > start {
            see(Counted::Span(tomorrow(start), last));
        }
        match self.rows_from(last).next() {
            Some(row) if row.date > last => {
                Reach { at: row.close.max(base), judged: Some((last, row.date)) }
            }
            _ => Reach { at: self.end_of(last).max(base), judged: Some((last, last)) },
        }
    }

    /// The latest instant from which `limit`, in the same measure, ends at or before `due`: what
    /// "4 working hours before the due date" means.
    ///
    /// `Real` subtracts. `Work` counts working minutes backwards, so 2 h before 11:00 is 09:00 where
    /// the day starts at 09:00. `Workdays(n)` gives close of the working day n working days before
    /// the last one that closes by `due` (any later hour of that day would do as well; close is when
    /// it can still be acted on). `Days(n)` gives the last millisecond of the latest start day.
    #[must_use]
    pub fn before(&self, due: Instant, limit: &Limit) -> Instant {
        match *limit {
            Limit::Real(millis) => due.plus(millis.max(0).saturating_neg()),
            Limit::Work(minutes) => self.time_before(due, minutes.saturating_mul(MINUTE)),
            Limit::Workdays(days) => {
                let back = usize::try_from(days.max(0)).unwrap_or(usize::MAX);
                let mut closed = self.rows_back(self.date_of(due)).filter(|row| row.close <= due);
                closed.nth(back).map_or(due, |row| row.close)
            }
            Limit::Days(days) => {
                let days = days.max(0);
                let mut start = self.days_after(self.date_of(due), days.saturating_neg());
                while self.due_at(self.end_of(start).plus(-1), &Limit::Days(days)) > due {
                    let earlier = self.days_after(start, -1);
                    if earlier == start {
                        break;
                    }
                    start = earlier;
                }
                self.end_of(start).plus(-1).min(due)
            }
        }
    }

    /// The latest instant with `millis` of working time from it to `due`.
    fn time_before(&self, due: Instant, millis: i64) -> Instant {
        let mut left = millis;
        let mut reached = due;
        if left <= 0 {
            return due;
        }
        for row in self.rows_back(self.date_of(due)) {
            for &(start, end) in row.spans.iter().rev() {
                let end = end.min(due);
                let worked = end.since(start).max(0);
                if left <= worked {
                    return end.plus(-left);
                }
                left -= worked;
                reached = reached.min(start);
            }
        }
        reached
    }

    /// The number of working days after the day of `from`, up to and with the day of `to`; 0 when
    /// that is not a later day.
    #[must_use]
    pub fn working_days_between(&self, from: Instant, to: Instant) -> i64 {
        let (first, last) = (tomorrow(self.date_of(from)), self.date_of(to));
        if last < first {
            return 0;
        }
        let count = |year: i16, date: Option<Date>| {
            self.year(year).map_or(0, |laid_out| {
                date.map_or(laid_out.rows().len(), |date| laid_out.count_before(date))
            })
        };
        let whole: usize = (first.year()..last.year()).map(|year| count(year, None)).sum();
        let until = count(last.year(), Some(last)) + usize::from(self.is_working_day(last));
        let counted = (whole + until).saturating_sub(count(first.year(), Some(first)));
        i64::try_from(counted).unwrap_or(i64::MAX)
    }

    /// The number of working days from `from` on and before `until`; 0 when that is not later.
    #[must_use]
    pub fn working_days_in(&self, from: Date, until: Date) -> i64 {
        if until <= from {
            return 0;
        }
        let before = |date: Date| self.year(date.year()).map_or(0, |year| year.count_before(date));
        let whole: usize = (from.year()..until.year())
            .map(|year| self.year(year).map_or(0, |laid_out| laid_out.rows().len()))
            .sum();
        let counted = (whole + before(until)).saturating_sub(before(from));
        i64::try_from(counted).unwrap_or(i64::MAX)
    }

    /// The instant at which `percent` of the time from `base` to `due` has gone by: of its working
    /// time if there is any, else of real time. Never before `base`, never after `due`; `base` when
    /// `due` is not later.
    #[must_use]
    pub fn at_percent(&self, base: Instant, due: Instant, percent: i64) -> Instant {
        if due <= base || percent <= 0 {
            return base;
        }
        if percent >= 100 {
            return due;
        }
        let share = |whole: i64| {
            i64::try_from(i128::from(whole) * i128::from(percent) / 100).unwrap_or(whole)
        };
        let worked = self.worked_between(base, due);
        let at = if worked > 0 {
            self.walk_time(base, share(worked), &mut |_| ()).at
        } else {
            base.plus(share(due.since(base)))
        };
        at.clamp(base, due)
    }

    /// What is left at `at` of a `limit` that is due at `due`, so that counting it from another
    /// instant gives the new due date after a suspension.
    ///
    /// `Workdays` keeps the working days after the day of `at` up to the day of `due` (the day of
    /// resuming is a start day again); `Work` the working minutes, an unfinished one as a whole one,
    /// so that nobody loses time; `Real` and `Days` become real milliseconds. Never below nothing.
    #[must_use]
    pub fn remaining(&self, limit: &Limit, due: Instant, at: Instant) -> Limit {
        match limit {
            Limit::Workdays(_) => Limit::Workdays(self.working_days_between(at, due)),
            Limit::Work(_) => {
                Limit::Work(self.worked_between(at, due).saturating_add(MINUTE - 1) / MINUTE)
            }
            Limit::Real(_) | Limit::Days(_) => Limit::Real(due.since(at).max(0)),
        }
    }

    /// Working milliseconds from `from` to `to`; 0 when `to` is not later.
    pub(super) fn worked_between(&self, from: Instant, to: Instant) -> i64 {
        if to <= from {
            return 0;
        }
        let (first, last) = (self.date_of(from), self.date_of(to));
        let until =
            |date: Date, at| self.year(date.year()).map_or(0, |year| year.worked_until(date, at));
        let whole: i64 = (first.year()..last.year())
            .filter_map(|year| self.year(year))
            .map(super::year::Year::worked)
            .sum();
        (whole + until(last, to) - until(first, from)).max(0)
    }

    /// The working days on and after `date`, as far as days are counted.
    pub(super) fn rows_from(&self, date: Date) -> impl Iterator<Item = &Row> {
        let first = self.year(date.year()).map_or(&[][..], |year| year.rows_from(date));
        let later = self.years_after(date.year());
        first.iter().chain(later.flat_map(|year| year.rows()))
    }

    /// The working days on and before `date`, latest first, as far as days are counted.
    pub(super) fn rows_back(&self, date: Date) -> impl Iterator<Item = &Row> {
        let last = self.year(date.year()).map_or(&[][..], |year| year.rows_until(date));
        let earlier = self.years_before(date.year());
        last.iter().rev().chain(earlier.flat_map(|year| year.rows().iter().rev()))
    }
}

/// The day after `date`.
fn tomorrow(date: Date) -> Date {
    date.tomorrow().unwrap_or(date)
}
