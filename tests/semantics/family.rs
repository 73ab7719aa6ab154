//! Children, signals and ends, as one instance sees them (§10).

use fenliu::domain::{Command, Value};

use super::bench::{Bench, HEAD, person};

const PARENT: &str = r#"
children: { task: { at_most: 3 } }
commands:
  hand_out:
    title: { zh: 派, en: hand out }
    by: [desk.duty]
    input: { to: { type: units, at_most: 9, title: { zh: 给, en: to } } }
  close: { title: { zh: 结, en: close }, by: [desk.duty] }
  drop: { title: { zh: 弃, en: drop }, by: [desk.duty] }
clocks:
  watch: { title: { zh: 望, en: watch }, due: "days(30)", ladder: loud }
initial: open
states:
  open:
    holder: desk
    clocks: [watch]
    on:
      clock.watch: {}
      hand_out: { start: [{ workflow: task, each: input.to, with: { unit: each } }] }
      ended.task: { when: "open(task) == 0", to: ready, signal: [{ to: parent, name: done, with: { n: total(task) } }] }
      drop: { to: dropped, outcome: dropped }
  ready:
    holder: desk
    clocks: [watch]
    on: { clock.watch: {}, close: { to: closed, outcome: well }, hand_out: { to: open } }
  dropped: { final: true }
  closed: { rest: true, on: { close: { to: ready } } }
"#;

fn units(names: &[&str]) -> Command {
    let list = names.iter().map(|name| Value::from(*name)).collect();
    Command::new("hand_out").with("to", Value::List(list))
}

fn bench() -> Bench {
    Bench::open(&format!("{HEAD}{PARENT}"), &Command::new("begin"))
}

fn count(bench: &Bench) -> (i64, i64) {
    let children = bench.instance.children.get("task").copied().unwrap_or_default();
    (children.open, children.total)
}

#[test]
fn one_child_is_started_for_each_member_and_counted() {
    let mut bench = bench();
    let started = bench.give_with(&units(&["a", "b"])).started.clone();
    let inputs: Vec<_> = started.iter().map(|child| child.input["unit"].clone()).collect();
    assert_eq!(inputs, [Value::from("a"), Value::from("b")]);
    assert_eq!(count(&bench), (2, 2));
}

#[test]
fn the_end_of_a_child_counts_down_even_when_nothing_reacts_to_it() {
    let mut bench = bench();
    bench.give_with(&units(&["a", "b"]));
    assert!(bench.hear("ended.task").ignored);
    assert_eq!((count(&bench), bench.state()), ((1, 2), "open"));
    let event = bench.hear("ended.task").clone();
    assert_eq!((count(&bench), bench.state()), ((0, 2), "ready"));
    assert_eq!(
        (event.signalled[0].to.as_str(), event.signalled[0].name.as_str()),
        ("parent", "done")
    );
    assert_eq!(event.signalled[0].input["n"], Value::Int(2));
}

#[test]
fn more_children_than_the_workflow_allows_are_refused_and_nothing_has_happened() {
    let mut bench = bench();
    bench.give_with(&units(&["a", "b"]));
    let refusal = bench.ask(&person(&["gongan.duty"]), &units(&["c", "d"])).unwrap_err();
    assert_eq!(refusal.code, "too_many_children");
    assert_eq!(count(&bench), (2, 2));
}

#[test]
fn open_children_are_told_when_their_parent_has_ended() {
    let mut bench = bench();
    bench.give_with(&units(&["a"]));
    let event = bench.give("drop").clone();
    assert_eq!(
        (event.signalled[0].to.as_str(), event.signalled[0].name.as_str()),
        ("children", "parent_ended")
    );
    assert_eq!(bench.instance.outcome.as_deref(), Some("dropped"));
    assert_eq!(
        (bench.instance.closed_at, bench.instance.holder.as_deref()),
        (Some(bench.now), None)
    );
}

#[test]
fn a_rest_state_is_closed_and_reopening_takes_its_outcome_back() {
    let mut bench = bench();
    bench.give_with(&units(&["a"]));
    bench.hear("ended.task");
    bench.give("close");
    assert_eq!(bench.instance.outcome.as_deref(), Some("well"));
    assert!(bench.instance.closed_at.is_some() && bench.instance.holder.is_none());
    bench.give("close");
    assert_eq!((bench.state(), bench.instance.outcome.as_deref()), ("ready", None));
    assert!(bench.instance.closed_at.is_none());
    assert_eq!(bench.instance.holder.as_deref(), Some("gongan"));
}
