//! Group commit: a thread takes what has come together, decides it all, writes it in one
//! transaction, and answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::{Notify, broadcast};

use super::advice::{self, Heard};
use super::answered;
use super::batch::{Draft, Mark};
use super::error::Error;
use super::figures::Figures;
use super::ids::Stock;
use super::job::{Brought, Job, Task};
use super::letters::Letters;
use super::registry::Registry;
use super::sight::reach;
use super::world::Desk;
use super::{
    AlertRules, Change, Done, Entropy, Firing, PublicIds, Receipt, Request, Target, lessons,
    matters, personal, reading, subscription, telling, voices, wording,
};
use crate::chart::CommandSpec;
use crate::clock::Clock;
use crate::domain::{Actor, Command, FactRecord, Fields, InstanceId, Instant, MessageId, Value};
use crate::engine::{self, Decision, family};
use crate::policy;
use crate::store::{Answer, PersonalRow, Store, TraceRow, Transaction, Writer};

/// What committers share.
#[derive(Clone)]
pub(super) struct Setting {
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Entropy,
    pub(super) registry: Registry,
    pub(super) changes: broadcast::Sender<Change>,
    pub(super) wake: Arc<Notify>,
    pub(super) figures: Arc<Figures>,
    pub(super) batch_max: usize,
    pub(super) alerts: AlertRules,
    pub(super) letters: Letters,
    pub(super) ids: PublicIds,
}

/// How many committers a store bears: one writer on SQLite, two connections on PostgreSQL (more
/// were measured to be no faster on two cores).
fn committers(store: &Store) -> usize {
    if store.exclusive() { 1 } else { 2 }
}

/// Starts the committers; they end when their senders are dropped.
///
/// # Errors
/// When the store lends no connection or the system no thread.
pub(super) fn start(setting: &Setting) -> Result<Vec<Sender<Job>>, Error> {
    let count = committers(&setting.store);
    let mut senders = Vec::new();
    for number in 0..count {
        let (sender, jobs) = channel();
        let mut committer = Committer {
            setting: setting.clone(),
            writer: setting.store.writer()?,
            stock: Stock::new(number, count),
            messages: 0..0,
            last: Instant(i64::MIN),
        };
        std::thread::Builder::new()
            .name(format!("committer-{number}"))
            .spawn(move || committer.run(&jobs))
            .map_err(|error| Error::Internal(format!("no thread for a committer: {error}")))?;
        senders.push(sender);
    }
    Ok(senders)
}

struct Committer {
    setting: Setting,
    writer: Writer,
    stock: Stock,
    /// Ids of messages not given out yet.
    messages: std::ops::Range<i64>,
    /// The time of the last batch: time does not run backwards for what is written later.
    last: Instant,
}

/// How often a batch is tried before its jobs are tried one by one.
const TRIES: usize = 3;

