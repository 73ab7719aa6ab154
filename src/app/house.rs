//! The house put together: store, door, server, scheduler; from the settings, until told to stop.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Notify;

use super::rules::{access_rules, alert_rules, routing_rules};
use super::{anchors, judging, keys, listening};
use crate::calendar::Calendar;
use crate::channel::Now;
use crate::clock::Clock;
use crate::config::channel::SmsKind;
use crate::config::database::only_file;
use crate::config::jurisdiction::Jurisdiction;
use crate::config::settings::Settings;
use crate::domain::{Actor, Directory, JurisdictionId, PersonId, Role, Scope};
use crate::gate::{Caller, Gate, NewToken, Parts};
use crate::http::Stopper;
use crate::scheduler::{self, Lines, Scheduler};
use crate::store::{Options, Reader, Store};

/// Why the house could not be put together, or had to be left.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    /// The door.
    #[error(transparent)]
    Gate(#[from] crate::gate::Error),
    /// A file.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// What a file says.
    #[error("{0}")]
    Sense(String),
    /// The address.
    #[error("{key}: cannot listen at {address}: {}", super::listening::remedy(error))]
    Listen {
        /// The setting that names it.
        key: &'static str,
        /// Which.
        address: String,
        /// Why.
        error: std::io::Error,
    },
    /// The server, while it ran.
    #[error("the server stopped: {0}")]
    Server(std::io::Error),
}

