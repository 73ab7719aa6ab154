//! Sessions of people: opaque secrets, kept as hashes in the store and remembered in memory. Whatever
//! ends one is in force here when it is answered, and on other nodes when they next look for changes.

use std::sync::Arc;

use super::account::own;
use super::memory::Remembered;
use super::throttle::Codes;
use super::totp::{device_is_set, wrong_code};
use super::{Enrolment, Known, Trace, caller, hash_of, refused, totp};
use serde_json::json;

use crate::domain::event::{Hash, hex};
use crate::domain::{Actor, Instant, JurisdictionId, Person, PersonId};
use crate::gate::error::Error;
use crate::gate::{Caller, Gate};
use crate::policy;
use crate::store::{self, AccountRow, Password, SessionRow, Transaction};

/// What a session's secret begins with.
const PREFIX: &str = "fls_";

/// That a session is used is written down when one part of so many of the time after which an idle one
/// ends has passed since the last time: after a restart, and on other nodes, it may end so much earlier.
const STEPS: i64 = 30;

/// What the logs call it that a device is set up.
const ENROLMENT: &str = "second_factor_set";

/// … and that a code of it was shown in a session that was begun without.
const CODE_SHOWN: &str = "second_factor_shown";

/// Whoever has no password here sets a device up so soon (ms) after a sign-in at the provider.
const FRESH: i64 = 5 * 60_000;

