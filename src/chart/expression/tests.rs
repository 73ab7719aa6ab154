//! What workflow authors get from the language.

mod random;
mod satisfying;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::*;
use crate::domain::Instant;

/// A calendar from the repository.
fn calendar() -> &'static Calendar {
    static CALENDAR: OnceLock<Calendar> = OnceLock::new();
    CALENDAR.get_or_init(|| {
        let yaml = include_str!("../../../config/calendars/chongqing.yaml");
        Calendar::from_yaml(yaml).unwrap()
    })
}

fn codes(codes: &[&str]) -> Type {
    Type::Enum(codes.iter().map(|code| (*code).to_owned()).collect::<Arc<[String]>>())
}

fn instant(text: &str) -> i64 {
    Instant::parse(text).unwrap().0
}

/// A small referral: names with their types and values, and facts about the world.
struct Desk {
    names: BTreeMap<String, (Known, Value)>,
    facts: BTreeMap<String, Value>,
}

impl Desk {
    fn new() -> Self {
        let at = instant("2018-07-02T09:10:00+08:00");
        let given = |ty: Type, value: Value| (Known { ty, optional: false }, value);
        let maybe = |ty: Type, value: Value| (Known { ty, optional: true }, value);
        let names = [
            ("returns", given(Type::Int, 1.into())),
            ("ruled", given(Type::Bool, false.into())),
            ("已裁定", given(Type::Bool, true.into())),
            ("place", given(Type::Text, "葛城街道".into())),
            ("note", maybe(Type::Text, Value::Unset)),
            ("tier", given(Type::Tier, 2.into())),
            ("matter_class", given(codes(&["general", "special"]), "special".into())),
            ("narrow_class", given(codes(&["special"]), "special".into())),
            ("other_class", given(codes(&["big", "small"]), "big".into())),
            ("unit", given(Type::Unit, "huanbao".into())),
            ("lead", maybe(Type::Unit, Value::Unset)),
            ("input.unit", maybe(Type::Unit, "gongan".into())),
            ("category", given(Type::Category, "noise".into())),
            ("co_units", given(Type::Set, Value::List(vec!["a".into(), "b".into()]))),
            ("at", given(Type::Instant, at.into())),
            ("routed_at", maybe(Type::Instant, Value::Unset)),
            ("clock.handle.due", maybe(Type::Instant, (at + 1).into())),
            ("day", given(Type::Date, "2018-07-07".into())),
            ("limit", given(Type::Limit, "work('4h')".into())),
            ("actor.unit", given(Type::Unit, "".into())),
            ("clerk", given(Type::Person, 7.into())),
            ("guess", maybe(Type::Int, Value::Unset)),
        ];
        let facts = [
            ("unit/huanbao/active", true.into()),
            ("unit/gongan/kind", "department".into()),
            ("unit/huanbao/within/geshan", true.into()),
            ("category/noise/police_kept", true.into()),
            ("category/noise/legal_days", 15.into()),
        ];
        Self {
            names: names.map(|(name, known)| (name.to_owned(), known)).into(),
            facts: facts
                .map(|(question, answer): (&str, Value)| (question.to_owned(), answer))
                .into(),
        }
    }

    fn compile(&self, source: &str, expected: &Expected) -> Result<Expression, Vec<Complaint>> {
        Expression::compile(source, self, expected)
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.names.get_mut(name).unwrap().1 = value.into();
    }
}

impl Names for Desk {
    fn lookup(&self, path: &str) -> Option<Known> {
        self.names.get(path).map(|(known, _)| known.clone())
    }

    fn candidates(&self) -> Vec<String> {
        self.names.keys().cloned().collect()
    }

    fn workflows(&self) -> Vec<String> {
        vec!["co_task".to_owned(), "incident".to_owned()]
    }
}

