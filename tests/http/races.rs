//! Two things that happen to one account at the same time: neither is undone by the other. On both
//! back ends; on PostgreSQL at two nodes.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;

use fenliu::clock::StillClock;
use fenliu::config::jurisdiction::Jurisdiction;
use fenliu::domain::{Actor, Instant, JurisdictionId, PersonId};
use fenliu::gate::{
    AlertRules, Attempt, Caller, Error, Gate, NewAccount, Parts, Session, SessionSeen, SignIn,
};
use fenliu::store::{Options, Store};

use super::accounts::{PASSWORD, device};
use super::office::{CALENDAR, MORNING, PEOPLE, WORKFLOW};
use crate::store::place::Folder;
use crate::store::postgres;

const ASHA: PersonId = PersonId(1);
const OTHER: &str = "Matofali 9 ya bandari";

/// Two doors to the same data: two nodes where the back end bears them, else one.
pub(super) struct House {
    pub(super) doors: [Gate; 2],
    pub(super) store: Store,
    pub(super) system: Caller,
    _folder: Option<Folder>,
}

fn door(store: &Store) -> Gate {
    Gate::open(Parts {
        store: store.clone(),
        clock: Arc::new(StillClock::new(Instant::parse(MORNING).unwrap())),
        entropy: |bytes| getrandom::fill(bytes).unwrap(),
        batch_max: 16,
        alerts: AlertRules::default(),
    })
    .unwrap()
}

impl House {
    fn founded(store: Store, folder: Option<Folder>, other: Option<&str>) -> Self {
        let one = door(&store);
        let people = Jurisdiction::from_yaml(PEOPLE).unwrap().directory(JurisdictionId(0));
        let jurisdiction = one.found(&people, CALENDAR, &[WORKFLOW.to_owned()]).unwrap();
        let two = other.map_or_else(
            || one.clone(),
            |url| door(&Store::open(url, Options::default()).unwrap()),
        );
        let system = Caller { actor: Actor::System, jurisdiction };
        Self { doors: [one, two], store, system, _folder: folder }
    }

    pub(super) fn on_sqlite() -> Self {
        let folder = Folder::new();
        let options = Options { create: true, ..Options::default() };
        let store = Store::open(&folder.url(), options).unwrap();
        store.migrate().unwrap();
        Self::founded(store, Some(folder), None)
    }

    pub(super) fn on_postgres() -> Self {
        let url = postgres::migrated_database();
        let store = Store::open(&url, Options::default()).unwrap();
        Self::founded(store, None, Some(&url))
    }

    /// Gives Asha an account, with a code to choose its password.
    fn account(&self) -> String {
        let new = NewAccount { login: "asha".to_owned(), subject: None };
        let setup = self.doors[0].give_account(&self.system, ASHA, &new).unwrap();
        setup.map_or_else(
            || self.doors[0].reset_account(&self.system, ASHA, true).unwrap().code,
            |setup| setup.code,
        )
    }

    /// Asha with a new account, signed in.
    fn signed_in(&self) -> SessionSeen {
        let code = self.account();
        self.doors[0].set_up("asha", &code, PASSWORD, "10.0.0.1").unwrap();
        sign_in(&self.doors[0], PASSWORD).unwrap().seen
    }

    fn sessions(&self) -> usize {
        self.store.read(|reader| reader.sessions(ASHA)).unwrap().len()
    }
}

fn sign_in(door: &Gate, password: &str) -> Result<Session, Error> {
    let wish = SignIn { login: "asha", password, code: None };
    door.sign_in(wish, Attempt { from: "10.0.0.1", older: None })
}

/// Does both at the same time.
pub(super) fn both<A: Send, B: Send>(
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B + Send,
) -> (A, B) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let one = scope.spawn(|| {
            start.wait();
            one()
        });
        start.wait();
        let other = other();
        (one.join().unwrap(), other)
    })
}

pub(super) fn code_of<T>(answer: Result<T, Error>) -> String {
    match answer {
        Err(Error::Refused(refusal)) => refusal.code,
        Err(error) => error.to_string(),
        Ok(_) => "done".to_owned(),
    }
}

macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { super::$case(&super::House::on_sqlite()); })+
        }
        mod on_postgres {
            $(#[test] fn $case() { super::$case(&super::House::on_postgres()); })+
        }
    };
}
pub(super) use on_both;

on_both!(
    an_account_that_is_taken_stays_taken_whatever_its_person_does_meanwhile,
    a_reset_stays_a_reset,
    a_setup_code_is_good_once,
    wrong_passwords_at_the_same_time_all_count,
    a_session_that_was_left_does_not_come_back_with_a_device,
    a_session_that_is_left_while_it_is_used_is_not_remembered,
    whoever_is_called_otherwise_signs_in_again,
);

