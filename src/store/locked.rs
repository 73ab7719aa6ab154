//! Values that are kept locked, walked through: locked anew by the key that locks now, looked at again,
//! counted by key.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::connection::{Connection, each};
use super::error::Error;
use super::pool::Reader;
use super::schema::{self, account};
use super::statement::{Cell, Statement};
use super::writer::Transaction;
use crate::domain::event::{hex, unhex};
use crate::vault::{MARK, Place, key_of};

/// Where a caller's value stands.
pub(super) fn caller(row: i64, field: &str) -> Place<'_> {
    Place { table: "personal", row, column: field }
}

/// Where the secret of a person's device stands.
fn device(person: i64) -> Place<'static> {
    Place { table: "account", row: person, column: "totp" }
}

/// The settings that are secrets of the house itself: with which links are signed, and by which equal
/// requests are known again.
const SECRETS: [&str; 2] = ["link_secret", "match_key"];

/// Where one stands.
fn setting(name: &str) -> Place<'_> {
    Place { table: "setting", row: 0, column: name }
}

/// The setting that names the key by which everything was locked when it was last walked through.
const ALL_BY: &str = "locked_by";

/// How far a walk through everything that is kept locked has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Walk {
    /// At the beginning.
    #[default]
    Begun,
    /// Callers' data up to this row.
    Callers(i64, String),
    /// Secrets of devices up to this person.
    Devices(i64),
    /// Everything was looked at.
    Ended,
}

/// What one stretch of locking anew did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relocked {
    /// How far it is.
    pub walk: Walk,
    /// How many values were locked anew.
    pub changed: usize,
    /// How many could not, because they were altered or moved.
    pub altered: usize,
}

/// Rows of callers' data: matter, field, what is kept.
type Callers = Vec<(i64, String, String)>;

/// Secrets of devices: person, what is kept.
type Devices = Vec<(i64, Vec<u8>)>;

/// One stretch of a walk.
enum Stretch {
    Callers(Callers),
    Devices(Devices),
    Nothing,
}

/// The text of a locked secret; none if it is the secret itself: 20 bytes, never so long.
fn locked_text(kept: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(kept).ok()?;
    (text.len() > MARK.len() + 20 && key_of(text).is_some()).then_some(text)
}

impl Reader {
    /// The next stretch of a walk, and where the walk is after it.
    fn stretch(&mut self, from: &Walk, limit: i64) -> Result<(Stretch, Walk), Error> {
        let full = |count: usize| i64::try_from(count).is_ok_and(|count| count == limit);
        match from {
            Walk::Begun | Walk::Callers(..) => {
                let (row, field) = match from {
                    Walk::Callers(row, field) => (*row, field.as_str()),
                    _ => (i64::MIN, ""),
                };
                let rows = self.callers_after(row, field, limit)?;
                let last = rows.last().filter(|_| full(rows.len()));
                let walk = last.map_or(Walk::Devices(i64::MIN), |(row, field, _)| {
                    Walk::Callers(*row, field.clone())
                });
                Ok((Stretch::Callers(rows), walk))
            }
            Walk::Devices(person) => {
                let rows = self.devices_after(*person, limit)?;
                let last = rows.last().filter(|_| full(rows.len()));
                let walk = last.map_or(Walk::Ended, |(person, _)| Walk::Devices(*person));
                Ok((Stretch::Devices(rows), walk))
            }
            Walk::Ended => Ok((Stretch::Nothing, Walk::Ended)),
        }
    }

    fn callers_after(&mut self, row: i64, field: &str, limit: i64) -> Result<Callers, Error> {
        let cells = [Cell::from(row), Cell::from(field), Cell::from(limit)];
        let some = Statement::<(BigInt, Text, Text)>::new(
            "SELECT instance_id, field, value FROM personal WHERE (instance_id, field) > (?, ?) \
             ORDER BY instance_id, field LIMIT ?",
            &cells,
        );
        Ok(each!(&mut self.connection, connection => some.load(connection))?)
    }

    fn devices_after(&mut self, person: i64, limit: i64) -> Result<Devices, Error> {
        let rows: Vec<(i64, Option<Vec<u8>>)> = each!(&mut self.connection, connection => {
            account::table
                .filter(account::totp.is_not_null().and(account::person_id.gt(person)))
                .order(account::person_id)
                .limit(limit)
                .select((account::person_id, account::totp))
                .load(connection)
        })?;
        Ok(rows.into_iter().filter_map(|(person, kept)| Some((person, kept?))).collect())
    }

