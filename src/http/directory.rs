//! Who is who: units, people, categories, and the caller itself.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body};
use super::view::{All, Lens, Named, PersonName, Words};
use crate::domain::{Actor, Category, Directory, Grant, Person, PersonId, Role, Text, Unit};
use crate::gate::Caller;
use crate::policy::{self, Act};

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
}

/// A role in a unit.
#[derive(ToSchema)]
#[schema(as = Grant)]
#[expect(dead_code, reason = "only its description is used: the grants are `domain::Grant`")]
pub(super) struct GrantWords {
    /// `dispatcher`, `shift_leader`, `liaison`, `leader`, `duty`, `director`, `auditor`,
    /// `administrator` or `editor`.
    role: String,
    /// The unit's code.
    unit: String,
}

/// A person.
#[derive(Serialize, ToSchema)]
pub(super) struct PersonView {
    /// The id.
    #[schema(value_type = i64)]
    id: PersonId,
    /// The name.
    name: String,
    /// Where mails go.
    email: Option<String>,
    /// Where SMS go.
    phone: Option<String>,
    /// What the person is, and where.
    #[schema(value_type = Vec<GrantWords>)]
    grants: Vec<Grant>,
    /// Whether the person may act and is alerted.
    active: bool,
}

impl PersonView {
    fn of(person: &Person) -> Self {
        let Person { id, name, email, phone, grants, active, .. } = person.clone();
        Self { id, name, email, phone, grants, active }
    }
}

/// A person to be added or changed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonBody {
    /// The name.
    name: String,
    /// Where mails go.
    email: Option<String>,
    /// Where SMS go.
    phone: Option<String>,
    /// What the person is, and where.
    #[schema(value_type = Vec<GrantWords>)]
    grants: Vec<Grant>,
    /// Whether the person may act and is alerted; true if nothing is said.
    active: Option<bool>,
}

impl PersonBody {
    fn person(self, id: PersonId) -> Person {
        let Self { name, email, phone, grants, active } = self;
        let active = active.unwrap_or(true);
        Person { id, name, email, phone, grants, active, ..Person::default() }
    }
}

/// A kind of matter and who handles it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryBody {
    /// Its code; in a body it may be left out, as it stands in the path.
    #[serde(default)]
    code: String,
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
}

impl CategoryBody {
    fn of(category: &Category) -> Self {
        let Category { code, name, units, matter_class, legal_days, law, .. } = category.clone();
        let Category { police_kept, police_first, livelihood, .. } = *category;
        Self {
            code,
            name,
            units,
            matter_class,
            legal_days,
            law,
            police_kept,
            police_first,
            livelihood,
        }
    }

    fn category(self, code: String) -> Category {
        Category {
            code,
            name: self.name,
            units: self.units,
            matter_class: self.matter_class,
            legal_days: self.legal_days,
            law: self.law,
            police_kept: self.police_kept,
            police_first: self.police_first,
            livelihood: self.livelihood,
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
    let Actor::Person { id, grants } = &caller.actor else { return Err(Problem::not_found()) };
    let directory = &lens.directory;
    let grants = grants.iter().map(|g| GrantView { role: g.role, unit: lens.unit(&g.unit) });
    // A county leader sees everything by his unit, not by his role alone.
    let county = directory.bodies.get("county").map(String::as_str);
    let may = |act: &Act| match act {
        Act::SeeAll => policy::sees_all(&caller.actor, county),
        act => policy::may(&caller.actor, *act),
    };
    let acts = policy::ACTS.iter().filter(|act| may(act));
    Ok(web::Json(Me {
        person: lens.person(*id),
        jurisdiction: Named { code: directory.code.clone(), name: Some(directory.name.clone()) },
        grants: grants.collect(),
        may: acts.map(|act| word(&format!("{act:?}"))).collect(),
        now: lens.time(house.gate.now()),
    }))
}

/// `SeeAll` as `see_all`.
fn word(name: &str) -> String {
    let mut word = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

/// Everything of one kind in the directory.
fn listed<V>(
    house: &House,
    caller: &Caller,
    pick: impl FnOnce(&Directory) -> Vec<V>,
) -> Result<web::Json<All<V>>, Problem> {
    let directory = house.gate.directory(caller)?;
    Ok(web::Json(All { items: pick(&directory) }))
}

/// One thing in the directory, if it is there.
fn found<V>(
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
    responses((status = 200, body = UnitView, description = "The unit as it is now.")),
    params(("code" = String, Path, description = "The unit's code.")),
)]
pub(super) async fn put_unit(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<UnitBody>,
) -> Result<web::Json<UnitView>, Problem> {
    let UnitBody { name, kind, parent, active } = body;
    let code = path.into_inner();
    let unit = Unit { code, name, kind, parent, active: active.unwrap_or(true) };
    let (gate, who, put) = (house.gate.clone(), caller.clone(), unit.clone());
    blocking(move || gate.put_unit(&who, &put)).await?;
    found(&house, &caller, |who| Some(UnitView::of(who, &unit)))
}

/// People.
#[utoipa::path(
    get, path = "/api/v1/people", tag = "directory",
    responses((status = 200, body = All<PersonView>, description = "All, in order of id.")),
)]
pub(super) async fn people(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<PersonView>>, Problem> {
    listed(&house, &caller, |who| who.people.values().map(PersonView::of).collect())
}

/// One person.
#[utoipa::path(
    get, path = "/api/v1/people/{id}", tag = "directory",
    responses((status = 200, body = PersonView, description = "The person.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn person(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<PersonView>, Problem> {
    let id = PersonId(receive::number(&path)?);
    found(&house, &caller, |who| who.people.get(&id).map(PersonView::of))
}

/// Adds a person.
#[utoipa::path(
    post, path = "/api/v1/people", tag = "administration", request_body = PersonBody,
    responses((status = 201, body = PersonView, description = "The person, with an id.",
        headers(("Location" = String)))),
)]
pub(super) async fn add_person(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<PersonBody>,
) -> Result<HttpResponse, Problem> {
    let mut person = body.person(PersonId(0));
    let (gate, put) = (house.gate.clone(), person.clone());
    person.id = blocking(move || gate.put_person(&caller, &put)).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/people/{}", person.id)))
        .json(PersonView::of(&person)))
}

/// Changes a person.
#[utoipa::path(
    put, path = "/api/v1/people/{id}", tag = "administration", request_body = PersonBody,
    responses((status = 200, body = PersonView, description = "The person as it is now.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn put_person(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<PersonBody>,
) -> Result<web::Json<PersonView>, Problem> {
    let person = body.person(PersonId(receive::number(&path)?));
    let (gate, put) = (house.gate.clone(), person.clone());
    blocking(move || gate.put_person(&caller, &put)).await?;
    Ok(web::Json(PersonView::of(&person)))
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
        let detail = "The code in the body is not the one in the path.";
        return Err(Problem::bad_request("bad_code", detail).input("code"));
    }
    let category = body.category(code);
    let (gate, put) = (house.gate.clone(), category.clone());
    blocking(move || gate.put_category(&caller, &put)).await?;
    Ok(web::Json(CategoryBody::of(&category)))
}
