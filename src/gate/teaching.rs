//! What rulings and returns say to people: precedents, the changes of the catalogue that they propose,
//! and how often each unit's returns were right.

use std::collections::BTreeMap;

use serde_json::json;

use super::catalogue::change_one;
use super::error::{Error, refused};
use super::lessons::{REFERRAL, RETURNED, UNIT};
use super::replay::change;
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::domain::{Category, Instance, InstanceId, Instant, Value};
use crate::policy::Act;
use crate::store::{Decision, Filter, PrecedentRow};

/// Fields that say how a return went.
const UPHELD: &str = "upheld_units";
const LAST: &str = "last_return";
const PENDING: &str = "pending";
const INTERIM: &str = "interim_unit";
const CLAUSE: &str = "disputed_clause";

/// So many precedents are listed.
const LISTED: i64 = 200;

/// Of so many matters at most are returns counted.
const COUNTED: usize = 50_000;
const PAGE: i64 = 500;

/// How a unit's returns went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Returns {
    /// Matters that it returned.
    pub returned: i64,
    /// The desk was wrong.
    pub upheld: i64,
    /// The unit was wrong.
    pub rejected: i64,
    /// Nobody has decided yet.
    pub pending: i64,
}

/// Returns of some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnFigures {
    /// Matters that were opened in that time.
    pub matters: i64,
    /// By unit.
    pub units: BTreeMap<String, Returns>,
    /// How often each clause was disputed.
    pub clauses: BTreeMap<String, i64>,
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
        let (_, after) = change(&directory, &row).ok_or(Error::NotFound)?;
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

    /// How returns went of matters that were opened in some time: upheld ones, where the desk was
    /// wrong, apart from rejected ones, where the unit was. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub fn returns(
        &self,
        caller: &Caller,
        (from, to): (Option<Instant>, Option<Instant>),
    ) -> Result<ReturnFigures, Error> {
        self.sees_routing(caller)?;
        let mut filter = Filter {
            jurisdiction: Some(caller.jurisdiction),
            workflow: Some(REFERRAL.to_owned()),
            opened_from: from,
            opened_to: to,
            ..Filter::default()
        };
        let mut figures = ReturnFigures::default();
        for _ in 0..COUNTED.div_ceil(usize::try_from(PAGE).unwrap_or(1)) {
            let page = self.read(|reader| reader.list(&filter, PAGE))?;
            page.iter().for_each(|instance| count(&mut figures, instance));
            match page.last() {
                Some(last) => filter.before = Some(last.id),
                None => break,
            }
        }
        Ok(figures)
    }

    /// Whether somebody sees how routing goes: who sees every matter.
    pub(super) fn sees_routing(&self, caller: &Caller) -> Result<(), Error> {
        if self.may_all(caller, Act::SeeMatter)? { Ok(()) } else { Err(Error::Forbidden) }
    }
}

fn text<'i>(instance: &'i Instance, field: &str) -> Option<&'i str> {
    instance.fields.get(field).and_then(Value::as_text)
}

fn count(figures: &mut ReturnFigures, instance: &Instance) {
    figures.matters += 1;
    let list = |field: &str| {
        let members = instance.fields.get(field).and_then(Value::as_list).unwrap_or_default();
        members.iter().filter_map(Value::as_text).collect::<Vec<&str>>()
    };
    let (returned, upheld) = (list(RETURNED), list(UPHELD));
    let pending = text(instance, LAST) == Some(PENDING);
    let waits = text(instance, INTERIM).or_else(|| text(instance, UNIT));
    for unit in &returned {
        let of_unit = figures.units.entry((*unit).to_owned()).or_default();
        of_unit.returned += 1;
        if upheld.contains(unit) {
            of_unit.upheld += 1;
        } else if pending && waits == Some(*unit) {
            of_unit.pending += 1;
        } else {
            of_unit.rejected += 1;
        }
    }
    if let Some(clause) = text(instance, CLAUSE).filter(|_| !returned.is_empty()) {
        *figures.clauses.entry(clause.to_owned()).or_default() += 1;
    }
}
