//! Ways to reach a person. A channel hands one message to one outside service and says how that
//! went; who is told, when, and how often it is tried is not its business.

mod console;
mod log;

use futures_util::future::BoxFuture;

use crate::domain::{Message, Person};

pub use console::Console;
pub use log::{Error, Log};

/// How handing a message over went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The outside service has taken it.
    Accepted,
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

/// A way to reach a person.
pub trait Channel: Send + Sync {
    /// What it is, for logs and metrics: `log`, `console`, `email` …
    fn name(&self) -> &str;

    /// Hands a message over. The message's id is the same in every attempt; `attempts` counts this
    /// one. May be cancelled by dropping.
    fn send<'a>(&'a self, message: &'a Message, person: &'a Person) -> BoxFuture<'a, Outcome>;
}
