//! One command and everything that follows from it in the family: children opened, signals given,
//! parents told of ends. All of it is one transaction; a refusal anywhere refuses the whole.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{
    Decision, LEFT_CHILDREN, LEFT_OUT, LEFT_STATES, Seed, Situation, WHY, decide, open as open_one,
};
use crate::calendar::Calendar;
use crate::chart::{Chart, Shape};
use crate::domain::{
    Actor, Command, DefinitionId, Facts, Fields, Instance, InstanceId, Instant, JurisdictionId,
    Refusal, Text, Value,
};

/// A command is followed through at most so many decisions of its family.
pub const DECISIONS_MAX: usize = 256;

/// How a signal says that it goes to a matter which the command names.
const MATTER: &str = "matter.";

/// What a family lives in: the gate's transaction, a scenario, a simulation.
pub trait World {
    /// What can go wrong besides a refusal.
    type Error: From<Refusal>;

    /// The refusal that an error is, or the error back if it is none.
    ///
    /// # Errors
    /// The error itself, if it is no refusal.
    fn refusal(error: Self::Error) -> Result<Refusal, Self::Error>;

    /// The time of the decision.
    fn now(&self) -> Instant;
    /// The chart of a published version.
    ///
    /// # Errors
    /// When there is none.
    fn chart(&mut self, definition: DefinitionId) -> Result<Arc<Chart>, Self::Error>;
    /// The version of a workflow that new instances start on.
    ///
    /// # Errors
    /// When there is none.
    fn current(
        &mut self,
        jurisdiction: JurisdictionId,
        workflow: &str,
    ) -> Result<DefinitionId, Self::Error>;
    /// The calendar of a jurisdiction.
    ///
    /// # Errors
    /// When there is none.
    fn calendar(&mut self, jurisdiction: JurisdictionId) -> Result<Calendar, Self::Error>;
    /// The facts of a jurisdiction.
    ///
    /// # Errors
    /// When there are none.
    fn facts(&mut self, jurisdiction: JurisdictionId) -> Result<Arc<dyn Facts>, Self::Error>;
    /// An instance as it stands before the command.
    ///
    /// # Errors
    /// When there is none.
    fn instance(&mut self, id: InstanceId) -> Result<Arc<Instance>, Self::Error>;
    /// The open children of an instance before the command, with their workflows.
    ///
    /// # Errors
    /// When they cannot be looked up.
    fn open_children(&mut self, id: InstanceId) -> Result<Vec<(InstanceId, String)>, Self::Error>;
    /// An id for a new instance.
    ///
    /// # Errors
    /// When there is none left.
    fn new_id(&mut self) -> Result<InstanceId, Self::Error>;
}

/// Opens a root and whatever follows.
///
/// # Errors
/// A refusal, or what the world says.
pub fn open<W: World>(
    world: &mut W,
    jurisdiction: JurisdictionId,
    workflow: &str,
    actor: &Actor,
    command: &Command,
) -> Result<Vec<Decision>, W::Error> {
    let mut family = Family::new(world);
    family.open(None, jurisdiction, workflow, actor, command)?;
    family.follow()?;
    Ok(family.decisions)
}

/// Gives a command (of a person, a clock, a relative) to an instance, and whatever follows.
///
/// # Errors
/// A refusal, or what the world says.
pub fn act<W: World>(
    world: &mut W,
    id: InstanceId,
    actor: &Actor,
    command: &Command,
) -> Result<Vec<Decision>, W::Error> {
    if matches!(actor, Actor::Clock) {
        return fire(world, id, command);
    }
    let mut family = Family::new(world);
    family.act(id, actor, command)?;
    family.follow()?;
    Ok(family.decisions)
}

