//! Shifts are handed over: who comes is told once, whoever does it and however long the house slept.

use fenliu::domain::{Actor, Grant, Kind, PersonId, Recipient, Role, Roster};
use fenliu::gate::Caller;
use fenliu::scheduler::Next;
use fenliu::scheduler::handovers::Handovers;
use serde_json::json;

use super::house::{House, LEADER, LIAISON, at, run, turn};

/// Liaison and leader of the bureau are both liaisons, a day's duty each from the 2nd of March on.
pub(super) fn house() -> House {
    let house = House::new();
    let caller = system(&house);
    let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
    let mut leader = directory.people[&LEADER].clone();
    leader.grants.push(Grant { role: Role::Liaison, unit: "gongan".to_owned() });
    house.gate.put_person(&caller, &leader).unwrap();
    let roster: Roster = serde_json::from_value(json!({
        "code": "night", "title": { "zh": "值班", "en": "duty" }, "unit": "gongan", "role": "liaison",
        "rotations": [{
            "name": { "zh": "全天", "en": "all day" }, "people": [LIAISON.0, LEADER.0],
            "first": "2026-03-02T08:30", "shift": "24h",
        }],
    }))
    .unwrap();
    house.gate.put_roster(&caller, &roster).unwrap();
    house
}

fn system(house: &House) -> Caller {
    Caller { actor: Actor::System, jurisdiction: house.jurisdiction }
}

/// Handover messages: to whom, and what they say.
fn told(house: &House) -> Vec<(PersonId, String)> {
    let messages = house.messages().into_iter().filter(|one| one.kind == Kind::Handover);
    let one = |one: fenliu::domain::Message| match one.to {
        Recipient::Person(person) => (person, one.body),
        Recipient::Subscription(_) => panic!("{one:?}"),
    };
    messages.map(one).collect()
}

#[test]
fn who_comes_on_duty_is_told_once_with_what_the_shift_before_left() {
    run(async {
        let house = house();
        house.set("2026-03-02T12:00:00+08:00");
        let mut one = Handovers::new(house.duty.clone());
        let mut other = Handovers::new(house.duty.clone());
        let tomorrow = Next::At(at("2026-03-03T08:30:00+08:00"));
        assert_eq!(turn(&mut one).await, tomorrow);
        assert_eq!(turn(&mut other).await, tomorrow);
        house.set("2026-03-02T20:00:00+08:00");
        let grants = vec![Grant { role: Role::Liaison, unit: "gongan".to_owned() }];
        let actor = Actor::person(LIAISON, grants);
        let caller = Caller { actor, jurisdiction: house.jurisdiction };
        house.gate.write_handover(&caller, "night", "河边水位上涨，每两小时看一次").unwrap();
        house.set("2026-03-03T08:30:00+08:00");
        let next = futures_util::future::join(turn(&mut one), turn(&mut other)).await;
        let after = Next::At(at("2026-03-04T08:30:00+08:00"));
        assert_eq!(next, (after, after));
        turn(&mut one).await;
        assert_eq!(
            told(&house),
            [(
                LEADER,
                "您自2026-03-03 08:30起值班，至2026-03-04 08:30。交班：liaison。\n交接事项：\n\
                 2026-03-02 20:00 liaison: 河边水位上涨，每两小时看一次"
                    .to_owned()
            )]
        );
        let message = house.messages().pop().unwrap();
        assert_eq!((message.instance, message.channel.as_str()), (None, "email"));
        assert_eq!(message.subject, "【南县】值班交接 值班");
    });
}

#[test]
fn after_downtime_only_who_is_on_duty_now_is_told_and_only_once() {
    run(async {
        let mut house = house();
        house.set("2026-03-02T12:00:00+08:00");
        turn(&mut Handovers::new(house.duty.clone())).await;
        house.restarted();
        house.set("2026-03-06T09:00:00+08:00");
        turn(&mut Handovers::new(house.duty.clone())).await;
        let people: Vec<PersonId> = told(&house).into_iter().map(|(person, _)| person).collect();
        assert_eq!(people, [LIAISON]);
        turn(&mut Handovers::new(house.duty.clone())).await;
        assert_eq!(told(&house).len(), 1);
    });
}

#[test]
fn who_may_not_act_any_more_is_not_told_and_a_new_roster_tells_nobody_about_the_past() {
    run(async {
        let house = house();
        house.set("2026-03-03T12:00:00+08:00");
        turn(&mut Handovers::new(house.duty.clone())).await;
        assert_eq!(told(&house), []);
        let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
        let mut gone = directory.people[&LIAISON].clone();
        gone.active = false;
        house.gate.put_person(&system(&house), &gone).unwrap();
        house.set("2026-03-04T08:30:00+08:00");
        turn(&mut Handovers::new(house.duty.clone())).await;
        assert_eq!(told(&house), []);
    });
}
