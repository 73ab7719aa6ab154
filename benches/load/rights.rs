//! What it costs to ask who may do it: who it is, as the door finds it out for every request, and the
//! questions that a command asks the table of rights; by themselves, beside the CPU time of the service
//! for a whole command of the same run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fenliu::domain::{Actor, Facts, Grant, PersonId, Role, Scope};
use fenliu::gate::{Attempt, Caller, Gate, NewAccount, NewToken, Request, SignIn, Target};
use fenliu::policy::{self, Act};

use super::clocks;
use super::life;
use super::postgres::Cluster;
use super::service::folder;

/// Questions asked in one go.
const ROUND: u32 = 20_000;

/// What was measured.
pub struct Measured {
    /// The questions of one command, µs: the mean of the desk's, which takes part in everything, and of
    /// a unit's, which is looked for in the matter.
    pub questions_us: f64,
    /// Whose an access token is, µs.
    pub token_us: f64,
    /// Whose a session is, µs: remembered, as in every request but its first.
    pub session_us: f64,
    /// CPU time of the service for a command, µs.
    pub command_us: f64,
}

impl Measured {
    /// What part of a command both are, of a system's by its token and of a person's in a session.
    pub fn shares(&self) -> [f64; 2] {
        [self.token_us, self.session_us].map(|who| (who + self.questions_us) / self.command_us)
    }
}

/// How long (µs) something takes, of so many times.
fn mean_us(times: u32, mut work: impl FnMut()) -> f64 {
    let begun = Instant::now();
    for _ in 0..times {
        work();
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

/// Whose a token is, and whose a session, of a person with a device: as the door asks for each request.
fn look_ups(gate: &Gate, system: &Caller) -> (f64, f64) {
    let person = PersonId(1);
    let scope = Scope::default();
    let new = NewToken { person, label: "bench".to_owned(), expires_at: None, scope };
    let token = gate.issue_token(system, &new).unwrap().secret;
    let account = NewAccount { login: "bench".to_owned(), subject: None };
    let setup = gate.give_account(system, person, &account).unwrap().unwrap();
    let password = "Shuiku-2018 liang";
    gate.set_up("bench", &setup.code, password, "127.0.0.1").unwrap();
    let wish = SignIn { login: "bench", password, code: None };
    let session = gate.sign_in(wish, Attempt { from: "127.0.0.1", older: None }).unwrap();
    gate.enrol(&session.seen, password, "127.0.0.1").unwrap();
    let token_us = mean_us(ROUND, || drop(black_box(gate.bearer(&token).unwrap())));
    let session_us = mean_us(ROUND, || drop(black_box(gate.session(&session.secret).unwrap())));
    (token_us, session_us)
}

fn person(role: Role, unit: &str) -> Actor {
    Actor::person(PersonId(1), vec![Grant { role, unit: unit.to_owned() }])
}

/// Both in one run: whole lives over HTTP for a while, then the questions.
pub async fn measure(cluster: &Cluster, span: Duration) -> Measured {
    let rows = life::measure("sqlite", cluster, &[16], span).await;
    let start = fenliu::domain::Instant::parse("2018-07-02T09:00:00+08:00").unwrap();
    let folder = folder("rights");
    let (gate, _clock, caller) = clocks::gate(&clocks::sqlite(&folder), start);
    let id = gate.submit(clocks::register(&caller)).await.unwrap().receipt.instance;
    let route = Request {
        target: Target::Instance(id),
        command: "route".to_owned(),
        input: serde_json::json!({ "unit": "huanbao" }).as_object().unwrap().clone(),
        ..clocks::register(&caller)
    };
    gate.submit(route).await.unwrap();
    let seen = gate.instance(&caller, id).unwrap();
    let directory = gate.registry().directory(caller.jurisdiction).unwrap();
    let county = directory.county();
    let people = [person(Role::Dispatcher, "gongan"), person(Role::Liaison, "huanbao")];
    let questions_us = mean_us(ROUND, || {
        for actor in &people {
            // At the door of the API, then inside the transaction.
            let admitted = policy::may_somewhere(black_box(actor), Act::Command, county);
            let facts: &dyn Facts = &*directory;
            let named = seen.chart.named_in(&seen.instance);
            let part = policy::takes_part(actor, named, || seen.chart.posts(facts), county);
            assert!(black_box(admitted) && black_box(part));
        }
    }) / 2.0;
    let system = Caller { actor: Actor::System, jurisdiction: caller.jurisdiction };
    let (token_us, session_us) = look_ups(&gate, &system);
    drop(gate);
    std::fs::remove_dir_all(folder).unwrap();
    Measured { questions_us, token_us, session_us, command_us: rows[0].cpu_us }
}

pub fn print(measured: &Measured) {
    let [token, session] = measured.shares().map(|share| share * 100.0);
    println!(
        "questions {:.2} us, token {:.2} us, session {:.2} us, of {:.0} us CPU for a command: \
         {token:.2} % by token, {session:.2} % in a session (aim: at most 5 %)\n",
        measured.questions_us, measured.token_us, measured.session_us, measured.command_us
    );
}
