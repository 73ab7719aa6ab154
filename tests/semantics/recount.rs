//! A new version of the calendar: clocks are counted again by it (§7).

use fenliu::domain::event::{ClockChange, ClockVerb};
use fenliu::domain::{Actor, Command, Event, Instance, Refusal};
use fenliu::engine::{RECOUNT, replay, would_recount};

use super::bench::{Bench, commands, time};

/// Working days, working minutes, a day that stands in a field, a clock by another clock.
fn bench() -> Bench {
    let body = r#"
fields:
  urgent: { type: flag, title: { zh: 急, en: urgent } }
clocks:
  handle: { title: { zh: 办, en: handle }, due: "urgent ? workdays(1) : workdays(2)", ladder: early }
  desk: { title: { zh: 派, en: desk }, due: "work('3h')", ladder: loud }
  report: { title: { zh: 报, en: report }, due: "before(or(clock.handle.due, at), work('4h'))", ladder: loud }
  wall: { title: { zh: 钟, en: wall }, due: "real('30h')", ladder: loud }
  promised: { title: { zh: 诺, en: promised }, due: "real('100h')", ladder: loud, replaces: handle }
ladders:
  loud: [{ every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: late }]
  early:
    - { at: "due - work('2h')", tell: [desk.duty], via: [sms], text: late }
    - { at: due, tell: [desk.duty], via: [sms], text: late }
    - { every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: late }
initial: open
states:
  open:
    holder: desk
    clocks: [handle, desk, report, wall]
    on:
      clock.handle: {}
      clock.desk: {}
      clock.report: {}
      clock.wall: {}
      hasten: { set: { urgent: true } }
      promise: { to: .promising }
    initial: busy
    states:
      busy: { on: { pause: { to: paused } } }
      paused: { suspends: [handle, desk, report, wall], holder: desk, clocks: [watch], on: { go: { to: busy }, clock.watch: {} } }
      promising: { clocks: [promised], on: { clock.promised: {}, go: { to: busy } } }
"#;
    let watch =
        "clocks:\n  watch: { title: { zh: 望, en: watch }, due: \"real('900h')\", ladder: loud }\n";
    let body = body.replace("clocks:\n  handle", &format!("{watch}  handle"));
    let head = super::bench::HEAD.replace(
        "ladders:\n  loud: [{ every: \"0 0 9 * * *\", tell: [desk.duty], via: [sms], text: late }]\n",
        "",
    );
    let source = format!("{head}{}{body}", commands("hasten promise pause go"));
    Bench::open(&source, &Command::new("begin"))
}

fn recount(bench: &mut Bench) -> Result<Event, Refusal> {
    bench.act(&Actor::System, &Command::new(RECOUNT)).cloned()
}

fn moved(event: &Event) -> Vec<(String, String, String)> {
    let face = |at: Option<fenliu::domain::Instant>| {
        let text = at.unwrap().in_zone(&jiff::tz::TimeZone::get("Asia/Shanghai").unwrap());
        text.get(8..16).unwrap().to_owned()
    };
    let told = |change: &ClockChange| {
        assert_eq!(change.change, ClockVerb::Recounted);
        (change.clock.clone(), face(change.was), face(change.due))
    };
    event.clocks.iter().map(told).collect()
}

fn row(clock: &str, was: &str, due: &str) -> (String, String, String) {
    (clock.to_owned(), was.to_owned(), due.to_owned())
}

#[test]
fn a_new_day_off_moves_the_clocks_that_count_days_and_minutes_and_leaves_the_others() {
    let mut bench = bench();
    bench.at("02 15:00");
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    assert!(would_recount(bench.situation(), &bench.instance));
    let event = recount(&mut bench).unwrap();
    assert_eq!(
        moved(&event),
        [row("handle", "04T17:00", "05T17:00"), row("report", "04T13:00", "05T13:00"),]
    );
    assert_eq!((event.calendar.as_str(), event.actor), ("2", Actor::System));
    let clocks = &bench.instance.clocks;
    assert_eq!((clocks["handle"].calendar.as_str(), clocks["wall"].calendar.as_str()), ("2", "1"));
    assert_eq!(clocks["handle"].base, time("02 10:00"));
    assert_eq!(clocks["handle"].wake, Some(time("05 15:00")), "the reminder moved along");
}

#[test]
fn other_office_hours_move_a_clock_of_working_minutes() {
    let mut bench = bench();
    bench.at("02 10:30");
    bench.calendar("2", "", "\"09:00-12:00\", \"14:00-17:00\"");
    let event = recount(&mut bench).unwrap();
    assert!(moved(&event).contains(&row("desk", "02T13:00", "02T15:00")), "{event:?}");
    assert_eq!(bench.until("02 14:59"), Vec::<String>::new(), "never by the old hours");
    assert_eq!(bench.until("02 15:00"), ["desk@02 15:00: "]);
}

