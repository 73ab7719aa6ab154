//! What is wrong between the workflows of a family: children, signals, ends.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::super::document::{ChildStartDoc, Document, EffectsDoc, SendDoc, Spot, Table};
use super::super::expression::{Expression, Type, did_you_mean};
use super::super::{Chart, ChildStart, Finding, Input, Send, Severity, compile};
use super::{Place, places};

/// One workflow of those that are checked together.
#[derive(Debug, Clone, Copy)]
pub struct Member<'m> {
    /// The name of its file, as findings give it back.
    pub file: &'m str,
    /// The file's text.
    pub source: &'m str,
    /// The chart that was compiled from it.
    pub chart: &'m Chart,
}

/// The signal that the engine sends to open children when their parent ends.
const PARENT_ENDED: &str = "parent_ended";

/// What is wrong between workflows that are published together: children of an unknown workflow or
/// with the wrong input, signals that no receiver knows, ends that never come. With each finding
/// comes the file it is in; in the order of the files, then of places.
#[must_use]
pub fn check_family(members: &[Member<'_>]) -> Vec<(String, Finding)> {
    let charts: BTreeMap<&str, &Chart> =
        members.iter().map(|member| (member.chart.workflow.as_str(), member.chart)).collect();
    let mut all = Vec::new();
    for member in members {
        // The chart stands, so its file can be read.
        let Ok(document) = compile::read(member.source) else { continue };
        let mut kin = Kin { member, charts: &charts, findings: Vec::new() };
        kin.check(&document);
        kin.findings.sort_by_key(|finding| (finding.span.start, finding.severity));
        all.extend(kin.findings.into_iter().map(|finding| (member.file.to_owned(), finding)));
    }
    all
}

struct Kin<'k> {
    member: &'k Member<'k>,
    charts: &'k BTreeMap<&'k str, &'k Chart>,
    findings: Vec<Finding>,
}

impl<'k> Kin<'k> {
    fn check(&mut self, document: &Document) {
        let chart = self.member.chart;
        let places = places(document, chart);
        self.starts(&document.start.start, &chart.start.effects.start);
        self.sends(&document.start.signal, &chart.start.effects.signal);
        for (name, doc) in document.commands.iter() {
            if let Some(spec) = chart.commands.get(&name.value) {
                self.starts(&doc.start, &spec.effects.start);
                self.sends(&doc.signal, &spec.effects.signal);
            }
        }
        for place in places {
            self.state(place);
        }
        for name in document.signals.keys().filter(|name| name.value != PARENT_ENDED) {
            let by = |chart: &Chart| sent(chart).any(|send| send.name == name.value);
            // A matter also speaks to another of its own workflow.
            let itself =
                sent(chart).any(|send| send.to.starts_with("matter.") && send.name == name.value);
            if !itself && !self.relatives().any(by) {
                let message = format!("no relative sends the signal `{}`", name.value);
                self.find(Severity::Warning, "never_sent", &name.span, message, None);
            }
        }
    }

    fn state(&mut self, place: Place<'_>) {
        let block = |this: &mut Self, doc: &EffectsDoc, effects: &super::super::Effects| {
            this.starts(&doc.start, &effects.start);
            this.sends(&doc.signal, &effects.signal);
        };
        block(self, &place.doc.entry, &place.node.entry);
        block(self, &place.doc.exit, &place.node.exit);
        for arrow in super::arrows(place).into_iter().flatten() {
            self.starts(&arrow.doc.start, &arrow.transition.effects.start);
            self.sends(&arrow.doc.signal, &arrow.transition.effects.signal);
        }
        for trigger in place.doc.on.keys() {
            let Some(workflow) = trigger.value.strip_prefix("ended.") else { continue };
            if !self.member.chart.children.contains_key(workflow) {
                let message = format!("no `{workflow}` is ever started here, so none can end");
                let known = self.member.chart.children.keys();
                let help = did_you_mean(workflow, known);
                self.find(Severity::Error, "never_started", &trigger.span, message, help);
            }
        }
    }

    fn find(
        &mut self,
        severity: Severity,
        code: &str,
        span: &Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let mut finding = Finding::new(self.member.source, severity, code, span.clone(), message);
        finding.help = help;
        self.findings.push(finding);
    }

