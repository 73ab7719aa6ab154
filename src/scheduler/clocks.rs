//! Due clocks are handed to the door, which alone judges whether they fire.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll, back_off};
use crate::domain::{InstanceId, Instant};
use crate::gate::{DueClock, DueClocks, Error, Firing};

/// So many clocks are handed to the door at once.
const BATCH: usize = 1_000;

/// So many are looked up at once: looking costs a walk over everything due.
const LOOK: usize = 8_000;

/// On a shared database, other nodes leave the clocks of this look alone for so long (ms).
const LEASE: i64 = 30_000;

/// The table is looked at at least this often, because leases run out silently (ms).
const LOOK_EVERY: i64 = 30_000;

/// While only clocks are due that are set aside, it is looked again after this.
const ASIDE_WAIT: Duration = Duration::from_secs(1);

/// A clock that failed or was refused again is tried again after this (ms), doubled each time …
const RETRY: i64 = 1_000;

/// … up to this (ms).
const RETRY_MAX: i64 = 60_000;

/// A set-aside clock that failed so often for reasons of the house is an alarm.
const FAILURES_MAX: u32 = 5;

/// More clocks are not remembered as set aside; the memory only saves work.
const ASIDE_MAX: usize = 10_000;

/// The loop.
pub struct Clocks {
    duty: Duty,
    aside: BTreeMap<(InstanceId, String), Aside>,
    looked_at: Option<Instant>,
    failures: u32,
}

/// A clock that was not fired although its row says that it is due.
struct Aside {
    /// As its row stood: a row that changed is another clock.
    fence: (Instant, i64, i64),
    /// Whether the instance itself said that there is nothing to do.
    refused: bool,
    /// What was said.
    why: String,
    tries: u32,
    not_before: Instant,
    seen_at: Instant,
}

fn fence(clock: &DueClock) -> (Instant, i64, i64) {
    (clock.wake_at, clock.firing.entry, clock.firing.step)
}

fn key(firing: &Firing) -> (InstanceId, String) {
    (firing.instance, firing.clock.clone())
}

impl Poll for Clocks {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            self.notice_jump().await;
            match self.round().await {
                Ok(next) => {
                    self.failures = 0;
                    next
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    tracing::warn!(%error, "due clocks cannot be looked at; trying again");
                    Next::In(back_off(self.failures))
                }
            }
        }
        .boxed()
    }
}

