//! One decision under way: the instance as it changes, and what will stand in the event.

mod acknowledging;
pub mod caller;
mod clocks;
mod effects;
mod heir;
mod known;
mod names;
mod receipt;
mod recount;
pub mod rehearsal;
mod rights;
mod timing;

use super::{Decision, LEFT_STATES, Situation};
use crate::chart::machine::{self, Hands, Offer};
use crate::chart::{CommandSpec, Require, Shape, Status, Target, Transition};
use crate::domain::event::{ClockChange, ClockVerb, Event, FORMAT, Signalled, Started, Told};
use crate::domain::refusal::Reason;
use crate::domain::{Actor, Command, Fields, Grant, Instance, Instant, Refusal, Text, Value};

/// No two machines' clocks agree: what is said to be so much (ms) ahead happens now.
const AHEAD_MAX: i64 = 2 * 60_000;
/// One decision under way.
pub struct Run<'r> {
    situation: Situation<'r>,
    instance: Instance,
    /// Fields as they were, to say what changed.
    before: &'r Fields,
    from: String,
    actor: &'r Actor,
    command: &'r Command,
    /// When it happened.
    at: Instant,
    /// The grant that gave the actor the right.
    grant: Option<Grant>,
    leaf: usize,
    each: Value,
    entered: Vec<String>,
    clocks: Vec<ClockChange>,
    told: Vec<Told>,
    started: Vec<Started>,
    signalled: Vec<Signalled>,
    ignored: bool,
    /// Only word of an alert: how the matter stands is as before.
    word_only: bool,
    refusal: Option<Refusal>,
}

impl<'r> Run<'r> {
    /// Begins a decision.
    ///
    /// # Errors
    /// When the command is said to have happened in the future, or before the previous fact.
    pub fn new(
        situation: Situation<'r>,
        before: &'r Instance,
        actor: &'r Actor,
        command: &'r Command,
    ) -> Result<Self, Refusal> {
        let instance = before.clone();
        // The clock of the house may have been set back: events never run backwards.
        let now = situation.now.max(instance.updated_at);
        let ahead = |at: &Instant| (1..=AHEAD_MAX).contains(&at.since(now));
        let at = command.occurred_at.filter(|at| !ahead(at)).unwrap_or(now);
        if at > now {
            return Err(Refusal::new(
                "occurred_in_future",
                Text::new("发生时间晚于当前时间", "It is said to have happened in the future"),
            ));
        }
        if command.occurred_at.is_some() && at < instance.last_at {
            let last = instance.last_at.in_zone(situation.calendar.zone());
            let zh = format!("发生时间早于上一条已记录的事实（{last}）");
            let en = format!("It is said to have happened before the previous fact, of {last}");
            return Err(Refusal::new("occurred_before_last", Text::new(zh, en)));
        }
        let leaf = situation.chart.find(&instance.state).unwrap_or(situation.chart.initial);
        Ok(Self {
            situation: Situation { now, ..situation },
            before: &before.fields,
            from: instance.state.clone(),
            instance,
            actor,
            command,
            at,
            grant: None,
            leaf,
            each: Value::Unset,
            entered: Vec::new(),
            clocks: Vec::new(),
            told: Vec::new(),
            started: Vec::new(),
            signalled: Vec::new(),
            ignored: false,
            word_only: false,
            refusal: None,
        })
    }

    /// A command of a person: rights, input, rules, laws, then the chart.
    ///
    /// # Errors
    /// The refusal.
    pub fn command(&mut self) -> Result<(), Refusal> {
        let spec = self.admitted()?;
        self.checked(spec)?;
        if !self.trigger(&self.command.name)? {
            return Err(not_possible(spec));
        }
        Ok(())
    }

