//! What is asked of the door, and what was done.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::number_of;
use crate::domain::{Actor, Instance, InstanceId, Instant, JurisdictionId, MessageId};

/// Who asks, and in which jurisdiction.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Where.
    pub jurisdiction: JurisdictionId,
}

impl Caller {
    /// The service itself in the same place: to show somebody what he has just done, by a token that
    /// need not be one for reading.
    #[must_use]
    pub fn house(&self) -> Self {
        Self { actor: Actor::System, jurisdiction: self.jurisdiction }
    }
}

/// Something to be done.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// Of what.
    pub target: Target,
    /// The command's name.
    pub command: String,
    /// Its input, as it came.
    pub input: Map<String, Json>,
    /// When it happened, if earlier.
    pub occurred_at: Option<Instant>,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The version that the caller has seen.
    pub if_version: Option<i64>,
    /// The message that is answered with it: it is acknowledged by that.
    pub about: Option<MessageId>,
}

/// Of what something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A new instance of a workflow.
    New(String),
    /// An instance.
    Instance(InstanceId),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The instance that was asked.
    pub instance: InstanceId,
    /// Its family.
    pub family: InstanceId,
    /// The number of the event, and with it the instance's version.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The path of the state.
    pub state: String,
    /// The flat status.
    pub status: String,
    /// The stage.
    pub stage: String,
    /// The unit responsible.
    pub holder: Option<String>,
    /// Whether this is the answer to an earlier request with the same key.
    #[serde(skip)]
    pub replayed: bool,
}

impl Receipt {
    /// What people call the matter.
    #[must_use]
    pub fn number(&self) -> String {
        number_of(self.family)
    }

    pub(super) fn of(instance: &Instance) -> Self {
        Self {
            instance: instance.id,
            family: instance.family,
            seq: instance.version,
            recorded_at: instance.updated_at,
            state: instance.state.clone(),
            status: instance.status.clone(),
            stage: instance.stage.clone(),
            holder: instance.holder.clone(),
            replayed: false,
        }
    }
}

/// What was done, and the instance as it stands after it.
#[derive(Debug, Clone)]
pub struct Done {
    /// The receipt.
    pub receipt: Receipt,
    /// The instance; none when an earlier answer was given again.
    pub instance: Option<Arc<Instance>>,
}

/// A clock of an instance that has something to do, with its fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The instance.
    pub instance: InstanceId,
    /// The clock.
    pub clock: String,
    /// The state entry that armed it.
    pub entry: i64,
    /// How often it had fired.
    pub step: i64,
}
