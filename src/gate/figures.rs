//! What happened so far, counted; for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::ChannelFigures;

/// Counters since the start.
#[derive(Debug, Default)]
pub struct Figures {
    accepted: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    fired: AtomicU64,
    batches: AtomicU64,
    waiting: AtomicU64,
    deeds: AtomicU64,
    denied: AtomicU64,
    compared: AtomicU64,
    reveals: AtomicU64,
    audit_differing: AtomicU64,
    audit_age_ms: AtomicI64,
    channels: Mutex<BTreeMap<String, ChannelFigures>>,
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
        /// Sign-ins and changes of accounts that were done …
        deeds, count_deed, deeds;
        /// … and that were refused.
        denied, count_denied, denied;
        /// Passwords compared with what is kept of one, or with what is kept of nobody's.
        compared, count_compared, compared;
        /// How often it was shown who called, for a purpose.
        reveals, count_reveal, reveals;
        /// Jobs handed to committers and not yet taken up.
        waiting, queued, waiting;
    }

    /// Instances in which the auditor found something that is not as it should be.
    #[must_use]
    pub fn audit_differing(&self) -> u64 {
        self.audit_differing.load(Ordering::Relaxed)
    }

    /// How long ago, in milliseconds of real time, the open instance that the auditor has not
    /// looked at for longest was looked at, at the most.
    #[must_use]
    pub fn audit_age_ms(&self) -> i64 {
        self.audit_age_ms.load(Ordering::Relaxed)
    }

    /// What the auditor reports after each pass.
    pub fn note_audit(&self, differing: usize, age_ms: i64) {
        let differing = u64::try_from(differing).unwrap_or(0);
        self.audit_differing.fetch_add(differing, Ordering::Relaxed);
        self.audit_age_ms.store(age_ms, Ordering::Relaxed);
    }

    /// The channels by name.
    #[must_use]
    pub fn channels(&self) -> BTreeMap<String, ChannelFigures> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts something of a channel.
    pub fn channel(&self, name: &str, count: impl FnOnce(&mut ChannelFigures)) {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        count(channels.entry(name.to_owned()).or_default());
    }

    pub(super) fn taken(&self, jobs: usize) {
        let jobs = u64::try_from(jobs).unwrap_or(0);
        self.waiting.fetch_sub(jobs, Ordering::Relaxed);
    }
}
