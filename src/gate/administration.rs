//! Administrators' changes: units, people. Each is one transaction, and is in force when it is
//! answered.

use std::sync::atomic::Ordering;

use serde_json::{Value as Json, json};

use super::error::Error;
use super::granted;
use super::proposal::{Approval, Motion, gives_rights, moves};
use super::sealing::Deed;
use super::subscription::left_behind;
use super::token::unnarrowed;
use super::{Caller, Entropy, Gate, Inner};
use crate::domain::{Directory, Instant, Person, PersonId, Refusal, Text, Unit};
use crate::policy::Act;
use crate::store::{self, Store, Transaction};

/// A unit to be added or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewUnit {
    /// The unit.
    pub unit: Unit,
    /// Whether it may be of a kind that no unit here has yet.
    pub new_kind: bool,
}

impl Gate {
    /// Loads definitions, calendars, directories and tokens again: after a change on another node.
    /// Blocks.
    ///
    /// # Errors
    /// What the store says; what was loaded before stays.
    pub fn reload(&self) -> Result<(), Error> {
        let Inner { behind, registry, store, .. } = &*self.inner;
        behind.store(false, Ordering::SeqCst);
        let loaded = registry.reload(store, self.now());
        if loaded.is_err() {
            behind.store(true, Ordering::SeqCst);
        }
        loaded
    }

