//! A rehearsal promises what then happens, if nobody does anything.

use std::collections::BTreeSet;

use fenliu::domain::{Instant, PersonId, Tier};
use fenliu::gate::RehearsalWish;
use fenliu::scheduler::Next;

use super::house::{House, LEADER, LIAISON, MORNING, at, run};

type Told = BTreeSet<(Instant, String, Vec<PersonId>)>;

/// What a rehearsal of the matter's one clock says.
fn promised(house: &House, repeats: usize) -> Told {
    let ground = house.gate.ground(house.jurisdiction).unwrap();
    let wish = RehearsalWish {
        at: at(MORNING),
        tier: Tier::Larger,
        unit: None,
        workflow: Some("matter".to_owned()),
        repeats,
    };
    let rehearsal = ground.rehearse(&wish).unwrap();
    let flow = &rehearsal.flows[0];
    assert_eq!((flow.workflow.as_str(), flow.ladders.len()), ("matter", 1));
    assert!(flow.ladders[0].goes_on, "until somebody acts");
    flow.rungs().map(|(_, rung)| (rung.at, rung.text.clone(), rung.people())).collect()
}

#[test]
fn whom_a_rehearsal_names_is_told_at_that_minute_if_nobody_acts() {
    run(async {
        let house = House::new();
        let promised = promised(&house, 2);
        assert_eq!(promised.len(), 4, "half time, overdue, two mornings: {promised:?}");
        let id = house.register("larger").await;
        let mut clocks = house.clocks();
        let mut next = house.run_clocks(&mut clocks).await;
        let end = at("2026-03-04T09:00:00+08:00");
        while let Next::At(then) = next
            && then <= end
        {
            house.clock.set(then);
            next = house.run_clocks(&mut clocks).await;
        }
        let told: Told = house
            .events(id)
            .into_iter()
            .flat_map(|event| {
                let at = event.recorded_at;
                event.told.into_iter().map(move |told| (at, told.text, told.people))
            })
            .collect();
        assert_eq!(told, promised);
    });
}

#[test]
fn a_step_that_reaches_nobody_is_said_and_the_next_one_comes_at_once() {
    run(async {
        let house = House::new();
        for gone in [LIAISON, LEADER] {
            let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
            let mut person = directory.people[&gone].clone();
            person.active = false;
            let system = fenliu::domain::Actor::System;
            let caller = fenliu::gate::Caller { actor: system, jurisdiction: house.jurisdiction };
            house.gate.put_person(&caller, &person).unwrap();
        }
        let ground = house.gate.ground(house.jurisdiction).unwrap();
        let wish = RehearsalWish {
            at: at(MORNING),
            tier: Tier::Larger,
            unit: None,
            workflow: None,
            repeats: 1,
        };
        let rehearsal = ground.rehearse(&wish).unwrap();
        assert_eq!(rehearsal.empty_rungs().len(), 3);
        let first = &rehearsal.faults[0];
        assert_eq!(first.zh, "“事项·办理时限”03-02周一 10:30第1级无人（公安局联络员）");
        assert_eq!(
            first.en,
            "matter, time to handle, Monday 03-02 10:30: step 1 is empty (police bureau: liaison)"
        );
    });
}
