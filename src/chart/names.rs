//! Which names an expression of a workflow may use, and which values they can take.

use std::collections::BTreeMap;

use super::expression::{Domains, Known, Names, Type};
use super::{Field, Kind};
use crate::domain::{Tier, Value};

/// The text that tells a unit's people of a matter that it goes on with for another one, where a
/// workflow has it.
pub const SUCCEEDED: &str = "succeeded";

/// The names in sight at one place of a workflow.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    known: BTreeMap<String, Known>,
    domains: BTreeMap<String, Vec<Value>>,
    workflows: Vec<String>,
    matters: Vec<String>,
}

impl Scope {
    /// The names that are in sight everywhere in a workflow: its fields, its clocks, its parties (the
    /// units that play them), the times, the actor.
    #[must_use]
    pub fn of_workflow(
        fields: &BTreeMap<String, Field>,
        clocks: &[String],
        parties: &[String],
        workflows: Vec<String>,
    ) -> Self {
        let mut scope = Self { workflows, ..Self::default() };
        for (name, field) in fields {
            scope.add(name, field.ty.clone(), field.optional);
            if let Some(domain) = domain(field) {
                scope.domains.insert(name.clone(), domain);
            }
        }
        for clock in clocks {
            scope.add(&format!("clock.{clock}.due"), Type::Instant, true);
            scope.add(&format!("clock.{clock}.running"), Type::Bool, false);
            scope.add(&format!("clock.{clock}.late"), Type::Bool, false);
        }
        for party in parties {
            scope.add(party, Type::Unit, false);
        }
        scope.add("at", Type::Instant, false);
        scope.add("now", Type::Instant, false);
        scope.add("actor.unit", Type::Unit, false);
        scope.add("actor.role", Type::Text, false);
        scope.add("actor.person", Type::Int, false);
        scope
    }

    /// The same with the inputs of a command or signal.
    #[must_use]
    pub fn with_input(&self, input: &[super::Input]) -> Self {
        let mut scope = self.clone();
        for item in input {
            scope.add(&format!("input.{}", item.name), item.ty.clone(), item.optional);
            if item.kind == Kind::Matter {
                scope.matters.push(item.name.clone());
            }
        }
        scope
    }

    /// The same with the member that `each` stands for.
    #[must_use]
    pub fn with_each(&self) -> Self {
        let mut scope = self.clone();
        scope.add("each", Type::Unit, false);
        scope
    }

    /// Whether an input in sight names another matter.
    #[must_use]
    pub fn takes_matter(&self, input: &str) -> bool {
        self.matters.iter().any(|name| name == input)
    }

    fn add(&mut self, path: &str, ty: Type, optional: bool) {
        self.known.insert(path.to_owned(), Known { ty, optional });
    }
}

impl Names for Scope {
    fn lookup(&self, path: &str) -> Option<Known> {
        self.known.get(path).cloned()
    }

    fn candidates(&self) -> Vec<String> {
        self.known.keys().cloned().collect()
    }

    fn workflows(&self) -> Vec<String> {
        self.workflows.clone()
    }
}

impl Domains for Scope {
    fn domain(&self, path: &str) -> Option<Vec<Value>> {
        self.domains.get(path).cloned()
    }
}

/// Counts with more values than this are not enumerated.
const ENUMERATED_MAX: i64 = 32;

fn domain(field: &Field) -> Option<Vec<Value>> {
    let mut values = match &field.ty {
        Type::Bool => vec![Value::Bool(false), Value::Bool(true)],
        Type::Tier => Tier::ALL.iter().map(|tier| Value::Int(tier.rank())).collect(),
        Type::Enum(codes) => codes.iter().map(|code| Value::Text(code.clone())).collect(),
        Type::Int => {
            let most = field.at_most.filter(|most| *most <= ENUMERATED_MAX)?;
            (0..=most).map(Value::Int).collect()
        }
        _ => return None,
    };
    if field.optional {
        values.push(Value::Unset);
    }
    Some(values)
}
