//! A small house for the tests: a store, a door, a workflow, a clock that stands still.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fenliu::clock::StillClock;
use fenliu::domain::{
    Actor, Directory, Event, Grant, InstanceId, Instant, JurisdictionId, Message, Person, PersonId,
    Role, Text, Unit,
};
use fenliu::gate::{AlertRules, Caller, Done, Entropy, Gate, Parts, Request, Target};
use fenliu::scheduler::Duty;
use fenliu::scheduler::clocks::Clocks;
use fenliu::scheduler::{Next, Poll};
use fenliu::store::{MessageFilter, Options, Store};
use serde_json::{Map, Value as Json, json};

/// One matter: opened with a tier, due after an hour, warned at half time, repeated each morning.
pub(crate) const WORKFLOW: &str = r#"
workflow: matter
title: { zh: 事项, en: matter }
parties: [desk]
fields:
  tier: { type: tier, title: { zh: 等级, en: tier } }
  place: { type: text, max: 200, title: { zh: 地点, en: place } }
start:
  command: register
  title: { zh: 登记, en: register }
  by: [desk.dispatcher]
  input:
    tier: { type: tier, title: { zh: 等级, en: tier } }
    place: { type: text, max: 200, title: { zh: 地点, en: place } }
  set: { tier: input.tier, place: input.place }
commands:
  finish: { title: { zh: 办结, en: finish }, by: [desk.dispatcher] }
clocks:
  handle: { title: { zh: 办理时限, en: time to handle }, due: "real('1h')", ladder: late }
ladders:
  late:
    - { at: "base + real('30m')", tell: [desk.liaison], via: [sms], text: half }
    - { at: due, tell: [desk.liaison, desk.leader], via: [sms], text: over }
    - { every: "0 0 9 * * *", tell: [desk.leader], via: [sms], text: still }
texts:
  half: { zh: "{number}时限过半", en: "half of the time of {number} is over" }
  over: { zh: "{number}逾期", en: "{number} is overdue" }
  still: { zh: "{number}仍未办结", en: "{number} is still open" }
initial: open
states:
  open:
    title: { zh: 办理, en: open }
    holder: desk
    status: handling
    clocks: [handle]
    initial: on_time
    on:
      finish: { to: done, outcome: done }
    states:
      on_time:
        title: { zh: 按时, en: on time }
        on: { clock.handle: { to: late } }
      late:
        title: { zh: 逾期, en: late }
        status: overdue
        on: { clock.handle: {} }
  done: { title: { zh: 办结, en: done }, status: done, final: true }
"#;

pub(crate) const MORNING: &str = "2026-03-02T10:00:00+08:00";

pub(crate) const LIAISON: PersonId = PersonId(2);
pub(crate) const LEADER: PersonId = PersonId(3);

fn entropy(bytes: &mut [u8]) {
    bytes.fill(7);
}

#[derive(diesel::QueryableByName)]
struct Line {
    #[diesel(sql_type = diesel::sql_types::Text)]
    line: String,
}

/// The house; its folder is gone when this is dropped.
pub(crate) struct House {
    pub(crate) gate: Gate,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) store: Store,
    pub(crate) duty: Duty,
    pub(crate) jurisdiction: JurisdictionId,
    pub(crate) folder: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

fn directory() -> Directory {
    let person = |id: i64, name: &str, role: Role| Person {
        id: PersonId(id),
        name: name.to_owned(),
        email: Some(format!("{name}@example.org")),
        phone: Some(format!("1381234567{id}")),
        grants: vec![Grant { role, unit: "gongan".to_owned() }],
        active: true,
        ..Person::default()
    };
    let mut desk = person(1, "dispatcher", Role::Dispatcher);
    // Who sits at the desk also keeps this small house.
    desk.grants.push(Grant { role: Role::Administrator, unit: "gongan".to_owned() });
    let people = [
        desk,
        person(LIAISON.0, "liaison", Role::Liaison),
        person(LEADER.0, "leader", Role::Leader),
    ];
    let unit = Unit {
        code: "gongan".to_owned(),
        name: Text::new("公安局", "police bureau"),
        kind: "department".to_owned(),
        parent: None,
        active: true,
        successor: None,
    };
    Directory {
        code: "nanxian".to_owned(),
        name: Text::new("南县", "Nanxian"),
        bodies: [("desk".to_owned(), "gongan".to_owned())].into(),
        units: [("gongan".to_owned(), unit)].into(),
        people: people.into_iter().map(|person| (person.id, person)).collect(),
        ..Directory::default()
    }
}

