//! Clocks counted again by another version of the calendar.

use super::Run;
use super::clocks::REPLACED;
use crate::calendar::Limit;
use crate::chart::ClockSpec;
use crate::domain::event::{ClockChange, ClockVerb};
use crate::domain::{ArmedClock, Instant, Refusal, Text, Value};
use crate::engine::agenda;

impl Run<'_> {
    /// Counts every clock again that has not run out yet, from its own start and by its own limit,
    /// with the calendar of the situation. Fields that changed since it was armed do not matter: only
    /// the days do. A suspended clock keeps its rest, which is counted when it is resumed; one that
    /// another runs in place of is counted, and stays silent.
    ///
    /// # Errors
    /// `nothing_to_recount` when no clock has another due instant or another next step by it.
    pub fn recount(&mut self) -> Result<(), Refusal> {
        let before = self.instance.clocks.clone();
        // A clock may be due by another one's due instant, so it is asked until nothing moves.
        for _ in 0..=before.len() {
            let moved = before.keys().filter(|name| self.count_again(name)).count();
            if moved == 0 {
                break;
            }
        }
        for (name, old) in &before {
            self.follow_up(name, old);
        }
        if self.clocks.is_empty() {
            return Err(Refusal::new(
                "nothing_to_recount",
                Text::new(
                    "按现行工作日历，各时限没有变化",
                    "By the present calendar no clock is due at another instant",
                ),
            ));
        }
        Ok(())
    }

    /// Writes down the start and the due instant by the present calendar; says whether they moved.
    fn count_again(&mut self, name: &str) -> bool {
        let Some(spec) = self.situation.chart.clocks.get(name) else { return false };
        let Some(armed) = self.instance.clocks.get(name).filter(|armed| is_counted(armed)) else {
            return false;
        };
        let old = (armed.base, armed.due);
        let new = self.counted(spec, &armed.clone());
        if let Some(armed) = self.instance.clocks.get_mut(name) {
            (armed.base, armed.due) = new;
        }
        new != old
    }

    fn counted(&mut self, spec: &ClockSpec, armed: &ArmedClock) -> (Instant, Instant) {
        let calendar = self.situation.calendar;
        if let Some(rest) = &armed.rest
            && let Ok(limit) = rest.limit.parse::<Limit>()
        {
            return (armed.base, calendar.due_at(rest.since, &limit));
        }
        // The moment of arming is not kept where `from` says another start.
        let again = |from: &&crate::chart::expression::Expression| {
            from.asks_calendar() && !from.reads().contains("at")
        };
        let base = spec.from.as_ref().filter(again).and_then(|from| from.evaluate(self).as_int());
        let base = base.map_or(armed.base, Instant);
        if let Ok(limit) = armed.limit.parse::<Limit>() {
            return (base, calendar.due_at(base, &limit));
        }
        // An instant that the definition computes: asked again only if days or other clocks matter.
        let by_clock = spec.due.reads().iter().any(|path| path.starts_with("clock."));
        if !by_clock && !spec.due.asks_calendar() {
            return (base, armed.due);
        }
        let at = std::mem::replace(&mut self.at, base);
        let due = spec.due.evaluate(self);
        self.at = at;
        match due {
            Value::Int(due) => (base, Instant(due)),
            _ => (base, armed.due),
        }
    }

    /// What follows for the ladder of a clock, and the note in the event if anything moved.
    fn follow_up(&mut self, name: &str, old: &ArmedClock) {
        let Some(spec) = self.situation.chart.clocks.get(name).filter(|_| is_counted(old)) else {
            return;
        };
        let Some(mut armed) = self.instance.clocks.remove(name) else { return };
        let (calendar, now) = (self.situation.calendar, self.situation.now);
        if (armed.base, armed.due) == (old.base, old.due) {
            armed.wake = agenda::next(spec, &armed, calendar, now).map(|(at, _)| at);
        } else {
            agenda::reconsider(spec, &mut armed, calendar, now);
        }
        if (armed.base, armed.due, armed.wake) != (old.base, old.due, old.wake) {
            calendar.version().clone_into(&mut armed.calendar);
            self.clocks.push(ClockChange {
                clock: name.to_owned(),
                change: ClockVerb::Recounted,
                due: Some(armed.due),
                was: Some(old.due),
            });
        }
        self.instance.clocks.insert(name.to_owned(), armed);
    }
}

/// Whether the present calendar counts for a clock: what has run out has run out, and a suspended
/// clock keeps what was left of it.
fn is_counted(armed: &ArmedClock) -> bool {
    let suspended = armed.frozen.as_deref().is_some_and(|rest| rest != REPLACED);
    armed.ran_out_at.is_none() && !suspended
}
