//! The log: one JSON line per message in a file, until real channels are set up, and for training.

use std::fs::{File, OpenOptions};
use std::future::ready;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::{Channel, Letter, Outcome};
use crate::domain::mask::masked;

/// Why the file could not be opened.
#[derive(Debug, thiserror::Error)]
#[error(
    "the message log `{path}` cannot be opened: {cause}; make its folder, or let it be written"
)]
pub struct Error {
    /// The file.
    pub path: String,
    /// What the system said.
    pub cause: std::io::Error,
}

/// Writes messages to a file.
///
/// A line holds what was said and to whom; an official's address only masked. Callers' personal
/// data cannot be in it: no text of a workflow has them. Codes that prove an address stand there in
/// clear: this channel is for development and training, where nothing else would bring them.
#[derive(Debug)]
pub struct Log {
    file: Mutex<File>,
}

impl Log {
    /// Appends to the file at `path`, which is made, for its owner alone, if it is not there.
    ///
    /// # Errors
    /// When it cannot be opened for appending.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file =
            file.map_err(|cause| Error { path: path.to_string_lossy().into_owned(), cause })?;
        Ok(Self { file: Mutex::new(file) })
    }

    fn write(&self, letter: &Letter) -> Outcome {
        let mut line = line(letter);
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One call for the whole line, on a file opened for appending: lines of several processes
        // do not mix.
        match file.write_all(line.as_bytes()) {
            Ok(()) => Outcome::ACCEPTED,
            // Part of the line may have been written: a second one under the same id follows.
            Err(cause) => Outcome::unknown(format!("the message log: {cause}")),
        }
    }
}

impl Channel for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        ready(self.write(letter)).boxed()
    }
}

/// The line of a letter.
fn line(letter: &Letter) -> String {
    json!({
        "id": letter.id,
        "attempt": letter.attempt,
        "written_at": letter.written_at.to_string(),
        "address": masked(&letter.address),
        "name": letter.name,
        "urgent": letter.urgent,
        "subject": letter.subject,
        "text": letter.text,
    })
    .to_string()
}
