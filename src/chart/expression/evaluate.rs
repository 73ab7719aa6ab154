//! The value of a checked tree. Total: whatever an environment answers, there is a value.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::function::{Function, Owner};
use super::node::{Arithmetic, Attribute, Compare, Kind, Node};
use super::{Env, Type};
use crate::calendar::{Calendar, Limit};
use crate::domain::{Instant, Tier, Value};

/// Where names have their values. Only an [`Env`] also has a world outside; without one there are
/// no answers, no children and no days.
pub(super) trait Scope {
    /// The value of a path.
    fn name(&self, path: &str) -> Value;
    /// The world outside, if there is one.
    fn world(&self) -> Option<&dyn Env>;
}

/// The scope of an evaluation in earnest.
pub(super) struct World<'w>(pub(super) &'w dyn Env);

impl Scope for World<'_> {
    fn name(&self, path: &str) -> Value {
        self.0.name(path)
    }

    fn world(&self) -> Option<&dyn Env> {
        Some(self.0)
    }
}

/// A value on its way: literals are lent by the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Passing<'e> {
    Unset,
    Bool(bool),
    Int(i64),
    Text(Cow<'e, str>),
    List(Vec<Value>),
    Limit(Limit),
}

impl From<Value> for Passing<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Unset => Self::Unset,
            Value::Bool(flag) => Self::Bool(flag),
            Value::Int(int) => Self::Int(int),
            Value::Text(text) => Self::Text(Cow::Owned(text)),
            Value::List(list) => Self::List(list),
        }
    }
}

impl Passing<'_> {
    /// The value as it is stored and sent.
    pub(super) fn into_value(self) -> Value {
        match self {
            Self::Unset => Value::Unset,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(int) => Value::Int(int),
            Self::Text(text) => Value::Text(text.into_owned()),
            Self::List(list) => Value::List(list),
            Self::Limit(limit) => Value::Text(limit.to_string()),
        }
    }

    /// A number for the kind, so that even values of different kinds have an order.
    fn rank(&self) -> u8 {
        match self {
            Self::Unset => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Text(_) => 3,
            Self::List(_) => 4,
            Self::Limit(_) => 5,
        }
    }

    /// How it compares; texts by their place among `codes` if there are any.
    pub(super) fn order(&self, other: &Self, codes: Option<&[String]>) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::List(a), Self::List(b)) => a.cmp(b),
            (Self::Limit(a), Self::Limit(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => match codes {
                None => a.cmp(b),
                Some(codes) => {
                    let place = |text: &str| codes.iter().position(|code| code == text);
                    place(a).cmp(&place(b))
                }
            },
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// The value of `node`.
pub(super) fn value<'e, S: Scope>(node: &'e Node, scope: &S) -> Passing<'e> {
    match &node.kind {
        Kind::Unset | Kind::Broken => Passing::Unset,
        Kind::Int(int) => Passing::Int(*int),
        Kind::Text(text) => Passing::Text(Cow::Borrowed(text)),
        Kind::Tier(tier) => Passing::Int(tier.rank()),
        Kind::Limit(limit) => Passing::Limit(*limit),
        Kind::List(members) => {
            let mut list: Vec<Value> =
                members.iter().map(|member| value(member, scope).into_value()).collect();
            list.sort_unstable();
            list.dedup();
            Passing::List(list)
        }
        Kind::Name(path) => scope.name(path).into(),
        Kind::Attribute(attribute) => attribute_of(attribute, scope),
        Kind::Choose(parts) => {
            let [condition, yes, no] = &**parts;
            value(if truth(condition, scope) { yes } else { no }, scope)
        }
        Kind::Negate(inner) => Passing::Int(int(inner, scope).saturating_neg()),
        Kind::Arithmetic(arithmetic, pair) => {
            let [left, right] = &**pair;
            let (left, right) = (int(left, scope), int(right, scope));
            Passing::Int(match arithmetic {
                Arithmetic::Add => left.saturating_add(right),
                Arithmetic::Subtract => left.saturating_sub(right),
                Arithmetic::Multiply => left.saturating_mul(right),
            })
        }
        Kind::Call(function, arguments) => call(*function, arguments, scope),
        Kind::Bool(_)
        | Kind::Not(_)
        | Kind::All(_)
        | Kind::Any(_)
        | Kind::Compare(_)
        | Kind::In(_) => Passing::Bool(truth(node, scope)),
    }
}

