//! Everything out, and in again: each table as lines of JSON, the same on both back ends; and a copy
//! of a SQLite file while it is in use.

use std::path::Path;
use std::sync::LazyLock;

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Map, Value as Json};

use super::address::Address;
use super::connection::{Connection, Purpose, each};
use super::error::Error;
use super::pool::Reader;
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use super::{Kind, Store};

/// The one description of the tables, read as text: what is added there is exported.
const DESCRIPTION: &str = include_str!("schema.rs");

/// A table that is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    key: Vec<&'static str>,
    columns: Vec<(&'static str, Form)>,
}

/// How a column stands in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A number.
    Int,
    /// A text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A text of hexadecimal digits.
    Bytes,
}

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| read(DESCRIPTION));

/// Tables that are not exported: codes that prove addresses are good for minutes, and who signed in
/// there does so again.
const LEFT_OUT: [&str; 2] = ["verification", "session"];

/// The tables, each after those that its rows refer to.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| !is_left_out(table.name))
}

/// Whether a table is not exported, and not taken from an export that has it.
#[must_use]
pub fn is_left_out(table: &str) -> bool {
    LEFT_OUT.contains(&table)
}

fn read(description: &'static str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in description.lines().map(str::trim) {
        if let Some((name, key)) = line.strip_suffix(") {").and_then(|line| line.split_once(" (")) {
            let key = key.split(", ").collect();
            tables.push(Table { name, key, columns: Vec::new() });
        } else if let (Some(table), Some((name, form))) =
            (tables.last_mut(), line.split_once(" -> "))
        {
            let form = match form.trim_end_matches(',').trim_end_matches('>') {
                form if form.ends_with("BigInt") => Form::Int,
                form if form.ends_with("Bool") => Form::Flag,
                form if form.ends_with("Binary") => Form::Bytes,
                _ => Form::Text,
            };
            table.columns.push((name, form));
        }
    }
    tables
}

impl Table {
    /// The expression that makes a row's JSON.
    fn line(&self, kind: Kind) -> String {
        let one = |(name, form): &(&str, Form)| match (kind, form) {
            (Kind::Sqlite, Form::Bytes) => format!("'{name}', lower(hex({name}))"),
            (Kind::Sqlite, Form::Flag) => {
                format!("'{name}', json(CASE WHEN {name} THEN 'true' ELSE 'false' END)")
            }
            (Kind::Postgres, Form::Bytes) => format!("'{name}', encode({name}, 'hex')"),
            (_, _) => format!("'{name}', {name}"),
        };
        let all: Vec<String> = self.columns.iter().map(one).collect();
        match kind {
            Kind::Sqlite => format!("json_object({})", all.join(", ")),
            Kind::Postgres => format!("json_build_object({})::text", all.join(", ")),
        }
    }

    fn insert(&self, kind: Kind) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        let marks = self.columns.iter().map(|(_, form)| match (kind, form) {
            (Kind::Postgres, Form::Flag) => "(CAST(? AS BIGINT) <> 0)",
            (Kind::Postgres, Form::Bytes) => "decode(?, 'hex')",
            (Kind::Sqlite, Form::Bytes) => "unhex(?)",
            (_, _) => "?",
        });
        let marks: Vec<&str> = marks.collect();
        format!("INSERT INTO {} ({}) VALUES ({})", self.name, names.join(", "), marks.join(", "))
    }

    /// The values of a row, in the order of the columns.
    fn cells<'r>(&self, row: &'r Json) -> Result<Vec<Cell<'r>>, Error> {
        let row = row.as_object().ok_or_else(|| self.refuse(row, "a line is no JSON object"))?;
        if let Some(unknown) = row.keys().find(|key| !self.columns.iter().any(|(c, _)| c == key)) {
            return Err(self.refuse(&Json::Null, &format!("it has no column `{unknown}`")));
        }
        self.columns.iter().map(|(name, form)| self.cell(row, name, *form)).collect()
    }

    fn cell<'r>(
        &self,
        row: &'r Map<String, Json>,
        name: &str,
        form: Form,
    ) -> Result<Cell<'r>, Error> {
        let value = row.get(name).unwrap_or(&Json::Null);
        let cell = match (form, value) {
            (Form::Int | Form::Flag, Json::Null) => Some(Cell::Int(None)),
            (_, Json::Null) => Some(Cell::Text(None)),
            (Form::Int, value) => value.as_i64().map(Cell::from),
            (Form::Flag, value) => value.as_bool().map(i64::from).map(Cell::from),
            (Form::Text | Form::Bytes, value) => value.as_str().map(Cell::from),
        };
        cell.ok_or_else(|| self.refuse(value, &format!("`{name}` cannot be this")))
    }

    fn refuse(&self, value: &Json, why: &str) -> Error {
        let (shown, name) = (value.to_string(), self.name);
        let shown: String = shown.chars().take(60).collect();
        Error::Refused(format!("table `{name}`: {why} ({shown})"))
    }
}

