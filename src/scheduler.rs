//! What happens without anybody asking: clocks fire, messages leave, periodic jobs run, and an
//! auditor looks again at all of it.
//!
//! Each of these is a loop written as `poll` → next wake: it looks at the tables, does what is due
//! and says when to look again. Nothing about what is due is kept in memory; the tables decide. The
//! shell around it only sleeps and calls, so that tests and simulations need not sleep.

pub mod alarms;
pub mod auditor;
pub mod clocks;
pub mod figures;
pub mod handovers;
pub mod inbox;
pub mod jobs;
pub mod mutes;
pub mod outbox;
pub mod recount;
pub mod relock;
pub mod self_test;
mod shell;
pub mod visits;
pub mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{Notify, watch as signal};
use tokio::task::JoinHandle;

use crate::channel::{Channel, guard};
use crate::config::job::Job;
use crate::domain::{InstanceId, JurisdictionId};
use crate::gate::{self, Gate, NewAlarm};

pub use figures::Figures;

/// When a loop wants to be called again. A bell may call it earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: there is more to do.
    Now,
    /// At an instant of the house's clock, or after 30 seconds, whatever comes first.
    At(crate::domain::Instant),
    /// After so much real time.
    In(Duration),
}

/// A loop, turn by turn.
pub trait Poll: Send {
    /// Does what is due now; answers when to call again. Errors are logged, counted and tried again
    /// later: they never end the loop.
    fn poll(&mut self) -> BoxFuture<'_, Next>;

    /// Finishes what is under way, before the house is left.
    fn finish(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// What every loop has at hand. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Duty {
    /// The door.
    pub gate: Gate,
    /// What happened so far.
    pub figures: Arc<Figures>,
    suspects: Arc<Suspects>,
}

/// Instances that the auditor should look at first.
#[derive(Default)]
struct Suspects {
    ids: Mutex<BTreeSet<InstanceId>>,
    bell: Arc<Notify>,
}

impl Duty {
    /// What loops at a door need.
    #[must_use]
    pub fn new(gate: Gate) -> Self {
        Self { gate, figures: Arc::default(), suspects: Arc::default() }
    }

    /// Asks the auditor to look at an instance soon.
    fn suspect(&self, id: InstanceId) {
        self.suspects.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        self.suspects.bell.notify_waiters();
    }

    fn take_suspects(&self) -> BTreeSet<InstanceId> {
        std::mem::take(&mut *self.suspects.ids.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks the door something that blocks, on a thread where that is allowed.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Gate) -> Result<T, gate::Error> + Send + 'static,
    ) -> Result<T, gate::Error> {
        let gate = self.gate.clone();
        match tokio::task::spawn_blocking(move || work(&gate)).await {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(gate::Error::Closing),
        }
    }

    /// Raises an operator alarm; what cannot be written is at least logged.
    async fn alarm(
        &self,
        kind: &str,
        jurisdiction: Option<JurisdictionId>,
        instance: Option<InstanceId>,
        detail: String,
    ) {
        self.alarmed(kind, jurisdiction, instance, detail).await;
    }

    /// The same; answers whether the alarm stands in the store now.
    async fn alarmed(
        &self,
        kind: &str,
        jurisdiction: Option<JurisdictionId>,
        instance: Option<InstanceId>,
        detail: String,
    ) -> bool {
        tracing::warn!(kind, ?jurisdiction, ?instance, detail, "operator alarm");
        let at = self.gate.now();
        let alarm = NewAlarm { kind: kind.to_owned(), jurisdiction, instance, at, detail };
        let written = self.ask(move |gate| gate.raise_alarm(&alarm)).await;
        if let Err(error) = &written {
            tracing::error!(%error, kind, "an operator alarm could not be written");
        }
        written.is_ok()
    }
}

/// How long to wait after so many failures in a row: 100 ms, doubled each time, at most 30 s.
fn back_off(failures: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(30);
    let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(100).saturating_mul(factor).min(LONGEST)
}

/// Channels by the name that workflows call them.
pub type Channels = BTreeMap<String, Arc<dyn Channel>>;

/// The lines to the outside, each by the name that workflows call the channel.
#[derive(Default)]
pub struct Lines {
    /// The channels.
    pub channels: Channels,
    /// How each is guarded; one that is not named is not.
    pub guards: BTreeMap<String, guard::Options>,
    /// What comes in.
    pub inboxes: BTreeMap<String, inbox::Arrivals>,
    /// How often each is tried; one that is not named is not.
    pub tests: BTreeMap<String, Duration>,
}

fn sender(
    duty: &Duty,
    name: &str,
    channel: &Arc<dyn Channel>,
    guard: guard::Options,
    options: outbox::Options,
) -> shell::Make {
    let (at, name, channel) = (duty.clone(), name.to_owned(), Arc::clone(channel));
    Box::new(move || {
        let sender = outbox::Outbox::new(at.clone(), &name, Arc::clone(&channel), options);
        Box::new(sender.guarded(guard))
    })
}

fn tester(duty: &Duty, name: &str, channel: &Arc<dyn Channel>, every: Duration) -> shell::Make {
    let (at, name, channel) = (duty.clone(), name.to_owned(), Arc::clone(channel));
    Box::new(move || {
        Box::new(self_test::SelfTest::new(at.clone(), &name, Arc::clone(&channel), every))
    })
}

fn listener(duty: &Duty, name: &str, arrivals: &inbox::Arrivals) -> shell::Make {
    let (at, name, arrivals) = (duty.clone(), name.to_owned(), Arc::clone(arrivals));
    Box::new(move || Box::new(inbox::Inbox::new(at.clone(), &name, Arc::clone(&arrivals))))
}

/// How the loops run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// How messages are sent.
    pub outbox: outbox::Options,
    /// How much the auditor looks at.
    pub auditor: auditor::Options,
    /// How clocks are counted again by a new version of a calendar.
    pub recount: recount::Options,
}

