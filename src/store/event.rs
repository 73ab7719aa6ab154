//! Events: appended, never changed, read by instance or as one stream.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::{Connection, each};
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::event;
use super::statement::Cell;
use super::writer::SERVER_TIME;
use crate::domain::event::Hash;
use crate::domain::{InstanceId, Instant, JurisdictionId, StoredEvent};

const INSERT: Target = Target {
    head: "INSERT INTO event (instance_id, seq, jurisdiction_id, at, kind, actor, body, hash)",
    tail: "",
};

/// How old an event must be before a gap below its position is taken for a transaction that was
/// rolled back, and not for one that has yet to commit. Longer than any batch takes.
const GAP_MS: i64 = 5_000;

/// A row as diesel reads it.
#[derive(Debug, Queryable)]
struct Row {
    position: i64,
    instance_id: i64,
    seq: i64,
    jurisdiction_id: i64,
    at: i64,
    kind: String,
    actor: String,
    body: String,
    hash: Vec<u8>,
}

/// An event and its place in the stream of all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionedEvent {
    /// Its place: grows, may have gaps, is not dense.
    pub position: i64,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// The event.
    pub event: StoredEvent,
}

impl Row {
    fn read(self) -> Result<PositionedEvent, Error> {
        let place = format!("event {} of instance {}", self.seq, self.instance_id);
        Ok(PositionedEvent {
            position: self.position,
            jurisdiction: JurisdictionId(self.jurisdiction_id),
            event: StoredEvent {
                instance: InstanceId(self.instance_id),
                seq: self.seq,
                at: Instant(self.at),
                kind: self.kind,
                actor: self.actor,
                hash: hash_of(&self.hash, &place)?,
                body: self.body,
            },
        })
    }
}

/// The 32 bytes of a stored hash.
pub(super) fn hash_of(bytes: &[u8], place: &str) -> Result<Hash, Error> {
    Hash::try_from(bytes).map_err(|cause| {
        Error::corrupt(place, format!("a hash has {} bytes instead of 32: {cause}", bytes.len()))
    })
}

/// Events of instances with these owners.
pub(super) fn appended<'a>(
    events: &'a [StoredEvent],
    owners: &BTreeMap<InstanceId, JurisdictionId>,
) -> Result<Part<'a>, Error> {
    let rows: Result<Vec<_>, Error> = events
        .iter()
        .map(|event| {
            let owner = owners.get(&event.instance).ok_or_else(|| {
                Error::Refused(format!(
                    "event {} of instance {}, which the batch neither creates nor updates",
                    event.seq, event.instance
                ))
            })?;
            Ok(vec![
                event.instance.0.into(),
                event.seq.into(),
                owner.0.into(),
                event.at.into(),
                event.kind.as_str().into(),
                event.actor.as_str().into(),
                event.body.as_str().into(),
                Cell::from(&event.hash),
            ])
        })
        .collect();
    Ok(Part::insert(&INSERT, rows?))
}

impl Reader {
    /// At most `limit` events of `instance` from number `from_seq` on, in order.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn events(
        &mut self,
        instance: InstanceId,
        from_seq: i64,
        limit: i64,
    ) -> Result<Vec<StoredEvent>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            event::table
                .filter(event::instance_id.eq(instance.0))
                .filter(event::seq.ge(from_seq))
                .order(event::seq)
                .limit(limit)
                .load(connection)
        })?;
        rows.into_iter().map(|row| row.read().map(|found| found.event)).collect()
    }

    /// The events of some kinds of some instances, in order of instance and number.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_of_kinds(
        &mut self,
        instances: &[InstanceId],
        kinds: &[&str],
    ) -> Result<Vec<StoredEvent>, Error> {
        let ids: Vec<i64> = instances.iter().map(|id| id.0).collect();
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            event::table
                .filter(event::instance_id.eq_any(&ids))
                .filter(event::kind.eq_any(kinds))
                .order((event::instance_id, event::seq))
                .load(connection)
        })?;
        rows.into_iter().map(|row| row.read().map(|found| found.event)).collect()
    }

    /// The numbers of the events of some kinds of an instance, in order.
    ///
    /// # Errors
    /// As for any statement.
    pub fn seqs_of_kinds(
        &mut self,
        instance: InstanceId,
        kinds: &[&str],
    ) -> Result<Vec<i64>, Error> {
        let seqs = each!(&mut self.connection, connection => {
            event::table
                .filter(event::instance_id.eq(instance.0))
                .filter(event::kind.eq_any(kinds))
                .order(event::seq)
                .select(event::seq)
                .load(connection)
        })?;
        Ok(seqs)
    }

    /// At most `limit` events after `position` (0 for the beginning), in order of position, of one
    /// jurisdiction or of all. Continue from the position of the last one.
    ///
    /// Positions are given before the commit, so on PostgreSQL a lower position can appear after a
    /// higher one. The answer therefore ends before a gap whose next event is younger than five
    /// seconds of the server's time: a transaction that may still fill it. Older gaps are taken for
    /// rolled-back transactions and skipped. On SQLite one transaction writes at a time, and there
    /// are no gaps.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn events_after(
        &mut self,
        position: i64,
        jurisdiction: Option<JurisdictionId>,
        limit: i64,
    ) -> Result<Vec<PositionedEvent>, Error> {
        // The gaps are judged over all jurisdictions, and the filter comes after.
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            event::table
                .filter(event::position.gt(position))
                .order(event::position)
                .limit(limit)
                .load(connection)
        })?;
        let settled = self.settled(position, rows)?;
        let wanted = |row: &Row| jurisdiction.is_none_or(|id| id.0 == row.jurisdiction_id);
        settled.into_iter().filter(wanted).map(Row::read).collect()
    }

    /// At most `limit` events by which clocks of a jurisdiction were counted again (of the kind
    /// `recount_clocks`), before a position if one is given, the newest first.
    ///
    /// # Errors
    /// As [`Reader::events`].
    pub fn recounts(
        &mut self,
        owner: JurisdictionId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<PositionedEvent>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            event::table
                .filter(event::jurisdiction_id.eq(owner.0))
                .filter(event::position.lt(before.unwrap_or(i64::MAX)))
                // Written out: SQLite takes a partial index only for a condition that it can read.
                .filter(diesel::dsl::sql::<Bool>("kind = 'recount_clocks'"))
                .order(event::position.desc())
                .limit(limit)
                .load(connection)
        })?;
        rows.into_iter().map(Row::read).collect()
    }

    /// The rows before the first gap that may yet be filled.
    fn settled(&mut self, position: i64, rows: Vec<Row>) -> Result<Vec<Row>, Error> {
        let mut last = position;
        let dense = rows.iter().all(|row| {
            let next = row.position == last + 1;
            last = row.position;
            next
        });
        if dense || matches!(self.connection, Connection::Sqlite(_)) {
            return Ok(rows);
        }
        let now = self.connection.integer(format!("SELECT {SERVER_TIME}"))?;
        let mut last = position;
        let settled = rows.into_iter().take_while(|row| {
            let fine = row.position == last + 1 || row.at < now - GAP_MS;
            last = row.position;
            fine
        });
        Ok(settled.collect())
    }

    /// The position of the newest event that can be seen; 0 when there is none. What
    /// [`Reader::events_after`] answers for it is what happens from now on.
    ///
    /// # Errors
    /// As for any statement.
    pub fn last_position(&mut self) -> Result<i64, Error> {
        let last: Option<i64> = each!(&mut self.connection, connection => {
            event::table.select(diesel::dsl::max(event::position)).first(connection)
        })?;
        Ok(last.unwrap_or_default())
    }
}
