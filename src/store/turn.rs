//! Whose turn it is to write a SQLite database: one transaction at a time. Waiting here wakes at
//! once, whereas SQLite itself would sleep and look again; and a thread that would wait for itself
//! gets an error instead.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::error::Error;

/// The turn, held by at most one thread.
#[derive(Debug, Default)]
pub(super) struct Turns {
    holder: Mutex<Option<ThreadId>>,
    free: Condvar,
}

impl Turns {
    /// Waits for the turn; it ends when the answer is dropped.
    ///
    /// # Errors
    /// [`Error::Refused`] when this thread has it already: a transaction inside a transaction.
    pub(super) fn take(&self) -> Result<Turn<'_>, Error> {
        let me = thread::current().id();
        let holder = self.lock();
        if *holder == Some(me) {
            return Err(Error::Refused(
                "a transaction must not begin another one, nor a read of its own on a database in memory: use the open transaction".to_owned(),
            ));
        }
        let wait = self.free.wait_while(holder, |holder| holder.is_some());
        *wait.unwrap_or_else(PoisonError::into_inner) = Some(me);
        Ok(Turn { turns: self })
    }

    fn lock(&self) -> MutexGuard<'_, Option<ThreadId>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn that lasts until this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.turns.lock() = None;
        self.turns.free.notify_one();
    }
}
