//! Questions: filtered by what the caller may see. What may not be seen is as if it were not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use super::registry::Version;
use super::sight::{Seen, Sight, reach};
use super::{Caller, Change, Gate};
use crate::calendar::{Due, Limit};
use crate::chart::CommandSpec;
use crate::domain::{
    Actor, Directory, Instance, InstanceId, JurisdictionId, Message, MessageId, StoredEvent,
};
use crate::engine::{Situation, possible};
use crate::policy::{self, Act, Relation};
use crate::store::{Alarm, AlarmFilter, Filter, MessageFilter, RawCounts, Reader};

/// So many open alarms are counted; with more nobody asks how many.
const ALARMS_COUNTED: i64 = 10_000;

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

    /// The settings of the database server under which what was acknowledged may be lost. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn weak_settings(&self) -> Result<Vec<String>, Error> {
        self.read(|reader| reader.weak_settings())
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

    pub(super) fn sees_all(&self, caller: &Caller) -> Result<bool, Error> {
        self.may_all(caller, Act::SeeMatter)
    }

    /// Whether the caller may do this to anything in the jurisdiction.
    pub(super) fn may_all(&self, caller: &Caller, act: Act) -> Result<bool, Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        Ok(policy::may_at(&caller.actor, act, Relation::Other, directory.county()))
    }

    /// Whether there is anything at all that the caller may do this to: what a door asks before it
    /// knows which thing is meant.
    ///
    /// # Errors
    /// `Forbidden`; `Internal` when there is no such jurisdiction.
    pub fn admit(&self, caller: &Caller, act: Act) -> Result<(), Error> {
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        if policy::may_somewhere(&caller.actor, act, directory.county()) {
            Ok(())
        } else {
            Err(Error::Forbidden)
        }
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
        self.seen(Arc::new(instance), sight)
    }

    /// An instance that a command of the caller has just left, as the caller sees it.
    ///
    /// # Errors
    /// When its definition is not loaded.
    pub fn as_seen(&self, instance: Arc<Instance>) -> Result<Seen, Error> {
        self.seen(instance, Sight::Whole)
    }

    /// The commands that the caller could give now, and whether an alert waits for acknowledgement.
    ///
    /// # Errors
    /// When calendar or directory are not there.
    pub fn possible(&self, caller: &Caller, seen: &Seen) -> Result<(Vec<String>, bool), Error> {
        let registry = &self.inner.registry;
        let calendar = registry.calendar(caller.jurisdiction)?;
        // A former unit may still be asked for something.
        let instance = seen.now.as_ref().unwrap_or(&seen.instance);
        let now = self.now().max(instance.updated_at);
        let facts = registry.facts(caller.jurisdiction, now)?;
        let situation = Situation { chart: &seen.chart, calendar: &calendar, facts: &*facts, now };
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
        let filter = self.narrowed(caller, filter, false)?;
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
        let mut items = Vec::new();
        for (instance, parties) in page.items {
            let whole = all || self.holds_post(caller, &instance)?;
            let sight = if whole { Some(Sight::Whole) } else { reach(caller, &parties) };
            // What the filter let through and the rules do not is left out.
            if let Some(sight) = sight {
                items.push(self.seen(Arc::new(instance), sight)?);
            }
        }
        Ok(Page { items, more: page.more })
    }

    /// How many instances stand in each flat status, of those that the caller may see as they stand
    /// now: not of former ones. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn counts(&self, caller: &Caller, filter: Filter) -> Result<BTreeMap<String, i64>, Error> {
        match self.narrowed(caller, filter, true)? {
            Some(filter) => {
                Ok(self.read(|reader| reader.count_by_status(&filter))?.into_iter().collect())
            }
            None => Ok(BTreeMap::new()),
        }
    }

    /// The filter with what the caller may see; none if that is nothing. Whether an instance fits how
    /// it should stand now, or is counted as it stands (`now`), tells how it stands: such a question is
    /// answered of those alone that the caller's units take part in now.
    fn narrowed(
        &self,
        caller: &Caller,
        filter: Filter,
        now: bool,
    ) -> Result<Option<Filter>, Error> {
        let jurisdiction = Some(caller.jurisdiction);
        if self.sees_all(caller)? {
            return Ok(Some(Filter { jurisdiction, ..filter }));
        }
        let own = policy::units(&caller.actor, Act::SeeMatter, Relation::Party);
        let wanted = &filter.parties;
        let parties: Vec<String> = own
            .iter()
            .filter(|unit| wanted.is_empty() || wanted.iter().any(|want| want == *unit))
            .map(|unit| (*unit).to_owned())
            .collect();
        let or_workflows = if wanted.is_empty() { self.posted(caller)? } else { Vec::new() };
        let sees = !parties.is_empty() || !or_workflows.is_empty();
        let (parties, present) = if !now && !filter.asks_how_it_stands() {
            (parties, Vec::new())
        } else if wanted.is_empty() {
            (Vec::new(), parties)
        } else {
            (parties, own.iter().map(|unit| (*unit).to_owned()).collect())
        };
        Ok(sees.then_some(Filter { jurisdiction, parties, present, or_workflows, ..filter }))
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

    /// Messages: about an instance that the caller sees, one's own (by a token for some units: those
    /// about their matters, while they took part), or of the whole jurisdiction for
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
            // A former unit reads what was told while it took part, and no page says that there is more.
            Some(id) => filter.segments = self.instance(caller, id)?.segments,
            None if matches!((&caller.actor, filter.person),
                (Actor::Person { id, .. }, Some(person)) if *id == person) =>
            {
                filter.units = self.narrowed_units(caller)?;
            }
            None if self.may_all(caller, Act::SeeMessages)? => {}
            None => return Err(Error::Forbidden),
        }
        filter.jurisdiction = Some(caller.jurisdiction);
        let found = self.read(|reader| reader.messages(&filter, limit + 1))?;
        Ok(cut(found, limit))
    }

    /// The units of whose matters alone the caller may read, by a token that is narrowed to units.
    fn narrowed_units(&self, caller: &Caller) -> Result<Option<Vec<String>>, Error> {
        let narrowed = caller.actor.via().is_some_and(|via| !via.scope.units.is_empty());
        if !narrowed || self.sees_all(caller)? {
            return Ok(None);
        }
        let own = policy::units(&caller.actor, Act::SeeMatter, Relation::Party);
        Ok(Some(own.into_iter().map(str::to_owned).collect()))
    }

    /// One message, for those who see everything. Blocks.
    ///
    /// # Errors
    /// `NotFound` or `Forbidden`.
    pub fn message(&self, caller: &Caller, id: MessageId) -> Result<Message, Error> {
        if !self.may_all(caller, Act::SeeMessages)? {
            return Err(Error::Forbidden);
        }
        let message = self.read(|reader| reader.message(id))?;
        message.filter(|m| m.jurisdiction == caller.jurisdiction).ok_or(Error::NotFound)
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

    /// Operator alarms of the caller's jurisdiction, and those of the whole service, newest first.
    /// Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn alarms(
        &self,
        caller: &Caller,
        filter: AlarmFilter,
        limit: i64,
    ) -> Result<Page<Alarm>, Error> {
        self.permit(caller, Act::SeeOperation)?;
        let filter = AlarmFilter { jurisdiction: Some(caller.jurisdiction), ..filter };
        Ok(cut(self.read(|reader| reader.some_alarms(&filter, limit + 1))?, limit))
    }

    /// How many operator alarms stand that concern a jurisdiction; the daily overview is none. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn open_alarms(&self, whose: JurisdictionId) -> Result<usize, Error> {
        let (jurisdiction, open_only) = (Some(whose), true);
        let filter = AlarmFilter { jurisdiction, open_only, ..AlarmFilter::default() };
        let alarms = self.read(|reader| reader.some_alarms(&filter, ALARMS_COUNTED))?;
        Ok(alarms.iter().filter(|alarm| alarm.raised.kind != "digest").count())
    }

    /// Whether a change concerns the caller.
    #[must_use]
    pub fn concerns(&self, caller: &Caller, change: &Change) -> bool {
        if change.jurisdiction != caller.jurisdiction {
            return false;
        }
        let own = policy::units(&caller.actor, Act::SeeMatter, Relation::Party);
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

pub(super) fn cut<T>(mut items: Vec<T>, limit: i64) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    Page { items, more }
}
