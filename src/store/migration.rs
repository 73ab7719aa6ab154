//! The schema's versions, embedded in the program; `migrations/README.md` says how to change them.

use diesel::migration::{Migration, MigrationSource};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::{Connection, each};
use super::error::Error;
use super::role;
use super::statement::Statement;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of the advisory lock round PostgreSQL's migrations: diesel takes none, and of several
/// nodes started at once all but one would fail.
const LOCK: i64 = 0x6665_6e6c_6975;

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Migration(cause.to_string())
}

/// The names of the migrations that this program has.
fn known() -> Result<Vec<String>, Error> {
    let all: Vec<Box<dyn Migration<diesel::sqlite::Sqlite>>> =
        SQLITE.migrations().map_err(failed)?;
    Ok(all.iter().map(|migration| migration.name().to_string()).collect())
}

/// Runs what has not run yet.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    // Asked before diesel is, which makes its own table even where it is: a service's role may not.
    let missing = missing(connection)?;
    if missing.is_empty() {
        return role::may_work(connection);
    }
    role::may_migrate(connection, &missing)?;
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

/// The names of migrations that have not run yet. Only reads.
pub(super) fn missing(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let there = connection.integer(match connection {
        Connection::Sqlite(_) => {
            "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'"
        }
        Connection::Postgres(_) => {
            "SELECT count(to_regclass('__diesel_schema_migrations'))::bigint"
        }
    })?;
    let mut run: Vec<String> = Vec::new();
    if there > 0 {
        let statement =
            Statement::<Text>::new("SELECT version FROM __diesel_schema_migrations", &[]);
        run = each!(connection, connection => statement.load(connection))?;
    }
    let version = |name: &String| -> String {
        name.chars().take_while(|c| *c != '_').filter(|c| *c != '-').collect()
    };
    Ok(known()?.into_iter().filter(|name| !run.contains(&version(name))).collect())
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
