//! What is suggested for a call while it is typed.

use std::collections::BTreeMap;

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Body;
use super::spot::SpotView;
use super::view::{Lens, Named, Summary, Words};
use crate::chart::routed::SAME_CALLER;
use crate::domain::{Text, Value};
use crate::gate::{Repeat, Typed, number_of as family_number};
use crate::routing::Circumstances;
use crate::routing::catalogued::Asked;
use crate::routing::suggestion::{Candidate, Reason};

/// A call, as far as it is typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuggestBody {
    /// What the caller says.
    text: String,
    /// Where it is, as far as it is known: whose township it is, and which calls it may repeat.
    #[serde(default)]
    place: String,
    /// The category, once the desk has chosen one.
    category: Option<String>,
    /// What the caller answered to `questions`, by code: true for yes.
    #[serde(default)]
    answers: BTreeMap<String, bool>,
    /// From which number: for calls that repeat another one, if you may see who called. It is not kept.
    #[serde(default)]
    phone: String,
}

/// What is suggested.
#[derive(Serialize, ToSchema)]
pub(super) struct SuggestionView {
    /// `divert`, `ask` (put the question first; so also while no router is trained) or `keep` (for the police).
    verdict: &'static str,
    /// Whether somebody seems to be in danger now.
    emergency: bool,
    /// How likely it is a matter of the police, in thousandths.
    kept_per_mille: u16,
    /// How likely the first unit is right, in thousandths.
    confidence_per_mille: u16,
    /// Units, the likeliest first; in doubt the police stand third, whatever their share. None while no router is
    /// trained.
    units: Vec<CandidateView>,
    /// The sub-unit of the first unit that has such matters at this place.
    sub_unit: Option<Named>,
    /// Categories, the likeliest first; while no router is trained, that of the request only.
    categories: Vec<CategoryCandidate>,
    /// The category under which the police would have it, unless the desk names another one with
    /// `send_police`; none where the call may be diverted.
    kept_category: Option<Named>,
    /// The question to put to the caller, when in doubt: yes keeps the call.
    #[schema(value_type = Option<Words>)]
    question: Option<Text>,
    /// What to ask the caller about the first category, each answered with one tap: `answers` of the next
    /// request, and of the registration.
    questions: Vec<AskedView>,
    /// Whether the police may have to go first (`send_police`) …
    police_first: bool,
    /// … and which units the catalogue names to go with them (`joint_units` of that command).
    joint_units: Vec<Named>,
    /// Why, and what would change it.
    reasons: Vec<ReasonView>,
    /// What can be answered on the spot, the best first.
    answers: Vec<SpotView>,
    /// Matters that this call may repeat, the likeliest first; of none for who does not see them all.
    repeats: Vec<RepeatView>,
    /// Which model said so; empty while no router is trained.
    model: String,
}

/// A unit.
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

/// A category.
#[derive(Serialize, ToSchema)]
pub(super) struct CategoryCandidate {
    /// Its code.
    code: String,
    /// Its name, if it is in the directory.
    #[schema(value_type = Option<Words>)]
    name: Option<Text>,
    /// How likely, in thousandths.
    per_mille: u16,
    /// What such a call usually is, for the field `kind`.
    kind: Option<String>,
}

/// A question of a category.
#[derive(Serialize, ToSchema)]
pub(super) struct AskedView {
    /// Its code.
    code: String,
    /// The question.
    #[schema(value_type = Words)]
    ask: Text,
    /// Of which category.
    category: Named,
}

/// A reason.
#[derive(Serialize, ToSchema)]
pub(super) struct ReasonView {
    /// `precedent`, `answer`, `territory`, `catalogue`, `law`, `words`, `clause`, `danger`, `grammar`,
    /// `model`, `unread` (the text cannot be read, or no router is trained) or `change`.
    kind: String,
    /// In words.
    #[schema(value_type = Words)]
    text: Text,
}

impl ReasonView {
    fn of(reason: Reason) -> Self {
        Self { kind: reason.kind, text: reason.text }
    }
}

/// A matter that the call may repeat.
#[derive(Serialize, ToSchema)]
pub(super) struct RepeatView {
    /// How it stands.
    matter: Summary,
    /// Its place.
    place: Option<String>,
    /// How much the texts are alike, in thousandths.
    likeness_per_mille: u16,
    /// Why it is shown: `same_caller`, `same_place`, `near_place`, `same_category`, `same_matter`, `counted`.
    why: Vec<ReasonView>,
    /// What one tap would do, the better first.
    taps: Vec<Tap>,
}

/// A request that a client may send as it stands, but for what the caller said.
#[derive(Serialize, ToSchema)]
pub(super) struct Tap {
    /// `attach`: one more caller of that matter. `link`: a matter of its own that names the other. `merge`: the
    /// matter goes on in the other.
    pub(super) kind: &'static str,
    /// In words.
    #[schema(value_type = Words)]
    pub(super) title: Text,
    /// Posted to this path …
    pub(super) path: String,
    /// … with this in the body, and what the caller said in its `input`.
    #[schema(value_type = Object)]
    pub(super) body: Json,
}

