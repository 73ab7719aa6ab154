//! The four response tiers of the plan (four (3)): rank 1 to 4, 4 gravest.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// A response tier, ordered by gravity.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// 一般
    #[default]
    Ordinary,
    /// 较大
    Larger,
    /// 重大
    Major,
    /// 特别重大
    Extraordinary,
}

impl Tier {
    /// The tiers from the mildest to the gravest.
    pub const ALL: [Self; 4] = [Self::Ordinary, Self::Larger, Self::Major, Self::Extraordinary];

    /// 1 for ordinary to 4 for extraordinary.
    #[must_use]
    pub fn rank(self) -> i64 {
        match self {
            Self::Ordinary => 1,
            Self::Larger => 2,
            Self::Major => 3,
            Self::Extraordinary => 4,
        }
    }

    /// The tier of a rank from 1 to 4.
    #[must_use]
    pub fn from_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.rank() == rank)
    }

    /// The tier's code, as written in workflows and in the API.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Larger => "larger",
            Self::Major => "major",
            Self::Extraordinary => "extraordinary",
        }
    }

    /// What the plan calls the tier.
    #[must_use]
    pub fn title(self) -> Text {
        match self {
            Self::Ordinary => Text::new("一般", "ordinary"),
            Self::Larger => Text::new("较大", "larger"),
            Self::Major => Text::new("重大", "major"),
            Self::Extraordinary => Text::new("特别重大", "extraordinary"),
        }
    }

    /// The tier of a code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.code() == code)
    }
}
