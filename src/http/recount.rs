//! How far clocks are counted again by a new version of the calendar, and which of them moved.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Query;
use super::view::{Lens, Listed, Words};
use crate::domain::Text;
use crate::domain::event::ClockVerb;
use crate::gate::Moved;

/// How far a recount is.
#[derive(Serialize, ToSchema)]
pub(super) struct RecountView {
    /// The version of the calendar in force, by which is counted.
    version: String,
    /// Whether everything that waits is counted by it.
    done: bool,
    /// When it was begun.
    began_at: String,
    /// When it was done.
    ended_at: Option<String>,
    /// Everything is looked at twice, because of what was under way meanwhile: 1 or 2.
    round: i64,
    /// Matters looked at in this round.
    looked_at: i64,
    /// Matters to be looked at in this round.
    of: i64,
    /// Matters whose clocks were moved.
    moved: i64,
}

/// A matter whose clocks were moved.
#[derive(Serialize, ToSchema)]
pub(super) struct MovedView {
    /// The instance's public id.
    instance: String,
    /// What people call it.
    number: String,
    /// When it was counted again.
    at: String,
    /// The version of the calendar that counted.
    calendar: String,
    /// Its clocks that have another due time or another next step since.
    clocks: Vec<MovedClock>,
}

/// A clock that was moved.
#[derive(Serialize, ToSchema)]
pub(super) struct MovedClock {
    /// Its name.
    name: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// When it was due before.
    was: Option<String>,
    /// When it is due now.
    due: Option<String>,
}

impl MovedView {
    fn of(house: &House, lens: &Lens, moved: Moved) -> Result<Self, Problem> {
        let event = moved.event;
        let chart = house.gate.registry().chart(event.definition)?;
        let recounted = event.clocks.into_iter().filter(|c| c.change == ClockVerb::Recounted);
        let clocks = recounted.map(|change| MovedClock {
            title: chart.clocks.get(&change.clock).map(|s| s.title.clone()).unwrap_or_default(),
            was: change.was.map(|at| lens.time(at)),
            due: change.due.map(|at| lens.time(at)),
            name: change.clock,
        });
        Ok(Self {
            instance: lens.id(event.instance),
            number: moved.number,
            at: lens.time(event.recorded_at),
            calendar: event.calendar,
            clocks: clocks.collect(),
        })
    }
}

/// How far the clocks of everything that waits are counted by the calendar in force.
#[utoipa::path(
    get, path = "/api/v1/calendars/recount", tag = "calendar",
    responses((status = 200, body = RecountView, description = "For those who may operate the service.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<RecountView>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let progress = blocking(move || gate.recount_seen(&caller)).await?;
    Ok(web::Json(RecountView {
        done: progress.ended_at.is_some(),
        began_at: lens.time(progress.began_at),
        ended_at: progress.ended_at.map(|at| lens.time(at)),
        round: progress.round,
        looked_at: progress.looked,
        of: progress.of,
        moved: progress.moved,
        version: progress.version,
    }))
}

/// The matters whose clocks new versions of the calendar moved, newest first.
#[utoipa::path(
    get, path = "/api/v1/calendars/recount/moved", tag = "calendar",
    responses((status = 200, body = Listed<MovedView>,
        description = "A page, with old and new due times; for those who may operate the service.")),
    params(("cursor" = Option<i64>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn moved(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<MovedView>>, Problem> {
    let before = query.number("cursor", 1..=i64::MAX)?;
    let limit = query.limit()?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let page = blocking(move || gate.moved(&caller, before, limit)).await?;
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|moved| moved.position.to_string());
    let items = page.items.into_iter().map(|moved| MovedView::of(&house, &lens, moved));
    Ok(web::Json(Listed { items: items.collect::<Result<_, _>>()?, next }))
}
