//! Whoever writes into the database gives nobody rights, a token or sight of a matter without being found.

use fenliu::domain::{Actor, Grant, Instant, Person, PersonId, Role, Scope, Term};
use fenliu::gate::{Attempt, Caller, NewAccount, NewToken, SignIn, verify};

use super::house::{House, LEADER, LIAISON, at, run};
use crate::http::accounts::PASSWORD;
use crate::store::place;

fn system(house: &House) -> Caller {
    Caller { actor: Actor::System, jurisdiction: house.jurisdiction }
}

fn person(house: &House, id: PersonId) -> Person {
    house.gate.registry().directory(house.jurisdiction).unwrap().people[&id].clone()
}

fn faults(house: &House) -> String {
    let report = verify(&house.store, |_| ()).unwrap();
    assert_eq!(report.is_sound(), report.first_fault.is_none());
    let differing = report.differing.iter().flat_map(|one| &one.differences);
    let differing = differing.map(|one| one.what.clone());
    report.seals.faults.iter().cloned().chain(differing).collect::<Vec<_>>().join("\n")
}

/// What was told by mouth: a damage, and the sentence that names it.
fn each_is_named(lived: impl Fn() -> House, damages: &[(&str, &str)]) {
    let house = lived();
    assert_eq!(faults(&house), "", "as it was left");
    for (damage, said) in damages {
        let house = lived();
        house.damage(damage);
        let faults = faults(&house);
        assert!(faults.contains(said), "{damage}: {faults}");
    }
}

fn until() -> Option<Instant> {
    Some(at("2026-04-01T00:00:00+08:00"))
}

/// People have come, gone, been given and lost rights.
fn with_people() -> House {
    let house = House::new();
    let system = system(&house);
    let grant = |role| Grant { role, unit: "gongan".to_owned() };
    let term = Term { role: Role::Duty, unit: "gongan".to_owned(), from: None, until: until() };
    let new = Person {
        name: "新人".to_owned(),
        grants: vec![grant(Role::Dispatcher)],
        terms: vec![term],
        active: true,
        ..Person::default()
    };
    assert_eq!(house.gate.put_person(&system, &new).unwrap(), PersonId(4));
    let leader = person(&house, LEADER);
    house.gate.put_person(&system, &Person { active: false, ..leader }).unwrap();
    house
}

// Check 47.
#[test]
fn rights_that_somebody_wrote_into_the_database_are_named() {
    each_is_named(
        with_people,
        &[
            (
                "UPDATE person SET grants = replace(grants, 'liaison', 'administrator') WHERE id = 2",
                "person 2 has the rights gongan.administrator; audit entry 1, the last one, says gongan.liaison",
            ),
            (
                "UPDATE person SET active = 1 WHERE id = 3",
                "person 3 has the rights gongan.leader; audit entry 3, the last one, says gongan.leader, not active",
            ),
            (
                "UPDATE person SET grants = replace(grants, '\"until\"', '\"from\"') WHERE id = 4",
                "person 4 has the rights",
            ),
            (
                "UPDATE person SET grants = '[{\"role\":\"dispatcher\",\"unit\":\"gongan\"},{\"role\":\"duty\",\"unit\":\"gongan\"}]' WHERE id = 4",
                "audit entry 2, the last one, says gongan.dispatcher, gongan.duty until 2026",
            ),
            (
                "INSERT INTO person SELECT 9, jurisdiction_id, '某人', NULL, NULL, grants, 1, rules, verified FROM person WHERE id = 1",
                "person 9 stands in no entry of the audit log",
            ),
            ("DELETE FROM person WHERE id = 2", "person 2, whom the audit log names, is not there"),
            (
                "UPDATE jurisdiction SET bodies = '{\"desk\":\"gongan\",\"county\":\"gongan\"}'",
                "which unit plays which party is not what audit entry 1 says",
            ),
        ],
    );
}

fn token(house: &House, label: &str) -> i64 {
    let scope = Scope { acts: vec!["see_matter".to_owned()], units: Vec::new(), strong: false };
    let new = NewToken { person: LIAISON, label: label.to_owned(), expires_at: until(), scope };
    house.gate.issue_token(&system(house), &new).unwrap().id
}

/// A token was revoked, another is good.
fn with_tokens() -> House {
    let house = House::new().with_secrets();
    let first = token(&house, "first");
    house.gate.revoke_token(&system(&house), first).unwrap();
    assert_eq!((first, token(&house, "second")), (1, 2));
    house
}

