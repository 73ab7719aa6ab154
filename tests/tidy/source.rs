//! The files of the house, and the paths in their code.

use std::path::{Path, PathBuf};

/// A Rust file of `src`.
pub(crate) struct Source {
    /// Its path from the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The room that the file belongs to: the first name below `src`.
    pub(crate) fn room(&self) -> &str {
        let below = self.path.trim_start_matches("src/");
        below.split(['/', '.']).next().unwrap_or(below)
    }

    /// Lines of code with their numbers; comments are left out.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(number, line)| (number + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// The rooms named by `crate::…` (or `fenliu::…`), also in groups, with the lines.
    pub(crate) fn rooms_used(&self) -> Vec<(usize, String)> {
        // Comments become empty lines, so that a group may go over several lines and the numbers stay.
        let line =
            |line: &str| if line.trim_start().starts_with("//") { "" } else { line }.to_owned();
        let text = self.text.lines().map(line).collect::<Vec<_>>().join("\n");
        let mut used = Vec::new();
        for start in ["crate::", "fenliu::"] {
            for (at, _) in text.match_indices(start) {
                let (before, rest) = text.split_at(at);
                let last = before.chars().next_back();
                if last.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    continue;
                }
                let number = before.matches('\n').count() + 1;
                let rest = rest.strip_prefix(start).unwrap();
                used.extend(first_names(rest).into_iter().map(|name| (number, name)));
            }
        }
        used.sort();
        used
    }

    /// The lines that name a crate (or a path of `std`) from its root.
    pub(crate) fn lines_with(&self, path: &str) -> Vec<usize> {
        let names = |line: &str| {
            line.match_indices(path).any(|(at, _)| {
                let (before, rest) = line.split_at(at);
                let (before, rest) = (before.chars().next_back(), rest.split_at(path.len()).1);
                let after = rest.chars().next();
                !before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c))
                    && !after.is_some_and(|c| c.is_alphanumeric() || c == '_')
                    && (rest.starts_with("::") || path.contains("::"))
            })
        };
        self.code().filter(|(_, line)| names(line)).map(|(number, _)| number).collect()
    }
}

/// The names that stand first: `a::b` gives `a`, `{a::b, c}` gives `a` and `c`.
fn first_names(rest: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut names = vec![String::new()];
    let mut depth = 0;
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            c => names.last_mut().unwrap().push(c),
        }
    }
    names.iter().map(|text| name(text)).filter(|name| !name.is_empty()).collect()
}

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file of a folder of the repository, in order of path.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    fn walk(folder: &Path, all: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, all);
            } else if path.extension().is_some_and(|end| end == "rs") {
                all.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let parts = path.strip_prefix(root()).unwrap().components();
        let names: Vec<_> = parts.map(|part| part.as_os_str().to_str().unwrap()).collect();
        Source { path: names.join("/"), text }
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn paths_are_found_in_groups_and_not_in_comments() {
    let text =
        "use crate::{chart::{Chart, x}, domain};\n// crate::store\nlet a = crate::gate::b();\n";
    let source = Source { path: "src/engine/run.rs".to_owned(), text: text.to_owned() };
    let used = source.rooms_used();
    let names: Vec<(usize, &str)> =
        used.iter().map(|(line, name)| (*line, name.as_str())).collect();
    assert_eq!(names, [(1, "chart"), (1, "domain"), (3, "gate")]);
    assert_eq!(source.room(), "engine");
}

#[test]
fn a_group_over_several_lines_hides_no_path() {
    let text = "use crate::{\n    // crate::policy\n    chart::{\n        Chart,\n    },\n    store,\n};\n";
    let source = Source { path: "src/engine/run.rs".to_owned(), text: text.to_owned() };
    assert_eq!(source.rooms_used(), [(1, "chart".to_owned()), (1, "store".to_owned())]);
}

#[test]
fn a_crate_is_found_at_the_root_of_a_path_only() {
    let text = "use diesel::sql;\nuse super::diesel::x;\nlet diesel = 1;\nstd::fs::read(x);\n";
    let source = Source { path: "src/a.rs".to_owned(), text: text.to_owned() };
    assert_eq!(source.lines_with("diesel"), [1]);
    assert_eq!(source.lines_with("std::fs"), [4]);
}
