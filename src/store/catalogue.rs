//! Versions of the catalogue of categories.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::catalogue;
use super::writer::Transaction;
use crate::domain::catalogue::{Catalogue, Published};
use crate::domain::{Category, Instant, JurisdictionId};

#[derive(Debug, Queryable)]
struct Row {
    jurisdiction_id: i64,
    number: i64,
    body: String,
    note: String,
    made_by: String,
    made_at: i64,
    published_by: Option<String>,
    published_at: Option<i64>,
    effective_at: Option<i64>,
    withdrawn_at: Option<i64>,
}

fn read(row: Row) -> Result<Catalogue, Error> {
    let place = format!("version {} of catalogue {}", row.number, row.jurisdiction_id);
    let list: Vec<Category> =
        serde_json::from_str(&row.body).map_err(|cause| Error::corrupt(place, cause))?;
    let published = row.published_by.zip(row.published_at).zip(row.effective_at);
    Ok(Catalogue {
        number: row.number,
        categories: list.into_iter().map(|one| (one.code.clone(), one)).collect(),
        note: row.note,
        made_by: row.made_by,
        made_at: Instant(row.made_at),
        published: published.map(|((by, at), effective_at)| Published {
            by,
            at: Instant(at),
            effective_at: Instant(effective_at),
        }),
        withdrawn_at: row.withdrawn_at.map(Instant),
    })
}

impl Reader {
    /// The versions of a jurisdiction's catalogue, the newest first.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when one cannot be read; otherwise as for any statement.
    pub fn catalogues(&mut self, owner: JurisdictionId) -> Result<Vec<Catalogue>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            catalogue::table
                .filter(catalogue::jurisdiction_id.eq(owner.0))
                .order(catalogue::number.desc())
                .load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }
}

impl Transaction<'_> {
    /// Adds a version, a draft or a published one; answers its number.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_catalogue(&mut self, owner: JurisdictionId, new: &Catalogue) -> Result<i64, Error> {
        let list: Vec<&Category> = new.categories.values().collect();
        let body =
            serde_json::to_string(&list).map_err(|cause| Error::Refused(cause.to_string()))?;
        let last: Option<i64> = each!(&mut self.connection, connection => {
            catalogue::table
                .filter(catalogue::jurisdiction_id.eq(owner.0))
                .select(diesel::dsl::max(catalogue::number))
                .first(connection)
        })?;
        let number = last.unwrap_or(0) + 1;
        let published = new.published.as_ref();
        let values = (
            catalogue::jurisdiction_id.eq(owner.0),
            catalogue::number.eq(number),
            catalogue::body.eq(&body),
            catalogue::note.eq(&new.note),
            catalogue::made_by.eq(&new.made_by),
            catalogue::made_at.eq(new.made_at.0),
            catalogue::published_by.eq(published.map(|one| &one.by)),
            catalogue::published_at.eq(published.map(|one| one.at.0)),
            catalogue::effective_at.eq(published.map(|one| one.effective_at.0)),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(catalogue::table).values(values).execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(number)
    }

    /// Publishes a draft; false when there is none of this number.
    ///
    /// # Errors
    /// As for any statement.
    pub fn publish_catalogue(
        &mut self,
        owner: JurisdictionId,
        number: i64,
        published: &Published,
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(catalogue::table.find((owner.0, number)))
                .filter(catalogue::published_at.is_null())
                .filter(catalogue::withdrawn_at.is_null())
                .set((
                    catalogue::published_by.eq(&published.by),
                    catalogue::published_at.eq(published.at.0),
                    catalogue::effective_at.eq(published.effective_at.0),
                ))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed == 1)
    }

    /// Withdraws a draft, or what is published and not in force yet; false when there is none of this
    /// number.
    ///
    /// # Errors
    /// As for any statement.
    pub fn withdraw_catalogue(
        &mut self,
        owner: JurisdictionId,
        number: i64,
        now: Instant,
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(catalogue::table.find((owner.0, number)))
                .filter(catalogue::effective_at.is_null().or(catalogue::effective_at.gt(now.0)))
                .filter(catalogue::withdrawn_at.is_null())
                .set(catalogue::withdrawn_at.eq(now.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed == 1)
    }
}