// Check 47.
#[test]
fn a_token_that_somebody_made_good_or_wider_in_the_database_is_named() {
    each_is_named(
        with_tokens,
        &[
            (
                "UPDATE token SET revoked_at = NULL WHERE id = 1",
                "token 1 is good, which was ended by audit entry 3",
            ),
            (
                "UPDATE token SET expires_at = expires_at + 1 WHERE id = 2",
                "token 2: its `expires_at` is not what audit entry 4 says",
            ),
            ("UPDATE token SET scope = '{}' WHERE id = 2", "token 2: its `scope` is not what"),
            ("UPDATE token SET person_id = 1 WHERE id = 2", "token 2: its `person` is not what"),
            (
                "UPDATE token SET hash = zeroblob(32) WHERE id = 2",
                "token 2: its `fingerprint` is not",
            ),
            (
                "INSERT INTO token SELECT 7, zeroblob(32), person_id, jurisdiction_id, label, created_at, expires_at, NULL, NULL, scope FROM token WHERE id = 2",
                "token 7 stands in no entry of the audit log",
            ),
            (
                "DELETE FROM token WHERE id = 1",
                "token 1, of which audit entry 2 speaks, is not there",
            ),
        ],
    );
}

// Check 47.
#[test]
fn a_unit_that_somebody_let_in_by_the_database_is_named() {
    let lived = || {
        let house = House::new();
        run(async {
            let id = house.register("larger").await;
            house.set("2026-03-02T10:10:00+08:00");
            house.finish(id).await;
        });
        house
    };
    each_is_named(
        lived,
        &[
            (
                "INSERT INTO party SELECT instance_id, 'other', jurisdiction_id, 1, NULL FROM party",
                "`other` takes part, which no event says",
            ),
            ("UPDATE party SET from_seq = 2", "`gongan` takes part from event 2"),
            ("UPDATE party SET to_seq = NULL", "from event 1 on; the events say from event 1 to 2"),
            ("DELETE FROM party", "`gongan` takes part, as the events say, and has no row"),
        ],
    );
}

#[test]
fn what_ends_tokens_without_naming_them_is_no_fault_and_not_undone_unseen() {
    let house = House::new().with_secrets();
    let system = system(&house);
    let (first, gate) = (token(&house, "first"), &house.gate);
    let new = NewAccount { login: "liaison".to_owned(), subject: None };
    let setup = gate.give_account(&system, LIAISON, &new).unwrap().unwrap();
    gate.set_up("liaison", &setup.code, PASSWORD, "10.0.0.1").unwrap();
    assert_eq!(faults(&house), "", "the first password ends nothing");
    let wish = SignIn { login: "liaison", password: PASSWORD, code: None };
    let session = gate.sign_in(wish, Attempt { from: "10.0.0.1", older: None }).unwrap();
    gate.change_password(&session.seen, PASSWORD, "Shuiku-2018 liang", "10.0.0.1").unwrap();
    assert_eq!(faults(&house), "");
    house.damage(&format!("UPDATE token SET revoked_at = NULL WHERE id = {first}"));
    assert!(faults(&house).contains("token 1 is good, which was ended by audit entry"));
    gate.revoke_token(&system, first).unwrap();
    let liaison = person(&house, LIAISON);
    gate.put_person(&system, &Person { active: false, ..liaison }).unwrap();
    assert_eq!(faults(&house), "");
}

#[test]
fn a_house_that_was_founded_before_notes_its_rights_when_it_is_opened() {
    let mut house = House::new();
    let other = place::jurisdiction(fenliu::domain::JurisdictionId(7), "older");
    let somebody = Person { id: PersonId(70), active: true, ..person(&house, LIAISON) };
    let writer = house.store.writer();
    writer
        .unwrap()
        .transaction(|transaction| {
            transaction.put_jurisdiction(&other)?;
            transaction.put_person(other.id, &somebody)
        })
        .unwrap();
    house.restarted();
    house.restarted();
    let log = house.store.read(|reader| reader.audit_after(other.id, 0, 10)).unwrap();
    let kinds: Vec<_> = log.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["rights_noted"], "once");
    assert_eq!(faults(&house), "");
    house.damage("UPDATE person SET grants = replace(grants, 'liaison', 'auditor') WHERE id = 70");
    let faults = faults(&house);
    assert!(faults.contains("jurisdiction 7: person 70 has the rights gongan.auditor"), "{faults}");
}
