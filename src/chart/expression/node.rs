//! The tree of an expression, and its canonical text.

use std::fmt::{self, Display as _, Write as _};
use std::ops::Range;
use std::sync::Arc;

use super::Type;
use super::function::{Function, Owner};
use crate::calendar::Limit;
use crate::domain::Tier;

/// A part of an expression and where it stands in the source. Two nodes are equal when they mean
/// the same, wherever they stand.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Node {
    /// Whether it, or a part of it, is measured by the calendar.
    pub(super) fn asks_calendar(&self) -> bool {
        let any = |parts: &[Self]| parts.iter().any(Self::asks_calendar);
        match &self.kind {
            Kind::Limit(limit) => !matches!(limit, Limit::Real(_)),
            Kind::Call(function, arguments) => function.asks_calendar() || any(arguments),
            Kind::Not(inner) | Kind::Negate(inner) => inner.asks_calendar(),
            Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) => any(parts),
            Kind::Choose(parts) => any(&**parts),
            Kind::Compare(compare) => compare.left.asks_calendar() || compare.right.asks_calendar(),
            Kind::In(pair) | Kind::Arithmetic(_, pair) => any(&**pair),
            Kind::Broken
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Text(_)
            | Kind::Tier(_)
            | Kind::Unset
            | Kind::Name(_)
            | Kind::Attribute(_) => false,
        }
    }
}

/// What a node is. `Tier`, `Limit` and `Attribute` come into being when the tree is checked, and
/// `Compare::codes` is filled then; everything else is as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Something the parser has already complained about.
    Broken,
    Bool(bool),
    Int(i64),
    Text(String),
    Tier(Tier),
    Limit(Limit),
    Unset,
    List(Vec<Node>),
    /// A dotted path.
    Name(String),
    /// An attribute of the unit or category that a path names.
    Attribute(Attribute),
    Not(Box<Node>),
    Negate(Box<Node>),
    /// `a && b && c`: two or more.
    All(Vec<Node>),
    /// `a || b || c`: two or more.
    Any(Vec<Node>),
    /// `a ? b : c`
    Choose(Box<[Node; 3]>),
    Compare(Box<Compare>),
    /// `member in set`
    In(Box<[Node; 2]>),
    Arithmetic(Arithmetic, Box<[Node; 2]>),
    Call(Function, Vec<Node>),
}

/// `unit.active`: asked of the world outside by the code that `base` holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attribute {
    pub(super) base: String,
    pub(super) owner: Owner,
    pub(super) name: String,
    pub(super) ty: Type,
}

/// A comparison of two values of one type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compare {
    pub(super) test: Test,
    pub(super) left: Node,
    pub(super) right: Node,
    /// The codes in their order, where codes of an enum are compared.
    pub(super) codes: Option<Arc<[String]>>,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Test {
    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it asks for an order, not only for equality.
    pub(super) fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    /// Whether it holds for values that compare so.
    pub(super) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// What is done with two whole numbers; results beyond 64 bits are held at the bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
}

impl Arithmetic {
    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
        }
    }
}

/// How tightly a node binds, as in the grammar: 0 choice, 1 or, 2 and, 3 relation, 4 sum,
/// 5 product, 6 sign, 7 primary.
fn tightness(kind: &Kind) -> u8 {
    match kind {
        Kind::Choose(_) => 0,
        Kind::Any(_) => 1,
        Kind::All(_) => 2,
        Kind::Compare(_) | Kind::In(_) => 3,
        Kind::Arithmetic(Arithmetic::Add | Arithmetic::Subtract, _) => 4,
        Kind::Arithmetic(Arithmetic::Multiply, _) => 5,
        Kind::Not(_) | Kind::Negate(_) => 6,
        _ => 7,
    }
}

/// Writes `node`, in parentheses if it binds less tightly than `least`.
fn write_at(f: &mut fmt::Formatter<'_>, node: &Node, least: u8) -> fmt::Result {
    if tightness(&node.kind) < least { write!(f, "({node})") } else { node.fmt(f) }
}

fn write_joined(f: &mut fmt::Formatter<'_>, nodes: &[Node], sign: &str, least: u8) -> fmt::Result {
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            f.write_str(sign)?;
        }
        write_at(f, node, least)?;
    }
    Ok(())
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}

/// The canonical text: one space around signs, no parentheses that are not needed. Parsing it
/// gives the same tree.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Broken => f.write_char('?'),
            Kind::Bool(flag) => flag.fmt(f),
            Kind::Int(int) => int.fmt(f),
            Kind::Text(text) => write_text(f, text),
            Kind::Tier(tier) => write_text(f, tier.code()),
            Kind::Limit(limit) => limit.fmt(f),
            Kind::Unset => f.write_str("unset"),
            Kind::List(members) => {
                f.write_char('[')?;
                write_joined(f, members, ", ", 0)?;
                f.write_char(']')
            }
            Kind::Name(path) => f.write_str(path),
            Kind::Attribute(attribute) => write!(f, "{}.{}", attribute.base, attribute.name),
            Kind::Not(inner) => {
                f.write_char('!')?;
                write_at(f, inner, 6)
            }
            Kind::Negate(inner) => {
                f.write_char('-')?;
                write_at(f, inner, 6)
            }
            Kind::All(parts) => write_joined(f, parts, " && ", 3),
            Kind::Any(parts) => write_joined(f, parts, " || ", 2),
            Kind::Choose(parts) => {
                let [condition, yes, no] = &**parts;
                write_at(f, condition, 1)?;
                f.write_str(" ? ")?;
                write_at(f, yes, 1)?;
                f.write_str(" : ")?;
                write_at(f, no, 0)
            }
            Kind::Compare(compare) => {
                write_at(f, &compare.left, 3)?;
                write!(f, " {} ", compare.test.sign())?;
                write_at(f, &compare.right, 4)
            }
            Kind::In(pair) => {
                let [member, set] = &**pair;
                write_at(f, member, 3)?;
                f.write_str(" in ")?;
                write_at(f, set, 4)
            }
            Kind::Arithmetic(arithmetic, pair) => {
                let own = tightness(&self.kind);
                let [left, right] = &**pair;
                write_at(f, left, own)?;
                write!(f, " {} ", arithmetic.sign())?;
                write_at(f, right, own + 1)
            }
            Kind::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                write_joined(f, arguments, ", ", 0)?;
                f.write_char(')')
            }
        }
    }
}
