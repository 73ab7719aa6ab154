//! What a calendar promises, one promise per test.

use std::sync::LazyLock;

use super::*;
use crate::domain::Instant;

mod cron_times;
mod files;
mod slow_count;
mod suspension;
mod vectors;

/// The calendar that ships.
static CHONGQING: LazyLock<Calendar> = LazyLock::new(|| {
    Calendar::from_yaml(include_str!("../../config/calendars/chongqing.yaml")).unwrap()
});

/// A night desk in a zone with daylight saving time, open on both nights the clocks change.
const NIGHT_DESK: &str = r#"
code: night-desk
version: "1"
zone: America/New_York
notice_expected_from: "12-01"
office_hours:
  - { from: "01-01", to: "12-31", spans: ["00:00-08:00", "22:00-24:00"] }
years:
  2026: { confirmed: true, notice: "local", off: ["01-01"], work: ["03-08", "11-01"] }
"#;

/// A Shanghai time `YYYY-MM-DD HH:MM`, or any time written with its offset.
fn at(text: &str) -> Instant {
    if text.contains('T') {
        return Instant::parse(text).unwrap();
    }
    Instant::parse(&format!("{}:00+08:00", text.replace(' ', "T"))).unwrap()
}

/// The Shanghai time of an instant, to the minute.
fn shown(instant: Instant) -> String {
    instant.in_zone(CHONGQING.zone()).replace('T', " ").replace(":00+08:00", "")
}

