//! Looking again: one instance while the service runs, or all of a database afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use super::error::Error;
use super::record::{line, record, row};
use super::registry::Registry;
use super::sealing::{Noted, Seals, verify_seals};
use super::{Gate, locking, personal};
use crate::calendar::Calendar;
use crate::chart::Chart;
use crate::domain::event::ClockVerb;
use crate::domain::{DefinitionId, InstanceId, Instant, JurisdictionId};
use crate::engine::audit::{self, ClockLine, Difference, Part, Record, Versions};
use crate::store::{self, Batch, ClockRow, Reader, Store};

/// What looking again at one instance found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// Which instance.
    pub instance: InstanceId,
    /// Whose; none if the row cannot even be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<JurisdictionId>,
    /// How many events it has.
    pub events: usize,
    /// What is not as it should be; empty if all is well.
    pub differences: Vec<Difference>,
    /// Clock rows that were put right.
    pub repaired: usize,
    /// Whether it is sound, but has clocks that the calendar in force moves: they were armed while
    /// it was being loaded.
    #[serde(skip)]
    pub outdated: bool,
}

impl Examined {
    /// Whether only clock rows are wrong: they follow from the instance, so they can be rewritten.
    #[must_use]
    pub fn only_clocks(&self) -> bool {
        self.differences.iter().all(|difference| difference.part == Part::Clock)
    }

    /// Whether the chain of events holds.
    #[must_use]
    pub fn chain_holds(&self) -> bool {
        self.differences.iter().all(|difference| difference.part != Part::Chain)
    }

    /// Whether the decisions, repeated, give exactly the stored row.
    #[must_use]
    pub fn replays(&self) -> bool {
        let spoilt = [Part::Chain, Part::Replay, Part::Row];
        self.differences.iter().all(|difference| !spoilt.contains(&difference.part))
    }
}

/// What looking again at a whole database found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Instances looked at.
    pub instances: u64,
    /// Events read.
    pub events: u64,
    /// Instances whose chain of events holds.
    pub chains_ok: u64,
    /// Instances whose decisions, repeated, give exactly the stored row.
    pub replayed: u64,
    /// Instances with something that is not as it should be: how many …
    pub differing_count: u64,
    /// … and what, for the first [`LISTED_MAX`] of them.
    pub differing: Vec<Examined>,
    /// The first thing that is wrong, in a sentence.
    pub first_fault: Option<String>,
    /// What was found in the audit logs and the checkpoints.
    pub seals: Seals,
    /// What the event log says, counted.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What an event log says, counted. Names are `workflow.name`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Events by what was asked.
    pub kinds: BTreeMap<String, u64>,
    /// Instances by the flat status that their last event left.
    pub statuses: BTreeMap<String, i64>,
    /// Every flat status that was ever left.
    pub statuses_seen: BTreeSet<String>,
    /// Clocks that ran out.
    pub run_out: BTreeMap<String, u64>,
    /// Messages by channel.
    pub messages: BTreeMap<String, u64>,
}

impl Tally {
    /// Counts one instance from its events alone.
    fn take(&mut self, record: &Record) {
        let workflow = &record.instance.workflow;
        let (mut last, mut overdue) = (None, BTreeSet::new());
        for stored in &record.events {
            *self.kinds.entry(format!("{workflow}.{}", stored.kind)).or_default() += 1;
            let Ok(event) = stored.read() else { continue };
            let fired = event.clocks.iter().find(|change| change.change == ClockVerb::Fired);
            let late = |due: Instant| due <= event.recorded_at;
            if let Some(clock) = fired.filter(|change| change.due.is_some_and(late)) {
                // A ladder goes on after the due instant: each limit is counted once.
                overdue.insert((clock.clock.clone(), clock.due));
            }
            self.statuses_seen.insert(format!("{workflow}.{}", event.status));
            last = Some(event.status);
        }
        for (clock, _) in overdue {
            *self.run_out.entry(format!("{workflow}.{clock}")).or_default() += 1;
        }
        if let Some(status) = last {
            *self.statuses.entry(format!("{workflow}.{status}")).or_default() += 1;
        }
        for (_, _, channel) in &record.messages {
            *self.messages.entry(channel.clone()).or_default() += 1;
        }
    }
}

