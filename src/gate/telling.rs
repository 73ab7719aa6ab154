//! Who of the many callers about a matter was told how it went: each call that is there, and each once,
//! also of the matters that were merged into it, and into those.

use std::collections::BTreeSet;

use super::advice::takes_calls;
use super::batch::Draft;
use super::error::{Error, refused};
use super::registry::Registry;
use super::{Target, wording};
use crate::chart::routed::{
    ANONYMOUS, MERGED_HERE, OF_MERGED, OPENER_TOLD, PHONE, REOPEN, SAME_CALLER, TELL, TOLD_CALL,
};
use crate::domain::{Command, Event, Instance, InstanceId, Refusal, StoredEvent, Text, Value};
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
            let kinds = [TELL, REOPEN, MERGED_HERE];
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
            if event.kind == TELL && counts {
                self.told.extend(call_of(event));
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

fn call_of(event: &StoredEvent) -> Option<Call> {
    let input = event.read().ok()?.command.input;
    let merged = input.get(OF_MERGED).and_then(Value::as_text).and_then(wording::family_of);
    Some((merged.unwrap_or(event.instance), input.get(TOLD_CALL)?.as_int()?))
}

/// Refuses to note that a caller was told where no such call is there, where it left nobody to tell, or
/// where its caller was told before; of the one that opened the matter itself the workflow knows.
///
/// # Errors
/// The refusal; what the store says.
pub(super) fn check(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    registry: &Registry,
    (target, command): (&Target, &Command),
) -> Result<(), Error> {
    let Target::Instance(id) = target else { return Ok(()) };
    let call = command.input.get(TOLD_CALL).and_then(Value::as_int);
    let Some(call) = call.filter(|_| command.name == TELL) else { return Ok(()) };
    let number = command.input.get(OF_MERGED).and_then(Value::as_text);
    if draft.instance(*id).is_none() || call == 0 && number.is_none() {
        return Ok(());
    }
    let merged = Merged::into(*id, transaction, Some(draft))?;
    let (matter, counts) = match number {
        None => (*id, true),
        Some(number) => merged.find(number).ok_or_else(|| not_merged(number))?,
    };
    let brought = event(transaction, draft, (matter, call))?;
    let brought = brought.filter(|event| {
        let chart = registry.chart(event.definition).ok();
        let takes = |name: &String| chart?.commands.get(name).map(takes_calls);
        call == 0 || takes(&event.command.name) == Some(true)
    });
    let Some(input) = brought.map(|event| event.command.input) else {
        return Err(no_such_call(call).into());
    };
    let nobody = |name: &&str| input.get(*name) == Some(&Value::Bool(true));
    if !input.contains_key(PHONE) || NOBODY.iter().any(nobody) {
        return Err(refused(
            "nobody_to_tell",
            "该次来电未留号码、匿名或系同一来电人再次来电，无须另行告知",
            "Nobody more is to be told: this call left no number, remains anonymous, or is of somebody \
             who had called before",
        ));
    }
    let opener_told = |draft: &Draft, transaction: &mut Transaction<'_>| {
        let told = |known: &Instance| known.fields.get(OPENER_TOLD) == Some(&Value::Bool(true));
        match draft.instance(matter) {
            Some(known) => Ok(told(known)),
            None => {
                transaction.instance(matter).map(|stored| stored.is_some_and(|(one, _)| told(&one)))
            }
        }
    };
    let told = merged.told.contains(&(matter, call));
    if told || call == 0 && counts && opener_told(draft, transaction)? {
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

fn no_such_call(call: i64) -> Refusal {
    let text = Text::new(
        format!("没有第{call}号来电；来电序号见该事项的来电列表（calls），首次来电为0"),
        format!("there is no call {call}: see the `calls` of the matter; the first one is 0"),
    );
    Refusal::new("wrong_input", text).naming(TOLD_CALL)
}

fn not_merged(number: &str) -> Error {
    let text = Text::new(
        format!("事项“{number}”没有并入本案；并入的事项编号见来电列表（calls）"),
        format!("`{number}` was not merged into this matter: see its `calls`"),
    );
    Error::from(Refusal::new("wrong_input", text).naming(OF_MERGED))
}