    /// Notes that from now on values are locked by `key`: until everything is, no key may go.
    ///
    /// # Errors
    /// As for any statement.
    pub fn begin_to_lock_by(&mut self, key: &str) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(schema::setting::table.find(ALL_BY))
                .filter(schema::setting::value.ne(key))
                .set(schema::setting::value.eq(""))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Goes on with a walk for at most `limit` rows: answers how far it is, and what cannot be opened.
    ///
    /// # Errors
    /// As for any statement.
    pub fn check_locked(&mut self, from: &Walk, limit: i64) -> Result<(Walk, Vec<String>), Error> {
        let (stretch, walk) = self.stretch(from, limit)?;
        let mut opened: Vec<Result<(), Error>> = match stretch {
            Stretch::Callers(rows) => rows
                .iter()
                .map(|(row, field, kept)| self.shared.open(caller(*row, field), kept).map(drop))
                .collect(),
            Stretch::Devices(rows) => rows
                .into_iter()
                .map(|(person, kept)| self.open_device(person, kept).map(drop))
                .collect(),
            Stretch::Nothing => Vec::new(),
        };
        if walk == Walk::Ended {
            opened.extend(SECRETS.iter().map(|name| self.secret(name).map(drop)));
        }
        let faults = opened.into_iter().filter_map(|one| Some(one.err()?.to_string()));
        Ok((walk, faults.collect()))
    }

    /// How many values each key has locked, by its name; those that nothing has locked stand under an
    /// empty name. Looks at every row.
    ///
    /// # Errors
    /// As for any statement.
    pub fn locked_by(&mut self) -> Result<BTreeMap<String, i64>, Error> {
        let key = match &self.connection {
            Connection::Sqlite(_) => "substr(value, 7, instr(substr(value, 7), '.') - 1)",
            Connection::Postgres(_) => "split_part(value, '.', 2)",
        };
        let name = format!("CASE WHEN value LIKE '{MARK}%' THEN {key} ELSE '' END");
        let sql = format!("SELECT {name}, count(*) FROM personal GROUP BY 1");
        let statement = Statement::<(Text, BigInt)>::new(sql, &[]);
        let rows: Vec<(String, i64)> =
            each!(&mut self.connection, connection => statement.load(connection))?;
        let mut counts: BTreeMap<String, i64> = rows.into_iter().collect();
        let mut secrets = Vec::new();
        for name in SECRETS {
            secrets.extend(self.setting(name)?);
        }
        let devices = self.devices_after(i64::MIN, i64::MAX)?;
        let texts = devices.iter().map(|(_, kept)| locked_text(kept).unwrap_or_default());
        for text in texts.chain(secrets.iter().map(String::as_str)) {
            *counts.entry(key_of(text).unwrap_or_default().to_owned()).or_default() += 1;
        }
        Ok(counts)
    }

    /// The secret of a person's device, of what is kept.
    pub(super) fn open_device(&self, person: i64, kept: Vec<u8>) -> Result<Vec<u8>, Error> {
        let Some(text) = locked_text(&kept) else {
            return self.shared.clear(device(person), kept);
        };
        let opened = self.shared.open(device(person), text)?;
        let wrong = || Error::corrupt(device(person).to_string(), "it is no secret");
        unhex(&opened).ok_or_else(wrong)
    }

    /// What is kept of the secret of a person's device.
    pub(super) fn lock_device(&self, person: i64, secret: &[u8]) -> Result<Vec<u8>, Error> {
        match self.shared.vault() {
            Some(vault) => Ok(vault.lock(device(person), hex(secret).as_bytes())?.into_bytes()),
            None => Ok(secret.to_vec()),
        }
    }

    /// A secret of the house itself; none if there is none yet.
    ///
    /// # Errors
    /// [`Error::Keys`] when the keys at hand do not open it.
    pub fn secret(&mut self, name: &str) -> Result<Option<String>, Error> {
        let kept = self.setting(name)?;
        kept.map(|kept| self.shared.open(setting(name), &kept)).transpose()
    }

    /// Whether the keys at hand are those of this store: they open the secrets of the house.
    ///
    /// # Errors
    /// [`Error::Keys`] when they do not.
    pub fn fits(&mut self) -> Result<(), Error> {
        SECRETS.iter().try_for_each(|name| self.secret(name).map(drop))
    }

    /// Whether the keys at hand are keys of this store, though not all that it needs: one of them has
    /// locked something, or nothing is locked. What is altered is then a fault, not a foreign value.
    ///
    /// # Errors
    /// As for any statement.
    pub fn knows_keys(&mut self) -> Result<bool, Error> {
        let Some(vault) = self.shared.vault() else { return Ok(false) };
        let mut named = vec![self.all_locked_by()?];
        for name in SECRETS {
            named.push(self.setting(name)?.and_then(|kept| key_of(&kept).map(str::to_owned)));
        }
        // What is asked of few rows need not be counted over all.
        if named.iter().flatten().any(|key| vault.has(key)) {
            return Ok(true);
        }
        let counts = self.locked_by()?;
        let mut keys = counts.keys().filter(|key| !key.is_empty()).peekable();
        Ok(keys.peek().is_none() || keys.any(|key| vault.has(key)))
    }

