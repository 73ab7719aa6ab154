//! The one decision: (chart, instance, command, now, calendar, facts) in; an event and the instance
//! as it stands after it, or a refusal, out. Pure: no clock, no input or output, no randomness.
//!
//! One accepted command makes exactly one event. The event holds everything the decision asked for
//! and everything it decided, so that [`replay`] can repeat it and an outsider can check it.

pub mod agenda;
pub mod audit;
pub mod family;
pub mod input;
pub mod possible;
pub mod replay;
pub mod run;
pub mod wording;

use std::collections::BTreeMap;

use crate::calendar::Calendar;
use crate::chart::expression::{Expression, Timing};
use crate::chart::{Chart, Party, machine};
use crate::domain::{
    Actor, ArmedClock, Command, DefinitionId, Event, Facts, Fields, Instance, InstanceId, Instant,
    JurisdictionId, Refusal, Text, Tier, Witness,
};
use run::Run;

/// `always` transitions and clocks already past are followed so many times within one command.
pub const STEP_BUDGET: usize = 64;

/// Acknowledges the ladder of a clock; every workflow knows it, and none has a command of this name.
pub const ACKNOWLEDGE: &str = "acknowledge";

/// What became of an alert, told by the service itself. No workflow can have a command of this
/// name: the dot is not for people's commands.
pub const RECEIPT: &str = "alert.receipt";

/// Counts the clocks of an instance again by the version of the calendar that counts now; only the
/// service itself may ask it.
pub const RECOUNT: &str = "recount_clocks";

/// Puts the successor of a unit in its place; only the service itself may ask it.
pub const SUCCEED: &str = "succeed_unit";

/// That it was shown who called; asked by people, for a purpose.
pub const REVEAL: &str = "caller.revealed";

/// That what is kept of who called was put right; asked by people.
pub const CORRECT: &str = "caller.corrected";

/// In a correction: the event that brought the call.
pub const CALL: &str = "call";

/// In a correction and an erasure: why.
pub const REASON: &str = "reason";

/// That who called was erased; asked by people, or by the service when the time has come.
pub const ERASE: &str = "caller.erased";

/// Whether a command is only word about a matter: how the matter stands is as before.
#[must_use]
pub fn is_word(command: &str) -> bool {
    [RECEIPT, REVEAL, CORRECT, ERASE].contains(&command)
}

/// What a clock's firing does without, because it was refused: names of workflows not started,
/// `signal.<name>` not sent, or one of the two below. Stands in the input of the firing.
pub const LEFT_OUT: &str = "left_out";

/// Why, beside it.
pub const WHY: &str = "why";

/// Left out: every child.
pub const LEFT_CHILDREN: &str = "*children";

/// Left out: every transition; only the ladder climbs.
pub const LEFT_STATES: &str = "*states";

/// What a decision is made in.
#[derive(Clone, Copy)]
pub struct Situation<'s> {
    /// The workflow.
    pub chart: &'s Chart,
    /// The jurisdiction's calendar.
    pub calendar: &'s Calendar,
    /// The world outside.
    pub facts: &'s dyn Facts,
    /// The server's time.
    pub now: Instant,
}

/// Where a new instance belongs.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    /// Its id.
    pub id: InstanceId,
    /// Its parent, and the family's root, for a child.
    pub parent: Option<(InstanceId, InstanceId)>,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// The version of the workflow.
    pub definition: DefinitionId,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The instance after it.
    pub instance: Instance,
    /// What is now a fact.
    pub event: Event,
}

/// Opens an instance.
///
/// # Errors
/// A refusal: wrong command, no right, missing or wrong input, a rule.
pub fn open(
    situation: Situation<'_>,
    seed: Seed,
    actor: &Actor,
    command: &Command,
) -> Result<Decision, Refusal> {
    let chart = situation.chart;
    begins(chart, command)?;
    decided(situation, &blank(situation, seed), actor, command, |run| {
        run.permit(&chart.start)?;
        run.prepare(&chart.start)?;
        run.begin()
    })
}

/// Whether a command opens an instance of the workflow.
fn begins(chart: &Chart, command: &Command) -> Result<(), Refusal> {
    let (want, have) = (&chart.start.name, &command.name);
    if want == have {
        return Ok(());
    }
    Err(Refusal::new(
        "not_the_start",
        Text::new(
            format!("该流程以“{want}”开始，而不是“{have}”"),
            format!("This workflow is opened by `{want}`, not by `{have}`"),
        ),
    ))
}

/// Decides a command, a clock's firing, a signal or a child's end.
///
/// # Errors
/// A refusal, with the commands that the actor could give instead; nothing has changed.
pub fn decide(
    situation: Situation<'_>,
    instance: &Instance,
    actor: &Actor,
    command: &Command,
) -> Result<Decision, Refusal> {
    let people = matches!(actor, Actor::Person { .. } | Actor::System);
    decided(situation, instance, actor, command, |run| match actor {
        Actor::Clock => run.fire(),
        Actor::Relative { .. } => run.relative(),
        Actor::System if command.name == RECEIPT => {
            run.receipt();
            Ok(())
        }
        Actor::System if command.name == RECOUNT => run.recount(),
        Actor::System if command.name == SUCCEED => run.succeed(),
        _ if command.name == REVEAL => run.reveal(),
        _ if command.name == CORRECT => run.correct(),
        _ if command.name == ERASE => run.erase(),
        _ if acknowledges(situation.chart, &command.name) => run.acknowledge(),
        _ => run.command(),
    })
    .map_err(|mut refusal| {
        if people {
            refusal.possible = possible::names(situation, instance, actor);
        }
        refusal
    })
}

