//! What `check` says of wrong files: each thing with its code, at its place; everything at once.

use fenliu::chart::check::{Member, check_family};
use fenliu::chart::finding::draw;
use fenliu::chart::{Severity, compile};

use super::bench::{findings, sound};

const BASE: &str = r#"workflow: base
title: { zh: 基, en: base }
parties: [desk]
fields:
  unit: { type: unit, title: { zh: 单位, en: unit } }
  tries: { type: count, at_most: 2, title: { zh: 次, en: tries } }
start: { command: begin, title: { zh: 始, en: begin }, by: [desk.duty] }
commands:
  route:
    title: { zh: 派, en: route }
    by: [desk.duty]
    input: { unit: { type: unit, title: { zh: 单位, en: unit } } }
    set: { unit: input.unit }
  back: { title: { zh: 退, en: back }, by: [unit.liaison], set: { tries: "tries + 1" } }
  close: { title: { zh: 结, en: close }, by: [desk.duty] }
clocks:
  handle: { title: { zh: 时限, en: limit }, due: "workdays(2)", ladder: late }
ladders:
  late:
    - { at: due, tell: [desk.duty], via: [sms], text: late }
    - { every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: late }
texts:
  late: { zh: 迟, en: late }
initial: open
states:
  open:
    holder: desk
    clocks: [handle]
    on:
      clock.handle: {}
      close: { to: closed }
    initial: desk_has
    states:
      desk_has:
        on:
          route: { to: unit_has }
      unit_has:
        on:
          back: { when: "tries < 2", to: desk_has }
  closed:
    final: true
"#;

/// A code, and what is replaced in the sound file; `§` marks the place that the finding must name.
type Case = (&'static str, &'static [(&'static str, &'static str)]);

