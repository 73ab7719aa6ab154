//! `fenliu demo`: the main job on real input. A fresh database, a county's data, and a driver that
//! plays desk, units and emergency office through the HTTP API while time runs fast.

#![expect(
    clippy::indexing_slicing,
    reason = "a JSON value read by name is null where there is nothing"
)]

mod again;
mod board;
mod driver;
mod report;
mod script;
mod story;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::Value as Json;

use super::house;
use crate::clock::{Clock, FastClock};
use crate::config::database::only_file;
use crate::config::jurisdiction::Jurisdiction;
use crate::config::settings::Settings;
use crate::domain::{Directory, Instant, JurisdictionId};
use crate::gate::Gate;
use crate::store::{self, Store};
pub use again::{Found, look_again};
use board::{Board, Words};
pub use driver::Told;
use driver::{Driver, lock};
use report::Report;
use script::Script;
use story::{Call, Matter};

/// Minutes of the play between two calls.
const CALL_GAP: i64 = 11;

/// Matters that have not ended so many virtual hours after the last call are left to their clocks.
const LAST_HOURS: i64 = 160;

/// How the demonstration is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many times as fast as real time.
    pub speed: i64,
    /// Whether to stop after the report.
    pub once: bool,
    /// Where to write the report as JSON.
    pub report: Option<PathBuf>,
    /// The script: what the play needs to know of the jurisdiction.
    pub script: PathBuf,
    /// Call records, one JSON object a line.
    pub calls: PathBuf,
    /// How many of them, at most.
    pub calls_max: usize,
    /// Whether calls are taken unread: it begins at once, and the guard sleeps.
    pub unread: bool,
}

/// Why the demonstration could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The house.
    #[error(transparent)]
    House(#[from] house::Error),
    /// A file of the demonstration.
    #[error("{path}: {what}")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// The play.
    #[error("the play stopped: {0}")]
    Play(String),
    /// The report shows that something is not as it should be.
    #[error("the report shows faults: {0}")]
    Faults(String),
}

/// Reads call records.
fn read_calls(file: &Path, most: usize) -> Result<Vec<Call>, Error> {
    let text = std::fs::read_to_string(file).map_err(|error| fault(file, &error))?;
    let mut calls = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let call = serde_json::from_str(line);
        calls.push(call.map_err(|error| fault(file, &format!("line {}: {error}", index + 1)))?);
    }
    calls.truncate(most);
    Ok(calls)
}

/// The settings of a demonstration: a folder of its own, a log that does not disturb the summary.
#[must_use]
pub fn settings(base: Settings) -> Settings {
    let mut settings = base;
    // A second is an hour: its people are in a hurry.
    settings.server.requests_per_second = 0;
    // The summary stands on the same screen.
    "error".clone_into(&mut settings.log.filter);
    settings.database.folder = settings.database.folder.join("demo");
    // The router is trained before time begins to run.
    settings.routing.folder.clear();
    settings
}

/// Clears the folder of an earlier demonstration, unless one is still running there or at the
/// address: that one keeps its data.
///
/// # Errors
/// That one is running; that the folder cannot be cleared.
pub fn clear(settings: &Settings) -> Result<(), Error> {
    let address = settings.server.listen.clone();
    let free = std::net::TcpListener::bind(&address);
    free.map_err(|error| house::Error::Listen { key: "server.listen", address, error })?;
    let folder = &settings.database.folder;
    if !settings.database.url.is_empty() || !folder.exists() {
        return Ok(());
    }
    // What is broken in an old database does not matter; that somebody writes it does.
    if let Err(error @ store::Error::Locked { .. }) =
        Store::open(&settings.database_url(), store::Options::default())
    {
        return Err(house::Error::Store(error).into());
    }
    let cleared = std::fs::remove_dir_all(folder);
    cleared.map_err(|error| fault(folder, &error))
}

/// What a demonstration is played from, read before anything is opened.
#[derive(Debug)]
pub struct Sheets {
    script: Script,
    calls: Vec<Call>,
}

impl Sheets {
    /// Reads script and calls, and sees to it that the report can be written at the end.
    ///
    /// # Errors
    /// What is wrong with which file.
    pub fn read(options: &Options) -> Result<Self, Error> {
        let script = Script::read(&options.script)?;
        let calls = read_calls(&options.calls, options.calls_max)?;
        if let Some(path) = &options.report {
            let file = std::fs::File::options().create(true).append(true).open(path);
            file.map_err(|error| fault(path, &error))?;
        }
        Ok(Self { script, calls })
    }

