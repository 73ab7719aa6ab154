//! What one person proposes and another one approves.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::House;
use super::caller::{Signed, Who};
use super::problem::{Problem, blocking};
use super::receive::{self, Query};
use super::view::{Lens, Listed};
use crate::domain::PersonId;
use crate::gate::{Caller, Gate, Motion, ProposalRow};

/// What somebody proposed.
#[derive(Serialize, ToSchema)]
pub(super) struct ProposalView {
    /// Its id.
    pub(super) id: i64,
    /// Of what: `definition`, `calendar`, `person`, `token` or `unit`.
    kind: String,
    /// What it is about: `definition:referral`, `person:7` (`person:0`: a new one).
    subject: String,
    /// Who proposed it.
    #[schema(value_type = i64)]
    made_by: PersonId,
    /// When.
    made_at: String,
    /// When it lapses.
    until: String,
    /// `open`, `approved`, `withdrawn` or `lapsed`.
    state: String,
    /// Who decided it.
    #[schema(value_type = Option<i64>)]
    decided_by: Option<PersonId>,
    /// When.
    decided_at: Option<String>,
    /// What is proposed: the text of a file, or a person, token or unit as it is to be. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    content: Option<Json>,
    /// What it is to stand in place of: the version of a workflow or calendar, or the person or unit as it was
    /// when this was proposed; null for what is new. Not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    instead_of: Option<Json>,
}

impl ProposalView {
    fn of(house: &House, lens: &Lens, row: ProposalRow) -> Self {
        let lapsed = row.state == "open" && !row.is_open(house.gate.now());
        Self {
            id: row.id,
            kind: row.kind,
            subject: row.subject,
            made_by: row.made_by,
            made_at: lens.time(row.made_at),
            until: lens.time(row.until),
            state: if lapsed { "lapsed".to_owned() } else { row.state },
            decided_by: row.decided_by,
            decided_at: row.decided_at.map(|at| lens.time(at)),
            content: None,
            instead_of: None,
        }
    }

    fn whole(house: &House, lens: &Lens, row: ProposalRow) -> Self {
        let said = |text: &str| match row.kind.as_str() {
            "person" | "token" | "unit" => serde_json::from_str(text).unwrap_or_default(),
            _ => Json::from(text),
        };
        let (content, instead_of) = (Some(said(&row.body)), Some(said(&row.base)));
        Self { content, instead_of, ..Self::of(house, lens, row) }
    }
}

/// Proposes what needs a second person: then this is the answer.
pub(super) async fn instead(
    house: &House,
    caller: &Caller,
    motion: Motion,
) -> Result<Option<HttpResponse>, Problem> {
    Ok(proposed(house, caller, motion).await?.map(|view| accepted(view.id, &view)))
}

/// The answer to what was proposed.
pub(super) fn accepted(id: i64, body: &impl Serialize) -> HttpResponse {
    let place = format!("/api/v1/proposals/{id}");
    HttpResponse::Accepted().insert_header((header::LOCATION, place)).json(body)
}

/// Proposes what needs a second person.
pub(super) async fn proposed(
    house: &House,
    caller: &Caller,
    motion: Motion,
) -> Result<Option<ProposalView>, Problem> {
    if !house.gate.needs_second_person(caller, &motion)? {
        return Ok(None);
    }
    let lens = Lens::of(house, caller)?;
    let (gate, caller) = (house.gate.clone(), caller.clone());
    let row = blocking(move || gate.propose(&caller, &motion)).await?;
    Ok(Some(ProposalView::whole(house, &lens, row)))
}

/// What was proposed, newest first.
#[utoipa::path(
    get, path = "/api/v1/proposals", tag = "administration",
    responses((status = 200, body = Listed<ProposalView>, description = "A page.")),
    params(("cursor" = Option<String>, Query, description = "`next` of the page before."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<ProposalView>>, Problem> {
    let (before, limit) = (query.number("cursor", 0..=i64::MAX)?, query.limit()?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let page = blocking(move || gate.proposals(&caller, before, limit)).await?;
    let next = page.items.last().filter(|_| page.more).map(|last| last.id.to_string());
    let items = page.items.into_iter().map(|row| ProposalView::of(&house, &lens, row)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// One proposal with what is proposed.
#[utoipa::path(
    get, path = "/api/v1/proposals/{id}", tag = "administration",
    responses((status = 200, body = ProposalView, description = "The proposal.")),
    params(("id" = i64, Path, description = "The proposal's id.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<ProposalView>, Problem> {
    decide(&house, caller, &path, Gate::proposal).await
}

/// Approves what another person proposed: it is done at once. In a session of one's own: a token
/// could be anybody's.
#[utoipa::path(
    post, path = "/api/v1/proposals/{id}/approve", tag = "administration",
    responses((status = 200, body = ProposalView, description = "Approved, and done.")),
    params(("id" = i64, Path, description = "The proposal's id.")),
)]
pub(super) async fn approve(
    house: web::Data<House>,
    signed: Signed,
    path: web::Path<String>,
) -> Result<web::Json<ProposalView>, Problem> {
    signed.session()?;
    decide(&house, signed.0.caller, &path, Gate::approve).await
}

/// Takes a proposal from the table: one's own, or another's that is not to be.
#[utoipa::path(
    post, path = "/api/v1/proposals/{id}/withdraw", tag = "administration",
    responses((status = 200, body = ProposalView, description = "Withdrawn.")),
    params(("id" = i64, Path, description = "The proposal's id.")),
)]
pub(super) async fn withdraw(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<ProposalView>, Problem> {
    decide(&house, caller, &path, Gate::withdraw).await
}

type Deed = fn(&Gate, &Caller, i64) -> Result<ProposalRow, crate::gate::Error>;

async fn decide(
    house: &House,
    caller: Caller,
    path: &str,
    deed: Deed,
) -> Result<web::Json<ProposalView>, Problem> {
    let (id, gate) = (receive::number(path)?, house.gate.clone());
    let lens = Lens::of(house, &caller)?;
    let row = blocking(move || deed(&gate, &caller, id)).await?;
    Ok(web::Json(ProposalView::whole(house, &lens, row)))
}
