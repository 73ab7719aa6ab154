//! Messages leave once, are tried again, and are given up aloud.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use fenliu::channel::{Channel, Console, Letter, Log, Outcome, guard};
use fenliu::domain::{Delivery, MessageId};
use fenliu::scheduler::outbox::{Options, Outbox, Strays};
use fenliu::scheduler::{Lines, Next, Poll, Scheduler};
use futures_util::future::BoxFuture;
use serde_json::Value as Json;

use super::house::{House, LEADER, LIAISON, at, run, turn};

/// A channel that answers what it was told to, then accepts; for the message
/// `hang` it waits until it is released.
#[derive(Default)]
struct Played {
    answers: Mutex<VecDeque<Outcome>>,
    hang: Option<MessageId>,
    released: tokio::sync::Notify,
    taken: Mutex<Vec<(MessageId, i64)>>,
}

impl Played {
    fn that(answers: impl IntoIterator<Item = Outcome>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    fn taken(&self) -> Vec<(MessageId, i64)> {
        self.taken.lock().unwrap().clone()
    }
}

impl Channel for Played {
    fn name(&self) -> &'static str {
        "played"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            if self.hang == Some(letter.id) {
                self.released.notified().await;
            }
            self.taken.lock().unwrap().push((letter.id, letter.attempt));
            self.answers.lock().unwrap().pop_front().unwrap_or(Outcome::ACCEPTED)
        })
    }
}

fn refused(permanent: bool) -> Outcome {
    Outcome::Refused { permanent, why: "the gateway says no".to_owned() }
}

fn outbox(house: &House, channel: &Arc<Played>) -> Outbox {
    let channel: Arc<Played> = Arc::clone(channel);
    Outbox::new(house.duty.clone(), "sms", channel, Options::default())
}

/// A house with one matter overdue: three messages.
async fn overdue() -> House {
    let house = House::new();
    house.register("ordinary").await;
    house.set("2026-03-02T11:00:00+08:00");
    house.run_clocks(&mut house.clocks()).await;
    let people: Vec<_> = house.messages().iter().filter_map(|one| one.to.person()).collect();
    assert_eq!(people, [LIAISON, LIAISON, LEADER]);
    house
}

fn states(house: &House) -> Vec<Delivery> {
    house.messages().iter().map(|one| one.state).collect()
}

#[test]
fn a_message_leaves_once() {
    run(async {
        let mut house = overdue().await;
        let channel = Played::that([]);
        turn(&mut outbox(&house, &channel)).await;
        house.restarted();
        turn(&mut outbox(&house, &channel)).await;
        let ids: Vec<_> = house.messages().iter().map(|one| (one.id, 1)).collect();
        assert_eq!(channel.taken(), ids);
        assert_eq!(states(&house), [Delivery::Sent; 3]);
        assert_eq!(house.messages()[0].sent_at, Some(at("2026-03-02T11:00:00+08:00")));
        assert!(house.alarms().is_empty());
    });
}

#[test]
fn the_graver_matter_is_told_first() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let grave = house.register("extraordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let channel = Played::that([]);
        turn(&mut outbox(&house, &channel)).await;
        let first = channel.taken()[0].0;
        let told = house.messages().into_iter().find(|one| one.id == first).unwrap();
        assert_eq!(told.instance, Some(grave));
    });
}

#[test]
fn a_failed_attempt_is_repeated_later_and_the_others_are_not_held_up() {
    run(async {
        let house = overdue().await;
        let unknown = Outcome::Unknown { why: "the line broke".to_owned() };
        let channel = Played::that([refused(false), unknown]);
        let mut outbox = outbox(&house, &channel);
        let Next::At(again) = turn(&mut outbox).await else { panic!("it does not wait") };
        assert_eq!(states(&house), [Delivery::Waiting, Delivery::Waiting, Delivery::Sent]);
        let now = at("2026-03-02T11:00:00+08:00");
        assert!(again >= now.plus(5_000) && again <= now.plus(6_250), "{again}");
        turn(&mut outbox).await;
        assert_eq!(channel.taken().len(), 3, "it was tried too early");
        house.clock.set(now.plus(7_000));
        turn(&mut outbox).await;
        assert_eq!(states(&house), [Delivery::Sent; 3]);
        let attempts: Vec<_> = channel.taken().iter().map(|(_, attempt)| *attempt).collect();
        assert_eq!(attempts, [1, 1, 1, 2, 2]);
        assert_eq!(house.duty.figures.messages_unknown.get(), 1);
        assert_eq!(house.duty.figures.messages_retried.get(), 2);
        assert!(house.alarms().is_empty());
    });
}

