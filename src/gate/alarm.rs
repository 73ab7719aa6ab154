//! Operator alarms: raised, told to the people whom the settings name, cleared.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::coverage::meant;
use super::error::Error;
use super::sealing::Deed;
use super::{Caller, Gate, Note, number_of};
use crate::domain::{InstanceId, Instant, JurisdictionId, Kind, Language, PersonId, Role, Text};
use crate::store::{self, Alarm, NewAlarm};
use crate::template::{About, Item};

/// An alarm of which nobody heard: nobody is there who should be told, or the message did not arrive.
pub(super) const UNHEARD: &str = "alarm_unheard";

/// Alarms that are told by no message of their own: the daily looks tell their readers themselves, and
/// word of an alarm that nobody heard would go the way that has just failed.
const NOT_TOLD: [&str; 3] = ["digest", "coverage", UNHEARD];

/// So many alarms are told at once.
const AT_ONCE: i64 = 500;

/// A message lists so many alarms and counts the rest.
const LISTED: usize = 8;

/// A message says so many characters of what exactly was noticed.
const DETAIL_MAX: usize = 100;

/// What telling alarms came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlarmsTold {
    /// So many alarms were told.
    pub told: usize,
    /// When the next ones may be, if some wait.
    pub next: Option<Instant>,
}

impl Gate {
    /// Names the people who are told of each new alarm, as workflows say it: `emergency_office.duty`.
    /// If there are none, alarms are only shown.
    ///
    /// # Errors
    /// `Invalid` for a name that cannot be read; then nothing has changed.
    pub fn tell_alarms_to(&self, operators: &[String]) -> Result<(), Error> {
        let read = |to: &String| {
            let (party, role) = meant(to).map_err(|why| {
                Error::invalid(
                    format!("“{to}”不是“机构.岗位”的形式，例如 emergency_office.duty"),
                    format!(
                        "`{to}` names nobody: {why}; say a party and a role, such as \
                         `emergency_office.duty`"
                    ),
                )
            })?;
            Ok((party.to_owned(), role))
        };
        let read = operators.iter().map(read).collect::<Result<Vec<_>, Error>>()?;
        *self.inner.operators.write().unwrap_or_else(PoisonError::into_inner) = read;
        Ok(())
    }

    /// Who is told of alarms: parties and roles.
    pub(super) fn operators(&self) -> Vec<(String, Role)> {
        self.inner.operators.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells people of the alarms that are new: of the first at once, of those that come within the
    /// time of a summary together. Each alarm is told once, on whichever node comes first, and never
    /// for being counted again. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn tell_alarms(&self) -> Result<AlarmsTold, Error> {
        let operators = self.operators();
        if operators.is_empty() {
            return Ok(AlarmsTold::default());
        }
        let (open, last) = self.read(|reader| {
            let open = reader.untold_alarms(AT_ONCE)?;
            let last = if open.is_empty() { None } else { reader.last_alarm_told()? };
            Ok((open, last))
        })?;
        let (news, silent): (Vec<Alarm>, Vec<Alarm>) =
            open.into_iter().partition(|one| !NOT_TOLD.contains(&one.raised.kind.as_str()));
        let now = self.now();
        let next = last.map(|last| last.plus(self.inner.alerts.bundle_ms));
        let next = next.filter(|next| *next > now && last.is_some_and(|last| last <= now));
        if news.is_empty() {
            return Ok(AlarmsTold::default());
        }
        if next.is_some() {
            return Ok(AlarmsTold { told: 0, next });
        }
        let mut offices = Vec::new();
        let mut unheard = Vec::new();
        for whose in self.inner.registry.jurisdictions() {
            if !news.iter().any(|one| concerns(one, whose)) {
                continue;
            }
            let people = self.who_hears(whose, &operators, now)?;
            let known =
                |one: &Alarm| one.raised.kind == UNHEARD && one.raised.jurisdiction == Some(whose);
            if people.is_empty() && !silent.iter().any(known) {
                unheard.push(nobody_there(whose, &operators, now));
            }
            offices.push((whose, people));
        }
        let told =
            self.tell_news(&News { offices, numbers: self.numbers(&news)?, news }, &unheard)?;
        Ok(AlarmsTold { told, next: None })
    }

