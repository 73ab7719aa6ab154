//! What is wrong with a chart as a whole, beyond single names and types.
//!
//! The heart is the promise: whoever waits has a holder, a clock in force and a ladder that never
//! ends in silence. Everything is said at once, at its place, with how to mend it.

mod family;
mod guards;
mod paths;
mod promise;
mod routing;
mod standing;
mod unused;

use std::ops::Range;

pub use family::{Member, check_family};

use super::document::{Document, Spot, StateDoc, Table, TransitionDoc};
use super::expression::{Satisfiability, satisfiable};
use super::names::Scope;
use super::{Chart, Finding, Node, Severity, Shape, Transition};

/// Adds what is wrong with the whole to what is wrong with the parts.
pub(super) fn check(source: &str, document: &Document, chart: &Chart, found: &mut Vec<Finding>) {
    let mut checker = Checker::new(source, document, chart);
    // A target that is not there would make every state behind it look unreachable as well.
    let resolved = !found.iter().any(|finding| finding.code == "unknown_state");
    checker.promise();
    checker.ladders();
    if resolved {
        checker.paths();
        checker.standing();
    }
    checker.guards();
    checker.routing();
    let broken = |finding: &Finding| finding.severity == Severity::Error;
    if !found.iter().chain(&checker.findings).any(broken) {
        checker.unused();
    }
    found.append(&mut checker.findings);
}

/// A state in the file and in the chart.
#[derive(Clone, Copy)]
struct Place<'c> {
    number: usize,
    name: &'c Spot<String>,
    doc: &'c StateDoc,
    node: &'c Node,
}

impl Place<'_> {
    fn is(&self, shape: Shape) -> bool {
        self.node.shape == shape
    }
}

/// A transition in the file and in the chart, with what sets it off.
#[derive(Clone, Copy)]
struct Arrow<'c> {
    trigger: &'c str,
    doc: &'c TransitionDoc,
    transition: &'c Transition,
    /// Where to point to: its target, its guard, or the trigger.
    span: &'c Range<usize>,
}

struct Checker<'c> {
    source: &'c str,
    document: &'c Document,
    chart: &'c Chart,
    places: Vec<Place<'c>>,
    names: Scope,
    findings: Vec<Finding>,
}

impl<'c> Checker<'c> {
    fn new(source: &'c str, document: &'c Document, chart: &'c Chart) -> Self {
        let clocks: Vec<String> = document.clocks.keys().map(|name| name.value.clone()).collect();
        let parties: Vec<String> = document.parties.iter().map(|name| name.value.clone()).collect();
        let workflows = chart.children.keys().cloned().collect();
        Self {
            source,
            document,
            chart,
            places: places(document, chart),
            names: Scope::of_workflow(&chart.fields, &clocks, &parties, workflows),
            findings: Vec::new(),
        }
    }

    fn error(&mut self, code: &str, span: &Range<usize>, message: String, help: impl Into<String>) {
        let finding = Finding::new(self.source, Severity::Error, code, span.clone(), message);
        self.findings.push(finding.help(help));
    }

    fn warn(&mut self, code: &str, span: &Range<usize>, message: String, help: impl Into<String>) {
        let finding = Finding::new(self.source, Severity::Warning, code, span.clone(), message);
        self.findings.push(finding.help(help));
    }

    fn leaves(&self) -> impl Iterator<Item = Place<'c>> {
        let leaf = |place: &&Place<'c>| !matches!(place.node.shape, Shape::Composite(_));
        self.places.iter().filter(leaf).copied()
    }

    /// The leaves inside a state, the state itself if it is one.
    fn leaves_under(&self, scope: usize) -> impl Iterator<Item = Place<'c>> {
        self.leaves().filter(move |leaf| leaf.node.lineage.contains(&scope))
    }

    /// The states that are active in a leaf, innermost first.
    fn path(&self, leaf: Place<'c>) -> impl Iterator<Item = Place<'c>> {
        leaf.node.lineage.iter().rev().filter_map(|&number| self.places.get(number).copied())
    }

    /// The states that arm a clock.
    fn scopes(&self, clock: &str) -> impl Iterator<Item = Place<'c>> {
        self.places.iter().copied().filter(move |p| p.doc.clocks.iter().any(|c| c.value == clock))
    }

    /// Whether a leaf is left in the very step that enters it: its transitions without trigger
    /// cover every case, and none of them can be refused.
    fn passes_at_once(&self, leaf: Place<'c>) -> bool {
        let always: Vec<&Transition> =
            self.path(leaf).flat_map(|place| &place.node.always).collect();
        let surely = |t: &&Transition| t.require.is_empty() && t.target.is_some();
        if always.is_empty() || !always.iter().all(surely) {
            return false;
        }
        let Some(guards) = always.iter().map(|t| t.when.as_ref()).collect::<Option<Vec<_>>>()
        else {
            return true;
        };
        let none: Vec<_> = guards.into_iter().map(|guard| (guard, false)).collect();
        satisfiable(&none, &self.names) == Satisfiability::Never
    }

    /// Whether a trigger in a leaf leaves `scope` for sure, whatever the fields hold.
    fn surely_leaves(&self, leaf: Place<'c>, trigger: &str, scope: Place<'c>) -> bool {
        let asked = self.path(leaf).flat_map(|place| {
            place.node.on.get(trigger).map(Vec::as_slice).unwrap_or_default().iter()
        });
        for transition in asked {
            let leaves = transition.target.is_some_and(|t| t.kept < scope.node.depth());
            if !leaves || !transition.require.is_empty() {
                return false;
            }
            if transition.when.is_none() {
                return true;
            }
        }
        false
    }
}

/// The states of the file beside those of the chart, in their common order.
fn places<'c>(document: &'c Document, chart: &'c Chart) -> Vec<Place<'c>> {
    fn walk<'c>(states: &'c Table<StateDoc>, all: &mut Vec<(&'c Spot<String>, &'c StateDoc)>) {
        for (name, doc) in states.iter() {
            all.push((name, doc));
            walk(&doc.states, all);
        }
    }
    let mut all = Vec::new();
    walk(&document.states, &mut all);
    let both = all.into_iter().zip(&chart.nodes).enumerate();
    both.map(|(number, ((name, doc), node))| Place { number, name, doc, node }).collect()
}

/// The transitions of a state by list: of one trigger, or of none.
fn arrows<'c>(place: Place<'c>) -> Vec<Vec<Arrow<'c>>> {
    let list = |trigger: &'c str,
                span: &'c Range<usize>,
                docs: &'c [TransitionDoc],
                transitions: &'c [Transition]| {
        let arrow = |(doc, transition): (&'c TransitionDoc, &'c Transition)| {
            let place = doc.to.as_ref().or(doc.when.as_ref()).map(|text| &text.span);
            Arrow { trigger, doc, transition, span: place.unwrap_or(span) }
        };
        docs.iter().zip(transitions).map(arrow).collect()
    };
    let mut lists: Vec<Vec<Arrow<'c>>> = Vec::new();
    for (trigger, docs) in place.doc.on.iter() {
        if let Some(transitions) = place.node.on.get(&trigger.value) {
            lists.push(list(&trigger.value, &trigger.span, &docs.0, transitions));
        }
    }
    let always = super::machine::ALWAYS;
    lists.push(list(always, &place.name.span, &place.doc.always, &place.node.always));
    lists
}

/// Names between backticks, with commas.
fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
