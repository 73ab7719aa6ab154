//! What may have become of holders and clocks wherever an instance waits: a walk over every way
//! through the chart that notes which fields may be empty and which clocks stopped.
//!
//! Guards are trusted as far as they ask `has(…)`; otherwise every transition counts as possible.
//! What is found may therefore be a way that people never take, never the other way round.

use std::collections::{BTreeMap, BTreeSet};

use super::super::expression::{Expression, Type};
use super::super::{CommandSpec, Effects, Party, Selector, Shape, Transition};
use super::{Checker, Place, quoted};

/// What may stand: tracked fields that are empty, tracked clocks that are stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    empty: BTreeSet<String>,
    stopped: BTreeSet<String>,
}

impl Standing {
    /// Whether a condition may hold here, as far as it asks whether fields are set.
    fn allows<'e>(&self, conditions: impl IntoIterator<Item = &'e Expression>) -> bool {
        !conditions.into_iter().any(|one| one.proves().iter().any(|path| self.empty.contains(path)))
    }
}

/// Everything that may stand in each leaf.
type Standings = BTreeMap<usize, BTreeSet<Standing>>;

impl Checker<'_> {
    /// Holders that may be nobody, and leaves whose every clock may have been stopped.
    pub(super) fn standing(&mut self) {
        let standings = self.walk();
        let mut said = BTreeSet::new();
        for leaf in self.leaves().collect::<Vec<_>>() {
            if !leaf.is(Shape::Waiting) || self.passes_at_once(leaf) {
                continue;
            }
            let here = standings.get(&leaf.number).cloned().unwrap_or_default();
            self.holder_set(leaf, &here, &mut said);
            self.clock_left(leaf, &here);
        }
        self.repetitions(&standings);
    }

    fn holder_set(
        &mut self,
        leaf: Place<'_>,
        here: &BTreeSet<Standing>,
        said: &mut BTreeSet<usize>,
    ) {
        let Some(Party::Field(field)) = &leaf.node.holder else { return };
        let named = self.path(leaf).find_map(|place| place.doc.holder.as_ref());
        let Some(named) = named.filter(|_| here.iter().any(|one| one.empty.contains(field))) else {
            return;
        };
        if said.insert(named.span.start) {
            let path = &leaf.node.path;
            let message =
                format!("`{field}` may be empty in `{path}`: then nobody is responsible there");
            let help = format!(
                "set `{field}` on every way that leads there, or lead only there when `has({field})`"
            );
            self.error("holder_unset", &named.span, message, help);
        }
    }

    fn clock_left(&mut self, leaf: Place<'_>, here: &BTreeSet<Standing>) {
        let frozen: BTreeSet<&str> =
            self.path(leaf).flat_map(|place| &place.doc.suspends).map(|c| c.as_str()).collect();
        let clocks: Vec<&str> = self
            .path(leaf)
            .flat_map(|place| &place.doc.clocks)
            .map(|clock| clock.value.as_str())
            .filter(|clock| !frozen.contains(clock))
            .collect();
        let silent = |one: &Standing| clocks.iter().all(|clock| one.stopped.contains(*clock));
        if clocks.is_empty() || !here.iter().any(silent) {
            return;
        }
        let message = format!(
            "`{}` waits, but every clock that runs there may have been stopped: {}",
            leaf.node.path,
            quoted(clocks)
        );
        let help = "lead elsewhere where the last clock is stopped, or let another clock run there";
        self.error("clock_stopped", &leaf.name.span, message, help);
    }

    /// Repetitions that may be skipped, or that name nobody: the ladder could fall silent.
    fn repetitions(&mut self, standings: &Standings) {
        let mut wrong = BTreeMap::new();
        for (clock, doc) in self.document.clocks.iter() {
            let steps = self.document.ladders.get(&doc.ladder.value);
            let Some(steps) = steps else { continue };
            let Some(step) = steps.iter().rfind(|step| step.every.is_some()) else { continue };
            if self.ends_by_leaving(clock, steps.iter().rfind(|step| step.at.is_some())) {
                continue;
            }
            let Some(every) = &step.every else { continue };
            if let Some(when) = &step.when {
                let message = format!(
                    "the repetition of `{}` is skipped unless this holds: then the ladder is silent",
                    doc.ladder.value
                );
                let help = "let the last step, `every`, have no `when`";
                wrong.insert(when.span.start, ("ladder_silent", when.span.clone(), message, help));
            } else if !self.reaches_somebody(&clock.value, standings) {
                let message = format!(
                    "the repetition of `{}` may reach nobody where `{}` runs",
                    doc.ladder.value, clock.value
                );
                let help = "let it tell a role of a party, or of a field that is surely set";
                wrong.insert(every.span.start, ("ladder_deaf", every.span.clone(), message, help));
            }
        }
        for (code, span, message, help) in wrong.into_values() {
            self.error(code, &span, message, help);
        }
    }

    fn reaches_somebody(&self, clock: &str, standings: &Standings) -> bool {
        let Some(spec) = self.chart.clocks.get(clock) else { return true };
        let surely = |selector: &Selector| match &selector.party {
            Party::Body(_) => true,
            Party::Input(_) => false,
            Party::Field(field) => {
                self.is_unit(field)
                    && self.scopes(clock).flat_map(|s| self.leaves_under(s.number)).all(|leaf| {
                        let here = standings.get(&leaf.number).into_iter().flatten();
                        self.passes_at_once(leaf)
                            || here.into_iter().all(|one| !one.empty.contains(field))
                    })
            }
        };
        spec.every_when.iter().chain(&spec.every).all(|every| every.tell.iter().any(surely))
    }

    fn is_unit(&self, field: &str) -> bool {
        self.chart.fields.get(field).is_some_and(|field| field.ty == Type::Unit)
    }

    /// Fields whose emptiness matters to somebody, and that may be empty at all.
    fn tracked(&self) -> BTreeSet<String> {
        let holders = self.chart.nodes.iter().filter_map(|node| node.holder.as_ref());
        let clocks = self.chart.clocks.values();
        let told = clocks.flat_map(|spec| spec.every_when.iter().chain(&spec.every));
        let told = told.flat_map(|step| &step.tell).map(|selector| &selector.party);
        let fields = holders.chain(told).filter_map(|party| match party {
            Party::Field(field) if self.is_unit(field) => Some(field.clone()),
            _ => None,
        });
        let may_be_empty = |name: &String| {
            self.chart.fields.get(name).is_some_and(|f| f.optional && f.initial.is_unset())
        };
        fields.filter(may_be_empty).collect()
    }

    /// Every way from the start.
    fn walk(&self) -> Standings {
        let tracked = self.tracked();
        let mut reached = Standings::new();
        let begin = Standing { empty: tracked.clone(), stopped: BTreeSet::new() };
        let start = &self.chart.start;
        let mut waiting: Vec<(usize, Standing)> = Vec::new();
        if begin.allows(start.require.iter().map(|require| &require.check)) {
            let sure = proved(start.require.iter().map(|require| &require.check));
            for standing in apply(vec![begin], &start.effects, &tracked, &sure) {
                let entered = self.enter(vec![standing], self.chart.initial, 0, &tracked);
                waiting.extend(entered.into_iter().map(|standing| (self.chart.initial, standing)));
            }
        }
        while let Some((leaf, standing)) = waiting.pop() {
            if !reached.entry(leaf).or_default().insert(standing.clone()) {
                continue;
            }
            waiting.extend(self.onwards(leaf, &standing, &tracked));
        }
        reached
    }

    /// Where one leaf may lead in one step.
    fn onwards(
        &self,
        leaf: usize,
        standing: &Standing,
        tracked: &BTreeSet<String>,
    ) -> Vec<(usize, Standing)> {
        let Some(node) = self.chart.node(leaf) else { return Vec::new() };
        if node.shape == Shape::Final {
            return Vec::new();
        }
        let mut next = Vec::new();
        let triggers: BTreeSet<&String> =
            self.chart.active(leaf).flat_map(|node| node.on.keys()).collect();
        for trigger in triggers {
            let clock = trigger.strip_prefix("clock.").and_then(|rest| rest.split('.').next());
            if clock.is_some_and(|clock| standing.stopped.contains(clock)) {
                continue;
            }
            let lists = self.chart.active(leaf).filter_map(|node| node.on.get(trigger));
            let command = self.chart.commands.get(trigger);
            next.extend(self.taken(leaf, standing, lists.flatten(), command, tracked));
        }
        let always = self.chart.active(leaf).flat_map(|node| &node.always);
        next.extend(self.taken(leaf, standing, always, None, tracked));
        next
    }

    fn taken<'t>(
        &self,
        leaf: usize,
        standing: &Standing,
        transitions: impl Iterator<Item = &'t Transition>,
        command: Option<&CommandSpec>,
        tracked: &BTreeSet<String>,
    ) -> Vec<(usize, Standing)> {
        let given = command.is_none_or(|spec| {
            let somebody = spec.by.iter().any(|selector| match &selector.party {
                Party::Field(field) => !standing.empty.contains(field),
                Party::Body(_) | Party::Input(_) => true,
            });
            somebody && standing.allows(spec.require.iter().map(|require| &require.check))
        });
        let mut next = Vec::new();
        for transition in transitions.filter(|_| given) {
            let asked = transition.require.iter().map(|require| &require.check);
            if standing.allows(transition.when.iter().chain(asked)) {
                let after = self.follow(leaf, standing, transition, command, tracked);
                let target = transition.target.map_or(leaf, |target| target.leaf);
                next.extend(after.into_iter().map(|standing| (target, standing)));
            }
            if transition.when.is_none() {
                break;
            }
        }
        next
    }

    fn follow(
        &self,
        leaf: usize,
        standing: &Standing,
        transition: &Transition,
        command: Option<&CommandSpec>,
        tracked: &BTreeSet<String>,
    ) -> Vec<Standing> {
        let asked = command.map_or(&[][..], |spec| &spec.require).iter().chain(&transition.require);
        let sure = proved(transition.when.iter().chain(asked.map(|require| &require.check)));
        let mut all = vec![standing.clone()];
        if let Some(target) = transition.target {
            let depth = self.chart.node(leaf).map_or(0, |node| node.depth());
            for node in self.chart.active(leaf).take(depth.saturating_sub(target.kept)) {
                for standing in &mut all {
                    standing.stopped.retain(|clock| !node.clocks.contains(clock));
                }
                all = apply(all, &node.exit, tracked, &sure);
            }
        }
        if let Some(spec) = command {
            all = apply(all, &spec.effects, tracked, &sure);
        }
        all = apply(all, &transition.effects, tracked, &sure);
        match transition.target {
            Some(target) => self.enter(all, target.leaf, target.kept, tracked),
            None => all,
        }
    }

    fn enter(
        &self,
        mut all: Vec<Standing>,
        leaf: usize,
        kept: usize,
        tracked: &BTreeSet<String>,
    ) -> Vec<Standing> {
        let lineage = self.chart.node(leaf).map(|node| &*node.lineage).unwrap_or_default();
        for node in lineage.iter().skip(kept).filter_map(|&number| self.chart.node(number)) {
            all = apply(all, &node.entry, tracked, &BTreeSet::new());
            for standing in &mut all {
                standing.stopped.retain(|clock| !node.clocks.contains(clock));
            }
        }
        all
    }
}

