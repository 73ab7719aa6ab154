//! People: who they are, what they are and where, whatever the day and for a time.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::directory::{found, listed};
use super::problem::{Problem, blocking};
use super::proposal;
use super::receive::{self, Body};
use super::view::{All, Lens};
use crate::domain::mask::masked;
use crate::domain::{Actor, Grant, Person, PersonId, Role, Term};
use crate::gate::Motion;
use crate::policy;

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
    /// Where mails go; masked for whoever is neither of the house nor of a unit of the person.
    email: Option<String>,
    /// Where SMS go; masked alike.
    phone: Option<String>,
    /// What the person is, and where, whatever the day.
    #[schema(value_type = Vec<GrantWords>)]
    grants: Vec<Grant>,
    /// The same for a time.
    terms: Vec<TermWords>,
    /// Whether the person may act and is alerted.
    active: bool,
}

/// A role in a unit for a time.
#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Term)]
#[serde(deny_unknown_fields)]
pub(super) struct TermWords {
    /// The role.
    #[schema(value_type = String)]
    role: Role,
    /// The unit's code.
    unit: String,
    /// From when on: RFC 3339; none: from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Until before when; none: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

impl TermWords {
    fn of(lens: &Lens, term: &Term) -> Self {
        Self {
            role: term.role,
            unit: term.unit.clone(),
            from: term.from.map(|at| lens.time(at)),
            until: term.until.map(|at| lens.time(at)),
        }
    }

    fn term(self) -> Result<Term, Problem> {
        let read = |name: &str, text: Option<String>| {
            text.map(|text| receive::instant(name, &text)).transpose()
        };
        let (from, until) = (read("from", self.from)?, read("until", self.until)?);
        Ok(Term { role: self.role, unit: self.unit, from, until })
    }
}

impl PersonView {
    /// A person as somebody may see it: whoever has nothing to do with it sees no address at which it
    /// is reached.
    fn of(lens: &Lens, actor: &Actor, person: &Person) -> Self {
        let whole = Self::whole(lens, person);
        let own = matches!(actor, Actor::Person { id, .. } if *id == person.id);
        if own || policy::sees_addresses(actor, &person.grants, lens.directory.county()) {
            return whole;
        }
        let hidden = |address: Option<String>| address.map(|address| masked(&address));
        Self { email: hidden(whole.email), phone: hidden(whole.phone), ..whole }
    }

    /// A person as whoever keeps the directory sees it.
    fn whole(lens: &Lens, person: &Person) -> Self {
        let terms = person.terms.iter().map(|term| TermWords::of(lens, term)).collect();
        let grants = person.lasting();
        let Person { id, name, email, phone, active, .. } = person.clone();
        Self { id, name, email, phone, grants, terms, active }
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
    /// What the person is, and where, whatever the day.
    #[schema(value_type = Vec<GrantWords>)]
    grants: Vec<Grant>,
    /// The same for a time: an appointment that begins or ends by itself.
    #[serde(default)]
    terms: Vec<TermWords>,
    /// Whether the person may act and is alerted; true if nothing is said.
    active: Option<bool>,
}

impl PersonBody {
    fn person(self, id: PersonId) -> Result<Person, Problem> {
        let Self { name, email, phone, grants, terms, active } = self;
        let active = active.unwrap_or(true);
        let terms = terms.into_iter().map(TermWords::term).collect::<Result<_, _>>()?;
        Ok(Person { id, name, email, phone, grants, terms, active, ..Person::default() })
    }
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
    let lens = Lens::of(&house, &caller)?;
    listed(&house, &caller, |who| {
        let view = |person: &Person| PersonView::of(&lens, &caller.actor, person);
        who.people.values().map(view).collect()
    })
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
    let lens = Lens::of(&house, &caller)?;
    let view = |person: &Person| PersonView::of(&lens, &caller.actor, person);
    found(&house, &caller, |who| who.people.get(&id).map(view))
}

/// Adds a person.
#[utoipa::path(
    post, path = "/api/v1/people", tag = "administration", request_body = PersonBody,
    responses((status = 201, body = PersonView, description = "The person, with an id.",
        headers(("Location" = String))),
        (status = 202, body = proposal::ProposalView, description = "Proposed: a second person approves it.",
            headers(("Location" = String)))),
)]
pub(super) async fn add_person(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<PersonBody>,
) -> Result<HttpResponse, Problem> {
    let mut person = body.person(PersonId(0))?;
    let motion = Motion::Person(Box::new(person.clone()));
    if let Some(proposed) = proposal::instead(&house, &caller, motion).await? {
        return Ok(proposed);
    }
    let lens = Lens::of(&house, &caller)?;
    let (gate, put) = (house.gate.clone(), person.clone());
    person.id = blocking(move || gate.put_person(&caller, &put)).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/people/{}", person.id)))
        .json(PersonView::whole(&lens, &person)))
}

/// Changes a person.
#[utoipa::path(
    put, path = "/api/v1/people/{id}", tag = "administration", request_body = PersonBody,
    responses((status = 200, body = PersonView, description = "The person as it is now."),
        (status = 202, body = proposal::ProposalView, description = "More rights, proposed: a second person approves it.",
            headers(("Location" = String)))),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn put_person(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<PersonBody>,
) -> Result<HttpResponse, Problem> {
    let person = body.person(PersonId(receive::number(&path)?))?;
    let motion = Motion::Person(Box::new(person.clone()));
    if let Some(proposed) = proposal::instead(&house, &caller, motion).await? {
        return Ok(proposed);
    }
    let lens = Lens::of(&house, &caller)?;
    let (gate, put) = (house.gate.clone(), person.clone());
    blocking(move || gate.put_person(&caller, &put)).await?;
    Ok(HttpResponse::Ok().json(PersonView::whole(&lens, &person)))
}
