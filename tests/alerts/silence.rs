//! A ladder never ends in silence. Random nights: people who are missing, have no address, are not on
//! duty or not active; channels that refuse, say nothing or are down. Whatever comes, each alert was
//! really handed over, or was acknowledged, or an operator alarm was told to somebody, and the ladder
//! goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use fenliu::channel::{Channel, Console, INBOX_MAX, Incoming, Letter, Outcome, guard};
use fenliu::clock::StillClock;
use fenliu::domain::person::Quiet;
use fenliu::domain::roster::Cover;
use fenliu::domain::{
    Actor, Delivery, Directory, Event, Grant, InstanceId, Instant, Kind, Message, MessageId,
    Person, PersonId, Role, Roster, Rotation, Text, Unit,
};
use fenliu::gate::{
    Alarm, AlertRules, Caller, Gate, MessageFilter, Parts, Request, Settled, Target,
};
use fenliu::scheduler::alarms::Alarms;
use fenliu::scheduler::clocks::Clocks;
use fenliu::scheduler::inbox::Inbox;
use fenliu::scheduler::outbox::{Options as Sending, Outbox};
use fenliu::scheduler::{Duty, Next, Poll};
use fenliu::store::{Options, Store};
use futures_util::future::BoxFuture;
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::county::{shipped_calendar, shipped_workflows};
use crate::channel::run;

/// Who may be there, and how often at most.
const POSTS: [(&str, Role); 9] = [
    ("guotu", Role::Liaison),
    ("guotu", Role::Leader),
    ("gongan", Role::ShiftLeader),
    ("gongan", Role::Liaison),
    ("gongan", Role::Leader),
    ("yingji", Role::Duty),
    ("yingji", Role::Duty),
    ("yingji", Role::Director),
    ("zhengfu", Role::Leader),
];

/// Past every step of the ladders of the first two reports.
const MINUTES: i64 = 100;

/// The loops look so seldom, to make many nights possible (ms).
const PACE: i64 = 30_000;

/// Somebody of [`POSTS`].
#[derive(Debug, Clone)]
struct Somebody {
    there: bool,
    active: bool,
    phone: bool,
    mail: bool,
    own_order: bool,
}

/// A way of sending as it is that night: out of 100 attempts so many are refused for a while, for
/// good, or end with nobody knowing; so many are taken and then bounce; and it is down for some
/// minutes.
#[derive(Debug, Clone, Default)]
struct Weather {
    later: u64,
    never: u64,
    unknown: u64,
    bounces: u64,
    down: (i64, i64),
}

/// A night as it is drawn.
#[derive(Debug, Clone)]
struct Night {
    people: Vec<Somebody>,
    /// The turns of the emergency office: the days covered, and who takes turns.
    roster: Option<(Cover, Vec<bool>)>,
    tier: &'static str,
    coordination: bool,
    start: i64,
    sms: Weather,
    email: Weather,
    /// When people who were told something acknowledge it, and which of them.
    answers: Vec<(i64, usize)>,
    /// Whether everybody wants to be left alone all night.
    quiet: bool,
    /// The matter: an incident, or a supervision order.
    order: bool,
    dice: u64,
}

/// A bug planted on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    /// A channel says that it has taken what it has refused.
    FalseSuccess,
    /// What is given up is marked so, and nobody is told.
    GivenUpQuietly,
    /// A step that reaches nobody raises no alarm.
    NobodyMissed,
    /// Nobody is told of alarms.
    AlarmsOnlyShown,
}

fn somebody() -> impl Strategy<Value = Somebody> {
    let often = || prop::bool::weighted(0.75);
    (often(), often(), often(), often(), any::<bool>()).prop_map(
        |(there, active, phone, mail, own_order)| Somebody {
            there,
            active,
            phone,
            mail,
            own_order,
        },
    )
}

fn weather() -> impl Strategy<Value = Weather> {
    (0..50_u64, 0..20_u64, 0..15_u64, 0..15_u64, 0..60_i64, 0..120_i64).prop_map(
        |(later, never, unknown, bounces, from, long)| Weather {
            later,
            never,
            unknown,
            bounces,
            down: (from, from + long),
        },
    )
}

