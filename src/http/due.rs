//! Calendars, and due dates explained.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::history::LineView;
use super::problem::{Problem, blocking};
use super::proposal;
use super::receive::{Query, Source, wrong};
use super::view::{All, Lens};
use crate::calendar::Limit;
use crate::gate::{Motion, NewCalendar};
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

/// A version of the calendar with its days and hours.
#[derive(Serialize, ToSchema)]
pub(super) struct CalendarDays {
    /// Its code.
    code: String,
    /// The version.
    version: String,
    /// The zone of its days and hours.
    zone: Option<String>,
    /// Office hours by season.
    hours: Vec<SeasonView>,
    /// The years that it knows more of than Monday to Friday.
    years: Vec<YearView>,
}

/// Office hours of one part of the year.
#[derive(Serialize, ToSchema)]
pub(super) struct SeasonView {
    /// The first day, `MM-DD`.
    from: String,
    /// The last day, `MM-DD`.
    to: String,
    /// Spans, `HH:MM-HH:MM`.
    spans: Vec<String>,
}

/// What a notice says of a year.
#[derive(Serialize, ToSchema)]
pub(super) struct YearView {
    /// The year.
    year: i16,
    /// Whether its notice is in.
    confirmed: bool,
    /// Days made off.
    off: Vec<String>,
    /// Weekend days made workdays.
    worked: Vec<String>,
}

/// A version of the calendar with its days and hours.
#[utoipa::path(
    get, path = "/api/v1/calendars/{version}", tag = "calendar",
    responses((status = 200, body = CalendarDays, description = "The days and hours.")),
    params(("version" = String, Path, description = "A version that was loaded.")),
)]
pub(super) async fn calendar(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<CalendarDays>, Problem> {
    house.gate.permit(&caller, Act::ReadDirectory)?;
    let calendar = house.gate.calendar(&caller, &path)?;
    let outline = calendar.outline();
    let dates = |dates: Vec<jiff::civil::Date>| dates.iter().map(ToString::to_string).collect();
    let hours = outline.hours.into_iter();
    let years = outline.years.into_iter().map(|year| YearView {
        year: year.year,
        confirmed: year.confirmed,
        off: dates(year.off),
        worked: dates(year.worked),
    });
    Ok(web::Json(CalendarDays {
        code: calendar.code().to_owned(),
        version: calendar.version().to_owned(),
        zone: calendar.zone().iana_name().map(str::to_owned),
        hours: hours.map(|(from, to, spans)| SeasonView { from, to, spans }).collect(),
        years: years.collect(),
    }))
}

/// The figures of a quarter that was closed.
#[utoipa::path(
    get, path = "/api/v1/quarters/{name}", tag = "matters",
    responses((status = 200, body = Object, description = "Matters opened in the quarter, by status \
        at its closing.")),
    params(("name" = String, Path, description = "Such as `2026Q3`.")),
)]
pub(super) async fn quarter(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<serde_json::Value>, Problem> {
    let (gate, name) = (house.gate.clone(), path.into_inner());
    blocking(move || gate.quarter(&caller, &name)).await.map(web::Json)
}

/// Loads a version of the calendar; the clocks of everything that waits are then counted again by
/// it, in the background.
#[utoipa::path(
    post, path = "/api/v1/calendars", tag = "calendar",
    request_body(content = String, content_type = "text/yaml", description = "The calendar file."),
    responses((status = 201, description = "Loaded: the version's name, and where to see how far the recount is.",
        headers(("Location" = String))),
        (status = 202, body = proposal::ProposalView, description = "Proposed: a second person approves it.",
            headers(("Location" = String)))),
    params(("drop_years" = Option<bool>, Query, description = "Whether it may lack notices of days \
        off that the calendar in force has: without it, such a file is refused.")),
)]
pub(super) async fn load(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
    Source(source): Source,
) -> Result<HttpResponse, Problem> {
    let new = NewCalendar { source, drop_years: query.flag("drop_years")? };
    query.end()?;
    let motion = Motion::Calendar(new.clone());
    if let Some(proposed) = proposal::instead(&house, &caller, motion).await? {
        return Ok(proposed);
    }
    let gate = house.gate.clone();
    let version = blocking(move || gate.load_calendar(&caller, &new)).await?;
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
    let base = query.instant("base")?.ok_or_else(|| wrong("base", "给出的起算时间", "given"))?;
    let text = query.text("limit")?.ok_or_else(|| wrong("limit", "给出的时限", "given"))?;
    let version = query.text("version")?;
    query.end()?;
    let limit: Limit = text.parse().map_err(|error| {
        let zh = "时限，例如real('30m')、work('4h')、workdays(2)、days(3)";
        wrong("limit", zh, &format!("a limit: {error}"))
    })?;
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
