//! Accounts, and what is remembered of failed sign-ins. Passwords are kept as hashes.

use diesel::prelude::*;

use super::connection::{Connection, each};
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{account, session, throttle};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{Instant, JurisdictionId, PersonId};

/// How a person signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Who.
    pub person: PersonId,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// The name to sign in with, in small letters.
    pub login: String,
    /// The hash of the password with its parameters; none: no password was chosen yet.
    pub password: Option<String>,
    /// Since when it holds.
    pub password_at: Option<Instant>,
    /// Hashes of earlier passwords, the newest first.
    pub earlier: Vec<String>,
    /// The hash of the code by which the person chooses a password, and until when it is good.
    pub setup: Option<(Hash, Instant)>,
    /// The secret shared with the person's device.
    pub totp: Option<Vec<u8>>,
    /// Since when its codes are demanded; none: it was not confirmed yet.
    pub totp_at: Option<Instant>,
    /// The last time step that was used; before the device is confirmed, that in which its secret was
    /// made.
    pub totp_step: i64,
    /// What the identity provider calls the person.
    pub subject: Option<String>,
    /// When the account was made.
    pub made_at: Instant,
}

impl AccountRow {
    /// A new account, with nothing to sign in by yet.
    #[must_use]
    pub fn of(person: PersonId, jurisdiction: JurisdictionId, now: Instant) -> Self {
        Self {
            person,
            jurisdiction,
            login: String::new(),
            password: None,
            password_at: None,
            earlier: Vec::new(),
            setup: None,
            totp: None,
            totp_at: None,
            totp_step: 0,
            subject: None,
            made_at: now,
        }
    }
}

/// What of an account is asked with each session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Password {
    /// An identity provider says who it is.
    pub outside: bool,
    /// Since when the password is what it is.
    pub password_at: Option<Instant>,
}

impl From<&AccountRow> for Password {
    fn from(account: &AccountRow) -> Self {
        Self { outside: account.subject.is_some(), password_at: account.password_at }
    }
}

/// Failures under one name: an account, an address, or both together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThrottleRow {
    /// Which.
    pub name: String,
    /// How many in a row.
    pub failures: i64,
    /// When the last one was.
    pub last_at: Instant,
    /// When the row may be forgotten.
    pub until: Instant,
}

#[derive(Queryable)]
struct Row {
    person_id: i64,
    jurisdiction_id: i64,
    login: String,
    password: Option<String>,
    password_at: Option<i64>,
    earlier: String,
    setup_hash: Option<Vec<u8>>,
    setup_until: Option<i64>,
    totp: Option<Vec<u8>>,
    totp_at: Option<i64>,
    totp_step: i64,
    subject: Option<String>,
    made_at: i64,
}

fn read(row: Row) -> Result<AccountRow, Error> {
    let place = format!("the account of person {}", row.person_id);
    let earlier =
        serde_json::from_str(&row.earlier).map_err(|cause| Error::corrupt(&place, cause))?;
    let setup = match (row.setup_hash, row.setup_until) {
        (Some(hash), Some(until)) => Some((hash_of(&hash, &place)?, Instant(until))),
        _ => None,
    };
    Ok(AccountRow {
        person: PersonId(row.person_id),
        jurisdiction: JurisdictionId(row.jurisdiction_id),
        login: row.login,
        password: row.password,
        password_at: row.password_at.map(Instant),
        earlier,
        setup,
        totp: row.totp,
        totp_at: row.totp_at.map(Instant),
        totp_step: row.totp_step,
        subject: row.subject,
        made_at: Instant(row.made_at),
    })
}

impl Reader {
    fn account_of(&self, row: Option<Row>) -> Result<Option<AccountRow>, Error> {
        let Some(mut account) = row.map(read).transpose()? else { return Ok(None) };
        if let Some(kept) = account.totp.take() {
            account.totp = Some(self.open_device(account.person.0, kept)?);
        }
        Ok(Some(account))
    }

    /// The account of a person.
    ///
    /// # Errors
    /// As for any statement.
    pub fn account(&mut self, person: PersonId) -> Result<Option<AccountRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            account::table.find(person.0).first(connection).optional()
        })?;
        self.account_of(row)
    }

    /// How old a person's password is, without the rest of the account: asked with each session.
    ///
    /// # Errors
    /// As for any statement.
    pub fn password_of(&mut self, person: PersonId) -> Result<Option<Password>, Error> {
        let row: Option<(bool, Option<i64>)> = each!(&mut self.connection, connection => {
            account::table
                .find(person.0)
                .select((account::subject.is_not_null(), account::password_at))
                .first(connection)
                .optional()
        })?;
        Ok(row.map(|(outside, at)| Password { outside, password_at: at.map(Instant) }))
    }

    /// The account that is signed in to with this name, in small letters.
    ///
    /// # Errors
    /// As for any statement.
    pub fn account_of_login(&mut self, login: &str) -> Result<Option<AccountRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            account::table.filter(account::login.eq(login)).first(connection).optional()
        })?;
        self.account_of(row)
    }

    /// The account of whom the identity provider calls so.
    ///
    /// # Errors
    /// As for any statement.
    pub fn account_of_subject(&mut self, subject: &str) -> Result<Option<AccountRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            account::table.filter(account::subject.eq(subject)).first(connection).optional()
        })?;
        self.account_of(row)
    }

    /// The failures under some names.
    ///
    /// # Errors
    /// As for any statement.
    pub fn throttled(&mut self, names: &[String]) -> Result<Vec<ThrottleRow>, Error> {
        let rows: Vec<(String, i64, i64, i64)> = each!(&mut self.connection, connection => {
            throttle::table.filter(throttle::name.eq_any(names)).load(connection)
        })?;
        let read = |(name, failures, last, until)| ThrottleRow {
            name,
            failures,
            last_at: Instant(last),
            until: Instant(until),
        };
        Ok(rows.into_iter().map(read).collect())
    }
}

