//! Which instances a query asks for.

use std::collections::BTreeSet;

use super::House;
use super::problem::Problem;
use super::receive::{self, Query};
use crate::domain::{InstanceId, Tier};
use crate::gate::{self, Caller, Filter};

/// The filter of a query.
pub(super) fn read(house: &House, query: &mut Query) -> Result<Filter, Problem> {
    let tier = query.text("tier_at_least")?;
    let tier_at_least = tier.map(|code| {
        let zh = "ordinary、larger、major、extraordinary之一";
        let en = "one of ordinary, larger, major, extraordinary";
        let tier = Tier::from_code(&code).map(Tier::rank);
        tier.ok_or_else(|| receive::wrong("tier_at_least", zh, en))
    });
    let overdue = query.flag("overdue")?;
    Ok(Filter {
        jurisdiction: None,
        workflow: query.text("workflow")?,
        statuses: query.all("status"),
        holder: query.text("holder")?,
        parties: query.all("unit"),
        present: Vec::new(),
        or_workflows: Vec::new(),
        family: number(query.text("number")?)?,
        open_only: query.flag("open")? || overdue,
        tier_at_least: tier_at_least.transpose()?,
        opened_from: query.instant("opened_from")?,
        opened_to: query.instant("opened_to")?,
        parent: query.instance("parent", &house.ids)?,
        due_before: overdue.then(|| house.gate.now()),
        field: None,
        before: query.instance("cursor", &house.ids)?,
    })
}

/// A status or a workflow that there is not, or a unit that nobody knows, is a slip: an empty list
/// would hide it.
pub(super) fn known_names(house: &House, caller: &Caller, filter: &Filter) -> Result<(), Problem> {
    let registry = house.gate.registry();
    let versions = registry.versions(caller.jurisdiction);
    if let Some(name) = &filter.workflow {
        let known = versions.iter().map(|version| version.chart.workflow.as_str());
        one_of("workflow", &[name], known.collect())?;
    }
    if !filter.statuses.is_empty() {
        let of_one = filter.workflow.as_ref();
        let charts = versions.iter().map(|version| &version.chart);
        let charts = charts.filter(|chart| of_one.is_none_or(|name| *name == chart.workflow));
        let known = charts.flat_map(|chart| chart.flat_statuses()).collect();
        one_of("status", &filter.statuses.iter().collect::<Vec<_>>(), known)?;
    }
    let directory = registry.directory(caller.jurisdiction)?;
    match filter.parties.iter().find(|unit| !directory.units.contains_key(*unit)) {
        Some(_) => Err(receive::wrong("unit", "部门代码", "the code of a unit")),
        None => Ok(()),
    }
}

fn one_of(what: &str, said: &[&String], known: BTreeSet<&str>) -> Result<(), Problem> {
    if said.iter().all(|name| known.contains(name.as_str())) {
        return Ok(());
    }
    let known: Vec<&str> = known.into_iter().collect();
    let zh = format!("{}之一", known.join("、"));
    Err(receive::wrong(what, &zh, &format!("one of {}", known.join(", "))))
}

/// The family of a matter's number.
fn number(text: Option<String>) -> Result<Option<InstanceId>, Problem> {
    let read = |text: String| {
        let (zh, en) = ("事项编号，例如00000017", "the number of a matter, such as 00000017");
        // People leave the zeros out.
        let text = if text.is_empty() { text } else { format!("{text:0>8}") };
        gate::family_of(&text).ok_or_else(|| receive::wrong("number", zh, en))
    };
    text.map(read).transpose()
}
