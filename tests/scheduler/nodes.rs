//! Two nodes on one PostgreSQL database: everything happens once, and whichever node is left goes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fenliu::channel::{Channel, Letter, Outcome};
use fenliu::config::job::{Does, Job};
use fenliu::domain::{Actor, Delivery, InstanceId, MessageId, Person, Scope};
use fenliu::gate::{Attempt, Caller, Gate, Known, NewAccount, NewToken, Session, SignIn, verify};
use fenliu::scheduler::jobs::{Jobs, Plan};
use fenliu::scheduler::outbox::{Options as Sending, Outbox};
use fenliu::scheduler::watch::Watch;
use fenliu::scheduler::{Lines, Next, Options, Poll, Scheduler};
use futures_util::future::{BoxFuture, join};

use super::house::{House, LEADER, at, run, turn};
use crate::http::accounts::{PASSWORD, device};
use crate::store::postgres;

/// A channel that writes down what both nodes hand over.
#[derive(Default)]
struct Written(Mutex<Vec<MessageId>>);

impl Channel for Written {
    fn name(&self) -> &'static str {
        "sms"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        Box::pin(async move {
            self.0.lock().unwrap().push(letter.id);
            Outcome::ACCEPTED
        })
    }
}

impl Written {
    fn ids(&self) -> Vec<MessageId> {
        let mut ids = self.0.lock().unwrap().clone();
        ids.sort();
        ids
    }
}

fn nodes() -> (House, House) {
    let url = postgres::migrated_database();
    let one = House::at(&url);
    let two = House::next_to(&one, &url);
    (one, two)
}

/// Matters registered at both nodes in turn.
async fn registered(one: &House, two: &House, count: usize) -> Vec<InstanceId> {
    let mut all = Vec::new();
    for index in 0..count {
        let node = if index % 2 == 0 { one } else { two };
        all.push(node.register("ordinary").await);
    }
    all
}

/// How often the clock of each matter fired.
fn fired(house: &House) -> BTreeMap<InstanceId, usize> {
    let mut fired = BTreeMap::new();
    for (id, _) in house.firings() {
        *fired.entry(id).or_default() += 1;
    }
    fired
}

fn each(all: &[InstanceId], times: usize) -> BTreeMap<InstanceId, usize> {
    all.iter().map(|id| (*id, times)).collect()
}

fn outbox(house: &House, channel: &Arc<Written>) -> Outbox {
    let channel: Arc<Written> = Arc::clone(channel);
    Outbox::new(house.duty.clone(), "sms", channel, Sending::default())
}

// Check 6.
#[test]
fn rights_taken_away_at_one_node_are_gone_at_the_other_within_five_seconds() {
    run(async {
        let (one, two) = nodes();
        let system = Caller { actor: Actor::System, jurisdiction: one.jurisdiction };
        let (label, scope) = ("test".to_owned(), Scope::default());
        let new = NewToken { person: LEADER, label, expires_at: None, scope };
        let token = one.gate.issue_token(&system, &new).unwrap().secret;
        let mut watch = Watch::new(two.duty.clone());
        let next = turn(&mut watch).await;
        assert!(matches!(next, Next::In(wait) if wait <= Duration::from_secs(5)), "{next:?}");
        let grants = |known: Known| known.caller.actor.grants().len();
        assert_eq!(grants(two.gate.bearer(&token).unwrap()), 1);
        let directory = one.gate.registry().directory(one.jurisdiction).unwrap();
        let leader = directory.people[&LEADER].clone();
        one.gate.put_person(&system, &Person { grants: Vec::new(), ..leader.clone() }).unwrap();
        turn(&mut watch).await;
        assert_eq!(grants(two.gate.bearer(&token).unwrap()), 0);
        one.gate.put_person(&system, &Person { active: false, ..leader }).unwrap();
        turn(&mut watch).await;
        assert!(two.gate.bearer(&token).is_err());
    });
}

const HERE: &str = "10.0.0.1";
const OTHER: &str = "Matofali 9 ya bandari";

/// Gives somebody an account, or another password.
fn account(gate: &Gate, system: &Caller, password: &str) {
    let new = NewAccount { login: "leader".to_owned(), subject: None };
    let setup = gate.give_account(system, LEADER, &new).unwrap();
    let setup = setup.unwrap_or_else(|| gate.reset_account(system, LEADER, true).unwrap());
    gate.set_up("leader", &setup.code, password, HERE).unwrap();
}

/// What ends sessions and tokens of a person, each in its own words.
#[derive(Debug, Clone, Copy)]
enum Ends {
    SignedOut,
    SignedInAnew,
    DeviceSet,
    PasswordChanged,
    OtherRights,
    AccountReset,
    AccountTaken,
    LeftTheHouse,
}

