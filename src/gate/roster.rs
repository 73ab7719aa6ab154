//! Duty rosters through the door: who may write and change what, stand-ins, swaps, notes.

mod handing;
mod note;
mod swap;
mod transfer;

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::administration::check_code;
use super::error::{Error, refused};
use super::sealing::Deed;
use super::{Caller, Gate};
use crate::calendar::Calendar;
use crate::domain::{Actor, Instant, JurisdictionId, PersonId, Roster, StandIn};
use crate::policy::{self, Act};
use crate::roster::{self, Plan, Rosters};
use crate::store::{Reader, StandInFilter};

pub use handing::Handing;
pub use transfer::{ImportWish, Imported};

/// Stand-ins that ended longer ago than this are not kept in memory: nodes' clocks may differ a
/// little, and decisions ask for now.
const STAND_INS_KEPT: i64 = 24 * 3_600_000;

/// Rosters as they are kept in memory, with the stand-ins of today and later.
///
/// # Errors
/// What the store says.
pub(super) fn in_memory(
    reader: &mut Reader,
    id: JurisdictionId,
    now: Instant,
) -> Result<Rosters, crate::store::Error> {
    let mut rosters = Rosters::new(reader.rosters(id)?);
    let filter =
        StandInFilter { from: Some(now.plus(-STAND_INS_KEPT)), ..StandInFilter::default() };
    for stand_in in reader.stand_ins(id, filter)? {
        rosters.stand_ins.entry(stand_in.roster.clone()).or_default().push(stand_in);
    }
    Ok(rosters)
}

/// A roster with the stand-ins of a span.
#[derive(Debug, Clone)]
pub struct Book {
    /// The roster.
    pub roster: Roster,
    /// Its stand-ins, those of swaps that wait too.
    pub stand_ins: Vec<StandIn>,
    /// The calendar in force.
    pub calendar: Calendar,
}

impl Book {
    /// As it is asked.
    #[must_use]
    pub fn plan(&self) -> Plan<'_> {
        Plan { roster: &self.roster, stand_ins: &self.stand_ins, calendar: &self.calendar }
    }
}

/// A shift that somebody names: who is on duty, and an instant within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Who.
    pub person: PersonId,
    /// When.
    pub at: Instant,
}

/// A stand-in to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStandIn {
    /// From here …
    pub from: Instant,
    /// … until before here.
    pub until: Instant,
    /// Who comes.
    pub person: Option<PersonId>,
    /// Who goes.
    pub instead_of: Option<PersonId>,
    /// Why.
    pub note: String,
}

/// Longer than the longest shift (26 weeks): what touches one that touches the span is within it.
const REACH: i64 = 190 * 24 * 3_600_000;

fn person_of(caller: &Caller) -> Option<PersonId> {
    match &caller.actor {
        Actor::Person { id, .. } => Some(*id),
        Actor::Clock | Actor::Relative { .. } | Actor::System => None,
    }
}

fn keeps_rosters(caller: &Caller) -> bool {
    policy::may(&caller.actor, Act::WriteRosters)
}

