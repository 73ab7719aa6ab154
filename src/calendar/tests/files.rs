//! What a calendar file may say, and what is said of a wrong one.

use super::*;

const GOOD: &str = r#"
code: town
version: "1"
zone: Asia/Shanghai
notice_expected_from: "11-01"
office_hours:
  - { from: "10-01", to: "04-30", spans: ["09:00-12:00", "13:00-17:00"] }
  - { from: "05-01", to: "09-30", spans: ["08:00-12:00"] }
years:
  2018: { confirmed: true, notice: "n", off: ["10-01..10-05"], work: ["12-29"] }
  2019: { confirmed: false }
"#;

/// The error of the good file with one thing replaced.
fn wrong(good: &str, bad: &str) -> String {
    assert!(GOOD.contains(good), "{good}");
    let text = GOOD.replacen(good, bad, 1);
    Calendar::from_yaml(&text)
        .map(|_| format!("{bad} was accepted"))
        .unwrap_or_else(|e| e.to_string())
}

#[test]
fn a_good_file_is_read() {
    let town = Calendar::from_yaml(GOOD).unwrap();
    assert!(!town.is_working_day(day("2018-10-05")));
    assert!(town.is_working_day(day("2018-12-29")));
    assert!(town.is_confirmed(2018));
    assert!(!town.is_confirmed(2019));
    assert_eq!(shown(town.close_of(day("2018-06-01")).unwrap()), "2018-06-01 12:00");
}

#[test]
fn a_wrong_file_is_refused_where_it_is_wrong() {
    for (good, bad, said) in [
        ("code: town", "code: ' '", "`code` is empty"),
        ("version: \"1\"", "version: ''", "`version` is empty"),
        ("code: town", "colour: red", "colour"),
        ("zone: Asia/Shanghai", "zone: Mars/Olympus", "`Mars/Olympus`"),
        ("zone: Asia/Shanghai", "", "zone"),
        ("confirmed: false", "confirmed: maybe", "bool"),
        ("notice: \"n\", ", "", "`years.2018`: a confirmed year names"),
        ("confirmed: false", "confirmed: false, off: [\"01-01\"]", "`years.2019`: days are listed"),
        ("\"11-01\"", "\"2018-11-01\"", "`notice_expected_from`"),
        ("\"11-01\"", "\"11-31\"", "`11-31` is no date"),
        ("10-01..10-05", "10-01..10-32", "`years.2018.off`: `10-01..10-32` is no date"),
        ("10-01..10-05", "02-29", "`02-29` is no date"),
        ("10-01..10-05", "10-05..10-01", "ends before it starts"),
        ("10-01..10-05", "2017-11-30", "2017-11-30 is neither in 2018"),
        ("10-01..10-05", "2019-01-01", "2019-01-01 is neither in 2018"),
        ("10-01..10-05", "12-29", "2018-12-29 is listed twice"),
        ("12-29", "12-28", "2018-12-28 is no weekend day"),
        ("2019:", "1066:", "only the years 1900 to 2199"),
        ("2019:", "2018:", "2018"),
        ("09:00-12:00", "12:00-09:00", "`office_hours.0.spans`: `12:00-09:00` is no span"),
        ("13:00-17:00", "13:00-24:01", "no span"),
        ("13:00-17:00", "13:00-17:60", "no span"),
        ("13:00-17:00", "13-17", "no span"),
        ("13:00-17:00", "11:00-17:00", "without overlap"),
        ("[\"08:00-12:00\"]", "[]", "`office_hours.1.spans`: list at least one"),
        ("to: \"04-30\"", "to: \"04-29\"", "04-30 (MM-DD) is in 0 seasons"),
        ("to: \"04-30\"", "to: \"05-01\"", "05-01 (MM-DD) is in 2 seasons"),
        ("to: \"04-30\"", "to: \"30 April\"", "`office_hours.0.to`: `30 April` is no date"),
    ] {
        let error = wrong(good, bad);
        assert!(error.contains(said), "{bad}: {error}");
    }
    assert!(Calendar::from_yaml("").is_err());
    assert!(Calendar::from_yaml("[").is_err());
}

#[test]
fn a_later_notice_wins_over_the_december_of_an_earlier_one() {
    let text = GOOD
        .replace("work: [\"12-29\"]", "off: [\"12-31\"]")
        .replace("off: [\"10-01..10-05\"], ", "")
        .replace("{ confirmed: false }", "{ confirmed: true, notice: n, work: [\"2018-12-31\"] }");
    let town = Calendar::from_yaml(&text).unwrap();
    assert!(town.is_working_day(day("2018-12-31")));
}
