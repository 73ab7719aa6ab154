//! A refusal is a value: a stable code, the reasons in words, and what is possible instead.

use serde::{Deserialize, Serialize};

use super::text::Text;

/// Why a command was not accepted. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {}", reasons.iter().map(|reason| reason.text.to_string()).collect::<Vec<_>>().join("; "))]
pub struct Refusal {
    /// Stable code, e.g. `not_possible_now`; the first reason's code where a rule refused.
    pub code: String,
    /// Every reason, in words.
    pub reasons: Vec<Reason>,
    /// Commands that the same actor could give now.
    pub possible: Vec<String>,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Its stable code.
    pub code: String,
    /// What it says to people.
    pub text: Text,
    /// The input that is at fault, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
}

impl Refusal {
    /// A refusal for one reason.
    #[must_use]
    pub fn new(code: &str, text: Text) -> Self {
        let reasons = vec![Reason { code: code.to_owned(), text, input: None }];
        Self { code: code.to_owned(), reasons, possible: Vec::new() }
    }

    /// The same, with the input that is at fault.
    #[must_use]
    pub fn naming(mut self, input: &str) -> Self {
        for reason in &mut self.reasons {
            reason.input = Some(input.to_owned());
        }
        self
    }
}
