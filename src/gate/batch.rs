//! What the commands of one batch leave: the instances as they stand, and the rows to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Change;
use super::error::Error;
use super::voices::Corrected;
use crate::chart::Chart;
use crate::domain::event::{Hash, NO_HASH, Told};
use crate::domain::{
    Actor, ChainHash, Event, Instance, InstanceId, Instant, JurisdictionId, Message, MessageId,
    StoredEvent, Value,
};
use crate::engine::{Decision, LEFT_OUT, WHY};
use crate::store::{
    self, Answer, Batch, ClockRow, NewAlarm, PartyRow, PersonalRow, PrecedentRow, Settled,
    TraceRow, Transaction,
};

/// An instance in hand.
struct Held {
    instance: Arc<Instance>,
    head: Hash,
    /// As the tables have it; none for a new one.
    stored: Option<Stored>,
    changed: bool,
}

/// An instance's rows as they were read, to write only what changed.
struct Stored {
    instance: Arc<Instance>,
    parties: BTreeSet<String>,
}

/// What a command says of a message's row, written in the command's transaction.
pub(super) enum Mark {
    /// Given up after an attempt: which message, which attempt, why, and whether it may have
    /// arrived all the same.
    GivenUp(MessageId, i64, String, bool),
    /// On the device.
    Delivered(MessageId, Instant),
    /// Taken, and then not delivered: why.
    Bounced(MessageId, String),
    /// Acknowledged by the person.
    Acknowledged(MessageId, Instant),
}

impl Mark {
    /// Which message.
    pub(super) fn message(&self) -> MessageId {
        match self {
            Self::GivenUp(id, ..)
            | Self::Delivered(id, _)
            | Self::Bounced(id, _)
            | Self::Acknowledged(id, _) => *id,
        }
    }

    /// Whether it says that this message did not arrive.
    pub(super) fn fails(&self, message: MessageId) -> bool {
        matches!(self, Self::GivenUp(id, ..) | Self::Bounced(id, _) if *id == message)
    }

    /// Writes it.
    pub(super) fn write(&self, transaction: &mut Transaction<'_>) -> Result<(), store::Error> {
        match self {
            Self::GivenUp(id, attempts, error, unknown) => {
                let failed = Settled::Failed { error: error.clone(), unknown: *unknown };
                transaction.settle_messages(&[(*id, *attempts, failed)]).map(drop)
            }
            Self::Delivered(id, at) => transaction.mark_delivered(*id, *at).map(drop),
            Self::Bounced(id, error) => transaction.mark_bounced(*id, error).map(drop),
            Self::Acknowledged(id, at) => transaction.mark_acknowledged(*id, *at),
        }
    }
}

/// The batch as it grows. A command that is refused leaves nothing in it but what was read.
#[derive(Default)]
pub(super) struct Draft {
    /// By which hash events are chained.
    chain: ChainHash,
    held: BTreeMap<InstanceId, Held>,
    /// Who takes part after the newest event of each instance.
    parties: BTreeMap<InstanceId, BTreeSet<String>>,
    /// Who came or went, with the first and the last event of its part, event by event: what a former
    /// unit sees must not depend on what was written together.
    moved: BTreeMap<(InstanceId, String), (i64, Option<i64>)>,
    events: Vec<StoredEvent>,
    pub(super) messages: Vec<Message>,
    pub(super) personal: Vec<PersonalRow>,
    /// By what its calls are recognised when they are repeated.
    pub(super) traces: Vec<TraceRow>,
    /// Matters that were linked to others, or merged into them.
    pub(super) about: Vec<(InstanceId, InstanceId)>,
    /// Rulings that the router goes by …
    pub(super) precedents: Vec<PrecedentRow>,
    /// … and matters that were ruled without such a one: what was ruled of them before is over.
    pub(super) unprecedented: Vec<(InstanceId, JurisdictionId)>,
    /// Calls of which something was put right.
    pub(super) corrected: Vec<Corrected>,
    /// Whose callers are erased.
    pub(super) erased: Vec<InstanceId>,
    pub(super) answers: Vec<Answer>,
    pub(super) changes: Vec<Change>,
    /// Alerts that reached nobody: an operator must know.
    pub(super) alarms: Vec<NewAlarm>,
    /// What is now known of messages.
    pub(super) marks: Vec<Mark>,
}

impl Draft {
    /// An empty batch of a store whose chains are linked by this hash.
    pub(super) fn new(chain: ChainHash) -> Self {
        Self { chain, ..Self::default() }
    }

    /// Whether an instance is in hand.
    pub(super) fn knows(&self, id: InstanceId) -> bool {
        self.held.contains_key(&id)
    }

