//! What is suggested for a call while it is typed.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Body;
use super::view::{Lens, Words};
use crate::domain::Text;
use crate::routing::suggestion::Candidate;

/// A call, as far as it is typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuggestBody {
    /// What the caller says.
    text: String,
}

/// What is suggested.
#[derive(Serialize, ToSchema)]
pub(super) struct SuggestionView {
    /// `divert`, `ask` (put the question first) or `keep` (for the police).
    verdict: &'static str,
    /// Whether somebody seems to be in danger now.
    emergency: bool,
    /// How likely it is a matter of the police, in thousandths.
    kept_per_mille: u16,
    /// How likely the first unit is right, in thousandths.
    confidence_per_mille: u16,
    /// Units, the likeliest first.
    units: Vec<CandidateView>,
    /// Categories, the likeliest first.
    categories: Vec<CandidateView>,
    /// The question to put to the caller, when in doubt: yes keeps the call.
    #[schema(value_type = Option<Words>)]
    question: Option<Text>,
    /// Why, and what would change it.
    reasons: Vec<ReasonView>,
    /// Which model said so.
    model: String,
}

/// A unit or category.
#[derive(Serialize, ToSchema)]
pub(super) struct CandidateView {
    /// Its code.
    code: String,
    /// Its name, if it is in the directory.
    #[schema(value_type = Option<Words>)]
    name: Option<Text>,
    /// How likely, in thousandths.
    per_mille: u16,
}

/// A reason.
#[derive(Serialize, ToSchema)]
pub(super) struct ReasonView {
    /// `words`, `clause`, `danger`, `grammar`, `model` or `change`.
    kind: String,
    /// In words.
    #[schema(value_type = Words)]
    text: Text,
}

/// What is suggested for a text, ranked, with reasons. Nothing is stored; what was suggested is kept
/// when the call is registered.
#[utoipa::path(
    post, path = "/api/v1/routing/suggest", tag = "matters",
    request_body(content = SuggestBody, examples(
        ("noise" = (summary = "Night noise", value = json!({ "text": "工地半夜还在打桩，娃儿明天考试" }))),
        ("danger" = (summary = "Kept by the police", value = json!({ "text": "厨房起火了，老人还在里头" }))),
    )),
    responses((status = 200, body = SuggestionView, description = "Units and categories in order, and what to do.")),
)]
pub(super) async fn suggest(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<SuggestBody>,
) -> Result<web::Json<SuggestionView>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let said = blocking(move || gate.suggest(&caller, &body.text)).await?;
    let units = |one: Candidate| {
        let name = lens.unit(&one.code).name;
        CandidateView { code: one.code, name, per_mille: one.per_mille }
    };
    let categories = |one: Candidate| {
        let known = lens.directory.categories.get(&one.code);
        CandidateView {
            name: known.map(|known| known.name.clone()),
            code: one.code,
            per_mille: one.per_mille,
        }
    };
    Ok(web::Json(SuggestionView {
        verdict: said.verdict.as_str(),
        emergency: said.emergency,
        kept_per_mille: said.kept_per_mille,
        confidence_per_mille: said.confidence_per_mille,
        units: said.units.into_iter().map(units).collect(),
        categories: said.categories.into_iter().map(categories).collect(),
        question: said.question,
        reasons: said
            .reasons
            .into_iter()
            .map(|one| ReasonView { kind: one.kind, text: one.text })
            .collect(),
        model: said.model,
    }))
}
