//! Periodic jobs: each occurrence once, on whichever node comes first; after downtime once, however
//! many were missed.

mod checkpoint;
mod coverage;
mod digest;
mod erasure;
mod readers;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub use erasure::NEVER_ERASED;

use super::figures::Warning;
use super::{Duty, Next, Poll};
use crate::calendar::cron::Cron;
use crate::config::job::{Does, Job};
use crate::domain::{Instant, JurisdictionId};
use crate::gate::{CALENDAR_MISSING, Error as GateError, Gate, Leaves, NewAlarm, meant};

/// What is wrong with the periodic jobs of the configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Two have the same name.
    #[error("there are two jobs `{0}`; give one of them another name")]
    Twice(String),
    /// When it comes cannot be read.
    #[error("job `{name}`: {cause}")]
    Cron {
        /// Which job.
        name: String,
        /// What is wrong.
        cause: crate::calendar::Error,
    },
    /// It does not say for how long.
    #[error("job `{name}`: say for how many `days` {what}, at least {least}")]
    Days {
        /// Which job.
        name: String,
        /// What is kept for so long.
        what: &'static str,
        /// How many days at least.
        least: u16,
    },
    /// Whom it tells cannot be read.
    #[error(
        "job `{name}`: `{to}` names nobody: {why}; say a party and a role, such as `emergency_office.duty`"
    )]
    To {
        /// Which job.
        name: String,
        /// What it says.
        to: String,
        /// What is wrong.
        why: String,
    },
}

/// Idempotency keys are kept for so long (ms): 200 days, more than any matter is open and 30 days.
const KEYS_KEPT: i64 = 200 * 24 * 3_600_000;

/// Callers are kept for at least so many days after the end of a matter: it may be opened again
/// within 15, and the caller may ask.
const KEPT_LEAST: u16 = 30;

/// What a shift leaves is kept for at least so many days: whoever was away for a week reads it.
const NOTES_LEAST: u16 = 7;

/// Other nodes' turns, new jurisdictions and failures are looked at after this.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Jobs whose times were read.
#[derive(Debug, Clone)]
pub struct Plan {
    jobs: Vec<(Job, Cron)>,
}

impl Plan {
    /// Reads the times.
    ///
    /// # Errors
    /// What is wrong with the jobs.
    pub fn new(jobs: &[Job]) -> Result<Self, Error> {
        let mut names = BTreeSet::new();
        let mut plan = Vec::new();
        for job in jobs {
            if !names.insert(&job.name) {
                return Err(Error::Twice(job.name.clone()));
            }
            let (least, what) = match job.does {
                Does::EraseCallers => (KEPT_LEAST, "callers are kept after the end of a matter"),
                Does::ForgetHandovers => (NOTES_LEAST, "what shifts left to the next is kept"),
                _ => (0, ""),
            };
            if job.days < least {
                return Err(Error::Days { name: job.name.clone(), what, least });
            }
            let cron = Cron::parse(&job.cron)
                .map_err(|cause| Error::Cron { name: job.name.clone(), cause })?;
            for to in &job.to {
                meant(to).map_err(|why| Error::To {
                    name: job.name.clone(),
                    to: to.clone(),
                    why,
                })?;
            }
            plan.push((job.clone(), cron));
        }
        Ok(Self { jobs: plan })
    }
}

/// The loop.
pub struct Jobs {
    duty: Duty,
    plan: Plan,
}

impl Poll for Jobs {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let mut next: Option<Instant> = None;
            for (job, cron) in &self.plan.jobs {
                for jurisdiction in self.duty.gate.registry().jurisdictions() {
                    match self.turn(job, cron, jurisdiction).await {
                        Ok(Some(at)) => next = Some(next.map_or(at, |next| next.min(at))),
                        Ok(None) => {}
                        // The others have their turns all the same.
                        Err(error) => tracing::error!(%error, job = job.name, %jurisdiction,
                            "a periodic job failed; it is tried again"),
                    }
                }
            }
            next.map_or(Next::In(LOOK_AGAIN), Next::At)
        }
        .boxed()
    }
}

impl Jobs {
    /// Runs the jobs of a plan.
    #[must_use]
    pub fn new(duty: Duty, plan: Plan) -> Self {
        Self { duty, plan }
    }