    /// The people who are told of the alarms of a jurisdiction, as far as there is a way to reach them.
    fn who_hears(
        &self,
        whose: JurisdictionId,
        operators: &[(String, Role)],
        now: Instant,
    ) -> Result<Vec<PersonId>, Error> {
        let directory = self.inner.registry.directory(whose)?;
        let mut people = Vec::new();
        for (party, role) in operators {
            people.extend(self.people_meant(whose, (party, *role), now)?);
        }
        people.sort_unstable();
        people.dedup();
        people.retain(|id| directory.people.get(id).is_some_and(|one| !one.ways(true).is_empty()));
        Ok(people)
    }

    /// What people call the matters that alarms are about.
    fn numbers(&self, news: &[Alarm]) -> Result<BTreeMap<InstanceId, String>, Error> {
        self.read(|reader| {
            let mut numbers = BTreeMap::new();
            for id in news.iter().filter_map(|one| one.raised.instance) {
                if let Some((instance, _)) = reader.instance(id)? {
                    numbers.insert(id, number_of(instance.family));
                }
            }
            Ok(numbers)
        })
    }

    /// Alarms and messages in one transaction; answers how many alarms were told.
    fn tell_news(&self, all: &News, unheard: &[NewAlarm]) -> Result<usize, Error> {
        let now = self.now();
        let heard = |one: &&Alarm| {
            all.offices.iter().any(|(whose, people)| concerns(one, *whose) && !people.is_empty())
        };
        let ids: Vec<i64> = all.news.iter().filter(heard).map(|one| one.id).collect();
        if ids.is_empty() && unheard.is_empty() {
            return Ok(0);
        }
        let told = self.with_hand(|transaction| {
            for alarm in unheard {
                transaction.raise_alarm(alarm)?;
            }
            let taken = transaction.take_alarms(&ids, now)?;
            let mut messages = Vec::new();
            for (whose, people) in &all.offices {
                let theirs = |one: &&Alarm| taken.contains(&one.id) && concerns(one, *whose);
                let news: Vec<&Alarm> = all.news.iter().filter(theirs).collect();
                if news.is_empty() {
                    continue;
                }
                for person in people {
                    let note = self.alarm_note(*whose, *person, &news, &all.numbers);
                    let message = note.and_then(|note| self.compose(*whose, &note, now));
                    messages
                        .extend(message.map_err(|error| store::Error::Refused(error.to_string()))?);
                }
            }
            transaction.write_messages(&mut messages)?;
            Ok(taken.len())
        })?;
        self.inner.wake.notify_waiters();
        Ok(told)
    }

    /// The message about new alarms, to one person. No quiet hours hold it back.
    fn alarm_note(
        &self,
        whose: JurisdictionId,
        person: PersonId,
        news: &[&Alarm],
        numbers: &BTreeMap<InstanceId, String>,
    ) -> Result<Note, Error> {
        let directory = self.inner.registry.directory(whose)?;
        let known = directory.people.get(&person);
        let language = known.map(|one| one.rules.language).unwrap_or_default();
        let about = about(news, numbers, language);
        Ok(Note { person, channel: None, kind: Kind::Alarm, urgent: true, about })
    }

    /// Raises an operator alarm, if the same is not open already. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn raise_alarm(&self, alarm: &NewAlarm) -> Result<bool, Error> {
        self.write_and_ring(|transaction| transaction.raise_alarm(alarm))
    }

    /// Clears an operator alarm. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such open alarm.
    pub fn clear_alarm(&self, caller: &Caller, id: i64) -> Result<(), Error> {
        let open = self.alarms(caller, true, i64::from(u16::MAX))?;
        let now = self.now();
        let known = open.iter().any(|alarm| alarm.id == id);
        let mut writer = self.inner.store.writer()?;
        let deed = Deed::of(caller, "alarm_cleared", format!("alarm:{id}"));
        let cleared = known
            && writer.transaction(|transaction| {
                let cleared = transaction.clear_alarm(id, now)?;
                if cleared {
                    deed.write(transaction, now)?;
                }
                Ok(cleared)
            })?;
        if cleared { Ok(()) } else { Err(Error::NotFound) }
    }
}

/// New alarms, and who is told of them in each jurisdiction.
struct News {
    news: Vec<Alarm>,
    offices: Vec<(JurisdictionId, Vec<PersonId>)>,
    numbers: BTreeMap<InstanceId, String>,
}

