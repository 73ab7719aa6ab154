//! `config/fenliu.toml`: every key with its meaning and default. The file in the repository is
//! printed from here (`fenliu config`), and a test compares them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::access::Access;
use super::alerts::Alerts;
use super::backup::Backup;
use super::channel::Channels;
use super::database::{Database, Founding};
use super::environment::overrule;
use super::job::{Does, Job};
use super::knowledge::Routing;
use super::publication::Publication;
use super::vault::Vault;

/// Settings of the service. A key that is not here is refused, so that a slip of the pen is found
/// at the start and not in the night. An environment variable `FENLIU_SECTION_KEY` in capitals
/// stands over the file, e.g. `FENLIU_SERVER_LISTEN`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where the service answers.
    pub server: Server,
    /// How people sign in.
    pub access: Access,
    /// For whom copies are locked.
    pub backup: Backup,
    /// By what messages leave.
    pub channel: Channels,
    /// Where data are kept.
    pub database: Database,
    /// What a new, empty database is filled with at the first start.
    pub founding: Founding,
    /// What is written to the log.
    pub log: Log,
    /// How alerts are worded.
    pub alerts: Alerts,
    /// Whose matter a call is: what is suggested, and what is guarded.
    pub routing: Routing,
    /// Clocks and messages.
    pub scheduler: Scheduler,
    /// Work that is done at fixed times.
    pub job: BTreeMap<String, JobSetting>,
    /// Whether changes of workflows, rights and calendars need a second person.
    pub publication: Publication,
    /// With which keys callers' data are kept locked.
    pub vault: Vault,
    /// The folder of the file that they were read from; no setting of its own.
    #[serde(skip)]
    #[schemars(skip)]
    pub home: PathBuf,
}

/// Where the service answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// Address and port. Keep the loopback address and put a proxy with TLS before it.
    pub listen: String,
    /// Threads that answer; 0 means one for each core.
    pub workers: usize,
    /// A PEM file with the certificate and those between it and its root: the service speaks TLS
    /// itself. Read again when it changes. Empty: a proxy does.
    pub certificate: PathBuf,
    /// A PEM file with the certificate's private key.
    pub key: PathBuf,
    /// Answer in clear text also to other machines. Only inside a network that nobody else is in.
    pub allow_plain_http: bool,
    /// Proxies whose word about the client's address (`X-Forwarded-For`) is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests that one person or system may make in a second, on average; 0: as many as come.
    pub requests_per_second: u32,
    /// Address and port for those who run the service: figures (`/metrics`) are then answered there only.
    /// They need a right there, too. Empty: at `listen`.
    pub management: String,
    /// The head of a request must be here within so many seconds.
    pub head_seconds: u32,
    /// The body of a request must be here within so many seconds.
    pub body_seconds: u32,
    /// An answer is waited for so many seconds at most. Keep it above `body_seconds` and
    /// `database.statement_seconds`.
    pub answer_seconds: u32,
    /// Heavy requests (exports, figures, replays, rehearsals, checks of workflows, pages of the audit log)
    /// that are answered at once; who comes while all places are taken is told to ask again. Keep it below
    /// `database.readers`. 0: as many as come.
    pub heavy_at_once: usize,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8110".to_owned(),
            workers: 0,
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            allow_plain_http: false,
            trusted_proxies: vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)],
            requests_per_second: 200,
            management: String::new(),
            head_seconds: 10,
            body_seconds: 30,
            answer_seconds: 60,
            heavy_at_once: 2,
        }
    }
}

/// What is written to the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `pretty` for people, `json` for machines.
    pub format: LogFormat,
    /// What is worth a line: `info`, `warn`, or a filter such as `info,fenliu::scheduler=debug`.
    pub filter: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Pretty, filter: "info".to_owned() }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Pretty,
    /// For machines.
    Json,
}

/// Clocks and messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scheduler {
    /// Seconds between two passes of the auditor.
    pub audit_seconds: u32,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self { audit_seconds: 60 }
    }
}

