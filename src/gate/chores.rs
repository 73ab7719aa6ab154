//! What the scheduler asks of the door: which clocks are due, which messages are to be sent, whose
//! turn a periodic job is, what the figures are. Everything here blocks: call it where blocking is
//! allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use super::error::Error;
use super::letters::Note;
use super::{Firing, Gate};
use crate::domain::{InstanceId, Instant, JurisdictionId};
use crate::store::{self, Filter, NewAlarm, Standing, Transaction};

/// A clock that has something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueClock {
    /// What to fire, with its fence.
    pub firing: Firing,
    /// Whose instance.
    pub jurisdiction: JurisdictionId,
    /// Since when it has something to do.
    pub wake_at: Instant,
    /// When it runs out or ran out.
    pub due_at: Instant,
    /// The instance's tier rank.
    pub tier: i64,
}

/// Clocks that have something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueClocks {
    /// The time by which they were judged: the server's, where it is the authority.
    pub now: Instant,
    /// The gravest tier first, then by due instant.
    pub clocks: Vec<DueClock>,
}

/// What one occurrence of a periodic job leaves, written with the note that it was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leaves {
    /// Operator alarms to raise.
    pub alarms: Vec<NewAlarm>,
    /// Whether an open alarm of the same kind makes place for the new one.
    pub replace_alarms: bool,
    /// Kinds of alarms of a jurisdiction that are over.
    pub over: Vec<(JurisdictionId, String)>,
    /// Settings to write, where there is none of that name yet.
    pub settings: Vec<(String, String)>,
    /// Messages of the house itself, each with the jurisdiction.
    pub notes: Vec<(JurisdictionId, Note)>,
}

fn over(whose: JurisdictionId, kind: &str, at: Instant) -> NewAlarm {
    let (kind, detail) = (kind.to_owned(), String::new());
    NewAlarm { kind, jurisdiction: Some(whose), instance: None, at, detail }
}

