//! Accounts: given and taken away by administrators, who never know a password; set up and kept by
//! the people themselves.

use serde_json::json;

use super::sign_in::{SETUP_FOR, is_good, plain, wrong_login};
use super::throttle::Names;
use super::{SessionSeen, Trace, hash_of, password, refused};
use crate::domain::{Actor, Instant, JurisdictionId, Person, PersonId, Text};
use crate::gate::error::Error;
use crate::gate::sealing::Deed;
use crate::gate::standing::Standing;
use crate::gate::token::unnarrowed;
use crate::gate::{Caller, Gate, public_id};
use crate::policy::{self, Act};
use crate::store::{self, AccountRow, Transaction};

/// An account as it is shown: no secret, no hash.
#[derive(Debug, Clone)]
pub struct AccountSeen {
    /// Whose.
    pub person: PersonId,
    /// The name to sign in with.
    pub login: String,
    /// Since when the password holds; none: none was chosen yet.
    pub password_at: Option<Instant>,
    /// Since when codes of a device are demanded.
    pub second_factor_at: Option<Instant>,
    /// What the identity provider calls the person.
    pub subject: Option<String>,
}

/// An account to be given.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// The name to sign in with.
    pub login: String,
    /// What the identity provider calls the person.
    pub subject: Option<String>,
}

/// A code by which a person chooses a password, shown once.
#[derive(Clone)]
pub struct Setup {
    /// The name to sign in with.
    pub login: String,
    /// The code.
    pub code: String,
    /// Until when it is good.
    pub until: Instant,
}

impl Gate {
    pub(super) fn account_row(&self, person: PersonId) -> Result<AccountRow, Error> {
        self.read(|reader| reader.account(person))?.ok_or(Error::NotFound)
    }

    /// A person whose account the caller may keep.
    fn keeps(&self, caller: &Caller, id: PersonId) -> Result<Person, Error> {
        self.permit(caller, Act::KeepAccounts)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        directory.people.get(&id).cloned().ok_or(Error::NotFound)
    }

    /// The account of a person: for the person itself, and for administrators. Blocks.
    ///
    /// # Errors
    /// `NotFound` without an account, or for who may not know of it.
    pub fn account(&self, caller: &Caller, id: PersonId) -> Result<AccountSeen, Error> {
        let own = matches!(caller.actor, Actor::Person { id: me, .. } if me == id);
        if !own && !policy::may(&caller.actor, Act::KeepAccounts) {
            return Err(Error::Forbidden);
        }
        let row = self.account_row(id)?;
        if row.jurisdiction != caller.jurisdiction {
            return Err(Error::NotFound);
        }
        Ok(AccountSeen {
            person: row.person,
            login: row.login,
            password_at: row.password_at,
            second_factor_at: row.totp_at,
            subject: row.subject,
        })
    }

    /// Gives a person an account, or changes its name. Without a password yet there is a code by
    /// which the person chooses one. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Invalid` for a name that is none; `Refused` when another account has
    /// it, or by a narrowed token.
    pub fn give_account(
        &self,
        caller: &Caller,
        id: PersonId,
        new: &NewAccount,
    ) -> Result<Option<Setup>, Error> {
        self.keeps(caller, id)?;
        unnarrowed(caller)?;
        let login = sound_login(&new.login)?;
        let entry = Deed::of(caller, "account_given", format!("person:{id}"));
        let entry = entry.with(json!({ "login": login, "subject": new.subject }));
        let given = self.decide(|transaction, now| {
            let mine = |row: Option<AccountRow>| row.is_none_or(|row| row.person == id);
            let called = match &new.subject {
                Some(subject) => transaction.account_of_subject(subject)?,
                None => None,
            };
            if !mine(transaction.account_of_login(&login)?) || !mine(called) {
                return Ok(None);
            }
            let held = transaction.hold_account(id)?;
            Standing::read(transaction, caller, Act::KeepAccounts, now)?;
            let mut account = match held {
                Some(account) => {
                    // Who signed in under another name may be somebody else.
                    if (&account.login, &account.subject) != (&login, &new.subject) {
                        transaction.end_sessions(id)?;
                    }
                    account
                }
                None => AccountRow::of(id, caller.jurisdiction, now),
            };
            (account.login, account.subject) = (login, new.subject.clone());
            let setup = account.password.is_none().then(|| self.setup(&mut account));
            transaction.put_account(&account)?;
            entry.write(transaction, now)?;
            Ok(Some(setup))
        })?;
        // A name that is taken changes nothing.
        let setup = given.ok_or_else(|| {
            let en = "another account has this name, or is called so by the provider";
            refused("login_taken", "该登录名或外部身份已被其他账户使用", en)
        })?;
        self.tell(trace("account_given", caller, id));
        Ok(setup)
    }

