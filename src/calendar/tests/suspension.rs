//! Suspensions, warnings by percent, and counting back from a due date.

use super::*;

#[test]
fn a_suspension_keeps_the_unexpired_working_days() {
    let limit = Limit::Workdays(5);
    let due = CHONGQING.due_at(at("2018-07-02 09:10"), &limit);
    assert_eq!(shown(due), "2018-07-09 17:30");
    let left = CHONGQING.remaining(&limit, due, at("2018-07-04 10:00"));
    assert_eq!(left, Limit::Workdays(3), "the 5th, 6th and 9th");
    let resumed = CHONGQING.due_at(at("2018-07-10 08:00"), &left);
    assert_eq!(shown(resumed), "2018-07-13 17:30", "the day of resuming is a start day");
}

#[test]
fn a_suspension_on_the_last_day_leaves_the_rest_of_a_day() {
    let limit = Limit::Workdays(2);
    let due = CHONGQING.due_at(at("2018-07-02 09:10"), &limit);
    let left = CHONGQING.remaining(&limit, due, at("2018-07-04 16:00"));
    assert_eq!(left, Limit::Workdays(0));
    assert_eq!(shown(CHONGQING.due_at(at("2018-07-06 10:00"), &left)), "2018-07-06 17:30");
    assert_eq!(shown(CHONGQING.due_at(at("2018-07-06 18:00"), &left)), "2018-07-09 17:30");
    assert_eq!(CHONGQING.remaining(&limit, due, at("2018-07-20 16:00")), Limit::Workdays(0));
}

#[test]
fn a_suspension_keeps_working_minutes_and_nobody_loses_a_started_one() {
    let limit = Limit::Work(240);
    let due = CHONGQING.due_at(at("2018-07-02 15:30"), &limit);
    assert_eq!(shown(due), "2018-07-03 10:30");
    let left = |when| CHONGQING.remaining(&limit, due, at(when));
    assert_eq!(left("2018-07-02 20:00"), Limit::Work(120));
    assert_eq!(left("2018-07-03T10:29:30+08:00"), Limit::Work(1));
    assert_eq!(left("2018-07-03 11:00"), Limit::Work(0));
}

#[test]
fn a_suspension_keeps_real_time_for_real_time_and_calendar_days() {
    let due = at("2018-07-06 00:00");
    let now = at("2018-07-05 23:30");
    for limit in [Limit::Days(3), Limit::Real(1)] {
        assert_eq!(CHONGQING.remaining(&limit, due, now), Limit::Real(30 * 60_000));
        assert_eq!(CHONGQING.remaining(&limit, now, due), Limit::Real(0));
    }
}

#[test]
fn percent_warnings_count_working_minutes() {
    let base = at("2018-07-06 16:00");
    let due = at("2018-07-10 17:30");
    let warned = |percent| shown(CHONGQING.at_percent(base, due, percent));
    // 90 + 450 + 450 = 990 working minutes: half are 495, of which 405 fall on Monday.
    assert_eq!(warned(50), "2018-07-09 16:45");
    assert_eq!(warned(80), "2018-07-10 14:12");
    assert_eq!(CHONGQING.at_percent(base, due, 0), base);
    assert_eq!(CHONGQING.at_percent(base, due, 100), due);
    assert_eq!(CHONGQING.at_percent(base, due, 250), due);
    assert_eq!(CHONGQING.at_percent(base, due, -5), base);
    assert_eq!(CHONGQING.at_percent(due, base, 50), due, "never before its base");
}

#[test]
fn percent_warnings_of_a_night_count_real_time() {
    let base = at("2018-07-06 20:00");
    let due = at("2018-07-06 20:30");
    assert_eq!(shown(CHONGQING.at_percent(base, due, 50)), "2018-07-06 20:15");
    let close = at("2018-07-06 17:00");
    assert_eq!(CHONGQING.at_percent(close, due, 99), at("2018-07-06T17:29:42+08:00"));
    assert_eq!(CHONGQING.at_percent(close, due, 100), due, "all of it is the due date itself");
}

#[test]
fn the_time_before_a_due_date_is_counted_in_the_same_measure() {
    let before = |due, limit: &str| shown(CHONGQING.before(at(due), &limit.parse().unwrap()));
    assert_eq!(before("2018-07-04 17:30", "work('4h')"), "2018-07-04 12:00");
    assert_eq!(before("2018-10-08 11:00", "work('2h')"), "2018-10-08 09:00");
    assert_eq!(before("2018-10-08 09:30", "work('1h')"), "2018-09-30 17:00");
    assert_eq!(before("2018-10-08 03:00", "work('1h')"), "2018-09-30 16:30");
    assert_eq!(before("2018-10-08 09:30", "real('1h')"), "2018-10-08 08:30");
    assert_eq!(before("2018-07-10 17:30", "workdays(2)"), "2018-07-06 17:30");
    assert_eq!(before("2018-07-10 17:29", "workdays(2)"), "2018-07-05 17:30");
    assert_eq!(before("2018-10-08 17:30", "workdays(1)"), "2018-09-30 17:30");
    let start = CHONGQING.before(at("2018-07-09 17:30"), &Limit::Days(3));
    assert_eq!(
        start.plus(1),
        at("2018-07-06 00:00"),
        "from the 6th it would run to the 9th, 24:00"
    );
}
