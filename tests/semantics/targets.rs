//! How targets are looked up, and how many states there may be (§13, 5 and 6).

use super::bench::{Bench, HEAD, desk, findings};

const TWINS: &str = r#"
left:
  initial: same
  states:
    same: { on: { go: { to: other }, up: { to: right }, deep: { to: right.other } } }
    other: { on: { go: { to: same } } }
right:
  initial: other
  on: { down: { to: .same }, go: { to: left.other } }
  states:
    same: { on: { up: { to: other } } }
    other: { on: { deep: { to: same } } }
"#;

fn reached(commands: &[&str]) -> String {
    let mut bench = Bench::new(&desk("go up deep down", "", "left", TWINS));
    for command in commands {
        bench.give(command);
    }
    bench.state().trim_start_matches("open.").to_owned()
}

#[test]
fn a_bare_name_means_the_owners_own_sibling_even_when_others_are_called_the_same() {
    assert_eq!(reached(&["go"]), "left.other");
    assert_eq!(reached(&["up", "deep"]), "right.same");
}

#[test]
fn a_name_that_is_no_sibling_is_looked_up_among_the_siblings_of_ancestors() {
    assert_eq!(reached(&["up"]), "right.other");
}

#[test]
fn further_segments_are_children() {
    assert_eq!(reached(&["deep"]), "right.other");
    assert_eq!(reached(&["up", "go"]), "left.other");
}

#[test]
fn a_leading_dot_names_a_child_of_the_owner() {
    assert_eq!(reached(&["up", "down"]), "right.same");
}

#[test]
fn a_composite_target_means_its_initial_leaf() {
    assert_eq!(reached(&["up"]), "right.other");
}

#[test]
fn a_name_that_cannot_be_seen_is_an_error_that_names_the_path() {
    let states = TWINS.replace("{ to: right }", "{ to: hidden }")
        + "far:\n  initial: hidden\n  states: { hidden: { on: { go: { to: left } } } }\n";
    let found = findings(&format!("{HEAD}{}", desk("go up deep down", "", "left", &states)));
    assert_eq!(found[0].code, "unknown_state");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `open.far.hidden`?"));
}

#[test]
fn two_siblings_of_one_name_are_an_error() {
    let found =
        findings(&format!("{HEAD}{}", desk("go", "", "a", "a: { on: { go: { to: a } } }\na: {}")));
    assert!(found.iter().any(|f| f.message.contains("a") && f.line > 1), "{found:?}");
}

#[test]
fn a_chart_has_at_most_256_states_and_says_so() {
    let many = |count: usize| {
        let state =
            |n: usize| format!("s{n}: {{ on: {{ go: {{ to: s{} }} }} }}\n", (n + 1) % count);
        let states: String = (0..count).map(state).collect();
        findings(&format!("{HEAD}{}", desk("go", "", "s0", &states)))
    };
    assert!(many(255).iter().all(|f| f.code != "too_many_states"));
    let found = many(256);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "257 states; at most 256 are allowed");
    assert!(found[0].help.as_deref().unwrap().contains("family"));
}
