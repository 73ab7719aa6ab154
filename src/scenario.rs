//! Stories about a workflow that an official can read, told to the engine with a clock that is
//! moved by hand: given, do, after, expect.

mod expect;
mod story;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::calendar::Calendar;
use crate::chart::{Chart, Party, Selector};
use crate::domain::{
    Actor, Beside, Command, DefinitionId, Directory, Event, Facts, Fields, Grant, Instance,
    InstanceId, Instant, JurisdictionId, PersonId, Refusal, Role, Roster, Text, Value, of_matter,
};
use crate::engine::{self, Decision, Situation, family};
use crate::policy;
use crate::roster::{self, OnDuty, Rosters};

pub use story::{Step, Story};

/// The most clock firings between two steps: more is a clock that runs in a circle.
const FIRINGS_MAX: usize = 20_000;

/// Why a story came out otherwise than told.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is no story.
    #[error("the scenario cannot be read: {0}")]
    Shape(String),
    /// What happened is not what was expected.
    #[error("step {step}: {}", .differences.join("; "))]
    Different {
        /// The number of the step, from 1; one more than there are for the closing expectation.
        step: usize,
        /// Every difference.
        differences: Vec<String>,
    },
    /// The step cannot be told: an unknown role, an instance that is not there …
    #[error("step {step}: {what}")]
    Impossible {
        /// The number of the step, from 1.
        step: usize,
        /// What is wrong.
        what: String,
    },
}

/// Everything that stories happen in: workflows, a calendar, who is who.
#[derive(Debug, Clone)]
pub struct Stage {
    charts: BTreeMap<DefinitionId, Arc<Chart>>,
    calendar: Calendar,
    directory: Arc<Directory>,
    rosters: Arc<Rosters>,
}

impl Stage {
    /// A stage with these workflows.
    #[must_use]
    pub fn new(charts: Vec<Chart>, calendar: Calendar, directory: Directory) -> Self {
        let numbered = (1_i64..).zip(charts);
        let charts = numbered.map(|(id, chart)| (DefinitionId(id), Arc::new(chart))).collect();
        Self { charts, calendar, directory: Arc::new(directory), rosters: Arc::default() }
    }

    /// The same stage where people are on duty by rosters.
    #[must_use]
    pub fn with_rosters(self, rosters: Vec<Roster>) -> Self {
        Self { rosters: Arc::new(Rosters::new(rosters)), ..self }
    }

    /// Tells one story, given as YAML.
    ///
    /// # Errors
    /// The first step that came out otherwise, with every difference of that step.
    pub fn tell(&self, yaml: &str) -> Result<Story, Error> {
        let story: Story =
            serde_saphyr::from_str(yaml).map_err(|error| Error::Shape(error.to_string()))?;
        let mut play = Play::new(self, &story)?;
        for (index, step) in story.steps.iter().enumerate() {
            play.step(index + 1, step)?;
        }
        play.compare(story.steps.len() + 1, None, &story.expect, &[])?;
        Ok(story)
    }
}

/// A story under way.
struct Play<'s> {
    stage: &'s Stage,
    workflow: String,
    now: Instant,
    instances: BTreeMap<InstanceId, Instance>,
    events: Vec<Event>,
    zone: jiff::tz::TimeZone,
    rosters: Arc<Rosters>,
    last_id: i64,
}

/// What one step did.
#[derive(Default)]
struct Done {
    decisions: Vec<Decision>,
    refusal: Option<Refusal>,
}

impl<'s> Play<'s> {
    fn new(stage: &'s Stage, story: &Story) -> Result<Self, Error> {
        let zone = stage.calendar.zone().clone();
        let now = Instant::parse(&story.given.at)
            .map_err(|error| Error::Shape(format!("given.at: {error}")))?;
        let workflow = story.given.workflow.clone();
        let (instances, events) = (BTreeMap::new(), Vec::new());
        let rosters = match &story.given.rosters {
            None => Arc::clone(&stage.rosters),
            Some(rosters) => Arc::new(Rosters::new(story_rosters(rosters, &stage.directory)?)),
        };
        Ok(Self { stage, workflow, now, instances, events, zone, rosters, last_id: 0 })
    }

