//! From the document to the chart: every name resolved, every expression typed, every finding kept.

mod clocks;
mod effects;
mod fields;
mod source;
mod states;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::document::{CommandDoc, Document, RequireDoc, Spot, StateDoc, Table};
use super::expression::{Expected, Expression, Type};
use super::names::Scope;
use super::{Chart, CommandSpec, Effects, Finding, Law, Require, Selector, Severity};
use crate::domain::Text;
use source::read_on;

pub use source::{SOURCE_MAX, read};

/// Reads a workflow and makes a chart of it. With the chart come all findings; there is no chart
/// when one of them is an error.
#[must_use]
pub fn compile(source: &str) -> (Option<Chart>, Vec<Finding>) {
    judged(source, |document, chart, findings| {
        super::check::check(source, document, chart, findings);
    })
}

/// Reads a workflow that was published before: it was judged then, and what has been asked of new
/// ones since does not keep what runs on it from going on.
#[must_use]
pub fn recall(source: &str) -> (Option<Chart>, Vec<Finding>) {
    judged(source, |_, _, findings| {
        findings.retain(|finding| finding.code != fields::RESERVED_NAME);
    })
}

fn judged(
    source: &str,
    judge: impl FnOnce(&Document, &Chart, &mut Vec<Finding>),
) -> (Option<Chart>, Vec<Finding>) {
    let (document, early) = read_on(source);
    let Some(document) = document else { return (None, early) };
    let mut compiler = Compiler::new(source, &document);
    let chart = compiler.chart(&document);
    let mut findings = compiler.findings;
    findings.extend(early);
    if let Some(chart) = &chart {
        judge(&document, chart, &mut findings);
    }
    findings.sort_by_key(|finding| (finding.span.start, finding.severity));
    let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
    (if broken { None } else { chart }, findings)
}

/// What is known while a document is compiled.
struct Compiler<'d> {
    source: &'d str,
    findings: Vec<Finding>,
    parties: BTreeSet<&'d str>,
    scope: Scope,
    fields: BTreeMap<String, super::Field>,
    clock_names: BTreeSet<&'d str>,
    text_names: BTreeSet<&'d str>,
    /// The commands, and whether one can be given without any input.
    command_names: BTreeMap<&'d str, bool>,
    signals: BTreeMap<String, Vec<super::Input>>,
}

impl<'d> Compiler<'d> {
    fn new(source: &'d str, document: &'d Document) -> Self {
        Self {
            source,
            findings: Vec::new(),
            parties: document.parties.iter().map(|party| party.value.as_str()).collect(),
            scope: Scope::default(),
            fields: BTreeMap::new(),
            clock_names: document.clocks.keys().map(|name| name.value.as_str()).collect(),
            text_names: document.texts.keys().map(|name| name.value.as_str()).collect(),
            command_names: document
                .commands
                .iter()
                .map(|(name, command)| {
                    let free = command.input.iter().all(|(_, input)| input.optional);
                    (name.value.as_str(), free)
                })
                .collect(),
            signals: BTreeMap::new(),
        }
    }

    fn chart(&mut self, document: &'d Document) -> Option<Chart> {
        self.identifiers(document);
        self.fields = self.read_fields(&document.fields);
        let clocks: Vec<String> = self.clock_names.iter().map(|&name| name.to_owned()).collect();
        let workflows = children_named(document);
        let parties: Vec<String> = self.parties.iter().map(|&name| name.to_owned()).collect();
        let named = workflows.iter().cloned().collect();
        self.scope = Scope::of_workflow(&self.fields, &clocks, &parties, named);
        let scope = self.scope.clone();
        let urgent = self.condition(document.urgent.as_ref(), &scope);
        for (name, signal) in document.signals.iter() {
            let input = self.read_inputs(&signal.input);
            self.signals.insert(name.value.clone(), input);
        }
        let start_doc = start_as_command(document);
        let start = self.command(&document.start.command, &start_doc, true);
        let mut commands = BTreeMap::new();
        for (name, command) in document.commands.iter() {
            let command = self.command(name, command, false);
            commands.insert(name.value.clone(), command);
        }
        let clocks = self.read_clocks(document);
        self.check_texts(document);
        let (nodes, initial) = self.states(document, &start, &commands)?;
        let laws = self.laws(document, &commands);
        let children = workflows
            .into_iter()
            .map(|name| {
                let most = document.children.get(&name).map_or(20, |child| child.at_most);
                (name, most)
            })
            .collect();
        Some(Chart {
            workflow: document.workflow.value.clone(),
            title: document.title.clone(),
            tier_field: self.tier_field(document),
            urgent,
            fields: std::mem::take(&mut self.fields),
            start,
            commands,
            signals: std::mem::take(&mut self.signals),
            children,
            clocks,
            texts: texts_of(&document.texts),
            statuses: texts_of(&document.statuses),
            nodes,
            initial,
            laws,
        })
    }

