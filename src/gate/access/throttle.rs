//! Guessing is slow: failures are counted by account, by address and by both together, in the store,
//! so that neither a restart nor another node forgets them.
//!
//! Failures from elsewhere do not lock somebody out at the place where he usually signs in: else the
//! 110 desk could be locked out by anybody who knows its names.

use crate::domain::Instant;
use crate::store::ThrottleRow;

/// Failures count for so long after the last one (ms): 15 minutes.
pub(super) const WINDOW: i64 = 15 * 60_000;

/// A place where somebody signed in is remembered for so long (ms): 30 days.
pub(super) const REMEMBERED: i64 = 30 * 24 * 3_600_000;

/// So many wrong attempts of one account at one address, …
const PAIR: i64 = 5;
/// … of one account at all places where it never signed in, …
const ACCOUNT: i64 = 20;
/// … and at one address for all accounts.
const ADDRESS: i64 = 60;
/// So many wrong codes of one account's device, from wherever.
const CODES: i64 = 5;

/// The names under which an attempt is counted.
#[derive(Debug, Clone)]
pub(super) struct Names {
    login: String,
    pair: String,
    account: String,
    address: String,
    usual: String,
}

impl Names {
    pub(super) fn of(login: &str, address: &str) -> Self {
        Self {
            login: login.to_owned(),
            pair: format!("pair:{login}@{address}"),
            account: format!("account:{login}"),
            address: format!("address:{address}"),
            usual: format!("usual:{login}@{address}"),
        }
    }

    /// The name that was given.
    pub(super) fn login(&self) -> &str {
        &self.login
    }

    /// All of them.
    pub(super) fn all(&self) -> [String; 4] {
        [&self.pair, &self.account, &self.address, &self.usual].map(Clone::clone)
    }

    /// What a success forgets.
    pub(super) fn forgiven(&self) -> [&str; 2] {
        [&self.account, &self.pair]
    }

    /// The address as it is without this attempt, which was counted and then succeeded: whole offices
    /// sign in from one address. Failures of others there stay.
    pub(super) fn taken_back(&self, rows: &[ThrottleRow]) -> Option<ThrottleRow> {
        let row = rows.iter().find(|row| row.name == self.address && row.failures > 0)?;
        Some(ThrottleRow { failures: row.failures - 1, ..row.clone() })
    }

    /// The row that remembers a place.
    pub(super) fn place(&self, now: Instant) -> ThrottleRow {
        ThrottleRow {
            name: self.usual.clone(),
            failures: 0,
            last_at: now,
            until: now.plus(REMEMBERED),
        }
    }

    /// Whether an attempt is let through: the rows as they are if it fails. It is counted before it
    /// is looked at, so that guessing is no cheaper in parallel.
    ///
    /// # Errors
    /// For how long (ms) nothing is tried.
    pub(super) fn judge(
        &self,
        rows: &[ThrottleRow],
        now: Instant,
    ) -> Result<Vec<ThrottleRow>, i64> {
        let row = |name: &str| rows.iter().find(|row| row.name == name && now < row.until);
        let usual = row(&self.usual).is_some();
        let mut counted = Vec::new();
        for (name, most, everywhere) in [
            (&self.pair, PAIR, true),
            (&self.account, ACCOUNT, false),
            (&self.address, ADDRESS, false),
        ] {
            let failures = row(name).map_or(0, |row| row.failures);
            if failures >= most && (everywhere || !usual) {
                let last = row(name).map_or(now, |row| row.last_at);
                return Err(last.plus(WINDOW).since(now).max(1000));
            }
            counted.push(ThrottleRow {
                name: name.clone(),
                failures: failures + 1,
                last_at: now,
                until: now.plus(WINDOW),
            });
        }
        Ok(counted)
    }
}

/// Wrong codes of an account's device, counted by themselves: whoever guesses them knows the password,
/// or sits in a session, so that no right password may forgive them, and no usual place.
#[derive(Debug, Clone)]
pub(super) struct Codes(String);

impl Codes {
    pub(super) fn of(login: &str) -> Self {
        Self(format!("code:{login}"))
    }

    /// The name under which they are counted; a right code forgets it.
    pub(super) fn name(&self) -> &str {
        &self.0
    }

    /// Whether a code is looked at: the row as it is if it is wrong.
    ///
    /// # Errors
    /// For how long (ms) none is.
    pub(super) fn judge(&self, rows: &[ThrottleRow], now: Instant) -> Result<ThrottleRow, i64> {
        let row = rows.iter().find(|row| row.name == self.0 && now < row.until);
        let failures = row.map_or(0, |row| row.failures);
        match row {
            Some(row) if failures >= CODES => Err(row.last_at.plus(WINDOW).since(now).max(1000)),
            _ => Ok(ThrottleRow {
                name: self.0.clone(),
                failures: failures + 1,
                last_at: now,
                until: now.plus(WINDOW),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Attempts that all fail.
    #[derive(Default)]
    struct Book(BTreeMap<String, ThrottleRow>);

    impl Book {
        fn fails(&mut self, login: &str, address: &str, now: i64) -> bool {
            let rows: Vec<ThrottleRow> = self.0.values().cloned().collect();
            match Names::of(login, address).judge(&rows, Instant(now)) {
                Ok(rows) => {
                    self.0.extend(rows.into_iter().map(|row| (row.name.clone(), row)));
                    true
                }
                Err(_) => false,
            }
        }
    }

    #[test]
    fn five_wrong_passwords_at_one_place_are_enough_for_a_quarter_of_an_hour() {
        let mut book = Book::default();
        for minute in 0..5 {
            assert!(book.fails("wang", "10.0.0.1", minute * 60_000));
        }
        assert!(!book.fails("wang", "10.0.0.1", 5 * 60_000));
        assert!(book.fails("li", "10.0.0.1", 5 * 60_000), "others go on");
        assert!(!book.fails("wang", "10.0.0.1", 4 * 60_000 + WINDOW - 1));
        assert!(book.fails("wang", "10.0.0.1", 4 * 60_000 + WINDOW));
    }

    // Check 11.
    #[test]
    fn who_guesses_from_everywhere_does_not_lock_out_the_desk_at_its_own_place() {
        let mut book = Book::default();
        let desk = Names::of("desk", "10.0.0.1").place(Instant(0));
        book.0.insert(desk.name.clone(), desk);
        let through =
            (0..100).filter(|n| book.fails("desk", &format!("203.0.113.{n}"), *n)).count();
        assert_eq!(through, 20);
        assert!(!book.fails("desk", "10.9.9.9", 200));
        assert!(book.fails("desk", "10.0.0.1", 200), "its own place still may");
    }

    #[test]
    fn one_address_that_tries_every_account_is_stopped() {
        let mut book = Book::default();
        let through = (0..200).filter(|n| book.fails(&format!("u{n}"), "203.0.113.9", *n)).count();
        assert_eq!(through, 60);
    }
}
