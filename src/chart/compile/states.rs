//! States, transitions and where they lead.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::document::{Document, Spot, StateDoc, StatusDoc, Table, TransitionDoc};
use super::super::expression::{Expected, Type, did_you_mean};
use super::super::names::Scope;
use super::super::{
    CommandSpec, Effects, Node, Party, STATES_MAX, Shape, Status, Target, Transition,
};
use super::Compiler;

/// A state of the file with its place in the tree.
struct Slot<'d> {
    name: &'d Spot<String>,
    doc: &'d StateDoc,
    lineage: Vec<usize>,
    children: Vec<usize>,
}

/// The tree of states before transitions are resolved.
struct Tree<'d> {
    slots: Vec<Slot<'d>>,
    roots: Vec<usize>,
}

impl<'d> Tree<'d> {
    fn plant(states: &'d Table<StateDoc>) -> Self {
        let mut tree = Self { slots: Vec::new(), roots: Vec::new() };
        tree.roots = tree.grow(states, &[]);
        tree
    }

    fn grow(&mut self, states: &'d Table<StateDoc>, lineage: &[usize]) -> Vec<usize> {
        let mut numbers = Vec::new();
        for (name, doc) in states.iter() {
            let number = self.slots.len();
            let mut own = lineage.to_vec();
            own.push(number);
            self.slots.push(Slot { name, doc, lineage: own.clone(), children: Vec::new() });
            let children = self.grow(&doc.states, &own);
            if let Some(slot) = self.slots.get_mut(number) {
                slot.children = children;
            }
            numbers.push(number);
        }
        numbers
    }

    fn named(&self, among: &[usize], name: &str) -> Option<usize> {
        among
            .iter()
            .copied()
            .find(|&number| self.slots.get(number).is_some_and(|slot| slot.name.value == name))
    }

    fn children(&self, number: usize) -> &[usize] {
        self.slots.get(number).map(|slot| slot.children.as_slice()).unwrap_or_default()
    }

    fn lineage(&self, number: usize) -> &[usize] {
        self.slots.get(number).map(|slot| slot.lineage.as_slice()).unwrap_or_default()
    }

    fn path(&self, number: usize) -> String {
        let names = self.lineage(number).iter().filter_map(|&n| self.slots.get(n));
        names.map(|slot| slot.name.value.as_str()).collect::<Vec<_>>().join(".")
    }

    /// Looks a target up: a leading `.` names a child of the owner; else siblings, then outward.
    fn target(&self, owner: usize, text: &str) -> Option<usize> {
        let down = |start: usize, mut rest: std::str::Split<'_, char>| {
            rest.try_fold(start, |at, name| self.named(self.children(at), name))
        };
        if let Some(inner) = text.strip_prefix('.') {
            return down(owner, inner.split('.'));
        }
        let mut segments = text.split('.');
        let first = segments.next()?;
        let lineage = self.lineage(owner);
        for depth in (0..lineage.len()).rev() {
            let siblings = match depth.checked_sub(1).and_then(|above| lineage.get(above)) {
                Some(&parent) => self.children(parent),
                None => &self.roots,
            };
            if let Some(found) = self.named(siblings, first) {
                return down(found, segments);
            }
        }
        None
    }
}

impl<'d> Compiler<'d> {
    /// All states, and the initial leaf.
    pub(super) fn states(
        &mut self,
        document: &'d Document,
        start: &CommandSpec,
        commands: &BTreeMap<String, CommandSpec>,
    ) -> Option<(Vec<Node>, usize)> {
        let tree = Tree::plant(&document.states);
        if tree.slots.len() > STATES_MAX {
            let count = tree.slots.len();
            let message = format!("{count} states; at most {STATES_MAX} are allowed");
            self.error("too_many_states", &document.workflow.span, message).help =
                Some("split the workflow into a family of smaller ones".to_owned());
            return None;
        }
        self.sibling_names(&tree);
        let mut nodes = Vec::new();
        for number in 0..tree.slots.len() {
            let node = self.node(&tree, number, start, commands)?;
            nodes.push(node);
        }
        inherit(&mut nodes);
        let first = match tree.named(&tree.roots, &document.initial.value) {
            Some(first) => first,
            None => {
                let known = document.states.keys().map(|name| name.value.as_str());
                self.unknown("outermost state", &document.initial, known);
                return None;
            }
        };
        let initial = self.leaf_of(&tree, first)?;
        Some((nodes, initial))
    }