    /// The key by which everything was locked when it was last walked through.
    ///
    /// # Errors
    /// As for any statement.
    pub fn all_locked_by(&mut self) -> Result<Option<String>, Error> {
        Ok(self.setting(ALL_BY)?.filter(|key| !key.is_empty()))
    }

    /// Whether callers' data can be read: they are not locked, or by keys that are at hand.
    ///
    /// # Errors
    /// As for any statement.
    pub fn is_readable(&mut self) -> Result<bool, Error> {
        Ok(self.shared.vault().is_some() || !self.is_locked()?)
    }

    /// Looks whether everything was once locked: from then on a value that is not was put there by
    /// somebody else, and is refused.
    ///
    /// # Errors
    /// As for any statement.
    pub fn refuse_clear(&mut self) -> Result<(), Error> {
        if self.setting(ALL_BY)?.is_some() {
            self.shared.refuse_clear();
        }
        Ok(())
    }

    /// Whether values of this store are kept locked.
    ///
    /// # Errors
    /// As for any statement.
    pub fn is_locked(&mut self) -> Result<bool, Error> {
        for name in SECRETS {
            if self.setting(name)?.is_some_and(|kept| key_of(&kept).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Transaction<'_> {
    /// Keeps a secret of the house itself.
    ///
    /// # Errors
    /// As for any statement.
    pub fn set_secret(&mut self, name: &str, secret: &str) -> Result<(), Error> {
        let kept = self.shared.lock(setting(name), secret)?;
        self.set_setting(name, &kept)
    }

    /// Notes by which key everything is locked.
    ///
    /// # Errors
    /// As for any statement.
    pub fn set_all_locked_by(&mut self, key: &str) -> Result<(), Error> {
        self.set_setting(ALL_BY, key)
    }

    /// Goes on with a walk for at most `limit` rows: what the present key did not lock is locked anew
    /// by it. Answers how far it is, and how many values were changed. A value that was altered or moved
    /// stays as it is, and is counted apart.
    ///
    /// # Errors
    /// [`Error::Keys`] for a value whose key is not there; otherwise as for any statement.
    pub fn relock(&mut self, from: &Walk, limit: i64) -> Result<Relocked, Error> {
        let Some(vault) = self.shared.vault() else {
            return Ok(Relocked { walk: Walk::Ended, ..Relocked::default() });
        };
        let (stretch, walk) = self.stretch(from, limit)?;
        // What is written over is not left to be read in the file.
        self.overwrite(true)?;
        let (mut changed, altered) = match stretch {
            Stretch::Callers(mut rows) => {
                rows.retain(|(_, _, kept)| !vault.is_present(kept));
                self.relock_callers(&rows)?
            }
            Stretch::Devices(mut rows) => {
                rows.retain(|(_, kept)| !locked_text(kept).is_some_and(|t| vault.is_present(t)));
                self.relock_devices(rows)?
            }
            Stretch::Nothing => (0, 0),
        };
        self.overwrite(false)?;
        for name in SECRETS.iter().filter(|_| walk == Walk::Ended) {
            let kept = self.setting(name)?.filter(|kept| !vault.is_present(kept));
            if kept.is_some()
                && let Some(secret) = self.secret(name)?
            {
                self.set_secret(name, &secret)?;
                changed += 1;
            }
        }
        Ok(Relocked { walk, changed, altered })
    }

    fn relock_callers(&mut self, rows: &Callers) -> Result<(usize, usize), Error> {
        let (mut changed, mut altered) = (0, 0);
        for (row, field, kept) in rows {
            let value = match self.shared.open(caller(*row, field), kept) {
                Err(Error::Altered(_)) => {
                    altered += 1;
                    continue;
                }
                opened => opened?,
            };
            let anew = self.shared.lock(caller(*row, field), &value)?;
            // Whoever wrote it meanwhile was faster, and has locked it himself.
            let cells = [
                Cell::from(anew),
                Cell::from(*row),
                Cell::from(field.as_str()),
                Cell::from(kept.as_str()),
            ];
            let put = Statement::<()>::new(
                "UPDATE personal SET value = ? WHERE instance_id = ? AND field = ? AND value = ?",
                &cells,
            );
            changed += each!(&mut self.connection, connection => put.execute(connection))?;
        }
        Ok((changed, altered))
    }

    fn relock_devices(&mut self, rows: Devices) -> Result<(usize, usize), Error> {
        let (mut changed, mut altered) = (0, 0);
        for (person, kept) in rows {
            let secret = match self.open_device(person, kept.clone()) {
                Err(Error::Altered(_)) => {
                    altered += 1;
                    continue;
                }
                opened => opened?,
            };
            let anew = self.lock_device(person, &secret)?;
            changed += each!(&mut self.connection, connection => {
                diesel::update(account::table.find(person))
                    .filter(account::totp.eq(Some(kept)))
                    .set(account::totp.eq(Some(anew)))
                    .execute(connection)
            })?;
        }
        Ok((changed, altered))
    }
}
