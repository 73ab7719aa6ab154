//! The shapes of fields and inputs: what kinds of values there are.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Spot, Table, yes};
use crate::domain::Text;

/// The kinds of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// True or false.
    Flag,
    /// 0 to `at_most`.
    Count,
    /// A whole number.
    Number,
    /// A text of at most `max` characters.
    Text,
    /// One of the codes of `of`, in that order.
    Enum,
    /// A response tier.
    Tier,
    /// A point in time.
    Instant,
    /// A calendar day.
    Date,
    /// A unit's code.
    Unit,
    /// A category's code.
    Category,
    /// A set of unit codes.
    Units,
    /// The number of another open matter of the same workflow; inputs only.
    Matter,
}

/// Whom a flag leaves the caller's identity to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seal {
    /// The desk alone.
    Desk,
    /// The desk, and the leader of the unit that holds the matter.
    Leader,
}

/// A field.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldDoc {
    /// What kind of value.
    #[serde(rename = "type")]
    pub kind: Spot<Kind>,
    /// What people call it.
    pub title: Text,
    /// The codes of an enum with their titles.
    #[serde(default)]
    pub of: Table<Text>,
    /// The bound of a count or set.
    #[serde(default)]
    pub at_most: Option<i64>,
    /// The longest text.
    #[serde(default)]
    pub max: Option<i64>,
    /// The value at the start.
    #[serde(default)]
    pub initial: Option<Spot<String>>,
    /// Whether lists show it.
    #[serde(default = "yes")]
    pub shown: bool,
    /// Whether the units that stand in it see the instance; only for kinds unit and units.
    #[serde(default = "yes")]
    pub sees: bool,
    /// While this flag is set only these learn who the caller is.
    #[serde(default)]
    pub seals: Option<Seal>,
}

/// One input of a command or signal.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputDoc {
    /// What kind of value.
    #[serde(rename = "type")]
    pub kind: Spot<Kind>,
    /// What people call it; signals need none.
    #[serde(default)]
    pub title: Text,
    /// The codes of an enum with their titles.
    #[serde(default)]
    pub of: Table<Text>,
    /// Whether it may be left out.
    #[serde(default)]
    pub optional: bool,
    /// Shortest text or smallest number.
    #[serde(default)]
    pub min: Option<i64>,
    /// Longest text or greatest number.
    #[serde(default)]
    pub max: Option<i64>,
    /// The bound of a set or count.
    #[serde(default)]
    pub at_most: Option<i64>,
    /// A caller's personal data: kept apart, the chart sees only a digest.
    #[serde(default)]
    pub personal: bool,
    /// A personal text that says what the matter is, not who the caller is.
    #[serde(default)]
    pub content: bool,
    /// Only active units that can be given matters: no bodies. For kinds unit and units.
    #[serde(default)]
    pub linked: bool,
    /// A matter that has ended will do, too. For kind matter.
    #[serde(default)]
    pub ended: bool,
}
