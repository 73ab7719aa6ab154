//! One running state machine as it stands: what the store keeps in a row and replay must reproduce.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::id::{DefinitionId, InstanceId, JurisdictionId};
use super::instant::Instant;
use super::value::Fields;

/// An instance between two commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its id.
    pub id: InstanceId,
    /// The id of the family's root; the root's own id for a root.
    pub family: InstanceId,
    /// Who started it, if it is a child.
    pub parent: Option<InstanceId>,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// The workflow's name.
    pub workflow: String,
    /// The version of the workflow it runs on.
    pub definition: DefinitionId,
    /// Path of the active leaf, e.g. `open.with_unit.routed.on_time`.
    pub state: String,
    /// Commands accepted so far; the sequence number of its last event.
    pub version: i64,
    /// State entries so far, and stopped clocks that began again; each armed clock carries the
    /// number of what armed it.
    pub entries: i64,
    /// What it knows; a field without a value is not there.
    pub fields: Fields,
    /// Its clocks, by name.
    pub clocks: BTreeMap<String, ArmedClock>,
    /// Its children, by workflow.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub children: BTreeMap<String, Children>,
    /// The unit responsible now; none in final and rest states.
    pub holder: Option<String>,
    /// The flat status that clients see.
    pub status: String,
    /// The status of the nearest ancestor that names another one, or the status itself.
    pub stage: String,
    /// Its urgency: rank of the tier field, 1 where there is none.
    pub tier: i64,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// The number of the last event that was more than word of an alert (a receipt, an
    /// acknowledgement): whoever has seen this version has seen how the matter stands.
    pub touched: i64,
    /// When it was opened.
    pub opened_at: Instant,
    /// When its last event was recorded.
    pub updated_at: Instant,
    /// When the last thing that people reported happened; earlier than `updated_at` if it was recorded
    /// afterwards, or if clocks have fired since.
    pub last_at: Instant,
    /// When it reached the final or rest state it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Instant>,
}

/// How many children of one workflow an instance has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Children {
    /// Not yet in a final state.
    pub open: i64,
    /// Ever started.
    pub total: i64,
}

/// The number of a ladder's repetition among its steps: one more than a ladder may have.
pub const REPETITION: u8 = 60;

/// A clock in force (or frozen) for one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmedClock {
    /// The state entry that armed it: its fence.
    pub entry: i64,
    /// Path of the state that armed it; leaving that state ends the clock.
    pub scope: String,
    /// Where counting starts.
    pub base: Instant,
    /// When it runs out.
    pub due: Instant,
    /// The limit in words (`workdays(2)`), or `instant` where the definition gives an instant.
    pub limit: String,
    /// The version of the calendar that counted.
    pub calendar: String,
    /// When it next has something to do: a ladder step, running out, or a repetition. None while
    /// it is frozen.
    pub wake: Option<Instant>,
    /// How often it has fired: with `entry` the fence of a firing.
    pub step: i64,
    /// The ladder steps already done, one bit each.
    pub done: i64,
    /// The next ladder step comes no later than this: a step reached nobody, or was not
    /// acknowledged in its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hurry: Option<Instant>,
    /// The ladder steps that have told somebody, the repetition among them ([`REPETITION`]), and how
    /// long whoever acknowledged it is left in peace: a step gives one hold, which the first
    /// acknowledgement begins.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub told: BTreeMap<u8, Option<Instant>>,
    /// The step that told somebody last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u8>,
    /// Ladder steps that do not come before this: somebody whom they tell has acknowledged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub quiet: BTreeMap<u8, Instant>,
    /// Which of its ladder's repetitions for a case is in force; none: the one for every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u8>,
    /// When it ran out, as recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_out_at: Option<Instant>,
    /// When somebody last acknowledged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Instant>,
    /// What was left when it was frozen, as a limit in words; `replaced` while another clock runs
    /// in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<String>,
    /// What it was counted from when it was last resumed; none while it counts from its base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Rest>,
}

/// The rest of a clock that was suspended, and since when it is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// When it was resumed.
    pub since: Instant,
    /// What was left then, as a limit in words.
    pub limit: String,
}