fn night() -> impl Strategy<Value = Night> {
    let cover = prop::sample::select(vec![Cover::EveryDay, Cover::WorkingDays, Cover::DaysOff]);
    let roster = prop::option::of((cover, prop::collection::vec(any::<bool>(), 2)));
    let tier = prop::sample::select(vec!["ordinary", "larger", "major", "extraordinary"]);
    let people = prop::collection::vec(somebody(), POSTS.len());
    let answers = prop::collection::vec((0..90_i64, 0..50_usize), 0..6);
    (
        people,
        roster,
        tier,
        any::<bool>(),
        0..14 * 24 * 60_i64,
        weather(),
        weather(),
        (answers, any::<bool>(), prop::bool::weighted(0.25)),
        any::<u64>(),
    )
        .prop_map(|(people, roster, tier, coordination, start, sms, email, more, dice)| {
            let (mut answers, quiet, order) = more;
            answers.sort_unstable();
            Night {
                people,
                roster,
                tier,
                coordination,
                start,
                sms,
                email,
                answers,
                quiet,
                order,
                dice,
            }
        })
}

/// A channel in its weather; remembers what it really handed over.
struct Sky {
    weather: Weather,
    begin: Instant,
    clock: Arc<StillClock>,
    dice: Mutex<u64>,
    handed_over: Arc<Mutex<BTreeSet<MessageId>>>,
    /// What will be posted about letters that were taken.
    receipts: Arc<Mutex<Vec<String>>>,
    lies: bool,
}

impl Sky {
    fn roll(&self, sides: u64) -> u64 {
        let mut dice = self.dice.lock().unwrap();
        *dice =
            dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*dice >> 33) % sides
    }

    fn outcome(&self, letter: &Letter) -> Outcome {
        if letter.address.is_empty() {
            return Outcome::never("no address");
        }
        let minute = fenliu::clock::Clock::now(&*self.clock).since(self.begin) / 60_000;
        if (self.weather.down.0..self.weather.down.1).contains(&minute) {
            return Outcome::later("nobody answers");
        }
        let Weather { later, never, unknown, bounces, .. } = self.weather;
        let roll = self.roll(100);
        let arrives = || self.handed_over.lock().unwrap().insert(letter.id);
        if roll < later {
            Outcome::later("not now")
        } else if roll < later + never {
            Outcome::never("no such number")
        } else if roll < later + never + unknown {
            // Half of those arrive.
            if self.roll(2) == 0 {
                arrives();
            }
            Outcome::unknown("the line broke")
        } else if roll < later + never + unknown + bounces {
            let reference = format!("{}.{}", letter.id, letter.attempt);
            self.receipts.lock().unwrap().push(reference.clone());
            Outcome::Accepted { reference: Some(reference) }
        } else {
            arrives();
            Outcome::ACCEPTED
        }
    }
}

impl Channel for Sky {
    fn name(&self) -> &'static str {
        "sky"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        let outcome = match self.outcome(letter) {
            Outcome::Refused { permanent: true, .. } if self.lies => Outcome::ACCEPTED,
            outcome => outcome,
        };
        Box::pin(std::future::ready(outcome))
    }
}