    /// Takes password and sessions from a person, and the device too if that is lost; answers a code
    /// by which the person chooses a new password. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`; `Refused` by a narrowed token.
    pub fn reset_account(
        &self,
        caller: &Caller,
        id: PersonId,
        second_factor: bool,
    ) -> Result<Setup, Error> {
        self.keeps(caller, id)?;
        unnarrowed(caller)?;
        let entry = Deed::of(caller, "account_reset", format!("person:{id}"));
        let entry = entry.with(json!({ "second_factor": second_factor }));
        let setup = self.decide(|transaction, now| {
            let Some(mut account) = transaction.hold_account(id)? else { return Ok(None) };
            Standing::read(transaction, caller, Act::KeepAccounts, now)?;
            account.earlier.splice(0..0, account.password.take());
            if second_factor {
                (account.totp, account.totp_at) = (None, None);
            }
            let setup = self.setup(&mut account);
            transaction.put_account(&account)?;
            cut_off(transaction, id, now)?;
            entry.write(transaction, now)?;
            Ok(Some(setup))
        })?;
        let setup = setup.ok_or(Error::NotFound)?;
        self.tell(trace("account_reset", caller, id));
        Ok(setup)
    }

    /// Takes an account away. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub fn take_account(&self, caller: &Caller, id: PersonId) -> Result<(), Error> {
        self.keeps(caller, id)?;
        let entry = Deed::of(caller, "account_taken", format!("person:{id}"));
        let gone = self.decide(|transaction, now| {
            if transaction.hold_account(id)?.is_none() {
                return Ok(false);
            }
            Standing::read(transaction, caller, Act::KeepAccounts, now)?;
            cut_off(transaction, id, now)?;
            entry.write(transaction, now)?;
            Ok(transaction.drop_account(id)?)
        })?;
        if !gone {
            return Err(Error::NotFound);
        }
        self.tell(trace("account_taken", caller, id));
        Ok(())
    }

    /// Chooses the first password, by the code that an administrator handed over. Blocks.
    ///
    /// # Errors
    /// `Refused` with `wrong_login` (also for a code that is too old), `weak_password` or
    /// `too_many_attempts`.
    pub fn set_up(&self, login: &str, code: &str, chosen: &str, from: &str) -> Result<(), Error> {
        let login = plain(login);
        let names = Names::of(&login, from);
        self.let_through(&names, from)?;
        let account = self.read(|reader| reader.account_of_login(&login))?;
        let hash = hash_of(&code.trim().to_ascii_uppercase());
        let now = self.now();
        let fits = |account: &AccountRow| {
            account
                .setup
                .as_ref()
                .is_some_and(|(kept, until)| *kept == hash && is_good(*until, now))
        };
        if !account.as_ref().is_some_and(fits) {
            self.failed(account.as_ref(), ("password_chosen", "wrong_login"), from)?;
        }
        let account = account.filter(fits).ok_or_else(wrong_login)?;
        self.forgive(&names)?;
        self.choose_password(&account, chosen, "password_chosen")?;
        let by = Some(account.person);
        self.tell(Trace { kind: "password_chosen", by, of: None, from, outcome: "done" });
        Ok(())
    }

    /// Changes one's own password; every session and token of the person ends. Blocks.
    ///
    /// # Errors
    /// `Refused` with `wrong_login`, `weak_password` or `too_many_attempts`.
    pub fn change_password(
        &self,
        session: &SessionSeen,
        old: &str,
        new: &str,
        from: &str,
    ) -> Result<(), Error> {
        let account = self.account_row(session.person)?;
        self.knows_password(&account, old, "password_changed", from)?;
        self.choose_password(&account, new, "password_changed")?;
        let by = Some(session.person);
        self.tell(Trace { kind: "password_changed", by, of: None, from, outcome: "done" });
        Ok(())
    }

    /// Whether somebody in a session knows the password of the account.
    pub(super) fn knows_password(
        &self,
        account: &AccountRow,
        password: &str,
        kind: &'static str,
        from: &str,
    ) -> Result<(), Error> {
        let names = Names::of(&account.login, from);
        self.let_through(&names, from)?;
        if !password::fits(password, account.password.as_deref(), &self.inner.figures) {
            self.failed(Some(account), (kind, "wrong_login"), from)?;
            return Err(wrong_login());
        }
        self.forgive(&names)
    }

    /// Gives an account another password, if that is good enough and nobody changed the one before, or
    /// the code by which it is chosen, since the account was read; what was opened with the one before ends.
    fn choose_password(
        &self,
        account: &AccountRow,
        chosen: &str,
        kind: &'static str,
    ) -> Result<(), Error> {
        let earlier = self.sound_password(account, chosen)?;
        let password = password::hash(chosen, self.inner.entropy)?;
        let entry = own(account.person, account.jurisdiction, kind);
        let done = self.change(|transaction, now| {
            let same = |held: &AccountRow| {
                (&held.password, &held.setup) == (&account.password, &account.setup)
            };
            let Some(held) = transaction.hold_account(account.person)?.filter(same) else {
                return Ok(false);
            };
            transaction.put_account(&AccountRow {
                password: Some(password),
                password_at: Some(now),
                earlier,
                setup: None,
                ..held
            })?;
            if account.password.is_some() {
                cut_off(transaction, account.person, now)?;
            }
            entry.write(transaction, now)?;
            Ok(true)
        })?;
        if done { Ok(()) } else { Err(wrong_login()) }
    }

    /// The passwords that do not come back after this one, which is good enough.
    fn sound_password(&self, account: &AccountRow, chosen: &str) -> Result<Vec<String>, Error> {
        let directory = self.inner.registry.directory(account.jurisdiction)?;
        let person = directory.people.get(&account.person).ok_or(Error::NotFound)?;
        let profile = self.access_rules().profile;
        let mut context = vec![account.login.as_str(), person.name.as_str(), "fenliu"];
        context.extend(person.grants.iter().map(|grant| grant.unit.as_str()));
        let mut faults = profile.faults(chosen, &context);
        let present = account.password.iter().chain(&account.earlier);
        let kept: Vec<String> = present.take(profile.remembers()).cloned().collect();
        let figures = &self.inner.figures;
        let used = |kept: &String| password::fits(chosen, Some(kept), figures);
        if faults.is_empty() && kept.iter().any(used) {
            faults.push(Text::new("不得使用最近用过的密码", "this password was used before"));
        }
        if faults.is_empty() {
            return Ok(kept);
        }
        let join = |texts: Vec<&str>, gap: &str| texts.join(gap);
        let zh = join(faults.iter().map(|text| text.zh.as_str()).collect(), "；");
        let en = join(faults.iter().map(|text| text.en.as_str()).collect(), "; ");
        Err(refused("weak_password", zh, en))
    }

    fn setup(&self, account: &mut AccountRow) -> Setup {
        let mut bytes = [0_u8; 16];
        (self.inner.entropy)(&mut bytes);
        let (one, other) = bytes.split_at(8);
        let number = |half: &[u8]| half.iter().fold(0_u64, |all, b| (all << 8) | u64::from(*b));
        let part = |half: &[u8]| public_id::digits(number(half) >> 4, 12);
        let code = format!("{}{}", part(one), part(other));
        let until = self.now().plus(SETUP_FOR);
        account.setup = Some((hash_of(&code), until));
        Setup { login: account.login.clone(), code, until }
    }
}

