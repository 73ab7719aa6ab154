//! Who takes a trigger, when it is refused, and what an event says (§13, 1 and 4; §3; §11).

use fenliu::domain::{Actor, Command, InstanceId, Value};

use super::bench::{Bench, HEAD, commands, desk, marks, person, time};

const NESTED: &str = r#"
outer:
  initial: inner
  on:
    go: { set: { trace: 1 } }
    far: { set: { trace: 1 } }
    pick: [{ when: "trace == 0", set: { trace: 2 } }, { set: { trace: 3 } }]
    rule: { set: { trace: 9 } }
  states:
    inner:
      on:
        go: { set: { trace: 4 } }
        pick: { when: "trace == 99", set: { trace: 5 } }
        rule:
          - require:
              - { check: "trace > 5", else: { code: too_small, zh: 太小, en: too small } }
              - { check: "trace > 6", else: { code: still_small, zh: 仍小, en: still small } }
              - { check: "trace == 0", else: { code: not_nothing, zh: 非零, en: not nothing } }
            to: other
    other: { on: { go: { to: inner } } }
"#;

fn nested() -> Bench {
    Bench::new(&desk("go far pick rule nowhere", "", "outer", NESTED))
}

#[test]
fn the_innermost_state_is_asked_first() {
    let mut bench = nested();
    bench.give("go");
    assert_eq!(marks(&bench), 4);
}

#[test]
fn an_outer_state_is_asked_when_the_inner_one_knows_nothing() {
    let mut bench = nested();
    bench.give("far");
    assert_eq!(marks(&bench), 1);
}

#[test]
fn guards_that_do_not_hold_pass_the_trigger_outwards_and_document_order_decides() {
    let mut bench = nested();
    bench.give("pick");
    assert_eq!(marks(&bench), 2);
    bench.give("pick");
    assert_eq!(marks(&bench), 3);
}

#[test]
fn a_broken_rule_refuses_with_every_sentence_and_outer_states_are_not_tried() {
    let bench = nested();
    let refusal = bench.refused("rule");
    let codes: Vec<&str> = refusal.reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!((refusal.code.as_str(), codes), ("too_small", vec!["too_small", "still_small"]));
    assert_eq!(refusal.reasons[0].text.zh, "太小");
}

#[test]
fn a_command_that_no_state_takes_is_not_possible_now_and_says_what_is() {
    let refusal = nested().refused("nowhere");
    assert_eq!(refusal.code, "not_possible_now");
    assert!(refusal.reasons[0].text.zh.contains('令'));
    assert_eq!(refusal.possible, ["far", "go", "pick"]);
}

#[test]
fn an_unknown_command_is_refused_by_its_name() {
    assert_eq!(nested().refused("dance").code, "unknown_command");
}

#[test]
fn a_command_is_refused_to_those_who_have_no_such_role_in_such_a_unit() {
    let bench = nested();
    for roles in [&["gongan.liaison"][..], &["huanbao.duty"], &[]] {
        let refusal = bench.ask(&person(roles), &Command::new("go")).unwrap_err();
        assert_eq!((refusal.code.as_str(), refusal.possible.len()), ("not_yours", 0));
    }
    assert_eq!(bench.ask(&Actor::System, &Command::new("go")).unwrap_err().code, "not_yours");
}

#[test]
fn only_the_start_command_opens_an_instance_and_no_state_takes_it() {
    let text = format!(
        "{HEAD}{}",
        desk("go", "", "a", "a: { on: { go: { to: b } } }\nb: { on: { go: { to: a } } }")
    );
    let refusal = Bench::try_open(&text, &Command::new("go")).map(|_| ()).unwrap_err();
    assert_eq!(refusal.code, "not_the_start");
    assert_eq!(Bench::open(&text, &Command::new("begin")).refused("begin").code, "unknown_command");
}

#[test]
fn what_has_ended_accepts_nothing_even_where_a_state_around_it_would() {
    let text = format!(
        "{}states:\n  all:\n    initial: open\n    on: {{ go: {{ to: .open }} }}\n    states:\n      \
         open: {{ holder: desk, clocks: [watch], on: {{ clock.watch: {{}}, stop: {{ to: done }} }} }}\n      \
         done: {{ final: true }}\n",
        format_args!(
            "{}clocks:\n  watch: {{ title: {{ zh: 望, en: watch }}, due: \"days(30)\", ladder: loud }}\ninitial: all\n",
            commands("go stop")
        )
    );
    let mut bench = Bench::new(&text);
    bench.give("stop");
    assert_eq!(bench.state(), "all.done");
    let refusal = bench.refused("go");
    assert_eq!((refusal.code.as_str(), refusal.possible.len()), ("not_possible_now", 0));
}