    /// One transaction of an administrator, with its entry in the audit log; what is in memory follows
    /// it. Blocks.
    pub(super) fn administer<T>(
        &self,
        deed: Deed,
        work: impl FnOnce(&mut Transaction<'_>, Instant) -> Result<T, store::Error>,
    ) -> Result<T, Error> {
        self.change(|transaction, now| {
            let done = work(transaction, now)?;
            deed.write(transaction, now)?;
            Ok(done)
        })
    }

    /// The same where there may be nothing to do any more: answers whether something was done, and the
    /// audit log says so only then. Blocks.
    pub(super) fn administer_if(
        &self,
        deed: Deed,
        work: impl FnOnce(&mut Transaction<'_>, Instant) -> Result<bool, store::Error>,
    ) -> Result<bool, Error> {
        self.change(|transaction, now| {
            let done = work(transaction, now)?;
            if done {
                deed.write(transaction, now)?;
            }
            Ok(done)
        })
    }

    /// One transaction; what is in memory follows it. Blocks.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>, Instant) -> Result<T, store::Error>,
    ) -> Result<T, Error> {
        let now = self.now();
        let mut writer = self.inner.store.writer()?;
        let done = writer.transaction(|transaction| work(transaction, now));
        self.inner.sessions.forget();
        let done = done?;
        self.follow();
        Ok(done)
    }

    /// Lets what is in memory follow what was just written. If it cannot, what was done is answered all
    /// the same, and it is tried again within seconds (`notice_changes`).
    pub(super) fn follow(&self) {
        if let Err(error) = self.reload() {
            tracing::error!(%error, "a change was written, and memory does not follow it yet");
        }
    }

    /// Adds or changes a unit. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for a kind or a parent that is not there, and when matters of some
    /// category could be routed to nobody any more; `Refused` with `second_person_needed` where other
    /// people get what it has, and then with `narrow_token`.
    pub fn put_unit(&self, caller: &Caller, new: &NewUnit) -> Result<(), Error> {
        self.permit(caller, Act::WriteDirectory)?;
        self.alone(caller, &Motion::Unit(Box::new(new.clone())))?;
        self.put_unit_by(caller, new, None)
    }

    /// Puts a unit that may be put, perhaps approved by a second person.
    pub(super) fn put_unit_by(
        &self,
        caller: &Caller,
        new: &NewUnit,
        approval: Option<Approval>,
    ) -> Result<(), Error> {
        let (unit, motion) = (&new.unit, Motion::Unit(Box::new(new.clone())));
        let deed = Deed::of(caller, "unit_put", format!("unit:{}", unit.code));
        let deed = deed.with(json!({
            "name": unit.name.zh,
            "active": unit.active,
            "parent": unit.parent,
            "successor": unit.successor,
        }));
        self.judged(caller, Act::WriteDirectory, |transaction, standing| {
            standing.settled(transaction, &motion, (self.is_ruled(), approval.as_ref()))?;
            sound_unit(&standing.directory, new)?;
            if moves(standing.directory.units.get(&unit.code), unit) {
                unnarrowed(caller)?;
            }
            transaction.put_unit(caller.jurisdiction, unit)?;
            Ok(deed.approved(approval).write(transaction, standing.now)?)
        })
    }

    /// Adds (id 0) or changes a person. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for an id that is not there; `Invalid` for a unit that is not there;
    /// `Refused` with `second_person_needed` for other rights, and with `narrow_token`.
    pub fn put_person(&self, caller: &Caller, person: &Person) -> Result<PersonId, Error> {
        self.permit(caller, Act::WriteDirectory)?;
        self.alone(caller, &Motion::Person(Box::new(person.clone())))?;
        self.put_person_by(caller, person, None)
    }

    /// Puts a person that may be put, perhaps approved by a second person.
    pub(super) fn put_person_by(
        &self,
        caller: &Caller,
        person: &Person,
        approval: Option<Approval>,
    ) -> Result<PersonId, Error> {
        let motion = Motion::Person(Box::new(person.clone()));
        self.judged(caller, Act::WriteDirectory, |transaction, standing| {
            standing.settled(transaction, &motion, (self.is_ruled(), approval.as_ref()))?;
            let (directory, now) = (&standing.directory, standing.now);
            let person = sound_person(directory, person)?;
            let known = directory.people.get(&person.id);
            if gives_rights(known, &person) {
                unnarrowed(caller)?;
            }
            // A new person has its id only now.
            let id = transaction.put_person(caller.jurisdiction, &person)?;
            let deed = Deed::of(caller, "person_put", format!("person:{id}"));
            deed.with(put_as(known, &person)).approved(approval).write(transaction, now)?;
            // Other rights begin with a new session; who leaves leaves nothing behind.
            let rights = |one: &Person| (one.lasting(), one.terms.clone(), one.active);
            if known.is_some_and(|known| rights(known) != rights(&person)) {
                transaction.end_sessions(id)?;
            }
            if !person.active {
                transaction.revoke_tokens(id, now)?;
            }
            let subscriptions = transaction.subscriptions(caller.jurisdiction)?;
            if let Some(alarm) = left_behind(directory, &subscriptions, &person, now) {
                // What was told before of others is told again with this one.
                transaction.clear_alarm_of(&alarm)?;
                transaction.raise_alarm(&alarm)?;
            }
            Ok(id)
        })
    }

    /// Whether the store has any jurisdiction yet.
    #[must_use]
    pub fn is_founded(&self) -> bool {
        !self.inner.registry.jurisdictions().is_empty()
    }
}

/// Refuses a unit that may not be put as it is.
pub(super) fn sound_unit(directory: &Directory, new: &NewUnit) -> Result<(), Error> {
    let NewUnit { unit, new_kind } = new;
    let mut faults = directory.faults_of_unit(unit);
    faults.extend(directory.fault_of_new_kind(&unit.kind).filter(|_| !new_kind));
    faults.extend(stranding(directory, unit));
    sound(&faults)
}

/// A person that may be put as it is, with what is the person's own.
pub(super) fn sound_person(directory: &Directory, person: &Person) -> Result<Person, Error> {
    if person.id != PersonId(0) && !directory.people.contains_key(&person.id) {
        return Err(Error::NotFound);
    }
    sound(&directory.faults_of_person(person))?;
    if directory.is_last_administrator(person) {
        return Err(Error::Refused(Refusal::new(
            "last_administrator",
            Text::new(
                "这是最后一名管理员；请先授权另一人，再取消其权限",
                "This is the last administrator: make somebody else one first",
            ),
        )));
    }
    // Proofs and personal rules are not the administrator's: they stay as they are.
    let known = directory.people.get(&person.id);
    let (rules, verified) =
        known.map(|known| (known.rules.clone(), known.verified.clone())).unwrap_or_default();
    Ok(Person { rules, verified, ..person.clone() })
}

/// The secret number behind opaque ids: made at the first start, kept for ever.
pub(super) fn number_secret(store: &Store, entropy: Entropy) -> Result<u64, Error> {
    const NAME: &str = "number_secret";
    let kept = store.read(|reader| reader.setting(NAME))?;
    if let Some(secret) = kept.and_then(|text| text.parse().ok()) {
        return Ok(secret);
    }
    let mut bytes = [0_u8; 8];
    entropy(&mut bytes);
    let secret = u64::from_le_bytes(bytes);
    store.writer()?.transaction(|t| t.set_setting(NAME, &secret.to_string()))?;
    Ok(secret)
}

/// What an entry says of somebody who is put: what he may now, and before, and which of his addresses are
/// others, without the addresses.
fn put_as(known: Option<&Person>, person: &Person) -> Json {
    let same =
        |of: fn(&Person) -> &Option<String>| known.is_some_and(|known| of(known) == of(person));
    let mut addresses = Vec::new();
    if !same(|person| &person.email) {
        addresses.push("email");
    }
    if !same(|person| &person.phone) {
        addresses.push("phone");
    }
    let mut detail = granted::rights(person);
    if let Json::Object(detail) = &mut detail {
        detail.insert("name".to_owned(), person.name.clone().into());
        detail.insert("before".to_owned(), known.map_or(Json::Null, granted::rights));
        detail.insert("addresses".to_owned(), addresses.into());
    }
    detail
}

/// Categories that nobody takes any more once a unit is as given.
fn stranding(directory: &Directory, unit: &Unit) -> Vec<Text> {
    let mut changed = directory.clone();
    changed.units.insert(unit.code.clone(), unit.clone());
    let before = directory.faults_of_landing(directory.categories.values());
    let mut faults = changed.faults_of_landing(directory.categories.values());
    faults.retain(|fault| !before.contains(fault));
    faults
}

/// Every fault is said at once: whoever mends the first need not come back for the next.
pub(super) fn sound(faults: &[Text]) -> Result<(), Error> {
    if faults.is_empty() {
        return Ok(());
    }
    let all =
        |pick: fn(&Text) -> &str, gap: &str| faults.iter().map(pick).collect::<Vec<_>>().join(gap);
    Err(Error::invalid(all(|text| &text.zh, "；"), all(|text| &text.en, "; ")))
}

pub(super) fn check_code(code: &str) -> Result<(), Error> {
    crate::domain::fault_of_code(code).map_or(Ok(()), |fault| Err(Error::Invalid(fault)))
}
