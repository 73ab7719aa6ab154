//! Access tokens: made, listed without their secrets, and revoked.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::proposal::{self, ProposalView};
use super::receive::{self, Body};
use super::view::{All, Lens, PersonName};
use crate::domain::{PersonId, Scope};
use crate::gate::{Motion, NewToken, TokenRow};

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenBody {
    /// Whose: a person's id.
    person: i64,
    /// What for, in words.
    #[schema(example = "the desk's console")]
    label: String,
    /// Until when: RFC 3339; as long as the house allows if not given.
    expires_at: Option<String>,
    /// Narrowed to these acts (`see_matter`, `command` …); empty: all that the person may.
    #[serde(default)]
    acts: Vec<String>,
    /// Narrowed to the person's roles in these units; empty: in all of them.
    #[serde(default)]
    units: Vec<String>,
    /// Whether the roles count that wait for a second factor in a session (administrator, editor,
    /// auditor, director, leader of the county government). Whoever makes the token has shown one.
    #[serde(default)]
    strong: bool,
}

/// A token as it is handed over, once.
#[derive(Serialize, ToSchema)]
pub(super) struct IssuedToken {
    /// Its id.
    id: i64,
    /// The secret: shown only now.
    token: String,
    /// From when it is no longer good.
    expires_at: String,
}

/// A token that is good as soon as a second person approves.
#[derive(Serialize, ToSchema)]
pub(super) struct ProposedToken {
    /// The secret: shown only now.
    token: String,
    /// What waits for approval.
    proposal: ProposalView,
}

/// A token without its secret.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenView {
    /// Its id.
    id: i64,
    /// Whose.
    person: PersonName,
    /// What for.
    label: String,
    /// When it was made.
    created_at: String,
    /// From when it is no longer good.
    expires_at: Option<String>,
    /// When it was revoked.
    revoked_at: Option<String>,
    /// When it was last used, roughly.
    last_used_at: Option<String>,
    /// The acts it is narrowed to; empty: none.
    acts: Vec<String>,
    /// The units it is narrowed to; empty: none.
    units: Vec<String>,
    /// Whether roles count that wait for a second factor in a session.
    strong: bool,
}

impl TokenView {
    fn of(lens: &Lens, row: TokenRow) -> Self {
        Self {
            id: row.id,
            person: lens.person(row.person),
            label: row.label,
            created_at: lens.time(row.created_at),
            expires_at: row.expires_at.map(|at| lens.time(at)),
            revoked_at: row.revoked_at.map(|at| lens.time(at)),
            last_used_at: row.last_used_at.map(|at| lens.time(at)),
            acts: row.scope.acts,
            units: row.scope.units,
            strong: row.scope.strong,
        }
    }
}

/// The tokens of the jurisdiction.
#[utoipa::path(
    get, path = "/api/v1/tokens", tag = "administration",
    responses((status = 200, body = All<TokenView>, description = "Without their secrets.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<TokenView>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let tokens = blocking(move || gate.tokens(&caller)).await?;
    let items = tokens.into_iter().map(|row| TokenView::of(&lens, row)).collect();
    Ok(web::Json(All { items }))
}

/// Makes a token.
#[utoipa::path(
    post, path = "/api/v1/tokens", tag = "administration", request_body = TokenBody,
    responses((status = 201, body = IssuedToken, description = "The secret, shown once.",
        headers(("Location" = String))),
        (status = 202, body = ProposedToken, description = "It acts as somebody else, and two people \
            are needed for that here: it is good when another one approves.",
        headers(("Location" = String)))),
)]
pub(super) async fn issue(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<TokenBody>,
) -> Result<HttpResponse, Problem> {
    let expires_at = body.expires_at.as_deref();
    let expires_at = expires_at.map(|text| receive::instant("expires_at", text)).transpose()?;
    let scope = Scope { acts: body.acts, units: body.units, strong: body.strong };
    let person = PersonId(body.person);
    let new = NewToken { person, label: body.label, expires_at, scope };
    let (draft, token) = house.gate.draft_token(&caller, &new)?;
    let motion = Motion::Token(Box::new(draft.clone()));
    if let Some(proposal) = proposal::proposed(&house, &caller, motion).await? {
        let id = proposal.id;
        return Ok(proposal::accepted(id, &ProposedToken { token, proposal }));
    }
    let expires_at = Lens::of(&house, &caller)?.time(draft.expires_at);
    let gate = house.gate.clone();
    let id = blocking(move || gate.issue_drafted(&caller, &draft)).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/tokens/{id}")))
        .json(IssuedToken { id, token, expires_at }))
}

/// Makes a token worthless.
#[utoipa::path(
    delete, path = "/api/v1/tokens/{id}", tag = "administration",
    responses((status = 204, description = "Revoked.")),
    params(("id" = i64, Path, description = "The token's id.")),
)]
pub(super) async fn revoke(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = receive::number(&path)?;
    let gate = house.gate.clone();
    blocking(move || gate.revoke_token(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
