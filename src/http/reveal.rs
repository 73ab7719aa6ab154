//! Who called: shown for a purpose that is recorded, handed to the caller, put right and erased for a reason.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::Problem;
use super::receive::Body;
use super::spoken::{Call, Spoken};
use super::view::{Lens, Summary};
use crate::domain::InstanceId;
use crate::engine::{CALL, CORRECT, ERASE, REASON};
use crate::gate::{Caller, KeptMatter, Request, Target, Voice};

/// What for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PurposeBody {
    /// In 4 to 300 characters: it stands in the history of the matter.
    #[schema(example = "核实退回理由，需联系来电人")]
    purpose: String,
}

/// Who called.
#[derive(Serialize, ToSchema)]
pub(super) struct Revealed {
    /// Of each input what was given first.
    #[schema(value_type = Object)]
    personal: BTreeMap<String, String>,
    /// What later events brought.
    calls: Vec<Call>,
}

/// Shows who called. That it was shown, to whom and for what, is recorded on the matter first.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/reveal", tag = "matters", request_body = PurposeBody,
    responses((status = 200, body = Revealed, description = "Who called.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn reveal(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<PurposeBody>,
) -> Result<web::Json<Revealed>, Problem> {
    let id = id(&house, &path)?;
    let voices = house.gate.reveal(&caller, id, &body.purpose).await?;
    let Spoken { personal, calls, .. } = Spoken::of(&Lens::of(&house, &caller)?, voices);
    Ok(web::Json(Revealed { personal, calls }))
}

/// Whose data, and what for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallerBody {
    /// The caller's number, however it is written.
    #[schema(example = "000-0000-0001")]
    phone: String,
    /// In 4 to 300 characters, without a name: it stands in the history of each matter.
    #[schema(example = "来电人要求查阅本人信息")]
    purpose: String,
    /// Only matters before this one: `next` of the answer before.
    before: Option<String>,
}

/// What came from a caller by one event.
#[derive(Serialize, ToSchema)]
pub(super) struct KeptCall {
    /// The event's number; 0: the opening.
    seq: i64,
    /// What was said, and who said it, by input.
    #[schema(value_type = Object)]
    personal: BTreeMap<String, String>,
    /// Whether it is recorded that the caller was told how it went.
    told: bool,
}

/// What is kept of a caller in one matter.
#[derive(Serialize, ToSchema)]
pub(super) struct KeptMatterView {
    /// The matter as lists show it.
    matter: Summary,
    /// What came from the caller's number.
    calls: Vec<KeptCall>,
}

/// What is kept of a caller.
#[derive(Serialize, ToSchema)]
pub(super) struct CallerExport {
    /// When this was put together.
    made_at: String,
    /// The matters, the newest first.
    items: Vec<KeptMatterView>,
    /// To be given as `before` for more; null: that was all.
    next: Option<String>,
}

/// Everything kept of one caller, to be handed to the caller: every matter under the number, and of each
/// what came from it. That it was shown, to whom and for what, is recorded on each matter first.
#[utoipa::path(
    post, path = "/api/v1/callers/export", tag = "matters", request_body = CallerBody,
    responses((status = 200, body = CallerExport, description = "What is kept of the caller.")),
)]
pub(super) async fn export(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<CallerBody>,
) -> Result<web::Json<CallerExport>, Problem> {
    let before = body.before.as_deref().map(|before| id(&house, before)).transpose()?;
    let of = (body.phone.as_str(), body.purpose.as_str());
    let found = house.gate.export_caller(&caller, of, before).await?;
    let lens = Lens::of(&house, &caller)?;
    let call = |voice: Voice| KeptCall { seq: voice.seq, personal: voice.open, told: voice.told };
    let items = found.matters.into_iter().map(|KeptMatter { seen, calls }| KeptMatterView {
        matter: Summary::of(&lens, &seen, false),
        calls: calls.into_iter().map(call).collect(),
    });
    Ok(web::Json(CallerExport {
        made_at: lens.time(house.gate.now()),
        items: items.collect(),
        next: found.next.map(|id| lens.id(id)),
    }))
}

/// What is right.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrectionBody {
    /// In 4 to 300 characters, without what is corrected: it stands in the history of the matter.
    #[schema(example = "来电人来电更正本人号码")]
    reason: String,
    /// The event that brought the call (`seq` of `calls`); left out: the opening.
    call: Option<i64>,
    /// Who called, as it is right, by input: name, number, address.
    #[schema(value_type = Object, example = json!({ "caller_phone": "000-0000-0002" }))]
    personal: BTreeMap<String, String>,
}

/// Puts right what is kept of who called. The history says that it was done, by whom and why, not what it
/// was and is; the chain of events holds only another digest.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/correct", tag = "matters", request_body = CorrectionBody,
    responses((status = 204, description = "Corrected.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn correct(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<CorrectionBody>,
) -> Result<HttpResponse, Problem> {
    let mut input: Map<String, Json> =
        body.personal.into_iter().map(|(name, text)| (name, text.into())).collect();
    // These two are not among what callers say of themselves.
    input.insert(REASON.to_owned(), body.reason.into());
    input.insert(CALL.to_owned(), body.call.unwrap_or(1).into());
    word(&house, caller, (id(&house, &path)?, CORRECT), input).await
}

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReasonBody {
    /// In 4 to 300 characters, without a name: it stands in the history of the matter.
    #[schema(example = "来电人依法要求删除个人信息")]
    reason: String,
}

/// Erases what callers of a closed matter said and who they are. The case stays, and so does its
/// chain of events, which held only digests.
#[utoipa::path(
    post, path = "/api/v1/instances/{id}/erase", tag = "matters", request_body = ReasonBody,
    responses((status = 204, description = "Erased.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn erase(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<ReasonBody>,
) -> Result<HttpResponse, Problem> {
    let mut input = Map::new();
    input.insert(REASON.to_owned(), body.reason.into());
    word(&house, caller, (id(&house, &path)?, ERASE), input).await
}

/// Word of a caller, for a matter.
async fn word(
    house: &House,
    caller: Caller,
    (id, command): (InstanceId, &str),
    input: Map<String, Json>,
) -> Result<HttpResponse, Problem> {
    let request = Request {
        caller,
        target: Target::Instance(id),
        command: command.to_owned(),
        input,
        occurred_at: None,
        key: None,
        if_version: None,
        about: None,
    };
    house.gate.submit(request).await?;
    Ok(HttpResponse::NoContent().finish())
}
