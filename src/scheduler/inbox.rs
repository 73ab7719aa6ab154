//! What gateways tell by themselves: receipts become facts of the matter, replies are done and
//! answered.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::time::{Instant as Monotonic, timeout};

use super::{Duty, Next, Poll};
use crate::channel::Incoming;
use crate::gate::{Became, DeliveryReport, Error};

pub use crate::channel::Arrivals;

/// Something is waited for so long, so that the loop can be stopped.
const PATIENCE: Duration = Duration::from_millis(500);

/// A receipt may come before the row knows what the gateway calls the message: it is tried again
/// for so long.
const EARLY: Duration = Duration::from_secs(60);

/// So many receipts for messages that are not known wait at the most: a gateway that tells of other
/// people's messages must not fill the memory.
const EARLY_MAX: usize = 10_000;

/// So many arrivals are taken side by side.
const AT_ONCE: usize = 64;

/// What could not be taken is tried again this often.
const AGAIN: Duration = Duration::from_secs(1);

/// What became of an arrival.
enum Taken {
    /// It is done.
    Done,
    /// It is about a message that is not known, or not yet.
    Unknown,
    /// It could not be done.
    Failed(Error),
}

/// An arrival that waits, and since when.
struct Waiting {
    since: Monotonic,
    incoming: Incoming,
}

/// The loop of one channel's arrivals.
pub struct Inbox {
    duty: Duty,
    channel: String,
    arrivals: Arrivals,
    patience: Duration,
    /// Receipts for messages that are not known yet.
    early: Vec<Waiting>,
    /// What could not be done because the store, or the house, was not able to. While there is any,
    /// nothing more is taken: the inbox fills, and gateways are told to bring it later.
    held: Vec<Waiting>,
    tried_at: Monotonic,
}

impl Inbox {
    /// Reads what arrives on `channel`.
    #[must_use]
    pub fn new(duty: Duty, channel: &str, arrivals: Arrivals) -> Self {
        Self {
            duty,
            channel: channel.to_owned(),
            arrivals,
            patience: EARLY,
            early: Vec::new(),
            held: Vec::new(),
            tried_at: Monotonic::now(),
        }
    }

    /// The same with another patience than a minute, for what is about nothing known and for what
    /// cannot be done although the store works.
    #[must_use]
    pub fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    async fn take(&self, incoming: &Incoming) -> Taken {
        let taken = match incoming {
            Incoming::Receipt { reference, delivered, why } => {
                self.receipt(reference, *delivered, why).await
            }
            Incoming::Reply { from, text } => self.reply(from, text).await.map(|()| true),
        };
        match taken {
            Ok(true) => Taken::Done,
            Ok(false) => Taken::Unknown,
            Err(error) => Taken::Failed(error),
        }
    }

