//! Two nodes at work on one store: they answer clients, claim clocks and alerts, and break down
//! exactly where a transaction begins or ends.

use fenliu::domain::{Actor, Command, Delivery, Instant};
use fenliu::engine::{Decision, family};

use super::Bug;
use super::county::{County, Job, Node, Request, Target, Task};
use super::people::MINUTE;
use super::store::{Answer, Batch, Denied, Fence};
use super::trace::{Broken, Failure};
use super::world::{Desk, Fault};

/// An alert is tried so often before it is a dead letter.
const ATTEMPTS_MAX: i64 = 4;
/// With the bug, clocks fire so much too early.
const EARLY: i64 = 40_000;

impl County {
    /// When a node next has something to do.
    pub(super) fn next_of(&self, node: usize) -> Option<Instant> {
        let Node { ready_at, tasks, phase, full } = &self.nodes[node];
        if !tasks.is_empty() {
            return Some((*ready_at).max(self.now));
        }
        let early = if self.bug == Some(Bug::EarlyFiring) { EARLY } else { 0 };
        let clocks = self.store.clocks.values();
        let clock = clocks.map(|row| row.wake.plus(-early).max(row.lease_until)).min();
        let alert = self.store.waiting.first().map(|(at, _)| *at);
        let found = clock.into_iter().chain(alert).min()?.max(*ready_at).max(self.now);
        // Polls between that find nothing are left out: the next one on the node's grid finds it.
        let grid = self.plan.poll;
        let over = (found.0 - phase).rem_euclid(grid);
        Some(if over == 0 || *full { found } else { found.plus(grid - over) })
    }

    /// A node does one thing.
    pub(super) fn work(&mut self, node: usize) -> Result<(), Failure> {
        let pace = self.dice.between(1, 40);
        self.nodes[node].ready_at = self.now.plus(pace);
        match self.nodes[node].tasks.pop_front() {
            None => {
                self.claim(node);
                Ok(())
            }
            Some(Task::Fire(fence)) => self.fire(node, fence),
            Some(Task::Write(batch, request)) => self.write(node, batch, request),
            Some(Task::Send(id, until)) => {
                self.send(node, id, until);
                Ok(())
            }
            Some(Task::Mark(id, until, outcome)) => {
                self.mark(node, id, until, outcome);
                Ok(())
            }
        }
    }

    /// Claims what is due: the gravest first, then the longest due.
    fn claim(&mut self, node: usize) {
        let (now, until) = (self.now, self.now.plus(self.plan.lease));
        let early = if self.bug == Some(Bug::EarlyFiring) { EARLY } else { 0 };
        let clocks = self.store.clocks.iter_mut();
        let mut due: Vec<_> = clocks
            .filter(|(_, row)| row.wake.plus(-early) <= now && row.lease_until <= now)
            .collect();
        due.sort_by_key(|(key, row)| (-row.tier, row.due, (*key).clone()));
        for ((instance, clock), row) in due.into_iter().take(self.plan.claims) {
            row.lease_until = until;
            let (instance, clock) = (*instance, clock.clone());
            let fence = Fence { instance, clock, entry: row.entry, step: row.step };
            self.nodes[node].tasks.push_back(Task::Fire(fence));
        }
        let ready = self.store.waiting.iter().take_while(|(at, _)| *at <= now);
        let ready = ready.filter_map(|(_, id)| Some((*id, self.store.outbox.get(id)?)));
        let mut alerts: Vec<_> = ready.map(|(id, row)| (-row.tier, row.next_at, id)).collect();
        alerts.sort_unstable();
        for (_, _, id) in alerts.into_iter().take(self.plan.claims * 4) {
            self.store.alert_mut(id, |row| row.lease_until = until);
            self.nodes[node].tasks.push_back(Task::Send(id, until));
        }
        let claimed = self.nodes[node].tasks.len();
        self.nodes[node].full = claimed >= self.plan.claims;
        self.say(format!("node {node} claims {claimed}"));
        if self.dice.chance(self.plan.crash) {
            self.crash(node);
        }
    }

    fn crash(&mut self, node: usize) {
        let down = self.dice.between(1000, 10 * MINUTE);
        self.nodes[node].tasks.clear();
        self.nodes[node].ready_at = self.now.plus(down);
        self.trouble(self.now.plus(down));
        self.summary.crashes += 1;
        self.say(format!("node {node} crashes"));
    }

