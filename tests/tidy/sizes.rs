//! Files and functions that one can read in one go, and names that say what is inside.

use super::source::sources;

/// The longest file, in lines.
const FILE_MAX: usize = 400;

/// The longest function, in lines.
const FUNCTION_MAX: usize = 70;

/// Longer files, with what they may have at most and why.
const LONG: &[(&str, usize, &str)] = &[
    ("src/chart.rs", 440, "the whole vocabulary of checked charts, mostly doc comments"),
    ("src/chart/document.rs", 500, "the whole form of workflow files, mostly doc comments"),
    ("src/chart/expression/satisfy/formula.rs", 460, "one search over one kind of formula"),
    ("src/gate/committer.rs", 520, "one loop that is read as a whole; to be split"),
    ("src/chart/expression/tests.rs", 440, "one table of expressions and what becomes of them"),
    ("src/scenario.rs", 430, "the stage on which stories are told; to be split"),
    ("src/store/schema.rs", 500, "the one description of the tables, which is also read as text"),
    ("src/http/instance.rs", 460, "requests about instances; to be split"),
];

/// Longer functions, by file, and why.
const LONG_FUNCTIONS: &[(&str, &str)] =
    &[("src/chart/expression/tests/random.rs", "one table of all the ways to make an expression")];

/// Names that say nothing.
const EMPTY_NAMES: [&str; 7] =
    ["mod.rs", "util.rs", "utils.rs", "common.rs", "helpers.rs", "models.rs", "manager.rs"];

#[test]
fn no_file_is_too_long() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let lines = source.text.lines().count();
        let named = LONG.iter().find(|(path, ..)| *path == source.path);
        let most = named.map_or(FILE_MAX, |(_, most, _)| *most);
        if lines > most {
            wrong.push(format!("{} has {lines} lines; at most {most}", source.path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_exception_is_still_needed() {
    let all = sources("src");
    for (path, _, reason) in LONG {
        let Some(source) = all.iter().find(|source| source.path == *path) else { continue };
        let lines = source.text.lines().count();
        assert!(lines > FILE_MAX, "{path} has {lines} lines and needs no exception ({reason})");
    }
}

#[test]
fn no_function_is_too_long() {
    let mut wrong = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        if LONG_FUNCTIONS.iter().any(|(path, _)| *path == source.path) {
            continue;
        }
        let mut open: Option<(usize, usize)> = None;
        for (number, line) in source.code() {
            let indent = line.len() - line.trim_start().len();
            let words = line.trim_start();
            let begins = ["fn ", "pub fn ", "pub(", "async fn ", "pub async fn "]
                .iter()
                .any(|start| words.starts_with(start) && words.contains("fn "));
            match open {
                None if begins && !words.ends_with(';') => open = Some((number, indent)),
                Some((first, at)) if indent == at && words.starts_with('}') => {
                    if number - first + 1 > FUNCTION_MAX {
                        wrong.push(format!(
                            "{}:{first}: {} lines",
                            source.path,
                            number - first + 1
                        ));
                    }
                    open = None;
                }
                Some((_, at)) if indent == at && begins => open = Some((number, indent)),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for source in sources("src").into_iter().chain(sources("tests")) {
        let name = source.path.rsplit('/').next().unwrap();
        assert!(!EMPTY_NAMES.contains(&name), "{}: name it after what it does", source.path);
    }
}