    fn error(
        &mut self,
        code: &str,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.find(Severity::Error, code, span, message)
    }

    fn find(
        &mut self,
        severity: Severity,
        code: &str,
        span: &Range<usize>,
        message: impl Into<String>,
    ) -> &mut Finding {
        let finding = Finding::new(self.source, severity, code, span.clone(), message);
        self.findings.push(finding);
        let last = self.findings.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the element was pushed the line before")]
        &mut self.findings[last]
    }

    /// Complains of a name that is not there, with the nearest one that is.
    fn unknown<'n>(
        &mut self,
        what: &str,
        name: &Spot<String>,
        known: impl Iterator<Item = &'n str>,
    ) {
        let known: Vec<&str> = known.collect();
        let help = super::expression::did_you_mean(name, &known)
            .unwrap_or_else(|| format!("known: {}", known.join(", ")));
        let message = format!("no {what} is called `{}`", name.value);
        self.error("unknown_name", &name.span, message).help = Some(help);
    }

    /// Compiles an expression; complaints become findings at their place inside the file.
    fn expression(
        &mut self,
        text: &Spot<String>,
        scope: &Scope,
        expected: &Expected,
    ) -> Option<Expression> {
        match Expression::compile(&text.value, scope, expected) {
            Ok(expression) => Some(expression),
            Err(complaints) => {
                // A quoted scalar starts one byte later than its place.
                let quoted =
                    matches!(self.source.as_bytes().get(text.span.start), Some(b'"' | b'\''));
                let offset = text.span.start + usize::from(quoted);
                for complaint in complaints {
                    let span = offset + complaint.span.start..offset + complaint.span.end;
                    let span = if self.source.get(span.clone()).is_some() {
                        span
                    } else {
                        text.span.clone()
                    };
                    self.error(complaint.code, &span, complaint.message).help = complaint.help;
                }
                None
            }
        }
    }

    fn condition(&mut self, text: Option<&Spot<String>>, scope: &Scope) -> Option<Expression> {
        self.expression(text?, scope, &Expected::Exactly(Type::Bool))
    }

    fn requires(&mut self, docs: &[RequireDoc], scope: &Scope) -> Vec<Require> {
        let mut requires = Vec::new();
        for doc in docs {
            if let Some(check) = self.expression(&doc.check, scope, &Expected::Exactly(Type::Bool))
            {
                let text = Text::new(&doc.otherwise.zh, &doc.otherwise.en);
                requires.push(Require { check, code: doc.otherwise.code.value.clone(), text });
            }
        }
        requires
    }

    fn command(&mut self, name: &Spot<String>, doc: &CommandDoc, opens: bool) -> CommandSpec {
        let input = self.read_inputs(&doc.input);
        let scope = self.scope.with_input(&input);
        let mut by = Vec::new();
        let mut by_parent = false;
        for who in &doc.by {
            if who.value == "parent" && opens {
                by_parent = true;
            } else if let Some(selector) = self.input_selector(who, &input, opens) {
                by.push(selector);
            } else if let Some(selector) = self.selector(who) {
                self.not_everybody(who, &selector.party);
                by.push(selector);
            }
        }
        if by.is_empty() && !by_parent {
            let message = format!("nobody may give the command `{}`", name.value);
            self.error("nobody_may", &name.span, message).help =
                Some("name roles in `by`, such as `unit.liaison`".to_owned());
        }
        let require = self.requires(&doc.require, &scope);
        let effects = Effects {
            set: self.sets(&doc.set, &scope),
            tell: self.tells(&doc.tell, &scope),
            start: self.starts(&doc.start, &scope),
            signal: self.sends(&doc.signal, &scope),
            ..Effects::default()
        };
        CommandSpec {
            name: name.value.clone(),
            title: doc.title.clone(),
            by,
            by_parent,
            input,
            require,
            effects,
        }
    }

    /// Reads `input.<unit>.role`, which only the opening command knows: a unit applies for itself.
    fn input_selector(
        &mut self,
        text: &Spot<String>,
        input: &[super::Input],
        opens: bool,
    ) -> Option<Selector> {
        let (name, role) = text.value.strip_prefix("input.")?.split_once('.')?;
        let unit = input.iter().any(|item| item.name == name && item.ty == Type::Unit);
        let role = role.parse().ok()?;
        (opens && unit).then(|| Selector { party: super::Party::Input(name.to_owned()), role })
    }

    /// Reads `party.role` or `field.role`.
    fn selector(&mut self, text: &Spot<String>) -> Option<Selector> {
        let Some((party, role)) = text.value.rsplit_once('.') else {
            let message = format!("`{}` is not of the form `party.role`", text.value);
            self.error("not_a_role", &text.span, message).help =
                Some("such as `desk.shift_leader` or `unit.liaison`".to_owned());
            return None;
        };
        let role = match role.parse() {
            Ok(role) => role,
            Err(message) => {
                self.error("unknown_role", &text.span, message).help =
                    Some("roles are the same in every workflow; parties are yours".to_owned());
                return None;
            }
        };
        let party = self.party(&text.map(party.to_owned()))?;
        Some(Selector { party, role })
    }

    fn laws(&mut self, document: &Document, commands: &BTreeMap<String, CommandSpec>) -> Vec<Law> {
        let mut laws = Vec::new();
        for doc in &document.laws {
            let Some(command) = commands.get(&doc.never.command.value) else {
                self.unknown("command", &doc.never.command, commands.keys().map(String::as_str));
                continue;
            };
            let scope = self.scope.with_input(&command.input);
            let when = self.expression(&doc.never.when, &scope, &Expected::Exactly(Type::Bool));
            if let Some(when) = when {
                laws.push(Law {
                    id: doc.id.value.clone(),
                    title: doc.title.clone(),
                    command: command.name.clone(),
                    when,
                });
            }
        }
        laws
    }
}

