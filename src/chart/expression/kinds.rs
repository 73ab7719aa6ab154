//! The types of the language.

use std::fmt;
use std::sync::Arc;

/// The type of an expression or name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// A flag.
    Bool,
    /// A whole number or a count.
    Int,
    /// A text.
    Text,
    /// One of these codes, in their order.
    Enum(Arc<[String]>),
    /// A response tier; as a value its rank.
    Tier,
    /// A point in time; as a value milliseconds.
    Instant,
    /// A calendar day; as a value the text YYYY-MM-DD.
    Date,
    /// How long something may take; as a value the text of `calendar::Limit`.
    Limit,
    /// A unit's code.
    Unit,
    /// A category's code.
    Category,
    /// A person's id.
    Person,
    /// A set of unit codes; as a value a sorted list.
    Set,
    /// The type of `unset` where nothing more is known.
    Unset,
}

impl Type {
    /// Whether a value of type `found` may stand where this type is wanted: the same type, or an
    /// enum of which every code is among the wanted ones.
    pub(super) fn takes(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Enum(wanted), Self::Enum(codes)) => {
                codes.iter().all(|code| wanted.contains(code))
            }
            _ => self == found,
        }
    }

    /// Whether values of the two types may be compared for equality. Codes of units and categories
    /// are texts, so that they may be compared with texts that hold such codes (`unit.parent`).
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unit | Self::Category, Self::Text)
            | (Self::Text, Self::Unit | Self::Category) => true,
            _ => self == other && !matches!(self, Self::Limit | Self::Unset),
        }
    }

    /// Whether its values have an order.
    pub(super) fn is_ordered(&self) -> bool {
        matches!(self, Self::Int | Self::Instant | Self::Date | Self::Enum(_) | Self::Tier)
    }
}

/// As it is called in complaints.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "a flag",
            Self::Int => "a number",
            Self::Text => "a text",
            Self::Enum(codes) => return write!(f, "one of {}", codes.join(", ")),
            Self::Tier => "a tier",
            Self::Instant => "an instant",
            Self::Date => "a date",
            Self::Limit => "a limit",
            Self::Unit => "a unit",
            Self::Category => "a category",
            Self::Person => "a person",
            Self::Set => "a set of units",
            Self::Unset => "unset",
        })
    }
}

/// What is known of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its type.
    pub ty: Type,
    /// Whether it may be `Unset`, so that an expression must ask `has()` or give `or()`.
    pub optional: bool,
}

/// What the place of an expression wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A value of this type, never unset: `Bool` for guards.
    Exactly(Type),
    /// What a field of this type can be set to. If it is optional, also `unset` and what may be.
    Assignable {
        /// The field's type.
        ty: Type,
        /// Whether the field may be unset.
        optional: bool,
    },
    /// When a clock is due.
    LimitOrInstant,
    /// Anything, even something that may be unset.
    Any,
}
