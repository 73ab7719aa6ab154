//! A seed's county: virtual weeks of people, two nodes, faults, checked after every step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fenliu::chart::Party;
use fenliu::domain::{Actor, Command, Directory, InstanceId, Instant, Value};
use fenliu::engine::Situation;

use super::auditor::Auditor;
use super::dice::Dice;
use super::people::{self, Character, DAY, HOUR, MINUTE};
use super::plan::Plan;
use super::stage::{Stage, stage};
use super::store::{Answer, Batch, Fence, Key, Store};
use super::trace::{Failure, Trace};
use super::{Bug, Summary};

/// A seed ends early after so many commits: some definitions alarm every five minutes.
const COMMITS_MAX: u64 = 250;
/// Matters are looked at so often at most.
const VISITS_MAX: u64 = 260;

/// What is to happen at an instant.
#[derive(Debug, Clone)]
pub(super) enum Job {
    /// Somebody opens a matter.
    Open,
    /// The holder of a matter turns to it, or another party does.
    Visit { instance: InstanceId, meddles: bool },
    /// A client asks, or asks again.
    Ask(Box<Request>),
    /// New versions of all workflows become current.
    Upgrade,
    /// A person leaves or comes back.
    Staff,
}

/// A client's request.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) key: Key,
    pub(super) actor: Actor,
    pub(super) target: Target,
    pub(super) command: Command,
}

/// What a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Open(String),
    Act(InstanceId),
}

/// What a node still has to do.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a few tasks at a time, for a test")]
pub(super) enum Task {
    /// Fire a claimed clock.
    Fire(Fence),
    /// Write what was decided before the node stood still.
    Write(Batch, Option<Request>),
    /// Hand over an alert that it holds until an instant.
    Send(i64, Instant),
    /// Write down what became of an alert.
    Mark(i64, Instant, Option<bool>),
}

/// A service node.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) ready_at: Instant,
    pub(super) tasks: VecDeque<Task>,
    pub(super) phase: i64,
    /// The last claim took as much as it may: there is more.
    pub(super) full: bool,
}

/// Everything of one seed.
pub(super) struct County {
    pub(super) seed: u64,
    pub(super) bug: Option<Bug>,
    pub(super) plan: Plan,
    pub(super) stage: &'static Stage,
    pub(super) store: Store,
    pub(super) directory: Arc<Directory>,
    pub(super) now: Instant,
    pub(super) nodes: [Node; 2],
    pub(super) jobs: BTreeMap<(Instant, u64), Job>,
    pub(super) order: u64,
    pub(super) dice: Dice,
    pub(super) upgraded: bool,
    pub(super) auditor: Auditor,
    pub(super) trace: Trace,
    pub(super) summary: Summary,
    visits: u64,
    /// Whether matters of a grave tier come up.
    grave: bool,
    /// No fault reaches beyond this.
    pub(super) troubled_until: Instant,
    midnight: Instant,
}

impl County {
    /// The world of a seed at its beginning.
    pub(super) fn new(seed: u64, bug: Option<Bug>, aloud: bool) -> Self {
        let stage = stage();
        let mut dice = Dice::new(seed);
        let plan = Plan::draw(&mut dice);
        let start = Instant::parse("2018-01-08T08:30:00+08:00").expect("an instant");
        let now = start.plus(dice.between(0, 330) * DAY);
        let node = |phase| Node { ready_at: now, tasks: VecDeque::new(), phase, full: false };
        let trace = Trace::new(seed, bug, aloud);
        let mut county = Self {
            seed,
            bug,
            stage,
            store: Store::default(),
            directory: Arc::new(stage.directory.clone()),
            now,
            nodes: [node(0), node(500)],
            jobs: BTreeMap::new(),
            order: 0,
            upgraded: false,
            auditor: Auditor::default(),
            trace,
            summary: Summary::default(),
            visits: 0,
            grave: false,
            troubled_until: now,
            midnight: people::midnight_after(&stage.calendar, now),
            dice,
            plan,
        };
        let span = county.plan.days * DAY;
        for _ in 0..county.plan.matters {
            let at = county.dice.between(0, span * 2 / 3);
            county.later(at, Job::Open);
        }
        // Incidents alarm every few minutes: most seeds have none, so that they last for weeks.
        county.grave = county.dice.chance(25);
        for job in [Job::Upgrade, Job::Staff, Job::Staff, Job::Staff] {
            let at = county.dice.between(DAY, span);
            county.later(at, job);
        }
        county
    }

