//! Guards as formulas over variables: names with a finite domain, terms, and free flags.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::Env;
use super::super::Type;
use super::super::evaluate::{Passing, Scope, truth};
use super::super::function::Function;
use super::super::node::{Compare, Kind, Node, Test};
use super::Domains;
use crate::domain::{Tier, Value};

/// The place of a variable among the variables.
type Index = usize;

/// What a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// A name with a finite domain.
    Name,
    /// A term of which only some values matter; `Unset` stands for all the others.
    Term,
    /// A question whose answer is not looked into.
    Flag,
}

struct Variable {
    /// Its canonical text.
    key: String,
    sort: Sort,
    choices: BTreeSet<Value>,
    /// Whether its numbers are ranks of tiers.
    tier: bool,
}

/// The variables of a conjunction.
pub(super) struct Variables<'d> {
    domains: &'d dyn Domains,
    all: Vec<Variable>,
    places: BTreeMap<String, Index>,
    /// Paths that are known to have no finite domain.
    endless: BTreeSet<String>,
}

/// The values chosen so far.
pub(super) struct Assignment(Vec<Option<Value>>);

impl Assignment {
    fn get(&self, index: Index) -> Option<&Value> {
        self.0.get(index).and_then(Option::as_ref)
    }

    /// Chooses a value, or none.
    pub(super) fn set(&mut self, index: Index, value: Option<Value>) {
        if let Some(slot) = self.0.get_mut(index) {
            *slot = value;
        }
    }
}

/// What is known of a flag under an incomplete assignment: its truth, or a variable to decide next.
pub(super) enum Standing {
    Is(bool),
    Open(Index),
}