impl Env for Desk {
    fn name(&self, path: &str) -> Value {
        self.names.get(path).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    fn ask(&self, question: &str) -> Value {
        self.facts.get(question).cloned().unwrap_or_default()
    }

    fn calendar(&self) -> &Calendar {
        calendar()
    }

    fn children(&self, workflow: &str, open: bool) -> i64 {
        if workflow != "co_task" {
            return 0;
        }
        if open { 1 } else { 3 }
    }
}

/// The value of `source` at the desk.
#[track_caller]
fn value(source: &str) -> Value {
    let desk = Desk::new();
    match desk.compile(source, &Expected::Any) {
        Ok(expression) => expression.evaluate(&desk),
        Err(complaints) => panic!("{source}: {complaints:?}"),
    }
}

#[track_caller]
fn holds(source: &str) -> bool {
    let desk = Desk::new();
    match desk.compile(source, &Expected::Exactly(Type::Bool)) {
        Ok(expression) => expression.holds(&desk),
        Err(complaints) => panic!("{source}: {complaints:?}"),
    }
}

/// The complaints about `source` as `code@what it points to`.
fn complaints(source: &str, expected: &Expected) -> Vec<String> {
    let found = Desk::new().compile(source, expected).err().unwrap_or_default();
    found
        .iter()
        .map(|one| format!("{}@{}", one.code, source.get(one.span.clone()).unwrap()))
        .collect()
}

fn guard(source: &str) -> Vec<String> {
    complaints(source, &Expected::Exactly(Type::Bool))
}

/// The help of the only complaint.
#[track_caller]
fn help(source: &str) -> String {
    let mut found = Desk::new().compile(source, &Expected::Any).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0).help.unwrap_or_default()
}

const CLEAN: [String; 0] = [];

#[test]
fn operators_bind_as_in_cel() {
    assert_eq!(value("1 + 2 * 3 - 4"), 3.into());
    assert_eq!(value("10 - 3 - 2"), 5.into());
    assert_eq!(value("-(2 + 1) * 2"), (-6).into());
    assert!(holds("true || false && false"));
    assert!(holds("!ruled && returns + 1 == 2"));
    assert!(!holds("!(已裁定 || ruled)"));
    assert_eq!(value("ruled ? 1 : 已裁定 ? 2 : 3"), 2.into());
    assert!(holds("1 < 2 == true"));
    assert_eq!(value("9223372036854775807 + 1"), i64::MAX.into());
}

#[test]
fn codes_of_enums_and_tiers_are_compared_by_rank() {
    assert!(holds("tier >= 'larger' && tier < 'major' && 'ordinary' < tier"));
    assert!(holds("matter_class > 'general' && 'general' <= matter_class"));
    assert!(holds("matter_class in ['general', 'special'] && tier in ['larger']"));
    assert_eq!(value("max(tier, 'major')"), 3.into());
    assert!(holds("max(tier, 'extraordinary') == (ruled ? 'major' : 'extraordinary')"));
    assert_eq!(guard("tier >= 'large'"), ["no_such_member@'large'"]);
    assert_eq!(help("tier >= 'large'"), "did you mean `larger`?");
    assert_eq!(guard("matter_class == 'specail'"), ["no_such_member@'specail'"]);
    assert_eq!(guard("matter_class == other_class"), ["wrong_type@matter_class == other_class"]);
    assert_eq!(guard("tier == 2"), ["wrong_type@tier == 2"]);
    assert_eq!(guard("ruled < 已裁定"), ["wrong_type@ruled < 已裁定"]);
    assert_eq!(guard("place < 'b'"), ["wrong_type@place < 'b'"]);
}

#[test]
fn sets_hold_units() {
    assert!(holds("'a' in co_units && !(unit in co_units) && size(co_units) == 2"));
    let expected = Value::List(vec!["a".into(), "b".into(), "huanbao".into()]);
    assert_eq!(value("with(co_units, unit)"), expected);
    assert_eq!(value("with(with(co_units, 'a'), unit)"), expected);
    assert_eq!(value("union(co_units, with(co_units, unit))"), expected);
    assert!(holds("shares(co_units, with(co_units, unit))"));
    assert!(!holds("shares(co_units, without(co_units, unit)) && size(co_units) == 0"));
    assert_eq!(value("without(co_units, 'a')"), Value::List(vec!["b".into()]));
    assert_eq!(value("['b', 'a', 'b']"), Value::List(vec!["a".into(), "b".into()]));
    assert!(holds("without(co_units, 'a') == ['b']"));
    assert_eq!(guard("returns in co_units"), ["wrong_type@returns"]);
    assert_eq!(guard("returns in [1, 'a']"), ["wrong_type@'a'"]);
    assert!(holds("'huanbao' in [unit, actor.unit] && returns in [1, 2]"));
    assert_eq!(guard("'x' in [note]"), ["may_be_unset@note"]);
}