    /// A node stands still for longer than its leases last.
    fn pause(&mut self, node: usize) {
        let still = self.plan.lease + self.dice.between(0, 5 * MINUTE);
        self.nodes[node].ready_at = self.now.plus(still);
        self.trouble(self.now.plus(still));
        self.summary.pauses += 1;
        self.say(format!("node {node} stands still"));
    }

    fn decide(
        &mut self,
        now: Instant,
        actor: &Actor,
        target: &Target,
        command: &Command,
    ) -> Result<Vec<Decision>, Fault> {
        let mut desk = Desk {
            stage: self.stage,
            store: &mut self.store,
            directory: &self.directory,
            now,
            upgraded: self.upgraded,
        };
        match target {
            Target::Open(workflow) => {
                family::open(&mut desk, super::stage::COUNTY, workflow, actor, command)
            }
            Target::Act(id) => {
                desk.admit(*id, actor)?;
                family::act(&mut desk, *id, actor, command)
            }
        }
    }

    fn fire(&mut self, node: usize, fence: Fence) -> Result<(), Failure> {
        if self.dice.chance(self.plan.busy) {
            self.trouble(self.now.plus(self.plan.lease));
            self.say(format!("node {node} finds the store busy"));
            return Ok(());
        }
        let id = fence.instance;
        let command = Command::new(format!("clock.{}", fence.clock))
            .with("entry", fence.entry)
            .with("step", fence.step);
        let row = self.store.clocks.get(&(id, fence.clock.clone()));
        let wake = row.map_or(self.now, |row| row.wake);
        let now = if self.bug == Some(Bug::EarlyFiring) { self.now.max(wake) } else { self.now };
        match self.decide(now, &Actor::Clock, &Target::Act(id), &command) {
            Ok(decisions) => {
                let batch = Batch { decisions, answer: None, fence: Some(fence) };
                if self.dice.chance(self.plan.pause) {
                    self.pause(node);
                    self.nodes[node].tasks.push_front(Task::Write(batch, None));
                    return Ok(());
                }
                self.write(node, batch, None)
            }
            Err(Fault::Refused(refusal)) if refusal.code == "clock_stale" => {
                self.say(format!("node {node}: {} of {id} is stale", fence.clock));
                Ok(())
            }
            // Somebody has acknowledged since it was claimed: it is not due any more.
            Err(Fault::Refused(refusal)) if refusal.code == "clock_early" && wake > now => {
                self.say(format!("node {node}: {} of {id} is held", fence.clock));
                Ok(())
            }
            Err(fault) => {
                let what = format!("`{}` of {id} cannot fire: {fault:?}", fence.clock);
                Err(self.trace.failure(Broken::new("I4: what is due can happen", what)))
            }
        }
    }

    /// One transaction, with everything that can go wrong around it.
    fn write(
        &mut self,
        node: usize,
        batch: Batch,
        request: Option<Request>,
    ) -> Result<(), Failure> {
        if self.dice.chance(self.plan.crash) {
            self.crash(node);
            self.again(request);
            return Ok(());
        }
        match self.store.commit(&batch, self.bug) {
            Err(denied) => {
                let who = if denied == Denied::Fenced { "is fenced off" } else { "comes too late" };
                self.say(format!("node {node} {who}"));
                self.summary.denied += 1;
                self.again(request);
                return Ok(());
            }
            Ok(()) => self.tell(node, &batch),
        }
        let crashes = self.dice.chance(self.plan.crash);
        if self.bug == Some(Bug::ClockOutsideTransaction) && !crashes {
            self.store.write_clocks(&batch);
        }
        if crashes {
            self.crash(node);
            self.again(request);
            return Ok(());
        }
        match (request, batch.answer) {
            (Some(request), Some((_, _, answer))) => self.reply(request, answer),
            _ => Ok(()),
        }
    }

    fn tell(&mut self, node: usize, batch: &Batch) {
        for Decision { instance, event } in &batch.decisions {
            let (id, seq, name) = (instance.id, event.seq, &event.command.name);
            let (workflow, to) = (&instance.workflow, &event.to);
            self.say(format!("node {node}: {workflow} {id} v{seq} {name} -> {to}"));
        }
    }

