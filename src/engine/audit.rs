//! Looking again, trusting nothing but the event log: what events and definitions alone say about
//! an instance, compared with what the tables say. Pure; used by the auditor while the service runs
//! and by `fenliu verify` afterwards.

mod parties;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value as Json;

use super::replay;
use crate::calendar::Calendar;
use crate::chart::Chart;
use crate::domain::event::{Hash, NO_HASH};
use crate::domain::{
    Actor, ChainHash, DefinitionId, Event, Instance, InstanceId, Instant, JurisdictionId, PersonId,
    StoredEvent,
};

pub use parties::PartyLine;

/// The row of a clock, as an instance asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockLine {
    /// Its name.
    pub name: String,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// When it next has something to do.
    pub wake_at: Instant,
    /// When it runs out.
    pub due_at: Instant,
    /// The instance's tier rank.
    pub tier: i64,
    /// The state entry that armed it.
    pub entry: i64,
    /// How often it has fired.
    pub step: i64,
}

/// Everything that the tables say about one instance, read in one snapshot.
#[derive(Debug, Clone)]
pub struct Record {
    /// Its row.
    pub instance: Instance,
    /// By which hash the store links its chains.
    pub chain: ChainHash,
    /// The hash that the row names as that of its last event.
    pub head: Hash,
    /// Its events, in order of number.
    pub events: Vec<StoredEvent>,
    /// The rows of its clocks.
    pub clocks: Vec<ClockLine>,
    /// Its messages: number of the event, person, channel.
    pub messages: Vec<(i64, PersonId, String)>,
    /// The units that take part in it.
    pub parties: Vec<PartyLine>,
}

/// Published versions, by which decisions are repeated.
pub trait Versions {
    /// The chart of a definition.
    fn chart_of(&self, definition: DefinitionId) -> Option<Arc<Chart>>;
    /// A version of a jurisdiction's calendar.
    fn calendar_of(&self, jurisdiction: JurisdictionId, version: &str) -> Option<Calendar>;
}

/// Where something is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The events: altered, missing, cut, or not what their columns say.
    Chain,
    /// The decisions: repeated, they come out otherwise.
    Replay,
    /// The row of the instance.
    Row,
    /// A clock's row: missing, wrong, or not asked for.
    Clock,
    /// A message that an event says was written, and that is not there.
    Message,
    /// Who takes part, and sees it: not what the events say.
    Party,
    /// What a caller said, or who it was: not what the event says by its digest.
    Caller,
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where.
    pub part: Part,
    /// The event concerned, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// What, in a sentence.
    pub what: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

fn differs(part: Part, seq: Option<i64>, what: impl Into<String>) -> Difference {
    Difference { part, seq, what: what.into() }
}

/// Everything that is wrong with a record, gravest first. Where the chain is broken, or the
/// decisions cannot be repeated, nothing further is judged by them.
#[must_use]
pub fn examine(record: &Record, versions: &dyn Versions) -> Vec<Difference> {
    let mut parties = parties::Parties::default();
    let note = |event: &Event, chart: &Chart, after: &Instance| {
        let units = chart.parties_of(after).map(str::to_owned).collect();
        parties.note((event.seq, event.recorded_at), units);
    };
    let told = verify_chain(record)
        .and_then(|events| Ok((repeat_all(record, &events, versions, note)?, events)));
    let (recomputed, events) = match told {
        Ok(told) => told,
        Err(difference) => return vec![difference],
    };
    let mut differences = compare_rows(&recomputed, &record.instance);
    differences.extend(compare_clocks(&recomputed, &record.clocks));
    differences.extend(missing_messages(&events, &record.messages));
    differences.extend(parties.compare(record.instance.jurisdiction, &record.parties));
    differences
}

/// The instance as its events and definitions alone make it.
///
/// # Errors
/// Where the chain is broken, or a decision cannot be repeated.
pub fn recompute(record: &Record, versions: &dyn Versions) -> Result<Instance, Difference> {
    repeat_all(record, &verify_chain(record)?, versions, |_, _, _| ())
}

