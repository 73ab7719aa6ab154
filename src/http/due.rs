//! Calendars, and due dates explained.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::history::LineView;
use super::problem::{Problem, blocking};
use super::receive::{Query, Source, wrong};
use super::view::{All, Lens};
use crate::calendar::Limit;
use crate::policy::Act;

/// A calendar in force.
#[derive(Serialize, ToSchema)]
pub(super) struct CalendarView {
    /// Its code.
    code: String,
    /// The version of its contents.
    version: String,
    /// The zone of its days and hours.
    zone: Option<String>,
    /// Years that should have a confirmed notice by now and have none.
    missing_years: Vec<i16>,
}

/// A due date.
#[derive(Serialize, ToSchema)]
pub(super) struct DueView {
    /// When it is due.
    due: String,
    /// Where counting started.
    base: String,
    /// The limit.
    limit: String,
    /// The version of the calendar that counted.
    calendar: String,
    /// Whether a year without a confirmed notice was counted through, so that it may still move.
    unconfirmed: bool,
    /// How it was counted.
    explanation: Vec<LineView>,
}

/// The calendar in force.
#[utoipa::path(
    get, path = "/api/v1/calendars", tag = "calendar",
    responses((status = 200, body = All<CalendarView>, description = "The jurisdiction's calendar.")),
)]
pub(super) async fn calendars(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<CalendarView>>, Problem> {
    house.gate.permit(&caller, Act::ReadDirectory)?;
    let calendar = house.gate.registry().calendar(caller.jurisdiction)?;
    let view = CalendarView {
        code: calendar.code().to_owned(),
        version: calendar.version().to_owned(),
        zone: calendar.zone().iana_name().map(str::to_owned),
        missing_years: calendar.missing_years(house.gate.now()),
    };
    Ok(web::Json(All { items: vec![view] }))
}

/// Loads a version of the calendar; the clocks of everything that waits are then counted again by
/// it, in the background.
#[utoipa::path(
    post, path = "/api/v1/calendars", tag = "calendar",
    request_body(content = String, content_type = "text/yaml", description = "The calendar file."),
    responses((status = 201, description = "Loaded: the version's name, and where to see how far the recount is.",
        headers(("Location" = String)))),
)]
pub(super) async fn load(
    house: web::Data<House>,
    Who(caller): Who,
    Source(source): Source,
) -> Result<HttpResponse, Problem> {
    let gate = house.gate.clone();
    let version = blocking(move || gate.load_calendar(&caller, &source)).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, "/api/v1/calendars"))
        .json(serde_json::json!({ "version": version, "recount": "/api/v1/calendars/recount" })))
}

/// A due date with its line-by-line explanation.
#[utoipa::path(
    get, path = "/api/v1/calendars/due", tag = "calendar",
    responses((status = 200, body = DueView, description = "The due date.")),
    params(("base" = String, Query, description = "Where counting starts: RFC 3339."),
        ("limit" = String, Query, description = "`real('30m')`, `work('4h')`, `workdays(2)` or `days(3)`."),
        ("version" = Option<String>, Query, description = "A version of the calendar; else the one in force.")),
)]
pub(super) async fn due(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<DueView>, Problem> {
    house.gate.permit(&caller, Act::ReadDirectory)?;
    let base = query.instant("base")?.ok_or_else(|| wrong("base", "given"))?;
    let text = query.text("limit")?.ok_or_else(|| wrong("limit", "given"))?;
    let version = query.text("version")?;
    query.end()?;
    let limit: Limit =
        text.parse().map_err(|error| wrong("limit", &format!("a limit: {error}")))?;
    let due = house.gate.explain(&caller, version.as_deref(), base, &limit)?;
    let lens = Lens::of(&house, &caller)?;
    Ok(web::Json(DueView {
        due: lens.time(due.at),
        base: lens.time(base),
        limit: limit.to_string(),
        calendar: version.unwrap_or_else(|| lens.calendar.version().to_owned()),
        unconfirmed: due.unconfirmed,
        explanation: due.explanation.into_iter().map(LineView::from).collect(),
    }))
}
