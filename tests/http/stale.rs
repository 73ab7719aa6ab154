//! Administrators whose rights, or whose subject, have changed since the door let them in: what they ask is
//! judged by what stands when it is written. On both back ends; on PostgreSQL at two nodes, of which the
//! second has not heard of it yet.

use fenliu::domain::{Actor, Grant, InstanceId, Person, PersonId, Role, Scope, Text, Unit};
use fenliu::gate::{AccessRules, Caller, Gate, Motion, NewAccount, NewToken, NewUnit, Ruling};

use super::races::{House, both, code_of, on_both};

const ASHA: PersonId = PersonId(1);
const DALILA: PersonId = PersonId(4);
const FORBIDDEN: &str = "none of the caller's roles allows this";

impl House {
    fn person(&self, id: PersonId) -> Person {
        let directory = self.store.read(|reader| reader.directory(self.system.jurisdiction));
        directory.unwrap().unwrap().people[&id].clone()
    }

    /// Somebody with the rights that he has now, at whichever door.
    fn caller(&self, id: PersonId) -> Caller {
        let actor = Actor::person(id, self.person(id).grants);
        Caller { actor, jurisdiction: self.system.jurisdiction }
    }

    /// Asha as an administrator, too; both doors know.
    fn two_administrators(&self) -> Person {
        let asha = administrator(self.person(ASHA), true);
        assert_eq!(put(&self.doors[0], &self.system, &asha), "done");
        self.doors[1].reload().unwrap();
        asha
    }

    fn administrators(&self) -> usize {
        let of = |id: PersonId| self.person(id).grants.iter().any(is_administrator);
        [ASHA, DALILA].into_iter().filter(|id| of(*id)).count()
    }

    fn two_people_rule(&self) {
        let rules = AccessRules { second_person_ms: Some(3_600_000), ..AccessRules::default() };
        self.doors.iter().for_each(|door| door.use_access_rules(rules));
    }
}

fn put(door: &Gate, caller: &Caller, person: &Person) -> String {
    code_of(door.put_person(caller, person))
}

fn is_administrator(grant: &Grant) -> bool {
    grant.role == Role::Administrator
}

/// The person with or without the role.
fn administrator(mut person: Person, wanted: bool) -> Person {
    person.grants.retain(|grant| !is_administrator(grant));
    if wanted {
        person.grants.push(Grant { role: Role::Administrator, unit: "office".to_owned() });
    }
    person
}

on_both!(
    two_administrators_who_remove_each_other_leave_one,
    whoever_lost_his_rights_takes_nothing_with_what_he_had,
    what_gives_rights_back_needs_a_second_person_however_little_the_door_has_heard,
    what_was_proposed_of_something_that_changed_elsewhere_is_outdated,
    whoever_may_decide_on_the_catalogue_no_longer_changes_nothing_of_it,
    a_draft_that_two_publish_at_once_is_published_once,
);

fn two_administrators_who_remove_each_other_leave_one(house: &House) {
    let [one, two] = &house.doors;
    for _ in 0..5 {
        house.two_administrators();
        let (asha, dalila) = (house.caller(ASHA), house.caller(DALILA));
        let (first, second) = both(
            || put(one, &asha, &administrator(house.person(DALILA), false)),
            || put(two, &dalila, &administrator(house.person(ASHA), false)),
        );
        let mut said = [first, second];
        said.sort();
        assert_eq!(said, ["done", FORBIDDEN], "who comes second is none any more");
        assert_eq!(house.administrators(), 1);
        let back = administrator(house.person(DALILA), true);
        assert_eq!(put(one, &house.system, &back), "done");
        house.doors.iter().for_each(|door| door.reload().unwrap());
    }
}

