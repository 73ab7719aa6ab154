//! What a calendar says, for people: hours by season, and per year the days that a notice changed.

use jiff::civil::Date;

use super::Calendar;
use super::file::{Change, Season, clock_face};

/// A whole calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Office hours: first and last day of a season as `MM-DD`, and its spans as `HH:MM-HH:MM`.
    pub hours: Vec<(String, String, Vec<String>)>,
    /// The years that it knows more of than Monday to Friday.
    pub years: Vec<YearOutline>,
}

/// One year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YearOutline {
    /// The year.
    pub year: i16,
    /// Whether its notice is in.
    pub confirmed: bool,
    /// Days made off by it.
    pub off: Vec<Date>,
    /// Weekend days made workdays.
    pub worked: Vec<Date>,
}

impl Calendar {
    /// Everything that it says.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let rules = &self.table.rules;
        let day = |(month, day): (i8, i8)| format!("{month:02}-{day:02}");
        let spans = |season: &Season| {
            let spans = season.hours.iter();
            spans.map(|s| format!("{}-{}", clock_face(s.start), clock_face(s.end))).collect()
        };
        let hours = rules.seasons.iter().map(|s| (day(s.from), day(s.to), spans(s))).collect();
        let mut years: Vec<i16> = rules.changes.keys().map(|date| date.year()).collect();
        years.extend(&rules.confirmed);
        years.sort_unstable();
        years.dedup();
        let changed = |year: i16, wanted: Change| {
            let of_year = rules.changes.iter().filter(move |(date, _)| date.year() == year);
            of_year.filter(|(_, change)| **change == wanted).map(|(date, _)| *date).collect()
        };
        let years = years.into_iter().map(|year| YearOutline {
            year,
            confirmed: rules.is_confirmed(year),
            off: changed(year, Change::Off),
            worked: changed(year, Change::Worked),
        });
        Outline { hours, years: years.collect() }
    }
}
