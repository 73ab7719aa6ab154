//! The slow reference: walks from the first handover to the last minute asked, counting as a clerk
//! would with a table of days.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::DateTime;
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;

/// Who is on duty in each minute of some days after the first handover.
fn walk(rotation: &Rotation, calendar: &Calendar, days: i64) -> BTreeMap<DateTime, i64> {
    let people: Vec<i64> = rotation.people.iter().map(|person| person.0).collect();
    let continuous = rotation.hours.is_none() && rotation.days == Cover::EveryDay;
    let mut on_duty = BTreeMap::new();
    let mut covered = 0;
    let mut slot = 0;
    for day in 0..days {
        let begin = rotation.first + day.days();
        let works = calendar.is_working_day(begin.date());
        let counts = match rotation.days {
            Cover::EveryDay => true,
            Cover::WorkingDays => works,
            Cover::DaysOff => !works,
        };
        if !counts {
            continue;
        }
        let lasts = rotation.hours.map_or(24 * 60, |hours| hours.minutes);
        for minute in 0..lasts {
            let turn = match rotation.shift {
                Length::Weeks(weeks) => day / (7 * weeks),
                Length::Days(each) => covered / each,
                Length::Hours(hours) if continuous => (day * 24 * 60 + minute) / (hours * 60),
                Length::Hours(hours) => slot + minute / (hours * 60),
            };
            let who = people[usize::try_from(turn).unwrap() % people.len()];
            let moment = begin + minute.minutes();
            if rotation.until.is_none_or(|until| moment < until) {
                on_duty.insert(moment, who);
            }
        }
        if let Length::Hours(hours) = rotation.shift {
            slot += (lasts + hours * 60 - 1) / (hours * 60);
        }
        covered += 1;
    }
    on_duty
}

fn lengths() -> impl Strategy<Value = Length> {
    prop_oneof![
        (1..=12_i64).prop_map(Length::Hours),
        Just(Length::Hours(24)),
        Just(Length::Hours(36)),
        (1..=5_i64).prop_map(Length::Days),
        (1..=2_i64).prop_map(Length::Weeks),
    ]
}

prop_compose! {
    /// Begins somewhere around New Year, a leap day, or the holidays of 2018 to 2026.
    fn rotations()(
        people in prop::collection::vec(1..=9_i64, 1..=5),
        year in 2018..=2026_i16,
        season in prop::sample::select(vec![(12_i8, 20_i8), (2, 10), (4, 25), (9, 20)]),
        minute in 0..24 * 4_i64,
        shift in lengths(),
        days in prop::sample::select(vec![Cover::EveryDay, Cover::WorkingDays, Cover::DaysOff]),
        lasts in prop::option::of(1..24 * 4_i64),
        ends in prop::option::of(5..20_i64),
    ) -> Rotation {
        let (month, day) = season;
        let first = jiff::civil::date(year, month, day).at(0, 0, 0, 0) + (minute * 15).minutes();
        let mut hours = lasts.map(|lasts| Hours { from: minute * 15, minutes: lasts * 15 });
        if matches!(shift, Length::Hours(36)) {
            hours = None;
        }
        let days = if matches!(shift, Length::Hours(36)) { Cover::EveryDay } else { days };
        Rotation {
            name: Text::new("班", "shift"),
            people: people.into_iter().map(PersonId).collect(),
            first,
            until: ends.map(|days| first + days.days() + 90.minutes()),
            shift,
            days,
            hours,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn who_is_on_duty_is_what_a_clerk_counts_minute_by_minute(
        rotation in rotations(),
        probes in prop::collection::vec(-2 * 24 * 60..28 * 24 * 60_i64, 60),
    ) {
        let calendar = calendar();
        let slow = walk(&rotation, &calendar, 30);
        let first = rotation.first;
        let roster = roster(vec![rotation]);
        let plan = Plan { roster: &roster, stand_ins: &[], calendar: &calendar };
        for probe in probes {
            let civil = first + probe.minutes();
            let instant = Instant::from(
                civil.to_zoned(calendar.zone().clone()).unwrap().timestamp());
            let expected: Vec<i64> = slow.get(&civil).copied().into_iter().collect();
            for moment in [instant, instant.plus(MINUTE - 1)] {
                let is: Vec<i64> = plan.people_at(moment).iter().map(|p| p.0).collect();
                prop_assert_eq!(&is, &expected, "{}", civil);
                let shifts = plan.on_duty(moment);
                let of_shifts: Vec<i64> = shifts.iter().map(|shift| shift.person.0).collect();
                prop_assert_eq!(&of_shifts, &expected, "{}", civil);
            }
        }
    }

    #[test]
    fn shifts_with_stand_ins_say_the_same_as_each_moment_does(
        layers in prop::collection::vec(rotations(), 1..=3),
        changes in prop::collection::vec(
            (0..20 * 24_i64, 1..72_i64, prop::option::of(1..=9_i64), prop::option::of(1..=9_i64)),
            0..6),
        probes in prop::collection::vec(0..20 * 24 * 60_i64, 40),
    ) {
        let calendar = calendar();
        // All layers begin together, so that they overlap.
        let first = layers[0].first;
        let start = Instant::from(first.to_zoned(calendar.zone().clone()).unwrap().timestamp());
        let layers = layers.into_iter().map(|layer| {
            let first = first.date().to_datetime(layer.first.time());
            Rotation { first, until: None, ..layer }
        });
        let roster = roster(layers.collect());
        let hour = 60 * MINUTE;
        let stand_ins: Vec<StandIn> = (1..).zip(changes).map(|(id, (from, lasts, person, gone))| {
            StandIn {
                from: start.plus(from * hour),
                until: start.plus((from + lasts) * hour),
                ..stand_in(id, ("2018-01-01T00:00", "2018-01-02T00:00"), person, gone)
            }
        }).collect();
        let plan = Plan { roster: &roster, stand_ins: &stand_ins, calendar: &calendar };
        let until = start.plus(25 * 24 * hour);
        let shifts = plan.shifts(start, until);
        let nobody = |_: PersonId| true;
        let gaps = plan.gaps(start, until, &nobody);
        for probe in probes {
            let moment = start.plus(probe * MINUTE);
            let on: std::collections::BTreeSet<PersonId> = shifts.iter()
                .filter(|shift| shift.from <= moment && moment < shift.until)
                .map(|shift| shift.person).collect();
            prop_assert_eq!(&on, &plan.people_at(moment));
            let in_gap = gaps.iter().any(|gap| gap.from <= moment && moment < gap.until);
            prop_assert_eq!(in_gap, on.is_empty());
        }
        // Handovers: somebody comes who was not there a moment before, and none lies between.
        let mut after = start;
        for _ in 0..5 {
            let Some(next) = plan.next_handover(after).filter(|next| next.at < until) else { break };
            for person in &next.incoming {
                prop_assert!(plan.people_at(next.at).contains(person));
                prop_assert!(!plan.people_at(next.at.plus(-1)).contains(person));
            }
            prop_assert_eq!(&plan.last_handover(after, next.at), &Some(next.clone()));
            prop_assert_eq!(plan.last_handover(after, next.at.plus(-1)), None);
            after = next.at;
        }
    }
}
