//! What a message offers to whoever holds it. A link or a telephone shows no second factor: what needs one
//! is done signed in, and the message says so.

use super::error::Error;
use super::{Caller, Gate};
use crate::chart::Chart;
use crate::domain::{Actor, Directory, Instance, JurisdictionId, Message, Person, Text};
use crate::engine::{Situation, possible};
use crate::policy;

/// The command that a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) command: String,
    /// What its button says.
    pub(super) title: Text,
    /// Whether the person may give it only after a second factor.
    pub(super) needs_sign_in: bool,
}

/// The person as whoever holds a message, with the rights that need no second factor.
pub(super) fn by_message(directory: &Directory, person: &Person, whose: JurisdictionId) -> Caller {
    let grants = policy::without_second_factor(&person.grants, directory.county());
    Caller { actor: Actor::person(person.id, grants), jurisdiction: whose }
}

impl Gate {
    /// The command of a message about an instance, if it is still for the person.
    ///
    /// # Errors
    /// When the jurisdiction or its calendar is not there.
    pub(super) fn offered(
        &self,
        message: &Message,
        person: &Person,
        (chart, instance): (&Chart, &Instance),
    ) -> Result<Option<Offered>, Error> {
        let spec = message.offer.as_ref().and_then(|name| chart.command(name));
        let Some(spec) = spec else { return Ok(None) };
        let (registry, whose) = (&self.inner.registry, message.jurisdiction);
        let now = self.now().max(instance.updated_at);
        let (calendar, facts) = (registry.calendar(whose)?, registry.facts(whose, now)?);
        let situation = Situation { chart, calendar: &calendar, facts: &*facts, now };
        let is_for = |actor: &Actor| possible::is_for(situation, instance, actor, &spec.name);
        let directory = registry.directory(whose)?;
        let needs_sign_in = !is_for(&by_message(&directory, person, whose).actor);
        if needs_sign_in && !is_for(&Actor::person(person.id, person.grants.clone())) {
            return Ok(None);
        }
        let (command, title) = (spec.name.clone(), spec.title.clone());
        Ok(Some(Offered { command, title, needs_sign_in }))
    }
}
