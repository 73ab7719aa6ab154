//! Rows of before: a store whose clocks were kept in the older form opens, replays and goes on.

use fenliu::domain::{Actor, Grant, Instance, InstanceId, Role};
use fenliu::gate::{Caller, Request, Target};
use fenliu::scheduler::auditor::{Auditor, Options};
use serde_json::Map;

use super::house::{House, LEADER, LIAISON, run};

/// A matter of whose half time the liaison was told, which it acknowledged.
async fn told_and_acknowledged(house: &House) -> InstanceId {
    let id = house.register("ordinary").await;
    house.set("2026-03-02T10:30:00+08:00");
    house.run_clocks(&mut house.clocks()).await;
    let grants = vec![Grant { role: Role::Liaison, unit: "gongan".to_owned() }];
    let actor = Actor::person(LIAISON, grants);
    let request = Request {
        caller: Caller { actor, jurisdiction: house.jurisdiction },
        target: Target::Instance(id),
        command: "acknowledge".to_owned(),
        input: Map::new(),
        occurred_at: None,
        key: None,
        if_version: None,
        about: None,
    };
    house.gate.submit(request).await.unwrap();
    id
}

/// Rewrites all rows as they were written before: that somebody was told, and until when all was quiet.
fn as_before(house: &House) {
    house.damage(
        "UPDATE instance SET data = json_set(json_remove(data, '$.touched', \
         '$.clocks.handle.told', '$.clocks.handle.last', '$.clocks.handle.quiet'), \
         '$.clocks.handle.hold', 1800000, '$.clocks.handle.quiet_until', 1772420400000)",
    );
    house.damage("DELETE FROM setting WHERE name = 'clocks_form'");
}

fn row(house: &House, id: InstanceId) -> Instance {
    house.store.read(|reader| reader.instance(id)).unwrap().unwrap().0
}

#[test]
fn clocks_of_the_older_form_are_taken_anew_from_the_events_and_go_on() {
    run(async {
        let mut house = House::new();
        let id = told_and_acknowledged(&house).await;
        let today = row(&house, id);
        assert!(!today.clocks["handle"].told.is_empty());
        as_before(&house);
        assert_ne!(row(&house, id), today);
        house.restarted();
        assert_eq!(row(&house, id), today);
        let mut auditor = Auditor::new(house.duty.clone(), Options::default());
        let pass = auditor.pass().await.unwrap();
        assert_eq!((pass.checked, pass.differing), (1, 0), "{:?}", house.alarms());
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let told: Vec<_> = house.messages().iter().map(|one| one.to.person().unwrap()).collect();
        assert_eq!(told, [LIAISON, LIAISON, LEADER]);
        // What was done once is not done at each start.
        as_before(&house);
        house.damage_some("INSERT INTO setting (name, value) VALUES ('clocks_form', '2')");
        let left = row(&house, id);
        house.restarted();
        assert_eq!(row(&house, id), left);
    });
}

#[test]
fn a_matter_whose_events_cannot_be_repeated_opens_and_goes_on_as_it_stands() {
    run(async {
        let mut house = House::new();
        let id = told_and_acknowledged(&house).await;
        as_before(&house);
        house.damage("UPDATE event SET body = replace(body, '河边', '河岸')");
        let left = row(&house, id);
        house.restarted();
        assert_eq!(row(&house, id), left);
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        assert_eq!(house.messages().len(), 3, "the ladder speaks, and the auditor says the rest");
    });
}
