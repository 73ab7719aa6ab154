//! Sessions of people. Only hashes of their secrets are kept. Every end of one raises a revision in the
//! same transaction, so that each node forgets what it remembers of sessions.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{jurisdiction, session};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{Instant, JurisdictionId, PersonId};

/// A session that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of its secret.
    pub hash: Hash,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// Since when.
    pub began_at: Instant,
    /// When it was last used, roughly.
    pub used_at: Instant,
    /// When it ends at the latest.
    pub until: Instant,
    /// Whether a second factor was shown.
    pub factor: bool,
    /// From where it was begun.
    pub address: String,
}

type Session = (Vec<u8>, i64, i64, i64, i64, i64, bool, String);

fn read_session(row: Session) -> Result<SessionRow, Error> {
    let (hash, person, owner, began, used, until, factor, address) = row;
    Ok(SessionRow {
        hash: hash_of(&hash, &format!("a session of person {person}"))?,
        person: PersonId(person),
        jurisdiction: JurisdictionId(owner),
        began_at: Instant(began),
        used_at: Instant(used),
        until: Instant(until),
        factor,
        address,
    })
}

impl Reader {
    /// The session with this hash, whether it is still good or not: the caller judges.
    ///
    /// # Errors
    /// As for any statement.
    pub fn session(&mut self, hash: &Hash) -> Result<Option<SessionRow>, Error> {
        let row: Option<Session> = each!(&mut self.connection, connection => {
            session::table.find(hash.as_slice()).first(connection).optional()
        })?;
        row.map(read_session).transpose()
    }

    /// The sessions of a person, the oldest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn sessions(&mut self, person: PersonId) -> Result<Vec<SessionRow>, Error> {
        let rows: Vec<Session> = each!(&mut self.connection, connection => {
            session::table
                .filter(session::person_id.eq(person.0))
                .order((session::began_at, session::hash))
                .load(connection)
        })?;
        rows.into_iter().map(read_session).collect()
    }
}

impl Transaction<'_> {
    /// Begins a session.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_session(&mut self, new: &SessionRow) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::insert_into(session::table)
                .values((
                    session::hash.eq(new.hash.as_slice()),
                    session::person_id.eq(new.person.0),
                    session::jurisdiction_id.eq(new.jurisdiction.0),
                    session::began_at.eq(new.began_at.0),
                    session::used_at.eq(new.used_at.0),
                    session::until_at.eq(new.until.0),
                    session::factor.eq(new.factor),
                    session::address.eq(&new.address),
                ))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Notes that a session was used; false when it has ended. To be called now and then, not for each
    /// request.
    ///
    /// # Errors
    /// As for any statement.
    pub fn touch_session(&mut self, hash: &Hash, now: Instant) -> Result<bool, Error> {
        let touched = each!(&mut self.connection, connection => {
            diesel::update(session::table.find(hash.as_slice()))
                .set(session::used_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(touched == 1)
    }

    /// Ends one session, and tells the other nodes; false when it had ended already.
    ///
    /// # Errors
    /// As for any statement.
    pub fn end_session(&mut self, hash: &Hash) -> Result<bool, Error> {
        let owners: Vec<i64> = each!(&mut self.connection, connection => {
            session::table.find(hash.as_slice()).select(session::jurisdiction_id).load(connection)
        })?;
        self.raise_access_revision(&owners)?;
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(session::table.find(hash.as_slice())).execute(connection)
        })?;
        Ok(gone == 1)
    }

    /// Ends every session of a person, and tells the other nodes; answers how many there were.
    ///
    /// # Errors
    /// As for any statement.
    pub fn end_sessions(&mut self, person: PersonId) -> Result<usize, Error> {
        let owners: Vec<i64> = each!(&mut self.connection, connection => {
            session::table
                .filter(session::person_id.eq(person.0))
                .select(session::jurisdiction_id)
                .distinct()
                .load(connection)
        })?;
        self.raise_access_revision(&owners)?;
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(session::table.filter(session::person_id.eq(person.0)))
                .execute(connection)
        })?;
        Ok(gone)
    }

    /// Tells the other nodes that sessions end. Before the rows themselves, as everywhere: of two that
    /// end the same at once, one waits for the other and not both.
    fn raise_access_revision(&mut self, owners: &[i64]) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(jurisdiction::table.filter(jurisdiction::id.eq_any(owners)))
                .set(jurisdiction::access_revision.eq(jurisdiction::access_revision + 1))
                .execute(connection)
        })?;
        Ok(())
    }
}