    /// One job's turn in one jurisdiction: does it if it is due, answers when it is due next.
    async fn turn(
        &self,
        job: &Job,
        cron: &Cron,
        jurisdiction: JurisdictionId,
    ) -> Result<Option<Instant>, GateError> {
        let calendar = self.duty.gate.registry().calendar(jurisdiction)?;
        let zone = calendar.zone();
        let key = format!("{}@{jurisdiction}", job.name);
        let now = self.duty.gate.now();
        let of = key.clone();
        let Some(last) = self.duty.ask(move |gate| gate.last_occurrence(&of)).await? else {
            // A new job: what lies before today was never missed. Noted, so that what is missed
            // from now on is known even if nothing runs until then. A year that the calendar lacks
            // moves limits from the first matter on.
            let leaves = match job.does {
                Does::CalendarAlarm => self.calendar(jurisdiction, now)?,
                Does::EraseCallers => erasure::begun(jurisdiction),
                _ => Leaves::default(),
            };
            self.duty.ask(move |gate| gate.take_occurrence(&key, now, now, &leaves)).await?;
            return Ok(cron.next_after(now, zone));
        };
        let Some(first) = cron.next_after(last, zone) else { return Ok(None) };
        if first > now {
            return Ok(Some(first));
        }
        // Of several that were missed, the first stands for all: the next one lies ahead of now.
        let missed_more = cron.next_after(first, zone).is_some_and(|second| second <= now);
        let upto = if missed_more { now } else { first };
        let leaves = self.work(job, jurisdiction, first, now).await?;
        let take = move |gate: &Gate| gate.take_occurrence(&key, first, upto, &leaves);
        if self.duty.ask(take).await? {
            self.duty.figures.jobs_done.add();
            let due = first.in_zone(zone);
            tracing::info!(job = job.name, %jurisdiction, due, "a periodic job was done");
        }
        Ok(cron.next_after(upto, zone))
    }

    /// What one occurrence leaves. Only reads, or does what may be done twice: whether it is this
    /// node's turn is decided when it is written.
    async fn work(
        &self,
        job: &Job,
        jurisdiction: JurisdictionId,
        due: Instant,
        now: Instant,
    ) -> Result<Leaves, GateError> {
        match job.does {
            Does::EarlyWarningSweep => self.sweep(jurisdiction, now).await,
            Does::DailyDigest => digest::leaves(&self.duty, job, jurisdiction, now).await,
            Does::CoverageCheck => coverage::leaves(&self.duty, job, jurisdiction, now).await,
            Does::CalendarAlarm => self.calendar(jurisdiction, now),
            Does::QuarterClose => self.quarter(jurisdiction, due, now).await,
            Does::EraseCallers => erasure::leaves(&self.duty, job, jurisdiction, now).await,
            Does::ForgetHandovers => {
                let before = kept_since(now, job.days);
                let forget = move |gate: &Gate| gate.forget_handovers(jurisdiction, before);
                let forgotten = self.duty.ask(forget).await?;
                tracing::info!(%jurisdiction, forgotten, "what shifts left to the next was deleted");
                Ok(Leaves::default())
            }
            Does::Checkpoint => checkpoint::leaves(&self.duty, job, jurisdiction, now).await,
            Does::TrainRouter => {
                let model = self.duty.ask(move |gate| gate.train(jurisdiction)).await?;
                tracing::info!(%jurisdiction, model, "the router was trained anew");
                Ok(Leaves::default())
            }
            Does::ForgetAnswers => {
                let before = now.plus(-KEYS_KEPT);
                let forgotten = self.duty.ask(move |gate| gate.forget_answers(before)).await?;
                let ended = self.duty.ask(|gate| gate.forget_access()).await?;
                tracing::info!(ended, "ended sessions and old failures were forgotten");
                tracing::info!(forgotten, "idempotency keys were forgotten");
                Ok(Leaves::default())
            }
        }
    }

    async fn sweep(&self, whose: JurisdictionId, now: Instant) -> Result<Leaves, GateError> {
        let calendar = self.duty.gate.registry().calendar(whose)?;
        let horizon = digest::soon(&calendar, now);
        let counts = self.duty.ask(move |gate| {
            Ok((gate.held_by_unit(whose, Some(horizon))?, gate.held_by_unit(whose, Some(now))?))
        });
        let (due, overdue) = counts.await?;
        let mut units: BTreeMap<String, Warning> = BTreeMap::new();
        for (unit, count) in due {
            let overdue = overdue.get(&unit).copied().unwrap_or(0);
            units.insert(unit, Warning { soon: count.saturating_sub(overdue), overdue });
        }
        for (unit, Warning { soon, overdue }) in &units {
            tracing::info!(jurisdiction = %whose, unit, soon, overdue,
                "matters due within the next working day");
        }
        self.duty.figures.warn(whose, units);
        Ok(Leaves::default())
    }

