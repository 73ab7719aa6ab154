//! What rulings say to people: precedents, and what is decided of the changes of the catalogue that they
//! propose.

use serde_json::json;

use super::catalogue::change_one;
use super::error::{Error, refused};
use super::replay::change;
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::{Category, InstanceId};
use crate::policy::Act;
use crate::store::{Decision, PrecedentRow};

/// So many precedents are listed.
const LISTED: i64 = 200;

/// What somebody decides of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the catalogue is to be changed.
    pub accept: bool,
    /// Why.
    pub note: String,
}

impl Gate {
    /// Rulings that the router goes by, also withdrawn ones, the newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn precedents(&self, caller: &Caller) -> Result<Vec<PrecedentRow>, Error> {
        self.sees_routing(caller)?;
        self.read(|reader| reader.precedents(caller.jurisdiction, LISTED))
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
        let deed = Deed::of(caller, "precedent_withdrawn", format!("instance:{id}"));
        let withdrawn = self.administer(deed.with(json!({ "reason": reason })), |t, now| {
            t.withdraw_precedent(caller.jurisdiction, id, now)
        })?;
        if withdrawn { Ok(()) } else { Err(Error::NotFound) }
    }

    /// Decides what a ruling proposes; true when the catalogue was changed, false when it was not, or
    /// when a second person has to agree. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal when it was decided before, or by the same person twice.
    pub fn decide_change(
        &self,
        caller: &Caller,
        id: InstanceId,
        verdict: &Verdict,
    ) -> Result<bool, Error> {
        self.permit(caller, Act::TeachRouting)?;
        let owner = caller.jurisdiction;
        let directory = self.inner.registry.directory(owner)?;
        let row = self.read(|reader| reader.precedent(owner, id))?.ok_or(Error::NotFound)?;
        if row.decision.is_some() {
            return Err(refused("decided_before", "该建议已有决定", "This was decided before"));
        }
        let (_, after) = change(&directory, &row, self.now()).ok_or(Error::NotFound)?;
        let by = caller.actor.name();
        let deed = |kind| {
            let detail = json!({ "category": row.category, "units": after, "note": verdict.note });
            Deed::of(caller, kind, format!("instance:{id}")).with(detail)
        };
        if verdict.accept && self.two_persons(caller) {
            match &row.agreed_by {
                None => {
                    let agreed = self.administer(deed("proposal_agreed"), |t, _| {
                        t.agree_to_precedent(owner, id, &by)
                    })?;
                    return if agreed { Ok(false) } else { Err(Error::Busy("decided".into())) };
                }
                Some(first) if *first == by => {
                    let (zh, en) = ("须由另一人同意", "Another person has to agree");
                    return Err(refused("second_person_needed", zh, en));
                }
                Some(_) => {}
            }
        }
        let category = directory.categories.get(&row.category).cloned().ok_or(Error::NotFound)?;
        let kind = if verdict.accept { "proposal_accepted" } else { "proposal_rejected" };
        let (note, changed) = (verdict.note.clone(), Category { units: after.clone(), ..category });
        let decided = self.administer(deed(kind), |transaction, now| {
            let decision = Decision { accepted: verdict.accept, by, at: now, note };
            let decided = transaction.decide_change(owner, id, &decision)?;
            if decided && verdict.accept {
                let why = (decision.by.as_str(), now, decision.note.as_str());
                change_one(transaction, owner, &changed, why)?;
            }
            Ok(decided)
        })?;
        if decided { Ok(verdict.accept) } else { Err(Error::Busy("decided meanwhile".to_owned())) }
    }

    /// Whether somebody sees how routing goes: who sees every matter.
    pub(super) fn sees_routing(&self, caller: &Caller) -> Result<(), Error> {
        if self.may_all(caller, Act::SeeMatter)? { Ok(()) } else { Err(Error::Forbidden) }
    }
}