/// The opening command in the shape of the others.
fn start_as_command(document: &Document) -> CommandDoc {
    let start = &document.start;
    CommandDoc {
        title: start.title.clone(),
        by: start.by.clone(),
        input: start.input.clone(),
        require: start.require.clone(),
        set: start.set.clone(),
        tell: start.tell.clone(),
        start: start.start.clone(),
        signal: start.signal.clone(),
    }
}

/// Every workflow that the document starts children of.
fn children_named(document: &Document) -> BTreeSet<String> {
    fn walk(states: &Table<StateDoc>, names: &mut BTreeSet<String>) {
        for (_, state) in states.iter() {
            let transitions = state.on.iter().flat_map(|(_, many)| &many.0).chain(&state.always);
            let starts = transitions
                .flat_map(|transition| &transition.start)
                .chain(&state.entry.start)
                .chain(&state.exit.start);
            names.extend(starts.map(|start| start.workflow.value.clone()));
            walk(&state.states, names);
        }
    }
    let mut names: BTreeSet<String> =
        document.children.keys().map(|name| name.value.clone()).collect();
    let of_commands = document.commands.iter().flat_map(|(_, command)| &command.start);
    let of_start = document.start.start.iter().chain(of_commands);
    names.extend(of_start.map(|start| start.workflow.value.clone()));
    walk(&document.states, &mut names);
    names
}

fn texts_of(table: &Table<Text>) -> BTreeMap<String, Text> {
    table.iter().map(|(name, text)| (name.value.clone(), text.clone())).collect()
}