    /// An instance as the last command left it.
    pub(super) fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.held.get(&id).map(|held| &*held.instance)
    }

    /// The same, to be kept.
    pub(super) fn shared(&self, id: InstanceId) -> Option<Arc<Instance>> {
        self.held.get(&id).map(|held| Arc::clone(&held.instance))
    }

    /// Events of an instance that are to be written.
    pub(super) fn events_of(&self, id: InstanceId) -> impl Iterator<Item = &StoredEvent> {
        self.events.iter().filter(move |event| event.instance == id)
    }

    /// Children that this batch has in hand.
    pub(super) fn children_of(&self, id: InstanceId) -> impl Iterator<Item = &Instance> {
        let instances = self.held.values().map(|held| &*held.instance);
        instances.filter(move |instance| instance.parent == Some(id))
    }

    /// Takes instances as they were read.
    pub(super) fn add(&mut self, found: Vec<(Instance, Hash)>) {
        for (instance, head) in found {
            let (id, instance) = (instance.id, Arc::new(instance));
            let stored = Stored { instance: Arc::clone(&instance), parties: BTreeSet::new() };
            let held = Held { head, stored: Some(stored), changed: false, instance };
            self.held.insert(id, held);
        }
    }

    /// Notes who takes part in an instance before its first change in this batch.
    pub(super) fn note_parties(&mut self, id: InstanceId, chart: &Chart) {
        let Some(held) = self.held.get_mut(&id) else { return };
        if let (false, Some(stored)) = (held.changed, held.stored.as_mut()) {
            stored.parties = chart.parties_of(&held.instance).map(str::to_owned).collect();
        }
    }

    /// By what the call is recognised that opened a matter in this batch.
    pub(super) fn opening(&self, id: InstanceId) -> Option<&TraceRow> {
        self.traces.iter().find(|trace| trace.instance == id && trace.seq == 1)
    }

    /// Takes a ruling with the precedent that it leaves, if it leaves one: of a matter the last ruling holds.
    pub(super) fn rule(&mut self, ruled: &Instance, precedent: Option<PrecedentRow>) {
        self.precedents.retain(|row| row.instance != ruled.id);
        self.unprecedented.retain(|(id, _)| *id != ruled.id);
        match precedent {
            Some(row) => self.precedents.push(row),
            None => self.unprecedented.push((ruled.id, ruled.jurisdiction)),
        }
    }

    /// Takes a decision: its event joins the chain.
    ///
    /// # Errors
    /// When the event cannot be written as JSON, which should not be.
    pub(super) fn take(&mut self, decision: Decision, chart: &Chart) -> Result<(), Error> {
        let id = decision.instance.id;
        self.note_parties(id, chart);
        let event = &decision.event;
        let body = serde_json::to_string(event)
            .map_err(|error| Error::Internal(format!("event {} of {id}: {error}", event.seq)))?;
        let previous = self.held.get(&id).map_or(NO_HASH, |held| held.head);
        let hash = self.chain.link(&previous, &body);
        let parties: BTreeSet<String> =
            chart.parties_of(&decision.instance).map(str::to_owned).collect();
        self.events.push(StoredEvent {
            instance: id,
            seq: event.seq,
            at: event.recorded_at,
            kind: event.command.name.clone(),
            actor: event.actor.name(),
            body,
            hash,
        });
        self.changes.push(change(&decision, &parties));
        self.alarms.extend(unheard(&decision));
        self.alarms.extend(left_out(&decision));
        self.note_moves(id, event.seq, &parties);
        self.parties.insert(id, parties);
        let stored = self.held.remove(&id).and_then(|held| held.stored);
        let instance = Arc::new(decision.instance);
        self.held.insert(id, Held { instance, head: hash, stored, changed: true });
        Ok(())
    }

    /// Notes who came and went by an event, after which `now` take part.
    fn note_moves(&mut self, id: InstanceId, seq: i64, now: &BTreeSet<String>) {
        let none = BTreeSet::new();
        let stored = self.held.get(&id).and_then(|held| held.stored.as_ref());
        let stored = stored.map_or(&none, |stored| &stored.parties);
        let before = self.parties.get(&id).unwrap_or(stored);
        let came = now.difference(before).map(|unit| (unit, None));
        let gone = before.difference(now).map(|unit| (unit, Some(seq)));
        for (unit, to) in came.chain(gone) {
            let part = self.moved.entry((id, unit.clone())).or_insert((seq, to));
            part.1 = to;
        }
    }

    /// Whether anything is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.answers.is_empty()
    }

    /// The rows.
    pub(super) fn into_batch(self) -> (Batch, Vec<Change>) {
        let mut batch = Batch {
            events: self.events,
            messages: self.messages,
            personal: self.personal,
            traces: self.traces,
            precedents: self.precedents,
            answers: self.answers,
            ..Batch::default()
        };
        for ((instance, unit), (from_seq, to_seq)) in self.moved {
            let Some(held) = self.held.get(&instance) else { continue };
            let jurisdiction = held.instance.jurisdiction;
            batch.parties.push(PartyRow { instance, unit, jurisdiction, from_seq, to_seq });
        }
        for held in self.held.into_values() {
            if !held.changed {
                continue;
            }
            write_clocks(&mut batch, &held);
            match held.stored {
                Some(stored) => {
                    batch.updated.push((held.instance, held.head, stored.instance.version));
                }
                None => batch.created.push((held.instance, held.head)),
            }
        }
        (batch, self.changes)
    }
}

