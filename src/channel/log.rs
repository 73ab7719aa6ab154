//! The log: one JSON line per message in a file, until real channels are set up, and for training.

use std::fs::{File, OpenOptions};
use std::future::ready;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::{Channel, Letter, Outcome};

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
/// data cannot be in it: no text of a workflow has them.
#[derive(Debug)]
pub struct Log {
    file: Mutex<File>,
}

impl Log {
    /// Appends to the file at `path`, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be opened for appending.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = OpenOptions::new().create(true).append(true).open(path);
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

/// An address of which enough is left to recognise it, and too little to use it.
fn masked(address: &str) -> String {
    let (name, host) = match address.split_once('@') {
        Some((name, host)) => (name, format!("@{host}")),
        None => (address, String::new()),
    };
    let count = name.chars().count();
    // Of a telephone number the last two digits remain, of a mail address the first letter.
    let shown = |index: usize| {
        if host.is_empty() { index + 2 >= count && count > 4 } else { index == 0 && count > 1 }
    };
    let letters = name.chars().enumerate();
    let hidden: String = letters.map(|(index, c)| if shown(index) { c } else { '*' }).collect();
    hidden + &host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_officials_are_masked() {
        assert_eq!(masked("13812345678"), "*********78");
        assert_eq!(masked("110"), "***");
        assert_eq!(masked("wang@example.org"), "w***@example.org");
        assert_eq!(masked("w@example.org"), "*@example.org");
        assert_eq!(masked(""), "");
    }
}
