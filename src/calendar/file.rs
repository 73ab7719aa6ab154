//! The calendar file: read, checked, and turned into rules that can be counted with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    civil::{Date, DateTime, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::Deserialize;

use super::{Error, FIRST_YEAR, LAST_YEAR};

/// A leap year, so that 02-29 is a day like any other where only month and day are written.
const LEAP: i16 = 2024;

/// The file as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    code: String,
    version: String,
    zone: String,
    notice_expected_from: String,
    office_hours: Vec<SeasonEntry>,
    years: BTreeMap<i16, YearEntry>,
}

/// Office hours of one part of the year, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeasonEntry {
    from: String,
    to: String,
    spans: Vec<String>,
}

/// One year's notice, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct YearEntry {
    confirmed: bool,
    #[serde(default)]
    notice: String,
    #[serde(default)]
    off: Vec<String>,
    #[serde(default)]
    work: Vec<String>,
}

/// What a notice made of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// A day off.
    Off,
    /// A weekend day that is worked.
    Worked,
}

/// A month and a day.
pub(super) type MonthDay = (i8, i8);

/// One span of office hours: from a time of day to a later one, in minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hours {
    pub(super) start: u16,
    pub(super) end: u16,
}

/// Office hours of one part of the year, both ends included; it may run over New Year.
#[derive(Debug)]
pub(super) struct Season {
    pub(super) from: MonthDay,
    pub(super) to: MonthDay,
    pub(super) hours: Vec<Hours>,
}

impl Season {
    /// Whether the season holds this day of the year.
    fn holds(&self, day: MonthDay) -> bool {
        if self.from <= self.to {
            self.from <= day && day <= self.to
        } else {
            self.from <= day || day <= self.to
        }
    }
}

/// A checked calendar file.
#[derive(Debug)]
pub(super) struct Rules {
    /// The calendar's short name.
    pub(super) code: String,
    /// The version of its contents.
    pub(super) version: String,
    /// The zone its days and hours are in.
    pub(super) zone: TimeZone,
    notice_expected_from: MonthDay,
    pub(super) seasons: Vec<Season>,
    pub(super) confirmed: BTreeSet<i16>,
    pub(super) changes: BTreeMap<Date, Change>,
}

impl Rules {
    /// Reads and checks a calendar file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub(super) fn from_yaml(text: &str) -> Result<Self, Error> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| {
            let place = error.location();
            Error::Unreadable {
                line: place.map_or(0, |place| place.line()),
                column: place.map_or(0, |place| place.column()),
                what: error.without_snippet().to_string(),
            }
        })?;
        for (field, value) in [("code", &file.code), ("version", &file.version)] {
            if value.trim().is_empty() {
                return Err(Error::Empty { field });
            }
        }
        // Only the data compiled in: what a machine has installed must not move a due date.
        let zone = TimeZoneDatabase::bundled()
            .get(&file.zone)
            .map_err(|source| Error::Zone { zone: file.zone.clone(), source })?;
        let seasons = file
            .office_hours
            .iter()
            .enumerate()
            .map(|(index, entry)| season(index, entry))
            .collect::<Result<Vec<_>, _>>()?;
        every_day_has_one_season(&seasons)?;
        let mut confirmed = BTreeSet::new();
        let mut changes = BTreeMap::new();
        // In order of years, so that a later notice wins over the December of an earlier one.
        for (&year, entry) in &file.years {
            changes.extend(year_changes(year, entry)?);
            if entry.confirmed {
                confirmed.insert(year);
            }
        }
        Ok(Self {
            code: file.code,
            version: file.version,
            zone,
            notice_expected_from: month_day("notice_expected_from", &file.notice_expected_from)?,
            seasons,
            confirmed,
            changes,
        })
    }

    /// Whether the notice for `year` is in the file.
    pub(super) fn is_confirmed(&self, year: i16) -> bool {
        self.confirmed.contains(&year)
    }

    /// Whether `date` is worked: Monday to Friday unless made a day off, and the weekend days made
    /// workdays.
    pub(super) fn is_working(&self, date: Date) -> bool {
        self.changes.get(&date).map_or(!is_weekend(date), |change| *change == Change::Worked)
    }

    /// Whether a notice made `date` a day off (rather than it being a weekend only).
    pub(super) fn is_made_off(&self, date: Date) -> bool {
        self.changes.get(&date) == Some(&Change::Off)
    }

    /// The spans of office hours on `date`, were it worked, in the zone's civil time.
    pub(super) fn hours(&self, date: Date) -> impl Iterator<Item = (DateTime, DateTime)> {
        let day = (date.month(), date.day());
        let season = self.seasons.iter().find(|season| season.holds(day));
        season
            .into_iter()
            .flat_map(|season| &season.hours)
            .map(move |hours| (civil(date, hours.start), civil(date, hours.end)))
    }

    /// Whether on `date` the notice for the next year is awaited.
    pub(super) fn awaits_next_year(&self, date: Date) -> bool {
        (date.month(), date.day()) >= self.notice_expected_from
    }
}