/// Whatever opened a door for the person is worth nothing from now on.
fn cut_off(
    transaction: &mut Transaction<'_>,
    person: PersonId,
    now: Instant,
) -> Result<(), store::Error> {
    transaction.end_sessions(person)?;
    transaction.revoke_tokens(person, now).map(drop)
}

/// What somebody does with the own account, for the audit log.
pub(super) fn own(person: PersonId, jurisdiction: JurisdictionId, kind: &'static str) -> Deed {
    let caller = Caller { actor: Actor::person(person, Vec::new()), jurisdiction };
    Deed::of(&caller, kind, format!("person:{person}"))
}

fn sound_login(login: &str) -> Result<String, Error> {
    let login = plain(login);
    let length = (3..=64).contains(&login.chars().count());
    let letters = login.chars().all(|c| c.is_alphanumeric() || ".-_@".contains(c));
    if length && letters {
        return Ok(login);
    }
    let en = "`login` has 3 to 64 letters, digits and `.`, `-`, `_`, `@`";
    Err(Error::invalid("“login”应为3至64个字母、数字或“.”“-”“_”“@”", en))
}

fn trace(kind: &'static str, caller: &Caller, of: PersonId) -> Trace<'static> {
    let by = match &caller.actor {
        Actor::Person { id, .. } => Some(*id),
        _ => None,
    };
    Trace { kind, by, of: Some(of), from: "", outcome: "done" }
}