    /// Those who start this workflow, and those whom it starts.
    fn relatives(&self) -> impl Iterator<Item = &'k Chart> {
        let own = self.member.chart;
        self.charts.values().copied().filter(move |other| {
            other.children.contains_key(&own.workflow) || own.children.contains_key(&other.workflow)
        })
    }

    fn starts(&mut self, docs: &[ChildStartDoc], starts: &[ChildStart]) {
        for (doc, start) in docs.iter().zip(starts) {
            let Some(child) = self.charts.get(start.workflow.as_str()).copied() else {
                let message = format!("no workflow is called `{}`", start.workflow);
                let help = did_you_mean(&start.workflow, self.charts.keys());
                self.find(Severity::Error, "unknown_workflow", &doc.workflow.span, message, help);
                continue;
            };
            if !child.start.by_parent {
                let message =
                    format!("a `{}` can't be started by another workflow", start.workflow);
                let help = format!("write `parent` into `start.by` of `{}`", start.workflow);
                self.find(Severity::Error, "nobody_may", &doc.workflow.span, message, Some(help));
            }
            let what = format!("the start of `{}`", start.workflow);
            self.given(&what, &doc.workflow.span, &doc.with, &start.with, &child.start.input);
        }
    }

    fn sends(&mut self, docs: &[SendDoc], sends: &[Send]) {
        for (doc, send) in docs.iter().zip(sends) {
            let own = self.member.chart;
            let receivers: Vec<&Chart> = match send.to.strip_prefix("children") {
                None if send.to.starts_with("matter.") => vec![own],
                None => self
                    .charts
                    .values()
                    .copied()
                    .filter(|chart| chart.children.contains_key(&own.workflow))
                    .collect(),
                Some(rest) => {
                    let wanted = rest.strip_prefix('.');
                    let fits = |name: &&str| wanted.is_none_or(|wanted| wanted == *name);
                    let children = own.children.keys().map(String::as_str).filter(fits);
                    children.filter_map(|name| self.charts.get(name).copied()).collect()
                }
            };
            if receivers.is_empty() {
                let message = format!("there is nobody to signal: `{}`", send.to);
                let help = "start such a child, or leave the signal out".to_owned();
                self.find(Severity::Warning, "no_receiver", &doc.to.span, message, Some(help));
                continue;
            }
            let known: BTreeSet<&str> = receivers
                .iter()
                .flat_map(|chart| chart.signals.keys())
                .map(String::as_str)
                .collect();
            if !known.contains(send.name.as_str()) {
                let message = format!("no receiver knows the signal `{}`", send.name);
                let help = did_you_mean(&send.name, &known);
                self.find(Severity::Error, "unknown_signal", &doc.name.span, message, help);
            }
            for chart in receivers {
                if let Some(inputs) = chart.signals.get(&send.name) {
                    let what = format!("`{}` of `{}`", send.name, chart.workflow);
                    self.given(&what, &doc.name.span, &doc.with, &send.with, inputs);
                }
            }
        }
    }

    /// Compares what is given with what is wanted.
    fn given(
        &mut self,
        what: &str,
        span: &Range<usize>,
        docs: &Table<Spot<String>>,
        with: &[(String, Expression)],
        inputs: &[Input],
    ) {
        for ((name, doc), (_, value)) in docs.iter().zip(with) {
            let Some(input) = inputs.iter().find(|input| input.name == name.value) else {
                let message = format!("{what} knows no `{}`", name.value);
                let help = did_you_mean(&name.value, inputs.iter().map(|input| &input.name));
                self.find(Severity::Error, "unknown_input", &name.span, message, help);
                continue;
            };
            if !fits(&input.ty, value.type_of()) {
                let (wanted, found) = (&input.ty, value.type_of());
                let message = format!("{what} wants {wanted} as `{}`, not {found}", name.value);
                self.find(Severity::Error, "wrong_type", &doc.span, message, None);
            } else if value.is_optional() && !input.optional {
                // Often it is surely set where this stands; only a proof of the chart can tell.
                let message = format!("`{}` may be unset, but {what} needs it", doc.value);
                let help = "give `or(…, default)`, or make the input `optional: true`".to_owned();
                self.find(Severity::Warning, "may_be_unset", &doc.span, message, Some(help));
            }
        }
        for input in inputs.iter().filter(|input| !input.optional) {
            if !with.iter().any(|(name, _)| *name == input.name) {
                let message = format!("{what} needs `{}`", input.name);
                let help = format!("give `{}` in `with`", input.name);
                self.find(Severity::Error, "missing_input", span, message, Some(help));
            }
        }
    }
}

/// Every signal that a chart sends.
fn sent(chart: &Chart) -> impl Iterator<Item = &Send> {
    super::unused::effects(chart).into_iter().flat_map(|block| &block.signal)
}

/// Whether a value of type `found` may be given where `wanted` is asked for; texts are looked into
/// when they come (a code that does not exist is refused then).
fn fits(wanted: &Type, found: &Type) -> bool {
    match (wanted, found) {
        (Type::Enum(wanted), Type::Enum(codes)) => codes.iter().all(|code| wanted.contains(code)),
        (Type::Enum(_) | Type::Unit | Type::Category | Type::Date, Type::Text)
        | (Type::Text, Type::Enum(_) | Type::Unit | Type::Category | Type::Date)
        | (_, Type::Unset) => true,
        _ => wanted == found,
    }
}