#[test]
fn texts_are_measured_in_characters_and_escaped_with_a_backslash() {
    assert_eq!(value("size(place)"), 4.into());
    assert_eq!(value(r"'it\'s \\ 好'"), r"it's \ 好".into());
    assert_eq!(guard("place == \"a\"").first().unwrap(), "syntax@\"");
    assert_eq!(guard(r"place == 'a\n'"), [r"syntax@\n"]);
    assert_eq!(guard("place == 'abc"), ["syntax@'abc"]);
}

#[test]
fn optional_names_must_be_asked_first() {
    assert_eq!(guard("routed_at < at"), ["may_be_unset@routed_at"]);
    assert_eq!(help("routed_at < at"), "ask `has(routed_at)` before, or give `or(routed_at, …)`");
    for fine in [
        "has(routed_at) && routed_at < at",
        "!has(routed_at) || routed_at < at",
        "has(routed_at) ? routed_at < at : ruled",
        "!has(routed_at) ? ruled : routed_at < at",
        "ruled && (has(routed_at) && has(guess)) && routed_at < at && guess > 1",
        "!(has(routed_at) && has(guess)) || routed_at < at && guess > 1",
        "!(!has(routed_at) || ruled) && routed_at < at",
        "(has(routed_at) ? guess_is : false) && routed_at < at",
        "(has(guess) && ruled || has(guess) && returns > 1) && guess > 0",
        "or(routed_at, at) == at",
        "or(or(routed_at, clock.handle.due), at) > at",
        "has(input.unit) && input.unit.active",
        "or(input.unit.kind, 'none') == 'department'",
    ] {
        assert_eq!(guard(&fine.replace("guess_is", "ruled")), CLEAN, "{fine}");
    }
    for (wrong, place) in [
        ("has(routed_at) || routed_at < at", "routed_at"),
        ("(has(routed_at) || ruled) && routed_at < at", "routed_at"),
        ("!has(routed_at) && routed_at < at", "routed_at"),
        ("routed_at < at && has(routed_at)", "routed_at"),
        ("has(guess) && routed_at < at", "routed_at"),
        ("note == 'x'", "note"),
        ("input.unit.active", "input.unit.active"),
        ("(has(routed_at) ? true : ruled) && routed_at < at", "routed_at"),
    ] {
        assert_eq!(guard(wrong), [format!("may_be_unset@{place}")], "{wrong}");
    }
    assert_eq!(guard("note == unset"), ["may_be_unset@note", "may_be_unset@unset"]);
    assert_eq!(guard("has(unit.active)"), ["wrong_arguments@unit.active"]);
    assert_eq!(guard("has(1)"), ["wrong_arguments@1"]);
}

#[test]
fn a_guard_tells_which_names_are_set_when_it_holds() {
    let desk = Desk::new();
    let expected = Expected::Exactly(Type::Bool);
    let guard = desk.compile("!ruled && has(input.unit) && !(!has(note))", &expected).unwrap();
    assert!(guard.proves().iter().eq(["input.unit", "note"]));
    assert!(guard.reads().iter().eq(["input.unit", "note", "ruled"]));
    assert!(desk.compile("ruled || has(note)", &expected).unwrap().proves().is_empty());
}

#[test]
fn attributes_of_units_and_categories_are_asked_of_the_world() {
    assert!(holds("unit.active && category.police_kept && category.legal_days == 15"));
    assert!(holds("has(input.unit) && input.unit.kind == 'department'"));
    assert!(holds("!category.police_first && category.matter_class == ''"));
    assert!(holds("!category.legal_calendar && unit.parent != unit"));
    assert!(holds("within(unit, 'geshan') && !within(unit, 'beiping')"));
    assert!(!holds("actor.unit.active"));
    assert_eq!(guard("unit.activ"), ["unknown_attribute@unit.activ"]);
    assert_eq!(help("unit.activ"), "did you mean `active`?");
    assert_eq!(guard("returns.size == 1"), ["unknown_attribute@returns.size"]);
    let desk = Desk::new();
    let expression = desk.compile("or(input.unit.kind, '')", &Expected::Any).unwrap();
    assert!(expression.reads().iter().eq(["input.unit"]));
}

