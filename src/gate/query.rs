//! Questions: filtered by what the caller may see. What may not be seen is as if it were not there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::error::Error;
use super::registry::Version;
use super::{Caller, Change, Gate, personal, wording};
use crate::calendar::{Due, Limit};
use crate::chart::{Chart, CommandSpec, Party};
use crate::domain::{
    Actor, Directory, Event, Fields, Instance, InstanceId, Message, MessageId, Role, StoredEvent, Value,
};
use crate::engine::{Situation, possible};
use crate::policy::{self, Act};
use crate::store::{Alarm, Filter, MessageFilter, PartyRow, RawCounts, Reader};

/// An instance as a caller sees it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The instance.
    pub instance: Box<Instance>,
    /// Its workflow.
    pub chart: Arc<Chart>,
    /// What people call the matter.
    pub number: String,
    /// For a former unit: the events that it took part in, from and to. `instance` is then as it
    /// stood at the last of them. None: the caller sees everything.
    pub segments: Option<Vec<(i64, i64)>>,
    /// For a former unit: the instance as it stands now, which it is not shown.
    now: Option<Box<Instance>>,
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
enum Sight {
    Whole,
    Segments(Vec<(i64, i64)>),
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Whether there is more.
    pub more: bool,
}

/// Events of an instance as a caller may see them.
pub type History = Page<StoredEvent>;

