//! What people say about how to reach them: codes, proofs, rules, mutes.

use fenliu::domain::{Instant, Kind, Language, Mute, PersonId, Recipient, Rules, Verified};
use fenliu::store::VerificationRow;

use super::on_every_store;
use super::place::{OURS, Place};
use super::samples::{message, opening};

on_every_store!(
    a_code_takes_the_place_of_the_one_before_and_its_tries_run_out,
    a_proof_is_kept_with_the_person_and_the_code_is_gone,
    rules_are_kept_with_the_person_and_other_nodes_notice,
    a_mute_is_open_until_it_ends_once,
    alerts_that_wait_are_counted_once_however_many_channels_they_have,
    messages_of_the_house_get_ids_of_their_own,
);

const WHO: PersonId = PersonId(1);

fn code(fill: u8) -> VerificationRow {
    VerificationRow {
        person: WHO,
        channel: "sms".to_owned(),
        jurisdiction: OURS,
        address: "13800000000".to_owned(),
        salt: [fill; 16],
        hash: [fill; 32],
        sent_at: Instant(1_000),
        until: Instant(601_000),
        tries_left: 2,
    }
}

fn a_code_takes_the_place_of_the_one_before_and_its_tries_run_out(place: &Place) {
    let mut writer = place.writer();
    writer
        .transaction(|t| {
            t.put_verification(&code(1))?;
            t.put_verification(&code(2))
        })
        .unwrap();
    let kept = |channel: &str| place.store.read(|r| r.verification(WHO, channel)).unwrap();
    assert_eq!(kept("sms"), Some(code(2)));
    assert_eq!(kept("email"), None);
    let mut take = || writer.transaction(|t| t.take_try(WHO, "sms")).unwrap();
    assert_eq!([take(), take(), take()], [true, true, false]);
    assert_eq!(kept("sms").unwrap().tries_left, 0);
}

fn a_proof_is_kept_with_the_person_and_the_code_is_gone(place: &Place) {
    let proof = |address: &str| Verified { address: address.to_owned(), at: Instant(5) };
    let mut writer = place.writer();
    writer
        .transaction(|t| {
            t.put_verification(&code(1))?;
            t.prove(OURS, WHO, "email", &proof("a@example.org"))?;
            t.prove(OURS, WHO, "sms", &proof("138"))
        })
        .unwrap();
    let directory = place.store.read(|r| r.directory(OURS)).unwrap().unwrap();
    let verified = &directory.people[&WHO].verified;
    assert_eq!(verified["email"], proof("a@example.org"));
    assert_eq!(verified["sms"], proof("138"));
    assert_eq!(place.store.read(|r| r.verification(WHO, "sms")).unwrap(), None);
}

fn rules_are_kept_with_the_person_and_other_nodes_notice(place: &Place) {
    let rules =
        Rules { language: Language::En, urgent: vec!["email".to_owned()], ..Rules::default() };
    let before = place.store.read(|r| r.revision(OURS)).unwrap();
    place.writer().transaction(|t| t.set_rules(OURS, WHO, &rules)).unwrap();
    let directory = place.store.read(|r| r.directory(OURS)).unwrap().unwrap();
    assert_eq!(directory.people[&WHO].rules, rules);
    assert!(place.store.read(|r| r.revision(OURS)).unwrap() > before);
}

fn a_mute_is_open_until_it_ends_once(place: &Place) {
    let mute = Mute {
        id: 0,
        jurisdiction: OURS,
        person: WHO,
        from: Instant(1_000),
        until: Instant(9_000),
        reason: "外出培训 𠮷".to_owned(),
        made_by: "person:1".to_owned(),
        ended_at: None,
    };
    let mut writer = place.writer();
    let id = writer.transaction(|t| t.add_mute(&mute)).unwrap();
    let other = writer.transaction(|t| t.add_mute(&Mute { person: PersonId(2), ..mute.clone() }));
    let open = place.store.read(|r| r.open_mutes(OURS)).unwrap();
    assert_eq!(open[0], Mute { id, ..mute.clone() });
    assert_eq!((open.len(), open[1].id), (2, other.unwrap()));
    let mut end = |at| writer.transaction(|t| t.end_mute(OURS, id, Instant(at))).unwrap();
    assert_eq!([end(5_000), end(6_000)], [true, false]);
    assert_eq!(place.store.read(|r| r.open_mutes(OURS)).unwrap().len(), 1);
    let all = place.store.read(|r| r.mutes_of(OURS, WHO, 10)).unwrap();
    assert_eq!(all, [Mute { id, ended_at: Some(Instant(5_000)), ..mute }]);
}

fn alerts_that_wait_are_counted_once_however_many_channels_they_have(place: &Place) {
    let mut batch = opening([1, 2]);
    let mail = |id, instance| {
        let mut mail = message(id, instance, 1, 100);
        mail.channel = "email".to_owned();
        mail
    };
    let mut later = message(6, 2, 1, 100);
    later.created_at = Instant(2_000);
    let mut foreign = message(7, 2, 1, 100);
    foreign.to = Recipient::Person(PersonId(2));
    batch.messages = vec![message(3, 1, 1, 100), mail(4, 1), message(5, 1, 4, 100), later, foreign];
    place.write(&batch).unwrap();
    let count = |from, until| {
        let counted =
            place.store.read(|r| r.less_urgent_alerts(WHO, Instant(from), Instant(until)));
        counted.unwrap()
    };
    assert_eq!([count(0, 5_000), count(0, 2_000), count(1_001, 5_000)], [2, 1, 1]);
}

fn messages_of_the_house_get_ids_of_their_own(place: &Place) {
    let house = |kind| {
        let mut message = message(0, 1, 1, 100);
        (message.instance, message.seq, message.clock, message.kind) = (None, 0, None, kind);
        message
    };
    let mut rows = [house(Kind::Code), house(Kind::Code), house(Kind::Test)];
    place.writer().transaction(|t| t.write_messages(&mut rows)).unwrap();
    assert!(rows[0].id < rows[1].id && rows[1].id < rows[2].id);
    assert_eq!(place.store.read(|r| r.message(rows[2].id)).unwrap().as_ref(), Some(&rows[2]));
    let codes = |channel, after| {
        let of = (WHO, channel);
        place.store.read(|r| r.written_after(of, Kind::Code, Instant(after))).unwrap()
    };
    assert_eq!([codes("sms", 999), codes("sms", 1_000), codes("email", 0)], [2, 0, 0]);
}
