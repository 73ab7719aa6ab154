//! A new version of the calendar: the clocks of everything that waits are counted again by it, a
//! piece at a time, and nothing is forgotten when the service is started again meanwhile.

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::query::{Page, cut};
use super::{Caller, Done, Gate, Request, Target, wording};
use crate::calendar::Calendar;
use crate::domain::{Actor, Event, Instance, InstanceId, Instant, JurisdictionId};
use crate::engine::{self, RECOUNT, Situation};
use crate::policy::Act;
use crate::store;

/// How far the clocks of a jurisdiction are counted again by a version of its calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The version of the calendar.
    pub version: String,
    /// When it was begun.
    pub began_at: Instant,
    /// Everything is looked at twice: what was under way on some node when the version was loaded
    /// may have been counted by the old one after it was looked at.
    pub round: i64,
    /// The last instance that this round has looked at.
    pub after: InstanceId,
    /// Instances looked at, in the round.
    pub looked: i64,
    /// Instances that were to be looked at when it was last counted how many.
    pub of: i64,
    /// Instances whose clocks were moved.
    pub moved: i64,
    /// When the last round was done.
    pub ended_at: Option<Instant>,
}

/// The rounds of one recount.
const ROUNDS: i64 = 2;

impl Progress {
    fn begin(version: &str, now: Instant) -> Self {
        Self {
            version: version.to_owned(),
            began_at: now,
            round: 1,
            after: InstanceId(i64::MIN),
            looked: 0,
            of: 0,
            moved: 0,
            ended_at: None,
        }
    }

    /// As it stands after a piece was done, of which so many instances were moved.
    #[must_use]
    pub fn after(&self, piece: &Piece, moved: i64, now: Instant) -> Self {
        let looked = self.looked.saturating_add(piece.looked);
        let moved = self.moved.saturating_add(moved);
        let next = Self { looked, moved, of: piece.of, after: piece.reached, ..self.clone() };
        match (piece.is_last, self.round < ROUNDS) {
            (false, _) => next,
            (true, true) => {
                let after = InstanceId(i64::MIN);
                Self { round: self.round.saturating_add(1), after, looked: 0, ..next }
            }
            (true, false) => Self { ended_at: Some(now), ..next },
        }
    }
}

/// A piece of the work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The instances whose clocks move.
    pub moving: Vec<InstanceId>,
    /// Instances looked at.
    pub looked: i64,
    /// All that are to be looked at.
    pub of: i64,
    /// The last one looked at.
    pub reached: InstanceId,
    /// Whether the round is done with it.
    pub is_last: bool,
}

/// A matter whose clocks a version of the calendar moved.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The place in the list: the cursor of what follows.
    pub position: i64,
    /// What people call it.
    pub number: String,
    /// The event, with the old and new due instants of its clocks.
    pub event: Event,
}

fn setting(jurisdiction: JurisdictionId) -> String {
    format!("recount.{jurisdiction}")
}

impl Gate {
    /// How far the clocks of a jurisdiction are counted again by the calendar that counts now.
    /// Blocks.
    ///
    /// # Errors
    /// What the store says; `Internal` where there is no calendar.
    pub fn recounting(&self, jurisdiction: JurisdictionId) -> Result<Progress, Error> {
        let calendar = self.inner.registry.calendar(jurisdiction)?;
        let kept = self.read(|reader| reader.setting(&setting(jurisdiction)))?;
        let kept: Option<Progress> = kept.and_then(|text| serde_json::from_str(&text).ok());
        let same = kept.filter(|progress| progress.version == calendar.version());
        Ok(same.unwrap_or_else(|| Progress::begin(calendar.version(), self.now())))
    }

    /// The same for somebody who may operate the service. Blocks.
    ///
    /// # Errors
    /// `Forbidden`, or as above.
    pub fn recount_seen(&self, caller: &Caller) -> Result<Progress, Error> {
        self.permit(caller, Act::SeeOperation)?;
        self.recounting(caller.jurisdiction)
    }

