//! Who stands in, and shifts exchanged.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{PersonId, StandIn};
use crate::gate::{Named, NewStandIn, StandInFilter};
use crate::http::House;
use crate::http::caller::Who;
use crate::http::problem::{Problem, blocking};
use crate::http::receive::{Body, Query, instant};
use crate::http::view::{All, Lens, Listed, PersonName};

/// Somebody stands in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StandInView {
    /// Its id.
    id: i64,
    /// From here …
    from: String,
    /// … until before here.
    until: String,
    /// Who comes; null: nobody.
    person: Option<PersonName>,
    /// Who goes, as far as on duty then; null: the other comes besides.
    instead_of: Option<PersonName>,
    /// The swap of which it is one half.
    swap: Option<i64>,
    /// Whether it counts: a swap only when it was agreed to.
    in_force: bool,
    /// When the swap was agreed to.
    agreed_at: Option<String>,
    /// Why.
    note: String,
    /// By whom.
    made_by: String,
    /// When.
    made_at: String,
}

impl StandInView {
    fn of(lens: &Lens, one: &StandIn) -> Self {
        Self {
            id: one.id,
            from: lens.time(one.from),
            until: lens.time(one.until),
            person: one.person.map(|person| lens.person(person)),
            instead_of: one.instead_of.map(|person| lens.person(person)),
            swap: one.swap,
            in_force: one.in_force(),
            agreed_at: one.agreed_at.map(|at| lens.time(at)),
            note: one.note.clone(),
            made_by: one.made_by.clone(),
            made_at: lens.time(one.made_at),
        }
    }
}

/// A stand-in to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct StandInBody {
    /// From here: RFC 3339 …
    from: String,
    /// … until before here.
    until: String,
    /// Who comes: a person's id; null: nobody.
    person: Option<i64>,
    /// Who goes, as far as on duty then; null: the other comes besides.
    instead_of: Option<i64>,
    /// Why.
    #[serde(default)]
    note: String,
}

/// A shift: who is on duty, and any instant within it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NamedShift {
    /// Who: a person's id.
    person: i64,
    /// When: RFC 3339.
    at: String,
}

/// Two shifts to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct SwapBody {
    /// One shift …
    give: NamedShift,
    /// … for the other.
    take: NamedShift,
    /// Why.
    #[serde(default)]
    note: String,
}

impl NamedShift {
    fn read(&self, name: &str) -> Result<Named, Problem> {
        Ok(Named { person: PersonId(self.person), at: instant(name, &self.at)? })
    }
}

/// Stand-ins and swaps, in order of id.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/stand-ins", tag = "duty",
    responses((status = 200, body = Listed<StandInView>, description = "One page.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("from" = Option<String>, Query, description = "Those that end later: RFC 3339."),
        ("until" = Option<String>, Query, description = "Those that begin earlier: RFC 3339."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(in crate::http) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<StandInView>>, Problem> {
    let (from, until) = (query.instant("from")?, query.instant("until")?);
    let after = query.number("cursor", 0..=i64::MAX)?.unwrap_or(0);
    let limit = query.limit()?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let rows = blocking(move || {
        let roster = Some(code.as_str());
        let limit = Some(limit + 1);
        gate.stand_ins(&caller, StandInFilter { roster, from, until, after, limit })
    });
    let mut rows = rows.await?;
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > kept;
    rows.truncate(kept);
    let next = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let items = rows.iter().map(|row| StandInView::of(&lens, row)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// Adds a stand-in: instead of somebody, besides the others, or nobody instead of somebody.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/stand-ins", tag = "duty", request_body = StandInBody,
    responses((status = 201, body = StandInView, description = "The stand-in.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(in crate::http) async fn add(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<StandInBody>,
) -> Result<HttpResponse, Problem> {
    let new = NewStandIn {
        from: instant("from", &body.from)?,
        until: instant("until", &body.until)?,
        person: body.person.map(PersonId),
        instead_of: body.instead_of.map(PersonId),
        note: body.note,
    };
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let made = blocking(move || gate.add_stand_in(&caller, &code, &new)).await?;
    Ok(HttpResponse::Created().json(StandInView::of(&lens, &made)))
}

/// Takes a stand-in away; one that has begun ends now. Both halves of a swap go together.
#[utoipa::path(
    delete, path = "/api/v1/rosters/{code}/stand-ins/{id}", tag = "duty",
    responses((status = 204, description = "Gone, or ended.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("id" = i64, Path, description = "The stand-in's id.")),
)]
pub(in crate::http) async fn remove(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (code, id) = path.into_inner();
    let id = number(&id)?;
    let gate = house.gate.clone();
    blocking(move || gate.drop_stand_in(&caller, &code, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn number(text: &str) -> Result<i64, Problem> {
    text.parse().map_err(|_no_number| Problem::not_found())
}

/// Proposes that two shifts are exchanged; in force when the other of the two, or who keeps
/// rosters, agrees.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/swaps", tag = "duty", request_body = SwapBody,
    responses((status = 201, body = All<StandInView>, description = "Both halves.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(in crate::http) async fn propose(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<SwapBody>,
) -> Result<HttpResponse, Problem> {
    let shifts = (body.give.read("give.at")?, body.take.read("take.at")?);
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let ask = move || gate.propose_swap(&caller, &code, shifts, &body.note);
    let halves = blocking(ask).await?;
    let items = halves.iter().map(|half| StandInView::of(&lens, half)).collect();
    Ok(HttpResponse::Created().json(All::<StandInView> { items }))
}

/// Agrees to a swap.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/swaps/{id}/agree", tag = "duty",
    responses((status = 204, description = "In force.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("id" = i64, Path, description = "The swap's number.")),
)]
pub(in crate::http) async fn agree(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (code, swap) = path.into_inner();
    let swap = number(&swap)?;
    let gate = house.gate.clone();
    blocking(move || gate.agree_swap(&caller, &code, swap)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Declines a swap, or takes one's own proposal back.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/swaps/{id}/decline", tag = "duty",
    responses((status = 204, description = "Gone.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("id" = i64, Path, description = "The swap's number.")),
)]
pub(in crate::http) async fn decline(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (code, swap) = path.into_inner();
    let swap = number(&swap)?;
    let gate = house.gate.clone();
    blocking(move || gate.decline_swap(&caller, &code, swap)).await?;
    Ok(HttpResponse::NoContent().finish())
}
