//! Who called: shown for a purpose that is recorded, and erased for a reason.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Map;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::Problem;
use super::receive::Body;
use super::spoken::{Call, Spoken};
use super::view::Lens;
use crate::engine::ERASE;
use crate::gate::{Request, Target};

/// What for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PurposeBody {
    /// In 4 to 300 characters: it stands in the history of the matter.
    #[schema(example = "核实退回理由，需联系来电人")]
    purpose: String,
}

/// Who called.
#[derive(Serialize, ToSchema)]
pub(super) struct Revealed {
    /// Of each input what was given first.
    #[schema(value_type = Object)]
    personal: BTreeMap<String, String>,
    /// What later events brought.
    calls: Vec<Call>,
}

/// Shows who called. That it was shown, to whom and for what, is recorded on the matter first.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/reveal", tag = "matters", request_body = PurposeBody,
    responses((status = 200, body = Revealed, description = "Who called.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn reveal(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<PurposeBody>,
) -> Result<web::Json<Revealed>, Problem> {
    let id = id(&house, &path)?;
    let voices = house.gate.reveal(&caller, id, &body.purpose).await?;
    let Spoken { personal, calls, .. } = Spoken::of(&Lens::of(&house, &caller)?, voices);
    Ok(web::Json(Revealed { personal, calls }))
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// In 4 to 300 characters, without a name: it stands in the history of the matter.
    #[schema(example = "来电人依法要求删除个人信息")]
    reason: String,
}

/// Erases what callers of a closed matter said and who they are. The case stays, and so does its
/// chain of events, which held only digests.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/erase", tag = "matters", request_body = ReasonBody,
    responses((status = 204, description = "Erased.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn erase(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    let mut input = Map::new();
    input.insert("reason".to_owned(), body.reason.into());
    let request = Request {
        caller,
        target: Target::Instance(id(&house, &path)?),
        command: ERASE.to_owned(),
        input,
        occurred_at: None,
        key: None,
        if_version: None,
        about: None,
    };
    house.gate.submit(request).await?;
    Ok(HttpResponse::NoContent().finish())
}
