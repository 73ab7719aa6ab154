//! Whom a periodic job tells: those on duty, where a roster says who that is.

use std::collections::BTreeSet;

use super::alarm;
use crate::config::job::Job;
use crate::domain::{Instant, JurisdictionId, PersonId};
use crate::gate::{Error, NewAlarm, meant};
use crate::scheduler::Duty;

/// The people whom a job names, and an alarm for each name that stands for nobody.
pub(super) fn of(
    duty: &Duty,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
) -> Result<(BTreeSet<PersonId>, Vec<NewAlarm>), Error> {
    let mut people = BTreeSet::new();
    let mut missing = Vec::new();
    for to in &job.to {
        // Names that cannot be read were refused at the start.
        let found = match meant(to) {
            Ok(reader) => duty.gate.people_meant(whose, reader, now)?,
            Err(_unread) => Vec::new(),
        };
        if found.is_empty() {
            let name = &job.name;
            let detail =
                format!("the job `{name}` tells `{to}`, but no active person is that here");
            missing.push(alarm("nobody_told", whose, now, detail));
        }
        people.extend(found);
    }
    Ok((people, missing))
}
