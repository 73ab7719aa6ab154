//! Where transitions lead: states out of reach, dead ends, circles without end.

use std::collections::BTreeSet;

use super::super::Shape;
use super::{Checker, Place, arrows, quoted};

impl<'c> Checker<'c> {
    pub(super) fn paths(&mut self) {
        let reached = self.reached();
        self.unreachable(&reached);
        for leaf in self.leaves().collect::<Vec<_>>() {
            if reached.contains(&leaf.number) && leaf.is(Shape::Waiting) {
                self.dead_end(leaf);
            }
        }
        self.without_end(&reached);
        self.circles();
        self.outcomes();
        let first = self.places.get(self.chart.initial).copied();
        if let Some(first) = first.filter(|place| place.is(Shape::Final)) {
            let message =
                format!("an instance would end as it begins: `{}` is final", first.name.value);
            let span = self.document.initial.span.clone();
            self.error("starts_ended", &span, message, "let `initial` lead to a state that waits");
        }
    }

    /// The leaves that a leaf's transitions lead to.
    fn next(&self, leaf: Place<'c>) -> BTreeSet<usize> {
        if leaf.is(Shape::Final) {
            return BTreeSet::new();
        }
        let transitions = self.path(leaf).flat_map(|place| {
            place.node.on.values().flatten().chain(&place.node.always).collect::<Vec<_>>()
        });
        transitions.filter_map(|transition| Some(transition.target?.leaf)).collect()
    }

    fn reached(&self) -> BTreeSet<usize> {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![self.chart.initial];
        while let Some(number) = waiting.pop() {
            let Some(leaf) = self.places.get(number).copied() else { continue };
            if reached.insert(number) {
                waiting.extend(self.next(leaf));
            }
        }
        reached
    }

    /// Complains of the outermost states that hold no leaf within reach.
    fn unreachable(&mut self, reached: &BTreeSet<usize>) {
        let far =
            |number: usize| !self.leaves_under(number).any(|leaf| reached.contains(&leaf.number));
        let lost: Vec<Place<'c>> = self
            .places
            .iter()
            .filter(|place| far(place.number) && !place.node.parent().is_some_and(far))
            .copied()
            .collect();
        for place in lost {
            let message = format!("no path leads to `{}`", place.node.path);
            let help = "let a transition lead there, or leave the state out";
            self.error("unreachable", &place.name.span, message, help);
        }
    }

    fn dead_end(&mut self, leaf: Place<'c>) {
        if self.next(leaf).iter().all(|target| *target == leaf.number) {
            let message = format!("nothing leads out of `{}`", leaf.node.path);
            let help = "give it a transition to another state, or mark it `final: true` or \
                        `rest: true`";
            self.error("dead_end", &leaf.name.span, message, help);
        }
    }

    /// Leaves from which the matter can never be closed, unless they are dead ends themselves.
    fn without_end(&mut self, reached: &BTreeSet<usize>) {
        let mut good: BTreeSet<usize> = self
            .leaves()
            .filter(|leaf| matches!(leaf.node.shape, Shape::Final | Shape::Rest))
            .map(|leaf| leaf.number)
            .collect();
        let leaves: Vec<Place<'c>> = self.leaves().collect();
        loop {
            let more: Vec<usize> = leaves
                .iter()
                .filter(|leaf| !good.contains(&leaf.number))
                .filter(|leaf| self.next(**leaf).iter().any(|target| good.contains(target)))
                .map(|leaf| leaf.number)
                .collect();
            if more.is_empty() {
                break;
            }
            good.extend(more);
        }
        let lost = |leaf: &&Place<'c>| {
            let dead = self.next(**leaf).iter().all(|target| *target == leaf.number);
            reached.contains(&leaf.number) && !good.contains(&leaf.number) && !dead
        };
        let lost: Vec<Place<'c>> = leaves.iter().filter(lost).copied().collect();
        if let Some(first) = lost.first() {
            let names = quoted(lost.iter().map(|leaf| leaf.node.path.as_str()));
            let message = format!("from {names} neither a final nor a rest state can be reached");
            let help = "every matter should be able to end";
            self.warn("never_ends", &first.name.span.clone(), message, help);
        }
    }

    /// Circles of transitions that need no trigger and have no guard.
    fn circles(&mut self) {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        for leaf in self.leaves().collect::<Vec<_>>() {
            let mut seen = BTreeSet::new();
            let mut at = leaf;
            while seen.insert(at.number) {
                let Some(next) = self.driven(at) else { break };
                let Some(place) = self.places.get(next).copied() else { break };
                at = place;
                if at.number == leaf.number && seen.iter().all(|number| !told.contains(number)) {
                    let names = seen.iter().filter_map(|number| self.places.get(*number));
                    let names = quoted(names.map(|place| place.node.path.as_str()));
                    let message = format!("`always` runs in a circle without end: {names}");
                    let help = "give one of the transitions a `when` that stops it";
                    self.error("endless", &leaf.name.span, message, help);
                    told.extend(seen.iter().copied());
                    break;
                }
            }
        }
    }

    /// Where a leaf is driven to whatever the fields hold: itself, if a transition without a
    /// target is taken again and again.
    fn driven(&self, leaf: Place<'c>) -> Option<usize> {
        let first = self.path(leaf).flat_map(|place| &place.node.always).next()?;
        if first.when.is_some() || leaf.is(Shape::Final) {
            return None;
        }
        Some(first.target.map_or(leaf.number, |target| target.leaf))
    }

    /// An outcome says why an instance ended; it is lost where nothing ends.
    fn outcomes(&mut self) {
        for place in self.places.clone() {
            for arrow in arrows(place).into_iter().flatten() {
                let Some(outcome) = &arrow.doc.outcome else { continue };
                let target = arrow.transition.target.and_then(|t| self.places.get(t.leaf).copied());
                let ends = target.is_some_and(|leaf| {
                    matches!(leaf.node.shape, Shape::Final | Shape::Rest)
                        || self.path(leaf).any(|place| !place.node.always.is_empty())
                });
                if !ends {
                    let message =
                        format!("the outcome `{}` would be lost: nothing ends here", outcome.value);
                    let help = "`outcome` goes with a `to` that is final or rest";
                    self.error("lost_outcome", &outcome.span, message, help);
                }
            }
        }
    }
}
