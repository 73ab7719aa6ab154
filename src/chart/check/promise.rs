//! The promise: every waiting state has a holder, a clock, and a ladder that never falls silent.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::Spot;
use super::super::{Party, Selector, Shape};
use super::{Checker, Place, quoted};

impl Checker<'_> {
    /// Holders, clocks in force, reactions to clocks; and people who may give commands.
    pub(super) fn promise(&mut self) {
        for leaf in self.leaves().collect::<Vec<_>>() {
            match leaf.node.shape {
                Shape::Waiting if !self.passes_at_once(leaf) => self.waiting(leaf),
                Shape::Final | Shape::Rest => self.ended(leaf),
                _ => {}
            }
        }
        self.reactions();
        self.armed_twice();
        self.givers();
    }

    fn waiting(&mut self, leaf: Place<'_>) {
        let (path, span) = (&leaf.node.path, &leaf.name.span);
        if !self.path(leaf).any(|place| place.doc.holder.is_some()) {
            let message = format!("`{path}` waits, but nobody is responsible there");
            let help = "name a `holder` in the state or in one around it: a party of `parties`, or \
                        a field of type unit";
            self.error("no_holder", span, message, help);
        }
        let listed: Vec<&Spot<String>> =
            self.path(leaf).flat_map(|place| &place.doc.clocks).collect();
        let stopped: BTreeSet<&str> =
            self.path(leaf).flat_map(|place| &place.doc.suspends).map(|c| c.as_str()).collect();
        if listed.iter().any(|clock| !stopped.contains(clock.as_str())) {
            return;
        }
        let message = if listed.is_empty() {
            format!("`{path}` waits, but no clock runs there: the matter could be forgotten")
        } else {
            let clocks = quoted(listed.iter().map(|clock| clock.as_str()));
            format!("`{path}` waits, but its clocks stand still there: {clocks}")
        };
        let help = "list a clock with a ladder in `clocks` of the state or of one around it";
        self.error("no_clock", span, message, help);
    }

    /// What has ended is not chased, and nobody holds it.
    fn ended(&mut self, leaf: Place<'_>) {
        if let Some(holder) = &leaf.doc.holder {
            let message = format!("`{}` is closed; its holder is never used", leaf.node.path);
            self.warn("holder_of_closed", &holder.span, message, "leave `holder` out");
        }
        if !leaf.is(Shape::Final) {
            return;
        }
        let clock = self.path(leaf).find_map(|place| Some((place, place.doc.clocks.first()?)));
        if let Some((scope, clock)) = clock
            && scope.number != leaf.number
        {
            let (path, around) = (&leaf.node.path, &scope.node.path);
            let message = format!(
                "`{path}` is final, yet the clock `{}` of `{around}` would run on there",
                clock.value
            );
            let help = format!("move `{}` out of `{around}`", leaf.node.name);
            self.error("clock_in_final", &leaf.name.span, message, help);
        }
    }

    /// A clock needs a reaction in every leaf of its scope in which it can run out.
    fn reactions(&mut self) {
        for scope in self.places.clone() {
            for clock in &scope.doc.clocks {
                if self.document.clocks.get(clock).is_none() {
                    continue;
                }
                let trigger = format!("clock.{}", clock.value);
                let deaf: Vec<&str> = self
                    .leaves_under(scope.number)
                    .filter(|leaf| !leaf.is(Shape::Final) && !self.passes_at_once(*leaf))
                    .filter(|leaf| !self.stands_still(*leaf, clock))
                    .filter(|leaf| !self.path(*leaf).any(|p| p.doc.on.get(&trigger).is_some()))
                    .map(|leaf| leaf.node.path.as_str())
                    .collect();
                if deaf.is_empty() {
                    continue;
                }
                let message = format!(
                    "the clock `{}` can run out in {}, and nothing reacts to it there",
                    clock.value,
                    quoted(deaf)
                );
                let help = format!(
                    "write `{trigger}` under `on` of `{}`; `{{}}` is enough where nothing changes",
                    scope.node.path
                );
                self.error("no_reaction", &clock.span, message, help);
            }
        }
        self.aimed_nowhere();
    }

    /// Whether a clock is frozen or replaced while a leaf is active.
    fn stands_still(&self, leaf: Place<'_>, clock: &str) -> bool {
        self.places.iter().filter(|place| leaf.node.lineage.contains(&place.number)).any(|place| {
            let replaced = |other: &Spot<String>| {
                let doc = self.document.clocks.get(other);
                doc.and_then(|doc| doc.replaces.as_ref()).is_some_and(|old| old.value == clock)
            };
            place.doc.suspends.iter().any(|other| other.value == clock)
                || place.doc.clocks.iter().any(replaced)
        })
    }

    /// A reaction to a clock that is never in force where it stands.
    fn aimed_nowhere(&mut self) {
        for place in self.places.clone() {
            for trigger in place.doc.on.keys() {
                let mut words = trigger.value.splitn(3, '.');
                let (Some("clock"), Some(clock)) = (words.next(), words.next()) else { continue };
                if self.document.clocks.get(clock).is_none() {
                    continue;
                }
                let near = self.scopes(clock).any(|scope| {
                    scope.node.lineage.contains(&place.number)
                        || place.node.lineage.contains(&scope.number)
                });
                if !near {
                    let message = format!(
                        "the clock `{clock}` never runs in `{}`: this can't happen",
                        place.node.path
                    );
                    let help = format!("list `{clock}` in `clocks` of a state on this path");
                    self.error("clock_not_here", &trigger.span, message, help);
                } else if let Some(step) = words.next()
                    && !self.raises(clock, step)
                {
                    let message = format!("no step of the ladder of `{clock}` raises `{step}`");
                    let help = format!("give a step of its ladder `raise: {step}`");
                    self.error("never_raised", &trigger.span, message, help);
                }
            }
        }
    }

    fn raises(&self, clock: &str, name: &str) -> bool {
        let doc = self.document.clocks.get(clock);
        let ladder = doc.and_then(|doc| self.document.ladders.get(&doc.ladder));
        let raised = |raise: &Spot<String>| raise.value == name;
        ladder.is_some_and(|steps| steps.iter().filter_map(|s| s.raise.as_ref()).any(raised))
    }

    /// One clock, armed by a state and again inside it: the outer one would be lost.
    fn armed_twice(&mut self) {
        for place in self.places.clone() {
            for (index, clock) in place.doc.clocks.iter().enumerate() {
                let earlier = place.doc.clocks.iter().take(index).any(|c| c.value == clock.value);
                let above = self
                    .path(place)
                    .skip(1)
                    .find(|outer| outer.doc.clocks.iter().any(|other| other.value == clock.value));
                let around = above.map(|outer| outer.node.path.as_str());
                if let Some(outer) = around.or(earlier.then_some(place.node.path.as_str())) {
                    let message =
                        format!("the clock `{}` is armed by `{outer}` already", clock.value);
                    self.error("armed_twice", &clock.span, message, "list it in one of them only");
                }
            }
        }
    }

    /// Commands whose every giver stands in a field that nothing ever fills.
    fn givers(&mut self) {
        let set = self.fields_set();
        let nobody = |selectors: &[Selector], opens: bool| {
            !selectors.is_empty()
                && selectors.iter().all(|selector| match &selector.party {
                    Party::Field(field) => opens || !set.contains(field),
                    Party::Body(_) | Party::Input(_) => false,
                })
        };
        let mut empty = Vec::new();
        if nobody(&self.chart.start.by, true) && !self.chart.start.by_parent {
            empty.push(self.document.start.command.clone());
        }
        for name in self.document.commands.keys() {
            let spec = self.chart.commands.get(&name.value);
            if spec.is_some_and(|spec| nobody(&spec.by, false)) {
                empty.push(name.clone());
            }
        }
        for name in empty {
            let message = format!(
                "nobody may ever give `{}`: its people stand in fields that are empty",
                name.value
            );
            let help = "name a party in `by`, or set the field before";
            self.error("nobody_may", &name.span, message, help);
        }
    }

    /// Ladders: not empty, never silent, and everything they raise is heard.
    pub(super) fn ladders(&mut self) {
        for (name, steps) in self.document.ladders.iter() {
            if steps.is_empty() {
                let message =
                    format!("the ladder `{}` is empty: nobody would be woken", name.value);
                self.error(
                    "empty_ladder",
                    &name.span,
                    message,
                    "give it steps, `every` as the last",
                );
            }
        }
        let mut silent: BTreeMap<usize, (Spot<String>, String)> = BTreeMap::new();
        for (clock, doc) in self.document.clocks.iter() {
            let Some((name, steps)) =
                self.document.ladders.iter().find(|(name, _)| name.value == doc.ladder.value)
            else {
                continue;
            };
            for raise in steps.iter().filter_map(|step| step.raise.as_ref()) {
                let trigger = format!("clock.{}.{}", clock.value, raise.value);
                if !self.places.iter().any(|place| place.doc.on.get(&trigger).is_some()) {
                    let message = format!("nothing reacts to `{trigger}`");
                    let help =
                        format!("write `{trigger}` under `on` of a state in which it can come");
                    self.error("nobody_reacts", &raise.span, message, help);
                }
            }
            let repeats = steps.iter().any(|step| step.every.is_some());
            let last = steps.iter().rfind(|step| step.at.is_some());
            if !repeats && !steps.is_empty() && !self.ends_by_leaving(clock, last) {
                silent.entry(name.span.start).or_insert((name.clone(), clock.value.clone()));
            }
        }
        for (name, clock) in silent.into_values() {
            let message = format!(
                "the ladder `{}` ends in silence: after its last step `{clock}` would wake nobody",
                name.value
            );
            let help = "let it end with `every`, or let its last step `raise` what leaves the \
                        clock's scope";
            self.error("ladder_ends", &name.span, message, help);
        }
        self.replacements();
    }

    /// Whether a clock's scope is left for sure by the last step of its ladder, or when it runs
    /// out, wherever it stands.
    pub(super) fn ends_by_leaving(
        &self,
        clock: &Spot<String>,
        last: Option<&super::super::document::StepDoc>,
    ) -> bool {
        let mut triggers = vec![format!("clock.{}", clock.value)];
        if let Some(step) = last
            && step.when.is_none()
            && let Some(raise) = &step.raise
        {
            triggers.push(format!("clock.{}.{}", clock.value, raise.value));
        }
        self.scopes(clock).all(|scope| {
            self.leaves_under(scope.number)
                .filter(|leaf| !leaf.is(Shape::Final) && !self.passes_at_once(*leaf))
                .all(|leaf| triggers.iter().any(|t| self.surely_leaves(leaf, t, scope)))
        })
    }

    /// Clocks that replace each other in a circle, or two that replace the same at once.
    fn replacements(&mut self) {
        let next: BTreeMap<&str, &Spot<String>> = self
            .document
            .clocks
            .iter()
            .filter_map(|(name, doc)| Some((name.value.as_str(), doc.replaces.as_ref()?)))
            .collect();
        for (&name, &first) in &next {
            let mut at = first;
            for _ in 0..next.len() {
                if at.value == name {
                    let message = format!("`{name}` replaces itself in the end");
                    self.error("replaces_circle", &first.span, message, "break the circle");
                    break;
                }
                let Some(further) = next.get(at.as_str()) else { break };
                at = further;
            }
        }
        for place in self.places.clone() {
            let mut replaced: BTreeSet<&str> = BTreeSet::new();
            for clock in
                self.path(place).collect::<Vec<_>>().iter().rev().flat_map(|p| &p.doc.clocks)
            {
                let Some(old) = next.get(clock.as_str()) else { continue };
                if !replaced.insert(old.as_str()) && place.doc.clocks.contains(clock) {
                    let message = format!("`{}` is replaced by two clocks at once here", old.value);
                    let help = format!(
                        "it goes on as soon as one of them ends; let only one replace `{}`",
                        old.value
                    );
                    self.warn("replaced_twice", &clock.span, message, help);
                }
            }
        }
    }
}
