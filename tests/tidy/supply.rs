//! What comes from others: under licences that a government may use without asking anybody.

use std::process::Command;

use serde_json::Value;

/// Licences that ask for no more than to be named.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "LLVM-exception",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn said_by(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Of which licences one is enough; where some belong together, all of them are one choice.
fn choices(licence: &str) -> impl Iterator<Item = String> {
    let together = licence.contains('(') || licence.contains(" AND ");
    let between = if together { "\n" } else { " OR " };
    let whole = if together { licence.to_owned() } else { licence.replace('/', " OR ") };
    whole.split(between).map(str::to_owned).collect::<Vec<_>>().into_iter()
}

fn is_allowed(choice: &str) -> bool {
    let words = choice.split([' ', '(', ')', '/']).filter(|word| !word.is_empty());
    let mut ids = words.filter(|word| !["OR", "AND", "WITH"].contains(word));
    ids.all(|id| ALLOWED.contains(&id))
}

// Check 51.
#[test]
fn everything_linked_is_under_a_licence_that_asks_for_nothing() {
    let told = said_by("rustc", &["-vV"]);
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let words =
        ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host];
    let known: Value = serde_json::from_str(&said_by("cargo", &words)).unwrap();
    let packages = known["packages"].as_array().unwrap();
    assert!(packages.len() > 100, "{}", packages.len());
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let licence =
            package["license"].as_str().unwrap_or_else(|| panic!("{name} names no licence"));
        assert!(choices(licence).any(|choice| is_allowed(&choice)), "{name}: {licence}");
    }
}
