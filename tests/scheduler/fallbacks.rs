//! Nobody counts as reached by what reached nobody: bounces, screens, summaries, other steps' words.

use std::sync::Arc;

use fenliu::channel::{Channel, Incoming, Letter, Outcome};
use fenliu::domain::{Delivery, Event, InstanceId, Kind, Message, MessageId, Value};
use fenliu::gate::Settled;
use fenliu::scheduler::Poll;
use fenliu::scheduler::inbox::Inbox;
use fenliu::scheduler::outbox::{Options, Outbox};
use futures_util::future::BoxFuture;

use super::house::{House, LIAISON, WORKFLOW, run, turn};

/// A channel that takes nothing, ever.
struct Never;

impl Channel for Never {
    fn name(&self) -> &'static str {
        "never"
    }

    fn send<'a>(&'a self, _letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        Box::pin(std::future::ready(Outcome::never("no such address")))
    }
}

async fn refuses(house: &House, name: &str) {
    turn(&mut Outbox::new(house.duty.clone(), name, Arc::new(Never), Options::default())).await;
}

/// Marks messages as handed over in one letter that the gateway calls so.
fn sent_together(house: &House, messages: &[Message], reference: &str) {
    let bundle = (messages.len() > 1).then(|| messages[0].id);
    let endings: Vec<_> = messages
        .iter()
        .map(|message| {
            let reference = Some(reference.to_owned());
            (message.id, 0, Settled::Sent { at: house.gate.now(), reference, bundle })
        })
        .collect();
    house.gate.settle_messages(&endings, &[]).unwrap();
}

async fn receives(house: &House, incoming: Incoming) {
    let (sender, arrivals) = fenliu::channel::inbox(16);
    sender.try_send(incoming).unwrap();
    Inbox::new(house.duty.clone(), "sms", arrivals).poll().await;
}

fn bounce(reference: &str) -> Incoming {
    let why = "UNDELIV".to_owned();
    Incoming::Receipt { reference: reference.to_owned(), delivered: false, why }
}

/// How often the matter was told that a step had reached nobody.
fn deaths(house: &House, id: InstanceId) -> usize {
    let dead = |event: &&Event| event.command.input.get("dead") == Some(&Value::Bool(true));
    house.events(id).iter().filter(dead).count()
}

#[test]
fn when_a_summary_bounces_every_alert_in_it_goes_by_the_next_channel() {
    run(async {
        let house = House::new();
        for _ in 0..3 {
            house.register("ordinary").await;
        }
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let told = house.messages();
        assert_eq!(told.len(), 3);
        sent_together(&house, &told, "r-1");
        receives(&house, bounce("r-1")).await;
        let all = house.messages();
        let (first, rest) = all.split_at(3);
        assert!(first.iter().all(|one| one.state == Delivery::Failed), "{first:?}");
        let instead: Vec<_> = rest.iter().map(|one| one.instead_of).collect();
        assert_eq!(instead, told.iter().map(|one| Some(one.id)).collect::<Vec<_>>());
        assert!(rest.iter().all(|one| one.channel == "email"));
        assert_eq!(house.alarm_kinds(), ["message_failed"; 3]);
    });
}

#[test]
fn a_screen_that_nobody_need_look_at_reaches_nobody() {
    run(async {
        let house = House::of(&[WORKFLOW.replace("via: [sms]", "via: [sms, console]")]);
        let id = house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        turn(&mut Outbox::new(
            house.duty.clone(),
            "console",
            Arc::new(fenliu::channel::Console),
            Options::default(),
        ))
        .await;
        refuses(&house, "sms").await;
        assert_eq!(deaths(&house, id), 0, "the mail is still to come");
        refuses(&house, "email").await;
        assert_eq!(deaths(&house, id), 1);
    });
}

