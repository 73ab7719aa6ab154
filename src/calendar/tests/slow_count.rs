//! The calendar against a counter that goes minute by minute over its own copy of the table, and
//! the laws that hold for every start.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// The table as published, per year: days off, weekend days worked.
const TABLE: [(i16, &str, &str); 9] = [
    (
        2018,
        "01-01 02-15..02-21 04-05..04-07 04-29..05-01 06-18 09-24 10-01..10-07 12-30..12-31",
        "02-11 02-24 04-08 04-28 09-29 09-30 12-29",
    ),
    (
        2019,
        "01-01 02-04..02-10 04-05..04-07 05-01..05-04 06-07..06-09 09-13..09-15 10-01..10-07",
        "02-02 02-03 04-28 05-05 09-29 10-12",
    ),
    (
        2020,
        "01-01 01-24..02-02 04-04..04-06 05-01..05-05 06-25..06-27 10-01..10-08",
        "01-19 04-26 05-09 06-28 09-27 10-10",
    ),
    (
        2021,
        "01-01..01-03 02-11..02-17 04-03..04-05 05-01..05-05 06-12..06-14 09-19..09-21 10-01..10-07",
        "02-07 02-20 04-25 05-08 09-18 09-26 10-09",
    ),
    (
        2022,
        "01-01..01-03 01-31..02-06 04-03..04-05 04-30..05-04 06-03..06-05 09-10..09-12 10-01..10-07 12-31",
        "01-29 01-30 04-02 04-24 05-07 10-08 10-09",
    ),
    (
        2023,
        "01-01..01-02 01-21..01-27 04-05 04-29..05-03 06-22..06-24 09-29..10-06 12-30..12-31",
        "01-28 01-29 04-23 05-06 06-25 10-07 10-08",
    ),
    (
        2024,
        "01-01 02-10..02-17 04-04..04-06 05-01..05-05 06-10 09-15..09-17 10-01..10-07",
        "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
    ),
    (
        2025,
        "01-01 01-28..02-04 04-04..04-06 05-01..05-05 05-31..06-02 10-01..10-08",
        "01-26 02-08 04-27 09-28 10-11",
    ),
    (
        2026,
        "01-01..01-03 02-15..02-23 04-04..04-06 05-01..05-05 06-19..06-21 09-25..09-27 10-01..10-07",
        "01-04 02-14 02-28 05-09 09-20 10-10",
    ),
];

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60;

/// Minutes since 1970 by Shanghai's clock, which is always 8 hours ahead.
fn local_minutes(instant: Instant) -> i64 {
    instant.0 / MINUTE + 8 * 60
}

fn from_local(minutes: i64) -> Instant {
    Instant((minutes - 8 * 60) * MINUTE)
}

/// The day number (since 1970-01-01) of a date.
fn number(date: Date) -> i64 {
    i64::from(date.since(Date::constant(1970, 1, 1)).unwrap().get_days())
}

/// What the table says of day numbers that are not as their weekday would have them, plus the
/// month of each day.
struct Slow {
    changed: BTreeMap<i64, bool>,
    month: BTreeMap<i64, i8>,
}

static SLOW: LazyLock<Slow> = LazyLock::new(|| {
    let mut slow = Slow { changed: BTreeMap::new(), month: BTreeMap::new() };
    for (year, off, work) in TABLE {
        for (days, worked) in [(off, false), (work, true)] {
            for text in days.split(' ') {
                let (first, last) = text.split_once("..").unwrap_or((text, text));
                let first = number(day(&format!("{year}-{first}")));
                let last = number(day(&format!("{year}-{last}")));
                for number in first..=last {
                    slow.changed.insert(number, worked);
                }
            }
        }
    }
    let mut date = Date::constant(2018, 1, 1);
    while date.year() < 2028 {
        slow.month.insert(number(date), date.month());
        date = date.tomorrow().unwrap();
    }
    slow
});

impl Slow {
    fn works(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        self.changed.get(&day).copied().unwrap_or((day + 3) % 7 < 5)
    }

    fn open(&self, day: i64, minute: i64) -> bool {
        let span = |from: (i64, i64), to: (i64, i64)| {
            minute >= from.0 * 60 + from.1 && minute < to.0 * 60 + to.1
        };
        if (5..=9).contains(&self.month[&day]) {
            span((8, 30), (12, 30)) || span((14, 0), (17, 30))
        } else {
            span((9, 0), (12, 30)) || span((13, 30), (17, 30))
        }
    }

    fn due_after_minutes(&self, base: Instant, minutes: i64) -> Instant {
        let mut now = local_minutes(base);
        let mut left = minutes;
        let mut today = (i64::MIN, false);
        while left > 0 {
            if today.0 != now / DAY {
                today = (now / DAY, self.works(now / DAY));
            }
            if today.1 && self.open(today.0, now % DAY) {
                left -= 1;
            }
            now += 1;
        }
        from_local(now)
    }

