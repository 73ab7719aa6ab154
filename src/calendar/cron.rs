//! Cron expressions for periodic jobs. The only place that speaks chrono, because `cron` asks for it.

use std::str::FromStr;

use chrono::{DateTime as ChronoDateTime, Datelike, Timelike, Utc};
use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};

use super::Error;
use crate::domain::Instant;

/// How many civil times are tried for one answer. More than the seconds of the longest hour that
/// any zone repeats, so only an expression that never comes gives up.
const TRIES: usize = 100_000;

/// A checked cron expression: second, minute, hour, day of month, month, day of week, and
/// optionally year (1970 to 2100). Days of the week are names or 1 (Sunday) to 7 (Saturday).
///
/// Its times are civil times of a zone. Where clocks are put forward, a time that does not exist
/// comes at the first instant after the gap, together with any others in the gap, so a daily job is
/// never lost. Where clocks are put back, a time that exists twice comes once, at the first.
#[derive(Debug, Clone)]
pub struct Cron {
    text: String,
    schedule: cron::Schedule,
}

impl Cron {
    /// Reads an expression such as `0 0 9 * * *`.
    ///
    /// # Errors
    /// [`Error::Cron`] with the reader's own words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| Error::Cron { text: text.to_owned(), why };
        let schedule = cron::Schedule::from_str(text).map_err(|error| wrong(error.to_string()))?;
        Ok(Self { text: text.to_owned(), schedule })
    }

    /// The expression as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first occurrence in `zone` after `after` (never `after` itself), or `None` if there is
    /// none, as for 30 February.
    #[must_use]
    pub fn next_after(&self, after: Instant, zone: &TimeZone) -> Option<Instant> {
        // `cron` walks civil times as if they were UTC; jiff says what they are in the zone.
        let start = to_chrono(zone.to_datetime(after.timestamp()))?;
        self.schedule
            .after(&start)
            .take(TRIES)
            .filter_map(|civil| occurrence(from_chrono(&civil)?, zone))
            .find(|at| *at > after)
    }
}

/// The instant at which a civil time comes in `zone`.
fn occurrence(civil: DateTime, zone: &TimeZone) -> Option<Instant> {
    let at = zone.to_timestamp(civil).ok()?;
    if zone.to_datetime(at) == civil {
        return Some(at.into());
    }
    // The civil time is in a gap and `at` as long after the gap's end as it was after its start.
    let gap_end = zone.preceding(at.checked_add(SignedDuration::from_nanos(1)).ok()?).next();
    Some(gap_end.map_or(at, |transition| transition.timestamp()).into())
}

/// The civil time as chrono has it, its fraction of a second cut off: `cron` goes by whole seconds.
fn to_chrono(civil: DateTime) -> Option<ChronoDateTime<Utc>> {
    let whole = civil.with().subsec_nanosecond(0).build().ok()?;
    let seconds = whole.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    ChronoDateTime::from_timestamp(seconds, 0)
}

/// The civil time as jiff has it.
fn from_chrono(civil: &ChronoDateTime<Utc>) -> Option<DateTime> {
    let small = |number: u32| i8::try_from(number).ok();
    DateTime::new(
        i16::try_from(civil.year()).ok()?,
        small(civil.month())?,
        small(civil.day())?,
        small(civil.hour())?,
        small(civil.minute())?,
        small(civil.second())?,
        0,
    )
    .ok()
}
