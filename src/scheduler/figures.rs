//! What the loops did so far, counted; for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::domain::{Instant, JurisdictionId};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// The number.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self) {
        self.add_many(1);
    }

    pub(super) fn add_many(&self, count: usize) {
        self.0.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Matters of one unit that are due within the next working day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Warning {
    /// Due within the next working day, not yet overdue.
    pub soon: i64,
    /// Overdue.
    pub overdue: i64,
}

/// Counters since the start, and the last word of each loop.
#[derive(Debug, Default)]
pub struct Figures {
    /// Clocks that did what they had to do.
    pub clocks_fired: Counter,
    /// Clocks that had nothing to do any more when they were asked: nothing is wrong with that.
    pub clocks_stale: Counter,
    /// Clocks that could not be fired, and were tried again.
    pub clocks_failed: Counter,
    /// Messages handed over.
    pub messages_sent: Counter,
    /// Attempts after which a message is tried again.
    pub messages_retried: Counter,
    /// Messages given up.
    pub messages_failed: Counter,
    /// Attempts of which nobody knows whether they arrived: the bound on second copies.
    pub messages_unknown: Counter,
    /// Messages that reached the device, as gateways say.
    pub messages_delivered: Counter,
    /// Messages that had been taken and did not arrive, as gateways say.
    pub messages_bounced: Counter,
    /// Receipts for messages that are not ours.
    pub receipts_unknown: Counter,
    /// Arrivals that could not be taken up.
    pub arrivals_lost: Counter,
    /// Replies by SMS.
    pub replies: Counter,
    /// Replies from numbers of nobody here.
    pub replies_of_strangers: Counter,
    /// Occurrences of periodic jobs that this process did.
    pub jobs_done: Counter,
    /// Instances that the auditor looked at.
    pub audited: Counter,
    /// Of these, instances with something that is not as it should be.
    pub audit_differing: Counter,
    /// Clock rows that the auditor put right.
    pub audit_repaired: Counter,
    /// Passes that the auditor finished.
    pub audit_passes: Counter,
    /// Loops started again after a panic.
    pub loops_restarted: Counter,
    /// Jumps of the wall clock that were noticed.
    pub clock_jumps: Counter,
    beats: Mutex<BTreeMap<String, Instant>>,
    warnings: Mutex<BTreeMap<(JurisdictionId, String), Warning>>,
}

impl Figures {
    /// When each loop last finished a turn; `auditor.pass`: when a pass over the data was finished.
    #[must_use]
    pub fn beats(&self) -> BTreeMap<String, Instant> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn beat(&self, name: &str, at: Instant) {
        let mut beats = self.beats.lock().unwrap_or_else(PoisonError::into_inner);
        beats.insert(name.to_owned(), at);
    }

    /// What the last early-warning sweep counted, for each unit.
    #[must_use]
    pub fn warnings(&self) -> BTreeMap<(JurisdictionId, String), Warning> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn warn(&self, jurisdiction: JurisdictionId, units: BTreeMap<String, Warning>) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.retain(|(whose, _), _| *whose != jurisdiction);
        let units = units.into_iter();
        warnings.extend(units.map(|(unit, warning)| ((jurisdiction, unit), warning)));
    }
}
