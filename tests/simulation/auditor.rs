//! What must hold, checked after each step, at each simulated midnight and at the end, from what
//! the tables say and from what an auditor works out for itself: every event is repeated on a
//! shadow of its instance, and a slow oracle recomputes which clocks should be armed.
//!
//! The numbers are those of the list of invariants that the simulation is built on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fenliu::chart::Chart;
use fenliu::domain::event::{ClockVerb, Hash, NO_HASH};
use fenliu::domain::{
    Actor, ChainHash, Delivery, Event, Instance, InstanceId, Instant, StoredEvent,
};
use fenliu::engine::replay;

use super::checks::{self, Fact};
use super::oracle::Oracle;
use super::people::MINUTE;
use super::stage::Stage;
use super::store::{Answer, Key, Store};
use super::trace::Broken;

/// What the auditor knows of one instance.
#[derive(Debug, Default)]
struct Shadow {
    instance: Option<Instance>,
    head: Hash,
    seen: usize,
    oracle: Oracle,
    seats: BTreeSet<String>,
    repeats: u64,
}

/// The auditor.
#[derive(Debug, Default)]
pub(super) struct Auditor {
    shadows: BTreeMap<InstanceId, Shadow>,
    effects: BTreeSet<(InstanceId, String, i64, i64)>,
    answers: BTreeMap<Key, Answer>,
    /// Alerts handed to the gateway, and how often.
    pub(super) handed: BTreeMap<i64, u64>,
    ambiguous: BTreeMap<i64, u64>,
    /// Dead letters that an operator was told of.
    pub(super) alarms: BTreeSet<i64>,
    /// Events seen.
    pub(super) commits: u64,
    /// Second copies of alerts.
    pub(super) duplicates: u64,
    alerts: usize,
    by_people: usize,
}

impl Auditor {
    /// A client was given an answer.
    pub(super) fn acknowledged(&mut self, key: Key, answer: Answer) -> Result<(), Broken> {
        let known = self.answers.entry(key).or_insert_with(|| answer.clone());
        let same = *known == answer;
        let what = || format!("key {key:?} was answered {known:?}, then {answer:?}");
        if same { Ok(()) } else { Err(Broken::new("I18: one key, one answer", what())) }
    }

    /// The gateway has an alert.
    pub(super) fn handed_over(&mut self, id: i64) {
        *self.handed.entry(id).or_default() += 1;
    }

    /// Nobody knows whether the gateway has an alert.
    pub(super) fn ambiguous(&mut self, id: i64) {
        *self.ambiguous.entry(id).or_default() += 1;
    }

    /// C: an instance has changed.
    pub(super) fn after_commit(
        &mut self,
        stage: &Stage,
        store: &Store,
        id: InstanceId,
        now: Instant,
    ) -> Result<(), Broken> {
        let Some((stored, head)) = store.instances.get(&id) else {
            return Err(Broken::new("I8: events belong to an instance", format!("{id} is gone")));
        };
        let chart = stage.charts.get(&stored.definition).cloned().ok_or_else(|| {
            Broken::new("I20: pinned definition", format!("{id} has an unknown definition"))
        })?;
        let log = store.events.get(&id).map(Vec::as_slice).unwrap_or_default();
        let seen = self.shadows.get(&id).map_or(0, |shadow| shadow.seen);
        for event in log.iter().skip(seen) {
            self.take(stage, &chart, event, now, stored)?;
        }
        let shadow = self.shadows.entry(id).or_default();
        if shadow.head != *head {
            return Err(Broken::new(
                "I8: the chain verifies",
                format!("the head of {id} is another"),
            ));
        }
        if shadow.instance.as_ref() != Some(stored) {
            let what = format!("{id} is stored as {stored:?}, replayed {:?}", shadow.instance);
            return Err(Broken::new("I17: replay gives what is stored", what));
        }
        checks::of_instance(&chart, stored)?;
        shadow.oracle.compare(&chart, stored, store)
    }

