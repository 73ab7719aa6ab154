//! Duty rosters: who is on duty for a role in a unit, by rotation, and who stands in. What follows
//! from them for an instant is worked out by the room `roster`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::actor::Role;
use super::directory::Directory;
use super::id::PersonId;
use super::instant::Instant;
use super::text::Text;

/// Who is on duty for a role in a unit. Its rotations are layers that add up. People are named by
/// id; in files, which have no ids, by name: `Roster<String>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster<P = PersonId> {
    /// Its code.
    #[serde(default)]
    pub code: String,
    /// What people call it.
    pub title: Text,
    /// The unit's code …
    pub unit: String,
    /// … and the role in it.
    pub role: Role,
    /// The layers. None: only those who are entered for certain spans are on duty.
    #[serde(default = "Vec::new")]
    pub rotations: Vec<Rotation<P>>,
}

impl Roster<String> {
    /// The same with people's ids. Of two people with one name the first is meant.
    ///
    /// # Errors
    /// A name that nobody has.
    pub fn with_people(&self, directory: &Directory) -> Result<Roster, String> {
        let id = |name: &String| {
            let found = directory.people.values().find(|person| person.name == *name);
            let code = &self.code;
            found.map(|person| person.id).ok_or_else(|| {
                format!("the roster `{code}` names `{name}`, but nobody is called so")
            })
        };
        let mut rotations = Vec::new();
        for rotation in &self.rotations {
            let people = rotation.people.iter().map(id).collect::<Result<_, _>>()?;
            let Rotation { name, first, until, shift, days, hours, .. } = rotation.clone();
            rotations.push(Rotation { name, people, first, until, shift, days, hours });
        }
        let (code, title, unit) = (self.code.clone(), self.title.clone(), self.unit.clone());
        Ok(Roster { code, title, unit, role: self.role, rotations })
    }
}

/// People who take turns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation<P = PersonId> {
    /// What people call it: day, night, holidays …
    pub name: Text,
    /// In order; after the last comes the first again.
    pub people: Vec<P>,
    /// The first handover, in the jurisdiction's zone: the first person's turn begins. With `hours`
    /// it is at their beginning.
    pub first: DateTime,
    /// No turns from here on, in the jurisdiction's zone; without it they never end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime>,
    /// How long a turn is.
    pub shift: Length,
    /// The days that are covered. A shift belongs to the day on which it begins.
    #[serde(default)]
    pub days: Cover,
    /// The part of each day that is covered; all of it if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

/// How long a turn is: `8h`, `1d`, `2w`. Days are those that the rotation covers, so that everybody
/// gets as many of them as the others; weeks are those of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Length {
    /// Hours of the clock on the wall.
    Hours(i64),
    /// Days that are covered.
    Days(i64),
    /// Weeks.
    Weeks(i64),
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no length of a shift; write 1h to 168h, 1d to 92d or 1w to 26w")
        };
        let unit = text.chars().last().ok_or_else(wrong)?;
        let number = text.strip_suffix(unit).and_then(|number| number.parse::<i64>().ok());
        let number = number.ok_or_else(wrong)?;
        match unit {
            'h' if (1..=168).contains(&number) => Ok(Self::Hours(number)),
            'd' if (1..=92).contains(&number) => Ok(Self::Days(number)),
            'w' if (1..=26).contains(&number) => Ok(Self::Weeks(number)),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hours(number) => write!(f, "{number}h"),
            Self::Days(number) => write!(f, "{number}d"),
            Self::Weeks(number) => write!(f, "{number}w"),
        }
    }
}

/// Which days a rotation covers, by the jurisdiction's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// All.
    #[default]
    EveryDay,
    /// Working days, make-up Saturdays and Sundays among them.
    WorkingDays,
    /// Weekends and holidays.
    DaysOff,
}

/// A part of the day such as `08:30-17:30`; `17:30-08:30` reaches over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    /// The minute of the day at which it begins (0 to 1439).
    pub from: i64,
    /// How many minutes it lasts (1 to 1439).
    pub minutes: i64,
}

/// Minutes of a day.
const DAY: i64 = 24 * 60;

impl FromStr for Hours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let minute = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
            let sound = (0..60).contains(&minute) && hour >= 0;
            (sound && hour * 60 + minute <= DAY).then_some(hour * 60 + minute)
        };
        let ends = text.split_once('-').and_then(|(from, until)| {
            Some((minute(from).filter(|from| *from < DAY)?, minute(until)?))
        });
        let minutes = ends.map(|(from, until)| (from, (until - from).rem_euclid(DAY)));
        match minutes.filter(|(_, minutes)| *minutes > 0) {
            Some((from, minutes)) => Ok(Self { from, minutes }),
            None => Err(format!(
                "`{text}` is no part of a day; write such as 08:30-17:30, or 17:30-08:30 over \
                 midnight; for the whole day leave it out"
            )),
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = match (self.from + self.minutes) % DAY {
            0 => DAY,
            until => until,
        };
        let (from, end) = ((self.from / 60, self.from % 60), (until / 60, until % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.0, from.1, end.0, end.1)
    }
}

/// Both are written as texts.
macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}
as_text!(Length);
as_text!(Hours);

/// Somebody stands in for a span: instead of another, besides the others, or nobody instead of
/// somebody. Also one half of a swap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Its id; given by the store.
    pub id: i64,
    /// Of which roster: its code.
    pub roster: String,
    /// From here …
    pub from: Instant,
    /// … until before here.
    pub until: Instant,
    /// Who comes; none: nobody.
    pub person: Option<PersonId>,
    /// Who goes, as far as on duty then; none: nobody, the other comes besides.
    pub instead_of: Option<PersonId>,
    /// The number of the swap of which it is one half.
    pub swap: Option<i64>,
    /// When a swap was agreed to; until then it is not in force.
    pub agreed_at: Option<Instant>,
    /// Why.
    pub note: String,
    /// By whom: an actor's name.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
}

impl StandIn {
    /// Whether it counts: a swap only when it was agreed to.
    #[must_use]
    pub fn in_force(&self) -> bool {
        self.swap.is_none() || self.agreed_at.is_some()
    }
}

/// What one shift leaves to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoverNote {
    /// Its id; given by the store.
    pub id: i64,
    /// Of which roster: its code.
    pub roster: String,
    /// When it was written.
    pub at: Instant,
    /// By whom.
    pub person: PersonId,
    /// What is to be known.
    pub note: String,
    /// When it was first read by somebody of the next shift, and by whom.
    pub read: Option<(Instant, PersonId)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_the_day_is_written_as_it_was_read_also_over_midnight() {
        for text in ["08:30-17:30", "17:30-08:30", "00:00-12:00", "12:00-24:00"] {
            assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
        }
        for text in ["", "08:30", "08:30-08:30", "24:00-08:00", "00:00-24:00", "8-9", "08:61-09:00"]
        {
            assert!(text.parse::<Hours>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_length_has_its_bounds() {
        for text in ["24h", "1d", "2w"] {
            assert_eq!(text.parse::<Length>().unwrap().to_string(), text);
        }
        for text in ["", "0h", "169h", "93d", "27w", "h", "1m", "-1d", "1日"] {
            assert!(text.parse::<Length>().is_err(), "{text}");
        }
    }
}