impl Report {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.differing_count == 0 && self.seals.faults.is_empty()
    }

    fn take(&mut self, examined: Examined) {
        self.instances += 1;
        self.events += u64::try_from(examined.events).unwrap_or(0);
        self.chains_ok += u64::from(examined.chain_holds());
        self.replayed += u64::from(examined.replays());
        let Some(first) = examined.differences.first() else { return };
        self.differing_count += 1;
        if self.first_fault.is_none() {
            self.first_fault = Some(format!("instance {}: {first}", examined.instance));
        }
        if self.differing.len() < LISTED_MAX {
            self.differing.push(examined);
        }
    }
}

/// So many differing instances are listed one by one.
pub(super) const LISTED_MAX: usize = 1000;

/// Ids read at a time on the way through a database.
const PAGE: i64 = 1000;

/// As [`verify_signed`], by the keys that stand beside the checkpoints.
///
/// # Errors
/// As for [`verify_signed`].
pub fn verify(store: &Store, progress: impl FnMut(u64)) -> Result<Report, Error> {
    verify_signed(store, &Noted::default(), progress)
}

/// Looks again at every instance of a database, reading only: the chain of each, every decision
/// repeated, rows of instances, clocks and messages compared; audit logs and checkpoints, which must be
/// as they were `noted`; and, if the store has its keys, whether what is locked opens and is what
/// callers said. `progress` is told how many instances are done now and then. Blocks.
///
/// # Errors
/// What the store says, or a stored definition that cannot be read any more. What is wrong with the
/// data is no error but in the report.
pub fn verify_signed(
    store: &Store,
    noted: &Noted,
    mut progress: impl FnMut(u64),
) -> Result<Report, Error> {
    // Facts are in the events: who is on duty now does not matter.
    let registry = Registry::load(store, Instant(i64::MAX))?;
    let mut report = Report::default();
    store.read(Reader::refuse_clear)?;
    let readable = store.read(Reader::is_readable)?;
    let mut after = InstanceId(i64::MIN);
    loop {
        let ids = store.read(|reader| reader.instance_ids(after, PAGE))?;
        let Some(last) = ids.last() else { break };
        after = *last;
        for id in ids {
            let examined = examine(store, &registry, id, |record| report.tally.take(record))?;
            let Some(mut examined) = examined else { continue };
            if readable {
                examined.differences.extend(unlike_said(store, &registry, id)?);
            }
            report.take(examined);
        }
        progress(report.instances);
    }
    report.seals = verify_seals(store, noted)?;
    report.seals.still_locked = !readable;
    if store.vault().is_some() {
        report.seals.faults.extend(locking::unopened(store)?);
    }
    if let Some(fault) = report.seals.faults.first().filter(|_| report.first_fault.is_none()) {
        report.first_fault = Some(fault.clone());
    }
    Ok(report)
}

/// Looks again at one instance; none if there is no such instance.
fn examine(
    store: &Store,
    registry: &Registry,
    id: InstanceId,
    take: impl FnOnce(&Record),
) -> Result<Option<Examined>, Error> {
    let differences = match store.read(|reader| record(reader, id)) {
        Ok(None) => return ownerless(store, id),
        Ok(Some(record)) => {
            take(&record);
            return Ok(Some(Examined {
                instance: id,
                jurisdiction: Some(record.instance.jurisdiction),
                events: record.events.len(),
                differences: audit::examine(&record, registry),
                repaired: 0,
                outdated: false,
            }));
        }
        // A row that cannot be read is a finding, not a reason to stop looking at the others.
        Err(store::Error::Corrupt { place, detail }) => {
            vec![Difference { part: Part::Row, seq: None, what: format!("{place}: {detail}") }]
        }
        Err(error) => return Err(error.into()),
    };
    let (jurisdiction, outdated) = (None, false);
    Ok(Some(Examined { instance: id, jurisdiction, events: 0, differences, repaired: 0, outdated }))
}

