//! Messages leave: claimed with a lease, handed to their channel, settled. Each channel has a loop
//! of its own, so that one that hangs does not hold up the others.

mod letter;
mod settling;
mod strays;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::task::JoinSet;
use tokio::time::{Instant as Monotonic, timeout, timeout_at};

use super::{Duty, Next, Poll, back_off};
use crate::channel::guard::{self, Guard, May};
use crate::channel::{Channel, Outcome};
use crate::domain::Instant;
use crate::gate::{Error, Parcel};
use settling::Untold;

pub use strays::Strays;

/// How messages are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// So many attempts of one channel may be under way at a time.
    pub at_once: usize,
    /// What an attempt may take, in real time.
    pub attempt: Duration,
    /// How long a claimed message is this sender's, in milliseconds of the house's clock; more than
    /// twice what an attempt may take.
    pub lease_ms: i64,
    /// The first wait after a failed attempt, in milliseconds; doubled each time.
    pub retry_ms: i64,
    /// The longest such wait, in milliseconds.
    pub retry_max_ms: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            at_once: 64,
            attempt: Duration::from_secs(20),
            lease_ms: 60_000,
            retry_ms: 5_000,
            retry_max_ms: 300_000,
        }
    }
}

/// However fast the house's clock runs, a lease lasts so long in real time (ms).
const LEASE_LEAST: i64 = 3_000;

impl Options {
    /// The same for a house whose clock runs so many times as fast as real time: a lease is counted
    /// by that clock, an attempt is not, and a lease must still be more than twice as long.
    #[must_use]
    pub fn at_speed(self, speed: i64) -> Self {
        let speed = speed.max(1);
        let lease_ms = self.lease_ms.max(speed.saturating_mul(LEASE_LEAST));
        let real = u64::try_from(lease_ms / speed).unwrap_or(u64::MAX);
        let attempt = Duration::from_millis(real / 5 * 2).min(self.attempt);
        Self { attempt, lease_ms, ..self }
    }
}

/// A turn waits so long for its own attempts; those that take longer go on beside later turns.
const PATIENCE: Duration = Duration::from_millis(250);

/// While attempts are under way, it is looked again after this.
const UNDER_WAY: Duration = Duration::from_millis(250);

/// So many overdue messages are given up in one go while the channel rests.
const EXPIRE: i64 = 64;

/// Waiting messages are looked for at least this often, because leases run out silently (ms).
const LOOK_EVERY: i64 = 30_000;

/// The loop of one channel.
pub struct Outbox {
    duty: Duty,
    name: String,
    channel: Arc<dyn Channel>,
    options: Options,
    under_way: JoinSet<Attempt>,
    /// What is under way by task, so that an attempt that broke is still settled.
    claimed: BTreeMap<tokio::task::Id, Parcel>,
    /// Attempts that ended and are not recorded yet.
    ended: Vec<Attempt>,
    /// What became of messages, of which their matters could not be told yet.
    untold: Vec<Untold>,
    looked_at: Option<Instant>,
    failures: u32,
    guard: Guard,
}

/// One attempt that ended.
struct Attempt {
    parcel: Parcel,
    outcome: Outcome,
}

impl Poll for Outbox {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            match self.round().await {
                Ok(next) => {
                    self.failures = 0;
                    next
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    tracing::warn!(%error, channel = self.name, "the outbox cannot be worked on");
                    Next::In(back_off(self.failures))
                }
            }
        }
        .boxed()
    }

    fn finish(&mut self) -> BoxFuture<'_, ()> {
        async {
            // Every attempt ends within its own limit.
            while let Some(ended) = self.under_way.join_next_with_id().await {
                self.take(ended);
            }
            if let Err(error) = self.settle().await {
                // The leases run out and the messages are sent again, under the same ids.
                tracing::warn!(%error, channel = self.name, "the last attempts are not recorded");
            }
            if !self.untold.is_empty() {
                let count = self.untold.len();
                tracing::warn!(count, channel = self.name, "matters are told after the next start");
            }
            self.channel.close().await;
        }
        .boxed()
    }
}

impl Outbox {
    /// Sends what workflows write on `name` by `channel`.
    #[must_use]
    pub fn new(duty: Duty, name: &str, channel: Arc<dyn Channel>, options: Options) -> Self {
        Self {
            duty,
            name: name.to_owned(),
            channel,
            options,
            under_way: JoinSet::new(),
            claimed: BTreeMap::new(),
            ended: Vec::new(),
            untold: Vec::new(),
            looked_at: None,
            failures: 0,
            guard: Guard::new(guard::Options::NONE),
        }
    }

    /// The same with a rate and a breaker.
    #[must_use]
    pub fn guarded(mut self, options: guard::Options) -> Self {
        self.guard = Guard::new(options);
        self
    }

