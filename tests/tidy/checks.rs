//! The list of checks in `docs/CHECKS.md` and the tests that say that they check one agree.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Source, root, sources};

/// So many checks there are.
const CHECKS: usize = 52;

/// The name under which a test stands in the list: `http::accounts::who_signs_in`.
fn listed(source: &Source, test: &str) -> String {
    let path = source.path.trim_start_matches("tests/").trim_start_matches("src/");
    let path = path.trim_end_matches(".rs").replace('/', "::");
    format!("{}::{test}", path.trim_end_matches("::tests"))
}

/// The tests of each number, as comments above them say: `// Checks 13, 14.`
fn said_by_tests() -> BTreeMap<usize, BTreeSet<String>> {
    let mut said: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let Some(rest) = line.strip_prefix("// Check") else { continue };
            let numbers = rest.trim_start_matches('s').trim_end_matches('.');
            if numbers.contains(|c: char| !c.is_ascii_digit() && !", ".contains(c)) {
                continue;
            }
            let function = lines[at..].iter().find_map(|line| line.split_once("fn "));
            let (_, name) = function.unwrap_or_else(|| panic!("{}:{at}", source.path));
            let name: String =
                name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            for number in numbers.split(',') {
                let number = number.trim().parse().unwrap_or_else(|_| panic!("{line}"));
                said.entry(number).or_default().insert(listed(&source, &name));
            }
        }
    }
    said
}

/// Number, tests and verdict of each line of the list.
fn list() -> Vec<(usize, BTreeSet<String>, String)> {
    let text = std::fs::read_to_string(root().join("docs/CHECKS.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, _, tests, verdict] = cells.as_slice() else { return None };
        let tests = tests.split(", ").filter(|test| *test != "-");
        let tests = tests.map(|test| test.trim_matches('`').to_owned()).collect();
        Some((number.parse().ok()?, tests, (*verdict).to_owned()))
    });
    rows.collect()
}

#[test]
fn every_check_names_the_tests_that_name_it_or_is_open() {
    let mut said = said_by_tests();
    let list = list();
    let numbers: Vec<usize> = list.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=CHECKS).collect::<Vec<_>>());
    for (number, tests, verdict) in list {
        let marked = said.remove(&number).unwrap_or_default();
        assert_eq!(tests, marked, "check {number}: in the list, and marked in the tests");
        match verdict.as_str() {
            "met" | "part" => assert!(!tests.is_empty(), "no test checks {number}"),
            "open" | "-" => {}
            other => panic!("check {number}: `{other}`"),
        }
    }
    assert!(said.is_empty(), "checks that there are not: {said:?}");
}
