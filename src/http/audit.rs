//! The audit log, and the signed checkpoints over all chains.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Query;
use super::view::{Lens, Listed};
use crate::domain::event::hex;
use crate::domain::sheet::{MARK, harmless};
use crate::domain::{Actor, AuditEntry, PersonId, StoredEntry};
use crate::gate::{AuditFilter, Sealed};

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

/// So many entries at most are a table.
const TABLE_MAX: i64 = 10_000;

/// What was done outside matters, newest first: rights, workflows, calendars, tokens, rosters. With
/// `Accept: text/csv` as a table, up to 10000 lines at once; the header `Link` leads to the rest.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "service",
    responses((status = 200, description = "A page, or a table.", headers(("Link" = String)),
        content((Listed<EntryView> = "application/json"), (String = "text/csv")))),
    params(("cursor" = Option<String>, Query, description = "`next` of the page before."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50; of a table 1 to 10000, else all."),
        ("person" = Option<i64>, Query, description = "Only what this person did, by id."),
        ("kind" = Option<String>, Query, description = "Only of this kind: `person_put`."),
        ("subject" = Option<String>, Query, description = "Only about this: `person:7`."),
        ("from" = Option<String>, Query, description = "At this time or later: RFC 3339."),
        ("to" = Option<String>, Query, description = "Before this time: RFC 3339.")),
)]
pub(super) async fn log(
    house: web::Data<House>,
    Who(caller): Who,
    request: HttpRequest,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let table = wants_table(&request);
    let limit = match table {
        true => query.number("limit", 1..=TABLE_MAX)?.unwrap_or(TABLE_MAX),
        false => query.limit()?,
    };
    let person = query.number("person", 1..=i64::MAX)?;
    let filter = AuditFilter {
        actor: person.map(|id| Actor::person(PersonId(id), Vec::new()).name()),
        kind: query.text("kind")?,
        subject: query.text("subject")?,
        from: query.instant("from")?,
        to: query.instant("to")?,
        before: query.number("cursor", 0..=i64::MAX)?,
    };
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let entries = blocking(move || gate.audit_log(&caller, &filter, limit)).await?;
    let more = i64::try_from(entries.len()).is_ok_and(|count| count == limit);
    let next = entries.last().filter(|last| more && last.seq > 1).map(|last| last.seq.to_string());
    let items: Vec<_> = entries.into_iter().map(|entry| EntryView::of(&lens, entry)).collect();
    if !table {
        return Ok(HttpResponse::Ok().json(Listed { items, next }));
    }
    let written = written(&lens, &items).map_err(|error| Problem::internal(&error.to_string()))?;
    let mut answer = HttpResponse::Ok();
    answer.content_type("text/csv; charset=utf-8");
    answer.insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""));
    if let Some(next) = next {
        let query = request.query_string().split('&');
        let kept = query.filter(|part| !part.is_empty() && !part.starts_with("cursor="));
        let cursor = format!("cursor={next}");
        let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
        let link = format!("</api/v1/audit?{}>; rel=\"next\"", query.join("&"));
        answer.insert_header((header::LINK, link));
    }
    Ok(answer.body(written))
}

/// Whether the caller asks for a table.
fn wants_table(request: &HttpRequest) -> bool {
    let accepted =
        request.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let mut kinds = accepted.flat_map(|value| value.split(','));
    kinds.any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/csv"))
}

/// Entries as a table that spreadsheets read, with the names that people have now.
fn written(lens: &Lens, items: &[EntryView]) -> Result<String, csv::Error> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record([
        "序号 seq",
        "时间 at",
        "操作人 actor",
        "姓名 name",
        "令牌 token",
        "操作 kind",
        "对象 subject",
        "内容 detail",
        "哈希 hash",
    ])?;
    for item in items {
        let id = item.actor.strip_prefix("person:").and_then(|id| id.parse().ok()).map(PersonId);
        let person = id.and_then(|id| lens.directory.people.get(&id));
        let name = person.map(|person| person.name.clone()).unwrap_or_default();
        let token = item.token.map(|token| token.to_string()).unwrap_or_default();
        let detail = if item.detail.is_null() { String::new() } else { item.detail.to_string() };
        let (seq, at) = (item.seq.to_string(), item.at.clone());
        let (actor, kind) = (item.actor.clone(), item.kind.clone());
        let (subject, hash) = (item.subject.clone(), item.hash.clone());
        let cells = [seq, at, actor, name, token, kind, subject, detail, hash];
        writer.write_record(cells.map(|cell| harmless(&cell)))?;
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("{MARK}{}", String::from_utf8_lossy(&bytes)))
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