impl Ends {
    fn happens(self, one: &House, system: &Caller, session: &Session) {
        let (gate, seen) = (&one.gate, &session.seen);
        let directory = gate.registry().directory(one.jurisdiction).unwrap();
        let leader = directory.people[&LEADER].clone();
        match self {
            Self::SignedOut => gate.sign_out(seen, HERE).unwrap(),
            Self::SignedInAnew => drop(sign_in(gate, PASSWORD, Some(&session.secret))),
            Self::DeviceSet => {
                let secret = gate.enrol(seen, PASSWORD, HERE).unwrap().secret;
                drop(gate.confirm(seen, &device(&secret, gate.now()), HERE).unwrap());
            }
            Self::PasswordChanged => gate.change_password(seen, PASSWORD, OTHER, HERE).unwrap(),
            Self::OtherRights => {
                drop(gate.put_person(system, &Person { grants: Vec::new(), ..leader }).unwrap());
            }
            Self::AccountReset => drop(gate.reset_account(system, LEADER, false).unwrap()),
            Self::AccountTaken => gate.take_account(system, LEADER).unwrap(),
            Self::LeftTheHouse => {
                drop(gate.put_person(system, &Person { active: false, ..leader }).unwrap());
            }
        }
    }
}

fn sign_in(gate: &Gate, password: &str, older: Option<&str>) -> Session {
    let wish = SignIn { login: "leader", password, code: None };
    gate.sign_in(wish, Attempt { from: HERE, older }).unwrap()
}

// Checks 6, 14.
#[test]
fn a_session_that_ends_at_one_node_is_over_at_the_other_within_five_seconds() {
    for ends in [
        Ends::SignedOut,
        Ends::SignedInAnew,
        Ends::DeviceSet,
        Ends::PasswordChanged,
        Ends::OtherRights,
        Ends::AccountReset,
        Ends::AccountTaken,
        Ends::LeftTheHouse,
    ] {
        run(async {
            let (one, two) = nodes();
            let (one, two) = (one.with_secrets(), two.with_secrets());
            let system = Caller { actor: Actor::System, jurisdiction: one.jurisdiction };
            account(&one.gate, &system, PASSWORD);
            let mut watch = Watch::new(two.duty.clone());
            turn(&mut watch).await;
            let session = sign_in(&one.gate, PASSWORD, None);
            for node in [&one, &two] {
                assert!(node.gate.session_at_hand(&session.secret).is_none());
                node.gate.session(&session.secret).unwrap();
                node.gate.session_at_hand(&session.secret).expect("memory knows").unwrap();
            }
            ends.happens(&one, &system, &session);
            assert!(one.gate.session(&session.secret).is_err(), "{ends:?}: in force at once");
            let next = turn(&mut watch).await;
            assert!(matches!(next, Next::In(wait) if wait <= Duration::from_secs(5)), "{next:?}");
            assert!(two.gate.session(&session.secret).is_err(), "{ends:?}");
        });
    }
}

// Checks 6, 15.
#[test]
fn a_token_that_is_revoked_at_one_node_is_worthless_at_the_other_within_five_seconds() {
    run(async {
        let (one, two) = nodes();
        let (one, two) = (one.with_secrets(), two.with_secrets());
        let system = Caller { actor: Actor::System, jurisdiction: one.jurisdiction };
        let mut watch = Watch::new(two.duty.clone());
        let new = |label: &str| NewToken {
            person: LEADER,
            label: label.to_owned(),
            expires_at: None,
            scope: Scope::default(),
        };
        let first = one.gate.issue_token(&system, &new("first")).unwrap();
        let second = one.gate.issue_token(&system, &new("second")).unwrap();
        turn(&mut watch).await;
        two.gate.bearer(&first.secret).unwrap();
        one.gate.revoke_token(&system, first.id).unwrap();
        turn(&mut watch).await;
        assert!(two.gate.bearer(&first.secret).is_err());
        two.gate.bearer(&second.secret).expect("nothing was said of this one");
        account(&one.gate, &system, PASSWORD);
        let session = sign_in(&one.gate, PASSWORD, None);
        one.gate.change_password(&session.seen, PASSWORD, OTHER, HERE).unwrap();
        turn(&mut watch).await;
        assert!(two.gate.bearer(&second.secret).is_err(), "another password ends all of them");
    });
}

#[test]
fn each_clock_fires_once_and_each_message_leaves_once() {
    run(async {
        let (one, two) = nodes();
        let all = registered(&one, &two, 30).await;
        one.set("2026-03-02T11:00:00+08:00");
        let (mut here, mut there) = (one.clocks(), two.clocks());
        // Whoever finds the other's claims waits for its next turn.
        for _ in 0..20 {
            join(one.run_clocks(&mut here), two.run_clocks(&mut there)).await;
            if fired(&one) == each(&all, 2) {
                break;
            }
        }
        assert_eq!(fired(&one), each(&all, 2), "half time and the due instant, once each");
        let count = |house: &House| house.duty.figures.clocks_fired.get();
        assert_eq!(count(&one) + count(&two), 60);
        let channel = Arc::new(Written::default());
        let (mut here, mut there) = (outbox(&one, &channel), outbox(&two, &channel));
        join(turn(&mut here), turn(&mut there)).await;
        here.finish().await;
        there.finish().await;
        let mut written: Vec<_> = two.messages().into_iter().map(|message| message.id).collect();
        written.sort();
        assert_eq!((written.len(), channel.ids()), (90, written));
        assert!(verify(&one.store, |_| ()).unwrap().is_sound());
        assert_eq!(one.alarms(), []);
    });
}

