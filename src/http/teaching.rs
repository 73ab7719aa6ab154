//! What the house learns from rulings, as people look at it and decide.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance;
use super::problem::{Problem, blocking};
use super::receive::{Body, Query};
use super::view::{Lens, Listed, Named};
use crate::domain::{InstanceId, Instant};
use crate::gate::{Caller, Elsewhere, Followed, Gate, Proposal, Ruling};

/// A ruling that the router goes by.
#[derive(Serialize, ToSchema)]
pub(super) struct PrecedentView {
    /// The ruled matter's public id.
    id: String,
    /// Its number.
    number: String,
    /// When it was ruled.
    ruled_at: String,
    /// By whom.
    ruled_by: String,
    /// To which unit.
    unit: Named,
    /// The matter's category.
    category: Named,
    /// Why.
    reason: String,
    /// The township that it is for; none: for all.
    territory: Option<Named>,
    /// From when on it is gone by.
    valid_from: String,
    /// Until when, if it ends.
    valid_until: Option<String>,
    /// Whether the router goes by it now.
    in_force: bool,
}

impl PrecedentView {
    fn of(lens: &Lens, row: &crate::gate::PrecedentRow, now: Instant) -> Self {
        let from = row.valid_from.unwrap_or(row.at);
        Self {
            id: lens.id(row.instance),
            number: crate::gate::number_of(row.instance),
            ruled_at: lens.time(row.at),
            ruled_by: row.made_by.clone(),
            unit: lens.unit(&row.unit),
            category: lens.category(&row.category),
            reason: row.reason.clone(),
            territory: row.territory.as_deref().map(|township| lens.unit(township)),
            valid_from: lens.time(from),
            valid_until: row.valid_until.map(|until| lens.time(until)),
            in_force: row.withdrawn_at.is_none()
                && from <= now
                && row.valid_until.is_none_or(|until| now < until),
        }
    }
}

/// A change of the catalogue that a ruling proposes.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangeProposed {
    /// The ruling that proposes it.
    precedent: PrecedentView,
    /// The category's units as they are, the usual one first.
    before: Vec<Named>,
    /// As they would be.
    after: Vec<Named>,
    /// The category was replayed as far back as this …
    replayed_since: String,
    /// … so many of its matters had gone to a unit …
    replayed: i64,
    /// … and so many of them would have gone to another one.
    would_move: i64,
    /// The newest 50 of these.
    moved: Vec<WouldMove>,
    /// So many more: `GET /api/v1/routing/proposals/{id}/moved`.
    left_off: i64,
    /// `open`, `agreed` (a second person has to agree), `accepted` or `rejected`.
    state: &'static str,
    /// Who agreed first, or decided.
    by: Option<String>,
    /// When it was decided.
    decided_at: Option<String>,
    /// Why.
    note: Option<String>,
}

/// A matter that would have gone elsewhere.
#[derive(Serialize, ToSchema)]
pub(super) struct WouldMove {
    /// Its public id.
    id: String,
    /// Its number.
    number: String,
    /// The unit that it went to first.
    first_unit: Named,
    /// How like the ruled one it is, in thousandths; none where the text was erased or never read.
    likeness_per_mille: Option<u16>,
}

impl WouldMove {
    fn of(lens: &Lens, moved: &Elsewhere) -> Self {
        Self {
            id: lens.id(moved.instance),
            number: crate::gate::number_of(moved.instance),
            first_unit: lens.unit(&moved.first),
            likeness_per_mille: moved.likeness,
        }
    }
}

/// A page of precedents.
#[derive(Serialize, ToSchema)]
pub(super) struct Precedents {
    /// What is on it.
    items: Vec<PrecedentView>,
    /// The `cursor` of the next page; null on the last one.
    next: Option<String>,
    /// So many there are that were neither withdrawn nor are over …
    living: i64,
    /// … and so many of these, the newest, the router goes by. That it is fewer is an alarm, too
    /// (`precedents_left_out`).
    followed: i64,
}

impl ChangeProposed {
    fn of(lens: &Lens, proposal: &Proposal, now: Instant) -> Self {
        let row = &proposal.precedent;
        let names = |units: &[String]| units.iter().map(|unit| lens.unit(unit)).collect();
        let decision = row.decision.as_ref();
        let state = match (decision, &row.agreed_by) {
            (Some(decision), _) if decision.accepted => "accepted",
            (Some(_), _) => "rejected",
            (None, Some(_)) => "agreed",
            (None, None) => "open",
        };
        let replay = &proposal.replay;
        let moved: Vec<WouldMove> =
            replay.moved.iter().map(|moved| WouldMove::of(lens, moved)).collect();
        let shown = i64::try_from(moved.len()).unwrap_or(i64::MAX);
        Self {
            precedent: PrecedentView::of(lens, row, now),
            before: names(&proposal.before),
            after: names(&proposal.after),
            replayed_since: lens.time(replay.since),
            replayed: replay.replayed,
            would_move: replay.would_move,
            left_off: replay.would_move - shown,
            moved,
            state,
            by: decision.map(|one| one.by.clone()).or_else(|| row.agreed_by.clone()),
            decided_at: decision.map(|one| lens.time(one.at)),
            note: decision.map(|one| one.note.clone()),
        }
    }
}

/// Why a precedent is withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawBody {
    /// The reason, 4 to 300 characters.
    reason: String,
}

/// What is decided of a proposal.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideBody {
    /// Whether the catalogue is to be changed.
    accept: bool,
    /// Why, 4 to 300 characters.
    note: String,
}

/// What became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct DecidedView {
    /// Whether the catalogue was changed; else a second person has to agree, or it was rejected.
    changed: bool,
}

