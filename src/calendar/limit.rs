//! Limits as workflows write them: `real('30m')`, `work('4h')`, `workdays(5)`, `days(3)`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Error;

/// Milliseconds in a minute.
pub(super) const MINUTE: i64 = 60_000;

/// A limit has at most so many days: a hundred years.
const DAYS_MAX: i64 = 36_500;

/// The units of a duration in milliseconds, largest first.
const UNITS: [(&str, i64); 4] = [("h", 60 * MINUTE), ("m", MINUTE), ("s", 1_000), ("ms", 1)];

/// How long something may take, and in which measure.
///
/// As text (and in JSON and YAML): `real('30m')`, `work('4h')`, `workdays(5)`, `days(3)`. Never
/// negative when read; a negative number built in code counts as nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Milliseconds by the wall clock, day and night.
    Real(i64),
    /// Minutes within office hours.
    Work(i64),
    /// Working days: the start day is not counted, the end is close of the last one.
    Workdays(i64),
    /// Calendar days: the start day is not counted, the end is 24:00 of the last one, or close of
    /// the next working day if the last one is a day off.
    Days(i64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Real(millis) => write!(f, "real('{}')", duration_text(millis)),
            Self::Work(minutes) => {
                write!(f, "work('{}')", duration_text(minutes.saturating_mul(MINUTE)))
            }
            Self::Workdays(days) => write!(f, "workdays({})", days.max(0)),
            Self::Days(days) => write!(f, "days({})", days.max(0)),
        }
    }
}

impl FromStr for Limit {
    type Err = Error;

    /// Reads a limit; spaces around the parts and either kind of quote are accepted.
    ///
    /// # Errors
    /// [`Error::Limit`], saying what was expected.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Limit { text: text.to_owned(), why: why.to_owned() };
        let (name, rest) = text.trim().split_once('(').ok_or_else(|| wrong("no `(`"))?;
        let inner = rest.strip_suffix(')').ok_or_else(|| wrong("no `)` at the end"))?.trim();
        let days = || {
            let digits = !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit());
            let number = inner.parse::<i64>().ok().filter(|_| digits);
            match number {
                Some(days) if days <= DAYS_MAX => Ok(days),
                Some(_) => Err(wrong("at most 36500 days can be counted")),
                None => Err(wrong("the number of days is a whole number such as 5")),
            }
        };
        let millis = || {
            let quoted = ['\'', '"']
                .into_iter()
                .find_map(|quote| inner.strip_prefix(quote)?.strip_suffix(quote))
                .ok_or_else(|| wrong("the duration stands in quotes"))?;
            parse_duration(quoted).map_err(|error| wrong(&error.to_string()))
        };
        match name.trim() {
            "real" => Ok(Self::Real(millis()?)),
            "work" => match millis()? {
                millis if millis % MINUTE == 0 => Ok(Self::Work(millis / MINUTE)),
                _ => Err(wrong("working time is counted in whole minutes")),
            },
            "workdays" => Ok(Self::Workdays(days()?)),
            "days" => Ok(Self::Days(days()?)),
            _ => Err(wrong("the measure is not known")),
        }
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Reads a duration such as `1h30m`, `45m`, `10s` or `250ms` into milliseconds.
///
/// Days are not a unit: a day of 24 hours is `24h`, and a day of work or of the calendar is a
/// limit of its own ([`Limit::Workdays`], [`Limit::Days`]).
///
/// # Errors
/// [`Error::Duration`] when a number or a unit is missing or not known, when units are out of
/// order or repeated, or when the sum does not fit.
pub fn parse_duration(text: &str) -> Result<i64, Error> {
    let wrong = |why| Error::Duration { text: text.to_owned(), why };
    let mut rest = text;
    let mut total: i64 = 0;
    let mut smallest = i64::MAX;
    if rest.is_empty() {
        return Err(wrong("it is empty"));
    }
    while !rest.is_empty() {
        let (number, after) = split_at_first(rest, |c| !c.is_ascii_digit());
        let (unit, after) = split_at_first(after, |c| c.is_ascii_digit());
        let millis = UNITS
            .into_iter()
            .find_map(|(name, millis)| (name == unit).then_some(millis))
            .ok_or_else(|| wrong("a unit is missing or not known"))?;
        if millis >= smallest {
            return Err(wrong("the units are out of order"));
        }
        if number.is_empty() {
            return Err(wrong("a number is missing"));
        }
        let part = number.parse::<i64>().ok().and_then(|number| number.checked_mul(millis));
        total = part
            .and_then(|part| total.checked_add(part))
            .ok_or_else(|| wrong("it is too long to count"))?;
        smallest = millis;
        rest = after;
    }
    Ok(total)
}

