//! Who is on duty when: shifts, the moment, gaps.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::handover::NoteView;
use crate::domain::{Instant, PersonId, Text};
use crate::gate::Book;
use crate::http::House;
use crate::http::caller::Who;
use crate::http::problem::{Problem, blocking};
use crate::http::receive::{Query, wrong};
use crate::http::view::{All, Lens, Listed, PersonName, Words};
use crate::roster::{self, Gap, Handover, Shift};

/// The longest span that is laid out: 400 days.
const SPAN_MAX: i64 = 400 * DAY;
const DAY: i64 = 24 * 3_600_000;

/// Somebody's shift.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ShiftView {
    /// From here …
    pub(super) from: String,
    /// … until before here.
    pub(super) until: String,
    /// Who.
    pub(super) person: PersonName,
    /// The rotation; none for who is there besides.
    #[schema(value_type = Option<Words>)]
    rotation: Option<Text>,
    /// Whose shift it would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<PersonName>,
    /// The stand-in that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    stand_in: Option<i64>,
}

impl ShiftView {
    pub(super) fn of(lens: &Lens, book: &Book, shift: &Shift) -> Self {
        let rotation = shift.rotation.and_then(|number| book.roster.rotations.get(number));
        Self {
            from: lens.time(shift.from),
            until: lens.time(shift.until),
            person: lens.person(shift.person),
            rotation: rotation.map(|rotation| rotation.name.clone()),
            instead_of: shift.instead_of.map(|person| lens.person(person)),
            stand_in: shift.stand_in,
        }
    }
}

/// The next handover.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct HandoverView {
    /// When.
    at: String,
    /// Who goes.
    outgoing: Vec<PersonName>,
    /// Who comes.
    incoming: Vec<PersonName>,
}

impl HandoverView {
    fn of(lens: &Lens, next: &Handover) -> Self {
        let people = |people: &[PersonId]| people.iter().map(|one| lens.person(*one)).collect();
        Self {
            at: lens.time(next.at),
            outgoing: people(&next.outgoing),
            incoming: people(&next.incoming),
        }
    }
}

/// Who is on duty at a moment.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OnDutyView {
    /// The moment.
    at: String,
    /// The shifts that are on, whole.
    shifts: Vec<ShiftView>,
    /// Whom an alert to the role reaches at that moment, by all rosters for it.
    told: Vec<PersonName>,
    /// Nobody who may act is on duty: everybody with the role is told.
    everybody: bool,
    /// What the shift before left, for people of the roster and those who see every matter.
    note: Option<NoteView>,
    /// The next handover.
    next: Option<HandoverView>,
}

/// Nobody who may act is on duty.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct GapView {
    /// From here …
    from: String,
    /// … until before here.
    until: String,
    /// Who is entered, but is inactive or has not the role; nobody: nobody is entered.
    unfit: Vec<PersonName>,
}

/// A span of a query.
pub(super) fn span(
    house: &House,
    query: &mut Query,
    usual_days: i64,
) -> Result<(Instant, Instant), Problem> {
    let from = query.instant("from")?.unwrap_or_else(|| house.gate.now());
    let until = query.instant("until")?.unwrap_or_else(|| from.plus(usual_days * DAY));
    if until <= from {
        return Err(wrong("until", "晚于from的时间", "later than `from`"));
    }
    if until.since(from) > SPAN_MAX {
        return Err(wrong("until", "from之后400日以内", "at most 400 days after `from`"));
    }
    Ok((from, until))
}

