//! What is asked of an instance.

use serde::{Deserialize, Serialize};

use super::{instant::Instant, value::Fields};

/// What an actor, a clock or a relative asks. Clocks ask `clock.<name>`, relatives
/// `signal.<name>`, the opening of an instance is the workflow's own start command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The command's name.
    pub name: String,
    /// Its input, personal values already replaced by their digests.
    #[serde(default)]
    pub input: Fields,
    /// When it happened, if that was before it was recorded (paper mode, calls logged afterwards).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Instant>,
}

impl Command {
    /// A command without input, happening when it is recorded.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), input: Fields::new(), occurred_at: None }
    }

    /// The same with one more input value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<super::Value>) -> Self {
        self.input.insert(name.to_owned(), value.into());
        self
    }
}
