//! A mute always ends, and is not forgotten while it lasts.

use fenliu::domain::{Actor, Kind, Message};
use fenliu::gate::Caller;
use fenliu::scheduler::Next;
use fenliu::scheduler::mutes::Mutes;

use super::house::{House, LEADER, LIAISON, at, run, turn};

/// The liaison goes to a training from Monday 10:00 to Wednesday 12:00.
fn muted() -> House {
    let house = House::new();
    let caller =
        Caller { actor: Actor::person(LIAISON, Vec::new()), jurisdiction: house.jurisdiction };
    let until = at("2026-03-04T12:00:00+08:00");
    house.gate.mute(&caller, LIAISON, until, "外出培训").unwrap();
    house
}

fn said(house: &House) -> Vec<(i64, String)> {
    let mutes = house.messages().into_iter().filter(|one| one.kind == Kind::Mute);
    let pair = |one: Message| (one.to.person().unwrap().0, one.body);
    mutes.map(pair).collect()
}

#[test]
fn when_a_mute_begins_the_person_and_its_leader_are_told() {
    let house = muted();
    assert_eq!(
        said(&house),
        [
            (
                LIAISON.0,
                "【提醒暂停】您的非紧急提醒暂停至03-04 12:00。原因：外出培训。紧急提醒照常发送。"
                    .to_owned()
            ),
            (
                LEADER.0,
                "【提醒暂停】liaison暂停接收非紧急提醒，至03-04 12:00止。原因：外出培训。紧急提醒照常发送。"
                    .to_owned()
            ),
        ]
    );
    let registry = house.gate.registry();
    let holds = |time: &str| registry.mute_of(house.jurisdiction, LIAISON, at(time)).is_some();
    assert!(holds("2026-03-04T11:59:59+08:00"));
    assert!(!holds("2026-03-04T12:00:00+08:00"));
    assert!(registry.mute_of(house.jurisdiction, LEADER, house.gate.now()).is_none());
}

#[test]
fn each_morning_and_at_the_end_the_person_is_told_once_what_waits() {
    run(async {
        let mut house = muted();
        house.register("ordinary").await;
        let mut loops = [Mutes::new(house.duty.clone()), Mutes::new(house.duty.clone())];
        let next = turn(&mut loops[0]).await;
        assert_eq!(next, Next::At(at("2026-03-03T08:00:00+08:00")));
        assert_eq!(said(&house).len(), 2, "told before the morning");
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        house.set("2026-03-03T08:00:00+08:00");
        for one in &mut loops {
            turn(one).await;
            turn(one).await;
        }
        let morning = "【提醒暂停】您的非紧急提醒仍在暂停，至03-04 12:00止，已有2条等待。";
        assert_eq!(said(&house).split_off(2), [(LIAISON.0, morning.to_owned())]);
        // The service was down from then until after the end.
        house.restarted();
        house.set("2026-03-05T09:00:00+08:00");
        for _ in 0..2 {
            turn(&mut Mutes::new(house.duty.clone())).await;
        }
        let end = "【提醒恢复】您的提醒暂停已结束，期间有2条非紧急提醒。";
        assert_eq!(said(&house).split_off(3), [(LIAISON.0, end.to_owned())]);
        assert!(house.gate.registry().open_mutes(house.jurisdiction).is_empty());
    });
}

#[test]
fn graver_alerts_are_not_counted_as_waiting() {
    run(async {
        let house = muted();
        house.register("extraordinary").await;
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        house.set("2026-03-04T12:00:00+08:00");
        turn(&mut Mutes::new(house.duty.clone())).await;
        assert!(said(&house)[2].1.contains("期间有0条"), "{:?}", said(&house));
    });
}