/// A guard over variables.
pub(super) enum Formula<'g> {
    Is(bool),
    Not(Box<Formula<'g>>),
    All(Vec<Formula<'g>>),
    Any(Vec<Formula<'g>>),
    Choose(Box<[Formula<'g>; 3]>),
    /// Both are true or both are false.
    Same(Box<[Formula<'g>; 2]>),
    /// A free flag.
    Flag(Index),
    /// A part that depends on these names only: it is evaluated.
    Closed(&'g Node, Vec<Index>),
    /// A term compared with a literal.
    Test {
        term: Index,
        test: Test,
        literal: Value,
        codes: Option<Arc<[String]>>,
    },
}

impl<'g> Formula<'g> {
    /// The truth of the formula as far as `assignment` goes.
    pub(super) fn standing(&self, variables: &Variables<'_>, assignment: &Assignment) -> Standing {
        let of = |part: &Self| part.standing(variables, assignment);
        match self {
            Self::Is(flag) => Standing::Is(*flag),
            Self::Not(inner) => match of(inner) {
                Standing::Is(truth) => Standing::Is(!truth),
                open @ Standing::Open(_) => open,
            },
            Self::All(parts) => joined(parts.iter().map(of), true),
            Self::Any(parts) => joined(parts.iter().map(of), false),
            Self::Choose(parts) => {
                let [condition, yes, no] = &**parts;
                match of(condition) {
                    Standing::Is(true) => of(yes),
                    Standing::Is(false) => of(no),
                    open @ Standing::Open(_) => match (of(yes), of(no)) {
                        (Standing::Is(a), Standing::Is(b)) if a == b => Standing::Is(a),
                        _ => open,
                    },
                }
            }
            Self::Same(pair) => {
                let [left, right] = &**pair;
                match (of(left), of(right)) {
                    (Standing::Is(a), Standing::Is(b)) => Standing::Is(a == b),
                    (open @ Standing::Open(_), _) | (_, open) => open,
                }
            }
            Self::Flag(index) => match assignment.get(*index) {
                Some(value) => Standing::Is(*value == Value::Bool(true)),
                None => Standing::Open(*index),
            },
            Self::Closed(node, names) => {
                match names.iter().find(|index| assignment.get(**index).is_none()) {
                    Some(index) => Standing::Open(*index),
                    None => Standing::Is(truth(node, &Assigned { variables, assignment })),
                }
            }
            Self::Test { term, test, literal, codes } => match assignment.get(*term) {
                None => Standing::Open(*term),
                Some(value) => {
                    let (value, literal) = (Passing::from(value.clone()), literal.clone().into());
                    Standing::Is(test.holds(value.order(&literal, codes.as_deref())))
                }
            },
        }
    }
}

/// `&&` (`neutral` true) or `||` of parts that may be open.
fn joined(parts: impl Iterator<Item = Standing>, neutral: bool) -> Standing {
    let mut open = None;
    for part in parts {
        match part {
            Standing::Is(truth) if truth != neutral => return Standing::Is(truth),
            Standing::Is(_) => {}
            Standing::Open(index) => open = open.or(Some(index)),
        }
    }
    open.map_or(Standing::Is(neutral), Standing::Open)
}

/// The chosen values as a scope: a world of names only.
struct Assigned<'a> {
    variables: &'a Variables<'a>,
    assignment: &'a Assignment,
}

impl Scope for Assigned<'_> {
    fn name(&self, path: &str) -> Value {
        let index = self.variables.places.get(path);
        index.and_then(|index| self.assignment.get(*index)).cloned().unwrap_or_default()
    }

    fn world(&self) -> Option<&dyn Env> {
        None
    }
}

impl<'d> Variables<'d> {
    /// No variables yet.
    pub(super) fn new(domains: &'d dyn Domains) -> Self {
        let (places, endless) = (BTreeMap::new(), BTreeSet::new());
        Self { domains, all: Vec::new(), places, endless }
    }

    /// The values that a variable may take.
    pub(super) fn choices(&self, index: Index) -> impl Iterator<Item = &Value> {
        self.all.get(index).into_iter().flat_map(|variable| &variable.choices)
    }

    /// An assignment of nothing to all the variables there are.
    pub(super) fn nothing_assigned(&self) -> Assignment {
        Assignment(vec![None; self.all.len()])
    }

    /// The chosen values, as people read them.
    pub(super) fn describe(&self, assignment: &Assignment) -> BTreeMap<String, String> {
        let chosen = self.all.iter().zip(&assignment.0);
        chosen
            .filter_map(|(variable, value)| {
                let text = match value.as_ref()? {
                    Value::Int(rank) if variable.tier => Tier::from_rank(*rank)
                        .map_or_else(|| rank.to_string(), |tier| tier.code().to_owned()),
                    Value::Unset if variable.sort == Sort::Term => "anything else".to_owned(),
                    Value::Unset => "unset".to_owned(),
                    other => other.to_string(),
                };
                Some((variable.key.clone(), text))
            })
            .collect()
    }

    /// The formula of a flag.
    pub(super) fn formula<'g>(&mut self, node: &'g Node) -> Formula<'g> {
        match &node.kind {
            Kind::Bool(flag) => Formula::Is(*flag),
            Kind::Not(inner) => Formula::Not(Box::new(self.formula(inner))),
            Kind::All(parts) => Formula::All(parts.iter().map(|part| self.formula(part)).collect()),
            Kind::Any(parts) => Formula::Any(parts.iter().map(|part| self.formula(part)).collect()),
            Kind::Choose(parts) => {
                let [condition, yes, no] = &**parts;
                let parts = [self.formula(condition), self.formula(yes), self.formula(no)];
                Formula::Choose(Box::new(parts))
            }
            _ => match self.closed(node) {
                Some(names) => Formula::Closed(node, names),
                None => self.open(node),
            },
        }
    }

    /// The names on which a part depends, if it depends on nothing else and all are finite.
    fn closed(&mut self, node: &Node) -> Option<Vec<Index>> {
        let mut names = BTreeSet::new();
        self.gather(node, &mut names).then(|| names.into_iter().collect())
    }

    fn gather(&mut self, node: &Node, names: &mut BTreeSet<Index>) -> bool {
        match &node.kind {
            Kind::Bool(_) | Kind::Int(_) | Kind::Text(_) | Kind::Tier(_) | Kind::Unset => true,
            Kind::Limit(_) | Kind::Attribute(_) | Kind::Broken => false,
            Kind::Name(path) => match self.name(path) {
                Some(index) => {
                    names.insert(index);
                    true
                }
                None => false,
            },
            Kind::Not(inner) | Kind::Negate(inner) => self.gather(inner, names),
            Kind::List(parts) | Kind::All(parts) | Kind::Any(parts) => {
                parts.iter().all(|part| self.gather(part, names))
            }
            Kind::Choose(parts) => parts.iter().all(|part| self.gather(part, names)),
            Kind::In(pair) | Kind::Arithmetic(_, pair) => {
                let [left, right] = &**pair;
                self.mark_tiers(left, right);
                pair.iter().all(|part| self.gather(part, names))
            }
            Kind::Compare(compare) => {
                let closed =
                    self.gather(&compare.left, names) && self.gather(&compare.right, names);
                self.mark_tiers(&compare.left, &compare.right);
                closed
            }
            Kind::Call(function, arguments) => {
                let plain = matches!(
                    function,
                    Function::Has
                        | Function::Or
                        | Function::Size
                        | Function::Max
                        | Function::Min
                        | Function::With
                        | Function::Without
                );
                plain && arguments.iter().all(|argument| self.gather(argument, names))
            }
        }
    }

    /// A name beside a tier's code is a tier: its witness is shown as a code.
    fn mark_tiers(&mut self, left: &Node, right: &Node) {
        for (one, other) in [(left, right), (right, left)] {
            let Kind::Name(path) = &one.kind else { continue };
            let is_tier = match &other.kind {
                Kind::Tier(_) => true,
                Kind::List(members) => {
                    members.iter().any(|member| matches!(member.kind, Kind::Tier(_)))
                }
                _ => false,
            };
            let index = self.places.get(path).copied().filter(|_| is_tier);
            if let Some(variable) = index.and_then(|index| self.all.get_mut(index)) {
                variable.tier = true;
            }
        }
    }

    /// The variable of a name with a finite domain.
    fn name(&mut self, path: &str) -> Option<Index> {
        if let Some(index) = self.places.get(path) {
            return Some(*index).filter(|index| self.sort(*index) == Some(Sort::Name));
        }
        if self.endless.contains(path) {
            return None;
        }
        let Some(domain) = self.domains.domain(path) else {
            self.endless.insert(path.to_owned());
            return None;
        };
        let index = self.variable(path.to_owned(), Sort::Name);
        self.add(index, domain);
        Some(index)
    }

    fn sort(&self, index: Index) -> Option<Sort> {
        self.all.get(index).map(|variable| variable.sort)
    }

    /// The variable with this text, made if there is none.
    fn variable(&mut self, key: String, sort: Sort) -> Index {
        if let Some(index) = self.places.get(&key) {
            return *index;
        }
        let index = self.all.len();
        self.places.insert(key.clone(), index);
        self.all.push(Variable { key, sort, choices: BTreeSet::new(), tier: false });
        index
    }

    fn add(&mut self, index: Index, values: impl IntoIterator<Item = Value>) {
        if let Some(variable) = self.all.get_mut(index) {
            variable.choices.extend(values);
        }
    }

    /// A flag that cannot be evaluated from names alone.
    fn open<'g>(&mut self, node: &'g Node) -> Formula<'g> {
        match &node.kind {
            Kind::Compare(compare) => self.compare(compare),
            Kind::In(pair) => {
                let [member, list] = &**pair;
                let Kind::List(others) = &list.kind else { return self.flag(node.to_string()) };
                let equal = |other| self.test(Test::Equal, member, other, None);
                let any: Option<Vec<Formula<'g>>> = others.iter().map(equal).collect();
                any.map_or_else(|| self.flag(node.to_string()), Formula::Any)
            }
            _ => self.flag(node.to_string()),
        }
    }

    fn flag<'g>(&mut self, key: String) -> Formula<'g> {
        let index = self.variable(key, Sort::Flag);
        self.add(index, [Value::Bool(false), Value::Bool(true)]);
        Formula::Flag(index)
    }

    fn compare<'g>(&mut self, compare: &'g Compare) -> Formula<'g> {
        let Compare { test, left, right, codes } = compare;
        if !test.is_order() && (is_flag(left) || is_flag(right)) {
            let same = Formula::Same(Box::new([self.formula(left), self.formula(right)]));
            return if *test == Test::Equal { same } else { Formula::Not(Box::new(same)) };
        }
        let tested = self
            .test(*test, left, right, codes.as_ref())
            .or_else(|| self.test(mirrored(*test), right, left, codes.as_ref()));
        if let Some(tested) = tested {
            return tested;
        }
        // `==` and `<` are enough: the others are their mirrors and opposites.
        let (one, two) = (left.to_string(), right.to_string());
        let (key, opposite) = match test {
            Test::Equal | Test::Unequal => {
                let (one, two) = if one <= two { (one, two) } else { (two, one) };
                (format!("{one} == {two}"), *test == Test::Unequal)
            }
            Test::Less | Test::AtLeast => (format!("{one} < {two}"), *test == Test::AtLeast),
            Test::Greater | Test::AtMost => (format!("{two} < {one}"), *test == Test::AtMost),
        };
        let flag = self.flag(key);
        if opposite { Formula::Not(Box::new(flag)) } else { flag }
    }

    /// A comparison of a term with a literal, if it is one whose outcome a few values decide.
    fn test<'g>(
        &mut self,
        test: Test,
        term: &Node,
        literal: &Node,
        codes: Option<&Arc<[String]>>,
    ) -> Option<Formula<'g>> {
        let (value, choices): (Value, Vec<Value>) = match &literal.kind {
            Kind::Int(int) => {
                let around = [int.saturating_sub(1), *int, int.saturating_add(1)];
                ((*int).into(), around.map(Value::Int).into())
            }
            Kind::Tier(tier) => {
                let ranks = Tier::ALL.map(|tier| Value::Int(tier.rank()));
                (tier.rank().into(), ranks.into())
            }
            Kind::Text(text) => match codes {
                Some(codes) => {
                    (text.as_str().into(), codes.iter().map(|code| code.as_str().into()).collect())
                }
                // Dates have an order of their own, with days between any two.
                None if test.is_order() => return None,
                None => (text.as_str().into(), vec![text.as_str().into(), Value::Unset]),
            },
            _ => return None,
        };
        let index = self.variable(term.to_string(), Sort::Term);
        self.add(index, choices);
        if matches!(literal.kind, Kind::Tier(_))
            && let Some(variable) = self.all.get_mut(index)
        {
            variable.tier = true;
        }
        Some(Formula::Test { term: index, test, literal: value, codes: codes.cloned() })
    }
}

/// The comparison seen from the other side.
fn mirrored(test: Test) -> Test {
    match test {
        Test::Equal | Test::Unequal => test,
        Test::Less => Test::Greater,
        Test::AtMost => Test::AtLeast,
        Test::Greater => Test::Less,
        Test::AtLeast => Test::AtMost,
    }
}

/// Whether a part is seen to be a flag by its form.
fn is_flag(node: &Node) -> bool {
    match &node.kind {
        Kind::Bool(_)
        | Kind::Not(_)
        | Kind::All(_)
        | Kind::Any(_)
        | Kind::Compare(_)
        | Kind::In(_)
        | Kind::Call(Function::Has | Function::Within, _) => true,
        Kind::Attribute(attribute) => attribute.ty == Type::Bool,
        Kind::Choose(parts) => {
            let [_, yes, no] = &**parts;
            is_flag(yes) || is_flag(no)
        }
        _ => false,
    }
}