/// Work that is done at fixed times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSetting {
    /// When: a cron expression, seconds first, in the jurisdiction's zone.
    pub cron: String,
    /// What: `early_warning_sweep`, `daily_digest`, `coverage_check`, `calendar_alarm`,
    /// `quarter_close`, `checkpoint`, `train_router`, `forget_answers`, `forget_handovers` or
    /// `erase_callers`.
    pub does: Does,
    /// Whom a `daily_digest`, a `coverage_check` or a `checkpoint` is sent to, as workflows say it:
    /// `emergency_office.duty`. Where a roster says who is on duty, only they are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// How many days a `coverage_check` looks ahead; for how many days after the end of a matter
    /// `erase_callers` keeps what its callers said and who they are (at least 30), and for how many
    /// `forget_handovers` keeps what shifts left to the next ones (at least 7).
    #[serde(default = "week", skip_serializing_if = "is_week")]
    pub days: u16,
}

fn week() -> u16 {
    7
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_week(days: &u16) -> bool {
    *days == week()
}

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file, or an environment variable, says something that is no setting.
    #[error("{place}: {error}")]
    Shape {
        /// Where.
        place: String,
        /// What is wrong.
        error: String,
    },
}

impl Settings {
    /// The settings of a file (the defaults if there is none to read), with the environment's own
    /// values over them.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut table = Table::new();
        let mut place = "the settings".to_owned();
        if let Some(path) = file {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|error| Error::File { path: path.to_owned(), error })?;
            place = path.display().to_string();
            // Read once as settings, for messages with line and column.
            let shape = |error: String| Error::Shape { place: place.clone(), error };
            toml::from_str::<Self>(&text).map_err(|error| shape(error.to_string()))?;
            table = text.parse().map_err(|error: toml::de::Error| shape(error.to_string()))?;
        }
        let known = Table::try_from(Self::default()).unwrap_or_default();
        for (name, value) in environment {
            let Some(path) = name.strip_prefix("FENLIU_") else { continue };
            let shape = |error: String| Error::Shape { place: name.clone(), error };
            overrule(&mut table, &known, &path.to_lowercase(), &value).map_err(shape)?;
            // Asked at once, so that the message names the variable.
            Value::Table(table.clone())
                .try_into::<Self>()
                .map_err(|error| shape(error.to_string().trim_end().to_owned()))?;
        }
        let mut settings: Self = Value::Table(table)
            .try_into()
            .map_err(|error: toml::de::Error| Error::Shape { place, error: error.to_string() })?;
        settings.home = match file.map(|file| file.parent().unwrap_or(file)) {
            Some(folder) if folder.as_os_str().is_empty() => PathBuf::from("."),
            folder => folder.map(Path::to_owned).unwrap_or_default(),
        };
        if settings.job.is_empty() {
            settings.job = usual_jobs();
        }
        Ok(settings)
    }

    /// A path of the settings, counted from the folder of their file.
    #[must_use]
    pub fn beside(&self, path: &Path) -> PathBuf {
        let home = &self.home;
        if home.as_os_str().is_empty() { Path::new("config").join(path) } else { home.join(path) }
    }

    /// The address of the database.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.database.url.is_empty() {
            format!("sqlite:{}", self.database.folder.join("fenliu.db").display())
        } else {
            self.database.url.clone()
        }
    }

    /// The file of the key that signs checkpoints.
    #[must_use]
    pub fn seal_key(&self) -> PathBuf {
        self.database.folder.join(&self.database.seal_key)
    }

    /// The file of the keys that lock callers' data.
    #[must_use]
    pub fn field_keys(&self) -> PathBuf {
        self.database.folder.join(&self.vault.file)
    }

    /// The periodic jobs.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        let jobs = self.job.iter();
        jobs.map(|(name, job)| {
            let JobSetting { cron, does, to, days } = job.clone();
            Job { name: name.clone(), cron, does, to, days }
        })
        .collect()
    }

    /// The settings file with every key, its meaning and its default.
    #[expect(clippy::indexing_slicing, reason = "a JSON value read by name is null at worst")]
    #[must_use]
    pub fn template() -> String {
        let settings = Self { job: usual_jobs(), ..Self::default() };
        let schema = schemars::schema_for!(Self);
        let schema = schema.as_value();
        let mut text = String::new();
        comment(&mut text, schema);
        let table = Table::try_from(&settings).unwrap_or_default();
        for (section, value) in &table {
            let about = resolve(schema, &schema["properties"][section]);
            text.push('\n');
            match value {
                Value::Table(keys) if section == "job" => {
                    comment(&mut text, &schema["properties"][section]);
                    for (name, job) in keys {
                        write_line(&mut text, &format!("[job.{name}]"));
                        for (key, value) in job.as_table().into_iter().flatten() {
                            write_line(&mut text, &format!("{key} = {value}"));
                        }
                    }
                }
                Value::Table(keys) => print(&mut text, schema, section, keys, &about),
                value => write_line(&mut text, &format!("{section} = {value}")),
            }
        }
        text
    }
}

