//! How urgent a matter is: by its tier, or because its workflow says so.

use super::Situation;
use super::run::Run;
use crate::domain::{Actor, Command, Instance, Tier};

/// Whether a matter is urgent as it stands: its tier is larger or above, or its workflow's `urgent`
/// holds. Then nothing about it waits for a summary or for the morning.
#[must_use]
pub fn is_urgent(situation: Situation<'_>, instance: &Instance) -> bool {
    if instance.tier >= Tier::Larger.rank() {
        return true;
    }
    let Some(urgent) = &situation.chart.urgent else { return false };
    let command = Command::new("");
    Run::new(situation, instance, &Actor::System, &command).is_ok_and(|run| run.judge(urgent))
}
