//! Signing in: by name and password, with a code where one is demanded; or by the word of an
//! identity provider.

use serde_json::json;

use super::account::own;
use super::session::Session;
use super::throttle::{Codes, Names};
use super::totp::wrong_code;
use super::{Trace, hash_of, password, refused, totp};
use crate::domain::{Instant, Person};
use crate::gate::Gate;
use crate::gate::error::Error;
use crate::store::{self, AccountRow, Transaction};

/// What somebody signs in with.
#[derive(Clone, Copy)]
pub struct SignIn<'s> {
    /// The name.
    pub login: &'s str,
    /// The password.
    pub password: &'s str,
    /// The code of the person's device, if one was given.
    pub code: Option<&'s str>,
}

/// From where somebody tries.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'s> {
    /// The address of the client.
    pub from: &'s str,
    /// The session it has already, which ends.
    pub older: Option<&'s str>,
}

/// A name as it is kept: small letters, without spaces around.
pub(super) fn plain(login: &str) -> String {
    login.trim().to_lowercase().chars().take(100).collect()
}

impl Gate {
    /// Signs somebody in. Blocks, and takes its time: passwords are slow to compare.
    ///
    /// # Errors
    /// `Refused` with `wrong_login` (which does not say what was wrong), `code_needed`, `wrong_code`
    /// or `too_many_attempts`.
    pub fn sign_in(&self, wish: SignIn<'_>, attempt: Attempt<'_>) -> Result<Session, Error> {
        let login = plain(wish.login);
        let names = Names::of(&login, attempt.from);
        self.let_through(&names, attempt.from)?;
        let account = self.read(|reader| reader.account_of_login(&login))?;
        let kept = account.as_ref().and_then(|account| account.password.as_deref());
        let right = password::fits(wish.password, kept, &self.inner.figures);
        let person = account.as_ref().and_then(|account| self.active(account));
        if !right || person.is_none() {
            self.failed(account.as_ref(), (SIGN_IN, "wrong_login"), attempt.from)?;
        }
        let (Some(account), Some(person), true) = (account, person, right) else {
            return Err(wrong_login());
        };
        let factor = match (account.totp.as_deref(), account.totp_at, wish.code) {
            (Some(secret), Some(_), Some(code)) => {
                self.let_code_through(&account, attempt.from)?;
                let step = totp::step_of(secret, code, self.now());
                // The same code is worth nothing a second time, whoever read it over a shoulder.
                let fresh = step.is_some_and(|step| step > account.totp_step);
                if !fresh || !self.take_step(&account, step)? {
                    self.failed(Some(&account), (SIGN_IN, "wrong_code"), attempt.from)?;
                    return Err(wrong_code());
                }
                true
            }
            // Counted as it was: else a right password would make guessing of codes cheap.
            (Some(_), Some(_), None) => {
                return Err(refused(
                    "code_needed",
                    "请输入动态口令",
                    "send the code of the person's device as `code`, too",
                ));
            }
            _ => false,
        };
        let rehashed = match account.password.as_deref() {
            Some(kept) if !password::is_current(kept) => {
                Some(password::hash(wish.password, self.inner.entropy)?)
            }
            _ => None,
        };
        self.begin(&person, account, (factor, rehashed), attempt)
    }

    /// Signs in whom the identity provider calls so; `factor` says that it asked for a second factor.
    /// Blocks.
    ///
    /// # Errors
    /// `Refused` with `wrong_login` when nobody is called so.
    pub fn sign_in_by_provider(
        &self,
        subject: &str,
        factor: bool,
        attempt: Attempt<'_>,
    ) -> Result<Session, Error> {
        let account = self.read(|reader| reader.account_of_subject(subject))?;
        let person = account.as_ref().and_then(|account| self.active(account));
        if person.is_none() {
            self.failed(account.as_ref(), (SIGN_IN, "unknown_subject"), attempt.from)?;
        }
        let (Some(account), Some(person)) = (account, person) else {
            return Err(wrong_login());
        };
        self.begin(&person, account, (factor, None), attempt)
    }

