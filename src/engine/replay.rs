//! Repeating decisions from their record: the test of every event log.

use super::{Decision, Seed, Situation, decide, open};
use crate::calendar::Calendar;
use crate::chart::Chart;
use crate::domain::{Event, Instance, InstanceId};

/// Why a record could not be repeated exactly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The decision refuses now what it accepted then.
    #[error("event {seq} of instance {instance} is refused on replay: {refusal}")]
    Refused {
        /// Which instance.
        instance: InstanceId,
        /// Which event.
        seq: i64,
        /// Why.
        refusal: crate::domain::Refusal,
    },
    /// The decision is another one now.
    #[error("event {seq} of instance {instance} comes out differently on replay: {what}")]
    Different {
        /// Which instance.
        instance: InstanceId,
        /// Which event.
        seq: i64,
        /// What is different.
        what: String,
    },
}

/// Repeats one event on the instance as it stood before it (None for the first), on the chart and
/// the calendar versions that the event names.
///
/// # Errors
/// When the decision differs from the record in anything.
pub fn repeat(
    chart: &Chart,
    calendar: &Calendar,
    before: Option<&Instance>,
    family: Option<(InstanceId, InstanceId)>,
    event: &Event,
) -> Result<Instance, Error> {
    let situation = Situation { chart, calendar, facts: &event.facts, now: event.recorded_at };
    let actor = acting(event);
    let decision = match before {
        Some(instance) => decide(situation, instance, &actor, &event.command),
        None => {
            let seed = Seed {
                id: event.instance,
                parent: family,
                jurisdiction: event.jurisdiction,
                definition: event.definition,
            };
            open(situation, seed, &actor, &event.command)
        }
    };
    let (instance, seq) = (event.instance, event.seq);
    let Decision { instance: after, event: again } =
        decision.map_err(|refusal| Error::Refused { instance, seq, refusal })?;
    let again = Event { actor: event.actor.clone(), ..again };
    if again == *event {
        return Ok(after);
    }
    let what = difference(event, &again);
    Err(Error::Different { instance, seq, what })
}

/// The actor of a record has no grants any more; the unit it acted for and the roles that the
/// command asks for are what the right rested on, so they are given back for the replay.
fn acting(event: &Event) -> crate::domain::Actor {
    use crate::domain::{Actor, Grant, Role};
    match (&event.actor, &event.unit) {
        (Actor::Person { id, .. }, Some(unit)) => {
            let roles = event.role.map_or_else(|| Role::ALL.to_vec(), |role| vec![role]);
            let grants = roles.into_iter().map(|role| Grant { role, unit: unit.clone() });
            Actor::person(*id, grants.collect())
        }
        (actor, _) => actor.clone(),
    }
}

/// The first part of two events that is not the same.
fn difference(old: &Event, new: &Event) -> String {
    let (old, new) = (serde_json::to_value(old), serde_json::to_value(new));
    let (Ok(serde_json::Value::Object(old)), Ok(serde_json::Value::Object(new))) = (old, new)
    else {
        return "an event that is no object".to_owned();
    };
    let names = old.keys().chain(new.keys());
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was != is {
            let text = |value: Option<&serde_json::Value>| {
                value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
            };
            return format!("`{name}` was {}, is {}", text(was), text(is));
        }
    }
    "nothing that can be named".to_owned()
}
