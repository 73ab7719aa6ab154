//! Duties as they go out and come in: tables (CSV) and calendar files (iCalendar).

pub mod icalendar;
mod icalendar_lines;
pub mod table;

use super::{Roster, Shift};
use crate::domain::{Directory, Instant, PersonId, Text};

/// So many entries are read at most.
pub const ENTRIES_MAX: usize = 5_000;

/// Somebody is on duty for a span, as a file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// From here …
    pub from: Instant,
    /// … until before here.
    pub until: Instant,
    /// Who.
    pub person: PersonId,
    /// Instead of whom.
    pub instead_of: Option<PersonId>,
    /// A remark.
    pub note: String,
}

/// A line that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The line, from 1.
    pub line: usize,
    /// Why, and how to mend it.
    pub why: Text,
}

impl Wrong {
    fn new(line: usize, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { line, why: Text::new(zh, en) }
    }
}

/// A roster among the people of its jurisdiction.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// Who is who.
    pub directory: &'a Directory,
    /// The zone of times without one.
    pub zone: &'a jiff::tz::TimeZone,
}

impl Scene<'_> {
    /// Somebody by id or name. Of several with one name, the one who has the roster's role.
    fn person(&self, text: &str) -> Result<PersonId, Text> {
        let text = text.trim();
        if let Ok(id) = text.parse::<i64>() {
            let id = PersonId(id);
            let known = self.directory.people.contains_key(&id);
            let missing =
                || Text::new(format!("没有编号为{id}的人员"), format!("there is no person {id}"));
            return known.then_some(id).ok_or_else(missing);
        }
        let people = self.directory.people.values().filter(|person| person.name == text);
        let all: Vec<_> = people.collect();
        let (unit, role) = (&self.roster.unit, self.roster.role);
        let fit: Vec<_> =
            all.iter().filter(|one| super::knows(self.directory, unit, role, one.id)).collect();
        match (all.as_slice(), fit.as_slice()) {
            ([], _) => Err(Text::new(
                format!("没有叫“{text}”的人员"),
                format!("nobody is called `{text}`"),
            )),
            ([one], _) => Ok(one.id),
            (_, [one]) => Ok(one.id),
            _ => Err(Text::new(
                format!("有多人叫“{text}”，请填写人员编号"),
                format!("several people are called `{text}`; write the person's id"),
            )),
        }
    }

    /// What people call somebody.
    fn name(&self, person: PersonId) -> String {
        let known = self.directory.people.get(&person);
        known.map_or_else(|| person.to_string(), |person| person.name.clone())
    }

    /// What people call a shift's rotation.
    fn rotation(&self, shift: &Shift) -> &str {
        let rotation = shift.rotation.and_then(|number| self.roster.rotations.get(number));
        rotation.map_or("", |rotation| rotation.name.zh.as_str())
    }
}

#[cfg(test)]
mod tests;
