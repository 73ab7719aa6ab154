//! What it costs to ask who may do it: the questions that a command asks the table of rights, by
//! themselves, beside the CPU time of the service for a whole command of the same run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use fenliu::domain::{Actor, Facts, Grant, PersonId, Role};
use fenliu::gate::{Request, Target};
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
    /// CPU time of the service for a command, µs.
    pub command_us: f64,
}

impl Measured {
    /// What part of a command the questions are.
    pub fn share(&self) -> f64 {
        self.questions_us / self.command_us
    }
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
    let begun = Instant::now();
    for _ in 0..ROUND {
        for actor in &people {
            // At the door of the API, then inside the transaction.
            let admitted = policy::may_somewhere(black_box(actor), Act::Command, county);
            let facts: &dyn Facts = &*directory;
            let named = seen.chart.named_in(&seen.instance);
            let part = policy::takes_part(actor, named, || seen.chart.posts(facts), county);
            assert!(black_box(admitted) && black_box(part));
        }
    }
    let asked = f64::from(ROUND) * 2.0;
    let questions_us = begun.elapsed().as_secs_f64() * 1e6 / asked;
    drop(gate);
    std::fs::remove_dir_all(folder).unwrap();
    Measured { questions_us, command_us: rows[0].cpu_us }
}
