//! Names, types and optional values. The tree is completed on the way: texts become codes, paths
//! become attributes, limits are read.

mod call;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::narrow::{Narrow, with};
use super::node::{Compare, Kind, Node};
use super::resolve::{self, Resolved, is_loose};
use super::{Complaint, Expected, Names, Type};

/// What is known of an expression once it is checked.
pub(super) struct Checked {
    pub(super) ty: Type,
    pub(super) optional: bool,
    pub(super) reads: BTreeSet<String>,
    pub(super) proves: BTreeSet<String>,
}

/// Checks and completes the tree at `root`, or says everything that is wrong with it.
pub(super) fn check(
    root: &mut Node,
    names: &dyn Names,
    expected: &Expected,
) -> Result<Checked, Vec<Complaint>> {
    let mut checker = Checker { names, reads: BTreeSet::new(), complaints: Vec::new() };
    let set = &BTreeSet::new();
    let found = match expected {
        Expected::Exactly(ty) => checker.expect(root, ty, false, set),
        Expected::Assignable { ty, optional } => checker.expect(root, ty, *optional, set),
        Expected::Any => checker.infer(root, Wish { ty: None, optional: true }, set),
        Expected::LimitOrInstant => {
            let found = checker.infer(root, Wish::default(), set);
            if let Some(ty) = &found.ty
                && !matches!(ty, Type::Limit | Type::Instant)
            {
                let help =
                    resolve::mend(ty, &Type::Limit).or_else(|| resolve::mend(ty, &Type::Instant));
                checker.mismatch(root.span.clone(), ty, "a limit or an instant", help);
            }
            found
        }
    };
    let mut complaints = checker.complaints;
    match found.ty {
        Some(ty) if complaints.is_empty() => Ok(Checked {
            ty,
            optional: found.optional,
            reads: checker.reads,
            proves: found.narrow.yes.unwrap_or_default(),
        }),
        _ => {
            // The leader of a list is looked at twice: each complaint is given once.
            complaints.sort_by_key(|complaint| (complaint.span.start, complaint.span.end));
            complaints.dedup();
            Err(complaints)
        }
    }
}

/// What the surroundings would like a part to be.
#[derive(Clone, Copy, Default)]
struct Wish<'t> {
    /// The type that loose literals take.
    ty: Option<&'t Type>,
    /// Whether the part may be unset.
    optional: bool,
}

impl<'t> Wish<'t> {
    fn of(ty: &'t Type) -> Self {
        Self { ty: Some(ty), optional: false }
    }
}

/// What a part turned out to be. No type: it has been complained about, and what follows from it
/// is not.
#[derive(Default)]
struct Found {
    ty: Option<Type>,
    optional: bool,
    narrow: Narrow,
}

impl From<Type> for Found {
    fn from(ty: Type) -> Self {
        Self { ty: Some(ty), ..Self::default() }
    }
}

/// The paths known to be set where a part stands.
type Set = BTreeSet<String>;

struct Checker<'n> {
    names: &'n dyn Names,
    reads: BTreeSet<String>,
    complaints: Vec<Complaint>,
}

