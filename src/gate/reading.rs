//! The input of a command as it came, into values; and what is said when it cannot be read.

use serde_json::{Map, Value as Json};

use super::Request;
use super::error::Error;
use super::registry::Registry;
use crate::chart::{Chart, Kind};
use crate::domain::{Command, Fields, Instance, Instant, Refusal, Text, Value};
use crate::engine::input::{self, Given};
use crate::engine::{self, ACKNOWLEDGE, CALL, REASON, Situation};
use crate::policy::{self, Act};

/// The input of a request to `instance` (none: to open one); personal texts stand apart.
///
/// # Errors
/// A refusal: `wrong_input`, or what stands before the input in the order of questions (there is no
/// such command, the caller may not give it, no state reacts to it), which is said first.
pub(super) fn read(
    registry: &Registry,
    chart: &Chart,
    instance: Option<&Instance>,
    request: &Request,
    now: Instant,
) -> Result<Given, Error> {
    if request.command == engine::CORRECT {
        return Ok(correcting(chart, &request.input)?);
    }
    let (given, refusal) = match chart.command(&request.command) {
        Some(spec) => input::sort(spec, &request.input),
        None if request.command == ACKNOWLEDGE => acknowledging(&request.input),
        None if engine::is_word(&request.command) || request.command == engine::SUCCEED => {
            worded(&request.input)
        }
        // The engine says, in words, that there is no such command, and what is possible.
        None => (Given::default(), None),
    };
    let Some(mut refusal) = refusal else { return to_heirs(registry, chart, request, given) };
    // What could be read and is not personal: nothing of it is kept.
    refusal.possible = admit(registry, chart, instance, (request, given.values), now)?;
    Err(refusal.into())
}

/// Whether a command may be given at all, before its input is looked at; answers what the caller could
/// give.
///
/// # Errors
/// The refusal that stands before the input in the order of questions.
pub(super) fn admit(
    registry: &Registry,
    chart: &Chart,
    instance: Option<&Instance>,
    (request, input): (&Request, Fields),
    now: Instant,
) -> Result<Vec<String>, Error> {
    let caller = &request.caller;
    let calendar = registry.calendar(caller.jurisdiction)?;
    let facts = registry.facts(caller.jurisdiction, now)?;
    let situation = Situation { chart, calendar: &calendar, facts: &*facts, now };
    let name = request.command.clone();
    let command = Command { name, input, occurred_at: request.occurred_at };
    engine::admit(situation, instance, &caller.actor, &command)?;
    let names = |instance| engine::possible::names(situation, instance, &caller.actor);
    Ok(instance.map(names).unwrap_or_default())
}

/// What is meant for a unit that was merged goes to the one that goes on with its work.
fn to_heirs(
    registry: &Registry,
    chart: &Chart,
    request: &Request,
    mut given: Given,
) -> Result<Given, Error> {
    let Some(spec) = chart.command(&request.command) else { return Ok(given) };
    let directory = registry.directory(request.caller.jurisdiction)?;
    for input in &spec.input {
        match (input.kind, given.values.get_mut(&input.name)) {
            (Kind::Unit, Some(Value::Text(unit))) => *unit = directory.heir(unit).to_owned(),
            (Kind::Units, Some(Value::List(units))) => {
                let heirs = units.iter().filter_map(Value::as_text);
                *units = heirs.map(|unit| directory.heir(unit).into()).collect();
                units.sort();
                units.dedup();
            }
            _ => {}
        }
    }
    Ok(given)
}

/// Word of a caller has texts only; which, the engine says.
fn worded(given: &Map<String, Json>) -> (Given, Option<Refusal>) {
    let texts = given.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?)));
    let values = texts.map(|(name, text)| (name, text.into())).collect();
    (Given { values, ..Given::default() }, None)
}

/// A correction says why, of which call, and what is right of who called.
fn correcting(chart: &Chart, given: &Map<String, Json>) -> Result<Given, Refusal> {
    let identities = chart.identities();
    let mut read = Given::default();
    for (name, value) in given {
        match (name.as_str(), value, identities.get(name.as_str())) {
            (REASON, Json::String(text), _) => {
                read.values.insert(name.clone(), text.as_str().into());
            }
            (CALL, Json::Number(seq), _) if seq.as_i64().is_some() => {
                read.values.insert(name.clone(), Value::Int(seq.as_i64().unwrap_or_default()));
            }
            (_, _, Some(of)) => {
                read.personal.insert(name.clone(), input::personal(of, value)?);
            }
            _ => return Err(uncorrectable(name, identities.keys())),
        }
    }
    if read.personal.is_empty() {
        return Err(uncorrectable("", identities.keys()));
    }
    Ok(read)
}

fn uncorrectable<'n>(name: &str, known: impl Iterator<Item = &'n &'n str>) -> Refusal {
    let known: Vec<&str> = known.copied().collect();
    let text = Text::new(
        format!("“{name}”不能更正；可更正：{}", known.join("、")),
        format!("`{name}` cannot be corrected; what can: {}", known.join(", ")),
    );
    Refusal::new("wrong_input", text)
}

/// `acknowledge` may name the clock whose alert was seen.
fn acknowledging(given: &Map<String, Json>) -> (Given, Option<Refusal>) {
    let mut read = Given::default();
    let mut refusal = None;
    for (name, value) in given {
        match (name.as_str(), value) {
            ("clock", Json::String(clock)) => {
                read.values.insert(name.clone(), clock.as_str().into());
            }
            _ => {
                refusal = Some(Refusal::new(
                    "wrong_input",
                    Text::new(
                        "确认只能填写“clock”（时限名称）",
                        "`acknowledge` takes only `clock`, the name of a clock",
                    ),
                ));
            }
        }
    }
    (read, refusal)
}

/// Paper forms are typed in within so many milliseconds: 31 days.
const BACKDATE_MAX: i64 = 31 * 24 * 3_600_000;

/// Whether the caller may say that it happened earlier, and so much earlier.
pub(super) fn may_be_earlier(request: &Request, now: Instant) -> Result<(), Error> {
    let Some(at) = request.occurred_at else { return Ok(()) };
    let refuse = |code: &str, zh: &str, en: &str| Err(Refusal::new(code, Text::new(zh, en)).into());
    if !policy::may(&request.caller.actor, Act::Backdate) {
        let en = "Your roles may not say when it happened";
        return refuse("may_not_backdate", "您的岗位不能补录时间", en);
    }
    if now.since(at) > BACKDATE_MAX {
        let en = "What happened more than 31 days ago cannot be entered any more";
        return refuse("occurred_too_early", "补录的发生时间不得早于31日前", en);
    }
    Ok(())
}