#[test]
fn limits_and_instants_follow_the_calendar() {
    assert_eq!(value("workdays(5)"), "workdays(5)".into());
    assert_eq!(
        value("matter_class == 'special' ? workdays(returns + 4) : workdays(2)"),
        "workdays(5)".into()
    );
    assert_eq!(value("real('90m')"), "real('1h30m')".into());
    let due = |text: &str| Value::Int(instant(text));
    assert_eq!(value("after(at, workdays(2))"), due("2018-07-04T17:30:00+08:00"));
    assert_eq!(value("after(or(routed_at, at), limit)"), due("2018-07-02T14:40:00+08:00"));
    assert_eq!(value("before(at, real('10m'))"), due("2018-07-02T09:00:00+08:00"));
    assert_eq!(value("close_of(day)"), due("2018-07-09T17:30:00+08:00"));
    assert_eq!(value("close_of('2018-07-06')"), due("2018-07-06T17:30:00+08:00"));
    assert_eq!(value("workdays_between(at, close_of(day))"), 5.into());
    assert!(holds("max(at, close_of(day)) > at && min(at, close_of(day)) == at"));
    assert!(holds("day > '2018-07-01' && has(clock.handle.due) && clock.handle.due > at"));
    let expected = Expected::Exactly(Type::Limit);
    assert_eq!(complaints("real('30 minutes')", &expected), ["not_a_duration@'30 minutes'"]);
    assert_eq!(complaints("work('30s')", &expected), ["not_a_duration@'30s'"]);
    assert_eq!(complaints("work(30)", &expected), ["not_a_duration@30"]);
    assert_eq!(complaints("workdays('5')", &expected), ["wrong_type@'5'"]);
    assert_eq!(guard("day == '2018-02-30'"), ["not_a_date@'2018-02-30'"]);
    assert_eq!(complaints("at - day", &Expected::Any), ["wrong_type@at", "wrong_type@day"]);
    assert!(help("at - 1").contains("workdays_between(a, b)"));
}

#[test]
fn a_clock_is_due_by_a_limit_or_at_an_instant() {
    let both = &Expected::LimitOrInstant;
    assert_eq!(complaints("workdays(5)", both), CLEAN);
    assert_eq!(complaints("or(routed_at, at)", both), CLEAN);
    assert_eq!(complaints("returns", both), ["wrong_type@returns"]);
    assert_eq!(complaints("routed_at", both), ["may_be_unset@routed_at"]);
    assert_eq!(complaints("ruled ? at : workdays(2)", both), ["wrong_type@workdays(2)"]);
}

#[test]
fn children_are_counted_by_workflow() {
    assert!(holds("open(co_task) == 1 && total(co_task) == 3 && open(incident) == 0"));
    assert_eq!(guard("open(co_tasks) == 0"), ["unknown_workflow@co_tasks"]);
    assert_eq!(help("open(co_tasks)"), "did you mean `co_task`?");
    assert_eq!(guard("open('co_task') == 0"), ["wrong_arguments@'co_task'"]);
}

#[test]
fn a_field_takes_what_is_of_its_type() {
    let field = |ty: Type, optional: bool| Expected::Assignable { ty, optional };
    let class = codes(&["general", "special"]);
    assert_eq!(complaints("'general'", &field(class.clone(), false)), CLEAN);
    assert_eq!(complaints("narrow_class", &field(class.clone(), false)), CLEAN);
    assert_eq!(complaints("ruled ? 'general' : 'special'", &field(class.clone(), false)), CLEAN);
    assert_eq!(complaints("'x'", &field(class.clone(), false)), ["no_such_member@'x'"]);
    assert_eq!(
        complaints("ruled ? 'general' : 'x'", &field(class.clone(), false)),
        ["no_such_member@'x'"]
    );
    assert_eq!(
        complaints("matter_class", &field(codes(&["special"]), false)),
        ["wrong_type@matter_class"]
    );
    assert_eq!(complaints("unset", &field(class.clone(), true)), CLEAN);
    assert_eq!(complaints("unset", &field(class, false)), ["may_be_unset@unset"]);
    assert_eq!(complaints("note", &field(Type::Text, true)), CLEAN);
    assert_eq!(complaints("ruled ? note : unset", &field(Type::Text, true)), CLEAN);
    assert_eq!(complaints("note", &field(Type::Text, false)), ["may_be_unset@note"]);
    assert_eq!(complaints("'huanbao'", &field(Type::Unit, false)), CLEAN);
    assert_eq!(complaints("[]", &field(Type::Set, false)), CLEAN);
    assert_eq!(complaints("place", &field(Type::Unit, false)), ["wrong_type@place"]);
    assert_eq!(complaints("returns + 1", &field(Type::Text, false)), ["wrong_type@returns + 1"]);
    let desk = Desk::new();
    let tier = desk.compile("'major'", &field(Type::Tier, false)).unwrap();
    assert_eq!((tier.type_of(), tier.evaluate(&desk)), (&Type::Tier, 3.into()));
    let cleared = desk.compile("unset", &field(Type::Unit, true)).unwrap();
    assert_eq!((cleared.is_optional(), cleared.evaluate(&desk)), (true, Value::Unset));
}

