//! Who of the many callers about a matter was told how it went: each call that is there, and each once.

use std::collections::BTreeSet;

use super::Target;
use super::advice::takes_calls;
use super::batch::Draft;
use super::error::{Error, refused};
use crate::chart::Chart;
use crate::domain::{Command, Event, Instance, Refusal, StoredEvent, Text, Value};
use crate::store::{self, Reader, Transaction};

/// The command that records that a caller was told, and its input that says which: the number of the
/// event that brought the call, 0 for the one that opened the matter.
const TELL: &str = "tell_caller";
const CALL: &str = "call";

/// The field that says the same of the caller who opened the matter, whichever command told him.
const OPENER_TOLD: &str = "opener_told";

/// A matter that was merged into this one brings its caller.
const MERGED: &str = "signal.merged_here";

/// From here on there is another result to tell.
const REOPEN: &str = "reopen";

/// The calls of a matter whose callers were told since it was last reopened: from the store, and from
/// events that are to be written.
///
/// # Errors
/// What the store says.
pub(super) fn told(
    reader: &mut Reader,
    instance: &Instance,
    new: &[&StoredEvent],
) -> Result<BTreeSet<i64>, store::Error> {
    let mut events = reader.events_of_kind(instance.id, TELL)?;
    events.extend(reader.events_of_kind(instance.id, REOPEN)?);
    let of_kind = |event: &&&StoredEvent| [TELL, REOPEN].contains(&event.kind.as_str());
    events.extend(new.iter().filter(of_kind).map(|event| (*event).clone()));
    let since = events.iter().filter(|event| event.kind == REOPEN).map(|event| event.seq).max();
    let told = events.iter().filter(|event| event.kind == TELL && Some(event.seq) > since);
    let mut calls: BTreeSet<i64> = told.filter_map(call_of).collect();
    if instance.fields.get(OPENER_TOLD) == Some(&Value::Bool(true)) {
        calls.insert(0);
    }
    Ok(calls)
}

fn call_of(event: &StoredEvent) -> Option<i64> {
    serde_json::from_str::<Event>(&event.body).ok()?.command.input.get(CALL)?.as_int()
}

/// Refuses to note that a caller was told where no such call is there, or its caller was told before;
/// of the one that opened the matter the workflow knows.
///
/// # Errors
/// The refusal; what the store says.
pub(super) fn check(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    (chart, target): (&Chart, &Target),
    command: &Command,
) -> Result<(), Error> {
    let Target::Instance(id) = target else { return Ok(()) };
    let call = command.input.get(CALL).and_then(Value::as_int);
    let Some(call) = call.filter(|call| command.name == TELL && *call != 0) else { return Ok(()) };
    let Some(instance) = draft.instance(*id) else { return Ok(()) };
    let new: Vec<&StoredEvent> = draft.events_of(*id).collect();
    let is_call = |event: &StoredEvent| {
        let brings = chart.commands.get(&event.kind).is_some_and(takes_calls);
        event.seq == call && (brings || event.kind == MERGED)
    };
    let stored = transaction.events(*id, call, 1)?;
    if !stored.iter().chain(new.iter().copied()).any(is_call) {
        let text = Text::new(
            format!("没有第{call}号来电；来电序号见该事项的来电列表（calls），首次来电为0"),
            format!("there is no call {call}: see the `calls` of the matter; the first one is 0"),
        );
        return Err(Refusal::new("wrong_input", text).naming(CALL).into());
    }
    if told(transaction, instance, &new)?.contains(&call) {
        return Err(refused("told_before", "该来电人已告知过", "This caller was told before"));
    }
    Ok(())
}
