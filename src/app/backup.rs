//! Copies of a SQLite database in use, and databases made from them.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{self, Noted, new_file};
use super::envelope::{self, Envelope, Identities, Recipients};
use super::house::{self, Error};
use super::serve;
use crate::config::settings::Settings;
use crate::gate;
use crate::store::{Options, Store};

/// Writes a copy of the SQLite database to a new file, while a service may run, and verifies it. For
/// recipients it is locked: until it is, it stands in clear beside the database, which is in clear itself.
///
/// # Errors
/// When the file is there already; for other databases; what SQLite says.
pub fn backup(
    settings: &Settings,
    file: &Path,
    recipients: Option<&Recipients>,
) -> Result<gate::Report, Error> {
    let options = Options { read_only: true, ..house::options(settings) };
    let store = Store::open(&settings.database_url(), options)?;
    let Some(recipients) = recipients else {
        copy(&store, file)?;
        return verified(settings, file);
    };
    let Some(database) = sqlite_file(settings) else {
        // Says what to do instead.
        store.copy_to(file)?;
        return verified(settings, file);
    };
    let name = format!("backup-{}.db", std::process::id());
    let passing = Passing(Some(database.with_file_name(name)));
    let clear = passing.path();
    copy(&store, clear)?;
    let report = verified(settings, clear)?;
    let mut locked = Envelope::new(file, Some(recipients))?;
    let half = Passing(Some(file.to_owned()));
    envelope::pour(envelope::open(clear, None)?, clear, &mut locked, file)?;
    locked.finish().map_err(archive::io(file))?;
    half.stays();
    Ok(report)
}

/// Makes the database of the settings, which must not be there yet, from a copy, opened by the keys if it is
/// locked; and verifies it.
///
/// # Errors
/// A copy that cannot be read, was cut or altered, or is locked for others: nothing is left behind. A
/// database that is there already, or is none of SQLite.
pub fn restore(
    settings: &Settings,
    file: &Path,
    identities: Option<&Identities>,
) -> Result<gate::Report, Error> {
    let Some(target) = sqlite_file(settings) else {
        let why = "a copy is restored to a SQLite file: name it by --database sqlite:PATH";
        return Err(Error::Sense(why.to_owned()));
    };
    // SQLite would play another database's log into the copy.
    for end in ["-wal", "-shm", "-journal"] {
        let mut beside = target.clone().into_os_string();
        beside.push(end);
        let beside = PathBuf::from(beside);
        if beside.exists() {
            let why = "belongs to the database that was here: move it away with that one";
            return Err(Error::Sense(format!("{} {why}", beside.display())));
        }
    }
    let from = envelope::open(file, identities)?;
    let mut written = Envelope::new(&target, None)?;
    let half = Passing(Some(target.clone()));
    envelope::pour(from, file, &mut written, &target)?;
    written.finish().map_err(archive::io(&target))?;
    let report = verified(settings, &target)?;
    half.stays();
    Ok(report)
}

fn copy(store: &Store, file: &Path) -> Result<(), Error> {
    // Made here, so that nobody else may read it: SQLite fills a file that is empty.
    drop(new_file(file)?);
    store.copy_to(file)?;
    Ok(())
}

/// Looks again at a copy, with the keys of the settings.
fn verified(settings: &Settings, file: &Path) -> Result<gate::Report, Error> {
    let mut settings = settings.clone();
    settings.database.url = format!("sqlite:{}", file.display());
    serve::verify(&settings, &Noted::default())
}

/// The SQLite file of the settings, if it is one.
fn sqlite_file(settings: &Settings) -> Option<PathBuf> {
    let url = settings.database_url();
    let path = url.strip_prefix("sqlite:").unwrap_or(&url);
    (!path.contains("://") && path != ":memory:").then(|| PathBuf::from(path))
}

/// A file that is taken away again unless it is said that it stays.
struct Passing(Option<PathBuf>);

impl Passing {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    fn stays(mut self) {
        self.0 = None;
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            let path = path.display().to_string();
            tracing::error!(path, %error, "what was not to stay could not be taken away");
        }
    }
}
