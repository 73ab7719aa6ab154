//! Laws over random expressions, and the `cel` crate as a second opinion.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::chart::expression::function::Function;
use crate::chart::expression::node::{Arithmetic, Compare, Kind, Node, Test};
use crate::chart::expression::parse::parse;
use crate::chart::expression::token::is_word;

/// A source of choices: random bytes, then zeros, of which small ones make small expressions.
struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % sides
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

/// An expression of a type in the part of the language that CEL has too.
fn shared(dice: &mut Dice, ty: &Type, depth: usize) -> String {
    let leaf = depth == 0;
    match ty {
        Type::Bool => shared_flag(dice, depth),
        Type::Int => match dice.roll(if leaf { 2 } else { 7 }) {
            0 => dice.pick(&["0", "1", "2", "7"]).to_owned(),
            1 => dice.pick(&["n", "m"]).to_owned(),
            2 => format!("-({})", shared(dice, ty, depth - 1)),
            3 => choice(dice, ty, depth - 1),
            4 => format!("size({})", shared(dice, &Type::Text, depth - 1)),
            _ => {
                let sign = dice.pick(&["+", "-", "*"]);
                let left = shared(dice, ty, depth - 1);
                format!("({left}) {sign} ({})", shared(dice, ty, depth - 1))
            }
        },
        _ => match dice.roll(if leaf { 2 } else { 3 }) {
            0 => dice.pick(&["''", "'a'", "'民政局'", r"'it\'s'", r"'\\'"]).to_owned(),
            1 => dice.pick(&["s", "t"]).to_owned(),
            _ => choice(dice, ty, depth - 1),
        },
    }
}

fn choice(dice: &mut Dice, ty: &Type, depth: usize) -> String {
    let condition = shared(dice, &Type::Bool, depth);
    let yes = shared(dice, ty, depth);
    format!("({condition}) ? ({yes}) : ({})", shared(dice, ty, depth))
}

fn shared_flag(dice: &mut Dice, depth: usize) -> String {
    if depth == 0 {
        return dice.pick(&["p", "q", "true", "false"]).to_owned();
    }
    let kinds = [Type::Int, Type::Text, Type::Bool];
    match dice.roll(7) {
        0 => dice.pick(&["p", "q"]).to_owned(),
        1 => format!("!({})", shared_flag(dice, depth - 1)),
        2 => choice(dice, &Type::Bool, depth - 1),
        3 => {
            let sign = dice.pick(&["&&", "||"]);
            let parts: Vec<String> = (0..2 + dice.roll(2))
                .map(|_| format!("({})", shared_flag(dice, depth - 1)))
                .collect();
            parts.join(sign)
        }
        4 => {
            let ty = &kinds[dice.roll(2)];
            let member = shared(dice, ty, depth - 1);
            let list: Vec<String> =
                (0..1 + dice.roll(3)).map(|_| shared(dice, ty, depth - 1)).collect();
            format!("({member}) in [{}]", list.join(", "))
        }
        5 => {
            let ty = &kinds[dice.roll(3)];
            let sign = dice.pick(&["==", "!="]);
            let left = shared(dice, ty, depth - 1);
            format!("({left}) {sign} ({})", shared(dice, ty, depth - 1))
        }
        _ => {
            let sign = dice.pick(&["<", "<=", ">", ">="]);
            let left = shared(dice, &Type::Int, depth - 1);
            format!("({left}) {sign} ({})", shared(dice, &Type::Int, depth - 1))
        }
    }
}

/// The names of the shared part.
fn plain(p: bool, q: bool, n: i64, m: i64, s: &str, t: &str) -> Desk {
    let name =
        |name: &str, ty, value: Value| (name.to_owned(), (Known { ty, optional: false }, value));
    let names = [
        name("p", Type::Bool, p.into()),
        name("q", Type::Bool, q.into()),
        name("n", Type::Int, n.into()),
        name("m", Type::Int, m.into()),
        name("s", Type::Text, s.into()),
        name("t", Type::Text, t.into()),
    ];
    Desk { names: names.into(), facts: BTreeMap::new() }
}

/// What CEL makes of it.
fn cel_value(source: &str, desk: &Desk) -> Value {
    let mut context = cel::Context::default();
    for (name, (_, value)) in &desk.names {
        match value {
            Value::Bool(flag) => context.add_variable(name.as_str(), *flag).unwrap(),
            Value::Int(int) => context.add_variable(name.as_str(), *int).unwrap(),
            other => context.add_variable(name.as_str(), other.to_string()).unwrap(),
        }
    }
    let program = cel::Program::compile(source).unwrap_or_else(|error| panic!("{source}: {error}"));
    match program.execute(&context).unwrap_or_else(|error| panic!("{source}: {error}")) {
        cel::Value::Bool(flag) => flag.into(),
        cel::Value::Int(int) => int.into(),
        cel::Value::String(text) => text.as_str().into(),
        other => panic!("{source}: {other:?}"),
    }
}

