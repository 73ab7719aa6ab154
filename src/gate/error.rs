//! Why the door did not do it.

use crate::domain::{Refusal, Text};
use crate::store;

/// Why something was not done. Nothing has changed, except after `Unknown`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The workflow, or a rule of the house, says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such thing, or the caller may not know that there is.
    #[error("not found")]
    NotFound,
    /// None of the caller's roles allows it.
    #[error("none of the caller's roles allows this")]
    Forbidden,
    /// The instance has moved on since the caller looked, or is not shown to him as it stands now.
    #[error("the instance is no longer as the caller saw it")]
    Stale {
        /// Where it is, for whom that is shown.
        now: Option<i64>,
    },
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// What was sent makes no sense; the sentence says why.
    #[error("{}", .0.en)]
    Invalid(Text),
    /// A definition with findings that forbid publication.
    #[error("the definition has errors")]
    Broken(Vec<crate::chart::Finding>),
    /// Try again.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// The store does not answer; nothing was done.
    #[error("the store does not answer: {0}")]
    Down(String),
    /// It is not known whether it was done: repeat it with the same idempotency key.
    #[error("it is not known whether this was done: {0}")]
    Unknown(String),
    /// The house is being left.
    #[error("the service is stopping")]
    Closing,
    /// Something that should not be.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Error {
    /// What makes no sense, in both languages.
    pub fn invalid(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Invalid(Text::new(zh, en))
    }
}

/// A refusal with a code, in both languages.
pub(super) fn refused(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Error {
    Refusal::new(code, Text::new(zh, en)).into()
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Busy(what) | store::Error::Conflict(what) => Self::Busy(what),
            store::Error::Down(what) => Self::Down(what),
            store::Error::Unknown(what) => Self::Unknown(what),
            other => Self::Internal(other.to_string()),
        }
    }
}