impl Committer {
    fn run(&mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            while batch.len() < self.setting.batch_max
                && let Ok(job) = jobs.try_recv()
            {
                batch.push(job);
            }
            self.setting.figures.taken(batch.len());
            self.commit(batch);
        }
    }

    /// Commits a batch and answers everybody in it.
    fn commit(&mut self, batch: Vec<Job>) {
        let mut outcome = self.attempt(&batch);
        for _ in 1..TRIES {
            match &outcome {
                Err(Error::Busy(_)) => outcome = self.attempt(&batch),
                _ => break,
            }
        }
        match outcome {
            Ok(answers) => self.answer(batch, answers),
            // One of them may be what the store stumbles over: it must not take the others along.
            Err(Error::Busy(_) | Error::Internal(_)) if batch.len() > 1 => {
                for job in batch {
                    self.commit(vec![job]);
                }
            }
            Err(error) => {
                tracing::error!(%error, jobs = batch.len(), "a batch was not committed");
                for job in batch {
                    self.setting.figures.count_failed();
                    // Nobody to tell if the caller has gone.
                    drop(job.reply.send(Err(same(&error))));
                }
            }
        }
    }

    fn answer(&self, batch: Vec<Job>, answers: Vec<Result<Done, Error>>) {
        for (job, answer) in batch.into_iter().zip(answers) {
            match (&answer, &job.task) {
                (Ok(_), Task::Firing(_)) => self.setting.figures.count_fired(),
                (Ok(_), Task::Request(..)) => self.setting.figures.count_accepted(),
                (_, Task::Report(_)) => {}
                (Err(_), _) => self.setting.figures.count_refused(),
            }
            // Nobody to tell if the caller has gone; it is done all the same.
            drop(job.reply.send(answer));
        }
        self.setting.wake.notify_waiters();
    }

    /// Decides all jobs and writes what they leave, in one transaction.
    fn attempt(&mut self, jobs: &[Job]) -> Result<Vec<Result<Done, Error>>, Error> {
        self.stock_up()?;
        let Self { setting, writer, stock, messages, last } = self;
        let (mut failure, mut learned) = (None, false);
        let outcome = writer.transaction(|transaction| {
            let learned = &mut learned;
            let work = Work { setting, stock, messages, last, learned };
            work.all(transaction, jobs).map_err(|error| {
                let text = error.to_string();
                failure = Some(error);
                crate::store::Error::Refused(text)
            })
        });
        let (answers, changes) = match (outcome, failure) {
            (Ok(done), _) => done,
            (Err(_), Some(failure)) => return Err(failure),
            (Err(error), None) => return Err(error.into()),
        };
        self.setting.figures.count_batch();
        if learned {
            // The next call is read by it; if that fails now, the watch of revisions loads it.
            let loaded = self.setting.registry.reload(&self.setting.store, self.last);
            if let Err(error) = loaded {
                tracing::warn!(%error, "a precedent is not in use yet");
            }
        }
        for change in changes {
            // Nobody follows: nobody to tell.
            drop(self.setting.changes.send(change));
        }
        Ok(answers)
    }

    /// Ids are taken in transactions of their own, before they run out.
    fn stock_up(&mut self) -> Result<(), Error> {
        if let Some(count) = self.stock.wanted() {
            let first = self.writer.transaction(|t| t.reserve_ids("instance", count))?;
            self.stock.refill(first, count);
        }
        if self.messages.end - self.messages.start < MESSAGES_LOW {
            let count = MESSAGES_LOW * 4;
            let first = self.writer.transaction(|t| t.reserve_ids("message", count))?;
            self.messages = first..first + count;
        }
        Ok(())
    }
}

/// A batch never needs more message ids than this (what does is refused as busy and tried alone).
const MESSAGES_LOW: i64 = 16_384;

/// One attempt at a batch.
pub(super) struct Work<'w> {
    pub(super) setting: &'w Setting,
    stock: &'w mut Stock,
    messages: &'w mut std::ops::Range<i64>,
    last: &'w mut Instant,
    /// Whether the batch rules something.
    learned: &'w mut bool,
}

type Answers = (Vec<Result<Done, Error>>, Vec<Change>);

