//! Whether time tells what words do not: a foreign matter against a missing one, an unknown name against
//! a wrong password. Both of a pair are asked in turn, so that the machine's moods meet both alike.

use std::hint::black_box;
use std::time::Instant as Begun;

use fenliu::domain::{Actor, Grant, InstanceId, Instant, PersonId, Role};
use fenliu::gate::{Attempt, Caller, NewAccount, Request, SignIn, Target};

use super::clocks;
use super::service::folder;

/// Medians of one pair, in the order in which it is named.
pub struct Pair {
    pub name: &'static str,
    pub medians_us: [f64; 2],
    pub rounds: usize,
}

impl Pair {
    /// The first as a multiple of the second: 1 tells nothing.
    pub fn ratio(&self) -> f64 {
        self.medians_us[0] / self.medians_us[1]
    }
}

/// A matter that nobody has.
const MISSING: InstanceId = InstanceId(999_999_999);

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Asks both in turn, each first as often as the other; the clocks are read by nobody else.
fn pair(name: &'static str, rounds: usize, mut ask: impl FnMut(usize, usize)) -> Pair {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..rounds + rounds / 10 {
        for turn in 0..2 {
            let which = (round + turn) % 2;
            let begun = Begun::now();
            ask(which, round);
            let passed = begun.elapsed().as_secs_f64() * 1e6;
            // The first tenth warms caches.
            if round >= rounds / 10 {
                times[which].push(passed);
            }
        }
    }
    Pair { name, medians_us: times.map(median), rounds }
}

/// All pairs, on a SQLite file, without the way through the network, which would only blur them.
pub fn measure(runtime: &tokio::runtime::Runtime, quick: bool) -> Vec<Pair> {
    let start = Instant::parse("2018-07-02T09:00:00+08:00").unwrap();
    let folder = folder("oracle");
    let (gate, clock, desk) = clocks::gate(&clocks::sqlite(&folder), start);
    let foreign = runtime.block_on(gate.submit(clocks::register(&desk))).unwrap();
    let foreign = foreign.receipt.instance;
    let command = |caller: &Caller, id: InstanceId, name: &str, input: serde_json::Value| Request {
        target: Target::Instance(id),
        command: name.to_owned(),
        input: input.as_object().unwrap().clone(),
        ..clocks::register(caller)
    };
    let to = serde_json::json!({ "unit": "huanbao" });
    runtime.block_on(gate.submit(command(&desk, foreign, "route", to))).unwrap();
    let grants = vec![Grant { role: Role::Liaison, unit: "guotu".to_owned() }];
    let actor = Actor::person(PersonId(2), grants);
    let stranger = Caller { actor, jurisdiction: desk.jurisdiction };
    let rounds = if quick { 500 } else { 5_000 };
    let ids = [foreign, MISSING];
    let seen = pair("a foreign matter, a missing one: looked at", rounds, |which, _| {
        assert!(black_box(gate.instance(&stranger, ids[which])).is_err());
    });
    let given = pair("the same: given a command", rounds, |which, _| {
        let asked = command(&stranger, ids[which], "accept", serde_json::json!({}));
        assert!(runtime.block_on(gate.submit(asked)).is_err());
    });
    let system = Caller { actor: Actor::System, jurisdiction: desk.jurisdiction };
    let account = NewAccount { login: "bench".to_owned(), subject: None };
    let setup = gate.give_account(&system, PersonId(1), &account).unwrap().unwrap();
    gate.set_up("bench", &setup.code, "Shuiku-2018 liang", "127.0.0.1").unwrap();
    let logins = ["nobody", "bench"];
    let signed = pair("an unknown name, a wrong password", rounds / 10, |which, round| {
        // Later and from elsewhere each time, so that nobody is throttled.
        clock.set(start.plus(i64::try_from(round).unwrap() * 3_600_000));
        let from = format!("10.{}.{}.{which}", round / 250, round % 250);
        let wish = SignIn { login: logins[which], password: "Bandari-2019 mpya", code: None };
        let refused = gate.sign_in(wish, Attempt { from: &from, older: None });
        assert!(refused.is_err_and(|error| format!("{error:?}").contains("wrong_login")));
    });
    drop(gate);
    std::fs::remove_dir_all(folder).unwrap();
    vec![seen, given, signed]
}

pub fn print(pairs: &[Pair]) {
    println!("| pair | medians, µs | ratio of the medians | rounds |\n|---|---:|---:|---:|");
    for one in pairs {
        let [first, second] = one.medians_us;
        println!(
            "| {} | {first:.1}, {second:.1} | {:.3} | {} |",
            one.name,
            one.ratio(),
            one.rounds
        );
    }
    println!();
}
