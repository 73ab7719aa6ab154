//! Who is who: units, people, categories, and the caller itself.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::proposal::{self, ProposalView};
use super::receive::{Body, Query};
use super::view::{All, Lens, Named, PersonName, Words};
use crate::domain::{Actor, Category, Directory, Question, Role, Text, Unit};
use crate::gate::{Caller, Motion, NewUnit};
use crate::policy::{self, Act, Relation};

/// A unit.
#[derive(Serialize, ToSchema)]
pub(super) struct UnitView {
    /// Its code.
    code: String,
    /// Its name.
    #[schema(value_type = Words)]
    name: Text,
    /// `department`, `branch`, `company`, `township`, `body` …
    kind: String,
    /// The unit it belongs to, for a sub-unit.
    parent: Option<String>,
    /// Whether it may be given matters.
    active: bool,
    /// Parties that it plays, such as `desk`.
    parties: Vec<String>,
    /// Its sub-units.
    sub_units: Vec<String>,
    /// The unit that goes on with its work, where it was merged or renamed.
    successor: Option<String>,
    /// What should be seen to, for whoever put it: that nobody serves it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Words>)]
    warnings: Vec<Text>,
}

impl UnitView {
    fn of(directory: &Directory, unit: &Unit) -> Self {
        let parties = directory.bodies.iter().filter(|(_, code)| **code == unit.code);
        let below = |other: &&Unit| other.parent.as_deref() == Some(unit.code.as_str());
        let sub_units = directory.units.values().filter(below);
        Self {
            code: unit.code.clone(),
            name: unit.name.clone(),
            kind: unit.kind.clone(),
            parent: unit.parent.clone(),
            active: unit.active,
            parties: parties.map(|(party, _)| party.clone()).collect(),
            sub_units: sub_units.map(|unit| unit.code.clone()).collect(),
            successor: unit.successor.clone(),
            warnings: Vec::new(),
        }
    }
}

/// A unit to be added or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UnitBody {
    /// Its name.
    #[schema(value_type = Words)]
    name: Text,
    /// `department`, `branch`, `company`, `township`, `body` …
    kind: String,
    /// The unit it belongs to, for a sub-unit.
    parent: Option<String>,
    /// Whether it may be given matters; true if nothing is said.
    active: Option<bool>,
    /// The unit that goes on with its work: what this one has open follows, and what is meant for it
    /// goes there. Then it is not active.
    successor: Option<String>,
}

/// A kind of matter and who handles it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryBody {
    /// Its code; in a body it may be left out, as it stands in the path.
    #[serde(default)]
    pub(super) code: String,
    /// Its name.
    #[schema(value_type = Words)]
    name: Text,
    /// Units that may handle it, the usual one first.
    #[serde(default)]
    units: Vec<String>,
    /// `general`, `special`, `legal` or `major_complex`.
    #[serde(default)]
    matter_class: String,
    /// The statutory limit in working days for `legal`; 0 if no law is named.
    #[serde(default)]
    legal_days: i64,
    /// The law counts calendar days instead.
    #[serde(default)]
    legal_calendar: bool,
    /// The law that fixes it.
    #[schema(value_type = Option<Words>)]
    law: Option<Text>,
    /// Stays with the police, never diverted.
    #[serde(default)]
    police_kept: bool,
    /// Police may have to go first.
    #[serde(default)]
    police_first: bool,
    /// A livelihood matter with a short time to accept.
    #[serde(default)]
    livelihood: bool,
    /// Used no longer: matters that have it keep it, new ones do not get it.
    #[serde(default)]
    retired: bool,
    /// What a call about it usually is: `dispute`, `consultation`, `complaint`, `suggestion`, `help` or
    /// `report`; empty where that differs.
    #[serde(default)]
    kind: String,
    /// Which unit or sub-unit has it in which township: township → unit.
    #[serde(default)]
    territory: BTreeMap<String, String>,
    /// What the desk asks the caller, each answered by yes or no.
    #[serde(default)]
    questions: Vec<QuestionBody>,
}

/// A question that the desk puts to the caller.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuestionBody {
    /// Its code, unique within the category.
    code: String,
    /// The question.
    #[schema(value_type = Words)]
    ask: Text,
    /// The category that it is if the answer is yes.
    yes: Option<String>,
    /// The same if the answer is no.
    no: Option<String>,
}

