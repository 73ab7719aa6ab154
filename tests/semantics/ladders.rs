//! Ladders: who is woken when, until somebody acts (§8).

use fenliu::domain::{Command, Value};

use super::bench::{Bench, HEAD, commands, person, time};

const LADDER: &str = r#"
fields:
  trace: { type: number, initial: 0, title: { zh: 迹, en: trace } }
  late: { type: flag, title: { zh: 迟, en: late } }
clocks:
  handle: { title: { zh: 办, en: handle }, due: "work('2h')", ladder: steps }
initial: open
states:
  open:
    holder: desk
    clocks: [handle]
    on:
      clock.handle: { set: { late: true } }
      clock.handle.help: { set: { trace: "trace + 1" } }
      go: { to: done }
  done: { final: true }
"#;

const STEPS: &str = r#"
ladders:
  steps:
    - { at: "50%", tell: [desk.duty], via: [sms], text: half }
    - { at: due, tell: [desk.duty], via: [sms], text: due }
    - { at: "due + work('1h')", tell: [office.duty], via: [sms], text: later, acknowledge_within: 10m, hold: 30m, raise: help }
    - { at: "due + work('4h')", tell: [desk.duty], via: [sms], text: last }
    - { every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: daily }
texts:
  half: { zh: 半, en: half }
  due: { zh: 到, en: due }
  later: { zh: 后, en: later }
  last: { zh: 末, en: last }
  daily: { zh: 日, en: daily }
"#;

fn text() -> String {
    let head = HEAD.split("ladders:").next().unwrap();
    format!("{head}{STEPS}{}{LADDER}", commands("go"))
}

fn bench(text: &str) -> Bench {
    Bench::open(text, &Command::new("begin"))
}

fn acknowledge(bench: &mut Bench, who: &str) -> Result<(), String> {
    let command = Command::new("acknowledge");
    bench.act(&person(&[who]), &command).map(|_| ()).map_err(|refusal| refusal.code)
}

#[test]
fn steps_come_in_the_order_of_their_instants_and_the_repetition_goes_on() {
    let mut bench = bench(&text());
    assert_eq!(
        bench.until("04 10:00"),
        [
            "handle@02 11:00: half",
            "handle@02 12:00: due",
            "handle@02 13:00: later",
            "handle@02 13:10: last",
            "handle@03 09:00: daily",
            "handle@04 09:00: daily",
        ]
    );
    assert_eq!((bench.field("late"), bench.field("trace")), (true.into(), 1.into()));
}

#[test]
fn a_step_raises_its_trigger_for_the_chart() {
    let mut bench = bench(&text());
    bench.until("02 12:59");
    assert_eq!(bench.field("trace"), 0.into());
    bench.until("02 13:00");
    assert_eq!(bench.field("trace"), 1.into());
}

#[test]
fn acknowledging_holds_the_ladder_and_never_moves_the_due_instant() {
    let mut bench = bench(&text());
    bench.until("02 13:05");
    acknowledge(&mut bench, "yingji.duty").unwrap();
    assert_eq!(bench.verbs(), ["acknowledged handle"]);
    assert_eq!(bench.instance.clocks["handle"].due, time("02 12:00"));
    assert_eq!(bench.until("02 15:50"), Vec::<String>::new(), "nobody hurries the next step");
    // The hold is for whoever acknowledged: what comes for others comes at its time.
    acknowledge(&mut bench, "yingji.duty").unwrap();
    assert_eq!(bench.until("02 17:00"), ["handle@02 16:00: last"]);
}

/// The office is told twice and then every ten minutes, the desk between.
fn told_twice() -> String {
    text()
        .replacen(
            "due + work('4h')\", tell: [desk.duty]",
            "due + work('75m')\", tell: [office.duty]",
            1,
        )
        .replacen("\"0 0 9 * * *\", tell: [desk.duty]", "\"0 */10 * * * *\", tell: [desk.duty]", 1)
}

#[test]
fn whoever_acknowledges_is_left_in_peace_until_the_hold_is_over() {
    let mut bench = bench(&told_twice());
    bench.until("02 13:00");
    acknowledge(&mut bench, "yingji.duty").unwrap();
    let told = bench.until("02 13:30");
    // The repetition tells the desk meanwhile: the office's word does not keep it away.
    assert_eq!(told, ["handle@02 13:20: daily", "handle@02 13:30: last"]);
}

