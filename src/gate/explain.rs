//! Due instants explained, calendars read, closed quarters looked up.

use serde_json::Value as Json;

use super::error::Error;
use super::sight::Seen;
use super::{Caller, Gate};
use crate::calendar::{Calendar, Due, Limit};
use crate::chart::expression::Timing;
use crate::domain::ArmedClock;
use crate::engine::{self, Situation};

impl Gate {
    /// How the due instant of an armed clock comes about: counted from a limit, the close of a day,
    /// or an instant as the workflow has it.
    ///
    /// # Errors
    /// `NotFound` for a version of the calendar that was never loaded.
    pub fn explain_clock(
        &self,
        caller: &Caller,
        seen: &Seen,
        name: &str,
        armed: &ArmedClock,
    ) -> Result<Due, Error> {
        // After a suspension the rest counts, from the moment of resuming.
        let (since, limit) = match &armed.rest {
            Some(rest) => (rest.since, &rest.limit),
            None => (armed.base, &armed.limit),
        };
        let calendar = self.calendar(caller, &armed.calendar)?;
        if let Ok(limit) = limit.parse::<Limit>() {
            return Ok(calendar.due(since, &limit));
        }
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        let now = self.now().max(seen.instance.updated_at);
        let situation =
            Situation { chart: &seen.chart, calendar: &calendar, facts: &*directory, now };
        let due = match engine::timing(situation, &seen.instance, name, armed) {
            Some(Timing::After(base, limit)) => calendar.due(base, &limit),
            Some(Timing::CloseOf(date)) => calendar.due_on(date),
            Some(Timing::Field(_)) | None => calendar.due_at_instant(armed.due),
        };
        Ok(due)
    }

    /// A version of the jurisdiction's calendar.
    ///
    /// # Errors
    /// `NotFound` for a version that was never loaded.
    pub fn calendar(&self, caller: &Caller, version: &str) -> Result<Calendar, Error> {
        let found = self.inner.registry.calendar_version(caller.jurisdiction, version);
        found.ok_or(Error::NotFound)
    }

    /// The figures kept when a quarter was closed; `name` is such as `2026Q3`. Blocks.
    ///
    /// # Errors
    /// `Forbidden` for whoever does not see every matter; `NotFound` for a quarter that is not
    /// closed.
    pub fn quarter(&self, caller: &Caller, name: &str) -> Result<Json, Error> {
        // Also by the column that only leaders of the county have.
        if !self.sees_all(caller)? {
            return Err(Error::Forbidden);
        }
        let kept = self.setting(&format!("quarter.{}.{name}", caller.jurisdiction))?;
        let kept = kept.ok_or(Error::NotFound)?;
        serde_json::from_str(&kept).map_err(|error| Error::Internal(format!("{name}: {error}")))
    }
}