fn whoever_lost_his_rights_takes_nothing_with_what_he_had(house: &House) {
    let [one, two] = &house.doors;
    let before = house.two_administrators();
    let asha = house.caller(ASHA);
    let gone = Person { active: false, ..administrator(before.clone(), false) };
    assert_eq!(put(one, &house.system, &gone), "done");
    assert_eq!(put(two, &asha, &before), FORBIDDEN, "not even himself");
    let new = NewAccount { login: "dalila".to_owned(), subject: None };
    one.give_account(&house.system, DALILA, &new).unwrap();
    assert_eq!(code_of(two.reset_account(&asha, DALILA, true)), FORBIDDEN);
    assert_eq!(code_of(two.give_account(&asha, DALILA, &new)), FORBIDDEN);
    assert_eq!(code_of(two.take_account(&asha, DALILA)), FORBIDDEN);
    let (label, scope) = ("mine".to_owned(), Scope::default());
    let token = NewToken { person: DALILA, label, expires_at: None, scope };
    assert_eq!(code_of(two.issue_token(&asha, &token)), FORBIDDEN);
    let unit = Unit {
        code: "mine".to_owned(),
        name: Text::new("某队", "a crew"),
        kind: "department".to_owned(),
        parent: None,
        active: true,
        successor: None,
    };
    assert_eq!(code_of(two.put_unit(&asha, &NewUnit { unit, new_kind: false })), FORBIDDEN);
    assert!(!house.person(ASHA).active);
    assert!(house.store.read(|reader| reader.account(DALILA)).unwrap().is_some());
}

// Check 30.
fn what_gives_rights_back_needs_a_second_person_however_little_the_door_has_heard(house: &House) {
    let [one, two] = &house.doors;
    let before = house.two_administrators();
    house.two_people_rule();
    assert_eq!(put(one, &house.system, &administrator(before.clone(), false)), "done");
    let dalila = house.caller(DALILA);
    assert_eq!(put(two, &dalila, &before), "second_person_needed");
    assert_eq!(house.administrators(), 1);
}

// Check 30.
fn what_was_proposed_of_something_that_changed_elsewhere_is_outdated(house: &House) {
    let [one, two] = &house.doors;
    house.two_administrators();
    house.two_people_rule();
    let baraka = PersonId(2);
    let mut more = house.person(baraka);
    more.grants.push(Grant { role: Role::Leader, unit: "cranes".to_owned() });
    let motion = Motion::Person(Box::new(more.clone()));
    let proposal = one.propose(&house.caller(DALILA), &motion).unwrap();
    let left = Person { active: false, ..house.person(baraka) };
    assert_eq!(put(one, &house.system, &left), "done");
    let said = code_of(two.approve(&house.caller(ASHA), proposal.id));
    assert_eq!(said, "proposal_outdated", "he has left since");
    assert!(!house.person(baraka).active);
}

/// Baraka decides on the catalogue: both doors have heard of it.
fn director(house: &House) -> (Person, Caller) {
    let mut baraka = house.person(PersonId(2));
    baraka.grants.push(Grant { role: Role::Director, unit: "office".to_owned() });
    assert_eq!(put(&house.doors[0], &house.system, &baraka), "done");
    house.doors[1].reload().unwrap();
    let caller = house.caller(PersonId(2));
    (baraka, caller)
}

/// A draft of Dalila that gives broken cranes to the divers; its number.
fn drafted(house: &House) -> i64 {
    let directory = house.doors[0].registry().directory(house.system.jurisdiction).unwrap();
    let mut categories = directory.categories.clone();
    categories.get_mut("broken.crane").unwrap().units = vec!["divers".to_owned()];
    house.doors[0].draft_catalogue(&house.caller(DALILA), categories, "改由潜水队").unwrap()
}

fn whoever_may_decide_on_the_catalogue_no_longer_changes_nothing_of_it(house: &House) {
    let [one, two] = &house.doors;
    let (baraka, caller) = director(house);
    let number = drafted(house);
    let mut less = baraka;
    less.grants.retain(|grant| grant.role != Role::Director);
    assert_eq!(put(one, &house.system, &less), "done");
    // The other door lets him in by what was true until just now.
    assert_eq!(code_of(two.publish_catalogue(&caller, number, None)), FORBIDDEN);
    let verdict = Ruling { accept: true, note: "按指定意见调整目录".to_owned() };
    assert_eq!(code_of(two.decide_change(&caller, InstanceId(1), &verdict)), FORBIDDEN);
    assert_eq!(code_of(two.withdraw_precedent(&caller, InstanceId(1), "职责已调整")), FORBIDDEN);
    let (all, in_force) = one.catalogues(&house.system).unwrap();
    assert!(all.iter().all(|version| version.published.is_none()), "{in_force:?}");
}

fn a_draft_that_two_publish_at_once_is_published_once(house: &House) {
    let [one, two] = &house.doors;
    let (_, caller) = director(house);
    let number = drafted(house);
    let (first, second) = both(
        || code_of(one.publish_catalogue(&caller, number, None)),
        || code_of(two.publish_catalogue(&caller, number, None)),
    );
    let mut said = [first, second];
    said.sort();
    assert_eq!(said, ["done", "no_draft"]);
}
