//! The script of a demonstration: what it needs to know of the jurisdiction besides the calls, and the
//! matters of other workflows that are played beside them, step by step.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

use super::driver::{self, Driver, Outcome};
use super::{Error, fault};
use crate::domain::{Instant, Role};

/// A script, as its file has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// When the play begins.
    #[serde(deserialize_with = "written")]
    pub(super) begin: Instant,
    /// The unit of a call whose record names none.
    pub(super) otherwise: String,
    /// What a unit quotes when it returns a referral.
    pub(super) clause: String,
    /// What is played beside the calls.
    #[serde(default)]
    pub(super) matters: Vec<Play>,
}

/// One matter from its opening to its last step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Play {
    workflow: String,
    /// Minutes from the beginning of the play.
    #[serde(default)]
    after: i64,
    by: String,
    #[serde(rename = "as")]
    role: Role,
    #[serde(default)]
    input: Map<String, Json>,
    #[serde(default)]
    steps: Vec<Step>,
}

/// One command.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Minutes since the step before.
    #[serde(default)]
    wait: i64,
    by: String,
    #[serde(rename = "as")]
    role: Role,
    #[serde(rename = "do")]
    command: String,
    #[serde(default)]
    input: Map<String, Json>,
    /// Inputs that are dates: so many days after the day of the step.
    #[serde(default)]
    days: BTreeMap<String, i64>,
}

/// An instant as people write it (RFC 3339).
fn written<'de, D: Deserializer<'de>>(from: D) -> Result<Instant, D::Error> {
    Instant::parse(&String::deserialize(from)?).map_err(D::Error::custom)
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// When the file cannot be read or is not a script; with the place in it.
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(file).map_err(|error| fault(file, &error))?;
        serde_saphyr::from_str(&text).map_err(|error| fault(file, &error))
    }
}

impl Play {
    /// Plays it: what is refused is counted by the driver, and the next step is tried.
    pub(super) async fn play(&self, driver: &Driver) -> Result<(), driver::Error> {
        driver.wait(self.after).await;
        let input = Json::Object(self.input.clone());
        let opened = driver.open(&self.by, self.role, &self.workflow, input).await?;
        let Outcome::Done(opened) = opened else { return Ok(()) };
        let id = opened["id"].as_str().unwrap_or_default();
        for step in &self.steps {
            driver.wait(step.wait).await;
            let mut input = step.input.clone();
            for (name, days) in &step.days {
                input.insert(name.clone(), driver.clock_date(*days).into());
            }
            driver.give(&step.by, step.role, id, &step.command, Json::Object(input)).await?;
        }
        Ok(())
    }
}
