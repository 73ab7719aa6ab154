//! Instances of any workflow, and referrals as their friendly face.

use std::sync::Arc;

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::filter;
use super::problem::{Problem, blocking};
use super::receive::{self, Body, Query};
use super::spoken::Spoken;
use super::view::{All, Lens, Listed, Named, Offer, Summary, Whole, Words};
use crate::domain::{InstanceId, Instant, Text};
use crate::gate::{self, Caller, Done, Gate, Request, Target};

/// The workflow that the friendly face shows.
pub(super) const REFERRAL: &str = "referral";

/// A new instance of any workflow.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInstance {
    /// Its workflow.
    #[schema(example = "referral")]
    workflow: String,
    /// The command that opens it; the workflow's own if none is named.
    command: Option<String>,
    /// The command's input.
    #[serde(default)]
    #[schema(value_type = Object)]
    input: Map<String, Json>,
    /// When it happened, if that was earlier: RFC 3339.
    occurred_at: Option<String>,
}

/// A new referral.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewReferral {
    /// The input of the workflow's opening command.
    #[schema(value_type = Object)]
    input: Map<String, Json>,
    /// When the call came, if that was earlier: RFC 3339.
    occurred_at: Option<String>,
}

/// A command.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewCommand {
    /// Its name.
    #[schema(example = "accept")]
    command: String,
    /// Its input.
    #[serde(default)]
    #[schema(value_type = Object)]
    input: Map<String, Json>,
    /// When it happened, if that was earlier: RFC 3339.
    occurred_at: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// The instance's public id.
    id: String,
    /// What people call the matter.
    number: String,
    /// Its version now: also the `ETag`.
    version: i64,
    /// The path of its state.
    state: String,
    /// The flat status.
    status: String,
    /// The stage.
    stage: String,
    /// The unit responsible.
    holder: Option<Named>,
    /// When it was recorded.
    recorded_at: String,
    /// Whether this is the answer to an earlier request with the same key.
    replayed: bool,
    /// What this caller could ask of it now; left out with `Prefer: return=minimal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    possible: Option<Vec<String>>,
    /// What should be seen to: that nobody serves the unit responsible now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Words>)]
    warnings: Vec<Text>,
}

/// Something to be asked of the gate, as it came.
struct Asked {
    target: Target,
    command: String,
    input: Map<String, Json>,
    occurred_at: Option<String>,
}

/// Gives a command and tells what was done.
async fn give(
    house: &House,
    caller: Caller,
    headers: &HeaderMap,
    asked: Asked,
) -> Result<Accepted, Problem> {
    let occurred_at = asked.occurred_at.as_deref();
    let occurred_at = occurred_at.map(|text| receive::instant("occurred_at", text)).transpose()?;
    let request = Request {
        caller: caller.clone(),
        target: asked.target,
        command: asked.command,
        input: asked.input,
        occurred_at,
        key: receive::idempotency_key(headers)?,
        if_version: receive::if_match(headers)?,
        about: None,
    };
    let done = house.gate.submit(request).await?;
    let lens = Lens::of(house, &caller)?;
    accepted(house, &lens, caller, done, receive::wants_minimal(headers)).await
}

async fn accepted(
    house: &House,
    lens: &Lens,
    caller: Caller,
    done: Done,
    minimal: bool,
) -> Result<Accepted, Problem> {
    let Done { receipt, instance } = done;
    let possible =
        if minimal { None } else { Some(offered(house, caller, &receipt, instance).await?) };
    let unserved = receipt.holder.as_deref().and_then(|unit| lens.directory.unserved(unit));
    Ok(Accepted {
        warnings: unserved.into_iter().collect(),
        id: lens.id(receipt.instance),
        number: receipt.number(),
        version: receipt.seq,
        holder: receipt.holder.as_deref().map(|code| lens.unit(code)),
        recorded_at: lens.time(receipt.recorded_at),
        replayed: receipt.replayed,
        state: receipt.state,
        status: receipt.status,
        stage: receipt.stage,
        possible,
    })
}