/// A clock's firing does not fail for what follows from it, else its ladder would fall silent: what
/// is refused is left out, the rest is done, and the event says what was left out and why.
fn fire<W: World>(
    world: &mut W,
    id: InstanceId,
    command: &Command,
) -> Result<Vec<Decision>, W::Error> {
    let mut command = command.clone();
    let (mut left_out, mut why): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    loop {
        let mut family = Family::new(world);
        let outcome = family.act(id, &Actor::Clock, &command).and_then(|()| family.follow());
        let Err(error) = outcome else { return Ok(family.decisions) };
        let cause = family.cause.take();
        let refusal = W::refusal(error)?;
        let about_itself = ["clock_stale", "clock_early"].contains(&refusal.code.as_str());
        let less = [cause.as_deref().unwrap_or(LEFT_CHILDREN), LEFT_STATES];
        let less = less.into_iter().find(|what| !left_out.iter().any(|known| known == what));
        let Some(less) = less.filter(|_| !about_itself) else { return Err(refusal.into()) };
        left_out.push(less.to_owned());
        why.push(refusal.to_string());
        let list = left_out.iter().map(|what| Value::from(what.as_str())).collect();
        command = command.with(LEFT_OUT, Value::List(list)).with(WHY, why.join("; ").as_str());
    }
}

/// What still has to be delivered.
struct Letter {
    /// What the first decision would have to leave out for this letter not to be written.
    cause: String,
    what: What,
}

enum What {
    Start { parent: InstanceId, workflow: String, input: Fields },
    Tell { from: InstanceId, to: InstanceId, told: Command, chosen: bool },
}

struct Family<'w, W: World> {
    world: &'w mut W,
    decisions: Vec<Decision>,
    letters: VecDeque<Letter>,
    /// The cause of the letter in hand; none while the first decision is made.
    cause: Option<String>,
}

impl<'w, W: World> Family<'w, W> {
    fn new(world: &'w mut W) -> Self {
        Self { world, decisions: Vec::new(), letters: VecDeque::new(), cause: None }
    }

    fn follow(&mut self) -> Result<(), W::Error> {
        while let Some(Letter { cause, what }) = self.letters.pop_front() {
            self.cause = Some(cause);
            if self.decisions.len() >= DECISIONS_MAX {
                return Err(endless().into());
            }
            match what {
                What::Start { parent, workflow, input } => self.start(parent, &workflow, input)?,
                What::Tell { from, to, told, chosen } => self.deliver((from, to), told, chosen)?,
            }
        }
        Ok(())
    }

    fn write(&mut self, cause: &str, what: What) {
        let cause = self.cause.clone().unwrap_or_else(|| cause.to_owned());
        self.letters.push_back(Letter { cause, what });
    }

    /// An instance as this command has left it so far.
    fn load(&mut self, id: InstanceId) -> Result<Arc<Instance>, W::Error> {
        match self.touched(id) {
            Some(instance) => Ok(Arc::new(instance.clone())),
            None => self.world.instance(id),
        }
    }

    fn touched(&self, id: InstanceId) -> Option<&Instance> {
        let instances = self.decisions.iter().rev().map(|decision| &decision.instance);
        instances.into_iter().find(|instance| instance.id == id)
    }

    fn open(
        &mut self,
        parent: Option<(InstanceId, InstanceId)>,
        jurisdiction: JurisdictionId,
        workflow: &str,
        actor: &Actor,
        command: &Command,
    ) -> Result<(), W::Error> {
        let definition = self.world.current(jurisdiction, workflow)?;
        let chart = self.world.chart(definition)?;
        let calendar = self.world.calendar(jurisdiction)?;
        let facts = self.world.facts(jurisdiction)?;
        let now = self.world.now();
        let situation = Situation { chart: &chart, calendar: &calendar, facts: &*facts, now };
        let seed = Seed { id: self.world.new_id()?, parent, jurisdiction, definition };
        let decision = open_one(situation, seed, actor, command)?;
        self.take(decision, &chart)
    }

    fn act(&mut self, id: InstanceId, actor: &Actor, command: &Command) -> Result<(), W::Error> {
        let instance = self.load(id)?;
        let chart = self.world.chart(instance.definition)?;
        let calendar = self.world.calendar(instance.jurisdiction)?;
        let facts = self.world.facts(instance.jurisdiction)?;
        let now = self.world.now();
        let situation = Situation { chart: &chart, calendar: &calendar, facts: &*facts, now };
        let decision = decide(situation, &instance, actor, command)?;
        self.take(decision, &chart)
    }

