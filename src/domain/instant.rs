//! Instants: integer milliseconds UTC, the only form of time that is stored or compared.

use std::fmt;

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// Reads an RFC 3339 time such as `2018-07-02T09:10:00+08:00`.
    ///
    /// # Errors
    /// The reader's own sentence, when the text is no such time.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self(text.parse::<Timestamp>()?.as_millisecond()))
    }

    /// This instant `millis` milliseconds later (earlier when negative), held at the ends of time.
    #[must_use]
    pub fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Milliseconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same point as jiff knows it; instants beyond jiff's years are held at its ends.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// RFC 3339 with the offset of `zone`, to the second (to the millisecond where it has any):
    /// what the API shows.
    #[must_use]
    pub fn in_zone(self, zone: &TimeZone) -> String {
        let zoned = self.timestamp().to_zoned(zone.clone());
        let pattern =
            if self.0 % 1000 == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" };
        zoned.strftime(pattern).to_string()
    }
}

impl From<Timestamp> for Instant {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp.as_millisecond())
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_zone(&TimeZone::UTC))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_and_shown_in_its_zone() {
        let instant = Instant::parse("2018-07-02T09:10:00+08:00").unwrap();
        assert_eq!(instant.0, 1_530_493_800_000);
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(instant.in_zone(&shanghai), "2018-07-02T09:10:00+08:00");
        assert_eq!(Instant(1).to_string(), "1970-01-01T00:00:00.001+00:00");
    }
}
