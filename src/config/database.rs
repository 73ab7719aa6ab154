//! Where data are kept, and what a new database begins with.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::ChainHash;

/// Where data are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Database {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/NAME`; empty means the file `fenliu.db` in
    /// the data folder. Of a PostgreSQL on another machine the URL says how its certificate is checked:
    /// `?sslmode=verify-full&sslrootcert=FILE` (or `verify-ca`).
    pub url: String,
    /// Also to a PostgreSQL on another machine whose certificate is not checked: whoever is on the way
    /// can read and change everything; as long as it is so, an operator alarm stands
    /// (`clear_text.database`).
    pub allow_clear_text: bool,
    /// The data folder: the SQLite file, and the messages of the `log` channel.
    pub folder: PathBuf,
    /// Connections for reading.
    pub readers: usize,
    /// The most commands that share a transaction.
    pub batch_max: usize,
    /// A lock, or a free connection, is waited for so many seconds.
    pub lock_seconds: u32,
    /// PostgreSQL breaks off a statement that takes more than so many seconds.
    pub statement_seconds: u32,
    /// A file of checkpoints that are kept elsewhere than the database, a line each: its number, `:` and
    /// its hash, as the auditors' mails have them. When the service starts they must be there as they were,
    /// like the newest that the database has itself; what does not agree is an operator alarm. Counted from
    /// the folder of this file; empty: none are kept.
    pub checkpoints: PathBuf,
    /// The file of the key that signs where the chains of events stand, in the data folder unless its
    /// path is absolute. Made at the first start. Whoever has it can forge: keep it from those who can
    /// write to the database, and note its public half (`fenliu key`) elsewhere.
    pub seal_key: PathBuf,
}

impl Default for Database {
    fn default() -> Self {
        let folder = PathBuf::from("data");
        let seal_key = PathBuf::from("seal.key");
        Self {
            url: String::new(),
            allow_clear_text: false,
            folder,
            readers: 4,
            batch_max: 256,
            lock_seconds: 5,
            statement_seconds: 30,
            checkpoints: PathBuf::new(),
            seal_key,
        }
    }
}

/// What a new, empty database is filled with at the first start. Paths count from the folder of this
/// file (without a file: from `config`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Founding {
    /// Who is who: a file, or a folder with one.
    pub jurisdiction: PathBuf,
    /// Which days are worked: a file, or a folder with one.
    pub calendar: PathBuf,
    /// The folder of workflow files.
    pub workflows: PathBuf,
    /// By which hash its chains of events are linked, for ever: `sha256` or `sm3` (GB/T 32905).
    #[schemars(with = "String")]
    pub chain_hash: ChainHash,
}

impl Default for Founding {
    fn default() -> Self {
        Self {
            jurisdiction: PathBuf::from("jurisdictions"),
            calendar: PathBuf::from("calendars"),
            workflows: PathBuf::from("../workflows"),
            chain_hash: ChainHash::Sha256,
        }
    }
}

/// The file that is meant by a path: itself, or the one YAML file of a folder.
///
/// # Errors
/// What is there instead.
pub fn only_file(path: &Path) -> Result<PathBuf, String> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    let said = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(|error| said(&error))? {
        let file = entry.map_err(|error| said(&error))?.path();
        if file.extension().is_some_and(|extension| extension == "yaml") {
            files.push(file);
        }
    }
    match files.as_slice() {
        [file] => Ok(file.clone()),
        [] => Err(said(&"no YAML file stands in this folder; name one")),
        _ => Err(said(&"several YAML files stand in this folder; name the one that is meant")),
    }
}
