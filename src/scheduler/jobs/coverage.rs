//! Gaps are found ahead: each day an alarm for operators and a message to the people whom the job
//! names; the alarm ends when nothing is missing any more.

use super::{alarm, readers};
use crate::config::job::Job;
use crate::domain::{Instant, JurisdictionId};
use crate::gate::{Error, Leaves};
use crate::scheduler::Duty;

/// The kind of the alarm.
const KIND: &str = "coverage";

/// What one day's look ahead leaves.
pub(super) async fn leaves(
    duty: &Duty,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
) -> Result<Leaves, Error> {
    let days = i64::from(job.days);
    let lines = duty.ask(move |gate| gate.missing_ahead(whose, now, days)).await?;
    if lines.is_empty() {
        return Ok(Leaves { over: vec![(whose, KIND.to_owned())], ..Leaves::default() });
    }
    let said: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let (people, missing) = readers::of(duty, job, whose, now)?;
    let mut leaves = Leaves { alarms: missing, replace_alarms: true, ..Leaves::default() };
    leaves.alarms.push(alarm(KIND, whose, now, said.join("\n")));
    for person in people {
        leaves.notes.push((whose, duty.gate.coverage_note(whose, person, &lines)?));
    }
    Ok(leaves)
}