const CASES: &[Case] = &[
    // Links and replies by SMS give this command: no workflow can have it.
    (
        "reserved_name",
        &[
            ("  close: { title", "  §acknowledge: { title"),
            ("close: { to: closed }", "acknowledge: { to: closed }"),
        ],
    ),
    ("unknown_name", &[("fields:\n", "urgent: §trie\nfields:\n")]),
    ("wrong_type", &[("fields:\n", "urgent: §tries\nfields:\n")]),
    (
        "repetition_not_last",
        &[(
            "    - { every: \"0 0 9",
            "    - { every: §\"0 0 8 * * *\", tell: [desk.duty], via: [sms], text: late }\n    - { every: \"0 0 9",
        )],
    ),
    (
        "ladder_silent",
        &[(
            "    - { every: \"0 0 9 * * *\", tell: [desk.duty], via: [sms], text: late }",
            "    - { every: \"0 0 8 * * *\", when: \"tries > 1\", tell: [desk.duty], via: [sms], text: late }\n    - { every: \"0 0 9 * * *\", when: §\"tries > 0\", tell: [desk.duty], via: [sms], text: late }",
        )],
    ),
    ("wrong_type", &[("type: count, at_most: 2,", "type: §count, sees: false, at_most: 2,")]),
    ("wrong_type", &[("type: count, at_most: 2,", "type: §count, seals: desk, at_most: 2,")]),
    (
        "wrong_type",
        &[("{ unit: { type: unit, title", "{ §unit: { type: unit, content: true, title")],
    ),
    (
        "wrong_type",
        &[
            ("parties: [desk]", "parties: [desk, every_unit]"),
            ("    holder: desk\n", "    holder: §every_unit\n"),
        ],
    ),
    (
        "unknown_name",
        &[(
            "    set: { unit: input.unit }",
            "    set: { unit: input.unit }\n    signal: [{ to: §matter.unit, name: hello }]",
        )],
    ),
    ("no_holder", &[("    holder: desk\n", "    \n"), ("      desk_has:\n", "      §desk_has:\n")]),
    (
        "no_clock",
        &[("    clocks: [handle]\n", "    \n"), ("      unit_has:\n", "      §unit_has:\n")],
    ),
    ("no_clock", &[("      desk_has:\n", "      §desk_has:\n        suspends: [handle]\n")]),
    ("holder_unset", &[("    holder: desk\n", "    holder: §unit\n")]),
    (
        "clock_stopped",
        &[
            ("{ to: unit_has }", "{ to: unit_has, stop: [handle] }"),
            ("      unit_has:\n", "      §unit_has:\n"),
        ],
    ),
    (
        "ladder_silent",
        &[("every: \"0 0 9 * * *\",", "every: \"0 0 9 * * *\", when: §\"tries > 1\",")],
    ),
    (
        "ladder_unheard",
        &[(
            "at: due, tell: [desk.duty], via: [sms]",
            "at: due, tell: [desk.duty], via: [§webhook]",
        )],
    ),
    (
        "ladder_unheard",
        &[(
            "* * *\", tell: [desk.duty], via: [sms]",
            "* * *\", tell: [desk.duty], via: [§console, webhook]",
        )],
    ),
    (
        "ladder_deaf",
        &[(
            "every: \"0 0 9 * * *\", tell: [desk.duty]",
            "every: §\"0 0 9 * * *\", tell: [unit.duty]",
        )],
    ),
    (
        "empty_ladder",
        &[
            ("  late:\n    - { at: due", "  §empty: []\n  late:\n    - { at: due"),
            ("ladder: late", "ladder: empty"),
        ],
    ),
    (
        "ladder_ends",
        &[
            ("  late:\n    - { at: due", "  §late:\n    - { at: due"),
            ("    - { every: \"0 0 9 * * *\", tell: [desk.duty], via: [sms], text: late }\n", ""),
        ],
    ),
    ("no_reaction", &[("clock.handle: {}", "back: {}"), ("[handle]", "[§handle]")]),
    (
        "nobody_reacts",
        &[(
            "via: [sms], text: late }\n    - { every",
            "via: [sms], text: late, raise: §help }\n    - { every",
        )],
    ),
    ("never_raised", &[("clock.handle: {}", "clock.handle: {}\n      §clock.handle.help: {}")]),
    (
        "clock_not_here",
        &[
            (
                "clocks:\n  handle",
                "clocks:\n  other: { title: { zh: 别, en: other }, due: \"days(1)\", ladder: late }\n  handle",
            ),
            ("      desk_has:\n", "      desk_has:\n        clocks: [other]\n"),
            ("          route: {", "          clock.other: {}\n          route: {"),
            ("          back: {", "          §clock.other: {}\n          back: {"),
        ],
    ),
    ("unreachable", &[("  closed:\n", "  §lost:\n    final: true\n  closed:\n")]),
    (
        "dead_end",
        &[
            (
                "      unit_has:\n        on:\n          back: { when: \"tries < 2\", to: desk_has }\n",
                "",
            ),
            ("{ to: unit_has }", "{ to: trap }"),
            (
                "  closed:\n",
                "  §trap: { holder: desk, clocks: [handle], on: { clock.handle: {}, back: {} } }\n  closed:\n",
            ),
        ],
    ),
    (
        "endless",
        &[
            ("{ to: unit_has }", "{ to: spin }"),
            (
                "      unit_has:\n",
                "      §spin: { always: [{ to: unit_has }] }\n      unit_has:\n        always: [{ to: spin }]\n",
            ),
        ],
    ),
    (
        "nobody_may",
        &[
            ("  close: {", "  §close: {"),
            ("en: close }, by: [desk.duty]", "en: close }, by: [unit.duty]"),
            ("    set: { unit: input.unit }\n", ""),
        ],
    ),
    (
        "nobody_may",
        &[
            ("command: begin", "command: §begin"),
            ("en: begin }, by: [desk.duty]", "en: begin }, by: [unit.duty]"),
        ],
    ),
    ("armed_twice", &[("      desk_has:\n", "      desk_has:\n        clocks: [§handle]\n")]),
    (
        "replaces_circle",
        &[("ladder: late }\nladders", "ladder: late, replaces: §handle }\nladders")],
    ),
    ("starts_ended", &[("initial: open", "initial: §closed")]),
    ("lost_outcome", &[("{ to: unit_has }", "{ to: unit_has, outcome: §done }")]),
    (
        "clock_in_final",
        &[
            ("      unit_has:\n", "      §gone: { final: true }\n      unit_has:\n"),
            ("{ to: closed }", "{ to: .gone }"),
        ],
    ),
    ("holder_of_closed", &[("    final: true", "    final: true\n    holder: §desk")]),
    (
        "overlap",
        &[(
            "route: { to: unit_has }",
            "route: [{ when: \"tries < 2\", to: unit_has }, { when: §\"tries > 0\", to: closed }]",
        )],
    ),
    ("never_true", &[("when: \"tries < 2\"", "when: §\"tries > 2\"")]),
    (
        "never_tried",
        &[(
            "route: { to: unit_has }",
            "route: [{ to: unit_has }, { when: §\"tries > 0\", to: closed }]",
        )],
    ),
    (
        "never_tried",
        &[(
            "route: { to: unit_has }",
            "route: [{ when: \"tries < 2\", to: closed }, { when: \"tries > 1\", to: unit_has }, { to: §closed }]",
        )],
    ),
    (
        "command_unused",
        &[(
            "  close: {",
            "  §spare: { title: { zh: 备, en: spare }, by: [desk.duty] }\n  close: {",
        )],
    ),
    (
        "never_set",
        &[("  tries: {", "  §spare: { type: flag, title: { zh: 备, en: spare } }\n  tries: {")],
    ),
    (
        "never_read",
        &[
            (
                "  tries: {",
                "  §spare: { type: flag, shown: false, title: { zh: 备, en: spare } }\n  tries: {",
            ),
            ("{ unit: input.unit }", "{ unit: input.unit, spare: true }"),
        ],
    ),
    (
        "never_armed",
        &[(
            "clocks:\n  handle",
            "clocks:\n  §spare: { title: { zh: 备, en: spare }, due: \"days(1)\", ladder: late }\n  handle",
        )],
    ),
    (
        "ladder_unused",
        &[(
            "ladders:\n",
            "ladders:\n  §spare: [{ every: \"0 0 9 * * *\", tell: [desk.duty], via: [sms], text: late }]\n",
        )],
    ),
    ("text_unused", &[("texts:\n", "texts:\n  §spare: { zh: 备, en: spare }\n")]),
    ("signal_unused", &[("clocks:\n  handle", "signals: { §spare: {} }\nclocks:\n  handle")]),
    ("party_unused", &[("[desk]\n", "[desk, §office]\n")]),
    ("unknown_name", &[("ladder: late }", "ladder: §lade }")]),
    ("unknown_state", &[("{ to: unit_has }", "{ to: §unit_hat }")]),
    ("not_a_workflow", &[("    final: true", "    §finale: true")]),
    (
        "duplicate_name",
        &[
            ("  close: {", "  back: { title: { zh: 退, en: back }, by: [desk.duty] }\n  close: {"),
            ("  close: {", "  close: {§"),
        ],
    ),
    ("composite_end", &[("  open:\n", "  §open:\n    rest: true\n")]),
    ("no_initial", &[("  open:\n", "  §open:\n"), ("    initial: desk_has\n", "")]),
    (
        "final_accepts",
        &[("  closed:\n    final: true", "  §closed:\n    final: true\n    on: { back: {} }")],
    ),
    ("may_not_be_unset", &[("tries: \"tries + 1\"", "tries: §unset")]),
    (
        "never_ends",
        &[
            ("{ to: unit_has }", "{ to: round }"),
            (
                "  closed:\n",
                "  §round: { holder: desk, clocks: [handle], on: { clock.handle: {}, back: { to: about } } }\n  about: { holder: desk, clocks: [handle], on: { clock.handle: {}, back: { to: round } } }\n  closed:\n",
            ),
            (
                "      unit_has:\n        on:\n          back: { when: \"tries < 2\", to: desk_has }\n",
                "",
            ),
        ],
    ),
    ("not_a_moment", &[("every: \"0 0 9 * * *\"", "every: §\"at nine\"")]),
    ("not_a_moment", &[("    - { at: due, tell: [desk.duty]", "    - { tell: [§desk.duty]")]),
    ("not_a_role", &[("at: due, tell: [desk.duty]", "at: due, tell: [§desk]")]),
    ("unknown_role", &[("at: due, tell: [desk.duty]", "at: due, tell: [§desk.dutty]")]),
    (
        "not_an_identifier",
        &[("  tries: {", "  §2nd: { type: flag, title: { zh: 二, en: second } }\n  tries: {")],
    ),
    (
        "offer_needs_input",
        &[(
            "via: [sms], text: late }\n    - { every",
            "via: [sms], text: late, offer: §route }\n    - { every",
        )],
    ),
    (
        "replaced_twice",
        &[
            (
                "clocks:\n  handle",
                "clocks:\n  one: { title: { zh: 甲, en: one }, due: \"days(1)\", ladder: late, replaces: handle }\n  two: { title: { zh: 乙, en: two }, due: \"days(1)\", ladder: late, replaces: handle }\n  handle",
            ),
            (
                "      unit_has:\n        on:\n",
                "      unit_has:\n        clocks: [one, §two]\n        on:\n          clock.one: {}\n          clock.two: {}\n",
            ),
        ],
    ),
    (
        "start_in_state",
        &[("      close: { to: closed }", "      close: { to: closed }\n      §begin: {}")],
    ),
    (
        "tells_nobody",
        &[(
            "set: { tries: \"tries + 1\" }",
            "set: { tries: \"tries + 1\" }, tell: [{ to: [], via: [sms], text: §late }]",
        )],
    ),
    (
        "tells_nobody",
        &[(
            "set: { tries: \"tries + 1\" }",
            "set: { tries: \"tries + 1\" }, tell: [{ to: [desk.duty], via: [§webhook], text: late }]",
        )],
    ),
    (
        "tells_nothing",
        &[(
            "at: due, tell: [desk.duty], via: [sms], text: late",
            "at: due, tell: [§desk.duty], via: [sms]",
        )],
    ),
    ("empty_step", &[("{ at: due, tell: [desk.duty], via: [sms], text: late }", "{ at: §due }")]),
    (
        "two_tiers",
        &[(
            "  tries: {",
            "  one: { type: tier, title: { zh: 甲, en: one } }\n  §two: { type: tier, title: { zh: 乙, en: two } }\n  tries: {",
        )],
    ),
    ("unbounded", &[("type: count, at_most: 2", "type: §count")]),
];

