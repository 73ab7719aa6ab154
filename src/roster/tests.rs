//! Rosters against a slow reference that walks minute by minute, and against real holidays.

mod holidays;
mod slow;

use super::*;
use crate::calendar::Calendar;
use crate::domain::{Directory, Grant, Instant, Person, PersonId, Role, Text, Unit};

/// The calendar of the demo county: Shanghai's zone, holidays 2018 to 2026.
pub(super) fn calendar() -> Calendar {
    Calendar::from_yaml(include_str!("../../config/calendars/chongqing.yaml")).unwrap()
}

pub(super) fn at(text: &str) -> Instant {
    let civil: jiff::civil::DateTime = text.parse().unwrap();
    civil.to_zoned(calendar().zone().clone()).unwrap().timestamp().into()
}

pub(super) fn shown(instant: Instant) -> String {
    instant.in_zone(calendar().zone()).get(..16).unwrap().to_owned()
}

pub(super) fn rotation(people: &[i64], first: &str, shift: &str) -> Rotation {
    Rotation {
        name: Text::new("班", "shift"),
        people: people.iter().map(|id| PersonId(*id)).collect(),
        first: first.parse().unwrap(),
        until: None,
        shift: shift.parse().unwrap(),
        days: Cover::EveryDay,
        hours: None,
    }
}

pub(super) fn roster(rotations: Vec<Rotation>) -> Roster {
    Roster {
        code: "office".to_owned(),
        title: Text::new("值班", "duty"),
        unit: "yingji".to_owned(),
        role: Role::Duty,
        rotations,
    }
}

pub(super) fn stand_in(
    id: i64,
    span: (&str, &str),
    person: Option<i64>,
    instead_of: Option<i64>,
) -> StandIn {
    StandIn {
        id,
        roster: "office".to_owned(),
        from: at(span.0),
        until: at(span.1),
        person: person.map(PersonId),
        instead_of: instead_of.map(PersonId),
        swap: None,
        agreed_at: None,
        note: String::new(),
        made_by: "person:9".to_owned(),
        made_at: Instant(0),
    }
}

/// Shifts as `who from until`.
pub(super) fn told(plan: Plan<'_>, from: &str, until: &str) -> Vec<String> {
    let shifts = plan.shifts(at(from), at(until));
    let line = |s: &Shift| format!("{} {} {}", s.person, shown(s.from), shown(s.until));
    shifts.iter().map(line).collect()
}

pub(super) fn directory() -> Directory {
    let unit = Unit {
        code: "yingji".to_owned(),
        name: Text::new("应急办", "office"),
        kind: "body".to_owned(),
        parent: None,
        active: true,
        successor: None,
    };
    let people = (1..=9).map(|id| {
        let grants = vec![Grant { role: Role::Duty, unit: "yingji".to_owned() }];
        let name = format!("P{id}");
        (PersonId(id), Person { id: PersonId(id), name, grants, active: true, ..Person::default() })
    });
    Directory {
        units: [("yingji".to_owned(), unit)].into(),
        people: people.collect(),
        ..Directory::default()
    }
}