/// An expression of any type and any part of the language; it may ask for optional names.
fn any_source(dice: &mut Dice, ty: &Type, depth: usize) -> String {
    let leaves: &[&str] = match ty {
        Type::Bool => &["ruled", "已裁定", "unit.active", "category.active", "has(note)", "true"],
        Type::Int => &[
            "returns",
            "0",
            "9223372036854775807",
            "category.legal_days",
            "open(co_task)",
            "or(guess, 3)",
        ],
        Type::Text => {
            &["place", "'民'", "unit.kind", "or(note, place)", "or(input.unit.parent, '')"]
        }
        Type::Tier => &["tier"],
        Type::Instant => &["at", "or(routed_at, at)", "close_of(day)", "close_of('2018-12-31')"],
        Type::Limit => &["limit", "workdays(5)", "real('30m')", "work('4h')", "days(3)"],
        Type::Unit => &["unit", "'gongan'", "or(lead, unit)", "actor.unit"],
        _ => &["co_units", "[]", "['b', unit, 'a']"],
    };
    if depth == 0 || dice.roll(4) == 0 {
        return dice.pick(leaves).to_owned();
    }
    let depth = depth - 1;
    if dice.roll(5) == 0 {
        let condition = any_source(dice, &Type::Bool, depth);
        let yes = any_source(dice, ty, depth);
        return format!("(({condition}) ? ({yes}) : ({}))", any_source(dice, ty, depth));
    }
    let mut of = |ty: &Type| any_source(dice, ty, depth);
    match ty {
        Type::Bool => {
            let (flag, int, tier) = (of(&Type::Bool), of(&Type::Int), of(&Type::Tier));
            let (unit, set, at) = (of(&Type::Unit), of(&Type::Set), of(&Type::Instant));
            match dice.roll(6) {
                0 => format!("!({flag}) || {int} > returns && {tier} >= 'larger'"),
                1 => format!("{unit} in {set} || within({unit}, {})", "'geshan'"),
                2 => format!("has(guess) && guess < ({int}) || ({flag})"),
                3 => format!("{at} < at == ({flag})"),
                4 => format!("({unit}) in [{unit}, 'a', unit] && {set} == co_units"),
                _ => format!("max({tier}, 'major') != {tier}"),
            }
        }
        Type::Int => {
            let (a, b) = (of(&Type::Int), of(&Type::Int));
            let (at, set, text) = (of(&Type::Instant), of(&Type::Set), of(&Type::Text));
            match dice.roll(6) {
                0 => format!("({a}) + ({b})"),
                1 => format!("({a}) * -({b})"),
                2 => format!("max({a}, {b})"),
                3 => format!("workdays_between({at}, at)"),
                4 => format!("size({set})"),
                _ => format!("size({text})"),
            }
        }
        Type::Text => format!("({} ? {} : place)", of(&Type::Bool), of(&Type::Text)),
        Type::Tier => format!("min({}, max('major', {}))", of(&Type::Tier), of(&Type::Tier)),
        Type::Instant => {
            let (at, limit) = (of(&Type::Instant), of(&Type::Limit));
            format!("{}({at}, {limit})", dice.pick(&["after", "before"]))
        }
        Type::Limit => {
            let count = of(&Type::Int);
            // Held small: counting centuries of days is sound but slow.
            format!("{}(min({count}, 60))", dice.pick(&["workdays", "days"]))
        }
        Type::Unit => format!("or(lead, {})", of(&Type::Unit)),
        _ => {
            let (set, unit) = (of(&Type::Set), of(&Type::Unit));
            format!("{}({set}, {unit})", dice.pick(&["with", "without"]))
        }
    }
}

/// Any tree that can be written, whether it has types or not.
fn trees() -> impl Strategy<Value = Node> {
    let node = |kind| Node { kind, span: 0..0 };
    let word = prop::sample::select(vec!["a", "退回", "input.unit", "in_time", "or", "_x"]);
    let leaf = prop_oneof![
        any::<bool>().prop_map(Kind::Bool),
        (0..=i64::MAX).prop_map(Kind::Int),
        "[a'\\\\好 ]{0,4}".prop_map(Kind::Text),
        Just(Kind::Unset),
        word.prop_map(|word| Kind::Name(word.to_owned())),
    ]
    .prop_map(node);
    leaf.prop_recursive(5, 40, 3, move |inner| {
        let pair = (inner.clone(), inner.clone());
        let tests =
            prop::sample::select(vec![Test::Equal, Test::Unequal, Test::Less, Test::AtLeast]);
        let signs =
            prop::sample::select(vec![Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply]);
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Kind::List),
            inner.clone().prop_map(|one| Kind::Not(Box::new(one))),
            inner.clone().prop_map(|one| Kind::Negate(Box::new(one))),
            vec(inner.clone(), 2..4).prop_map(Kind::All),
            vec(inner.clone(), 2..4).prop_map(Kind::Any),
            [inner.clone(), inner.clone(), inner.clone()]
                .prop_map(|parts| Kind::Choose(Box::new(parts))),
            (tests, pair.clone()).prop_map(|(test, (left, right))| {
                Kind::Compare(Box::new(Compare { test, left, right, codes: None }))
            }),
            pair.clone().prop_map(|(left, right)| Kind::In(Box::new([left, right]))),
            (signs, pair.clone())
                .prop_map(|(sign, (left, right))| Kind::Arithmetic(sign, Box::new([left, right]))),
            inner.prop_map(|one| Kind::Call(Function::Size, vec![one])),
            pair.prop_map(|(left, right)| Kind::Call(Function::Or, vec![left, right])),
        ]
        .prop_map(node)
    })
}

