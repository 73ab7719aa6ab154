//! What an administrator's change is judged by: who is who, and what who asks may, as its own transaction
//! reads them. The door may have let him in by what was true until just now, here or on another node.

use super::error::{Error, refused};
use super::proposal::{Approval, Motion, needs_second_person};
use super::{Caller, Gate};
use crate::chart;
use crate::domain::catalogue;
use crate::domain::{Actor, Directory, Instant, JurisdictionId, Person};
use crate::policy::{self, Act};
use crate::store::{self, Reader, Transaction};

/// Who is who, held until the transaction ends, and who asks, with the rights that he still has.
pub(super) struct Standing {
    pub(super) directory: Directory,
    pub(super) caller: Caller,
    pub(super) now: Instant,
}

impl Standing {
    /// Reads it.
    ///
    /// # Errors
    /// `Forbidden` when the caller may no longer do this; what the store says.
    pub(super) fn read(
        transaction: &mut Transaction<'_>,
        caller: &Caller,
        act: Act,
        now: Instant,
    ) -> Result<Self, Error> {
        let whose = caller.jurisdiction;
        transaction.hold_jurisdiction(whose)?;
        let mut directory = transaction.directory(whose)?.ok_or(Error::NotFound)?;
        let versions = transaction.catalogues(whose)?;
        if let Some(version) = catalogue::in_force(&versions, now) {
            directory.categories = version.categories.clone();
        }
        directory.people.values_mut().for_each(|person| *person = person.at(now));
        let mut caller = caller.clone();
        if let Actor::Person { id, grants, .. } = &mut caller.actor {
            let person = directory.people.get(id).filter(|person| person.active);
            grants.retain(|grant| person.is_some_and(|person| person.grants.contains(grant)));
        }
        if policy::may(&caller.actor, act) {
            return Ok(Self { directory, caller, now });
        }
        Err(Error::Forbidden)
    }

    /// Refuses who is no longer let in: every session of his has ended, or the token by which he asks was
    /// revoked. What he came in with may have held when the door looked at it.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub(super) fn still_in(&self, transaction: &mut Transaction<'_>) -> Result<(), Error> {
        let Caller { actor, jurisdiction } = &self.caller;
        let Actor::Person { id, via, .. } = actor else { return Ok(()) };
        let there = match via {
            Some(via) => {
                let mut tokens = transaction.tokens(*jurisdiction, Some(*id))?.into_iter();
                tokens.any(|one| one.id == via.token && one.revoked_at.is_none())
            }
            None => transaction.sessions(*id)?.iter().any(|one| self.now < one.until),
        };
        if there { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Refuses what one alone may not do, and what was approved of something that has changed since.
    ///
    /// # Errors
    /// `Refused` with `second_person_needed` or `proposal_outdated`; what the store says.
    pub(super) fn settled(
        &self,
        transaction: &mut Transaction<'_>,
        motion: &Motion,
        (ruled, approval): (bool, Option<&Approval>),
    ) -> Result<(), Error> {
        match approval {
            Some(approval) => unchanged(transaction, self.caller.jurisdiction, motion, approval),
            None if ruled && needs_second_person(&self.caller, motion, &self.directory) => {
                Err(second_person_needed())
            }
            None => Ok(()),
        }
    }
}

/// Refuses what was approved of something that has changed since it was proposed.
///
/// # Errors
/// `Refused` with `proposal_outdated`; what the store says.
fn unchanged(
    transaction: &mut Transaction<'_>,
    whose: JurisdictionId,
    motion: &Motion,
    approval: &Approval,
) -> Result<(), Error> {
    transaction.hold_jurisdiction(whose)?;
    if base(transaction, whose, motion)? == approval.base {
        return Ok(());
    }
    Err(outdated())
}

pub(super) fn outdated() -> Error {
    let en = "what this is about has been changed since: propose it again";
    refused("proposal_outdated", "该对象此后已被变更，请重新提出", en)
}

pub(super) fn second_person_needed() -> Error {
    let en = "this needs a second person: propose it";
    refused("second_person_needed", "该变更须经第二人批准，请先提出", en)
}

/// How what a motion is about stands.
///
/// # Errors
/// As for any statement.
pub(super) fn base(
    reader: &mut Reader,
    whose: JurisdictionId,
    motion: &Motion,
) -> Result<String, store::Error> {
    match motion {
        Motion::Definition(source) => {
            let Some(chart) = chart::compile(source).0 else { return Ok(String::new()) };
            let mut all = reader.definitions(whose)?.into_iter();
            let current =
                all.find(|one| one.retired_at.is_none() && one.workflow == chart.workflow);
            Ok(current.map(|one| one.number.to_string()).unwrap_or_default())
        }
        Motion::Token(_) => Ok(String::new()),
        Motion::Calendar(_) => {
            let mut owners = reader.jurisdictions()?.into_iter();
            let code = owners.find(|one| one.id == whose).map(|one| one.calendar);
            let mut all = reader.calendars(whose)?.into_iter();
            let last = all.rfind(|one| Some(&one.code) == code.as_ref());
            Ok(last.map(|one| one.version).unwrap_or_default())
        }
        Motion::Unit(new) => {
            let units = reader.directory(whose)?.unwrap_or_default().units;
            written(units.get(&new.unit.code))
        }
        Motion::Person(person) => {
            let people = reader.directory(whose)?.unwrap_or_default().people;
            // Without what is the person's own.
            let known = people.get(&person.id).map(|known| {
                let (rules, verified) = Default::default();
                Person { rules, verified, ..known.clone() }
            });
            written(known.as_ref())
        }
    }
}

fn written<T: serde::Serialize>(known: Option<&T>) -> Result<String, store::Error> {
    let Some(known) = known else { return Ok(String::new()) };
    serde_json::to_string(known).map_err(|error| store::Error::Refused(error.to_string()))
}

impl Gate {
    /// One transaction that may refuse; then nothing of it stays. What is in memory follows it. Blocks.
    pub(super) fn decide<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>, Instant) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut refusal = None;
        let done = self.change(|transaction, now| {
            work(transaction, now).map_err(|error| {
                let text = error.to_string();
                refusal = Some(error);
                store::Error::Refused(text)
            })
        });
        refusal.map_or(done, Err)
    }

    /// The same for somebody who still may what he asks. Blocks.
    pub(super) fn judged<T>(
        &self,
        caller: &Caller,
        act: Act,
        work: impl FnOnce(&mut Transaction<'_>, &Standing) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.decide(|transaction, now| {
            let standing = Standing::read(transaction, caller, act, now)?;
            work(transaction, &standing)
        })
    }
}