impl Calendar {
    /// Whole working minutes from `from` to `to`; 0 when `to` is not later.
    fn working_minutes_between(&self, from: Instant, to: Instant) -> i64 {
        self.worked_between(from, to) / limit::MINUTE
    }
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

#[test]
fn each_year_has_as_many_working_days_as_the_published_packages_count() {
    let counts: Vec<usize> = (2018..=2026)
        .map(|year| {
            let last = Date::constant(year, 12, 31);
            file::dates(Date::constant(year, 1, 1), last)
                .filter(|date| CHONGQING.is_working_day(*date))
                .count()
        })
        .collect();
    assert_eq!(counts, [250, 250, 249, 250, 249, 249, 251, 248, 248]);
}

#[test]
fn a_notice_changes_the_december_before_it() {
    assert!(CHONGQING.is_working_day(day("2018-12-29")), "a Saturday worked");
    assert!(!CHONGQING.is_working_day(day("2018-12-31")), "a Monday off");
    assert!(!CHONGQING.is_working_day(day("2022-12-31")));
    assert!(CHONGQING.is_working_day(day("2019-01-02")));
    assert_eq!(
        CHONGQING.working_days_between(at("2018-12-27 12:00"), at("2019-01-02 08:00")),
        3,
        "28 and 29 December, 2 January"
    );
}

#[test]
fn a_calendar_says_its_code_version_and_zone() {
    assert_eq!(CHONGQING.code(), "chongqing");
    assert_eq!(CHONGQING.version(), "2026.1");
    assert_eq!(CHONGQING.zone().iana_name(), Some("Asia/Shanghai"));
}

#[test]
fn office_hours_follow_the_season() {
    let minutes = |from, to| CHONGQING.working_minutes_between(at(from), at(to));
    assert_eq!(minutes("2018-04-28 08:00", "2018-04-28 09:00"), 0, "winter opens at 9:00");
    assert_eq!(minutes("2018-05-02 08:00", "2018-05-02 09:00"), 30, "summer opens at 8:30");
    assert_eq!(minutes("2018-09-30 12:30", "2018-09-30 14:00"), 0, "summer lunch");
    assert_eq!(minutes("2018-10-08 12:30", "2018-10-08 14:00"), 30, "winter lunch is shorter");
    assert_eq!(minutes("2018-12-28 09:00", "2019-01-02 09:30"), 450 + 450 + 30);
    assert_eq!(minutes("2019-01-02 09:30", "2018-12-28 09:00"), 0, "backwards is nothing");
}

#[test]
fn close_of_a_day_off_is_asked_for_by_its_neighbours() {
    let holiday = day("2020-01-25");
    assert_eq!(CHONGQING.close_of(holiday), None);
    assert_eq!(CHONGQING.close_of(day("2020-01-23")), Some(at("2020-01-23 17:30")));
    assert_eq!(shown(CHONGQING.close_on_or_after(holiday)), "2020-02-03 17:30");
    assert_eq!(shown(CHONGQING.end_of(holiday)), "2020-01-26 00:00");
}

#[test]
fn calendar_days_end_at_midnight_or_move_to_the_next_working_day() {
    let due = |base, days| shown(CHONGQING.due_at(at(base), &Limit::Days(days)));
    assert_eq!(due("2018-07-02 09:10", 3), "2018-07-06 00:00", "24:00 of Thursday the 5th");
    assert_eq!(due("2018-07-02 09:10", 5), "2018-07-09 17:30", "Saturday moves to Monday");
    assert_eq!(due("2018-09-27 09:10", 2), "2018-09-30 00:00", "a Saturday that is worked stays");
    assert_eq!(due("2024-02-05 23:59", 7), "2024-02-18 17:30", "Spring Festival moves to a Sunday");
    assert_eq!(due("2018-07-02 09:10", 0), "2018-07-03 00:00");
}

#[test]
fn no_working_days_at_all_means_the_first_close_still_to_come() {
    let due = |base| shown(CHONGQING.due_at(at(base), &Limit::Workdays(0)));
    assert_eq!(due("2018-07-06 10:00"), "2018-07-06 17:30");
    assert_eq!(due("2018-07-06 17:30"), "2018-07-06 17:30");
    assert_eq!(due("2018-07-06 17:31"), "2018-07-09 17:30");
    assert_eq!(due("2018-07-07 10:00"), "2018-07-09 17:30");
}

#[test]
fn a_due_date_explains_every_day_it_passed() {
    let due = CHONGQING.due(at("2018-07-06 16:00"), &Limit::Workdays(2));
    assert_eq!(shown(due.at), "2018-07-10 17:30");
    assert!(!due.unconfirmed);
    let lines: Vec<(String, &str, &str, i64)> = due
        .explanation
        .iter()
        .map(|line| (line.date.to_string(), &*line.what.zh, &*line.what.en, line.count))
        .collect();
    let expected = [
        ("2018-07-06", "起算日（星期五16:00），不计入", "start day (Friday 16:00), not counted", 0),
        (
            "2018-07-07",
            "周末2天，至2018-07-08，不计入",
            "weekend, 2 days to 2018-07-08, not counted",
            0,
        ),
        ("2018-07-09", "第1个工作日：2018-07-09星期一", "working day 1: 2018-07-09 Monday", 1),
        ("2018-07-10", "第2个工作日：2018-07-10星期二", "working day 2: 2018-07-10 Tuesday", 2),
        ("2018-07-10", "到期：2018-07-10 17:30（星期二）", "due Tuesday 2018-07-10 17:30", 2),
    ];
    assert_eq!(lines, expected.map(|(date, zh, en, count)| (date.to_owned(), zh, en, count)));
    let text = serde_json::to_string(&due).unwrap();
    assert_eq!(serde_json::from_str::<Due>(&text).unwrap(), due, "kept with the clock as it is");
}

#[test]
fn make_up_workdays_holidays_and_minutes_are_named() {
    let english = |base, limit: &str| {
        let due = CHONGQING.due(at(base), &limit.parse().unwrap());
        due.explanation.into_iter().map(|line| line.what.en).collect::<Vec<_>>()
    };
    assert_eq!(
        english("2024-02-09 17:00", "work('2h')"),
        [
            "working time counts from Friday 17:00",
            "30 min counted, 30 min so far: 2024-02-09 Friday",
            "holiday, 8 days to 2024-02-17, not counted",
            "1 h 30 min counted, 2 h so far: 2024-02-18 Sunday (make-up workday)",
            "due Sunday 2024-02-18 10:30",
        ]
    );
    assert_eq!(
        english("2018-07-02 23:50", "real('30m')"),
        ["30 min by the clock from Monday 23:50", "due Tuesday 2018-07-03 00:20"]
    );
    assert_eq!(
        english("2018-07-02 09:10", "days(5)"),
        [
            "start day (Monday 09:10), not counted",
            "days 1 to 5: 2018-07-03 to 2018-07-07",
            "the last day is a day off: moved to the next working day, 2018-07-09",
            "due Monday 2018-07-09 17:30",
        ]
    );
    assert_eq!(english("2018-07-02 09:10", "days(3)")[2], "due Thursday 2018-07-05 24:00");
}

#[test]
fn a_long_limit_is_explained_in_few_lines_that_name_every_counted_day() {
    let base = at("2019-12-20 10:00");
    let due = CHONGQING.due(base, &Limit::Workdays(60));
    assert!(due.explanation.len() < 40, "{} lines", due.explanation.len());
    let text: Vec<&str> = due.explanation.iter().map(|line| &*line.what.zh).collect();
    let text = text.join("\n");
    let last = CHONGQING.date_of(due.at);
    let counted: Vec<Date> = file::dates(day("2019-12-21"), last)
        .filter(|date| CHONGQING.is_working_day(*date))
        .collect();
    assert_eq!(counted.len(), 60);
    for date in counted {
        assert!(text.contains(&date.to_string()), "{date} is not named");
    }
    assert_eq!(due.explanation.last().unwrap().count, 60);
}

#[test]
fn a_due_date_in_a_year_without_notice_carries_a_warning() {
    let due = CHONGQING.due(at("2026-12-30 09:00"), &Limit::Workdays(5));
    assert_eq!(shown(due.at), "2027-01-06 17:30", "weekends only");
    assert!(due.unconfirmed);
    let warned = |due: &Due| {
        due.explanation.iter().any(|line| line.what.en.contains("the days off of 2027"))
    };
    assert!(warned(&due));
    for (base, limit, unconfirmed) in [
        ("2026-12-30 09:00", "workdays(1)", false),
        ("2026-12-30 09:00", "real('100h')", false),
        ("2026-12-31 17:00", "work('30m')", false),
        ("2026-12-31 17:00", "work('31m')", true),
        ("2026-12-30 09:00", "days(1)", false),
        ("2026-12-30 09:00", "days(2)", true),
        ("2017-12-29 09:00", "workdays(1)", true),
        ("2017-12-31 09:00", "workdays(1)", false),
        ("2031-05-06 09:00", "workdays(1)", true),
    ] {
        let due = CHONGQING.due(at(base), &limit.parse().unwrap());
        assert_eq!(due.unconfirmed, unconfirmed, "{base} {limit}");
        assert_eq!(
            due.explanation.iter().any(|line| line.what.zh.contains("尚未确认")),
            unconfirmed,
            "{base} {limit}"
        );
    }
}

#[test]
fn a_missing_notice_is_an_alarm_from_november() {
    let missing = |now| CHONGQING.missing_years(at(now));
    assert_eq!(missing("2018-05-01 12:00"), [0; 0]);
    assert_eq!(missing("2025-12-01 12:00"), [0; 0]);
    assert_eq!(missing("2026-10-31 23:59"), [0; 0]);
    assert_eq!(missing("2026-11-01 00:00"), [2027]);
    assert_eq!(missing("2027-02-01 12:00"), [2027]);
    assert_eq!(missing("2027-11-02 12:00"), [2027, 2028]);
    assert_eq!(missing("2017-11-02 12:00"), [2017]);
}

#[test]
fn times_far_from_any_notice_are_counted_monday_to_friday() {
    let limit = Limit::Workdays(2);
    assert_eq!(shown(CHONGQING.due_at(Instant(0), &limit)), "1970-01-05 17:30");
    assert_eq!(shown(CHONGQING.due_at(at("2100-01-01 10:00"), &limit)), "2100-01-05 17:30");
    assert!(CHONGQING.is_working_day(day("2100-01-01")));
    assert!(!CHONGQING.is_confirmed(2100));
}

#[test]
fn the_ends_of_time_are_held_not_overrun() {
    let ends = [Instant(i64::MIN), Instant(0), Instant(i64::MAX)];
    let limits = [
        Limit::Real(i64::MAX),
        Limit::Work(i64::MAX),
        Limit::Workdays(i64::MAX),
        Limit::Days(i64::MAX),
        Limit::Work(i64::MIN),
        Limit::Workdays(-1),
        Limit::Days(i64::MIN),
        Limit::Real(-1),
    ];
    for base in ends {
        for limit in &limits {
            let due = CHONGQING.due_at(base, limit);
            assert!(due >= base, "{base:?} {limit:?}");
            assert!(CHONGQING.before(base, limit) <= base, "{base:?} {limit:?}");
            assert!(CHONGQING.at_percent(base, due, 50) <= due);
        }
        for other in ends {
            assert!(CHONGQING.working_minutes_between(base, other) >= 0);
            assert!(CHONGQING.working_days_between(base, other) >= 0);
        }
    }
}

#[test]
fn working_minutes_are_real_minutes_when_the_clocks_change() {
    let desk = Calendar::from_yaml(NIGHT_DESK).unwrap();
    let between = |from, to| desk.working_minutes_between(at(from), at(to));
    assert_eq!(between("2026-03-08T00:00:00-05:00", "2026-03-08T12:00:00-04:00"), 7 * 60);
    assert_eq!(between("2026-11-01T00:00:00-04:00", "2026-11-01T12:00:00-05:00"), 9 * 60);
    assert_eq!(between("2026-03-10T00:00:00-04:00", "2026-03-11T00:00:00-04:00"), 10 * 60);
    let due = desk.due_at(at("2026-03-08T00:00:00-05:00"), &Limit::Work(180));
    assert_eq!(due, at("2026-03-08T04:00:00-04:00"), "the hour from 2 to 3 does not exist");
    let late = desk.due_at(at("2026-03-06T21:00:00-05:00"), &Limit::Work(120));
    assert_eq!(late, at("2026-03-07T00:00:00-05:00"), "a span may end at 24:00");
    assert_eq!(desk.close_of(day("2026-11-01")), Some(at("2026-11-02T00:00:00-05:00")));
}

#[test]
fn hours_inside_the_hour_skipped_are_no_hours() {
    let text = NIGHT_DESK.replace("\"00:00-08:00\", \"22:00-24:00\"", "\"02:00-03:00\"");
    let desk = Calendar::from_yaml(&text).unwrap();
    let due = desk.due_at(at("2026-03-08T00:00:00-05:00"), &Limit::Work(30));
    assert_eq!(due, at("2026-03-09T02:30:00-04:00"));
    assert_eq!(desk.close_of(day("2026-03-08")), Some(at("2026-03-08T03:00:00-04:00")));
}

#[test]
fn hours_pushed_into_the_next_ones_by_the_clocks_are_not_counted_twice() {
    let hours = "\"01:00-02:30\", \"03:00-04:00\"";
    let text = NIGHT_DESK.replace("\"00:00-08:00\", \"22:00-24:00\"", hours);
    let desk = Calendar::from_yaml(&text).unwrap();
    let (from, to) = (at("2026-03-08T00:00:00-05:00"), at("2026-03-08T12:00:00-04:00"));
    assert_eq!(desk.working_minutes_between(from, to), 120, "from 1:00 to 4:00 less the gap");
}

#[test]
fn whole_years_are_summed_not_walked() {
    let (first, last) = (at("2017-12-31 12:00"), at("2027-01-01 00:00"));
    assert_eq!(CHONGQING.working_days_between(first, at("2026-12-31 12:00")), 2244);
    assert_eq!(CHONGQING.working_minutes_between(first, last), 2244 * 450);
}
