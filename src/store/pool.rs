//! The read connections: opened when first needed, never more than allowed, waited for.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::connection::Connection;
use super::error::Error;
use super::shared::Shared;
use super::statement::Statement;

/// Reads. Every function that looks something up is here or on this type in the file of its
/// subject; [`super::Transaction`] can do all of it as well.
pub struct Reader {
    pub(super) connection: Connection,
    pub(super) shared: Arc<Shared>,
}

impl Reader {
    /// Does `work` between `begin` and COMMIT, or ROLLBACK when it fails. Says whether the
    /// connection is still good.
    fn within<T>(
        &mut self,
        begin: &str,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> (Result<T, Error>, bool) {
        if let Err(error) = self.connection.run(begin) {
            return (Err(error), false);
        }
        match work(self) {
            Ok(value) => match self.connection.run("COMMIT") {
                Ok(()) => (Ok(value), true),
                Err(error) => (Err(error), false),
            },
            Err(error) => (Err(error), self.connection.run("ROLLBACK").is_ok()),
        }
    }

    /// The settings of the database server under which a commit may be lost when its machine loses
    /// power, in order of name: to be shown to the operator at start. Empty on SQLite, where the
    /// store sets what is needed itself.
    ///
    /// # Errors
    /// As for any statement.
    pub fn weak_settings(&mut self) -> Result<Vec<String>, Error> {
        let Connection::Postgres(connection) = &mut self.connection else {
            return Ok(Vec::new());
        };
        let statement = Statement::<Text>::new(
            "SELECT name FROM pg_settings WHERE setting = 'off' \
             AND name IN ('fsync', 'full_page_writes', 'synchronous_commit') ORDER BY name",
            &[],
        );
        Ok(statement.load(connection)?)
    }
}

/// Some readers at rest, and how many exist.
pub(super) struct Pool {
    state: Mutex<State>,
    free: Condvar,
    most: usize,
    shared: Arc<Shared>,
}

struct State {
    idle: Vec<Reader>,
    open: usize,
}

impl Pool {
    pub(super) fn new(most: usize, shared: Arc<Shared>) -> Self {
        let state = State { idle: Vec::new(), open: 0 };
        Self { state: Mutex::new(state), free: Condvar::new(), most, shared }
    }

    /// A reader, opened by `open` if none rests and one more is allowed.
    pub(super) fn lend(
        &self,
        wait_ms: u32,
        open: impl FnOnce() -> Result<Connection, Error>,
    ) -> Result<Lent<'_>, Error> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = Duration::from_millis(wait_ms.into());
        let (mut state, _) = self
            .free
            .wait_timeout_while(state, wait, |state| {
                state.idle.is_empty() && state.open >= self.most
            })
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = state.idle.pop() {
            return Ok(Lent { pool: self, reader: Some(reader) });
        }
        if state.open >= self.most {
            return Err(Error::Busy(format!(
                "all {} read connections were in use for {wait_ms} ms",
                self.most
            )));
        }
        state.open += 1;
        drop(state);
        // From here on the place is given back by `Lent`, also when opening fails.
        let mut lent = Lent { pool: self, reader: None };
        let shared = Arc::clone(&self.shared);
        lent.reader = Some(Reader { connection: open()?, shared });
        Ok(lent)
    }

    /// Closes the readers that rest: their cached statements belong to an older schema.
    pub(super) fn close_idle(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open -= state.idle.len();
        state.idle.clear();
    }
}

/// A reader on loan; its place in the pool is free again when this is dropped, and the reader
/// rests there if it is still good.
pub(super) struct Lent<'a> {
    pool: &'a Pool,
    reader: Option<Reader>,
}

impl Lent<'_> {
    /// Does `work` in one snapshot begun by `begin`.
    pub(super) fn within<T>(
        &mut self,
        begin: &str,
        work: impl FnOnce(&mut Reader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        // Taken out while it works: a panic in `work` must not put a half-used reader to rest.
        let Some(mut reader) = self.reader.take() else {
            return Err(Error::Database("the read connection is gone".to_owned()));
        };
        let (outcome, good) = reader.within(begin, work);
        if good {
            self.reader = Some(reader);
        }
        outcome
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.reader.take() {
            Some(reader) => state.idle.push(reader),
            None => state.open -= 1,
        }
        drop(state);
        self.pool.free.notify_one();
    }
}
