//! The outbox: claims are exclusive and expire; what is settled stays settled.

use std::thread;

use fenliu::domain::{Delivery, InstanceId, Instant, MessageId, PersonId, Recipient};
use fenliu::store::{Batch, ClaimWish, Claimed, MessageFilter, Settled, Writer};

use super::on_every_store;
use super::place::Place;
use super::samples::{message, opening};

on_every_store!(
    a_claimed_message_is_one_senders_until_the_lease_ends,
    graver_messages_leave_first_and_none_before_its_time,
    a_settled_message_stays_settled,
    a_late_sender_cannot_settle_what_another_took_over,
    two_senders_at_once_never_claim_the_same_message,
    messages_are_listed_by_instance_and_by_person,
);

fn claim(writer: &mut Writer, now: i64, limit: i64) -> Vec<Claimed> {
    let wish =
        ClaimWish { channel: "sms", now: Instant(now), lease_ms: 1_000, limit, expired: false };
    writer.transaction(|t| t.claim_messages(wish)).unwrap()
}

fn ids(claimed: &[Claimed]) -> Vec<i64> {
    claimed.iter().map(|one| one.message.id.0).collect()
}

fn a_claimed_message_is_one_senders_until_the_lease_ends(place: &Place) {
    place.write(&opening([1])).unwrap();
    let (mut one, mut other) = (place.writer(), place.writer());
    let claimed = claim(&mut one, 2_000, 10);
    assert_eq!(ids(&claimed), [1]);
    assert_eq!((claimed[0].message.attempts, claimed[0].lease_until), (1, Instant(3_000)));
    assert!(claim(&mut other, 2_999, 10).is_empty());
    let again = claim(&mut other, 3_000, 10);
    assert_eq!((ids(&again), again[0].message.attempts), (vec![1], 2));
    // Nobody knows what became of the attempt whose lease ran out.
    assert_eq!((claimed[0].message.unknowns, again[0].message.unknowns), (0, 1));
}

fn graver_messages_leave_first_and_none_before_its_time(place: &Place) {
    let mut batch = opening([1]);
    batch.messages = vec![
        message(1, 1, 1, 100),
        message(2, 1, 4, 300),
        message(3, 1, 4, 200),
        message(4, 1, 2, 301),
    ];
    batch.messages[0].channel = "email".to_owned();
    batch.messages.push(message(5, 1, 1, 150));
    place.write(&batch).unwrap();
    let next = || place.store.read(|reader| reader.next_message_due("sms")).unwrap();
    assert_eq!(next(), Some(Instant(150)));
    let mut writer = place.writer();
    assert!(claim(&mut writer, 149, 10).is_empty());
    assert_eq!(ids(&claim(&mut writer, 300, 2)), [3, 2]);
    assert_eq!(ids(&claim(&mut writer, 300, 2)), [5]);
    assert_eq!(next(), Some(Instant(301)));
}

fn a_settled_message_stays_settled(place: &Place) {
    place.write(&opening([1, 2, 3])).unwrap();
    let mut writer = place.writer();
    assert_eq!(claim(&mut writer, 2_000, 10).len(), 3);
    let sent = Settled::Sent { at: Instant(2_500), reference: None, bundle: None };
    let again = Settled::Again {
        due_at: Instant(9_000),
        error: "busy".to_owned(),
        unknown: true,
        bundle: None,
    };
    let failed = Settled::Failed { error: "no such number".to_owned(), unknown: false };
    for (id, outcome) in [(1, &sent), (2, &again), (3, &failed)] {
        let settle = |t: &mut fenliu::store::Transaction<'_>| {
            t.settle_messages(&[(MessageId(id), 1, outcome.clone())])
        };
        assert_eq!(writer.transaction(settle).unwrap(), 1);
        assert_eq!(writer.transaction(settle).unwrap() == 1, outcome == &again, "{outcome:?}");
    }
    assert!(claim(&mut writer, 8_999, 10).is_empty());
    assert_eq!(ids(&claim(&mut writer, 9_000, 10)), [2]);
    let get = |id| place.store.read(|r| r.message(MessageId(id))).unwrap().unwrap();
    assert_eq!((get(1).state, get(1).sent_at), (Delivery::Sent, Some(Instant(2_500))));
    assert_eq!((get(2).state, get(2).due_at), (Delivery::Waiting, Instant(9_000)));
    assert_eq!((get(2).unknowns, get(1).unknowns), (2, 0));
    assert_eq!((get(3).state, get(3).sent_at), (Delivery::Failed, None));
    let counts = place.store.read(|r| r.raw_counts()).unwrap();
    assert_eq!((counts.waiting_messages, counts.failed_messages), (1, 1));
    assert_eq!(counts.oldest_waiting, Some(Instant(1_000)));
}

fn a_late_sender_cannot_settle_what_another_took_over(place: &Place) {
    place.write(&opening([1])).unwrap();
    let mut writer = place.writer();
    let first = claim(&mut writer, 2_000, 1);
    let second = claim(&mut writer, 3_000, 1);
    let sent = Settled::Sent { at: Instant(3_100), reference: None, bundle: None };
    let mut settle = |claimed: &[Claimed]| {
        let message = &claimed[0].message;
        writer
            .transaction(|t| t.settle_messages(&[(message.id, message.attempts, sent.clone())]))
            .unwrap()
    };
    assert_eq!(settle(&first), 0);
    assert_eq!(settle(&second), 1);
    assert_eq!(settle(&second), 0);
}

fn two_senders_at_once_never_claim_the_same_message(place: &Place) {
    place.write(&opening(1..=100)).unwrap();
    let take = || {
        let mut writer = place.writer();
        let mut taken = Vec::new();
        loop {
            let claimed = claim(&mut writer, 2_000, 7);
            if claimed.is_empty() {
                return taken;
            }
            taken.extend(ids(&claimed));
        }
    };
    let (mut all, more) = thread::scope(|scope| {
        let one = scope.spawn(take);
        let other = scope.spawn(take);
        (one.join().unwrap(), other.join().unwrap())
    });
    all.extend(more);
    all.sort_unstable();
    assert_eq!(all, (1..=100).collect::<Vec<_>>());
}

fn messages_are_listed_by_instance_and_by_person(place: &Place) {
    let mut batch = opening([1, 2]);
    let messages = (10..=15).map(|id| {
        let mut one = message(id, 1, 1, 2_000);
        one.to = Recipient::Person(PersonId(id % 2));
        one
    });
    batch.messages = messages.collect();
    place.write(&batch).unwrap();
    place.write(&Batch::default()).unwrap();
    let list = |filter: &MessageFilter, limit| {
        let found = place.store.read(|r| r.messages(filter, limit)).unwrap();
        found.into_iter().map(|one| one.id.0).collect::<Vec<_>>()
    };
    let of_instance = MessageFilter { instance: Some(InstanceId(1)), ..Default::default() };
    assert_eq!(list(&of_instance, 4), [15, 14, 13, 12]);
    let next = MessageFilter { before: Some(MessageId(12)), ..of_instance };
    assert_eq!(list(&next, 4), [11, 10]);
    let of_person = MessageFilter { person: Some(PersonId(1)), ..Default::default() };
    assert_eq!(list(&of_person, 9), [15, 13, 11]);
    let sent = MessageFilter { state: Some(Delivery::Sent), ..of_person };
    assert!(list(&sent, 9).is_empty());
}
