//! The catalogue of categories as a whole: drafted, looked at, published, exported.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::directory::CategoryBody;
use super::problem::{Problem, blocking};
use super::receive::{self, Body, Query};
use super::view::{All, Lens, Words};
use crate::domain::catalogue::{Catalogue, Categories};
use crate::domain::{Refusal, Text};
use crate::gate::Error;
use crate::intake::categories;
use crate::policy::Act;

/// A version of the catalogue.
#[derive(Serialize, ToSchema)]
pub(super) struct CatalogueVersion {
    /// Its number.
    number: i64,
    /// `draft`, `published`, `in_force` or `withdrawn`.
    state: &'static str,
    /// What it is for.
    note: String,
    /// Who drafted it.
    drafted_by: String,
    /// When.
    drafted_at: String,
    /// Who published it.
    published_by: Option<String>,
    /// When.
    published_at: Option<String>,
    /// From when on it is in force.
    effective_at: Option<String>,
    /// How many categories it has.
    categories: usize,
    /// What should be seen to, for whoever published it: units that nobody serves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Words>)]
    warnings: Vec<Text>,
}

impl CatalogueVersion {
    fn of(lens: &Lens, version: &Catalogue, in_force: Option<i64>) -> Self {
        let published = version.published.as_ref();
        let state = match published {
            _ if version.withdrawn_at.is_some() => "withdrawn",
            Some(_) if in_force == Some(version.number) => "in_force",
            Some(_) => "published",
            None => "draft",
        };
        Self {
            number: version.number,
            state,
            note: version.note.clone(),
            drafted_by: version.made_by.clone(),
            drafted_at: lens.time(version.made_at),
            published_by: published.map(|one| one.by.clone()),
            published_at: published.map(|one| lens.time(one.at)),
            effective_at: published.map(|one| lens.time(one.effective_at)),
            categories: version.categories.len(),
            warnings: Vec::new(),
        }
    }
}

/// A version to be drafted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DraftBody {
    /// What it is for, 2 to 500 characters.
    note: String,
    /// The whole catalogue.
    categories: Vec<CategoryBody>,
}

/// A draft that was made.
#[derive(Serialize, ToSchema)]
pub(super) struct Drafted {
    /// Its number.
    number: i64,
    /// What it changes of what is in force.
    differences: Vec<DifferenceView>,
}

/// What one version changes.
#[derive(Serialize, ToSchema)]
pub(super) struct DifferenceView {
    /// The category.
    code: String,
    /// What is different.
    #[schema(value_type = Words)]
    what: Text,
}

/// From when on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PublishBody {
    /// RFC 3339; else at once.
    effective_at: Option<String>,
}

/// The versions of the catalogue, the newest first.
#[utoipa::path(
    get, path = "/api/v1/catalogue/versions", tag = "directory",
    responses((status = 200, body = All<CatalogueVersion>, description = "All.")),
)]
pub(super) async fn versions(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<CatalogueVersion>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let (all, now) = blocking(move || gate.catalogues(&caller)).await?;
    let items = all.iter().map(|version| CatalogueVersion::of(&lens, version, now)).collect();
    Ok(web::Json(All { items }))
}

/// One version with everything in it.
#[utoipa::path(
    get, path = "/api/v1/catalogue/versions/{number}", tag = "directory",
    responses((status = 200, body = All<CategoryBody>, description = "Its categories.")),
    params(("number" = i64, Path, description = "Its number.")),
)]
pub(super) async fn version(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<CategoryBody>>, Problem> {
    let (gate, number) = (house.gate.clone(), receive::number(&path)?);
    let found = blocking(move || gate.catalogue(&caller, number)).await?;
    Ok(web::Json(All { items: found.categories.values().map(CategoryBody::of).collect() }))
}

/// What a workbook of a spreadsheet program is called in `Content-Type`.
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The catalogue in force as a table (CSV) or a workbook (XLSX), to be changed and drafted again.
#[utoipa::path(
    get, path = "/api/v1/catalogue/export", tag = "directory",
    responses((status = 200, description = "The file.", content((String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))),
    params(("format" = Option<String>, Query, description = "`csv` (else) or `xlsx`.")),
)]
pub(super) async fn export(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let format = query.text("format")?;
    query.end()?;
    let directory = house.gate.directory(&caller)?;
    let all = &directory.categories;
    let failed = |error: &dyn std::fmt::Display| Problem::internal(&error.to_string());
    let (kind, end, file) = match format.as_deref() {
        None | Some("csv") => {
            let table = categories::write(all).map_err(|error| failed(&error))?;
            ("text/csv; charset=utf-8", "csv", table.into_bytes())
        }
        Some("xlsx") => {
            (WORKBOOK, "xlsx", categories::write_book(all).map_err(|error| failed(&error))?)
        }
        Some(_) => return Err(receive::wrong("format", "csv或xlsx", "`csv` or `xlsx`")),
    };
    let name = format!("attachment; filename=\"catalogue.{end}\"");
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, name))
        .body(file))
}

