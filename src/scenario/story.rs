//! The shapes of a scenario file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::calendar::parse_duration;
use crate::domain::{Instant, Roster, Text};

/// One story.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// What it shows, in a sentence.
    pub scenario: Text,
    /// Where it begins.
    pub given: Given,
    /// What happens.
    pub steps: Vec<Step>,
    /// How it ends.
    #[serde(default)]
    pub expect: Expect,
}

/// Where a story begins.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// RFC 3339.
    pub at: String,
    /// The workflow of the root.
    pub workflow: String,
    /// Who is on duty when, in place of the jurisdiction's rosters; people by name.
    #[serde(default)]
    pub rosters: Option<Vec<Roster<String>>>,
}

/// One step: time passes, then somebody does something, then it is looked at.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Time that passes first: `2m`, `1h30m`, `3d`.
    #[serde(default)]
    pub after: Option<String>,
    /// Or the instant that is reached first, RFC 3339.
    #[serde(default)]
    pub until: Option<String>,
    /// Of which instance it speaks: `co_task[1]`; the root if not given.
    #[serde(default)]
    pub on: Option<String>,
    /// Whether the command opens another matter of the same workflow.
    #[serde(default)]
    pub another: bool,
    /// The command.
    #[serde(rename = "do", default)]
    pub command: Option<String>,
    /// Who gives it: `water.liaison`.
    #[serde(rename = "as", default)]
    pub who: Option<String>,
    /// Its input.
    #[serde(default)]
    pub input: BTreeMap<String, Json>,
    /// When it happened, if earlier.
    #[serde(default)]
    pub occurred_at: Option<String>,
    /// The code of the refusal that is expected.
    #[serde(default)]
    pub refused: Option<String>,
    /// What is expected afterwards.
    #[serde(default)]
    pub expect: Option<Expect>,
}

/// What is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Flat status.
    pub status: Option<String>,
    /// Stage.
    pub stage: Option<String>,
    /// Path of the state.
    pub state: Option<String>,
    /// Unit code of the holder.
    pub holder: Option<String>,
    /// Outcome.
    pub outcome: Option<String>,
    /// Fields, as the API shows them.
    pub fields: BTreeMap<String, Json>,
    /// Due instants of clocks in force.
    pub clocks: BTreeMap<String, String>,
    /// Clocks that must not be there.
    pub no_clocks: Vec<String>,
    /// Who was told by this step: `water.liaison`, or a person's name.
    pub told: Vec<String>,
    /// Names of texts told by this step.
    pub told_text: Vec<String>,
    /// Who was not told by this step.
    pub not_told: Vec<String>,
    /// How many children there ever were, by workflow.
    pub children: BTreeMap<String, i64>,
    /// Commands that somebody could give now.
    pub possible: Vec<String>,
    /// Commands that nobody could give now.
    pub impossible: Vec<String>,
    /// Clocks that fired in this step.
    pub fired: Vec<String>,
}

impl Step {
    /// The instant that this step waits for.
    ///
    /// # Errors
    /// A sentence, when it is no time or lies in the past.
    pub fn moment(&self, now: Instant) -> Result<Option<Instant>, String> {
        let until = match (&self.after, &self.until) {
            (None, None) => return Ok(None),
            (Some(after), None) => now.plus(passing(after)?),
            (None, Some(until)) => {
                Instant::parse(until).map_err(|error| format!("until: {error}"))?
            }
            (Some(_), Some(_)) => return Err("`after` and `until` exclude each other".to_owned()),
        };
        if until < now { Err("time does not run backwards".to_owned()) } else { Ok(Some(until)) }
    }
}

/// A duration that may also count days of 24 hours: `3d`.
fn passing(text: &str) -> Result<i64, String> {
    const DAY: i64 = 86_400_000;
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok()) {
        return Ok(days.saturating_mul(DAY));
    }
    parse_duration(text).map_err(|error| format!("after: {error}"))
}
