//! Clocks while a decision is under way: armed, counted again, frozen, fired, acknowledged, ended.

use std::collections::BTreeMap;

use super::Run;
use super::effects::Words;
use crate::calendar::Limit;
use crate::chart::{ClockSpec, Moment, Step};
use crate::domain::event::ClockVerb;
use crate::domain::{ArmedClock, Instant, Refusal, Rest, Text, Value};
use crate::engine::agenda::{self, Item};

/// Written in `frozen` while another clock runs in a clock's place.
pub(super) const REPLACED: &str = "replaced";

/// What was done of a ladder.
pub(super) struct Rung<'s> {
    /// What of it.
    pub(super) item: Item,
    /// The step that says whom to tell; none where a clock only runs out.
    pub(super) step: Option<&'s Step>,
    /// Whether the clock has run out by it.
    runs_out: bool,
    /// What it raises.
    raised: Option<&'s str>,
}

impl Run<'_> {
    /// The due instant of a clock with the fields as they are, and the limit in words.
    fn due(&self, spec: &ClockSpec, base: Instant) -> (Instant, String) {
        match spec.due.evaluate(self) {
            Value::Int(instant) => (Instant(instant), "instant".to_owned()),
            Value::Text(words) => match words.parse::<Limit>() {
                Ok(limit) => (self.situation.calendar.due_at(base, &limit), words),
                // Unreachable while expressions write limits that the calendar reads; a clock that
                // is due at once is the safe side, and the event shows the words.
                Err(_) => (base, words),
            },
            _ => (base, String::new()),
        }
    }

    fn base(&self, spec: &ClockSpec) -> Option<Instant> {
        spec.from.as_ref()?.evaluate(self).as_int().map(Instant)
    }

    pub(super) fn arm(&mut self, name: &str, scope: &str) {
        let Some(spec) = self.situation.chart.clocks.get(name) else { return };
        let base = self.base(spec).unwrap_or(self.at);
        let (due, limit) = self.due(spec, base);
        let mut armed = ArmedClock {
            entry: self.instance.entries,
            scope: scope.to_owned(),
            base,
            due,
            limit,
            calendar: self.situation.calendar.version().to_owned(),
            wake: None,
            step: 0,
            done: 0,
            hurry: None,
            told: BTreeMap::new(),
            last: None,
            quiet: BTreeMap::new(),
            every: None,
            ran_out_at: None,
            acknowledged_at: None,
            frozen: None,
            rest: None,
        };
        self.plan(spec, &mut armed);
        self.instance.clocks.insert(name.to_owned(), armed);
        self.note(name, ClockVerb::Armed, Some(due));
        if let Some(other) = &spec.replaces {
            self.set_aside(other);
        }
    }

    pub(super) fn plan(&self, spec: &ClockSpec, armed: &mut ArmedClock) {
        let now = self.situation.now;
        armed.every = self.every(spec);
        armed.wake = agenda::next(spec, armed, self.situation.calendar, now).map(|(at, _)| at);
    }

    /// The repetition for a case that holds now.
    fn every(&self, spec: &ClockSpec) -> Option<u8> {
        let holds = |step: &Step| step.when.as_ref().is_none_or(|when| self.holds(when));
        (0_u8..).zip(&spec.every_when).find(|(_, step)| holds(step)).map(|(number, _)| number)
    }

    /// Where a decision has changed which repetition is in force, the clock wakes by the new one.
    pub(super) fn choose_repetitions(&mut self) {
        let chart = self.situation.chart;
        let moved: Vec<(String, &ClockSpec)> = self
            .instance
            .clocks
            .iter()
            .filter(|(_, armed)| armed.frozen.is_none())
            .filter_map(|(name, armed)| {
                let spec = chart.clocks.get(name)?;
                (self.every(spec) != armed.every).then(|| (name.clone(), spec))
            })
            .collect();
        for (name, spec) in moved {
            let Some(mut armed) = self.instance.clocks.remove(&name) else { continue };
            self.plan(spec, &mut armed);
            self.instance.clocks.insert(name, armed);
        }
    }

    pub(super) fn end_clocks(&mut self, scope: &str) {
        let ending: Vec<String> = self
            .instance
            .clocks
            .iter()
            .filter(|(_, armed)| armed.scope == scope)
            .map(|(name, _)| name.clone())
            .collect();
        for name in ending {
            self.stop(&name);
        }
    }

    pub(super) fn stop(&mut self, name: &str) {
        if self.instance.clocks.remove(name).is_some() {
            self.note(name, ClockVerb::Ended, None);
            let spec = self.situation.chart.clocks.get(name);
            if let Some(other) = spec.and_then(|spec| spec.replaces.as_ref()) {
                self.take_up(other);
            }
        }
    }

    /// Another clock runs in this one's place: it is kept, silent, its due instant unmoved.
    fn set_aside(&mut self, name: &str) {
        if let Some(armed) = self.instance.clocks.get_mut(name)
            && armed.frozen.is_none()
        {
            armed.frozen = Some(REPLACED.to_owned());
            armed.wake = None;
            self.note(name, ClockVerb::Frozen, None);
        }
    }

    fn take_up(&mut self, name: &str) {
        let Some(spec) = self.situation.chart.clocks.get(name) else { return };
        let Some(mut armed) = self.instance.clocks.remove(name) else { return };
        let due = armed.due;
        if armed.frozen.as_deref() == Some(REPLACED) {
            armed.frozen = None;
            self.plan(spec, &mut armed);
            self.note(name, ClockVerb::Resumed, Some(due));
        }
        self.instance.clocks.insert(name.to_owned(), armed);
    }

    pub(super) fn freeze(&mut self, name: &str) {
        let (at, calendar) = (self.at, self.situation.calendar);
        let Some(armed) = self.instance.clocks.get_mut(name) else { return };
        if armed.frozen.is_some() {
            return;
        }
        let limit = armed.limit.parse::<Limit>().unwrap_or(Limit::Real(0));
        let left = calendar.remaining(&limit, armed.due, at);
        armed.frozen = Some(left.to_string());
        armed.wake = None;
        self.note(name, ClockVerb::Frozen, None);
    }

    /// The unexpired rest is counted from the moment of resuming.
    pub(super) fn resume(&mut self, name: &str) {
        let Some(spec) = self.situation.chart.clocks.get(name) else { return };
        let Some(mut armed) = self.instance.clocks.remove(name) else { return };
        let left = armed.frozen.as_ref().and_then(|left| left.parse::<Limit>().ok());
        if let Some(left) = left {
            armed.frozen = None;
            armed.due = self.situation.calendar.due_at(self.at, &left);
            armed.rest = Some(Rest { since: self.at, limit: left.to_string() });
            self.situation.calendar.version().clone_into(&mut armed.calendar);
            agenda::reconsider(spec, &mut armed, self.situation.calendar, self.situation.now);
            self.note(name, ClockVerb::Resumed, Some(armed.due));
        }
        self.instance.clocks.insert(name.to_owned(), armed);
    }

    /// Counts again from the same start with the fields as they are now.
    pub(super) fn rearm(&mut self, name: &str) {
        let Some(spec) = self.situation.chart.clocks.get(name) else { return };
        let Some(mut armed) = self.instance.clocks.remove(name) else {
            return self.arm_again(name);
        };
        // The same start: where `from` falls back on `at`, the moment of arming is meant.
        let at = std::mem::replace(&mut self.at, armed.base);
        armed.base = self.base(spec).unwrap_or(armed.base);
        self.at = at;
        (armed.due, armed.limit) = self.due(spec, armed.base);
        armed.rest = None;
        self.situation.calendar.version().clone_into(&mut armed.calendar);
        agenda::reconsider(spec, &mut armed, self.situation.calendar, self.situation.now);
        self.note(name, ClockVerb::Rearmed, Some(armed.due));
        self.instance.clocks.insert(name.to_owned(), armed);
    }

    /// A clock that was stopped begins again, if a state that lists it is active.
    fn arm_again(&mut self, name: &str) {
        let chart = self.situation.chart;
        let scope = chart.active(self.leaf).find(|node| node.clocks.iter().any(|c| c == name));
        if let Some(scope) = scope {
            // A fence of its own: a claim on its earlier life must not fire this one.
            self.instance.entries += 1;
            self.arm(name, &scope.path);
        }
    }

    /// A clock has something to do. Never early; one thing at a time, so that after downtime each
    /// missed one is an event of its own.
    ///
    /// # Errors
    /// `clock_stale` when the clock is not there any more (or has done it), `clock_early` when its
    /// time has not come; nothing has changed then.
    pub fn fire(&mut self) -> Result<(), Refusal> {
        let name = self.command.name.strip_prefix("clock.").unwrap_or_default();
        let chart = self.situation.chart;
        let (Some(spec), Some(mut armed)) =
            (chart.clocks.get(name), self.instance.clocks.get(name).cloned())
        else {
            return Err(stale(name));
        };
        let expected = self.command.input.get("step").and_then(Value::as_int);
        let fenced = self.command.input.get("entry").and_then(Value::as_int);
        let moved = expected.is_some_and(|step| step != armed.step)
            || fenced.is_some_and(|entry| entry != armed.entry);
        let Some(wake) = armed.wake.filter(|_| !moved) else { return Err(stale(name)) };
        if wake > self.situation.now {
            return Err(Refusal::new(
                "clock_early",
                Text::new(format!("时限“{name}”尚未到"), format!("`{name}` is not due yet")),
            ));
        }
        let Some(rung) = self.do_next(spec, &mut armed, wake) else { return Err(stale(name)) };
        if rung.runs_out && !self.trigger(&self.command.name)? {
            self.ignored = true;
        }
        if let Some(raise) = rung.raised {
            self.trigger(&format!("clock.{name}.{raise}"))?;
        }
        self.plan_again(spec, armed.entry);
        Ok(())
    }

    /// Does the next thing of a ladder, without what the chart makes of it.
    pub(super) fn do_next<'s>(
        &mut self,
        spec: &'s ClockSpec,
        armed: &mut ArmedClock,
        wake: Instant,
    ) -> Option<Rung<'s>> {
        // Asked as of the moment it was to wake: a repetition is not skipped by its own lateness.
        let before = wake.plus(-1);
        let (_, item) = agenda::next(spec, armed, self.situation.calendar, before)?;
        armed.step += 1;
        let hurry = armed.hurry.take();
        let runs_out = self.mark(spec, armed, item);
        self.note(&spec.name, ClockVerb::Fired, Some(armed.due));
        self.instance.clocks.insert(spec.name.clone(), armed.clone());
        let step = match item {
            Item::Step(index) => spec.steps.get(index),
            Item::Repeat => agenda::repetition(spec, armed),
            Item::RunOut => None,
        };
        if !matches!(item, Item::Repeat) && !step.is_some_and(|step| self.speaks(step)) {
            // Whoever was waited for is waited for still: this told nobody, and was not meant to.
            self.hurry(&spec.name, hurry);
        }
        let raised = step.and_then(|step| self.climb(spec, item, step));
        Some(Rung { item, step, runs_out, raised })
    }

    fn mark(&self, spec: &ClockSpec, armed: &mut ArmedClock, item: Item) -> bool {
        let runs_out = match item {
            Item::Step(index) => {
                if let Some(number) = agenda::number(item) {
                    agenda::mark_done(armed, number);
                }
                let at_due =
                    matches!(spec.steps.get(index).map(|step| &step.at), Some(Moment::Due));
                at_due && armed.due <= self.situation.now
            }
            Item::RunOut => true,
            Item::Repeat => false,
        };
        if runs_out {
            armed.ran_out_at = Some(self.situation.now);
        }
        runs_out
    }

    /// Whether a step tells anybody anything now.
    fn speaks(&self, step: &Step) -> bool {
        let wanted = step.when.as_ref().is_none_or(|when| self.holds(when));
        wanted && step.text.is_some() && !step.tell.is_empty()
    }

    fn hurry(&mut self, name: &str, hurry: Option<Instant>) {
        if let Some(armed) = self.instance.clocks.get_mut(name) {
            armed.hurry = hurry;
        }
    }

    /// Does a step of a ladder; answers what it raises.
    fn climb<'s>(&mut self, spec: &ClockSpec, item: Item, step: &'s Step) -> Option<&'s str> {
        if !step.when.as_ref().is_none_or(|when| self.holds(when)) {
            return None;
        }
        if let Some(text) = &step.text
            && !step.tell.is_empty()
        {
            let clock = Some(spec.name.as_str());
            let words = Words { text, offer: step.offer.as_deref(), clock };
            let reached = self.tell_people(&step.tell, &step.via, words);
            let now = self.situation.now;
            let hurry = match (reached, step.acknowledge_within) {
                (true, Some(within)) => Some(now.plus(within)),
                (true, None) => None,
                // Nobody was reached: the next step comes at once. Reminders before the due
                // instant do not drag the alarm forward, and repetitions do not chase themselves.
                (false, within) => {
                    let due = self.instance.clocks.get(&spec.name).map(|armed| armed.due);
                    let late = due.is_some_and(|due| due <= now)
                        || within.is_some()
                        || matches!(step.at, Moment::Due);
                    (late && !matches!(step.at, Moment::Every(_))).then_some(now)
                }
            };
            if let Some(armed) = self.instance.clocks.get_mut(&spec.name) {
                armed.hurry = hurry;
                if let Some(number) = agenda::number(item).filter(|_| reached) {
                    armed.told.insert(number, None);
                    armed.last = Some(number);
                }
            }
        }
        step.raise.as_deref()
    }

    pub(super) fn plan_again(&mut self, spec: &ClockSpec, entry: i64) {
        let Some(mut armed) = self.instance.clocks.remove(&spec.name) else { return };
        if armed.entry == entry {
            self.plan(spec, &mut armed);
        }
        self.instance.clocks.insert(spec.name.clone(), armed);
    }
}

fn stale(name: &str) -> Refusal {
    Refusal::new(
        "clock_stale",
        Text::new(format!("时限“{name}”已不在"), format!("`{name}` has nothing to do any more")),
    )
}
