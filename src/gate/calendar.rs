//! The working calendar: a new version is loaded, and what it lacks is an alarm.

use serde_json::json;

use super::error::Error;
use super::proposal::{Approval, Motion};
use super::sealing::{self, Deed};
use super::{Caller, Gate};
use crate::calendar::Calendar;
use crate::domain::{Instant, JurisdictionId};
use crate::policy::Act;
use crate::store::{CalendarSource, NewAlarm};

/// The kind of the alarm that the calendar lacks a year.
pub const CALENDAR_MISSING: &str = "calendar_missing";

/// A calendar file to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCalendar {
    /// The file's text.
    pub source: String,
    /// Whether it may lack notices that the calendar in force has.
    pub drop_years: bool,
}

impl From<String> for NewCalendar {
    fn from(source: String) -> Self {
        Self { source, drop_years: false }
    }
}

impl Gate {
    /// Loads a version of the jurisdiction's calendar; the scheduler counts what waits again by it.
    /// Whether it lacks a year is an alarm, or none any more, at once. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` with what is wrong with the file, or when it is another calendar, the
    /// version is there already, or it lacks notices of years that are known now, unless it is said
    /// that it may; `Refused` with `second_person_needed`.
    pub fn load_calendar(&self, caller: &Caller, new: &NewCalendar) -> Result<String, Error> {
        self.permit(caller, Act::WriteCalendar)?;
        self.alone(caller, &Motion::Calendar(new.clone()))?;
        self.load_calendar_by(caller, new, None)
    }

    /// A calendar that may be loaded as it is.
    pub(super) fn sound_calendar(
        &self,
        caller: &Caller,
        new: &NewCalendar,
    ) -> Result<Calendar, Error> {
        let drop_years = new.drop_years;
        let new = read_calendar(&new.source)?;
        let registry = &self.inner.registry;
        let present = registry.calendar(caller.jurisdiction)?;
        if new.code() != present.code() {
            let (code, wanted) = (new.code(), present.code());
            return Err(Error::invalid(
                format!("这是日历“{code}”；本地使用的是“{wanted}”"),
                format!("this is the calendar `{code}`; here `{wanted}` counts"),
            ));
        }
        if registry.calendar_version(caller.jurisdiction, new.version()).is_some() {
            let version = new.version();
            return Err(Error::invalid(
                format!("版本“{version}”已经载入，请改用新的版本号"),
                format!("version `{version}` is loaded already; give it a new version"),
            ));
        }
        let lost = if drop_years { Vec::new() } else { lost_years(&present, &new) };
        if lost.is_empty() {
            return Ok(new);
        }
        Err(Error::invalid(
            format!(
                "该日历缺少现行日历已有的放假安排：{}年。请补全后再载入；确需去掉的，请注明drop_years=true",
                lost.join("、")
            ),
            format!(
                "this file lacks notices of days off that the calendar in force has: {}. Add them; if \
                 they are to go, say `drop_years=true`",
                lost.join(", ")
            ),
        ))
    }

    /// Loads what may be loaded, perhaps approved by a second person.
    pub(super) fn load_calendar_by(
        &self,
        caller: &Caller,
        new: &NewCalendar,
        approval: Option<Approval>,
    ) -> Result<String, Error> {
        let (calendar, source) = (self.sound_calendar(caller, new)?, &new.source);
        let whose = caller.jurisdiction;
        let lost = lost_years(&self.inner.registry.calendar(whose)?, &calendar);
        let deed = Deed::of(caller, "calendar_loaded", format!("calendar:{}", calendar.version()));
        let detail = json!({ "sha256": sealing::digest(source), "dropped_years": lost });
        let motion = Motion::Calendar(new.clone());
        self.judged(caller, Act::WriteCalendar, |transaction, standing| {
            standing.settled(transaction, &motion, (self.is_ruled(), approval.as_ref()))?;
            let now = standing.now;
            transaction.add_calendar(&calendar_source(whose, &calendar, source, now))?;
            match missing(whose, &calendar, now) {
                Some(alarm) => transaction.renew_alarm(&alarm)?,
                None => drop(transaction.clear_alarm_of(&alarm(whose, now, String::new()))?),
            }
            Ok(deed.with(detail).approved(approval).write(transaction, now)?)
        })?;
        // What waits is counted again by it, and people are told of an alarm.
        self.bell().notify_waiters();
        Ok(calendar.version().to_owned())
    }

    /// The alarm that the calendar in force lacks a year which it should have by now, if it does.
    ///
    /// # Errors
    /// When there is no such jurisdiction.
    pub fn calendar_alarm(
        &self,
        whose: JurisdictionId,
        now: Instant,
    ) -> Result<Option<NewAlarm>, Error> {
        Ok(missing(whose, &self.inner.registry.calendar(whose)?, now))
    }
}

fn missing(whose: JurisdictionId, calendar: &Calendar, now: Instant) -> Option<NewAlarm> {
    let years: Vec<String> = calendar.missing_years(now).iter().map(ToString::to_string).collect();
    let detail = || {
        format!(
            "the calendar `{}` ({}) lacks the notice of days off for {}: due dates through it count \
             Monday to Friday; load a new version of the calendar",
            calendar.code(),
            calendar.version(),
            years.join(", ")
        )
    };
    (!years.is_empty()).then(|| alarm(whose, now, detail()))
}

fn alarm(whose: JurisdictionId, at: Instant, detail: String) -> NewAlarm {
    let kind = CALENDAR_MISSING.to_owned();
    NewAlarm { kind, jurisdiction: Some(whose), instance: None, at, detail }
}

/// The years whose notice one calendar has and another one lacks.
fn lost_years(present: &Calendar, new: &Calendar) -> Vec<String> {
    let years = present.outline().years;
    let lost = years.iter().filter(|year| year.confirmed && !new.is_confirmed(year.year));
    lost.map(|year| year.year.to_string()).collect()
}

pub(super) fn calendar_source(
    jurisdiction: JurisdictionId,
    calendar: &Calendar,
    source: &str,
    now: Instant,
) -> CalendarSource {
    CalendarSource {
        id: 0,
        jurisdiction,
        code: calendar.code().to_owned(),
        version: calendar.version().to_owned(),
        source: source.to_owned(),
        loaded_at: now,
    }
}

pub(super) fn read_calendar(source: &str) -> Result<Calendar, Error> {
    Calendar::from_yaml(source).map_err(|error| Error::invalid(error.zh(), error.to_string()))
}