    fn sibling_names(&mut self, tree: &Tree<'d>) {
        let families = tree.slots.iter().map(|slot| &slot.children).chain([&tree.roots]);
        let mut doubles = Vec::new();
        for family in families {
            for (index, &number) in family.iter().enumerate() {
                let Some(slot) = tree.slots.get(number) else { continue };
                let earlier = family.get(..index).unwrap_or_default();
                if tree.named(earlier, &slot.name.value).is_some() {
                    doubles.push(slot.name);
                }
            }
        }
        for name in doubles {
            let message = format!("a sibling is called `{}` too", name.value);
            self.error("duplicate_name", &name.span, message);
        }
    }

    fn node(
        &mut self,
        tree: &Tree<'d>,
        number: usize,
        start: &CommandSpec,
        commands: &BTreeMap<String, CommandSpec>,
    ) -> Option<Node> {
        let slot = tree.slots.get(number)?;
        let (name, doc) = (slot.name, slot.doc);
        self.identifier(name);
        let shape = self.shape(tree, number, name, doc);
        let holder = doc.holder.as_ref().and_then(|holder| self.party(holder));
        if let (Some(name), Some(party)) = (&doc.holder, &holder) {
            self.not_everybody(name, party);
        }
        let status = self.status(doc);
        let scope = self.scope.clone();
        let entry = self.effects(&doc.entry, &scope);
        let exit = self.effects(&doc.exit, &scope);
        let mut on = BTreeMap::new();
        for (trigger, many) in doc.on.iter() {
            let Some(input) = self.trigger_input(trigger, start, commands) else { continue };
            let inner = self.scope.with_input(&input);
            let transitions = self.transitions(tree, number, &many.0, &inner);
            if on.insert(trigger.value.clone(), transitions).is_some() {
                let message = format!("`{}` is there twice", trigger.value);
                self.error("duplicate_name", &trigger.span, message);
            }
        }
        let always = self.transitions(tree, number, &doc.always, &scope);
        let title =
            doc.title.clone().unwrap_or_else(|| crate::domain::Text::new(&name.value, &name.value));
        Some(Node {
            name: name.value.clone(),
            path: tree.path(number),
            lineage: Arc::from(slot.lineage.as_slice()),
            title,
            shape,
            holder,
            status: status.unwrap_or_else(|| Status::Fixed(String::new())),
            stage: None,
            clocks: self.clock_list(&doc.clocks),
            suspends: self.clock_list(&doc.suspends),
            entry,
            exit,
            on,
            always,
        })
    }

    fn shape(
        &mut self,
        tree: &Tree<'d>,
        number: usize,
        name: &Spot<String>,
        doc: &StateDoc,
    ) -> Shape {
        let composite = !doc.states.is_empty();
        if composite && (doc.ends || doc.rest) {
            let message = format!("`{}` contains states; it cannot be final or rest", name.value);
            self.error("composite_end", &name.span, message).help =
                Some("end in one of the states inside, or take them out".to_owned());
        }
        if composite != doc.initial.is_some() {
            let message = format!("`{}` needs `initial` and `states`, or neither", name.value);
            self.error("no_initial", &name.span, message).help =
                Some("name the state inside that is entered first as `initial`".to_owned());
        }
        if doc.ends && !(doc.on.is_empty() && doc.always.is_empty() && doc.clocks.is_empty()) {
            let message = format!("`{}` is final: it accepts nothing and has no clock", name.value);
            self.error("final_accepts", &name.span, message).help =
                Some("use `rest: true` for a closed state that can be reopened".to_owned());
        }
        if composite {
            Shape::Composite(self.leaf_of(tree, number).unwrap_or(number))
        } else if doc.ends {
            Shape::Final
        } else if doc.rest {
            Shape::Rest
        } else {
            Shape::Waiting
        }
    }

    fn leaf_of(&mut self, tree: &Tree<'d>, number: usize) -> Option<usize> {
        let slot = tree.slots.get(number)?;
        let Some(initial) = &slot.doc.initial else { return Some(number) };
        match tree.named(&slot.children, &initial.value) {
            Some(child) => self.leaf_of(tree, child),
            None => {
                let known = slot.doc.states.keys().map(|name| name.value.as_str());
                self.unknown("child state", initial, known);
                None
            }
        }
    }

    fn status(&mut self, doc: &StateDoc) -> Option<Status> {
        match doc.status.as_ref()? {
            StatusDoc::Fixed(status) => Some(Status::Fixed(status.value.clone())),
            StatusDoc::Choice(choice) => {
                let scope = self.scope.clone();
                let bool = Expected::Exactly(Type::Bool);
                let condition = self.expression(&choice.condition, &scope, &bool)?;
                let (then, other) = (choice.then.value.clone(), choice.otherwise.value.clone());
                Some(Status::Choice(Arc::new(condition), then, other))
            }
        }
    }

