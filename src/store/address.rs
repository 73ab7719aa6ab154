//! Addresses of databases. A mistyped address is refused with a sentence; it never becomes a file.

use std::path::{Path, PathBuf};

use super::error::Error;
use crate::domain::Wire;
use crate::domain::event::unhex;
use crate::domain::wire::without_port;

/// Where the data are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A file of SQLite.
    File(PathBuf),
    /// A SQLite database in the memory of this process, for tests.
    Memory,
    /// A URL of PostgreSQL, as libpq reads it.
    Postgres(String),
}

/// Endings of names that may become a new SQLite file.
const ENDINGS: [&str; 3] = ["db", "sqlite", "sqlite3"];

impl Address {
    /// Reads `sqlite:PATH`, `sqlite::memory:`, a plain path, or `postgres://…` (`postgresql://…`).
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Address {
            address: without_password(text),
            reason: reason.to_owned(),
        };
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite:");
        if path == Some(":memory:") {
            return Ok(Self::Memory);
        }
        let plain = path.unwrap_or(text);
        if plain.is_empty() {
            return Err(refuse("it is empty; write `sqlite:PATH` or `postgres://USER@HOST/NAME`"));
        }
        if plain.starts_with("//") || plain.contains(':') || plain.contains('=') {
            return Err(refuse(
                "a database is `sqlite:PATH` (a path without `:` and `=`), a plain path, or `postgres://USER@HOST/NAME`",
            ));
        }
        if plain.contains('\0') {
            return Err(refuse("a path has no zero byte"));
        }
        Ok(Self::File(PathBuf::from(plain)))
    }

    /// The address for people: without a password.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::Postgres(url) => without_password(url),
        }
    }

    /// How the line to the database is protected, as the address says it: to another machine by a
    /// certificate that is checked, or not.
    pub(super) fn wire(&self) -> Wire {
        let Self::Postgres(url) = self else { return Wire::Here };
        let (_, rest) = url.split_once("://").unwrap_or_default();
        // The user ends at the first `@`, if no `/` stands before it: so libpq reads it.
        let rest = match rest.find(['@', '/']).map(|at| rest.split_at(at)) {
            Some((_, host)) if host.starts_with('@') => host.trim_start_matches('@'),
            _ => rest,
        };
        let places = rest.split(['/', '?']).next().unwrap_or_default();
        let words = rest.split_once('?').map_or("", |(_, words)| words);
        let words = words.split('&').filter_map(|word| word.split_once('='));
        let mut hosts: Vec<String> =
            places.split(',').map(|place| decoded(without_port(place))).collect();
        let (mut checked, mut elsewhere) = (false, false);
        for (name, value) in words {
            match name {
                "host" | "hostaddr" => hosts.extend(decoded(value).split(',').map(str::to_owned)),
                "sslmode" => checked = matches!(value, "verify-full" | "verify-ca"),
                // What a file of services says is not known here.
                "service" => elsewhere = true,
                _ => {}
            }
        }
        let socket = |host: &str| host.is_empty() || host.starts_with('/') || host.starts_with('@');
        let wires = hosts.iter().filter(|host| !socket(host)).map(|host| Wire::to(host, checked));
        let unknown = (elsewhere && !checked).then_some(Wire::Clear);
        wires.chain(unknown).max().unwrap_or_default()
    }

    /// Whether a missing file may be made at this address when making is allowed at all.
    pub(super) fn may_be_made(path: &Path) -> Result<(), String> {
        let known = path.extension().and_then(|ending| ending.to_str());
        if !known.is_some_and(|ending| ENDINGS.contains(&ending)) {
            return Err(
                "there is no such file, and a new one is only made with a name in .db, .sqlite or .sqlite3"
                    .to_owned(),
            );
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        match folder {
            Some(folder) if !folder.is_dir() => {
                Err(format!("the folder `{}` does not exist", folder.display()))
            }
            _ => Ok(()),
        }
    }
}

/// A part of a URL with its `%xx` read.
fn decoded(part: &str) -> String {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        match piece.split_at_checked(2).map(|(digits, rest)| (unhex(digits), rest)) {
            Some((Some(byte), rest)) => {
                bytes.extend(byte);
                bytes.extend(rest.as_bytes());
            }
            _ => bytes.extend(piece.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The text with what stands between the user's name and `@` hidden, and `password=` likewise.
fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return if text.contains("password") { "(hidden)".to_owned() } else { text.to_owned() };
    };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    match rest.split_once("password=") {
        Some((before, _)) => format!("{scheme}://{before}password=***"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_file_a_memory_or_a_url() {
        assert_eq!(
            Address::parse("sqlite:data/x.db").unwrap(),
            Address::File(PathBuf::from("data/x.db"))
        );
        assert_eq!(Address::parse("x.db").unwrap(), Address::File(PathBuf::from("x.db")));
        assert_eq!(Address::parse("sqlite::memory:").unwrap(), Address::Memory);
        let url = "postgresql://a@b/c";
        assert_eq!(Address::parse(url).unwrap(), Address::Postgres(url.to_owned()));
    }

    #[test]
    fn a_mistyped_scheme_is_refused_and_its_password_is_not_shown() {
        for text in ["postgers://u:secret@h/d", "mysql://u:secret@h/d", "host=h password=secret"] {
            let error = Address::parse(text).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(Address::parse("").is_err());
        assert!(Address::parse("sqlite://data/x.db").is_err());
    }

    // Check 38.
    #[test]
    fn a_database_elsewhere_is_safe_only_if_its_certificate_is_checked() {
        let wire = |rest: &str| Address::Postgres(format!("postgres://{rest}")).wire();
        for here in [
            "u:p@127.0.0.1:5432/d",
            "u@[::1]:5432/d",
            "localhost/d",
            "/d",
            "u@/d?host=/run/postgresql",
            "%2Frun%2Fpostgresql/d",
            "u:p?q@localhost/d?application_name=x",
        ] {
            assert_eq!(wire(here), Wire::Here, "{here}");
        }
        for clear in [
            "u:p@db.example/d",
            "u:p@db.example/d?sslmode=require",
            "u:p@db.example/d?sslmode=verify-full&sslmode=prefer",
            "u@localhost,db.example:5433/d",
            "u@localhost/d?hostaddr=10.0.0.1",
            "u@/d?host=db%2Eexample",
            "localhost@db.example/d",
            "/d?service=county",
        ] {
            assert_eq!(wire(clear), Wire::Clear, "{clear}");
        }
        for checked in [
            "u:p@db.example/d?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "u:p@db.example:5433/d?connect_timeout=1&sslmode=verify-ca",
            "/d?service=county&sslmode=verify-full",
        ] {
            assert_ne!(wire(checked), Wire::Clear, "{checked}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = |url: &str| Address::Postgres(url.to_owned()).shown();
        assert_eq!(shown("postgres://u:p:q@h/d"), "postgres://u:***@h/d");
        assert_eq!(shown("postgres://h/d?password=p&x=y"), "postgres://h/d?password=***");
        assert_eq!(shown("postgres://u@h/d"), "postgres://u@h/d");
    }
}
