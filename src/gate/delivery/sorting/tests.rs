use super::*;
use crate::domain::{Delivery, InstanceId, JurisdictionId, MessageId, Recipient, SubscriptionId};

const MINUTE: i64 = 60_000;
const NOW: Instant = Instant(1_000 * MINUTE);
const ANN: PersonId = PersonId(1);
const BEN: PersonId = PersonId(2);

/// An ordinary alert by SMS that was written just now.
fn alert(id: i64, to: PersonId) -> Message {
    Message {
        id: MessageId(id),
        jurisdiction: JurisdictionId(1),
        instance: Some(InstanceId(id)),
        seq: 1,
        to: Recipient::Person(to),
        channel: "sms".to_owned(),
        kind: Kind::Alert,
        tier: 1,
        urgent: false,
        clock: None,
        offer: None,
        subject: String::new(),
        body: String::new(),
        created_at: NOW,
        due_at: NOW,
        deadline_at: NOW.plus(120 * MINUTE),
        attempts: 1,
        unknowns: 0,
        state: Delivery::Waiting,
        sent_at: None,
        reference: None,
        delivered_at: None,
        acknowledged_at: None,
        instead_of: None,
        bundle: None,
        error: None,
    }
}

fn urgent(id: i64, to: PersonId) -> Message {
    Message { tier: 3, urgent: true, ..alert(id, to) }
}

/// One that was made to wait until now.
fn waited(id: i64, to: PersonId) -> Message {
    Message { created_at: NOW.plus(-MINUTE), ..alert(id, to) }
}

struct Case {
    bundle_ms: i64,
    last_sent: BTreeMap<PersonId, Instant>,
    quiet: BTreeMap<PersonId, Instant>,
}

impl Case {
    fn usual() -> Self {
        Self { bundle_ms: MINUTE, last_sent: BTreeMap::new(), quiet: BTreeMap::new() }
    }

    /// What leaves, by id; and what waits, until how many milliseconds from now.
    fn sorted(&self, messages: Vec<Message>) -> (Vec<Vec<i64>>, Vec<(i64, i64)>) {
        let lease_until = NOW.plus(MINUTE);
        let claimed = messages.into_iter().map(|message| Claimed { message, lease_until });
        let (parcels, back) = sort(
            claimed.collect(),
            &Habits {
                now: NOW,
                bundle_ms: self.bundle_ms,
                patience_ms: 120 * MINUTE,
                last_sent: self.last_sent.clone(),
                disturb_from: &|person| self.quiet.get(&person).copied(),
            },
        );
        let ids = |parcel: Parcel| parcel.messages.iter().map(|one| one.id.0).collect();
        for one in &back {
            assert!(one.deadline_at >= one.due_at.plus(120 * MINUTE), "{one:?} is given up early");
            assert_eq!(one.attempts, 1, "the claim that is given back");
        }
        let waits = back.iter().map(|one| (one.id.0, one.due_at.since(NOW)));
        (parcels.into_iter().map(ids).collect(), waits.collect())
    }
}

#[test]
fn the_first_alert_leaves_at_once_and_those_that_come_with_it_a_minute_later() {
    let (leave, wait) = Case::usual().sorted(vec![alert(1, ANN), alert(2, ANN), alert(3, BEN)]);
    assert_eq!(leave, [vec![1], vec![3]]);
    assert_eq!(wait, [(2, MINUTE)]);
}

#[test]
fn what_has_waited_leaves_together_with_what_has_come_since() {
    let (leave, wait) = Case::usual().sorted(vec![waited(1, ANN), waited(2, ANN), alert(3, ANN)]);
    assert_eq!(leave, [vec![1, 2, 3]]);
    assert_eq!(wait, []);
}

#[test]
fn whoever_was_just_sent_something_gets_the_next_when_the_minute_is_over() {
    let last_sent = [(ANN, NOW.plus(-20_000))].into();
    let case = Case { last_sent, ..Case::usual() };
    let (leave, wait) = case.sorted(vec![alert(1, ANN), alert(2, BEN), alert(3, ANN)]);
    assert_eq!(leave, [vec![2]]);
    assert_eq!(wait, [(1, 40_000), (3, 40_000)]);
    let case = Case { last_sent: [(ANN, NOW.plus(-MINUTE))].into(), ..case };
    assert_eq!(case.sorted(vec![alert(1, ANN)]).0, [vec![1]], "the minute is over");
}

#[test]
fn urgent_ones_leave_at_once_and_alone_whatever_else_there_is() {
    let case = Case {
        last_sent: [(ANN, NOW.plus(-1_000))].into(),
        quiet: [(ANN, NOW.plus(8 * 60 * MINUTE))].into(),
        ..Case::usual()
    };
    let claimed = vec![urgent(1, ANN), urgent(2, ANN), alert(3, ANN)];
    let (leave, wait) = case.sorted(claimed);
    assert_eq!(leave, [vec![1], vec![2]]);
    assert_eq!(wait, [(3, 8 * 60 * MINUTE)], "the quiet time is longer than the minute");
}

#[test]
fn an_urgent_one_takes_no_place_in_a_summary() {
    let claimed = vec![urgent(9, ANN), waited(1, ANN), waited(2, ANN), urgent(8, ANN)];
    let (leave, wait) = Case::usual().sorted(claimed);
    assert_eq!(leave, [vec![9], vec![1, 2], vec![8]]);
    assert_eq!(wait, []);
}

#[test]
fn in_quiet_hours_less_urgent_ones_wait_for_the_morning_and_are_not_given_up_before() {
    let morning = NOW.plus(7 * 60 * MINUTE);
    let case = Case { quiet: [(ANN, morning)].into(), ..Case::usual() };
    let (leave, wait) = case.sorted(vec![alert(1, ANN), alert(2, BEN)]);
    assert_eq!((leave, wait), (vec![vec![2]], vec![(1, 7 * 60 * MINUTE)]));
    let over = Case { quiet: [(ANN, NOW)].into(), ..Case::usual() };
    assert_eq!(over.sorted(vec![alert(1, ANN)]).0, [vec![1]], "a quiet time that is just over");
}

#[test]
fn a_house_without_summaries_sends_each_alert_by_itself() {
    let case = Case { bundle_ms: 0, last_sent: [(ANN, NOW)].into(), ..Case::usual() };
    let (leave, wait) = case.sorted(vec![waited(1, ANN), alert(2, ANN), alert(3, ANN)]);
    assert_eq!((leave, wait), (vec![vec![1], vec![2], vec![3]], vec![]));
}

#[test]
fn codes_answers_pages_and_systems_are_never_made_to_wait() {
    let code = Message { kind: Kind::Code, instance: None, ..alert(1, ANN) };
    let page = Message { channel: "console".to_owned(), ..alert(2, ANN) };
    let system = Message { to: Recipient::Subscription(SubscriptionId(1)), ..alert(3, ANN) };
    let case = Case {
        last_sent: [(ANN, NOW)].into(),
        quiet: [(ANN, NOW.plus(MINUTE))].into(),
        ..Case::usual()
    };
    let (leave, wait) = case.sorted(vec![code, page, system]);
    assert_eq!((leave, wait), (vec![vec![1], vec![2], vec![3]], vec![]));
}