#[test]
fn each_occurrence_of_a_job_is_done_by_one_node() {
    run(async {
        let (one, two) = nodes();
        let job = |name: &str| Job {
            name: name.to_owned(),
            cron: "0 0 9 * * *".to_owned(),
            does: Does::DailyDigest,
            to: Vec::new(),
            days: 7,
        };
        let plan = Plan::new(&[job("digest"), job("other")]).unwrap();
        let jobs = |house: &House| Jobs::new(house.duty.clone(), plan.clone());
        let (mut here, mut there) = (jobs(&one), jobs(&two));
        for day in ["03", "04", "05"] {
            join(turn(&mut here), turn(&mut there)).await;
            one.set(&format!("2026-03-{day}T09:00:00+08:00"));
        }
        join(turn(&mut here), turn(&mut there)).await;
        let done = |house: &House| house.duty.figures.jobs_done.get();
        assert_eq!(done(&one) + done(&two), 6, "two jobs on three days");
    });
}

#[test]
fn what_a_node_had_claimed_when_it_died_is_done_by_the_other_when_the_claim_runs_out() {
    run(async {
        let (one, two) = nodes();
        let all = registered(&one, &two, 6).await;
        one.set("2026-03-02T10:30:00+08:00");
        assert_eq!(one.gate.due_clocks(100, 30_000).unwrap().clocks.len(), 6);
        let mut there = two.clocks();
        two.run_clocks(&mut there).await;
        assert_eq!(fired(&two), BTreeMap::new(), "they are the other node's");
        two.set("2026-03-02T10:30:31+08:00");
        two.run_clocks(&mut there).await;
        assert_eq!(fired(&two), each(&all, 1));
        assert_eq!(one.gate.claim_messages("sms", 100, 30_000).unwrap().len(), 6);
        let channel = Arc::new(Written::default());
        let mut there = outbox(&two, &channel);
        turn(&mut there).await;
        there.finish().await;
        assert_eq!(channel.ids(), []);
        two.set("2026-03-02T10:31:02+08:00");
        turn(&mut there).await;
        there.finish().await;
        assert_eq!(channel.ids().len(), 6);
    });
}

/// Wakes who sleeps, until so many clocks have fired and all that was told has left and is recorded
/// as sent: a claim that is not settled yet runs out when the time is moved, and its message would
/// rightly leave once more.
async fn wait_for(house: &House, all: &[InstanceId], times: usize, channel: &Written) {
    loop {
        house.gate.bell().notify_waiters();
        tokio::task::yield_now().await;
        // Asked first: what fires writes its messages with it, so that none is missed below.
        let fired = fired(house) == each(all, times);
        let told = house.messages();
        let left = channel.ids().len();
        let recorded = told.iter().all(|message| message.state == Delivery::Sent);
        if fired && told.len() == left && recorded {
            return;
        }
    }
}

#[test]
fn when_one_node_is_stopped_the_other_takes_over() {
    run(async {
        let (one, two) = nodes();
        let channel = Arc::new(Written::default());
        let start = |house: &House| {
            let sms: Arc<dyn Channel> = Arc::<Written>::clone(&channel);
            let channels = [("sms".to_owned(), sms)].into();
            Scheduler::start(
                house.gate.clone(),
                Lines { channels, ..Lines::default() },
                &[],
                Options::default(),
            )
            .unwrap()
        };
        let (first, second) = (start(&one), start(&two));
        let all = registered(&one, &two, 8).await;
        one.set("2026-03-02T11:00:00+08:00");
        join(wait_for(&one, &all, 2, &channel), wait_for(&two, &all, 2, &channel)).await;
        first.stop().await;
        two.set("2026-03-03T09:00:00+08:00");
        wait_for(&two, &all, 3, &channel).await;
        second.stop().await;
        let mut told: Vec<_> = two.messages().into_iter().map(|message| message.id).collect();
        told.sort();
        assert_eq!(channel.ids(), told, "each message left once");
        assert!(verify(&two.store, |_| ()).unwrap().is_sound());
        assert_eq!(
            two.gate.due_clocks(100, 0).unwrap().clocks,
            [],
            "{:?}",
            at("2026-03-03T09:00:00+08:00")
        );
    });
}

#[test]
fn a_node_that_has_nothing_to_do_looks_again_when_the_other_may_have_died() {
    run(async {
        let (one, two) = nodes();
        registered(&one, &two, 2).await;
        one.set("2026-03-02T10:30:00+08:00");
        one.gate.due_clocks(100, 30_000).unwrap();
        let next = two.run_clocks(&mut two.clocks()).await;
        assert!(matches!(next, Next::In(wait) if wait.as_secs() <= 30), "{next:?}");
    });
}