impl Checker<'_> {
    fn complain(&mut self, code: &'static str, message: String, span: Range<usize>) {
        self.complaints.push(Complaint::new(code, message, span));
    }

    fn mismatch(&mut self, span: Range<usize>, found: &Type, wanted: &str, help: Option<String>) {
        let message = format!("this is {found}, but {wanted} is needed here");
        self.complaints.push(Complaint::new("wrong_type", message, span).helped(help));
    }

    /// Checks a part that must have the type `wanted`.
    fn expect(&mut self, node: &mut Node, wanted: &Type, optional: bool, set: &Set) -> Found {
        let found = self.infer(node, Wish { ty: Some(wanted), optional }, set);
        let Some(ty) = &found.ty else { return found };
        if wanted.takes(ty) || (*ty == Type::Unset && optional) {
            return Found { ty: Some(wanted.clone()), ..found };
        }
        let help = resolve::mend(ty, wanted);
        self.mismatch(node.span.clone(), ty, &wanted.to_string(), help);
        Found::default()
    }

    /// Checks a part and finds its type; only loose literals take the type wished for.
    fn infer(&mut self, node: &mut Node, wish: Wish<'_>, set: &Set) -> Found {
        let span = node.span.clone();
        match &mut node.kind {
            Kind::Broken => Found::default(),
            Kind::Bool(flag) => Found { narrow: Narrow::literal(*flag), ..Found::from(Type::Bool) },
            Kind::Int(_) => Type::Int.into(),
            Kind::Tier(_) => Type::Tier.into(),
            Kind::Limit(_) => Type::Limit.into(),
            Kind::Text(text) => match resolve::literal(text, wish.ty) {
                Ok((kind, ty)) => {
                    node.kind = kind;
                    ty.into()
                }
                Err(complaint) => self.refuse(complaint, span),
            },
            Kind::Unset => self.unset(span, wish),
            Kind::Name(_) | Kind::Attribute(_) => self.path(node, wish, set),
            Kind::List(members) => {
                for member in members {
                    self.expect(member, &Type::Unit, false, set);
                }
                Type::Set.into()
            }
            Kind::Not(inner) => {
                let found = self.expect(inner, &Type::Bool, false, set);
                Found { narrow: found.narrow.not(), ..Found::from(Type::Bool) }
            }
            Kind::Negate(inner) => {
                self.expect(inner, &Type::Int, false, set);
                Type::Int.into()
            }
            Kind::All(parts) => self.joined(parts, Narrow::literal(true), Narrow::and, set),
            Kind::Any(parts) => self.joined(parts, Narrow::literal(false), Narrow::or, set),
            Kind::Choose(parts) => self.choose(parts, wish, set),
            Kind::Compare(compare) => self.compare(compare, span, set),
            Kind::In(pair) => {
                let [member, list] = &mut **pair;
                self.within(member, list, set);
                Type::Bool.into()
            }
            Kind::Arithmetic(_, pair) => {
                for part in &mut **pair {
                    self.expect(part, &Type::Int, false, set);
                }
                Type::Int.into()
            }
            Kind::Call(..) => self.call(node, wish, set),
        }
    }

    /// Passes on a complaint that did not know its place.
    fn refuse(&mut self, complaint: Complaint, span: Range<usize>) -> Found {
        self.complaints.push(Complaint { span, ..complaint });
        Found::default()
    }

    fn unset(&mut self, span: Range<usize>, wish: Wish<'_>) -> Found {
        if wish.optional {
            let ty = wish.ty.cloned().unwrap_or(Type::Unset);
            return Found { optional: true, ..Found::from(ty) };
        }
        let message = "`unset` cannot be used here".to_owned();
        let help = "it only clears an optional field; to ask, write `!has(x)`".to_owned();
        self.refuse(Complaint::new("may_be_unset", message, 0..0).helped(Some(help)), span)
    }

    fn path(&mut self, node: &mut Node, wish: Wish<'_>, set: &Set) -> Found {
        let Kind::Name(path) = &node.kind else { return Found::default() };
        let (base, ty, optional, attribute) = match resolve::resolve(path, self.names) {
            Err(complaint) => return self.refuse(complaint, node.span.clone()),
            Ok(Resolved::Name(known)) => (path.clone(), known.ty, known.optional, None),
            Ok(Resolved::Attribute(attribute, optional)) => {
                (attribute.base.clone(), attribute.ty.clone(), optional, Some(attribute))
            }
        };
        if let Some(attribute) = attribute {
            node.kind = Kind::Attribute(attribute);
        }
        let optional = optional && !set.contains(&base);
        if optional && !wish.optional {
            let message = format!("`{base}` may be unset here");
            let help = format!("ask `has({base})` before, or give `or({node}, …)`");
            let complaint = Complaint::new("may_be_unset", message, node.span.clone());
            self.complaints.push(complaint.helped(Some(help)));
        }
        self.reads.insert(base);
        Found { optional: optional && wish.optional, ..Found::from(ty) }
    }

    /// Parts joined by `&&` or `||`: each may rely on what the ones before have let through.
    fn joined(
        &mut self,
        parts: &mut [Node],
        start: Narrow,
        join: fn(Narrow, Narrow) -> Narrow,
        set: &Set,
    ) -> Found {
        let conjunction = start.no.is_none();
        let mut narrow = start;
        let mut set = set.clone();
        for part in parts {
            let found = self.expect(part, &Type::Bool, false, &set);
            narrow = join(narrow, found.narrow);
            set = with(&set, if conjunction { &narrow.yes } else { &narrow.no });
        }
        Found { narrow, ..Found::from(Type::Bool) }
    }

    fn choose(&mut self, parts: &mut [Node; 3], wish: Wish<'_>, set: &Set) -> Found {
        let [condition, yes, no] = parts;
        let narrow = self.expect(condition, &Type::Bool, false, set).narrow;
        let (set_yes, set_no) = (with(set, &narrow.yes), with(set, &narrow.no));
        let (found_yes, found_no) = match wish.ty {
            Some(ty) => (
                self.expect(yes, ty, wish.optional, &set_yes),
                self.expect(no, ty, wish.optional, &set_no),
            ),
            None if is_loose(yes) => {
                let found = self.infer(no, wish, &set_no);
                (self.follow(yes, &found, wish.optional, &set_yes), found)
            }
            None => {
                let found = self.infer(yes, wish, &set_yes);
                let other = self.follow(no, &found, wish.optional, &set_no);
                (found, other)
            }
        };
        // `unset` alone has no type of its own: the other branch knows more.
        let ty = match (found_yes.ty, found_no.ty) {
            (Some(Type::Unset), other) => other,
            (own, Some(_)) => own,
            (_, None) => None,
        };
        Found {
            ty,
            optional: found_yes.optional || found_no.optional,
            narrow: narrow.choose(found_yes.narrow, found_no.narrow),
        }
    }

    /// Checks a part that must have the type of another one already found.
    fn follow(&mut self, node: &mut Node, other: &Found, optional: bool, set: &Set) -> Found {
        match &other.ty {
            Some(Type::Unset) | None => self.infer(node, Wish { ty: None, optional }, set),
            Some(ty) => self.expect(node, ty, optional, set),
        }
    }

    /// The types of two parts of which a loose one follows the other.
    fn pair(
        &mut self,
        left: &mut Node,
        right: &mut Node,
        wish: Wish<'_>,
        set: &Set,
    ) -> Option<(Type, Type)> {
        let swap = is_loose(left) && !is_loose(right);
        let (first, second) = if swap { (right, left) } else { (left, right) };
        let one = self.infer(first, wish, set).ty;
        let follow = Wish { ty: one.as_ref().or(wish.ty), optional: false };
        let two = self.infer(second, follow, set).ty;
        let (one, two) = (one?, two?);
        Some(if swap { (two, one) } else { (one, two) })
    }

    fn compare(&mut self, compare: &mut Compare, span: Range<usize>, set: &Set) -> Found {
        let Compare { test, left, right, codes } = compare;
        let found = Found::from(Type::Bool);
        let Some((one, two)) = self.pair(left, right, Wish::default(), set) else { return found };
        if !one.meets(&two) {
            let message = if one == two {
                format!("{one} cannot be compared")
            } else {
                format!("{one} cannot be compared with {two}")
            };
            let help = resolve::mend(&two, &one).or_else(|| resolve::mend(&one, &two));
            self.refuse(Complaint::new("wrong_type", message, 0..0).helped(help), span);
            return found;
        }
        if test.is_order() && !(one.is_ordered() && one == two) {
            let message = format!("{one} has no order: `{}` cannot be asked", test.sign());
            self.complain("wrong_type", message, span);
        } else if test.is_order()
            && let Type::Enum(order) = one
        {
            *codes = Some(Arc::clone(&order));
        }
        found
    }

    /// `member in list`, where the list is written out or a set.
    fn within(&mut self, member: &mut Node, list: &mut Node, set: &Set) {
        let Kind::List(members) = &mut list.kind else {
            self.expect(list, &Type::Set, false, set);
            let found = self.infer(member, Wish::of(&Type::Unit), set);
            if let Some(ty) = found.ty
                && !ty.meets(&Type::Unit)
            {
                self.mismatch(member.span.clone(), &ty, "a unit", None);
            }
            return;
        };
        let mut leader = None;
        if is_loose(member)
            && let Some(other) = members.iter_mut().find(|other| !is_loose(other))
        {
            leader = self.infer(other, Wish::default(), set).ty;
        }
        let wish = Wish { ty: leader.as_ref(), optional: false };
        let Some(ty) = self.infer(member, wish, set).ty else { return };
        for other in members {
            let Some(found) = self.infer(other, Wish::of(&ty), set).ty else { continue };
            if !ty.meets(&found) {
                let help = resolve::mend(&found, &ty);
                self.mismatch(other.span.clone(), &found, &ty.to_string(), help);
            }
        }
    }
}