/// The loops as they run.
pub struct Scheduler {
    figures: Arc<Figures>,
    stop: signal::Sender<bool>,
    loops: Vec<JoinHandle<()>>,
}

impl Scheduler {
    /// Starts all loops on the current tokio runtime: due clocks, one sender for each channel,
    /// periodic jobs, word of alarms, duty handovers, the auditor, the recount after a new calendar,
    /// callers' data under a new key, what is noted of visits, and the watch for changes
    /// of the directory, here or by other nodes.
    ///
    /// # Errors
    /// A periodic job that makes no sense.
    pub fn start(
        gate: Gate,
        lines: Lines,
        jobs: &[Job],
        options: Options,
    ) -> Result<Self, jobs::Error> {
        let Lines { channels, guards, inboxes, tests } = lines;
        let duty = Duty::new(gate);
        let plan = jobs::Plan::new(jobs)?;
        let bell = duty.gate.bell();
        let (stop, stopped) = signal::channel(false);
        let mut loops = Vec::new();
        let mut run = |name: &str, bell: &Arc<Notify>, make: shell::Make| {
            let place = shell::Place {
                name: name.to_owned(),
                duty: duty.clone(),
                bell: Arc::clone(bell),
                stopped: stopped.clone(),
            };
            loops.push(tokio::spawn(shell::supervise(place, make)));
        };
        let at = duty.clone();
        run("clocks", &bell, Box::new(move || Box::new(clocks::Clocks::new(at.clone()))));
        for (name, channel) in &channels {
            let (kind, wire) = (channel.name().to_owned(), channel.wire());
            duty.gate
                .figures()
                .channel(name, |figures| (figures.kind, figures.wire) = (kind, wire));
            if let Some(&every) = tests.get(name) {
                let own = Arc::new(Notify::new());
                run(&format!("test.{name}"), &own, tester(&duty, name, channel, every));
            }
            let guard = guards.get(name).copied().unwrap_or(guard::Options::NONE);
            let make = sender(&duty, name, channel, guard, options.outbox);
            run(&format!("outbox.{name}"), &bell, make);
        }
        for (name, arrivals) in &inboxes {
            let own = Arc::new(Notify::new());
            run(&format!("inbox.{name}"), &own, listener(&duty, name, arrivals));
        }
        let (at, known) = (duty.clone(), channels.keys().cloned().collect::<BTreeSet<_>>());
        let strays = move || outbox::Strays::new(at.clone(), known.clone(), options.outbox);
        let quiet = Arc::new(Notify::new());
        run("outbox", &quiet, Box::new(move || Box::new(strays())));
        let at = duty.clone();
        run("jobs", &quiet, Box::new(move || Box::new(jobs::Jobs::new(at.clone(), plan.clone()))));
        let at = duty.clone();
        run("mutes", &bell, Box::new(move || Box::new(mutes::Mutes::new(at.clone()))));
        let at = duty.clone();
        run("alarms", &bell, Box::new(move || Box::new(alarms::Alarms::new(at.clone()))));
        let at = duty.clone();
        let handovers = move || handovers::Handovers::new(at.clone());
        run("handovers", &quiet, Box::new(move || Box::new(handovers())));
        let at = duty.clone();
        let auditor = move || auditor::Auditor::new(at.clone(), options.auditor);
        run("auditor", &duty.suspects.bell, Box::new(move || Box::new(auditor())));
        let at = duty.clone();
        let recount = move || recount::Recount::new(at.clone(), options.recount);
        run("recount", &bell, Box::new(move || Box::new(recount())));
        let at = duty.clone();
        run("relock", &quiet, Box::new(move || Box::new(relock::Relock::new(at.clone()))));
        let at = duty.clone();
        run("visits", &quiet, Box::new(move || Box::new(visits::Visits::new(at.clone()))));
        let at = duty.clone();
        run("watch", &quiet, Box::new(move || Box::new(watch::Watch::new(at.clone()))));
        Ok(Self { figures: duty.figures, stop, loops })
    }

    /// What happened so far.
    #[must_use]
    pub fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.figures)
    }

    /// Stops: every loop finishes the turn it is in, and nothing new is begun.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for one in self.loops {
            if let Err(error) = one.await {
                tracing::error!(%error, "a loop did not end as it should");
            }
        }
    }
}