/// The names of the commands that the caller could give after one of its own.
async fn offered(
    house: &House,
    caller: Caller,
    receipt: &gate::Receipt,
    instance: Option<Arc<crate::domain::Instance>>,
) -> Result<Vec<String>, Problem> {
    let id = receipt.instance;
    let seen = match instance {
        Some(instance) => house.gate.as_seen(instance)?,
        None => {
            // An earlier answer given again: the instance may have moved on, or away.
            let (gate, caller) = (house.gate.clone(), caller.clone());
            let found = web::block(move || gate.instance(&caller, id)).await;
            match found.map_err(|_stopped| Problem::closing())? {
                Ok(seen) => seen,
                Err(gate::Error::NotFound) => return Ok(Vec::new()),
                Err(error) => return Err(error.into()),
            }
        }
    };
    let (mut names, acknowledge) = house.gate.possible(&caller, &seen)?;
    if acknowledge {
        names.push(crate::engine::ACKNOWLEDGE.to_owned());
    }
    Ok(names)
}

fn etag(version: i64) -> (header::HeaderName, String) {
    (header::ETAG, format!("\"{version}\""))
}

fn created(accepted: &Accepted, face: &str) -> HttpResponse {
    HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/{face}/{}", accepted.id)))
        .insert_header(etag(accepted.version))
        .json(accepted)
}

/// The command that opens a workflow.
pub(super) fn start_of(gate: &Gate, caller: &Caller, workflow: &str) -> Result<String, Problem> {
    let definition = gate.registry().current(caller.jurisdiction, workflow)?;
    Ok(gate.registry().chart(definition)?.start.name.clone())
}

/// Opens an instance of any workflow.
#[utoipa::path(
    post, path = "/api/v1/instances", tag = "matters", request_body = NewInstance,
    responses((status = 201, body = Accepted, description = "Opened.",
        headers(("Location" = String), ("ETag" = String)))),
    params(("Idempotency-Key" = Option<String>, Header, description = "Same key, same answer."),
        ("Prefer" = Option<String>, Header, description = "`return=minimal`")),
)]
pub(super) async fn open(
    house: web::Data<House>,
    Who(caller): Who,
    request: HttpRequest,
    Body(body): Body<NewInstance>,
) -> Result<HttpResponse, Problem> {
    let command = match body.command {
        Some(command) => command,
        None => start_of(&house.gate, &caller, &body.workflow)?,
    };
    let target = Target::New(body.workflow);
    let asked = Asked { target, command, input: body.input, occurred_at: body.occurred_at };
    let accepted = give(&house, caller, request.headers(), asked).await?;
    Ok(created(&accepted, "instances"))
}

/// Registers a call.
#[utoipa::path(
    post, path = "/api/v1/referrals", tag = "matters",
    request_body(content = NewReferral, examples(
        ("noise" = (summary = "Night noise", value = json!({ "input": {
            "place": "某街道某路12号", "text": "工地夜间施工扰民", "kind": "complaint",
            "caller_phone": "00000000000" } })))
    )),
    responses((status = 201, body = Accepted, description = "Registered.",
        headers(("Location" = String), ("ETag" = String)))),
    params(("Idempotency-Key" = Option<String>, Header, description = "Same key, same answer."),
        ("Prefer" = Option<String>, Header, description = "`return=minimal`")),
)]
pub(super) async fn register(
    house: web::Data<House>,
    Who(caller): Who,
    request: HttpRequest,
    Body(body): Body<NewReferral>,
) -> Result<HttpResponse, Problem> {
    let command = start_of(&house.gate, &caller, REFERRAL)?;
    let target = Target::New(REFERRAL.to_owned());
    let asked = Asked { target, command, input: body.input, occurred_at: body.occurred_at };
    let accepted = give(&house, caller, request.headers(), asked).await?;
    Ok(created(&accepted, "referrals"))
}

