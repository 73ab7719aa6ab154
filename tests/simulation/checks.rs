//! Small named checks: of an event with what it made of an instance, and of an instance as stored.

use std::collections::BTreeSet;

use fenliu::calendar::Calendar;
use fenliu::chart::{Chart, Node, Party, Shape, Target};
use fenliu::domain::{Actor, Event, Instance, Instant, Value};
use fenliu::engine::Situation;
use fenliu::engine::run::Run;

use super::trace::Broken;

/// An event and what it made of an instance.
pub(super) struct Fact<'f> {
    pub(super) chart: &'f Chart,
    pub(super) calendar: &'f Calendar,
    pub(super) before: Option<&'f Instance>,
    pub(super) event: &'f Event,
    pub(super) after: &'f Instance,
    /// Units that take or took part.
    pub(super) seats: &'f BTreeSet<String>,
    pub(super) now: Instant,
}

type OfEvent = fn(&Fact<'_>) -> Result<(), String>;
type OfInstance = fn(&Chart, &Instance) -> Result<(), String>;

const OF_EVENT: [(&str, OfEvent); 9] = [
    ("I5: no clock is early", no_clock_is_early),
    ("I7: a firing passes its fence", a_firing_passes_its_fence),
    ("I10: laws hold, rulings bind", laws_hold),
    ("I11: only the desk and the government route", only_bodies_route),
    ("I13: running out is followed up", running_out_is_followed_up),
    ("I19: every change names who caused it", every_change_has_a_cause),
    ("I20: only transitions of its definition", only_by_transitions),
    ("I21: units act only on what they own or owned", only_parties_act),
    ("I23: time never decreases", time_never_decreases),
];

const OF_INSTANCE: [(&str, OfInstance); 4] = [
    ("I1: one leaf, one responsible", one_leaf_one_holder),
    ("I3: a running clock has something to do", running_clocks_do_something),
    ("I12: grave matters are reported", grave_matters_are_reported),
    ("I16: what has ended holds nothing", ended_holds_nothing),
];

/// Checks an event.
pub(super) fn of_event(fact: &Fact<'_>) -> Result<(), Broken> {
    for (name, check) in OF_EVENT {
        let (id, seq) = (fact.event.instance, fact.event.seq);
        let command = &fact.event.command.name;
        check(fact).map_err(|what| {
            Broken::new(name, format!("{} {id} v{seq} {command}: {what}", fact.after.workflow))
        })?;
    }
    Ok(())
}

/// Checks an instance.
pub(super) fn of_instance(chart: &Chart, instance: &Instance) -> Result<(), Broken> {
    for (name, check) in OF_INSTANCE {
        check(chart, instance).map_err(|what| {
            let Instance { workflow, id, state, .. } = instance;
            Broken::new(name, format!("{workflow} {id} in {state}: {what}"))
        })?;
    }
    Ok(())
}

/// Either this, or what is wrong.
pub(super) fn so(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn fired(fact: &Fact<'_>) -> Option<String> {
    let name = fact.event.command.name.strip_prefix("clock.")?;
    (fact.event.actor == Actor::Clock).then(|| name.to_owned())
}

fn no_clock_is_early(fact: &Fact<'_>) -> Result<(), String> {
    let recorded = fact.event.recorded_at;
    let last = fact.before.map_or(recorded, |before| before.updated_at);
    so(recorded <= fact.now.max(last), || {
        format!("recorded at {recorded}, but it was {} only", fact.now)
    })?;
    let Some(name) = fired(fact) else { return Ok(()) };
    let wake = fact.before.and_then(|before| before.clocks.get(&name)).and_then(|c| c.wake);
    so(wake.is_some_and(|wake| wake <= recorded), || format!("{name} was to wake at {wake:?}"))
}

fn a_firing_passes_its_fence(fact: &Fact<'_>) -> Result<(), String> {
    let Some(name) = fired(fact) else { return Ok(()) };
    let armed = fact.before.and_then(|before| before.clocks.get(&name));
    let Some(armed) = armed else { return Err(format!("`{name}` was not armed")) };
    let asked = |what: &str| fact.event.command.input.get(what).and_then(Value::as_int);
    let fence = (asked("entry"), asked("step"));
    so(fence == (Some(armed.entry), Some(armed.step)), || {
        format!("claimed as {fence:?}, armed as ({}, {})", armed.entry, armed.step)
    })
}

fn laws_hold(fact: &Fact<'_>) -> Result<(), String> {
    let (Some(before), Event { actor, command, .. }) = (fact.before, fact.event) else {
        return Ok(());
    };
    let facts = &fact.event.facts;
    let now = fact.event.recorded_at;
    let situation = Situation { chart: fact.chart, calendar: fact.calendar, facts, now };
    let laws = fact.chart.laws.iter().filter(|law| law.command == command.name);
    for law in laws {
        let run = Run::new(situation, before, actor, command);
        let broken = run.map_err(|refusal| refusal.to_string())?.judge(&law.when);
        so(!broken, || format!("accepted against the law `{}`", law.id))?;
    }
    let ruled = |instance: &Instance| instance.fields.get("ruled") == Some(&Value::Bool(true));
    let unit = |instance: &Instance| instance.fields.get("unit").cloned();
    let moved = unit(before) != unit(fact.after);
    let role = fact.event.role.map(|role| role.code());
    let government = matches!(role, Some("director" | "leader" | "duty"));
    so(!ruled(before) || !moved || government, || "a ruled matter changed its unit".to_owned())
}

fn only_bodies_route(fact: &Fact<'_>) -> Result<(), String> {
    let Some(before) = fact.before else { return Ok(()) };
    let unit = |instance: &Instance| instance.fields.get("unit").cloned();
    let person = matches!(fact.event.actor, Actor::Person { .. });
    if !person || unit(before) == unit(fact.after) {
        return Ok(());
    }
    let bodies = fact.event.facts.iter().filter(|(question, _)| question.starts_with("body/"));
    let by = fact.event.unit.as_deref().unwrap_or_default();
    let known = bodies.filter_map(|(_, unit)| unit.as_text()).any(|body| body == by);
    so(known, || format!("`{by}` gave the matter to another unit"))
}

/// A clock that has run out goes on alarming until it ends; where it tells anybody at all.
fn running_out_is_followed_up(fact: &Fact<'_>) -> Result<(), String> {
    let Some(name) = fired(fact) else { return Ok(()) };
    let (Some(now), Some(spec)) = (fact.after.clocks.get(&name), fact.chart.clocks.get(&name))
    else {
        return Ok(());
    };
    let silent = now.ran_out_at.is_some() && now.wake.is_none() && now.frozen.is_none();
    let told_all = spec.every.is_none();
    so(!silent || told_all, || format!("`{name}` has fallen silent"))
}

fn every_change_has_a_cause(fact: &Fact<'_>) -> Result<(), String> {
    let event = fact.event;
    let sound = match &event.actor {
        Actor::Person { id, .. } => id.0 > 0 && event.unit.is_some() && event.role.is_some(),
        Actor::Clock => event.command.name.starts_with("clock."),
        Actor::Relative { id } => {
            let parent = fact.after.parent == Some(*id);
            parent || !fact.after.children.is_empty()
        }
        Actor::System => false,
    };
    so(sound, || format!("caused by {:?} for {:?}", event.actor, event.unit))
}

/// The states that the definition lets be reached by the event, worked out without the engine.
fn only_by_transitions(fact: &Fact<'_>) -> Result<(), String> {
    let Fact { chart, event, after, .. } = fact;
    let from = fact.before.map(|before| before.state.as_str()).unwrap_or_default();
    so(event.from == from && event.to == after.state, || format!("from {from}"))?;
    so(fact.before.is_none_or(|b| b.definition == after.definition), || "another version".into())?;
    let Some(goal) = chart.find(&after.state) else { return Err("no such state".to_owned()) };
    let mut reached: BTreeSet<usize> = BTreeSet::new();
    let start = if fact.before.is_some() { chart.find(from) } else { Some(chart.initial) };
    let mut todo: Vec<usize> = start.into_iter().collect();
    let triggers: Vec<String> = std::iter::once(event.command.name.clone())
        .chain(raises(chart, &event.command.name))
        .collect();
    while let Some(leaf) = todo.pop() {
        if !reached.insert(leaf) {
            continue;
        }
        for node in chart.active(leaf) {
            let named = triggers.iter().filter_map(|trigger| node.on.get(trigger)).flatten();
            let ways = named.chain(&node.always).filter_map(|way| way.target);
            todo.extend(ways.map(|Target { leaf, .. }| leaf));
        }
    }
    so(reached.contains(&goal), || format!("no transition leads from `{from}` to `{}`", event.to))
}

fn raises(chart: &Chart, trigger: &str) -> Vec<String> {
    let spec = trigger.strip_prefix("clock.").and_then(|name| chart.clocks.get(name));
    let steps = spec
        .into_iter()
        .flat_map(|spec| spec.steps.iter().chain(&spec.every_when).chain(&spec.every));
    let raised = steps.filter_map(|step| step.raise.as_ref());
    raised.map(|raise| format!("{trigger}.{raise}")).collect()
}

fn only_parties_act(fact: &Fact<'_>) -> Result<(), String> {
    let Some(unit) = &fact.event.unit else { return Ok(()) };
    let bodies = fact.event.facts.iter().filter(|(question, _)| question.starts_with("body/"));
    let body = bodies.filter_map(|(_, unit)| unit.as_text()).any(|body| body == unit);
    so(body || fact.seats.contains(unit), || format!("`{unit}` has no part in it"))
}

fn time_never_decreases(fact: &Fact<'_>) -> Result<(), String> {
    let Some(before) = fact.before else { return Ok(()) };
    let grows = before.updated_at <= fact.after.updated_at && before.last_at <= fact.after.last_at;
    so(grows && fact.after.updated_at == fact.event.recorded_at, || {
        format!("after {} comes {}", before.updated_at, fact.after.updated_at)
    })
}

fn leaf<'c>(chart: &'c Chart, instance: &Instance) -> Option<&'c Node> {
    chart.find(&instance.state).and_then(|leaf| chart.node(leaf))
}

