//! A person and how to reach them: addresses, which of them are proved, and the person's own rules.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::actor::{Grant, Term};
use super::id::PersonId;
use super::instant::Instant;

/// A person and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its id; given by the store.
    #[serde(default)]
    pub id: PersonId,
    /// The name.
    pub name: String,
    /// Where mails go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where SMS go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the person is, and where, for as long as nobody says otherwise; in a directory that
    /// decisions ask, also what holds now of `terms`.
    pub grants: Vec<Grant>,
    /// The same for a time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
    /// Whether the person may act and is alerted.
    #[serde(default = "super::directory::yes")]
    pub active: bool,
    /// How the person wants to be told.
    #[serde(default, skip_serializing_if = "Rules::say_nothing")]
    pub rules: Rules,
    /// The address last proved to be the person's, by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verified: BTreeMap<String, Verified>,
}

/// An address that the person has proved: a code sent there was told back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The address as it was then; another one is not proved by it.
    pub address: String,
    /// When.
    pub at: Instant,
}

/// A person's own rules. They add ways to be told and say in which order; what a workflow's `via`
/// demands they cannot take away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// In which language.
    pub language: Language,
    /// Channels for less urgent alerts: the first is used besides the workflow's, the others one
    /// after the other when those before fail. Empty: `email`, then `sms`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub normal: Vec<String>,
    /// The same for urgent ones. Empty: `sms`, then `email`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urgent: Vec<String>,
    /// When less urgent alerts wait for the morning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
}

impl Rules {
    /// Whether nothing differs from the usual.
    #[must_use]
    pub fn say_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Language {
    /// Both, Chinese first.
    pub const ALL: [Self; 2] = [Self::Zh, Self::En];

    /// `zh` or `en`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Zh => "zh",
            Self::En => "en",
        }
    }
}

/// A part of the day, in the jurisdiction's zone; it may reach over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quiet {
    /// From this minute of the day on (0 to 1439).
    pub from: u16,
    /// Until before this minute of the day.
    pub until: u16,
}

impl Quiet {
    /// When the quiet time that `at` lies in ends, in the jurisdiction's zone; none outside it.
    #[must_use]
    pub fn end_after(&self, at: Instant, zone: &TimeZone) -> Option<Instant> {
        let local = at.timestamp().to_zoned(zone.clone());
        let minute =
            u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        let over_midnight = self.from > self.until;
        let inside = if over_midnight {
            minute >= self.from || minute < self.until
        } else {
            (self.from..self.until).contains(&minute)
        };
        if !inside {
            return None;
        }
        let tomorrow = over_midnight && minute >= self.from;
        let day = if tomorrow { local.date().tomorrow().ok()? } else { local.date() };
        let (hour, minute) = (self.until / 60, self.until % 60);
        let end = day.at(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0);
        end.to_zoned(zone.clone()).ok().map(|end| Instant::from(end.timestamp()))
    }
}

/// What stands on the screens of the house only.
pub const CONSOLE: &str = "console";

impl Person {
    /// The grants that hold whatever the day: those that no term is for.
    #[must_use]
    pub fn lasting(&self) -> Vec<Grant> {
        let timed = |grant: &&Grant| !self.terms.iter().any(|term| term.grant() == **grant);
        self.grants.iter().filter(timed).cloned().collect()
    }

    /// The person as it stands at an instant: with the grants of the terms that hold then.
    #[must_use]
    pub fn at(&self, now: Instant) -> Self {
        let mut grants = self.lasting();
        grants.extend(self.terms.iter().filter(|term| term.holds(now)).map(Term::grant));
        Self { grants, ..self.clone() }
    }

    /// Where messages on a channel go; none if the person has no such address.
    #[must_use]
    pub fn address(&self, channel: &str) -> Option<&str> {
        match channel {
            "sms" => self.phone.as_deref(),
            "email" => self.email.as_deref(),
            CONSOLE => Some(""),
            _ => None,
        }
    }

    /// Since when the present address on a channel is proved.
    #[must_use]
    pub fn verified_at(&self, channel: &str) -> Option<Instant> {
        let address = self.address(channel)?;
        self.verified.get(channel).filter(|proof| proof.address == address).map(|proof| proof.at)
    }

    /// The channel that the person wishes to be told by besides those of the workflow, if it says so
    /// and has an address there.
    #[must_use]
    pub fn wished(&self, urgent: bool) -> Option<&str> {
        let own = if urgent { &self.rules.urgent } else { &self.rules.normal };
        own.first().map(String::as_str).filter(|way| self.address(way).is_some())
    }

    /// The channels on which the person has an address, in the order of its own rules. The console is
    /// none: nobody need look at it, so what stands there has reached nobody.
    #[must_use]
    pub fn ways(&self, urgent: bool) -> Vec<&str> {
        let (own, usual) = if urgent {
            (&self.rules.urgent, ["sms", "email"])
        } else {
            (&self.rules.normal, ["email", "sms"])
        };
        let mut ways: Vec<&str> = Vec::new();
        for way in own.iter().map(String::as_str).chain(usual) {
            if way != CONSOLE && !ways.contains(&way) && self.address(way).is_some() {
                ways.push(way);
            }
        }
        ways
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn quiet_hours_over_midnight_end_in_the_morning() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let night = Quiet { from: 22 * 60, until: 7 * 60 };
        let end = |text| night.end_after(at(text), &zone);
        assert_eq!(end("2026-03-02T21:59:59+08:00"), None);
        assert_eq!(end("2026-03-02T22:00:00+08:00"), Some(at("2026-03-03T07:00:00+08:00")));
        assert_eq!(end("2026-03-03T06:59:00+08:00"), Some(at("2026-03-03T07:00:00+08:00")));
        assert_eq!(end("2026-03-03T07:00:00+08:00"), None);
        let noon = Quiet { from: 12 * 60 + 30, until: 13 * 60 };
        assert_eq!(
            noon.end_after(at("2026-03-02T12:45:00+08:00"), &zone),
            Some(at("2026-03-02T13:00:00+08:00"))
        );
    }

    #[test]
    fn ones_own_order_comes_first_and_channels_without_an_address_are_left_out() {
        let mut person = Person { email: Some("a@example.org".to_owned()), ..Person::default() };
        assert_eq!(person.ways(true), ["email"]);
        person.phone = Some("1".to_owned());
        assert_eq!(person.ways(true), ["sms", "email"]);
        assert_eq!(person.ways(false), ["email", "sms"]);
        assert_eq!((person.wished(true), person.wished(false)), (None, None));
        person.rules.urgent = vec!["email".to_owned()];
        assert_eq!(person.ways(true), ["email", "sms"]);
        assert_eq!((person.wished(true), person.wished(false)), (Some("email"), None));
        person.email = None;
        assert_eq!(person.wished(true), None);
    }

    #[test]
    fn another_address_is_not_proved_by_the_old_one() {
        let proof = Verified { address: "1".to_owned(), at: Instant(7) };
        let mut person = Person {
            phone: Some("1".to_owned()),
            verified: [("sms".to_owned(), proof)].into(),
            ..Person::default()
        };
        assert_eq!(person.verified_at("sms"), Some(Instant(7)));
        person.phone = Some("2".to_owned());
        assert_eq!(person.verified_at("sms"), None);
    }
}
