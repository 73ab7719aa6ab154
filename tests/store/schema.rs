//! The schema: up, down, up gives the same; both back ends and diesel's description agree.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel::{PgConnection, SqliteConnection};
use fenliu::store::{Options, Store};

use super::place::Folder;
use super::postgres;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// What diesel believes.
const DESCRIPTION: &str = include_str!("../../src/store/schema.rs");

fn lines<C>(connection: &mut C, sql: &str) -> Vec<String>
where
    C: diesel::connection::LoadConnection,
    diesel::query_builder::SqlQuery: diesel::query_dsl::methods::LoadQuery<'static, C, Line>,
{
    let found: Vec<Line> = diesel::sql_query(sql.to_owned()).load(connection).unwrap();
    found.into_iter().map(|line| line.line).collect()
}

const SQLITE_DUMP: &str = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') AS line \
     FROM sqlite_schema ORDER BY line";

const POSTGRES_DUMP: &str = "SELECT line FROM (\
     SELECT table_name || '.' || ordinal_position || ' ' || column_name || ' ' || data_type || ' ' \
       || is_nullable || ' ' || coalesce(column_default, '') AS line \
       FROM information_schema.columns WHERE table_schema = 'public' \
     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' \
     UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace) AS all_of_it ORDER BY line";

/// `table.column kind`, in order of table and column, with the kinds of diesel's description.
const SQLITE_COLUMNS: &str = "SELECT m.name || '.' || c.name || ' ' || \
       CASE c.type WHEN 'INTEGER' THEN 'BigInt' WHEN 'TEXT' THEN 'Text' ELSE 'Binary' END || \
       CASE WHEN c.\"notnull\" THEN '' ELSE '?' END AS line \
     FROM sqlite_schema AS m, pragma_table_info(m.name) AS c \
     WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY m.name, c.cid";

const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name || ' ' || \
       CASE data_type WHEN 'bigint' THEN 'BigInt' WHEN 'boolean' THEN 'BigInt' \
         WHEN 'text' THEN 'Text' WHEN 'bytea' THEN 'Binary' ELSE data_type END || \
       CASE is_nullable WHEN 'NO' THEN '' ELSE '?' END AS line \
     FROM information_schema.columns \
     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%' \
     ORDER BY table_name COLLATE \"C\", ordinal_position";

/// The same lines from diesel's description.
fn described() -> Vec<String> {
    let mut tables: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut table = "";
    for line in DESCRIPTION.lines().map(str::trim) {
        if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            let inner = kind.strip_prefix("Nullable<").map(|kind| kind.trim_end_matches('>'));
            let mark = if inner.is_some() { "?" } else { "" };
            let kind = inner.unwrap_or(kind).replace("Bool", "BigInt");
            tables.entry(table).or_default().push(format!("{table}.{name} {kind}{mark}"));
        } else if let Some((name, _)) = line.split_once(" (") {
            table = name;
        }
    }
    tables.into_values().flatten().collect()
}

#[test]
fn up_down_up_gives_the_same_schema_on_sqlite() {
    let folder = Folder::new();
    let store = Store::open(&folder.url(), Options { create: true, ..Options::default() }).unwrap();
    let path = folder.path().join("store.db").display().to_string();
    let dump = || lines(&mut SqliteConnection::establish(&path).unwrap(), SQLITE_DUMP);
    store.migrate().unwrap();
    let first = dump();
    store.revert_all().unwrap();
    let left: Vec<_> = dump().into_iter().filter(|line| !line.contains("__diesel")).collect();
    assert!(left.is_empty(), "the way down left behind: {left:?}");
    store.migrate().unwrap();
    assert_eq!(dump(), first);
    store.migrate().unwrap();
    assert_eq!(dump(), first);
}

#[test]
fn up_down_up_gives_the_same_schema_on_postgres() {
    let url = postgres::empty_database();
    let store = Store::open(&url, Options::default()).unwrap();
    let dump = || lines(&mut PgConnection::establish(&url).unwrap(), POSTGRES_DUMP);
    assert_eq!(store.pending_migrations().unwrap().len(), 2);
    store.migrate().unwrap();
    let first = dump();
    store.revert_all().unwrap();
    let left: Vec<_> = dump().into_iter().filter(|line| !line.contains("__diesel")).collect();
    assert!(left.is_empty(), "the way down left behind: {left:?}");
    store.migrate().unwrap();
    assert_eq!(dump(), first);
}

#[test]
fn both_back_ends_have_the_columns_that_diesel_believes_in() {
    let folder = Folder::new();
    let options = Options { create: true, ..Options::default() };
    Store::open(&folder.url(), options).unwrap().migrate().unwrap();
    let path = folder.path().join("store.db").display().to_string();
    let lite = lines(&mut SqliteConnection::establish(&path).unwrap(), SQLITE_COLUMNS);
    let url = postgres::migrated_database();
    let pg = lines(&mut PgConnection::establish(&url).unwrap(), POSTGRES_COLUMNS);
    assert!(lite.len() > 100);
    assert_eq!(lite, described());
    assert_eq!(pg, described());
}