fn one_leaf_one_holder(chart: &Chart, instance: &Instance) -> Result<(), String> {
    let Some(node) = leaf(chart, instance) else { return Err("no such state".to_owned()) };
    let party = match &node.holder {
        Some(Party::Field(name)) => instance.fields.get(name).and_then(Value::as_text),
        _ => instance.holder.as_deref(),
    };
    match node.shape {
        Shape::Composite(_) => Err("a composite state is no leaf".to_owned()),
        Shape::Waiting => {
            so(instance.holder.is_some() && party == instance.holder.as_deref(), || {
                format!("held by {:?}, the field says {party:?}", instance.holder)
            })
        }
        Shape::Rest | Shape::Final => {
            so(instance.holder.is_none() && instance.closed_at.is_some(), || {
                format!("ended, yet held by {:?}", instance.holder)
            })
        }
    }
}

fn running_clocks_do_something(chart: &Chart, instance: &Instance) -> Result<(), String> {
    for (name, clock) in &instance.clocks {
        let Some(spec) = chart.clocks.get(name) else { return Err(format!("no clock `{name}`")) };
        let silent = clock.wake.is_none() && clock.frozen.is_none() && spec.every.is_some();
        so(!silent, || format!("`{name}` runs but never wakes"))?;
        so(clock.wake.is_none() || clock.frozen.is_none(), || format!("`{name}` wakes frozen"))?;
        let counted = clock.limit != "instant" && clock.frozen.is_none();
        so(!counted || clock.due >= clock.base, || format!("`{name}` is due before its base"))?;
    }
    Ok(())
}