#[test]
fn a_hold_counts_once_for_a_step_however_often_it_is_acknowledged() {
    let mut bench = bench(&told_twice());
    bench.until("02 13:00");
    for minute in ["01", "10", "20", "29"] {
        bench.until(&format!("02 13:{minute}"));
        acknowledge(&mut bench, "yingji.duty").unwrap();
    }
    let told = bench.until("02 13:35");
    assert!(told.contains(&"handle@02 13:31: last".to_owned()), "{told:?}");
}

#[test]
fn only_who_was_told_can_acknowledge_and_nobody_holds_up_the_steps_above() {
    let mut bench = bench(&text());
    bench.until("02 12:01");
    let early = acknowledge(&mut bench, "yingji.duty").unwrap_err();
    assert_eq!(early, "nothing_to_acknowledge", "the office's step is still to come");
    // The desk acknowledges again and again: the office hears at its time all the same.
    for minute in ["10", "40", "55"] {
        bench.until(&format!("02 12:{minute}"));
        acknowledge(&mut bench, "gongan.duty").unwrap();
    }
    assert_eq!(bench.until("02 13:00"), ["handle@02 13:00: later"]);
    // Nor does the desk's word answer for the office, which was asked to acknowledge.
    acknowledge(&mut bench, "gongan.duty").unwrap();
    assert_eq!(bench.until("02 13:10"), ["handle@02 13:10: last"]);
}

#[test]
fn running_out_is_not_held_back_by_an_acknowledgement() {
    let mut bench = bench(&text());
    bench.until("02 11:55");
    acknowledge(&mut bench, "gongan.duty").unwrap();
    assert_eq!(bench.until("02 12:00"), ["handle@02 12:00: due"]);
}

#[test]
fn only_those_whom_a_ladder_tells_can_acknowledge_and_only_once_it_has_begun() {
    let mut bench = bench(&text());
    assert_eq!(acknowledge(&mut bench, "gongan.duty").unwrap_err(), "nothing_to_acknowledge");
    bench.until("02 11:00");
    assert_eq!(acknowledge(&mut bench, "huanbao.duty").unwrap_err(), "nothing_to_acknowledge");
    let refusal = bench.refused("dance");
    assert_eq!(refusal.possible, ["go", "acknowledge"]);
}

#[test]
fn a_step_whose_people_are_nobody_passes_on_to_the_next_at_once() {
    let mut bench = bench(&text());
    bench.facts.insert("people/yingji/duty".to_owned(), Value::List(Vec::new()));
    bench.until("02 12:59");
    assert_eq!(bench.until("02 13:09"), ["handle@02 13:00: later", "handle@02 13:00: last"]);
    assert_eq!(bench.field("trace"), 1.into(), "it raises all the same");
}

/// Somebody is asked to acknowledge before the due instant; a step for another case stands between.
fn asked_before() -> String {
    let asked = "    - { at: \"due - work('30m')\", tell: [office.duty], via: [sms], text: half, \
         acknowledge_within: 10m }\n    - { at: \"due - work('30m')\", tell: [desk.duty], via: [sms], \
         text: last, when: \"trace > 5\" }\n    - { at: due,";
    text()
        .replacen("    - { at: \"50%\", tell: [desk.duty], via: [sms], text: half }\n", "", 1)
        .replacen("    - { at: due,", asked, 1)
}

#[test]
fn a_step_before_the_due_instant_whose_people_are_nobody_passes_on_to_the_one_there() {
    let mut bench = bench(&asked_before());
    bench.facts.insert("people/yingji/duty".to_owned(), Value::List(Vec::new()));
    let told = bench.until("02 11:59");
    assert_eq!(told, ["handle@02 11:30: half", "handle@02 11:30: ", "handle@02 11:30: due"]);
    assert_eq!(bench.field("late"), false.into(), "it has not run out");
    // It runs out at its time, and tells nobody a second time.
    assert_eq!(bench.until("02 12:00"), ["handle@02 12:00: "]);
    assert_eq!(bench.field("late"), true.into());
}

#[test]
fn whoever_was_asked_to_acknowledge_is_waited_for_across_a_step_that_is_skipped() {
    let mut bench = bench(&asked_before());
    let told = bench.until("02 11:59");
    assert_eq!(told, ["handle@02 11:30: half", "handle@02 11:30: ", "handle@02 11:40: due"]);
}

#[test]
fn a_step_whose_condition_does_not_hold_tells_nobody() {
    let mut bench = bench(&text().replace("text: half }", "text: half, when: \"trace > 0\" }"));
    assert_eq!(bench.until("02 12:00"), ["handle@02 11:00: ", "handle@02 12:00: due"]);
}