/// Whether `date` is a Saturday or Sunday.
pub(super) fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Minutes since midnight as a clock shows them; midnight at the end of a day as 24:00.
pub(super) fn clock_face(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The civil time `minutes` after midnight of `date`; 1440 is midnight of the next day.
fn civil(date: Date, minutes: u16) -> DateTime {
    let midnight = DateTime::from_parts(date, jiff::civil::Time::midnight());
    midnight.saturating_add(jiff::SignedDuration::from_mins(minutes.into()))
}

/// Reads one season.
fn season(index: usize, entry: &SeasonEntry) -> Result<Season, Error> {
    let at = format!("office_hours.{index}");
    let hours = entry
        .spans
        .iter()
        .map(|text| {
            span(text).ok_or_else(|| Error::Span { at: format!("{at}.spans"), text: text.clone() })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let ordered =
        hours.iter().zip(hours.iter().skip(1)).all(|(first, second)| first.end <= second.start);
    if hours.is_empty() || !ordered {
        return Err(Error::Spans { at: format!("{at}.spans") });
    }
    Ok(Season {
        from: month_day(&format!("{at}.from"), &entry.from)?,
        to: month_day(&format!("{at}.to"), &entry.to)?,
        hours,
    })
}

/// Reads `HH:MM-HH:MM`.
fn span(text: &str) -> Option<Hours> {
    let (start, end) = text.split_once('-')?;
    let hours = Hours { start: time_of_day(start)?, end: time_of_day(end)? };
    (hours.start < hours.end).then_some(hours)
}

/// Reads `HH:MM` up to `24:00` as minutes since midnight.
fn time_of_day(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 60 + minutes)
}

/// Checks that each of the 366 days belongs to exactly one season.
fn every_day_has_one_season(seasons: &[Season]) -> Result<(), Error> {
    for date in dates(Date::constant(LEAP, 1, 1), Date::constant(LEAP, 12, 31)) {
        let day = (date.month(), date.day());
        let count = seasons.iter().filter(|season| season.holds(day)).count();
        if count != 1 {
            return Err(Error::Season { day: date.strftime("%m-%d").to_string(), count });
        }
    }
    Ok(())
}

/// Reads the days one notice changes.
fn year_changes(year: i16, entry: &YearEntry) -> Result<BTreeMap<Date, Change>, Error> {
    if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
        return Err(Error::Year { year, first: FIRST_YEAR, last: LAST_YEAR });
    }
    if entry.confirmed && entry.notice.trim().is_empty() {
        return Err(Error::NoNotice { year });
    }
    let lists_days = !entry.off.is_empty() || !entry.work.is_empty();
    if lists_days && !entry.confirmed {
        return Err(Error::Unconfirmed { year });
    }
    let mut changes = BTreeMap::new();
    for (field, texts, change) in
        [("off", &entry.off, Change::Off), ("work", &entry.work, Change::Worked)]
    {
        let at = format!("years.{year}.{field}");
        for text in texts {
            let (first, last) = range(&at, text, year)?;
            for date in dates(first, last) {
                // In its own year a make-up day is a weekend day; in the December before it may
                // also be a weekday that the earlier notice had made a day off.
                if change == Change::Worked && date.year() == year && !is_weekend(date) {
                    return Err(Error::NoWeekend { year, date });
                }
                if changes.insert(date, change).is_some() {
                    return Err(Error::Twice { year, date });
                }
            }
        }
    }
    Ok(changes)
}

/// Reads a day or a range of days of the notice for `year`.
fn range(at: &str, text: &str, year: i16) -> Result<(Date, Date), Error> {
    let day = |part: &str| {
        let date = date(part.trim(), year)
            .ok_or_else(|| Error::Day { at: at.to_owned(), text: text.to_owned() })?;
        let in_december_before = date.year() == year - 1 && date.month() == 12;
        if date.year() == year || in_december_before {
            Ok(date)
        } else {
            Err(Error::Foreign { at: at.to_owned(), date, year })
        }
    };
    let (first, last) = match text.split_once("..") {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    if last < first {
        return Err(Error::Backwards { at: at.to_owned(), text: text.to_owned() });
    }
    Ok((first, last))
}

/// Reads `YYYY-MM-DD`, or `MM-DD` in `year`.
fn date(text: &str, year: i16) -> Option<Date> {
    let full = if text.len() == 5 { format!("{year:04}-{text}") } else { text.to_owned() };
    if full.len() == 10 { full.parse().ok() } else { None }
}

/// Reads `MM-DD`.
fn month_day(at: &str, text: &str) -> Result<MonthDay, Error> {
    let date = if text.len() == 5 { date(text, LEAP) } else { None };
    date.map(|date| (date.month(), date.day()))
        .ok_or_else(|| Error::Day { at: at.to_owned(), text: text.to_owned() })
}

/// The dates from `first` to `last`, both included.
pub(super) fn dates(first: Date, last: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |date| date.tomorrow().ok())
        .take_while(move |date| *date <= last)
}
