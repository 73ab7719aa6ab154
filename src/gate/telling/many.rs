//! The same word for many callers at once: which calls are meant, which of them wait, and how they are
//! written down, each that was told and none else.

use std::collections::BTreeSet;

use super::{Call, Callers, Merged, no_such_call, not_merged};
use crate::chart::routed::{TELL_MANY, TOLD_CALLS, TOLD_COUNT, TOLD_OPENER};
use crate::domain::{Command, InstanceId, Refusal, Text, Value};
use crate::gate::batch::Draft;
use crate::gate::error::Error;
use crate::gate::registry::Registry;
use crate::gate::wording;
use crate::store::Transaction;

/// No more calls are read from a span that was written down, whoever wrote it.
const SPAN_MAX: usize = 100_000;

/// A part of a list of calls: one, or those from one to another.
#[derive(Debug, PartialEq, Eq)]
struct Part<'t> {
    /// The number of the merged matter; none: the matter itself.
    number: Option<&'t str>,
    first: i64,
    last: i64,
}

impl<'t> Part<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let of_merged = text.split_once([':', '：']).map(|(number, calls)| (Some(number), calls));
        let (number, calls) = of_merged.unwrap_or((None, text));
        let (first, last) = calls.split_once('-').unwrap_or((calls, calls));
        let call = |text: &str| text.trim().parse::<i64>().ok().filter(|call| *call >= 0);
        let (first, last) = (call(first)?, call(last)?);
        (first <= last).then_some(Self { number: number.map(str::trim), first, last })
    }
}

/// The parts of a list such as `2-40, 52, 00000017:0`; of one that is none its text.
fn parts(text: &str) -> impl Iterator<Item = Result<Part<'_>, &str>> {
    let parts = text.split([',', '，', '、']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| Part::read(part).ok_or(part))
}

/// The calls of a list as it was written down in an event of the matter `own`.
pub(super) fn listed(text: &str, own: InstanceId) -> Vec<Call> {
    let mut calls = Vec::new();
    for part in parts(text).filter_map(Result::ok) {
        let matter = part.number.map_or(Some(own), wording::family_of);
        let Some(matter) = matter else { continue };
        calls.extend((part.first..=part.last).take(SPAN_MAX).map(|call| (matter, call)));
    }
    calls
}

/// Writes into a command which callers it counts as told: those of its list who wait, or all who wait; how
/// many they are; and whether who called first is one of them. Whoever was told before, and of whom nobody
/// is to be told, is passed over.
///
/// # Errors
/// A refusal for what is no call; what the store says.
pub(super) fn fill(
    transaction: &mut Transaction<'_>,
    draft: &Draft,
    registry: &Registry,
    (id, command): (InstanceId, &mut Command),
) -> Result<(), Error> {
    let Some(instance) = draft.instance(id) else { return Ok(()) };
    let chart = registry.chart(instance.definition)?;
    let spec = chart.command(TELL_MANY);
    let input = |name: &str| spec?.input.iter().find(|input| input.name == name);
    let (Some(list), Some(_), Some(_)) = (input(TOLD_CALLS), input(TOLD_COUNT), input(TOLD_OPENER))
    else {
        return Ok(());
    };
    let merged = Merged::into(id, transaction, Some(draft))?;
    let whose = (registry, instance.jurisdiction);
    let callers = Callers::of(&merged, transaction, Some(draft), whose)?;
    let told = match command.input.get(TOLD_CALLS).and_then(Value::as_text) {
        None => callers.waiting,
        Some(text) => chosen(text, id, &merged, &callers)?,
    };
    let room = list.max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let written = Written::of(&told, id, room);
    if written.count == 0 {
        command.input.remove(TOLD_CALLS);
    } else {
        command.input.insert(TOLD_CALLS.to_owned(), Value::Text(written.text));
    }
    command.input.insert(TOLD_COUNT.to_owned(), Value::Int(written.count));
    command.input.insert(TOLD_OPENER.to_owned(), Value::Bool(written.opener));
    Ok(())
}