/// Clock rows that are not as the tables have them.
fn write_clocks(batch: &mut Batch, held: &Held) {
    let instance = &held.instance;
    let none = BTreeMap::new();
    let before = held.stored.as_ref().map_or(&none, |stored| &stored.instance.clocks);
    let stored = held.stored.as_ref();
    let tier_moved = stored.is_some_and(|stored| stored.instance.tier != instance.tier);
    for (name, clock) in &instance.clocks {
        let Some(wake_at) = clock.wake else { continue };
        let known = before.get(name).is_some_and(|old| {
            (old.wake, old.due, old.entry, old.step)
                == (clock.wake, clock.due, clock.entry, clock.step)
        });
        if !known || tier_moved {
            batch.clocks_set.push(ClockRow {
                instance: instance.id,
                name: name.clone(),
                jurisdiction: instance.jurisdiction,
                wake_at,
                due_at: clock.due,
                tier: instance.tier,
                entry: clock.entry,
                step: clock.step,
            });
        }
    }
    for (name, old) in before {
        let still = instance.clocks.get(name).is_some_and(|clock| clock.wake.is_some());
        if old.wake.is_some() && !still {
            batch.clocks_gone.push((instance.id, name.clone()));
        }
    }
}

/// An alarm for the first alert of a decision that reached nobody.
fn unheard(decision: &Decision) -> Option<NewAlarm> {
    // Whom a field names that is empty is nobody who could be missed; a ladder must reach somebody.
    let missed = |told: &&Told| !told.to.is_empty() || told.clock.is_some();
    let told = decision.event.told.iter().filter(|t| t.people.is_empty()).find(missed)?;
    let why = if told.to.is_empty() {
        "the fields that name the units are empty".to_owned()
    } else {
        format!("no active person has the role of {}", told.to.join(", "))
    };
    Some(NewAlarm {
        kind: "nobody_told".to_owned(),
        jurisdiction: Some(decision.instance.jurisdiction),
        instance: Some(decision.instance.id),
        at: decision.event.recorded_at,
        detail: format!("`{}` reached nobody: {why}", told.text),
    })
}

/// An alarm for what a clock's firing had to do without.
fn left_out(decision: &Decision) -> Option<NewAlarm> {
    let Event { actor, command, recorded_at, .. } = &decision.event;
    let list = command.input.get(LEFT_OUT).filter(|_| *actor == Actor::Clock)?.as_list()?;
    let list: Vec<&str> = list.iter().filter_map(Value::as_text).collect();
    let why = command.input.get(WHY).and_then(Value::as_text).unwrap_or_default();
    Some(NewAlarm {
        kind: "clock_effect_refused".to_owned(),
        jurisdiction: Some(decision.instance.jurisdiction),
        instance: Some(decision.instance.id),
        at: *recorded_at,
        detail: format!("`{}` came without {}: {why}", command.name, list.join(", ")),
    })
}

fn change(decision: &Decision, parties: &BTreeSet<String>) -> Change {
    let (instance, event) = (&decision.instance, &decision.event);
    Change {
        jurisdiction: instance.jurisdiction,
        family: instance.family,
        instance: instance.id,
        parties: parties.iter().cloned().collect(),
        workflow: instance.workflow.clone(),
        seq: event.seq,
        kind: event.command.name.clone(),
        status: instance.status.clone(),
        stage: instance.stage.clone(),
        holder: instance.holder.clone(),
        tier: instance.tier,
        at: event.recorded_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_is_recognised_by_the_call_that_opened_it_whoever_calls_again() {
        let call = |seq: i64| TraceRow {
            instance: InstanceId(7),
            seq,
            jurisdiction: JurisdictionId(1),
            at: Instant(0),
            place: String::new(),
            phone: None,
            traits: seq.to_string(),
            about: None,
        };
        let mut draft = Draft::default();
        draft.traces.push(call(4));
        assert!(draft.opening(InstanceId(7)).is_none(), "the store has that one");
        draft.traces.push(call(1));
        assert_eq!(draft.opening(InstanceId(7)).map(|trace| trace.seq), Some(1));
    }
}