    /// Who is on duty now, and who is who.
    fn on_duty(&self) -> OnDuty {
        OnDuty {
            directory: Arc::clone(&self.stage.directory),
            rosters: Arc::clone(&self.rosters),
            calendar: self.stage.calendar.clone(),
            now: self.now,
        }
    }

    fn step(&mut self, number: usize, step: &Step) -> Result<(), Error> {
        let impossible = |what: String| Error::Impossible { step: number, what };
        let mut done = Done::default();
        if let Some(until) = step.moment(self.now).map_err(impossible)? {
            self.pass(until, &mut done).map_err(impossible)?;
        }
        let on = step.on.as_deref().map(|name| self.find(name)).transpose().map_err(impossible)?;
        if let Some(command) = &step.command {
            done = self.give(command, step, on, done).map_err(impossible)?;
        }
        if let Some(refused) = &step.refused {
            let code = done.refusal.as_ref().map(|refusal| refusal.code.clone());
            if code.as_ref() != Some(refused) {
                let was = code.unwrap_or_else(|| "accepted".to_owned());
                let differences = vec![format!("refused: expected {refused}, was {was}")];
                return Err(Error::Different { step: number, differences });
            }
        } else if let Some(refusal) = &done.refusal {
            let differences =
                vec![format!("refused: {refusal} (possible: {})", refusal.possible.join(", "))];
            return Err(Error::Different { step: number, differences });
        }
        let expect = step.expect.clone().unwrap_or_default();
        self.compare(number, on, &expect, &done.decisions)
    }

    /// Lets time pass; clocks fire on the way, in order of tier then due, as the scheduler does it.
    fn pass(&mut self, until: Instant, done: &mut Done) -> Result<(), String> {
        for _ in 0..FIRINGS_MAX {
            let Some((wake, id, name)) = self.next_clock(until) else {
                self.now = until;
                return Ok(());
            };
            self.now = self.now.max(wake);
            let clock = self.instances.get(&id).and_then(|instance| instance.clocks.get(&name));
            let (entry, step) = clock.map(|clock| (clock.entry, clock.step)).unwrap_or_default();
            let command = Command::new(format!("clock.{name}")).with("entry", entry);
            let command = command.with("step", step);
            match family::act(self, id, &Actor::Clock, &command) {
                Ok(decisions) => self.keep(decisions, done),
                Err(Fault::Refused(refusal)) => {
                    return Err(format!("the clock `{name}` was refused: {refusal}"));
                }
                Err(Fault::Missing(what)) => return Err(what),
            }
        }
        Err(format!("clocks fired {FIRINGS_MAX} times: one of them runs in a circle"))
    }

    fn next_clock(&self, until: Instant) -> Option<(Instant, InstanceId, String)> {
        let clocks = self.instances.values().flat_map(|instance| {
            let of_one = instance.clocks.iter();
            of_one.filter_map(|(name, clock)| {
                let wake = clock.wake?.max(self.now);
                Some((wake, -instance.tier, clock.due, instance.id, name.clone()))
            })
        });
        let next = clocks.min()?;
        (next.0 <= until).then_some((next.0, next.3, next.4))
    }