/// A section with its keys, then the tables within it.
#[expect(clippy::indexing_slicing, reason = "a JSON value read by name is null at worst")]
fn print(
    text: &mut String,
    schema: &serde_json::Value,
    section: &str,
    keys: &Table,
    about: &serde_json::Value,
) {
    let part = |key: &String| resolve(schema, &about["properties"][key]);
    // A table without fixed keys is a value.
    let is_section =
        |key: &String, value: &Value| value.is_table() && part(key)["properties"].is_object();
    let (inner, own): (Vec<_>, Vec<_>) =
        keys.iter().partition(|(key, value)| is_section(key, value));
    comment(text, about);
    if !own.is_empty() {
        write_line(text, &format!("[{section}]"));
    }
    for (key, value) in own {
        comment(text, &about["properties"][key]);
        write_line(text, &format!("{key} = {value}"));
    }
    for (key, value) in inner {
        text.push('\n');
        if let Some(keys) = value.as_table() {
            print(text, schema, &format!("{section}.{key}"), keys, &part(key));
        }
    }
}

/// The jobs of an office that says nothing else.
fn usual_jobs() -> BTreeMap<String, JobSetting> {
    let job = |cron: &str, does: Does| JobSetting {
        cron: cron.to_owned(),
        does,
        to: Vec::new(),
        days: week(),
    };
    let office = ["emergency_office.duty", "emergency_office.director"];
    let to = office.map(str::to_owned).to_vec();
    let auditors = vec!["emergency_office.auditor".to_owned()];
    let coverage = JobSetting { to: to.clone(), ..job("0 0 8 * * *", Does::CoverageCheck) };
    [
        ("early_warning", job("0 0 9,15 * * *", Does::EarlyWarningSweep)),
        ("coverage", coverage),
        ("digest", JobSetting { to, ..job("0 30 8 * * *", Does::DailyDigest) }),
        ("next_year", job("0 0 9 * * *", Does::CalendarAlarm)),
        ("checkpoint", JobSetting { to: auditors, ..job("0 15 0 * * *", Does::Checkpoint) }),
        ("quarter", job("0 5 0 1 1,4,7,10 *", Does::QuarterClose)),
        ("router", job("0 30 3 * * *", Does::TrainRouter)),
        ("keys", job("0 0 3 * * *", Does::ForgetAnswers)),
        ("callers", JobSetting { days: 1095, ..job("0 0 4 * * *", Does::EraseCallers) }),
        ("handovers", JobSetting { days: 90, ..job("0 30 4 * * *", Does::ForgetHandovers) }),
    ]
    .into_iter()
    .map(|(name, job)| (name.to_owned(), job))
    .collect()
}

#[expect(clippy::indexing_slicing, reason = "a JSON value read by name is null at worst")]
fn resolve(schema: &serde_json::Value, part: &serde_json::Value) -> serde_json::Value {
    let name = part["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or_else(|| part.clone(), |name| schema["$defs"][name].clone())
}

fn comment(text: &mut String, part: &serde_json::Value) {
    for line in part["description"].as_str().unwrap_or_default().lines() {
        write_line(text, &format!("# {line}"));
    }
}

fn write_line(text: &mut String, line: &str) {
    // Writing to a string cannot fail.
    writeln!(text, "{line}").unwrap_or_default();
}

#[cfg(test)]
mod tests;
