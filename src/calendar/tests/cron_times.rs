//! When periodic jobs come.

use super::*;
use crate::calendar::cron::Cron;

/// The first `count` occurrences after `after`, in the zone's own time.
fn times(expression: &str, after: &str, zone: &TimeZone, count: usize) -> Vec<String> {
    let cron = Cron::parse(expression).unwrap();
    let mut now = at(after);
    let mut found = Vec::new();
    while found.len() < count {
        let Some(next) = cron.next_after(now, zone) else { break };
        assert!(next > now);
        found.push(next.in_zone(zone));
        now = next;
    }
    found
}

fn new_york() -> TimeZone {
    Calendar::from_yaml(NIGHT_DESK).unwrap().zone().clone()
}

#[test]
fn a_daily_job_comes_at_its_hour_in_the_calendars_zone() {
    let zone = CHONGQING.zone();
    assert_eq!(
        times("0 0 9 * * *", "2018-07-02 09:00", zone, 2),
        ["2018-07-03T09:00:00+08:00", "2018-07-04T09:00:00+08:00"]
    );
    assert_eq!(
        times("0 0 9 * * *", "2018-07-02T08:59:59.999+08:00", zone, 1),
        ["2018-07-02T09:00:00+08:00"]
    );
    assert_eq!(times("0 30 8 1 * *", "2018-12-15 00:00", zone, 1), ["2019-01-01T08:30:00+08:00"]);
    assert_eq!(times("0 0 9 * * Mon", "2018-07-02 10:00", zone, 1), ["2018-07-09T09:00:00+08:00"]);
}

#[test]
fn a_time_that_the_clocks_skip_comes_once_when_the_gap_ends() {
    let zone = new_york();
    assert_eq!(
        times("0 30 2 * * *", "2026-03-08T00:00:00-05:00", &zone, 2),
        ["2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]
    );
    assert_eq!(
        times("0 */15 * * * *", "2026-03-08T01:30:00-05:00", &zone, 3),
        ["2026-03-08T01:45:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T03:15:00-04:00"]
    );
}

#[test]
fn a_time_that_the_clocks_repeat_comes_once() {
    let zone = new_york();
    assert_eq!(
        times("0 30 1 * * *", "2026-11-01T00:00:00-04:00", &zone, 2),
        ["2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]
    );
    assert_eq!(
        times("0 */15 * * * *", "2026-11-01T01:30:00-04:00", &zone, 2),
        ["2026-11-01T01:45:00-04:00", "2026-11-01T02:00:00-05:00"]
    );
    assert_eq!(
        times("* * * * * *", "2026-11-01T01:10:00-05:00", &zone, 1),
        ["2026-11-01T02:00:00-05:00"],
        "asked in the hour repeated, whose times have all come"
    );
}

#[test]
fn a_job_that_never_comes_says_so() {
    let cron = Cron::parse("0 0 0 30 2 *").unwrap();
    assert_eq!(cron.next_after(at("2018-07-02 09:00"), CHONGQING.zone()), None);
    assert_eq!(cron.as_str(), "0 0 0 30 2 *");
    let daily = Cron::parse("0 0 9 * * *").unwrap();
    assert_eq!(daily.next_after(Instant(i64::MAX), CHONGQING.zone()), None);
}

#[test]
fn a_wrong_expression_is_refused_with_a_right_one() {
    for text in ["", "9 o'clock", "0 0 25 * * *", "0 9 * *"] {
        let error = Cron::parse(text).unwrap_err().to_string();
        assert!(error.contains(&format!("`{text}`")), "{error}");
        assert!(error.contains("such as 0 0 9 * * *"), "{error}");
    }
}