    fn give(
        &mut self,
        command: &str,
        step: &Step,
        on: Option<InstanceId>,
        mut done: Done,
    ) -> Result<Done, String> {
        let jurisdiction = self.stage.directory.jurisdiction;
        let first = self.instances.is_empty() || step.another;
        let instance = match on {
            Some(id) => self.instances.get(&id).cloned(),
            None => self.root().cloned(),
        };
        let workflow = instance.as_ref().map_or(&self.workflow, |instance| &instance.workflow);
        let chart = self.chart_named(workflow)?;
        let spec = if first { Some(&chart.start) } else { chart.commands.get(command) };
        let by = spec.map(|spec| spec.by.as_slice()).unwrap_or_default();
        let actor = self.actor(step.who.as_deref(), by, instance.as_ref(), command)?;
        if let Some(instance) = instance.as_ref().filter(|_| !first)
            && !self.takes_part(&chart, instance, &actor)
        {
            done.refusal = Some(foreign());
            return Ok(done);
        }
        let json: serde_json::Map<_, _> = step.input.clone().into_iter().collect();
        let occurred_at = step
            .occurred_at
            .as_ref()
            .map(|text| Instant::parse(text).map_err(|error| format!("occurred_at: {error}")))
            .transpose()?;
        let values = match spec.map(|spec| engine::input::sort(spec, &json)) {
            Some((given, None)) => with_digests(given),
            Some((given, Some(refusal))) => {
                let (calendar, facts, now) = (&self.stage.calendar, self.on_duty(), self.now);
                let situation = Situation { chart: &chart, calendar, facts: &facts, now };
                let name = command.to_owned();
                let command = Command { name, input: given.values, occurred_at };
                let admitted = engine::admit(situation, instance.as_ref(), &actor, &command);
                done.refusal = Some(admitted.err().unwrap_or(refusal));
                return Ok(done);
            }
            None => plain(&json),
        };
        let command = Command { name: command.to_owned(), input: values, occurred_at };
        let outcome = match (first, instance) {
            (true, _) => {
                let workflow = self.workflow.clone();
                family::open(self, jurisdiction, &workflow, &actor, &command)
            }
            (false, Some(instance)) => family::act(self, instance.id, &actor, &command),
            (false, None) => return Err("there is no instance yet".to_owned()),
        };
        match outcome {
            Ok(decisions) => self.keep(decisions, &mut done),
            Err(Fault::Refused(refusal)) => done.refusal = Some(refusal),
            Err(Fault::Missing(what)) => return Err(what),
        }
        Ok(done)
    }

    /// The same door as the gate's: what an actor takes no part in is not there for it.
    fn takes_part(&self, chart: &Chart, instance: &Instance, actor: &Actor) -> bool {
        let directory = &self.stage.directory;
        let county = directory.bodies.get("county").map(String::as_str);
        let posts = || chart.posts(&**directory);
        policy::takes_part(actor, chart.named_in(instance), posts, county)
    }

    fn keep(&mut self, decisions: Vec<Decision>, done: &mut Done) {
        for decision in decisions {
            self.instances.insert(decision.instance.id, decision.instance.clone());
            self.events.push(decision.event.clone());
            done.decisions.push(decision);
        }
    }

    fn root(&self) -> Option<&Instance> {
        self.instances.values().next()
    }

    fn chart_named(&self, workflow: &str) -> Result<Arc<Chart>, String> {
        let found = self.stage.charts.values().rfind(|chart| chart.workflow == workflow);
        found.cloned().ok_or_else(|| format!("there is no workflow `{workflow}`"))
    }

    /// `co_task[2]` is the second child of that workflow, `co_task` the first.
    fn find(&self, name: &str) -> Result<InstanceId, String> {
        let (workflow, number) = match name.split_once('[') {
            Some((workflow, rest)) => {
                let number = rest.trim_end_matches(']').parse::<usize>();
                (workflow, number.map_err(|_ignored| format!("`{name}` is no instance"))?)
            }
            None => (name, 1),
        };
        let mut of_workflow = self.instances.values().filter(|i| i.workflow == workflow);
        let found = of_workflow.nth(number.saturating_sub(1));
        found.map(|instance| instance.id).ok_or_else(|| format!("there is no `{name}`"))
    }

    /// Who acts: `water.liaison`, `desk.dispatcher`, `unit.liaison`; the first of `by` if nobody
    /// is named.
    fn actor(
        &self,
        who: Option<&str>,
        by: &[Selector],
        instance: Option<&Instance>,
        command: &str,
    ) -> Result<Actor, String> {
        let directory = &self.stage.directory;
        let (party, role) = match (who, by.first()) {
            (Some(who), _) => {
                let (party, role) = who.rsplit_once('.').ok_or(format!("`{who}` is no role"))?;
                (party.to_owned(), role.parse::<Role>()?)
            }
            (None, Some(Selector { party: Party::Body(name) | Party::Field(name), role })) => {
                (name.clone(), *role)
            }
            _ => return Err(format!("say who gives `{command}` (`as: unit.role`)")),
        };
        let field = instance.and_then(|instance| instance.fields.get(&party));
        let unit = directory
            .bodies
            .get(&party)
            .cloned()
            .or_else(|| field.and_then(Value::as_text).map(str::to_owned))
            .unwrap_or(party);
        let person = directory.people_with(&unit, role).next();
        let id = person.map_or(PersonId(0), |person| person.id);
        Ok(Actor::person(id, vec![Grant { role, unit }]))
    }
}

