//! One year laid out for counting: its working days in order, with their hours as instants and the
//! working time before each, so that most questions are answered by looking up, not by walking.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::file::{Rules, dates};
use crate::domain::Instant;

/// One working day.
#[derive(Debug)]
pub(super) struct Row {
    /// The day.
    pub(super) date: Date,
    /// Its office hours in order, none empty, none overlapping.
    pub(super) spans: Vec<(Instant, Instant)>,
    /// The end of its last span.
    pub(super) close: Instant,
    /// Working milliseconds in the year before this day.
    before: i64,
}

impl Row {
    /// Working milliseconds of the day up to `at`.
    fn worked_until(&self, at: Instant) -> i64 {
        self.spans.iter().map(|&(start, end)| at.min(end).since(start).max(0)).sum()
    }
}

/// One year's working days.
#[derive(Debug)]
pub(super) struct Year {
    rows: Vec<Row>,
    /// For each day of the year, how many working days lie before it.
    rows_before: Vec<usize>,
    /// Working milliseconds of the whole year.
    worked: i64,
}

impl Year {
    /// Lays out `year` by `rules`.
    pub(super) fn lay_out(rules: &Rules, year: i16) -> Self {
        let mut rows = Vec::new();
        let mut rows_before = Vec::new();
        let mut worked = 0;
        let first = Date::new(year, 1, 1).unwrap_or(Date::MAX);
        let last = Date::new(year, 12, 31).unwrap_or(Date::MAX);
        for date in dates(first, last) {
            rows_before.push(rows.len());
            if rules.is_working(date) {
                let row = row(rules, date, worked);
                worked += row.worked_until(row.close);
                rows.push(row);
            }
        }
        Self { rows, rows_before, worked }
    }

    /// All working days.
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Working milliseconds of the whole year.
    pub(super) fn worked(&self) -> i64 {
        self.worked
    }

    /// The number of working days before `date`, which is in this year.
    pub(super) fn count_before(&self, date: Date) -> usize {
        let index = usize::try_from(date.day_of_year() - 1).ok();
        index.and_then(|index| self.rows_before.get(index)).copied().unwrap_or(self.rows.len())
    }

    /// The working days on and after `date`, which is in this year.
    pub(super) fn rows_from(&self, date: Date) -> &[Row] {
        self.rows.get(self.count_before(date)..).unwrap_or_default()
    }

    /// The working days on and before `date`, which is in this year.
    pub(super) fn rows_until(&self, date: Date) -> &[Row] {
        let before = self.count_before(date);
        let count = before + usize::from(self.row(date).is_some());
        self.rows.get(..count).unwrap_or_default()
    }

    /// The row of `date`, which is in this year, if it is a working day.
    pub(super) fn row(&self, date: Date) -> Option<&Row> {
        self.rows_from(date).first().filter(|row| row.date == date)
    }

    /// Working milliseconds of the year up to `at`, which is on `date` in this year.
    pub(super) fn worked_until(&self, date: Date, at: Instant) -> i64 {
        // Of a working day still to come nothing is worked yet, so `row` need not be today's.
        let row = self.rows_from(date).first();
        row.map_or(self.worked, |row| row.before + row.worked_until(at))
    }
}

/// Lays out one working day that has `before` working milliseconds of its year before it.
fn row(rules: &Rules, date: Date, before: i64) -> Row {
    let mut spans = Vec::new();
    let mut close = instant(&rules.zone, DateTime::from_parts(date, jiff::civil::Time::midnight()));
    for (start, end) in rules.hours(date) {
        // Where clocks are put forward a span may shrink to nothing or run into the next one.
        let start = instant(&rules.zone, start).max(close);
        let end = instant(&rules.zone, end);
        if start < end {
            spans.push((start, end));
        }
        close = close.max(end);
    }
    Row { date, spans, close, before }
}

/// The instant of a civil time: the later reading where clocks are put forward over it, the first
/// of two where they are put back over it.
pub(super) fn instant(zone: &TimeZone, civil: DateTime) -> Instant {
    // Fails only at the very ends of jiff's years, which are never laid out.
    zone.to_timestamp(civil).unwrap_or(Timestamp::MAX).into()
}