/// Whether an alarm is a jurisdiction's business: its own, or of the whole service.
fn concerns(alarm: &Alarm, whose: JurisdictionId) -> bool {
    alarm.raised.jurisdiction.is_none_or(|of| of == whose)
}

fn nobody_there(whose: JurisdictionId, operators: &[(String, Role)], at: Instant) -> NewAlarm {
    let names: Vec<String> = operators.iter().map(|(to, role)| format!("`{to}.{role}`")).collect();
    NewAlarm {
        kind: UNHEARD.to_owned(),
        jurisdiction: Some(whose),
        instance: None,
        at,
        detail: format!("alarms wait untold: nobody who can be reached is {}", names.join(", ")),
    }
}

/// What the message says: the kinds in a sentence short enough for an SMS, and a list.
fn about(news: &[&Alarm], numbers: &BTreeMap<InstanceId, String>, language: Language) -> About {
    let number = |one: &Alarm| {
        one.raised.instance.and_then(|id| numbers.get(&id)).cloned().unwrap_or_default()
    };
    let listed = news.iter().take(LISTED).map(|one| Item {
        number: number(one),
        sentence: format!(
            "{}{}{}",
            words(&one.raised.kind).say(language),
            if language == Language::Zh { "：" } else { ": " },
            shortened(&one.raised.detail)
        ),
        link: String::new(),
    });
    let mut items: Vec<Item> = listed.collect();
    if news.len() > LISTED {
        let more = news.len() - LISTED;
        let more = Text::new(format!("另有{more}条"), format!("and {more} more"));
        items.push(Item { sentence: more.say(language).to_owned(), ..Item::default() });
    }
    let sentence = match news {
        [one] => format!("{} {}", number(one), words(&one.raised.kind).say(language)),
        _ => kinds(news, language),
    };
    About {
        sentence: sentence.trim_start().to_owned(),
        count: i64::try_from(news.len()).unwrap_or(i64::MAX),
        items,
        ..About::default()
    }
}

/// How many alarms of which kind, the most frequent first.
fn kinds(news: &[&Alarm], language: Language) -> String {
    const NAMED: usize = 2;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in news {
        *counts.entry(one.raised.kind.as_str()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let said = counts.iter().take(NAMED).map(|(kind, count)| {
        let words = words(kind);
        match language {
            Language::Zh => format!("{}{count}条", words.zh),
            Language::En => format!("{} ({count})", words.en),
        }
    });
    let said: Vec<String> = said.collect();
    let more = counts.len() > NAMED;
    match language {
        Language::Zh => format!("{}{}", said.join("、"), if more { "等" } else { "" }),
        Language::En => format!("{}{}", said.join(", "), if more { " and others" } else { "" }),
    }
}

fn shortened(detail: &str) -> String {
    let mut chars = detail.chars();
    let mut short: String = chars.by_ref().take(DETAIL_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// What a kind of alarm is called.
fn words(kind: &str) -> Text {
    let (what, channel) = kind.split_once('.').unwrap_or((kind, ""));
    let way = match channel {
        "sms" => "短信",
        "email" => "邮件",
        other => other,
    };
    match what {
        "message_failed" => Text::new("消息未能送达", "a message was given up"),
        "nobody_told" => Text::new("提醒无人可通知", "an alert reached nobody"),
        "channel_test" => Text::new(
            format!("{way}通道自检失败"),
            format!("the channel {channel} failed its self-test"),
        ),
        "arrival_lost" => Text::new(
            format!("{way}通道有回执或回复丢失"),
            format!("arrivals by {channel} were lost"),
        ),
        "calendar_missing" => Text::new("工作日历缺少放假安排", "the calendar lacks a year"),
        "clock_effect_refused" => {
            Text::new("时限到期的处理未全部完成", "a clock came without its effects")
        }
        "clock_jumped" => Text::new("系统时间跳变", "the system's time has jumped"),
        "clock_row_damaged" => Text::new("时限记录损坏", "the row of a clock is damaged"),
        "clock_not_fired" => Text::new("时限到期未能执行", "a clock could not be fired"),
        "recount_refused" => Text::new("时限重算被拒绝", "a clock could not be counted again"),
        "audit_behind" => Text::new("系统核对进度落后", "the auditor is behind"),
        "audit_difference" => Text::new("系统核对发现不一致", "the auditor found a difference"),
        other => Text::new(other, other),
    }
}