/// Personal texts as they would reach the chart: never themselves.
fn with_digests(given: engine::input::Given) -> Fields {
    let digests = given.personal.into_keys().map(|name| (name, Value::from("digest")));
    given.values.into_iter().chain(digests).collect()
}

/// The input of a command that no workflow specifies: `acknowledge`.
fn plain(json: &serde_json::Map<String, serde_json::Value>) -> Fields {
    let texts = json.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    texts.map(|(name, text)| (name.clone(), Value::from(text))).collect()
}

/// The rosters that a story gives itself.
fn story_rosters(given: &[Roster<String>], directory: &Directory) -> Result<Vec<Roster>, Error> {
    let mut rosters = Vec::new();
    for roster in given {
        let read = roster.with_people(directory);
        let read = read.map_err(|fault| Error::Shape(format!("given.rosters: {fault}")))?;
        roster::check(&read, directory)
            .map_err(|refusal| Error::Shape(format!("given.rosters: {refusal}")))?;
        rosters.push(read);
    }
    Ok(rosters)
}

fn foreign() -> Refusal {
    Refusal::new("not_found", Text::new("没有这一事项", "There is no such matter"))
}

/// What can go wrong in a story's world.
enum Fault {
    Refused(Refusal),
    Missing(String),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl family::World for Play<'_> {
    type Error = Fault;

    fn refusal(error: Fault) -> Result<Refusal, Fault> {
        match error {
            Fault::Refused(refusal) => Ok(refusal),
            other @ Fault::Missing(_) => Err(other),
        }
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn chart(&mut self, definition: DefinitionId) -> Result<Arc<Chart>, Fault> {
        let chart = self.stage.charts.get(&definition).cloned();
        chart.ok_or_else(|| Fault::Missing(format!("there is no definition {definition}")))
    }

    fn current(&mut self, _: JurisdictionId, workflow: &str) -> Result<DefinitionId, Fault> {
        let mut charts = self.stage.charts.iter().rev();
        let found = charts.find(|(_, chart)| chart.workflow == workflow);
        found.map(|(id, _)| *id).ok_or_else(|| {
            let (zh, en) = (format!("没有流程“{workflow}”"), format!("no workflow `{workflow}`"));
            Fault::Refused(Refusal::new("unknown_workflow", Text::new(zh, en)))
        })
    }

    fn calendar(&mut self, _: JurisdictionId) -> Result<Calendar, Fault> {
        Ok(self.stage.calendar.clone())
    }

    fn facts(&mut self, _: JurisdictionId) -> Result<Arc<dyn Facts>, Fault> {
        let facts: Arc<dyn Facts + Send + Sync> = Arc::new(self.on_duty());
        let roots = self.instances.values().filter(|instance| instance.parent.is_none());
        let known = roots.flat_map(|root| of_matter(&format!("{:08}", root.id.0), root));
        Ok(Arc::new(Beside::new(facts, known.collect())))
    }

    fn instance(&mut self, id: InstanceId) -> Result<Arc<Instance>, Fault> {
        let instance = self.instances.get(&id).cloned().map(Arc::new);
        instance.ok_or_else(|| Fault::Missing(format!("there is no instance {id}")))
    }

    fn open_children(&mut self, id: InstanceId) -> Result<Vec<(InstanceId, String)>, Fault> {
        let children = self.instances.values().filter(|child| child.parent == Some(id));
        let open = children.filter(|child| child.closed_at.is_none());
        Ok(open.map(|child| (child.id, child.workflow.clone())).collect())
    }

    fn new_id(&mut self) -> Result<InstanceId, Fault> {
        self.last_id += 1;
        Ok(InstanceId(self.last_id))
    }
}
