//! Days that trip rosters up, with the dates of the State Council's notices.

use super::*;

#[test]
fn a_day_shift_passes_at_half_past_eight_over_holidays_and_the_end_of_the_year() {
    let calendar = calendar();
    let roster = roster(vec![rotation(&[4, 5], "2025-12-30T08:30", "24h")]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    assert_eq!(
        told(plan, "2025-12-31T12:00", "2026-01-02T08:30"),
        ["5 2025-12-31T08:30 2026-01-01T08:30", "4 2026-01-01T08:30 2026-01-02T08:30"]
    );
    let next = plan.next_handover(at("2025-12-31T23:59")).unwrap();
    assert_eq!(shown(next.at), "2026-01-01T08:30");
    assert_eq!((next.outgoing, next.incoming), (vec![PersonId(5)], vec![PersonId(4)]));
    // Nobody before the first handover.
    assert!(plan.people_at(at("2025-12-30T08:29")).is_empty());
}

#[test]
fn the_leap_day_is_a_day_like_any_other() {
    let calendar = calendar();
    let roster = roster(vec![rotation(&[1, 2, 3], "2024-02-27T08:00", "1d")]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    assert_eq!(
        told(plan, "2024-02-28T09:00", "2024-03-01T09:00"),
        [
            "2 2024-02-28T08:00 2024-02-29T08:00",
            "3 2024-02-29T08:00 2024-03-01T08:00",
            "1 2024-03-01T08:00 2024-03-02T08:00",
        ]
    );
}

#[test]
fn a_make_up_saturday_belongs_to_the_rotation_of_working_days() {
    let calendar = calendar();
    // 2026-02-14 is a Saturday that is worked, 02-15 to 02-23 are off, 02-28 is worked again.
    let mut work = rotation(&[1, 2], "2026-02-12T08:30", "1d");
    (work.days, work.hours) = (Cover::WorkingDays, Some("08:30-17:30".parse().unwrap()));
    let mut off = rotation(&[7, 8, 9], "2026-02-12T08:30", "1d");
    off.days = Cover::DaysOff;
    let roster = roster(vec![work, off]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    assert_eq!(
        told(plan, "2026-02-14T00:00", "2026-02-16T08:30"),
        ["1 2026-02-14T08:30 2026-02-14T17:30", "7 2026-02-15T08:30 2026-02-16T08:30"]
    );
    // Nine days off pass through three people evenly, and the first working day goes on from where
    // the last one was.
    assert_eq!(
        told(plan, "2026-02-23T09:00", "2026-02-25T00:00"),
        ["9 2026-02-23T08:30 2026-02-24T08:30", "2 2026-02-24T08:30 2026-02-24T17:30"]
    );
    // Working nights nobody covers: a gap, said ahead.
    let gaps = plan.gaps(at("2026-02-13T12:00"), at("2026-02-14T12:00"), &|_| true);
    assert_eq!(gaps.len(), 1);
    assert_eq!(
        (shown(gaps[0].from), shown(gaps[0].until)),
        ("2026-02-13T17:30".to_owned(), "2026-02-14T08:30".to_owned())
    );
}

#[test]
fn a_night_reaches_over_midnight_and_belongs_to_the_day_on_which_it_begins() {
    let calendar = calendar();
    let mut night = rotation(&[1, 2], "2026-09-24T17:30", "1d");
    (night.days, night.hours) = (Cover::WorkingDays, Some("17:30-08:30".parse().unwrap()));
    let roster = roster(vec![night]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    // Thursday 09-24 is worked; 09-25 to 09-27 are the Mid-Autumn Festival.
    assert_eq!(
        told(plan, "2026-09-24T00:00", "2026-09-29T00:00"),
        ["1 2026-09-24T17:30 2026-09-25T08:30", "2 2026-09-28T17:30 2026-09-29T08:30"]
    );
}

#[test]
fn a_week_is_one_shift_and_every_weekend_has_its_turn() {
    let calendar = calendar();
    let roster = roster(vec![rotation(&[1, 2], "2026-11-23T08:30", "1w")]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    assert_eq!(
        told(plan, "2026-11-25T00:00", "2026-11-26T00:00"),
        ["1 2026-11-23T08:30 2026-11-30T08:30"]
    );
}

#[test]
fn somebody_stands_in_comes_besides_or_stays_away() {
    let calendar = calendar();
    let roster = roster(vec![rotation(&[4, 5], "2026-11-23T08:30", "24h")]);
    let stand_ins = [
        stand_in(1, ("2026-11-23T12:00", "2026-11-23T18:00"), Some(6), Some(4)),
        stand_in(2, ("2026-11-23T14:00", "2026-11-23T16:00"), Some(7), Some(6)),
        stand_in(3, ("2026-11-24T00:00", "2026-11-24T02:00"), Some(8), None),
        stand_in(4, ("2026-11-24T08:30", "2026-11-24T20:00"), None, Some(5)),
        // Not on duty then: nothing changes.
        stand_in(5, ("2026-11-24T20:00", "2026-11-24T23:00"), Some(9), Some(4)),
    ];
    let plan = Plan { roster: &roster, stand_ins: &stand_ins, calendar: &calendar };
    assert_eq!(
        told(plan, "2026-11-23T09:00", "2026-11-25T00:00"),
        [
            "4 2026-11-23T08:30 2026-11-23T12:00",
            "6 2026-11-23T12:00 2026-11-23T14:00",
            "7 2026-11-23T14:00 2026-11-23T16:00",
            "6 2026-11-23T16:00 2026-11-23T18:00",
            "4 2026-11-23T18:00 2026-11-24T08:30",
            "8 2026-11-24T00:00 2026-11-24T02:00",
            "5 2026-11-24T20:00 2026-11-25T08:30",
        ]
    );
    let chain = plan.on_duty(at("2026-11-23T15:00"));
    assert_eq!(chain[0].instead_of, Some(PersonId(4)));
    let gaps = plan.gaps(at("2026-11-24T00:00"), at("2026-11-25T00:00"), &|_| true);
    assert_eq!(
        (shown(gaps[0].from), shown(gaps[0].until)),
        ("2026-11-24T08:30".to_owned(), "2026-11-24T20:00".to_owned(),)
    );
}

#[test]
fn a_swap_counts_only_when_it_was_agreed_to() {
    let calendar = calendar();
    let roster = roster(vec![rotation(&[4, 5], "2026-11-23T08:30", "24h")]);
    let half = |id, span, person, gone| StandIn {
        swap: Some(1),
        ..stand_in(id, span, Some(person), Some(gone))
    };
    let mut halves = [
        half(1, ("2026-11-23T08:30", "2026-11-24T08:30"), 5, 4),
        half(2, ("2026-11-24T08:30", "2026-11-25T08:30"), 4, 5),
    ];
    let who = |halves: &[StandIn], time: &str| {
        let plan = Plan { roster: &roster, stand_ins: halves, calendar: &calendar };
        plan.people_at(at(time)).into_iter().map(|person| person.0).collect::<Vec<_>>()
    };
    assert_eq!(who(&halves, "2026-11-23T12:00"), [4]);
    for half in &mut halves {
        half.agreed_at = Some(Instant(0));
    }
    assert_eq!(who(&halves, "2026-11-23T12:00"), [5]);
    assert_eq!(who(&halves, "2026-11-24T12:00"), [4]);
}

#[test]
fn where_clocks_are_put_forward_or_back_nobody_is_on_duty_twice_and_nobody_is_missing() {
    let text = include_str!("../../../config/calendars/chongqing.yaml");
    let berlin = text.replace("Asia/Shanghai", "Europe/Berlin");
    let calendar = Calendar::from_yaml(&berlin).unwrap();
    let roster = roster(vec![rotation(&[1, 2, 3], "2026-03-28T00:30", "1h")]);
    let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
    for day in ["2026-03-28T12:00:00Z", "2026-10-24T12:00:00Z"] {
        let from = Instant::parse(day).unwrap();
        for minute in 0..24 * 60 {
            let moment = from.plus(minute * 60_000);
            assert_eq!(plan.people_at(moment).len(), 1, "{moment}");
            assert_eq!(plan.on_duty(moment).len(), 1, "{moment}");
        }
    }
}

#[test]
fn decisions_are_told_who_is_on_duty_and_everybody_when_that_is_nobody() {
    use std::sync::Arc;

    use crate::domain::{Facts as _, Value};
    let day = rotation(&[4, 5], "2026-11-23T08:30", "24h");
    let mut people = directory();
    let ask = |people: &Directory, rosters: Rosters, time: &str| {
        let facts = OnDuty {
            directory: Arc::new(people.clone()),
            rosters: Arc::new(rosters),
            calendar: calendar(),
            now: at(time),
        };
        let answer = facts.ask("people/yingji/duty");
        assert_eq!(facts.ask("unit/yingji/active"), Value::Bool(true));
        answer.as_list().unwrap().iter().filter_map(Value::as_int).collect::<Vec<_>>()
    };
    let rosters = || Rosters::new([roster(vec![day.clone()])]);
    assert_eq!(ask(&people, rosters(), "2026-11-28T23:50"), [5]);
    assert_eq!(ask(&people, rosters(), "2026-11-23T08:29"), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(ask(&people, Rosters::default(), "2026-11-28T23:50").len(), 9);
    // Of two rosters for one role, both count.
    let second = Roster {
        code: "second".to_owned(),
        ..roster(vec![rotation(&[8], "2026-11-23T08:30", "1w")])
    };
    let both = Rosters::new([roster(vec![day.clone()]), second]);
    assert_eq!(ask(&people, both, "2026-11-28T23:50"), [5, 8]);
    // Who is on duty but may not act is as good as nobody.
    people.people.get_mut(&PersonId(5)).unwrap().active = false;
    assert_eq!(ask(&people, rosters(), "2026-11-28T23:50"), [1, 2, 3, 4, 6, 7, 8, 9]);
}

#[test]
fn a_roster_that_makes_no_sense_is_refused_with_every_reason() {
    let mut wrong = rotation(&[4, 77], "2026-11-23T08:30", "24h");
    wrong.hours = Some("09:00-17:00".parse().unwrap());
    wrong.until = Some("2026-11-01T00:00".parse().unwrap());
    let refusal = check(&roster(vec![wrong]), &directory()).unwrap_err();
    assert_eq!(refusal.code, "wrong_roster");
    let inputs: Vec<_> = refusal.reasons.iter().filter_map(|r| r.input.as_deref()).collect();
    assert_eq!(
        inputs,
        ["rotations[0].until", "rotations[0].hours", "rotations[0].shift", "rotations[0].people"]
    );
    assert!(check(&roster(vec![rotation(&[4], "2026-11-23T08:30", "24h")]), &directory()).is_ok());
}