/// Gives an instance a command.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/commands", tag = "matters",
    request_body(content = NewCommand, examples(
        ("route" = (summary = "Give it to a unit",
            value = json!({ "command": "route", "input": { "unit": "environment" } }))),
        ("accept" = (summary = "Accept it", value = json!({ "command": "accept" }))),
        ("return" = (summary = "Return it to the desk", value = json!({
            "command": "return_to_desk",
            "input": { "reason": "not_our_duty", "basis": "《噪声污染防治法》第四十一条" } }))),
    )),
    responses((status = 200, body = Accepted, description = "Done.", headers(("ETag" = String)))),
    params(("id" = String, Path, description = "The public id."),
        ("Idempotency-Key" = Option<String>, Header, description = "Same key, same answer."),
        ("If-Match" = Option<String>, Header, description = "The version that must still hold."),
        ("Prefer" = Option<String>, Header, description = "`return=minimal`: without `possible`.")),
)]
pub(super) async fn command(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    request: HttpRequest,
    Body(body): Body<NewCommand>,
) -> Result<HttpResponse, Problem> {
    let target = Target::Instance(id(&house, &path)?);
    let NewCommand { command, input, occurred_at } = body;
    let asked = Asked { target, command, input, occurred_at };
    let accepted = give(&house, caller, request.headers(), asked).await?;
    Ok(HttpResponse::Ok().insert_header(etag(accepted.version)).json(accepted))
}

/// The instance of a path; anything that is no id is nothing that is there.
pub(super) fn id(house: &House, text: &str) -> Result<InstanceId, Problem> {
    house.ids.read_instance(text).ok_or_else(Problem::not_found)
}

