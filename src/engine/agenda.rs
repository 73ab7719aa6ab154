//! What a clock still has to do, and when: the steps of its ladder, running out, repeating.

use crate::calendar::{Calendar, Limit};
use crate::chart::{ClockSpec, Moment};
use crate::domain::{ArmedClock, Instant};

/// One thing that a clock has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The ladder step of this index.
    Step(usize),
    /// Running out, where no step of the ladder stands at the due instant.
    RunOut,
    /// The repetition at the end of the ladder.
    Repeat,
}

/// The next thing that a clock has to do, and when; None once there is nothing left (or it is
/// frozen). `now` is only asked for repetitions, which continue from the present: after downtime a
/// repetition comes once, not once for each that was missed.
#[must_use]
pub fn next(
    spec: &ClockSpec,
    armed: &ArmedClock,
    calendar: &Calendar,
    now: Instant,
) -> Option<(Instant, Item)> {
    if armed.frozen.is_some() {
        return None;
    }
    let mut first_step: Option<(Instant, usize)> = None;
    for (index, step) in spec.steps.iter().enumerate() {
        if !is_done(armed, index) {
            let at = moment(&step.at, armed, calendar);
            if first_step.is_none_or(|(earliest, _)| at < earliest) {
                first_step = Some((at, index));
            }
        }
    }
    let step = first_step.map(|(at, index)| {
        let at_due = matches!(spec.steps.get(index).map(|step| &step.at), Some(Moment::Due));
        (paced(at, at_due, armed), Item::Step(index))
    });
    // A step at the due instant that was told early, because the one before reached nobody, leaves
    // the running out to be done.
    let due_step = spec
        .steps
        .iter()
        .enumerate()
        .any(|(index, step)| matches!(step.at, Moment::Due) && !is_done(armed, index));
    let run_out = (armed.ran_out_at.is_none() && !due_step).then_some((armed.due, Item::RunOut));
    // A due step may be hidden behind an earlier one that is held back by an acknowledgement.
    let held_due = spec.steps.iter().enumerate().find_map(|(index, step)| {
        let waits = matches!(step.at, Moment::Due) && !is_done(armed, index);
        waits.then_some((armed.due, Item::Step(index)))
    });
    let first = [step, run_out, held_due].into_iter().flatten().min_by_key(|(at, _)| *at);
    first.or_else(|| {
        let Moment::Every(cron) = &spec.every.as_ref()?.at else { return None };
        let from = armed.quiet_until.map_or(now, |quiet| quiet.max(now));
        let at = cron.next_after(from, calendar.zone())?;
        let at = armed.hurry.map_or(at, |hurry| hurry.min(at));
        Some((at, Item::Repeat))
    })
}

/// Whether the ladder step of an index was done.
#[must_use]
pub fn is_done(armed: &ArmedClock, index: usize) -> bool {
    bit(index) & armed.done != 0
}

/// Notes that the ladder step of an index was done.
pub fn mark_done(armed: &mut ArmedClock, index: usize) {
    armed.done |= bit(index);
}

/// After the due instant moved: steps that now lie ahead (or just now) are to be done again.
pub fn reconsider(spec: &ClockSpec, armed: &mut ArmedClock, calendar: &Calendar, now: Instant) {
    for (index, step) in spec.steps.iter().enumerate() {
        if moment(&step.at, armed, calendar) >= now {
            armed.done &= !bit(index);
        }
    }
    if armed.due > now {
        armed.ran_out_at = None;
    }
    armed.hurry = None;
    armed.wake = next(spec, armed, calendar, now).map(|(at, _)| at);
}

fn bit(index: usize) -> i64 {
    u32::try_from(index).ok().and_then(|shift| 1_i64.checked_shl(shift)).unwrap_or(0)
}

/// When a step comes, before anybody hurries or holds it.
fn moment(moment: &Moment, armed: &ArmedClock, calendar: &Calendar) -> Instant {
    let after = |base: Instant, limit: &Limit| calendar.due_at(base, limit);
    match moment {
        Moment::Percent(percent) => calendar.at_percent(armed.base, armed.due, *percent),
        Moment::Due | Moment::Every(_) => armed.due,
        Moment::AfterDue(limit) => after(armed.due, limit),
        Moment::BeforeDue(limit) => calendar.before(armed.due, limit).max(armed.base),
        Moment::AfterBase(limit) => after(armed.base, limit),
    }
}

/// A step comes earlier when the one before reached nobody in time, later while somebody has
/// acknowledged, unless it is the one at the due instant. Running out is never moved.
fn paced(at: Instant, at_due: bool, armed: &ArmedClock) -> Instant {
    let at = armed.hurry.map_or(at, |hurry| hurry.min(at));
    let quiet = armed.quiet_until.filter(|_| !at_due);
    quiet.map_or(at, |quiet| quiet.max(at))
}
