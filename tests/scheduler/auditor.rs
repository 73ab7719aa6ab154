//! Whatever was changed behind the house's back is reported, and put right where that is safe.

use std::time::Duration;

use fenliu::gate::verify;
use fenliu::scheduler::auditor::{Auditor, Options, Pass};

use super::house::{House, at, run, turn};

fn auditor(house: &House) -> Auditor {
    Auditor::new(house.duty.clone(), Options::default())
}

#[test]
fn a_sound_house_gives_no_alarm() {
    run(async {
        let house = House::new();
        let ended = house.register("larger").await;
        house.register("ordinary").await;
        house.set("2026-03-02T11:05:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        house.finish(ended).await;
        let pass = auditor(&house).pass().await.unwrap();
        assert_eq!(house.alarms(), []);
        assert_eq!(pass, Pass { checked: 2, differing: 0, repaired: 0 });
        let report = verify(&house.store, |_| ()).unwrap();
        assert!(report.is_sound(), "{report:?}");
        assert_eq!((report.instances, report.chains_ok, report.replayed), (2, 2, 2));
        assert_eq!(report.events, 7);
        assert!(house.duty.figures.beats().contains_key("auditor.pass"));
    });
}

#[test]
fn a_damaged_clock_row_is_reported_and_put_right_within_one_pass() {
    for damage in [
        "UPDATE clock SET wake_at = wake_at + 86400000",
        "UPDATE clock SET tier = 1, due_at = 5",
        "DELETE FROM clock",
        "UPDATE clock SET name = 'nobody_knows'",
        "INSERT INTO clock SELECT instance_id, 'more', jurisdiction_id, wake_at, due_at, tier, \
         entry, step, NULL FROM clock",
    ] {
        run(async {
            let house = House::new();
            let id = house.register("major").await;
            house.damage(damage);
            let pass = auditor(&house).pass().await.unwrap();
            assert_eq!((pass.checked, pass.differing), (1, 1), "{damage}");
            assert!(pass.repaired > 0, "{damage}");
            let alarms = house.alarms();
            assert_eq!((alarms[0].0.as_str(), alarms[0].1), ("audit_difference", Some(id)));
            let again = auditor(&house).pass().await.unwrap();
            assert_eq!(again.differing, 0, "{damage}");
            house.set("2026-03-02T10:30:00+08:00");
            house.run_clocks(&mut house.clocks()).await;
            assert_eq!(house.firings(), [(id, at("2026-03-02T10:30:00+08:00"))], "{damage}");
        });
    }
}

#[test]
fn a_suspicion_of_the_clocks_is_looked_at_before_the_next_pass() {
    run(async {
        let house = House::new();
        let id = house.register("ordinary").await;
        let mut auditor = auditor(&house);
        turn(&mut auditor).await;
        house.damage("UPDATE clock SET wake_at = 0, entry = 99");
        house.run_clocks(&mut house.clocks()).await;
        turn(&mut auditor).await;
        assert_eq!(house.alarm_kinds(), ["audit_difference", "clock_row_damaged"]);
        assert_eq!(house.duty.figures.audit_repaired.get(), 1);
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        assert_eq!(house.firings().len(), 1);
        assert_eq!(house.firings()[0].0, id);
    });
}

#[test]
fn a_damaged_instance_row_is_reported_and_left_for_people() {
    for (damage, named) in [
        ("UPDATE instance SET holder = 'huanbao'", "`holder`"),
        ("UPDATE instance SET state = 'open.late'", "`state`"),
        ("UPDATE instance SET tier = 4", "`tier`"),
        ("UPDATE instance SET data = replace(data, '河边', '山上')", "`fields`"),
        ("UPDATE instance SET data = '{'", "instance"),
        ("UPDATE instance SET version = 7", "the row is at version 7"),
    ] {
        run(async {
            let house = House::new();
            let id = house.register("ordinary").await;
            house.damage(damage);
            let pass = auditor(&house).pass().await.unwrap();
            assert_eq!((pass.differing, pass.repaired), (1, 0), "{damage}");
            let (kind, which, detail) = house.alarms().remove(0);
            assert_eq!((kind.as_str(), which), ("audit_difference", Some(id)), "{damage}");
            assert!(detail.contains(named), "{damage}: {detail}");
            let report = verify(&house.store, |_| ()).unwrap();
            assert_eq!((report.differing_count, report.replayed), (1, 0), "{damage}");
        });
    }
}

// Check 47.
#[test]
fn an_altered_a_missing_and_a_cut_event_are_named() {
    for (damage, named) in [
        (
            "UPDATE event SET body = replace(body, '河边', '山上') WHERE seq = 1",
            "event 1 does not fit",
        ),
        ("UPDATE event SET at = at + 1 WHERE seq = 2", "event 2: the column `at`"),
        ("UPDATE event SET actor = 'person:9' WHERE seq = 1", "event 1: the column `actor`"),
        ("DELETE FROM event WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM event WHERE seq = 3", "the events end with 2"),
    ] {
        run(async {
            let house = House::new();
            let id = house.register("ordinary").await;
            house.set("2026-03-02T11:00:00+08:00");
            house.run_clocks(&mut house.clocks()).await;
            house.damage(damage);
            let pass = auditor(&house).pass().await.unwrap();
            assert_eq!(pass.differing, 1, "{damage}");
            let (_, which, detail) = house.alarms().remove(0);
            assert_eq!(which, Some(id));
            assert!(detail.contains(named), "{damage}: {detail}");
            let report = verify(&house.store, |_| ()).unwrap();
            assert_eq!((report.instances, report.chains_ok), (1, 0), "{damage}");
            let fault = report.first_fault.unwrap();
            assert!(fault.contains(named), "{fault}");
        });
    }
}

#[test]
fn a_message_that_was_never_written_is_missed() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        house.damage("DELETE FROM message");
        let pass = auditor(&house).pass().await.unwrap();
        assert_eq!((pass.differing, pass.repaired), (1, 0));
        let detail = house.alarms().remove(0).2;
        assert_eq!(detail, "event 2 told person 2 by sms; the message is not there");
    });
}

