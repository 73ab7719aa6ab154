//! Guards: which can hold together, which can never hold, which come too late.

use std::ops::Range;

use super::super::expression::{Expression, Satisfiability, satisfiable};
use super::super::{Require, document::RequireDoc};
use super::{Arrow, Checker, arrows};

impl<'c> Checker<'c> {
    pub(super) fn guards(&mut self) {
        for place in self.places.clone() {
            for list in arrows(place) {
                for index in 0..list.len() {
                    let (earlier, rest) = list.split_at(index);
                    if let Some(arrow) = rest.first() {
                        self.guard(earlier, arrow);
                        self.requires(&arrow.doc.require, &arrow.transition.require);
                    }
                }
            }
        }
        for (name, doc) in self.document.commands.iter() {
            if let Some(spec) = self.chart.commands.get(&name.value) {
                self.requires(&doc.require, &spec.require);
            }
        }
        self.requires(&self.document.start.require, &self.chart.start.require);
    }

    fn guard(&mut self, earlier: &[Arrow<'c>], arrow: &Arrow<'c>) {
        let when = arrow.transition.when.as_ref();
        let span = arrow.doc.when.as_ref().map_or(arrow.span, |text| &text.span);
        if when.is_some_and(|when| self.never(&[(when, true)])) {
            let message = "this guard never holds: the transition is never taken".to_owned();
            self.warn("never_true", span, message, "look for values that exclude each other");
            return;
        }
        let guards = earlier.iter().map(|other| other.transition.when.as_ref());
        let Some(guards) = guards.collect::<Option<Vec<&Expression>>>() else {
            let message = format!("an earlier transition of `{}` is always taken", arrow.trigger);
            let help = "transitions are tried in the order of the file: put the one without `when` \
                        last";
            self.warn("never_tried", span, message, help);
            return;
        };
        let mut all: Vec<_> = guards.iter().map(|guard| (*guard, false)).collect();
        all.extend(when.map(|when| (when, true)));
        if !earlier.is_empty() && self.never(&all) {
            let message = format!(
                "the earlier transitions of `{}` leave no case for this one",
                arrow.trigger
            );
            self.warn("never_tried", span, message, "leave it out, or narrow the guards before it");
            return;
        }
        if let Some(when) = when {
            self.overlap(earlier, arrow, when, span);
        }
    }

    /// Two guards that can hold together: document order decides, which may not be meant.
    fn overlap(
        &mut self,
        earlier: &[Arrow<'c>],
        arrow: &Arrow<'c>,
        when: &Expression,
        span: &Range<usize>,
    ) {
        for other in earlier {
            let Some(first) = other.transition.when.as_ref() else { continue };
            let same = other.transition.target == arrow.transition.target;
            let Satisfiability::Witness(values) =
                satisfiable(&[(first, true), (when, true)], &self.names)
            else {
                continue;
            };
            if same {
                continue;
            }
            let values: Vec<String> =
                values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let message = format!(
                "two guards of `{}` can hold at once, for example with {}; the one written first wins",
                arrow.trigger,
                values.join(", ")
            );
            let help = format!("if that is not meant, add `!({first})` here");
            self.warn("overlap", span, message, help);
            return;
        }
    }

    /// Rules that refuse always.
    fn requires(&mut self, docs: &[RequireDoc], requires: &[Require]) {
        if docs.len() != requires.len() {
            return;
        }
        for (doc, require) in docs.iter().zip(requires) {
            if self.never(&[(&require.check, true)]) {
                let message = "this can never hold: the command is always refused".to_owned();
                let help = "look for values that exclude each other";
                self.warn("never_true", &doc.check.span, message, help);
            }
        }
    }

    fn never(&self, all: &[(&Expression, bool)]) -> bool {
        satisfiable(all, &self.names) == Satisfiability::Never
    }
}