fn directory(night: &Night) -> Directory {
    let unit = |code: &str, kind: &str| {
        let unit = Unit {
            code: code.to_owned(),
            name: Text::new(code, code),
            kind: kind.to_owned(),
            parent: None,
            active: true,
            successor: None,
        };
        (code.to_owned(), unit)
    };
    let people = night.people.iter().zip(POSTS).zip(1_i64..).filter(|((one, _), _)| one.there);
    let person = |((one, (unit, role)), id): ((&Somebody, (&str, Role)), i64)| {
        let mut person = Person {
            id: PersonId(id),
            name: format!("{unit}.{role}-{id}"),
            phone: one.phone.then(|| format!("1380000{id:04}")),
            email: one.mail.then(|| format!("p{id}@example.invalid")),
            grants: vec![Grant { role, unit: unit.to_owned() }],
            active: true,
            ..Person::default()
        };
        if one.own_order {
            person.rules.urgent = vec!["email".to_owned(), "sms".to_owned()];
        }
        person.rules.quiet = night.quiet.then_some(Quiet { from: 20 * 60, until: 8 * 60 });
        (person.id, person)
    };
    // Whoever opens the matter is there, and hears of nothing.
    let grants = vec![Grant { role: Role::Dispatcher, unit: "gongan".to_owned() }];
    let desk = Person {
        id: PersonId(99),
        name: "desk".to_owned(),
        grants,
        active: true,
        ..Person::default()
    };
    let bodies = [
        ("desk", "gongan"),
        ("police", "gongan"),
        ("emergency_office", "yingji"),
        ("county", "zhengfu"),
    ];
    Directory {
        code: "night".to_owned(),
        name: Text::new("某县", "a county"),
        bodies: bodies.map(|(party, unit)| (party.to_owned(), unit.to_owned())).into(),
        units: [
            unit("guotu", "department"),
            unit("gongan", "department"),
            unit("yingji", "department"),
            unit("zhengfu", "body"),
        ]
        .into(),
        people: people.map(person).chain([(desk.id, desk)]).collect(),
        ..Directory::default()
    }
}

fn roster(night: &Night, directory: &Directory) -> Option<Roster> {
    let (days, turns) = night.roster.clone()?;
    let duty = directory.people.values().filter(|one| one.grants[0].role == Role::Duty);
    let people: Vec<PersonId> =
        duty.zip(turns).filter(|(_, turn)| *turn).map(|(one, _)| one.id).collect();
    let rotation = Rotation {
        name: Text::new("班", "turns"),
        people,
        first: "2018-06-25T08:30".parse().unwrap(),
        until: None,
        shift: "1d".parse().unwrap(),
        days,
        hours: None,
    };
    let rotations = if rotation.people.is_empty() { Vec::new() } else { vec![rotation] };
    Some(Roster {
        code: "duty".to_owned(),
        title: Text::new("值班", "duty"),
        unit: "yingji".to_owned(),
        role: Role::Duty,
        rotations,
    })
}

/// The letters of one way that were taken and bounce, and how the house hears of it.
struct Bounces {
    way: &'static str,
    receipts: Arc<Mutex<Vec<String>>>,
    sender: fenliu::channel::Inbox,
    inbox: Inbox,
}

impl Bounces {
    fn new(duty: &Duty, way: &'static str) -> Self {
        let (sender, arrivals) = fenliu::channel::inbox(INBOX_MAX);
        let inbox = Inbox::new(duty.clone(), way, arrivals);
        Self { way, receipts: Arc::default(), sender, inbox }
    }

    /// Posts what the house knows by the gateway's name; answers whether anything is left or was done.
    async fn post(&mut self, gate: &Gate) -> bool {
        let all = std::mem::take(&mut *self.receipts.lock().unwrap());
        let busy = !all.is_empty();
        let known = |name: &String| !gate.messages_of_reference(self.way, name).unwrap().is_empty();
        let (known, early): (Vec<String>, Vec<String>) = all.into_iter().partition(known);
        self.receipts.lock().unwrap().extend(early);
        for reference in known {
            let why = "UNDELIV".to_owned();
            let receipt = Incoming::Receipt { reference, delivered: false, why };
            self.sender.try_send(receipt).unwrap();
            self.inbox.poll().await;
        }
        busy
    }
}

/// A house in which a night is played.
struct House {
    gate: Gate,
    store: Store,
    clock: Arc<StillClock>,
    caller: Caller,
    clocks: Clocks,
    alarms: Alarms,
    outboxes: Vec<Outbox>,
    bounces: Vec<Bounces>,
    handed_over: Arc<Mutex<BTreeSet<MessageId>>>,
    bug: Option<Bug>,
}

