//! What a transition leaves and enters, and in which order things are done (§13, 2 and 3).

use super::bench::{Bench, desk, marks};

/// Marks: leaving writes 1-3, entering 7-9, the transition 5.
const STATES: &str = r#"
outer:
  initial: first
  entry: { set: { trace: "trace * 10 + 7" } }
  exit: { set: { trace: "trace * 10 + 3" } }
  on:
    dive: { to: .second, set: { trace: "trace * 10 + 5" } }
    again_outer: { to: outer, set: { trace: "trace * 10 + 5" } }
    out: { to: elsewhere, set: { trace: "trace * 10 + 5" } }
  states:
    first:
      entry: { set: { trace: "trace * 10 + 8" } }
      exit: { set: { trace: "trace * 10 + 1" } }
      on:
        side: { to: second, set: { trace: "trace * 10 + 5" } }
        again: { to: first, set: { trace: "trace * 10 + 5" } }
        up: { to: outer, set: { trace: "trace * 10 + 5" } }
        stay: { set: { trace: "trace * 10 + 5" } }
    second:
      entry: { set: { trace: "trace * 10 + 9" } }
      exit: { set: { trace: "trace * 10 + 2" } }
      on: { side: { to: first } }
elsewhere:
  on: { out: { to: outer.second } }
"#;

fn after(command: &str) -> (i64, String, Vec<String>) {
    let names = "dive again_outer out side again up stay";
    let mut bench = Bench::new(&desk(names, "", "outer", STATES));
    assert_eq!(marks(&bench), 78);
    bench.instance.fields.insert("trace".to_owned(), 0.into());
    let entered = bench.give(command).entered.clone();
    (marks(&bench), bench.state().to_owned(), entered)
}

#[test]
fn a_transition_to_a_sibling_leaves_only_its_owner() {
    let (marks, state, entered) = after("side");
    assert_eq!((marks, state.as_str()), (159, "open.outer.second"));
    assert_eq!(entered, ["open.outer.second"]);
}

#[test]
fn a_self_transition_leaves_and_enters_again() {
    assert_eq!(after("again"), (158, "open.outer.first".into(), vec!["open.outer.first".into()]));
}

#[test]
fn a_transition_to_an_ancestor_leaves_and_enters_the_ancestor() {
    let (marks, state, entered) = after("up");
    assert_eq!((marks, state.as_str()), (13_578, "open.outer.first"));
    assert_eq!(entered, ["open.outer", "open.outer.first"]);
}

#[test]
fn a_transition_into_a_descendant_does_not_leave_the_composite() {
    assert_eq!(after("dive"), (159, "open.outer.second".into(), vec!["open.outer.second".into()]));
}

#[test]
fn a_self_transition_of_a_composite_leaves_it_from_the_inside_out_and_enters_its_initial_leaf() {
    assert_eq!(after("again_outer").0, 13_578);
}

#[test]
fn a_transition_outwards_exits_from_the_inside_out() {
    let (marks, state, _) = after("out");
    assert_eq!((marks, state.as_str()), (135, "open.elsewhere"));
}

#[test]
fn a_transition_without_a_target_leaves_and_enters_nothing() {
    assert_eq!(after("stay"), (5, "open.outer.first".into(), Vec::new()));
}

#[test]
fn entering_goes_from_the_outside_in() {
    let mut bench =
        Bench::new(&desk("dive again_outer out side again up stay", "", "outer", STATES));
    bench.give("out");
    bench.instance.fields.insert("trace".to_owned(), 0.into());
    assert_eq!(bench.give("out").entered, ["open.outer", "open.outer.second"]);
    assert_eq!(marks(&bench), 79);
}

#[test]
fn exits_come_first_then_the_commands_own_effects_then_the_transitions_then_entries() {
    let text = desk("go", "", "a", STATES_OF_ORDER)
        .replace("by: [desk.duty] }", "by: [desk.duty], set: { trace: \"trace * 10 + 2\" } }");
    let mut bench = Bench::new(&text);
    bench.give("go");
    assert_eq!(marks(&bench), 1234);
}

const STATES_OF_ORDER: &str = r#"
a:
  exit: { set: { trace: "trace * 10 + 1" } }
  on: { go: { to: b, set: { trace: "trace * 10 + 3" } } }
b:
  entry: { set: { trace: "trace * 10 + 4" } }
  on: { go: { to: a } }
"#;

#[test]
fn the_sets_of_one_block_are_all_computed_before_any_is_written() {
    let more = "  other: { type: number, initial: 5, title: { zh: 他, en: other } }";
    let states = "a: { on: { go: { to: b, set: { trace: other, other: trace } } } }\nb: { on: { go: { to: a } } }";
    let mut bench = Bench::new(&desk("go", more, "a", states));
    bench.give("go");
    assert_eq!((marks(&bench), bench.field("other")), (5, 0.into()));
}