    /// What is asked of a command before its input: whether there is such a one, whether the actor
    /// may give it, and whether any active state reacts to it. What no state would take is said
    /// before its rules, which are of no interest then.
    ///
    /// # Errors
    /// `unknown_command`, `not_yours` or `not_possible_now`.
    pub fn admitted(&mut self) -> Result<&'r CommandSpec, Refusal> {
        let chart = self.situation.chart;
        let Some(spec) = chart.commands.get(&self.command.name) else {
            return Err(Refusal::new(
                "unknown_command",
                Text::new(
                    format!("没有“{}”这个操作", self.command.name),
                    format!("There is no command `{}`", self.command.name),
                ),
            ));
        };
        self.permit(spec)?;
        let reacts = chart.active(self.leaf).any(|node| node.on.contains_key(&spec.name));
        if self.has_ended() || !reacts {
            return Err(not_possible(spec));
        }
        Ok(spec)
    }

    /// What has ended accepts nothing, whatever the states around it would take.
    fn has_ended(&self) -> bool {
        let node = self.situation.chart.node(self.leaf);
        node.is_some_and(|node| node.shape == Shape::Final)
    }

    /// A signal from a relative, or the end of a child.
    ///
    /// # Errors
    /// Only what breaks a bound; a signal that nobody takes is ignored, and recorded.
    pub fn relative(&mut self) -> Result<(), Refusal> {
        if let Some(workflow) = self.command.name.strip_prefix("ended.")
            && let Some(children) = self.instance.children.get_mut(workflow)
        {
            children.open = (children.open - 1).max(0);
        }
        let signal = self.command.name.strip_prefix("signal.");
        if let Some(inputs) = signal.and_then(|name| self.situation.chart.signals.get(name)) {
            super::input::check(inputs, &self.command.input)?;
        }
        if !self.trigger(&self.command.name)? {
            self.ignored = true;
        }
        Ok(())
    }

    /// What stands before the transition of a command: its input, its rules, its own effects.
    ///
    /// # Errors
    /// The refusal.
    pub fn prepare(&mut self, spec: &CommandSpec) -> Result<(), Refusal> {
        self.checked(spec)?;
        self.apply(&spec.effects)
    }

    fn checked(&mut self, spec: &CommandSpec) -> Result<(), Refusal> {
        super::input::check(&spec.input, &self.command.input)?;
        self.known(&spec.input)?;
        self.require(&spec.require)?;
        for law in &self.situation.chart.laws {
            if law.command == spec.name && self.holds(&law.when) {
                let code = format!("law.{}", law.id);
                return Err(Refusal::new(&code, law.title.clone()));
            }
        }
        Ok(())
    }

    /// Enters the initial state of a new instance.
    ///
    /// # Errors
    /// A bound on children.
    pub fn begin(&mut self) -> Result<(), Refusal> {
        let chart = self.situation.chart;
        let target = Target { leaf: chart.initial, state: chart.initial, kept: 0 };
        self.leaf = target.leaf;
        machine::enter(chart, target, self);
        self.refused()
    }

    /// Offers a trigger to the chart and follows the transition that takes it. False: nobody did.
    ///
    /// # Errors
    /// The refusal of the state that was asked.
    pub fn trigger(&mut self, trigger: &str) -> Result<bool, Refusal> {
        let chart = self.situation.chart;
        if self.has_ended() || self.leaves_out(LEFT_STATES) {
            return Ok(false);
        }
        let taken = machine::dispatch(chart, self.leaf, trigger, self);
        self.refused()?;
        let Some(taken) = taken else { return Ok(false) };
        if let Some(target) = taken.transition.target {
            machine::leave(chart, self.leaf, target, self);
            self.leaf = target.leaf;
        }
        if let Some(spec) = chart.commands.get(trigger) {
            self.apply(&spec.effects)?;
        }
        if let Some(outcome) = &taken.transition.outcome {
            self.instance.outcome = Some(outcome.clone());
        }
        self.apply(&taken.transition.effects)?;
        if let Some(target) = taken.transition.target {
            machine::enter(chart, target, self);
        }
        self.refused()?;
        Ok(true)
    }

    fn refused(&mut self) -> Result<(), Refusal> {
        self.refusal.take().map_or(Ok(()), Err)
    }

    fn require(&self, requires: &[Require]) -> Result<(), Refusal> {
        let broken: Vec<&Require> =
            requires.iter().filter(|require| !self.holds(&require.check)).collect();
        let Some(first) = broken.first() else { return Ok(()) };
        let reasons = broken.iter().map(|require| Reason {
            code: require.code.clone(),
            text: require.text.clone(),
            input: None,
        });
        Err(Refusal { code: first.code.clone(), reasons: reasons.collect(), possible: Vec::new() })
    }

    /// Closes the decision: what follows from where it stands now, and the event.
    #[must_use]
    pub fn finish(mut self) -> Decision {
        let chart = self.situation.chart;
        let now = self.situation.now;
        let node = chart.node(self.leaf);
        let closed = node.is_some_and(|node| matches!(node.shape, Shape::Final | Shape::Rest));
        let holder = node.and_then(|node| node.holder.as_ref()).filter(|_| !closed);
        self.instance.holder = holder.and_then(|party| self.unit_of(party));
        let status = node.map(|node| self.status(&node.status)).unwrap_or_default();
        let stage = node.and_then(|node| node.stage.as_ref()).map(|stage| self.status(stage));
        self.instance.stage = stage.filter(|s| !s.is_empty()).unwrap_or_else(|| status.clone());
        self.instance.status = status;
        if let Some(tier) =
            chart.tier_field.as_ref().and_then(|name| self.instance.fields.get(name))
        {
            self.instance.tier = tier.as_int().unwrap_or(1);
        }
        if closed {
            self.instance.closed_at.get_or_insert(now);
            let ended = node.is_some_and(|node| node.shape == Shape::Final);
            self.part_with_children(ended && !self.entered.is_empty());
        } else {
            self.instance.closed_at = None;
            self.instance.outcome = None;
        }
        self.instance.state = node.map(|node| node.path.clone()).unwrap_or_default();
        self.instance.version += 1;
        if !self.word_only {
            self.instance.touched = self.instance.version;
        }
        self.instance.updated_at = now;
        // Only what people report moves it: a clock that fires while a paper form waits to be typed
        // in must not keep the form's own times out.
        let by_people = matches!(self.actor, Actor::Person { .. }) || self.instance.version == 1;
        if by_people && !self.word_only {
            self.instance.last_at = self.at.max(self.instance.last_at);
        }
        self.choose_repetitions();
        let event = self.event();
        Decision { instance: self.instance, event }
    }

    /// Children are told when their parent has ended.
    fn part_with_children(&mut self, ended: bool) {
        if ended && self.instance.children.values().any(|children| children.open > 0) {
            self.signalled.push(Signalled {
                to: "children".to_owned(),
                name: "parent_ended".to_owned(),
                input: Fields::new(),
            });
        }
    }

    fn status(&self, status: &Status) -> String {
        match status {
            Status::Fixed(status) => status.clone(),
            Status::Choice(condition, then, other) => {
                if self.holds(condition) {
                    then.clone()
                } else {
                    other.clone()
                }
            }
        }
    }

    fn event(&mut self) -> Event {
        let fields = &self.instance.fields;
        let cleared = self.before.keys().filter(|name| !fields.contains_key(*name));
        let cleared = cleared.map(|name| (name.clone(), Value::Unset));
        let changed = fields.iter().filter(|(name, value)| self.before.get(*name) != Some(*value));
        let changed = changed.map(|(name, value)| (name.clone(), value.clone()));
        Event {
            format: FORMAT,
            instance: self.instance.id,
            seq: self.instance.version,
            recorded_at: self.situation.now,
            actor: self.actor.clone(),
            jurisdiction: self.instance.jurisdiction,
            unit: self.grant.as_ref().map(|grant| grant.unit.clone()),
            role: self.grant.as_ref().map(|grant| grant.role),
            command: self.command.clone(),
            facts: Default::default(),
            definition: self.instance.definition,
            calendar: self.situation.calendar.version().to_owned(),
            from: std::mem::take(&mut self.from),
            to: self.instance.state.clone(),
            entered: std::mem::take(&mut self.entered),
            status: self.instance.status.clone(),
            holder: self.instance.holder.clone(),
            set: changed.chain(cleared).collect(),
            clocks: std::mem::take(&mut self.clocks),
            told: std::mem::take(&mut self.told),
            started: std::mem::take(&mut self.started),
            signalled: std::mem::take(&mut self.signalled),
            ignored: self.ignored,
        }
    }

    fn note(&mut self, clock: &str, change: ClockVerb, due: Option<Instant>) {
        self.clocks.push(ClockChange { clock: clock.to_owned(), change, due, was: None });
    }
}