#[test]
fn a_message_that_cannot_be_delivered_is_given_up_with_an_alarm() {
    run(async {
        let house = overdue().await;
        let channel = Played::that(vec![refused(false); 500]);
        let mut outbox = outbox(&house, &channel);
        let mut next = turn(&mut outbox).await;
        while let Next::At(at) = next {
            house.clock.set(at);
            next = turn(&mut outbox).await;
        }
        assert_eq!(states(&house)[..3], [Delivery::Failed; 3]);
        let tries = channel.taken().len();
        assert!((30..150).contains(&tries), "{tries} attempts in two hours");
        let alarms = house.alarms();
        assert_eq!(alarms.len(), 1, "one open alarm for each matter: {alarms:?}");
        assert_eq!(alarms[0].0, "message_failed");
        assert!(alarms[0].2.ends_with("the gateway says no"), "{alarms:?}");
    });
}

#[test]
fn a_permanent_refusal_is_not_repeated() {
    run(async {
        let house = overdue().await;
        let channel = Played::that([refused(true)]);
        turn(&mut outbox(&house, &channel)).await;
        assert_eq!(states(&house)[..3], [Delivery::Failed, Delivery::Sent, Delivery::Sent]);
        assert_eq!(house.alarm_kinds(), ["message_failed"]);
        // The person's next channel takes its place; what failed changes nothing for others.
        let next = house.messages().pop().unwrap();
        assert_eq!((next.channel.as_str(), next.state), ("email", Delivery::Waiting));
        assert_eq!(next.instead_of, Some(house.messages()[0].id));
    });
}

// Check 33.
#[test]
fn a_message_that_hangs_does_not_hold_up_the_others() {
    run(async {
        let house = overdue().await;
        let hang = Some(house.messages()[0].id);
        let channel = Arc::new(Played { hang, ..Played::default() });
        let mut outbox = outbox(&house, &channel);
        outbox.poll().await;
        assert_eq!(states(&house), [Delivery::Waiting, Delivery::Sent, Delivery::Sent]);
        channel.released.notify_one();
        outbox.finish().await;
        assert_eq!(states(&house), [Delivery::Sent; 3]);
    });
}

#[test]
fn messages_of_a_channel_that_nobody_configured_are_given_up_aloud() {
    run(async {
        let house = overdue().await;
        let mut strays =
            Strays::new(house.duty.clone(), ["email".to_owned()].into(), Options::default());
        turn(&mut strays).await;
        assert_eq!(states(&house)[..3], [Delivery::Failed; 3]);
        let detail = house.alarms().remove(0).2;
        assert!(detail.ends_with("no channel `sms` is configured"), "{detail}");
    });
}

#[test]
fn the_log_holds_a_line_for_each_message_with_addresses_masked() {
    run(async {
        let house = overdue().await;
        let path = house.folder.join("messages.log");
        let log = Arc::new(Log::open(&path).unwrap());
        turn(&mut Outbox::new(house.duty.clone(), "sms", log, Options::default())).await;
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Json> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["address"], "*********72");
        assert!(lines[0]["text"].as_str().unwrap().ends_with("时限过半"));
        assert!(!text.contains("13812345672"));
    });
}

#[test]
fn the_whole_scheduler_starts_does_its_work_and_stops() {
    run(async {
        let house = House::new();
        house.register("ordinary").await;
        let channel: Arc<Played> = Played::that([]);
        let sms: Arc<dyn Channel> = channel.clone();
        let console: Arc<dyn Channel> = Arc::new(Console);
        let channels = [("sms".to_owned(), sms), ("console".to_owned(), console)].into();
        house.set("2026-03-02T11:00:00+08:00");
        let scheduler = Scheduler::start(
            house.gate.clone(),
            Lines { channels, ..Lines::default() },
            &[],
            fenliu::scheduler::Options::default(),
        );
        let scheduler = scheduler.unwrap();
        let figures = scheduler.figures();
        while figures.messages_sent.get() < 3 {
            tokio::task::yield_now().await;
        }
        scheduler.stop().await;
        assert_eq!(states(&house), [Delivery::Sent; 3]);
        assert_eq!(figures.loops_restarted.get(), 0);
    });
}