/// What of the callers' data of an instance is not what its events say. A value that does not open is
/// named by whoever tries them all.
fn unlike_said(
    store: &Store,
    registry: &Registry,
    id: InstanceId,
) -> Result<Vec<Difference>, Error> {
    let kept =
        store.read(|reader| Ok((reader.events(id, i64::MIN, i64::MAX)?, reader.personal(id)?)));
    match kept {
        Ok((events, rows)) => {
            Ok(personal::differences(&events, &rows, |definition| registry.chart_of(definition)))
        }
        Err(store::Error::Altered(_) | store::Error::Keys(_) | store::Error::Corrupt { .. }) => {
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// What is left of an instance that is not there; none if nothing is.
fn ownerless(store: &Store, id: InstanceId) -> Result<Option<Examined>, Error> {
    let (clocks, events, parties, left) = store.read(|reader| {
        let events = reader.events(id, i64::MIN, i64::MAX)?;
        // Whether what callers said opens does not matter: it is there.
        let left = reader.instance_ids(InstanceId(id.0.saturating_sub(1)), 1)?.contains(&id);
        Ok((reader.clocks(id)?, events, reader.parties(id)?, left))
    })?;
    if !left {
        return Ok(None);
    }
    let clock = |row: &ClockRow| format!("`{}`", row.name);
    let mut rows = Vec::new();
    if !clocks.is_empty() {
        let names = clocks.iter().map(clock).collect::<Vec<_>>().join(", ");
        rows.push(format!("the clock rows {names}"));
    }
    if !events.is_empty() {
        rows.push(format!("{} events", events.len()));
    }
    if !parties.is_empty() {
        rows.push(format!("{} units that take part", parties.len()));
    }
    if rows.is_empty() {
        rows.push("what its caller said".to_owned());
    }
    let what = format!("there is no instance {id}, but {} of it", rows.join(" and "));
    let owner = clocks.first().map(|clock| clock.jurisdiction);
    Ok(Some(Examined {
        instance: id,
        jurisdiction: owner.or_else(|| parties.first().map(|party| party.jurisdiction)),
        events: events.len(),
        differences: vec![Difference { part: Part::Row, seq: None, what }],
        repaired: 0,
        outdated: false,
    }))
}

impl Versions for Registry {
    fn chart_of(&self, definition: DefinitionId) -> Option<Arc<Chart>> {
        self.chart(definition).ok()
    }

    fn calendar_of(&self, jurisdiction: JurisdictionId, version: &str) -> Option<Calendar> {
        self.calendar_version(jurisdiction, version)
    }
}

impl Gate {
    /// Looks again at everything, as [`verify`] does, while the service runs. Blocks, for long.
    ///
    /// # Errors
    /// As for [`verify`].
    pub fn verify(&self) -> Result<Report, Error> {
        verify(&self.inner.store, |_| ())
    }

    /// Looks again at one instance, and puts its clock rows right where nothing else is wrong; none
    /// if there is no such instance. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn examine(&self, id: InstanceId) -> Result<Option<Examined>, Error> {
        let (store, registry) = (&self.inner.store, &self.inner.registry);
        let mut found = examine(store, registry, id, |_| ())?;
        if found.as_ref().is_some_and(|one| !one.differences.is_empty()) && !store.exclusive() {
            // Another node may have published what this one does not know yet.
            self.reload()?;
            found = examine(store, registry, id, |_| ())?;
        }
        if let Some(examined) = &mut found
            && !examined.differences.is_empty()
            && examined.only_clocks()
        {
            examined.repaired = self.mend_clocks(id)?;
            self.bell().notify_waiters();
        }
        if let Some(examined) = &mut found
            && examined.differences.is_empty()
            && let Some(instance) = self.read(|reader| reader.instance(id))?
        {
            let calendar = registry.calendar(instance.0.jurisdiction)?;
            examined.outdated = self.would_move(&instance.0, &calendar)?;
        }
        Ok(found)
    }

    /// Rewrites the clock rows of an instance from the instance; answers how many were wrong. The
    /// instance is read again inside the transaction, so whatever happened since is respected.
    fn mend_clocks(&self, id: InstanceId) -> Result<usize, Error> {
        self.with_hand(|transaction| {
            let Some((instance, _)) = transaction.instances(&[id])?.pop() else { return Ok(0) };
            let have: Vec<ClockLine> = transaction.clocks(id)?.into_iter().map(line).collect();
            let want = audit::clock_lines(&instance);
            let gone = have.iter().filter(|old| !want.iter().any(|new| new.name == old.name));
            let gone: Vec<_> = gone.map(|old| (id, old.name.clone())).collect();
            let set = want.into_iter().filter(|line| !have.contains(line));
            let set: Vec<ClockRow> = set.map(|line| row(id, line)).collect();
            let mended = gone.len() + set.len();
            transaction.write(&Batch { clocks_set: set, clocks_gone: gone, ..Batch::default() })?;
            Ok(mended)
        })
    }
}
