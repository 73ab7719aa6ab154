//! What one shift leaves to the next.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::HandoverNote;
use crate::http::House;
use crate::http::caller::Who;
use crate::http::problem::{Problem, blocking};
use crate::http::receive::{Body, Query};
use crate::http::view::{Lens, Listed, PersonName};

/// What a shift leaves.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct NoteView {
    /// Its id.
    id: i64,
    /// When it was written.
    at: String,
    /// By whom.
    person: PersonName,
    /// What is to be known.
    note: String,
    /// When it was first read.
    read_at: Option<String>,
    /// By whom.
    read_by: Option<PersonName>,
}

impl NoteView {
    pub(super) fn of(lens: &Lens, note: HandoverNote) -> Self {
        Self {
            id: note.id,
            at: lens.time(note.at),
            person: lens.person(note.person),
            note: note.note,
            read_at: note.read.map(|(at, _)| lens.time(at)),
            read_by: note.read.map(|(_, person)| lens.person(person)),
        }
    }
}

/// A note to be written.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct NoteBody {
    /// What the next shift has to know: 1 to 4000 characters. Matters by their numbers; no names and
    /// numbers of callers: it is kept in clear, until the job `forget_handovers` deletes it.
    note: String,
}

/// Notes, newest first: for people of the roster, and those who see every matter.
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/handovers", tag = "duty",
    responses((status = 200, body = Listed<NoteView>, description = "One page.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(in crate::http) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<NoteView>>, Problem> {
    let before = query.number("cursor", 1..=i64::MAX)?;
    let limit = query.limit()?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let ask = move || gate.handover_notes(&caller, &code, (before, None), limit + 1);
    let mut notes = blocking(ask).await?;
    let kept = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = notes.len() > kept;
    notes.truncate(kept);
    let next = notes.last().filter(|_| more).map(|note| note.id.to_string());
    let items = notes.into_iter().map(|note| NoteView::of(&lens, note)).collect();
    Ok(web::Json(Listed { items, next }))
}

/// Writes what the next shift has to know: shown with who is on duty, and sent to who comes next.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/handovers", tag = "duty", request_body = NoteBody,
    responses((status = 201, body = NoteView, description = "The note.")),
    params(("code" = String, Path, description = "The roster's code.")),
)]
pub(in crate::http) async fn write(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<NoteBody>,
) -> Result<HttpResponse, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let (gate, code) = (house.gate.clone(), path.into_inner());
    let note = blocking(move || gate.write_handover(&caller, &code, &body.note)).await?;
    Ok(HttpResponse::Created().json(NoteView::of(&lens, note)))
}

/// Marks a note as read; the first time counts.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/handovers/{id}/read", tag = "duty",
    responses((status = 200, body = NoteView, description = "The note.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("id" = i64, Path, description = "The note's id.")),
)]
pub(in crate::http) async fn read(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<web::Json<NoteView>, Problem> {
    let (code, id) = path.into_inner();
    let id: i64 = id.parse().map_err(|_no_number| Problem::not_found())?;
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let note = blocking(move || gate.read_handover(&caller, &code, id)).await?;
    Ok(web::Json(NoteView::of(&lens, note)))
}