impl QuestionBody {
    pub(super) fn of(question: Question) -> Self {
        let Question { code, ask, yes, no } = question;
        Self { code, ask, yes, no }
    }

    fn question(self) -> Question {
        let Self { code, ask, yes, no } = self;
        Question { code, ask, yes, no }
    }
}

impl CategoryBody {
    pub(super) fn of(category: &Category) -> Self {
        let Category { code, name, units, matter_class, legal_days, law, .. } = category.clone();
        let Category { kind, territory, questions, .. } = category.clone();
        let Category { police_kept, police_first, livelihood, retired, legal_calendar, .. } =
            *category;
        Self {
            code,
            name,
            units,
            matter_class,
            legal_days,
            legal_calendar,
            law,
            police_kept,
            police_first,
            livelihood,
            retired,
            kind,
            territory,
            questions: questions.into_iter().map(QuestionBody::of).collect(),
        }
    }

    pub(super) fn category(self, code: String) -> Category {
        Category {
            code,
            name: self.name,
            units: self.units,
            matter_class: self.matter_class,
            legal_days: self.legal_days,
            legal_calendar: self.legal_calendar,
            law: self.law,
            police_kept: self.police_kept,
            police_first: self.police_first,
            livelihood: self.livelihood,
            retired: self.retired,
            kind: self.kind,
            territory: self.territory,
            questions: self.questions.into_iter().map(QuestionBody::question).collect(),
        }
    }
}

/// Who the caller is.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The person.
    person: PersonName,
    /// The jurisdiction.
    jurisdiction: Named,
    /// Roles in units.
    grants: Vec<GrantView>,
    /// What the roles allow besides the commands of workflows.
    may: Vec<String>,
    /// What time it is here.
    now: String,
}

/// A role in a unit, with its name.
#[derive(Serialize, ToSchema)]
pub(super) struct GrantView {
    /// The role.
    #[schema(value_type = String)]
    role: Role,
    /// The unit.
    unit: Named,
}

/// The caller itself.
#[utoipa::path(
    get, path = "/api/v1/me", tag = "directory",
    responses((status = 200, body = Me, description = "Who the token stands for.")),
)]
pub(super) async fn me(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<Me>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let Actor::Person { id, grants, .. } = &caller.actor else { return Err(Problem::not_found()) };
    let directory = &lens.directory;
    let may = may(&caller.actor, directory);
    let grants = grants.iter().map(|g| GrantView { role: g.role, unit: lens.unit(&g.unit) });
    Ok(web::Json(Me {
        person: lens.person(*id),
        jurisdiction: Named { code: directory.code.clone(), name: Some(directory.name.clone()) },
        grants: grants.collect(),
        may,
        now: lens.time(house.gate.now()),
    }))
}

/// What somebody may do besides the commands of workflows: to anything here, and what he sees of
/// matters and callers.
fn may(actor: &Actor, directory: &Directory) -> Vec<String> {
    let county = directory.county();
    let mut may = Vec::new();
    if policy::sees_all(actor, county) {
        may.push("see_all".to_owned());
    }
    if !policy::units(actor, Act::SeeMatter, Relation::Former).is_empty() {
        may.push("see_own".to_owned());
    }
    if policy::may_somewhere(actor, Act::SeeCaller, county) {
        may.push("see_caller".to_owned());
    }
    let more = policy::ACTS.into_iter().filter(|act| {
        let narrow = [Act::SeeMatter, Act::SeeCaller, Act::Open, Act::Command];
        !narrow.contains(act) && policy::may_at(actor, *act, Relation::Other, county)
    });
    may.extend(more.map(|act| act.code().to_owned()));
    may
}

/// Everything of one kind in the directory.
pub(super) fn listed<V>(
    house: &House,
    caller: &Caller,
    pick: impl FnOnce(&Directory) -> Vec<V>,
) -> Result<web::Json<All<V>>, Problem> {
    let directory = house.gate.directory(caller)?;
    Ok(web::Json(All { items: pick(&directory) }))
}