    /// The clock of the play: it begins when the script says.
    ///
    /// `speed`: how many times as fast as real time.
    #[must_use]
    pub fn clock(&self, speed: i64) -> FastClock {
        FastClock::new(self.script.begin, speed, None)
    }
}

fn fault(path: &Path, what: &dyn std::fmt::Display) -> Error {
    Error::File { path: path.display().to_string(), what: what.to_string() }
}

/// Shows the demonstration on a house that is open already; `say` gets the lines for people.
///
/// # Errors
/// What stopped the play, or what the report shows to be wrong.
pub async fn show(
    gate: &Gate,
    base: &str,
    admin: &str,
    clock: FastClock,
    sheets: Sheets,
    say: impl Fn(&str),
) -> Result<Report, Error> {
    let id = gate.registry().jurisdictions().first().copied().unwrap_or_default();
    let directory = gate.registry().directory(id).map_err(|e| Error::Play(e.to_string()))?;
    let play = |error: driver::Error| Error::Play(error.to_string());
    let calendar = gate.registry().calendar(id).map_err(|e| Error::Play(e.to_string()))?;
    let (bodies, zone) = (directory.bodies.clone(), calendar.zone().clone());
    let driver = Driver::new(base, admin, bodies, zone, clock).await.map_err(play)?;
    let charts: Vec<_> = gate.registry().versions(id).into_iter().map(|v| v.chart).collect();
    let words = Words::of(&charts);
    let board = Arc::new(Mutex::new(Board::new(words.clone())));
    let driver = Arc::new(driver);
    let followed = follow(gate, Arc::clone(&board));
    let total = sheets.calls.len();
    let came = Arc::new(AtomicUsize::new(0));
    let mut tasks = play_all(&driver, &directory, sheets, &came);
    let end = driver
        .clock
        .now()
        .plus((i64::try_from(total).unwrap_or(0) * CALL_GAP * 60 + LAST_HOURS * 3600) * 1000);
    // The first frame comes when there is something to see.
    let beat = Duration::from_secs(3);
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + beat, beat);
    let (mut failures, mut ended) = (Vec::new(), 0_usize);
    loop {
        tokio::select! {
            done = tasks.join_next() => match done {
                Some(Ok(Ok(Part::Call))) => ended += 1,
                Some(Ok(Ok(Part::Other))) => {}
                Some(Ok(Err(error))) => failures.push(error.to_string()),
                Some(Err(error)) => failures.push(error.to_string()),
                None => break,
            },
            _ = ticks.tick() => {
                say(&lock(&board).draw(&progress(gate, &driver, (&came, ended, total))));
                if driver.clock.now() > end {
                    break;
                }
            }
        }
    }
    tasks.abort_all();
    if let Some(failure) = failures.first() {
        return Err(Error::Play(failure.clone()));
    }
    // What was acknowledged last is on its way through the stream.
    tokio::time::sleep(Duration::from_millis(300)).await;
    followed.abort();
    say(&lock(&board).draw(&progress(gate, &driver, (&came, ended, total))));
    let report = report::make(gate, &driver, total, words).await.map_err(Error::Play)?;
    Ok(report)
}

/// Where the play has got to. Of its calls: how many came in, how many are played to the end, of all.
fn progress(
    gate: &Gate,
    driver: &Driver,
    (came, ended, total): (&AtomicUsize, usize, usize),
) -> String {
    let id = gate.registry().jurisdictions().first().copied().unwrap_or_default();
    let zone = gate.registry().calendar(id).map(|calendar| calendar.zone().clone());
    // To the second: nobody reads more while time runs.
    let time = Instant(driver.clock.now().0.div_euclid(1000) * 1000);
    let time = zone.map_or_else(|_| time.to_string(), |zone| time.in_zone(&zone));
    let came = came.load(Ordering::Relaxed);
    let done = driver.tally.acknowledged.load(Ordering::Relaxed);
    let fired = gate.figures().fired();
    format!(
        "{time}  {came}/{total} 件来电 calls came in，{ended} 件已演完 played to the end · {done} 条命令 commands · \
         {fired} 次时限 clocks fired"
    )
}

