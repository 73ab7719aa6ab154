//! The two kinds of connection, how each is opened, and how a statement is given to either.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use diesel::connection::{Connection as _, InstrumentationEvent, SimpleConnection as _};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::address::Address;
use super::error::Error;
use super::shared::Shared;
use super::statement::Statement;

/// An open connection: a plain enum of diesel's two, so that nothing of diesel is lost (the derive
/// `MultiConnection` refuses batch inserts, upserts and row locks).
pub(super) enum Connection {
    /// SQLite.
    Sqlite(SqliteConnection),
    /// PostgreSQL.
    Postgres(PgConnection),
}

/// Compiles one piece of diesel code once for each kind of connection. `name` is the connection
/// inside the code; with `name: Backend`, `Backend` names diesel's type for `into_boxed`.
macro_rules! each {
    ($connection:expr, $name:ident => $code:expr) => {
        match $connection {
            $crate::store::connection::Connection::Sqlite($name) => $code,
            $crate::store::connection::Connection::Postgres($name) => $code,
        }
    };
    ($connection:expr, $name:ident : $backend:ident => $code:expr) => {
        match $connection {
            $crate::store::connection::Connection::Sqlite($name) => {
                type $backend = diesel::sqlite::Sqlite;
                $code
            }
            $crate::store::connection::Connection::Postgres($name) => {
                type $backend = diesel::pg::Pg;
                $code
            }
        }
    };
}
pub(super) use each;

/// What a connection is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Reading only; the database refuses writes.
    Read,
    /// Reading and writing.
    Write,
}

/// Bounds on waiting, from [`super::Options`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// How long SQLite waits for a lock, PostgreSQL for a row lock; milliseconds.
    pub(super) lock_ms: u32,
    /// How long PostgreSQL may take over one statement; milliseconds.
    pub(super) statement_ms: u32,
}

/// The oldest SQLite without the race that can damage a database when the write-ahead log is reset.
pub const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// The oldest PostgreSQL whose behaviour is tested.
const OLDEST_POSTGRES: i64 = 130_000;

/// The version of SQLite that the program brings along.
#[must_use]
pub fn bundled_sqlite() -> String {
    libsqlite3_sys::SQLITE_VERSION.to_string_lossy().into_owned()
}

/// Refuses a SQLite whose write-ahead log can be damaged.
///
/// # Errors
/// [`Error::Unsuitable`] when `version` (such as `3.51.3`) is older than [`OLDEST_SQLITE`] or is
/// not a version.
pub fn check_sqlite_version(version: &str) -> Result<(), Error> {
    let mut parts = version.trim().split('.').map(str::parse::<u32>);
    let mut part = || parts.next().and_then(Result::ok);
    let (major, minor) = (part(), part());
    let patch = part().unwrap_or_default();
    let (oldest_major, oldest_minor, oldest_patch) = OLDEST_SQLITE;
    match (major, minor) {
        (Some(major), Some(minor)) if (major, minor, patch) >= OLDEST_SQLITE => Ok(()),
        _ => Err(Error::Unsuitable(format!(
            "SQLite `{version}` is not used: before {oldest_major}.{oldest_minor}.{oldest_patch} a race in resetting the write-ahead log can damage the database; build with the bundled SQLite"
        ))),
    }
}

impl Connection {
    /// Opens a connection. `memory` names the database in memory that is meant.
    pub(super) fn open(
        address: &Address,
        purpose: Purpose,
        patience: Patience,
        memory: &str,
    ) -> Result<Self, Error> {
        let down = |cause: ConnectionError| Error::Down(format!("{}: {cause}", address.shown()));
        match address {
            Address::File(path) => {
                let uri = file_uri(path, purpose);
                let connection = SqliteConnection::establish(&uri).map_err(down)?;
                let mut connection = sqlite(connection, purpose, patience)?;
                if purpose == Purpose::Write {
                    connection.run("PRAGMA journal_mode = WAL")?;
                }
                Ok(connection)
            }
            // No write-ahead log in memory: asking for one would only wait for the writer.
            Address::Memory => {
                let uri = format!("file:/{memory}?vfs=memdb");
                let connection = SqliteConnection::establish(&uri).map_err(down)?;
                sqlite(connection, purpose, patience)
            }
            Address::Postgres(url) => {
                let connection = PgConnection::establish(&with_bounds(url)).map_err(down)?;
                postgres(connection, purpose, patience)
            }
        }
    }

    /// Counts every statement that is given to it from now on.
    pub(super) fn count(&mut self, shared: &Arc<Shared>) {
        let shared = Arc::clone(shared);
        let counted = move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                shared.count_statement();
            }
        };
        each!(self, connection => connection.set_instrumentation(counted));
    }

    /// Runs SQL without values.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Error> {
        each!(self, connection => connection.batch_execute(sql)).map_err(Error::from)
    }

    /// Reads one text.
    pub(super) fn text(&mut self, sql: &'static str) -> Result<String, Error> {
        let statement = Statement::<Text>::new(sql, &[]);
        each!(self, connection => statement.get_result(connection)).map_err(Error::from)
    }

    /// Reads one integer.
    pub(super) fn integer(&mut self, sql: impl Into<Cow<'static, str>>) -> Result<i64, Error> {
        let statement = Statement::<BigInt>::new(sql, &[]);
        each!(self, connection => statement.get_result(connection)).map_err(Error::from)
    }
}