/// Verifies the chain from the first event to the head that the row names.
///
/// # Errors
/// The first event that was altered, is missing or says something else than its columns.
pub fn verify_chain(record: &Record) -> Result<Vec<Event>, Difference> {
    let broken = |seq: i64, what: String| Err(differs(Part::Chain, Some(seq), what));
    let mut events = Vec::with_capacity(record.events.len());
    let mut head = NO_HASH;
    for (expected, stored) in (1_i64..).zip(&record.events) {
        let seq = stored.seq;
        if seq != expected {
            return broken(expected, format!("event {expected} is missing; {seq} follows instead"));
        }
        head = record.chain.link(&head, &stored.body);
        if head != stored.hash {
            return broken(
                seq,
                format!("event {seq} does not fit its hash: it, or one before it, was altered"),
            );
        }
        let event: Event = match serde_json::from_str(&stored.body) {
            Ok(event) => event,
            Err(error) => return broken(seq, format!("event {seq} cannot be read: {error}")),
        };
        if let Some(column) = wrong_column(record.instance.id, stored, &event) {
            return broken(
                seq,
                format!("event {seq}: the column `{column}` is not what the hashed text says"),
            );
        }
        events.push(event);
    }
    let (last, version) =
        (i64::try_from(events.len()).unwrap_or(i64::MAX), record.instance.version);
    if last == 0 {
        return broken(1, "the instance has no events".to_owned());
    }
    if last < version {
        return broken(
            last + 1,
            format!("the row is at version {version}, but the events end with {last}"),
        );
    }
    if last == version && head != record.head {
        return broken(last, format!("the row names another hash than that of event {last}"));
    }
    Ok(events)
}

/// The first column of an event that the text does not confirm.
fn wrong_column(id: InstanceId, stored: &StoredEvent, event: &Event) -> Option<&'static str> {
    let checks = [
        ("instance_id", event.instance == id && stored.instance == id),
        ("seq", event.seq == stored.seq),
        ("at", event.recorded_at == stored.at),
        ("kind", event.command.name == stored.kind),
        ("actor", event.actor.name() == stored.actor),
    ];
    checks.into_iter().find(|(_, right)| !right).map(|(column, _)| column)
}

/// The instance as its events and definitions alone make it. Its family's root is the one thing
/// that no event of a child says: it is taken from the row. `note` hears how it stands after each.
fn repeat_all(
    record: &Record,
    events: &[Event],
    versions: &dyn Versions,
    mut note: impl FnMut(&Event, &Chart, &Instance),
) -> Result<Instance, Difference> {
    let family = match events.first().map(|event| &event.actor) {
        Some(Actor::Relative { id }) => Some((*id, record.instance.family)),
        _ => None,
    };
    let mut instance: Option<Instance> = None;
    for event in events {
        let failed = |what: String| differs(Part::Replay, Some(event.seq), what);
        let chart = versions.chart_of(event.definition);
        let chart = chart.ok_or_else(|| {
            failed(format!(
                "event {} names the definition {}, which is not there",
                event.seq, event.definition
            ))
        })?;
        let calendar = versions.calendar_of(event.jurisdiction, &event.calendar);
        let calendar = calendar.ok_or_else(|| {
            failed(format!(
                "event {} names the calendar version `{}`, which is not there",
                event.seq, event.calendar
            ))
        })?;
        let after = replay::repeat(&chart, &calendar, instance.as_ref(), family, event);
        let after = after.map_err(|error| failed(error.to_string()))?;
        note(event, &chart, &after);
        instance = Some(after);
    }
    instance.ok_or_else(|| differs(Part::Chain, None, "the instance has no events"))
}

