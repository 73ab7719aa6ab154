//! What was denied, counted by person, outcome and hour, until the audit log says so.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::denial;
use super::writer::Transaction;
use crate::domain::{Instant, JurisdictionId};

/// What was denied to one person, for one reason, in one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DenialRow {
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// What: `sign_in_failed`, `request_denied`, `object_denied`.
    pub kind: String,
    /// To whom: `person:7`, or `account:unknown`, `token:unknown`.
    pub subject: String,
    /// The code of the refusal, or the act that was denied.
    pub outcome: String,
    /// The first instant of the hour.
    pub hour: Instant,
    /// How many.
    pub attempts: i64,
    /// When the last one was, …
    pub last_at: Instant,
    /// … and from where.
    pub address: String,
}

type Row = (i64, String, String, String, i64, i64, i64, String);

impl Reader {
    /// Whether something was counted in hours that began before an instant.
    ///
    /// # Errors
    /// As for any statement.
    pub fn has_denials(&mut self, before: Instant) -> Result<bool, Error> {
        let some: i64 = each!(&mut self.connection, connection => {
            denial::table
                .filter(denial::hour.lt(before.0))
                .count()
                .get_result(connection)
        })?;
        Ok(some > 0)
    }
}

impl Transaction<'_> {
    /// Counts what was denied to what was counted before.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn count_denials(&mut self, new: &DenialRow) -> Result<(), Error> {
        let last = (denial::last_at.eq(new.last_at.0), denial::address.eq(&new.address));
        let row = (
            denial::jurisdiction_id.eq(new.jurisdiction.0),
            denial::kind.eq(&new.kind),
            denial::subject.eq(&new.subject),
            denial::outcome.eq(&new.outcome),
            denial::hour.eq(new.hour.0),
            denial::attempts.eq(new.attempts),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(denial::table)
                .values((row, last))
                .on_conflict((
                    denial::jurisdiction_id,
                    denial::kind,
                    denial::subject,
                    denial::outcome,
                    denial::hour,
                ))
                .do_update()
                .set((denial::attempts.eq(denial::attempts + new.attempts), last))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Takes out what was counted in hours that began before an instant: each row once, on one node.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_denials(&mut self, before: Instant) -> Result<Vec<DenialRow>, Error> {
        let mut rows: Vec<Row> = each!(&mut self.connection, connection => {
            diesel::delete(denial::table.filter(denial::hour.lt(before.0)))
                .returning(denial::all_columns)
                .get_results(connection)
        })?;
        rows.sort();
        let read = |(owner, kind, subject, outcome, hour, attempts, last, address)| DenialRow {
            jurisdiction: JurisdictionId(owner),
            kind,
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