/// Drafts a version: the whole catalogue as JSON, or as a table or workbook with `note` in the query.
/// It is in force once somebody else has published it.
#[utoipa::path(
    post, path = "/api/v1/catalogue/versions", tag = "administration",
    request_body(content((DraftBody = "application/json"), (String = "text/csv"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 201, body = Drafted, description = "The draft, and what it changes.")),
    params(("note" = Option<String>, Query, description = "What it is for, with a table.")),
)]
pub(super) async fn draft(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    use actix_web::{FromRequest as _, HttpMessage as _};
    let note = query.text("note")?;
    query.end()?;
    let mut payload = payload.into_inner();
    let kind = request.content_type().to_ascii_lowercase();
    let (categories, note) = if [WORKBOOK, "text/csv"].contains(&kind.as_str()) {
        let bytes = receive::read(&request, &mut payload).await?;
        let directory = house.gate.registry().directory(caller.jurisdiction)?;
        let read = match kind == WORKBOOK {
            true => categories::read_book(&directory, &bytes),
            false => categories::read(&directory, &receive::utf8(&bytes)?),
        };
        (read.map_err(unreadable)?, note.unwrap_or_default())
    } else {
        let Body(body) = Body::<DraftBody>::from_request(&request, &mut payload).await?;
        (by_code(body.categories)?, body.note)
    };
    let gate = house.gate.clone();
    let (number, differences) = blocking(move || {
        let number = gate.draft_catalogue(&caller, categories, &note)?;
        Ok((number, gate.catalogue_differences(&caller.house(), number, None)?))
    })
    .await?;
    let differences = differences.into_iter().map(DifferenceView::of).collect();
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/v1/catalogue/versions/{number}")))
        .json(Drafted { number, differences }))
}

/// What a version changes, of what is in force now or of another version.
#[utoipa::path(
    get, path = "/api/v1/catalogue/versions/{number}/differences", tag = "directory",
    responses((status = 200, body = All<DifferenceView>, description = "In order of code.")),
    params(("number" = i64, Path, description = "The version."),
        ("against" = Option<i64>, Query, description = "Another version.")),
)]
pub(super) async fn differences(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<All<DifferenceView>>, Problem> {
    let (gate, number) = (house.gate.clone(), receive::number(&path)?);
    let against = query.number("against", 1..=i64::from(u32::MAX))?;
    query.end()?;
    let found = blocking(move || gate.catalogue_differences(&caller, number, against)).await?;
    Ok(web::Json(All { items: found.into_iter().map(DifferenceView::of).collect() }))
}

/// Publishes a draft that somebody else made. A draft that does not know of what changed since, or of what
/// is planned for before its own day, is refused (`draft_outdated`, with each difference); what is planned
/// for later takes it in, as versions of their own, or it is refused (`planned_otherwise`).
#[utoipa::path(
    post, path = "/api/v1/catalogue/versions/{number}/publish", tag = "administration",
    request_body = PublishBody,
    responses((status = 200, body = CatalogueVersion, description = "The version as it is now.")),
    params(("number" = i64, Path, description = "The draft.")),
)]
pub(super) async fn publish(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<PublishBody>,
) -> Result<web::Json<CatalogueVersion>, Problem> {
    house.gate.permit(&caller, Act::TeachRouting)?;
    let number = receive::number(&path)?;
    let at = body.effective_at.as_deref();
    let at = at.map(|text| receive::instant("effective_at", text)).transpose()?;
    let (gate, lens) = (house.gate.clone(), Lens::of(&house, &caller)?);
    let (all, now) = blocking(move || {
        gate.publish_catalogue(&caller, number, at)?;
        gate.catalogues(&caller.house())
    })
    .await?;
    let version = all.iter().find(|version| version.number == number);
    let version = version.ok_or_else(Problem::not_found)?;
    let warnings = lens.directory.unserved_of(version.categories.values());
    Ok(web::Json(CatalogueVersion { warnings, ..CatalogueVersion::of(&lens, version, now) }))
}

/// Withdraws a draft, or a published version whose day has not come.
#[utoipa::path(
    delete, path = "/api/v1/catalogue/versions/{number}", tag = "administration",
    responses((status = 204, description = "It will not come in force.")),
    params(("number" = i64, Path, description = "The draft.")),
)]
pub(super) async fn withdraw(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (gate, number) = (house.gate.clone(), receive::number(&path)?);
    blocking(move || gate.withdraw_catalogue(&caller, number)).await?;
    Ok(HttpResponse::NoContent().finish())
}

impl DifferenceView {
    fn of(one: crate::domain::catalogue::Difference) -> Self {
        Self { code: one.code, what: one.what }
    }
}

fn by_code(bodies: Vec<CategoryBody>) -> Result<Categories, Problem> {
    let mut categories = Categories::new();
    for body in bodies {
        let code = body.code.clone();
        if categories.insert(code.clone(), body.category(code.clone())).is_some() {
            let zh = format!("类别“{code}”出现了两次");
            let en = format!("The category `{code}` is there twice.");
            return Err(Problem::bad_request("bad_code", zh, en).input("categories"));
        }
    }
    Ok(categories)
}

/// Everything that is wrong with a table, each with its line.
fn unreadable(faults: Vec<crate::intake::Fault>) -> Problem {
    let reasons = faults.into_iter().map(|fault| {
        let line = fault.line;
        let zh = format!("第{line}行：{}", fault.what.zh);
        let text = Text::new(zh, format!("line {line}: {}", fault.what.en));
        crate::domain::refusal::Reason { code: "wrong_rows".to_owned(), text, input: fault.input }
    });
    let (code, possible) = ("wrong_rows".to_owned(), Vec::new());
    Error::Refused(Refusal { code, reasons: reasons.collect(), possible }).into()
}
