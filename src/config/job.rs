//! Periodic jobs, as the configuration file names them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One `[[job]]`: what is done, and when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its name, unique and stable: by it is remembered which occurrences were done.
    pub name: String,
    /// When, as a cron expression with seconds first (`0 0 9 * * *`), in the jurisdiction's zone.
    pub cron: String,
    /// What.
    pub does: Does,
    /// Whom it tells, as workflows say it: `emergency_office.duty`.
    #[serde(default)]
    pub to: Vec<String>,
    /// For how many days after the end of a matter its callers are kept.
    #[serde(default)]
    pub days: u32,
}

/// What a periodic job does, for each jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// Counts, for each unit, the matters that are due within the next working day.
    EarlyWarningSweep,
    /// Tells the operators, and the people it names, how many matters each unit holds and how many
    /// of them are overdue.
    DailyDigest,
    /// Raises an alarm when the calendar lacks the notice of a year.
    CalendarAlarm,
    /// Keeps the figures of the quarter that has ended.
    QuarterClose,
    /// Erases what callers said and who they are, of matters that closed more than `days` ago.
    EraseCallers,
    /// Forgets idempotency keys that nobody can still be repeating.
    ForgetAnswers,
}
