//! What only PostgreSQL can show: several nodes, lost connections, the server's time.

use std::sync::Barrier;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, RunQueryDsl};
use fenliu::domain::event::NO_HASH;
use fenliu::domain::{ChainHash, InstanceId, Instant, MessageId};
use fenliu::store::{Error, Kind, Options, Settled, Store};

use super::place::{OURS, Place};
use super::postgres;
use super::samples::{event, opening, step};

fn admin(place: &Place, sql: &str) {
    let mut hand = PgConnection::establish(&place.url).unwrap();
    // As a superuser who is not stopped by triggers.
    hand.batch_execute("SET session_replication_role = replica").unwrap();
    hand.batch_execute(sql).unwrap();
}

/// Ends every other connection to the place's database.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
     WHERE datname = current_database() AND pid <> pg_backend_pid()";

#[test]
fn the_server_gives_the_time_once_per_transaction() {
    let place = Place::postgres();
    assert_eq!((place.store.kind(), place.store.exclusive()), (Kind::Postgres, false));
    let mut writer = place.writer();
    let (one, two) = writer.transaction(|t| Ok((t.now()?, t.now()?))).unwrap();
    assert_eq!(one, two);
    assert!(one.unwrap() > Instant::parse("2024-01-01T00:00:00Z").unwrap());
    assert!(writer.transaction(|t| t.now()).unwrap() >= one);
}

#[test]
fn a_pass_over_everything_also_meets_what_has_lost_its_instance() {
    let place = Place::postgres();
    let all = opening(1..=6);
    place.write(&all).unwrap();
    // Of each, only the rows of one more table are left.
    for (id, left) in [(2, "event"), (3, "clock"), (4, "personal"), (5, "party")] {
        for table in ["event", "clock", "personal", "party", "message"] {
            if table != left {
                admin(&place, &format!("DELETE FROM {table} WHERE instance_id = {id}"));
            }
        }
        admin(&place, &format!("DELETE FROM instance WHERE id = {id}"));
    }
    let ids = |after, limit| {
        let found = place.store.read(|reader| reader.instance_ids(InstanceId(after), limit));
        found.unwrap().into_iter().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!((ids(0, 3), ids(3, 9)), (vec![1, 2, 3], vec![4, 5, 6]));
}

#[test]
fn a_lost_connection_is_replaced_at_the_next_call() {
    let place = Place::postgres();
    let mut writer = place.writer();
    writer.transaction(|t| t.write(&opening([1]))).unwrap();
    place.store.read(|r| r.instance(InstanceId(1))).unwrap();
    admin(&place, CUT);
    let error = writer.transaction(|t| t.write(&opening([2]))).unwrap_err();
    assert!(matches!(error, Error::Down(_)), "{error:?}");
    place.store.read(|r| r.instance(InstanceId(1))).unwrap_err();
    writer.transaction(|t| t.write(&opening([2]))).unwrap();
    assert!(place.store.read(|r| r.instance(InstanceId(2))).unwrap().is_some());
}

#[test]
fn a_commit_whose_connection_breaks_is_unknown_and_never_reported_as_done() {
    let place = Place::postgres();
    let mut writer = place.writer();
    let outcome = writer.transaction(|t| {
        t.write(&opening([1]))?;
        admin(&place, CUT);
        Ok(())
    });
    assert!(matches!(outcome, Err(Error::Unknown(_))), "{outcome:?}");
    writer.transaction(|t| t.write(&opening([1]))).unwrap();
}

#[test]
fn a_swallowed_error_does_not_pass_for_a_commit() {
    let place = Place::postgres();
    place.write(&opening([1])).unwrap();
    let mut writer = place.writer();
    let outcome = writer.transaction(|t| {
        t.set_setting("a", "b")?;
        t.write(&opening([1])).unwrap_err();
        Ok(())
    });
    assert!(outcome.is_err());
    assert_eq!(place.store.read(|r| r.setting("a")).unwrap(), None);
    writer.transaction(|t| t.set_setting("a", "c")).unwrap();
}

#[derive(diesel::QueryableByName)]
struct Scanned {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    rows: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    walks: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    updated: i64,
}

/// As the server counts them: rows read by going through a whole table, walks through the index of what
/// waits, and instances updated.
const SCANNED: &str = "SELECT sum(seq_tup_read)::bigint AS rows, \
     (SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'message_due') AS walks, \
     (sum(n_tup_upd) FILTER (WHERE relname = 'instance'))::bigint AS updated \
     FROM pg_stat_user_tables \
     WHERE relname IN ('instance', 'event', 'clock', 'message', 'answer', 'personal', 'party')";

#[test]
fn a_command_never_reads_a_whole_table_even_on_a_database_that_was_empty_just_now() {
    let place = Place::postgres();
    let mut writer = place.writer();
    for id in 1..=10 {
        writer.transaction(|t| t.write(&opening([id]))).unwrap();
        let command = |t: &mut fenliu::store::Transaction<'_>| {
            let (found, head) = t.instances(&[InstanceId(id)])?.pop().unwrap();
            let mut stepped = step(id, found.version, &head);
            stepped.clocks_gone.push((InstanceId(id), "accept".to_owned()));
            t.write(&stepped)
        };
        writer.transaction(command).unwrap();
        let sent = Settled::Sent { at: Instant(2_000), reference: None, bundle: None };
        let ending = [(MessageId(id), 0, sent)];
        assert_eq!(writer.transaction(|t| t.settle_messages(&ending)).unwrap(), 1);
    }
    // The server publishes what a connection did when it ends.
    drop(writer);
    let mut admin = PgConnection::establish(&place.url).unwrap();
    let scanned = loop {
        let found: Scanned = diesel::sql_query(SCANNED).get_result(&mut admin).unwrap();
        if found.updated == 10 {
            break found;
        }
        thread::yield_now();
    };
    assert_eq!((scanned.rows, scanned.walks), (0, 0));
}

