//! One alert to one person on one channel: a row of the outbox.

use serde::{Deserialize, Serialize};

use super::id::{InstanceId, JurisdictionId, MessageId, PersonId};
use super::instant::Instant;

/// An alert on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id, the same in every attempt.
    pub id: MessageId,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// About which instance …
    pub instance: InstanceId,
    /// … and which of its events.
    pub seq: i64,
    /// To whom.
    pub person: PersonId,
    /// `sms`, `email`, `console` …
    pub channel: String,
    /// The matter's tier rank: graver ones leave first.
    pub tier: i64,
    /// Subject, in Chinese.
    pub subject: String,
    /// The text, in Chinese.
    pub body: String,
    /// When it was written.
    pub created_at: Instant,
    /// The next attempt is not before this.
    pub due_at: Instant,
    /// Attempts so far.
    pub attempts: i64,
    /// Where it stands.
    pub state: Delivery,
    /// When it was handed over, if it was.
    pub sent_at: Option<Instant>,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Waiting for its turn or its next attempt.
    Waiting,
    /// Handed over to the channel.
    Sent,
    /// Given up.
    Failed,
}

impl Delivery {
    /// The word that is stored and shown.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    /// The delivery of a stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Waiting, Self::Sent, Self::Failed].into_iter().find(|state| state.code() == code)
    }
}