#[test]
fn a_matter_that_cannot_be_told_keeps_no_other_message_waiting() {
    run(async {
        let house = overdue().await;
        let mute = house.messages()[0].instance.unwrap();
        // Its next event's place is taken: what it is told cannot be written.
        house.damage(&format!(
            "INSERT INTO event (position, instance_id, seq, jurisdiction_id, at, kind, actor, body, \
             hash) SELECT position + 1000000, instance_id, seq + 1, jurisdiction_id, at, kind, \
             actor, body, hash FROM event WHERE instance_id = {mute} ORDER BY seq DESC LIMIT 1"
        ));
        let channel = Played::that([refused(true)]);
        let mut outbox = outbox(&house, &channel);
        turn(&mut outbox).await;
        let other = house.register("ordinary").await;
        house.set("2026-03-02T11:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        for _ in 0..3 {
            outbox.poll().await;
        }
        let all = house.messages();
        let told = all.iter().find(|one| one.instance == Some(other)).unwrap();
        assert_eq!(told.state, Delivery::Sent);
        // What could not be recorded is sent once more when its claim has run out.
        assert_eq!(all[0].state, Delivery::Sent);
        let sent = all.iter().filter(|one| one.state == Delivery::Sent).count();
        assert_eq!(house.duty.figures.messages_sent.get(), u64::try_from(sent).unwrap());
    });
}

#[test]
fn a_letter_that_cannot_be_addressed_does_not_use_up_the_try_of_a_channel_that_rests() {
    run(async {
        let house = overdue().await;
        let channel = Played::that(vec![refused(false); 3]);
        let guard = guard::Options { failures: 3, ..guard::Options::default() };
        let mut outbox = outbox(&house, &channel).guarded(guard);
        turn(&mut outbox).await;
        assert_eq!(house.gate.figures().channels()["sms"].breaker, "open");
        // Whoever the two first letters are for has left meanwhile.
        let directory = house.gate.registry().directory(house.jurisdiction).unwrap();
        let mut left = directory.people[&LIAISON].clone();
        left.active = false;
        let caller = fenliu::gate::Caller {
            actor: fenliu::domain::Actor::System,
            jurisdiction: house.jurisdiction,
        };
        house.gate.put_person(&caller, &left).unwrap();
        let stays = house.messages()[2].id;
        house.set("2026-03-02T11:01:00+08:00");
        for _ in 0..6 {
            outbox.poll().await;
        }
        assert_eq!(channel.taken().last(), Some(&(stays, 2)), "within the same second");
    });
}

/// A house in which people get summaries, with a few alerts that have waited for one.
fn summaries() -> (House, fenliu::gate::Gate) {
    let house = House::new();
    let gate = fenliu::gate::Gate::open(fenliu::gate::Parts {
        store: house.store.clone(),
        clock: Arc::<fenliu::clock::StillClock>::clone(&house.clock),
        entropy: |bytes: &mut [u8]| bytes.fill(7),
        batch_max: 64,
        alerts: fenliu::gate::AlertRules::default(),
    });
    (house, gate.unwrap())
}

#[test]
fn a_summary_of_which_nobody_knows_whether_it_arrived_leaves_again_as_it_was() {
    run(async {
        let (mut house, gate) = summaries();
        house.gate = gate.clone();
        house.duty = fenliu::scheduler::Duty::new(gate);
        for _ in 0..3 {
            house.register("ordinary").await;
        }
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let lost = Outcome::Unknown { why: "the line broke".to_owned() };
        let channel = Played::that([Outcome::ACCEPTED, lost]);
        let mut outbox = outbox(&house, &channel);
        let mut next = turn(&mut outbox).await;
        // The first leaves at once; the two others wait for a summary, which is lost on its way.
        while channel.taken().len() < 2 {
            let Next::At(at) = next else { panic!("nothing waits") };
            house.clock.set(at);
            next = turn(&mut outbox).await;
        }
        let summary = channel.taken()[1].0;
        let bundled = house.messages().iter().filter(|one| one.bundle == Some(summary)).count();
        assert_eq!(bundled, 2);
        // Something new comes up for the same person before the second try.
        house.register("ordinary").await;
        while channel.taken().len() < 3 {
            let Next::At(at) = next else { panic!("nothing waits") };
            house.clock.set(at);
            next = turn(&mut outbox).await;
        }
        assert_eq!(channel.taken()[2].0, summary, "under the same id");
        let all = house.messages();
        let together: Vec<_> = all.iter().filter(|one| one.bundle == Some(summary)).collect();
        assert_eq!(together.len(), 2);
        assert!(together.iter().all(|one| one.state == Delivery::Sent && one.unknowns == 1));
    });
}

#[test]
fn a_claim_whose_sender_died_counts_as_a_possible_second_copy() {
    run(async {
        let house = overdue().await;
        assert_eq!(house.gate.claim_messages("sms", 10, 60_000).unwrap().len(), 3);
        house.set("2026-03-02T11:02:00+08:00");
        let channel = Played::that([]);
        turn(&mut outbox(&house, &channel)).await;
        assert_eq!(channel.taken().len(), 3);
        assert_eq!(house.duty.figures.messages_unknown.get(), 3);
        assert_eq!(house.gate.figures().channels()["sms"].unknown, 3);
        assert!(house.messages().iter().all(|one| one.error.is_none() && one.unknowns == 1));
    });
}