/// Keeps the board up to date from everything that is committed.
fn follow(gate: &Gate, board: Arc<Mutex<Board>>) -> tokio::task::JoinHandle<()> {
    let mut changes = gate.changes();
    tokio::spawn(async move {
        loop {
            match changes.recv().await {
                Ok(change) => {
                    let mut json = serde_json::to_value(&change).unwrap_or(Json::Null);
                    if let Some(object) = json.as_object_mut() {
                        object.insert("id".to_owned(), change.instance.to_string().into());
                        let number = format!("{:08}", change.family.0);
                        object.insert("number".to_owned(), number.into());
                    }
                    lock(&board).take(&json);
                }
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            }
        }
    })
}

/// What a task played.
enum Part {
    /// One call, to its end.
    Call,
    /// Something else beside the calls.
    Other,
}

type Tasks = tokio::task::JoinSet<Result<Part, driver::Error>>;

/// Every call comes in its turn, and is counted then; each is played by a task of its own.
fn play_all(
    driver: &Arc<Driver>,
    directory: &Arc<Directory>,
    sheets: Sheets,
    came: &Arc<AtomicUsize>,
) -> Tasks {
    let mut tasks = Tasks::new();
    let begin = driver.clock.now();
    let script = Arc::new(sheets.script);
    for (number, call) in sheets.calls.into_iter().enumerate() {
        let (driver, directory) = (Arc::clone(driver), Arc::clone(directory));
        let (script, came) = (Arc::clone(&script), Arc::clone(came));
        let minutes = i64::try_from(number).unwrap_or(0) * CALL_GAP;
        tasks.spawn(async move {
            driver.wait_until(begin.plus(minutes * 60_000)).await;
            came.fetch_add(1, Ordering::Relaxed);
            let matter = Matter {
                driver: &driver,
                directory: &directory,
                script: &script,
                call: &call,
                number,
            };
            matter.play().await.map(|()| Part::Call)
        });
    }
    for play in script.matters.clone() {
        let driver = Arc::clone(driver);
        tasks.spawn(async move { play.play(&driver).await.map(|()| Part::Other) });
    }
    tasks
}

/// Writes the report as JSON.
///
/// # Errors
/// When the file cannot be written.
pub fn write(report: &Report, path: &Path) -> Result<(), Error> {
    let json = serde_json::to_string_pretty(report).map_err(|error| fault(path, &error))?;
    std::fs::write(path, json).map_err(|error| fault(path, &error))
}

/// What players were told, to be compared with what is there.
#[derive(Debug, Clone, Default)]
pub struct Played {
    /// Commands acknowledged.
    pub acknowledged: u64,
    /// Which.
    pub told: Told,
}

/// Plays against a service elsewhere, which may die and come back meanwhile.
#[derive(Debug)]
pub struct Player;

impl Player {
    /// Plays the shipped jurisdiction's calls until told to stop.
    ///
    /// # Errors
    /// What stopped the play.
    pub async fn play_until(
        base: &str,
        admin: &str,
        clock: FastClock,
        (script, calls): (&Path, &Path),
        over: &AtomicBool,
    ) -> Result<Played, Error> {
        let settings = Settings::default();
        let who = &settings.founding;
        let file = only_file(&settings.beside(&who.jurisdiction)).map_err(Error::Play)?;
        let who = std::fs::read_to_string(&file).map_err(|error| fault(&file, &error))?;
        let who = Jurisdiction::from_yaml(&who).map_err(|error| fault(&file, &error))?;
        let directory = Arc::new(who.directory(JurisdictionId(1)));
        let (script, calls) = (Script::read(script)?, read_calls(calls, usize::MAX)?);
        let bodies = directory.bodies.clone();
        let driver = Driver::new(base, admin, bodies, TimeZone::UTC, clock).await;
        let driver = Arc::new(driver.map_err(|error| Error::Play(error.to_string()))?);
        let mut tasks = play_all(&driver, &directory, Sheets { script, calls }, &Arc::default());
        while !over.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            while let Some(done) = tasks.try_join_next() {
                let done = done.map_err(|error| Error::Play(error.to_string()))?;
                done.map_err(|error| Error::Play(error.to_string()))?;
            }
        }
        tasks.shutdown().await;
        let acknowledged = driver.tally.acknowledged.load(Ordering::Relaxed);
        let told = lock(&driver.tally.told).clone();
        Ok(Played { acknowledged, told })
    }
}
