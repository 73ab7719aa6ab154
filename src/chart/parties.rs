//! Who has to do with an instance: by a field, by a post, or as who called.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::Type;
use super::{Chart, Field, Input, Party};
use crate::domain::{Facts, Grant, Instance, Value};

impl Chart {
    /// The units that see an instance now: its holder, and every unit field that gives sight.
    pub fn parties_of<'i>(&self, instance: &'i Instance) -> impl Iterator<Item = &'i str> {
        self.units_in(instance, |field| field.sees)
    }

    /// The units that an instance names now, whether they see it or not: its holder and every unit
    /// field. A former unit can still be asked for something.
    pub fn named_in<'i>(&self, instance: &'i Instance) -> impl Iterator<Item = &'i str> {
        self.units_in(instance, |_| true)
    }

    fn units_in<'i>(
        &self,
        instance: &'i Instance,
        wanted: impl Fn(&Field) -> bool,
    ) -> impl Iterator<Item = &'i str> {
        let units = |field: &Field| matches!(field.ty, Type::Unit | Type::Set);
        let of_fields = self.fields.iter().filter(move |(_, f)| units(f) && wanted(f));
        let values = of_fields.filter_map(|(name, _)| instance.fields.get(name));
        let codes = values.flat_map(|value| match value {
            Value::List(members) => members.iter().filter_map(Value::as_text).collect(),
            value => value.as_text().into_iter().collect::<Vec<_>>(),
        });
        instance.holder.as_deref().into_iter().chain(codes)
    }

    /// The personal inputs that say who called, not what the matter is, each with how it is asked first.
    #[must_use]
    pub fn identities(&self) -> BTreeMap<&str, &Input> {
        let specs = std::iter::once(&self.start).chain(self.commands.values());
        let inputs = specs.flat_map(|spec| &spec.input);
        let mut all = BTreeMap::new();
        for input in inputs.filter(|input| input.personal && !input.content) {
            all.entry(input.name.as_str()).or_insert(input);
        }
        all
    }

    /// Whether the state an instance stands in is held by a body of the jurisdiction, and not by a
    /// unit that a field names.
    #[must_use]
    pub fn is_held_by_body(&self, instance: &Instance) -> bool {
        let leaf = self.find(&instance.state).and_then(|leaf| self.node(leaf));
        leaf.is_some_and(|node| matches!(node.holder, Some(Party::Body(_))))
    }

    /// The roles in bodies of the jurisdiction that commands are for: whoever has one of them takes
    /// part in every instance, whether a field names its unit or not.
    #[must_use]
    pub fn posts(&self, facts: &dyn Facts) -> BTreeSet<Grant> {
        let selectors = self.commands.values().flat_map(|spec| &spec.by);
        let posts = selectors.filter_map(|selector| match &selector.party {
            Party::Body(body) => {
                let unit = facts.ask(&format!("body/{body}")).as_text()?.to_owned();
                Some(Grant { role: selector.role, unit })
            }
            Party::Field(_) | Party::Input(_) => None,
        });
        posts.collect()
    }
}