/// Splits before the first character that `stop` accepts, or at the end.
fn split_at_first(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(stop).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

/// The shortest text that [`parse_duration`] reads back to `millis`; `0s` for nothing.
pub(super) fn duration_text(millis: i64) -> String {
    duration_in(millis, ["h", "m", "s", "ms"])
}

/// `millis` in words of the given unit names (hours, minutes, seconds, milliseconds).
pub(super) fn duration_in(millis: i64, names: [&str; 4]) -> String {
    let mut left = millis.max(0);
    let mut text = String::new();
    for (name, (_, size)) in names.into_iter().zip(UNITS) {
        if left >= size {
            text.push_str(&(left / size).to_string());
            text.push_str(name);
            left %= size;
        }
    }
    if text.is_empty() {
        let [_, _, seconds, _] = names;
        text = format!("0{seconds}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_reads_and_shows_as_workflows_write_it() {
        for (text, limit) in [
            ("real('30m')", Limit::Real(30 * MINUTE)),
            ("real('1h30m')", Limit::Real(90 * MINUTE)),
            ("real('1s250ms')", Limit::Real(1_250)),
            ("work('4h')", Limit::Work(240)),
            ("work('0s')", Limit::Work(0)),
            ("workdays(5)", Limit::Workdays(5)),
            ("days(3)", Limit::Days(3)),
        ] {
            assert_eq!(text.parse::<Limit>().unwrap(), limit);
            assert_eq!(limit.to_string(), text);
            assert_eq!(serde_json::to_value(limit).unwrap(), serde_json::json!(text));
        }
        assert_eq!(" work ( \"60m\" ) ".parse::<Limit>().unwrap(), Limit::Work(60));
    }

    #[test]
    fn a_wrong_limit_says_what_is_wrong_and_what_to_write() {
        for (text, why) in [
            ("5", "no `(`"),
            ("workdays(5", "no `)`"),
            ("workdays(-1)", "whole number"),
            ("workdays(+1)", "whole number"),
            ("workdays('5')", "whole number"),
            ("days()", "whole number"),
            ("workdays(99999999)", "at most 36500"),
            ("work(4h)", "in quotes"),
            ("work('90s')", "whole minutes"),
            ("work('1d')", "not known"),
            ("hours('1h')", "measure is not known"),
        ] {
            let error = text.parse::<Limit>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("workdays(5)"), "{text}: {error}");
        }
        assert!(serde_json::from_str::<Limit>("\"soon\"").is_err());
    }

    #[test]
    fn a_duration_needs_numbers_and_units_in_order() {
        assert_eq!(parse_duration("1h30m").unwrap(), 90 * MINUTE);
        assert_eq!(parse_duration("10s").unwrap(), 10_000);
        for text in ["", "h", "10", "30m1h", "1h1h", "1d", "-1h", "1 h", "9223372036854775807h"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_limit_survives_the_way_through_text(kind in 0..4u8, number in 0..1_000_000_000_000i64, days in 0..=DAYS_MAX) {
            let limit = match kind {
                0 => Limit::Real(number),
                1 => Limit::Work(number),
                2 => Limit::Workdays(days),
                _ => Limit::Days(days),
            };
            prop_assert_eq!(limit.to_string().parse::<Limit>().unwrap(), limit);
        }
    }
}
