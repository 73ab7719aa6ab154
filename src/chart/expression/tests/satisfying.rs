//! Which guards can hold together.

use super::*;
use crate::chart::expression::Satisfiability::{Never, TooLarge};

impl Domains for Desk {
    fn domain(&self, path: &str) -> Option<Vec<Value>> {
        let (known, _) = self.names.get(path)?;
        let mut values: Vec<Value> = match &known.ty {
            Type::Bool => vec![false.into(), true.into()],
            Type::Tier => (1..=4).map(Value::Int).collect(),
            Type::Enum(codes) => codes.iter().map(|code| code.as_str().into()).collect(),
            Type::Int if path == "returns" => (0..=2).map(Value::Int).collect(),
            _ => return None,
        };
        if known.optional {
            values.push(Value::Unset);
        }
        Some(values)
    }
}

/// Whether all can hold; one that begins with `not: ` must not hold.
fn together(sources: &[&str]) -> Satisfiability {
    let desk = Desk::new();
    let compiled: Vec<(Expression, bool)> = sources
        .iter()
        .map(|source| {
            let (source, wanted) = match source.strip_prefix("not: ") {
                Some(rest) => (rest, false),
                None => (*source, true),
            };
            (desk.compile(source, &Expected::Exactly(Type::Bool)).unwrap(), wanted)
        })
        .collect();
    let all: Vec<(&Expression, bool)> =
        compiled.iter().map(|(one, wanted)| (one, *wanted)).collect();
    satisfiable(&all, &desk)
}

#[track_caller]
fn witness(sources: &[&str], expected: &[(&str, &str)]) {
    let Satisfiability::Witness(found) = together(sources) else { panic!("no witness") };
    let found: Vec<(&str, &str)> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn guards_that_exclude_each_other_never_hold_together() {
    for never in [
        &["returns >= 2", "returns < 2"][..],
        &["returns > 2"],
        &["ruled", "!ruled"],
        &["not: ruled || !ruled"],
        &["matter_class == 'special'", "matter_class == 'general'"],
        &["matter_class != 'special'", "matter_class > 'general'"],
        &["tier >= 'major'", "tier < 'larger' || tier == 'larger'"],
        &["tier in ['ordinary', 'larger']", "tier > 'larger'"],
        &["has(note)", "!has(note)"],
        &["category.police_kept", "not: category.police_kept"],
        &["category.police_kept == true", "not: category.police_kept"],
        &["open(co_task) == 0", "open(co_task) > 0"],
        &["size(place) >= 4", "size(place) < 4"],
        &["unit.kind == 'a'", "unit.kind in ['b', 'c']"],
        &["unit == 'a'", "'b' == unit"],
        &["unit == actor.unit", "actor.unit != unit"],
        &["or(routed_at, at) < at", "at <= or(routed_at, at)"],
        &["ruled ? returns > 1 : returns > 0", "returns == 0"],
        &["category.legal_days > 30", "category.legal_days <= 15"],
        &["open(co_task) > 3", "open(co_task) < 5", "open(co_task) != 4"],
    ] {
        assert_eq!(together(never), Never, "{never:?}");
    }
}

#[test]
fn guards_that_overlap_have_a_witness() {
    witness(&["returns >= 1", "returns < 2"], &[("returns", "1")]);
    witness(&["tier >= 'larger'", "not: tier >= 'major'"], &[("tier", "larger")]);
    witness(&["unit.kind != 'a'", "unit.kind != 'b'"], &[("unit.kind", "anything else")]);
    witness(&["open(co_task) > 3", "open(co_task) < 5"], &[("open(co_task)", "4")]);
    witness(&["has(note) && ruled"], &[("has(note)", "true"), ("ruled", "true")]);
    witness(&["'x' in co_units"], &[("'x' in co_units", "true")]);
    assert!(matches!(
        together(&["day > '2018-01-01'", "day < '2018-01-03'"]),
        Satisfiability::Witness(_)
    ));
    assert!(matches!(together(&[]), Satisfiability::Witness(found) if found.is_empty()));
}

#[test]
fn too_many_cases_are_said_to_be_too_many() {
    let same = |i: i32| format!("('c{i}' in co_units) == ('c{}' in co_units)", i + 1);
    let mut parts: Vec<String> =
        (0..40).map(|i| format!("(({}) || open(co_task) > {i})", same(i))).collect();
    // A parity that no cutting short can see through.
    let parity = (0..40).map(|i| format!("('c{i}' in co_units)")).collect::<Vec<_>>().join(" == ");
    parts.push(format!("!({parity})"));
    parts.push(parity);
    let sources: Vec<&str> = parts.iter().map(String::as_str).collect();
    assert_eq!(together(&sources), TooLarge);
}
