//! The store stumbles for a moment: what was noted in memory is not lost, and what was done is answered.

use std::collections::BTreeMap;

use fenliu::domain::{Actor, Grant, PersonId, Role, Scope};
use fenliu::gate::{AuditFilter, Caller, NewToken};
use fenliu::policy::Act;

use super::house::{House, run};

fn somebody(house: &House) -> Caller {
    let grants = vec![Grant { role: Role::Liaison, unit: "gongan".to_owned() }];
    Caller { actor: Actor::person(PersonId(1), grants), jurisdiction: house.jurisdiction }
}

fn token(house: &House) -> fenliu::gate::Issued {
    let caller = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
    let (label, scope) = ("test".to_owned(), Scope::default());
    let new = NewToken { person: PersonId(1), label, expires_at: None, scope };
    house.gate.issue_token(&caller, &new).unwrap()
}

// Check 46.
#[test]
fn what_was_denied_while_the_store_could_not_write_is_in_the_audit_log_all_the_same() {
    run(async {
        let house = House::new();
        let caller = somebody(&house);
        house.gate.denied(&caller, Act::IssueTokens, "10.0.0.1");
        house.damage_some("ALTER TABLE denial RENAME TO denial_away");
        assert!(house.gate.write_denials().is_err());
        house.gate.denied(&caller, Act::IssueTokens, "10.0.0.2");
        assert!(house.gate.write_denials().is_err());
        house.damage_some("ALTER TABLE denial_away RENAME TO denial");
        house.gate.write_denials().unwrap();
        house.set("2026-03-02T12:00:00+08:00");
        house.gate.write_denials().unwrap();
        let system = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
        let kind = Some("request_denied".to_owned());
        let filter = AuditFilter { kind, ..AuditFilter::default() };
        let entries = house.gate.audit_log(&system, &filter, 10).unwrap();
        assert_eq!(entries.len(), 1);
        let body: serde_json::Value = serde_json::from_str(&entries[0].body).unwrap();
        let said = (&body["detail"]["attempts"], &body["detail"]["last_from"]);
        assert_eq!(said, (&serde_json::json!(2), &serde_json::json!("10.0.0.2")), "{body}");
    });
}

// Check 15.
#[test]
fn when_a_token_was_used_is_written_down_once_the_store_can_write_again() {
    run(async {
        let house = House::new();
        let issued = token(&house);
        house.gate.bearer(&issued.secret).unwrap();
        house.damage_some("ALTER TABLE token RENAME TO token_away");
        assert!(house.gate.write_uses().is_err());
        house.damage_some("ALTER TABLE token_away RENAME TO token");
        house.gate.write_uses().unwrap();
        let rows = house.store.read(|reader| reader.tokens(house.jurisdiction, None)).unwrap();
        let used = rows.iter().find(|row| row.id == issued.id).unwrap().last_used_at;
        assert_eq!(used, Some(house.gate.now()));
    });
}

// Check 6.
#[test]
fn what_was_done_is_answered_and_in_force_soon_though_memory_could_not_follow_at_once() {
    run(async {
        let house = House::new();
        let gate = &house.gate;
        let old = token(&house);
        let mut seen = BTreeMap::new();
        gate.notice_changes(&mut seen).unwrap();
        let system = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
        // The directory cannot be read for a moment: after the commit memory cannot follow.
        house.damage("UPDATE person SET grants = 'x' || grants");
        gate.revoke_token(&system, old.id).unwrap();
        assert!(gate.notice_changes(&mut seen).is_err(), "still not");
        house.damage("UPDATE person SET grants = substr(grants, 2)");
        assert!(gate.notice_changes(&mut seen).unwrap());
        assert!(gate.bearer(&old.secret).is_err(), "it was revoked");
        assert!(!gate.notice_changes(&mut seen).unwrap(), "once is enough");
    });
}
