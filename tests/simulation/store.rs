//! A store in memory with the tables of the real one: transactions happen wholly or not at all.

use std::collections::{BTreeMap, BTreeSet};

use fenliu::domain::event::{Hash, NO_HASH};
use fenliu::domain::{
    ChainHash, Delivery, Event, Instance, InstanceId, Instant, PersonId, StoredEvent,
};
use fenliu::engine::Decision;

use super::Bug;

/// Long ago.
pub(super) const NEVER: Instant = Instant(i64::MIN);

/// A clock that has something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClockRow {
    pub(super) wake: Instant,
    pub(super) due: Instant,
    pub(super) tier: i64,
    pub(super) entry: i64,
    pub(super) step: i64,
    pub(super) lease_until: Instant,
}

/// An alert to one person on one channel.
#[derive(Debug, Clone)]
pub(super) struct OutboxRow {
    pub(super) instance: InstanceId,
    pub(super) seq: i64,
    pub(super) person: PersonId,
    pub(super) channel: String,
    pub(super) tier: i64,
    pub(super) next_at: Instant,
    pub(super) attempts: i64,
    pub(super) state: Delivery,
    /// Who holds it until when: also the fence of a late mark.
    pub(super) lease_until: Instant,
}

impl OutboxRow {
    fn ready_at(&self) -> Instant {
        self.next_at.max(self.lease_until)
    }
}

/// What was answered to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) instance: InstanceId,
    pub(super) seq: i64,
    pub(super) status: String,
}

/// Who asked, under which key.
pub(super) type Key = (PersonId, u64);

/// The fence of a firing: the clock as it was when it was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) instance: InstanceId,
    pub(super) clock: String,
    pub(super) entry: i64,
    pub(super) step: i64,
}

/// One transaction's writes.
#[derive(Debug, Clone, Default)]
pub(super) struct Batch {
    pub(super) decisions: Vec<Decision>,
    /// The key, what was asked under it, the answer.
    pub(super) answer: Option<(Key, String, Answer)>,
    pub(super) fence: Option<Fence>,
}

/// Why a transaction was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    /// Somebody else has changed the instance since it was read.
    Conflict,
    /// The clock was fired, moved or ended since it was claimed.
    Fenced,
}

/// The tables.
#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) instances: BTreeMap<InstanceId, (Instance, Hash)>,
    pub(super) clocks: BTreeMap<(InstanceId, String), ClockRow>,
    pub(super) outbox: BTreeMap<i64, OutboxRow>,
    /// The rows of the outbox that still wait, by when they can be claimed.
    pub(super) waiting: BTreeSet<(Instant, i64)>,
    pub(super) events: BTreeMap<InstanceId, Vec<StoredEvent>>,
    pub(super) answers: BTreeMap<Key, (String, Answer)>,
    /// Instances changed since the checks last looked.
    pub(super) touched: BTreeSet<InstanceId>,
    pub(super) last_id: i64,
}

impl Store {
    /// Makes a transaction, or nothing at all.
    pub(super) fn commit(&mut self, batch: &Batch, bug: Option<Bug>) -> Result<(), Denied> {
        if bug != Some(Bug::NoFence) || batch.fence.is_none() {
            self.admit(batch)?;
        }
        let mut heads: BTreeMap<InstanceId, Hash> = BTreeMap::new();
        for Decision { instance, event } in &batch.decisions {
            let stored = self.instances.get(&instance.id).map_or(NO_HASH, |(_, head)| *head);
            let head = heads.get(&instance.id).copied().unwrap_or(stored);
            let body = serde_json::to_string(event).expect("events are JSON");
            let hash = ChainHash::Sha256.link(&head, &body);
            let skipped = bug == Some(Bug::EventSkipped) && !event.signalled.is_empty();
            heads.insert(instance.id, if skipped { head } else { hash });
            self.events.entry(instance.id).or_default().push(StoredEvent {
                instance: instance.id,
                seq: event.seq,
                at: event.recorded_at,
                kind: event.command.name.clone(),
                actor: event.actor.name(),
                body,
                hash,
            });
            self.alert(instance.tier, event);
        }
        for Decision { instance, .. } in &batch.decisions {
            let head = heads.get(&instance.id).copied().unwrap_or(NO_HASH);
            self.instances.insert(instance.id, (instance.clone(), head));
            self.touched.insert(instance.id);
        }
        if let Some((key, asked, answer)) = &batch.answer {
            self.answers.insert(*key, (asked.clone(), answer.clone()));
        }
        if bug != Some(Bug::ClockOutsideTransaction) {
            self.write_clocks(batch);
        }
        Ok(())
    }

