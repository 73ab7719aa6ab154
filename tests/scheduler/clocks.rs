//! Clocks fire: never early, once, the gravest first, and after any downtime.

use std::time::Duration;

use fenliu::scheduler::Next;

use super::house::{House, WORKFLOW, at, run};

#[test]
fn a_clock_never_fires_early_and_then_once() {
    run(async {
        let house = House::new();
        let id = house.register("ordinary").await;
        let mut clocks = house.clocks();
        let half = at("2026-03-02T10:30:00+08:00");
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(half));
        house.set("2026-03-02T10:29:59.999+08:00");
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(half));
        assert!(house.firings().is_empty());
        house.set("2026-03-02T10:30:00+08:00");
        let due = at("2026-03-02T11:00:00+08:00");
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(due));
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(due));
        assert_eq!(house.firings(), [(id, half)]);
        house.set("2026-03-02T11:00:00+08:00");
        let morning = at("2026-03-03T09:00:00+08:00");
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(morning));
        assert_eq!(house.firings(), [(id, half), (id, due)]);
        assert_eq!(house.duty.figures.clocks_fired.get(), 2);
    });
}

#[test]
fn a_matter_that_is_finished_is_not_reminded_any_more() {
    run(async {
        let house = House::new();
        let id = house.register("ordinary").await;
        house.finish(id).await;
        house.set("2026-03-09T10:00:00+08:00");
        let next = house.run_clocks(&mut house.clocks()).await;
        assert_eq!(next, Next::In(Duration::from_secs(30)));
        assert!(house.firings().is_empty());
    });
}

#[test]
fn the_gravest_tier_fires_first_and_then_what_is_due_longest() {
    run(async {
        let house = House::new();
        let late = house.register("ordinary").await;
        house.set("2026-03-02T10:01:00+08:00");
        let larger = house.register("larger").await;
        let ordinary = house.register("ordinary").await;
        house.set("2026-03-02T10:02:00+08:00");
        let gravest = house.register("extraordinary").await;
        let major = house.register("major").await;
        house.set("2026-03-02T10:45:00+08:00");
        house.run_clocks(&mut house.clocks()).await;
        let order: Vec<_> = house.firings().into_iter().map(|(id, _)| id).collect();
        assert_eq!(order, [gravest, major, larger, late, ordinary]);
    });
}

#[test]
fn after_days_of_downtime_each_missed_step_comes_once_with_its_due_and_its_real_time() {
    run(async {
        let mut house = House::new();
        let id = house.register("ordinary").await;
        house.restarted();
        let back = "2026-03-06T12:00:00+08:00";
        house.set(back);
        let next = house.run_clocks(&mut house.clocks()).await;
        // Half time, overdue; the repetition goes on from the present.
        assert_eq!(house.firings(), [(id, at(back)), (id, at(back))]);
        assert_eq!(next, Next::At(at("2026-03-07T09:00:00+08:00")));
        let events = house.events(id);
        let fired: Vec<_> = events.iter().filter(|e| e.command.name == "clock.handle").collect();
        for event in &fired {
            assert_eq!(event.recorded_at, at(back));
            assert_eq!(event.clocks[0].due, Some(at("2026-03-02T11:00:00+08:00")));
        }
        assert_eq!(fired[1].status, "overdue");
        // Again days of downtime: the repetition comes once, not once for each morning.
        house.restarted();
        house.set("2026-03-11T12:00:00+08:00");
        let next = house.run_clocks(&mut house.clocks()).await;
        assert_eq!(house.firings().len(), 3);
        assert_eq!(next, Next::At(at("2026-03-12T09:00:00+08:00")));
    });
}

#[test]
fn two_loops_at_once_fire_each_clock_once() {
    run(async {
        let house = House::new();
        for _ in 0..40 {
            house.register("ordinary").await;
        }
        house.set("2026-03-02T10:30:00+08:00");
        let (mut one, mut other) = (house.clocks(), house.clocks());
        futures_util::future::join(house.run_clocks(&mut one), house.run_clocks(&mut other)).await;
        assert_eq!(house.firings().len(), 40);
        assert!(house.alarms().is_empty(), "{:?}", house.alarms());
    });
}

#[test]
fn a_row_that_lies_does_not_make_the_loop_spin_and_does_not_hold_up_others() {
    run(async {
        let house = House::new();
        let id = house.register("extraordinary").await;
        house.damage("UPDATE clock SET wake_at = 0, step = 9");
        let mut clocks = house.clocks();
        assert_eq!(house.run_clocks(&mut clocks).await, Next::In(Duration::from_secs(1)));
        let alarms = house.alarms();
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!((alarms[0].0.as_str(), alarms[0].1), ("clock_row_damaged", Some(id)));
        let other = house.register("ordinary").await;
        house.set("2026-03-02T10:30:00+08:00");
        house.run_clocks(&mut clocks).await;
        assert_eq!(house.firings(), [(other, at("2026-03-02T10:30:00+08:00"))]);
    });
}

