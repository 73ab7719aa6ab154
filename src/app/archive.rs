//! Data on their way out and in: exports in open formats, locked for somebody or not, and imports into an
//! empty store.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::envelope::{self, Envelope, Identities, LOCKED, Recipients};
use super::house::{self, Error};
use super::{keys, workflow};
use crate::clock::{Clock as _, SystemClock};
use crate::config::settings::Settings;
use crate::domain::Instant;
use crate::domain::event::{hex, unhex};
use crate::gate;
pub use crate::gate::Noted;
use crate::store::{Options, Store, is_left_out, tables};

/// The number of the form in which exports are written.
const FORMAT: i64 = 1;

/// The name of the file that says what an export holds.
const MANIFEST: &str = "manifest.json";

/// Rows read or written at a time.
const PAGE: usize = 1000;

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of the files.
    pub format: i64,
    /// The program that wrote it.
    pub program: String,
    /// When.
    pub made_at: Instant,
    /// Its files, in the order in which they are taken in.
    pub tables: Vec<Part>,
}

/// One file of an export: a table, a JSON object a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The table; the file is `NAME.jsonl`.
    pub table: String,
    /// How many lines it has.
    pub rows: u64,
    /// The SHA-256 of the file.
    pub sha256: String,
}

pub(super) fn io(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| Error::File { path: path.display().to_string(), error }
}

/// What goes wrong where something new is to be made: most often, that it is there already.
fn new(path: &Path) -> impl Fn(std::io::Error) -> Error + '_ {
    move |error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let path = path.display();
            Error::Sense(format!(
                "`{path}` is there already, and nothing is overwritten; give a new name"
            ))
        }
        _ => io(path)(error),
    }
}

/// What was written, for people.
#[must_use]
pub fn written(made: &Manifest, folder: &Path) -> workflow::Report {
    let rows: u64 = made.tables.iter().map(|part| part.rows).sum();
    let (tables, folder) = (made.tables.len(), folder.display());
    workflow::Report::of(format!("{folder}: {rows} rows of {tables} tables\n"))
}

/// Writes everything to a new folder, as of one moment, each file locked if there are recipients; a service
/// may run meanwhile.
///
/// # Errors
/// When the folder is there already; what store and disk say.
pub fn export(
    settings: &Settings,
    folder: &Path,
    recipients: Option<&Recipients>,
) -> Result<Manifest, Error> {
    let now = SystemClock::new().now();
    let options = Options { read_only: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    fs::create_dir(folder).map_err(new(folder))?;
    let mut failure = None;
    let parts = store.read(|reader| {
        let mut parts = Vec::new();
        for table in tables() {
            match write_table(reader, table, folder, recipients) {
                Ok(part) => parts.push(part),
                Err(Error::Store(error)) => return Err(error),
                Err(other) => {
                    failure = Some(other);
                    break;
                }
            }
        }
        Ok(parts)
    })?;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let program = concat!("fenliu ", env!("CARGO_PKG_VERSION")).to_owned();
    let manifest = Manifest { format: FORMAT, program, made_at: now, tables: parts };
    let text = serde_json::to_string_pretty(&manifest)
        .map_err(|error| Error::Sense(format!("the manifest cannot be written: {error}")))?;
    let path = named(folder, MANIFEST, recipients);
    let mut file = Envelope::new(&path, recipients)?;
    file.write_all(text.as_bytes()).and_then(|()| file.finish()).map_err(io(&path))?;
    Ok(manifest)
}

/// A file that only its owner may read: exports hold callers' personal data, keys open them.
pub(super) fn new_file(path: &Path) -> Result<File, Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(new(path))
}

/// Where a file of an export is written.
fn named(folder: &Path, name: &str, recipients: Option<&Recipients>) -> PathBuf {
    let end = if recipients.is_some() { LOCKED } else { "" };
    folder.join(format!("{name}{end}"))
}

/// Where a table of an export stands.
fn file_of(folder: &Path, table: &str) -> PathBuf {
    envelope::there(&folder.join(format!("{table}.jsonl")))
}

