//! The daily overview: an alarm for operators, and a message to the people whom the job names.

use std::collections::{BTreeMap, BTreeSet};

use super::alarm;
use crate::config::job::Job;
use crate::domain::{Directory, Instant, JurisdictionId, Kind, Language, PersonId, Role};
use crate::gate::{Error, Leaves, NewAlarm, Note};
use crate::scheduler::Duty;
use crate::template::{About, Item};

/// What one day's overview leaves: one alarm per jurisdiction, the newest in place of the one
/// before, and the messages.
pub(super) async fn leaves(
    duty: &Duty,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
) -> Result<Leaves, Error> {
    let counts = duty.ask(move |gate| {
        Ok((gate.held_by_unit(whose, None)?, gate.held_by_unit(whose, Some(now))?))
    });
    let (open, overdue) = counts.await?;
    let directory = duty.gate.registry().directory(whose)?;
    let counts = Counts { directory: &directory, open, overdue };
    let mut leaves = Leaves { replace_alarms: true, ..Leaves::default() };
    if !counts.open.is_empty() {
        leaves.alarms.push(alarm("digest", whose, now, counts.both().join("\n")));
    }
    for id in people(&directory, job, whose, now, &mut leaves.alarms) {
        let Some(person) = directory.people.get(&id) else { continue };
        let about = counts.about(person.rules.language);
        let note = Note { person: id, channel: None, kind: Kind::Digest, urgent: false, about };
        leaves.notes.push((whose, note));
    }
    Ok(leaves)
}

/// Open and overdue matters of each unit.
struct Counts<'c> {
    directory: &'c Directory,
    open: BTreeMap<String, i64>,
    overdue: BTreeMap<String, i64>,
}

impl Counts<'_> {
    fn lines(&self, language: Language) -> impl Iterator<Item = (String, i64, i64)> {
        self.open.iter().map(move |(code, count)| {
            let unit = self.directory.units.get(code);
            let name = unit.map_or(code.as_str(), |unit| unit.name.say(language));
            let name = if name.is_empty() { "—" } else { name };
            (name.to_owned(), *count, self.overdue.get(code).copied().unwrap_or(0))
        })
    }

    fn both(&self) -> Vec<String> {
        let line = |(unit, count, late)| {
            format!("{unit}：未办结 {count}，逾期 {late} (open {count}, overdue {late})")
        };
        self.lines(Language::Zh).map(line).collect()
    }

    fn about(&self, language: Language) -> About {
        let item = |(unit, count, late)| {
            let sentence = match language {
                Language::Zh => format!("{unit}：未办结{count}件，逾期{late}件"),
                Language::En => format!("{unit}: {count} open, {late} overdue"),
            };
            Item { sentence, ..Item::default() }
        };
        About {
            count: self.open.values().sum(),
            overdue: self.overdue.values().sum(),
            items: self.lines(language).map(item).collect(),
            ..About::default()
        }
    }
}

/// Those whom a job tells; an alarm for each post that nobody holds.
pub(super) fn people(
    directory: &Directory,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
    alarms: &mut Vec<NewAlarm>,
) -> BTreeSet<PersonId> {
    let mut people: BTreeSet<PersonId> = BTreeSet::new();
    for to in &job.to {
        let found = readers(directory, to);
        if found.is_empty() {
            let name = &job.name;
            let detail =
                format!("the job `{name}` tells `{to}`, but no active person is that here");
            alarms.push(alarm("nobody_told", whose, now, detail));
        }
        people.extend(found);
    }
    people
}

/// A party and a role.
pub(super) fn reader(to: &str) -> Result<(&str, Role), String> {
    let (party, role) = to.split_once('.').ok_or("it has no role")?;
    Ok((party, role.parse()?))
}

fn readers(directory: &Directory, to: &str) -> Vec<PersonId> {
    let Ok((party, role)) = reader(to) else { return Vec::new() };
    let Some(unit) = directory.bodies.get(party) else { return Vec::new() };
    directory.people_with(unit, role).map(|person| person.id).collect()
}
