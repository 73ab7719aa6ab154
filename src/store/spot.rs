//! Answers on the spot, version by version.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::spot_answer;
use super::writer::Transaction;
use crate::domain::spot::{SpotAnswer, SpotVersion};
use crate::domain::{Instant, JurisdictionId};

#[derive(Debug, Queryable)]
struct Row {
    _jurisdiction_id: i64,
    code: String,
    version: i64,
    unit: String,
    category: String,
    title: String,
    body: String,
    words: String,
    valid_until: Option<i64>,
    made_by: String,
    made_at: i64,
    ended_at: Option<i64>,
}

impl From<Row> for SpotVersion {
    fn from(row: Row) -> Self {
        Self {
            version: row.version,
            answer: SpotAnswer {
                code: row.code,
                unit: row.unit,
                category: row.category,
                title: row.title,
                body: row.body,
                words: row.words,
                valid_until: row.valid_until.map(Instant),
            },
            made_by: row.made_by,
            made_at: Instant(row.made_at),
            ended_at: row.ended_at.map(Instant),
        }
    }
}

impl Reader {
    /// All versions of all answers of a jurisdiction, in order of code, the newest version first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn spot_answers(&mut self, owner: JurisdictionId) -> Result<Vec<SpotVersion>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            spot_answer::table
                .filter(spot_answer::jurisdiction_id.eq(owner.0))
                .order((spot_answer::code, spot_answer::version.desc()))
                .load(connection)
        })?;
        Ok(rows.into_iter().map(SpotVersion::from).collect())
    }
}

impl Transaction<'_> {
    /// Adds a version of an answer, which stands for the code from now on; answers its number.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_spot_answer(
        &mut self,
        owner: JurisdictionId,
        new: &SpotAnswer,
        (made_by, made_at): (&str, Instant),
    ) -> Result<i64, Error> {
        let last: Option<i64> = each!(&mut self.connection, connection => {
            spot_answer::table
                .filter(spot_answer::jurisdiction_id.eq(owner.0))
                .filter(spot_answer::code.eq(&new.code))
                .select(diesel::dsl::max(spot_answer::version))
                .first(connection)
        })?;
        let version = last.unwrap_or(0) + 1;
        let values = (
            spot_answer::jurisdiction_id.eq(owner.0),
            spot_answer::code.eq(&new.code),
            spot_answer::version.eq(version),
            spot_answer::unit.eq(&new.unit),
            spot_answer::category.eq(&new.category),
            spot_answer::title.eq(&new.title),
            spot_answer::body.eq(&new.body),
            spot_answer::words.eq(&new.words),
            spot_answer::valid_until.eq(new.valid_until.map(|until| until.0)),
            spot_answer::made_by.eq(made_by),
            spot_answer::made_at.eq(made_at.0),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(spot_answer::table).values(values).execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(version)
    }

    /// Takes an answer back, in all its versions; false when none was in use.
    ///
    /// # Errors
    /// As for any statement.
    pub fn end_spot_answer(
        &mut self,
        owner: JurisdictionId,
        code: &str,
        now: Instant,
    ) -> Result<bool, Error> {
        let ended = each!(&mut self.connection, connection => {
            diesel::update(spot_answer::table)
                .filter(spot_answer::jurisdiction_id.eq(owner.0))
                .filter(spot_answer::code.eq(code))
                .filter(spot_answer::ended_at.is_null())
                .set(spot_answer::ended_at.eq(now.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(ended > 0)
    }
}