/// Opens the store of the settings, brings its schema up to date, and opens the door.
///
/// # Errors
/// What is wrong with the address, the database, or what is stored in it.
pub fn open(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Gate, Error> {
    let folder = &settings.database.folder;
    if folder.exists() && !folder.is_dir() {
        let folder = folder.display();
        return Err(Error::Sense(format!(
            "database.folder: `{folder}` is a file, not a folder; name the folder for data, or move the file away"
        )));
    }
    let made = std::fs::create_dir_all(folder);
    let path = || format!("database.folder: {}", folder.display());
    made.map_err(|error| Error::File { path: path(), error })?;
    open_as(settings, clock, true)
}

/// Opens a database that is there already, and the door.
///
/// # Errors
/// As for [`open`]; that there is no such database, or nothing in it.
pub fn open_existing(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Gate, Error> {
    open_as(settings, clock, false)
}

/// That the database at this address, without a password, holds nothing yet.
pub(super) fn empty(address: &str) -> Error {
    Error::Sense(format!(
        "the database `{address}` is empty: there is no jurisdiction in it. Start `fenliu serve` once, which \
         fills it from the founding files, or take an export in by `fenliu import`; or name another \
         database (database.url, database.folder)"
    ))
}

/// How the database of the settings is opened.
pub(super) fn options(settings: &Settings) -> Options {
    let database = &settings.database;
    // At least a second: zero would mean no limit at all to PostgreSQL.
    let millis = |seconds: u32| seconds.max(1).saturating_mul(1_000);
    Options {
        readers: database.readers,
        allow_clear_text: database.allow_clear_text,
        lock_ms: millis(database.lock_seconds),
        statement_ms: millis(database.statement_seconds),
        ..Options::default()
    }
}

fn open_as(settings: &Settings, clock: Arc<dyn Clock>, create: bool) -> Result<Gate, Error> {
    let options = Options { create, ..options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    store.migrate()?;
    if !create && store.read(Reader::jurisdictions)?.is_empty() {
        return Err(empty(&store.address()));
    }
    keys::unlock(settings, &store)?;
    store.choose_chain(settings.founding.chain_hash)?;
    let batch_max = settings.database.batch_max.max(1);
    let sms = &settings.channel.sms;
    let reading = &sms.gateway.reading;
    let replies = match sms.kind {
        SmsKind::Log => false,
        SmsKind::Smpp => true,
        // A secret by a file or in clear: what cannot be read stops the start soon after.
        SmsKind::Gateway => {
            let posts = sms.gateway.posting.secret.reveal().is_ok_and(|secret| !secret.is_empty());
            posts && !reading.from.is_empty() && !reading.text.is_empty()
        }
    };
    let alerts = alert_rules(&settings.alerts, replies);
    let gate = Gate::open(Parts { store, clock, entropy, batch_max, alerts })?;
    gate.use_access_rules(access_rules(settings));
    gate.use_routing_rules(routing_rules(&settings.routing));
    gate.tell_alarms_to(&settings.alerts.operators)?;
    Ok(gate)
}

/// Fills a new, empty store from the founding files; answers the first administrator's token, which
/// is kept only as a hash and shown this once. Does nothing to a store that has a jurisdiction.
///
/// # Errors
/// What is wrong with the files.
pub fn found(settings: &Settings, gate: &Gate) -> Result<Option<String>, Error> {
    if gate.is_founded() {
        return Ok(None);
    }
    let files = &settings.founding;
    let meant = |key: &str, path: &Path| {
        let file = only_file(&settings.beside(path));
        file.map_err(|error| Error::Sense(format!("{key}: {error}")))
    };
    let jurisdiction = meant("founding.jurisdiction", &files.jurisdiction)?;
    let calendar = meant("founding.calendar", &files.calendar)?;
    let who = Jurisdiction::from_yaml(&read("founding.jurisdiction", &jurisdiction)?)
        .map_err(|error| Error::Sense(format!("{}: {error}", jurisdiction.display())))?;
    let place = calendar.display().to_string();
    let calendar = read("founding.calendar", &calendar)?;
    let days = Calendar::from_yaml(&calendar)
        .map_err(|error| Error::Sense(format!("{place}: {error}")))?;
    if days.code() != who.calendar {
        let (code, wanted) = (days.code(), &who.calendar);
        let sentence = format!("the jurisdiction counts by `{wanted}`, the calendar is `{code}`");
        return Err(Error::Sense(sentence));
    }
    let mut workflows = Vec::new();
    let folder = settings.beside(&files.workflows);
    let key = "founding.workflows";
    let named = |error: String| Error::Sense(format!("{key}: {error}"));
    for file in super::workflow::yaml_files(&folder).map_err(named)? {
        workflows.push(read(key, &file)?);
    }
    let directory = who.directory(JurisdictionId(0));
    let rosters = who.rosters();
    let jurisdiction = gate.found_with_rosters((&directory, &rosters), &calendar, &workflows)?;
    gate.found_answers(jurisdiction, &who.answers)?;
    let person = administrator(&directory)?;
    let caller = Caller { actor: Actor::System, jurisdiction };
    let new = NewToken {
        person,
        label: "first start".to_owned(),
        expires_at: None,
        scope: Scope { strong: true, ..Scope::default() },
    };
    Ok(Some(gate.issue_token(&caller, &new)?.secret))
}

/// Trains the router beside everything else. Calls are taken from the first moment; until it is ready
/// (seconds), each is to be asked about before it is routed.
fn advise(settings: &Settings, gate: &Gate) -> Result<(), Error> {
    if settings.routing.folder.as_os_str().is_empty() {
        return Ok(());
    }
    gate.await_router();
    let (of, knowledge) = super::routing::known(settings).map_err(Error::Sense)?;
    let registry = gate.registry();
    // The files are those of the jurisdiction of the founding file; the calls of another are asked about.
    let is_its = |id: &JurisdictionId| registry.directory(*id).is_ok_and(|one| one.code == of.code);
    let Some(owner) = registry.jurisdictions().into_iter().find(is_its) else { return Ok(()) };
    gate.use_knowledge(owner, knowledge);
    let gate = gate.clone();
    let trained = std::thread::Builder::new().name("router".to_owned()).spawn(move || {
        match gate.train(owner) {
            Ok(model) => tracing::info!(model, "calls are read as they are registered"),
            Err(error) => {
                tracing::error!(%error, "no router was trained; every call is to be asked about");
            }
        }
    });
    trained.map(drop).map_err(Error::Server)
}

/// Takes the texts of the settings' folder into use.
fn word(settings: &Settings, gate: &Gate) -> Result<(), Error> {
    let templates = super::alerts::templates(settings).map_err(Error::Sense)?;
    let checked = gate.use_templates(templates, &settings.alerts.public_url);
    checked.map(drop).map_err(|error| {
        let folder = settings.beside(&settings.alerts.templates);
        let folder = folder.display();
        Error::Sense(format!("the message templates in `{folder}` do not fit:\n  {error}"))
    })
}

fn administrator(directory: &Directory) -> Result<PersonId, Error> {
    let is_one = |grants: &[crate::domain::Grant]| {
        grants.iter().any(|grant| grant.role == Role::Administrator)
    };
    let mut people = directory.people.values();
    let found = people.find(|person| person.active && is_one(&person.grants));
    let missing = "the jurisdiction names nobody with the role `administrator`";
    found.map(|person| person.id).ok_or_else(|| Error::Sense(missing.to_owned()))
}

/// A founding file, named by its key in the settings.
fn read(key: &str, path: &Path) -> Result<String, Error> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| Error::File { path: format!("{key}: {}", path.display()), error })
}

/// The system's own randomness.
pub(super) fn entropy(bytes: &mut [u8]) {
    #[expect(clippy::expect_used, reason = "without randomness no secret may be made at all")]
    getrandom::fill(bytes).expect("the system gives no randomness");
}

/// Rings when the process is asked to stop: by ^C, or by the system.
#[must_use]
pub fn stop_signal() -> Arc<Notify> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = Arc::new(Notify::new());
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        match signal(kind) {
            Ok(mut signals) => {
                let stop = Arc::clone(&stop);
                tokio::spawn(async move {
                    if signals.recv().await.is_some() {
                        stop.notify_one();
                    }
                });
            }
            Err(error) => tracing::warn!(%error, "a signal cannot be watched"),
        }
    }
    stop
}

