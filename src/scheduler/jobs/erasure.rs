//! Callers whose time has come are erased, matter by matter, through the one door.

use super::{alarm, kept_since};
use crate::config::job::Job;
use crate::domain::{InstanceId, Instant, JurisdictionId};
use crate::gate::{Error as GateError, Gate, Leaves};
use crate::scheduler::Duty;

/// The kind of the alarm that callers were not erased though their time had come, …
const NOT_ERASED: &str = "callers_not_erased";

/// … and of the one that no job ever erases any.
pub const NEVER_ERASED: &str = "callers_kept_for_ever";

/// So many matters at a time.
const PAGE: i64 = 200;

/// A job that erases callers has begun: the alarm that there is none is over.
pub(super) fn begun(whose: JurisdictionId) -> Leaves {
    Leaves { over: vec![(whose, NEVER_ERASED.to_owned())], ..Leaves::default() }
}

/// Erases the callers of matters that closed more than `days` ago. One that cannot be erased holds up
/// none of the others; the operators hear of it.
pub(super) async fn leaves(
    duty: &Duty,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
) -> Result<Leaves, GateError> {
    let (days, before) = (job.days, kept_since(now, job.days));
    let reason = format!("保存期满{days}日，按规定删除 kept for {days} days, as ruled");
    let (mut erased, mut failed, mut after) = (0_usize, 0_usize, InstanceId(i64::MIN));
    loop {
        let find = move |gate: &Gate| gate.callers_to_erase(whose, before, after, PAGE);
        let due = duty.ask(find).await?;
        let Some(last) = due.last() else { break };
        after = *last;
        for instance in due {
            match duty.gate.erase_callers(whose, instance, &reason).await {
                Ok(()) => erased += 1,
                Err(GateError::Closing) => return Err(GateError::Closing),
                Err(error) => {
                    failed += 1;
                    tracing::error!(%error, %instance, "callers of a matter were not erased");
                }
            }
        }
    }
    tracing::info!(jurisdiction = %whose, erased, failed, "callers were erased");
    let mut leaves = begun(whose);
    if failed == 0 {
        leaves.over.push((whose, NOT_ERASED.to_owned()));
        return Ok(leaves);
    }
    let detail = format!(
        "{failed}件事项的来电人信息已到保存期限但未能删除，下次再试，原因见日志 the callers of {failed} matters \
         were not erased though their time had come; it is tried again next time, and the log says why"
    );
    leaves.alarms.push(alarm(NOT_ERASED, whose, now, detail));
    leaves.replace_alarms = true;
    Ok(leaves)
}
