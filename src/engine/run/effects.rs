//! Doing what states, commands and transitions say: set, rearm, stop, tell, start, signal.

use super::Run;
use crate::chart::{ChildStart, Effects, Selector, Send, Tell};
use crate::domain::event::{Signalled, Started, Told};
use crate::domain::{Actor, Fields, PersonId, Refusal, Text, Value};
use crate::engine::{LEFT_CHILDREN, LEFT_OUT};

/// What is told.
#[derive(Clone, Copy)]
pub(super) struct Words<'w> {
    /// The name of the text.
    pub(super) text: &'w str,
    /// The command that may be given in answer.
    pub(super) offer: Option<&'w str>,
    /// The clock that speaks.
    pub(super) clock: Option<&'w str>,
}

impl Run<'_> {
    /// Does everything that one block says, in the order of the language.
    ///
    /// # Errors
    /// When more children would be started than the workflow allows, or more units stand in a set.
    pub fn apply(&mut self, effects: &Effects) -> Result<(), Refusal> {
        // All values of one block are computed before any is written.
        let values: Vec<(&String, Value)> = effects
            .set
            .iter()
            .map(|(name, value)| {
                (name, value.as_ref().map(|value| value.evaluate(self)).unwrap_or_default())
            })
            .collect();
        for (name, value) in values {
            match self.bounded(name, value)? {
                Value::Unset => self.instance.fields.remove(name),
                value => self.instance.fields.insert(name.clone(), value),
            };
        }
        for clock in &effects.rearm {
            self.rearm(clock);
        }
        for clock in &effects.stop {
            self.stop(clock);
        }
        for tell in &effects.tell {
            self.tell(tell);
        }
        for start in &effects.start {
            self.start(start)?;
        }
        for send in &effects.signal {
            self.send(send);
        }
        Ok(())
    }

    /// Counts are held at their declared bounds, which the prover relies on. So it does on those of
    /// sets; but a unit that was named and then left out would never hear of it: that is refused.
    fn bounded(&self, name: &str, value: Value) -> Result<Value, Refusal> {
        let field = self.situation.chart.fields.get(name);
        let Some((field, most)) = field.and_then(|field| Some((field, field.at_most?))) else {
            return Ok(value);
        };
        match value {
            Value::Int(count) => Ok(Value::Int(count.clamp(0, most))),
            Value::List(members) if i64::try_from(members.len()).is_ok_and(|n| n > most) => {
                Err(Refusal::new(
                    "too_many_units",
                    Text::new(
                        format!("“{}”最多{most}个单位，命令未执行", field.title.zh),
                        format!("`{name}` holds at most {most} units; nothing was done"),
                    ),
                ))
            }
            value => Ok(value),
        }
    }

    /// Whether a clock fires without this, because it was refused when it was tried.
    pub(super) fn leaves_out(&self, what: &str) -> bool {
        let list = self.command.input.get(LEFT_OUT).and_then(Value::as_list);
        matches!(self.actor, Actor::Clock)
            && list.is_some_and(|list| list.iter().any(|one| one.as_text() == Some(what)))
    }

    fn tell(&mut self, tell: &Tell) {
        if tell.when.as_ref().is_none_or(|when| self.holds(when)) {
            let words = Words { text: &tell.text, offer: tell.offer.as_deref(), clock: None };
            self.tell_people(&tell.to, &tell.via, words);
        }
    }

    /// Writes an alert down; answers whether it reaches anybody.
    pub(super) fn tell_people(
        &mut self,
        to: &[Selector],
        via: &[String],
        words: Words<'_>,
    ) -> bool {
        let mut places: Vec<String> = Vec::new();
        let mut people: Vec<PersonId> = Vec::new();
        for selector in to {
            for unit in self.units_of(&selector.party) {
                let place = format!("{unit}.{}", selector.role);
                if places.contains(&place) {
                    continue;
                }
                let answer = self.situation.facts.ask(&format!("people/{unit}/{}", selector.role));
                let found = answer.as_list().unwrap_or_default().iter().filter_map(Value::as_int);
                for person in found.map(PersonId) {
                    if !people.contains(&person) {
                        people.push(person);
                    }
                }
                places.push(place);
            }
        }
        let reached = !people.is_empty();
        self.told.push(Told {
            text: words.text.to_owned(),
            to: places,
            people,
            via: via.to_vec(),
            clock: words.clock.map(str::to_owned),
            offer: words.offer.map(str::to_owned),
        });
        reached
    }

    fn start(&mut self, start: &ChildStart) -> Result<(), Refusal> {
        let left_out = self.leaves_out(&start.workflow) || self.leaves_out(LEFT_CHILDREN);
        if left_out || !start.when.as_ref().is_none_or(|when| self.holds(when)) {
            return Ok(());
        }
        let members = match &start.each {
            None => vec![Value::Unset],
            Some(each) => match each.evaluate(self) {
                Value::List(members) => members,
                _ => Vec::new(),
            },
        };
        for member in members {
            self.each = member;
            let input = self.with(&start.with);
            self.each = Value::Unset;
            let most = self.situation.chart.children.get(&start.workflow).copied().unwrap_or(0);
            let children = self.instance.children.entry(start.workflow.clone()).or_default();
            if children.total >= most {
                return Err(Refusal::new(
                    "too_many_children",
                    Text::new(
                        format!("此事项的“{}”已达上限{most}个", start.workflow),
                        format!("The matter already has {most} of `{}`", start.workflow),
                    ),
                ));
            }
            children.total += 1;
            children.open += 1;
            self.started.push(Started { workflow: start.workflow.clone(), input });
        }
        Ok(())
    }

    fn send(&mut self, send: &Send) {
        let left_out = self.leaves_out(&format!("signal.{}", send.name));
        if !left_out && send.when.as_ref().is_none_or(|when| self.holds(when)) {
            let input = self.with(&send.with);
            let to = self.addressee(&send.to);
            self.signalled.push(Signalled { to, name: send.name.clone(), input });
        }
    }

    /// `matter.<input>` in the words of the event: the number that the input holds.
    fn addressee(&self, to: &str) -> String {
        let number = to.strip_prefix("matter.").and_then(|name| self.command.input.get(name));
        let number = number.and_then(Value::as_text);
        number.map_or_else(|| to.to_owned(), |number| format!("matter.{number}"))
    }

    fn with(&self, with: &[(String, crate::chart::expression::Expression)]) -> Fields {
        with.iter()
            .map(|(name, value)| (name.clone(), value.evaluate(self)))
            .filter(|(_, value)| !value.is_unset())
            .collect()
    }
}