impl Gate {
    /// The rosters where the caller is.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn rosters(&self, caller: &Caller) -> Result<Arc<Rosters>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        Ok(self.inner.registry.rosters(caller.jurisdiction))
    }

    /// A roster with the stand-ins that matter for a span. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn roster_book(
        &self,
        caller: &Caller,
        code: &str,
        from: Instant,
        until: Instant,
    ) -> Result<Book, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        self.book(caller.jurisdiction, code, from, until)
    }

    pub(super) fn book(
        &self,
        jurisdiction: JurisdictionId,
        code: &str,
        from: Instant,
        until: Instant,
    ) -> Result<Book, Error> {
        let registry = &self.inner.registry;
        let roster = registry.rosters(jurisdiction).rosters.get(code).cloned();
        let roster = roster.ok_or(Error::NotFound)?;
        let calendar = registry.calendar(jurisdiction)?;
        let filter = StandInFilter {
            roster: Some(code),
            from: Some(from.plus(-REACH)),
            until: Some(until.plus(REACH)),
            ..StandInFilter::default()
        };
        let stand_ins = self.read(|reader| reader.stand_ins(jurisdiction, filter))?;
        Ok(Book { roster, stand_ins, calendar })
    }

    /// Adds or changes a roster. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; a refusal with everything that is wrong with it.
    pub fn put_roster(&self, caller: &Caller, new: &Roster) -> Result<(), Error> {
        self.permit(caller, Act::WriteRosters)?;
        check_code(&new.code)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        roster::check(new, &directory)?;
        let deed = Deed::of(caller, "roster_put", format!("roster:{}", new.code));
        self.administer(deed, |transaction, _| transaction.put_roster(caller.jurisdiction, new))?;
        Ok(())
    }

    /// Takes a roster away with its stand-ins; answers whether another one still says who is on
    /// duty for the same role. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn drop_roster(&self, caller: &Caller, code: &str) -> Result<(Roster, bool), Error> {
        self.permit(caller, Act::WriteRosters)?;
        let rosters = self.inner.registry.rosters(caller.jurisdiction);
        let roster = rosters.rosters.get(code).cloned().ok_or(Error::NotFound)?;
        let deed = Deed::of(caller, "roster_dropped", format!("roster:{code}"));
        let gone = self.administer_if(deed, |t, _| t.drop_roster(caller.jurisdiction, code))?;
        if !gone {
            return Err(Error::NotFound);
        }
        let mut others = rosters.rosters.values().filter(|other| other.code != code);
        let other = others.any(|other| other.unit == roster.unit && other.role == roster.role);
        Ok((roster, other))
    }

    /// Stand-ins of a roster, in order of id. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub fn stand_ins(
        &self,
        caller: &Caller,
        filter: StandInFilter<'_>,
    ) -> Result<Vec<StandIn>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let rosters = self.inner.registry.rosters(caller.jurisdiction);
        if filter.roster.is_some_and(|code| !rosters.rosters.contains_key(code)) {
            return Err(Error::NotFound);
        }
        self.read(|reader| reader.stand_ins(caller.jurisdiction, filter))
    }

    /// Adds a stand-in. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal with everything that is wrong with it.
    pub fn add_stand_in(
        &self,
        caller: &Caller,
        code: &str,
        new: &NewStandIn,
    ) -> Result<StandIn, Error> {
        self.permit(caller, Act::WriteRosters)?;
        let registry = &self.inner.registry;
        let rosters = registry.rosters(caller.jurisdiction);
        let roster = rosters.rosters.get(code).ok_or(Error::NotFound)?;
        let mut row = self.row(caller, code, new);
        roster.check_stand_in(&row, &*registry.directory(caller.jurisdiction)?)?;
        let rows = std::slice::from_ref(&row);
        let deed =
            Deed::of(caller, "stand_in_added", format!("roster:{code}")).with(stood_in(rows));
        let ids = self.administer(deed, |t, _| t.add_stand_ins(caller.jurisdiction, rows))?;
        row.id = ids.first().copied().unwrap_or_default();
        Ok(row)
    }

    fn row(&self, caller: &Caller, code: &str, new: &NewStandIn) -> StandIn {
        let NewStandIn { from, until, person, instead_of, note } = new.clone();
        StandIn {
            id: 0,
            roster: code.to_owned(),
            from,
            until,
            person,
            instead_of,
            swap: None,
            agreed_at: None,
            note,
            made_by: caller.actor.name(),
            made_at: self.now(),
        }
    }

    /// Takes a stand-in away; one that has begun ends now, and what is past stays. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; a refusal for what is past, or a swap of which a shift has begun.
    pub fn drop_stand_in(&self, caller: &Caller, code: &str, id: i64) -> Result<(), Error> {
        self.permit(caller, Act::WriteRosters)?;
        let (one, halves) = self.stand_in(caller, code, |one| one.id == id)?;
        let now = self.now();
        if one.until <= now {
            let (zh, en) = ("已结束的替班不能删除", "a stand-in that is past stays as it was");
            return Err(refused("already_past", zh, en));
        }
        if halves.iter().any(|half| half.swap.is_some() && half.in_force() && half.from <= now) {
            return Err(begun());
        }
        let deed = Deed::of(caller, "stand_in_dropped", format!("roster:{code}"));
        let deed = deed.with(stood_in(std::slice::from_ref(&one)));
        let done = self.administer_if(deed, |transaction, now| {
            let changed = if one.from <= now {
                transaction.end_stand_in(caller.jurisdiction, one.id, now)
            } else {
                transaction.drop_stand_in(caller.jurisdiction, code, &one)
            };
            Ok(changed? > 0)
        })?;
        if done { Ok(()) } else { Err(Error::NotFound) }
    }

    /// A stand-in of a roster, and all halves of its swap (or itself).
    fn stand_in(
        &self,
        caller: &Caller,
        code: &str,
        which: impl Fn(&StandIn) -> bool,
    ) -> Result<(StandIn, Vec<StandIn>), Error> {
        let filter = StandInFilter { roster: Some(code), ..StandInFilter::default() };
        let all = self.stand_ins(caller, filter)?;
        let one = all.iter().find(|one| which(one)).cloned().ok_or(Error::NotFound)?;
        let same =
            |other: &&StandIn| other.id == one.id || (one.swap.is_some() && other.swap == one.swap);
        let halves = all.iter().filter(same).cloned().collect();
        Ok((one, halves))
    }
}

fn begun() -> Error {
    refused(
        "already_begun",
        "班次已经开始，不能再换班；请由管理员安排替班",
        "a shift that has begun cannot be exchanged; let an administrator enter a stand-in",
    )
}

/// What the audit log keeps of stand-ins: who for whom, from when until when.
fn stood_in(rows: &[StandIn]) -> Json {
    let one = |row: &StandIn| {
        json!({ "from": row.from, "until": row.until, "person": row.person,
            "instead_of": row.instead_of })
    };
    rows.iter().map(one).collect()
}
