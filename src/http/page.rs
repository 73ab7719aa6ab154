//! The front page, and whether the service lives and can work.

use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::House;
use super::problem::{Problem, blocking};
use super::style;

/// The front page.
const FRONT: &str = include_str!("front.html");

static FRONT_POLICY: LazyLock<String> = LazyLock::new(|| style::policy(style::style_of(FRONT)));

/// What this is and where to go.
#[utoipa::path(
    get, path = "/", tag = "service", security(()),
    responses((status = 200, body = String, content_type = "text/html", description = "A page to read.")),
)]
pub(super) async fn front() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, FRONT_POLICY.as_str()))
        .body(FRONT)
}

/// Whether the service lives.
#[utoipa::path(
    get, path = "/health", tag = "service", security(()),
    responses((status = 200, body = Object, description = "It lives.")),
)]
pub(super) async fn health() -> HttpResponse {
    HttpResponse::Ok()
        .json(serde_json::json!({ "live": true, "version": env!("CARGO_PKG_VERSION") }))
}

/// Whether the store answers.
#[utoipa::path(
    get, path = "/ready", tag = "service", security(()),
    responses((status = 200, body = Object, description = "The store answers."),
        (status = 503, body = super::problem::Details, content_type = "application/problem+json",
            description = "It does not.")),
)]
pub(super) async fn ready(house: web::Data<House>) -> Result<HttpResponse, Problem> {
    if *house.closing.borrow() {
        return Err(Problem::closing());
    }
    let gate = house.gate.clone();
    blocking(move || gate.raw_counts()).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "ready": true })))
}
