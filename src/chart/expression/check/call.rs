//! The functions: what each takes and gives.

use super::super::function::Function;
use super::super::near::did_you_mean;
use super::super::node::{Kind, Node};
use super::super::resolve::{Resolved, mend, resolve};
use super::{Checker, Complaint, Found, Narrow, Set, Type, Wish};
use crate::calendar::{Limit, parse_duration};

/// Milliseconds of a minute.
const MINUTE: i64 = 60_000;

impl Checker<'_> {
    /// Checks a call; calls that are constant limits become limits.
    pub(super) fn call(&mut self, node: &mut Node, wish: Wish<'_>, set: &Set) -> Found {
        let Kind::Call(function, arguments) = &mut node.kind else { return Found::default() };
        let function = *function;
        match (function, arguments.as_mut_slice()) {
            (Function::Has, [name]) => self.has(name),
            (Function::Or, [name, default]) => self.or(name, default, wish, set),
            (Function::Size, [of]) => self.size(of, set),
            (Function::Real | Function::Work, [duration]) => {
                let limit = self.duration(function, duration);
                self.limit(node, limit)
            }
            (Function::Workdays | Function::Days, [count]) => {
                self.expect(count, &Type::Int, false, set);
                let limit = match (function, &count.kind) {
                    (Function::Workdays, Kind::Int(count)) => Some(Limit::Workdays(*count)),
                    (_, Kind::Int(count)) => Some(Limit::Days(*count)),
                    _ => None,
                };
                self.limit(node, limit)
            }
            (Function::Max | Function::Min, [one, two]) => self.extreme(one, two, wish, set),
            (Function::Open | Function::Total, [workflow]) => self.children(workflow),
            (_, arguments) => {
                let (wanted, gives) = signature(function);
                for (argument, wanted) in arguments.iter_mut().zip(wanted) {
                    self.expect(argument, wanted, false, set);
                }
                gives.into()
            }
        }
    }

    fn limit(&mut self, node: &mut Node, limit: Option<Limit>) -> Found {
        if let Some(limit) = limit {
            node.kind = Kind::Limit(limit);
        }
        Type::Limit.into()
    }

    fn has(&mut self, node: &mut Node) -> Found {
        let found = Found::from(Type::Bool);
        let wrong = |help| {
            let message = "`has` asks whether a name is set".to_owned();
            Complaint::new("wrong_arguments", message, node.span.clone()).helped(Some(help))
        };
        let complaint = match &node.kind {
            Kind::Broken => return found,
            Kind::Name(path) => match resolve(path, self.names) {
                Ok(Resolved::Name(_)) => {
                    self.reads.insert(path.clone());
                    return Found { narrow: Narrow::has(path), ..found };
                }
                Ok(Resolved::Attribute(attribute, _)) => {
                    wrong(format!("an attribute has always a value; ask `has({})`", attribute.base))
                }
                Err(complaint) => complaint,
            },
            _ => wrong("write has(name)".to_owned()),
        };
        self.refuse(complaint, node.span.clone());
        found
    }

    fn or(&mut self, name: &mut Node, default: &mut Node, wish: Wish<'_>, set: &Set) -> Found {
        let first = self.infer(name, Wish { ty: wish.ty, optional: true }, set);
        let second = self.follow(default, &first, wish.optional, set);
        let ty = if first.ty == Some(Type::Unset) { second.ty } else { first.ty };
        Found { ty, optional: second.optional, narrow: Narrow::default() }
    }

    fn size(&mut self, of: &mut Node, set: &Set) -> Found {
        if let Some(ty) = self.infer(of, Wish::default(), set).ty
            && !matches!(ty, Type::Text | Type::Set)
        {
            self.mismatch(of.span.clone(), &ty, "a text or a set", None);
        }
        Type::Int.into()
    }

    /// The limit of `real('…')` and `work('…')`.
    fn duration(&mut self, function: Function, node: &Node) -> Option<Limit> {
        let complaint = |message: String| Complaint::new("not_a_duration", message, 0..0);
        let usage = Some(format!("write {}", function.usage()));
        let wrong = match &node.kind {
            Kind::Broken => return None,
            Kind::Text(text) => match parse_duration(text) {
                Ok(millis) if function == Function::Real => return Some(Limit::Real(millis)),
                Ok(millis) if millis % MINUTE == 0 => return Some(Limit::Work(millis / MINUTE)),
                Ok(_) => complaint("working time is counted in whole minutes".to_owned()),
                Err(error) => complaint(error.to_string()),
            },
            _ => complaint(format!("`{}` takes a duration in quotes", function.name())),
        };
        self.refuse(wrong.helped(usage), node.span.clone());
        None
    }

    fn extreme(&mut self, one: &mut Node, two: &mut Node, wish: Wish<'_>, set: &Set) -> Found {
        let span = one.span.start..two.span.end;
        let wish = Wish { optional: false, ..wish };
        let Some((first, second)) = self.pair(one, two, wish, set) else { return Found::default() };
        if first != second {
            let help = mend(&second, &first);
            self.mismatch(two.span.clone(), &second, &first.to_string(), help);
            return Found::default();
        }
        if !matches!(first, Type::Int | Type::Instant | Type::Tier) {
            self.mismatch(span, &first, "a number, an instant or a tier", None);
            return Found::default();
        }
        first.into()
    }

    fn children(&mut self, node: &Node) -> Found {
        let workflows = self.names.workflows();
        let complaint = match &node.kind {
            Kind::Name(name) if workflows.contains(name) => return Type::Int.into(),
            Kind::Name(name) => {
                let help = did_you_mean(name, &workflows)
                    .unwrap_or_else(|| format!("its children are {}", workflows.join(", ")));
                let message = format!("there are no children of a workflow `{name}`");
                Complaint::new("unknown_workflow", message, 0..0).helped(Some(help))
            }
            _ => Complaint::new("wrong_arguments", "a workflow is named here".to_owned(), 0..0)
                .helped(Some("write its name without quotes: open(co_task)".to_owned())),
        };
        self.refuse(complaint, node.span.clone());
        Type::Int.into()
    }
}

/// What the plain functions take and give.
fn signature(function: Function) -> (&'static [Type], Type) {
    match function {
        Function::After | Function::Before => (&[Type::Instant, Type::Limit], Type::Instant),
        Function::CloseOf => (&[Type::Date], Type::Instant),
        Function::WorkdaysBetween => (&[Type::Instant, Type::Instant], Type::Int),
        Function::With | Function::Without => (&[Type::Set, Type::Unit], Type::Set),
        Function::Union => (&[Type::Set, Type::Set], Type::Set),
        Function::Shares => (&[Type::Set, Type::Set], Type::Bool),
        Function::Within => (&[Type::Unit, Type::Text], Type::Bool),
        // The others are not plain: `call` treats each of them itself.
        _ => (&[], Type::Unset),
    }
}