fn write_table(
    reader: &mut crate::store::Reader,
    table: &crate::store::Table,
    folder: &Path,
    recipients: Option<&Recipients>,
) -> Result<Part, Error> {
    let path = named(folder, &format!("{}.jsonl", table.name), recipients);
    let mut file = Envelope::new(&path, recipients)?;
    let (mut digest, mut count) = (Sha256::new(), 0_u64);
    let mut last: Option<Json> = None;
    loop {
        let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
        let rows = reader.dump(table, last.as_ref(), limit)?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            let line = format!("{row}\n");
            digest.update(line.as_bytes());
            file.write_all(line.as_bytes()).map_err(io(&path))?;
            count += 1;
        }
        last = rows.into_iter().last();
    }
    file.finish().map_err(io(&path))?;
    let sha256 = hex(&digest.finalize());
    Ok(Part { table: table.name.to_owned(), rows: count, sha256 })
}

/// Takes an export into an empty store, all or nothing. Tokens are worthless there unless they are to
/// be kept: one that was revoked after the export would be good again.
///
/// # Errors
/// When the store is not empty; a file that is missing, altered, or of another form; what the store
/// says.
pub fn import(
    settings: &Settings,
    folder: &Path,
    keep_tokens: bool,
    identities: Option<&Identities>,
) -> Result<Manifest, Error> {
    // Read before a database is made: of what is no export, nothing is left behind.
    let manifest = manifest(folder, identities)?;
    let options = Options { create: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    store.migrate()?;
    let taken = import_into(&store, folder, manifest, identities)?;
    if !keep_tokens {
        let now = SystemClock::new().now();
        store.writer()?.transaction(|transaction| transaction.revoke_all_tokens(now))?;
    }
    Ok(taken)
}

/// What an export says that it holds; its files are there, byte for byte.
fn manifest(folder: &Path, identities: Option<&Identities>) -> Result<Manifest, Error> {
    let path = envelope::there(&folder.join(MANIFEST));
    if !path.exists() {
        return Err(Error::Sense(format!(
            "`{}` is not there: give the folder that `fenliu export` wrote",
            path.display()
        )));
    }
    let text = std::io::read_to_string(envelope::open(&path, identities)?);
    let text = text.map_err(|error| envelope::broken(&path, &error))?;
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| Error::Sense(format!("{}: {error}", path.display())))?;
    if manifest.format != FORMAT {
        let format = manifest.format;
        return Err(Error::Sense(format!(
            "the export is of form {format}; this program reads form {FORMAT}"
        )));
    }
    for part in manifest.tables.iter().filter(|part| !is_left_out(&part.table)) {
        if !tables().any(|table| table.name == part.table) {
            let name = &part.table;
            return Err(Error::Sense(format!("the export has a table `{name}`, which is unknown")));
        }
        check(folder, part, identities)?;
    }
    Ok(manifest)
}

fn import_into(
    store: &Store,
    folder: &Path,
    manifest: Manifest,
    identities: Option<&Identities>,
) -> Result<Manifest, Error> {
    let mut failure = None;
    let taken = store.writer()?.transaction(|transaction| {
        for table in tables() {
            if !transaction.is_empty(table)? {
                let name = table.name;
                let why = format!("the store is not empty: table `{name}` has rows");
                return Err(crate::store::Error::Refused(why));
            }
            if let Err(error) = take_table(transaction, table, (folder, identities), &manifest) {
                let text = error.to_string();
                failure = Some(error);
                return Err(crate::store::Error::Refused(text));
            }
        }
        Ok(())
    });
    match (taken, failure) {
        (_, Some(failure)) => Err(failure),
        (Err(error), None) => Err(error.into()),
        (Ok(()), None) => Ok(manifest),
    }
}

/// A file must be as the manifest says, to the byte.
fn check(folder: &Path, part: &Part, identities: Option<&Identities>) -> Result<(), Error> {
    let path = file_of(folder, &part.table);
    let mut file = envelope::open(&path, identities)?;
    let mut digest = Sha256::new();
    loop {
        let bytes = file.fill_buf().map_err(|error| envelope::broken(&path, &error))?;
        if bytes.is_empty() {
            break;
        }
        digest.update(bytes);
        let length = bytes.len();
        file.consume(length);
    }
    if hex(&digest.finalize()) == part.sha256 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::Sense(format!("{path}: its SHA-256 is not that of the manifest: it was altered")))
}

