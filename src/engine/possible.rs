//! What an actor could ask of an instance now: a client needs to know nothing about a workflow to
//! drive it.

use super::run::Run;
use super::{ACKNOWLEDGE, Situation, acknowledges};
use crate::chart::{Chart, CommandSpec, Law, Require, Shape, Transition};
use crate::domain::{Actor, Command, Instance};

/// The names of the commands that `actor` could give now, in order of name; the acknowledgement of
/// an alert last.
///
/// Conditions that look at the input cannot be judged before there is one; such a command is named.
#[must_use]
pub fn names(situation: Situation<'_>, instance: &Instance, actor: &Actor) -> Vec<String> {
    let specs = specs(situation, instance, actor);
    let mut names: Vec<String> = specs.into_iter().map(|spec| spec.name.clone()).collect();
    if may_acknowledge(situation, instance, actor) {
        names.push(ACKNOWLEDGE.to_owned());
    }
    names
}

/// The commands that `actor` could give now, with their input, in order of name.
#[must_use]
pub fn specs<'s>(
    situation: Situation<'s>,
    instance: &Instance,
    actor: &Actor,
) -> Vec<&'s CommandSpec> {
    of(situation, instance, actor, |_| true)
}

/// Whether `actor` could give the command of this name now.
#[must_use]
pub fn is(situation: Situation<'_>, instance: &Instance, actor: &Actor, name: &str) -> bool {
    !of(situation, instance, actor, |spec| spec.name == name).is_empty()
}

/// Whether the command of this name is for `actor` at all, as the workflow's `by` has it, in whatever state.
#[must_use]
pub fn is_for(situation: Situation<'_>, instance: &Instance, actor: &Actor, name: &str) -> bool {
    let command = Command::new("");
    let spec = situation.chart.command(name);
    let run = Run::new(situation, instance, actor, &command);
    spec.is_some_and(|spec| run.is_ok_and(|mut run| run.permit(spec).is_ok()))
}

fn of<'s>(
    situation: Situation<'s>,
    instance: &Instance,
    actor: &Actor,
    wanted: impl Fn(&CommandSpec) -> bool,
) -> Vec<&'s CommandSpec> {
    let command = Command::new("");
    let Ok(mut run) = Run::new(situation, instance, actor, &command) else {
        return Vec::new();
    };
    let Some(leaf) = situation.chart.find(&instance.state) else { return Vec::new() };
    if situation.chart.node(leaf).is_some_and(|node| node.shape == Shape::Final) {
        return Vec::new();
    }
    let commands = situation.chart.commands.values().filter(|spec| wanted(spec));
    commands.filter(|spec| is_possible(&mut run, situation.chart, leaf, spec)).collect()
}

/// Whether a ladder has told the actor something that can be acknowledged.
#[must_use]
pub fn may_acknowledge(situation: Situation<'_>, instance: &Instance, actor: &Actor) -> bool {
    let command = Command::new(ACKNOWLEDGE);
    acknowledges(situation.chart, ACKNOWLEDGE)
        && instance.clocks.values().any(|clock| !clock.told.is_empty())
        && Run::new(situation, instance, actor, &command)
            .is_ok_and(|mut run| run.acknowledge().is_ok())
}

fn is_possible(run: &mut Run<'_>, chart: &Chart, leaf: usize, spec: &CommandSpec) -> bool {
    let mut takers = chart.active(leaf).filter_map(|node| node.on.get(&spec.name)).peekable();
    if takers.peek().is_none() || run.permit(spec).is_err() || !met(run, &spec.require) {
        return false;
    }
    let broken =
        |law: &Law| law.command == spec.name && !asks_input(&law.when) && run.judge(&law.when);
    if chart.laws.iter().any(broken) {
        return false;
    }
    for transition in takers.flatten() {
        match chooses(run, transition) {
            Some(true) => return met(run, &transition.require),
            // It depends on the input: offered if what else must hold does.
            None if met(run, &transition.require) => return true,
            _ => {}
        }
    }
    false
}

/// Whether a transition would be chosen; None if that depends on the input.
fn chooses(run: &Run<'_>, transition: &Transition) -> Option<bool> {
    match &transition.when {
        None => Some(true),
        Some(when) if asks_input(when) => None,
        Some(when) => Some(run.judge(when)),
    }
}

/// Whether everything holds that does not look at the input.
fn met(run: &Run<'_>, requires: &[Require]) -> bool {
    requires.iter().all(|require| asks_input(&require.check) || run.judge(&require.check))
}

fn asks_input(expression: &crate::chart::expression::Expression) -> bool {
    expression.reads().iter().any(|path| path.starts_with("input."))
}