impl House {
    fn build(night: &Night, bug: Option<Bug>) -> Self {
        let monday = Instant::parse("2018-07-02T00:00:00+08:00").unwrap();
        let begin = monday.plus(night.start * 60_000);
        let clock = Arc::new(StillClock::new(begin));
        let store = Store::open("sqlite::memory:", Options::default()).unwrap();
        store.migrate().unwrap();
        let parts = Parts {
            store: store.clone(),
            clock: Arc::<StillClock>::clone(&clock),
            entropy: |bytes| bytes.fill(7),
            batch_max: 64,
            alerts: AlertRules::default(),
        };
        let gate = Gate::open(parts).unwrap();
        let people = directory(night);
        let rosters: Vec<Roster> = roster(night, &people).into_iter().collect();
        let workflows: Vec<String> = shipped_workflows();
        let founding = (&people, rosters.as_slice());
        let found = gate.found_with_rosters(founding, &shipped_calendar(), &workflows);
        let caller = Caller {
            actor: Actor::person(PersonId(99), people.people[&PersonId(99)].grants.clone()),
            jurisdiction: found.unwrap(),
        };
        // Some have left since the roster was made.
        let system = Caller { actor: Actor::System, jurisdiction: caller.jurisdiction };
        for (one, id) in night.people.iter().zip(1_i64..).filter(|(one, _)| !one.active) {
            if let Some(person) = people.people.get(&PersonId(id)).filter(|_| one.there) {
                gate.put_person(&system, &Person { active: false, ..person.clone() }).unwrap();
            }
        }
        let handed_over: Arc<Mutex<BTreeSet<MessageId>>> = Arc::default();
        let operators = ["emergency_office.duty", "emergency_office.director"];
        gate.tell_alarms_to(&operators.map(str::to_owned)).unwrap();
        let duty = Duty::new(gate.clone());
        let bounces = vec![Bounces::new(&duty, "sms"), Bounces::new(&duty, "email")];
        let sky = |weather: &Weather, way: usize| -> Arc<dyn Channel> {
            Arc::new(Sky {
                weather: weather.clone(),
                begin,
                clock: Arc::clone(&clock),
                dice: Mutex::new(night.dice ^ (u64::try_from(way).unwrap() + 1)),
                handed_over: Arc::clone(&handed_over),
                receipts: Arc::clone(&bounces[way].receipts),
                lies: bug == Some(Bug::FalseSuccess),
            })
        };
        let outbox = |name: &str, channel: Arc<dyn Channel>| {
            let outbox = Outbox::new(duty.clone(), name, channel, Sending::default());
            outbox.guarded(guard::Options::default())
        };
        let outboxes = vec![
            outbox("sms", sky(&night.sms, 0)),
            outbox("email", sky(&night.email, 1)),
            outbox("console", Arc::new(Console)),
        ];
        let alarms = Alarms::new(duty.clone());
        let clocks = Clocks::new(duty);
        Self { gate, store, clock, caller, clocks, alarms, outboxes, bounces, handed_over, bug }
    }

    async fn open(&self, night: &Night) -> InstanceId {
        if night.order {
            let input = json!({ "unit": "guotu", "level": "normal", "reason": "多次逾期未办结" });
            let office = Grant { role: Role::Duty, unit: "yingji".to_owned() };
            let actor = Actor::person(PersonId(98), vec![office]);
            let office = Caller { actor, ..self.caller.clone() };
            let new = Target::New("supervision".to_owned());
            let id = self.submit(&office, new, "draft", input, None).await;
            let demand = json!({ "demand": "三日内办结并报告" });
            return self.submit(&office, Target::Instance(id), "issue", demand, None).await;
        }
        let input = json!({ "tier": night.tier, "started_at": self.gate.now().to_string(),
            "coordination": night.coordination, "police_first": false, "unit": "guotu",
            "place": "某村" });
        self.submit(&self.caller, Target::New("incident".to_owned()), "open_incident", input, None)
            .await
    }

    async fn submit(
        &self,
        caller: &Caller,
        target: Target,
        command: &str,
        input: Json,
        about: Option<MessageId>,
    ) -> InstanceId {
        let input: Map<String, Json> = serde_json::from_value(input).unwrap();
        let request = Request {
            caller: caller.clone(),
            target,
            command: command.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about,
        };
        self.gate.submit(request).await.unwrap().receipt.instance
    }

