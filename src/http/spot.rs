//! Answers on the spot, for the desk and the units.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body, Query};
use super::view::{All, Lens, Named};
use crate::domain::spot::{SpotAnswer, SpotState, SpotVersion};

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

/// Answers on the spot, those that hold now unless `state` says otherwise: all, of a category or a unit, or
/// those that fit a text, the best first.
#[utoipa::path(
    get, path = "/api/v1/answers", tag = "directory",
    responses((status = 200, body = All<SpotView>, description = "In order of code, or of fit.")),
    params(("category" = Option<String>, Query, description = "Of this category."),
        ("unit" = Option<String>, Query,
            description = "Of this unit, with those of units that were merged into it."),
        ("state" = Option<String>, Query, description = "`current` (else this), `lapsed` (past \
            `valid_until`, and neither renewed nor taken back) or `ended` (taken back)."),
        ("q" = Option<String>, Query, description = "Words, or what the caller says; words are looked \
            for in title, answer and words to find it by.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<All<SpotView>>, Problem> {
    let (category, unit) = (query.text("category")?, query.text("unit")?);
    let (state, text) = (query.text("state")?, query.text("q")?);
    query.end()?;
    let state = state.map_or(Some(SpotState::Current), |code| SpotState::from_code(&code));
    let state = state.ok_or_else(|| {
        receive::wrong("state", "current、lapsed、ended之一", "one of current, lapsed, ended")
    })?;
    let lens = Lens::of(&house, &caller)?;
    let directory = &lens.directory;
    if unit.as_ref().is_some_and(|code| !directory.units.contains_key(code)) {
        return Err(receive::wrong("unit", "部门代码", "the code of a unit"));
    }
    let is_of = |answer: &SpotAnswer, code: &str| {
        answer.unit == code || directory.heir(&answer.unit) == code
    };
    let mut found = house.gate.spot_answers(&caller, state)?;
    found.retain(|one| category.as_ref().is_none_or(|code| one.answer.category == *code));
    found.retain(|one| unit.as_ref().is_none_or(|code| is_of(&one.answer, code)));
    if let Some(text) = text {
        found.retain(|one| one.answer.found(&text) > 0);
        found.sort_by_key(|one| std::cmp::Reverse(one.answer.found(&text)));
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

/// Writes an answer, or a new version of it: a unit its own and those of units that were merged into it, desk
/// and office any. A code stays its unit's, also when its answer was taken back.
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