#[test]
fn every_open_matter_is_looked_at_when_the_round_comes_to_it() {
    run(async {
        let house = House::new();
        let mut all = Vec::new();
        for _ in 0..10 {
            all.push(house.register("ordinary").await);
        }
        let options = Options { events: 1, sweep: 4, ..Options::default() };
        let mut auditor = Auditor::new(house.duty.clone(), options);
        // The last one stands within the newest event; the first only in the round.
        let damage = "UPDATE clock SET wake_at = wake_at + 1 WHERE instance_id";
        house.damage(&format!("{damage} <> {}", all[9]));
        let mut repaired = 0;
        for _ in 0..3 {
            let pass = auditor.pass().await.unwrap();
            assert!(pass.checked <= 5);
            repaired += pass.repaired;
        }
        assert_eq!(repaired, 9);
        assert_eq!(auditor.pass().await.unwrap().differing, 0);
    });
}

#[test]
fn the_pieces_of_a_round_are_so_large_that_it_is_done_in_its_time() {
    run(async {
        let house = House::new();
        for _ in 0..12 {
            house.register("ordinary").await;
        }
        house.damage("UPDATE clock SET wake_at = wake_at + 1");
        let (every, round) = (Duration::from_secs(60), Duration::from_secs(240));
        let options = Options { every, round, events: 0, sweep: 1, ..Options::default() };
        let mut auditor = Auditor::new(house.duty.clone(), options);
        let mut checked = Vec::new();
        for _ in 0..4 {
            checked.push(auditor.pass().await.unwrap().checked);
        }
        assert_eq!(checked, [3, 3, 3, 3]);
        assert_eq!(house.duty.figures.audit_repaired.get(), 12);
        assert_eq!(house.alarms().len(), 12, "one for each, and none that it is late");
    });
}

#[test]
fn a_round_that_takes_longer_than_it_should_is_an_alarm() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let nothing = Duration::ZERO;
        let options = Options { round: nothing, budget: nothing, ..Options::default() };
        let mut auditor = Auditor::new(house.duty.clone(), options);
        auditor.pass().await.unwrap();
        let (kind, _, detail) = house.alarms().remove(0);
        assert_eq!(kind, "audit_behind");
        assert!(detail.contains("were not looked at"), "{detail}");
    });
}

#[test]
fn what_stands_in_one_table_only_is_found_in_one_pass_wherever_the_round_is() {
    run(async {
        let house = House::new();
        let mut all = Vec::new();
        for _ in 0..6 {
            all.push(house.register("ordinary").await);
        }
        house.finish(all[3]).await;
        let options = Options { events: 0, sweep: 0, ..Options::default() };
        let mut auditor = Auditor::new(house.duty.clone(), options);
        // The round begins with the first; what follows lies far ahead of it.
        auditor.pass().await.unwrap();
        assert_eq!(house.alarms(), []);
        let (forgotten, closed, missing) = (all[4], all[3], all[5]);
        house.damage(&format!("DELETE FROM clock WHERE instance_id = {forgotten}"));
        house.damage(&format!(
            "INSERT INTO clock SELECT {closed}, name, jurisdiction_id, wake_at, due_at, tier, entry, \
             step, NULL FROM clock WHERE instance_id = {missing}"
        ));
        house.damage(&format!("DELETE FROM instance WHERE id = {missing}"));
        let pass = auditor.pass().await.unwrap();
        assert_eq!((pass.differing, pass.repaired), (3, 2), "{:?}", house.alarms());
        let alarms = house.alarms();
        let of = |id| alarms.iter().find(|(_, which, _)| *which == Some(id)).unwrap().2.clone();
        assert!(of(forgotten).contains("`handle` has no row"), "{alarms:?}");
        assert!(of(closed).contains("`handle` has a row, but nothing to do"), "{alarms:?}");
        let gone =
            format!("there is no instance {missing}, but the clock rows `handle` and 1 events");
        assert!(of(missing).starts_with(&gone), "{alarms:?}");
    });
}
