//! The schema's versions, embedded in the program; `migrations/README.md` says how to change them.

use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Connection;
use super::error::Error;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock round PostgreSQL's migrations: diesel takes none, and of several
/// nodes started at once all but one would fail.
const LOCK: i64 = 0x6665_6e6c_6975;

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Migration(cause.to_string())
}

/// The names of the migrations that this program has.
pub(super) fn known() -> Result<Vec<String>, Error> {
    let all: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> =
        SQLITE.migrations().map_err(failed)?;
    Ok(all.iter().map(|migration| migration.name().to_string()).collect())
}

/// Runs what has not run yet.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    locked(connection, |connection| match connection {
        Connection::Sqlite(sqlite) => {
            sqlite.run_pending_migrations(SQLITE).map(drop).map_err(failed)
        }
        Connection::Postgres(postgres) => {
            postgres.run_pending_migrations(POSTGRES).map(drop).map_err(failed)
        }
    })
}

/// Takes every migration back: all data are lost.
pub(super) fn revert_all(connection: &mut Connection) -> Result<(), Error> {
    locked(connection, |connection| match connection {
        Connection::Sqlite(sqlite) => {
            sqlite.revert_all_migrations(SQLITE).map(drop).map_err(failed)
        }
        Connection::Postgres(postgres) => {
            postgres.revert_all_migrations(POSTGRES).map(drop).map_err(failed)
        }
    })
}

/// The names of migrations that have not run yet.
pub(super) fn pending(connection: &mut Connection) -> Result<Vec<String>, Error> {
    match connection {
        Connection::Sqlite(sqlite) => {
            let pending = sqlite.pending_migrations(SQLITE).map_err(failed)?;
            Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
        }
        Connection::Postgres(postgres) => {
            let pending = postgres.pending_migrations(POSTGRES).map_err(failed)?;
            Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
        }
    }
}

/// Does `work` while no other node migrates.
fn locked(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), Error>,
) -> Result<(), Error> {
    if let Connection::Sqlite(_) = connection {
        return work(connection);
    }
    // Another node's migration may take longer than an ordinary statement may.
    connection.run("SET statement_timeout = 0; SET lock_timeout = 0")?;
    connection.run(&format!("SELECT pg_advisory_lock({LOCK})"))?;
    let outcome = work(connection);
    // The connection is closed after this, which frees the lock in any case.
    connection.run(&format!("SELECT pg_advisory_unlock({LOCK})"))?;
    outcome
}