    fn due_after_workdays(&self, base: Instant, days: i64) -> Instant {
        let mut day = local_minutes(base) / DAY;
        let mut left = days;
        while left > 0 {
            day += 1;
            if self.works(day) {
                left -= 1;
            }
        }
        from_local(day * DAY + 17 * 60 + 30)
    }
}

/// Any minute of 2018-2026.
fn start() -> impl Strategy<Value = Instant> {
    let first = at("2018-01-01 00:00").0 / MINUTE;
    let last = at("2026-12-31 23:59").0 / MINUTE;
    (first..=last).prop_map(|minutes| Instant(minutes * MINUTE))
}

/// Any small limit.
fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (0..100_000_000i64).prop_map(Limit::Real),
        (0..2_000i64).prop_map(Limit::Work),
        (0..12i64).prop_map(Limit::Workdays),
        (0..12i64).prop_map(Limit::Days),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn working_minutes_agree_with_counting_each_minute(base in start(), minutes in 0..1_400i64) {
        let due = CHONGQING.due_at(base, &Limit::Work(minutes));
        prop_assert_eq!(due, SLOW.due_after_minutes(base, minutes));
        prop_assert_eq!(CHONGQING.working_minutes_between(base, due), minutes);
    }

    #[test]
    fn working_days_agree_with_counting_each_day(base in start(), days in 1..30i64) {
        let due = CHONGQING.due_at(base, &Limit::Workdays(days));
        prop_assert_eq!(due, SLOW.due_after_workdays(base, days));
        prop_assert_eq!(CHONGQING.working_days_between(base, due), days);
    }

    #[test]
    fn the_explained_due_date_is_the_due_date(base in start(), limit in limit()) {
        let due = CHONGQING.due(base, &limit);
        prop_assert_eq!(due.at, CHONGQING.due_at(base, &limit));
        prop_assert!(due.at >= base);
        let dates: Vec<Date> = due.explanation.iter().map(|line| line.date).collect();
        let counts: Vec<i64> = due.explanation.iter().map(|line| line.count).collect();
        prop_assert!(dates.is_sorted(), "{:?}", due);
        prop_assert!(counts.is_sorted(), "{:?}", due);
    }

    #[test]
    fn who_starts_later_is_never_due_earlier(one in start(), wait in 0..20_000i64, limit in limit()) {
        let other = one.plus(wait * MINUTE);
        prop_assert!(CHONGQING.due_at(one, &limit) <= CHONGQING.due_at(other, &limit));
    }

    #[test]
    fn counting_back_and_forth_never_overshoots(due in start(), limit in limit()) {
        let before = CHONGQING.before(due, &limit);
        prop_assert!(before <= due);
        prop_assert!(CHONGQING.due_at(before, &limit) <= due);
        // For every measure but working days, a millisecond later would be too late.
        if before < due && !matches!(limit, Limit::Workdays(_)) {
            prop_assert!(CHONGQING.due_at(before.plus(1), &limit) > due);
        }
    }

    #[test]
    fn percents_come_in_order_between_base_and_due(base in start(), limit in limit(), low in 0..=100i64, more in 0..=100i64) {
        let due = CHONGQING.due_at(base, &limit);
        let first = CHONGQING.at_percent(base, due, low);
        let second = CHONGQING.at_percent(base, due, low + more);
        prop_assert!(base <= first && first <= second && second <= due);
        // Rounding is to the millisecond, so whole minutes of the share may lack the last one.
        let share = CHONGQING.working_minutes_between(base, due) * low / 100;
        if low < 100 && share > 0 {
            prop_assert!((CHONGQING.working_minutes_between(base, first) - share).abs() <= 1);
        }
    }

    #[test]
    fn what_remains_leads_to_the_same_due_date(base in start(), limit in limit(), share in 0..=100i64) {
        let due = CHONGQING.due_at(base, &limit);
        let minutes = due.since(base) * share / 100 / MINUTE;
        let at = base.plus(minutes * MINUTE);
        let left = CHONGQING.remaining(&limit, due, at);
        prop_assert_eq!(CHONGQING.due_at(at, &left), due);
        prop_assert_eq!(
            CHONGQING.due_at(due, &CHONGQING.remaining(&limit, due, due)), due
        );
    }
}

/// Found by the property above: a limit that ends at midnight of an unconfirmed year.
#[test]
fn the_warning_of_an_unconfirmed_year_stands_before_the_due_line() {
    let base = Instant::parse("2026-12-22T00:00:00+08:00").unwrap();
    let due = CHONGQING.due(base, &Limit::Days(10));
    assert!(due.unconfirmed);
    let dates: Vec<Date> = due.explanation.iter().map(|line| line.date).collect();
    assert!(dates.is_sorted(), "{dates:?}");
}
