//! How returns went, and the clauses that a return may name.

use std::collections::BTreeMap;

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::Problem;
use super::receive::Query;
use super::teaching::ask;
use super::view::{All, Lens, Named};
use crate::gate::{Caller, Gate, Returns};

/// How returns went.
#[derive(Serialize, ToSchema)]
pub(super) struct ReturnsView {
    /// Matters that were opened in that time.
    matters: i64,
    /// By unit that returned any.
    units: Vec<ReturnsOfUnit>,
    /// Clauses that were disputed, the most disputed first.
    clauses: Vec<DisputedClause>,
}

/// How the returns of a unit went.
#[derive(Serialize, ToSchema)]
pub(super) struct ReturnsOfUnit {
    /// The unit.
    unit: Named,
    /// So often it returned a matter.
    returned: i64,
    /// The desk was wrong.
    upheld: i64,
    /// The unit was wrong.
    rejected: i64,
    /// Nobody has decided yet, or the matter ended before somebody did.
    pending: i64,
}

/// A clause, how often it was disputed, and how that went.
#[derive(Serialize, ToSchema)]
pub(super) struct DisputedClause {
    /// As it was written.
    clause: String,
    /// So often, over all returns, also of one matter.
    times: i64,
    /// Rightly.
    upheld: i64,
    /// Wrongly.
    rejected: i64,
    /// Nobody has decided yet, or the matter ended before somebody did.
    pending: i64,
}

impl DisputedClause {
    fn of((clause, of): (String, Returns)) -> Self {
        let Returns { returned, upheld, rejected, pending } = of;
        Self { clause, times: returned, upheld, rejected, pending }
    }
}

/// A clause that a return may name.
#[derive(Serialize, ToSchema)]
pub(super) struct ClauseView {
    /// The category that it gives to a unit.
    category: Named,
    /// Its words: `disputed_clause` of a return.
    text: String,
}

/// How units' returns went: upheld ones, where the desk was wrong, apart from rejected ones, where the
/// unit was; and which clauses were disputed.
#[utoipa::path(
    get, path = "/api/v1/routing/returns", tag = "matters",
    responses((status = 200, body = ReturnsView, description = "Counted now, from the events.")),
    params(("opened_from" = Option<String>, Query, description = "Of matters opened at or after: RFC 3339."),
        ("opened_to" = Option<String>, Query, description = "Of matters opened before: RFC 3339.")),
)]
pub(super) async fn returns(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<ReturnsView>, Problem> {
    let span = (query.instant("opened_from")?, query.instant("opened_to")?);
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let figures = ask(&house, caller, move |gate: &Gate, who: &Caller| gate.returns(who, span));
    let figures = figures.await?;
    let units = figures.units.iter().map(|(unit, of)| ReturnsOfUnit {
        unit: lens.unit(unit),
        returned: of.returned,
        upheld: of.upheld,
        rejected: of.rejected,
        pending: of.pending,
    });
    Ok(web::Json(ReturnsView {
        matters: figures.matters,
        units: units.collect(),
        clauses: most_disputed_first(figures.clauses),
    }))
}

fn most_disputed_first(clauses: BTreeMap<String, Returns>) -> Vec<DisputedClause> {
    let mut clauses: Vec<_> = clauses.into_iter().map(DisputedClause::of).collect();
    clauses.sort_by_key(|one| std::cmp::Reverse(one.times));
    clauses
}

/// The clauses by which the catalogue gives matters to units, for who returns one: what stands beside the
/// category in the vocabulary, and the law that fixes its limit.
#[utoipa::path(
    get, path = "/api/v1/routing/clauses", tag = "matters",
    responses((status = 200, body = All<ClauseView>, description = "In order of category.")),
    params(("category" = Option<String>, Query, description = "Of this category only.")),
)]
pub(super) async fn clauses(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<All<ClauseView>>, Problem> {
    let category = query.text("category")?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let look = move |gate: &Gate, who: &Caller| gate.clauses(who, category.as_deref());
    let clauses = ask(&house, caller, look).await?.into_iter();
    let view = |one: crate::gate::Clause| ClauseView {
        category: lens.category(&one.category),
        text: one.text,
    };
    Ok(web::Json(All { items: clauses.map(view).collect() }))
}
