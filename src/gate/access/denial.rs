//! What was denied: sign-ins that failed, requests that no role of a person allows, things that somebody
//! was not shown. Told to the log at once, and counted by hour for the audit log: by person and act, never
//! by thing, so that whoever tries one number after the other fills neither the disk nor the memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use super::Trace;
use crate::domain::{Actor, Instant, JurisdictionId, PersonId};
use crate::gate::error::Error;
use crate::gate::sealing::Deed;
use crate::gate::{Caller, Gate};
use crate::policy::Act;
use crate::store::{AccountRow, DenialRow};

/// An hour (ms).
const HOUR: i64 = 3_600_000;

/// The first instant of the hour.
fn hour_of(now: Instant) -> Instant {
    Instant(now.0.div_euclid(HOUR) * HOUR)
}

/// The kinds of entries of the audit log.
const SIGN_IN_FAILED: &str = "sign_in_failed";
const REQUEST_DENIED: &str = "request_denied";
const OBJECT_DENIED: &str = "object_denied";

/// Whose tokens that nobody has are.
const NO_TOKEN: &str = "token:unknown";

/// The kind of a row that was read.
fn kind_of(row: &DenialRow) -> &'static str {
    let known = [SIGN_IN_FAILED, OBJECT_DENIED];
    known.into_iter().find(|kind| *kind == row.kind).unwrap_or(REQUEST_DENIED)
}

/// Denied requests, by what makes them one row, until they are written down.
#[derive(Debug, Default)]
pub(in crate::gate) struct Denials {
    fresh: Mutex<Fresh>,
}

/// The rows, by what makes them one.
type Fresh = BTreeMap<(JurisdictionId, String, String, String, Instant), DenialRow>;

impl Denials {
    /// Counts rows to those that are there: the newer one says when and from where the last came.
    fn add(&self, rows: Fresh) {
        let mut fresh = self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, row) in rows {
            let known = fresh.remove(&key);
            let attempts = row.attempts + known.as_ref().map_or(0, |known| known.attempts);
            let newest = known.filter(|known| known.last_at > row.last_at).unwrap_or(row);
            fresh.insert(key, DenialRow { attempts, ..newest });
        }
    }
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
        let subject = by.map_or("account:unknown".to_owned(), |id| format!("person:{id}"));
        let row = self.denial(jurisdiction, (SIGN_IN_FAILED, outcome), subject, from);
        self.with_hand(|transaction| transaction.count_denials(&row))
    }

    /// Tells and counts that a person asked for what none of its roles allows. Does not block.
    pub fn denied(&self, caller: &Caller, act: Act, from: &str) {
        let Actor::Person { id, .. } = &caller.actor else { return };
        let outcome = act.code();
        self.tell(Trace { kind: REQUEST_DENIED, by: Some(*id), of: None, from, outcome });
        let subject = caller.actor.name();
        self.count_denial(self.denial(
            caller.jurisdiction,
            (REQUEST_DENIED, outcome),
            subject,
            from,
        ));
    }

    /// Tells and counts that a person whose roles allow an act somewhere was not shown a thing, or may
    /// not do it to that thing. Which one it was is said nowhere: it may be somebody's whose matter is
    /// nobody's business. Does not block.
    pub fn withheld(&self, (whose, id): (JurisdictionId, PersonId), act: Act, from: &str) {
        let outcome = act.code();
        self.say(Trace { kind: OBJECT_DENIED, by: Some(id), of: None, from, outcome });
        let subject = format!("person:{id}");
        self.count_denial(self.denial(whose, (OBJECT_DENIED, outcome), subject, from));
    }

    /// Tells and counts that somebody came with an access token that is not good. Tokens are not kept, so
    /// all are counted together, where the house began. Does not block.
    pub fn unknown_token(&self, from: &str) {
        let outcome = "unknown_token";
        self.tell(Trace { kind: "token", by: None, of: None, from, outcome });
        let Some(whose) = self.inner.registry.jurisdictions().into_iter().next() else { return };
        self.count_denial(self.denial(whose, (SIGN_IN_FAILED, outcome), NO_TOKEN.to_owned(), from));
    }

    fn count_denial(&self, row: DenialRow) {
        let DenialRow { jurisdiction, kind, subject, outcome, hour, .. } = row.clone();
        let key = (jurisdiction, kind, subject, outcome, hour);
        self.inner.denials.add(Fresh::from([(key, row)]));
    }

    fn denial(
        &self,
        jurisdiction: JurisdictionId,
        (kind, outcome): (&str, &str),
        subject: String,
        from: &str,
    ) -> DenialRow {
        let now = self.now();
        DenialRow {
            jurisdiction,
            kind: kind.to_owned(),
            subject,
            outcome: outcome.to_owned(),
            hour: hour_of(now),
            attempts: 1,
            last_at: now,
            address: from.to_owned(),
        }
    }

    /// Writes down what was denied, and in the audit log what was denied in hours that are over. Blocks.
    ///
    /// # Errors
    /// What the store says; what was not written is tried again.
    pub fn write_denials(&self) -> Result<(), Error> {
        let denials = &self.inner.denials;
        let fresh =
            std::mem::take(&mut *denials.fresh.lock().unwrap_or_else(PoisonError::into_inner));
        let written = self.write_down(&fresh);
        if written.is_err() {
            denials.add(fresh);
        }
        written
    }

    fn write_down(&self, fresh: &Fresh) -> Result<(), Error> {
        let now = self.now();
        if fresh.is_empty() && !self.read(|reader| reader.has_denials(hour_of(now)))? {
            return Ok(());
        }
        self.with_hand(|transaction| {
            for row in fresh.values() {
                transaction.count_denials(row)?;
            }
            for row in transaction.take_denials(hour_of(now))? {
                let caller = Caller { actor: Actor::System, jurisdiction: row.jurisdiction };
                let kind = kind_of(&row);
                let deed = Deed::of(&caller, kind, row.subject).with(json!({
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