fn an_account_that_is_taken_stays_taken_whatever_its_person_does_meanwhile(house: &House) {
    let [one, two] = &house.doors;
    for _ in 0..3 {
        let session = house.signed_in();
        let (_, ()) = both(
            || one.change_password(&session, PASSWORD, OTHER, "10.0.0.1"),
            || two.take_account(&house.system, ASHA).unwrap(),
        );
        assert!(house.store.read(|reader| reader.account(ASHA)).unwrap().is_none());
        house.signed_in();
        let (_, ()) =
            both(|| sign_in(one, PASSWORD), || two.take_account(&house.system, ASHA).unwrap());
        assert!(house.store.read(|reader| reader.account(ASHA)).unwrap().is_none());
        assert_eq!(house.sessions(), 0);
    }
}

fn a_reset_stays_a_reset(house: &House) {
    let [one, two] = &house.doors;
    for _ in 0..3 {
        let session = house.signed_in();
        let (_, reset) = both(
            || one.change_password(&session, PASSWORD, OTHER, "10.0.0.1"),
            || two.reset_account(&house.system, ASHA, true).unwrap(),
        );
        assert_eq!(code_of(sign_in(one, OTHER)), "wrong_login");
        one.set_up("asha", &reset.code, "Jahazi kubwa 2018", "10.0.0.1").unwrap();
        two.take_account(&house.system, ASHA).unwrap();
    }
}

fn a_setup_code_is_good_once(house: &House) {
    let [one, two] = &house.doors;
    let code = house.account();
    let (first, second) = both(
        || code_of(one.set_up("asha", &code, PASSWORD, "10.0.0.1")),
        || code_of(two.set_up("asha", &code, OTHER, "10.0.0.2")),
    );
    let mut said = [first, second];
    said.sort();
    assert_eq!(said, ["done", "wrong_login"]);
}

// Check 11.
fn wrong_passwords_at_the_same_time_all_count(house: &House) {
    house.signed_in();
    let said: Vec<String> = thread::scope(|scope| {
        let tries = (0..16).map(|n| {
            let door = &house.doors[n % 2];
            scope.spawn(|| code_of(sign_in(door, "wrong")))
        });
        let tries: Vec<_> = tries.collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |code: &str| said.iter().filter(|one| *one == code).count();
    assert_eq!((count("wrong_login"), count("too_many_attempts")), (5, 11), "{said:?}");
}

// Check 14.
fn a_session_that_was_left_does_not_come_back_with_a_device(house: &House) {
    let [one, two] = &house.doors;
    let session = house.signed_in();
    let device = device(&one.enrol(&session, PASSWORD, "10.0.0.1").unwrap().secret, one.now());
    two.sign_out(&session, "10.0.0.1").unwrap();
    assert!(one.confirm(&session, &device, "10.0.0.1").is_err());
    assert_eq!(house.sessions(), 0);
    let account = house.store.read(|reader| reader.account(ASHA)).unwrap().unwrap();
    assert_eq!(account.totp_at, None, "nor is a device demanded that nobody confirmed");
}

// Check 14.
fn a_session_that_is_left_while_it_is_used_is_not_remembered(house: &House) {
    let [one, two] = &house.doors;
    house.signed_in();
    for _ in 0..10 {
        let Session { secret, seen } = sign_in(one, PASSWORD).unwrap();
        thread::scope(|scope| {
            for door in [one, two, two] {
                let secret = &secret;
                scope.spawn(move || (0..100).for_each(|_| drop(door.session(secret))));
            }
            two.sign_out(&seen, "10.0.0.1").unwrap();
            assert!(two.session(&secret).is_err(), "in force when it is answered");
        });
        assert!(two.session(&secret).is_err());
        // The other node hears of it when it next looks for changes.
        one.notice_changes(&mut BTreeMap::new()).unwrap();
        assert!(one.session(&secret).is_err());
        assert_eq!(house.sessions(), 0);
    }
}

fn whoever_is_called_otherwise_signs_in_again(house: &House) {
    let gate = &house.doors[0];
    let give = |login: &str, subject: Option<&str>| {
        let new = NewAccount { login: login.to_owned(), subject: subject.map(str::to_owned) };
        gate.give_account(&house.system, ASHA, &new).unwrap();
    };
    house.signed_in();
    give("asha", None);
    assert_eq!(house.sessions(), 1, "nothing is different");
    give("asha", Some("somebody-else"));
    assert_eq!(house.sessions(), 0);
    sign_in(gate, PASSWORD).unwrap();
    give("asha.k", Some("somebody-else"));
    assert_eq!(house.sessions(), 0);
}