    /// A client without an answer asks again, under the same key.
    fn again(&mut self, request: Option<Request>) {
        let Some(request) = request else { return };
        let wait = self.dice.between(1000, 5 * MINUTE);
        self.later(wait, Job::Ask(Box::new(request)));
    }

    /// A client asks some node that is there.
    pub(super) fn ask(&mut self, request: Request) -> Result<(), Failure> {
        let ready: Vec<usize> = (0..2).filter(|n| self.nodes[*n].ready_at <= self.now).collect();
        let Some(&node) = self.dice.pick(&ready) else {
            self.again(Some(request));
            return Ok(());
        };
        if self.dice.chance(self.plan.busy) {
            self.say(format!("node {node} finds the store busy"));
            self.again(Some(request));
            return Ok(());
        }
        let asked = format!("{:?} {:?}", request.target, request.command);
        if let Some((before, answer)) = self.store.answers.get(&request.key).cloned() {
            let same = before == asked;
            assert!(same, "clients do not use keys twice");
            return self.reply(request, answer);
        }
        let command = request.command.clone();
        match self.decide(self.now, &request.actor, &request.target, &command) {
            Ok(decisions) => {
                let Some(first) = decisions.first() else { return Ok(()) };
                let answer = Answer {
                    instance: first.instance.id,
                    seq: first.event.seq,
                    status: first.instance.status.clone(),
                };
                let answer = Some((request.key, asked, answer));
                let batch = Batch { decisions, answer, fence: None };
                self.summary.accepted += 1;
                if self.dice.chance(self.plan.pause) {
                    self.pause(node);
                    self.nodes[node].tasks.push_front(Task::Write(batch, Some(request)));
                    return Ok(());
                }
                self.write(node, batch, Some(request))
            }
            Err(Fault::Refused(refusal)) => {
                let code = &refusal.code;
                self.say(format!("refused: {} {code}", command.name));
                self.summary.refused += 1;
                Ok(())
            }
            Err(Fault::Missing(what)) => {
                let broken = Broken::new("G1: what was answered is there", what);
                Err(self.trace.failure(broken))
            }
        }
    }

    fn send(&mut self, node: usize, id: i64, until: Instant) {
        if self.dice.chance(self.plan.pause) {
            self.pause(node);
            self.nodes[node].tasks.push_front(Task::Send(id, until));
            return;
        }
        // Checked immediately before the byte that cannot be taken back.
        if self.now >= until {
            self.say(format!("node {node} holds alert {id} no longer"));
            return;
        }
        if self.bug == Some(Bug::MarkedBeforeSending) {
            self.mark(node, id, until, Some(true));
            if self.dice.chance(self.plan.crash) {
                return self.crash(node);
            }
            return self.auditor.handed_over(id);
        }
        let outcome = if self.dice.chance(self.plan.refuses) {
            Some(false)
        } else if self.dice.chance(self.plan.unknown) {
            if self.dice.chance(50) {
                self.auditor.handed_over(id);
            }
            self.auditor.ambiguous(id);
            None
        } else {
            self.auditor.handed_over(id);
            Some(true)
        };
        if self.dice.chance(self.plan.crash) {
            self.auditor.ambiguous(id);
            return self.crash(node);
        }
        if self.dice.chance(self.plan.pause) {
            self.auditor.ambiguous(id);
            self.pause(node);
        }
        self.nodes[node].tasks.push_front(Task::Mark(id, until, outcome));
    }

    /// Writes down what became of an alert, unless somebody else holds it by now.
    fn mark(&mut self, node: usize, id: i64, until: Instant, outcome: Option<bool>) {
        let wait = self.dice.between(MINUTE, 5 * MINUTE);
        let now = self.now;
        let state = self.store.alert_mut(id, |row| {
            if row.lease_until != until || row.state != Delivery::Waiting {
                return None;
            }
            row.attempts += 1;
            match outcome {
                Some(true) => row.state = Delivery::Sent,
                _ if row.attempts >= ATTEMPTS_MAX => row.state = Delivery::Failed,
                _ => {
                    row.next_at = now.plus(wait);
                    row.lease_until = super::store::NEVER;
                }
            }
            Some(row.state)
        });
        match state.flatten() {
            None => self.say(format!("node {node} holds alert {id} no longer")),
            Some(state) => {
                if state == Delivery::Failed {
                    self.auditor.alarms.insert(id);
                }
                self.say(format!("node {node}: alert {id} {state:?}"));
            }
        }
    }
}