    /// Plays the seed to its end.
    pub(super) fn play(mut self) -> Result<Summary, Failure> {
        let start = self.now;
        let end = start.plus(self.plan.days * DAY);
        self.live_until(end)?;
        // The faults stop; within two hours everything that is due has happened.
        self.plan.calm();
        self.jobs.clear();
        let calm = self.now.max(self.troubled_until);
        self.summary.days = self.now.since(start) / DAY;
        self.live_until(calm.plus(2 * HOUR))?;
        self.finish(calm)?;
        self.summary.trace = self.trace.hash();
        self.summary.commits = self.auditor.commits;
        self.summary.instances = u64::try_from(self.store.instances.len()).unwrap_or(0);
        Ok(self.summary)
    }

    fn live_until(&mut self, end: Instant) -> Result<(), Failure> {
        let most = if self.jobs.is_empty() { u64::MAX } else { COMMITS_MAX };
        while self.auditor.commits < most {
            let job = self.jobs.keys().next().map(|(at, _)| *at);
            let nodes = [self.next_of(0), self.next_of(1)];
            let soonest = job.into_iter().chain(nodes.into_iter().flatten()).min();
            let next = soonest.map_or(self.midnight, |at| at.min(self.midnight));
            if next > end {
                self.now = self.now.max(end);
                break;
            }
            self.now = self.now.max(next);
            if next == self.midnight {
                self.midnight = people::midnight_after(&self.stage.calendar, self.now);
                self.at_midnight()?;
            } else if job == Some(next) {
                self.next_job()?;
            } else {
                let node = usize::from(nodes[0] != Some(next));
                self.work(node)?;
            }
            self.check()?;
        }
        Ok(())
    }

    fn next_job(&mut self) -> Result<(), Failure> {
        let Some((_, job)) = self.jobs.pop_first() else { return Ok(()) };
        match job {
            Job::Open => self.open(),
            Job::Visit { instance, meddles } => self.visit(instance, meddles),
            Job::Ask(request) => return self.ask(*request),
            Job::Upgrade => {
                self.upgraded = true;
                self.say("new versions of all workflows are current".to_owned());
            }
            Job::Staff => self.staff(),
        }
        Ok(())
    }

    /// Puts a job on the list.
    pub(super) fn later(&mut self, millis: i64, job: Job) {
        self.order += 1;
        self.jobs.insert((self.now.plus(millis), self.order), job);
    }

    /// Writes a line of the trace.
    pub(super) fn say(&mut self, line: String) {
        self.trace.line(self.now, line);
    }

    /// A node is in trouble until an instant.
    pub(super) fn trouble(&mut self, until: Instant) {
        self.troubled_until = self.troubled_until.max(until);
    }

    fn staff(&mut self) {
        let people: Vec<_> = self.directory.people.keys().copied().collect();
        let Some(id) = self.dice.pick(&people).copied() else { return };
        let mut directory = Directory::clone(&self.directory);
        if let Some(person) = directory.people.get_mut(&id) {
            person.active = !person.active;
        }
        self.directory = Arc::new(directory);
        self.say(format!("person {id} leaves or comes back"));
    }

    fn open(&mut self) {
        let grave = self.grave;
        let mut roots = self.stage.roots.iter().filter(|(_, alarms)| grave || !alarms);
        let roots: Vec<&String> = roots.by_ref().map(|(workflow, _)| workflow).collect();
        let Some(workflow) = self.dice.pick(&roots).map(|workflow| (*workflow).clone()) else {
            return;
        };
        let chart = self.stage.charts.values().find(|chart| chart.workflow == workflow);
        let Some(chart) = chart.cloned() else { return };
        let mut dice = self.dice.fork();
        let directory = Arc::clone(&self.directory);
        let Some(person) = people::opener(&chart, &directory, &mut dice) else { return };
        let situation = Situation {
            chart: &chart,
            calendar: &self.stage.calendar,
            facts: &*directory,
            now: self.now,
        };
        let character = Character::Desk;
        let mut desk = people::Desk {
            situation,
            directory: &directory,
            character,
            done: BTreeSet::new(),
            grave: self.grave,
            alarming: &self.stage.alarming,
            dice: &mut dice,
        };
        let mut command = desk.command(&chart.start, None);
        for selector in &chart.start.by {
            // A unit applies for itself.
            if let (Party::Input(name), Some(grant)) = (&selector.party, person.grants.first()) {
                command.input.insert(name.clone(), Value::from(grant.unit.as_str()));
            }
        }
        self.request(people::acting(person), Target::Open(workflow), command);
    }