    /// The next piece of a recount, of at most `limit` instances. Only looks. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn recount_piece(
        &self,
        jurisdiction: JurisdictionId,
        progress: &Progress,
        limit: usize,
    ) -> Result<Piece, Error> {
        let calendar = self.inner.registry.calendar(jurisdiction)?;
        let (here, instances, is_last, of) = self.read(|reader| {
            let standing = reader.standing()?;
            let all: std::collections::BTreeSet<_> =
                standing.open.union(&standing.clocked).copied().collect();
            let rest = || {
                all.range((std::ops::Bound::Excluded(progress.after), std::ops::Bound::Unbounded))
            };
            let here: Vec<InstanceId> = rest().take(limit).copied().collect();
            let is_last = rest().nth(limit).is_none();
            let mut instances = Vec::new();
            for id in &here {
                match reader.instance(*id) {
                    Ok(Some((instance, _))) => instances.push(instance),
                    Ok(None) => {}
                    // A row that cannot be read is the auditor's concern; the others move on.
                    Err(store::Error::Corrupt { place, detail }) => {
                        tracing::error!(place, detail, "its clocks are not counted again");
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok((here, instances, is_last, all.len()))
        })?;
        let mut moving = Vec::new();
        for instance in instances.iter().filter(|one| one.jurisdiction == jurisdiction) {
            if self.would_move(instance, &calendar)? {
                moving.push(instance.id);
            }
        }
        Ok(Piece {
            moving,
            looked: i64::try_from(here.len()).unwrap_or(i64::MAX),
            of: i64::try_from(of).unwrap_or(i64::MAX),
            reached: here.last().copied().unwrap_or(progress.after),
            is_last,
        })
    }

    /// Whether an instance has clocks that the calendar in force moves.
    pub(super) fn would_move(
        &self,
        instance: &Instance,
        calendar: &Calendar,
    ) -> Result<bool, Error> {
        let registry = &self.inner.registry;
        let chart = registry.chart(instance.definition)?;
        let now = self.now();
        let facts = registry.facts(instance.jurisdiction, now)?;
        let situation = Situation { chart: &chart, calendar, facts: &*facts, now };
        Ok(engine::would_recount(situation, instance))
    }

    /// Counts the clocks of an instance again, as a command of the service itself.
    ///
    /// # Errors
    /// As for any command; `nothing_to_recount` when somebody was faster.
    pub async fn recount(
        &self,
        jurisdiction: JurisdictionId,
        instance: InstanceId,
    ) -> Result<Done, Error> {
        let request = Request {
            caller: Caller { actor: Actor::System, jurisdiction },
            target: Target::Instance(instance),
            command: RECOUNT.to_owned(),
            input: serde_json::Map::new(),
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        self.submit(request).await
    }

    /// Keeps how far a recount has come, unless another node, or another version of the calendar,
    /// has come in between; says whether it was kept. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn note_recount(
        &self,
        jurisdiction: JurisdictionId,
        before: &Progress,
        after: &Progress,
    ) -> Result<bool, Error> {
        let name = setting(jurisdiction);
        let text = serde_json::to_string(after)
            .map_err(|error| Error::Internal(format!("the progress of a recount: {error}")))?;
        self.with_hand(|transaction| {
            let kept = transaction.setting(&name)?;
            let kept: Option<Progress> = kept.and_then(|text| serde_json::from_str(&text).ok());
            let other = kept.filter(|kept| kept.version == before.version);
            if other.is_some_and(|kept| kept != *before) {
                return Ok(false);
            }
            transaction.set_setting(&name, &text)?;
            Ok(true)
        })
    }

    /// The matters whose clocks a version of the calendar moved, the newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub fn moved(
        &self,
        caller: &Caller,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Page<Moved>, Error> {
        self.permit(caller, Act::SeeOperation)?;
        let found = self.read(|reader| {
            let mut found = Vec::new();
            for one in reader.recounts(caller.jurisdiction, before, limit.saturating_add(1))? {
                let instance = reader.instance(one.event.instance)?;
                let number = instance.map(|(instance, _)| wording::number(&instance));
                found.push((one, number.unwrap_or_default()));
            }
            Ok(found)
        })?;
        let mut moved = Vec::with_capacity(found.len());
        for (one, number) in found {
            let event = one.event.read().map_err(Error::Internal)?;
            moved.push(Moved { position: one.position, number, event });
        }
        Ok(cut(moved, limit))
    }
}
