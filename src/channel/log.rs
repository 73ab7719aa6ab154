//! The log: one JSON line per message in a file, until real channels are set up, and for training.

use std::fs::{File, OpenOptions};
use std::future::ready;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::{Channel, Outcome};
use crate::domain::{Instant, Message, Person};

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

    fn write(&self, message: &Message, person: &Person) -> Outcome {
        let mut line = line(message, person);
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // One call for the whole line, on a file opened for appending: lines of several processes
        // do not mix.
        match file.write_all(line.as_bytes()) {
            Ok(()) => Outcome::Accepted,
            // Part of the line may have been written: a second one under the same id follows.
            Err(cause) => Outcome::Unknown { why: format!("the message log: {cause}") },
        }
    }
}

impl Channel for Log {
    fn name(&self) -> &'static str {
        "log"
    }

    fn send<'a>(&'a self, message: &'a Message, person: &'a Person) -> BoxFuture<'a, Outcome> {
        ready(self.write(message, person)).boxed()
    }
}

/// The line of a message.
fn line(message: &Message, person: &Person) -> String {
    let address = match message.channel.as_str() {
        "sms" => person.phone.as_deref(),
        "email" => person.email.as_deref(),
        _ => None,
    };
    let when = |at: Instant| at.to_string();
    json!({
        "id": message.id,
        "attempt": message.attempts,
        "written_at": when(message.created_at),
        "jurisdiction": message.jurisdiction,
        "instance": message.instance,
        "event": message.seq,
        "tier": message.tier,
        "channel": message.channel,
        "person": message.person,
        "address": address.map(masked),
        "subject": message.subject,
        "body": message.body,
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