    /// Whether nothing has changed since the decisions were made.
    fn admit(&self, batch: &Batch) -> Result<(), Denied> {
        if let Some(fence) = &batch.fence {
            let row = self.clocks.get(&(fence.instance, fence.clock.clone()));
            if row.is_none_or(|row| (row.entry, row.step) != (fence.entry, fence.step)) {
                return Err(Denied::Fenced);
            }
        }
        // The key is unique: two nodes may have decided the same request.
        if batch.answer.as_ref().is_some_and(|(key, ..)| self.answers.contains_key(key)) {
            return Err(Denied::Conflict);
        }
        let mut seen = BTreeSet::new();
        for Decision { instance, event } in &batch.decisions {
            let version = self.instances.get(&instance.id).map_or(0, |(held, _)| held.version);
            if seen.insert(instance.id) && version + 1 != event.seq {
                return Err(Denied::Conflict);
            }
        }
        Ok(())
    }

    /// The clock rows as the instances of a batch now ask for them.
    pub(super) fn write_clocks(&mut self, batch: &Batch) {
        for Decision { instance, .. } in &batch.decisions {
            let Some((instance, _)) = self.instances.get(&instance.id) else { continue };
            let id = instance.id;
            self.clocks.retain(|(of, name), _| {
                *of != id || instance.clocks.get(name).is_some_and(|clock| clock.wake.is_some())
            });
            for (name, clock) in &instance.clocks {
                let Some(wake) = clock.wake else { continue };
                let (due, entry, step) = (clock.due, clock.entry, clock.step);
                let tier = instance.tier;
                let fresh = ClockRow { wake, due, tier, entry, step, lease_until: NEVER };
                let row = self.clocks.entry((id, name.clone())).or_insert_with(|| fresh.clone());
                let lease_until = row.lease_until;
                if *row != (ClockRow { lease_until, ..fresh.clone() }) {
                    *row = fresh;
                }
            }
        }
    }

    fn alert(&mut self, tier: i64, event: &Event) {
        for told in &event.told {
            for person in &told.people {
                if let Some(channel) = told.via.first() {
                    let id = i64::try_from(self.outbox.len()).unwrap_or(i64::MAX);
                    self.waiting.insert((event.recorded_at, id));
                    self.outbox.insert(
                        id,
                        OutboxRow {
                            instance: event.instance,
                            seq: event.seq,
                            person: *person,
                            channel: channel.clone(),
                            tier,
                            next_at: event.recorded_at,
                            attempts: 0,
                            state: Delivery::Waiting,
                            lease_until: NEVER,
                        },
                    );
                }
            }
        }
    }

    /// Changes an alert, and when it can be claimed next.
    pub(super) fn alert_mut<R>(
        &mut self,
        id: i64,
        change: impl FnOnce(&mut OutboxRow) -> R,
    ) -> Option<R> {
        let row = self.outbox.get_mut(&id)?;
        self.waiting.remove(&(row.ready_at(), id));
        let result = change(row);
        if row.state == Delivery::Waiting {
            self.waiting.insert((row.ready_at(), id));
        }
        Some(result)
    }

    /// An instance as it stands.
    pub(super) fn instance(&self, id: InstanceId) -> Option<&Instance> {
        self.instances.get(&id).map(|(instance, _)| instance)
    }
}
