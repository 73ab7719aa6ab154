//! What a clock still has to do, and when: the steps of its ladder, running out, repeating.

use crate::calendar::{Calendar, Limit};
use crate::chart::{ClockSpec, Moment, Step};
use crate::domain::instance::REPETITION;
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
    let ahead = || {
        let steps = (0_u8..).zip(&spec.steps).filter(|(number, _)| !is_done(armed, *number));
        steps.map(|(number, step)| (moment(&step.at, armed, calendar), number, step))
    };
    // The step at the due instant is held back by nobody.
    let held = |at: Instant, number: u8, step: &Step| {
        let quiet = armed.quiet.get(&number).copied();
        quiet.filter(|quiet| *quiet > at && !matches!(step.at, Moment::Due))
    };
    // A step that reached nobody, or was not acknowledged in its time, brings the next one forward
    // that waits for nobody.
    let free = ahead().filter(|(at, number, step)| held(*at, *number, step).is_none());
    let free = free.min_by_key(|(at, number, _)| (*at, *number)).map(|(_, number, _)| number);
    let step = ahead()
        .map(|(at, number, step)| {
            let hurry = armed.hurry.filter(|_| free == Some(number));
            let paced = hurry.map_or(at, |hurry| hurry.min(at));
            (held(paced, number, step).unwrap_or(paced), at, number)
        })
        .min();
    let step = step.map(|(paced, _, number)| (paced, Item::Step(usize::from(number))));
    // A step at the due instant that was told early, because the one before reached nobody, leaves
    // the running out to be done.
    let due_step = ahead().any(|(_, _, step)| matches!(step.at, Moment::Due));
    let run_out = (armed.ran_out_at.is_none() && !due_step).then_some((armed.due, Item::RunOut));
    let first = [step, run_out].into_iter().flatten().min_by_key(|(at, _)| *at);
    // The repetition comes when nothing is ahead; steps that only wait for somebody who has
    // acknowledged do not keep it from others.
    if free.is_some() || run_out.is_some() {
        return first;
    }
    let last = ahead().map(|(at, ..)| at).max();
    let quiet = armed.quiet.get(&REPETITION).copied();
    let from = [Some(now), last, quiet].into_iter().flatten().max();
    let repeat = repetition(spec, armed).and_then(|every| {
        let Moment::Every(cron) = &every.at else { return None };
        let at = cron.next_after(from?, calendar.zone())?;
        let hurry = armed.hurry.map(|hurry| quiet.map_or(hurry, |quiet| quiet.max(hurry)));
        Some((hurry.map_or(at, |hurry| hurry.min(at)), Item::Repeat))
    });
    [first, repeat].into_iter().flatten().min_by_key(|(at, _)| *at)
}

/// The number under which a clock keeps a step of its ladder; running out is none.
#[must_use]
pub fn number(item: Item) -> Option<u8> {
    match item {
        Item::Step(index) => u8::try_from(index).ok(),
        Item::Repeat => Some(REPETITION),
        Item::RunOut => None,
    }
}

/// The repetition that is in force.
#[must_use]
pub fn repetition<'s>(spec: &'s ClockSpec, armed: &ArmedClock) -> Option<&'s Step> {
    let chosen = armed.every.and_then(|number| spec.every_when.get(usize::from(number)));
    chosen.or(spec.every.as_ref())
}

/// The step of a number.
#[must_use]
pub fn step<'s>(spec: &'s ClockSpec, armed: &ArmedClock, number: u8) -> Option<&'s Step> {
    match number {
        REPETITION => repetition(spec, armed),
        _ => spec.steps.get(usize::from(number)),
    }
}

/// Whether the ladder step of a number was done.
#[must_use]
pub fn is_done(armed: &ArmedClock, number: u8) -> bool {
    bit(number) & armed.done != 0
}

/// Notes that the ladder step of a number was done.
pub fn mark_done(armed: &mut ArmedClock, number: u8) {
    armed.done |= bit(number);
}

/// After the due instant moved: steps that now lie ahead (or just now) are to be done again.
pub fn reconsider(spec: &ClockSpec, armed: &mut ArmedClock, calendar: &Calendar, now: Instant) {
    for (number, step) in (0_u8..).zip(&spec.steps) {
        if moment(&step.at, armed, calendar) >= now {
            armed.done &= !bit(number);
        }
    }
    if armed.due > now {
        armed.ran_out_at = None;
    }
    armed.hurry = None;
    armed.wake = next(spec, armed, calendar, now).map(|(at, _)| at);
}

fn bit(number: u8) -> i64 {
    1_i64.checked_shl(u32::from(number)).unwrap_or(0)
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
