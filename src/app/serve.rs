//! `fenliu serve`, `demo`, `verify` and `token`: the commands that need a house or its data.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::envelope::Identities;
use super::house::{self, Error};
use super::{archive, demo, keys, workflow};
use crate::clock::{Clock, FastClock, SystemClock};
use crate::config::settings::{LogFormat, Settings};
use crate::domain::{Actor, Grant, Instant, Person, PersonId, Role, Scope};
use crate::gate::{self, Caller, Gate, NewAccount, NewToken};
use crate::routing::Router;
use crate::store::{Options, Reader, Store};

/// Time that runs fast, for training: from when, how fast, and the machine's time it is tied to.
#[derive(Debug, Clone, Copy)]
pub struct Fast {
    /// The instant at which it begins.
    pub from: Instant,
    /// How many times as fast.
    pub speed: i64,
    /// The machine's time at which it began.
    pub anchor: Option<Instant>,
}

/// Log lines to standard error, as the settings say. Does nothing when somebody listens already.
///
/// # Errors
/// A filter that is none.
pub fn log(settings: &Settings) -> Result<(), Error> {
    use tracing_subscriber::{EnvFilter, fmt};
    let filter = EnvFilter::try_new(&settings.log.filter)
        .map_err(|error| Error::Sense(format!("log.filter: {error}")))?;
    use std::io::IsTerminal as _;
    // Colours are for eyes, not for files.
    let colours = std::io::stderr().is_terminal();
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colours);
    let set = match settings.log.format {
        LogFormat::Pretty => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // Only a second call fails, and then the first one's lines go on.
    drop(set);
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(Error::Server)
}

/// Serves until the process is asked to stop. `say` gets the first lines for people.
///
/// # Errors
/// What keeps the house from being put together.
pub fn serve(settings: &Settings, fast: Option<Fast>, say: impl Fn(&str)) -> Result<(), Error> {
    log(settings)?;
    let clock: Arc<dyn Clock> = match fast {
        Some(Fast { from, speed, anchor }) => Arc::new(FastClock::new(from, speed, anchor)),
        None => Arc::new(SystemClock::new()),
    };
    runtime()?.block_on(async {
        // Listened for from the beginning: whoever is told that it answers may ask it to stop.
        let stop = house::stop_signal();
        let running = house::start(settings, clock)?;
        if let Some(token) = &running.token {
            say(&format!("管理员令牌（仅显示一次） administrator token, shown this once: {token}"));
        }
        say(&format!("fenliu 分流 answers at {0}  (API: {0}/api/docs)", running.base));
        stop.notified().await;
        tracing::info!("asked to stop");
        running.stop().await
    })
}

/// Shows the demonstration; stays up afterwards unless told otherwise.
///
/// # Errors
/// What keeps the house from being put together, or what the report shows to be wrong.
pub fn demonstrate(
    settings: Settings,
    options: &demo::Options,
    say: impl Fn(&str),
) -> Result<(), demo::Error> {
    let of_office = settings.clone();
    let sheets = demo::Sheets::read(options)?;
    let mut settings = demo::settings(settings);
    demo::clear(&settings)?;
    let router = if options.unread {
        None
    } else {
        say("训练分流模型 the router is being trained");
        let knowledge = super::routing::knowledge(&of_office);
        let knowledge = knowledge.map_err(|error| demo::Error::House(Error::Sense(error)))?;
        Some(Arc::new(Router::train(&knowledge)))
    };
    settings.scheduler.audit_seconds = settings.scheduler.audit_seconds.min(10);
    log(&settings).map_err(demo::Error::House)?;
    let clock = sheets.clock(options.speed);
    runtime()?.block_on(async {
        let running = house::start(&settings, Arc::new(clock))?;
        if let Some((router, whose)) = router.zip(running.gate.registry().jurisdictions().first()) {
            running.gate.use_router(*whose, router);
        }
        let token = running.token.clone().unwrap_or_default();
        say(&format!("fenliu 分流 {}   时间 time runs {} x", running.base, options.speed));
        say(&format!("管理员令牌 administrator token: {token}\n"));
        let (gate, base) = (running.gate.clone(), running.base.clone());
        let shown = demo::show(&gate, &base, &token, clock, sheets, &say).await;
        let report = match shown {
            Ok(report) => report,
            Err(error) => {
                running.stop().await?;
                return Err(error);
            }
        };
        say(&report.draw());
        if let Some(path) = &options.report {
            demo::write(&report, path)?;
        }
        if !options.once {
            say(&format!(
                "服务继续运行 still serving at {base} (API: {base}/api/docs); ^C ends it"
            ));
            house::stop_signal().notified().await;
        }
        running.stop().await?;
        if report.faults.is_empty() {
            Ok(())
        } else {
            Err(demo::Error::Faults(report.faults.join("; ")))
        }
    })
}