#[test]
fn a_ladder_without_a_step_at_the_due_instant_runs_out_silently_there() {
    let step = "    - { at: due, tell: [desk.duty], via: [sms], text: due }\n";
    let unused = "  due: { zh: 到, en: due }\n";
    let mut bench = bench(&text().replace(step, "").replace(unused, ""));
    assert_eq!(bench.until("02 12:00"), ["handle@02 11:00: half", "handle@02 12:00: "]);
    assert_eq!(bench.field("late"), true.into());
}

#[test]
fn after_downtime_every_missed_step_comes_once_and_in_order() {
    let mut bench = bench(&text());
    bench.at("05 10:00");
    assert_eq!(
        bench.until("05 10:00"),
        [
            "handle@05 10:00: half",
            "handle@05 10:00: due",
            "handle@05 10:00: later",
            "handle@05 10:00: last"
        ]
    );
    assert_eq!(bench.instance.clocks["handle"].wake, Some(time("06 09:00")));
}

#[test]
fn after_downtime_a_repetition_comes_once_and_not_once_for_each_that_was_missed() {
    let mut bench = bench(&text());
    bench.until("03 09:00");
    bench.at("06 10:00");
    assert_eq!(bench.until("06 10:00"), ["handle@06 10:00: daily"]);
    assert_eq!(bench.instance.clocks["handle"].wake, Some(time("07 09:00")));
}

#[test]
fn leaving_the_scope_ends_the_ladder() {
    let mut bench = bench(&text());
    bench.until("02 11:30");
    bench.give("go");
    assert!(bench.instance.clocks.is_empty());
    assert_eq!(bench.until("09 10:00"), Vec::<String>::new());
}

#[test]
fn an_alert_names_its_text_its_clock_its_people_and_its_channels() {
    let mut bench = bench(&text());
    bench.until("02 11:00");
    let told = &bench.event.told[0];
    assert_eq!((told.text.as_str(), told.clock.as_deref()), ("half", Some("handle")));
    assert_eq!(
        (told.to.as_slice(), told.via.as_slice()),
        (&["gongan.duty".to_owned()][..], &["sms".to_owned()][..])
    );
    assert_eq!(told.people.iter().map(|person| person.0).collect::<Vec<_>>(), [7]);
}

#[test]
fn a_form_typed_in_later_keeps_its_times_although_clocks_have_fired_meanwhile() {
    let mut bench = bench(&text());
    bench.until("02 13:00");
    let person = person(&["gongan.duty"]);
    let mut go = Command::new("go");
    go.occurred_at = Some(time("02 09:59"));
    let refusal = bench.ask(&person, &go).unwrap_err();
    assert_eq!(refusal.code, "occurred_before_last", "what people report keeps its order");
    go.occurred_at = Some(time("02 10:30"));
    bench.act(&person, &go).unwrap();
    assert_eq!((bench.state(), bench.instance.last_at), ("done", time("02 10:30")));
}

/// Besides the daily repetition one for a case.
fn more_often(when: &str) -> String {
    let often = format!(
        "    - {{ every: \"0 */30 * * * *\", when: \"{when}\", tell: [office.duty], via: [sms], \
         text: half }}\n    - {{ every: \"0 0 9"
    );
    text().replacen("    - { every: \"0 0 9", &often, 1)
}

#[test]
fn a_repetition_for_a_case_comes_in_place_of_the_one_for_every_other() {
    let mut bench = bench(&more_often("trace > 5"));
    bench.until("02 13:10");
    assert_eq!(bench.until("03 09:00"), ["handle@03 09:00: daily"]);
    let mut bench = self::bench(&more_often("trace > 0"));
    bench.until("02 13:10");
    assert_eq!(bench.until("02 14:00"), ["handle@02 13:30: half", "handle@02 14:00: half"]);
}

#[test]
fn whatever_changes_the_case_changes_the_repetition_at_once() {
    let text = more_often("late && trace > 1").replacen(
        "      go: { to: done }",
        "      go:\n        - { when: \"trace > 2\", to: done }\n        - { set: { trace: \"trace + 1\" } }",
        1,
    );
    let mut bench = bench(&text);
    bench.until("02 15:00");
    assert_eq!(bench.instance.clocks["handle"].wake, Some(time("03 09:00")));
    bench.give("go");
    assert_eq!(bench.until("02 15:30"), ["handle@02 15:30: half"]);
}
