//! Tokens: how people and units' systems are known. Only hashes are kept. Every change raises the
//! jurisdiction's revision, so that each node loads them again.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::token;
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{Instant, JurisdictionId, PersonId, Scope};

/// A token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its id; 0 when writing means that the store gives one.
    pub id: i64,
    /// The hash of the secret.
    pub hash: Hash,
    /// Who it is.
    pub person: PersonId,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// What it is for, in its owner's words.
    pub label: String,
    /// When it was made.
    pub created_at: Instant,
    /// From when it is no longer good.
    pub expires_at: Option<Instant>,
    /// Since when it is no longer good because somebody said so.
    pub revoked_at: Option<Instant>,
    /// When it was last used, roughly.
    pub last_used_at: Option<Instant>,
    /// What it is narrowed to.
    pub scope: Scope,
}

type Row = (i64, Vec<u8>, i64, i64, String, i64, Option<i64>, Option<i64>, Option<i64>, String);

fn read(row: Row) -> Result<TokenRow, Error> {
    let (id, hash, person, owner, label, created, expires_at, revoked_at, last_used_at, scope) =
        row;
    let place = format!("token {id}");
    let scope = serde_json::from_str(&scope).map_err(|cause| Error::corrupt(&place, cause))?;
    Ok(TokenRow {
        id,
        hash: hash_of(&hash, &place)?,
        person: PersonId(person),
        jurisdiction: JurisdictionId(owner),
        label,
        created_at: Instant(created),
        expires_at: expires_at.map(Instant),
        revoked_at: revoked_at.map(Instant),
        last_used_at: last_used_at.map(Instant),
        scope,
    })
}

impl Transaction<'_> {
    /// Adds a token; answers its id.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the hash is there already; [`Error::Refused`] when there is no such
    /// person or jurisdiction.
    pub fn add_token(&mut self, new: &TokenRow) -> Result<i64, Error> {
        let id = self.id_for("token", new.id)?;
        let scope =
            serde_json::to_string(&new.scope).map_err(|cause| Error::Refused(cause.to_string()))?;
        each!(&mut self.connection, connection => {
            diesel::insert_into(token::table)
                .values((
                    token::id.eq(id),
                    token::hash.eq(new.hash.as_slice()),
                    token::person_id.eq(new.person.0),
                    token::jurisdiction_id.eq(new.jurisdiction.0),
                    token::label.eq(&new.label),
                    token::created_at.eq(new.created_at.0),
                    token::expires_at.eq(new.expires_at.map(|at| at.0)),
                    token::revoked_at.eq(new.revoked_at.map(|at| at.0)),
                    token::last_used_at.eq(new.last_used_at.map(|at| at.0)),
                    token::scope.eq(&scope),
                ))
                .execute(connection)
        })?;
        self.raise_revision(new.jurisdiction)?;
        Ok(id)
    }

    /// Ends a token; false when it was ended already, or does not exist.
    ///
    /// # Errors
    /// As for any statement.
    pub fn revoke_token(&mut self, id: i64, now: Instant) -> Result<bool, Error> {
        let owners: Vec<i64> = each!(&mut self.connection, connection => {
            token::table.find(id).select(token::jurisdiction_id).load(connection)
        })?;
        self.tell(&owners)?;
        let changed = each!(&mut self.connection, connection => {
            diesel::update(token::table.find(id))
                .filter(token::revoked_at.is_null())
                .set(token::revoked_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(changed == 1)
    }

    /// Ends every token of a person; answers how many were still good.
    ///
    /// # Errors
    /// As for any statement.
    pub fn revoke_tokens(&mut self, person: PersonId, now: Instant) -> Result<usize, Error> {
        let owners: Vec<i64> = each!(&mut self.connection, connection => {
            token::table
                .filter(token::person_id.eq(person.0))
                .filter(token::revoked_at.is_null())
                .select(token::jurisdiction_id)
                .distinct()
                .load(connection)
        })?;
        self.tell(&owners)?;
        let changed = each!(&mut self.connection, connection => {
            diesel::update(token::table.filter(token::person_id.eq(person.0)))
                .filter(token::revoked_at.is_null())
                .set(token::revoked_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(changed)
    }

    /// Ends every token; answers how many were still good.
    ///
    /// # Errors
    /// As for any statement.
    pub fn revoke_all_tokens(&mut self, now: Instant) -> Result<usize, Error> {
        let owners: Vec<i64> = each!(&mut self.connection, connection => {
            token::table
                .filter(token::revoked_at.is_null())
                .select(token::jurisdiction_id)
                .distinct()
                .load(connection)
        })?;
        self.tell(&owners)?;
        let changed = each!(&mut self.connection, connection => {
            diesel::update(token::table.filter(token::revoked_at.is_null()))
                .set(token::revoked_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(changed)
    }

    /// Tells the other nodes that tokens end; before the rows themselves, as everywhere.
    fn tell(&mut self, owners: &[i64]) -> Result<(), Error> {
        owners.iter().try_for_each(|owner| self.raise_revision(JurisdictionId(*owner)))
    }

    /// Notes that a token was used. To be called now and then, not for each request.
    ///
    /// # Errors
    /// As for any statement.
    pub fn touch_token(&mut self, id: i64, now: Instant) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(token::table.find(id))
                .set(token::last_used_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(())
    }
}

impl Reader {
    /// The token with this hash, whether it is still good or not: the caller judges.
    ///
    /// # Errors
    /// As for any statement.
    pub fn token(&mut self, hash: &Hash) -> Result<Option<TokenRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            token::table.filter(token::hash.eq(hash.as_slice())).first(connection).optional()
        })?;
        row.map(read).transpose()
    }

    /// The tokens of a jurisdiction, of one person or of all, in order of id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn tokens(
        &mut self,
        owner: JurisdictionId,
        person: Option<PersonId>,
    ) -> Result<Vec<TokenRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            let mut query = token::table
                .filter(token::jurisdiction_id.eq(owner.0))
                .order(token::id)
                .into_boxed::<Backend>();
            if let Some(id) = person {
                query = query.filter(token::person_id.eq(id.0));
            }
            query.load(connection)
        })?;
        rows.into_iter().map(read).collect()
    }
}