pub(crate) fn calendar() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/config/calendars/chongqing.yaml");
    std::fs::read_to_string(path).unwrap()
}

impl House {
    fn folder() -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fenliu-scheduler-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    }

    pub(crate) fn new() -> Self {
        Self::of(&[WORKFLOW.to_owned()])
    }

    /// A house on a database that others may share; its folder is for files only.
    pub(crate) fn at(url: &str) -> Self {
        let folder = Self::folder();
        Self::with(Store::open(url, Options::default()).unwrap(), folder)
    }

    /// Another node on the same data: a process of its own, with nothing shared but the time.
    pub(crate) fn next_to(other: &Self, url: &str) -> Self {
        let (store, clock) = (Store::open(url, Options::default()).unwrap(), &other.clock);
        let gate = door(&store, clock);
        let duty = Duty::new(gate.clone());
        let (clock, jurisdiction) = (Arc::clone(clock), other.jurisdiction);
        Self { gate, clock, store, duty, jurisdiction, folder: Self::folder() }
    }

    /// A house that lives by other workflows.
    pub(crate) fn of(workflows: &[String]) -> Self {
        let folder = Self::folder();
        let url = format!("sqlite:{}", folder.join("house.db").display());
        let store = Store::open(&url, Options { create: true, ..Options::default() }).unwrap();
        store.migrate().unwrap();
        Self::founded(store, folder, workflows)
    }

    fn with(store: Store, folder: PathBuf) -> Self {
        Self::founded(store, folder, &[WORKFLOW.to_owned()])
    }

    fn founded(store: Store, folder: PathBuf, workflows: &[String]) -> Self {
        let clock = Arc::new(StillClock::new(at(MORNING)));
        let gate = door(&store, &clock);
        let jurisdiction = gate.found(&directory(), &calendar(), workflows).unwrap();
        let duty = Duty::new(gate.clone());
        Self { gate, clock, store, duty, jurisdiction, folder }
    }

    /// Another process that opens the same data after this one has ended: nothing of memory is
    /// left.
    pub(crate) fn restarted(&mut self) {
        self.gate = door(&self.store, &self.clock);
        self.duty = Duty::new(self.gate.clone());
    }

    /// The same with numbers that are different each time, so that no two secrets are alike.
    pub(crate) fn with_secrets(mut self) -> Self {
        self.gate = opened(&self.store, &self.clock, |bytes| getrandom::fill(bytes).unwrap());
        self.duty = Duty::new(self.gate.clone());
        self
    }

    pub(crate) fn set(&self, time: &str) {
        self.clock.set(at(time));
    }

    pub(crate) async fn ask(&self, target: Target, command: &str, input: Json) -> Done {
        let grants = vec![Grant { role: Role::Dispatcher, unit: "gongan".to_owned() }];
        let actor = Actor::person(PersonId(1), grants);
        let caller = Caller { actor, jurisdiction: self.jurisdiction };
        let input: Map<String, Json> = serde_json::from_value(input).unwrap();
        let request = Request {
            caller,
            target,
            command: command.to_owned(),
            input,
            occurred_at: None,
            key: None,
            if_version: None,
            about: None,
        };
        self.gate.submit(request).await.unwrap()
    }

    pub(crate) async fn register(&self, tier: &str) -> InstanceId {
        let input = json!({ "tier": tier, "place": "河边" });
        let target = Target::New("matter".to_owned());
        self.ask(target, "register", input).await.receipt.instance
    }

    pub(crate) async fn finish(&self, id: InstanceId) {
        self.ask(Target::Instance(id), "finish", json!({})).await;
    }

    pub(crate) fn events(&self, id: InstanceId) -> Vec<Event> {
        let events = self.store.read(|reader| reader.events(id, 1, 1000)).unwrap();
        events.iter().map(|event| serde_json::from_str(&event.body).unwrap()).collect()
    }

    /// What clocks did, over all instances, in the order of the log: instance and time.
    pub(crate) fn firings(&self) -> Vec<(InstanceId, Instant)> {
        let events = self.store.read(|reader| reader.events_after(0, None, 10_000)).unwrap();
        let fired = events.into_iter().filter(|one| one.event.kind.starts_with("clock."));
        fired.map(|one| (one.event.instance, one.event.at)).collect()
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        let mut all = self.store.read(|r| r.messages(&MessageFilter::default(), 10_000)).unwrap();
        all.reverse();
        all
    }

    /// Open alarms: kind, instance, detail.
    pub(crate) fn alarms(&self) -> Vec<(String, Option<InstanceId>, String)> {
        let alarms = self.store.read(|reader| reader.alarms(true, 1000)).unwrap();
        let raised = alarms.into_iter().map(|alarm| alarm.raised);
        raised.map(|one| (one.kind, one.instance, one.detail)).collect()
    }

    pub(crate) fn alarm_kinds(&self) -> Vec<String> {
        let mut kinds: Vec<String> = self.alarms().into_iter().map(|(kind, _, _)| kind).collect();
        kinds.sort();
        kinds
    }

    /// Changes data behind the house's back, as a fault of the disk or a hand in the database
    /// would.
    pub(crate) fn damage(&self, sql: &str) {
        assert!(self.damage_some(sql) > 0, "nothing was damaged");
    }

    /// The same, where there may be nothing to damage; answers how many rows were.
    pub(crate) fn damage_some(&self, sql: &str) -> usize {
        use diesel::prelude::*;
        let path = self.folder.join("house.db");
        let mut hand = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        // A fault of the disk asks neither triggers nor foreign keys.
        let triggers = "SELECT name AS line FROM sqlite_schema WHERE type = 'trigger'";
        let triggers: Vec<Line> = diesel::sql_query(triggers).load(&mut hand).unwrap();
        for Line { line } in triggers {
            diesel::sql_query(format!("DROP TRIGGER {line}")).execute(&mut hand).unwrap();
        }
        diesel::sql_query("PRAGMA foreign_keys = OFF").execute(&mut hand).unwrap();
        diesel::sql_query(sql).execute(&mut hand).unwrap()
    }

    /// Turns the clocks' loop until it wants to wait for a later instant.
    pub(crate) async fn run_clocks(&self, clocks: &mut Clocks) -> Next {
        turn(clocks).await
    }

    pub(crate) fn clocks(&self) -> Clocks {
        Clocks::new(self.duty.clone())
    }
}

pub(crate) fn door(store: &Store, clock: &Arc<StillClock>) -> Gate {
    opened(store, clock, entropy)
}

fn opened(store: &Store, clock: &Arc<StillClock>, entropy: Entropy) -> Gate {
    let clock: Arc<StillClock> = Arc::clone(clock);
    Gate::open(Parts {
        store: store.clone(),
        clock,
        entropy,
        batch_max: 64,
        alerts: AlertRules { bundle_ms: 0, ..AlertRules::default() },
    })
    .unwrap()
}

/// Turns a loop as long as it has more to do; answers when it wants to be called again.
pub(crate) async fn turn(work: &mut dyn Poll) -> Next {
    for _ in 0..1000 {
        match work.poll().await {
            Next::Now => {}
            next => return next,
        }
    }
    panic!("the loop spins");
}

/// Does asynchronous work.
pub(crate) fn run<F: Future<Output = ()>>(work: F) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap().block_on(work);
}