    /// Begins a session of who was found to be the person of an account, if that still stands as it
    /// was then; `rehashed` is the password as it is kept from now on, if that is not as before.
    fn begin(
        &self,
        person: &Person,
        account: AccountRow,
        (factor, rehashed): (bool, Option<String>),
        attempt: Attempt<'_>,
    ) -> Result<Session, Error> {
        let names = Names::of(&account.login, attempt.from);
        let mut fresh = self.fresh(person, &account, factor);
        attempt.from.clone_into(&mut fresh.row.address);
        let older = attempt.older.map(hash_of);
        let now = self.now();
        let entry = own(person.id, account.jurisdiction, "signed_in");
        let entry = entry.with(json!({ "from": attempt.from, "second_factor": factor }));
        let begun = self.with_sessions(|transaction| {
            let Some(held) = transaction.hold_account(person.id)?.filter(|held| {
                (&held.login, &held.password, &held.subject, held.totp_at)
                    == (&account.login, &account.password, &account.subject, account.totp_at)
            }) else {
                return Ok(false);
            };
            if rehashed.is_some() {
                transaction.put_account(&AccountRow { password: rehashed, ..held })?;
            }
            entry.write(transaction, now)?;
            succeeded(transaction, &names, now)?;
            transaction.put_throttle(&names.place(now))?;
            fresh.write(transaction, older.as_ref())?;
            Ok(true)
        })?;
        if !begun {
            return Err(wrong_login());
        }
        let (by, from) = (Some(person.id), attempt.from);
        self.tell(Trace { kind: SIGN_IN, by, of: None, from, outcome: "done" });
        self.handed(fresh, &account)
    }

    /// Counts an attempt before it is looked at.
    pub(super) fn let_through(&self, names: &Names, from: &str) -> Result<(), Error> {
        let now = self.now();
        let judged = self.with_hand(|transaction| {
            let rows = transaction.hold_throttles(&names.all(), now)?;
            let judged = names.judge(&rows, now);
            for row in judged.iter().flatten() {
                transaction.put_throttle(row)?;
            }
            Ok(judged)
        })?;
        let Err(wait) = judged else { return Ok(()) };
        let account = self.read(|reader| reader.account_of_login(names.login()))?;
        self.failed(account.as_ref(), (SIGN_IN, "too_many_attempts"), from)?;
        Err(too_many(wait))
    }

    /// Counts a code of the account's device before it is looked at.
    pub(super) fn let_code_through(&self, account: &AccountRow, from: &str) -> Result<(), Error> {
        let (codes, now) = (Codes::of(&account.login), self.now());
        let judged = self.with_hand(|transaction| {
            let rows = transaction.hold_throttles(&[codes.name().to_owned()], now)?;
            let judged = codes.judge(&rows, now);
            if let Ok(row) = &judged {
                transaction.put_throttle(row)?;
            }
            Ok(judged)
        })?;
        let Err(wait) = judged else { return Ok(()) };
        self.failed(Some(account), (SIGN_IN, "too_many_attempts"), from)?;
        Err(too_many(wait))
    }

    pub(super) fn forgive(&self, names: &Names) -> Result<(), Error> {
        let now = self.now();
        self.with_hand(|transaction| succeeded(transaction, names, now))
    }

    /// The person of an account, as long as it may act.
    fn active(&self, account: &AccountRow) -> Option<Person> {
        let directory = self.inner.registry.directory(account.jurisdiction).ok()?;
        directory.people.get(&account.person).filter(|person| person.active).cloned()
    }

    fn take_step(&self, account: &AccountRow, step: Option<i64>) -> Result<bool, Error> {
        let Some(step) = step else { return Ok(false) };
        self.with_hand(|transaction| {
            let taken = transaction.take_step(account.person, step)?;
            if taken {
                transaction.drop_throttle(Codes::of(&account.login).name())?;
            }
            Ok(taken)
        })
    }
}

/// Takes back what was counted before an attempt that succeeded.
pub(super) fn succeeded(
    transaction: &mut Transaction<'_>,
    names: &Names,
    now: Instant,
) -> Result<(), store::Error> {
    let rows = transaction.hold_throttles(&names.all(), now)?;
    for name in names.forgiven() {
        transaction.drop_throttle(name)?;
    }
    names.taken_back(&rows).map_or(Ok(()), |row| transaction.put_throttle(&row))
}

fn too_many(wait: i64) -> Error {
    let minutes = wait.div_euclid(60_000) + 1;
    refused(
        "too_many_attempts",
        format!("尝试次数过多，请{minutes}分钟后再试"),
        format!("too many attempts failed; try again in {minutes} minutes"),
    )
}

/// What the log calls it.
const SIGN_IN: &str = "sign_in";

/// Which part was wrong is not said, nor whether there is such a name.
pub(super) fn wrong_login() -> Error {
    refused("wrong_login", "登录名或密码不正确", "this is not the name and password of an account")
}

/// Until when a code to set up an account is good, from now on (ms): three days.
pub(super) const SETUP_FOR: i64 = 72 * 3_600_000;

/// Whether something that ends then is still good.
pub(super) fn is_good(until: Instant, now: Instant) -> bool {
    now < until
}