/// Those of a list who wait. What is named by itself must be a call; of a span it is those that are.
fn chosen(
    text: &str,
    id: InstanceId,
    merged: &Merged,
    callers: &Callers,
) -> Result<BTreeSet<Call>, Error> {
    let mut chosen = BTreeSet::new();
    for part in parts(text) {
        let Part { number, first, last } = part.map_err(unreadable)?;
        let matter = match number {
            None => id,
            Some(number) if wording::family_of(number) == Some(id) => id,
            Some(number) => {
                let found = merged.find(number);
                found.ok_or_else(|| not_merged(number, TOLD_CALLS))?.0
            }
        };
        if first == last && !callers.calls.contains(&(matter, first)) {
            return Err(no_such_call(first, TOLD_CALLS).into());
        }
        chosen.extend(callers.waiting.range((matter, first)..=(matter, last)).copied());
    }
    Ok(chosen)
}

/// Calls as they are written down.
#[derive(Debug, PartialEq, Eq)]
struct Written {
    text: String,
    count: i64,
    /// Whether the call that opened the matter is one of them.
    opener: bool,
}

impl Written {
    /// As many of the calls as there is room for, in order; the others wait for the next word.
    fn of(told: &BTreeSet<Call>, own: InstanceId, room: usize) -> Self {
        let mut spans: Vec<(InstanceId, i64, i64)> = Vec::new();
        for (matter, call) in told {
            match spans.last_mut() {
                Some((known, _, last)) if *known == *matter && last.saturating_add(1) == *call => {
                    *last = *call;
                }
                _ => spans.push((*matter, *call, *call)),
            }
        }
        let mut written = Self { text: String::new(), count: 0, opener: false };
        for (matter, first, last) in spans {
            let comma = if written.text.is_empty() { "" } else { ", " };
            let of_matter =
                if matter == own { String::new() } else { wording::number_of(matter) + ":" };
            let span = if first == last { first.to_string() } else { format!("{first}-{last}") };
            let part = format!("{comma}{of_matter}{span}");
            if written.text.len().saturating_add(part.len()) > room {
                break;
            }
            written.text.push_str(&part);
            let calls = last.saturating_sub(first).saturating_add(1);
            written.count = written.count.saturating_add(calls);
            written.opener |= matter == own && first == 0;
        }
        written
    }
}

fn unreadable(part: &str) -> Error {
    let text = Text::new(
        format!("“{part}”不是来电序号；请写作：2-40, 52，并入事项的来电写作：并入事项编号:0"),
        format!(
            "`{part}` names no call: write `2-40, 52`, and `00000017:0` for a call of a merged \
             matter"
        ),
    );
    Error::from(Refusal::new("wrong_input", text).naming(TOLD_CALLS))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: InstanceId = InstanceId(17);
    const OTHER: InstanceId = InstanceId(4);

    #[test]
    fn a_list_is_read_as_it_was_written_down() {
        let told: BTreeSet<Call> =
            [(OWN, 0), (OWN, 2), (OWN, 3), (OWN, 4), (OWN, 7), (OTHER, 0), (OTHER, 2)].into();
        let written = Written::of(&told, OWN, 1000);
        assert_eq!(written.text, "00000004:0, 00000004:2, 0, 2-4, 7");
        assert_eq!((written.count, written.opener), (7, true));
        let read: BTreeSet<Call> = listed(&written.text, OWN).into_iter().collect();
        assert_eq!(read, told);
    }

    #[test]
    fn whom_there_is_no_room_for_waits() {
        let told: BTreeSet<Call> = [(OWN, 2), (OWN, 3), (OWN, 7), (OWN, 9)].into();
        let written = Written::of(&told, OWN, 6);
        assert_eq!((written.text.as_str(), written.count, written.opener), ("2-3, 7", 3, false));
    }

    #[test]
    fn people_write_lists_in_many_ways_and_what_is_none_is_said() {
        let part = |number, first, last| Part { number, first, last };
        let read: Vec<Part<'_>> = parts(" 2-4， 7、00000004：0 ,, ").map(Result::unwrap).collect();
        assert_eq!(read, [part(None, 2, 4), part(None, 7, 7), part(Some("00000004"), 0, 0)]);
        for wrong in ["x", "-1", "4-2", "2-", "00000004:"] {
            assert_eq!(parts(wrong).next(), Some(Err(wrong)));
        }
    }
}