impl RepeatView {
    /// A matter, with what can be done about it.
    pub(super) fn of(lens: &Lens, repeat: &Repeat, taps: Vec<Tap>) -> Self {
        let instance = &repeat.seen.instance;
        Self {
            matter: Summary::of(lens, &repeat.seen, false),
            place: instance.fields.get("place").and_then(Value::as_text).map(str::to_owned),
            likeness_per_mille: repeat.likeness,
            why: repeat.why.iter().cloned().map(ReasonView::of).collect(),
            taps,
        }
    }

    /// One for a call that is typed.
    fn of_typed(lens: &Lens, repeat: &Repeat) -> Self {
        let instance = &repeat.seen.instance;
        let attach = repeat.attach.as_ref().map(|command| Tap {
            kind: "attach",
            title: Text::new("登记为该事项的重复来电", "One more caller of that matter"),
            path: format!("/api/v1/referrals/{}/commands", lens.id(instance.id)),
            body: json!({ "command": command, "input": said_before(repeat, command) }),
        });
        let number = family_number(instance.family);
        let link = Tap {
            kind: "link",
            title: Text::new("另行登记并关联", "A matter of its own that names the other"),
            path: "/api/v1/referrals".to_owned(),
            body: json!({ "input": { "linked_to": number } }),
        };
        Self::of(lens, repeat, attach.into_iter().chain([link]).collect())
    }
}

/// Whom the number shows to have called before is no further caller to be told.
fn said_before(repeat: &Repeat, command: &str) -> Json {
    let spec = repeat.seen.chart.command(command);
    let known = spec.is_some_and(|spec| spec.input.iter().any(|input| input.name == SAME_CALLER));
    if repeat.same_caller && known { json!({ SAME_CALLER: true }) } else { json!({}) }
}

/// What is suggested for a text, ranked, with reasons. Nothing is stored; what was suggested is kept
/// when the call is registered. While no router is trained nobody reads the text: `verdict` is `ask`, no units
/// are named, and `repeats` and `answers` are shown all the same.
#[utoipa::path(
    post, path = "/api/v1/routing/suggest", tag = "matters",
    request_body(content = SuggestBody, examples(
        ("noise" = (summary = "Night noise", value = json!({ "text": "工地半夜还在打桩，娃儿明天考试" }))),
        ("outage" = (summary = "One of many callers", value = json!({ "text": "我们这边也停电了",
            "place": "城关街道解放路", "phone": "000-0000-0000" }))),
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
    let SuggestBody { text, place, category, answers, phone } = body;
    let circumstances = Circumstances { place, category, answers };
    let typed = Typed { text, circumstances, phone };
    let (said, repeats, answers) = blocking(move || {
        let (said, traits) = gate.suggest(&caller, &typed)?;
        let repeats = gate.repeats(&caller, &typed, (&said, &traits))?;
        let codes: Vec<&str> = said.categories.iter().map(|one| one.code.as_str()).collect();
        let answers = gate.spot_found(&caller, &typed.text, &codes)?;
        Ok((said, repeats, answers))
    })
    .await?;
    let units = |one: Candidate| {
        let name = lens.unit(&one.code).name;
        CandidateView { code: one.code, name, per_mille: one.per_mille }
    };
    let categories = |one: Candidate| {
        let name = lens.category(&one.code).name;
        let kind = lens.category_kind(&one.code);
        CategoryCandidate { code: one.code, name, per_mille: one.per_mille, kind }
    };
    let asked = |one: Asked| AskedView {
        code: one.code,
        ask: one.ask,
        category: lens.category(&one.category),
    };
    Ok(web::Json(SuggestionView {
        verdict: said.verdict.as_str(),
        emergency: said.emergency,
        kept_per_mille: said.kept_per_mille,
        confidence_per_mille: said.confidence_per_mille,
        units: said.units.into_iter().map(units).collect(),
        sub_unit: said.sub_unit.as_deref().map(|unit| lens.unit(unit)),
        categories: said.categories.into_iter().map(categories).collect(),
        kept_category: said.kept_category.as_deref().map(|code| lens.category(code)),
        question: said.question,
        questions: said.questions.into_iter().map(asked).collect(),
        police_first: said.police_first,
        joint_units: said.joint_units.iter().map(|unit| lens.unit(unit)).collect(),
        reasons: said.reasons.into_iter().map(ReasonView::of).collect(),
        answers: answers.iter().map(|one| SpotView::of(&lens, one)).collect(),
        repeats: repeats.iter().map(|repeat| RepeatView::of_typed(&lens, repeat)).collect(),
        model: said.model,
    }))
}