/// One thing in the directory, if it is there.
pub(super) fn found<V>(
    house: &House,
    caller: &Caller,
    pick: impl FnOnce(&Directory) -> Option<V>,
) -> Result<web::Json<V>, Problem> {
    let directory = house.gate.directory(caller)?;
    pick(&directory).map(web::Json).ok_or_else(Problem::not_found)
}

/// Units and sub-units.
#[utoipa::path(
    get, path = "/api/v1/units", tag = "directory",
    responses((status = 200, body = All<UnitView>, description = "All, in order of code.")),
)]
pub(super) async fn units(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<UnitView>>, Problem> {
    listed(&house, &caller, |who| who.units.values().map(|unit| UnitView::of(who, unit)).collect())
}

/// One unit.
#[utoipa::path(
    get, path = "/api/v1/units/{code}", tag = "directory",
    responses((status = 200, body = UnitView, description = "The unit.")),
    params(("code" = String, Path, description = "The unit's code.")),
)]
pub(super) async fn unit(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<UnitView>, Problem> {
    found(&house, &caller, |who| who.units.get(path.as_str()).map(|unit| UnitView::of(who, unit)))
}

/// Adds or changes a unit.
#[utoipa::path(
    put, path = "/api/v1/units/{code}", tag = "administration", request_body = UnitBody,
    responses((status = 200, body = UnitView, description = "The unit as it is now."),
        (status = 202, body = ProposalView, description = "Another parent or successor, proposed.")),
    params(("code" = String, Path, description = "The unit's code."),
        ("new_kind" = Option<bool>, Query, description = "Whether no unit need be of its kind yet.")),
)]
pub(super) async fn put_unit(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
    Body(body): Body<UnitBody>,
) -> Result<HttpResponse, Problem> {
    let new_kind = query.flag("new_kind")?;
    query.end()?;
    let UnitBody { name, kind, parent, active, successor } = body;
    let (code, active) = (path.into_inner(), active.unwrap_or(successor.is_none()));
    let unit = Unit { code, name, kind, parent, active, successor };
    let put = NewUnit { unit: unit.clone(), new_kind };
    let motion = Motion::Unit(Box::new(put.clone()));
    if let Some(proposed) = proposal::instead(&house, &caller, motion).await? {
        return Ok(proposed);
    }
    let (gate, who) = (house.gate.clone(), caller.clone());
    blocking(move || gate.put_unit(&who, &put)).await?;
    let view = found(&house, &caller.house(), |who| {
        let warnings = who.unserved(&unit.code).into_iter().collect();
        Some(UnitView { warnings, ..UnitView::of(who, &unit) })
    })?;
    Ok(HttpResponse::Ok().json(view.into_inner()))
}

/// Categories.
#[utoipa::path(
    get, path = "/api/v1/categories", tag = "directory",
    responses((status = 200, body = All<CategoryBody>, description = "All, in order of code.")),
)]
pub(super) async fn categories(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<CategoryBody>>, Problem> {
    listed(&house, &caller, |who| who.categories.values().map(CategoryBody::of).collect())
}

/// One category.
#[utoipa::path(
    get, path = "/api/v1/categories/{code}", tag = "directory",
    responses((status = 200, body = CategoryBody, description = "The category.")),
    params(("code" = String, Path, description = "The category's code.")),
)]
pub(super) async fn category(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<CategoryBody>, Problem> {
    found(&house, &caller, |who| who.categories.get(path.as_str()).map(CategoryBody::of))
}

/// Adds or changes a category.
#[utoipa::path(
    put, path = "/api/v1/categories/{code}", tag = "administration", request_body = CategoryBody,
    responses((status = 200, body = CategoryBody, description = "The category as it is now.")),
    params(("code" = String, Path, description = "The category's code.")),
)]
pub(super) async fn put_category(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<CategoryBody>,
) -> Result<web::Json<CategoryBody>, Problem> {
    let code = path.into_inner();
    if !body.code.is_empty() && body.code != code {
        let (zh, en) = ("正文与路径中的代码不一致", "The codes in body and path differ.");
        return Err(Problem::bad_request("bad_code", zh, en).input("code"));
    }
    let category = body.category(code);
    let (gate, put) = (house.gate.clone(), category.clone());
    blocking(move || gate.put_category(&caller, &put)).await?;
    Ok(web::Json(CategoryBody::of(&category)))
}