impl Hands for Run<'_> {
    fn offer(&mut self, transitions: &[Transition]) -> Offer {
        for (index, transition) in transitions.iter().enumerate() {
            if transition.when.as_ref().is_none_or(|when| self.holds(when)) {
                if let Err(refusal) = self.require(&transition.require) {
                    self.refusal = Some(refusal);
                    return Offer::Refuse;
                }
                return Offer::Take(index);
            }
        }
        Offer::Pass
    }

    fn leave(&mut self, state: usize) {
        let Some(node) = self.situation.chart.node(state) else { return };
        self.end_clocks(&node.path);
        for clock in &node.suspends {
            self.resume(clock);
        }
        if let Err(refusal) = self.apply(&node.exit) {
            self.refusal.get_or_insert(refusal);
        }
    }

    fn enter(&mut self, state: usize) {
        let Some(node) = self.situation.chart.node(state) else { return };
        self.instance.entries += 1;
        self.entered.push(node.path.clone());
        if let Err(refusal) = self.apply(&node.entry) {
            self.refusal.get_or_insert(refusal);
        }
        for clock in &node.clocks {
            self.arm(clock, &node.path);
        }
        for clock in &node.suspends {
            self.freeze(clock);
        }
    }
}

fn not_possible(spec: &CommandSpec) -> Refusal {
    Refusal::new(
        "not_possible_now",
        Text::new(
            format!("当前状态下不能“{}”", spec.title.zh),
            format!("`{}` is not possible in the present state", spec.title.en),
        ),
    )
}