#[test]
fn a_matter_is_urgent_also_where_its_workflow_says_so() {
    run(async {
        let text = WORKFLOW
            .replace("parties: [desk]", "parties: [desk]\nurgent: \"or(place, '') == '河边'\"");
        let house = House::of(&[text]);
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let told = house.messages().remove(0);
        assert!(told.urgent);
        assert_eq!(told.deadline_at, told.created_at.plus(5 * 60_000));
        let text = WORKFLOW
            .replace("parties: [desk]", "parties: [desk]\nurgent: \"or(place, '') == '山上'\"");
        let house = House::of(&[text]);
        house.register("ordinary").await;
        house.register("larger").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let mut told: Vec<_> = house.messages().iter().map(|one| (one.tier, one.urgent)).collect();
        told.sort_unstable();
        assert_eq!(told, [(1, false), (2, true)], "by its tier all the same");
    });
}

#[test]
fn a_message_of_the_house_that_bounces_goes_by_the_next_channel() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let alert = house.messages().remove(0);
        let mut digest = Message { instance: None, kind: Kind::Digest, ..alert };
        let mut writer = house.store.writer().unwrap();
        writer
            .transaction(|transaction| {
                digest.id = MessageId(transaction.reserve_ids("message", 1)?);
                transaction.add_messages(std::slice::from_ref(&digest))
            })
            .unwrap();
        drop(writer);
        sent_together(&house, std::slice::from_ref(&digest), "r-2");
        receives(&house, bounce("r-2")).await;
        let next = house.messages().pop().unwrap();
        assert_eq!((next.channel.as_str(), next.to.person()), ("email", Some(LIAISON)));
        assert_eq!(next.instead_of, Some(digest.id));
    });
}

#[test]
fn what_a_transition_tells_others_does_not_count_for_the_step_told_with_it() {
    run(async {
        let text = WORKFLOW.replace(
            "on: { clock.handle: { to: late } }",
            "on: { clock.handle: { to: late, tell: [{ to: [desk.dispatcher], via: [console, email], text: over }] } }",
        );
        let house = House::of(&[text]);
        let id = house.register("ordinary").await;
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        // The dispatcher's mail is delivered; liaison and leader are reached by nothing.
        let to_dispatcher =
            house.messages().into_iter().find(|one| one.channel == "email").unwrap();
        sent_together(&house, &[to_dispatcher], "m-1");
        refuses(&house, "sms").await;
        refuses(&house, "email").await;
        assert_eq!(deaths(&house, id), 2, "at half time, and when it was due");
    });
}

#[test]
fn a_receipt_waits_for_the_store_however_long_it_is_away_and_new_ones_are_not_taken() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        sent_together(&house, &house.messages(), "r-3");
        let (sender, arrivals) = fenliu::channel::inbox(1);
        let mut inbox = Inbox::new(house.duty.clone(), "sms", arrivals);
        // No patience at all with what cannot be done: only the store excuses it.
        inbox = inbox.patient(std::time::Duration::ZERO);
        for table in ["message", "alarm"] {
            house.damage_some(&format!("ALTER TABLE {table} RENAME TO {table}_away"));
        }
        sender.try_send(bounce("r-3")).unwrap();
        for _ in 0..5 {
            inbox.poll().await;
        }
        sender.try_send(bounce("r-4")).unwrap();
        inbox.poll().await;
        assert!(sender.try_send(bounce("r-5")).is_err(), "full: the gateway shall bring it again");
        assert_eq!(house.duty.figures.arrivals_lost.get(), 0);
        for table in ["message", "alarm"] {
            house.damage_some(&format!("ALTER TABLE {table}_away RENAME TO {table}"));
        }
        inbox.poll().await;
        assert_eq!(house.messages()[0].state, Delivery::Failed);
        assert_eq!(house.alarm_kinds(), ["message_failed"]);
    });
}

#[test]
fn what_cannot_be_done_although_the_store_works_is_given_up_aloud() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        sent_together(&house, &house.messages(), "r-6");
        house.damage("UPDATE instance SET data = 'x'");
        let (sender, arrivals) = fenliu::channel::inbox(4);
        let mut inbox = Inbox::new(house.duty.clone(), "sms", arrivals);
        inbox = inbox.patient(std::time::Duration::ZERO);
        sender.try_send(bounce("r-6")).unwrap();
        inbox.poll().await;
        inbox.poll().await;
        assert_eq!(house.alarm_kinds(), ["arrival_lost.sms"]);
        assert_eq!(house.duty.figures.arrivals_lost.get(), 1);
    });
}
