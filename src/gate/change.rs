//! What those who follow are told of each commit.

use serde::Serialize;

use crate::domain::{InstanceId, Instant, JurisdictionId};

/// A change that was committed, for those who follow.
#[derive(Debug, Clone, Serialize)]
pub struct Change {
    /// Whose.
    #[serde(skip)]
    pub jurisdiction: JurisdictionId,
    /// The family.
    #[serde(skip)]
    pub family: InstanceId,
    /// The instance.
    #[serde(skip)]
    pub instance: InstanceId,
    /// Units that take part in it.
    #[serde(skip)]
    pub parties: Vec<String>,
    /// Its workflow.
    pub workflow: String,
    /// The event's number.
    pub seq: i64,
    /// What happened.
    pub kind: String,
    /// The flat status after it.
    pub status: String,
    /// The stage after it.
    pub stage: String,
    /// The holder after it.
    pub holder: Option<String>,
    /// The tier's rank.
    pub tier: i64,
    /// When it was recorded.
    pub at: Instant,
}
