//! What rulings say to people: precedents, and what is decided of the changes of the catalogue that they
//! propose.

use serde_json::json;

use super::catalogue::change_one;
use super::error::{Error, refused};
use super::lessons::PRECEDENTS_MAX;
use super::query::{Page, cut};
use super::replay::change;
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::{Category, InstanceId};
use crate::policy::Act;
use crate::store::{Decision, PrecedentRow};

/// How many rulings the router could go by, and how many of them it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Followed {
    /// Neither withdrawn nor over.
    pub living: i64,
    /// The newest of these.
    pub followed: i64,
}

/// What somebody decides of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the catalogue is to be changed.
    pub accept: bool,
    /// Why.
    pub note: String,
}

impl Gate {
    /// At most `limit` of the rulings that are precedents, also withdrawn ones, the newest first, after the
    /// one of a matter if one is given; and how many the router goes by. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when that matter left no precedent.
    pub fn precedents(
        &self,
        caller: &Caller,
        after: Option<InstanceId>,
        limit: i64,
    ) -> Result<(Page<PrecedentRow>, Followed), Error> {
        self.sees_routing(caller)?;
        let (owner, now) = (caller.jurisdiction, self.now());
        let after = self.precedent_of(caller, after)?;
        let (rows, living) = self.read(|reader| {
            let rows = reader.precedents(owner, after.as_ref(), limit + 1)?;
            Ok((rows, reader.count_living_precedents(owner, now)?))
        })?;
        let followed = living.min(PRECEDENTS_MAX);
        Ok((cut(rows, limit), Followed { living, followed }))
    }

    /// The precedent that the ruling of a matter left, if a matter is given.
    pub(super) fn precedent_of(
        &self,
        caller: &Caller,
        ruled: Option<InstanceId>,
    ) -> Result<Option<PrecedentRow>, Error> {
        let Some(id) = ruled else { return Ok(None) };
        let row = self.read(|reader| reader.precedent(caller.jurisdiction, id))?;
        row.map(Some).ok_or(Error::NotFound)
    }

    /// Takes a precedent out of use. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when none is in use.
    pub fn withdraw_precedent(
        &self,
        caller: &Caller,
        id: InstanceId,
        reason: &str,
    ) -> Result<(), Error> {
        self.permit(caller, Act::TeachRouting)?;
        self.judged(caller, Act::TeachRouting, |transaction, standing| {
            if !transaction.withdraw_precedent(caller.jurisdiction, id, standing.now)? {
                return Err(Error::NotFound);
            }
            let deed = Deed::of(caller, "precedent_withdrawn", format!("instance:{id}"));
            Ok(deed.with(json!({ "reason": reason })).write(transaction, standing.now)?)
        })
    }

    /// Decides what a ruling proposes; true when the catalogue was changed, false when it was not, or
    /// when a second person has to agree. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal when it was decided before, by the same person twice, or when a
    /// version of the catalogue that is published for a day to come has it otherwise.
    pub fn decide_change(
        &self,
        caller: &Caller,
        id: InstanceId,
        verdict: &Verdict,
    ) -> Result<bool, Error> {
        self.permit(caller, Act::TeachRouting)?;
        self.judged(caller, Act::TeachRouting, |transaction, standing| {
            let (owner, now, by) = (caller.jurisdiction, standing.now, caller.actor.name());
            let directory = &standing.directory;
            let row = transaction.precedent(owner, id)?.ok_or(Error::NotFound)?;
            if row.decision.is_some() {
                return Err(refused("decided_before", "该建议已有决定", "This was decided before"));
            }
            let (_, after) = change(directory, &row, now).ok_or(Error::NotFound)?;
            let deed = |kind| {
                let detail =
                    json!({ "category": row.category, "units": after, "note": verdict.note });
                Deed::of(caller, kind, format!("instance:{id}")).with(detail)
            };
            if verdict.accept && self.two_persons(caller) {
                match &row.agreed_by {
                    None => {
                        transaction.agree_to_precedent(owner, id, &by)?;
                        deed("proposal_agreed").write(transaction, now)?;
                        return Ok(false);
                    }
                    Some(first) if *first == by => {
                        let (zh, en) = ("须由另一人同意", "Another person has to agree");
                        return Err(refused("second_person_needed", zh, en));
                    }
                    Some(_) => {}
                }
            }
            let category = directory.categories.get(&row.category).ok_or(Error::NotFound)?;
            let changed = Category { units: after.clone(), ..category.clone() };
            let kind = if verdict.accept { "proposal_accepted" } else { "proposal_rejected" };
            let note = verdict.note.clone();
            let decision = Decision { accepted: verdict.accept, by, at: now, note };
            transaction.decide_change(owner, id, &decision)?;
            deed(kind).write(transaction, now)?;
            if verdict.accept {
                change_one(transaction, standing, &changed, &verdict.note)?;
            }
            Ok(verdict.accept)
        })
    }

    /// Whether somebody sees how routing goes: who sees every matter.
    pub(super) fn sees_routing(&self, caller: &Caller) -> Result<(), Error> {
        if self.may_all(caller, Act::SeeMatter)? { Ok(()) } else { Err(Error::Forbidden) }
    }
}
