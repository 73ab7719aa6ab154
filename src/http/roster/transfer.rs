//! Rosters as tables and calendar files, going out and coming in.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::duty::span;
use crate::domain::{Instant, PersonId};
use crate::gate::{Book, Caller, ImportWish};
use crate::http::House;
use crate::http::caller::Who;
use crate::http::file::{File, FileKind};
use crate::http::problem::{Problem, blocking};
use crate::http::receive::{Query, unsupported, wrong};
use crate::http::view::Lens;
use crate::roster::Shift;
use crate::roster::transfer::{Scene, icalendar, table};

/// What became of an import.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ImportView {
    /// So many duties were taken in.
    imported: usize,
    /// So many were there already.
    already_there: usize,
    /// Lines that were left out, with `partial`.
    wrong: Vec<WrongLine>,
}

/// A line that was left out.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct WrongLine {
    /// The line of the file, from 1.
    line: usize,
    /// Why, in Chinese.
    zh: String,
    /// Why, in English.
    en: String,
}

/// The books and shifts of a span.
type Laid = Vec<(Book, Vec<Shift>)>;

async fn laid_out(
    house: &House,
    caller: Caller,
    codes: Vec<String>,
    (from, until): (Instant, Instant),
    person: Option<PersonId>,
) -> Result<Laid, Problem> {
    let gate = house.gate.clone();
    blocking(move || {
        let mut laid = Vec::new();
        for code in codes {
            let book = gate.roster_book(&caller, &code, from, until)?;
            let mut shifts = book.plan().shifts(from, until);
            shifts.retain(|shift| person.is_none_or(|person| shift.person == person));
            laid.push((book, shifts));
        }
        Ok(laid)
    })
    .await
}

fn calendar_file(house: &House, lens: &Lens, name: &str, laid: &Laid, file: &str) -> HttpResponse {
    let zone = lens.calendar.zone();
    let (directory, made) = (&*lens.directory, house.gate.now());
    let head = icalendar::Head { name, directory, zone, made };
    let duties: Vec<_> = laid.iter().map(|(book, shifts)| (&book.roster, shifts.clone())).collect();
    attachment("text/calendar; charset=utf-8", file, icalendar::write(head, &duties))
}

/// A file to be saved. Its name is made of what may stand in one.
fn attachment(kind: &str, name: &str, text: String) -> HttpResponse {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let name: String = name.chars().map(|c| if sound(c) { c } else { '_' }).collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .body(text)
}

/// A roster's shifts as a table (CSV) or a calendar file (iCalendar).
#[utoipa::path(
    get, path = "/api/v1/rosters/{code}/export", tag = "duty",
    responses((status = 200, description = "The file.",
        content((String = "text/csv"), (String = "text/calendar")))),
    params(("code" = String, Path, description = "The roster's code."),
        ("format" = Option<String>, Query, description = "`csv`, else `ical`."),
        ("from" = Option<String>, Query, description = "RFC 3339; else now."),
        ("until" = Option<String>, Query, description = "At most 400 days later; else 92 days."),
        ("person" = Option<i64>, Query, description = "Only shifts of this person.")),
)]
pub(in crate::http) async fn export(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let reach = span(&house, &mut query, 92)?;
    let person = query.number("person", 1..=i64::MAX)?.map(PersonId);
    let format = query.text("format")?;
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let code = path.into_inner();
    let laid = laid_out(&house, caller, vec![code.clone()], reach, person).await?;
    let (book, shifts) = laid.first().ok_or_else(Problem::not_found)?;
    match format.as_deref() {
        None | Some("ical") => {
            let title = &book.roster.title.zh;
            Ok(calendar_file(&house, &lens, title, &laid, &format!("{code}.ics")))
        }
        Some("csv") => {
            let zone = lens.calendar.zone();
            let scene = Scene { roster: &book.roster, directory: &lens.directory, zone };
            let text = table::write(scene, shifts);
            let text = text.map_err(|error| Problem::internal(&error.to_string()))?;
            Ok(attachment("text/csv; charset=utf-8", &format!("{code}.csv"), text))
        }
        Some(_) => Err(wrong("format", "csv或ical", "`csv` or `ical`")),
    }
}

/// One person's duties by all rosters, as a calendar file (iCalendar).
#[utoipa::path(
    get, path = "/api/v1/people/{id}/duties", tag = "duty",
    responses((status = 200, body = String, content_type = "text/calendar", description = "The file.")),
    params(("id" = i64, Path, description = "The person's id."),
        ("from" = Option<String>, Query, description = "RFC 3339; else now."),
        ("until" = Option<String>, Query, description = "At most 400 days later; else 92 days.")),
)]
pub(in crate::http) async fn duties(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let reach = span(&house, &mut query, 92)?;
    query.end()?;
    let id = PersonId(path.parse().map_err(|_no_number| Problem::not_found())?);
    let lens = Lens::of(&house, &caller)?;
    let codes: Vec<String> = house.gate.rosters(&caller)?.rosters.keys().cloned().collect();
    let name = lens.directory.people.get(&id).map(|person| person.name.clone());
    let name = name.ok_or_else(Problem::not_found)?;
    let laid = laid_out(&house, caller, codes, reach, Some(id)).await?;
    Ok(calendar_file(&house, &lens, &name, &laid, &format!("duties-{id}.ics")))
}

/// Takes duties in as stand-ins: a table (columns `from`, `until`, `person` or `person_id`, and
/// perhaps `instead_of`, `note`), or a calendar file whose events name a person or invite its mail.
#[utoipa::path(
    post, path = "/api/v1/rosters/{code}/import", tag = "duty",
    request_body(content((String = "text/csv"), (String = "text/calendar")),
        description = "At most 1 MiB and 5000 duties."),
    responses((status = 200, body = ImportView, description = "What became of it.")),
    params(("code" = String, Path, description = "The roster's code."),
        ("partial" = Option<bool>, Query, description = "Takes the right ones even if others are wrong."),
        ("instead" = Option<bool>, Query, description = "Who is entered comes instead of everybody on duty then, not besides.")),
)]
pub(in crate::http) async fn import(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
    file: File,
) -> Result<web::Json<ImportView>, Problem> {
    let wish = ImportWish { partial: query.flag("partial")?, instead: query.flag("instead")? };
    query.end()?;
    let lens = Lens::of(&house, &caller)?;
    let code = path.into_inner();
    let rosters = house.gate.rosters(&caller)?;
    let roster = rosters.rosters.get(&code).cloned().ok_or_else(Problem::not_found)?;
    if file.kind == FileKind::Lines {
        return Err(unsupported("text/csv or text/calendar"));
    }
    let gate = house.gate.clone();
    let done = blocking(move || {
        let zone = lens.calendar.zone();
        let scene = Scene { roster: &roster, directory: &lens.directory, zone };
        let read = match file.kind {
            FileKind::Table | FileKind::Lines => table::read(scene, &file.text),
            FileKind::Calendar => icalendar::read(scene, &file.text),
        };
        gate.import_stand_ins(&caller, &code, read, wish)
    });
    let done = done.await?;
    let wrong = done.wrong.into_iter().map(|one| WrongLine {
        line: one.line,
        zh: one.why.zh,
        en: one.why.en,
    });
    Ok(web::Json(ImportView {
        imported: done.taken,
        already_there: done.known,
        wrong: wrong.collect(),
    }))
}
