//! What gateways tell by themselves: receipts become facts of the matter, replies are done and
//! answered.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::sync::Mutex;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Instant as Monotonic, timeout};

use super::{Duty, Next, Poll};
use crate::channel::Incoming;
use crate::gate::{Became, DeliveryReport, Error};

/// What comes in on a channel; kept apart from the loop, so that a loop that broke loses nothing.
pub type Arrivals = Arc<Mutex<UnboundedReceiver<Incoming>>>;

/// Something is waited for so long, so that the loop can be stopped.
const PATIENCE: Duration = Duration::from_millis(500);

/// A receipt may come before the row knows what the gateway calls the message: it is tried again
/// for so long.
const EARLY: Duration = Duration::from_secs(60);

/// So many arrivals are taken side by side.
const AT_ONCE: usize = 64;

/// Early receipts are tried again this often.
const AGAIN: Duration = Duration::from_secs(1);

/// The loop of one channel's arrivals.
pub struct Inbox {
    duty: Duty,
    channel: String,
    arrivals: Arrivals,
    /// Receipts for messages that are not known yet, and since when.
    early: Vec<(Monotonic, Incoming)>,
    tried_at: Monotonic,
}

impl Inbox {
    /// Reads what arrives on `channel`.
    #[must_use]
    pub fn new(duty: Duty, channel: &str, arrivals: Arrivals) -> Self {
        let tried_at = Monotonic::now();
        Self { duty, channel: channel.to_owned(), arrivals, early: Vec::new(), tried_at }
    }

    /// Takes one arrival; false if it could not be done and is to be tried again.
    async fn take(&self, incoming: &Incoming) -> Result<bool, Error> {
        match incoming {
            Incoming::Receipt { reference, delivered, why } => {
                self.receipt(reference, *delivered, why).await
            }
            Incoming::Reply { from, text } => self.reply(from, text).await.map(|()| true),
        }
    }

    async fn receipt(&self, reference: &str, delivered: bool, why: &str) -> Result<bool, Error> {
        let (channel, name) = (self.channel.clone(), reference.to_owned());
        let found = self.duty.ask(move |gate| gate.message_of_reference(&channel, &name)).await?;
        let Some(message) = found else { return Ok(false) };
        let figures = &self.duty.figures;
        let own = self.duty.gate.figures();
        if delivered {
            figures.messages_delivered.add();
            own.channel(&self.channel, |channel| channel.delivered += 1);
        } else {
            figures.messages_bounced.add();
            own.channel(&self.channel, |channel| channel.bounced += 1);
        }
        let Some(instance) = message.instance else {
            let why = why.to_owned();
            self.duty.ask(move |gate| gate.mark_house(&message, delivered, &why)).await?;
            return Ok(true);
        };
        let became =
            if delivered { Became::Delivered } else { Became::Bounced { why: why.to_owned() } };
        match self.duty.gate.report(DeliveryReport { message: message.id, instance, became }).await
        {
            // Told before: gateways repeat themselves.
            Ok(()) | Err(Error::NotFound) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn reply(&self, from: &str, text: &str) -> Result<(), Error> {
        self.duty.gate.figures().channel(&self.channel, |channel| channel.replies += 1);
        match self.duty.gate.reply(from, text).await? {
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
            if let Err(error) = &taken {
                tracing::warn!(%error, channel = self.channel, "an arrival has to wait");
            }
            if !matches!(taken, Ok(true)) {
                self.early.push((Monotonic::now(), incoming));
            }
        }
    }

    async fn again(&mut self) {
        if self.early.is_empty() || self.tried_at.elapsed() < AGAIN {
            return;
        }
        self.tried_at = Monotonic::now();
        for (since, incoming) in std::mem::take(&mut self.early) {
            match self.take(&incoming).await {
                Ok(true) => {}
                Ok(false) | Err(_) if since.elapsed() < EARLY => {
                    self.early.push((since, incoming));
                }
                Ok(false) => {
                    self.duty.figures.receipts_unknown.add();
                    tracing::warn!(channel = self.channel, "a receipt for no message of ours");
                }
                Err(error) => {
                    tracing::error!(%error, channel = self.channel, "an arrival is given up");
                }
            }
        }
    }
}

impl Poll for Inbox {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            self.again().await;
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
            if !self.early.is_empty() {
                let count = self.early.len();
                tracing::warn!(count, channel = self.channel, "arrivals are left at the end");
            }
        }
        .boxed()
    }
}