/// Where the definition has the two reports: an open grave incident reports, with its clocks.
fn grave_matters_are_reported(chart: &Chart, instance: &Instance) -> Result<(), String> {
    let flag = |name: &str| instance.fields.get(name) == Some(&Value::Bool(true));
    let has = |name: &str| instance.fields.get(name).is_some_and(|value| !value.is_unset());
    let grave = instance.tier >= 2 && flag("coordination") && instance.closed_at.is_none();
    if !grave {
        return Ok(());
    }
    if chart.clocks.contains_key("phone") && chart.clocks.contains_key("written") {
        let phone = instance.clocks.contains_key("phone") || has("phone_made_at");
        let written = instance.clocks.contains_key("written") || has("written_sent_at");
        so(phone && written, || "grave, without both reports".to_owned())?;
    }
    if chart.children.contains_key("incident") {
        let incidents = instance.children.get("incident").map_or(0, |children| children.total);
        so(incidents > 0, || "grave, without an incident".to_owned())?;
    }
    Ok(())
}

fn ended_holds_nothing(chart: &Chart, instance: &Instance) -> Result<(), String> {
    let ended = leaf(chart, instance).is_some_and(|node| node.shape == Shape::Final);
    so(!ended || instance.clocks.is_empty(), || {
        format!("ended, with clocks {:?}", instance.clocks.keys().collect::<Vec<_>>())
    })
}