    /// Keeps a decision and writes the letters that follow from it.
    fn take(&mut self, decision: Decision, chart: &Chart) -> Result<(), W::Error> {
        let id = decision.instance.id;
        for started in &decision.event.started {
            let (workflow, input) = (started.workflow.clone(), started.input.clone());
            self.write(&started.workflow, What::Start { parent: id, workflow, input });
        }
        for signal in &decision.event.signalled {
            let name = format!("signal.{}", signal.name);
            // Somebody named this matter by its number: it may not be passed over without a word.
            let chosen = signal.to.starts_with(MATTER);
            for to in self.receivers(&decision, &signal.to)? {
                let input = signal.input.clone();
                let told = Command { name: name.clone(), input, occurred_at: None };
                self.write(&name, What::Tell { from: id, to, told, chosen });
            }
        }
        let ended = chart.find(&decision.instance.state).and_then(|leaf| chart.node(leaf));
        if let Some(parent) = decision.instance.parent
            && !decision.event.entered.is_empty()
            && ended.is_some_and(|node| node.shape == Shape::Final)
        {
            let name = format!("ended.{}", decision.instance.workflow);
            // An end cannot be kept from the parent, who counts; only not reached.
            let told = Command { name, input: Fields::new(), occurred_at: None };
            self.write(LEFT_STATES, What::Tell { from: id, to: parent, told, chosen: false });
        }
        self.decisions.push(decision);
        Ok(())
    }

    fn receivers(&mut self, decision: &Decision, to: &str) -> Result<Vec<InstanceId>, W::Error> {
        let from = &decision.instance;
        if let Some(number) = to.strip_prefix(MATTER) {
            let id = decision.event.facts.get(&format!("matter/{number}/id"));
            return Ok(id.and_then(Value::as_int).map(InstanceId).into_iter().collect());
        }
        if to == "parent" {
            return Ok(from.parent.into_iter().collect());
        }
        if from.children.values().all(|children| children.open == 0) {
            return Ok(Vec::new());
        }
        let workflow = to.strip_prefix("children.");
        let mut children: BTreeMap<InstanceId, String> = BTreeMap::new();
        // A new instance cannot have children from before this command.
        if from.version > 1 {
            children.extend(self.world.open_children(from.id)?);
        }
        for instance in self.decisions.iter().map(|decision| &decision.instance) {
            if instance.parent == Some(from.id) {
                children.insert(instance.id, instance.workflow.clone());
            }
        }
        children.retain(|id, _| self.touched(*id).is_none_or(|child| child.closed_at.is_none()));
        let wanted = |name: &str| workflow.is_none_or(|workflow| workflow == name);
        Ok(children.into_iter().filter(|(_, name)| wanted(name)).map(|(id, _)| id).collect())
    }

    fn start(&mut self, parent: InstanceId, workflow: &str, input: Fields) -> Result<(), W::Error> {
        let above = self.load(parent)?;
        let definition = self.world.current(above.jurisdiction, workflow)?;
        let name = self.world.chart(definition)?.start.name.clone();
        let command = Command { name, input, occurred_at: None };
        let actor = Actor::Relative { id: parent };
        let place = Some((parent, above.family));
        self.open(place, above.jurisdiction, workflow, &actor, &command)
    }

    /// A relative that does not know a signal is not disturbed by it, unless somebody chose it; one that
    /// runs by an older version is told as much as that version takes. The end of a child is always noted,
    /// because it is counted.
    fn deliver(
        &mut self,
        (from, to): (InstanceId, InstanceId),
        mut told: Command,
        chosen: bool,
    ) -> Result<(), W::Error> {
        let instance = self.load(to)?;
        let chart = self.world.chart(instance.definition)?;
        if let Some(signal) = told.name.strip_prefix("signal.") {
            match chart.signals.get(signal) {
                None if chosen => return Err(other_version().into()),
                None => return Ok(()),
                Some(inputs) => {
                    told.input.retain(|name, _| inputs.iter().any(|input| input.name == *name));
                }
            }
        }
        self.act(to, &Actor::Relative { id: from }, &told)
    }
}

fn other_version() -> Refusal {
    Refusal::new(
        "other_version",
        Text::new(
            "所选事项按本流程的另一版本办理，该版本不能接收此操作；请改为登记关联，两件分别办理",
            "The matter that was named runs by another version of this workflow, which cannot take this: link \
             the two instead, and handle each",
        ),
    )
}

fn endless() -> Refusal {
    Refusal::new(
        "step_budget_exceeded",
        Text::new(
            "流程之间互相触发不止，命令未执行",
            "The workflows set each other off without end; nothing was done",
        ),
    )
}