#[test]
fn two_nodes_on_one_instance_take_turns() {
    let place = Place::postgres();
    place.write(&opening([1])).unwrap();
    let commands = |node: &Store| {
        let mut writer = node.writer().unwrap();
        for _ in 0..20 {
            writer
                .transaction(|t| {
                    let (found, head) = t.instances(&[InstanceId(1)])?.pop().unwrap();
                    t.write(&step(1, found.version, &head))
                })
                .unwrap();
        }
    };
    let other = Store::open(&place.url, Options::default()).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| commands(&place.store));
        scope.spawn(|| commands(&other));
    });
    let events = place.store.read(|r| r.events(InstanceId(1), 1, 100)).unwrap();
    assert_eq!(events.len(), 41);
    let mut head = NO_HASH;
    for (event, seq) in events.iter().zip(1..) {
        head = ChainHash::Sha256.link(&head, &event.body);
        assert_eq!((event.seq, event.hash), (seq, head));
    }
}

#[test]
fn several_nodes_may_start_and_migrate_at_once() {
    let url = postgres::empty_database();
    let together = Barrier::new(3);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let node = Store::open(&url, Options::default()).unwrap();
                together.wait();
                node.migrate().unwrap();
                assert!(node.pending_migrations().unwrap().is_empty());
            });
        }
    });
}

#[test]
fn the_stream_waits_for_a_position_that_may_yet_be_committed() {
    let place = Place::postgres();
    let recent = |id: i64, now: Instant| {
        let mut batch = opening([id]);
        batch.events[0] = fenliu::domain::StoredEvent { at: now, ..event(id, 1, &NO_HASH) };
        batch
    };
    let seen = || {
        let found = place.store.read(|r| r.events_after(0, Some(OURS), 10)).unwrap();
        found.into_iter().map(|one| one.event.instance.0).collect::<Vec<_>>()
    };
    let (mut slow, mut quick) = (place.writer(), place.writer());
    slow.transaction(|t| {
        let now = t.now()?.unwrap();
        t.write(&recent(1, now))?;
        quick.transaction(|other| other.write(&recent(2, now)))?;
        assert!(
            seen().is_empty(),
            "event 2 has a higher position than event 1, which is not there yet"
        );
        Ok(())
    })
    .unwrap();
    assert_eq!(seen(), [1, 2]);
    let rolled_back = slow.transaction(|t| {
        t.write(&recent(3, Instant(0)))?;
        Err::<(), _>(Error::Conflict("no".to_owned()))
    });
    rolled_back.unwrap_err();
    quick.transaction(|t| t.write(&recent(4, Instant(0)))).unwrap();
    assert_eq!(seen(), [1, 2, 4], "an old gap is a transaction that was rolled back");
}

