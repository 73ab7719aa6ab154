//! Matters outside its family that a command names by their numbers.

use serde_json::Value as Json;

use super::batch::Draft;
use super::error::Error;
use super::registry::Registry;
use super::{Caller, Request, wording};
use crate::chart::{Chart, CommandSpec, Kind};
use crate::domain::{Command, FactRecord, Instance, InstanceId, Value, of_matter};
use crate::policy::{self, Act, Relation};
use crate::store::Transaction;

/// So many digits has a matter's number, until there are a hundred million of them.
const NUMBER: usize = 8;

/// Matters that a request may name: every input of a command that looks like a matter's number.
/// They are locked with the instances of the batch, in order of id.
pub(super) fn named(request: &Request) -> impl Iterator<Item = InstanceId> + '_ {
    let texts = request.input.values().filter_map(Json::as_str);
    texts.filter(|text| text.len() == NUMBER).filter_map(wording::family_of)
}

/// What is known of the matters that a command names by number: those of the jurisdiction, read in
/// the transaction and held until its end, so that none closes meanwhile.
pub(super) fn known(
    transaction: &mut Transaction<'_>,
    draft: &mut Draft,
    chart: &Chart,
    (request, command): (&Request, &Command),
    registry: &Registry,
) -> Result<FactRecord, Error> {
    let mut known = FactRecord::new();
    let inputs = chart.command(&command.name).map(|spec| spec.input.as_slice());
    for input in inputs.unwrap_or_default().iter().filter(|input| input.kind == Kind::Matter) {
        let number = command.input.get(&input.name).and_then(Value::as_text);
        let Some((number, id)) = number.and_then(|text| Some((text, wording::family_of(text)?)))
        else {
            continue;
        };
        if !draft.knows(id) {
            let found = transaction.instances(&[id])?;
            draft.add(found);
        }
        let here = request.caller.jurisdiction;
        let root = |matter: &&Instance| matter.jurisdiction == here && matter.parent.is_none();
        if let Some(matter) = draft.instance(id).filter(root)
            && sees(registry, &request.caller, matter)?
        {
            known.extend(of_matter(number, matter));
        }
    }
    Ok(known)
}

/// The matter that a command names as what its own one is about: linked to, merged into.
pub(super) fn about(spec: &CommandSpec, command: &Command) -> Option<InstanceId> {
    let named = spec.input.iter().filter(|input| input.kind == Kind::Matter);
    let mut numbers = named.filter_map(|input| command.input.get(&input.name)?.as_text());
    numbers.next().and_then(wording::family_of)
}

/// Whether the caller may know of a matter that it names: a foreign one is as if it were not there,
/// here as everywhere.
fn sees(registry: &Registry, caller: &Caller, matter: &Instance) -> Result<bool, Error> {
    let directory = registry.directory(caller.jurisdiction)?;
    if policy::sees_all(&caller.actor, directory.county()) {
        return Ok(true);
    }
    let chart = registry.chart(matter.definition)?;
    let own = policy::units(&caller.actor, Act::SeeMatter, Relation::Party);
    let posts = chart.posts(&*directory);
    Ok(chart.parties_of(matter).any(|unit| own.contains(unit))
        || policy::holds_post(&caller.actor, Act::SeeMatter, &posts))
}