/// Without these nothing can be verified.
const PROOF: [&str; 5] = ["instance", "event", "audit_entry", "checkpoint", "checkpoint_head"];

fn take_table(
    transaction: &mut crate::store::Transaction<'_>,
    table: &crate::store::Table,
    (folder, identities): (&Path, Option<&Identities>),
    manifest: &Manifest,
) -> Result<(), Error> {
    if !manifest.tables.iter().any(|part| part.table == table.name) {
        // Tables come with versions; what the log is made of was always there.
        if !PROOF.contains(&table.name) {
            return Ok(());
        }
        let (folder, table) = (folder.display(), table.name);
        return Err(Error::Sense(format!("{folder}: the manifest has no table `{table}`")));
    }
    let path = file_of(folder, table.name);
    let file = envelope::open(&path, identities)?;
    let mut rows = Vec::new();
    for (number, line) in file.lines().enumerate() {
        let line = line.map_err(|error| envelope::broken(&path, &error))?;
        let row: Json = serde_json::from_str(&line)
            .map_err(|error| Error::Sense(format!("{}:{}: {error}", path.display(), number + 1)))?;
        rows.push(row);
        if rows.len() == PAGE {
            transaction.restore(table, &rows)?;
            rows.clear();
        }
    }
    transaction.restore(table, &rows)?;
    Ok(transaction.restored(table)?)
}

/// Looks again at an export, by taking it into a store in memory.
///
/// # Errors
/// As for [`import`]; what is wrong with the data is no error but in the report.
pub fn verify_export(
    settings: &Settings,
    folder: &Path,
    noted: &Noted,
    identities: Option<&Identities>,
) -> Result<gate::Report, Error> {
    let manifest = manifest(folder, identities)?;
    let store = Store::open("sqlite::memory:", Options::default())?;
    store.migrate()?;
    import_into(&store, folder, manifest, identities)?;
    keys::use_if_there(settings, &store)?;
    Ok(gate::verify_signed(&store, noted, |_| ())?)
}

/// What is compared with, as it was typed: a public key, and the number and hash of a checkpoint.
///
/// # Errors
/// What is not such a thing.
pub fn noted(key: Option<&str>, checkpoint: Option<&str>) -> Result<Noted, Error> {
    let wrong = |what: &str| Error::Sense(what.to_owned());
    let key = key.map(|key| {
        let wrong = || wrong("--key: a public key is 64 hexadecimal digits");
        bytes(key).map(Vec::from).ok_or_else(wrong)
    });
    let checkpoint = checkpoint.map(|text| {
        self::checkpoint(text).ok_or_else(|| {
            wrong("--checkpoint: a number, `:`, and a hash of 64 hexadecimal digits")
        })
    });
    Ok(Noted { key: key.transpose()?, checkpoint: checkpoint.transpose()? })
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    unhex(text).and_then(|bytes| bytes.try_into().ok())
}

/// The number and hash of a checkpoint, as they are noted: `7:3a…`.
pub(super) fn checkpoint(text: &str) -> Option<(i64, [u8; 32])> {
    let (number, hash) = text.split_once(':')?;
    Some((number.parse().ok()?, bytes(hash)?))
}

/// What looking again found, for people.
#[must_use]
pub fn told(report: &gate::Report) -> workflow::Report {
    let mut text = format!(
        "{} instances, {} events: {} chains whole, {} replayed alike, {} differing\n",
        report.instances, report.events, report.chains_ok, report.replayed, report.differing_count
    );
    for examined in &report.differing {
        for difference in &examined.differences {
            text.push_str(&format!("  instance {}: {difference}\n", examined.instance));
        }
    }
    let seals = &report.seals;
    text.push_str(&format!(
        "{} audit entries, {} checkpoints",
        seals.audit_entries, seals.checkpoints
    ));
    if let (Some(at), Some(key)) = (seals.sealed_until, &seals.key) {
        text.push_str(&format!(", the last of {at}, signed by {key}"));
    }
    text.push('\n');
    if seals.still_locked {
        text.push_str(
            "callers' data are locked; without their keys it was not looked at whether they open\n",
        );
    }
    for fault in &seals.faults {
        text.push_str(&format!("  {fault}\n"));
    }
    workflow::Report { text, failed: !report.is_sound() }
}
