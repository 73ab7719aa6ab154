//! What expressions see while a decision is under way.

use super::Run;
use crate::calendar::Calendar;
use crate::chart::Party;
use crate::chart::expression::{Env, Expression};
use crate::domain::{Actor, Instant, Value};

impl Run<'_> {
    /// Whether a condition holds.
    pub(super) fn holds(&self, condition: &Expression) -> bool {
        condition.evaluate(self) == Value::Bool(true)
    }

    /// Whether a condition holds, for those who look from outside a decision.
    #[must_use]
    pub fn judge(&self, condition: &Expression) -> bool {
        self.holds(condition)
    }

    /// The unit that plays a part now.
    pub(super) fn unit_of(&self, party: &Party) -> Option<String> {
        self.units_of(party).into_iter().next()
    }

    /// The units that play a part now: several where a field holds a set.
    pub(super) fn units_of(&self, party: &Party) -> Vec<String> {
        let unit = match party {
            Party::Body(body) => self.situation.facts.ask(&format!("body/{body}")),
            Party::Field(field) => self.instance.fields.get(field).cloned().unwrap_or_default(),
            Party::Input(name) => self.command.input.get(name).cloned().unwrap_or_default(),
        };
        match unit {
            Value::Text(unit) => vec![unit],
            Value::List(units) => {
                units.iter().filter_map(Value::as_text).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        }
    }

    fn clock_value(&self, name: &str, attribute: &str) -> Value {
        let clock = self.instance.clocks.get(name);
        match attribute {
            "due" => clock.map(|clock| Value::Int(clock.due.0)).unwrap_or_default(),
            "running" => clock.is_some_and(|clock| clock.frozen.is_none()).into(),
            "late" => clock.is_some_and(|clock| self.is_late(clock.due)).into(),
            _ => Value::Unset,
        }
    }

    fn is_late(&self, due: Instant) -> bool {
        self.at >= due
    }
}

impl Env for Run<'_> {
    fn name(&self, path: &str) -> Value {
        if let Some(value) = self.instance.fields.get(path) {
            return value.clone();
        }
        if self.situation.chart.fields.contains_key(path) {
            return Value::Unset;
        }
        let mut parts = path.splitn(3, '.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("at"), None, _) => Value::Int(self.at.0),
            (Some("now"), None, _) => Value::Int(self.situation.now.0),
            (Some("each"), None, _) => self.each.clone(),
            (Some("input"), Some(name), None) => {
                self.command.input.get(name).cloned().unwrap_or_default()
            }
            (Some("actor"), Some("unit"), None) => {
                self.grant.as_ref().map(|grant| grant.unit.as_str()).unwrap_or_default().into()
            }
            (Some("actor"), Some("role"), None) => {
                self.grant.as_ref().map(|grant| grant.role.code()).unwrap_or_default().into()
            }
            (Some("actor"), Some("person"), None) => match self.actor {
                Actor::Person { id, .. } => Value::Int(id.0),
                _ => Value::Int(0),
            },
            (Some("clock"), Some(name), Some(attribute)) => self.clock_value(name, attribute),
            // A party's name stands for the unit that plays it.
            (Some(party), None, _) => self.situation.facts.ask(&format!("body/{party}")),
            _ => Value::Unset,
        }
    }

    fn ask(&self, question: &str) -> Value {
        self.situation.facts.ask(question)
    }

    fn calendar(&self) -> &Calendar {
        self.situation.calendar
    }

    fn children(&self, workflow: &str, open: bool) -> i64 {
        let children = self.instance.children.get(workflow).copied().unwrap_or_default();
        if open { children.open } else { children.total }
    }
}
