//! The world of one command inside a batch: what earlier commands of the batch left, else what the
//! transaction reads.

use std::sync::Arc;

use super::batch::Draft;
use super::committer::Setting;
use super::error::Error;
use super::ids::Stock;
use crate::calendar::Calendar;
use crate::chart::Chart;
use crate::domain::{
    Beside, DefinitionId, FactRecord, Facts, Instance, InstanceId, Instant, JurisdictionId, Refusal,
};
use crate::engine::family::World;
use crate::store::Transaction;

/// One command's world.
pub(super) struct Desk<'d, 't> {
    pub(super) setting: &'d Setting,
    pub(super) transaction: &'d mut Transaction<'t>,
    pub(super) draft: &'d mut Draft,
    pub(super) stock: &'d mut Stock,
    pub(super) now: Instant,
    /// What is known of matters outside the family that the command names.
    pub(super) matters: FactRecord,
    /// The family that new ids are for; none while a root is opened.
    pub(super) family: Option<InstanceId>,
}

impl World for Desk<'_, '_> {
    type Error = Error;

    fn refusal(error: Error) -> Result<Refusal, Error> {
        match error {
            Error::Refused(refusal) => Ok(refusal),
            other => Err(other),
        }
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn chart(&mut self, definition: DefinitionId) -> Result<Arc<Chart>, Error> {
        self.setting.registry.chart(definition)
    }

    fn current(
        &mut self,
        jurisdiction: JurisdictionId,
        workflow: &str,
    ) -> Result<DefinitionId, Error> {
        self.setting.registry.current(jurisdiction, workflow)
    }

    fn calendar(&mut self, jurisdiction: JurisdictionId) -> Result<Calendar, Error> {
        self.setting.registry.calendar(jurisdiction)
    }

    fn facts(&mut self, jurisdiction: JurisdictionId) -> Result<Arc<dyn Facts>, Error> {
        let facts = self.setting.registry.facts(jurisdiction, self.now)?;
        if self.matters.is_empty() {
            return Ok(facts);
        }
        Ok(Arc::new(Beside::new(facts, self.matters.clone())))
    }

    fn instance(&mut self, id: InstanceId) -> Result<Arc<Instance>, Error> {
        if !self.draft.knows(id) {
            let found = self.transaction.instances(&[id])?;
            self.draft.add(found);
        }
        self.draft.shared(id).ok_or(Error::NotFound)
    }

    fn open_children(&mut self, id: InstanceId) -> Result<Vec<(InstanceId, String)>, Error> {
        let stored = self.transaction.open_children(&[id])?;
        let mut children: Vec<(InstanceId, String)> =
            stored.into_iter().map(|(_, child, workflow)| (child, workflow)).collect();
        // Earlier commands of the same batch are not in the tables yet.
        for child in self.draft.children_of(id) {
            children.retain(|(known, _)| *known != child.id);
            if child.closed_at.is_none() {
                children.push((child.id, child.workflow.clone()));
            }
        }
        children.sort();
        Ok(children)
    }

    fn new_id(&mut self) -> Result<InstanceId, Error> {
        let id = self.stock.take(self.family);
        let id = id.ok_or_else(|| Error::Busy("the stock of ids is used up".to_owned()))?;
        // The first id of a new family is its root's; children follow it.
        self.family.get_or_insert(id);
        Ok(id)
    }
}