    /// The input that a trigger brings; None (and a finding) if there is no such trigger.
    fn trigger_input(
        &mut self,
        trigger: &Spot<String>,
        start: &CommandSpec,
        commands: &BTreeMap<String, CommandSpec>,
    ) -> Option<Vec<super::super::Input>> {
        let mut parts = trigger.value.split('.');
        match (parts.next(), parts.next()) {
            (Some(name), None) => {
                if let Some(command) = commands.get(name) {
                    return Some(command.input.clone());
                }
                if name == start.name {
                    let message = format!("`{name}` opens instances; no state reacts to it");
                    self.error("start_in_state", &trigger.span, message).help =
                        Some("take it out; give the state a command of its own".to_owned());
                } else {
                    self.unknown("command", trigger, commands.keys().map(String::as_str));
                }
                None
            }
            (Some("clock"), Some(clock)) => {
                let known = self.clock_list(&[trigger.map(clock.to_owned())]);
                (!known.is_empty()).then(Vec::new)
            }
            (Some("signal"), Some(signal)) => {
                let input = self.signals.get(signal).cloned();
                if input.is_none() {
                    let known: Vec<String> = self.signals.keys().cloned().collect();
                    let name = trigger.map(signal.to_owned());
                    self.unknown("signal", &name, known.iter().map(String::as_str));
                }
                input
            }
            (Some("ended"), Some(_)) => Some(Vec::new()),
            _ => {
                let message = format!("`{}` is no trigger", trigger.value);
                self.error("unknown_name", &trigger.span, message).help = Some(
                    "a command, `clock.<name>`, `signal.<name>` or `ended.<workflow>`".to_owned(),
                );
                None
            }
        }
    }

    fn transitions(
        &mut self,
        tree: &Tree<'d>,
        owner: usize,
        docs: &[TransitionDoc],
        scope: &Scope,
    ) -> Vec<Transition> {
        docs.iter().map(|doc| self.transition(tree, owner, doc, scope)).collect()
    }

    fn transition(
        &mut self,
        tree: &Tree<'d>,
        owner: usize,
        doc: &TransitionDoc,
        scope: &Scope,
    ) -> Transition {
        let target = doc.to.as_ref().and_then(|to| {
            let Some(state) = tree.target(owner, &to.value) else {
                self.no_target(tree, to);
                return None;
            };
            let leaf = self.leaf_of(tree, state)?;
            Some(Target { leaf, state, kept: kept(tree.lineage(owner), tree.lineage(state)) })
        });
        let effects: Effects = self.transition_effects(doc, scope);
        Transition {
            when: self.condition(doc.when.as_ref(), scope),
            require: self.requires(&doc.require, scope),
            target,
            effects,
            outcome: doc.outcome.as_ref().map(|outcome| outcome.value.clone()),
        }
    }

    fn no_target(&mut self, tree: &Tree<'d>, to: &Spot<String>) {
        let last = to.value.rsplit('.').next().unwrap_or(&to.value);
        let paths: Vec<String> = (0..tree.slots.len()).map(|number| tree.path(number)).collect();
        let same = paths.iter().find(|path| path.rsplit('.').next() == Some(last));
        let known: Vec<&str> = paths.iter().map(String::as_str).collect();
        let same = same.map(|path| format!("did you mean `{path}`?"));
        let names = known.iter().filter_map(|path| path.rsplit('.').next());
        let help = same
            .or_else(|| did_you_mean(to, &known))
            .or_else(|| did_you_mean(last, names))
            .unwrap_or_else(|| "a sibling, a sibling of an ancestor, or `.child`".to_owned());
        let message = format!("no state `{}` can be seen from here", to.value);
        self.error("unknown_state", &to.span, message).help = Some(help);
    }
}

/// How many outermost ancestors of `target` a transition of `owner` does not leave: the innermost
/// proper ancestor of both, or the owner itself when the target lies inside it.
fn kept(owner: &[usize], target: &[usize]) -> usize {
    let common = owner.iter().zip(target).take_while(|(a, b)| a == b).count();
    if common == owner.len() && target.len() > owner.len() {
        common
    } else {
        common.min(owner.len().saturating_sub(1)).min(target.len().saturating_sub(1))
    }
}

/// Holders and statuses pass from a state to what it contains.
fn inherit(nodes: &mut [Node]) {
    for number in 0..nodes.len() {
        let parent = nodes.get(number).and_then(Node::parent);
        let above = parent.and_then(|parent| nodes.get(parent));
        let from: Option<(Option<Party>, Status, Option<Status>)> =
            above.map(|above| (above.holder.clone(), above.status.clone(), above.stage.clone()));
        let (Some(node), Some((holder, status, stage))) = (nodes.get_mut(number), from) else {
            continue;
        };
        node.holder = node.holder.take().or(holder);
        match &node.status {
            Status::Fixed(own) if own.is_empty() => {
                node.status = status;
                node.stage = stage;
            }
            _ => node.stage = Some(status),
        }
    }
}
