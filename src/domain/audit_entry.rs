//! What was done outside matters: rights, workflows, calendars, tokens, rosters. Kept in one chain per
//! jurisdiction, as the events of a matter are.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::event::Hash;
use super::id::JurisdictionId;
use super::instant::Instant;

/// The number of the form in which entries are written and hashed.
pub const FORMAT: i64 = 1;

/// One entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The form of this text; see [`FORMAT`].
    pub format: i64,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// 1 for the first, then without gaps.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// Who: `person:7`, `system`.
    pub actor: String,
    /// By which token, if by one: an entry `token_issued` says who made that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<i64>,
    /// What, by a stable name: `person_put`, `token_issued`.
    pub kind: String,
    /// To what: `person:7`, `definition:referral`.
    pub subject: String,
    /// How it is now, or what was asked. Neither secrets nor callers' personal data.
    pub detail: Json,
}

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// Its number.
    pub seq: i64,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: String,
    /// Who.
    pub actor: String,
    /// The entry, as text that is hashed byte for byte.
    pub body: String,
    /// Its link of the chain.
    pub hash: Hash,
}