#[test]
fn a_sound_file_is_met_with_silence() {
    assert_eq!(findings(BASE), Vec::new());
}

// Check 29.
#[test]
fn every_fault_is_named_at_its_line_and_column() {
    let mut wrong = Vec::new();
    for (code, changes) in CASES {
        let mut text = BASE.to_owned();
        for (from, to) in *changes {
            assert!(text.contains(from), "{code}: {from}");
            text = text.replacen(from, to, 1);
        }
        let (before, after) = text.split_once('§').unwrap_or_else(|| panic!("{code}: no place"));
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let text = format!("{before}{after}");
        let found = findings(&text);
        let known = found.iter().any(|f| f.code == *code && (f.line, f.column) == (line, column));
        if !known && *code != "duplicate_name" || found.is_empty() {
            let all: Vec<_> =
                found.iter().map(|f| (&f.code, f.line, f.column, &f.message)).collect();
            wrong.push(format!("{code} at {line}:{column}, not {all:?}"));
        }
        if found.iter().any(|f| {
            f.severity == Severity::Error && f.help.is_none() && f.code != "duplicate_name"
        }) {
            wrong.push(format!("{code}: an error without help: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_ladder_has_no_end_of_steps() {
    let step = "    - { at: due, tell: [desk.duty], via: [sms], text: late }\n";
    let found = findings(&BASE.replacen(step, &step.repeat(300), 1));
    assert!(found.iter().any(|finding| finding.code == "too_many_steps"), "{found:?}");
}

/// Every code that a source file can give a finding has a case in some test.
#[test]
fn no_kind_of_finding_is_untried() {
    let read = |path: &std::path::Path| std::fs::read_to_string(path).unwrap();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tried = String::new();
    let (mut files, mut codes) =
        (vec![root.join("tests/semantics"), root.join("src/chart")], Vec::new());
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.to_str().unwrap().contains("tests") {
            tried.push_str(&read(&path));
        } else {
            let text = read(&path);
            for call in ["error(", "warn(", "error_at(", "Severity::Error,", "Severity::Warning,"] {
                let given = text.split(call).skip(1).filter_map(|rest| {
                    rest.trim_start()
                        .strip_prefix('"')?
                        .split_once('"')
                        .map(|(code, _)| code.to_owned())
                });
                codes.extend(given);
            }
        }
    }
    codes.sort();
    codes.dedup();
    for code in &codes {
        let words = fenliu::chart::finding::in_chinese(code);
        assert!(words.is_some(), "{code} has no Chinese words");
    }
    assert!(codes.len() > 50, "only {} codes were found", codes.len());
    let words = tried.split(|c: char| !c.is_alphanumeric() && c != '_');
    let words: std::collections::BTreeSet<&str> = words.collect();
    let untried: Vec<_> = codes.iter().filter(|code| !words.contains(code.as_str())).collect();
    assert!(untried.is_empty(), "{untried:?}");
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_file() {
    let text = BASE
        .replace("ladder: late }", "ladder: lade }")
        .replace("    holder: desk\n", "")
        .replace("tries < 2", "trees < 2");
    let found = findings(&text);
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["unknown_name", "no_holder", "no_holder", "unknown_name"]);
    assert!(found.windows(2).all(|pair| pair[0].span.start <= pair[1].span.start));
    assert!(compile(&text).0.is_none());
}

#[test]
fn an_overlap_names_values_for_which_both_guards_hold() {
    let text = BASE.replace(
        "route: { to: unit_has }",
        "route: [{ when: \"tries < 2\", to: unit_has }, { when: \"tries > 0\", to: closed }]",
    );
    let found = findings(&text);
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].message.contains("tries = 1"), "{}", found[0].message);
    assert!(compile(&text).0.is_some(), "a warning does not stop a chart");
}

#[test]
fn a_finding_is_drawn_as_a_compiler_draws_it() {
    let text = BASE.replace("{ to: unit_has }", "{ to: unit_hat }");
    insta::assert_snapshot!(draw("base.yaml", &text, &findings(&text)), @r"
    unknown_state

      × no state `unit_hat` can be seen from here
        ╭─[base.yaml:36:24]
     35 │         on:
     36 │           route: { to: unit_hat }
        ·                        ────────
     37 │       unit_has:
        ╰────
      help: did you mean `unit_has`?
    ");
}

/// One finding, with a place and words, and quickly.
fn one(text: &str) -> fenliu::chart::Finding {
    let (chart, mut found) = compile(text);
    assert!(chart.is_none());
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

// Check 27.
#[test]
fn a_yaml_bomb_is_refused() {
    // Texts within texts would be strangers; states within states are what the language has.
    let bomb = |levels: usize| {
        let mut states = "  s0: &s0 { final: true }\n".to_owned();
        for level in 1..levels {
            let below: Vec<String> = (0..9).map(|n| format!("n{n}: *s{}", level - 1)).collect();
            let below = below.join(", ");
            states.push_str(&format!(
                "  s{level}: &s{level} {{ initial: n0, states: {{ {below} }} }}\n"
            ));
        }
        BASE.replace("states:\n  open:", &format!("states:\n{states}  open:"))
    };
    let few = findings(&bomb(3));
    assert!(
        few.iter().all(|finding| finding.code != "not_a_workflow"),
        "aliases are read: {few:?}"
    );
    assert_eq!(one(&bomb(12)).code, "not_a_workflow");
}

#[test]
fn nesting_a_hundred_deep_is_refused_or_read_and_never_overflows() {
    let deep = format!("workflow: {}x{}\n", "[".repeat(100), "]".repeat(100));
    assert_eq!(one(&deep).code, "not_a_workflow");
    let mut states = String::new();
    for depth in 0..100 {
        let indent = " ".repeat(depth * 2);
        states.push_str(
            &format!(
                "{indent}  s{depth}:\n{indent}    initial: s{}\n{indent}    states:\n",
                depth + 1
            )
            .replace("    initial", "   initial")
            .replace("    states", "   states"),
        );
    }
    let (chart, found) =
        compile(&format!("{}states:\n{states}", BASE.split("states:").next().unwrap()));
    assert!(chart.is_none() && !found.is_empty());
}

#[test]
fn ten_megabytes_are_refused_without_being_read() {
    assert_eq!(one(&"#".repeat(10_000_000)).code, "too_long");
}

#[test]
fn a_name_that_stands_twice_does_not_hide_what_else_is_wrong() {
    let (chart, found) = compile("workflow: x\nworkflow: y\n");
    assert!(chart.is_none());
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["duplicate_name", "not_a_workflow"], "{found:?}");
    assert_eq!((found[0].line, found[0].column), (2, 1));
    assert!(!found[0].message.contains("DuplicateKeyPolicy"), "{found:?}");
}

#[test]
fn names_that_nothing_has_do_not_hide_each_other_nor_what_else_is_wrong() {
    let wrong = CHILD
        .replacen("title:", "titel: { zh: 题, en: t }\ntitle:", 1)
        .replacen("  by: [parent]\n", "  by: [parent]\n  bye:\n    - a\n    - { b: c }\n", 1)
        .replacen("optional: true", "optinal: true, optional: true", 1)
        .replacen("input.unit", "input.unti", 1);
    let (chart, found) = compile(&wrong);
    assert!(chart.is_none());
    let shown: Vec<_> = found
        .iter()
        .map(|finding| (finding.line, finding.message.split(',').next().unwrap().to_owned()))
        .collect();
    assert_eq!(shown[0], (2, "unknown field `titel`".to_owned()), "{found:#?}");
    assert_eq!(found[0].help.as_deref(), Some("did you mean `title`?"));
    assert_eq!(shown[1], (10, "unknown field `bye`".to_owned()), "{found:#?}");
    assert_eq!(shown[2], (13, "unknown field `optinal`".to_owned()), "{found:#?}");
    assert!(found[3].message.contains("unti") && found[3].line == 14, "{found:#?}");
}

#[test]
fn what_is_no_workflow_is_refused_where_reading_stopped() {
    for (text, line) in [
        ("", 1),
        ("just words", 1),
        ("- a\n- b", 1),
        ("workflow: x\n\tinitial: y", 2),
        ("workflow: [1, 2]\n", 1),
        ("workflow: 'x\n", 1),
        ("workflow: x\ntitle: { zh: 一, en: 1, de: eins }\n", 2),
    ] {
        let finding = compile(text).1.remove(0);
        assert_eq!(finding.code, "not_a_workflow", "{text}");
        assert!(!finding.message.is_empty() && finding.help.is_some());
        assert!(finding.line.abs_diff(line) <= 1, "{text:?}: {finding:?}");
    }
}

const CHILD: &str = r#"workflow: child
title: { zh: 子, en: child }
parties: [desk]
fields: { unit: { type: unit, title: { zh: 单位, en: unit } } }
start:
  command: begin
  title: { zh: 始, en: begin }
  by: [parent]
  input: { unit: { type: unit, title: { zh: 单位, en: unit } }, note: { type: text, optional: true, title: { zh: 注, en: note } } }
  set: { unit: input.unit }
commands: { end: { title: { zh: 终, en: end }, by: [unit.duty] } }
signals: { moved: { input: { n: { type: number } } } }
clocks: { c: { title: { zh: 时, en: c }, due: "days(1)", ladder: l } }
ladders: { l: [{ every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: t }] }
texts: { t: { zh: 迟, en: late } }
initial: a
states:
  a: { holder: unit, clocks: [c], on: { clock.c: {}, signal.moved: {}, end: { to: b } } }
  b: { final: true }
"#;

fn family(entry: &str, on: &str) -> Vec<(String, usize, usize)> {
    let parent = BASE
        .replace("      desk_has:\n", &format!("      desk_has:\n        entry: {entry}\n"))
        .replace("clock.handle: {}", &format!("clock.handle: {{}}\n      {on}: {{}}"));
    let (first, second) = (sound(&parent), sound(CHILD));
    let members = [
        Member { file: "base.yaml", source: &parent, chart: &first },
        Member { file: "child.yaml", source: CHILD, chart: &second },
    ];
    let found = check_family(&members);
    found.into_iter().map(|(file, f)| (format!("{file} {}", f.code), f.line, f.column)).collect()
}

#[test]
fn a_sound_family_is_met_with_silence() {
    let entry = "{ start: [{ workflow: child, with: { unit: desk } }], signal: [{ to: children, name: moved, with: { n: 1 } }] }";
    assert_eq!(family(entry, "ended.child"), Vec::new());
}

#[test]
fn what_does_not_fit_between_workflows_is_named_in_its_file() {
    for (entry, on, expected) in [
        (
            "{ start: [{ workflow: chill, with: { unit: desk } }] }",
            "ended.chill",
            "base.yaml unknown_workflow",
        ),
        ("{ start: [{ workflow: child }] }", "ended.child", "base.yaml missing_input"),
        (
            "{ start: [{ workflow: child, with: { unit: tries } }] }",
            "ended.child",
            "base.yaml wrong_type",
        ),
        (
            "{ start: [{ workflow: child, with: { unit: unit } }] }",
            "ended.child",
            "base.yaml may_be_unset",
        ),
        (
            "{ start: [{ workflow: child, with: { unit: desk, nota: \"'x'\" } }] }",
            "ended.child",
            "base.yaml unknown_input",
        ),
        (
            "{ start: [{ workflow: child, with: { unit: desk } }] }",
            "ended.chill",
            "base.yaml never_started",
        ),
        (
            "{ start: [{ workflow: child, with: { unit: desk } }], signal: [{ to: children, name: move }] }",
            "ended.child",
            "base.yaml unknown_signal",
        ),
        (
            "{ start: [{ workflow: child, with: { unit: desk } }], signal: [{ to: children.child, name: moved }] }",
            "ended.child",
            "base.yaml missing_input",
        ),
        ("{ signal: [{ to: parent, name: moved }] }", "close", "base.yaml no_receiver"),
        (
            "{ start: [{ workflow: child, with: { unit: desk } }] }",
            "ended.child",
            "child.yaml never_sent",
        ),
    ] {
        let on = if on == "close" { "back" } else { on };
        let found = family(entry, on);
        assert!(found.iter().any(|(code, ..)| code == expected), "{expected}: {found:?}");
    }
}
