//! Operator alarms.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body, Query};
use super::view::{Lens, Listed};
use crate::gate::{Alarm, AlarmFilter};

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
    responses((status = 200, body = Listed<AlarmView>, description = "A page.")),
    params(("open" = Option<bool>, Query, description = "Only those that nobody cleared."),
        ("kind" = Option<String>, Query, description = "Of this kind."),
        ("cursor" = Option<i64>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<AlarmView>>, Problem> {
    let filter = AlarmFilter {
        jurisdiction: None,
        open_only: query.flag("open")?,
        kind: query.text("kind")?,
        before: query.number("cursor", 1..=i64::MAX)?,
    };
    let limit = query.limit()?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let page = blocking(move || gate.alarms(&caller, filter, limit)).await?;
    let next = page.items.last().filter(|_| page.more).map(|last| last.id.to_string());
    let items = page.items.into_iter().map(|alarm| AlarmView::of(&lens, alarm)).collect();
    Ok(web::Json(Listed { items, next }))
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

/// Which alarms are cleared.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KindBody {
    /// Their kind: a stable code.
    kind: String,
}

/// How many alarms were cleared.
#[derive(Serialize, ToSchema)]
pub(super) struct ClearedView {
    /// So many.
    cleared: usize,
}

/// Clears all open alarms of a kind, as after an outage.
#[utoipa::path(
    post, path = "/api/v1/alarms/clear", tag = "service", request_body = KindBody,
    responses((status = 200, body = ClearedView, description = "How many there were.")),
)]
pub(super) async fn clear_kind(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<KindBody>,
) -> Result<web::Json<ClearedView>, Problem> {
    let gate = house.gate.clone();
    let cleared = blocking(move || gate.clear_alarms(&caller, &body.kind)).await?;
    Ok(web::Json(ClearedView { cleared }))
}