impl Transaction<'_> {
    /// The account of a person, held until the transaction ends: what is judged by it is still so when
    /// it is written.
    ///
    /// # Errors
    /// As for any statement.
    pub fn hold_account(&mut self, person: PersonId) -> Result<Option<AccountRow>, Error> {
        // A transaction of SQLite holds everything.
        if let Connection::Postgres(connection) = &mut self.connection {
            let row = account::table.find(person.0).select(account::person_id).for_update();
            row.first::<i64>(connection).optional()?;
        }
        self.account(person)
    }

    /// The failures under some names, held until the transaction ends: of attempts at the same time
    /// each one counts.
    ///
    /// # Errors
    /// As for any statement.
    pub fn hold_throttles(
        &mut self,
        names: &[String],
        now: Instant,
    ) -> Result<Vec<ThrottleRow>, Error> {
        if let Connection::Postgres(connection) = &mut self.connection {
            // In one order, so that two never wait for each other; what is not there cannot be held.
            let mut names = names.to_vec();
            names.sort();
            let rows: Vec<_> = names
                .iter()
                .map(|name| {
                    (
                        throttle::name.eq(name),
                        throttle::failures.eq(0),
                        throttle::last_at.eq(now.0),
                        throttle::until_at.eq(now.0),
                    )
                })
                .collect();
            diesel::insert_into(throttle::table)
                .values(&rows)
                .on_conflict_do_nothing()
                .execute(connection)?;
            let held = throttle::table.filter(throttle::name.eq_any(&names));
            let held = held.select(throttle::name).order(throttle::name).for_update();
            held.load::<String>(connection)?;
        }
        self.throttled(names)
    }

    /// Adds or replaces the account of a person.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another account has the name or the subject; otherwise as for any
    /// statement.
    pub fn put_account(&mut self, new: &AccountRow) -> Result<(), Error> {
        let earlier = serde_json::to_string(&new.earlier)
            .map_err(|cause| Error::Refused(cause.to_string()))?;
        let setup = new.setup.as_ref();
        let person = new.person.0;
        let totp = new.totp.as_ref().map(|secret| self.lock_device(person, secret)).transpose()?;
        let values = (
            account::jurisdiction_id.eq(new.jurisdiction.0),
            account::login.eq(&new.login),
            account::password.eq(&new.password),
            account::password_at.eq(new.password_at.map(|at| at.0)),
            account::earlier.eq(&earlier),
            account::setup_hash.eq(setup.map(|(hash, _)| hash.as_slice())),
            account::setup_until.eq(setup.map(|(_, until)| until.0)),
            account::totp.eq(&totp),
            account::totp_at.eq(new.totp_at.map(|at| at.0)),
            account::totp_step.eq(new.totp_step),
            account::subject.eq(&new.subject),
            account::made_at.eq(new.made_at.0),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(account::table)
                .values((account::person_id.eq(person), values))
                .on_conflict(account::person_id)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        Ok(())
    }

    /// Notes that the code of a time step was used; false when that step, or a later one, was used
    /// before.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_step(&mut self, person: PersonId, step: i64) -> Result<bool, Error> {
        let taken = each!(&mut self.connection, connection => {
            diesel::update(account::table.find(person.0))
                .filter(account::totp_step.lt(step))
                .set(account::totp_step.eq(step))
                .execute(connection)
        })?;
        Ok(taken == 1)
    }

    /// Takes the account of a person away; false when there was none.
    ///
    /// # Errors
    /// As for any statement.
    pub fn drop_account(&mut self, person: PersonId) -> Result<bool, Error> {
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(account::table.find(person.0)).execute(connection)
        })?;
        Ok(gone == 1)
    }

    /// Writes failures under a name.
    ///
    /// # Errors
    /// As for any statement.
    pub fn put_throttle(&mut self, new: &ThrottleRow) -> Result<(), Error> {
        let values = (
            throttle::failures.eq(new.failures),
            throttle::last_at.eq(new.last_at.0),
            throttle::until_at.eq(new.until.0),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(throttle::table)
                .values((throttle::name.eq(&new.name), values))
                .on_conflict(throttle::name)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        Ok(())
    }

    /// Forgets what was remembered under a name.
    ///
    /// # Errors
    /// As for any statement.
    pub fn drop_throttle(&mut self, name: &str) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::delete(throttle::table.find(name)).execute(connection)
        })?;
        Ok(())
    }

    /// Forgets sessions that have ended and failures that no longer count; answers how many rows.
    ///
    /// # Errors
    /// As for any statement.
    pub fn forget_access(&mut self, now: Instant) -> Result<usize, Error> {
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(session::table.filter(session::until_at.le(now.0)))
                .execute(connection)
        })?;
        let more = each!(&mut self.connection, connection => {
            diesel::delete(throttle::table.filter(throttle::until_at.le(now.0)))
                .execute(connection)
        })?;
        Ok(gone + more)
    }
}