/// Rulings that the router goes by before what it has learned, the newest first.
#[utoipa::path(
    get, path = "/api/v1/routing/precedents", tag = "matters",
    responses((status = 200, body = Precedents, description = "A page.")),
    params(("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn precedents(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Precedents>, Problem> {
    house.gate.permit(&caller, crate::policy::Act::SeeMatter)?;
    let (after, limit) = (query.instance("cursor", &house.ids)?, query.limit()?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let look = move |gate: &Gate, who: &Caller| gate.precedents(who, after, limit);
    let (page, followed) = ask(&house, caller, look).await?;
    let (now, last) = (house.gate.now(), page.items.last().filter(|_| page.more));
    let next = last.map(|row| lens.id(row.instance));
    let items = page.items.iter().map(|row| PrecedentView::of(&lens, row, now)).collect();
    let Followed { living, followed } = followed;
    Ok(web::Json(Precedents { items, next, living, followed }))
}

/// Takes a precedent out of use, with a reason that is recorded.
#[utoipa::path(
    post, path = "/api/v1/routing/precedents/{id}/withdraw", tag = "matters",
    request_body = WithdrawBody,
    responses((status = 204, description = "The router goes by it no longer.")),
    params(("id" = String, Path, description = "The ruled matter's public id.")),
)]
pub(super) async fn withdraw(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<WithdrawBody>,
) -> Result<HttpResponse, Problem> {
    let id = ruled(&house, &caller, &path)?;
    let reason = reasoned("reason", body.reason)?;
    let act = move |gate: &Gate, who: &Caller| gate.withdraw_precedent(who, id, &reason);
    ask(&house, caller, act).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Changes of the catalogue that rulings propose, each with what it would have moved of all the matters of
/// its category. Where the catalogue names a unit for a township, matters from there stay with it.
#[utoipa::path(
    get, path = "/api/v1/routing/proposals", tag = "matters",
    responses((status = 200, body = Listed<ChangeProposed>, description = "A page, the newest first.")),
    params(("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn proposals(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<ChangeProposed>>, Problem> {
    house.gate.permit(&caller, crate::policy::Act::SeeMatter)?;
    let (after, limit) = (query.instance("cursor", &house.ids)?, query.limit()?);
    query.end()?;
    let limit = usize::try_from(limit).unwrap_or_default();
    let lens = Lens::of(&house, &caller)?;
    let look = move |gate: &Gate, who: &Caller| gate.proposed_changes(who, after, limit);
    let page = ask(&house, caller, look).await?;
    let (now, last) = (house.gate.now(), page.items.last().filter(|_| page.more));
    let next = last.map(|one| lens.id(one.precedent.instance));
    let items = page.items.iter().map(|one| ChangeProposed::of(&lens, one, now)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// The matters that a proposed change would have moved, the newest first.
#[utoipa::path(
    get, path = "/api/v1/routing/proposals/{id}/moved", tag = "matters",
    responses((status = 200, body = Listed<WouldMove>, description = "A page.")),
    params(("id" = String, Path, description = "The ruled matter's public id."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn moved(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<WouldMove>>, Problem> {
    house.gate.permit(&caller, crate::policy::Act::SeeMatter)?;
    let (before, limit) = (query.instance("cursor", &house.ids)?, query.limit()?);
    query.end()?;
    let (id, lens) = (instance::id(&house, &path)?, Lens::of(&house, &caller)?);
    let wanted = (before, usize::try_from(limit).unwrap_or_default());
    let look = move |gate: &Gate, who: &Caller| gate.would_have_moved(who, id, wanted);
    let page = ask(&house, caller, look).await?;
    let last = page.items.last().filter(|_| page.more);
    let next = last.map(|moved| lens.id(moved.instance));
    let items = page.items.iter().map(|moved| WouldMove::of(&lens, moved)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// Accepts or rejects a proposed change of the catalogue. Where two people are wanted
/// (`publication.second_person`) the first acceptance is noted and the second one changes it.
#[utoipa::path(
    post, path = "/api/v1/routing/proposals/{id}", tag = "matters", request_body = DecideBody,
    responses((status = 200, body = DecidedView, description = "What became of it.")),
    params(("id" = String, Path, description = "The ruled matter's public id.")),
)]
pub(super) async fn decide(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<DecideBody>,
) -> Result<web::Json<DecidedView>, Problem> {
    let id = ruled(&house, &caller, &path)?;
    let verdict = Ruling { accept: body.accept, note: reasoned("note", body.note)? };
    let act = move |gate: &Gate, who: &Caller| gate.decide_change(who, id, &verdict);
    Ok(web::Json(DecidedView { changed: ask(&house, caller, act).await? }))
}

/// Asks the gate where blocking is allowed.
pub(super) async fn ask<T: Send + 'static>(
    house: &House,
    caller: Caller,
    work: impl FnOnce(&Gate, &Caller) -> Result<T, crate::gate::Error> + Send + 'static,
) -> Result<T, Problem> {
    let gate = house.gate.clone();
    blocking(move || work(&gate, &caller)).await
}

/// The matter of a path: first whether the caller may decide at all.
fn ruled(house: &House, caller: &Caller, path: &str) -> Result<InstanceId, Problem> {
    house.gate.permit(caller, crate::policy::Act::TeachRouting)?;
    instance::id(house, path)
}

/// A reason that says something.
fn reasoned(name: &str, text: String) -> Result<String, Problem> {
    if (4..=300).contains(&text.trim().chars().count()) && !text.contains('\0') {
        return Ok(text.trim().to_owned());
    }
    let (zh, en) =
        (format!("“{name}”应为4至300个字"), format!("`{name}` has 4 to 300 characters."));
    Err(Problem::bad_request("bad_reason", zh, en).input(name))
}
