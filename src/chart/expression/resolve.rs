//! Paths to names and attributes, texts to codes, and the words of complaints about types.

use super::function::{Function, Owner};
use super::near::did_you_mean;
use super::node::{Attribute, Kind, Node};
use super::{Complaint, Known, Names, Type};
use crate::domain::Tier;

/// What a path stands for.
pub(super) enum Resolved {
    Name(Known),
    /// The attribute, and whether what it is asked of may be unset.
    Attribute(Attribute, bool),
}

/// Finds what `path` stands for: the longest beginning that is a name, then an attribute of it.
pub(super) fn resolve(path: &str, names: &dyn Names) -> Result<Resolved, Complaint> {
    if let Some(known) = names.lookup(path) {
        return Ok(Resolved::Name(known));
    }
    let wrong = |code, message| Complaint::new(code, message, 0..0);
    let mut at = path;
    while let Some((base, _)) = at.rsplit_once('.') {
        at = base;
        let Some(known) = names.lookup(base) else { continue };
        let rest = path.get(base.len() + 1..).unwrap_or_default();
        let Some(owner) = Owner::of(&known.ty) else {
            let message = format!("`{base}` is {} and has no attributes", known.ty);
            let help = did_you_mean(path, names.candidates());
            return Err(wrong("unknown_attribute", message).helped(help));
        };
        let Some(ty) = owner.attribute(rest) else {
            let all: Vec<&str> = owner.attributes().iter().map(|(name, _)| *name).collect();
            let message = format!("{} has no attribute `{rest}`", known.ty);
            let help = did_you_mean(rest, &all)
                .unwrap_or_else(|| format!("its attributes are {}", all.join(", ")));
            return Err(wrong("unknown_attribute", message).helped(Some(help)));
        };
        let (base, name, ty) = (base.to_owned(), rest.to_owned(), ty.clone());
        return Ok(Resolved::Attribute(Attribute { base, owner, name, ty }, known.optional));
    }
    let help = if Function::of(path).is_some() {
        Some(format!("`{path}` is a function; call it with parentheses"))
    } else {
        did_you_mean(path, names.candidates())
    };
    Err(wrong("unknown_name", format!("there is no name `{path}`")).helped(help))
}

/// What a text literal means where `wanted` is wanted: a code, a tier, a date, or just a text.
pub(super) fn literal(text: &str, wanted: Option<&Type>) -> Result<(Kind, Type), Complaint> {
    let wrong = |code, message, help| Err(Complaint::new(code, message, 0..0).helped(help));
    let own = Kind::Text(text.to_owned());
    match wanted {
        Some(ty @ Type::Enum(codes)) => {
            if codes.iter().any(|code| code == text) {
                return Ok((own, ty.clone()));
            }
            let help = did_you_mean(text, codes.iter())
                .unwrap_or_else(|| format!("its codes are {}", codes.join(", ")));
            wrong("no_such_member", format!("`'{text}'` is none of its codes"), Some(help))
        }
        Some(Type::Tier) => {
            if let Some(tier) = Tier::from_code(text) {
                return Ok((Kind::Tier(tier), Type::Tier));
            }
            let codes = Tier::ALL.map(Tier::code);
            let help = did_you_mean(text, codes)
                .unwrap_or_else(|| format!("the tiers are {}", codes.join(", ")));
            wrong("no_such_member", format!("`'{text}'` is no tier"), Some(help))
        }
        Some(Type::Date) => {
            let date = text.parse::<jiff::civil::Date>().ok();
            if date.is_some_and(|date| date.to_string() == text) {
                return Ok((own, Type::Date));
            }
            let help = Some("write YYYY-MM-DD".to_owned());
            wrong("not_a_date", format!("`'{text}'` is no date"), help)
        }
        Some(ty @ (Type::Unit | Type::Category)) => Ok((own, ty.clone())),
        _ => Ok((own, Type::Text)),
    }
}

/// Whether a node takes its type from where it stands: text literals, `unset`, and what is made of
/// nothing else.
pub(super) fn is_loose(node: &Node) -> bool {
    match &node.kind {
        Kind::Text(_) | Kind::Unset | Kind::Broken => true,
        Kind::Choose(parts) => {
            let [_, yes, no] = &**parts;
            is_loose(yes) && is_loose(no)
        }
        Kind::Call(Function::Max | Function::Min, arguments) => arguments.iter().all(is_loose),
        _ => false,
    }
}

/// How to make what was found into what is wanted, where there is a way.
pub(super) fn mend(found: &Type, wanted: &Type) -> Option<String> {
    Some(match (found, wanted) {
        (Type::Instant, Type::Int) => {
            "instants are not counted with; use after(instant, limit), before(instant, limit) or \
             workdays_between(a, b)"
                .to_owned()
        }
        (Type::Limit, Type::Instant) => "count it from somewhere: after(at, limit)".to_owned(),
        (Type::Limit, Type::Int) => {
            "limits are not counted with; use after(instant, limit) or workdays(n)".to_owned()
        }
        (Type::Date, Type::Instant) => "write close_of(date)".to_owned(),
        (Type::Int, Type::Limit) => "write workdays(n) or days(n)".to_owned(),
        (Type::Text, Type::Limit) => "write real('30m') or work('4h')".to_owned(),
        (Type::Int | Type::Text, Type::Tier) => {
            format!("write a tier's code in quotes: {}", Tier::ALL.map(Tier::code).join(", "))
        }
        (_, Type::Enum(codes)) => format!("its codes are {}", codes.join(", ")),
        (Type::Int, Type::Bool) => "compare it with a number, such as `x > 0`".to_owned(),
        (Type::Text | Type::Enum(_) | Type::Tier, Type::Bool) => {
            "compare it with a text, such as `x == 'code'`".to_owned()
        }
        (Type::Int, Type::Text) => "texts stand in single quotes".to_owned(),
        _ => return None,
    })
}