/// A house in which everything runs.
pub struct Running {
    /// The door.
    pub gate: Gate,
    /// Where it answers: `http://127.0.0.1:8110`.
    pub base: String,
    /// The first administrator's token, if the store was founded just now.
    pub token: Option<String>,
    stopper: Stopper,
    server: tokio::task::JoinHandle<std::io::Result<()>>,
    scheduler: Scheduler,
    /// Looks at what was signed of the past, once.
    anchors: std::thread::JoinHandle<()>,
}

/// Puts the house together and lets it run. Must be called within a tokio runtime.
///
/// # Errors
/// What is wrong with settings, files, database or address.
pub fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let (wall, speed) = (Arc::clone(&clock), clock.speed());
    let now: Now = Arc::new(move || wall.now());
    // The token is shown once: whatever else may be wrong comes before it is made.
    let sense = |error: &dyn std::fmt::Display| Error::Sense(error.to_string());
    scheduler::jobs::Plan::new(&settings.jobs()).map_err(|error| sense(&error))?;
    let gate = open(settings, clock)?;
    gate.use_seal(keys::seal_key(settings, true)?);
    let (lines, postboxes) = super::channels::lines(settings, now)?;
    gate.guard_webhooks(super::channels::reach(settings)?);
    let server = listening::listen(settings, &gate, postboxes)?;
    let token = found(settings, &gate)?;
    if token.is_some() {
        // From now on a store without any checkpoint is one that was cut.
        gate.make_checkpoint()?;
    }
    word(settings, &gate)?;
    judging::database(&gate)?;
    judging::retention(settings, &gate);
    judging::wires(&gate, &lines)?;
    let anchors = anchors::look(settings, &gate)?;
    advise(settings, &gate)?;
    let scheme = if settings.server.certificate.as_os_str().is_empty() { "http" } else { "https" };
    let base = format!("{scheme}://{}", server.local_addr());
    let stopper = server.stopper();
    let scheduler = schedule(settings, &gate, lines, speed)?;
    let server = tokio::spawn(server.run());
    Ok(Running { gate, base, token, stopper, server, scheduler, anchors })
}

impl Running {
    /// Stops: no new requests, those under way are answered, loops finish their turn.
    ///
    /// # Errors
    /// When the server had stopped by itself.
    pub async fn stop(self) -> Result<(), Error> {
        self.stopper.stop().await;
        self.scheduler.stop().await;
        let outcome = match self.server.await {
            Ok(outcome) => outcome.map_err(Error::Server),
            Err(error) => Err(Error::Server(std::io::Error::other(error))),
        };
        let (gate, anchors) = (self.gate, self.anchors);
        let settled = tokio::task::spawn_blocking(move || {
            if anchors.join().is_err() {
                tracing::error!("the checkpoints could not be looked at");
            }
            gate.settle()
        });
        match settled.await {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => {
                tracing::warn!("the write-ahead log could not be emptied; copy it too");
            }
            Ok(Err(error)) => tracing::error!(%error, "the write-ahead log was not emptied"),
            Err(error) => tracing::error!(%error, "the write-ahead log was not emptied"),
        }
        outcome
    }
}

/// Starts the loops: clocks, messages, arrivals, periodic jobs, auditor.
fn schedule(
    settings: &Settings,
    gate: &Gate,
    lines: Lines,
    speed: i64,
) -> Result<Scheduler, Error> {
    let mut options = scheduler::Options::default();
    options.outbox = options.outbox.at_speed(speed);
    let every = u64::from(settings.scheduler.audit_seconds).max(1);
    options.auditor.every = std::time::Duration::from_secs(every);
    let started = Scheduler::start(gate.clone(), lines, &settings.jobs(), options);
    started.map_err(|error| Error::Sense(error.to_string()))
}
