//! The audit log, and the signed checkpoints over all chains.

use actix_web::web;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Query;
use super::view::{Lens, Listed};
use crate::domain::event::hex;
use crate::domain::{AuditEntry, StoredEntry};
use crate::gate::Sealed;

/// Something that was done outside matters.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryView {
    /// Its number, without gaps.
    seq: i64,
    /// When.
    at: String,
    /// Who: `person:7`, `system`.
    actor: String,
    /// By which token, if by one: the entry `token_issued` of that number says who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<i64>,
    /// What: `person_put`, `token_issued`, `definition_published` and the like.
    kind: String,
    /// To what: `person:7`, `definition:referral`.
    subject: String,
    /// How it is now, or what was asked; null where there is nothing to say.
    #[schema(value_type = Option<Object>)]
    detail: Json,
    /// The link of the chain, in hexadecimal.
    hash: String,
}

impl EntryView {
    fn of(lens: &Lens, stored: StoredEntry) -> Self {
        let read = serde_json::from_str::<AuditEntry>(&stored.body).ok();
        let (subject, token, detail) =
            read.map(|entry| (entry.subject, entry.token, entry.detail)).unwrap_or_default();
        Self {
            seq: stored.seq,
            at: lens.time(stored.at),
            actor: stored.actor,
            token,
            kind: stored.kind,
            subject,
            detail,
            hash: hex(&stored.hash),
        }
    }
}

/// A signed statement of where all chains stood.
#[derive(Serialize, ToSchema)]
pub(super) struct CheckpointView {
    /// Its number, without gaps.
    number: i64,
    /// When it was made.
    at: String,
    /// How many matters had changed since the one before.
    matters: i64,
    /// Its text, byte for byte as it was signed.
    body: String,
    /// The hash of its text, in hexadecimal; the next one names it.
    hash: String,
    /// The Ed25519 signature over its text, in hexadecimal.
    signature: String,
    /// The public key, in hexadecimal: to be compared with what was noted elsewhere.
    key: String,
}

impl CheckpointView {
    fn of(lens: &Lens, sealed: Sealed) -> Self {
        let Sealed { number, at, matters, hash, body, signature, key } = sealed;
        Self { number, at: lens.time(at), matters, body, hash, signature, key }
    }
}

/// What was done outside matters, newest first: rights, workflows, calendars, tokens, rosters.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "service",
    responses((status = 200, body = Listed<EntryView>, description = "A page.")),
    params(("cursor" = Option<String>, Query, description = "`next` of the page before."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn log(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<EntryView>>, Problem> {
    let (before, limit) = (query.number("cursor", 0..=i64::MAX)?, query.limit()?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let entries = blocking(move || gate.audit_log(&caller, before, limit)).await?;
    let more = i64::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|last| more && last.seq > 1).map(|last| last.seq.to_string());
    let items = entries.into_iter().map(|entry| EntryView::of(&lens, entry)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// Checkpoints, in order.
#[utoipa::path(
    get, path = "/api/v1/checkpoints", tag = "service",
    responses((status = 200, body = Listed<CheckpointView>, description = "A page.")),
    params(("cursor" = Option<String>, Query, description = "`next` of the page before."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn checkpoints(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<CheckpointView>>, Problem> {
    let (after, limit) = (query.number("cursor", 0..=i64::MAX)?, query.limit()?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let rows = blocking(move || gate.checkpoints(&caller, after.unwrap_or(0), limit)).await?;
    let more = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
    let next = rows.last().filter(|_| more).map(|last| last.number.to_string());
    let items = rows.into_iter().map(|row| CheckpointView::of(&lens, row)).collect();
    Ok(web::Json(Listed { items, next }))
}
