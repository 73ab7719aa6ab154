//! The input of a command as it came, into values; and what is said when it cannot be read.

use serde_json::{Map, Value as Json};

use super::Request;
use super::error::Error;
use super::registry::Registry;
use crate::chart::Chart;
use crate::domain::{Command, Instance, Instant, Refusal, Text};
use crate::engine::input::{self, Given};
use crate::engine::{self, ACKNOWLEDGE, Situation};

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
    let (given, refusal) = match chart.command(&request.command) {
        Some(spec) => input::sort(spec, &request.input),
        None if request.command == ACKNOWLEDGE => acknowledging(&request.input),
        // The engine says, in words, that there is no such command, and what is possible.
        None => (Given::default(), None),
    };
    let Some(refusal) = refusal else { return Ok(given) };
    let caller = &request.caller;
    let calendar = registry.calendar(caller.jurisdiction)?;
    let facts = registry.facts(caller.jurisdiction, now)?;
    let situation = Situation { chart, calendar: &calendar, facts: &*facts, now };
    // What could be read and is not personal: nothing of it is kept.
    let (name, input) = (request.command.clone(), given.values);
    let command = Command { name, input, occurred_at: request.occurred_at };
    engine::admit(situation, instance, &caller.actor, &command)?;
    Err(refusal.into())
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