/// The flag that `node` is; false if it is none.
pub(super) fn truth<S: Scope>(node: &Node, scope: &S) -> bool {
    match &node.kind {
        Kind::Bool(flag) => *flag,
        Kind::Not(inner) => !truth(inner, scope),
        Kind::All(parts) => parts.iter().all(|part| truth(part, scope)),
        Kind::Any(parts) => parts.iter().any(|part| truth(part, scope)),
        Kind::Choose(parts) => {
            let [condition, yes, no] = &**parts;
            truth(if truth(condition, scope) { yes } else { no }, scope)
        }
        Kind::Compare(compare) => {
            let Compare { test, left, right, codes } = &**compare;
            test.holds(value(left, scope).order(&value(right, scope), codes.as_deref()))
        }
        Kind::In(pair) => {
            let [member, list] = &**pair;
            let member = value(member, scope);
            match &list.kind {
                Kind::List(members) => members.iter().any(|other| value(other, scope) == member),
                _ => contains(&value(list, scope), &member),
            }
        }
        _ => matches!(value(node, scope), Passing::Bool(true)),
    }
}

/// The number that `node` is; 0 if it is none.
fn int<S: Scope>(node: &Node, scope: &S) -> i64 {
    if let Passing::Int(int) = value(node, scope) { int } else { 0 }
}

fn contains(list: &Passing<'_>, member: &Passing<'_>) -> bool {
    match (list, member) {
        (Passing::List(list), Passing::Text(code)) => {
            list.iter().any(|other| other.as_text() == Some(code))
        }
        _ => false,
    }
}

/// The neutral value of a type of attributes.
fn neutral(ty: &Type) -> Passing<'static> {
    match ty {
        Type::Bool => Passing::Bool(false),
        Type::Int => Passing::Int(0),
        Type::Tier => Passing::Int(Tier::Ordinary.rank()),
        Type::Set => Passing::List(Vec::new()),
        _ => Passing::Text(Cow::Borrowed("")),
    }
}

/// An attribute; unset only where its unit or category is.
fn attribute_of<S: Scope>(attribute: &Attribute, scope: &S) -> Passing<'static> {
    let Attribute { base, owner, name, ty } = attribute;
    let code = scope.name(base);
    let Some(code) = code.as_text() else { return Passing::Unset };
    let answer = match code {
        "" => Value::Unset,
        code => ask(&format!("{}/{code}/{name}", owner.word()), scope),
    };
    match (ty, answer) {
        (Type::Tier, Value::Text(code)) => {
            Passing::Int(Tier::from_code(&code).unwrap_or_default().rank())
        }
        (_, Value::Unset) => neutral(ty),
        (_, answer) => answer.into(),
    }
}

/// The limit that `node` is; no time at all if it is none, so that an alarm comes too early
/// rather than never.
fn limit<S: Scope>(node: &Node, scope: &S) -> Limit {
    match value(node, scope) {
        Passing::Limit(limit) => limit,
        Passing::Text(text) => text.parse().unwrap_or(Limit::Real(0)),
        _ => Limit::Real(0),
    }
}