    /// Does everything that is due now; answers when there is more to do.
    async fn settle(&mut self) -> Option<Instant> {
        let now = self.gate.now();
        let mut quiet = 0;
        for _ in 0..10_000 {
            self.play_bug();
            let mut next: Option<Instant> = None;
            let mut busy = false;
            let alarms = Some(&mut self.alarms).filter(|_| self.bug != Some(Bug::AlarmsOnlyShown));
            let alarms = alarms.map(|one| -> &mut dyn Poll { one });
            let clocks: &mut dyn Poll = &mut self.clocks;
            let outboxes = self.outboxes.iter_mut().map(|one| -> &mut dyn Poll { one });
            for work in std::iter::once(clocks).chain(alarms).chain(outboxes) {
                match work.poll().await {
                    Next::At(at) if at > now => next = Some(next.map_or(at, |next| next.min(at))),
                    Next::In(time) if time.as_secs() >= 1 => {}
                    _ => busy = true,
                }
            }
            for bounces in &mut self.bounces {
                busy |= bounces.post(&self.gate).await;
            }
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet == 2 {
                return next;
            }
        }
        panic!("the loops spin");
    }

    async fn until(&mut self, target: Instant) {
        loop {
            match self.settle().await {
                Some(at) if at <= target => {
                    self.clock.set(at.max(self.gate.now().plus(PACE)).min(target));
                }
                _ => break,
            }
        }
        self.clock.set(target);
        self.settle().await;
    }

    /// What the planted bug does besides.
    fn play_bug(&self) {
        match self.bug {
            Some(Bug::GivenUpQuietly) => {
                let now = self.gate.now();
                let late = |one: &Message| one.state == Delivery::Waiting && one.deadline_at <= now;
                for one in self.messages().into_iter().filter(late) {
                    let error = "given up".to_owned();
                    let failed = Settled::Failed { error, unknown: false };
                    let ending = [(one.id, one.attempts, failed)];
                    let mut writer = self.store.writer().unwrap();
                    writer.transaction(|t| t.settle_messages(&ending)).unwrap();
                }
            }
            Some(Bug::NobodyMissed) => {
                let alarms = self.store.read(|reader| reader.alarms(true, 1000)).unwrap();
                let system = Caller { actor: Actor::System, ..self.caller.clone() };
                for one in alarms.iter().filter(|one| one.raised.kind == "nobody_told") {
                    self.gate.clear_alarm(&system, one.id).unwrap();
                }
            }
            Some(Bug::FalseSuccess | Bug::AlarmsOnlyShown) | None => {}
        }
    }

    fn messages(&self) -> Vec<Message> {
        let all = self.store.read(|reader| reader.messages(&MessageFilter::default(), 100_000));
        all.unwrap()
    }

    /// Somebody who was handed something acknowledges it, perhaps once more.
    async fn acknowledge(&self, which: usize) {
        let handed_over = self.handed_over.lock().unwrap().clone();
        let messages = self.messages();
        let ours = |one: &&Message| handed_over.contains(&one.id) && one.instance.is_some();
        let told: Vec<&Message> = messages.iter().filter(ours).collect();
        let Some(message) = told.get(which % told.len().max(1)).copied() else { return };
        let directory = self.gate.registry().directory(message.jurisdiction).unwrap();
        let person = &directory.people[&message.to.person().unwrap()];
        let actor = Actor::person(person.id, person.grants.clone());
        let caller = Caller { actor, ..self.caller.clone() };
        self.gate.answer_message(message, &caller, "acknowledge").await.unwrap();
    }

    /// Whether a message reached its person, or is still on its way. What stands on the console alone
    /// has reached nobody.
    fn heard(&self, one: &Message) -> bool {
        self.handed_over.lock().unwrap().contains(&one.id)
            || one.acknowledged_at.is_some()
            || (one.state == Delivery::Waiting && one.deadline_at.plus(2 * PACE) >= self.gate.now())
    }

