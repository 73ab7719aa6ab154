//! The input of a command as it came, into values; and what is said when it cannot be read.

use serde_json::{Map, Value as Json};

use super::Request;
use super::error::Error;
use super::registry::Registry;
use crate::chart::Chart;
use crate::domain::{Command, Instance, Instant, Refusal, Text};
use crate::engine::input::{self, Given};
use crate::engine::{self, ACKNOWLEDGE, Situation};
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
    let (given, refusal) = match chart.command(&request.command) {
        Some(spec) => input::sort(spec, &request.input),
        None if request.command == ACKNOWLEDGE => acknowledging(&request.input),
        None if engine::is_word(&request.command) => worded(&request.input),
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

/// Word of a caller has texts only; which, the engine says.
fn worded(given: &Map<String, Json>) -> (Given, Option<Refusal>) {
    let texts = given.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?)));
    let values = texts.map(|(name, text)| (name, text.into())).collect();
    (Given { values, ..Given::default() }, None)
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
