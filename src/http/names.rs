//! What people call codes: statuses, units, categories, members of enums, tiers.

use std::collections::BTreeMap;

use super::view::Lens;
use crate::chart::expression::Type;
use crate::chart::{Chart, Field};
use crate::domain::{Text, Tier, Value};
use crate::gate::Seen;

/// What people call a flat status; its code where the file does not say.
pub(super) fn status_title(chart: &Chart, status: &str) -> Text {
    chart.statuses.get(status).cloned().unwrap_or_else(|| Text::new(status, status))
}

/// What people call the codes that fields hold; fields without a code are left out.
pub(super) fn names(lens: &Lens, seen: &Seen, all: bool) -> BTreeMap<String, Text> {
    let specs = seen.chart.fields.iter().filter(|(_, spec)| all || spec.shown);
    let names = specs.filter_map(|(name, spec)| {
        let value = seen.instance.fields.get(name)?;
        Some((name.clone(), code_name(lens, spec, value)?))
    });
    names.collect()
}

fn code_name(lens: &Lens, spec: &Field, value: &Value) -> Option<Text> {
    let directory = &lens.directory;
    match (&spec.ty, value) {
        (Type::Enum(_), Value::Text(code)) => {
            spec.of.iter().find(|(known, _)| known == code).map(|(_, title)| title.clone())
        }
        (Type::Tier, Value::Int(rank)) => Tier::from_rank(*rank).map(Tier::title),
        (Type::Unit, Value::Text(code)) => directory.units.get(code).map(|u| u.name.clone()),
        (Type::Category, Value::Text(code)) => {
            directory.categories.get(code).map(|category| category.name.clone())
        }
        (Type::Set, Value::List(members)) if !members.is_empty() => {
            let codes = members.iter().filter_map(Value::as_text);
            let units: Vec<&Text> =
                codes.filter_map(|code| Some(&directory.units.get(code)?.name)).collect();
            let join = |part: fn(&Text) -> &str, by: &str| {
                units.iter().map(|name| part(name)).collect::<Vec<_>>().join(by)
            };
            Some(Text::new(join(|name| &name.zh, "、"), join(|name| &name.en, ", ")))
        }
        _ => None,
    }
}
