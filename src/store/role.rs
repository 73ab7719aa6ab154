//! What the role may do by which PostgreSQL is spoken to: the service's own may add to what happened,
//! and neither change it nor the form of the tables (`deploy/postgresql-roles.sql`).

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use super::connection::Connection;
use super::error::Error;
use super::pool::Reader;
use super::statement::Statement;

/// Tables to which rows are only added.
const ONLY_ADDED: &str = "'event', 'audit_entry', 'checkpoint', 'checkpoint_head'";

/// The tables of the house: those of diesel are left out.
const TABLES: &str = "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE n.nspname = current_schema() AND c.relkind = 'r' AND left(c.relname, 2) <> '__'";

/// Where the roles come from, and how they are put right.
const SCRIPT: &str = "run deploy/postgresql-roles.sql in this database as a superuser";

/// Refuses to change the schema by a role that may not, and says who may.
pub(super) fn may_migrate(connection: &mut Connection, missing: &[String]) -> Result<(), Error> {
    let Connection::Postgres(postgres) = connection else { return Ok(()) };
    let sql = format!(
        "SELECT coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AND NOT EXISTS (\
         SELECT FROM {TABLES} AND NOT pg_has_role(c.relowner, 'USAGE'))"
    );
    if Statement::<Bool>::new(sql, &[]).get_result(postgres)? {
        return Ok(());
    }
    let role: String =
        Statement::<Text>::new("SELECT current_user::text", &[]).get_result(postgres)?;
    let (count, first) = (missing.len(), missing.first().map_or("", String::as_str));
    Err(Error::Unsuitable(format!(
        "the database lacks {count} migrations (the first is `{first}`), and its role `{role}` may not \
         change the schema. Run `fenliu migrate --database postgres://…` as the role that owns the tables \
         (fenliu_owner), then {SCRIPT} once more, and start the service again"
    )))
}

/// Refuses a role that lacks a right which the service needs, before the first person is told of it.
pub(super) fn may_work(connection: &mut Connection) -> Result<(), Error> {
    let Connection::Postgres(postgres) = connection else { return Ok(()) };
    let has = |right: &str| format!("has_table_privilege(c.oid, '{right}')");
    let (select, insert) = (has("SELECT"), has("INSERT"));
    let (update, delete) = (has("UPDATE"), has("DELETE"));
    let sql = format!(
        "SELECT c.relname::text FROM {TABLES} AND NOT ({select} AND {insert} \
         AND (c.relname IN ({ONLY_ADDED}) OR ({update} AND {delete}))) ORDER BY 1"
    );
    let lacking: Vec<String> = Statement::<Text>::new(sql, &[]).load(postgres)?;
    if lacking.is_empty() {
        return Ok(());
    }
    let role: String =
        Statement::<Text>::new("SELECT current_user::text", &[]).get_result(postgres)?;
    Err(Error::Unsuitable(format!(
        "the role `{role}` lacks rights that the service needs, on: {}. After each migration {SCRIPT} once \
         more",
        lacking.join(", ")
    )))
}

impl Reader {
    /// Tables of what happened that the role may change although they are only added to, in order of
    /// name; none on SQLite, where whoever may write to the file may change it.
    ///
    /// # Errors
    /// As for any statement.
    pub fn rewritable(&mut self) -> Result<Vec<String>, Error> {
        let Connection::Postgres(postgres) = &mut self.connection else { return Ok(Vec::new()) };
        let sql = format!(
            "SELECT c.relname::text FROM {TABLES} AND c.relname IN ({ONLY_ADDED}) \
             AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE') ORDER BY 1"
        );
        Ok(Statement::<Text>::new(sql, &[]).load(postgres)?)
    }
}