const TYPES: [Type; 8] = [
    Type::Bool,
    Type::Int,
    Type::Text,
    Type::Tier,
    Type::Instant,
    Type::Limit,
    Type::Unit,
    Type::Set,
];

proptest! {
    #[test]
    fn no_text_upsets_the_compiler(source in "\\PC{0,60}") {
        let desk = Desk::new();
        let outcome = desk.compile(&source, &Expected::Any);
        prop_assert!(outcome.err().is_none_or(|complaints| !complaints.is_empty()));
    }

    #[test]
    fn no_row_of_tokens_upsets_the_compiler(
        tokens in vec(prop::sample::select(vec![
            "(", ")", "[", "]", ",", "?", ":", "!", "-", "+", "*", "&&", "||", "==", "<", "in", ".",
            "has(", "or(", "size(", "real('1h')", "workdays(", "returns", "note", "unit", "tier",
            "'major'", "unset", "true", "3", "unit.active", "co_units", "at", "max(", "退",
        ]), 0..25),
    ) {
        let desk = Desk::new();
        let source = tokens.join(" ");
        match desk.compile(&source, &Expected::Any) {
            Ok(expression) => drop(expression.evaluate(&desk)),
            Err(complaints) => {
                prop_assert!(!complaints.is_empty());
                for complaint in complaints {
                    prop_assert!(source.get(complaint.span.clone()).is_some());
                }
            }
        }
    }

    #[test]
    fn the_canonical_text_parses_to_the_same_tree(tree in trees()) {
        let text = tree.to_string();
        prop_assert_eq!(parse(&text).unwrap(), tree, "{}", text);
    }

    #[test]
    fn every_well_typed_expression_has_a_value_of_its_type(
        bytes in vec(any::<u8>(), 0..120),
        ty in prop::sample::select(TYPES.to_vec()),
    ) {
        let desk = Desk::new();
        let source = any_source(&mut Dice(bytes.into_iter()), &ty, 3);
        prop_assume!(source.len() <= MAX_SOURCE);
        let expression = match desk.compile(&source, &Expected::Exactly(ty.clone())) {
            Ok(expression) => expression,
            Err(complaints) => panic!("{source}: {complaints:?}"),
        };
        let value = expression.evaluate(&desk);
        let fits = match ty {
            Type::Bool => value.as_bool().is_some_and(|flag| flag == expression.holds(&desk)),
            Type::Int | Type::Tier | Type::Instant => value.as_int().is_some(),
            Type::Limit => value.as_text().is_some_and(|text| text.parse::<crate::calendar::Limit>().is_ok()),
            Type::Set => value.as_list().is_some_and(|list| list.is_sorted()),
            _ => value.as_text().is_some(),
        };
        prop_assert!(fits, "{} is {:?}", source, value);
        let again = desk.compile(&expression.to_string(), &Expected::Exactly(ty)).unwrap();
        prop_assert_eq!(&again, &expression);
        prop_assert_eq!(again.evaluate(&desk), value);
    }

    #[test]
    fn a_guard_that_holds_is_never_said_to_be_impossible(bytes in vec(any::<u8>(), 0..80)) {
        let desk = Desk::new();
        let source = any_source(&mut Dice(bytes.into_iter()), &Type::Bool, 2);
        let guard = desk.compile(&source, &Expected::Exactly(Type::Bool)).unwrap();
        let now = guard.holds(&desk);
        prop_assert_ne!(satisfiable(&[(&guard, now)], &desk), Satisfiability::Never, "{}", source);
        prop_assert_eq!(
            satisfiable(&[(&guard, true), (&guard, false)], &desk), Satisfiability::Never, "{}", source
        );
    }

    #[test]
    fn cel_gives_the_same_answers(
        bytes in vec(any::<u8>(), 0..80),
        ty in prop::sample::select(vec![Type::Bool, Type::Int, Type::Text]),
        (p, q, n, m) in (any::<bool>(), any::<bool>(), -3_i64..5, 0_i64..9),
        (s, t) in (prop::sample::select(vec!["", "a", "民政局"]), prop::sample::select(vec!["a", "it's"])),
    ) {
        let desk = plain(p, q, n, m, s, t);
        let source = shared(&mut Dice(bytes.into_iter()), &ty, 3);
        let expression = desk.compile(&source, &Expected::Exactly(ty)).unwrap();
        let canonical = expression.to_string();
        prop_assert_eq!(expression.evaluate(&desk), cel_value(&canonical, &desk), "{}", canonical);
    }
}

#[test]
fn names_may_be_chinese() {
    assert!(is_word("退回次数") && is_word("_a1") && !is_word("1a") && !is_word("a b"));
}