impl Gate {
    /// Reads with a connection of the pool. Blocks: call it where blocking is allowed.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T, crate::store::Error>,
    ) -> Result<T, Error> {
        Ok(self.inner.store.read(work)?)
    }

    /// Whether one of the caller's roles allows an act.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn permit(&self, caller: &Caller, act: Act) -> Result<(), Error> {
        if policy::may(&caller.actor, act) { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Who is who where the caller is.
    ///
    /// # Errors
    /// `Forbidden`; `Internal` when there is no such jurisdiction.
    pub fn directory(&self, caller: &Caller) -> Result<Arc<Directory>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        self.inner.registry.directory(caller.jurisdiction)
    }

    /// The published versions of workflows where the caller is.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn versions(&self, caller: &Caller) -> Result<Vec<Version>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        Ok(self.inner.registry.versions(caller.jurisdiction))
    }

    fn sees_all(&self, caller: &Caller) -> Result<bool, Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let county = directory.bodies.get("county").map(String::as_str);
        Ok(policy::sees_all(&caller.actor, county))
    }

    /// One instance. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn instance(&self, caller: &Caller, id: InstanceId) -> Result<Seen, Error> {
        let found = self.read(|reader| {
            let instance = reader.instance(id)?.map(|(instance, _)| instance);
            let parties = reader.parties(id)?;
            Ok((instance, parties))
        })?;
        let (Some(instance), parties) = found else { return Err(Error::NotFound) };
        if instance.jurisdiction != caller.jurisdiction {
            return Err(Error::NotFound);
        }
        let sight = if self.sees_all(caller)? || self.holds_post(caller, &instance)? {
            Sight::Whole
        } else {
            reach(caller, &parties).ok_or(Error::NotFound)?
        };
        self.seen(instance, sight)
    }

    /// Whether the caller has one of the posts that the instance's workflow is for.
    fn holds_post(&self, caller: &Caller, instance: &Instance) -> Result<bool, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(caller.jurisdiction)?;
        let posts = registry.chart(instance.definition)?.posts(&*directory);
        Ok(policy::holds_post(&caller.actor, &posts))
    }

    fn seen(&self, instance: Instance, sight: Sight) -> Result<Seen, Error> {
        let chart = self.inner.registry.chart(instance.definition)?;
        let number = wording::number(&instance);
        let (instance, segments, now) = match sight {
            Sight::Whole => (instance, None, None),
            Sight::Segments(segments) => {
                let last = segments.iter().map(|(_, to)| *to).max().unwrap_or(0);
                let then = self.as_it_was(&instance, &chart, last)?;
                (then, Some(segments), Some(Box::new(instance)))
            }
        };
        Ok(Seen { instance: Box::new(instance), chart, number, segments, now })
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
            let event: Event = serde_json::from_str(&stored.body)
                .map_err(|error| Error::Internal(format!("event {}: {error}", stored.seq)))?;
            let tier = chart.tier_field.as_ref().and_then(|field| event.set.get(field));
            then.tier = tier.and_then(Value::as_int).unwrap_or(then.tier);
            then.updated_at = event.recorded_at;
            then.stage.clone_from(&event.status);
            (then.state, then.status, then.holder) = (event.to, event.status, event.holder);
        }
        Ok(then)
    }

    /// An instance that a command of the caller has just left, as the caller sees it.
    ///
    /// # Errors
    /// When its definition is not loaded.
    pub fn as_seen(&self, instance: Instance) -> Result<Seen, Error> {
        self.seen(instance, Sight::Whole)
    }

    /// The commands that the caller could give now, and whether an alert waits for acknowledgement.
    ///
    /// # Errors
    /// When calendar or directory are not there.
    pub fn possible(&self, caller: &Caller, seen: &Seen) -> Result<(Vec<String>, bool), Error> {
        let registry = &self.inner.registry;
        let calendar = registry.calendar(caller.jurisdiction)?;
        let directory = registry.directory(caller.jurisdiction)?;
        // A former unit may still be asked for something.
        let instance = seen.now.as_ref().unwrap_or(&seen.instance);
        let now = self.now().max(instance.updated_at);
        let situation =
            Situation { chart: &seen.chart, calendar: &calendar, facts: &*directory, now };
        let specs = possible::specs(situation, instance, &caller.actor);
        let names = specs.into_iter().map(|spec: &CommandSpec| spec.name.clone()).collect();
        let waits = possible::may_acknowledge(situation, instance, &caller.actor);
        Ok((names, waits))
    }

    /// Instances, newest first, those that the caller may see. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn instances(
        &self,
        caller: &Caller,
        filter: Filter,
        limit: i64,
    ) -> Result<Page<Seen>, Error> {
        let filter = self.narrowed(caller, filter)?;
        let Some(filter) = filter else { return Ok(Page { items: Vec::new(), more: false }) };
        let all = self.sees_all(caller)?;
        let found = self.read(|reader| {
            let mut found = Vec::new();
            for instance in reader.list(&filter, limit + 1)? {
                let parties = if all { Vec::new() } else { reader.parties(instance.id)? };
                found.push((instance, parties));
            }
            Ok(found)
        })?;
        let page = cut(found, limit);
        let seen = page.items.into_iter().map(|(instance, parties)| {
            let whole = all || self.holds_post(caller, &instance)?;
            let sight = if whole { None } else { reach(caller, &parties) };
            self.seen(instance, sight.unwrap_or(Sight::Whole))
        });
        Ok(Page { items: seen.collect::<Result<_, Error>>()?, more: page.more })
    }

    /// How many instances stand in each flat status, of those that the caller may see. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn counts(&self, caller: &Caller, filter: Filter) -> Result<BTreeMap<String, i64>, Error> {
        match self.narrowed(caller, filter)? {
            Some(filter) => {
                Ok(self.read(|reader| reader.count_by_status(&filter))?.into_iter().collect())
            }
            None => Ok(BTreeMap::new()),
        }
    }

    /// The filter with what the caller may see; none if that is nothing.
    fn narrowed(&self, caller: &Caller, filter: Filter) -> Result<Option<Filter>, Error> {
        let jurisdiction = Some(caller.jurisdiction);
        if self.sees_all(caller)? {
            return Ok(Some(Filter { jurisdiction, ..filter }));
        }
        let own = policy::own_units(&caller.actor);
        let wanted = &filter.parties;
        let parties: Vec<String> = own
            .iter()
            .filter(|unit| wanted.is_empty() || wanted.iter().any(|want| want == *unit))
            .map(|unit| (*unit).to_owned())
            .collect();
        let or_workflows = if wanted.is_empty() { self.posted(caller)? } else { Vec::new() };
        let sees = !parties.is_empty() || !or_workflows.is_empty();
        Ok(sees.then_some(Filter { jurisdiction, parties, or_workflows, ..filter }))
    }

    /// The workflows in which the caller has a post, so that it sees all their instances.
    fn posted(&self, caller: &Caller) -> Result<Vec<String>, Error> {
        let registry = &self.inner.registry;
        let directory = registry.directory(caller.jurisdiction)?;
        let versions = registry.versions(caller.jurisdiction);
        let posted = versions.iter().filter(|version| {
            policy::holds_post(&caller.actor, &version.chart.posts(&*directory))
        });
        let names: BTreeSet<&String> = posted.map(|version| &version.chart.workflow).collect();
        Ok(names.into_iter().cloned().collect())
    }

    /// Events of an instance that the caller sees, from a number on. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn events(
        &self,
        caller: &Caller,
        id: InstanceId,
        from: i64,
        limit: i64,
    ) -> Result<History, Error> {
        let seen = self.instance(caller, id)?;
        let Some(segments) = &seen.segments else {
            return Ok(cut(self.read(|reader| reader.events(id, from, limit + 1))?, limit));
        };
        let last = segments.iter().map(|(_, to)| *to).max().unwrap_or(0);
        let found = self.read(|reader| reader.events(id, from, (last + 1 - from).max(0)))?;
        Ok(cut(found.into_iter().filter(|event| seen.shows(event.seq)).collect(), limit))
    }

    /// The children of an instance that the caller sees. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn children(&self, caller: &Caller, id: InstanceId) -> Result<Vec<Seen>, Error> {
        self.instance(caller, id)?;
        let found = self.read(|reader| reader.children(id))?;
        let mut children = Vec::new();
        for child in found {
            match self.instance(caller, child.id) {
                Ok(seen) => children.push(seen),
                Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(children)
    }

    /// Messages: about an instance that the caller sees, one's own, or of the whole jurisdiction for
    /// those who see everything. Blocks.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden`.
    pub fn messages(
        &self,
        caller: &Caller,
        mut filter: MessageFilter,
        limit: i64,
    ) -> Result<Page<Message>, Error> {
        match filter.instance {
            Some(id) => drop(self.instance(caller, id)?),
            None if matches!((&caller.actor, filter.person),
                (Actor::Person { id, .. }, Some(person)) if *id == person) => {}
            None if self.sees_all(caller)? => {}
            None => return Err(Error::Forbidden),
        }
        filter.jurisdiction = Some(caller.jurisdiction);
        let found = self.read(|reader| reader.messages(&filter, limit + 1))?;
        Ok(cut(found, limit))
    }

    /// One message, for those who see everything. Blocks.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden`.
    pub fn message(&self, caller: &Caller, id: MessageId) -> Result<Message, Error> {
        if !self.sees_all(caller)? {
            return Err(Error::Forbidden);
        }
        let message = self.read(|reader| reader.message(id))?;
        message.filter(|m| m.jurisdiction == caller.jurisdiction).ok_or(Error::NotFound)
    }

    /// What a caller may read of the personal texts of an instance: the desk everything; the unit
    /// that holds it, and its sub-unit, everything that is not sealed; who sees all matters what the
    /// matter is, not who called. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn personal(
        &self,
        caller: &Caller,
        id: InstanceId,
    ) -> Result<Option<BTreeMap<String, String>>, Error> {
        let seen = self.instance(caller, id)?;
        let (content, identity) = self.opens(caller, &seen)?;
        if !content && !identity {
            return Ok(None);
        }
        let contents = contents(&seen.chart);
        let rows = self.read(|reader| reader.personal(id))?;
        let mine = rows.into_iter().filter(|row| {
            if contents.contains(row.field.as_str()) { content } else { identity }
        });
        let texts = mine.map(|row| (row.field, personal::text(&row.value).to_owned()));
        Ok(Some(texts.collect()))
    }

    /// Whether a caller may read what a matter is, and who called.
    fn opens(&self, caller: &Caller, seen: &Seen) -> Result<(bool, bool), Error> {
        if seen.is_former() {
            return Ok((false, false));
        }
        let desk = [Role::Dispatcher, Role::ShiftLeader];
        if caller.actor.grants().iter().any(|grant| desk.contains(&grant.role)) {
            return Ok((true, true));
        }
        let (instance, chart) = (&seen.instance, &seen.chart);
        let leaf = chart.find(&instance.state).and_then(|leaf| chart.node(leaf));
        // What a body holds is for the roles that the workflow names in it, not for its whole house.
        let of_body = leaf.is_some_and(|node| matches!(node.holder, Some(Party::Body(_))));
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let holds = !of_body
            && instance.holder.as_deref().is_some_and(|holder| {
                let own = policy::own_units(&caller.actor);
                let below = |unit: &str| {
                    own.contains(unit)
                        && directory.units.get(unit).is_some_and(|unit| {
                            unit.parent.as_deref() == Some(holder)
                        })
                };
                own.contains(holder) || chart.parties_of(instance).any(below)
            });
        let holds = holds && policy::may(&caller.actor, Act::SeeCaller);
        let set = |name: &String| instance.fields.get(name) == Some(&Value::Bool(true));
        let sealed = chart.fields.iter().any(|(name, field)| field.seals && set(name));
        Ok((holds || self.sees_all(caller)?, holds && !sealed))
    }

    /// How the due instant of a limit comes about, line by line, on a version of the calendar (the
    /// one in force if none is named).
    ///
    /// # Errors
    /// `NotFound` for a version that was never loaded.
    pub fn explain(
        &self,
        caller: &Caller,
        version: Option<&str>,
        base: crate::domain::Instant,
        limit: &Limit,
    ) -> Result<Due, Error> {
        let registry = &self.inner.registry;
        let calendar = match version {
            None => registry.calendar(caller.jurisdiction)?,
            Some(version) => {
                registry.calendar_version(caller.jurisdiction, version).ok_or(Error::NotFound)?
            }
        };
        Ok(calendar.due(base, limit))
    }

    /// Operator alarms, newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn alarms(
        &self,
        caller: &Caller,
        open_only: bool,
        limit: i64,
    ) -> Result<Vec<Alarm>, Error> {
        self.permit(caller, Act::Operate)?;
        let alarms = self.read(|reader| reader.alarms(open_only, limit))?;
        let here = |alarm: &Alarm| {
            alarm.raised.jurisdiction.is_none_or(|whose| whose == caller.jurisdiction)
        };
        Ok(alarms.into_iter().filter(here).collect())
    }

    /// Whether a change concerns the caller.
    #[must_use]
    pub fn concerns(&self, caller: &Caller, change: &Change) -> bool {
        if change.jurisdiction != caller.jurisdiction {
            return false;
        }
        let own = policy::own_units(&caller.actor);
        self.sees_all(caller).unwrap_or(false)
            || change.parties.iter().any(|unit| own.contains(unit.as_str()))
            || self.posted(caller).unwrap_or_default().contains(&change.workflow)
    }

    /// Figures for metrics. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn raw_counts(&self) -> Result<RawCounts, Error> {
        self.read(Reader::raw_counts)
    }
}

/// The personal inputs that say what the matter is.
fn contents(chart: &Chart) -> BTreeSet<&str> {
    let specs = chart.commands.values().chain([&chart.start]);
    let inputs = specs.flat_map(|spec| &spec.input).filter(|input| input.content);
    inputs.map(|input| input.name.as_str()).collect()
}

/// What the caller's units may see: one that takes part sees everything, a former one its own
/// segments. None at all if none of them ever took part.
fn reach(caller: &Caller, parties: &[PartyRow]) -> Option<Sight> {
    let own = policy::own_units(&caller.actor);
    let mine = parties.iter().filter(|party| own.contains(party.unit.as_str()));
    let segments: Vec<(i64, Option<i64>)> = mine.map(|p| (p.from_seq, p.to_seq)).collect();
    if segments.is_empty() {
        return None;
    }
    let ended: Option<Vec<(i64, i64)>> =
        segments.into_iter().map(|(from, to)| Some((from, to?))).collect();
    Some(ended.map_or(Sight::Whole, Sight::Segments))
}

pub(super) fn cut<T>(mut items: Vec<T>, limit: i64) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    Page { items, more }
}
