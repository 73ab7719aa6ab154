//! Replies by SMS: what is done, and when nothing is said back.

use fenliu::domain::{Door, Kind};
use fenliu::gate::Settled;

use super::house::{House, run};

/// The liaison's telephone.
const PHONE: &str = "+86 138 1234 5672";

#[test]
fn a_machine_that_answers_our_answers_is_answered_three_times_and_no_more() {
    run(async {
        let house = House::new();
        let answers = || house.messages().iter().filter(|one| one.kind == Kind::Reply).count();
        for _ in 0..10 {
            let replied = house.gate.reply(PHONE, "我正在开会，稍后联系您").await.unwrap().unwrap();
            assert!(!replied.done);
            house.gate.say_back(&replied, "sms").unwrap();
        }
        assert_eq!(answers(), 3);
        // What it asks is done all the same, and said.
        let matter = house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let alert = house.messages().pop().unwrap();
        assert_eq!(alert.kind, Kind::Alert);
        house
            .gate
            .settle_messages(
                &[(
                    alert.id,
                    0,
                    Settled::Sent { at: house.gate.now(), reference: None, bundle: None },
                )],
                &[],
            )
            .unwrap();
        let replied = house.gate.reply(PHONE, "1").await.unwrap().unwrap();
        assert!(replied.done, "{:?}", replied.answer);
        let by = house.events(matter).pop().unwrap().actor.answers().unwrap();
        assert_eq!((by.door, by.message), (Door::Sms, alert.id), "whose sender can be forged");
        house.gate.say_back(&replied, "sms").unwrap();
        assert_eq!(answers(), 4);
        // Ten minutes later it may be a person again.
        house.set("2026-03-02T10:41:00+08:00");
        let replied = house.gate.reply(PHONE, "?").await.unwrap().unwrap();
        house.gate.say_back(&replied, "sms").unwrap();
        assert_eq!(answers(), 5);
    });
}

#[test]
fn a_telephone_that_two_people_share_answers_for_whoever_was_told() {
    run(async {
        let house = House::new();
        // The dispatcher has the liaison's telephone too, and stands first in the directory.
        house.damage("UPDATE person SET phone = '13812345672' WHERE id = 1");
        let mut house = house;
        house.restarted();
        let asked = house.gate.reply(PHONE, "hello").await.unwrap();
        assert!(asked.is_some(), "somebody here has this number");
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let alert = house.messages().pop().unwrap();
        let sent = Settled::Sent { at: house.gate.now(), reference: None, bundle: None };
        house.gate.settle_messages(&[(alert.id, 0, sent)], &[]).unwrap();
        let replied = house.gate.reply(PHONE, "1").await.unwrap().unwrap();
        assert!(replied.done, "{:?}", replied.answer);
        assert_eq!(Some(replied.person.id), alert.to.person());
    });
}
