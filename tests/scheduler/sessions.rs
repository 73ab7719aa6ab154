//! How long people stay signed in: the house remembers sessions, and writes down now and then that they
//! are used.

use std::collections::BTreeSet;

use fenliu::domain::Actor;
use fenliu::gate::{Attempt, Caller, NewAccount, SignIn};

use super::house::{House, LEADER};
use crate::http::accounts::PASSWORD;

const HERE: &str = "10.0.0.1";

/// A house in which the leader is signed in since ten o'clock.
fn signed_in() -> (House, String) {
    let house = House::new();
    let system = Caller { actor: Actor::System, jurisdiction: house.jurisdiction };
    let new = NewAccount { login: "leader".to_owned(), subject: None };
    let setup = house.gate.give_account(&system, LEADER, &new).unwrap().unwrap();
    house.gate.set_up("leader", &setup.code, PASSWORD, HERE).unwrap();
    let wish = SignIn { login: "leader", password: PASSWORD, code: None };
    let session = house.gate.sign_in(wish, Attempt { from: HERE, older: None }).unwrap();
    (house, session.secret)
}

/// A moment after ten o'clock.
fn pass(house: &House, minute: u32, second: u32) {
    house.set(&format!("2026-03-02T10:{minute:02}:{second:02}+08:00"));
}

// Check 13.
#[test]
fn that_somebody_works_is_written_down_each_minute_and_not_for_each_request() {
    let (house, secret) = signed_in();
    let mut written = BTreeSet::new();
    for at in 0..60 {
        pass(&house, at / 6, at % 6 * 10);
        house.gate.session(&secret).unwrap();
        let rows = house.store.read(|reader| reader.sessions(LEADER)).unwrap();
        assert!(house.gate.now().since(rows[0].used_at) < 60_000);
        written.insert(rows[0].used_at);
    }
    assert_eq!(written.len(), 10, "once a minute for ten minutes");
}

// Check 13.
#[test]
fn a_session_ends_half_an_hour_after_its_last_use() {
    let (house, secret) = signed_in();
    pass(&house, 0, 50);
    house.gate.session(&secret).unwrap();
    pass(&house, 30, 49);
    house.gate.session_still(&secret).unwrap();
    pass(&house, 30, 50);
    assert!(house.gate.session(&secret).is_err());
    assert!(house.gate.session(&secret).is_err());
    assert_eq!(house.store.read(|reader| reader.sessions(LEADER)).unwrap(), []);
}

// Check 13.
#[test]
fn after_a_restart_a_session_lasts_no_longer_than_was_written_down() {
    let (mut house, secret) = signed_in();
    pass(&house, 0, 50);
    house.gate.session(&secret).unwrap();
    house.restarted();
    pass(&house, 29, 59);
    house.gate.session_still(&secret).unwrap();
    pass(&house, 30, 0);
    assert!(house.gate.session(&secret).is_err());
}