    /// One new event of the log.
    fn take(
        &mut self,
        stage: &Stage,
        chart: &Arc<Chart>,
        stored: &StoredEvent,
        now: Instant,
        after_all: &Instance,
    ) -> Result<(), Broken> {
        let id = stored.instance;
        let shadow = self.shadows.entry(id).or_default();
        shadow.seen += 1;
        self.commits += 1;
        let seq = i64::try_from(shadow.seen).unwrap_or(i64::MAX);
        if stored.seq != seq {
            let what = format!("{id} has event {} where {seq} was to come", stored.seq);
            return Err(Broken::new("I2: versions grow by one, none missing", what));
        }
        shadow.head = ChainHash::Sha256.link(&shadow.head, &stored.body);
        if shadow.head != stored.hash {
            let what = format!("event {seq} of {id} does not follow the one before");
            return Err(Broken::new("I8: the chain verifies", what));
        }
        let event: Event = serde_json::from_str(&stored.body)
            .map_err(|error| Broken::new("I8: events can be read", error.to_string()))?;
        let before = shadow.instance.take();
        let place = after_all.parent.map(|parent| (parent, after_all.family));
        let after = replay::repeat(chart, &stage.calendar, before.as_ref(), place, &event)
            .map_err(|error| Broken::new("I17: replay gives what is stored", error.to_string()))?;
        shadow.seats.extend(chart.parties_of(&after).map(str::to_owned));
        let fact = Fact {
            chart,
            calendar: &stage.calendar,
            before: before.as_ref(),
            event: &event,
            after: &after,
            seats: &shadow.seats,
            now,
        };
        checks::of_event(&fact)?;
        shadow.oracle.take(&fact)?;
        shadow.repeats += 1;
        self.alerts +=
            event.told.iter().map(|told| told.people.len() * told.via.len().min(1)).sum::<usize>();
        self.by_people += usize::from(matches!(event.actor, Actor::Person { .. }));
        let fired = event.clocks.first().filter(|change| change.change == ClockVerb::Fired);
        if let (Some(change), Some(before), Actor::Clock) = (fired, &before, &event.actor)
            && let Some(armed) = before.clocks.get(&change.clock)
            && !self.effects.insert((id, change.clock.clone(), armed.entry, armed.step))
        {
            let what = format!(
                "`{}` of {id} fired twice as ({}, {})",
                change.clock, armed.entry, armed.step
            );
            return Err(Broken::new("I6: one effect per clock, entry and step", what));
        }
        shadow.instance = Some(after);
        Ok(())
    }

    /// D: nothing overdue while the nodes are well; chains from the first event on; counts.
    pub(super) fn at_midnight(&self, store: &Store, late: Option<Instant>) -> Result<(), Broken> {
        for ((id, name), row) in &store.clocks {
            if late.is_some_and(|late| row.wake < late) {
                let what = format!("`{name}` of {id} waits since {}", row.wake);
                return Err(Broken::new("I4: no clock is overdue while a node is up", what));
            }
        }
        for (id, log) in &store.events {
            let head = log.iter().try_fold(NO_HASH, |head, event| {
                let next = ChainHash::Sha256.link(&head, &event.body);
                (next == event.hash).then_some(next)
            });
            if head != store.instances.get(id).map(|(_, head)| *head) {
                return Err(Broken::new("I8: the chain verifies", format!("the chain of {id}")));
            }
        }
        let people = store.answers.len();
        if people != self.by_people {
            let what = format!("{people} keys for {} events of people", self.by_people);
            return Err(Broken::new("I18: one key, one effect", what));
        }
        if store.outbox.len() != self.alerts {
            let what = format!("{} rows for {} alerts in events", store.outbox.len(), self.alerts);
            return Err(Broken::new("I9: every alert has its row", what));
        }
        Ok(())
    }

    /// E: acknowledged commands are there, all queues are drained, alerts were handed over.
    pub(super) fn at_end(
        &mut self,
        store: &Store,
        now: Instant,
        calm: Instant,
    ) -> Result<(), Broken> {
        self.at_midnight(store, Some(now.plus(-10 * MINUTE).max(calm)))?;
        for (key, answer) in &self.answers {
            if store.answers.get(key).map(|(_, stored)| stored) != Some(answer) {
                let what = format!("{key:?} was answered {answer:?}");
                return Err(Broken::new("G1: what was answered is there", what));
            }
        }
        for id in store.instances.keys() {
            if !self.shadows.contains_key(id) {
                return Err(Broken::new("I17: every instance was seen", id.to_string()));
            }
        }
        for (id, row) in &store.outbox {
            let copies = self.handed.get(id).copied().unwrap_or(0);
            let doubts = self.ambiguous.get(id).copied().unwrap_or(0);
            let fresh = row.next_at > now.plus(-10 * MINUTE);
            let told = |what: &str| {
                let (instance, seq, person) = (row.instance, row.seq, row.person);
                format!("alert {id} of {instance} v{seq} to {person} by {}: {what}", row.channel)
            };
            match row.state {
                Delivery::Sent if copies == 0 && doubts == 0 => {
                    return Err(Broken::new("I9: handed over at least once", told("never sent")));
                }
                Delivery::Failed if !self.alarms.contains(id) => {
                    return Err(Broken::new("I9: dead letters alarm", told("no alarm")));
                }
                Delivery::Waiting if !fresh => {
                    return Err(Broken::new("I24: the queues drain", told("still waiting")));
                }
                _ => {}
            }
            if copies > 1 + doubts {
                let what = told(&format!("{copies} copies, {doubts} doubts"));
                return Err(Broken::new("I9: copies are bounded", what));
            }
            self.duplicates += copies.saturating_sub(1);
        }
        Ok(())
    }
}