impl Reader {
    fn kind(&self) -> Kind {
        match &self.connection {
            Connection::Sqlite(_) => Kind::Sqlite,
            Connection::Postgres(_) => Kind::Postgres,
        }
    }

    /// At most `limit` rows of a table after a row (or the first ones), in order of its key.
    ///
    /// # Errors
    /// As for any statement.
    pub fn dump(
        &mut self,
        table: &Table,
        after: Option<&Json>,
        limit: i64,
    ) -> Result<Vec<Json>, Error> {
        let (line, key) = (table.line(self.kind()), table.key.join(", "));
        let mut cells = Vec::new();
        let mut sql = format!("SELECT {line} FROM {}", table.name);
        if let Some(after) = after {
            let all = table.cells(after)?;
            let marks = vec!["?"; table.key.len()].join(", ");
            sql.push_str(&format!(" WHERE ({key}) > ({marks})"));
            for wanted in &table.key {
                let of = table.columns.iter().zip(&all).find(|((name, _), _)| name == wanted);
                cells.extend(of.map(|(_, cell)| cell.clone()));
            }
        }
        sql.push_str(&format!(" ORDER BY {key} LIMIT ?"));
        cells.push(limit.into());
        let statement = Statement::<Text>::new(sql, &cells);
        let rows: Vec<String> = each!(&mut self.connection, c => statement.load(c))?;
        let rows = rows.iter().map(|row| {
            serde_json::from_str(row).map_err(|error| Error::corrupt(table.name, error.to_string()))
        });
        rows.collect()
    }

    /// Whether a table has no row.
    ///
    /// # Errors
    /// As for any statement.
    pub fn is_empty(&mut self, table: &Table) -> Result<bool, Error> {
        Ok(self.dump(table, None, 1)?.is_empty())
    }
}

impl Transaction<'_> {
    /// Puts rows of an export into a table.
    ///
    /// # Errors
    /// [`Error::Refused`] with the line that does not fit; otherwise as for any statement.
    pub fn restore(&mut self, table: &Table, rows: &[Json]) -> Result<(), Error> {
        let sql = table.insert(self.kind());
        for row in rows {
            let cells = table.cells(row)?;
            let statement = Statement::<()>::new(sql.clone(), &cells);
            each!(&mut self.connection, c => statement.execute(c))?;
        }
        Ok(())
    }

    /// After the last row of a table: numbers that the database gives itself go on after it.
    ///
    /// # Errors
    /// As for any statement.
    pub fn restored(&mut self, table: &Table) -> Result<(), Error> {
        let [key] = table.key[..] else { return Ok(()) };
        let counted = table.columns.contains(&(key, Form::Int));
        let Connection::Postgres(connection) = &mut self.connection else { return Ok(()) };
        if !counted {
            return Ok(());
        }
        let serial = format!("pg_get_serial_sequence('{}', '{key}')", table.name);
        let sql = format!(
            "SELECT setval({serial}::regclass, (SELECT max({key}) FROM {0})) \
             WHERE {serial} IS NOT NULL AND EXISTS (SELECT 1 FROM {0})",
            table.name
        );
        let statement = Statement::<()>::new(sql, &[]);
        statement.execute(connection)?;
        Ok(())
    }
}

impl Store {
    /// Writes a copy of a SQLite database to a new file, as of one moment, while others read and
    /// write it.
    ///
    /// # Errors
    /// [`Error::Unsuitable`] for other databases, which bring their own tools; what SQLite says of
    /// the file.
    pub fn copy_to(&self, file: &Path) -> Result<(), Error> {
        let Address::File(_) = &self.inner.address else {
            let other = "only a SQLite file can be copied so; for PostgreSQL use pg_dump";
            return Err(Error::Unsuitable(other.to_owned()));
        };
        let cells = [Cell::from(file.to_string_lossy().into_owned())];
        let statement = Statement::<()>::new("VACUUM INTO ?", &cells);
        // Reading only, but for the new file.
        let mut connection = self.connect(Purpose::Read)?;
        connection.run("PRAGMA query_only = OFF")?;
        each!(&mut connection, c => statement.execute(c))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_of_the_description_is_read_with_its_columns() {
        let tables: Vec<_> = tables().collect();
        assert_eq!(tables.len() + LEFT_OUT.len(), DESCRIPTION.matches("table! {").count());
        let columns: usize = TABLES.iter().map(|table| table.columns.len()).sum();
        assert_eq!(columns, DESCRIPTION.matches(" -> ").count());
        let event = tables.iter().find(|table| table.name == "event").unwrap();
        assert_eq!(event.key, ["position"]);
        assert!(event.columns.contains(&("hash", Form::Bytes)));
        let person = tables.iter().find(|table| table.name == "person").unwrap();
        assert!(person.columns.contains(&("active", Form::Flag)));
        assert!(person.columns.contains(&("email", Form::Text)));
    }
}
