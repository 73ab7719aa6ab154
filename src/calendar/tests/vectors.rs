//! The worked examples of the calendar rules, 2018-2026, each checked with and without explanation.

use super::*;

/// Checks one example; `due` lacks the year when it is the start's, or the date when it is.
fn check(start: &str, limit: Limit, due: &str) {
    let (date, _) = start.split_once(' ').unwrap();
    let (year, _) = date.split_once('-').unwrap();
    let full = match due.len() {
        5 => format!("{date} {due}"),
        11 => format!("{year}-{due}"),
        _ => due.to_owned(),
    };
    let base = at(start);
    assert_eq!(shown(CHONGQING.due_at(base, &limit)), full, "{limit} from {start}");
    let explained = CHONGQING.due(base, &limit);
    assert_eq!(shown(explained.at), full, "{limit} from {start}, explained");
    assert!(!explained.unconfirmed, "{limit} from {start}");
    let count = match limit {
        Limit::Workdays(count) | Limit::Work(count) => count,
        Limit::Real(_) | Limit::Days(_) => panic!("no such example"),
    };
    assert_eq!(explained.explanation.last().unwrap().count, count, "{limit} from {start}");
}

macro_rules! examples {
    ($limit:path: $($name:ident: $start:literal + $number:literal => $due:literal;)*) => {
        $(
            #[test]
            fn $name() {
                check($start, $limit($number), $due);
            }
        )*
    };
}

examples! { Limit::Workdays:
    two_days_within_a_week: "2018-07-02 09:10" + 2 => "07-04 17:30";
    two_days_over_a_weekend: "2018-07-06 16:00" + 2 => "07-10 17:30";
    a_worked_weekend_counts_and_a_start_after_close_is_still_that_day:
        "2018-09-28 17:40" + 2 => "09-30 17:30";
    five_days_over_national_day: "2018-09-29 10:00" + 5 => "10-11 17:30";
    december_changed_by_the_notice_of_the_next_year: "2018-12-28 15:00" + 2 => "2019-01-02 17:30";
    labour_day_prolonged_in_2019: "2019-04-30 11:00" + 2 => "05-06 17:30";
    a_start_on_a_holiday_just_before_midnight: "2019-05-03 23:50" + 2 => "05-06 17:30";
    five_days_over_the_prolonged_spring_festival_of_2020: "2020-01-22 10:00" + 5 => "02-06 17:30";
    two_days_over_the_prolonged_spring_festival_of_2020: "2020-01-23 10:00" + 2 => "02-04 17:30";
    a_due_date_on_a_worked_sunday: "2021-09-17 16:00" + 5 => "09-26 17:30";
    a_due_date_on_a_worked_saturday: "2021-09-30 16:59" + 2 => "10-09 17:30";
    a_weekend_worked_before_the_spring_festival_of_2022: "2022-01-28 09:00" + 5 => "02-09 17:30";
    a_start_after_close_before_national_day_2023: "2023-09-28 18:00" + 2 => "10-08 17:30";
    five_days_over_the_spring_festival_of_2024: "2024-02-08 14:00" + 5 => "02-21 17:30";
    two_days_over_the_spring_festival_of_2024: "2024-02-09 14:00" + 2 => "02-19 17:30";
    a_start_at_lunch_before_mid_autumn_2024: "2024-09-13 12:45" + 2 => "09-18 17:30";
    two_days_over_new_year_2025: "2024-12-31 09:00" + 2 => "2025-01-03 17:30";
    a_start_on_a_saturday_before_a_worked_sunday: "2025-01-25 08:00" + 2 => "01-27 17:30";
    a_start_on_a_worked_sunday: "2025-01-26 08:00" + 2 => "02-05 17:30";
    a_start_a_minute_before_close: "2025-09-30 17:29" + 5 => "10-14 17:30";
    a_start_on_a_holiday_before_a_worked_sunday: "2026-01-03 10:00" + 2 => "01-05 17:30";
    five_days_over_the_nine_days_off_of_2026: "2026-02-13 17:00" + 5 => "02-27 17:30";
    two_days_over_mid_autumn_2026: "2026-09-24 09:00" + 2 => "09-29 17:30";
    the_last_day_of_the_last_confirmed_year: "2026-12-30 09:00" + 1 => "12-31 17:30";
}

examples! { Limit::Work:
    two_hours_of_a_morning: "2018-07-02 09:10" + 120 => "11:10";
    two_hours_over_lunch: "2018-07-02 12:00" + 120 => "15:30";
    two_hours_over_close: "2018-07-02 17:00" + 120 => "07-03 10:00";
    two_hours_from_late_evening: "2018-07-02 22:15" + 120 => "07-03 10:30";
    two_hours_over_a_winter_lunch: "2018-10-08 12:00" + 120 => "15:00";
    an_hour_over_national_day_and_the_change_of_season: "2018-09-30 17:00" + 60 => "10-08 09:30";
    an_hour_over_labour_day_and_the_change_of_season: "2019-04-30 17:00" + 60 => "05-05 09:00";
    half_an_hour_from_a_worked_sunday: "2019-04-28 17:15" + 30 => "04-29 09:15";
    two_hours_over_the_spring_festival: "2024-02-09 17:00" + 120 => "02-18 10:30";
    two_hours_from_a_worked_sunday: "2024-02-18 16:30" + 120 => "02-19 10:00";
    half_an_hour_from_a_worked_saturday: "2025-10-11 17:25" + 30 => "10-13 09:25";
    three_quarters_over_the_nine_days_off_of_2026: "2026-02-14 17:00" + 45 => "02-24 09:15";
    an_hour_that_ends_exactly_at_close: "2018-07-02 16:30" + 60 => "17:30";
    an_hour_that_ends_exactly_at_lunch: "2018-07-02 11:30" + 60 => "12:30";
}
