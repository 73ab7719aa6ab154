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
    /// How many days it looks ahead, or back, where it does.
    #[serde(default)]
    pub days: u16,
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
    /// Looks ahead for times at which nobody would be on duty, steps of ladders that would reach
    /// nobody, and people who cannot be reached; tells the operators and the people it names.
    CoverageCheck,
    /// Raises an alarm when the calendar lacks the notice of a year.
    CalendarAlarm,
    /// Keeps the figures of the quarter that has ended.
    QuarterClose,
    /// Erases what callers said and who they are, of matters that closed more than `days` ago.
    EraseCallers,
    /// Deletes what shifts left to the next ones more than `days` ago.
    ForgetHandovers,
    /// Signs where all chains of events stand, and sends it to the people it names, to be kept
    /// outside this system.
    Checkpoint,
    /// Trains the router anew, with what units have accepted and the office has ruled since.
    TrainRouter,
    /// Forgets idempotency keys that nobody can still be repeating.
    ForgetAnswers,
}
