//! Sign-ins that failed, counted by account, outcome and hour, until the audit log says so.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::failed_sign_in;
use super::writer::Transaction;
use crate::domain::{Instant, JurisdictionId};

/// Failures of one account, of one kind, in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureRow {
    /// Whose account.
    pub jurisdiction: JurisdictionId,
    /// Which: `person:7`, or `account:unknown`.
    pub subject: String,
    /// The code of the refusal.
    pub outcome: String,
    /// The first instant of the hour.
    pub hour: Instant,
    /// How many; what is written counts as one more.
    pub attempts: i64,
    /// When the last one was, …
    pub last_at: Instant,
    /// … and from where.
    pub address: String,
}

type Row = (i64, String, String, i64, i64, i64, String);

impl Reader {
    /// Whether something was counted in hours that began before an instant.
    ///
    /// # Errors
    /// As for any statement.
    pub fn has_failures(&mut self, before: Instant) -> Result<bool, Error> {
        let some: i64 = each!(&mut self.connection, connection => {
            failed_sign_in::table
                .filter(failed_sign_in::hour.lt(before.0))
                .count()
                .get_result(connection)
        })?;
        Ok(some > 0)
    }
}

impl Transaction<'_> {
    /// Counts one more failure.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn count_failure(&mut self, new: &FailureRow) -> Result<(), Error> {
        let last =
            (failed_sign_in::last_at.eq(new.last_at.0), failed_sign_in::address.eq(&new.address));
        let row = (
            failed_sign_in::jurisdiction_id.eq(new.jurisdiction.0),
            failed_sign_in::subject.eq(&new.subject),
            failed_sign_in::outcome.eq(&new.outcome),
            failed_sign_in::hour.eq(new.hour.0),
            failed_sign_in::attempts.eq(1_i64),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(failed_sign_in::table)
                .values((row, last))
                .on_conflict((
                    failed_sign_in::jurisdiction_id,
                    failed_sign_in::subject,
                    failed_sign_in::outcome,
                    failed_sign_in::hour,
                ))
                .do_update()
                .set((failed_sign_in::attempts.eq(failed_sign_in::attempts + 1_i64), last))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Takes out what was counted in hours that began before an instant: each row once, on one node.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_failures(&mut self, before: Instant) -> Result<Vec<FailureRow>, Error> {
        let mut rows: Vec<Row> = each!(&mut self.connection, connection => {
            diesel::delete(failed_sign_in::table.filter(failed_sign_in::hour.lt(before.0)))
                .returning(failed_sign_in::all_columns)
                .get_results(connection)
        })?;
        rows.sort();
        let read = |(owner, subject, outcome, hour, attempts, last, address)| FailureRow {
            jurisdiction: JurisdictionId(owner),
            subject,
            outcome,
            hour: Instant(hour),
            attempts,
            last_at: Instant(last),
            address,
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
