//! How attempts ended: recorded in their rows, and told to the matters they were about.

use std::sync::Arc;

use super::{Attempt, Outbox};
use crate::channel::Outcome;
use crate::domain::{Instant, Message, MessageId};
use crate::gate::{Became, DeliveryReport, Ending, Error, Parcel, Settled};

/// A message that was given up: its matter is to be told.
pub(super) struct Untold {
    message: Message,
    report: DeliveryReport,
    why: String,
}

impl Outbox {
    /// Attempts of which nobody knows whether they arrived.
    pub(super) fn count_unknown(&self, count: usize) {
        self.duty.figures.messages_unknown.add_many(count);
        let more = u64::try_from(count).unwrap_or(0);
        self.duty.gate.figures().channel(&self.name, |channel| channel.unknown += more);
    }

    /// Records how attempts ended. What cannot be recorded is kept for the next turn; what is
    /// recorded is neither recorded nor counted again.
    pub(super) async fn settle(&mut self) -> Result<(), Error> {
        self.settle_rows().await?;
        self.tell().await;
        Ok(())
    }

    async fn settle_rows(&mut self) -> Result<(), Error> {
        if self.ended.is_empty() {
            return Ok(());
        }
        let now = self.duty.gate.now();
        let figures = Arc::clone(&self.duty.figures);
        let mut endings: Vec<Ending> = Vec::new();
        let mut of_house: Vec<(Message, String)> = Vec::new();
        let mut untold: Vec<Untold> = Vec::new();
        for Attempt { parcel, outcome } in &self.ended {
            for message in &parcel.messages {
                match (self.judge(message, parcel, outcome, now), message.instance) {
                    (Settled::Failed { error, .. }, None) => {
                        of_house.push((message.clone(), error));
                    }
                    (Settled::Failed { error, unknown }, Some(instance)) => {
                        let (attempts, why) = (message.attempts, error.clone());
                        let became = Became::GivenUp { attempts, why, unknown };
                        let report = DeliveryReport { message: message.id, instance, became };
                        untold.push(Untold { message: message.clone(), report, why: error });
                    }
                    (settled, _) => endings.push((message.id, message.attempts, settled)),
                }
            }
        }
        let (again, sent): (Vec<&Ending>, Vec<&Ending>) =
            endings.iter().partition(|ending| matches!(ending.2, Settled::Again { .. }));
        let (again, sent) = (again.len(), sent.len());
        let house = of_house.len();
        if !endings.is_empty() || house > 0 {
            self.duty.ask(move |gate| gate.settle_messages(&endings, &of_house)).await?;
        }
        let unknown = |one: &&Attempt| matches!(one.outcome, Outcome::Unknown { .. });
        self.count_unknown(self.ended.iter().filter(unknown).count());
        self.ended.clear();
        self.untold.append(&mut untold);
        figures.messages_sent.add_many(sent);
        figures.messages_retried.add_many(again);
        self.count_failed(house);
        self.duty.gate.figures().channel(&self.name, |channel| {
            channel.sent += u64::try_from(sent).unwrap_or(0);
            channel.retried += u64::try_from(again).unwrap_or(0);
            channel.breaker = self.guard.state().code();
        });
        Ok(())
    }

    fn count_failed(&self, count: usize) {
        self.duty.figures.messages_failed.add_many(count);
        let more = u64::try_from(count).unwrap_or(0);
        self.duty.gate.figures().channel(&self.name, |channel| channel.failed += more);
    }

    /// Tells matters what became of messages about them, each by itself: one that cannot be told
    /// keeps no other waiting.
    async fn tell(&mut self) {
        for untold in std::mem::take(&mut self.untold) {
            match self.duty.gate.report(untold.report.clone()).await {
                Ok(()) => self.count_failed(1),
                // Somebody else has settled it meanwhile.
                Err(Error::NotFound) => {}
                Err(
                    error @ (Error::Busy(_) | Error::Down(_) | Error::Unknown(_) | Error::Closing),
                ) => {
                    tracing::warn!(%error, channel = self.name, "a matter is told later");
                    self.untold.push(untold);
                }
                Err(error) => self.tell_operator(untold, &error).await,
            }
        }
    }

    /// A matter that cannot take the word: its row, the alarm and the person's next channel do
    /// without it.
    async fn tell_operator(&mut self, untold: Untold, error: &Error) {
        tracing::error!(%error, channel = self.name, "a matter cannot be told of a message");
        let Untold { message, why, .. } = &untold;
        let why = format!("{why}; and its matter could not be told: {error}");
        let failed = [(message.clone(), why)];
        match self.duty.ask(move |gate| gate.settle_messages(&[], &failed)).await {
            Ok(()) => self.count_failed(1),
            Err(error) => {
                tracing::error!(%error, channel = self.name, "nor can its row be settled");
                self.untold.push(untold);
            }
        }
    }

    fn judge(
        &self,
        message: &Message,
        parcel: &Parcel,
        outcome: &Outcome,
        now: Instant,
    ) -> Settled {
        let (error, unknown) = match outcome {
            Outcome::Accepted { reference } => {
                let (reference, bundle) = (reference.clone(), message.bundle);
                return Settled::Sent { at: now, reference, bundle };
            }
            Outcome::Refused { permanent: true, why } => {
                return Settled::Failed { error: why.clone(), unknown: false };
            }
            Outcome::Refused { permanent: false, why } => (why.clone(), false),
            Outcome::Unknown { why } => (why.clone(), true),
        };
        if now >= message.deadline_at {
            return Settled::Failed { error, unknown };
        }
        // What left together comes back together. The last attempt is made when the first of them
        // would be given up.
        let deadlines = parcel.messages.iter().map(|one| one.deadline_at);
        let deadline = deadlines.filter(|deadline| *deadline > now).min();
        let first = parcel.messages.first().unwrap_or(message);
        let due_at = now.plus(self.wait(first, parcel.id()));
        let due_at = due_at.min(deadline.unwrap_or(message.deadline_at));
        let bundle = message.bundle.filter(|_| unknown || message.unknowns > 0);
        Settled::Again { due_at, error, unknown, bundle }
    }

    /// Doubled with each attempt; spread by the letter's id, so that many that failed together do
    /// not come back together. Of its time a message does not wait more than a quarter at once.
    fn wait(&self, message: &Message, letter: MessageId) -> i64 {
        let doubled = message.attempts.clamp(1, 20) - 1;
        let factor = 1_i64 << doubled;
        let quarter = message.deadline_at.since(message.created_at) / 4;
        let longest = self.options.retry_max_ms.min(quarter.max(self.options.retry_ms));
        let wait = self.options.retry_ms.saturating_mul(factor).min(longest);
        let spread = letter.0.wrapping_mul(2_654_435_761).rem_euclid(wait / 4 + 1);
        wait.saturating_add(spread)
    }
}