    /// The alarms that end a silence, by kind: of the matter, and told to somebody, or it stands where
    /// operators look that nobody could be told.
    fn told_alarms(&self, id: InstanceId) -> BTreeSet<String> {
        let alarms = self.store.read(|reader| reader.alarms(true, 1000)).unwrap();
        let unheard = alarms.iter().find(|one| one.raised.kind == "alarm_unheard");
        let word: Vec<Message> =
            self.messages().into_iter().filter(|one| one.kind == Kind::Alarm).collect();
        let soon = AlertRules::default().bundle_ms + 2 * PACE;
        let last = alarms.iter().filter_map(|one| one.told_at).max();
        let waits = last.is_some_and(|last| last.plus(soon) >= self.gate.now());
        let told = |one: &&Alarm| match one.told_at {
            Some(at) => {
                unheard.is_some_and(|unheard| unheard.raised.at >= at)
                    || word.iter().any(|word| word.created_at == at && self.heard(word))
            }
            // It comes with the next summary.
            None => unheard.is_some() || waits,
        };
        let ours = alarms.iter().filter(|one| one.raised.instance == Some(id));
        ours.filter(told).map(|one| one.raised.kind.clone()).collect()
    }

    /// What was left in silence.
    fn silences(&self, id: InstanceId) -> Vec<String> {
        let now = self.gate.now();
        let alarms = self.told_alarms(id);
        let stands = |kind: &str| alarms.contains(kind);
        let mut of_event: BTreeMap<(i64, PersonId), Vec<Message>> = BTreeMap::new();
        for one in self.messages().into_iter().filter(|one| one.instance == Some(id)) {
            of_event.entry((one.seq, one.to.person().unwrap())).or_default().push(one);
        }
        let mut silences = Vec::new();
        let events = self.store.read(|reader| reader.events(id, 1, 100_000)).unwrap();
        for event in &events {
            let event: Event = serde_json::from_str(&event.body).unwrap();
            for told in event.told.iter().filter(|told| !told.to.is_empty()) {
                if told.people.is_empty() && !stands("nobody_told") {
                    silences.push(format!("{} of event {} reached nobody", told.text, event.seq));
                }
                for person in &told.people {
                    let messages = of_event.get(&(event.seq, *person));
                    let heard = messages.is_some_and(|all| all.iter().any(|one| self.heard(one)));
                    if !heard && !stands("message_failed") {
                        silences.push(format!("{} did not reach person {person}", told.text));
                    }
                }
            }
        }
        let (instance, _) = self.store.read(|reader| reader.instance(id)).unwrap().unwrap();
        for (name, armed) in &instance.clocks {
            if armed.frozen.is_none() && armed.wake.is_none_or(|wake| wake <= now) {
                silences.push(format!("the ladder of {name} has ended"));
            }
            // Whatever was acknowledged, and however often: an alarm of minutes stays one.
            let alarm = ["call_out", "call_unit", "phone", "written"].contains(&name.as_str());
            let far = armed.wake.is_some_and(|wake| wake.since(now) > 61 * 60_000);
            if alarm && armed.ran_out_at.is_some() && far {
                silences.push(format!("the ladder of {name} is held back too long"));
            }
        }
        silences
    }
}

/// Plays a night; what was left in silence.
fn play(night: &Night, bug: Option<Bug>) -> Vec<String> {
    let mut silences = Vec::new();
    run(async {
        let mut house = House::build(night, bug);
        let begin = house.gate.now();
        let id = house.open(night).await;
        for &(minute, which) in &night.answers {
            house.until(begin.plus(minute * 60_000)).await;
            house.acknowledge(which).await;
        }
        house.until(begin.plus(MINUTES * 60_000)).await;
        silences = house.silences(id);
    });
    silences
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 100, ..ProptestConfig::default() })]

    #[test]
    fn no_night_ends_in_silence(night in night()) {
        let silences = play(&night, None);
        prop_assert!(silences.is_empty(), "{silences:#?}");
    }
}

/// Everything as it should be, and nobody there.
fn empty_night() -> Night {
    let nobody =
        Somebody { there: false, active: false, phone: false, mail: false, own_order: false };
    Night {
        people: vec![nobody; POSTS.len()],
        roster: None,
        tier: "extraordinary",
        coordination: true,
        start: 5 * 24 * 60 + 23 * 60 + 50,
        sms: Weather::default(),
        email: Weather::default(),
        answers: Vec::new(),
        quiet: false,
        order: false,
        dice: 1,
    }
}