fn step(idle_ms: i64) -> i64 {
    (idle_ms / STEPS).max(1)
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct SessionSeen {
    pub(super) hash: Hash,
    /// Whose.
    pub person: PersonId,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// The word that requests with a body must repeat, so that no foreign page can send them.
    pub word: String,
    /// When it began.
    pub began_at: Instant,
    /// When it ends if it is not used.
    pub idle_until: Instant,
    /// When it ends at the latest.
    pub until: Instant,
    /// Whether a second factor was shown.
    pub factor: bool,
    /// Whether some of the person's roles wait for one.
    pub factor_needed: bool,
    /// Whether the password must be changed before anything else.
    pub password_old: bool,
}

/// A session as it is handed over, once.
#[derive(Clone)]
pub struct Session {
    /// The secret, for the cookie.
    pub secret: String,
    /// The rest.
    pub seen: SessionSeen,
}

/// The word of a session: known to whoever has the secret, and telling nothing of it.
fn word_of(secret: &str) -> String {
    let hash = hash_of(&format!("word of {secret}"));
    hex(&hash).chars().take(32).collect()
}

impl Gate {
    /// Whoever has this session, if memory can tell; none: [`Gate::session`] asks the store. Does not
    /// block.
    ///
    /// # Errors
    /// As for [`Gate::session`].
    pub fn session_at_hand(&self, secret: &str) -> Option<Result<Known, Error>> {
        if !secret.starts_with(PREFIX) {
            return Some(Err(Error::NotFound));
        }
        let (now, idle) = (self.now(), self.access_rules().idle_ms);
        let kept = self.inner.sessions.get(&hash_of(secret))?;
        if kept.has_ended(now, idle) || kept.unwritten(now) >= step(idle) {
            return None;
        }
        kept.use_now(now);
        Some(self.known(secret, &kept.row, kept.password))
    }

    /// Whoever has this session, as long as it is good. Blocks.
    ///
    /// # Errors
    /// `NotFound`: unknown, ended, too old, or the person may no longer act; which of it is not said.
    pub fn session(&self, secret: &str) -> Result<Known, Error> {
        if let Some(known) = self.session_at_hand(secret) {
            return known;
        }
        let kept = self.recall(secret)?;
        let now = self.now();
        if kept.unwritten(now) >= step(self.access_rules().idle_ms) {
            let hash = &kept.row.hash;
            if !self.with_hand(|transaction| transaction.touch_session(hash, now))? {
                self.inner.sessions.drop_one(hash);
                return Err(Error::NotFound);
            }
            kept.note_written(now);
        }
        kept.use_now(now);
        self.known(secret, &kept.row, kept.password)
    }

    /// The same for a connection that stays open: looking whether it may go on is no use of the
    /// session, which ends as if it were not there. Blocks.
    ///
    /// # Errors
    /// As for [`Gate::session`].
    pub fn session_still(&self, secret: &str) -> Result<Known, Error> {
        let kept = self.recall(secret)?;
        self.known(secret, &kept.row, kept.password)
    }

    /// A session that is good, from memory or else from the store: one that seems idle here may have
    /// been used on another node.
    fn recall(&self, secret: &str) -> Result<Arc<Remembered>, Error> {
        if !secret.starts_with(PREFIX) {
            return Err(Error::NotFound);
        }
        let (hash, now, idle) = (hash_of(secret), self.now(), self.access_rules().idle_ms);
        let sessions = &self.inner.sessions;
        if let Some(kept) = sessions.get(&hash).filter(|kept| !kept.has_ended(now, idle)) {
            return Ok(kept);
        }
        let since = sessions.since();
        let found = self.read(|reader| {
            let Some(row) = reader.session(&hash)? else { return Ok(None) };
            Ok(reader.password_of(row.person)?.map(|password| Remembered::of(row, password)))
        })?;
        let Some(found) = found else {
            sessions.drop_one(&hash);
            return Err(Error::NotFound);
        };
        if found.has_ended(now, idle) {
            sessions.drop_one(&hash);
            self.with_hand(|transaction| transaction.end_session(&hash))?;
            return Err(Error::NotFound);
        }
        Ok(sessions.keep(since, found))
    }

    /// One transaction that may end sessions; what memory knows of them is forgotten with it, also when
    /// it is not known whether it was done. Blocks.
    pub(super) fn with_sessions<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, store::Error>,
    ) -> Result<T, Error> {
        let done = self.with_hand(work);
        self.inner.sessions.forget();
        done
    }

    /// What a session gives its owner now: roles that wait for a second factor only after it, and
    /// none at all before an old password is changed.
    pub(super) fn known(
        &self,
        secret: &str,
        row: &SessionRow,
        password: Password,
    ) -> Result<Known, Error> {
        let now = self.now();
        let registry = &self.inner.registry;
        registry.turn(now);
        let directory = registry.directory(row.jurisdiction)?;
        let person = directory.people.get(&row.person).filter(|person| person.active);
        let person = person.ok_or(Error::NotFound)?;
        let rules = self.access_rules();
        let county = directory.county();
        let factor_needed =
            person.grants.iter().any(|grant| policy::needs_second_factor(grant, county));
        let old = |since| rules.profile.is_old(since, now);
        let password_old = !password.outside && password.password_at.is_some_and(old);
        let mut caller = caller(person, row.jurisdiction);
        if let Actor::Person { grants, .. } = &mut caller.actor {
            if !row.factor {
                *grants = policy::without_second_factor(grants, county);
            }
            if password_old {
                grants.clear();
            }
        }
        let seen = SessionSeen {
            hash: row.hash,
            person: row.person,
            jurisdiction: row.jurisdiction,
            word: word_of(secret),
            began_at: row.began_at,
            idle_until: now.plus(rules.idle_ms).min(row.until),
            until: row.until,
            factor: row.factor,
            factor_needed,
            password_old,
        };
        Ok(Known { caller, session: Some(seen) })
    }

    /// A new session of a person, not yet written.
    pub(super) fn fresh(&self, person: &Person, account: &AccountRow, factor: bool) -> Fresh {
        let now = self.now();
        let secret = self.secret(PREFIX);
        let row = SessionRow {
            hash: hash_of(&secret),
            person: person.id,
            jurisdiction: account.jurisdiction,
            began_at: now,
            used_at: now,
            until: now.plus(self.access_rules().longest_ms),
            factor,
            address: String::new(),
        };
        Fresh { secret, row }
    }

    /// Where the person of a session is, with no rights.
    ///
    /// # Errors
    /// `NotFound` when the person is gone.
    pub fn session_place(&self, session: &SessionSeen) -> Result<Caller, Error> {
        let registry = &self.inner.registry;
        let actor = Actor::person(session.person, Vec::new());
        let jurisdiction = session.jurisdiction;
        registry.directory(jurisdiction)?;
        Ok(Caller { actor, jurisdiction })
    }

    /// Ends every session of the person, on all its devices. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn sign_out(&self, session: &SessionSeen, from: &str) -> Result<(), Error> {
        let entry = own(session.person, session.jurisdiction, "signed_out");
        let now = self.now();
        self.with_sessions(|transaction| {
            entry.with(json!({ "from": from })).write(transaction, now)?;
            transaction.end_sessions(session.person)
        })?;
        let by = Some(session.person);
        self.tell(Trace { kind: "sign_out", by, of: None, from, outcome: "done" });
        Ok(())
    }

    /// The sessions of a person that have not ended. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn sessions(&self, session: &SessionSeen) -> Result<Vec<SessionRow>, Error> {
        self.read(|reader| reader.sessions(session.person))
    }

    /// Makes a secret for a person's device; it counts once its first code was told back. The password
    /// is asked again, if there is one: whoever finds a session open sets no device of his own. Blocks.
    ///
    /// # Errors
    /// `Refused` with `wrong_login`, `too_many_attempts` or `sign_in_again`, and with
    /// `second_factor_set` when codes of another device are demanded already.
    pub fn enrol(
        &self,
        session: &SessionSeen,
        password: &str,
        from: &str,
    ) -> Result<Enrolment, Error> {
        let account = self.account_row(session.person)?;
        // Before anything else: a right password forgives what was counted.
        if account.totp_at.is_some() {
            return Err(device_is_set());
        }
        // Whom only the provider knows has none: he signs in there once more.
        if account.password.is_some() {
            self.knows_password(&account, password, ENROLMENT, from)?;
        } else if self.now().since(session.began_at) >= FRESH {
            let en = "sign in at the identity provider again: a device is set up right after that";
            return Err(refused("sign_in_again", "请重新通过统一身份认证登录后再绑定设备", en));
        }
        let mut secret = vec![0_u8; 20];
        (self.inner.entropy)(&mut secret);
        let account = self.with_hand(|transaction| {
            let held = transaction.hold_account(session.person)?;
            let Some(mut account) = held.filter(|account| account.totp_at.is_none()) else {
                return Ok(None);
            };
            account.totp = Some(secret.clone());
            account.totp_step = totp::present(self.now());
            transaction.put_account(&account)?;
            Ok(Some(account))
        })?;
        let account = account.ok_or_else(device_is_set)?;
        Ok(Enrolment::of(&secret, &account.login))
    }

    /// Takes the first code of a device: from now on its codes are demanded, and other sessions of the
    /// person end. Or takes a code in a
    /// session that was begun without one, by the word of the identity provider. The session goes on
    /// under another secret. Blocks.
    ///
    /// # Errors
    /// `Refused` with `no_enrolment` (also when the device was begun too long ago), `wrong_code` or
    /// `too_many_attempts`.
    pub fn confirm(&self, session: &SessionSeen, code: &str, from: &str) -> Result<Session, Error> {
        let account = self.account_row(session.person)?;
        let now = self.now();
        let waits = match account.totp_at {
            Some(_) => !session.factor,
            None => !totp::has_lapsed(account.totp_step, now),
        };
        let secret = account.totp.as_deref().filter(|_| waits).ok_or_else(|| {
            let en = "there is no new device to confirm; begin with a secret for it";
            refused("no_enrolment", "没有待确认的动态口令设备，请先获取密钥", en)
        })?;
        self.let_code_through(&account, from)?;
        // The same code is worth nothing a second time.
        let fresh = |step: &i64| account.totp_at.is_none() || *step > account.totp_step;
        let Some(step) = totp::step_of(secret, code, now).filter(fresh) else {
            self.failed(Some(&account), (ENROLMENT, "wrong_code"), from)?;
            return Err(wrong_code());
        };
        let directory = self.inner.registry.directory(account.jurisdiction)?;
        let person = directory.people.get(&session.person).ok_or(Error::NotFound)?;
        let mut fresh = self.fresh(person, &account, true);
        from.clone_into(&mut fresh.row.address);
        let kind = if account.totp_at.is_some() { CODE_SHOWN } else { ENROLMENT };
        let account = self.with_sessions(|transaction| {
            let held = transaction.hold_account(session.person)?;
            let known = |row: &AccountRow| (row.totp.clone(), row.totp_at, row.totp_step);
            let same = |held: &AccountRow| known(held) == known(&account);
            // A session that has ended meanwhile does not come back under another secret.
            let Some(held) = held.filter(same) else { return Ok(None) };
            if !transaction.end_session(&session.hash)? {
                return Ok(None);
            }
            // Another session of the account, begun by whoever knows the password, would go on without
            // the device that was set up against him.
            if held.totp_at.is_none() {
                transaction.end_sessions(session.person)?;
            }
            let totp_at = held.totp_at.or(Some(now));
            let account = AccountRow { totp_at, totp_step: step, ..held };
            transaction.put_account(&account)?;
            transaction.add_session(&fresh.row)?;
            transaction.drop_throttle(Codes::of(&account.login).name())?;
            let entry = own(session.person, session.jurisdiction, kind);
            entry.with(json!({ "from": from })).write(transaction, now)?;
            Ok(Some(account))
        })?;
        let account = account.ok_or(Error::NotFound)?;
        self.tell(trace(kind, session.person, from, "done"));
        self.handed(fresh, &account)
    }

    /// A new session as its owner gets it.
    pub(super) fn handed(&self, fresh: Fresh, account: &AccountRow) -> Result<Session, Error> {
        let known = self.known(&fresh.secret, &fresh.row, account.into())?;
        let seen = known.session.ok_or(Error::NotFound)?;
        Ok(Session { secret: fresh.secret, seen })
    }
}

/// A new session, not yet written.
pub(super) struct Fresh {
    pub(super) secret: String,
    pub(super) row: SessionRow,
}

impl Fresh {
    /// Writes it in place of an older one: a secret that was known before a sign-in is worth nothing
    /// after it.
    pub(super) fn write(
        &self,
        transaction: &mut Transaction<'_>,
        older: Option<&Hash>,
    ) -> Result<(), store::Error> {
        if let Some(older) = older {
            transaction.end_session(older)?;
        }
        transaction.add_session(&self.row)
    }
}

fn trace<'d>(kind: &'static str, by: PersonId, from: &'d str, outcome: &'d str) -> Trace<'d> {
    Trace { kind, by: Some(by), of: None, from, outcome }
}
