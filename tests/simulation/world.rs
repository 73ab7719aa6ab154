//! The world of one decision: the tables as they stand, and the time that the node believes.

use std::sync::Arc;

use fenliu::calendar::Calendar;
use fenliu::chart::Chart;
use fenliu::domain::{
    Actor, DefinitionId, Directory, Facts, Instance, InstanceId, Instant, JurisdictionId, Refusal,
    Text,
};
use fenliu::engine::family::World;
use fenliu::policy;

use super::stage::{NEXT_VERSION, Stage};
use super::store::Store;

/// One decision's world.
pub(super) struct Desk<'d> {
    pub(super) stage: &'d Stage,
    pub(super) store: &'d mut Store,
    pub(super) directory: &'d Arc<Directory>,
    pub(super) now: Instant,
    /// Whether the second version of every workflow is the current one.
    pub(super) upgraded: bool,
}

/// What can go wrong.
#[derive(Debug)]
pub(super) enum Fault {
    /// A refusal.
    Refused(Refusal),
    /// Something that should be there is not.
    Missing(String),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Desk<'_> {
    /// The door: what a person takes no part in is not there for him.
    pub(super) fn admit(&self, id: InstanceId, actor: &Actor) -> Result<(), Fault> {
        let Some(instance) = self.store.instance(id) else { return Ok(()) };
        let chart = self.stage.charts.get(&instance.definition);
        let Some(chart) = chart.filter(|_| matches!(actor, Actor::Person { .. })) else {
            return Ok(());
        };
        let county = self.directory.bodies.get("county").map(String::as_str);
        let posts = || chart.posts(&**self.directory);
        if policy::takes_part(actor, chart.named_in(instance), posts, county) {
            return Ok(());
        }
        let text = Text::new("没有这一事项", "there is no such matter");
        Err(Fault::Refused(Refusal::new("not_found", text)))
    }
}

impl World for Desk<'_> {
    type Error = Fault;

    fn refusal(error: Fault) -> Result<Refusal, Fault> {
        match error {
            Fault::Refused(refusal) => Ok(refusal),
            other @ Fault::Missing(_) => Err(other),
        }
    }

    fn now(&self) -> Instant {
        self.now
    }

    fn chart(&mut self, definition: DefinitionId) -> Result<Arc<Chart>, Fault> {
        let chart = self.stage.charts.get(&definition).cloned();
        chart.ok_or_else(|| Fault::Missing(format!("definition {definition}")))
    }

    fn current(&mut self, _: JurisdictionId, workflow: &str) -> Result<DefinitionId, Fault> {
        let versions = self.stage.charts.iter().filter(|(_, chart)| chart.workflow == workflow);
        let mut versions = versions.map(|(id, _)| *id);
        let wanted = versions.find(|id| (id.0 >= NEXT_VERSION) == self.upgraded);
        wanted.ok_or_else(|| Fault::Missing(format!("workflow {workflow}")))
    }

    fn calendar(&mut self, _: JurisdictionId) -> Result<Calendar, Fault> {
        Ok(self.stage.calendar.clone())
    }

    fn facts(&mut self, _: JurisdictionId) -> Result<Arc<dyn Facts>, Fault> {
        let facts: Arc<dyn Facts> = Arc::<Directory>::clone(self.directory);
        Ok(facts)
    }

    fn instance(&mut self, id: InstanceId) -> Result<Arc<Instance>, Fault> {
        let found = self.store.instance(id).cloned().map(Arc::new);
        found.ok_or_else(|| Fault::Missing(format!("instance {id}")))
    }

    fn open_children(&mut self, id: InstanceId) -> Result<Vec<(InstanceId, String)>, Fault> {
        let all = self.store.instances.values().map(|(instance, _)| instance);
        let children = all.filter(|child| child.parent == Some(id) && child.closed_at.is_none());
        Ok(children.map(|child| (child.id, child.workflow.clone())).collect())
    }

    fn new_id(&mut self) -> Result<InstanceId, Fault> {
        self.store.last_id += 1;
        Ok(InstanceId(self.store.last_id))
    }
}
