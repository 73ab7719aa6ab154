//! Duty rosters: listed, read, written, taken away.

pub(super) mod duty;
pub(super) mod handover;
pub(super) mod stand_in;
pub(super) mod transfer;

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Body;
use super::view::{All, Lens, Named, PersonName, Words};
use crate::domain::roster::{Cover, Hours, Length};
use crate::domain::{Role, Roster, Rotation, Text};

/// A roster.
#[derive(Serialize, ToSchema)]
pub(super) struct RosterView {
    /// Its code.
    code: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// The unit …
    unit: Named,
    /// … and the role in it.
    #[schema(value_type = String)]
    role: Role,
    /// The layers, which add up.
    rotations: Vec<RotationView>,
}

/// A rotation.
#[derive(Serialize, ToSchema)]
pub(super) struct RotationView {
    /// What people call it.
    #[schema(value_type = Words)]
    name: Text,
    /// Who takes turns, in order.
    people: Vec<PersonName>,
    /// The first handover, in the jurisdiction's zone.
    first: String,
    /// No turns from here on.
    until: Option<String>,
    /// How long a turn is.
    #[schema(value_type = String)]
    shift: Length,
    /// The days that are covered.
    #[schema(value_type = String)]
    days: Cover,
    /// The part of the day that is covered.
    #[schema(value_type = Option<String>)]
    hours: Option<Hours>,
}

impl RosterView {
    fn of(lens: &Lens, roster: &Roster) -> Self {
        let rotation = |rotation: &Rotation| RotationView {
            name: rotation.name.clone(),
            people: rotation.people.iter().map(|person| lens.person(*person)).collect(),
            first: rotation.first.to_string(),
            until: rotation.until.map(|until| until.to_string()),
            shift: rotation.shift,
            days: rotation.days,
            hours: rotation.hours,
        };
        Self {
            code: roster.code.clone(),
            title: roster.title.clone(),
            unit: lens.unit(&roster.unit),
            role: roster.role,
            rotations: roster.rotations.iter().map(rotation).collect(),
        }
    }
}

/// A roster to be added or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RosterBody {
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// The unit's code …
    unit: String,
    /// … and the role in it: alerts to it reach those on duty, and everybody with it when nobody is.
    #[schema(value_type = String)]
    role: Role,
    /// The layers, which add up; none: only those who are entered for spans are on duty.
    #[serde(default)]
    #[schema(value_type = Vec<RotationWords>)]
    rotations: Vec<Rotation>,
}

/// A rotation to be written.
#[derive(ToSchema)]
#[schema(as = RotationBody)]
#[expect(dead_code, reason = "only its description is used: the rotations are `domain::Rotation`")]
pub(super) struct RotationWords {
    /// What people call it.
    name: Words,
    /// The ids of those who take turns, in order.
    people: Vec<i64>,
    /// The first handover, in the jurisdiction's zone: `2026-11-23T08:30`. With `hours` it is at
    /// their beginning.
    first: String,
    /// No turns from here on.
    until: Option<String>,
    /// How long a turn is: `8h`, `1d`, `2w`. Days are those covered; weeks those of the calendar.
    shift: String,
    /// `every_day`, `working_days` or `days_off`, by the jurisdiction's calendar; a shift belongs to
    /// the day on which it begins.
    days: Option<String>,
    /// The part of the day covered: `08:30-17:30`, over midnight `17:30-08:30`.
    hours: Option<String>,
}

/// What taking a roster away means.
#[derive(Serialize, ToSchema)]
pub(super) struct RosterGone {
    /// Who is told from now on.
    #[schema(value_type = Words)]
    consequence: Text,
}

/// The rosters.
#[utoipa::path(
    get, path = "/api/v1/rosters", tag = "duty",
    responses((status = 200, body = All<RosterView>, description = "All, in order of code.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<RosterView>>, Problem> {
    let rosters = house.gate.rosters(&caller)?;
    let lens = Lens::of(&house, &caller)?;
    let items = rosters.rosters.values().map(|roster| RosterView::of(&lens, roster)).collect();
    Ok(web::Json(All { items }))
}

/// One roster.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}", tag = "duty",
    responses((status = 200, body = RosterView, description = "The roster.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<RosterView>, Problem> {
    let rosters = house.gate.rosters(&caller)?;
    let roster = rosters.rosters.get(path.as_str()).ok_or_else(Problem::not_found)?;
    Ok(web::Json(RosterView::of(&Lens::of(&house, &caller)?, roster)))
}

/// Adds or changes a roster. In force at once.
#[utoipa::path(
    put, path = "/api/v1/rosters/{code}", tag = "duty", request_body = RosterBody,
    responses((status = 200, body = RosterView, description = "The roster as it is now.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(super) async fn put(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<RosterBody>,
) -> Result<web::Json<RosterView>, Problem> {
    let RosterBody { title, unit, role, rotations } = body;
    let roster = Roster { code: path.into_inner(), title, unit, role, rotations };
    let lens = Lens::of(&house, &caller)?;
    let (gate, new) = (house.gate.clone(), roster.clone());
    blocking(move || gate.put_roster(&caller, &new)).await?;
    Ok(web::Json(RosterView::of(&lens, &roster)))
}

/// Takes a roster away, with its stand-ins; says who is told from now on.
#[utoipa::path(
    delete, path = "/api/v1/rosters/{code}", tag = "duty",
    responses((status = 200, body = RosterGone, description = "Gone, and what that means.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(super) async fn delete(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<RosterGone>, Problem> {
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let (roster, other) = blocking(move || gate.drop_roster(&caller, &code)).await?;
    let Roster { unit, role, .. } = roster;
    let consequence = if other {
        Text::new(
            format!("“{unit}”的“{role}”今后按其余值班表通知"),
            format!("alerts to `{role}` in `{unit}` go by the other rosters for it now"),
        )
    } else {
        Text::new(
            format!("今后通知“{unit}”全部“{role}”"),
            format!("alerts go to everybody with the role `{role}` in `{unit}` now"),
        )
    };
    Ok(web::Json(RosterGone { consequence }))
}
