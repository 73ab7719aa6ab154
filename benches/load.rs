//! `make bench`: how much the whole product bears, as ratios to `pgbench -N` of the same run on the
//! same machine. Prints Markdown; every figure names what was measured.
//!
//! `cargo bench --bench load -- [--seconds N]
//! [--only throughput|clocks|alerts|growth|rights|routing|oracle] [--quick]
//! [--store sqlite|postgres] [--clients N]`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(unreachable_pub, reason = "a program of its own, read from its top")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    reason = "a benchmark stops at the first thing that is not as it should be"
)]

#[path = "load/alerts.rs"]
mod alerts;
#[path = "load/client.rs"]
mod client;
#[path = "load/clocks.rs"]
mod clocks;
#[path = "load/growth.rs"]
mod growth;
#[path = "load/life.rs"]
mod life;
#[path = "load/oracle.rs"]
mod oracle;
#[path = "load/postgres.rs"]
mod postgres;
#[path = "load/rights.rs"]
mod rights;
#[path = "load/routing.rs"]
mod routing;
#[path = "load/service.rs"]
mod service;

use std::time::Duration;

/// What to measure.
struct Plan {
    seconds: u64,
    only: Option<String>,
    store: Option<String>,
    clients: Option<usize>,
    quick: bool,
}

impl Plan {
    fn from_arguments() -> Self {
        let mut plan = Self { seconds: 8, only: None, store: None, clients: None, quick: false };
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seconds" => plan.seconds = words.next().unwrap().parse().unwrap(),
                "--only" => plan.only = words.next(),
                "--store" => plan.store = words.next(),
                "--clients" => plan.clients = Some(words.next().unwrap().parse().unwrap()),
                "--quick" => plan.quick = true,
                _ => {}
            }
        }
        if plan.quick {
            plan.seconds = plan.seconds.min(3);
        }
        plan
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn main() {
    let plan = Plan::from_arguments();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cluster = postgres::Cluster::start();
    let span = Duration::from_secs(plan.seconds);
    println!("# fenliu: load\n");
    let before = cluster.pgbench(plan.seconds);
    println!(
        "pgbench -N -M prepared, 64 clients: {:.0} tps, mean {:.2} ms, p99 {:.2} ms\n",
        before.tps, before.mean_ms, before.p99_ms
    );
    if plan.wants("throughput") {
        let numbers = plan.clients.map_or(vec![1, 16, 64, 256], |number| vec![number]);
        for kind in ["sqlite", "postgres"] {
            if plan.store.as_deref().is_some_and(|only| only != kind) {
                continue;
            }
            let rows = runtime.block_on(life::measure(kind, &cluster, &numbers, span));
            println!("## {kind}: whole life cycles over HTTP, default durability\n");
            life::print(&rows, &before);
        }
    }
    if plan.wants("clocks") {
        let count = if plan.quick { 20_000 } else { 100_000 };
        let drained = runtime.block_on(clocks::drain(count));
        println!("## clocks: {count} due at one instant, SQLite\n");
        println!(
            "drained in {:.2} s: {:.0}/s = {:.2} x pgbench; early {}, twice {}, left {}\n",
            drained.seconds,
            drained.rate(),
            drained.rate() / before.tps,
            drained.early,
            drained.twice,
            drained.left
        );
    }
    if plan.wants("alerts") {
        let measured = runtime.block_on(alerts::measure(if plan.quick { 6 } else { 20 }));
        println!("## alerts: 50 clocks due a second, until the server has the alert, SQLite\n");
        alerts::print(&measured);
    }
    if plan.wants("routing") {
        println!("## routing: one call after the other, on one core\n");
        routing::print(&routing::measure());
    }
    if plan.wants("growth") {
        let large = if plan.quick { 100_000 } else { 1_000_000 };
        for kind in ["sqlite", "postgres"] {
            if plan.store.as_deref().is_some_and(|only| only != kind) {
                continue;
            }
            let cluster = (kind == "postgres").then_some(&cluster);
            growth::print(kind, &runtime.block_on(growth::measure(cluster, large, span)));
        }
    }
    if plan.wants("oracle") {
        println!("## oracle: whether time tells what words do not, SQLite\n");
        oracle::print(&oracle::measure(&runtime, plan.quick));
    }
    if plan.wants("rights") {
        let measured = runtime.block_on(rights::measure(&cluster, span));
        println!("## rights: who it is, and the questions of one command, SQLite, 16 clients\n");
        rights::print(&measured);
    }
    let after = cluster.pgbench(plan.seconds);
    println!(
        "pgbench again at the end: {:.0} tps, mean {:.2} ms, p99 {:.2} ms",
        after.tps, after.mean_ms, after.p99_ms
    );
    println!("(ratios above use the first run; the difference is this machine's noise)");
}
