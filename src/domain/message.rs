//! One message to one person, or to one unit's system, on one channel: a row of the outbox.

use serde::{Deserialize, Serialize};

use super::id::{InstanceId, JurisdictionId, MessageId, PersonId, SubscriptionId};
use super::instant::Instant;
use super::tier::Tier;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id, the same in every attempt.
    pub id: MessageId,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// About which instance (none: a message of the house itself) …
    pub instance: Option<InstanceId>,
    /// … and which of its events (0: none).
    pub seq: i64,
    /// To whom.
    pub to: Recipient,
    /// `sms`, `email`, `console`, `webhook` …
    pub channel: String,
    /// What it is for.
    pub kind: Kind,
    /// The matter's tier rank: graver ones leave first.
    pub tier: i64,
    /// Neither bundled with others nor held back by quiet hours or a mute.
    pub urgent: bool,
    /// The clock whose ladder speaks, and the state entry that armed it.
    pub clock: Option<(String, i64)>,
    /// The command that the link in it, or the reply to it, may give.
    pub offer: Option<String>,
    /// Subject, in the person's language.
    pub subject: String,
    /// The text, in the person's language; for a system, what is posted.
    pub body: String,
    /// When it was written.
    pub created_at: Instant,
    /// The next attempt is not before this.
    pub due_at: Instant,
    /// Given up on this channel if it was not handed over by then.
    pub deadline_at: Instant,
    /// Attempts so far.
    pub attempts: i64,
    /// Those of them of which nobody knows whether the message arrived: each may have left a copy.
    pub unknowns: i64,
    /// Where it stands.
    pub state: Delivery,
    /// When it was handed over, if it was.
    pub sent_at: Option<Instant>,
    /// What the gateway calls it: receipts name it so.
    pub reference: Option<String>,
    /// When it reached the device, as the gateway says.
    pub delivered_at: Option<Instant>,
    /// When the person acknowledged it.
    pub acknowledged_at: Option<Instant>,
    /// The message on another channel that was given up before this one was written.
    pub instead_of: Option<MessageId>,
    /// The message in whose summary it left.
    pub bundle: Option<MessageId>,
    /// What the last failed attempt said.
    pub error: Option<String>,
}

impl Message {
    /// A message that waits, with no words yet: of the house itself, of ordinary tier, not urgent, to be
    /// sent at `at` and given up after `patience_ms`.
    #[must_use]
    pub fn new(
        jurisdiction: JurisdictionId,
        to: Recipient,
        kind: Kind,
        at: Instant,
        patience_ms: i64,
    ) -> Self {
        Self {
            id: MessageId(0),
            jurisdiction,
            instance: None,
            seq: 0,
            to,
            channel: String::new(),
            kind,
            tier: Tier::Ordinary.rank(),
            urgent: false,
            clock: None,
            offer: None,
            subject: String::new(),
            body: String::new(),
            created_at: at,
            due_at: at,
            deadline_at: at.plus(patience_ms),
            attempts: 0,
            unknowns: 0,
            state: Delivery::Waiting,
            sent_at: None,
            reference: None,
            delivered_at: None,
            acknowledged_at: None,
            instead_of: None,
            bundle: None,
            error: None,
        }
    }
}

/// To whom a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person.
    Person(PersonId),
    /// A unit's own system, or a robot of a chat group.
    Subscription(SubscriptionId),
}

impl Recipient {
    /// The person, if it is one.
    #[must_use]
    pub fn person(self) -> Option<PersonId> {
        match self {
            Self::Person(id) => Some(id),
            Self::Subscription(_) => None,
        }
    }
}

/// A closed set of words that are stored and shown.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$about])* $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word that is stored and shown.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// What a stored word means.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.code() == code)
            }
        }
    };
}

pub(super) use words;

words!(
    /// Where a message stands.
    Delivery {
        /// Waiting for its turn or its next attempt.
        Waiting = "waiting",
        /// Handed over to the channel.
        Sent = "sent",
        /// On the person's device, as the gateway says.
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
    }
);

words!(
    /// What a message is for.
    Kind {
        /// A workflow tells somebody about a matter.
        Alert = "alert",
        /// A code that proves an address.
        Code = "code",
        /// The answer to a reply by SMS.
        Reply = "reply",
        /// The daily overview.
        Digest = "digest",
        /// Word of a mute: that it began, that it goes on, what waited.
        Mute = "mute",
        /// What the shift before leaves.
        Handover = "handover",
        /// What an operator must look at has come up.
        Alarm = "alarm",
        /// A gap in the roster, or somebody who cannot be reached.
        Coverage = "coverage",
        /// A signed statement of where all chains of events stand.
        Checkpoint = "checkpoint",
        /// A trial.
        Test = "test",
        /// A change, told to a unit's system.
        Change = "change",
    }
);