#[test]
fn a_server_that_does_not_answer_is_down_and_its_password_is_not_shown() {
    let error = Store::open("postgres://u:secret@127.0.0.1:1/d", Options::default()).unwrap_err();
    assert!(matches!(error, Error::Down(_)), "{error:?}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn a_server_that_may_lose_commits_is_reported() {
    // The cluster of these tests is such a server, for the sake of speed.
    let place = Place::postgres();
    let weak = place.store.read(|reader| reader.weak_settings()).unwrap();
    assert_eq!(weak, ["fsync", "full_page_writes"]);
}

/// A place that waits for a lock, and for a statement, as long as is said (ms).
fn impatient(place: &Place, lock_ms: u32, statement_ms: u32) -> Store {
    Store::open(&place.url, Options { lock_ms, statement_ms, ..Options::default() }).unwrap()
}

/// Whatever is written to the settings takes until somebody breaks it off.
const ENDLESS: &str = "CREATE FUNCTION endless() RETURNS trigger LANGUAGE plpgsql AS \
     $$ BEGIN PERFORM pg_sleep(1000000); RETURN NEW; END $$; \
     CREATE TRIGGER endless BEFORE INSERT ON setting FOR EACH ROW EXECUTE FUNCTION endless()";

// Check 33.
#[test]
fn a_statement_that_never_ends_is_broken_off_and_the_connection_works_on() {
    let place = Place::postgres();
    admin(&place, ENDLESS);
    let store = impatient(&place, 60_000, 200);
    let mut writer = store.writer().unwrap();
    let error = writer.transaction(|t| t.set_setting("a", "b")).unwrap_err();
    assert!(matches!(&error, Error::Busy(why) if why.contains("statement timeout")), "{error:?}");
    writer.transaction(|t| t.write(&opening([1]))).unwrap();
    // One that reads, too.
    admin(
        &place,
        "ALTER TABLE setting RENAME TO kept; CREATE VIEW setting AS SELECT name, value FROM kept \
         UNION ALL SELECT 'a', pg_sleep(1000000)::text",
    );
    let error = store.read(|reader| reader.setting("a")).unwrap_err();
    assert!(matches!(&error, Error::Busy(why) if why.contains("statement timeout")), "{error:?}");
    assert!(store.read(|reader| reader.instance(InstanceId(1))).unwrap().is_some());
}

// Check 33.
#[test]
fn a_lock_that_somebody_keeps_is_not_waited_for_without_end() {
    let place = Place::postgres();
    place.write(&opening([1])).unwrap();
    let store = impatient(&place, 200, 60_000);
    let mut other = PgConnection::establish(&place.url).unwrap();
    other.batch_execute("BEGIN; LOCK TABLE instance IN ACCESS EXCLUSIVE MODE").unwrap();
    let mut writer = store.writer().unwrap();
    let error = writer.transaction(|t| t.instances(&[InstanceId(1)])).err().unwrap();
    assert!(matches!(&error, Error::Busy(why) if why.contains("lock timeout")), "{error:?}");
    let error = store.read(|reader| reader.instance(InstanceId(1))).err().unwrap();
    assert!(matches!(&error, Error::Busy(why) if why.contains("lock timeout")), "{error:?}");
    other.batch_execute("ROLLBACK").unwrap();
    writer.transaction(|t| t.instances(&[InstanceId(1)])).unwrap();
}