fn call<'e, S: Scope>(function: Function, arguments: &'e [Node], scope: &S) -> Passing<'e> {
    match (function, arguments) {
        (Function::Has, [name]) => Passing::Bool(value(name, scope) != Passing::Unset),
        (Function::Or, [name, default]) => match value(name, scope) {
            Passing::Unset => value(default, scope),
            given => given,
        },
        (Function::Size, [of]) => Passing::Int(match value(of, scope) {
            Passing::Text(text) => whole(text.chars().count()),
            Passing::List(list) => whole(list.len()),
            _ => 0,
        }),
        (Function::Workdays, [count]) => Passing::Limit(Limit::Workdays(int(count, scope).max(0))),
        (Function::Days, [count]) => Passing::Limit(Limit::Days(int(count, scope).max(0))),
        (Function::After, [base, length]) => {
            let base = Instant(int(base, scope));
            let limit = limit(length, scope);
            by_calendar(scope, |calendar| calendar.due_at(base, &limit).0)
        }
        (Function::Before, [due, length]) => {
            let due = Instant(int(due, scope));
            let limit = limit(length, scope);
            by_calendar(scope, |calendar| calendar.before(due, &limit).0)
        }
        (Function::CloseOf, [date]) => close_of(&value(date, scope), scope),
        (Function::WorkdaysBetween, [from, to]) => {
            let (from, to) = (Instant(int(from, scope)), Instant(int(to, scope)));
            by_calendar(scope, |calendar| calendar.working_days_between(from, to))
        }
        (Function::Max, [a, b]) => Passing::Int(int(a, scope).max(int(b, scope))),
        (Function::Min, [a, b]) => Passing::Int(int(a, scope).min(int(b, scope))),
        (Function::Open | Function::Total, [Node { kind: Kind::Name(workflow), .. }]) => {
            let count = |env: &dyn Env| env.children(workflow, function == Function::Open);
            Passing::Int(scope.world().map_or(0, count))
        }
        (Function::With, [set, member]) => changed(value(set, scope), &value(member, scope), true),
        (Function::Without, [set, member]) => {
            changed(value(set, scope), &value(member, scope), false)
        }
        (Function::Union, [a, b]) => {
            let mut both = members(value(a, scope));
            both.extend(members(value(b, scope)));
            both.sort_unstable();
            both.dedup();
            Passing::List(both)
        }
        (Function::Shares, [a, b]) => {
            let (a, b) = (members(value(a, scope)), members(value(b, scope)));
            Passing::Bool(a.iter().any(|member| b.contains(member)))
        }
        (Function::Within, [unit, territory]) => {
            Passing::Bool(within(&value(unit, scope), &value(territory, scope), scope))
        }
        _ => Passing::Unset,
    }
}

/// A length as a number of the language.
fn whole(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Close of business on a day, or on the next working day. A value that is no date closes at the
/// beginning of time: what hangs on it is late at once, and is seen.
fn close_of<S: Scope>(date: &Passing<'_>, scope: &S) -> Passing<'static> {
    let Passing::Text(text) = date else { return Passing::Int(0) };
    let Ok(date) = text.parse() else { return Passing::Int(0) };
    by_calendar(scope, |calendar| calendar.close_on_or_after(date).0)
}

/// What the calendar says; 0 where there is none.
fn by_calendar<S: Scope>(scope: &S, says: impl Fn(&Calendar) -> i64) -> Passing<'static> {
    Passing::Int(scope.world().map_or(0, |env| says(env.calendar())))
}

/// What the world outside says; nothing where there is none.
fn ask<S: Scope>(question: &str, scope: &S) -> Value {
    scope.world().map(|env| env.ask(question)).unwrap_or_default()
}

/// The members of a set; one that is not given has none.
fn members(set: Passing<'_>) -> Vec<Value> {
    if let Passing::List(list) = set { list } else { Vec::new() }
}

/// The set with or without a member, in order.
fn changed(set: Passing<'_>, member: &Passing<'_>, add: bool) -> Passing<'static> {
    let mut list = members(set);
    if let Passing::Text(code) = member {
        list.retain(|other| other.as_text() != Some(code));
        if add {
            list.push(Value::from(&**code));
            list.sort_unstable();
        }
    }
    Passing::List(list)
}

fn within<S: Scope>(unit: &Passing<'_>, territory: &Passing<'_>, scope: &S) -> bool {
    let (Passing::Text(unit), Passing::Text(territory)) = (unit, territory) else { return false };
    let question = format!("{}/{unit}/within/{territory}", Owner::Unit.word());
    ask(&question, scope) == Value::Bool(true)
}
