//! Sign-ins that failed: told to the log at once, and counted by account and hour for the audit log. An
//! entry for each would let whoever guesses fill the disk.

use serde_json::json;

use super::Trace;
use crate::domain::{Actor, Instant};
use crate::gate::error::Error;
use crate::gate::sealing::Deed;
use crate::gate::{Caller, Gate};
use crate::store::{AccountRow, FailureRow};

/// An hour (ms).
const HOUR: i64 = 3_600_000;

/// The first instant of the hour.
fn hour_of(now: Instant) -> Instant {
    Instant(now.0.div_euclid(HOUR) * HOUR)
}

impl Gate {
    /// Tells and counts that a sign-in, or what stands in its place, failed. Names that nobody has are
    /// counted together, where the house began.
    pub(super) fn failed(
        &self,
        account: Option<&AccountRow>,
        (kind, outcome): (&'static str, &str),
        from: &str,
    ) -> Result<(), Error> {
        let by = account.map(|account| account.person);
        self.tell(Trace { kind, by, of: None, from, outcome });
        let first = || self.inner.registry.jurisdictions().into_iter().next();
        let Some(jurisdiction) = account.map(|account| account.jurisdiction).or_else(first) else {
            return Ok(());
        };
        let now = self.now();
        let subject = by.map_or("account:unknown".to_owned(), |id| format!("person:{id}"));
        let row = FailureRow {
            jurisdiction,
            subject,
            outcome: outcome.to_owned(),
            hour: hour_of(now),
            attempts: 1,
            last_at: now,
            address: from.to_owned(),
        };
        self.with_hand(|transaction| transaction.count_failure(&row))
    }

    /// Writes down in the audit log what failed in hours that are over. Blocks.
    ///
    /// # Errors
    /// What the store says; what was not written is tried again.
    pub fn write_failures(&self) -> Result<(), Error> {
        let now = self.now();
        if !self.read(|reader| reader.has_failures(hour_of(now)))? {
            return Ok(());
        }
        self.with_hand(|transaction| {
            for row in transaction.take_failures(hour_of(now))? {
                let caller = Caller { actor: Actor::System, jurisdiction: row.jurisdiction };
                let deed = Deed::of(&caller, "sign_in_failed", row.subject).with(json!({
                    "outcome": row.outcome,
                    "attempts": row.attempts,
                    "hour": row.hour,
                    "last_at": row.last_at,
                    "last_from": row.address,
                }));
                deed.write(transaction, now)?;
            }
            Ok(())
        })
    }
}
