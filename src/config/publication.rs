//! Whether changes that concern everybody need a second person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether changes that concern everybody need a second person: new versions of workflows and
/// calendars, and other rights of somebody. One who may make them proposes, another who may make them
/// approves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Publication {
    /// Whether they do.
    pub second_person: bool,
    /// A proposal that nobody approved lapses after so many hours.
    pub hours: u32,
}

impl Default for Publication {
    fn default() -> Self {
        Self { second_person: false, hours: 72 }
    }
}
