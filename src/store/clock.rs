//! Clocks: a row for each clock in force, so that the next one due is found without reading
//! instances. The truth about a clock is in its instance; the row says only when to look.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::connection::{Connection, each};
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::clock;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// A clock that has something to do at a known instant. Frozen clocks have no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockRow {
    /// Whose clock.
    pub instance: InstanceId,
    /// Its name in the workflow.
    pub name: String,
    /// Whose instance.
    pub jurisdiction: JurisdictionId,
    /// When it next has something to do: a ladder step, running out, a repetition.
    pub wake_at: Instant,
    /// When it runs out.
    pub due_at: Instant,
    /// The instance's tier rank.
    pub tier: i64,
    /// The state entry that armed it.
    pub entry: i64,
    /// The ladder steps already done.
    pub step: i64,
}

/// A row as the queries below select it.
type Row = (i64, String, i64, i64, i64, i64, i64, i64);

fn read(row: Row) -> ClockRow {
    let (instance, name, jurisdiction, wake_at, due_at, tier, entry, step) = row;
    ClockRow {
        instance: InstanceId(instance),
        name,
        jurisdiction: JurisdictionId(jurisdiction),
        wake_at: Instant(wake_at),
        due_at: Instant(due_at),
        tier,
        entry,
        step,
    }
}

const UPSERT: Target = Target {
    head: "INSERT INTO clock (instance_id, name, jurisdiction_id, wake_at, due_at, tier, entry, \
           step)",
    tail: "ON CONFLICT (instance_id, name) DO UPDATE SET wake_at = excluded.wake_at, \
           due_at = excluded.due_at, tier = excluded.tier, entry = excluded.entry, \
           step = excluded.step, lease_until = NULL",
};

const DUE_LITE: &str = "SELECT instance_id, name, jurisdiction_id, wake_at, due_at, tier, entry, \
     step FROM clock WHERE wake_at <= ? ORDER BY tier DESC, due_at, instance_id, name LIMIT ?";

const DUE_PG: &str = "UPDATE clock SET lease_until = ? FROM (\
       SELECT instance_id, name FROM clock \
       WHERE wake_at <= ? AND (lease_until IS NULL OR lease_until <= ?) \
       ORDER BY tier DESC, due_at, instance_id, name LIMIT ? FOR UPDATE SKIP LOCKED) AS due \
     WHERE clock.instance_id = due.instance_id AND clock.name = due.name \
     RETURNING clock.instance_id, clock.name, clock.jurisdiction_id, clock.wake_at, clock.due_at, \
     clock.tier, clock.entry, clock.step";

/// Clocks to set.
pub(super) fn set(clocks: &[ClockRow]) -> Part<'_> {
    let rows = clocks.iter().map(|clock| {
        vec![
            clock.instance.0.into(),
            clock.name.as_str().into(),
            clock.jurisdiction.0.into(),
            clock.wake_at.into(),
            clock.due_at.into(),
            clock.tier.into(),
            clock.entry.into(),
            Cell::from(clock.step),
        ]
    });
    Part::insert(&UPSERT, rows.collect())
}

/// Clocks to drop, but for those that are set: one statement must not touch a row twice.
pub(super) fn dropped<'a>(clocks: &'a [(InstanceId, String)], set: &[ClockRow]) -> Part<'a> {
    let set: BTreeSet<_> = set.iter().map(|row| (row.instance, row.name.as_str())).collect();
    let rows: Vec<_> = clocks
        .iter()
        .filter(|(instance, name)| !set.contains(&(*instance, name.as_str())))
        .map(|(instance, name)| vec![instance.0.into(), Cell::from(name.as_str())])
        .collect();
    Part::each(
        "DELETE FROM clock WHERE instance_id = ? AND name = ?",
        "DELETE FROM clock USING unnest(?, ?) AS gone(instance_id, name) \
             WHERE clock.instance_id = gone.instance_id AND clock.name = gone.name",
        rows,
    )
}

impl Transaction<'_> {
    /// At most `limit` clocks that woke at or before `now`, the gravest tier first, then by due
    /// instant, then by instance. On PostgreSQL they are leased until `lease_ms` after `now`, so
    /// that other nodes take others meanwhile; the lease decides nothing: whether a clock really
    /// fires is judged on its locked instance. Setting a clock again ends its lease. On SQLite there
    /// is one process, nothing is leased, and a clock is answered until it was set again or dropped.
    ///
    /// All due rows are looked at for each call: when there may be many, ask for thousands.
    ///
    /// # Errors
    /// As for any statement.
    pub fn due_clocks(
        &mut self,
        now: Instant,
        limit: i64,
        lease_ms: i64,
    ) -> Result<Vec<ClockRow>, Error> {
        type Sql = (BigInt, Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
        let mut rows: Vec<Row> = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let cells = [now.into(), Cell::from(limit)];
                Statement::<Sql>::new(DUE_LITE, &cells).load(connection)?
            }
            Connection::Postgres(connection) => {
                let lease = now.plus(lease_ms);
                let cells = [lease.into(), now.into(), now.into(), Cell::from(limit)];
                Statement::<Sql>::new(DUE_PG, &cells).load(connection)?
            }
        };
        // RETURNING has no order.
        rows.sort_by(|a, b| (-a.5, a.4, a.0, &a.1).cmp(&(-b.5, b.4, b.0, &b.1)));
        Ok(rows.into_iter().map(read).collect())
    }
}

impl Reader {
    /// The same as [`Transaction::due_clocks`] without a lease and without waiting for a turn to
    /// write: for a store with one writing process.
    ///
    /// # Errors
    /// As for any statement.
    pub fn due_clocks_unleased(
        &mut self,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<ClockRow>, Error> {
        type Sql = (BigInt, Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
        let cells = [now.into(), Cell::from(limit)];
        let statement = Statement::<Sql>::new(DUE_LITE, &cells);
        let rows: Vec<Row> = each!(&mut self.connection, connection => statement.load(connection))?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// When the next clock that no node has leased wakes; none when no clock is in force. A lease
    /// that ran out is noticed by asking again now and then.
    ///
    /// # Errors
    /// As for any statement.
    pub fn next_wake(&mut self) -> Result<Option<Instant>, Error> {
        let statement = Statement::<Nullable<BigInt>>::new(
            "SELECT min(wake_at) FROM clock WHERE lease_until IS NULL",
            &[],
        );
        let next: Option<i64> =
            each!(&mut self.connection, connection => statement.get_result(connection))?;
        Ok(next.map(Instant))
    }

    /// The clocks of one instance that have a row, in order of name.
    ///
    /// # Errors
    /// As for any statement.
    pub fn clocks(&mut self, instance: InstanceId) -> Result<Vec<ClockRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            clock::table
                .filter(clock::instance_id.eq(instance.0))
                .select((
                    clock::instance_id,
                    clock::name,
                    clock::jurisdiction_id,
                    clock::wake_at,
                    clock::due_at,
                    clock::tier,
                    clock::entry,
                    clock::step,
                ))
                .order(clock::name)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }
}
