//! SQL that is put together from pieces, or handed over as text: a reviewed list. No value of anybody's
//! ever stands in a statement; values are bound. What is filled in is named by the house itself.

use super::source::{Source, sources};

/// A statement with gaps, where it is made, and what fills them.
const WITH_GAPS: &[(&str, &str, &str)] = &[
    ("answer.rs", "{SELECT} WHERE a.actor = ? AND a.key = ?", "a constant"),
    ("answer.rs", "{SELECT} JOIN unnest(?, ?) AS wanted(actor, key) ON", "a constant"),
    ("claim.rs", "AND bundle IN ({})", "ids, written as numbers"),
    ("claim.rs", "UPDATE message SET lease_until = ?,", "constants, and the line above"),
    ("connection.rs", "PRAGMA busy_timeout = {}", "a number of the settings"),
    (
        "connection.rs",
        "SET statement_timeout = {}; SET lock_timeout = {};",
        "numbers of the settings",
    ),
    ("event.rs", "SELECT {SERVER_TIME}", "a constant"),
    ("instance.rs", "WITH locked AS ({head} = ANY(?)", "constants"),
    ("locked.rs", "SELECT {name}, count(*) FROM personal GROUP BY 1", "a constant expression"),
    ("migration.rs", "SELECT pg_advisory_lock({LOCK})", "a constant"),
    ("migration.rs", "SELECT pg_advisory_unlock({LOCK})", "a constant"),
    ("part.rs", "{head} SELECT * FROM unnest({}) {tail}", "constants, and a `?` for each column"),
    ("part.rs", "{head} VALUES {marks} {tail}", "constants, and a `?` for each column"),
    ("role.rs", "SELECT coalesce(has_schema_privilege(", "constants"),
    ("role.rs", "SELECT c.relname::text FROM {TABLES} AND NOT (", "constants"),
    ("role.rs", "SELECT c.relname::text FROM {TABLES} AND c.relname", "constants"),
    ("statement.rs", "{head} IN ({}) {tail}", "constants, and a `?` for each value"),
    ("transfer.rs", "INSERT INTO {} ({}) VALUES ({})", "names of the schema, a `?` for each value"),
    ("transfer.rs", "SELECT {line} FROM {}", "names of the schema"),
    ("transfer.rs", "WHERE ({key}) > ({marks})", "names of the schema, a `?` for each value"),
    ("transfer.rs", "SELECT setval({serial}::regclass,", "names of the schema"),
    ("writer.rs", "PRAGMA secure_delete = {word}", "`ON` or `OFF`"),
    ("writer.rs", "SELECT {SERVER_TIME}", "a constant"),
];

/// Where diesel is given SQL as text, besides `Statement`, which binds.
const AS_TEXT: &[(&str, &str)] = &[
    ("connection.rs", "batch_execute(sql)"),
    ("event.rs", "diesel::dsl::sql::<Bool>(\"kind = 'recount_clocks'\")"),
    ("trace.rs", "diesel::dsl::sql::<Bool>(\"seq = 1\")"),
];

/// Words that only SQL writes like this.
const WORDS: &[&str] = &[
    "SELECT", "INSERT", "UPDATE", "DELETE", "WHERE", "JOIN", "VALUES", "PRAGMA", "SET", "IN",
    "FROM",
];

/// The texts that a file puts together with `format!` and that hold words of SQL, on one line each.
fn with_gaps(source: &Source) -> Vec<String> {
    let code: Vec<&str> = source.code().map(|(_, line)| line).collect();
    let code = code.join("\n");
    let made = code.split("format!(").skip(1).filter_map(|rest| {
        let text = rest.trim_start().strip_prefix('"')?;
        let mut last = ' ';
        let is_inside = |one: &char| {
            let ends = *one == '"' && last != '\\';
            last = *one;
            !ends
        };
        let text: String = text.chars().take_while(is_inside).collect();
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "\\").collect();
        Some(words.join(" "))
    });
    let is_sql = |text: &String| {
        text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| WORDS.contains(&word))
    };
    made.filter(is_sql).collect()
}

fn file(source: &Source) -> &str {
    source.path.rsplit('/').next().unwrap()
}

// Check 21.
#[test]
fn every_statement_with_gaps_is_on_the_reviewed_list() {
    let mut found = Vec::new();
    for source in sources("src/store") {
        for text in with_gaps(&source) {
            let listed = |(name, start, _): &&(&str, &str, &str)| {
                *name == file(&source) && text.starts_with(start)
            };
            let known = WITH_GAPS.iter().find(listed);
            let known = known.unwrap_or_else(|| {
                panic!(
                    "{}: bind its values, or have it reviewed in tests/tidy/statements.rs: {text}",
                    source.path
                )
            });
            found.push(*known);
        }
    }
    let gone: Vec<_> = WITH_GAPS.iter().filter(|one| !found.contains(one)).collect();
    assert!(gone.is_empty(), "no longer there: {gone:?}");
}

// Check 21.
#[test]
fn diesel_is_given_no_other_sql_as_text() {
    let mut found = Vec::new();
    for source in sources("src") {
        for (line, code) in source.code() {
            if ["sql_query(", "dsl::sql", "sql::<", "batch_execute("]
                .iter()
                .any(|one| code.contains(one))
            {
                let listed =
                    |(name, text): &&(&str, &str)| *name == file(&source) && code.contains(text);
                let known = AS_TEXT.iter().find(listed);
                found.push(known.unwrap_or_else(|| panic!("{}:{line}: {code}", source.path)));
            }
        }
    }
    assert_eq!(found.len(), AS_TEXT.len(), "{found:?}");
}
