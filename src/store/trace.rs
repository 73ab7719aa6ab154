//! Traces of calls: by what somebody who calls about the same again is recognised.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::each;
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::call_trace;
use super::statement::Cell;
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// What is left of one call beside the call itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// About which matter.
    pub instance: InstanceId,
    /// The event that brought it; 1 for the opening.
    pub seq: i64,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// When it was recorded.
    pub at: Instant,
    /// Where; empty if nothing was said.
    pub place: String,
    /// A keyed digest of the caller's number.
    pub phone: Option<String>,
    /// Hashes of features of what was said; empty if nobody read it.
    pub traits: String,
}

type Row = (i64, i64, i64, i64, String, Option<String>, String);

fn read((instance, seq, jurisdiction, at, place, phone, traits): Row) -> TraceRow {
    TraceRow {
        instance: InstanceId(instance),
        seq,
        jurisdiction: JurisdictionId(jurisdiction),
        at: Instant(at),
        place,
        phone,
        traits,
    }
}

const INSERT: Target = Target {
    head: "INSERT INTO call_trace (instance_id, seq, jurisdiction_id, at, place, phone, traits)",
    tail: "",
};

/// New traces.
pub(super) fn added(rows: &[TraceRow]) -> Part<'_> {
    let rows = rows.iter().map(|row| {
        vec![
            row.instance.0.into(),
            row.seq.into(),
            row.jurisdiction.0.into(),
            row.at.into(),
            row.place.as_str().into(),
            row.phone.as_deref().into(),
            Cell::from(row.traits.as_str()),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

impl Reader {
    /// The traces of calls that opened a matter since an instant, at most `limit`, the newest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn recent_traces(
        &mut self,
        owner: JurisdictionId,
        since: Instant,
        limit: i64,
    ) -> Result<Vec<TraceRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::at.ge(since.0))
                // Written out: SQLite takes a partial index only for a condition that it can read.
                .filter(diesel::dsl::sql::<Bool>("seq = 1"))
                .order(call_trace::at.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// The traces of calls from a number since an instant, at most `limit`, the newest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn traces_of_phone(
        &mut self,
        owner: JurisdictionId,
        phone: &str,
        since: Instant,
        limit: i64,
    ) -> Result<Vec<TraceRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::phone.eq(phone))
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::at.ge(since.0))
                .order(call_trace::at.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// The matters about which calls from a number came, under any of its digests, at most `limit`, the
    /// newest first, below an id if one is given.
    ///
    /// # Errors
    /// As for any statement.
    pub fn matters_of_phone(
        &mut self,
        owner: JurisdictionId,
        phones: &[String],
        (before, limit): (Option<InstanceId>, i64),
    ) -> Result<Vec<InstanceId>, Error> {
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::phone.eq_any(phones))
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::instance_id.lt(before.map_or(i64::MAX, |id| id.0)))
                .select(call_trace::instance_id)
                .distinct()
                .order(call_trace::instance_id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// The trace of the call that opened a matter.
    ///
    /// # Errors
    /// As for any statement.
    pub fn trace(&mut self, instance: InstanceId) -> Result<Option<TraceRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            call_trace::table.find((instance.0, 1_i64)).first(connection).optional()
        })?;
        Ok(row.map(read))
    }
}

impl Transaction<'_> {
    /// Puts another number, or none, in the trace of a call.
    ///
    /// # Errors
    /// As for any statement.
    pub fn retrace(
        &mut self,
        (instance, seq): (InstanceId, i64),
        phone: Option<&str>,
    ) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(call_trace::table.find((instance.0, seq)))
                .set(call_trace::phone.eq(phone))
                .execute(connection)
        })?;
        Ok(())
    }
}
