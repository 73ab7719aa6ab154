//! Who of the many callers about a matter was told how it went: each call that is there, and each once,
//! also of the matters that were merged into it, and into those.

mod many;

use std::collections::BTreeSet;

use super::advice::takes_calls;
use super::batch::Draft;
use super::error::{Error, refused};
use super::registry::Registry;
use super::{Target, wording};
use crate::chart::Chart;
use crate::chart::routed::{
    ANONYMOUS, MERGED_HERE, OF_MERGED, OPENER_TOLD, PHONE, REOPEN, SAME_CALLER, TELL, TELL_MANY,
    TOLD_CALL, TOLD_CALLS,
};
use crate::domain::{
    Command, Event, Fields, Instance, InstanceId, JurisdictionId, Refusal, StoredEvent, Text, Value,
};
use crate::store::{self, Reader, Transaction};

/// Of whom nobody is to be told, whatever number he called from.
const NOBODY: [&str; 2] = [ANONYMOUS, SAME_CALLER];

/// A call: the matter that took it, and the event that brought it; 0: the one that opened the matter.
pub(super) type Call = (InstanceId, i64);

/// A matter and those that were merged into it, with what is recorded of their callers.
pub(super) struct Merged {
    /// The matter itself, then the others; and whether what they recorded before still counts.
    pub(super) matters: Vec<(InstanceId, bool)>,
    /// Calls whose callers were told since the matter was last reopened. Of whoever opened a matter its
    /// field [`OPENER_TOLD`] speaks, too.
    pub(super) told: BTreeSet<Call>,
}

impl Merged {
    /// Reads from the store, and from events that are to be written, generation by generation.
    ///
    /// # Errors
    /// What the store says.
    pub(super) fn into(
        matter: InstanceId,
        reader: &mut Reader,
        draft: Option<&Draft>,
    ) -> Result<Self, store::Error> {
        let mut merged = Self { matters: vec![(matter, true)], told: BTreeSet::new() };
        let mut done = 0;
        while done < merged.matters.len() {
            let generation = merged.matters.split_off(done);
            done += generation.len();
            let ids: Vec<InstanceId> = generation.iter().map(|(id, _)| *id).collect();
            let kinds = [TELL, TELL_MANY, REOPEN, MERGED_HERE];
            let mut events = reader.events_of_kinds(&ids, &kinds)?;
            let new = ids.iter().filter_map(|id| Some(draft?.events_of(*id))).flatten();
            events.extend(new.filter(|event| kinds.contains(&event.kind.as_str())).cloned());
            merged.matters.extend(generation.iter().copied());
            for (id, counts) in generation {
                merged.read(id, counts, &events);
            }
        }
        Ok(merged)
    }

    fn read(&mut self, id: InstanceId, counts: bool, events: &[StoredEvent]) {
        let own = || events.iter().filter(|event| event.instance == id);
        let reopened = own().filter(|event| event.kind == REOPEN).map(|event| event.seq).max();
        for event in own() {
            let counts = counts && Some(event.seq) > reopened;
            if [TELL, TELL_MANY].contains(&event.kind.as_str()) && counts {
                self.told.extend(calls_of(event));
            } else if event.kind == MERGED_HERE
                && let Some(other) = sender(event)
                && self.matters.iter().all(|(known, _)| *known != other)
            {
                self.matters.push((other, counts));
            }
        }
    }

    /// The matter of a number, if it was merged into this one, and whether what it recorded counts.
    fn find(&self, number: &str) -> Option<(InstanceId, bool)> {
        let id = wording::family_of(number)?;
        self.matters.iter().skip(1).find(|(known, _)| *known == id).copied()
    }
}

/// The matter that gave a signal.
fn sender(event: &StoredEvent) -> Option<InstanceId> {
    event.actor.strip_prefix("instance:")?.parse().ok().map(InstanceId)
}

/// The calls whose callers were told by an event.
fn calls_of(event: &StoredEvent) -> Vec<Call> {
    let Ok(Event { command, .. }) = event.read() else { return Vec::new() };
    let text = |name: &str| command.input.get(name).and_then(Value::as_text);
    if event.kind == TELL_MANY {
        return many::listed(text(TOLD_CALLS).unwrap_or_default(), event.instance);
    }
    let merged = text(OF_MERGED).and_then(wording::family_of);
    let call = command.input.get(TOLD_CALL).and_then(Value::as_int);
    call.map(|call| (merged.unwrap_or(event.instance), call)).into_iter().collect()
}

/// Everybody who called about a matter, and about those that were merged into it.
pub(super) struct Callers {
    /// Every call.
    calls: BTreeSet<Call>,
    /// Those whose callers are still to be told.
    pub(super) waiting: BTreeSet<Call>,
}

