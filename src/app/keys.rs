//! The keys: those by which callers' data are kept locked, read from their file or the environment, made at
//! the first start, one added by `fenliu key rotate`; the one that signs checkpoints.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;

use super::archive::{io, new_file};
use super::envelope;
use super::house::{self, Error};
use super::workflow::Report;
use crate::clock::{Clock as _, SystemClock};
use crate::config::settings::Settings;
use crate::domain::Instant;
use crate::domain::event::{hex, unhex};
use crate::gate::{Gate, Relocking};
use crate::seal::SigningKey;
use crate::store::{self, Keys, Options, Store};
use crate::vault::{KeyLine, Vault};

/// What is to be done with keys.
#[derive(Debug, Clone, Subcommand)]
pub enum Wish {
    /// Add a new key for callers' data. A running service takes it up within seconds and locks
    /// everything anew; if none runs, that is done here.
    Rotate,
    /// Print which key has locked how many values: one that has locked none may be taken out of the
    /// file.
    Fields,
    /// Make a key for locked copies in a new file, and print the recipient to lock them for. Move the
    /// file away from this machine: who has it opens every copy, and without it nobody opens any.
    Backup {
        /// The new file.
        file: PathBuf,
    },
}

/// Prints the public half of the key that signs checkpoints, or does what is wished with the keys of
/// callers' data; `say` is told how far it is.
///
/// # Errors
/// Keys that cannot be read or written; what the store says.
pub fn run(settings: &Settings, wish: Option<Wish>, say: impl Fn(&str)) -> Result<Report, Error> {
    let text = match wish {
        None => format!("{}\n", public_key(settings)?),
        Some(Wish::Rotate) => rotate(settings, say)?,
        Some(Wish::Fields) => fields(settings)?,
        Some(Wish::Backup { file }) => format!("{}\n", envelope::make_key(&file)?),
    };
    Ok(Report::of(text))
}

/// The key that signs checkpoints: read, or made when it is not there and may be.
///
/// # Errors
/// A file that cannot be read or written, or holds no key.
pub fn seal_key(settings: &Settings, make: bool) -> Result<SigningKey, Error> {
    let path = settings.seal_key();
    if make && !path.exists() {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed)
            .map_err(|error| Error::Sense(format!("the system gives no randomness: {error}")))?;
        let mut file = new_file(&path)?;
        file.write_all(format!("{}\n", hex(&seed)).as_bytes()).map_err(io(&path))?;
        file.sync_all().map_err(io(&path))?;
    }
    let text = fs::read_to_string(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::Sense(format!(
            "there is no key at `{}` (database.seal_key, database.folder): it is made at the first start of \
             `fenliu serve`",
            path.display()
        )),
        _ => io(&path)(error),
    })?;
    let seed = unhex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    seed.and_then(|seed| SigningKey::from_seed(&seed)).ok_or_else(|| {
        let path = path.display();
        Error::Sense(format!("{path}: a key is 64 hexadecimal digits; this is none"))
    })
}

/// The public half of the key, in hexadecimal.
///
/// # Errors
/// As for [`seal_key`].
pub fn public_key(settings: &Settings) -> Result<String, Error> {
    Ok(hex(seal_key(settings, false)?.public()))
}

/// Lets a store use its keys. They are made where there are none and nothing is locked yet.
///
/// # Errors
/// Keys that are not there, cannot be read, or are not those of this store.
pub fn unlock(settings: &Settings, store: &Store) -> Result<(), Error> {
    let path = settings.field_keys();
    if in_settings(settings)?.is_none() && !path.exists() {
        if store.read(store::Reader::is_locked)? {
            let (path, database) = (path.display(), store.address());
            return Err(Error::Sense(format!(
                "{path} is not there: it holds the keys by which callers' data in {database} are locked. \
                 Put it back from where its copy is kept, or name the right file (vault.file)"
            )));
        }
        let line = fresh(settings, SystemClock::new().now())?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io(folder))?;
        }
        keep(&path, &line.text())?;
    }
    take(settings, store)
}

/// Lets a store use its keys, if they are at hand and one of them is its own: for those who only look,
/// perhaps at what comes from elsewhere, perhaps as a user of the system who may not read them. A value
/// that its own keys do not open is for them to find: it takes no keys away.
///
/// # Errors
/// Keys that make no sense.
pub fn use_if_there(settings: &Settings, store: &Store) -> Result<(), Error> {
    if in_settings(settings)?.is_none() {
        match fs::File::open(settings.field_keys()) {
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) =>
            {
                return Ok(());
            }
            _ => {}
        }
    }
    let from = settings.clone();
    store.use_keys(Keys::new(move || read(&from)))?;
    if !store.read(store::Reader::knows_keys)? {
        store.forget_keys();
    }
    Ok(())
}

fn take(settings: &Settings, store: &Store) -> Result<(), Error> {
    let from = settings.clone();
    store.use_keys(Keys::new(move || read(&from)))?;
    let wrong = |error: &dyn std::fmt::Display| {
        let keys = place(settings);
        Error::Sense(format!(
            "the keys of {keys} are not all that this database is locked by: {error}"
        ))
    };
    let fits = store.read(|reader| {
        reader.refuse_clear()?;
        reader.fits()
    });
    fits.map_err(|error| wrong(&error))?;
    let Some(vault) = store.vault() else { return Ok(()) };
    // Before anything is locked by another key: whoever copies the file from now on needs both.
    store.writer()?.transaction(|transaction| transaction.begin_to_lock_by(vault.present()))?;
    // As long as not everything is locked by one key, every key is still needed.
    if store.read(store::Reader::all_locked_by)?.as_deref() == Some(vault.present()) {
        return Ok(());
    }
    let counts = store.read(store::Reader::locked_by)?;
    let missing = counts.iter().find(|(key, _)| !key.is_empty() && !vault.has(key));
    missing.map_or(Ok(()), |(key, count)| {
        Err(wrong(&format!("{count} values are locked by the key `{key}`, which is not there")))
    })
}