/// The shifts that touch a span, whole, in order of their beginning.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/shifts", tag = "duty",
    responses((status = 200, body = Listed<ShiftView>, description = "One page.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("from" = Option<String>, Query, description = "RFC 3339; else now."),
        ("until" = Option<String>, Query, description = "At most 400 days later; else 31 days."),
        ("person" = Option<i64>, Query, description = "Only shifts of this person."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page, with the same span."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(in crate::http) async fn shifts(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<ShiftView>>, Problem> {
    let (from, until) = span(&house, &mut query, 31)?;
    let person = query.number("person", 1..=i64::MAX)?.map(PersonId);
    let skip = query.number("cursor", 0..=i64::MAX)?.unwrap_or(0);
    let limit = query.limit()?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let (book, shifts) = blocking(move || {
        let book = gate.roster_book(&caller, &code, from, until)?;
        let shifts = book.plan().shifts(from, until);
        Ok((book, shifts))
    })
    .await?;
    let of_person = |shift: &&Shift| person.is_none_or(|person| shift.person == person);
    let skipped = usize::try_from(skip).unwrap_or(usize::MAX);
    let taken = usize::try_from(limit).unwrap_or(usize::MAX);
    let rest = shifts.iter().filter(of_person).skip(skipped);
    let more = rest.clone().nth(taken).is_some();
    let items = rest.take(taken).map(|shift| ShiftView::of(&lens, &book, shift)).collect();
    let next = more.then(|| skip.saturating_add(limit).to_string());
    Ok(web::Json(Listed { items, next }))
}

/// Who is on duty at a moment, what the shift before left, and when the next handover is.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/on-duty", tag = "duty",
    responses((status = 200, body = OnDutyView, description = "Who is on duty.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("at" = Option<String>, Query, description = "RFC 3339; else now.")),
)]
pub(in crate::http) async fn on_duty(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<OnDutyView>, Problem> {
    let at = query.instant("at")?.unwrap_or_else(|| house.gate.now());
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let (book, on, note, next, others) = blocking(move || {
        let book = gate.roster_book(&caller, &code, at, at)?;
        let note = if gate.reads_handovers(&caller, &code)? {
            gate.handover_notes(&caller, &code, (None, Some(at)), 1)?.pop()
        } else {
            None
        };
        let on = book.plan().on_duty(at);
        let next = book.plan().next_handover(at);
        let mut others = Vec::new();
        for other in gate.rosters(&caller)?.rosters.values() {
            let same = other.unit == book.roster.unit && other.role == book.roster.role;
            if same && other.code != code {
                others.push(gate.roster_book(&caller, &other.code, at, at)?);
            }
        }
        Ok((book, on, note, next, others))
    })
    .await?;
    let (unit, role) = (&book.roster.unit, book.roster.role);
    let books = std::iter::once(&book).chain(&others);
    let mut told: Vec<PersonId> = books.flat_map(|book| book.plan().people_at(at)).collect();
    told.retain(|person| roster::knows(&lens.directory, unit, role, *person));
    told.sort_unstable();
    told.dedup();
    let everybody = told.is_empty();
    if everybody {
        told = lens.directory.people_with(unit, role).map(|person| person.id).collect();
    }
    Ok(web::Json(OnDutyView {
        at: lens.time(at),
        shifts: on.iter().map(|shift| ShiftView::of(&lens, &book, shift)).collect(),
        told: told.into_iter().map(|person| lens.person(person)).collect(),
        everybody,
        note: note.map(|note| NoteView::of(&lens, note)),
        next: next.map(|next| HandoverView::of(&lens, &next)),
    }))
}

/// When nobody who may act is on duty within a span: everybody with the role is told then.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/gaps", tag = "duty",
    responses((status = 200, body = All<GapView>, description = "In order of their beginning.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("from" = Option<String>, Query, description = "RFC 3339; else now."),
        ("until" = Option<String>, Query, description = "At most 400 days later; else 31 days.")),
)]
pub(in crate::http) async fn gaps(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<All<GapView>>, Problem> {
    let (from, until) = span(&house, &mut query, 31)?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let (gate, code, directory) = (house.gate.clone(), path.into_inner(), lens.directory.clone());
    let gaps = blocking(move || {
        let book = gate.roster_book(&caller, &code, from, until)?;
        let (unit, role) = (book.roster.unit.as_str(), book.roster.role);
        let fit = |person| roster::knows(&directory, unit, role, person);
        Ok(book.plan().gaps(from, until, &fit))
    })
    .await?;
    let view = |gap: &Gap| GapView {
        from: lens.time(gap.from),
        until: lens.time(gap.until),
        unfit: gap.unfit.iter().map(|person| lens.person(*person)).collect(),
    };
    Ok(web::Json(All { items: gaps.iter().map(view).collect() }))
}