/// The optional paths that are set when all conditions hold.
fn proved<'e>(conditions: impl Iterator<Item = &'e Expression>) -> BTreeSet<String> {
    conditions.flat_map(Expression::proves).cloned().collect()
}

/// What stands after a block of effects: both ways where a value may be unset. `sure` are the paths
/// that what led here has asked for.
fn apply(
    all: Vec<Standing>,
    effects: &Effects,
    tracked: &BTreeSet<String>,
    sure: &BTreeSet<String>,
) -> Vec<Standing> {
    let mut all: BTreeSet<Standing> = all.into_iter().collect();
    for (field, value) in effects.set.iter().filter(|(field, _)| tracked.contains(field)) {
        let (set, unset) = match value {
            None => (false, true),
            Some(value) => (true, value.is_optional() && !sure.contains(value.source().trim())),
        };
        let mut next = BTreeSet::new();
        for standing in all {
            let mut filled = standing.clone();
            filled.empty.remove(field);
            let mut emptied = standing;
            emptied.empty.insert(field.clone());
            next.extend(set.then_some(filled));
            next.extend(unset.then_some(emptied));
        }
        all = next;
    }
    let change = |mut standing: Standing| {
        standing.stopped.retain(|clock| !effects.rearm.contains(clock));
        standing.stopped.extend(effects.stop.iter().cloned());
        standing
    };
    all.into_iter().map(change).collect()
}