#[test]
fn everything_wrong_is_said_at_once_and_only_once() {
    let source = "retruns > 2 && tier == 'x' && note == 'y' && sise(place) > 1 && place";
    assert_eq!(guard(source), ["unknown_function@sise"]);
    let source = "retruns > 2 && tier == 'x' && note == 'y' && place";
    let expected =
        ["unknown_name@retruns", "no_such_member@'x'", "may_be_unset@note", "wrong_type@place"];
    assert_eq!(guard(source), expected);
    assert_eq!(help("retruns > 2"), "did you mean `returns`?");
    assert_eq!(help("sise(place)"), "did you mean `size`?");
    assert_eq!(help("has"), "`has` is a function; call it with parentheses");
    assert_eq!(help("unit2 == 'a'"), "did you mean `unit`?");
    assert_eq!(guard("1 in [lost, 2]"), ["unknown_name@lost"]);
    assert_eq!(guard("'a' in [lost, 'b']"), ["unknown_name@lost"]);
}

#[test]
fn wrong_forms_are_explained() {
    for (source, complaint) in [
        ("", "syntax@"),
        ("returns = 2", "syntax@="),
        ("returns > 2 and ruled", "syntax@and"),
        ("(ruled", "syntax@"),
        ("ruled)", "syntax@)"),
        ("place.size() > 1", "syntax@("),
        ("size(place, 1) > 1", "wrong_arguments@size(place, 1)"),
        ("ruled & ruled", "syntax@&"),
        ("returns ＞ 2", "syntax@＞"),
        ("30m > 2", "syntax@30m"),
        ("99999999999999999999 > 2", "syntax@99999999999999999999"),
        ("in", "syntax@in"),
        ("ruled ? ruled ? true : false : true", "syntax@?"),
    ] {
        assert_eq!(guard(source), [complaint], "{source}");
    }
    assert_eq!(help("returns = 2"), "compare with `==`");
    assert_eq!(help("(ruled"), "`)` is missing");
}

// Check 26.
#[test]
fn length_and_depth_are_bounded() {
    let long = format!("place == '{}'", "好".repeat(2000));
    assert_eq!(Desk::new().compile(&long, &Expected::Any).unwrap_err()[0].code, "too_long");
    let deep = [
        format!("{}ruled{}", "(".repeat(1500), ")".repeat(1500)),
        "!".repeat(4000) + "ruled",
        "-".repeat(4000) + "1",
        "1".to_owned() + &"+1".repeat(2000),
        "ruled?ruled:".repeat(300) + "ruled",
        "[".repeat(4000),
        "or(".repeat(1300),
        "1".to_owned() + &"==1".repeat(1300),
    ];
    for source in deep {
        let found = Desk::new().compile(&source, &Expected::Any).unwrap_err();
        assert_eq!(found[0].code, "too_deep", "{}", source.get(..20).unwrap());
    }
    let wide = vec!["ruled"; 500].join("||");
    assert_eq!(guard(&wide), CLEAN);
    assert!(!holds(&wide));
}

#[test]
fn values_that_are_not_as_promised_do_no_harm() {
    let mut desk = Desk::new();
    let guard = "returns > 0 || tier >= 'major' || unit.active || size(co_units) > 2 || ruled";
    let guard = desk.compile(guard, &Expected::Exactly(Type::Bool)).unwrap();
    for name in ["returns", "tier", "unit", "co_units", "ruled"] {
        desk.set(name, Value::Unset);
    }
    assert_eq!(guard.evaluate(&desk), false.into());
}