    fn calendar(&self, whose: JurisdictionId, now: Instant) -> Result<Leaves, GateError> {
        Ok(match self.duty.gate.calendar_alarm(whose, now)? {
            Some(alarm) => {
                Leaves { alarms: vec![alarm], replace_alarms: true, ..Leaves::default() }
            }
            None => {
                Leaves { over: vec![(whose, CALENDAR_MISSING.to_owned())], ..Leaves::default() }
            }
        })
    }

    async fn quarter(
        &self,
        whose: JurisdictionId,
        due: Instant,
        now: Instant,
    ) -> Result<Leaves, GateError> {
        let calendar = self.duty.gate.registry().calendar(whose)?;
        let Some((name, from, to)) = quarter_before(due, calendar.zone()) else {
            return Err(GateError::Internal(format!("no quarter ends before {due}")));
        };
        let counts = self.duty.ask(move |gate| gate.opened_between(whose, from, to)).await?;
        let figures = serde_json::json!({
            "quarter": name, "from": from, "to": to, "closed_at": now, "opened_by_status": counts,
        });
        let settings = vec![(format!("quarter.{whose}.{name}"), figures.to_string())];
        Ok(Leaves { settings, ..Leaves::default() })
    }
}

/// Since when is kept what is kept for so many days.
fn kept_since(now: Instant, days: u16) -> Instant {
    now.plus(-i64::from(days) * 24 * 3_600_000)
}

fn alarm(kind: &str, whose: JurisdictionId, at: Instant, detail: String) -> NewAlarm {
    NewAlarm { kind: kind.to_owned(), jurisdiction: Some(whose), instance: None, at, detail }
}

/// The last quarter that had ended at an instant, as `2026Q3`, with its first instant and the first
/// one after it.
fn quarter_before(at: Instant, zone: &TimeZone) -> Option<(String, Instant, Instant)> {
    let today = zone.to_datetime(at.timestamp()).date();
    let first_month = (today.month() - 1) / 3 * 3 + 1;
    let end = Date::new(today.year(), first_month, 1).ok()?;
    let begin = end.checked_sub(jiff::Span::new().months(3)).ok()?;
    let midnight = |date: Date| Some(Instant::from(date.to_zoned(zone.clone()).ok()?.timestamp()));
    let name = format!("{}Q{}", begin.year(), (begin.month() - 1) / 3 + 1);
    Some((name, midnight(begin)?, midnight(end)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quarter_that_is_closed_is_the_one_before() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let at = Instant::parse("2026-01-01T00:05:00+08:00").unwrap();
        let (name, from, to) = quarter_before(at, &zone).unwrap();
        assert_eq!(name, "2025Q4");
        assert_eq!(from.in_zone(&zone), "2025-10-01T00:00:00+08:00");
        assert_eq!(to.in_zone(&zone), "2026-01-01T00:00:00+08:00");
    }

    #[test]
    fn jobs_that_make_no_sense_are_refused_with_their_name() {
        let job = |name: &str, cron: &str| Job {
            name: name.to_owned(),
            cron: cron.to_owned(),
            does: Does::ForgetAnswers,
            to: Vec::new(),
            days: 7,
        };
        let daily = job("a", "0 0 9 * * *");
        assert!(Plan::new(&[daily.clone(), job("b", "0 0 9 * * *")]).is_ok());
        let twice = Plan::new(&[daily.clone(), daily]).unwrap_err();
        assert_eq!(twice.to_string(), "there are two jobs `a`; give one of them another name");
        let wrong = Plan::new(&[job("c", "every morning")]).unwrap_err();
        assert!(wrong.to_string().starts_with("job `c`: "), "{wrong}");
        let forget = Job { does: Does::EraseCallers, ..job("e", "0 0 3 * * *") };
        assert!(
            Plan::new(std::slice::from_ref(&forget))
                .unwrap_err()
                .to_string()
                .contains("how many `days`")
        );
        assert!(Plan::new(&[Job { days: 30, ..forget }]).is_ok());
        let told = |to: &str| Job { to: vec![to.to_owned()], ..job("d", "0 0 9 * * *") };
        assert!(Plan::new(&[told("emergency_office.duty")]).is_ok());
        for to in ["duty", "emergency_office.king"] {
            let wrong = Plan::new(&[told(to)]).unwrap_err().to_string();
            assert!(wrong.starts_with(&format!("job `d`: `{to}` names nobody: ")), "{wrong}");
        }
    }
}
