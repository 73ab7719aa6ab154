//! Parts of one write: rows for one table each. On SQLite they are written one after the other; on
//! PostgreSQL all of them travel in one statement, because there each statement costs a round trip
//! and a start of its own, which a batch of a few commands feels.

use std::fmt::Write as _;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::Connection;
use super::statement::{Cell, Statement};

/// A table that takes rows in bulk.
#[derive(Debug)]
pub(super) struct Target {
    /// `INSERT INTO name (columns)`.
    pub(super) head: &'static str,
    /// `ON CONFLICT …`, or nothing.
    pub(super) tail: &'static str,
}

/// What is done with the rows.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Insert(&'static Target),
    Each { single: &'static str, bulk: &'static str },
}

/// Rows, each with the same columns, and what is done with them.
#[derive(Debug)]
pub(super) struct Part<'a> {
    deed: Deed,
    rows: Vec<Vec<Cell<'a>>>,
}

impl<'a> Part<'a> {
    /// Rows to insert, each with the columns of `target`, in order.
    pub(super) fn insert(target: &'static Target, rows: Vec<Vec<Cell<'a>>>) -> Self {
        Self { deed: Deed::Insert(target), rows }
    }

    /// A statement for each row: on SQLite `single` once per row, on PostgreSQL `bulk` once, with
    /// one array per column.
    pub(super) fn each(single: &'static str, bulk: &'static str, rows: Vec<Vec<Cell<'a>>>) -> Self {
        Self { deed: Deed::Each { single, bulk }, rows }
    }

    /// The statement over whole columns.
    fn bulk(&self) -> String {
        match self.deed {
            Deed::Each { bulk, .. } => bulk.to_owned(),
            Deed::Insert(Target { head, tail }) => {
                let width = self.rows.first().map_or(0, Vec::len);
                format!("{head} SELECT * FROM unnest({}) {tail}", vec!["?"; width].join(","))
            }
        }
    }

    /// Row by row, or some at once; returns how many rows changed.
    fn write_lite(&self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        let mut changed = 0;
        match self.deed {
            Deed::Each { single, .. } => {
                for row in &self.rows {
                    changed += Statement::<()>::new(single, row).execute(connection)?;
                }
            }
            Deed::Insert(Target { head, tail }) => {
                let mut rest = self.rows.as_slice();
                while let Some(first) = rest.first() {
                    let marks = format!("({})", vec!["?"; first.len()].join(","));
                    let (now, later) = rest.split_at(next_size(rest.len()));
                    rest = later;
                    let marks = vec![marks; now.len()].join(",");
                    let sql = format!("{head} VALUES {marks} {tail}");
                    changed += Statement::<()>::rows(sql, now).execute(connection)?;
                }
            }
        }
        Ok(changed)
    }
}

/// Rows per statement on SQLite, largest first: few sizes, so that few statements are cached.
const SIZES: [usize; 3] = [32, 8, 1];

/// The size of the next statement when `left` rows remain.
fn next_size(left: usize) -> usize {
    SIZES.into_iter().find(|size| *size <= left).unwrap_or(1)
}

impl Connection {
    /// Writes all parts; returns how many rows the part `counted` changed. On PostgreSQL no part
    /// sees what another one wrote, and none may touch a row that another one touches.
    pub(super) fn write(&mut self, counted: &Part<'_>, others: &[Part<'_>]) -> QueryResult<usize> {
        match self {
            Self::Sqlite(connection) => {
                let changed = counted.write_lite(connection)?;
                for part in others {
                    part.write_lite(connection)?;
                }
                Ok(changed)
            }
            Self::Postgres(connection) => write_at_once(connection, counted, others),
        }
    }
}

fn write_at_once(
    connection: &mut PgConnection,
    counted: &Part<'_>,
    others: &[Part<'_>],
) -> QueryResult<usize> {
    let mut sql = String::new();
    let mut tables = Vec::new();
    for (number, part) in std::iter::once(counted).chain(others).enumerate() {
        if part.rows.is_empty() {
            continue;
        }
        let open = if sql.is_empty() { "WITH " } else { ", " };
        let returning = if number == 0 { " RETURNING 1" } else { "" };
        let written = write!(sql, "{open}part{number} AS ({}{returning})", part.bulk());
        written.map_err(|error| diesel::result::Error::QueryBuilderError(error.into()))?;
        tables.push(part.rows.as_slice());
    }
    if tables.is_empty() {
        return Ok(0);
    }
    let count = if counted.rows.is_empty() { "0::bigint" } else { "count(*) FROM part0" };
    sql.push_str(" SELECT ");
    sql.push_str(count);
    let changed: i64 = Statement::<BigInt>::tables(sql, tables).get_result(connection)?;
    usize::try_from(changed)
        .map_err(|error| diesel::result::Error::DeserializationError(error.into()))
}
