//! Accounts of people, kept by administrators, who never know a password.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body};
use super::view::{Lens, PersonName};
use crate::domain::PersonId;
use crate::gate::{AccountSeen, NewAccount, Setup};

/// An account, without its secrets.
#[derive(Serialize, ToSchema)]
pub(super) struct AccountView {
    /// Whose.
    person: PersonName,
    /// The name to sign in with.
    login: String,
    /// Since when the password holds; null: none was chosen yet.
    password_at: Option<String>,
    /// Since when codes of a device are demanded.
    second_factor_at: Option<String>,
    /// What the identity provider calls the person.
    subject: Option<String>,
}

impl AccountView {
    fn of(lens: &Lens, seen: AccountSeen) -> Self {
        Self {
            person: lens.person(seen.person),
            login: seen.login,
            password_at: seen.password_at.map(|at| lens.time(at)),
            second_factor_at: seen.second_factor_at.map(|at| lens.time(at)),
            subject: seen.subject,
        }
    }
}

/// An account to be given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AccountBody {
    /// The name to sign in with: 3 to 64 letters, digits and `.`, `-`, `_`, `@`.
    #[schema(example = "wang.fang")]
    login: String,
    /// What the identity provider calls the person (`sub`), to sign in there.
    subject: Option<String>,
}

/// A code by which a person chooses a password, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct SetupView {
    /// The name to sign in with.
    login: String,
    /// The code; null when there is a password already.
    code: Option<String>,
    /// Until when it is good.
    until: Option<String>,
}

impl SetupView {
    fn of(lens: &Lens, setup: Setup) -> Self {
        Self { login: setup.login, code: Some(setup.code), until: Some(lens.time(setup.until)) }
    }
}

/// What is taken from a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetBody {
    /// Also the device of the second factor, when it is lost.
    #[serde(default)]
    second_factor: bool,
}

/// The account of a person.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/account", tag = "administration",
    responses((status = 200, body = AccountView, description = "The account.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<AccountView>, Problem> {
    let id = PersonId(receive::number(&path)?);
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let seen = blocking(move || gate.account(&caller, id)).await?;
    Ok(web::Json(AccountView::of(&lens, seen)))
}

/// Gives a person an account, or changes its name.
#[utoipa::path(
    put, path = "/api/v1/people/{id}/account", tag = "administration", request_body = AccountBody,
    responses((status = 200, body = SetupView, description = "With a code to choose a password, \
        shown once, unless there is a password already.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn give(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<AccountBody>,
) -> Result<web::Json<SetupView>, Problem> {
    let id = PersonId(receive::number(&path)?);
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let new = NewAccount { login: body.login, subject: body.subject };
    let login = new.login.clone();
    let setup = blocking(move || gate.give_account(&caller, id, &new)).await?;
    let none = SetupView { login, code: None, until: None };
    Ok(web::Json(setup.map_or(none, |setup| SetupView::of(&lens, setup))))
}

/// Takes password, sessions and tokens from a person; a code to choose a new password is answered.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/account/reset", tag = "administration",
    request_body = ResetBody,
    responses((status = 200, body = SetupView, description = "The code, shown once.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn reset(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<ResetBody>,
) -> Result<web::Json<SetupView>, Problem> {
    let id = PersonId(receive::number(&path)?);
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let setup = blocking(move || gate.reset_account(&caller, id, body.second_factor)).await?;
    Ok(web::Json(SetupView::of(&lens, setup)))
}

/// Takes an account away, with its sessions and tokens.
#[utoipa::path(
    delete, path = "/api/v1/people/{id}/account", tag = "administration",
    responses((status = 204, description = "There is none any more.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn take(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = PersonId(receive::number(&path)?);
    let gate = house.gate.clone();
    blocking(move || gate.take_account(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