#[test]
fn asked_a_second_time_nothing_moves_and_nothing_is_written() {
    let mut bench = bench();
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    recount(&mut bench).unwrap();
    assert!(!would_recount(bench.situation(), &bench.instance));
    assert_eq!(recount(&mut bench).unwrap_err().code, "nothing_to_recount");
    bench.calendar("3", "\"07-03\"", "\"09:00-17:00\"");
    assert!(!would_recount(bench.situation(), &bench.instance), "the same days, another name");
}

#[test]
fn fields_that_changed_since_do_not_shorten_a_limit() {
    let mut bench = bench();
    bench.give("hasten");
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    recount(&mut bench).unwrap();
    assert_eq!(bench.instance.clocks["handle"].due, time("05 17:00"));
    assert_eq!(bench.instance.clocks["handle"].limit, "workdays(2)");
}

#[test]
fn a_suspended_clock_keeps_its_rest_and_is_counted_by_the_new_days_when_it_is_resumed() {
    let mut bench = bench();
    bench.at("03 10:00").give("pause");
    let rest = bench.instance.clocks["handle"].frozen.clone();
    bench.calendar("2", "\"07-09\"", "\"09:00-17:00\"");
    assert_eq!(recount(&mut bench).unwrap_err().code, "nothing_to_recount");
    assert_eq!(bench.instance.clocks["handle"].frozen, rest);
    bench.at("06 10:00").give("go");
    assert_eq!(bench.instance.clocks["handle"].due, time("10 17:00"), "the 9th is off now");
    assert_eq!(bench.instance.clocks["handle"].calendar, "2");
}

#[test]
fn a_resumed_clock_is_counted_again_from_the_moment_of_resuming() {
    let mut bench = bench();
    bench.at("03 10:00").give("pause");
    bench.at("06 10:00").give("go");
    assert_eq!(bench.instance.clocks["handle"].due, time("09 17:00"), "one working day was left");
    bench.calendar("2", "\"07-09\"", "\"09:00-17:00\"");
    let event = recount(&mut bench).unwrap();
    assert!(moved(&event).contains(&row("handle", "09T17:00", "10T17:00")), "{event:?}");
}

#[test]
fn a_clock_that_another_replaces_moves_and_stays_silent() {
    let mut bench = bench();
    bench.give("promise");
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    let event = recount(&mut bench).unwrap();
    assert!(moved(&event).contains(&row("handle", "04T17:00", "05T17:00")), "{event:?}");
    assert_eq!(bench.instance.clocks["handle"].wake, None);
    bench.give("go");
    assert_eq!(bench.instance.clocks["handle"].wake, Some(time("05 15:00")));
}

#[test]
fn what_has_run_out_has_run_out() {
    let mut bench = bench();
    bench.until("04 17:00");
    let before = bench.instance.clocks["handle"].clone();
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    let _unmoved = recount(&mut bench).is_err();
    assert_eq!(bench.instance.clocks["handle"], before);
}

#[test]
fn a_due_instant_that_moves_into_the_past_fires_as_the_next_thing() {
    let mut bench = bench();
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    recount(&mut bench).unwrap();
    bench.until("05 10:00");
    bench.calendar("3", "", "\"09:00-17:00\"");
    let event = recount(&mut bench).unwrap();
    assert!(moved(&event).contains(&row("handle", "05T17:00", "04T17:00")), "{event:?}");
    let fired = bench.until("05 10:00");
    assert_eq!(
        fired.iter().filter(|one| one.starts_with("handle@05 10:00")).count(),
        2,
        "{fired:?}"
    );
    assert_eq!(bench.instance.clocks["handle"].ran_out_at, Some(time("05 10:00")));
}

#[test]
fn only_the_service_itself_counts_again() {
    let mut bench = bench();
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    assert_eq!(bench.refused(RECOUNT).code, "unknown_command");
}

#[test]
fn the_event_replays_by_the_version_that_it_names_and_by_no_other() {
    let mut bench = bench();
    let old = bench.calendar.clone();
    let before: Instance = bench.instance.clone();
    bench.at("02 15:00");
    bench.calendar("2", "\"07-03\"", "\"09:00-17:00\"");
    let event = recount(&mut bench).unwrap();
    let text = serde_json::to_string(&event).unwrap();
    let event: Event = serde_json::from_str(&text).unwrap();
    let again = replay::repeat(&bench.chart, &bench.calendar, Some(&before), None, &event);
    assert_eq!(again.unwrap(), bench.instance);
    assert!(replay::repeat(&bench.chart, &old, Some(&before), None, &event).is_err());
}