#[test]
fn a_ladder_whose_people_are_all_missing_reaches_the_operator_alarm_at_once() {
    run(async {
        let night = empty_night();
        let mut house = House::build(&night, None);
        house.open(&night).await;
        house.settle().await;
        let alarms = house.store.read(|reader| reader.alarms(true, 10)).unwrap();
        for kind in ["nobody_told", "alarm_unheard"] {
            let stands = alarms.iter().find(|one| one.raised.kind == kind);
            assert_eq!(stands.map(|one| one.raised.at), Some(house.gate.now()), "{kind}");
        }
    });
}

/// A night in which a planted bug shows.
fn found(bug: Bug, night: &Night) {
    assert_eq!(play(night, None), Vec::<String>::new(), "without the bug");
    assert!(!play(night, Some(bug)).is_empty(), "{bug:?} is not found");
}

#[test]
fn a_step_that_reaches_nobody_and_raises_no_alarm_is_found() {
    found(Bug::NobodyMissed, &empty_night());
}

fn everybody() -> Night {
    let somebody =
        Somebody { there: true, active: true, phone: true, mail: true, own_order: false };
    Night { people: vec![somebody; POSTS.len()], tier: "major", ..empty_night() }
}

#[test]
fn alarms_that_are_only_shown_are_found() {
    found(Bug::AlarmsOnlyShown, &empty_night());
}

#[test]
fn where_everything_bounces_the_operators_are_told_and_that_bounces_too() {
    let bounces = Weather { bounces: 100, ..Weather::default() };
    let night = Night { sms: bounces.clone(), email: bounces, ..everybody() };
    assert_eq!(play(&night, None), Vec::<String>::new());
}

#[test]
fn a_channel_that_says_it_took_what_it_refused_is_found() {
    let refuses = Weather { never: 100, ..Weather::default() };
    found(Bug::FalseSuccess, &Night { sms: refuses.clone(), email: refuses, ..everybody() });
}

#[test]
fn where_everything_is_refused_at_once_the_repetition_keeps_its_own_times() {
    let refuses = Weather { never: 100, ..Weather::default() };
    let night = Night { sms: refuses.clone(), email: refuses, ..everybody() };
    run(async {
        let mut house = House::build(&night, None);
        let begin = house.gate.now();
        let id = house.open(&night).await;
        house.until(begin.plus(60 * 60_000)).await;
        let events = house.store.read(|reader| reader.events(id, 1, 100_000)).unwrap();
        let fired = events.iter().filter(|event| event.kind == "clock.call_out").count();
        // Eleven steps, and every five minutes.
        assert!((12..=24).contains(&fired), "{fired} times in an hour");
    });
}

#[test]
fn giving_up_without_a_word_is_found() {
    let down = Weather { down: (0, 1_000), ..Weather::default() };
    found(Bug::GivenUpQuietly, &Night { sms: down.clone(), email: down, ..everybody() });
}

#[test]
fn who_acknowledges_every_minute_keeps_nobody_else_from_being_told() {
    let night = Night { tier: "larger", ..everybody() };
    run(async {
        let mut house = House::build(&night, None);
        let begin = house.gate.now();
        let id = house.open(&night).await;
        house.until(begin).await;
        let leader = house
            .messages()
            .into_iter()
            .find(|one| one.instance == Some(id) && one.to.person() == Some(PersonId(2)))
            .unwrap();
        let grants = vec![Grant { role: Role::Leader, unit: "guotu".to_owned() }];
        let actor = Actor::person(PersonId(2), grants);
        let caller = Caller { actor, ..house.caller.clone() };
        for minute in 0..30 {
            house.until(begin.plus(minute * 60_000)).await;
            house.gate.answer_message(&leader, &caller, "acknowledge").await.unwrap();
        }
        let events = house.store.read(|reader| reader.events(id, 1, 100_000)).unwrap();
        let told = events.iter().filter(|event| event.kind == "clock.call_out").count();
        // At once, after five and ten minutes (the cases that do not hold are skipped), and every five.
        assert!(told >= 10, "the office was called out {told} times in half an hour");
    });
}
