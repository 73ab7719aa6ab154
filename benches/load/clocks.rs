//! 100,000 clocks due at one instant, drained through the same door as everything else.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant as Begun;

use fenliu::clock::{Clock, StillClock};
use fenliu::config::jurisdiction::Jurisdiction;
use fenliu::domain::{Actor, Event, Grant, Instant, JurisdictionId, PersonId, Role};
use fenliu::gate::{AlertRules, Caller, Firing, Gate, Parts, Request, Target};
use fenliu::store::{Options, Store};

use super::service::folder;

/// What was measured.
pub struct Drained {
    pub fired: usize,
    /// Firings before the instant at which the clock was due.
    pub early: usize,
    /// Firings of a clock that had fired already.
    pub twice: usize,
    pub left: usize,
    pub seconds: f64,
}

impl Drained {
    /// Firings per second.
    pub fn rate(&self) -> f64 {
        self.fired as f64 / self.seconds
    }
}

/// Randomness that need not be random here.
fn entropy(bytes: &mut [u8]) {
    bytes.fill(7);
}

/// The address of a SQLite file in a folder.
pub fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("fenliu.db").display())
}

/// A gate on an empty database with the shipped jurisdiction and a clock that stands still.
pub fn gate(url: &str, now: Instant) -> (Gate, Arc<StillClock>, Caller) {
    let store = Store::open(url, Options { create: true, ..Options::default() }).unwrap();
    store.migrate().unwrap();
    let clock = Arc::new(StillClock::new(now));
    let shown: Arc<dyn Clock> = Arc::<StillClock>::clone(&clock);
    let gate = Gate::open(Parts {
        store,
        clock: shown,
        entropy,
        batch_max: 256,
        alerts: AlertRules::default(),
    })
    .unwrap();
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let read = |path: &str| std::fs::read_to_string(format!("{root}{path}")).unwrap();
    let who = Jurisdiction::from_yaml(&read("config/jurisdictions/chengkou.yaml")).unwrap();
    let calendar = read("config/calendars/chongqing.yaml");
    let mut workflows = Vec::new();
    for entry in std::fs::read_dir(format!("{root}workflows")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            workflows.push(std::fs::read_to_string(path).unwrap());
        }
    }
    let id = gate.found(&who.directory(JurisdictionId(0)), &calendar, &workflows).unwrap();
    let grants = vec![Grant { role: Role::Dispatcher, unit: "gongan".to_owned() }];
    let actor = Actor::person(PersonId(1), grants);
    (gate, clock, Caller { actor, jurisdiction: id })
}

/// A call that waits to be routed.
pub fn register(caller: &Caller) -> Request {
    let input = serde_json::json!({
        "text": "工地夜间施工", "place": "葛城街道", "category": "noise.construction-night",
        "kind": "complaint", "caller_phone": "00000000000",
    });
    Request {
        caller: caller.clone(),
        target: Target::New("referral".to_owned()),
        command: "register".to_owned(),
        input: input.as_object().unwrap().clone(),
        occurred_at: None,
        key: None,
        if_version: None,
        about: None,
    }
}

/// Registers so many calls at one instant, lets their first limit pass, and drains.
pub async fn drain(count: usize) -> Drained {
    let start = Instant::parse("2018-07-02T09:00:00+08:00").unwrap();
    let folder = folder("clocks");
    let (gate, clock, caller) = gate(&sqlite(&folder), start);
    let mut left = count;
    while left > 0 {
        let wave = left.min(512);
        let requests = (0..wave).map(|_| gate.submit(register(&caller)));
        for done in futures_util::future::join_all(requests).await {
            done.unwrap();
        }
        left -= wave;
    }
    // The desk has ten minutes to route an ordinary call; a second later all of them are late.
    clock.set(start.plus(601_000));
    let begun = Begun::now();
    let mut fired = 0;
    loop {
        let due = gate.due_clocks(2048, 60_000).unwrap().clocks;
        if due.is_empty() {
            break;
        }
        let firings: Vec<Firing> = due.into_iter().map(|clock| clock.firing).collect();
        for outcome in gate.fire(firings).await.unwrap() {
            outcome.unwrap();
            fired += 1;
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (early, twice) = recount(&gate, &folder);
    let left = gate.due_clocks(1, 60_000).unwrap().clocks.len();
    assert_eq!(fired, count, "each clock fires once");
    drop(gate);
    std::fs::remove_dir_all(folder).unwrap();
    Drained { fired, early, twice, left, seconds }
}

/// Counts in the event log what should never be: firings before their time, and second ones.
fn recount(gate: &Gate, folder: &Path) -> (usize, usize) {
    assert!(gate.settle().unwrap());
    let url = format!("sqlite:{}", folder.join("fenliu.db").display());
    let options = Options { read_only: true, ..Options::default() };
    let store = Store::open(&url, options).unwrap();
    let (mut early, mut twice, mut after) = (0, 0, 0);
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let page = store.read(|reader| reader.events_after(after, None, 1000)).unwrap();
        let Some(last) = page.last() else { return (early, twice) };
        after = last.position;
        for one in &page {
            let Some(clock) = one.event.kind.strip_prefix("clock.") else { continue };
            let event: Event = serde_json::from_str(&one.event.body).unwrap();
            let fired = event.clocks.iter().find(|change| change.clock == clock);
            let due = fired.and_then(|change| change.due).unwrap();
            early += usize::from(event.recorded_at < due);
            let step = event.command.input.get("step").cloned();
            twice += usize::from(!seen.insert((event.instance, clock.to_owned(), step)));
        }
    }
}