    /// A receipt is about a letter: about every message that left in it.
    async fn receipt(&self, reference: &str, delivered: bool, why: &str) -> Result<bool, Error> {
        let (channel, name) = (self.channel.clone(), reference.to_owned());
        let found = self.duty.ask(move |gate| gate.messages_of_reference(&channel, &name)).await?;
        if found.is_empty() {
            return Ok(false);
        }
        let count = found.len();
        for message in found {
            let why = why.to_owned();
            let Some(instance) = message.instance else {
                self.duty.ask(move |gate| gate.mark_house(&message, delivered, &why)).await?;
                continue;
            };
            let became = if delivered { Became::Delivered } else { Became::Bounced { why } };
            let report = DeliveryReport { message: message.id, instance, became };
            match self.duty.gate.report(report).await {
                // Told before: gateways repeat themselves.
                Ok(()) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        let (figures, own) = (&self.duty.figures, self.duty.gate.figures());
        let more = u64::try_from(count).unwrap_or(0);
        if delivered {
            figures.messages_delivered.add_many(count);
            own.channel(&self.channel, |channel| channel.delivered += more);
        } else {
            figures.messages_bounced.add_many(count);
            own.channel(&self.channel, |channel| channel.bounced += more);
        }
        Ok(true)
    }

    async fn reply(&self, from: &str, text: &str) -> Result<(), Error> {
        let replied = self.duty.gate.reply(from, text).await?;
        self.duty.gate.figures().channel(&self.channel, |channel| channel.replies += 1);
        match replied {
            None => {
                self.duty.figures.replies_of_strangers.add();
                tracing::info!(channel = self.channel, "a reply came from a number of nobody here");
                Ok(())
            }
            Some(replied) => {
                self.duty.figures.replies.add();
                let channel = self.channel.clone();
                self.duty.ask(move |gate| gate.say_back(&replied, &channel)).await
            }
        }
    }

    /// Takes what has come together, side by side: each waits for its commit only.
    async fn take_all(&mut self, first: Incoming) {
        let mut together = vec![first];
        {
            let mut arrivals = self.arrivals.lock().await;
            while together.len() < AT_ONCE
                && let Ok(incoming) = arrivals.try_recv()
            {
                together.push(incoming);
            }
        }
        let taken = join_all(together.iter().map(|incoming| self.take(incoming))).await;
        for (incoming, taken) in together.into_iter().zip(taken) {
            let waiting = Waiting { since: Monotonic::now(), incoming };
            match taken {
                Taken::Done => {}
                Taken::Unknown => self.early.push(waiting),
                Taken::Failed(error) => {
                    tracing::warn!(%error, channel = self.channel, "an arrival has to wait");
                    self.held.push(waiting);
                }
            }
        }
    }

    /// Tries again what waits; `last`: nothing is tried after this.
    async fn again(&mut self, last: bool) {
        let nothing = self.early.is_empty() && self.held.is_empty();
        if nothing || (!last && self.tried_at.elapsed() < AGAIN.min(self.patience)) {
            return;
        }
        self.tried_at = Monotonic::now();
        let mut broken = false;
        for waiting in std::mem::take(&mut self.held) {
            // While the store is away the rest would only fail too.
            if broken {
                self.held.push(waiting);
                continue;
            }
            match self.take(&waiting.incoming).await {
                Taken::Done => {}
                Taken::Unknown => self.early.push(waiting),
                Taken::Failed(error) => {
                    broken = true;
                    if !self.is_given_up(&waiting, &error).await {
                        self.held.push(waiting);
                    }
                }
            }
        }
        if broken {
            return;
        }
        for waiting in std::mem::take(&mut self.early) {
            match self.take(&waiting.incoming).await {
                Taken::Done => {}
                Taken::Unknown if waiting.since.elapsed() < self.patience => {
                    self.early.push(waiting);
                }
                Taken::Unknown => self.unknown(),
                Taken::Failed(_) => self.held.push(waiting),
            }
        }
        while self.early.len() > EARLY_MAX {
            self.early.remove(0);
            self.unknown();
        }
    }

    fn unknown(&self) {
        self.duty.figures.receipts_unknown.add();
        tracing::warn!(channel = self.channel, "a receipt for no message of ours");
    }

    /// Whether an arrival is given up. What the store is not able to do waits until it is; what
    /// cannot be done although the store works would hold up all others, and is given up once an
    /// alarm of it stands in the store.
    async fn is_given_up(&self, waiting: &Waiting, error: &Error) -> bool {
        let passes =
            matches!(error, Error::Busy(_) | Error::Down(_) | Error::Unknown(_) | Error::Closing);
        if passes || waiting.since.elapsed() < self.patience {
            return false;
        }
        let what = match &waiting.incoming {
            Incoming::Receipt { reference, .. } => format!("the receipt `{reference}`"),
            Incoming::Reply { .. } => "a reply".to_owned(),
        };
        let kind = format!("arrival_lost.{}", self.channel);
        let detail = format!("{what} could not be taken up: {error}");
        if !self.duty.alarmed(&kind, None, None, detail).await {
            return false;
        }
        self.duty.figures.arrivals_lost.add();
        self.duty.gate.figures().channel(&self.channel, |channel| channel.lost += 1);
        true
    }
}

impl Poll for Inbox {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            self.again(false).await;
            if !self.held.is_empty() {
                return Next::In(AGAIN);
            }
            let arrivals = Arc::clone(&self.arrivals);
            let next = timeout(PATIENCE, async { arrivals.lock().await.recv().await }).await;
            match next {
                Ok(Some(first)) => {
                    self.take_all(first).await;
                    Next::Now
                }
                // The channel is gone: nothing will arrive any more.
                Ok(None) => Next::In(Duration::from_secs(30)),
                Err(_) => Next::Now,
            }
        }
        .boxed()
    }

    fn finish(&mut self) -> BoxFuture<'_, ()> {
        async {
            // What was taken from the gateway is not asked of it again.
            loop {
                let next = self.arrivals.lock().await.try_recv();
                let Ok(incoming) = next else { break };
                self.take_all(incoming).await;
            }
            self.again(true).await;
            let (early, lost) = (self.early.len(), self.held.len());
            if early + lost > 0 {
                tracing::error!(
                    early,
                    lost,
                    channel = self.channel,
                    "arrivals are lost at the end"
                );
                self.duty.figures.arrivals_lost.add_many(lost);
                let kind = format!("arrival_lost.{}", self.channel);
                let detail = format!(
                    "the service ended with {lost} arrivals not taken up, and {early} receipts for \
                     messages not known yet"
                );
                self.duty.alarm(&kind, None, None, detail).await;
            }
        }
        .boxed()
    }
}