/// `file:` with every byte that means something in a URI written as `%xx`; never creates.
fn file_uri(path: &Path, purpose: Purpose) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else if write!(uri, "%{byte:02x}").is_err() {
            // Writing to a String cannot fail.
        }
    }
    uri.push_str(match purpose {
        Purpose::Read => "?mode=ro",
        Purpose::Write => "?mode=rw",
    });
    uri
}

fn sqlite(
    connection: SqliteConnection,
    purpose: Purpose,
    patience: Patience,
) -> Result<Connection, Error> {
    let mut connection = Connection::Sqlite(connection);
    // Waiting comes first: even the next statement may find the database locked.
    connection.run(&format!("PRAGMA busy_timeout = {}", patience.lock_ms))?;
    check_sqlite_version(&connection.text("SELECT sqlite_version()")?)?;
    // WAL is a property of the file, the rest of the connection. The default of 1000 pages per
    // checkpoint is kept: larger ones gave more throughput and several times the worst latency.
    connection.run(
        "PRAGMA foreign_keys = ON;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA mmap_size = 4294967296;",
    )?;
    if purpose == Purpose::Read {
        connection.run("PRAGMA query_only = ON")?;
    }
    Ok(connection)
}

/// The URL with bounds on connecting, where it names none itself.
fn with_bounds(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in [
        ("connect_timeout", "5"),
        ("keepalives_idle", "15"),
        ("tcp_user_timeout", "15000"),
        ("application_name", "fenliu"),
        ("client_encoding", "UTF8"),
    ] {
        if !url.contains(&format!("{name}=")) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(value);
        }
    }
    url
}

fn postgres(
    connection: PgConnection,
    purpose: Purpose,
    patience: Patience,
) -> Result<Connection, Error> {
    let mut connection = Connection::Postgres(connection);
    let version = connection.integer("SELECT current_setting('server_version_num')::bigint")?;
    if version < OLDEST_POSTGRES {
        return Err(Error::Unsuitable(format!(
            "PostgreSQL {version} is too old: 13 or newer is needed"
        )));
    }
    let encoding = connection.text("SELECT current_setting('server_encoding')")?;
    if encoding != "UTF8" {
        return Err(Error::Unsuitable(format!(
            "the database has the encoding {encoding}: create it with ENCODING 'UTF8', so that every Chinese character can be kept"
        )));
    }
    connection.run(&format!(
        "SET statement_timeout = {}; SET lock_timeout = {};
         SET idle_in_transaction_session_timeout = {}; SET timezone = 'UTC';
         SET default_transaction_isolation = 'read committed';
         SET default_transaction_read_only = {};",
        patience.statement_ms,
        patience.lock_ms,
        patience.statement_ms,
        if purpose == Purpose::Read { "on" } else { "off" },
    ))?;
    if purpose == Purpose::Write {
        // The statements of the hot path are planned once per connection, perhaps while the tables
        // are still empty, and each finds its rows by key. Left to itself the planner then chooses to
        // read whole tables, and keeps to that while they grow.
        connection.run(
            "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off;
             SET enable_hashjoin = off; SET enable_mergejoin = off;",
        )?;
    }
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Check 51.
    #[test]
    fn a_sqlite_with_the_wal_reset_race_is_refused() {
        for version in ["3.51.3", "3.52.0", "4.0.0", "3.53"] {
            assert!(check_sqlite_version(version).is_ok(), "{version}");
        }
        for version in ["3.51.2", "3.51", "3.50.7", "3.7.17", "", "new", "2.99.99"] {
            assert!(check_sqlite_version(version).is_err(), "{version}");
        }
    }

    // Check 51.
    #[test]
    fn the_bundled_sqlite_is_new_enough() {
        let version = libsqlite3_sys::SQLITE_VERSION.to_str().unwrap();
        assert!(check_sqlite_version(version).is_ok(), "{version}");
    }

    #[test]
    fn a_path_cannot_smuggle_in_an_option() {
        let uri = file_uri(Path::new("a b?mode=rwc#%.db"), Purpose::Read);
        assert_eq!(uri, "file:a%20b%3fmode%3drwc%23%25.db?mode=ro");
    }

    #[test]
    fn bounds_of_the_url_itself_are_kept() {
        let url = with_bounds("postgres://h/d?connect_timeout=1");
        assert!(url.starts_with("postgres://h/d?connect_timeout=1&keepalives_idle=15&"), "{url}");
        assert!(with_bounds("postgres://h/d").contains("/d?connect_timeout=5&"));
    }
}
