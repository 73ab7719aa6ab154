//! How the channels stand: what each did since this process began, whether its service works, and
//! what waits for it.

use std::collections::BTreeMap;

use super::error::Error;
use super::{Caller, Gate};
use crate::domain::{Instant, Wire};
use crate::policy::Act;
use crate::store::{NewAlarm, Queue};

/// What one channel did since this process began, and how it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelFigures {
    /// What it is: `smtp`, `smpp`, `gateway`, `http`, `log`, `console`.
    pub kind: String,
    /// How the line to its service is protected.
    pub wire: Wire,
    /// Messages handed over.
    pub sent: u64,
    /// Attempts after which a message is tried again.
    pub retried: u64,
    /// Messages given up on it.
    pub failed: u64,
    /// Attempts of which nobody knows whether they arrived.
    pub unknown: u64,
    /// Messages that reached the device, as the gateway says.
    pub delivered: u64,
    /// Messages that had been taken and did not arrive, as the gateway says.
    pub bounced: u64,
    /// Replies that came in by it.
    pub replies: u64,
    /// Receipts and replies that could not be taken up.
    pub lost: u64,
    /// Its breaker: `closed` (letters go), `open` (it rests), `trying`; empty: it has sent nothing.
    pub breaker: &'static str,
    /// Its last self-test.
    pub test: Option<SelfTested>,
}

/// How a self-test went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfTested {
    /// When.
    pub at: Instant,
    /// Whether the service is there and takes what would be sent.
    pub works: bool,
    /// What was said if not, without addresses.
    pub why: String,
}

/// A channel with what waits for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelState {
    /// What workflows call it.
    pub name: String,
    /// What it did.
    pub figures: ChannelFigures,
    /// Messages that wait.
    pub waiting: i64,
    /// When the oldest of them was written.
    pub oldest: Option<Instant>,
}

impl Gate {
    /// Tables of what happened that the service's role at the database may change although they are only
    /// added to. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn rewritable(&self) -> Result<Vec<String>, Error> {
        self.read(|reader| reader.rewritable())
    }

    /// How the line to the database is protected.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.inner.store.wire()
    }

    /// Every channel that is set up, and every other one on which messages wait, in order of name.
    /// For those who operate the house. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub fn channels(&self, caller: &Caller) -> Result<Vec<ChannelState>, Error> {
        self.permit(caller, Act::SeeOperation)?;
        let mut states: BTreeMap<String, ChannelState> = self
            .figures()
            .channels()
            .into_iter()
            .map(|(name, figures)| {
                (name.clone(), ChannelState { name, figures, waiting: 0, oldest: None })
            })
            .collect();
        for Queue { channel, waiting, oldest } in self.queues()? {
            let state = states.entry(channel.clone()).or_insert_with(|| ChannelState {
                name: channel,
                figures: ChannelFigures::default(),
                waiting: 0,
                oldest: None,
            });
            (state.waiting, state.oldest) = (waiting, oldest);
        }
        Ok(states.into_values().collect())
    }

    /// Notes how a channel's self-test went: a failure is an operator alarm, which ends when a
    /// later test succeeds. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn note_self_test(&self, channel: &str, test: SelfTested) -> Result<(), Error> {
        let SelfTested { at, works, why } = test.clone();
        let alarm = NewAlarm {
            kind: format!("channel_test.{channel}"),
            jurisdiction: None,
            instance: None,
            at,
            detail: format!("the channel `{channel}` failed its self-test: {why}"),
        };
        self.figures().channel(channel, |figures| figures.test = Some(test));
        self.write_and_ring(|transaction| {
            if works { transaction.clear_alarm_of(&alarm) } else { transaction.raise_alarm(&alarm) }
        })
        .map(drop)
    }
}
