//! What only a SQLite file can show: names, locks, refusals.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use fenliu::domain::InstanceId;
use fenliu::store::{Error, Kind, Options, Store};

use super::place::{Folder, Place};
use super::samples::opening;

fn making() -> Options {
    Options { create: true, ..Options::default() }
}

#[test]
fn a_mistyped_address_makes_no_file() {
    let folder = Folder::new();
    let at = |name: &str| folder.path().join(name).display().to_string();
    for address in [
        format!("postgers://{}", at("store.db")),
        format!("sqlite3:{}", at("store.db")),
        format!("sqlite://{}", at("store.db")),
        at("fenliu"),
        at("missing/store.db"),
        at("store.db?mode=rwc"),
        folder.path().display().to_string(),
        String::new(),
    ] {
        let error = Store::open(&address, making()).unwrap_err();
        assert!(matches!(error, Error::Address { .. }), "{address}: {error:?}");
    }
    let error = Store::open(&at("store.db"), Options::default()).unwrap_err();
    assert!(error.to_string().contains("no such file"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_second_store_on_the_same_file_is_refused_until_the_first_is_gone() {
    let folder = Folder::new();
    let first = Store::open(&folder.url(), making()).unwrap();
    assert!(first.exclusive());
    let error = Store::open(&folder.url(), making()).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
    let clone = first.clone();
    drop(first);
    assert!(matches!(Store::open(&folder.url(), making()), Err(Error::Locked { .. })));
    drop(clone);
    Store::open(&folder.url(), Options::default()).unwrap();
}

#[test]
fn a_store_for_reading_only_stands_beside_a_running_one_and_writes_nothing() {
    let place = Place::file();
    place.write(&opening([1])).unwrap();
    let options = Options { read_only: true, ..Options::default() };
    let reading = Store::open(&place.url, options).unwrap();
    assert!(!reading.exclusive());
    assert!(reading.read(|reader| reader.instance(InstanceId(1))).unwrap().is_some());
    assert!(matches!(reading.writer(), Err(Error::Unsuitable(_))));
    assert!(reading.pending_migrations().unwrap().is_empty());
}

// Check 47.
#[test]
fn a_hand_in_the_file_can_neither_change_nor_take_away_what_happened() {
    use diesel::prelude::*;
    let place = Place::file();
    place.write(&opening([1])).unwrap();
    let path = place.url.strip_prefix("sqlite:").unwrap();
    let mut hand = SqliteConnection::establish(path).unwrap();
    for sql in ["UPDATE event SET at = at + 1", "DELETE FROM event", "UPDATE event SET body = ''"] {
        let said = diesel::sql_query(sql).execute(&mut hand).unwrap_err().to_string();
        assert!(said.contains("rows of event are only added"), "{sql}: {said}");
    }
    for table in ["event", "audit_entry", "checkpoint", "checkpoint_head"] {
        let stops = format!(
            "(SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '{table}')"
        );
        let stops = diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(&stops));
        assert_eq!(stops.get_result::<i64>(&mut hand).unwrap(), 2, "{table}");
    }
    // What is not history is changed as ever.
    place.writer().transaction(|t| t.set_setting("a", "b")).unwrap();
    diesel::sql_query("DELETE FROM setting WHERE name = 'a'").execute(&mut hand).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_reported_as_damaged() {
    let folder = Folder::new();
    std::fs::write(folder.path().join("store.db"), "我不是数据库".repeat(1_000)).unwrap();
    let error = Store::open(&folder.url(), making()).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
}

#[test]
fn what_was_written_is_there_after_opening_again() {
    let folder = Folder::new();
    let store = Store::open(&folder.url(), making()).unwrap();
    assert!(!store.pending_migrations().unwrap().is_empty());
    store.migrate().unwrap();
    store.writer().unwrap().transaction(|t| t.set_setting("a", "b")).unwrap();
    drop(store);
    let store = Store::open(&folder.url(), Options::default()).unwrap();
    assert_eq!(store.read(|reader| reader.setting("a")).unwrap().as_deref(), Some("b"));
    assert!(store.pending_migrations().unwrap().is_empty());
}

#[test]
fn the_process_gives_the_time_on_sqlite() {
    let place = Place::memory();
    assert_eq!(place.store.kind(), Kind::Sqlite);
    assert_eq!(place.writer().transaction(|t| t.now()).unwrap(), None);
}

#[test]
fn a_transaction_inside_a_transaction_is_refused_and_not_waited_for() {
    let place = Place::memory();
    let (mut outer, mut inner) = (place.writer(), place.writer());
    let outcome = outer.transaction(|_| {
        assert!(matches!(place.store.read(|r| r.setting("a")), Err(Error::Refused(_))));
        inner.transaction(|t| t.set_setting("a", "b"))
    });
    assert!(matches!(outcome, Err(Error::Refused(_))), "{outcome:?}");
    inner.transaction(|t| t.set_setting("a", "c")).unwrap();
}

// Check 33.
#[test]
fn a_file_that_somebody_else_keeps_locked_is_not_waited_for_without_end() {
    let place = Place::file();
    let path = place.url.trim_start_matches("sqlite:").to_owned();
    let options = Options { lock_ms: 200, ..Options::default() };
    // The lock beside the file keeps other services away, not whoever opens it with another program.
    drop(place.store);
    let store = Store::open(&place.url, options).unwrap();
    let mut writer = store.writer().unwrap();
    let mut other = SqliteConnection::establish(&path).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let error = writer.transaction(|t| t.set_setting("a", "b")).unwrap_err();
    assert!(matches!(error, Error::Busy(_)), "{error:?}");
    other.batch_execute("ROLLBACK").unwrap();
    writer.transaction(|t| t.set_setting("a", "b")).unwrap();
}

// Check 33.
#[test]
fn who_reads_waits_for_a_free_connection_and_not_without_end() {
    let place = Place::file();
    drop(place.store);
    let options = Options { lock_ms: 200, readers: 1, ..Options::default() };
    let store = Store::open(&place.url, options).unwrap();
    let within = store.read(|_| Ok(store.read(|reader| reader.setting("a")).unwrap_err())).unwrap();
    assert!(matches!(&within, Error::Busy(why) if why.contains("in use")), "{within:?}");
    assert_eq!(store.read(|reader| reader.setting("a")).unwrap(), None);
}