    /// Somebody turns to a matter.
    fn visit(&mut self, id: InstanceId, meddles: bool) {
        let Some(instance) = self.store.instance(id).cloned() else { return };
        self.visits += 1;
        let Some(chart) = self.stage.charts.get(&instance.definition).cloned() else { return };
        let mut dice = self.dice.fork();
        let directory = Arc::clone(&self.directory);
        let holder = instance.holder.clone().filter(|_| !meddles);
        let parties = chart.parties_of(&instance).map(str::to_owned);
        let others: Vec<String> = parties.chain(directory.bodies.values().cloned()).collect();
        let Some(unit) = holder.or_else(|| dice.pick(&others).cloned()) else { return };
        let character = people::character(self.seed, &directory, &unit);
        let situation = Situation {
            chart: &chart,
            calendar: &self.stage.calendar,
            facts: &*directory,
            now: self.now,
        };
        let log = self.store.events.get(&id).into_iter().flatten();
        let done = log.map(|event| event.kind.clone()).collect();
        let mut desk = people::Desk {
            situation,
            directory: &directory,
            character,
            done,
            grave: self.grave,
            alarming: &self.stage.alarming,
            dice: &mut dice,
        };
        match desk.choose(&instance, &unit) {
            Some((actor, command)) => self.request(actor, Target::Act(id), command),
            None => self.say(format!("{unit} finds nothing to do in {id}")),
        }
        self.follow(id);
    }

    /// A client makes a key and asks; now and then twice.
    fn request(&mut self, actor: Actor, target: Target, command: Command) {
        self.order += 1;
        let key = (people::id_of(&actor), self.order);
        let request = Request { key, actor, target, command };
        if self.dice.chance(5) {
            let again = self.dice.between(0, HOUR);
            self.later(again, Job::Ask(Box::new(request.clone())));
        }
        self.later(0, Job::Ask(Box::new(request)));
    }

    /// After something happened to a matter, its holder will turn to it, and perhaps somebody else.
    pub(super) fn follow(&mut self, id: InstanceId) {
        let Some(instance) = self.store.instance(id) else { return };
        let waits = self
            .jobs
            .values()
            .any(|job| matches!(job, Job::Visit { instance, meddles: false } if *instance == id));
        if self.visits >= VISITS_MAX || waits || self.plan.matters == 0 {
            return;
        }
        let holder = instance.holder.clone();
        // An alarm that comes again and again wakes even those asleep, and brings others.
        let soon = self.now.plus(HOUR);
        let nagged = instance
            .clocks
            .values()
            .any(|clock| clock.ran_out_at.is_some() && clock.wake.is_some_and(|wake| wake < soon));
        if let Some(unit) = holder {
            let character = people::character(self.seed, &self.directory, &unit);
            let hurried = nagged.then(|| self.dice.between(MINUTE, 20 * MINUTE));
            let delay = hurried.or_else(|| character.delay(&mut self.dice));
            if let Some(delay) = delay {
                self.later(delay, Job::Visit { instance: id, meddles: false });
            }
        }
        if self.dice.chance(if nagged { 60 } else { 20 }) {
            let most = if nagged { HOUR } else { 2 * DAY };
            let delay = self.dice.between(MINUTE, most);
            self.later(delay, Job::Visit { instance: id, meddles: true });
        }
    }

    /// The client has its answer.
    pub(super) fn reply(&mut self, request: Request, answer: Answer) -> Result<(), Failure> {
        self.say(format!("answered {:?}: {} v{}", request.key, answer.instance, answer.seq));
        self.auditor.acknowledged(request.key, answer).map_err(|what| self.trace.failure(what))
    }

    fn check(&mut self) -> Result<(), Failure> {
        let touched = std::mem::take(&mut self.store.touched);
        for id in &touched {
            let checked = self.auditor.after_commit(self.stage, &self.store, *id, self.now);
            checked.map_err(|what| self.trace.failure(what))?;
            self.follow(*id);
        }
        Ok(())
    }

    fn at_midnight(&mut self) -> Result<(), Failure> {
        self.say("midnight".to_owned());
        let bound = self.plan.lease * 4 + 10 * MINUTE;
        let healthy = self.now.since(self.troubled_until) > bound;
        let late = healthy.then(|| self.now.plus(-bound));
        let checked = self.auditor.at_midnight(&self.store, late);
        checked.map_err(|what| self.trace.failure(what))
    }

    fn finish(&mut self, calm: Instant) -> Result<(), Failure> {
        let checked = self.auditor.at_end(&self.store, self.now, calm);
        checked.map_err(|what| self.trace.failure(what))?;
        self.summary.duplicates = self.auditor.duplicates;
        self.summary.handed_over = self.auditor.handed.values().sum();
        Ok(())
    }
}
