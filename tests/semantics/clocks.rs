//! Clocks and their scopes: armed, frozen, replaced, counted again, ended, fired (§7; §13, 3 and 7).

use fenliu::domain::{Actor, Command};

use super::bench::{Bench, commands, time};

fn bench() -> Bench {
    let clocks = r#"
fields:
  urgent: { type: flag, title: { zh: 急, en: urgent } }
  late: { type: flag, title: { zh: 迟, en: late } }
  since: { type: instant, title: { zh: 自, en: since } }
clocks:
  handle: { title: { zh: 办, en: handle }, from: "or(since, at)", due: "urgent ? work('2h') : workdays(2)", ladder: loud }
  promised: { title: { zh: 诺, en: promised }, due: "days(10)", ladder: loud, replaces: handle }
  watch: { title: { zh: 望, en: watch }, due: "days(30)", ladder: loud }
initial: open
states:
  open:
    holder: desk
    clocks: [watch]
    on: { clock.watch: {} }
    initial: handling
    states:
      handling:
        clocks: [handle]
        on:
          clock.handle: { set: { late: true } }
          pause: { to: .paused }
          promise: { to: .promising }
          hasten: { set: { urgent: true }, rearm: [handle] }
          halt: { stop: [handle] }
          leave: { to: gone }
          leave_long: { to: gone, set: { since: "before(at, real('100h'))" } }
        initial: busy
        states:
          busy: {}
          paused: { suspends: [handle], on: { go: { to: busy } } }
          promising: { clocks: [promised], on: { clock.promised: {}, go: { to: busy } } }
      gone: { on: { go: { to: handling } } }
"#;
    let names = commands("pause promise hasten halt leave leave_long go");
    Bench::new(&format!("{names}{clocks}"))
}

fn due(bench: &Bench) -> fenliu::domain::Instant {
    bench.instance.clocks["handle"].due
}

#[test]
fn clocks_are_armed_in_the_order_of_entering_and_ended_when_their_state_is_left() {
    let mut bench = bench();
    assert_eq!(bench.verbs(), ["armed watch", "armed handle"]);
    assert_eq!(due(&bench), time("04 17:00"));
    assert_eq!(bench.instance.clocks["handle"].scope, "open.handling");
    bench.give("leave");
    assert_eq!(bench.verbs(), ["ended handle"]);
    assert!(bench.instance.clocks.contains_key("watch"), "its scope was not left");
}

#[test]
fn moving_inside_its_scope_leaves_a_clock_alone_and_entering_again_arms_a_new_one() {
    let mut bench = bench();
    let first = bench.instance.clocks["handle"].clone();
    bench.at("03 10:00").give("promise");
    bench.give("go");
    assert_eq!(bench.instance.clocks["handle"].due, first.due);
    bench.give("leave");
    bench.at("03 11:00").give("go");
    let second = &bench.instance.clocks["handle"];
    assert!(second.entry > first.entry);
    assert_eq!((second.base, second.due), (time("03 11:00"), time("05 17:00")));
}

#[test]
fn a_suspended_clock_keeps_its_rest_which_is_counted_from_the_day_of_resuming() {
    let mut bench = bench();
    bench.at("03 10:00").give("pause");
    assert_eq!(bench.verbs(), ["frozen handle"]);
    assert_eq!(bench.instance.clocks["handle"].wake, None);
    assert_eq!(bench.until("06 10:00"), Vec::<String>::new());
    assert_eq!(bench.fire("handle").unwrap_err().code, "clock_stale");
    bench.give("go");
    assert_eq!(bench.verbs(), ["resumed handle"]);
    assert_eq!(due(&bench), time("09 17:00"), "one working day was left on the 3rd");
}

#[test]
fn a_clock_that_was_replaced_is_silent_and_goes_on_with_its_old_due_instant() {
    let mut bench = bench();
    bench.give("promise");
    assert_eq!(bench.verbs(), ["armed promised", "frozen handle"]);
    assert_eq!(bench.until("05 10:00"), Vec::<String>::new());
    bench.give("go");
    assert_eq!(bench.verbs(), ["ended promised", "resumed handle"]);
    assert_eq!(due(&bench), time("04 17:00"));
    assert_eq!(bench.until("05 10:00"), ["handle@05 10:00: "], "it fires as the next thing");
    assert_eq!(bench.field("late"), true.into());
}

#[test]
fn rearming_counts_again_from_the_same_start_with_the_fields_as_they_are_now() {
    let mut bench = bench();
    bench.at("02 11:00").give("hasten");
    assert_eq!(bench.verbs(), ["rearmed handle"]);
    assert_eq!(due(&bench), time("02 12:00"));
    assert_eq!(bench.instance.clocks["handle"].base, time("02 10:00"));
}

#[test]
fn a_clock_that_rearming_moves_into_the_past_fires_as_the_next_thing() {
    let mut bench = bench();
    bench.at("03 10:00").give("hasten");
    assert_eq!(bench.until("03 10:00"), ["handle@03 10:00: "]);
}

#[test]
fn a_stopped_clock_is_ended_before_its_scope_is_left_and_rearming_begins_it_again() {
    let mut bench = bench();
    bench.give("halt");
    assert_eq!((bench.verbs(), bench.state()), (vec!["ended handle".into()], "open.handling.busy"));
    bench.give("hasten");
    assert_eq!(bench.verbs(), ["armed handle"]);
}

#[test]
fn a_clock_whose_due_instant_is_past_when_it_is_armed_fires_as_the_next_thing() {
    let mut bench = bench();
    bench.at("06 10:00").give("leave_long");
    bench.give("go");
    assert_eq!(due(&bench), time("04 17:00"));
    assert_eq!(bench.until("06 10:00"), ["handle@06 10:00: "]);
}

#[test]
fn a_clock_never_fires_early_and_fires_at_its_very_instant() {
    let mut bench = bench();
    bench.now = time("04 17:00").plus(-1);
    assert_eq!(bench.fire("handle").unwrap_err().code, "clock_early");
    assert!(!bench.at("04 17:00").fire("handle").unwrap().ignored);
    assert_eq!(bench.field("late"), true.into());
    assert_eq!(bench.instance.clocks["handle"].ran_out_at, Some(time("04 17:00")));
}

#[test]
fn a_firing_that_was_meant_for_another_entry_or_step_is_stale() {
    let mut bench = bench();
    bench.at("04 17:00");
    let entry = bench.instance.clocks["handle"].entry;
    let fenced = |entry: i64, step: i64| {
        Command::new("clock.handle").with("entry", entry).with("step", step)
    };
    for command in [fenced(entry + 1, 0), fenced(entry, 1), Command::new("clock.promised")] {
        assert_eq!(bench.ask(&Actor::Clock, &command).unwrap_err().code, "clock_stale");
    }
    bench.act(&Actor::Clock, &fenced(entry, 0)).unwrap();
    let again = bench.ask(&Actor::Clock, &fenced(entry, 0)).unwrap_err();
    assert_eq!(again.code, "clock_stale", "the same firing does not count twice");
}

#[test]
fn the_event_of_a_firing_keeps_when_it_was_due_and_when_it_fired() {
    let mut bench = bench();
    let event = bench.at("05 09:30").fire("handle").unwrap();
    assert_eq!(event.recorded_at, time("05 09:30"));
    assert_eq!(event.clocks[0].due, Some(time("04 17:00")));
    assert_eq!(event.actor, Actor::Clock);
}