impl Clocks {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty, aside: BTreeMap::new(), looked_at: None, failures: 0 }
    }

    async fn notice_jump(&self) {
        let jump = self.duty.gate.clock_jump();
        if jump != 0 {
            self.duty.figures.clock_jumps.add();
            let detail = format!(
                "the wall clock jumped by {jump} ms against the monotonic clock; clocks are judged \
                 by the wall clock, so check the time of this machine"
            );
            self.duty.alarm("clock_jumped", None, None, detail).await;
        }
    }

    /// Looks once and fires what is due.
    async fn round(&mut self) -> Result<Next, Error> {
        let now = self.duty.gate.now();
        let wake = self.duty.ask(|gate| gate.next_wake()).await?;
        let long_ago = self.looked_at.is_none_or(|at| now.since(at).abs() >= LOOK_EVERY);
        let due = wake.is_some_and(|wake| wake <= now);
        if !due && !long_ago && self.aside.is_empty() {
            return Ok(later(wake));
        }
        let limit = i64::try_from(LOOK + self.aside.len()).unwrap_or(i64::MAX);
        let found = self.duty.ask(move |gate| gate.due_clocks(limit, LEASE)).await?;
        self.looked_at = Some(found.now);
        self.forget(&found);
        let mut ready = Vec::new();
        for clock in found.clocks {
            if self.may_fire(&clock, found.now).await {
                ready.push(clock);
            }
        }
        for batch in ready.chunks(BATCH) {
            let firings = batch.iter().map(|clock| clock.firing.clone()).collect();
            let outcomes = self.duty.gate.fire(firings).await?;
            for (clock, outcome) in batch.iter().zip(outcomes) {
                self.note(clock, outcome, found.now).await;
            }
        }
        if !ready.is_empty() {
            // A clock may have its next step behind it already, and steps may have come due.
            return Ok(Next::Now);
        }
        if !self.aside.is_empty() || due {
            // What is due and was not found is set aside, leased, or not yet due by the server.
            return Ok(Next::In(ASIDE_WAIT));
        }
        Ok(later(wake))
    }

    /// Forgets what was set aside and is not due any more: somebody was faster, as a rule. On a
    /// shared database it may only be leased, so it is remembered a while longer.
    fn forget(&mut self, found: &DueClocks) {
        let there: BTreeSet<_> = found.clocks.iter().map(|clock| key(&clock.firing)).collect();
        let shared = self.duty.gate.shares_store();
        self.aside.retain(|key, aside| {
            if there.contains(key) {
                aside.seen_at = found.now;
            }
            aside.seen_at == found.now || shared && found.now.since(aside.seen_at) < 2 * LEASE
        });
    }

    /// Whether a due clock is to be fired now. One whose instance said that there is nothing to do,
    /// and whose row still says the same, has a damaged row: that is the auditor's to put right.
    async fn may_fire(&mut self, clock: &DueClock, now: Instant) -> bool {
        let Some(aside) = self.aside.get_mut(&key(&clock.firing)) else { return true };
        if aside.fence != fence(clock) {
            self.aside.remove(&key(&clock.firing));
            return true;
        }
        if now < aside.not_before {
            return false;
        }
        if !aside.refused {
            return true;
        }
        aside.tries = aside.tries.saturating_add(1);
        aside.not_before = now.plus(wait(aside.tries));
        // Every second time it is fired again: what was wrong may have been put right elsewhere.
        if aside.tries.is_multiple_of(2) {
            return true;
        }
        let firing = &clock.firing;
        let detail = format!(
            "the row of the clock `{}` says since {} that it is due; the instance says: {}",
            firing.clock, clock.wake_at, aside.why
        );
        self.duty.suspect(firing.instance);
        let (whose, which) = (Some(clock.jurisdiction), Some(firing.instance));
        self.duty.alarm("clock_row_damaged", whose, which, detail).await;
        false
    }

    async fn note(&mut self, clock: &DueClock, outcome: Result<(), Error>, now: Instant) {
        let key = key(&clock.firing);
        let error = match outcome {
            Ok(()) => {
                self.duty.figures.clocks_fired.add();
                self.aside.remove(&key);
                return;
            }
            Err(error) => error,
        };
        let refused = matches!(error, Error::Refused(_) | Error::NotFound);
        let tries = self.aside.get(&key).map_or(0, |aside| aside.tries);
        let (tries, not_before) = if refused {
            self.duty.figures.clocks_stale.add();
            // Somebody was faster, as a rule: then the row is gone at the next look.
            (tries, if tries == 0 { now } else { now.plus(wait(tries)) })
        } else {
            self.duty.figures.clocks_failed.add();
            tracing::warn!(%error, instance = %clock.firing.instance, clock = clock.firing.clock,
                "a clock could not be fired; it is tried again");
            (tries.saturating_add(1), now.plus(wait(tries.saturating_add(1))))
        };
        let why = error.to_string();
        if !refused && tries == FAILURES_MAX {
            let (whose, which) = (Some(clock.jurisdiction), Some(clock.firing.instance));
            let detail = format!("the clock `{}` cannot be fired: {why}", clock.firing.clock);
            self.duty.alarm("clock_not_fired", whose, which, detail).await;
        }
        if self.aside.len() >= ASIDE_MAX {
            self.aside.clear();
        }
        let (fence, seen_at) = (fence(clock), now);
        self.aside.insert(key, Aside { fence, refused, why, tries, not_before, seen_at });
    }
}

fn later(wake: Option<Instant>) -> Next {
    wake.map_or(Next::In(Duration::from_secs(30)), Next::At)
}

fn wait(tries: u32) -> i64 {
    let factor = 1_i64.checked_shl(tries.saturating_sub(1).min(16)).unwrap_or(1);
    RETRY.saturating_mul(factor).min(RETRY_MAX)
}
