//! Mutes: less urgent alerts wait, until an end that must be given.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body};
use super::view::{All, Lens};
use crate::domain::{Instant, Mute, PersonId};

/// A mute to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MuteBody {
    /// Until when: RFC 3339, in the future, at most 14 days away.
    until: String,
    /// Why: the leaders of the person's units read it.
    #[schema(example = "外出培训")]
    reason: String,
}

/// A mute.
#[derive(Serialize, ToSchema)]
pub(super) struct MuteView {
    /// Its id.
    id: i64,
    /// From when on.
    from: String,
    /// Until when.
    until: String,
    /// Why.
    reason: String,
    /// Who made it: `person:7`.
    made_by: String,
    /// When it ended.
    ended_at: Option<String>,
    /// Whether it holds less urgent alerts back now.
    in_force: bool,
}

impl MuteView {
    fn of(lens: &Lens, mute: Mute, now: Instant) -> Self {
        Self {
            in_force: mute.holds(now),
            id: mute.id,
            from: lens.time(mute.from),
            until: lens.time(mute.until),
            reason: mute.reason,
            made_by: mute.made_by,
            ended_at: mute.ended_at.map(|at| lens.time(at)),
        }
    }
}

/// The mutes of a person, the newest first: for the person itself and administrators.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/mutes", tag = "directory",
    responses((status = 200, body = All<MuteView>, description = "At most 100.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<MuteView>>, Problem> {
    let (id, gate, now) = (PersonId(receive::number(&path)?), house.gate.clone(), house.gate.now());
    let lens = Lens::of(&house, &caller)?;
    let mutes = blocking(move || gate.mutes(&caller, id)).await?;
    let items = mutes.into_iter().map(|mute| MuteView::of(&lens, mute, now));
    Ok(web::Json(All { items: items.collect() }))
}

/// Lets less urgent alerts to a person wait. Urgent ones come as ever; the person and the leaders of
/// its units are told.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/mutes", tag = "directory", request_body = MuteBody,
    responses((status = 201, body = MuteView, description = "The mute.",
        headers(("Location" = String)))),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn make(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<MuteBody>,
) -> Result<HttpResponse, Problem> {
    let (id, gate) = (PersonId(receive::number(&path)?), house.gate.clone());
    let until = receive::instant("until", &body.until)?;
    let lens = Lens::of(&house, &caller)?;
    let mute = blocking(move || gate.mute(&caller, id, until, &body.reason)).await?;
    let now = house.gate.now();
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/mutes/{}", mute.id)))
        .json(MuteView::of(&lens, mute, now)))
}

/// Ends a mute before its time; the person is told how many alerts came meanwhile.
#[utoipa::path(
    delete, path = "/api/v1/mutes/{id}", tag = "directory",
    responses((status = 204, description = "Ended.")),
    params(("id" = i64, Path, description = "The mute's id.")),
)]
pub(super) async fn end(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: i64 = path.parse().map_err(|_no_number| Problem::not_found())?;
    let gate = house.gate.clone();
    blocking(move || gate.end_mute(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
