//! The daily overview: an alarm for operators, and a message to the people whom the job names.

use std::collections::BTreeMap;

use super::{alarm, readers};
use crate::calendar::{Calendar, Limit};
use crate::config::job::Job;
use crate::domain::{Directory, Instant, JurisdictionId, Kind, Language};
use crate::gate::{Error, Leaves, Note};
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
    let horizon = soon(&duty.gate.registry().calendar(whose)?, now);
    let counts = duty.ask(move |gate| {
        let held = |at| gate.held_by_unit(whose, at);
        Ok((held(None)?, held(Some(horizon))?, held(Some(now))?, gate.open_alarms(whose)?))
    });
    let (open, due, overdue, alarms) = counts.await?;
    let directory = duty.gate.registry().directory(whose)?;
    let counts = Counts { directory: &directory, open, due, overdue, alarms };
    let mut leaves = Leaves { replace_alarms: true, ..Leaves::default() };
    if !counts.open.is_empty() {
        leaves.alarms.push(alarm("digest", whose, now, counts.both().join("\n")));
    }
    let (people, missing) = readers::of(duty, job, whose, now)?;
    leaves.alarms.extend(missing);
    for id in people {
        let Some(person) = directory.people.get(&id) else { continue };
        let about = counts.about(person.rules.language);
        let note = Note { person: id, channel: None, kind: Kind::Digest, urgent: false, about };
        leaves.notes.push((whose, note));
    }
    Ok(leaves)
}

/// Until when a matter counts as due soon: the close of the next working day.
pub(super) fn soon(calendar: &Calendar, now: Instant) -> Instant {
    calendar.due_at(now, &Limit::Workdays(1))
}

/// One unit's matters: its name, how many are open, due soon and overdue.
type Line = (String, i64, i64, i64);

/// Open matters of each unit, those with a limit that ends soon or has ended, and overdue ones.
struct Counts<'c> {
    directory: &'c Directory,
    open: BTreeMap<String, i64>,
    due: BTreeMap<String, i64>,
    overdue: BTreeMap<String, i64>,
    alarms: usize,
}

impl Counts<'_> {
    fn lines(&self, language: Language) -> impl Iterator<Item = Line> {
        self.open.iter().map(move |(code, count)| {
            let unit = self.directory.units.get(code);
            let name = unit.map_or(code.as_str(), |unit| unit.name.say(language));
            let name = if name.is_empty() { "—" } else { name };
            let of = |counts: &BTreeMap<String, i64>| counts.get(code).copied().unwrap_or(0);
            let late = of(&self.overdue);
            (name.to_owned(), *count, (of(&self.due) - late).max(0), late)
        })
    }

    /// The operator alarms that nobody has cleared come first: they are the last net under the ladders.
    fn alarms(&self, language: Language) -> Option<Item> {
        let sentence = match language {
            Language::Zh => format!("待处理的系统告警：{}条", self.alarms),
            Language::En => format!("operator alarms open: {}", self.alarms),
        };
        (self.alarms > 0).then(|| Item { sentence, ..Item::default() })
    }

    fn both(&self) -> Vec<String> {
        let line = |(unit, count, soon, late)| {
            format!(
                "{unit}：未办结 {count}，将到期 {soon}，逾期 {late} \
                 (open {count}, due soon {soon}, overdue {late})"
            )
        };
        self.lines(Language::Zh).map(line).collect()
    }

    fn about(&self, language: Language) -> About {
        let item = |(unit, count, soon, late)| {
            let sentence = match language {
                Language::Zh => {
                    format!("{unit}：未办结{count}件，下一工作日下班前到期{soon}件，逾期{late}件")
                }
                Language::En => {
                    format!("{unit}: {count} open, {soon} due by the next close, {late} overdue")
                }
            };
            Item { sentence, ..Item::default() }
        };
        About {
            count: self.open.values().sum(),
            overdue: self.overdue.values().sum(),
            items: self
                .alarms(language)
                .into_iter()
                .chain(self.lines(language).map(item))
                .collect(),
            ..About::default()
        }
    }
}
