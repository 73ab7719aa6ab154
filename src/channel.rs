//! Ways to reach a person. A channel hands one letter to one outside service and says how that
//! went; who is told, when, and how often it is tried is not its business.

mod answer;
mod console;
pub mod gateway;
pub mod guard;
mod log;
mod post;
mod roots;
pub mod seal;
pub mod smpp;
pub mod smtp;
mod tls;
pub mod webhook;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt, ready};

use crate::domain::{Instant, MessageId, Wire};

pub use crate::domain::Form;
pub use console::Console;
pub use log::{Error, Log};

/// A message made ready for a channel: rendered and addressed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letter {
    /// The message's id, the same in every attempt, so that a second copy can be recognised.
    pub id: MessageId,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// When the message was written.
    pub written_at: Instant,
    /// Where it goes: a telephone number, a mail address, a URL; empty for the console.
    pub address: String,
    /// What the recipient is called.
    pub name: String,
    /// The subject, where a channel has one.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML, where a channel has it.
    pub html: Option<String>,
    /// The same for all letters about one matter, so that mail programs show them together.
    pub thread: Option<String>,
    /// Whether it is urgent.
    pub urgent: bool,
    /// How it is posted, for a webhook.
    pub hook: Option<Hook>,
}

/// How a webhook is posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Hook {
    /// In whose form.
    pub form: Form,
    /// With which secret it is signed.
    pub secret: String,
}

impl std::fmt::Debug for Hook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hook").field("form", &self.form).finish_non_exhaustive()
    }
}

/// How handing a letter over went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The outside service has taken it.
    Accepted {
        /// What it calls the letter: receipts name it so.
        reference: Option<String>,
    },
    /// It has not.
    Refused {
        /// Whether trying again is of no use.
        permanent: bool,
        /// What was said, for the operator; without addresses.
        why: String,
    },
    /// Nobody knows whether it was taken: it is sent again under the same id, and the person may
    /// see it twice.
    Unknown {
        /// What happened, for the operator; without addresses.
        why: String,
    },
}

impl Outcome {
    /// Taken, and the service has no name for it.
    pub const ACCEPTED: Self = Self::Accepted { reference: None };

    /// Not taken now; it may be taken later.
    pub fn later(why: impl Into<String>) -> Self {
        Self::Refused { permanent: false, why: why.into() }
    }

    /// Not taken, now or later.
    pub fn never(why: impl Into<String>) -> Self {
        Self::Refused { permanent: true, why: why.into() }
    }

    /// Nobody knows.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown { why: why.into() }
    }
}

/// What a service tells by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// What became of a letter that it had taken.
    Receipt {
        /// What the service calls the letter.
        reference: String,
        /// Whether it reached the device.
        delivered: bool,
        /// What was said, for the operator; without addresses.
        why: String,
    },
    /// Somebody answered.
    Reply {
        /// The number it came from.
        from: String,
        /// What it says.
        text: String,
    },
}

/// Where a channel puts what comes in. It is bounded: when it is full, the service outside is told
/// to bring it later, and keeps it meanwhile.
pub type Inbox = tokio::sync::mpsc::Sender<Incoming>;

/// What comes in on a channel; kept apart from the loop that takes it up, so that a loop that broke
/// loses nothing.
pub type Arrivals = Arc<tokio::sync::Mutex<tokio::sync::mpsc::Receiver<Incoming>>>;

/// As much as an inbox holds: more than one post of a gateway can hold.
pub const INBOX_MAX: usize = 32_768;

/// An inbox for so many arrivals, and where they are taken up.
#[must_use]
pub fn inbox(most: usize) -> (Inbox, Arrivals) {
    let (inbox, arrivals) = tokio::sync::mpsc::channel(most.max(1));
    (inbox, Arc::new(tokio::sync::Mutex::new(arrivals)))
}

/// What time it is, for channels that sign with the time: this room may not read a clock itself.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// What keeps a channel from being set up: a setting that cannot work, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {why}")]
pub struct Setup {
    /// The setting.
    pub key: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl Setup {
    fn new(key: &'static str, why: impl ToString) -> Self {
        Self { key, why: why.to_string() }
    }

    /// Refuses a line that others can read, unless the settings say that it may be so.
    fn unless_clear(wire: Wire, key: &'static str, allowed: bool) -> Result<(), Self> {
        if wire != Wire::Clear || allowed {
            return Ok(());
        }
        let why = "passwords and messages would go to another machine in clear text: let the line be \
                   protected by TLS, or say allow_clear_text = true, which raises an alarm";
        Err(Self::new(key, why))
    }
}

/// A way to reach a person.
pub trait Channel: Send + Sync {
    /// What it is, for logs and metrics: `log`, `console`, `smtp`, `smpp` …
    fn name(&self) -> &str;

    /// How the line to the service is protected.
    fn wire(&self) -> Wire {
        Wire::Here
    }

    /// Hands a letter over. May be cancelled by dropping, which leaves the outcome unknown.
    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome>;

    /// Tries whether the service is there and takes what we would send, without telling anybody
    /// anything.
    fn test(&self) -> BoxFuture<'_, Outcome> {
        ready(Outcome::ACCEPTED).boxed()
    }

    /// Takes leave of the service, where that is polite; nothing is sent afterwards.
    fn close(&self) -> BoxFuture<'_, ()> {
        ready(()).boxed()
    }

    /// Reads what the service posts to us by HTTP (receipts, replies).
    ///
    /// # Errors
    /// Why it cannot be read, for the service's operator.
    fn receive(&self, body: &[u8]) -> Result<Vec<Incoming>, String> {
        let (name, size) = (self.name(), body.len());
        Err(format!("the channel `{name}` takes nothing by HTTP; {size} bytes were not read"))
    }
}
