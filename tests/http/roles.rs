//! PostgreSQL with two roles, as `deploy/postgresql-roles.sql` makes them: one owns the tables, the
//! service's own adds to what happened and can rewrite none of it.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use fenliu::domain::{Actor, PersonId};
use fenliu::gate::{Attempt, Caller, Gate, NewAccount, SignIn};
use fenliu::scheduler::clocks::Clocks;
use fenliu::scheduler::{Duty, Next, Poll};
use fenliu::seal::SigningKey;
use fenliu::store::{Options, Store};
use serde_json::json;

use super::office::Office;
use super::personal::{call, end, give};
use crate::store::postgres;

const SCRIPT: &str = include_str!("../../deploy/postgresql-roles.sql");

/// A database, and by which address each role comes to it.
struct Place {
    keeper: String,
    owner: String,
    service: String,
}

impl Place {
    fn new() -> Self {
        let keeper = postgres::empty_database();
        let by = |role: &str| keeper.replacen("//fenliu@", &format!("//{role}@"), 1);
        let (owner, service) = (by("fenliu_owner"), by("fenliu_service"));
        Self { keeper, owner, service }
    }

    fn run_script(&self) {
        run(&self.keeper, SCRIPT).unwrap();
    }
}

fn run(url: &str, sql: &str) -> Result<(), String> {
    let mut hand = PgConnection::establish(url).unwrap();
    hand.batch_execute(sql).map_err(|error| error.to_string())
}

fn started(url: &str) -> Result<(), String> {
    Store::open(url, Options::default()).unwrap().migrate().map_err(|error| error.to_string())
}

/// Asks the door something that blocks.
async fn ask<T: Send + 'static>(
    office: &Office,
    work: impl FnOnce(&Gate) -> T + Send + 'static,
) -> T {
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || work(&gate)).await.unwrap()
}

/// What a service does in its days: calls taken, led on and ended, a clock that runs out, somebody who
/// signs in, a checkpoint, a caller who is erased.
async fn live(office: &Office) {
    let desk = "gongan.dispatcher";
    let (ended, _) = call(office, "13800001234", json!({})).await;
    end(office, &ended).await;
    let (open, _) = call(office, "13900005678", json!({})).await;
    give(office, desk, &open, "route", json!({ "unit": "huimin" })).await;
    office.minutes_later(24 * 60);
    let mut clocks = Clocks::new(Duty::new(office.gate.clone()));
    while clocks.poll().await == Next::Now {}
    let owner = office.owner();
    ask(office, move |gate| {
        let system = Caller { actor: Actor::System, jurisdiction: owner };
        let account = NewAccount { login: "zhiban".to_owned(), subject: None };
        let code = gate.give_account(&system, PersonId(1), &account).unwrap().unwrap().code;
        let password = "Shuiku-2018 liang";
        gate.set_up("zhiban", &code, password, "10.0.0.1").unwrap();
        let wish = SignIn { login: "zhiban", password, code: None };
        let session = gate.sign_in(wish, Attempt { from: "10.0.0.1", older: None }).unwrap();
        assert!(gate.session(&session.secret).is_ok());
        gate.use_seal(SigningKey::from_seed(&[7; 32]).unwrap());
        assert_eq!(gate.make_checkpoint().unwrap().unwrap().number, 1);
    })
    .await;
    let reason = json!({ "reason": "来电人依法要求删除个人信息" });
    let path = format!("/api/v1/referrals/{ended}/erase");
    assert_eq!(office.post("gongan.shift_leader", &path, reason).await.status, 204);
    let report = ask(office, |gate| gate.verify().unwrap()).await;
    assert!(report.is_sound() && report.instances >= 2, "{report:?}");
}

// Check 47.
#[tokio::test]
async fn a_service_works_by_a_role_that_can_rewrite_nothing_of_what_happened() {
    let place = Place::new();
    place.run_script();
    // Empty: the service may make no tables, and says who does.
    let said = started(&place.service).unwrap_err();
    assert!(said.contains("role `fenliu_service`") && said.contains("fenliu migrate"), "{said}");
    started(&place.owner).unwrap();
    // The tables are there, and their rights are not.
    let said = started(&place.service).unwrap_err();
    assert!(said.contains("lacks rights") && said.contains("instance"), "{said}");
    assert!(said.contains("postgresql-roles.sql"), "{said}");
    place.run_script();
    place.run_script();

    let url = place.service.clone();
    let office = Office::county_in(move || Store::open(&url, Options::default()).unwrap()).await;
    live(&office).await;
    assert!(ask(&office, |gate| gate.rewritable().unwrap()).await.is_empty());

    for table in ["event", "audit_entry", "checkpoint", "checkpoint_head"] {
        for sql in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TRIGGER {table}_only_added ON {table}"),
            format!("DROP TABLE {table} CASCADE"),
        ] {
            let said = run(&place.service, &sql).unwrap_err();
            let refused = ["permission denied", "must be owner"].iter().any(|no| said.contains(no));
            assert!(refused, "{sql}: {said}");
        }
        // A slip of the owner's hand is stopped, too.
        for sql in [format!("DELETE FROM {table}"), format!("TRUNCATE {table} CASCADE")] {
            let said = run(&place.owner, &sql).unwrap_err();
            assert!(said.contains("are only added"), "{sql}: {said}");
        }
    }
    for sql in [
        "UPDATE event SET body = body || ' '",
        "UPDATE audit_entry SET actor = 'person:9'",
        "UPDATE checkpoint SET at = at + 1",
        "UPDATE checkpoint_head SET seq = seq + 1",
        "UPDATE __diesel_schema_migrations SET version = '0'",
        "CREATE TABLE more (id BIGINT)",
        "CREATE TEMPORARY TABLE more (id BIGINT)",
        "SET ROLE fenliu_owner",
    ] {
        let said = run(&place.service, sql).unwrap_err();
        assert!(said.contains("permission denied"), "{sql}: {said}");
    }
    // A later version comes: the service says which migration the owner has to run.
    let newest = "DELETE FROM __diesel_schema_migrations WHERE version = \
                  (SELECT max(version) FROM __diesel_schema_migrations)";
    run(&place.keeper, newest).unwrap();
    let said = started(&place.service).unwrap_err();
    assert!(said.contains("lacks 1 migrations (the first is `2"), "{said}");
    assert!(said.contains("fenliu migrate"), "{said}");
}
