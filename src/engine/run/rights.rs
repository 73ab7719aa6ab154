//! Whether the workflow lets this actor give this command now.

use super::Run;
use crate::chart::{CommandSpec, Selector};
use crate::domain::{Actor, Grant, Refusal, Text};

impl Run<'_> {
    /// The workflow's own `by`; it narrows what the policy table allows, never widens it.
    ///
    /// # Errors
    /// `not_yours`, when none of the actor's roles may give the command.
    pub fn permit(&mut self, spec: &CommandSpec) -> Result<(), Refusal> {
        if matches!(self.actor, Actor::Relative { .. }) && spec.by_parent {
            return Ok(());
        }
        match self.grant_for(&spec.by) {
            Some(grant) => {
                self.grant = Some(grant);
                Ok(())
            }
            None => Err(Refusal::new(
                "not_yours",
                Text::new(
                    format!("您的岗位无权“{}”", spec.title.zh),
                    format!("None of your roles may give `{}`", spec.title.en),
                ),
            )),
        }
    }

    /// The grant of the actor that fits the first fitting selector.
    pub(super) fn grant_for(&self, selectors: &[Selector]) -> Option<Grant> {
        selectors.iter().find_map(|selector| {
            let units = self.units_of(&selector.party);
            let unit = units.into_iter().find(|unit| self.actor.is(selector.role, unit))?;
            Some(Grant { role: selector.role, unit })
        })
    }
}
