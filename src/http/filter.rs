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
        let wanted = "one of ordinary, larger, major, extraordinary";
        let tier = Tier::from_code(&code).map(Tier::rank);
        tier.ok_or_else(|| receive::wrong("tier_at_least", wanted))
    });
    let overdue = query.flag("overdue")?;
    Ok(Filter {
        jurisdiction: None,
        workflow: query.text("workflow")?,
        statuses: query.all("status"),
        holder: query.text("holder")?,
        parties: query.all("unit"),
        or_workflows: Vec::new(),
        family: number(query.text("number")?)?,
        open_only: query.flag("open")? || overdue,
        tier_at_least: tier_at_least.transpose()?,
        opened_from: query.instant("opened_from")?,
        opened_to: query.instant("opened_to")?,
        parent: query.instance("parent", &house.ids)?,
        due_before: overdue.then(|| house.gate.now()),
        before: query.instance("cursor", &house.ids)?,
    })
}

/// A status that no workflow has is a slip: an empty list would hide it.
pub(super) fn known_statuses(
    house: &House,
    caller: &Caller,
    filter: &Filter,
) -> Result<(), Problem> {
    if filter.statuses.is_empty() {
        return Ok(());
    }
    let versions = house.gate.registry().versions(caller.jurisdiction);
    let of_one = filter.workflow.as_ref();
    let charts = versions.iter().map(|version| &version.chart);
    let charts = charts.filter(|chart| of_one.is_none_or(|name| *name == chart.workflow));
    let known: BTreeSet<&str> = charts.flat_map(|chart| chart.flat_statuses()).collect();
    if filter.statuses.iter().all(|status| known.contains(status.as_str())) {
        return Ok(());
    }
    let known: Vec<&str> = known.into_iter().collect();
    Err(receive::wrong("status", &format!("one of {}", known.join(", "))))
}

/// The family of a matter's number.
fn number(text: Option<String>) -> Result<Option<InstanceId>, Problem> {
    let read = |text: String| {
        gate::family_of(&text)
            .ok_or_else(|| receive::wrong("number", "the number of a matter, such as 00000017"))
    };
    text.map(read).transpose()
}