impl Gate {
    /// One transaction on the connection that the door keeps for chores; it is opened when first
    /// needed.
    pub(super) fn with_hand<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, store::Error>,
    ) -> Result<T, Error> {
        let mut hand = self.inner.hand.lock().unwrap_or_else(PoisonError::into_inner);
        let writer = match hand.as_mut() {
            Some(writer) => writer,
            None => hand.insert(self.inner.store.writer()?),
        };
        Ok(writer.transaction(work)?)
    }

    /// The time by which rows are judged due: the server's where there is one, unless the house
    /// runs on a simulated clock.
    pub(super) fn judged_now(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<Instant, store::Error> {
        match transaction.now()? {
            Some(now) if self.inner.clock.is_real() => Ok(now),
            _ => Ok(self.now()),
        }
    }

    /// At most `limit` clocks that have something to do, the gravest tier first, then by due
    /// instant; where other nodes work on the same store, they are this one's for `lease_ms`. All
    /// due rows are looked at for each call: ask for thousands.
    ///
    /// # Errors
    /// What the store says.
    pub fn due_clocks(&self, limit: i64, lease_ms: i64) -> Result<DueClocks, Error> {
        let (now, rows) = if self.inner.store.exclusive() {
            // Only looking: it need not wait for its turn to write.
            let now = self.now();
            (now, self.read(|reader| reader.due_clocks_unleased(now, limit))?)
        } else {
            self.with_hand(|transaction| {
                let now = self.judged_now(transaction)?;
                Ok((now, transaction.due_clocks(now, limit, lease_ms)?))
            })?
        };
        let clocks = rows.into_iter().map(|row| DueClock {
            firing: Firing {
                instance: row.instance,
                clock: row.name,
                entry: row.entry,
                step: row.step,
            },
            jurisdiction: row.jurisdiction,
            wake_at: row.wake_at,
            due_at: row.due_at,
            tier: row.tier,
        });
        Ok(DueClocks { now, clocks: clocks.collect() })
    }

    /// When the next clock that nobody works on has something to do.
    ///
    /// # Errors
    /// What the store says.
    pub fn next_wake(&self) -> Result<Option<Instant>, Error> {
        self.read(store::Reader::next_wake)
    }

    /// When the next waiting message of a channel that nobody is sending is due.
    ///
    /// # Errors
    /// What the store says.
    pub fn next_message_due(&self, channel: &str) -> Result<Option<Instant>, Error> {
        self.read(|reader| reader.next_message_due(channel))
    }

    /// The channels on which messages wait.
    ///
    /// # Errors
    /// What the store says.
    pub fn waiting_channels(&self) -> Result<Vec<String>, Error> {
        self.read(store::Reader::waiting_channels)
    }

    /// The newest occurrence of a periodic job that was taken.
    ///
    /// # Errors
    /// What the store says.
    pub fn last_occurrence(&self, job: &str) -> Result<Option<Instant>, Error> {
        self.read(|reader| reader.last_occurrence(job))
    }

    /// Takes the occurrence `first` of a job, and with it all up to `upto`; writes what it leaves in
    /// the same transaction. False, and nothing written, when it was taken before, here or on
    /// another node.
    ///
    /// # Errors
    /// What the store says.
    pub fn take_occurrence(
        &self,
        job: &str,
        first: Instant,
        upto: Instant,
        leaves: &Leaves,
    ) -> Result<bool, Error> {
        let now = self.now();
        let mut messages = Vec::new();
        for (jurisdiction, note) in &leaves.notes {
            messages.extend(self.compose(*jurisdiction, note, now)?);
        }
        let taken = self.with_hand(|transaction| {
            // Whoever knows the same last occurrence knows the same first one after it: its row
            // decides between nodes.
            if !transaction.take_occurrence(job, first, now)? {
                return Ok(false);
            }
            if upto > first {
                transaction.take_occurrence(job, upto, now)?;
            }
            for (name, value) in &leaves.settings {
                if transaction.setting(name)?.is_none() {
                    transaction.set_setting(name, value)?;
                }
            }
            for (whose, kind) in &leaves.over {
                transaction.clear_alarm_of(&over(*whose, kind, now))?;
            }
            for alarm in &leaves.alarms {
                if leaves.replace_alarms {
                    transaction.renew_alarm(alarm)?;
                } else {
                    transaction.raise_alarm(alarm)?;
                }
            }
            transaction.write_messages(&mut messages)?;
            Ok(true)
        })?;
        if taken && !(leaves.notes.is_empty() && leaves.alarms.is_empty()) {
            self.inner.wake.notify_waiters();
        }
        Ok(taken)
    }

    /// How many open matters of a jurisdiction each unit holds; with `due_before`, only those with
    /// a clock in force that is due before it. Matters without a holder stand under the empty code.
    ///
    /// # Errors
    /// What the store says.
    pub fn held_by_unit(
        &self,
        jurisdiction: JurisdictionId,
        due_before: Option<Instant>,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let filter = Filter {
            jurisdiction: Some(jurisdiction),
            open_only: true,
            due_before,
            ..Filter::default()
        };
        let counts = self.read(|reader| reader.count_by_holder(&filter))?;
        Ok(counts.into_iter().map(|(unit, count)| (unit.unwrap_or_default(), count)).collect())
    }

    /// How many matters of a jurisdiction, opened in a span of time, stand in each flat status.
    ///
    /// # Errors
    /// What the store says.
    pub fn opened_between(
        &self,
        jurisdiction: JurisdictionId,
        from: Instant,
        to: Instant,
    ) -> Result<BTreeMap<String, i64>, Error> {
        let filter = Filter {
            jurisdiction: Some(jurisdiction),
            opened_from: Some(from),
            opened_to: Some(to),
            ..Filter::default()
        };
        Ok(self.read(|reader| reader.count_by_status(&filter))?.into_iter().collect())
    }

    /// What is kept under a name: figures of closed quarters, for example.
    ///
    /// # Errors
    /// What the store says.
    pub fn setting(&self, name: &str) -> Result<Option<String>, Error> {
        self.read(|reader| reader.setting(name))
    }

    /// Forgets answers to idempotency keys that were given before an instant; answers how many.
    ///
    /// # Errors
    /// What the store says.
    pub fn forget_answers(&self, before: Instant) -> Result<usize, Error> {
        const AT_ONCE: i64 = 1_000;
        let mut forgotten = 0;
        loop {
            let gone = self.with_hand(|transaction| transaction.forget_answers(before, AT_ONCE))?;
            forgotten += gone;
            if i64::try_from(gone).unwrap_or(i64::MAX) < AT_ONCE {
                return Ok(forgotten);
            }
        }
    }

    /// The milliseconds by which the wall clock jumped against the monotonic one since the last
    /// call; 0 if it did not.
    #[must_use]
    pub fn clock_jump(&self) -> i64 {
        self.inner.clock.jump()
    }

    /// How long to really wait until an instant is reached.
    #[must_use]
    pub fn wait_until(&self, until: Instant) -> std::time::Duration {
        self.inner.clock.wait_until(until)
    }

    /// Whether the revision of a jurisdiction is another than in `seen`, which is brought up to date.
    /// Where other processes may have changed it, definitions, calendars, directories and tokens are
    /// loaded again; what changes here is loaded with the change, or here if that failed. If sessions
    /// have ended, none is remembered any more.
    ///
    /// # Errors
    /// What the store says; what was loaded before stays.
    pub fn notice_changes(&self, seen: &mut BTreeMap<JurisdictionId, i64>) -> Result<bool, Error> {
        let jurisdictions = self.read(store::Reader::jurisdictions)?;
        self.inner.sessions.notice(jurisdictions.iter().map(|one| one.access_revision).sum());
        let now: BTreeMap<_, _> = jurisdictions.iter().map(|one| (one.id, one.revision)).collect();
        let behind = self.inner.behind.load(Ordering::SeqCst);
        if now == *seen && !behind {
            return Ok(false);
        }
        if self.shares_store() || behind {
            self.reload()?;
        }
        *seen = now;
        Ok(true)
    }

    /// Whether other processes may change the same data.
    #[must_use]
    pub fn shares_store(&self) -> bool {
        !self.inner.store.exclusive()
    }

    /// The instances concerned by the newest events after `position`, at most `limit` events back,
    /// each once, the newest first; and the position to go on from.
    ///
    /// # Errors
    /// What the store says.
    pub fn changed_since(
        &self,
        position: i64,
        limit: i64,
    ) -> Result<(Vec<InstanceId>, i64), Error> {
        self.read(|reader| {
            let last = reader.last_position()?;
            let from = position.max(last.saturating_sub(limit));
            let events = reader.events_after(from, None, limit)?;
            let reached = events.last().map_or(from, |event| event.position);
            let mut known = BTreeSet::new();
            let newest_first = events.iter().rev().map(|event| event.event.instance);
            Ok((newest_first.filter(|id| known.insert(*id)).collect(), reached))
        })
    }

    /// Which instances are open, and which have clock rows.
    ///
    /// # Errors
    /// What the store says.
    pub fn standing(&self) -> Result<Standing, Error> {
        self.read(store::Reader::standing)
    }
}
