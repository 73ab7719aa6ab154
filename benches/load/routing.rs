//! What a suggestion costs: time on one core for each call, and memory for all that is known.

use std::path::Path;
use std::time::Instant;

use fenliu::app::routing;
use fenliu::config::settings::Settings;
use fenliu::routing::Router;

/// What was measured.
pub struct Cost {
    pub examples: usize,
    pub training_s: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
    /// Resident memory that the trained router added, after its training was forgotten.
    pub memory_mib: f64,
}

/// Trains the shipped router and asks it about every call of the demonstration, over and over.
pub fn measure() -> Cost {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let settings = Settings { home: home.clone(), ..Settings::default() };
    let before = resident_mib();
    let begun = Instant::now();
    let knowledge = routing::knowledge(&settings).unwrap();
    let router = Router::train(&knowledge);
    let training_s = begun.elapsed().as_secs_f64();
    let examples = knowledge.examples.len();
    drop(knowledge);
    let memory_mib = resident_mib() - before;
    let calls = std::fs::read_to_string(home.join("demo/calls.jsonl")).unwrap();
    let texts: Vec<String> = calls
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|call| call["text"].as_str().unwrap().to_owned())
        .collect();
    let mut millis = Vec::new();
    for text in texts.iter().cycle().take(3000) {
        let begun = Instant::now();
        std::hint::black_box(router.suggest(text));
        millis.push(begun.elapsed().as_secs_f64() * 1000.0);
    }
    millis.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| millis[(millis.len() as f64 * part) as usize];
    let longest_ms = millis[millis.len() - 1];
    Cost { examples, training_s, p50_ms: at(0.5), p99_ms: at(0.99), longest_ms, memory_mib }
}

/// A table.
pub fn print(cost: &Cost) {
    println!("| examples | training s | p50 ms a call | p99 ms | longest ms | memory MiB |");
    println!("|---:|---:|---:|---:|---:|---:|");
    println!(
        "| {} | {:.1} | {:.2} | {:.2} | {:.2} | {:.0} |\n",
        cost.examples, cost.training_s, cost.p50_ms, cost.p99_ms, cost.longest_ms, cost.memory_mib
    );
}

fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
