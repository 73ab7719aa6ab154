//! Gaps are found ahead, told each day, and the alarm ends when they are mended.

use fenliu::config::job::{Does, Job};
use fenliu::domain::{Actor, Grant, Kind, Person, PersonId, Role, Roster, Text, Unit};
use fenliu::gate::{Caller, NewUnit};
use fenliu::scheduler::jobs::{Jobs, Plan};
use serde_json::json;

use super::house::{House, LEADER, LIAISON, run, turn};

fn system(house: &House) -> Caller {
    Caller { actor: Actor::System, jurisdiction: house.jurisdiction }
}

fn daily(house: &House) -> Jobs {
    let job = Job {
        name: "coverage".to_owned(),
        cron: "0 0 8 * * *".to_owned(),
        does: Does::CoverageCheck,
        to: vec!["desk.leader".to_owned()],
        days: 7,
    };
    Jobs::new(house.duty.clone(), Plan::new(&[job]).unwrap())
}

/// The liaison's duty in the bureau: all day, or without the hours after midnight.
fn duty(house: &House, hours: Option<&str>) {
    let mut rotation = json!({
        "name": { "zh": "全天", "en": "all day" }, "people": [LIAISON.0],
        "first": "2026-03-01T08:30", "shift": "24h",
    });
    if let Some(hours) = hours {
        rotation["hours"] = json!(hours);
        rotation["first"] = json!("2026-03-01T08:30");
        rotation["shift"] = json!("1d");
    }
    let roster: Roster = serde_json::from_value(json!({
        "code": "night", "title": { "zh": "值班", "en": "duty" }, "unit": "gongan",
        "role": "liaison", "rotations": [rotation],
    }))
    .unwrap();
    house.gate.put_roster(&system(house), &roster).unwrap();
}

/// Everybody proves its mail address.
fn prove_all(house: &House) {
    for person in [PersonId(1), LIAISON, LEADER] {
        house.gate.send_code(&system(house), person, "email").unwrap();
        let message = house.messages().pop().unwrap();
        assert_eq!(message.kind, Kind::Code);
        let digits: String = message.body.chars().filter(char::is_ascii_digit).take(6).collect();
        house.gate.prove_contact(&system(house), person, "email", &digits).unwrap();
    }
}

fn said(house: &House) -> Option<String> {
    let mut alarms = house.alarms().into_iter();
    alarms.find(|(kind, ..)| kind == "coverage").map(|(_, _, detail)| detail)
}

#[test]
fn a_night_without_duty_is_told_a_week_ahead_and_the_alarm_ends_when_it_is_mended() {
    run(async {
        let house = House::new();
        prove_all(&house);
        duty(&house, Some("08:30-03:00"));
        let mut jobs = daily(&house);
        turn(&mut jobs).await;
        house.set("2026-03-03T08:00:00+08:00");
        turn(&mut jobs).await;
        let detail = said(&house).unwrap();
        assert!(
            detail.contains(
                "03-08周日 03:00至03-08周日 08:30：“值班”无人值班，届时通知该岗位全部1人"
            ),
            "{detail}"
        );
        assert!(detail.contains("较大：涉及“事项·办理时限”第1级等2处"), "{detail}");
        assert!(detail.contains("Sunday 03-08 03:00"), "{detail}");
        assert_eq!(detail.lines().count(), 8, "each night of the week, and today's: {detail}");
        let told: Vec<_> =
            house.messages().into_iter().filter(|one| one.kind == Kind::Coverage).collect();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].to.person(), Some(LEADER));
        assert!(told[0].subject.contains("值班安排有缺口"), "{}", told[0].subject);
        assert!(told[0].body.contains("03-08周日 03:00"), "{}", told[0].body);
        duty(&house, None);
        house.set("2026-03-04T08:00:00+08:00");
        turn(&mut jobs).await;
        assert_eq!(said(&house), None);
        let again = house.messages().into_iter().filter(|one| one.kind == Kind::Coverage);
        assert_eq!(again.count(), 1, "nothing is missing, so nobody is told");
    });
}

#[test]
fn steps_that_would_reach_nobody_and_people_without_proved_addresses_are_told() {
    run(async {
        let house = House::new();
        let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
        let mut gone = directory.people[&LIAISON].clone();
        gone.active = false;
        house.gate.put_person(&system(&house), &gone).unwrap();
        let mut jobs = daily(&house);
        turn(&mut jobs).await;
        house.set("2026-03-03T08:00:00+08:00");
        turn(&mut jobs).await;
        let detail = said(&house).unwrap();
        assert!(
            detail
                .contains("03-03周二 08:30，特别重大：第1级无人（公安局联络员；“事项·办理时限”）"),
            "{detail}"
        );
        assert!(detail.contains("公安局没有联络员，提醒无人可收"), "{detail}");
        assert!(detail.contains("1人的联系方式均未验证：leader"), "{detail}");
    });
}

#[test]
fn a_sub_unit_without_liaison_is_told_and_so_is_one_whose_liaison_cannot_be_reached() {
    run(async {
        let house = House::new();
        prove_all(&house);
        for (code, name) in [("traffic", "交巡警大队"), ("station", "城关派出所")] {
            let unit = Unit {
                code: code.to_owned(),
                name: Text::new(name, code),
                kind: "sub_unit".to_owned(),
                parent: Some("gongan".to_owned()),
                active: true,
                successor: None,
            };
            house.gate.put_unit(&system(&house), &NewUnit { unit, new_kind: true }).unwrap();
        }
        let liaison = Person {
            name: "所长".to_owned(),
            grants: vec![Grant { role: Role::Liaison, unit: "station".to_owned() }],
            active: true,
            ..Person::default()
        };
        house.gate.put_person(&system(&house), &liaison).unwrap();
        house.gate.tell_alarms_to(&["emergency_office.duty".to_owned()]).unwrap();
        let mut jobs = daily(&house);
        turn(&mut jobs).await;
        house.set("2026-03-03T08:00:00+08:00");
        turn(&mut jobs).await;
        let detail = said(&house).unwrap();
        let lines = [
            "所长没有电话和邮箱，无法通知",
            "交巡警大队没有联络员，提醒无人可收",
            "系统告警无人可收：emergency_office没有值班员",
        ];
        for line in lines {
            assert!(detail.contains(line), "{line}: {detail}");
        }
        assert!(!detail.contains("负责人，提醒无人可收"), "a sub-unit needs no leader: {detail}");
    });
}