impl Callers {
    /// Reads from the store, and from events that are to be written.
    ///
    /// # Errors
    /// What the store says; that an event cannot be read.
    pub(super) fn of(
        merged: &Merged,
        reader: &mut Reader,
        draft: Option<&Draft>,
        (registry, whose): (&Registry, JurisdictionId),
    ) -> Result<Self, Error> {
        let versions = registry.versions(whose);
        let kinds = versions.iter().flat_map(|version| bringing(&version.chart));
        let kinds: BTreeSet<&str> = kinds.collect();
        let kinds: Vec<&str> = kinds.into_iter().collect();
        let ids: Vec<InstanceId> = merged.matters.iter().map(|(id, _)| *id).collect();
        let mut events = reader.events_of_kinds(&ids, &kinds)?;
        let new = ids.iter().filter_map(|id| Some(draft?.events_of(*id))).flatten();
        events.extend(new.filter(|event| kinds.contains(&event.kind.as_str())).cloned());
        let mut callers = Self { calls: BTreeSet::new(), waiting: BTreeSet::new() };
        for stored in events {
            let event = stored.read().map_err(Error::Internal)?;
            let opens = stored.seq == 1;
            let chart = registry.chart(event.definition)?;
            let takes = chart.commands.get(&event.command.name).is_some_and(takes_calls);
            if !opens && !takes {
                continue;
            }
            let call = (stored.instance, if opens { 0 } else { stored.seq });
            callers.calls.insert(call);
            if leaves_somebody(&event.command.input) && !merged.told.contains(&call) {
                callers.waiting.insert(call);
            }
        }
        for (matter, _) in merged.matters.iter().filter(|(_, counts)| *counts) {
            let opener = (*matter, 0);
            if callers.waiting.contains(&opener) && opener_told(reader, draft, *matter)? {
                callers.waiting.remove(&opener);
            }
        }
        Ok(callers)
    }
}

/// The kinds of events that bring calls.
fn bringing(chart: &Chart) -> impl Iterator<Item = &str> {
    let taking = chart.commands.values().filter(|spec| takes_calls(spec));
    taking.chain([&chart.start]).map(|spec| spec.name.as_str())
}

/// Whether a call left somebody to tell: a number, by which nobody had called before.
fn leaves_somebody(input: &Fields) -> bool {
    let nobody = |name: &&str| input.get(*name) == Some(&Value::Bool(true));
    input.contains_key(PHONE) && !NOBODY.iter().any(nobody)
}

/// Whether who opened a matter was told, as its field has it.
fn opener_told(
    reader: &mut Reader,
    draft: Option<&Draft>,
    matter: InstanceId,
) -> Result<bool, store::Error> {
    let told = |known: &Instance| known.fields.get(OPENER_TOLD) == Some(&Value::Bool(true));
    if let Some(known) = draft.and_then(|draft| draft.instance(matter)) {
        return Ok(told(known));
    }
    Ok(reader.instance(matter)?.is_some_and(|(stored, _)| told(&stored)))
}

/// Looks after a command that records who was told: refuses what cannot be, and fills in whom it counts.
///
/// # Errors
/// The refusal; what the store says.
pub(super) fn check(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    registry: &Registry,
    (target, command): (&Target, &mut Command),
) -> Result<(), Error> {
    let Target::Instance(id) = target else { return Ok(()) };
    match command.name.as_str() {
        TELL => one(transaction, draft, registry, (*id, &*command)),
        TELL_MANY => many::fill(transaction, draft, registry, (*id, command)),
        _ => Ok(()),
    }
}

/// Refuses to note that a caller was told where no such call is there, where it left nobody to tell, or
/// where its caller was told before; of the one that opened the matter itself the workflow knows.
fn one(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    registry: &Registry,
    (id, command): (InstanceId, &Command),
) -> Result<(), Error> {
    let call = command.input.get(TOLD_CALL).and_then(Value::as_int);
    let Some(call) = call else { return Ok(()) };
    let number = command.input.get(OF_MERGED).and_then(Value::as_text);
    if draft.instance(id).is_none() || call == 0 && number.is_none() {
        return Ok(());
    }
    let merged = Merged::into(id, transaction, Some(draft))?;
    let (matter, counts) = match number {
        None => (id, true),
        Some(number) => merged.find(number).ok_or_else(|| not_merged(number, OF_MERGED))?,
    };
    let brought = event(transaction, draft, (matter, call))?;
    let brought = brought.filter(|event| {
        let chart = registry.chart(event.definition).ok();
        let takes = |name: &String| chart?.commands.get(name).map(takes_calls);
        call == 0 || takes(&event.command.name) == Some(true)
    });
    let Some(input) = brought.map(|event| event.command.input) else {
        return Err(no_such_call(call, TOLD_CALL).into());
    };
    if !leaves_somebody(&input) {
        return Err(refused(
            "nobody_to_tell",
            "该次来电未留号码、匿名或系同一来电人再次来电，无须另行告知",
            "Nobody more is to be told: this call left no number, remains anonymous, or is of somebody \
             who had called before",
        ));
    }
    let told = merged.told.contains(&(matter, call));
    if told || call == 0 && counts && opener_told(transaction, Some(draft), matter)? {
        return Err(refused("told_before", "该来电人已告知过", "This caller was told before"));
    }
    Ok(())
}

/// The event that brought a call, from what is to be written or from the store.
fn event(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    (matter, call): Call,
) -> Result<Option<Event>, Error> {
    let seq = call.max(1);
    let is_it = |event: &&StoredEvent| event.seq == seq;
    let new = draft.events_of(matter).find(is_it).cloned();
    let stored = transaction.events(matter, seq, 1)?;
    let found = new.or_else(|| stored.iter().find(is_it).cloned());
    found.map(|event| event.read()).transpose().map_err(Error::Internal)
}

fn no_such_call(call: i64, input: &str) -> Refusal {
    let text = Text::new(
        format!("没有第{call}号来电；来电序号见该事项的来电列表（calls），首次来电为0"),
        format!("there is no call {call}: see the `calls` of the matter; the first one is 0"),
    );
    Refusal::new("wrong_input", text).naming(input)
}

fn not_merged(number: &str, input: &str) -> Error {
    let text = Text::new(
        format!("事项“{number}”没有并入本案；并入的事项编号见来电列表（calls）"),
        format!("`{number}` was not merged into this matter: see its `calls`"),
    );
    Error::from(Refusal::new("wrong_input", text).naming(input))
}
