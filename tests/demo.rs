//! The main job as a process of its own: shown whole, and killed while it works.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fenliu::app::demo::{self, Player};
use fenliu::clock::{Clock, FastClock, SystemClock};
use fenliu::domain::Instant;
use serde_json::Value as Json;

use super::process::{FENLIU, Folder, Service};

/// How often the service is killed, unless the environment variable `KILLS` says another number
/// (`make test KILLS=50`).
const KILLS: u64 = 12;

/// The number of rounds of this run.
#[expect(clippy::disallowed_methods, reason = "a knob of the tests, not of the product")]
fn kills() -> u64 {
    match std::env::var("KILLS") {
        Ok(text) => text.parse().expect("KILLS is a whole number"),
        Err(_) => KILLS,
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Shows the demonstration to its end; answers its report, and everything that was said.
fn show(folder: &Folder, words: &[&str]) -> (Json, String) {
    let report = folder.0.join("report.json");
    let output = Command::new(FENLIU)
        .current_dir(root())
        .args(["demo", "--once", "--listen", "127.0.0.1:0", "--report"])
        .arg(&report)
        .args(words)
        .env("FENLIU_DATABASE_FOLDER", &folder.0)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    let report = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    (report, format!("{said}{complained}"))
}

#[test]
fn the_main_job_runs_on_postgresql_as_it_does_on_sqlite() {
    let folder = Folder::new("demo-postgres");
    let database = crate::store::postgres::empty_database();
    let words = ["--speed", "28800", "--calls-max", "24", "--unread", "--database", &database];
    let (report, said) = show(&folder, &words);
    assert_eq!(report["commands_lost"], 0, "{said}");
    assert_eq!(report["instances_differing"], 0, "{report:#}");
    assert_eq!(report["chains_verified"], report["instances"]);
    assert!(report["commands_acknowledged"].as_u64().unwrap() > 80, "{report:#}");
}

// Check 43.
#[test]
fn the_demonstration_reaches_every_state_of_the_card_and_its_figures_agree_with_the_log() {
    let folder = Folder::new("demo");
    let (report, said) = show(&folder, &["--speed", "28800", "--calls-max", "60"]);
    assert_eq!(report["states_missing"], serde_json::json!([]), "{report:#}");
    // The guard read every call, and kept or asked about some of them.
    let guard = |verdict: &str| report["guard"][verdict].as_u64().unwrap_or(0);
    assert_eq!(guard("divert") + guard("ask") + guard("keep"), 60, "{report:#}");
    assert!(guard("keep") > 0, "{report:#}");
    assert_eq!(report["commands_lost"], 0);
    assert_eq!(report["instances_differing"], 0);
    assert_eq!(report["chains_verified"], report["instances"]);
    assert_eq!(report["instances_replayed"], report["instances"]);
    assert!(report["commands_acknowledged"].as_u64().unwrap() > 200, "{report:#}");
    for workflow in
        ["referral", "incident", "co_task", "supervision", "vehicle_mark", "convenience_measure"]
    {
        let kinds = report["events_by_kind"].as_object().unwrap();
        let some = kinds.keys().any(|name| name.starts_with(&format!("{workflow}.")));
        assert!(some, "no event of a {workflow}: {report:#}");
    }
    // In time, returned, disputed, ruled, late, suspended, reopened, raised and lowered, reported.
    for kind in [
        "referral.accept",
        "referral.return_to_desk",
        "referral.contest",
        "referral.rule",
        "referral.clock.handle",
        "referral.suspend",
        "referral.reopen",
        "referral.raise_tier",
        "referral.lower_tier",
        "incident.report_phone",
        "incident.clock.phone",
        "incident.send_written",
        "incident.clock.written",
        "supervision.issue",
    ] {
        let times = report["events_by_kind"][kind].as_u64().unwrap_or(0);
        assert!(times > 0, "{kind} is not shown: {:#}", report["events_by_kind"]);
    }
    assert!(said.contains(" 60/60 件来电") && !said.contains("61/60"), "{said}");
    // How many came in and how many are over are told apart; what is late is late by the script.
    assert!(said.contains("件已演完 played to the end"), "{said}");
    assert!(said.contains("the verdict is about integrity"), "{said}");
    assert!(said.contains("已签收 accepted, "), "{said}");
    let first = said.split("件来电").nth(1).unwrap();
    assert!(
        !first.lines().nth(1).unwrap().trim().is_empty(),
        "the first frame shows something: {said}"
    );
    assert!(report["report_breaches"].as_object().unwrap().len() >= 2, "{report:#}");
    // Callers are synthetic, and planted: nothing of them may leave the house by log or message.
    let messages = std::fs::read_to_string(folder.0.join("demo/messages.log")).unwrap();
    for text in [&said, &messages] {
        assert!(!text.contains("来电人0") && !text.contains("00000000001"), "a caller was told of");
    }
}

/// The service with time that runs fast, at a port of its own.
fn serve(folder: &Path, port: u16, anchor: i64) -> Service {
    Service::start(
        Command::new(FENLIU)
            .current_dir(root())
            .args(["serve", "--from", "2018-07-02T08:30:00+08:00", "--speed", "3600"])
            .args(["--anchor", &anchor.to_string()])
            .env("FENLIU_DATABASE_FOLDER", folder)
            .env("FENLIU_SERVER_LISTEN", format!("127.0.0.1:{port}"))
            .env("FENLIU_LOG_FILTER", "error")
            // The driver plays known calls and answers no questions of the guard.
            .env("FENLIU_ROUTING_FOLDER", ""),
    )
}

#[test]
fn killed_again_and_again_the_service_loses_nothing_it_acknowledged() {
    let folder = Folder::new("kill");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let anchor = SystemClock::new().now().0;
    let mut service = serve(&folder.0, port, anchor);
    let token = service.token.clone().expect("the first start prints a token");
    let from = Instant::parse("2018-07-02T08:30:00+08:00").unwrap();
    let clock = FastClock::new(from, 3600, Some(Instant(anchor)));
    let over = Arc::new(AtomicBool::new(false));
    let players = {
        let (over, base) = (Arc::clone(&over), format!("http://127.0.0.1:{port}"));
        let folder = root().join("config/demo");
        let (script, calls) = (folder.join("play.yaml"), folder.join("calls.jsonl"));
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime
                .block_on(Player::play_until(&base, &token, clock, (&script, &calls), &over))
                .unwrap()
        })
    };
    // The moments are irregular, but the same in every run.
    let mut dice = 12_345_u64;
    let kills = kills();
    for _ in 0..kills {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(300 + (dice >> 33) % 900));
        service.kill();
        service = serve(&folder.0, port, anchor);
    }
    std::thread::sleep(Duration::from_millis(500));
    over.store(true, Ordering::SeqCst);
    let played = players.join().unwrap();
    service.kill();
    let url = format!("sqlite:{}", folder.0.join("fenliu.db").display());
    let found = demo::look_again(&url, &played).unwrap();
    let (lost, twice, faults) = (found.lost.len(), found.twice.len(), found.faults.len());
    println!(
        "killed {kills} times: {} acknowledged, {lost} lost, {} clocks fired, {twice} twice, {faults} faults",
        played.acknowledged, found.fired
    );
    // A service that never gets to answering would lose nothing either, nor fire a clock twice.
    let least = (kills * 4).max(50);
    assert!(played.acknowledged >= least, "only {} were acknowledged", played.acknowledged);
    assert!(found.fired >= 20, "only {} steps of clocks were taken", found.fired);
    assert_eq!(found.lost, Vec::<String>::new(), "acknowledged, but not there");
    assert_eq!(found.twice, Vec::<String>::new(), "clocks that did one thing twice");
    assert_eq!(found.faults, Vec::<String>::new(), "what the auditor finds");
}

#[test]
fn a_demonstration_that_cannot_be_shown_says_so_before_it_begins() {
    let folder = Folder::new("demo-wrong");
    let script = folder.0.join("play.yaml");
    std::fs::write(&script, "begin: some Monday\notherwise: other\nclause: none\n").unwrap();
    let (script, nowhere) = (script.display().to_string(), "/nowhere/report.json".to_owned());
    for (words, said) in [
        (["--speed", "0"], "0 is not in 1..=86400"),
        (["--calls-max", "0"], "0 is not in 1.."),
        (["--report", nowhere.as_str()], "/nowhere/report.json: No such file"),
        (["--script", script.as_str()], "play.yaml: "),
    ] {
        let mut fenliu = Command::new(FENLIU);
        fenliu.current_dir(root()).args(["demo", "--once", "--listen", "127.0.0.1:0"]);
        let output = fenliu.args(words).env("FENLIU_DATABASE_FOLDER", &folder.0).output().unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && complained.contains(said), "{words:?}: {complained}");
        assert!(!folder.0.join("demo").exists(), "{words:?}: nothing was begun");
    }
}