impl Work<'_> {
    fn all(mut self, transaction: &mut Transaction<'_>, jobs: &[Job]) -> Result<Answers, Error> {
        let mut draft = Draft::new(transaction.chain()?);
        // A matter that a command names is locked with the others, in order of id.
        let own = jobs.iter().filter_map(Job::instance);
        let ids: BTreeSet<InstanceId> =
            own.chain(jobs.iter().filter_map(Job::asked).flat_map(matters::named)).collect();
        let ids: Vec<InstanceId> = ids.into_iter().collect();
        draft.add(transaction.instances(&ids)?);
        // The server's clock rules where there is one; a simulated clock rules everywhere.
        let now = match transaction.now()? {
            Some(now) if self.setting.clock.is_real() => now,
            _ => self.setting.clock.now(),
        };
        let now = now.max(*self.last);
        *self.last = now;
        let keys: Vec<(String, String)> = jobs.iter().flat_map(Job::keys).collect();
        let mut answered = if keys.is_empty() { Vec::new() } else { transaction.answers(&keys)? };
        let mut answers = Vec::with_capacity(jobs.len());
        for job in jobs {
            let answer = match &job.task {
                Task::Request(request, brought) => {
                    let asked = (&**request, &**brought);
                    self.request(transaction, &mut draft, asked, now, &mut answered)
                }
                Task::Firing(firing) => self.firing(transaction, &mut draft, firing, now),
                Task::Report(report) => self.report(transaction, &mut draft, report, now),
            };
            match answer {
                Err(error) if is_fatal(&error) => return Err(error),
                answer => answers.push(answer),
            }
        }
        for message in &mut draft.messages {
            let id = self.messages.next();
            let id = id.ok_or_else(|| Error::Busy("the stock of message ids is used up".into()))?;
            message.id = MessageId(id);
        }
        if draft.is_empty() {
            return Ok((answers, Vec::new()));
        }
        let alarms = std::mem::take(&mut draft.alarms);
        let marks = std::mem::take(&mut draft.marks);
        let (erased, about) = (std::mem::take(&mut draft.erased), std::mem::take(&mut draft.about));
        let corrected = std::mem::take(&mut draft.corrected);
        let unprecedented = std::mem::take(&mut draft.unprecedented);
        *self.learned |= !draft.precedents.is_empty();
        let (batch, changes) = draft.into_batch();
        transaction.write(&batch)?;
        for (ruled, owner) in unprecedented {
            *self.learned |= transaction.withdraw_precedent(owner, ruled, now)?;
        }
        for (matter, other) in about {
            transaction.note_about(matter, other)?;
        }
        for one in corrected {
            one.write(transaction)?;
        }
        for id in erased {
            transaction.erase_personal(id)?;
        }
        for mark in &marks {
            mark.write(transaction)?;
        }
        for alarm in &alarms {
            transaction.count_alarm(alarm)?;
        }
        Ok((answers, changes))
    }

    fn firing(
        &mut self,
        transaction: &mut Transaction<'_>,
        draft: &mut Draft,
        firing: &Firing,
        now: Instant,
    ) -> Result<Done, Error> {
        let name = format!("clock.{}", firing.clock);
        let command = Command::new(name).with("entry", firing.entry).with("step", firing.step);
        let family = draft.instance(firing.instance).ok_or(Error::NotFound)?.family;
        let mut desk = self.desk(transaction, draft, now, Some(family));
        let decisions = family::act(&mut desk, firing.instance, &Actor::Clock, &command)?;
        self.keep(draft, decisions)
    }

    pub(super) fn desk<'d, 't>(
        &'d mut self,
        transaction: &'d mut Transaction<'t>,
        draft: &'d mut Draft,
        now: Instant,
        family: Option<InstanceId>,
    ) -> Desk<'d, 't> {
        let matters = FactRecord::new();
        Desk { setting: self.setting, transaction, draft, stock: self.stock, now, matters, family }
    }

    fn request(
        &mut self,
        transaction: &mut Transaction<'_>,
        draft: &mut Draft,
        (request, brought): (&Request, &Brought),
        now: Instant,
        answered: &mut Vec<Answer>,
    ) -> Result<Done, Error> {
        if let Some(done) = answered::by_key(request, brought.asked, answered)? {
            return Ok(done);
        }
        reading::may_be_earlier(request, now)?;
        let (chart, instance) = self.target(draft, request)?;
        let spec = chart.command(&request.command);
        let heard = brought.heard.as_ref();
        let request = advice::advised(request, spec, heard);
        let request = &*request;
        let registry = &self.setting.registry;
        let admit = || reading::admit(registry, &chart, None, (request, Fields::new()), now);
        let known = match answered::by_number(request, brought.asked, answered, admit)? {
            Some((matter, outcome)) if self.sees(transaction, request, matter)? => return outcome,
            known => known,
        };
        let actor = &self.acting(request)?;
        let asked = instance.and_then(|(id, _)| draft.instance(id));
        let given = reading::read(&self.setting.registry, &chart, asked, request, now)?;
        let (mut values, sealed) = self.sealed(given);
        let name = request.command.clone();
        if let Some(message) = request.about.filter(|_| name == engine::ACKNOWLEDGE) {
            values.insert("message".to_owned(), Value::Int(message.0));
        }
        let mut command = Command { name, input: values, occurred_at: request.occurred_at };
        telling::check(transaction, draft, registry, (&request.target, &mut command))?;
        let corrected = voices::corrected(transaction, draft, (instance, &command), heard)?;
        let matters = matters::known(transaction, draft, &chart, (request, &command), registry)?;
        let family = instance.map(|(_, family)| family);
        let mut desk = Desk { matters, ..self.desk(transaction, draft, now, family) };
        let decisions = decided(&mut desk, request, instance.map(|(id, _)| id), actor, &command)?;
        if let Some((_, outcome)) = known {
            return outcome;
        }
        let seq = decisions.first().map_or(0, |decision| decision.event.seq);
        let done = self.keep(draft, decisions)?;
        if request.command == engine::ERASE {
            draft.erased.push(done.receipt.instance);
        }
        if let Some(message) = request.about {
            draft.marks.push(Mark::Acknowledged(message, now));
        }
        let of_call = corrected.as_ref().map_or(seq, |corrected| corrected.seq);
        draft.corrected.extend(corrected);
        for (field, seal) in sealed {
            draft.personal.push(PersonalRow {
                instance: done.receipt.instance,
                field: voices::row_name(&field, of_call),
                jurisdiction: request.caller.jurisdiction,
                value: seal.kept,
            });
        }
        self.remember(transaction, draft, (request, heard), &command, (spec, &done, seq, now))?;
        let rows = answered::rows(request, brought.asked, &done.receipt)?;
        answered.extend(rows.iter().cloned());
        draft.answers.extend(rows);
        Ok(done)
    }

    /// Input as it stands in the event, with digests in place of what is the caller's, and the rest.
    fn sealed(&self, given: engine::input::Given) -> (Fields, Vec<(String, personal::Sealed)>) {
        let (mut values, mut sealed) = (given.values, Vec::new());
        for (name, text) in given.personal {
            let seal = personal::seal(&text, self.setting.entropy);
            values.insert(name.clone(), Value::Text(seal.digest.clone()));
            sealed.push((name, seal));
        }
        (values, sealed)
    }

    /// Whether who asks sees a matter that is written already.
    fn sees(
        &self,
        transaction: &mut Transaction<'_>,
        request: &Request,
        matter: InstanceId,
    ) -> Result<bool, Error> {
        let caller = &request.caller;
        let directory = self.setting.registry.directory(caller.jurisdiction)?;
        Ok(policy::sees_all(&caller.actor, directory.county())
            || reach(caller, &transaction.parties(matter)?).is_some())
    }

    /// What a call and a ruling leave beside the matter, for the next call.
    fn remember(
        &self,
        transaction: &mut Transaction<'_>,
        draft: &mut Draft,
        (request, heard): (&Request, Option<&Heard>),
        command: &Command,
        (spec, done, seq, now): (Option<&CommandSpec>, &Done, i64, Instant),
    ) -> Result<(), Error> {
        if lessons::rules(spec)
            && let Some(ruled) = &done.instance
        {
            let of_batch = draft.opening(ruled.id).cloned();
            let trace =
                of_batch.map_or_else(|| transaction.trace(ruled.id), |one| Ok(Some(one)))?;
            let (made, whose) = ((request.caller.actor.name(), now), request.caller.jurisdiction);
            let registry = &self.setting.registry;
            let known = (&*registry.directory(whose)?, &registry.calendar(whose)?);
            let precedent = lessons::precedent(ruled, &command.input, trace, known, made);
            draft.rule(ruled, precedent);
        }
        let about = spec.and_then(|spec| matters::about(spec, command));
        if let Some(heard) = heard.filter(|_| spec.is_some_and(advice::takes_calls)) {
            let trace = heard.trace(request, (done.receipt.instance, seq, now));
            draft.traces.push(TraceRow { about, ..trace });
        } else if let Some(about) = about {
            draft.about.push((done.receipt.instance, about));
        }
        Ok(())
    }

    /// Keeps what was decided; the receipt is that of the instance that was asked.
    pub(super) fn keep(&self, draft: &mut Draft, decisions: Vec<Decision>) -> Result<Done, Error> {
        let registry = &self.setting.registry;
        let first = decisions.first().map(|decision| decision.instance.id);
        for decision in decisions {
            let chart = registry.chart(decision.instance.definition)?;
            let (letters, rules) = (&self.setting.letters, self.setting.alerts);
            let messages = wording::messages(registry, letters, &chart, &decision, rules)?;
            draft.messages.extend(messages);
            let ids = self.setting.ids;
            let posts = subscription::messages(registry, ids, &chart, &decision, rules)?;
            draft.messages.extend(posts);
            draft.take(decision, &chart)?;
        }
        let instance = first.and_then(|id| draft.shared(id));
        let instance =
            instance.ok_or_else(|| Error::Internal("a command decided nothing".to_owned()))?;
        Ok(Done { receipt: Receipt::of(&instance), instance: Some(instance) })
    }
}

/// What a command comes to: of an instance, or of the one that it opens.
fn decided(
    desk: &mut Desk<'_, '_>,
    request: &Request,
    instance: Option<InstanceId>,
    actor: &Actor,
    command: &Command,
) -> Result<Vec<Decision>, Error> {
    match (&request.target, instance) {
        (Target::New(workflow), _) => {
            family::open(desk, request.caller.jurisdiction, workflow, actor, command)
        }
        (_, Some(id)) => family::act(desk, id, actor, command),
        (_, None) => Err(Error::NotFound),
    }
}

/// Whether an error concerns the transaction and not only one command.
fn is_fatal(error: &Error) -> bool {
    matches!(error, Error::Busy(_) | Error::Down(_) | Error::Unknown(_) | Error::Internal(_))
}

/// The same error for everybody in a batch.
fn same(error: &Error) -> Error {
    match error {
        Error::Busy(what) => Error::Busy(what.clone()),
        Error::Down(what) => Error::Down(what.clone()),
        Error::Unknown(what) => Error::Unknown(what.clone()),
        other => Error::Internal(other.to_string()),
    }
}
