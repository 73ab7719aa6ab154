//! A new version of the calendar while much waits: nothing is forgotten, nothing moves twice.

use fenliu::domain::{Actor, InstanceId};
use fenliu::gate::{Caller, Gate, Progress, Target, verify};
use fenliu::scheduler::auditor::{Auditor, Options as Looks};
use fenliu::scheduler::recount::{Options, Recount};
use fenliu::scheduler::{Duty, Next, Poll};
use serde_json::json;

use super::house::{House, at, calendar, door, run, turn};

/// A matter that is due after two working days.
const WORKFLOW: &str = r#"
workflow: slow
title: { zh: 慢, en: slow }
parties: [desk]
start: { command: begin, title: { zh: 始, en: begin }, by: [desk.dispatcher] }
commands: { end: { title: { zh: 毕, en: end }, by: [desk.dispatcher] } }
clocks:
  handle: { title: { zh: 办理时限, en: time to handle }, due: "workdays(2)", ladder: late }
ladders:
  late: [{ every: "0 0 9 * * *", tell: [desk.leader], via: [sms], text: still }]
texts: { still: { zh: "{number}仍未办结", en: "{number} is still open" } }
initial: open
states:
  open: { title: { zh: 办, en: open }, status: open, holder: desk, clocks: [handle], on: { clock.handle: {}, end: { to: done } } }
  done: { title: { zh: 毕, en: done }, status: done, final: true }
"#;

/// The day after the tests begin becomes a day off.
fn next_version() -> String {
    let text = calendar().replace("version: \"2026.1\"", "version: \"2026.2\"");
    let (before, year) = text.split_once("\n  2026:").unwrap();
    let year = year.replacen("off: [", "off: [\"03-03\", ", 1);
    format!("{before}\n  2026:{year}")
}

fn system(house: &House) -> Caller {
    Caller { actor: Actor::System, jurisdiction: house.jurisdiction }
}

async fn waiting(house: &House, count: usize) -> Vec<InstanceId> {
    let mut all = Vec::new();
    for _ in 0..count {
        let done = house.ask(Target::New("slow".to_owned()), "begin", json!({})).await;
        all.push(done.receipt.instance);
    }
    all
}

fn founded() -> House {
    let house = House::new();
    house.gate.publish(&system(&house), WORKFLOW).unwrap();
    house
}

fn recount(gate: &Gate) -> Recount {
    Recount::new(Duty::new(gate.clone()), Options { piece: 3, ..Options::default() })
}

fn progress(house: &House) -> Progress {
    house.gate.recounting(house.jurisdiction).unwrap()
}

/// Every matter has its opening and exactly one recount, and its clock is due a day later.
fn all_moved_once(house: &House, all: &[InstanceId]) {
    for id in all {
        let kinds: Vec<String> = house.events(*id).into_iter().map(|e| e.command.name).collect();
        assert_eq!(kinds, ["begin", "recount_clocks"], "{id}");
        let clocks = house.store.read(|reader| reader.clocks(*id)).unwrap();
        assert_eq!(clocks[0].due_at, at("2026-03-05T17:30:00+08:00"), "{id}");
    }
    let report = verify(&house.store, |_| ()).unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[test]
fn a_restart_in_the_middle_goes_on_where_it_was() {
    run(async {
        let mut house = founded();
        let all = waiting(&house, 10).await;
        house.gate.load_calendar(&system(&house), &next_version().into()).unwrap();
        let mut work = recount(&house.gate);
        assert_eq!(work.poll().await, Next::Now);
        assert_eq!((progress(&house).looked, progress(&house).moved), (3, 3));
        house.restarted();
        let mut work = recount(&house.gate);
        assert_eq!(work.poll().await, Next::Now);
        assert_eq!((progress(&house).looked, progress(&house).moved), (6, 6));
        let settled = at("2026-03-02T10:00:30+08:00");
        assert_eq!(turn(&mut work).await, Next::At(settled), "a second round comes later");
        assert_eq!(progress(&house).ended_at, None);
        house.set("2026-03-02T10:00:30+08:00");
        turn(&mut work).await;
        let done = progress(&house);
        assert_eq!((done.ended_at, done.moved, done.of), (Some(settled), 10, 10));
        all_moved_once(&house, &all);
    });
}

#[test]
fn a_service_that_dies_before_it_notes_its_progress_moves_nothing_twice() {
    run(async {
        let mut house = founded();
        let all = waiting(&house, 4).await;
        house.gate.load_calendar(&system(&house), &next_version().into()).unwrap();
        // What the first piece did was committed, and the note of it was not.
        for id in &all[..3] {
            house.gate.recount(house.jurisdiction, *id).await.unwrap();
        }
        house.restarted();
        let mut work = recount(&house.gate);
        turn(&mut work).await;
        house.set("2026-03-02T10:00:30+08:00");
        turn(&mut work).await;
        assert_eq!(progress(&house).moved, 1);
        all_moved_once(&house, &all);
    });
}

#[test]
fn what_another_node_still_counted_by_the_old_version_is_found_in_the_second_round() {
    run(async {
        let house = founded();
        // This node does not know yet what the other one has loaded.
        let other = door(&house.store, &house.clock);
        other.load_calendar(&system(&house), &next_version().into()).unwrap();
        let mut work = recount(&other);
        turn(&mut work).await;
        let all = waiting(&house, 5).await;
        house.set("2026-03-02T10:00:30+08:00");
        turn(&mut work).await;
        assert_eq!(other.recounting(house.jurisdiction).unwrap().moved, 5);
        all_moved_once(&house, &all);
    });
}

#[test]
fn what_was_counted_by_the_old_version_even_later_is_found_by_the_auditor() {
    run(async {
        let house = founded();
        let other = door(&house.store, &house.clock);
        other.load_calendar(&system(&house), &next_version().into()).unwrap();
        let all = waiting(&house, 2).await;
        let pass = Auditor::new(Duty::new(other), Looks::default()).pass().await.unwrap();
        assert_eq!((pass.checked, pass.differing), (2, 0));
        all_moved_once(&house, &all);
    });
}

#[test]
fn two_nodes_that_count_together_move_nothing_twice() {
    run(async {
        let house = founded();
        let other = door(&house.store, &house.clock);
        let all = waiting(&house, 20).await;
        house.gate.load_calendar(&system(&house), &next_version().into()).unwrap();
        other.reload().unwrap();
        let (mut one, mut two) = (recount(&house.gate), recount(&other));
        futures_util::future::join(turn(&mut one), turn(&mut two)).await;
        house.set("2026-03-02T10:00:30+08:00");
        futures_util::future::join(turn(&mut one), turn(&mut two)).await;
        all_moved_once(&house, &all);
    });
}
