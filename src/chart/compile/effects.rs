//! What is done: set, tell, start, signal, rearm, stop.

use super::super::document::{
    ChildStartDoc, EffectsDoc, SendDoc, Spot, Table, TellDoc, TransitionDoc,
};
use super::super::expression::{Expected, Expression, Type};
use super::super::names::Scope;
use super::super::{ChildStart, Effects, Selector, Send, Tell};
use super::Compiler;

/// The channels that messages leave by.
pub(super) const CHANNELS: [&str; 4] = ["sms", "email", "console", "webhook"];

/// What the parts of a block become; the blocks of states and of transitions have the same parts.
macro_rules! compiled {
    ($compiler:expr, $doc:expr, $scope:expr) => {
        Effects {
            set: $compiler.sets(&$doc.set, $scope),
            rearm: $compiler.clock_list(&$doc.rearm),
            stop: $compiler.clock_list(&$doc.stop),
            tell: $compiler.tells(&$doc.tell, $scope),
            start: $compiler.starts(&$doc.start, $scope),
            signal: $compiler.sends(&$doc.signal, $scope),
        }
    };
}

impl Compiler<'_> {
    pub(super) fn effects(&mut self, doc: &EffectsDoc, scope: &Scope) -> Effects {
        compiled!(self, doc, scope)
    }

    pub(super) fn transition_effects(&mut self, doc: &TransitionDoc, scope: &Scope) -> Effects {
        compiled!(self, doc, scope)
    }

    pub(super) fn sets(
        &mut self,
        table: &Table<Spot<String>>,
        scope: &Scope,
    ) -> Vec<(String, Option<Expression>)> {
        let mut sets = Vec::new();
        for (name, text) in table.iter() {
            let Some(field) = self.fields.get(&name.value) else {
                let known: Vec<String> = self.fields.keys().cloned().collect();
                self.unknown("field", name, known.iter().map(String::as_str));
                continue;
            };
            let (ty, optional) = (field.ty.clone(), field.optional);
            if text.value.trim() == "unset" {
                if optional {
                    sets.push((name.value.clone(), None));
                } else {
                    let message =
                        format!("`{}` always has a value; it cannot be unset", name.value);
                    self.error("may_not_be_unset", &text.span, message).help = Some(
                        "set another value; flags, counts and what has `initial` always have one"
                            .to_owned(),
                    );
                }
                continue;
            }
            let expected = Expected::Assignable { ty, optional };
            if let Some(expression) = self.expression(text, scope, &expected) {
                sets.push((name.value.clone(), Some(expression)));
            }
        }
        sets
    }

    pub(super) fn clock_list(&mut self, names: &[Spot<String>]) -> Vec<String> {
        let mut list = Vec::new();
        for name in names {
            if self.clock_names.contains(name.value.as_str()) {
                list.push(name.value.clone());
            } else {
                let known: Vec<&str> = self.clock_names.iter().copied().collect();
                self.unknown("clock", name, known.into_iter());
            }
        }
        list
    }

    pub(super) fn channels(&mut self, via: &[Spot<String>]) -> Vec<String> {
        for channel in via {
            if !CHANNELS.contains(&channel.value.as_str()) {
                self.unknown("channel", channel, CHANNELS.into_iter());
            }
        }
        via.iter().map(|channel| channel.value.clone()).collect()
    }

    pub(super) fn text_name(&mut self, name: &Spot<String>) {
        if !self.text_names.contains(name.value.as_str()) {
            let known: Vec<&str> = self.text_names.iter().copied().collect();
            self.unknown("text", name, known.into_iter());
        }
    }

    /// A command that may be given in answer to an alert: one click or one digit, so nothing can be
    /// filled in.
    pub(super) fn offer(&mut self, name: &Spot<String>) -> Option<String> {
        match self.command_names.get(name.value.as_str()) {
            Some(true) => return Some(name.value.clone()),
            Some(false) => {
                let message = format!("`{}` needs input, which an answer cannot give", name.value);
                self.error("offer_needs_input", &name.span, message).help =
                    Some("offer a command whose inputs are all optional".to_owned());
            }
            None => {
                let known: Vec<&str> = self.command_names.keys().copied().collect();
                self.unknown("command", name, known.into_iter());
            }
        }
        None
    }

    pub(super) fn selectors(&mut self, texts: &[Spot<String>]) -> Vec<Selector> {
        texts.iter().filter_map(|text| self.selector(text)).collect()
    }

    pub(super) fn tells(&mut self, docs: &[TellDoc], scope: &Scope) -> Vec<Tell> {
        let mut tells = Vec::new();
        for doc in docs {
            self.text_name(&doc.text);
            if doc.to.is_empty() || doc.via.is_empty() {
                let message = "an alert needs people (`to`) and a channel (`via`)";
                self.error("tells_nobody", &doc.text.span, message).help =
                    Some("such as `to: [desk.shift_leader], via: [sms]`".to_owned());
            }
            if let [only] = doc.via.as_slice()
                && only.value == "webhook"
            {
                let message = "units' systems hear of it by their subscriptions; people would not";
                self.error("tells_nobody", &only.span, message).help =
                    Some("say `sms`, `email` or `console`".to_owned());
            }
            tells.push(Tell {
                to: self.selectors(&doc.to),
                via: self.channels(&doc.via),
                text: doc.text.value.clone(),
                offer: doc.offer.as_ref().and_then(|name| self.offer(name)),
                when: self.condition(doc.when.as_ref(), scope),
            });
        }
        tells
    }

    pub(super) fn starts(&mut self, docs: &[ChildStartDoc], scope: &Scope) -> Vec<ChildStart> {
        let mut starts = Vec::new();
        for doc in docs {
            // A set that is not given is a set without members.
            let set = Expected::Assignable { ty: Type::Set, optional: true };
            let each = doc.each.as_ref().and_then(|text| self.expression(text, scope, &set));
            let inner = if doc.each.is_some() { scope.with_each() } else { scope.clone() };
            starts.push(ChildStart {
                workflow: doc.workflow.value.clone(),
                when: self.condition(doc.when.as_ref(), scope),
                each,
                with: self.with(&doc.with, &inner),
            });
        }
        starts
    }

    pub(super) fn sends(&mut self, docs: &[SendDoc], scope: &Scope) -> Vec<Send> {
        let mut sends = Vec::new();
        for doc in docs {
            let to = doc.to.value.as_str();
            let named = to.strip_prefix("matter.");
            let matter = named.is_some_and(|name| scope.takes_matter(name));
            if to != "parent" && to != "children" && !to.starts_with("children.") && !matter {
                let message = format!("`{to}` is no relative");
                self.error("unknown_name", &doc.to.span, message).help = Some(
                    "`parent`, `children`, `children.<workflow>`, or `matter.<input>` of an \
                         input of type matter"
                        .to_owned(),
                );
            }
            sends.push(Send {
                to: doc.to.value.clone(),
                name: doc.name.value.clone(),
                when: self.condition(doc.when.as_ref(), scope),
                with: self.with(&doc.with, scope),
            });
        }
        sends
    }

    fn with(&mut self, table: &Table<Spot<String>>, scope: &Scope) -> Vec<(String, Expression)> {
        let mut with = Vec::new();
        for (name, text) in table.iter() {
            if let Some(expression) = self.expression(text, scope, &Expected::Any) {
                with.push((name.value.clone(), expression));
            }
        }
        with
    }
}
