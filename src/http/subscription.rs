//! Subscriptions: units' own systems, and robots of chat groups, that are told by HTTP.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body};
use super::view::{All, Lens};
use crate::domain::{Form, Subscription, SubscriptionId, Wants};
use crate::gate::NewSubscription;

/// A subscription to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SubscriptionBody {
    /// The unit whose matters it hears of.
    unit: String,
    /// `standard` (Standard Webhooks, signed), `wecom` or `dingtalk` (robots of chat groups).
    #[serde(default = "standard")]
    #[schema(value_type = String)]
    form: Form,
    /// Where to: https.
    url: String,
    /// The secret that signs; none: one is made and answered once.
    secret: Option<String>,
    /// `change` (every change of the unit's matters) and `alert` (every alert to its people); empty:
    /// all that the form can carry.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    wants: Vec<Wants>,
}

fn standard() -> Form {
    Form::Standard
}

/// Whether a subscription is told anything.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Switch {
    /// False: nothing more is posted; what waits is given up.
    active: bool,
}

/// A subscription.
#[derive(Serialize, ToSchema)]
pub(super) struct SubscriptionView {
    /// Its id.
    id: i64,
    /// The unit whose matters it hears of.
    unit: String,
    /// In whose form.
    #[schema(value_type = String)]
    form: Form,
    /// Where to, as far as it can hold no key: robots' addresses are shown to the host.
    url: String,
    /// What it is told.
    #[schema(value_type = Vec<String>)]
    wants: Vec<Wants>,
    /// Whether it is told anything now.
    active: bool,
    /// Who made it: `person:7`.
    made_by: String,
    /// When.
    made_at: String,
    /// The secret, in the answer that makes it only.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl SubscriptionView {
    fn of(lens: &Lens, one: &Subscription) -> Self {
        // A robot's key stands in the path or after it, anybody's password before the host.
        let place = one.place();
        let path = one.url.split(['?', '#']).next().unwrap_or_default();
        let bare = one.form == Form::Standard && path.starts_with(&place);
        let url = if bare { path.to_owned() } else { place };
        Self {
            id: one.id.0,
            unit: one.unit.clone(),
            form: one.form,
            url: if url == one.url { url } else { format!("{url}…") },
            wants: one.wants.clone(),
            active: one.active,
            made_by: one.made_by.clone(),
            made_at: lens.time(one.made_at),
            secret: None,
        }
    }
}

/// The subscriptions of the caller's units; an administrator sees all.
#[utoipa::path(
    get, path = "/api/v1/subscriptions", tag = "alerts",
    responses((status = 200, body = All<SubscriptionView>, description = "In order of id, without secrets.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<SubscriptionView>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let found = house.gate.subscriptions(&caller)?;
    let items = found.iter().map(|one| SubscriptionView::of(&lens, one)).collect();
    Ok(web::Json(All { items }))
}

/// Subscribes a system of a unit: by people of the unit, who see its matters themselves.
#[utoipa::path(
    post, path = "/api/v1/subscriptions", tag = "alerts", request_body = SubscriptionBody,
    responses((status = 201, body = SubscriptionView, description = "With its secret, shown once.",
        headers(("Location" = String))),
        (status = 422, body = super::problem::Details, content_type = "application/problem+json",
            description = "`host_not_allowed`: the office posts to other hosts only; `invalid`: nothing can \
                be posted there.")),
)]
pub(super) async fn make(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<SubscriptionBody>,
) -> Result<HttpResponse, Problem> {
    let SubscriptionBody { unit, form, url, secret, wants } = body;
    let new = NewSubscription { unit, form, url, secret, wants };
    let (gate, who) = (house.gate.clone(), caller.clone());
    let made = blocking(move || gate.subscribe(&who, new)).await?;
    let lens = Lens::of(&house, &caller)?;
    let view = SubscriptionView {
        secret: Some(made.secret.clone()),
        ..SubscriptionView::of(&lens, &made)
    };
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/subscriptions/{}", made.id)))
        .json(view))
}

/// Switches a subscription off, or on again: on only by people of the unit.
#[utoipa::path(
    put, path = "/api/v1/subscriptions/{id}", tag = "alerts", request_body = Switch,
    responses((status = 200, body = SubscriptionView, description = "As it is now.")),
    params(("id" = i64, Path, description = "The subscription's id.")),
)]
pub(super) async fn switch(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<Switch>,
) -> Result<web::Json<SubscriptionView>, Problem> {
    let id = SubscriptionId(receive::number(&path)?);
    let (gate, who) = (house.gate.clone(), caller.clone());
    let now = blocking(move || gate.switch_subscription(&who, id, body.active)).await?;
    Ok(web::Json(SubscriptionView::of(&Lens::of(&house, &caller)?, &now)))
}

/// Takes a subscription away.
#[utoipa::path(
    delete, path = "/api/v1/subscriptions/{id}", tag = "alerts",
    responses((status = 204, description = "It is told nothing more.")),
    params(("id" = i64, Path, description = "The subscription's id.")),
)]
pub(super) async fn end(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = SubscriptionId(receive::number(&path)?);
    let gate = house.gate.clone();
    blocking(move || gate.unsubscribe(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
