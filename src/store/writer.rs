//! Transactions: begun, committed or rolled back as a whole, on a connection of their own.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::connection::{Connection, Purpose, each};
use super::error::Error;
use super::pool::Reader;
use super::statement::{Cell, Statement};
use super::{Kind, Store};
use crate::domain::Instant;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

/// One dedicated connection that writes. Reconnects by itself after the connection was lost.
pub struct Writer {
    store: Store,
    reader: Option<Reader>,
}

impl Writer {
    pub(super) fn new(store: Store) -> Result<Self, Error> {
        let reader = reader(&store)?;
        Ok(Self { store, reader: Some(reader) })
    }

    /// Does `work` in one transaction: commits when it answers `Ok`, rolls back when it answers an
    /// error. On SQLite it waits for its turn first. Blocks: call it from a thread that may.
    ///
    /// # Errors
    /// What `work` answers; [`Error::Busy`] or [`Error::Down`] when nothing was written;
    /// [`Error::Unknown`] when the commit's outcome is not known.
    pub fn transaction<T>(
        &mut self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let store = self.store.clone();
        let _turn = store.turn()?;
        // Taken out while it works: after a panic or a lost connection the next call reconnects.
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => reader(&store)?,
        };
        let begin = match store.kind() {
            Kind::Sqlite => "BEGIN IMMEDIATE",
            Kind::Postgres => "BEGIN",
        };
        match reader.connection.run(begin) {
            Ok(()) => {}
            Err(error @ Error::Busy(_)) => {
                self.reader = Some(reader);
                return Err(error);
            }
            Err(error) => return Err(Error::Down(error.to_string())),
        }
        let outcome = work(&mut Transaction { reader: &mut reader, now: None });
        let (outcome, good) = end(&mut reader.connection, outcome);
        if good {
            self.reader = Some(reader);
        }
        outcome
    }
}

/// A connection of its own that writes.
fn reader(store: &Store) -> Result<Reader, Error> {
    let shared = Arc::clone(&store.inner.shared);
    Ok(Reader { connection: store.connect(Purpose::Write)?, shared })
}

/// Commits or rolls back; says whether the connection is still good.
fn end<T>(connection: &mut Connection, outcome: Result<T, Error>) -> (Result<T, Error>, bool) {
    match outcome {
        Ok(value) => match connection.run(commit(connection)) {
            Ok(()) => (Ok(value), true),
            Err(error) => not_committed(connection, error),
        },
        Err(error) => match connection.run("ROLLBACK") {
            Ok(()) => (Err(error), true),
            // The connection is gone, or SQLite has rolled back by itself (disk full): a new
            // connection is the clean start in both cases, and dropping this one rolls back.
            Err(_) if !matches!(error, Error::Database(_)) => (Err(error), false),
            Err(gone) => (Err(Error::Down(format!("{error}; {gone}"))), false),
        },
    }
}

/// PostgreSQL answers COMMIT of a transaction in which a statement failed with a silent rollback;
/// the SELECT in the same round trip turns that into an error.
fn commit(connection: &Connection) -> &'static str {
    match connection {
        Connection::Sqlite(_) => "COMMIT",
        Connection::Postgres(_) => "SELECT 1; COMMIT",
    }
}

/// What a failed commit means.
fn not_committed<T>(connection: &mut Connection, error: Error) -> (Result<T, Error>, bool) {
    let rolled_back = connection.run("ROLLBACK").is_ok();
    match (&connection, &error) {
        // The server itself said that it did not commit, and still answers.
        (Connection::Postgres(_), _) if rolled_back => (Err(error), true),
        // SQLite did not get the lock; it says so before anything is written to the disk.
        (Connection::Sqlite(_), Error::Busy(_) | Error::Refused(_)) => (Err(error), rolled_back),
        _ => (Err(Error::Unknown(error.to_string())), false),
    }
}

/// The time of PostgreSQL's server, in milliseconds.
pub(super) const SERVER_TIME: &str = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// An open transaction. Everything that a [`Reader`] can look up can be looked up here too, and
/// sees what was written so far. Work that saw an error must answer it: after a failed statement
/// PostgreSQL refuses the rest of the transaction.
pub struct Transaction<'a> {
    reader: &'a mut Reader,
    now: Option<Instant>,
}

impl Deref for Transaction<'_> {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        self.reader
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Reader {
        self.reader
    }
}

impl Transaction<'_> {
    /// Whether SQLite fills with zeros what is written over or deleted from now on, so that nobody reads
    /// it in the file; PostgreSQL's `VACUUM` gives such room back.
    ///
    /// # Errors
    /// As for any statement.
    pub(super) fn overwrite(&mut self, wanted: bool) -> Result<(), Error> {
        let Connection::Sqlite(_) = self.connection else { return Ok(()) };
        let word = if wanted { "ON" } else { "OFF" };
        self.connection.run(&format!("PRAGMA secure_delete = {word}"))
    }

    /// The server's time on PostgreSQL, read once per transaction when first asked; none on SQLite,
    /// where the process's own clock is the authority.
    ///
    /// # Errors
    /// As for any statement.
    pub fn now(&mut self) -> Result<Option<Instant>, Error> {
        if let (Connection::Postgres(_), None) = (&self.reader.connection, self.now) {
            let now = self.reader.connection.integer(format!("SELECT {SERVER_TIME}"))?;
            self.now = Some(Instant(now));
        }
        Ok(self.now)
    }

    /// Takes the server's time that came with something else, unless it is known already.
    pub(super) fn know(&mut self, now: Option<Instant>) {
        self.now = self.now.or(now);
    }

    /// Takes a block of `count` ids for things called `name` (`instance`, `message`, …) and answers
    /// the first; the ids up to `first + count - 1` are the caller's, on no other node and never
    /// again, unless this transaction is rolled back. Ids begin with 1. Use a transaction of its
    /// own: the row stays locked until the commit.
    ///
    /// # Errors
    /// As for any statement.
    pub fn reserve_ids(&mut self, name: &str, count: i64) -> Result<i64, Error> {
        let cells = [Cell::from(name), Cell::from(count), Cell::from(count)];
        let statement = Statement::<BigInt>::new(
            "INSERT INTO id_block (name, next) VALUES (?, 1 + CAST(? AS BIGINT)) \
             ON CONFLICT (name) DO UPDATE SET next = id_block.next + CAST(? AS BIGINT) \
             RETURNING next",
            &cells,
        );
        let next: i64 =
            each!(&mut self.connection, connection => statement.get_result(connection))?;
        Ok(next - count)
    }

    /// Makes sure that a block begins after `id`, which was given by hand.
    pub(super) fn skip_ids(&mut self, name: &str, id: i64) -> Result<(), Error> {
        let cells = [Cell::from(name), Cell::from(id), Cell::from(id), Cell::from(id)];
        let statement = Statement::<()>::new(
            "INSERT INTO id_block (name, next) VALUES (?, 1 + CAST(? AS BIGINT)) \
             ON CONFLICT (name) DO UPDATE SET next = CASE WHEN id_block.next > CAST(? AS BIGINT) \
             THEN id_block.next ELSE 1 + CAST(? AS BIGINT) END",
            &cells,
        );
        each!(&mut self.connection, connection => statement.execute(connection))?;
        Ok(())
    }
}
