//! Where an instant comes from that an expression computes: what an explanation of it begins with.

use jiff::civil::Date;

use super::evaluate::{self, Passing, World};
use super::function::Function;
use super::node::{Kind, Node};
use super::{Env, Expression};
use crate::calendar::Limit;
use crate::domain::Instant;

/// Where an instant comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timing {
    /// A limit, counted from an instant.
    After(Instant, Limit),
    /// The close of a day, or of the next working day.
    CloseOf(Date),
    /// As a field has it.
    Field(String),
}

impl Expression {
    /// Where its instant comes from, as far as that can be told.
    #[must_use]
    pub fn timing(&self, env: &dyn Env) -> Option<Timing> {
        of(&self.root, &World(env))
    }
}

fn of(node: &Node, world: &World<'_>) -> Option<Timing> {
    match &node.kind {
        Kind::Choose(parts) => {
            let [condition, yes, no] = &**parts;
            of(if evaluate::truth(condition, world) { yes } else { no }, world)
        }
        Kind::Name(path) => Some(Timing::Field(path.clone())),
        Kind::Call(Function::Or, arguments) => {
            let [given, default] = arguments.as_slice() else { return None };
            let unset = evaluate::value(given, world) == Passing::Unset;
            of(if unset { default } else { given }, world)
        }
        Kind::Call(Function::After, arguments) => {
            let [base, limit] = arguments.as_slice() else { return None };
            match (evaluate::value(base, world), evaluate::value(limit, world)) {
                (Passing::Int(base), Passing::Limit(limit)) => {
                    Some(Timing::After(Instant(base), limit))
                }
                _ => None,
            }
        }
        Kind::Call(Function::CloseOf, arguments) => {
            let [date] = arguments.as_slice() else { return None };
            let Passing::Text(text) = evaluate::value(date, world) else { return None };
            text.parse().ok().map(Timing::CloseOf)
        }
        _ => None,
    }
}
