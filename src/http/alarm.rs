//! Operator alarms.

use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Query};
use super::view::{All, Lens};
use crate::gate::Alarm;

/// Something that an operator must look at.
#[derive(Serialize, ToSchema)]
pub(super) struct AlarmView {
    /// Its id.
    id: i64,
    /// What kind: a stable code.
    kind: String,
    /// About which instance.
    instance: Option<String>,
    /// When it was noticed, the last time.
    at: String,
    /// What exactly, the last time.
    detail: String,
    /// How often since it stands open.
    times: i64,
    /// When people were told of it; none: nobody was.
    told_at: Option<String>,
    /// When somebody cleared it.
    cleared_at: Option<String>,
}

impl AlarmView {
    fn of(lens: &Lens, alarm: Alarm) -> Self {
        Self {
            id: alarm.id,
            instance: alarm.raised.instance.map(|id| lens.id(id)),
            at: lens.time(alarm.raised.at),
            kind: alarm.raised.kind,
            detail: alarm.raised.detail,
            times: alarm.times,
            told_at: alarm.told_at.map(|at| lens.time(at)),
            cleared_at: alarm.cleared_at.map(|at| lens.time(at)),
        }
    }
}

/// Operator alarms, newest first.
#[utoipa::path(
    get, path = "/api/v1/alarms", tag = "service",
    responses((status = 200, body = All<AlarmView>, description = "The newest of them.")),
    params(("open" = Option<bool>, Query, description = "Only those that nobody cleared."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<All<AlarmView>>, Problem> {
    let (open, limit) = (query.flag("open")?, query.limit()?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let alarms = blocking(move || gate.alarms(&caller, open, limit)).await?;
    let items = alarms.into_iter().map(|alarm| AlarmView::of(&lens, alarm)).collect();
    Ok(web::Json(All { items }))
}

/// Clears an alarm.
#[utoipa::path(
    post, path = "/api/v1/alarms/{id}/clear", tag = "service",
    responses((status = 204, description = "Cleared.")),
    params(("id" = i64, Path, description = "The alarm's id.")),
)]
pub(super) async fn clear(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = receive::number(&path)?;
    let gate = house.gate.clone();
    blocking(move || gate.clear_alarm(&caller, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
