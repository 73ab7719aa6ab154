//! Definitions of workflows and calendars as they were published: their source texts, byte for
//! byte, never changed.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{calendar, definition};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{DefinitionId, Instant, JurisdictionId};

/// One published version of one workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionSource {
    /// Its id; 0 when writing means that the store gives one.
    pub id: DefinitionId,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// The workflow's name.
    pub workflow: String,
    /// 1 for the first version, then without gaps; 0 when writing means the next one.
    pub number: i64,
    /// The YAML, byte for byte.
    pub source: String,
    /// Its hash.
    pub hash: Hash,
    /// When it was published.
    pub published_at: Instant,
    /// By whom: the actor's short name.
    pub published_by: String,
    /// Since when new instances no longer use it.
    pub retired_at: Option<Instant>,
}

type Row = (i64, i64, String, i64, String, Vec<u8>, i64, String, Option<i64>);

fn read(row: Row) -> Result<DefinitionSource, Error> {
    let (id, owner, workflow, number, source, hash, published_at, published_by, retired_at) = row;
    Ok(DefinitionSource {
        id: DefinitionId(id),
        jurisdiction: JurisdictionId(owner),
        hash: hash_of(&hash, &format!("version {number} of workflow {workflow}"))?,
        workflow,
        number,
        source,
        published_at: Instant(published_at),
        published_by,
        retired_at: retired_at.map(Instant),
    })
}

/// One version of one calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarSource {
    /// Its id; 0 when writing means that the store gives one.
    pub id: i64,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// Which calendar.
    pub code: String,
    /// Which version of it.
    pub version: String,
    /// The source text, byte for byte.
    pub source: String,
    /// When it was taken in.
    pub loaded_at: Instant,
}

type CalendarRow = (i64, i64, String, String, String, i64);

fn read_calendar(row: CalendarRow) -> CalendarSource {
    let (id, owner, code, version, source, loaded_at) = row;
    CalendarSource {
        id,
        jurisdiction: JurisdictionId(owner),
        code,
        version,
        source,
        loaded_at: Instant(loaded_at),
    }
}

impl Transaction<'_> {
    /// Adds a version of a workflow; answers its id and number.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the id or number is taken, also by another node just now;
    /// [`Error::Refused`] when there is no such jurisdiction.
    pub fn add_definition(&mut self, new: &DefinitionSource) -> Result<(DefinitionId, i64), Error> {
        let id = self.id_for("definition", new.id.0)?;
        let newest: Option<i64> = each!(&mut self.connection, connection => {
            definition::table
                .filter(definition::jurisdiction_id.eq(new.jurisdiction.0))
                .filter(definition::workflow.eq(&new.workflow))
                .select(diesel::dsl::max(definition::number))
                .first(connection)
        })?;
        let next = newest.unwrap_or_default() + 1;
        let number = if new.number == 0 { next } else { new.number };
        each!(&mut self.connection, connection => {
            diesel::insert_into(definition::table)
                .values((
                    definition::id.eq(id),
                    definition::jurisdiction_id.eq(new.jurisdiction.0),
                    definition::workflow.eq(&new.workflow),
                    definition::number.eq(number),
                    definition::source.eq(&new.source),
                    definition::hash.eq(new.hash.as_slice()),
                    definition::published_at.eq(new.published_at.0),
                    definition::published_by.eq(&new.published_by),
                    definition::retired_at.eq(new.retired_at.map(|at| at.0)),
                ))
                .execute(connection)
        })?;
        self.raise_revision(new.jurisdiction)?;
        Ok((DefinitionId(id), number))
    }

    /// Adds a version of a calendar; answers its id.
    ///
    /// # Errors
    /// [`Error::Conflict`] when this version is there already; [`Error::Refused`] when there is no
    /// such jurisdiction.
    pub fn add_calendar(&mut self, new: &CalendarSource) -> Result<i64, Error> {
        let id = self.id_for("calendar", new.id)?;
        each!(&mut self.connection, connection => {
            diesel::insert_into(calendar::table)
                .values((
                    calendar::id.eq(id),
                    calendar::jurisdiction_id.eq(new.jurisdiction.0),
                    calendar::code.eq(&new.code),
                    calendar::version.eq(&new.version),
                    calendar::source.eq(&new.source),
                    calendar::loaded_at.eq(new.loaded_at.0),
                ))
                .execute(connection)
        })?;
        self.raise_revision(new.jurisdiction)?;
        Ok(id)
    }
}

impl Reader {
    /// One version of a workflow.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the row cannot be read; otherwise as for any statement.
    pub fn definition(&mut self, id: DefinitionId) -> Result<Option<DefinitionSource>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            definition::table.find(id.0).first(connection).optional()
        })?;
        row.map(read).transpose()
    }

    /// Every version of every workflow of a jurisdiction, by workflow, then number.
    ///
    /// # Errors
    /// As [`Reader::definition`].
    pub fn definitions(&mut self, owner: JurisdictionId) -> Result<Vec<DefinitionSource>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            definition::table
                .filter(definition::jurisdiction_id.eq(owner.0))
                .order((definition::workflow, definition::number))
                .load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }

    /// Every version of every calendar of a jurisdiction, by code, then in the order of loading.
    ///
    /// # Errors
    /// As for any statement.
    pub fn calendars(&mut self, owner: JurisdictionId) -> Result<Vec<CalendarSource>, Error> {
        let rows: Vec<CalendarRow> = each!(&mut self.connection, connection => {
            calendar::table
                .filter(calendar::jurisdiction_id.eq(owner.0))
                .order((calendar::code, calendar::id))
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read_calendar).collect())
    }
}
