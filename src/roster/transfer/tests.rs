//! What goes out comes in again, and what is wrong is told by line.

use super::*;
use crate::roster::Plan;
use crate::roster::tests::{at, calendar, directory, roster, rotation, shown, stand_in};

fn people() -> Directory {
    let mut people = directory();
    for (id, name) in [(4, "张三"), (5, "=1+1"), (6, "O'Brien, \"Pat\""), (7, "张三丰")] {
        people.people.get_mut(&PersonId(id)).unwrap().name = name.to_owned();
    }
    people.people.get_mut(&PersonId(4)).unwrap().email = Some("Zhang@example.invalid".to_owned());
    people
}

fn lines(entries: &[Entry]) -> Vec<String> {
    let one = |e: &Entry| format!("{} {} {}", e.person, shown(e.from), shown(e.until));
    entries.iter().map(one).collect()
}

fn complaints(wrong: &[Wrong]) -> Vec<(usize, &str)> {
    wrong.iter().map(|one| (one.line, one.why.en.as_str())).collect()
}

/// Reads with the roster of the office.
fn with<T>(work: impl FnOnce(Scene<'_>) -> T) -> T {
    let (roster, directory, calendar) = (roster(Vec::new()), people(), calendar());
    work(Scene { roster: &roster, directory: &directory, zone: calendar.zone() })
}

// Check 22.
#[test]
fn a_roster_goes_out_as_a_table_and_comes_in_again_formulas_and_all() {
    let calendar = calendar();
    let plan_of = roster(vec![rotation(&[4, 5, 6], "2026-11-23T08:30", "24h")]);
    let stand_ins = [stand_in(1, ("2026-11-24T08:30", "2026-11-24T12:00"), Some(7), Some(5))];
    let plan = Plan { roster: &plan_of, stand_ins: &stand_ins, calendar: &calendar };
    let shifts = plan.shifts(at("2026-11-23T09:00"), at("2026-11-26T00:00"));
    let directory = people();
    let scene = Scene { roster: &plan_of, directory: &directory, zone: calendar.zone() };
    let text = table::write(scene, &shifts).unwrap();
    // A name that a spreadsheet would work out is written as text.
    assert!(text.contains(",'=1+1,") && !text.contains(",=1+1"), "{text}");
    assert!(text.contains("2026-11-24 08:30,2026-11-24 12:00,7,张三丰,班,代=1+1"), "{text}");
    let (entries, wrong) = table::read(scene, &text);
    assert_eq!(wrong, []);
    let expected: Vec<String> = shifts
        .iter()
        .map(|s| format!("{} {} {}", s.person, shown(s.from), shown(s.until)))
        .collect();
    assert_eq!(lines(&entries), expected);
}

#[test]
fn a_table_from_a_spreadsheet_is_read_with_chinese_headings_names_and_slashes() {
    let text = "\u{feff}开始;结束;姓名;代替;备注\r\n\
                2026/11/23 8:30;2026/11/24 8:30;张三;;\r\n\
                2026-11-24;2026-11-24 24:00;'=1+1;4;家中有事\r\n\r\n";
    let (entries, wrong) = with(|scene| table::read(scene, text));
    assert_eq!(wrong, []);
    assert_eq!(
        lines(&entries),
        ["4 2026-11-23T08:30 2026-11-24T08:30", "5 2026-11-24T00:00 2026-11-25T00:00"]
    );
    assert_eq!(entries[1].instead_of, Some(PersonId(4)));
    assert_eq!(entries[1].note, "家中有事");
}

#[test]
fn every_wrong_row_is_told_with_its_line_and_reason() {
    let text = "from,until,person\n2026-11-23 08:30,2026-11-24 08:30,李四\nsoon,2026-11-24,张三\n\
                2026-11-24 08:30,2026-11-25 08:30,张三\n2026-02-29,2026-03-01,4\n2026-11-24,2026-11-25,\n";
    let (entries, wrong) = with(|scene| table::read(scene, text));
    assert_eq!(entries.len(), 1);
    assert_eq!(
        complaints(&wrong),
        [
            (2, "nobody is called `李四`"),
            (3, "from: `soon` is no time; write such as 2026-11-23 08:30"),
            (5, "from: `2026-02-29` is no time; write such as 2026-11-23 08:30"),
            (6, "nobody is named"),
        ]
    );
    let (_, wrong) = with(|scene| table::read(scene, "from,who\n"));
    assert!(wrong[0].why.en.starts_with("there is no column `who`"));
    assert!(wrong[1].why.en.contains("`until`"));
    let (_, wrong) = with(|scene| table::read(scene, ""));
    assert_eq!(complaints(&wrong), [(1, "the file is empty")]);
}

#[test]
fn a_roster_goes_out_as_a_calendar_and_comes_in_again() {
    let calendar = calendar();
    let mut plan_of = roster(vec![rotation(&[4, 6, 7], "2026-11-23T08:30", "24h")]);
    plan_of.title.zh =
        "县应急办、县公安局指挥中心联合二十四小时值班；夜间电话畅通，双人双岗".to_owned();
    let plan = Plan { roster: &plan_of, stand_ins: &[], calendar: &calendar };
    let shifts = plan.shifts(at("2026-11-23T09:00"), at("2026-11-26T00:00"));
    let directory = people();
    let zone = calendar.zone();
    let made = at("2026-11-20T10:00");
    let head = icalendar::Head { name: "值班", directory: &directory, zone, made };
    let text = icalendar::write(head, &[(&plan_of, shifts.clone())]);
    for line in text.split("\r\n") {
        assert!(line.len() <= 75 && !line.contains('\n'), "{line}");
    }
    for part in [
        "BEGIN:VTIMEZONE\r\nTZID:Asia/Shanghai\r\n",
        "TZOFFSETTO:+0800\r\n",
        "DTSTART;TZID=Asia/Shanghai:20261124T083000\r\n",
        "DTSTAMP:20261120T020000Z\r\n",
        "O'Brien\\, \"Pat\"",
    ] {
        assert!(text.replace("\r\n ", "").contains(part), "{part}\n{text}");
    }
    let scene = Scene { roster: &plan_of, directory: &directory, zone };
    let (entries, wrong) = icalendar::read(scene, &text);
    assert_eq!(wrong, []);
    let expected: Vec<String> = shifts
        .iter()
        .map(|s| format!("{} {} {}", s.person, shown(s.from), shown(s.until)))
        .collect();
    assert_eq!(lines(&entries), expected);
    // The same shift keeps its UID when somebody else comes.
    let uids = |text: &str| {
        let all = text.replace("\r\n ", "");
        let uid = |line: &str| line.strip_prefix("UID:").map(str::to_owned);
        all.split("\r\n").filter_map(uid).collect::<Vec<_>>()
    };
    let stand_ins = [stand_in(1, ("2026-11-24T08:30", "2026-11-25T08:30"), Some(5), Some(6))];
    let plan = Plan { roster: &plan_of, stand_ins: &stand_ins, calendar: &calendar };
    let changed = plan.shifts(at("2026-11-23T09:00"), at("2026-11-26T00:00"));
    assert_eq!(uids(&icalendar::write(head, &[(&plan_of, changed)])), uids(&text));
}

#[test]
fn times_of_a_zone_with_summer_time_carry_its_changes() {
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let calendar = calendar();
    let plan_of = roster(vec![rotation(&[4], "2026-03-01T08:30", "1w")]);
    let plan = Plan { roster: &plan_of, stand_ins: &[], calendar: &calendar };
    let shifts = plan.shifts(at("2026-03-20T09:00"), at("2026-04-10T00:00"));
    let directory = people();
    let made = at("2026-03-01T10:00");
    let head = icalendar::Head { name: "d", directory: &directory, zone: &zone, made };
    let text = icalendar::write(head, &[(&plan_of, shifts)]);
    let change = "BEGIN:DAYLIGHT\r\nDTSTART:20260329T020000\r\nTZOFFSETFROM:+0100\r\n\
                  TZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\n";
    assert!(text.contains(change), "{text}");
}

#[test]
fn events_of_other_calendars_are_read_by_mail_or_name_and_odd_ones_are_told() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:China Standard Time\nBEGIN:STANDARD\n\
        TZOFFSETFROM:+0800\nTZOFFSETTO:+0800\nEND:STANDARD\nEND:VTIMEZONE\n\
        BEGIN:VEVENT\nDTSTART;TZID=\"China Standard Time\":20261123T083000\nDURATION:PT12H\n\
        SUMMARY:on duty\nATTENDEE;CN=\"Zhang: San\":MAILTO:zhang@example.invalid\n\
        BEGIN:VALARM\nTRIGGER:-PT15M\nDESCRIPTION:not this\nEND:VALARM\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261124\nSUMMARY:值班 张三\n 丰\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20261125T003000Z\nDTEND:20261125T043000Z\nSUMMARY:张三\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20261126T083000\nDTEND:20261126T180000\nSUMMARY:李四\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART:20261126T083000\nDTEND:20261126T180000\nRRULE:FREQ=DAILY\nSUMMARY:张三\nEND:VEVENT\n\
        BEGIN:VEVENT\nSTATUS:CANCELLED\nSUMMARY:nobody\nEND:VEVENT\n\
        BEGIN:VEVENT\nDTSTART;TZID=Moon:20261126T083000\nDTEND:20261126T180000\nSUMMARY:张三\nEND:VEVENT\n\
        END:VCALENDAR\n";
    let (entries, wrong) = with(|scene| icalendar::read(scene, text));
    assert_eq!(
        lines(&entries),
        [
            "4 2026-11-23T08:30 2026-11-23T20:30",
            "7 2026-11-24T00:00 2026-11-25T00:00",
            "4 2026-11-25T08:30 2026-11-25T12:30",
        ]
    );
    assert!(entries.iter().all(|entry| entry.note.is_empty()));
    let told = complaints(&wrong);
    assert_eq!(told.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [29, 37, 45]);
    assert!(told[0].1.contains("names nobody"), "{told:?}");
    assert!(told[1].1.contains("repeated events"), "{told:?}");
    assert!(told[2].1.contains("no time zone `Moon`"), "{told:?}");
    let (_, wrong) = with(|scene| icalendar::read(scene, "from,until\n"));
    assert_eq!(wrong[0].line, 1);
}
