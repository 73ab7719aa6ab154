//! Who is who in a jurisdiction: units, people, parties, categories. Data, never code.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::actor::Role;
use super::category::Category;
use super::facts::Facts;
use super::id::{JurisdictionId, PersonId};
use super::person::Person;
use super::text::Text;
use super::value::Value;

/// The party that stands for all active units that are no bodies: people in all of them can be told
/// something, but nobody holds a matter or gives a command through it.
pub const EVERY_UNIT: &str = "every_unit";

/// The party to whose unit goes what no other one takes; it need not be named.
pub const CATCH_ALL: &str = "catch_all";

/// The kind of units that are bodies of the government: matters are not routed to them.
pub const BODY: &str = "body";

/// The kind of units that are places, too.
pub const TOWNSHIP: &str = "township";

/// A linked unit, a sub-unit (with a parent), or a body such as the county government.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// `department`, `branch`, `company`, `township`, `body` …
    pub kind: String,
    /// The unit it belongs to, for a sub-unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Whether it may be given matters.
    #[serde(default = "yes")]
    pub active: bool,
    /// The unit that goes on with its work, where it was merged or renamed: what it had open follows,
    /// and what is meant for it goes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
}

pub(super) fn yes() -> bool {
    true
}

/// Everything about who is who that decisions ask of one jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Directory {
    /// Which jurisdiction.
    pub jurisdiction: JurisdictionId,
    /// Its code and name.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Which unit plays which party: `desk` → `gongan`.
    pub bodies: BTreeMap<String, String>,
    /// Units by code.
    pub units: BTreeMap<String, Unit>,
    /// People by id.
    pub people: BTreeMap<PersonId, Person>,
    /// Categories by code.
    pub categories: BTreeMap<String, Category>,
}

impl Directory {
    /// The unit that plays the county government, if one does.
    #[must_use]
    pub fn county(&self) -> Option<&str> {
        self.bodies.get("county").map(String::as_str)
    }

    /// The active people with `role` in `unit`, in order of id.
    pub fn people_with(&self, unit: &str, role: Role) -> impl Iterator<Item = &Person> {
        self.people.values().filter(move |person| {
            person.active
                && person.grants.iter().any(|grant| grant.role == role && grant.unit == unit)
        })
    }

    /// The unit that does the work of a unit now: itself, or the last of its successors.
    #[must_use]
    pub fn heir<'d>(&'d self, code: &'d str) -> &'d str {
        let mut heir = code;
        // As many steps as there are units: a circle, which nothing lets in, would end it too.
        for _ in 0..self.units.len() {
            match self.units.get(heir).and_then(|unit| unit.successor.as_deref()) {
                Some(next) => heir = next,
                None => break,
            }
        }
        heir
    }

    /// Whether matters can be routed to a unit: it is in use, no body of the government and no sub-unit.
    #[must_use]
    pub fn is_fit(&self, code: &str) -> bool {
        let unit = self.units.get(code);
        unit.is_some_and(|unit| unit.active && unit.kind != BODY && unit.parent.is_none())
    }

    /// Where matters of a category can be routed to, the usual unit first: those that go on with the
    /// work of merged ones stand for these, and where none can have it, the one for everything else.
    #[must_use]
    pub fn takers<'d>(&'d self, category: &'d Category) -> Vec<&'d str> {
        let mut takers: Vec<&str> = Vec::new();
        let catch_all = self.bodies.get(CATCH_ALL).map(String::as_str);
        for unit in category.units.iter().map(|unit| self.heir(unit)).chain(catch_all) {
            let last = Some(unit) == catch_all && !takers.is_empty();
            if self.is_fit(unit) && !takers.contains(&unit) && !last {
                takers.push(unit);
            }
        }
        takers
    }

    /// Units that a category names beside the police: who owns what is in danger, or helps them.
    #[must_use]
    pub fn partners<'d>(&'d self, category: &'d Category) -> Vec<&'d str> {
        let police = self.bodies.get("police").map(String::as_str);
        let mut partners = Vec::new();
        for unit in category.units.iter().map(|unit| self.heir(unit)) {
            if Some(unit) != police && self.is_fit(unit) && !partners.contains(&unit) {
                partners.push(unit);
            }
        }
        partners
    }

    /// The township that a place names, as people write places: its whole name anywhere, or the short
    /// one (高燕 for 高燕镇) at the beginning.
    #[must_use]
    pub fn township_of(&self, place: &str) -> Option<&str> {
        self.township_in(place).map(|(code, _)| code)
    }

    /// The same, and its name as it stands in the place.
    #[must_use]
    pub fn township_in(&self, place: &str) -> Option<(&str, &str)> {
        let place = place.trim();
        let named = |unit: &&Unit| Self::written_in(unit, place).is_some();
        let townships = self.units.values().filter(|unit| unit.kind == TOWNSHIP && unit.active);
        let longest = townships.filter(named).max_by_key(|unit| unit.name.zh.len())?;
        Some((longest.code.as_str(), Self::written_in(longest, place)?))
    }

    /// How a township is named in a place, if it is.
    fn written_in<'d>(unit: &'d Unit, place: &str) -> Option<&'d str> {
        let name = unit.name.zh.as_str();
        if place.contains(name) {
            return Some(name);
        }
        let short = ["街道", "镇", "乡"].iter().find_map(|end| name.strip_suffix(end))?;
        (short.chars().count() > 1 && place.starts_with(short)).then_some(short)
    }

    fn unit_fact(&self, code: &str, attribute: &str) -> Value {
        let Some(unit) = self.units.get(code) else { return Value::Unset };
        match attribute {
            "active" => unit.active.into(),
            "kind" => unit.kind.as_str().into(),
            "parent" => unit.parent.as_deref().unwrap_or_default().into(),
            "name" => unit.name.zh.as_str().into(),
            _ => Value::Unset,
        }
    }

    fn category_fact(&self, code: &str, attribute: &str) -> Value {
        let Some(category) = self.categories.get(code) else { return Value::Unset };
        match attribute {
            "police_kept" => category.police_kept.into(),
            "police_first" => category.police_first.into(),
            "livelihood" => category.livelihood.into(),
            "active" => (!category.retired).into(),
            "matter_class" => category.matter_class.as_str().into(),
            "legal_days" => category.legal_days.into(),
            "legal_calendar" => category.legal_calendar.into(),
            "partners" => {
                let partners = self.partners(category).into_iter();
                let mut partners: Vec<Value> = partners.map(Value::from).collect();
                partners.sort();
                Value::List(partners)
            }
            "name" => category.name.zh.as_str().into(),
            _ => Value::Unset,
        }
    }
}

impl Facts for Directory {
    fn ask(&self, question: &str) -> Value {
        let mut parts = question.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("body"), Some(EVERY_UNIT), None) => {
                let linked = |unit: &&Unit| unit.active && unit.kind != BODY;
                let units = self.units.values().filter(linked);
                Value::List(units.map(|unit| unit.code.as_str().into()).collect())
            }
            (Some("body"), Some(party), None) => {
                self.bodies.get(party).map(|unit| unit.as_str().into()).unwrap_or_default()
            }
            (Some("unit"), Some(code), Some(attribute)) => self.unit_fact(code, attribute),
            (Some("category"), Some(code), Some(attribute)) => self.category_fact(code, attribute),
            (Some("people"), Some(unit), Some(role)) => {
                let Ok(role) = role.parse() else { return Value::Unset };
                let people = self.people_with(unit, role);
                Value::List(people.map(|person| Value::Int(person.id.0)).collect())
            }
            _ => Value::Unset,
        }
    }
}