/// What of an instance's row is not what its events make of it.
#[must_use]
pub fn compare_rows(recomputed: &Instance, stored: &Instance) -> Vec<Difference> {
    if recomputed == stored {
        return Vec::new();
    }
    let objects = (serde_json::to_value(recomputed), serde_json::to_value(stored));
    let (Ok(Json::Object(want)), Ok(Json::Object(have))) = objects else {
        return vec![differs(Part::Row, None, "the row cannot be compared")];
    };
    let names: std::collections::BTreeSet<&String> = want.keys().chain(have.keys()).collect();
    let different = names.into_iter().filter(|name| want.get(*name) != have.get(*name));
    different
        .map(|name| {
            let (want, have) = (shown(want.get(name)), shown(have.get(name)));
            differs(Part::Row, None, format!("`{name}` is {have}; the events say {want}"))
        })
        .collect()
}

/// A value for people: not longer than a line.
fn shown(value: Option<&Json>) -> String {
    const LONGEST: usize = 160;
    let Some(value) = value else { return "not there".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let cut: String = text.chars().take(LONGEST).collect();
    format!("{cut}…")
}

/// The rows that the clocks of an instance must have: one for each that has something to do.
#[must_use]
pub fn clock_lines(instance: &Instance) -> Vec<ClockLine> {
    let waking =
        instance.clocks.iter().filter_map(|(name, armed)| Some((name, armed, armed.wake?)));
    waking
        .map(|(name, armed, wake_at)| ClockLine {
            name: name.clone(),
            jurisdiction: instance.jurisdiction,
            wake_at,
            due_at: armed.due,
            tier: instance.tier,
            entry: armed.entry,
            step: armed.step,
        })
        .collect()
}

/// Clock rows that are missing, wrong, or not asked for.
#[must_use]
pub fn compare_clocks(instance: &Instance, stored: &[ClockLine]) -> Vec<Difference> {
    let want: BTreeMap<String, ClockLine> =
        clock_lines(instance).into_iter().map(|line| (line.name.clone(), line)).collect();
    let have: BTreeMap<&str, &ClockLine> =
        stored.iter().map(|line| (line.name.as_str(), line)).collect();
    let mut differences = Vec::new();
    for (name, line) in &want {
        let wrong = match have.get(name.as_str()) {
            None => {
                format!("the clock `{name}` has no row: nothing would wake it at {}", line.wake_at)
            }
            Some(found) if *found == line => continue,
            Some(found) => format!(
                "the row of the clock `{name}` wakes at {} (due {}, tier {}, entry {}, step {}); the \
                 events say {} (due {}, tier {}, entry {}, step {})",
                found.wake_at,
                found.due_at,
                found.tier,
                found.entry,
                found.step,
                line.wake_at,
                line.due_at,
                line.tier,
                line.entry,
                line.step,
            ),
        };
        differences.push(differs(Part::Clock, None, wrong));
    }
    for name in have.keys().filter(|name| !want.contains_key(**name)) {
        let what = format!("the clock `{name}` has a row, but nothing to do");
        differences.push(differs(Part::Clock, None, what));
    }
    differences
}

/// Alerts that an event says were written, without a row in the outbox.
fn missing_messages(events: &[Event], stored: &[(i64, PersonId, String)]) -> Vec<Difference> {
    let mut have: BTreeMap<(i64, PersonId, &str), usize> = BTreeMap::new();
    for (seq, person, channel) in stored {
        *have.entry((*seq, *person, channel.as_str())).or_default() += 1;
    }
    let mut differences = Vec::new();
    for event in events {
        for told in &event.told {
            for (person, channel) in
                told.people.iter().flat_map(|person| told.via.iter().map(move |via| (person, via)))
            {
                let found = have.get_mut(&(event.seq, *person, channel.as_str()));
                match found {
                    Some(count) if *count > 0 => *count -= 1,
                    _ => differences.push(differs(
                        Part::Message,
                        Some(event.seq),
                        format!(
                            "event {} told person {person} by {channel}; the message is not there",
                            event.seq
                        ),
                    )),
                }
            }
        }
    }
    differences
}