/// Where the keys are, for people.
fn place(settings: &Settings) -> String {
    match in_settings(settings) {
        Ok(None) => settings.field_keys().display().to_string(),
        _ => "vault.keys".to_owned(),
    }
}

/// The keys that stand in the settings or the environment.
fn in_settings(settings: &Settings) -> Result<Option<String>, Error> {
    let keys = settings.vault.keys.reveal();
    let keys = keys.map_err(|error| Error::Sense(format!("vault.keys: {error}")))?;
    Ok((!keys.is_empty()).then_some(keys))
}

fn read(settings: &Settings) -> Result<Vault, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", place(settings));
    let text = match in_settings(settings).map_err(|error| error.to_string())? {
        Some(keys) => keys,
        None => read_file(&settings.field_keys()).map_err(|error| error.to_string())?,
    };
    Vault::read(&text, house::entropy).map_err(|error| said(&error))
}

/// The text of a key file that nobody else may read.
fn read_file(path: &Path) -> Result<String, Error> {
    let mode = fs::metadata(path).map_err(io(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        let (path, mode) = (path.display(), mode & 0o777);
        return Err(Error::Sense(format!(
            "{path}: others than its owner may read or write these keys (mode {mode:o}); say `chmod 600 {path}`"
        )));
    }
    fs::read_to_string(path).map_err(io(path))
}

/// A new key, named by the day.
fn fresh(settings: &Settings, now: Instant) -> Result<KeyLine, Error> {
    let algorithm = settings.vault.algorithm;
    let (mut key, mut more) = (vec![0_u8; algorithm.key_bytes()], [0_u8; 3]);
    for bytes in [key.as_mut_slice(), more.as_mut_slice()] {
        getrandom::fill(bytes)
            .map_err(|error| Error::Sense(format!("the system gives no randomness: {error}")))?;
    }
    let day = now.timestamp().strftime("%Y%m%d").to_string();
    Ok(KeyLine { id: format!("{day}-{}", hex(&more)), algorithm, key })
}

fn rotate(settings: &Settings, say: impl Fn(&str)) -> Result<String, Error> {
    if in_settings(settings)?.is_some() {
        let why = "vault.keys: the keys stand in the settings; add one at the end there, and start the service anew";
        return Err(Error::Sense(why.to_owned()));
    }
    let path = settings.field_keys();
    let mut text = read_file(&path)?;
    let line = fresh(settings, SystemClock::new().now())?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&line.text());
    keep(&path, &text)?;
    let added = format!("the key `{}` was added to {}", line.id, path.display());
    let gate = match house::open_existing(settings, Arc::new(SystemClock::new())) {
        Ok(gate) => gate,
        Err(Error::Store(store::Error::Locked { .. })) => {
            return Ok(format!(
                "{added}; the running service takes it up and locks everything anew: \
                 `fenliu key fields` says how far it is\n"
            ));
        }
        Err(error) => return Err(error),
    };
    say(&added);
    let changed = relock_all(&gate, say)?;
    Ok(format!(
        "{changed} values were locked anew; keys before `{}` may be taken out of the file\n",
        line.id
    ))
}

/// So long until everything is looked at once more, where other nodes may write.
const AGAIN: Duration = Duration::from_secs(5);

/// Locks everything by the present key; answers how many values were not.
fn relock_all(gate: &Gate, say: impl Fn(&str)) -> Result<usize, Error> {
    let (mut so_far, mut told) = (Relocking::default(), 0);
    loop {
        let changed = so_far.changed;
        match gate.relock(so_far)? {
            Some(next) => so_far = next,
            None => return Ok(changed),
        }
        if so_far.begins_again() {
            say("looking once more, for what other nodes wrote meanwhile …");
            std::thread::sleep(AGAIN);
        }
        if so_far.changed >= told + 10_000 {
            told = so_far.changed;
            say(&format!("{told} values …"));
        }
    }
}

/// Writes a key file, wholly or not at all: before anything is locked by a key, it is on the disk.
fn keep(path: &Path, text: &str) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    // What a start that was broken off left there locks nothing yet.
    if beside.exists() {
        fs::remove_file(&beside).map_err(io(&beside))?;
    }
    let mut file = new_file(&beside)?;
    file.write_all(text.as_bytes()).map_err(io(&beside))?;
    file.sync_all().map_err(io(&beside))?;
    fs::rename(&beside, path).map_err(io(path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

fn fields(settings: &Settings) -> Result<String, Error> {
    let options = Options { read_only: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    use_if_there(settings, &store)?;
    let counts = store.read(store::Reader::locked_by)?;
    let (mut text, vault) = (String::new(), store.vault());
    let present = vault.as_ref().map_or("", |vault| vault.present());
    let unused =
        vault.iter().flat_map(|vault| vault.names()).filter(|key| !counts.contains_key(*key));
    let lines = counts.iter().map(|(key, count)| (key.as_str(), *count));
    for (key, count) in lines.chain(unused.map(|key| (key, 0))) {
        let name = if key.is_empty() { "(not locked)" } else { key };
        let mark = if key == present { "  locks now" } else { "" };
        text.push_str(&format!("{name}  {count}{mark}\n"));
    }
    Ok(text)
}
