//! One message: answered by its person, sent once more by those who watch over messages.

use actix_web::http::header;
use actix_web::{HttpResponse, web};

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use crate::domain::MessageId;

fn message_id(house: &House, text: &str) -> Result<MessageId, Problem> {
    house.ids.read_message(text).ok_or_else(Problem::not_found)
}

/// Acknowledges a message: by the person it was written to. A second time changes nothing.
#[utoipa::path(
    post, path = "/api/v1/messages/{id}/acknowledge", tag = "alerts",
    responses((status = 204, description = "Acknowledged; the ladder that spoke pauses for its hold.")),
    params(("id" = String, Path, description = "The message's public id.")),
)]
pub(super) async fn acknowledge(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = message_id(&house, &path)?;
    house.gate.acknowledge_message(&caller, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a message once more, as a new one to the same person on the same channel.
#[utoipa::path(
    post, path = "/api/v1/messages/{id}/resend", tag = "alerts",
    responses((status = 201, description = "Written; it leaves at once.", headers(("Location" = String)))),
    params(("id" = String, Path, description = "The message's public id.")),
)]
pub(super) async fn resend(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, gate) = (message_id(&house, &path)?, house.gate.clone());
    let again = blocking(move || gate.resend(&caller, id)).await?;
    let place = format!("/api/v1/messages?cursor={}", house.ids.message(again));
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).finish())
}
