//! Answers on the spot, for the desk and the units.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body, Query};
use super::view::{All, Lens, Named};
use crate::domain::spot::{SpotAnswer, SpotVersion};

/// An answer.
#[derive(Serialize, ToSchema)]
pub(super) struct SpotView {
    /// Its code.
    code: String,
    /// Its version.
    version: i64,
    /// Whose answer it is.
    unit: Named,
    /// To which kind of matter.
    category: Named,
    /// The question, in short.
    title: String,
    /// What is said to the caller.
    body: String,
    /// Words by which it is found.
    words: String,
    /// Until when it holds.
    valid_until: Option<String>,
    /// Who wrote it.
    written_by: String,
    /// When.
    written_at: String,
    /// When it was taken back.
    ended_at: Option<String>,
}

impl SpotView {
    pub(super) fn of(lens: &Lens, one: &SpotVersion) -> Self {
        let answer = &one.answer;
        Self {
            code: answer.code.clone(),
            version: one.version,
            unit: lens.unit(&answer.unit),
            category: lens.category(&answer.category),
            title: answer.title.clone(),
            body: answer.body.clone(),
            words: answer.words.clone(),
            valid_until: answer.valid_until.map(|until| lens.time(until)),
            written_by: one.made_by.clone(),
            written_at: lens.time(one.made_at),
            ended_at: one.ended_at.map(|at| lens.time(at)),
        }
    }
}

/// An answer to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpotBody {
    /// Whose answer it is.
    unit: String,
    /// To which kind of matter.
    category: String,
    /// The question, in short: 2 to 100 characters.
    title: String,
    /// What is said to the caller: 4 to 2000 characters.
    body: String,
    /// Words by which it is found besides its title, separated by spaces.
    #[serde(default)]
    words: String,
    /// Until when it holds: RFC 3339.
    valid_until: Option<String>,
}

/// Answers on the spot that hold now: all, of a category, or those that fit a text, the best first.
#[utoipa::path(
    get, path = "/api/v1/answers", tag = "directory",
    responses((status = 200, body = All<SpotView>, description = "In order of code, or of fit.")),
    params(("category" = Option<String>, Query, description = "Of this category."),
        ("q" = Option<String>, Query, description = "Words, or what the caller says.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<All<SpotView>>, Problem> {
    let (category, text) = (query.text("category")?, query.text("q")?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let mut found = house.gate.spot_answers(&caller)?;
    found.retain(|one| category.as_ref().is_none_or(|code| one.answer.category == *code));
    if let Some(text) = text {
        let fits = |one: &SpotVersion| std::cmp::Reverse(one.answer.fits(&text, &[]));
        found.retain(|one| one.answer.fits(&text, &[]) > 0);
        found.sort_by_key(fits);
    }
    Ok(web::Json(All { items: found.iter().map(|one| SpotView::of(&lens, one)).collect() }))
}

/// Every version of an answer, the newest first.
#[utoipa::path(
    get, path = "/api/v1/answers/{code}", tag = "directory",
    responses((status = 200, body = All<SpotView>, description = "Its versions.")),
    params(("code" = String, Path, description = "Its code.")),
)]
pub(super) async fn history(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<SpotView>>, Problem> {
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let all = blocking(move || gate.spot_history(&caller, &path)).await?;
    Ok(web::Json(All { items: all.iter().map(|one| SpotView::of(&lens, one)).collect() }))
}

/// Writes an answer, or a new version of it: a unit its own, desk and office any.
#[utoipa::path(
    put, path = "/api/v1/answers/{code}", tag = "directory", request_body = SpotBody,
    responses((status = 200, body = SpotView, description = "As it stands now.")),
    params(("code" = String, Path, description = "Its code.")),
)]
pub(super) async fn put(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<SpotBody>,
) -> Result<web::Json<SpotView>, Problem> {
    let until = body.valid_until.as_deref();
    let until = until.map(|text| receive::instant("valid_until", text)).transpose()?;
    let code = path.into_inner();
    let SpotBody { unit, category, title, body, words, .. } = body;
    let new = SpotAnswer { code, unit, category, title, body, words, valid_until: until };
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let written = blocking(move || {
        gate.put_spot_answer(&caller, &new)?;
        gate.spot_history(&caller.house(), &new.code)
    });
    let written = written.await?;
    let newest = written.first().ok_or_else(Problem::not_found)?;
    Ok(web::Json(SpotView::of(&lens, newest)))
}

/// Takes an answer back.
#[utoipa::path(
    delete, path = "/api/v1/answers/{code}", tag = "directory",
    responses((status = 204, description = "It is shown no longer.")),
    params(("code" = String, Path, description = "Its code.")),
)]
pub(super) async fn end(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let gate = house.gate.clone();
    blocking(move || gate.end_spot_answer(&caller, &path)).await?;
    Ok(HttpResponse::NoContent().finish())
}