/// One instance with its clocks and what this caller could ask of it.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}", tag = "matters",
    responses((status = 200, body = Whole, description = "The instance.", headers(("ETag" = String))),
        (status = 304, description = "The caller has this version.")),
    params(("id" = String, Path, description = "The public id."),
        ("If-None-Match" = Option<String>, Header, description = "The version already read.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (id, gate, who) = (id(&house, &path)?, house.gate.clone(), caller.clone());
    let (seen, voices) = blocking(move || {
        let seen = gate.instance(&who, id)?;
        let voices = gate.voices(&who, id)?;
        Ok((seen, voices))
    })
    .await?;
    let tag = etag(seen.instance.version);
    if receive::has_version(request.headers(), seen.instance.version) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    let lens = Lens::of(&house, &caller)?;
    let mut whole = Whole::of(&lens, &seen);
    if let Some(voices) = voices {
        let spoken = Spoken::of(&lens, voices);
        whole.personal = Some(spoken.personal);
        (whole.masked, whole.calls) = (spoken.masked, spoken.calls);
    }
    let (names, acknowledge) = house.gate.possible(&caller, &seen)?;
    whole.possible = Offer::all(&seen, &names, acknowledge && !seen.is_former());
    Ok(HttpResponse::Ok().insert_header(tag).json(whole))
}

async fn listed(
    house: &House,
    caller: Caller,
    mut query: Query,
    workflow: Option<&str>,
) -> Result<web::Json<Listed<Summary>>, Problem> {
    let mut filter = filter::read(house, &mut query)?;
    let limit = query.limit()?;
    query.end()?;
    if let Some(workflow) = workflow {
        filter.workflow = Some(workflow.to_owned());
    }
    filter::known_names(house, &caller, &filter)?;
    let lens = Lens::of(house, &caller)?;
    let gate = house.gate.clone();
    let page = blocking(move || gate.instances(&caller, filter, limit)).await?;
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|seen| lens.id(seen.instance.id));
    let items = page.items.iter().map(|seen| Summary::of(&lens, seen, false)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// Instances, newest first, those that the caller may see. Asked for how they stand now (`status`,
/// `holder`, `open`, `overdue`, `tier_at_least`), former matters of the caller's units are left out.
#[utoipa::path(
    get, path = "/api/v1/instances", tag = "matters",
    responses((status = 200, body = Listed<Summary>, description = "A page.")),
    params(
        ("workflow" = Option<String>, Query, description = "Of this workflow."),
        ("status" = Option<Vec<String>>, Query, description = "In one of these flat statuses; repeated or with commas."),
        ("number" = Option<String>, Query, description = "The matter of this number, with its family."),
        ("holder" = Option<String>, Query, description = "Held by this unit."),
        ("unit" = Option<Vec<String>>, Query, description = "With one of these units among its parties."),
        ("open" = Option<bool>, Query, description = "Only those that have not ended."),
        ("overdue" = Option<bool>, Query, description = "Only open ones with a clock past its due time."),
        ("tier_at_least" = Option<String>, Query, description = "`ordinary`, `larger`, `major`, `extraordinary`."),
        ("opened_from" = Option<String>, Query, description = "Opened at or after: RFC 3339."),
        ("opened_to" = Option<String>, Query, description = "Opened before: RFC 3339."),
        ("parent" = Option<String>, Query, description = "Children of this instance."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50."),
    ),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    query: Query,
) -> Result<web::Json<Listed<Summary>>, Problem> {
    listed(&house, caller, query, None).await
}

/// Referrals, newest first: as instances, of that workflow.
pub(super) async fn referrals(
    house: web::Data<House>,
    Who(caller): Who,
    query: Query,
) -> Result<web::Json<Listed<Summary>>, Problem> {
    listed(&house, caller, query, Some(REFERRAL)).await
}

/// The children of an instance.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/children", tag = "matters",
    responses((status = 200, body = All<Summary>, description = "All that the caller may see.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn children(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<Summary>>, Problem> {
    let (id, gate) = (id(&house, &path)?, house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let children = blocking(move || gate.children(&caller, id)).await?;
    let items = children.iter().map(|seen| Summary::of(&lens, seen, false)).collect();
    Ok(web::Json(All { items }))
}

/// How many instances stand in each flat status.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    /// By flat status.
    #[schema(value_type = Object)]
    statuses: std::collections::BTreeMap<String, i64>,
    /// Of them all.
    total: i64,
    /// When it was counted.
    at: String,
}

/// How many instances stand in each flat status, of those that the caller may see as they stand now: a
/// former unit counts none of its former matters.
#[utoipa::path(
    get, path = "/api/v1/counts", tag = "matters",
    responses((status = 200, body = Counts, description = "Counted now.")),
    params(
        ("workflow" = Option<String>, Query, description = "Of this workflow."),
        ("status" = Option<Vec<String>>, Query, description = "In one of these flat statuses."),
        ("number" = Option<String>, Query, description = "The matter of this number, with its family."),
        ("holder" = Option<String>, Query, description = "Held by this unit."),
        ("unit" = Option<Vec<String>>, Query, description = "With one of these units among its parties."),
        ("open" = Option<bool>, Query, description = "Only those that have not ended."),
        ("overdue" = Option<bool>, Query, description = "Only open ones with a clock past its due time."),
        ("tier_at_least" = Option<String>, Query, description = "At least this tier."),
        ("opened_from" = Option<String>, Query, description = "Opened at or after: RFC 3339."),
        ("opened_to" = Option<String>, Query, description = "Opened before: RFC 3339."),
        ("parent" = Option<String>, Query, description = "Children of this instance."),
    ),
)]
pub(super) async fn counts(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Counts>, Problem> {
    let filter = filter::read(&house, &mut query)?;
    query.end()?;
    filter::known_names(&house, &caller, &filter)?;
    let lens = Lens::of(&house, &caller)?;
    let now: Instant = house.gate.now();
    let gate = house.gate.clone();
    let statuses = blocking(move || gate.counts(&caller, filter)).await?;
    let total = statuses.values().sum();
    Ok(web::Json(Counts { statuses, total, at: lens.time(now) }))
}