    async fn round(&mut self) -> Result<Next, Error> {
        while let Some(ended) = self.under_way.try_join_next_with_id() {
            self.take(ended);
        }
        self.settle().await?;
        self.show_breaker();
        let now = self.duty.gate.now();
        let mut due = self.next_due().await?;
        let long_ago = self.looked_at.is_none_or(|at| now.since(at).abs() >= LOOK_EVERY);
        let free = self.options.at_once.saturating_sub(self.under_way.len());
        let mut sent = 0;
        if free > 0 && (long_ago || due.is_some_and(|due| due <= now)) {
            self.looked_at = Some(now);
            let (may, later) = self.permitted(free, now);
            if may > 0 {
                let handed;
                (sent, handed) = self.send(may).await?;
                // What nothing was handed over for tells nothing about the service.
                if handed == 0 {
                    self.guard.unused();
                }
            }
            if let Some(later) = later {
                self.settle().await?;
                self.expire().await?;
                if self.under_way.is_empty() {
                    return Ok(Next::At(later));
                }
            }
        }
        self.settle().await?;
        Ok(if sent > 0 && sent == free && self.under_way.is_empty() {
            Next::Now
        } else if !self.under_way.is_empty() || !self.untold.is_empty() {
            Next::In(UNDER_WAY)
        } else {
            // Everything due was claimed. Claiming again at once would find the few messages of the
            // commits since, and so on; after a rest one claim takes many. The bell calls earlier.
            if sent > 0 {
                due = self.next_due().await?;
            }
            match due {
                // Due by this clock, but not by the server's; or somebody was faster, or newer.
                Some(due) if due <= self.duty.gate.now() => Next::In(UNDER_WAY),
                Some(due) => Next::At(due),
                None => Next::In(Duration::from_secs(30)),
            }
        })
    }

    fn show_breaker(&self) {
        let state = self.guard.state().code();
        self.duty.gate.figures().channel(&self.name, |channel| channel.breaker = state);
    }

    /// How many letters may go now, and when more may, if fewer than wished.
    fn permitted(&mut self, wished: usize, now: Instant) -> (usize, Option<Instant>) {
        for count in 0..wished {
            if let May::NotBefore(later) = self.guard.may_send(now) {
                return (count, Some(later));
            }
        }
        (wished, None)
    }

    /// While the channel rests, what has waited too long goes by the person's next one.
    async fn expire(&mut self) -> Result<(), Error> {
        let (name, lease) = (self.name.clone(), self.options.lease_ms);
        let expired = self.duty.ask(move |gate| gate.claim_expired(&name, EXPIRE, lease)).await?;
        for message in expired {
            let why = message.error.clone();
            let why = why.unwrap_or_else(|| "the channel could not send in time".to_owned());
            let parcel = Parcel { messages: vec![message] };
            self.ended.push(Attempt { parcel, outcome: Outcome::never(why) });
        }
        self.settle().await
    }

    async fn next_due(&self) -> Result<Option<Instant>, Error> {
        let name = self.name.clone();
        self.duty.ask(move |gate| gate.next_message_due(&name)).await
    }

    /// Claims and sends; waits a moment for the ends. Answers how many letters there were, and how
    /// many of them were handed to the channel.
    async fn send(&mut self, free: usize) -> Result<(usize, usize), Error> {
        let (name, lease) = (self.name.clone(), self.options.lease_ms);
        let limit = i64::try_from(free).unwrap_or(i64::MAX);
        let claimed = self
            .duty
            .ask(move |gate| {
                let parcels = gate.claim_messages(&name, limit, lease)?.into_iter();
                let written = parcels.map(|parcel| (letter::of(gate, &parcel), parcel));
                Ok(written.collect::<Vec<_>>())
            })
            .await?;
        let count = claimed.len();
        for (_, parcel) in &claimed {
            let ids = || parcel.messages.iter().map(|one| (one.id.0, one.tier));
            tracing::debug!(channel = self.name, messages = ?ids().collect::<Vec<_>>(), "claimed");
        }
        let lost = claimed.iter().map(|(_, parcel)| parcel.lost()).sum();
        self.count_unknown(lost);
        let mut handed = 0;
        for (letter, parcel) in claimed {
            let letter = match letter {
                Ok(letter) => letter,
                Err(outcome) => {
                    self.ended.push(Attempt { parcel, outcome });
                    continue;
                }
            };
            let (channel, limit) = (Arc::clone(&self.channel), self.options.attempt);
            let copy = parcel.clone();
            let task = self.under_way.spawn(async move {
                let outcome = match timeout(limit, channel.send(&letter)).await {
                    Ok(outcome) => outcome,
                    Err(_) => Outcome::unknown(format!("no answer within {limit:?}")),
                };
                Attempt { parcel, outcome }
            });
            self.claimed.insert(task.id(), copy);
            handed += 1;
        }
        let until = Monotonic::now() + PATIENCE;
        while let Ok(Some(ended)) = timeout_at(until, self.under_way.join_next_with_id()).await {
            self.take(ended);
        }
        Ok((count, handed))
    }

    fn take(&mut self, ended: Result<(tokio::task::Id, Attempt), tokio::task::JoinError>) {
        match ended {
            Ok((id, attempt)) => {
                self.claimed.remove(&id);
                self.guard.note(&attempt.outcome, self.duty.gate.now());
                self.ended.push(attempt);
            }
            Err(error) => {
                // The channel broke: nobody knows whether the letter left.
                tracing::error!(%error, channel = self.name, "an attempt broke");
                if let Some(parcel) = self.claimed.remove(&error.id()) {
                    let outcome = Outcome::unknown("the attempt broke");
                    self.guard.note(&outcome, self.duty.gate.now());
                    self.ended.push(Attempt { parcel, outcome });
                }
            }
        }
    }
}