/// Brings the schema up to date, as the role that owns the tables; a service by a role that may not finds
/// nothing to do afterwards. Answers how many migrations there were.
///
/// # Errors
/// What keeps the database from being opened or changed.
pub fn migrate(settings: &Settings) -> Result<usize, Error> {
    let options = Options { create: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    let missing = store.pending_migrations()?.len();
    store.migrate()?;
    Ok(missing)
}

/// Looks again at a whole database, reading only: chains, decisions, rows, and checkpoints, which
/// must be as they were `noted`.
///
/// # Errors
/// When the database cannot be read.
pub fn verify(settings: &Settings, noted: &gate::Noted) -> Result<gate::Report, Error> {
    let options = Options { read_only: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    if store.read(Reader::jurisdictions)?.is_empty() {
        return Err(house::empty(&store.address()));
    }
    keys::use_if_there(settings, &store)?;
    Ok(gate::verify_signed(&store, noted, |_| ())?)
}

/// Looks again at a database, or at an export, which the keys open if it is locked; what is found is for
/// people.
///
/// # Errors
/// As for [`verify`] and [`archive::verify_export`].
pub fn look_again(
    settings: &Settings,
    export: Option<&Path>,
    noted: &gate::Noted,
    identities: Option<&Identities>,
) -> Result<workflow::Report, Error> {
    let found = match export {
        Some(folder) => archive::verify_export(settings, folder, noted, identities),
        None => verify(settings, noted),
    };
    Ok(archive::told(&found?))
}

/// A token to be made on the command line.
#[derive(Debug, Clone)]
pub struct TokenWish {
    /// Of which jurisdiction, by code; the only one if not given.
    pub jurisdiction: Option<String>,
    /// Whose: the person's id, or the name as the directory has it.
    pub person: String,
    /// What for.
    pub label: String,
    /// Whether roles count that wait for a second factor in a session.
    pub strong: bool,
}

/// What was made for somebody.
#[derive(Debug, Clone)]
pub struct Made {
    /// The token or the code, shown this once.
    pub secret: String,
    /// For whom: the person's name and id.
    pub whose: String,
}

/// Makes a token without a running service.
///
/// # Errors
/// When the database is in use (SQLite) or empty; there is no such person, or more than one.
pub fn token(settings: &Settings, wish: &TokenWish) -> Result<Made, Error> {
    let gate = house::open_existing(settings, Arc::new(SystemClock::new()))?;
    let (caller, person) = meant(&gate, wish)?;
    issue(&gate, &caller, &person, wish)
}

/// Makes somebody an administrator, without a running service: the way back in when nobody is one
/// any more, or nobody has a token. Answers a token.
///
/// # Errors
/// As for [`token`].
pub fn administrator(settings: &Settings, wish: &TokenWish) -> Result<Made, Error> {
    let gate = house::open_existing(settings, Arc::new(SystemClock::new()))?;
    let (caller, mut person) = meant(&gate, wish)?;
    let directory = gate.registry().directory(caller.jurisdiction)?;
    if !person.grants.iter().any(|grant| grant.role == Role::Administrator) {
        let unit = person.grants.first().map(|grant| &grant.unit);
        let unit = unit.or_else(|| directory.bodies.values().next()).cloned();
        let unit = unit.ok_or_else(|| Error::Sense("there is no unit to administer".to_owned()))?;
        person.grants.push(Grant { role: Role::Administrator, unit });
    }
    person.active = true;
    gate.put_person(&caller, &person)?;
    issue(&gate, &caller, &person, wish)
}

/// Gives somebody an account without a running service; the label of the wish is the name to sign in
/// with. Answers a code by which a password is chosen.
///
/// # Errors
/// As for [`token`]; that another account has the name.
pub fn account(settings: &Settings, wish: &TokenWish) -> Result<Made, Error> {
    let gate = house::open_existing(settings, Arc::new(SystemClock::new()))?;
    let (caller, person) = meant(&gate, wish)?;
    let new = NewAccount { login: wish.label.clone(), subject: None };
    let setup = match gate.give_account(&caller, person.id, &new)? {
        Some(setup) => setup,
        None => gate.reset_account(&caller, person.id, false)?,
    };
    Ok(Made { secret: setup.code, whose: whose(&person) })
}

fn issue(gate: &Gate, caller: &Caller, person: &Person, wish: &TokenWish) -> Result<Made, Error> {
    let (label, scope) = (wish.label.clone(), Scope { strong: wish.strong, ..Scope::default() });
    let new = NewToken { person: person.id, label, expires_at: None, scope };
    Ok(Made { secret: gate.issue_token(caller, &new)?.secret, whose: whose(person) })
}

/// A person by name and id.
fn whose(person: &Person) -> String {
    format!("{} (id {})", person.name, person.id)
}

/// The person that is meant, and the service itself in that person's jurisdiction.
fn meant(gate: &Gate, wish: &TokenWish) -> Result<(Caller, Person), Error> {
    let registry = gate.registry();
    let number = wish.person.parse().map(PersonId).ok();
    let mut found = Vec::new();
    for jurisdiction in registry.jurisdictions() {
        let directory = registry.directory(jurisdiction)?;
        if wish.jurisdiction.as_ref().is_some_and(|code| *code != directory.code) {
            continue;
        }
        let people = directory.people.values();
        let fits = people.filter(|p| Some(p.id) == number || p.name == wish.person);
        let caller = Caller { actor: Actor::System, jurisdiction };
        found.extend(fits.map(|person| (caller.clone(), person.clone())));
    }
    let one_of = |(_, person): &(Caller, Person)| {
        let posts = person.grants.iter().map(|grant| format!("{}.{}", grant.unit, grant.role));
        format!("{} {}", person.id, posts.collect::<Vec<_>>().join(", "))
    };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::Sense(format!("there is no person `{}`", wish.person))),
        several => Err(Error::Sense(format!(
            "{} people are meant by `{}`; give the id of one of them:\n  {}",
            several.len(),
            wish.person,
            several.iter().map(one_of).collect::<Vec<_>>().join("\n  ")
        ))),
    }
}

/// Which settings and which database.
#[derive(Debug, Args)]
pub struct Place {
    /// The settings file.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// The database, instead of that of the settings.
    #[arg(long)]
    pub database: Option<String>,
}

impl Place {
    /// The settings that are meant.
    ///
    /// # Errors
    /// As for [`settings`].
    pub fn settings(
        self,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Settings, Error> {
        let mut settings = settings(self.config, environment)?;
        if let Some(database) = self.database {
            settings.database.url = database;
        }
        Ok(settings)
    }
}

/// The settings of a file, or of `config/fenliu.toml` where that is there, else the defaults.
///
/// # Errors
/// What is wrong with the file or the environment.
pub fn settings(
    file: Option<PathBuf>,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Settings, Error> {
    let usual = PathBuf::from("config/fenliu.toml");
    let file = file.or_else(|| usual.exists().then_some(usual));
    let environment = environment.filter(|(name, _)| name.starts_with("FENLIU_"));
    Settings::load(file.as_deref(), environment).map_err(|error| Error::Sense(error.to_string()))
}
