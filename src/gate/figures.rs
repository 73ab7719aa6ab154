//! What happened so far, counted; for metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Figures {
    accepted: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    fired: AtomicU64,
    batches: AtomicU64,
    waiting: AtomicU64,
}

macro_rules! counted {
    ($($(#[$doc:meta])* $read:ident, $count:ident, $field:ident;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub fn $read(&self) -> u64 {
            self.$field.load(Ordering::Relaxed)
        }

        pub(super) fn $count(&self) {
            self.$field.fetch_add(1, Ordering::Relaxed);
        }
    )*};
}

impl Figures {
    counted! {
        /// Commands accepted.
        accepted, count_accepted, accepted;
        /// Commands refused.
        refused, count_refused, refused;
        /// Commands that could not be done for reasons of the house.
        failed, count_failed, failed;
        /// Clock firings.
        fired, count_fired, fired;
        /// Transactions.
        batches, count_batch, batches;
        /// Jobs handed to committers and not yet taken up.
        waiting, queued, waiting;
    }

    pub(super) fn taken(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap_or(0);
        self.waiting.fetch_sub(jobs, Ordering::Relaxed);
    }
}
