//! Working days, office hours and due dates, with the explanation of each.
//!
//! A calendar is data (`config/calendars/`): office hours by season, and per year the days off and
//! the weekend days worked, as the State Council's notice for that year says. Years without a
//! confirmed notice are counted Monday to Friday and every due date through them says so.
//!
//! Where a zone has daylight saving time, office hours are civil times and a working minute is a
//! real one: hours that fall into the hour skipped are shorter, into the hour repeated longer.

use std::sync::{Arc, OnceLock};

use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

mod counting;
pub mod cron;
mod error;
mod explain;
mod file;
mod limit;
mod outline;
#[cfg(test)]
mod tests;
mod year;

pub use self::{
    error::Error,
    explain::{Due, Line},
    limit::{Limit, parse_duration},
    outline::{Outline, YearOutline},
};

use self::{
    file::Rules,
    year::{Row, Year},
};
use crate::domain::Instant;

/// The first year whose days are counted.
const FIRST_YEAR: i16 = 1900;
/// The last year whose days are counted.
const LAST_YEAR: i16 = 2199;

/// A working calendar. Cheap to clone: clones share their tables.
#[derive(Debug, Clone)]
pub struct Calendar {
    table: Arc<Table>,
}

/// The rules, and the years laid out so far. A year is laid out when it is first asked for, always
/// the same way, so that reading a file stays cheap and distant years cost only who asks for them.
#[derive(Debug)]
struct Table {
    rules: Rules,
    years: Vec<OnceLock<Year>>,
}

impl Calendar {
    /// Reads a calendar file.
    ///
    /// # Errors
    /// The first thing that is wrong with it, where, and how to mend it.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let rules = Rules::from_yaml(text)?;
        let years = (FIRST_YEAR..=LAST_YEAR).map(|_| OnceLock::new()).collect();
        Ok(Self { table: Arc::new(Table { rules, years }) })
    }

    /// The calendar's short name.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.table.rules.code
    }

    /// The version of the calendar's contents, kept with every due date.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.table.rules.version
    }

    /// The zone of the calendar's days and hours.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.table.rules.zone
    }

    /// The calendar day of an instant, in the zone; held within the years that are counted.
    #[must_use]
    pub fn date_of(&self, at: Instant) -> Date {
        let date = self.zone().to_datetime(at.timestamp()).date();
        date.clamp(Date::constant(FIRST_YEAR, 1, 1), Date::constant(LAST_YEAR, 12, 31))
    }

    /// Whether `date` is a working day.
    #[must_use]
    pub fn is_working_day(&self, date: Date) -> bool {
        self.table.rules.is_working(date)
    }

    /// Whether the notice for `year` is in the calendar.
    #[must_use]
    pub fn is_confirmed(&self, year: i16) -> bool {
        self.table.rules.is_confirmed(year)
    }

    /// Close of office hours on `date`: the end of its last span; `None` when it is not a working
    /// day (or outside the years that are counted).
    #[must_use]
    pub fn close_of(&self, date: Date) -> Option<Instant> {
        self.year(date.year())?.row(date).map(|row| row.close)
    }

    /// Close of office hours on `date` or, if that is not a working day, on the next one: when
    /// something to be done by `date` is due (civil code: a last day off moves to the day after).
    #[must_use]
    pub fn close_on_or_after(&self, date: Date) -> Instant {
        self.rows_from(date).next().map_or_else(|| self.end_of(date), close)
    }

    /// 24:00 of `date`: the midnight that ends it.
    #[must_use]
    pub fn end_of(&self, date: Date) -> Instant {
        let midnight = date
            .tomorrow()
            .map_or(DateTime::MAX, |next| DateTime::from_parts(next, Time::midnight()));
        year::instant(self.zone(), midnight)
    }

    /// The years that should have a confirmed notice at `now` and have none: the current year, and
    /// from the calendar's `notice_expected_from` on also the next. Each is worth an alarm.
    #[must_use]
    pub fn missing_years(&self, now: Instant) -> Vec<i16> {
        let today = self.date_of(now);
        let next = self.table.rules.awaits_next_year(today);
        let last = today.year() + i16::from(next);
        (today.year()..=last).filter(|year| !self.is_confirmed(*year)).collect()
    }

    /// Whether a notice made `date` a day off.
    fn is_made_off(&self, date: Date) -> bool {
        self.table.rules.is_made_off(date)
    }

    /// The time of day of an instant in the zone, `HH:MM`, with seconds where there are any.
    fn time_of(&self, at: Instant) -> String {
        let time = self.zone().to_datetime(at.timestamp()).time();
        time.strftime(if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
    }

    /// `date` and `days` days on (back when negative), held within the years that are counted.
    fn days_after(&self, date: Date, days: i64) -> Date {
        const HELD: i64 = 400 * 366;
        let hours = days.clamp(-HELD, HELD) * 24;
        let reached = date.saturating_add(jiff::SignedDuration::from_hours(hours));
        reached.clamp(Date::constant(FIRST_YEAR, 1, 1), Date::constant(LAST_YEAR, 12, 31))
    }

    /// A year laid out, if it is counted.
    fn year(&self, year: i16) -> Option<&Year> {
        let index = usize::try_from(year.checked_sub(FIRST_YEAR)?).ok()?;
        let cell = self.table.years.get(index)?;
        Some(cell.get_or_init(|| Year::lay_out(&self.table.rules, year)))
    }

    /// The counted years after `year`, in order, each laid out only when it is reached.
    fn years_after(&self, year: i16) -> impl Iterator<Item = &Year> {
        let first = year.saturating_add(1).max(FIRST_YEAR);
        (first..=LAST_YEAR).filter_map(|year| self.year(year))
    }

    /// The counted years before `year`, latest first, each laid out only when it is reached.
    fn years_before(&self, year: i16) -> impl Iterator<Item = &Year> {
        let last = year.saturating_sub(1).min(LAST_YEAR);
        (FIRST_YEAR..=last).rev().filter_map(|year| self.year(year))
    }
}

/// A working day's close.
fn close(row: &Row) -> Instant {
    row.close
}