const ORDER: &str = r#"
workflow: order
title: { zh: 督办, en: order }
parties: [desk]
start:
  command: open
  title: { zh: 开始, en: open }
  by: [parent]
  input: { reason: { type: text, title: { zh: 事由, en: reason } } }
  require:
    - check: "size(input.reason) > 10"
      else: { code: reason_too_short, zh: 事由太短, en: The reason is too short }
commands: { finish: { title: { zh: 办结, en: finish }, by: [desk.leader] } }
clocks: { answer: { title: { zh: 时限, en: time }, due: "days(30)", ladder: late } }
ladders: { late: [{ every: "0 0 9 * * *", tell: [desk.leader], via: [sms], text: late }] }
texts: { late: { zh: 迟, en: late } }
initial: open
states:
  open: { holder: desk, clocks: [answer], on: { clock.answer: {}, finish: { to: done } } }
  done: { final: true }
"#;

/// The matter opens an order when it is overdue, and each morning again.
fn with_orders(at_most: usize, reason: &str) -> House {
    let matter = WORKFLOW
        .replace("clocks:\n  handle", &format!("children: {{ order: {{ at_most: {at_most} }} }}\nclocks:\n  handle"))
        .replace("text: over }", "text: over, raise: order }")
        .replace("text: still }", "text: still, raise: order }")
        .replace(
            "finish: { to: done, outcome: done }",
            &format!(
                "finish: {{ to: done, outcome: done }}\n      clock.handle.order: {{ start: [{{ workflow: order, with: {{ reason: \"'{reason}'\" }} }}] }}"
            ),
        );
    House::of(&[matter, ORDER.to_owned()])
}

#[test]
fn a_ladder_goes_on_when_the_order_that_it_opens_is_refused() {
    run(async {
        let house = with_orders(20, "short");
        let id = house.register("ordinary").await;
        let mut clocks = house.clocks();
        house.set("2026-03-02T11:00:00+08:00");
        let morning = at("2026-03-03T09:00:00+08:00");
        assert_eq!(house.run_clocks(&mut clocks).await, Next::At(morning));
        let alarms = house.alarms();
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!((alarms[0].0.as_str(), alarms[0].1), ("clock_effect_refused", Some(id)));
        assert!(alarms[0].2.contains("order: reason_too_short"), "{}", alarms[0].2);
        let last = house.events(id).pop().unwrap();
        assert_eq!((last.status.as_str(), last.told.len()), ("overdue", 1));
        house.set("2026-03-03T09:00:00+08:00");
        let next = house.run_clocks(&mut clocks).await;
        assert_eq!(next, Next::At(at("2026-03-04T09:00:00+08:00")));
        assert_eq!(house.events(id).pop().unwrap().told[0].text, "still");
        let report = fenliu::gate::verify(&house.store, |_| ()).unwrap();
        assert!(report.is_sound(), "{report:?}");
    });
}

#[test]
fn a_ladder_goes_on_when_no_more_orders_may_be_opened() {
    run(async {
        let house = with_orders(1, "long enough to be a reason");
        let id = house.register("ordinary").await;
        let mut clocks = house.clocks();
        house.set("2026-03-02T11:00:00+08:00");
        house.run_clocks(&mut clocks).await;
        assert_eq!(house.alarms(), []);
        house.set("2026-03-03T09:00:00+08:00");
        let next = house.run_clocks(&mut clocks).await;
        assert_eq!(next, Next::At(at("2026-03-04T09:00:00+08:00")));
        assert_eq!(house.alarm_kinds(), ["clock_effect_refused"]);
        let last = house.events(id).pop().unwrap();
        assert_eq!((last.told[0].text.as_str(), last.started.len()), ("still", 0));
    });
}

#[test]
fn an_alert_to_a_unit_that_nobody_named_is_no_alarm_but_a_post_that_nobody_holds_is() {
    run(async {
        for (whom, alarms) in [("friend.liaison", vec![]), ("desk.director", vec!["nobody_told"])] {
            let matter = WORKFLOW
                .replacen(
                    "  place: {",
                    "  friend: { type: unit, title: { zh: 友, en: friend } }\n  place: {",
                    1,
                )
                .replacen(
                    "  set: { tier: input.tier, place: input.place }",
                    &format!(
                        "  set: {{ tier: input.tier, place: input.place }}\n  tell: [{{ to: [{whom}], via: [sms], text: over }}]"
                    ),
                    1,
                );
            let house = House::of(&[matter]);
            house.register("ordinary").await;
            assert_eq!(house.alarm_kinds(), alarms, "{whom}");
        }
    });
}