#[test]
fn clock_and_signal_triggers_that_nobody_takes_are_ignored_and_recorded() {
    let text = desk(
        "go",
        "",
        "a",
        "a: { on: { go: { to: b } } }\nb: { on: { go: { to: a }, signal.hey: { to: a } } }",
    );
    let mut bench =
        Bench::new(&text.replace("clocks:\n  watch", "signals: { hey: {} }\nclocks:\n  watch"));
    let event = bench.hear("signal.hey");
    assert!(event.ignored && event.entered.is_empty());
    assert_eq!(event.actor, Actor::Relative { id: InstanceId(2) });
    assert_eq!(bench.instance.version, 2);
    bench.give("go");
    assert!(!bench.hear("signal.hey").ignored);
    assert_eq!(bench.state(), "open.a");
}

const EAGER: &str = r#"
a: { on: { go: { to: b } } }
b: { always: [{ when: "trace < 3", to: c, set: { trace: "trace + 1" } }, { to: d }] }
c: { always: [{ to: b }] }
d: { on: { go: { to: a } } }
"#;

#[test]
fn transitions_without_trigger_are_followed_until_none_applies() {
    let mut bench = Bench::new(&desk("go", "", "a", EAGER));
    let entered = bench.give("go").entered.clone();
    let names: Vec<&str> = entered.iter().map(|path| path.trim_start_matches("open.")).collect();
    assert_eq!(names, ["b", "c", "b", "c", "b", "c", "b", "d"]);
    assert_eq!((bench.state(), marks(&bench)), ("open.d", 3));
}

#[test]
fn more_than_64_steps_exceed_the_budget_and_nothing_has_happened() {
    let bench = Bench::new(&desk("go", "", "a", &EAGER.replace("trace < 3", "trace < 99")));
    assert_eq!(bench.refused("go").code, "step_budget_exceeded");
    assert_eq!((bench.state(), marks(&bench)), ("open.a", 0));
}

#[test]
fn an_inner_state_leaves_by_itself_before_an_outer_one_does() {
    let states = "a: { on: { go: { to: b } } }\nb: { initial: c, always: [{ to: e }], states: { c: { always: [{ to: d }] }, d: {} } }\ne: { on: { go: { to: a } } }";
    let mut bench = Bench::new(&desk("go", "", "a", states));
    assert_eq!(bench.give("go").entered, ["open.b", "open.b.c", "open.b.d", "open.e"]);
}

#[test]
fn counts_are_held_at_their_bounds() {
    let more = "  tries: { type: count, at_most: 2, title: { zh: 次, en: tries } }";
    let states = "a: { on: { go: { set: { tries: \"tries + 1\" } }, back: { set: { tries: \"tries - 5\" } }, far: { to: b } } }\nb: { on: { far: { to: a } } }";
    let mut bench = Bench::new(&desk("go back far", more, "a", states));
    for expected in [1, 2, 2] {
        bench.give("go");
        assert_eq!(bench.field("tries"), Value::Int(expected));
    }
    bench.give("back");
    assert_eq!(bench.field("tries"), Value::Int(0));
}

#[test]
fn a_unit_that_finds_no_room_in_a_set_is_refused_and_not_left_out() {
    let more = "  called: { type: units, at_most: 2, title: { zh: 受令单位, en: called } }";
    let states = "a: { on: { go: { set: { called: \"union(called, input.who)\" } }, far: { to: b } } }\nb: { on: { far: { to: a } } }";
    let text = desk("go far", more, "a", states).replace(
        "by: [desk.duty] }",
        "by: [desk.duty], input: { who: { type: units, at_most: 9, title: { zh: 谁, en: who } } } }",
    );
    let mut bench = Bench::new(&text);
    let call = |names: &[&str]| {
        let names = names.iter().map(|name| Value::from(*name)).collect();
        Command::new("go").with("who", Value::List(names))
    };
    bench.act(&person(&["gongan.duty"]), &call(&["a", "b"])).unwrap();
    let refusal = bench.ask(&person(&["gongan.duty"]), &call(&["b", "c"])).unwrap_err();
    assert_eq!(refusal.code, "too_many_units");
    assert_eq!(
        refusal.reasons[0].text.zh, "“受令单位”最多2个单位，命令未执行",
        "it says where there is no room"
    );
    bench.act(&person(&["gongan.duty"]), &call(&["a"])).unwrap();
}

