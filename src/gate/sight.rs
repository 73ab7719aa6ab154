//! What a caller sees of an instance: all of it, or its own part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::Error;
use super::{Caller, Gate, wording};
use crate::chart::Chart;
use crate::domain::{Fields, Instance, Value};
use crate::policy::{self, Act, Relation};
use crate::store::PartyRow;

/// An instance as a caller sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The instance.
    pub instance: Arc<Instance>,
    /// Its workflow.
    pub chart: Arc<Chart>,
    /// What people call the matter.
    pub number: String,
    /// For a former unit: the events that it took part in, from and to. `instance` is then as it
    /// stood at the last of them. None: the caller sees everything.
    pub segments: Option<Vec<(i64, i64)>>,
    /// For a former unit: the instance as it stands now, which it is not shown.
    pub(super) now: Option<Arc<Instance>>,
}

impl Seen {
    /// Whether the caller sees only what happened while its unit took part.
    #[must_use]
    pub fn is_former(&self) -> bool {
        self.segments.is_some()
    }

    /// Whether the caller may see what an event brought.
    #[must_use]
    pub fn shows(&self, seq: i64) -> bool {
        let within = |&(from, to): &(i64, i64)| (from..=to).contains(&seq);
        self.segments.as_ref().is_none_or(|segments| segments.iter().any(within))
    }
}

/// How much of an instance a caller sees.
pub(super) enum Sight {
    Whole,
    Segments(Vec<(i64, i64)>),
}

impl Gate {
    /// Whether the caller has one of the posts that the instance's workflow is for.
    pub(super) fn holds_post(&self, caller: &Caller, instance: &Instance) -> Result<bool, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(caller.jurisdiction)?;
        let posts = registry.chart(instance.definition)?.posts(&*directory);
        Ok(policy::holds_post(&caller.actor, Act::SeeMatter, &posts))
    }

    pub(super) fn seen(&self, instance: Arc<Instance>, sight: Sight) -> Result<Seen, Error> {
        let chart = self.inner.registry.chart(instance.definition)?;
        let number = wording::number(&instance);
        let (instance, segments, now) = match sight {
            Sight::Whole => (instance, None, None),
            Sight::Segments(segments) => {
                let last = segments.iter().map(|(_, to)| *to).max().unwrap_or(0);
                let then = self.as_it_was(&instance, &chart, last)?;
                (Arc::new(then), Some(segments), Some(instance))
            }
        };
        Ok(Seen { instance, chart, number, segments, now })
    }

    /// An instance as it stood after one of its events, as far as a former unit is shown it: where
    /// it was and how grave, without fields and clocks.
    fn as_it_was(&self, now: &Instance, chart: &Chart, seq: i64) -> Result<Instance, Error> {
        let events = self.read(|reader| reader.events(now.id, 1, seq))?;
        let mut then = Instance {
            version: seq,
            touched: seq,
            fields: Fields::new(),
            clocks: BTreeMap::new(),
            children: BTreeMap::new(),
            tier: 1,
            outcome: None,
            closed_at: None,
            ..now.clone()
        };
        for stored in events {
            let event = stored.read().map_err(Error::Internal)?;
            let tier = chart.tier_field.as_ref().and_then(|field| event.set.get(field));
            then.tier = tier.and_then(Value::as_int).unwrap_or(then.tier);
            then.updated_at = event.recorded_at;
            then.stage.clone_from(&event.status);
            (then.state, then.status, then.holder) = (event.to, event.status, event.holder);
        }
        Ok(then)
    }

    /// The workflows in which the caller has a post, so that it sees all their instances.
    pub(super) fn posted(&self, caller: &Caller) -> Result<Vec<String>, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(caller.jurisdiction)?;
        let versions = registry.versions(caller.jurisdiction);
        let posted = versions.iter().filter(|version| {
            let posts = version.chart.posts(&*directory);
            policy::holds_post(&caller.actor, Act::SeeMatter, &posts)
        });
        let names: BTreeSet<&String> = posted.map(|version| &version.chart.workflow).collect();
        Ok(names.into_iter().cloned().collect())
    }
}

/// What the caller's units may see: one that takes part sees everything, a former one its own
/// segments. None at all if none of them ever took part.
pub(super) fn reach(caller: &Caller, parties: &[PartyRow]) -> Option<Sight> {
    let now = policy::units(&caller.actor, Act::SeeMatter, Relation::Party);
    let then = policy::units(&caller.actor, Act::SeeMatter, Relation::Former);
    let mine = parties.iter().filter(|party| {
        let own = if party.to_seq.is_some() { &then } else { &now };
        own.contains(party.unit.as_str())
    });
    let segments: Vec<(i64, Option<i64>)> = mine.map(|p| (p.from_seq, p.to_seq)).collect();
    if segments.is_empty() {
        return None;
    }
    let ended: Option<Vec<(i64, i64)>> =
        segments.into_iter().map(|(from, to)| Some((from, to?))).collect();
    Some(ended.map_or(Sight::Whole, Sight::Segments))
}
