//! Statements of the hot path, written by hand, so that each is prepared once per connection and
//! a whole batch of rows travels in one round trip. (diesel never caches its own UPDATE and upsert
//! statements, and has no `unnest`; everything outside the hot path is plain diesel.)

use std::borrow::Cow;
use std::marker::PhantomData;

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::domain::Instant;

/// One value of one row.
#[derive(Debug, Clone)]
pub(super) enum Cell<'a> {
    /// An integer, or NULL.
    Int(Option<i64>),
    /// A text, or NULL.
    Text(Option<Cow<'a, str>>),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl From<i64> for Cell<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Cell<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<Instant> for Cell<'_> {
    fn from(value: Instant) -> Self {
        Self::Int(Some(value.0))
    }
}

impl From<Option<Instant>> for Cell<'_> {
    fn from(value: Option<Instant>) -> Self {
        Self::Int(value.map(|instant| instant.0))
    }
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(Cow::Borrowed(value)))
    }
}

impl From<String> for Cell<'_> {
    fn from(value: String) -> Self {
        Self::Text(Some(Cow::Owned(value)))
    }
}

impl<'a> From<Option<&'a str>> for Cell<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value.map(Cow::Borrowed))
    }
}

impl<'a> From<&'a [u8; 32]> for Cell<'a> {
    fn from(value: &'a [u8; 32]) -> Self {
        Self::Bytes(value)
    }
}

/// One bound value: a cell, or a whole column of cells (PostgreSQL only).
#[derive(Debug)]
enum Bind<'a> {
    Cell(&'a Cell<'a>),
    Ints(Vec<Option<i64>>),
    Texts(Vec<Option<&'a str>>),
    Blobs(Vec<&'a [u8]>),
}

/// SQL text with `?` for each bind, and what its rows look like.
#[derive(Debug)]
pub(super) struct Statement<'a, Row = ()> {
    sql: Cow<'static, str>,
    binds: Vec<Bind<'a>>,
    row: PhantomData<Row>,
}

impl<'a, Row> Statement<'a, Row> {
    /// A statement over single values.
    pub(super) fn new(sql: impl Into<Cow<'static, str>>, cells: &'a [Cell<'a>]) -> Self {
        Self { sql: sql.into(), binds: cells.iter().map(Bind::Cell).collect(), row: PhantomData }
    }

    /// A statement over whole columns: each `?` stands for one array. PostgreSQL only.
    pub(super) fn columns(sql: impl Into<Cow<'static, str>>, rows: &'a [Vec<Cell<'a>>]) -> Self {
        Self::tables(sql, [rows])
    }

    /// The same over the columns of several tables, one table after the other.
    pub(super) fn tables(
        sql: impl Into<Cow<'static, str>>,
        tables: impl IntoIterator<Item = &'a [Vec<Cell<'a>>]>,
    ) -> Self {
        let binds = tables.into_iter().flat_map(transpose).collect();
        Self { sql: sql.into(), binds, row: PhantomData }
    }

    /// A statement over all values of some rows, one row after the other.
    pub(super) fn rows(sql: impl Into<Cow<'static, str>>, rows: &'a [Vec<Cell<'a>>]) -> Self {
        let binds = rows.iter().flatten().map(Bind::Cell).collect();
        Self { sql: sql.into(), binds, row: PhantomData }
    }
}

/// The columns of `rows`; every row has the kinds of the first.
fn transpose<'a>(rows: &'a [Vec<Cell<'a>>]) -> Vec<Bind<'a>> {
    let mut columns: Vec<Bind<'a>> = Vec::new();
    for row in rows {
        if columns.is_empty() {
            columns = row.iter().map(|cell| empty_column(cell, rows.len())).collect();
        }
        for (column, cell) in columns.iter_mut().zip(row) {
            match (column, cell) {
                (Bind::Ints(ints), Cell::Int(int)) => ints.push(*int),
                (Bind::Texts(texts), Cell::Text(text)) => texts.push(text.as_deref()),
                (Bind::Blobs(blobs), Cell::Bytes(bytes)) => blobs.push(bytes),
                // Rows are built by the functions of this room, each from one array literal.
                _ => {}
            }
        }
    }
    columns
}

fn empty_column<'a>(cell: &Cell<'a>, rows: usize) -> Bind<'a> {
    match cell {
        Cell::Int(_) => Bind::Ints(Vec::with_capacity(rows)),
        Cell::Text(_) => Bind::Texts(Vec::with_capacity(rows)),
        Cell::Bytes(_) => Bind::Blobs(Vec::with_capacity(rows)),
    }
}

impl<Row> Statement<'_, Row> {
    fn walk<'b, DB>(
        &'b self,
        mut out: AstPass<'_, 'b, DB>,
        push: impl Fn(&mut AstPass<'_, 'b, DB>, &'b Bind<'b>) -> QueryResult<()>,
    ) -> QueryResult<()>
    where
        DB: diesel::backend::Backend,
    {
        let mut binds = self.binds.iter();
        for (index, piece) in self.sql.split('?').enumerate() {
            if index > 0 {
                let bind = binds.next().ok_or_else(|| {
                    diesel::result::Error::QueryBuilderError("a `?` without a value".into())
                })?;
                push(&mut out, bind)?;
            }
            out.push_sql(piece);
        }
        Ok(())
    }
}

