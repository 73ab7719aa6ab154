//! What can go wrong with the store, told apart by what the caller can do about it.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address names no database that can be opened. Nothing was created.
    #[error("the database address `{address}` cannot be used: {reason}")]
    Address {
        /// The address, without a password.
        address: String,
        /// What is wrong, and how to mend it.
        reason: String,
    },
    /// Another process, or another store of this process, has the SQLite file.
    #[error(
        "`{path}` is in use by another process (its lock file is taken); stop that process first: only one may write a SQLite database"
    )]
    Locked {
        /// The lock file.
        path: String,
    },
    /// The database program itself is unsuitable.
    #[error("{0}")]
    Unsuitable(String),
    /// A migration failed; the schema is as it was before that migration.
    #[error("the schema could not be changed: {0}")]
    Migration(String),
    /// Another transaction was in the way, or all connections were busy. Nothing was written: try
    /// again.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// The connection broke during the commit: it may or may not have been made. Read again, or
    /// repeat with the same idempotency key; never report success.
    #[error("it is not known whether the transaction was committed: {0}")]
    Unknown(String),
    /// A row had another version than expected, or a unique row existed already. Nothing was
    /// written: load again and decide again.
    #[error("conflict with another writer: {0}")]
    Conflict(String),
    /// The database cannot be reached or cannot write (disk full, read-only). Nothing was written.
    #[error("the database does not answer: {0}")]
    Down(String),
    /// What was read is not what was written, or the file is damaged: an operator must look.
    #[error("damaged data in {place}: {detail}")]
    Corrupt {
        /// Where.
        place: String,
        /// What was found.
        detail: String,
    },
    /// Something is kept locked, and the keys at hand do not open it; or there are no keys to be read.
    #[error("{0}")]
    Keys(String),
    /// What is kept locked was altered, moved here from elsewhere, or is locked by another key of the
    /// same name.
    #[error("{0}")]
    Altered(String),
    /// The rows break a rule of the schema (a missing parent row, a NULL): a fault of the caller.
    #[error("the database refused the rows: {0}")]
    Refused(String),
    /// Anything else that the database said.
    #[error("database error: {0}")]
    Database(String),
}

impl Error {
    /// Damaged data found while reading `place`.
    pub(super) fn corrupt(place: impl Into<String>, detail: impl std::fmt::Display) -> Self {
        Self::Corrupt { place: place.into(), detail: detail.to_string() }
    }
}

impl From<crate::vault::Error> for Error {
    fn from(error: crate::vault::Error) -> Self {
        match error {
            crate::vault::Error::Altered { .. } => Self::Altered(error.to_string()),
            other => Self::Keys(other.to_string()),
        }
    }
}

impl From<Diesel> for Error {
    fn from(error: Diesel) -> Self {
        match error {
            Diesel::DatabaseError(kind, information) => {
                let mut text = information.message().to_owned();
                if let Some(details) = information.details() {
                    text = format!("{text} ({details})");
                }
                by_kind(&kind, text)
            }
            Diesel::DeserializationError(cause) => Self::corrupt("a row", cause),
            other => Self::Database(other.to_string()),
        }
    }
}

fn by_kind(kind: &DatabaseErrorKind, text: String) -> Error {
    match kind {
        DatabaseErrorKind::UniqueViolation => Error::Conflict(text),
        DatabaseErrorKind::SerializationFailure => Error::Busy(text),
        DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::ReadOnlyTransaction => Error::Down(text),
        DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => Error::Refused(text),
        _ => by_text(text),
    }
}

/// diesel hands on neither SQLSTATE nor SQLite's code, only the sentence. SQLite's sentences are
/// fixed; PostgreSQL's are these unless the server's `lc_messages` says otherwise, and then the
/// error stays [`Error::Database`]: less precise, never wrong.
fn by_text(text: String) -> Error {
    let has = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    if has(&["database is locked", "database table is locked", "deadlock detected"])
        || has(&["canceling statement due to", "could not obtain lock"])
    {
        return Error::Busy(text);
    }
    if has(&["database disk image is malformed", "file is not a database"]) {
        return Error::corrupt("the database file", text);
    }
    if has(&["disk I/O error", "database or disk is full", "unable to open database"])
        || has(&["attempt to write a readonly database", "No space left on device"])
        || has(&["terminating connection", "server closed the connection", "no connection to"])
        || has(&["could not receive data", "could not send data", "the database system is"])
        || has(&["read-only transaction"])
    {
        return Error::Down(text);
    }
    Error::Database(text)
}