#[test]
fn a_clock_that_is_a_little_ahead_loses_nothing() {
    let mut bench = nested();
    bench.at("02 12:00");
    let mut command = Command::new("go");
    command.occurred_at = Some(time("02 12:02"));
    let duty = person(&["gongan.duty"]);
    let event = bench.act(&duty, &command).unwrap();
    assert_eq!(event.recorded_at, time("02 12:00"));
    // It counts as having happened now: the next fact, of a better clock, is not before it.
    bench.at("02 12:01");
    command.occurred_at = Some(time("02 12:01"));
    bench.act(&duty, &command).unwrap();
}

#[test]
fn what_happened_earlier_is_recorded_with_both_times_and_never_before_the_previous_fact() {
    let mut bench = nested();
    let mut command = Command::new("go");
    let person = person(&["gongan.duty"]);
    bench.at("02 12:00");
    command.occurred_at = Some(time("02 12:03"));
    assert_eq!(bench.ask(&person, &command).unwrap_err().code, "occurred_in_future");
    command.occurred_at = Some(time("02 11:00"));
    let event = bench.act(&person, &command).unwrap();
    assert_eq!(
        (event.recorded_at, event.command.occurred_at),
        (time("02 12:00"), Some(time("02 11:00")))
    );
    command.occurred_at = Some(time("02 10:59"));
    assert_eq!(bench.ask(&person, &command).unwrap_err().code, "occurred_before_last");
    command.occurred_at = Some(time("02 11:00"));
    assert!(bench.ask(&person, &command).is_ok(), "two facts may fall into one moment");
}

#[test]
fn events_never_run_backwards_when_the_clock_of_the_house_is_set_back() {
    let mut bench = nested();
    bench.at("02 12:00").give("go");
    bench.at("02 11:00");
    assert_eq!(bench.give("go").recorded_at, time("02 12:00"));
}

#[test]
fn a_law_refuses_the_command_while_its_expression_holds() {
    let laws = "laws: [{ id: once, title: { zh: 只一次, en: only once }, never: { command: go, when: \"trace > 0\" } }]\n";
    let states = "a: { on: { go: { to: b, set: { trace: 1 } } } }\nb: { on: { go: { to: a } } }";
    let mut bench = Bench::new(&format!("{}{laws}", desk("go", "", "a", states)));
    bench.give("go");
    let refusal = bench.refused("go");
    assert_eq!(
        (refusal.code.as_str(), refusal.reasons[0].text.en.as_str()),
        ("law.once", "only once")
    );
    assert!(refusal.possible.is_empty());
}

#[test]
fn unknown_missing_and_wrong_inputs_are_refused_together_before_the_chart_is_asked() {
    let states = "a: { on: { go: { to: b } } }\nb: { on: { go: { to: a } } }";
    let text = desk("go", "", "a", states).replace(
        "by: [desk.duty] }",
        "by: [desk.duty], input: { why: { type: text, min: 2, title: { zh: 因, en: why } }, n: { type: number, title: { zh: 数, en: n } } } }",
    );
    let bench = Bench::new(&text);
    let command = Command::new("go").with("n", "three").with("extra", 1);
    let refusal = bench.ask(&person(&["gongan.duty"]), &command).unwrap_err();
    let mut inputs: Vec<_> = refusal.reasons.iter().filter_map(|r| r.input.as_deref()).collect();
    inputs.sort_unstable();
    assert_eq!((refusal.code.as_str(), inputs), ("wrong_input", vec!["extra", "n", "why"]));
}

#[test]
fn an_event_says_who_did_what_for_whom_from_where_to_where_and_what_changed() {
    let mut bench = nested();
    bench.at("02 10:30");
    let event = bench.give("go").clone();
    assert_eq!((event.seq, event.recorded_at), (2, time("02 10:30")));
    assert_eq!(
        (event.unit.as_deref(), event.role.map(|role| role.code())),
        (Some("gongan"), Some("duty"))
    );
    assert_eq!((event.from.as_str(), event.to.as_str()), ("open.outer.inner", "open.outer.inner"));
    assert_eq!(event.set, [("trace".to_owned(), Value::Int(4))].into());
    assert_eq!(event.facts.get("body/desk"), Some(&Value::from("gongan")));
    assert_eq!((event.calendar.as_str(), event.holder.as_deref()), ("1", Some("gongan")));
}