impl<Row> QueryFragment<Sqlite> for Statement<'_, Row> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.walk(out, |out, bind| match bind {
            Bind::Cell(Cell::Int(int)) => out.push_bind_param::<Nullable<BigInt>, _>(int),
            Bind::Cell(Cell::Text(text)) => out.push_bind_param::<Nullable<Text>, _>(text),
            Bind::Cell(Cell::Bytes(bytes)) => out.push_bind_param::<Binary, [u8]>(bytes),
            Bind::Ints(_) | Bind::Texts(_) | Bind::Blobs(_) => {
                Err(diesel::result::Error::QueryBuilderError("SQLite has no arrays".into()))
            }
        })
    }
}

impl<Row> QueryFragment<Pg> for Statement<'_, Row> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.walk(out, |out, bind| match bind {
            Bind::Cell(Cell::Int(int)) => out.push_bind_param::<Nullable<BigInt>, _>(int),
            Bind::Cell(Cell::Text(text)) => out.push_bind_param::<Nullable<Text>, _>(text),
            Bind::Cell(Cell::Bytes(bytes)) => out.push_bind_param::<Binary, [u8]>(bytes),
            Bind::Ints(ints) => out.push_bind_param::<Array<Nullable<BigInt>>, _>(ints),
            Bind::Texts(texts) => out.push_bind_param::<Array<Nullable<Text>>, _>(texts),
            Bind::Blobs(blobs) => out.push_bind_param::<Array<Binary>, _>(blobs),
        })
    }
}

// No static id: diesel then caches by the SQL text.
impl<Row> QueryId for Statement<'_, Row> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Statement<'_, Row> {
    type SqlType = Row;
}

impl<Row, C> RunQueryDsl<C> for Statement<'_, Row> {}

/// How many values a statement of SQLite may have, by default.
const MOST_BINDS: usize = 32_766;

/// `ids` as binds of an `IN (…)` list on SQLite: the text with its marks, and the ids padded with
/// the last one to a length that few statements share.
pub(super) fn in_list(head: &str, ids: &[i64], tail: &str) -> (String, Vec<Cell<'static>>) {
    let last = ids.last().copied().unwrap_or_default();
    let length = ids.len().next_power_of_two().min(MOST_BINDS).max(ids.len());
    let cells: Vec<_> =
        ids.iter().copied().chain(std::iter::repeat(last)).take(length).map(Cell::from).collect();
    (format!("{head} IN ({}) {tail}", vec!["?"; length].join(",")), cells)
}