/// What is asked of a command before its input is looked at: for a command whose input cannot be
/// read, so that what comes first in the order of questions is also said first. `instance` is none
/// for a command that is to open one; its input holds what could be read.
///
/// # Errors
/// The refusal, with the commands that the actor could give instead; none if only the input stands
/// in the way.
pub fn admit(
    situation: Situation<'_>,
    instance: Option<&Instance>,
    actor: &Actor,
    command: &Command,
) -> Result<(), Refusal> {
    let chart = situation.chart;
    let Some(instance) = instance else {
        begins(chart, command)?;
        // A unit that applies for itself is named by the input: without it nobody can tell.
        let unread = |party: &Party| match party {
            Party::Input(name) => !command.input.contains_key(name),
            Party::Body(_) | Party::Field(_) => false,
        };
        if chart.start.by.iter().any(|selector| unread(&selector.party)) {
            return Ok(());
        }
        let (id, definition) = (InstanceId(0), DefinitionId(0));
        let seed = Seed { id, parent: None, jurisdiction: JurisdictionId(0), definition };
        return Run::new(situation, &blank(situation, seed), actor, command)?.permit(&chart.start);
    };
    let asked = Run::new(situation, instance, actor, command).and_then(|mut run| {
        if acknowledges(chart, &command.name) {
            run.acknowledge()
        } else {
            run.admitted().map(drop)
        }
    });
    asked.map_err(|refusal| Refusal {
        possible: possible::names(situation, instance, actor),
        ..refusal
    })
}

/// Whether an instance has clocks that another version of the calendar moves: that of the
/// situation, by which they are to run from now on.
#[must_use]
pub fn would_recount(situation: Situation<'_>, instance: &Instance) -> bool {
    let version = situation.calendar.version();
    if instance.clocks.values().all(|clock| clock.calendar == version) {
        return false;
    }
    let command = Command::new(RECOUNT);
    Run::new(situation, instance, &Actor::System, &command)
        .is_ok_and(|mut run| run.recount().is_ok())
}

/// Where the due instant of an armed clock comes from that its definition computes, if that can
/// still be told.
#[must_use]
pub fn timing(
    situation: Situation<'_>,
    instance: &Instance,
    name: &str,
    armed: &ArmedClock,
) -> Option<Timing> {
    let command = Command::new("explain");
    let run = Run::new(situation, instance, &Actor::System, &command);
    run.ok()?.timing(name, armed)
}

/// Whether the messages of a matter are urgent: from tier larger up, and when its workflow says so.
#[must_use]
pub fn is_urgent(situation: Situation<'_>, instance: &Instance) -> bool {
    let says_so = |urgent: &Expression| {
        let command = Command::new("explain");
        let run = Run::new(situation, instance, &Actor::System, &command);
        run.is_ok_and(|run| run.judge(urgent))
    };
    instance.tier >= Tier::Larger.rank() || situation.chart.urgent.as_ref().is_some_and(says_so)
}

/// Whether a command acknowledges an alert, and is not one of the workflow's own.
#[must_use]
pub fn acknowledges(chart: &Chart, command: &str) -> bool {
    command == ACKNOWLEDGE && !chart.commands.contains_key(ACKNOWLEDGE)
}

/// Runs one decision with a witness of every question, and writes its event.
fn decided(
    situation: Situation<'_>,
    instance: &Instance,
    actor: &Actor,
    command: &Command,
    act: impl FnOnce(&mut Run<'_>) -> Result<(), Refusal>,
) -> Result<Decision, Refusal> {
    let witness = Witness::new(situation.facts);
    let mut decision = {
        let mut run =
            Run::new(Situation { facts: &witness, ..situation }, instance, actor, command)?;
        act(&mut run)?;
        settle(&mut run)?;
        run.finish()
    };
    decision.event.facts = witness.into_record();
    Ok(decision)
}

/// Follows transitions that need no trigger until none applies.
fn settle(run: &mut Run<'_>) -> Result<(), Refusal> {
    for _ in 0..STEP_BUDGET {
        if !run.trigger(machine::ALWAYS)? {
            return Ok(());
        }
    }
    Err(Refusal::new(
        "step_budget_exceeded",
        Text::new(
            "流程定义在原地循环，命令未执行",
            "The definition runs in a circle; nothing was done",
        ),
    ))
}

/// An instance of which nothing is known yet.
fn blank(situation: Situation<'_>, seed: Seed) -> Instance {
    let Situation { chart, now, .. } = situation;
    Instance {
        id: seed.id,
        family: seed.parent.map_or(seed.id, |(_, family)| family),
        parent: seed.parent.map(|(parent, _)| parent),
        jurisdiction: seed.jurisdiction,
        workflow: chart.workflow.clone(),
        definition: seed.definition,
        state: String::new(),
        version: 0,
        touched: 0,
        entries: 0,
        fields: initial_fields(chart),
        clocks: BTreeMap::new(),
        children: BTreeMap::new(),
        holder: None,
        status: String::new(),
        stage: String::new(),
        tier: 1,
        outcome: None,
        opened_at: now,
        updated_at: now,
        last_at: Instant(i64::MIN),
        closed_at: None,
    }
}

/// Fields that have a value from the start; those that have none are not kept at all.
fn initial_fields(chart: &Chart) -> Fields {
    let initial = chart.fields.iter().map(|(name, field)| (name.clone(), field.initial.clone()));
    initial.filter(|(_, value)| !value.is_unset()).collect()
}
