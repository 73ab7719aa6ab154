//! Workflow definitions: read, drawn, checked, published.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{FindingView, Problem, blocking};
use super::proposal;
use super::receive::{Query, Source, wrong};
use super::view::{All, Lens, Words};
use crate::chart::diagram::{self, Language};
use crate::chart::{self, Chart, Severity};
use crate::domain::Text;
use crate::gate::{Caller, Motion, Version};

/// A media type and what it is the type of.
type Drawing = (&'static str, String);

/// A version of a workflow in a list.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionView {
    /// The workflow.
    workflow: String,
    /// What people call it.
    #[schema(value_type = Words)]
    title: Text,
    /// The version, 1 for the first.
    version: i64,
    /// Whether new instances start on it.
    current: bool,
    /// Since when.
    published_at: String,
    /// By whom.
    published_by: String,
    /// The command that opens an instance.
    start: String,
    /// How many states it has.
    states: usize,
}

impl VersionView {
    fn of(lens: &Lens, version: &Version) -> Self {
        Self {
            workflow: version.chart.workflow.clone(),
            title: version.chart.title.clone(),
            version: version.number,
            current: version.current,
            published_at: lens.time(version.published_at),
            published_by: version.published_by.clone(),
            start: version.chart.start.name.clone(),
            states: version.chart.nodes.len(),
        }
    }
}

/// A version with its text.
#[derive(Serialize, ToSchema)]
pub(super) struct SourceView {
    #[serde(flatten)]
    version: VersionView,
    /// The YAML, byte for byte as it was published.
    source: String,
}

/// Published.
#[derive(Serialize, ToSchema)]
pub(super) struct Published {
    /// The workflow.
    workflow: String,
    /// The new version.
    version: i64,
    /// Warnings that did not forbid it.
    findings: Vec<FindingView>,
}

/// What a check found.
#[derive(Serialize, ToSchema)]
pub(super) struct Checked {
    /// Whether it could be published.
    sound: bool,
    /// The workflow, as far as it can be read.
    workflow: Option<String>,
    /// Everything that is wrong with it.
    findings: Vec<FindingView>,
}

/// The current versions of all workflows.
#[utoipa::path(
    get, path = "/api/v1/definitions", tag = "workflows",
    responses((status = 200, body = All<VersionView>, description = "One for each workflow.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<VersionView>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let versions = house.gate.versions(&caller)?;
    let current = versions.iter().filter(|version| version.current);
    Ok(web::Json(All { items: current.map(|version| VersionView::of(&lens, version)).collect() }))
}

/// The version of a number, else the current one.
fn find(
    house: &House,
    caller: &Caller,
    workflow: &str,
    number: Option<i64>,
) -> Result<Version, Problem> {
    let versions = house.gate.versions(caller)?.into_iter();
    let mut versions = versions.filter(|version| version.chart.workflow == workflow);
    let found = versions.find(|version| match number {
        Some(number) => version.number == number,
        None => version.current,
    });
    found.ok_or_else(Problem::not_found)
}

fn source_view(
    house: &House,
    caller: &Caller,
    workflow: &str,
    number: Option<i64>,
) -> Result<web::Json<SourceView>, Problem> {
    let version = find(house, caller, workflow, number)?;
    let view = VersionView::of(&Lens::of(house, caller)?, &version);
    Ok(web::Json(SourceView { version: view, source: version.source.to_string() }))
}

/// The current version of a workflow with its text.
#[utoipa::path(
    get, path = "/api/v1/definitions/{workflow}", tag = "workflows",
    responses((status = 200, body = SourceView, description = "The current version.")),
    params(("workflow" = String, Path, description = "The workflow's name.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<SourceView>, Problem> {
    source_view(&house, &caller, &path, None)
}

/// A certain version of a workflow with its text.
#[utoipa::path(
    get, path = "/api/v1/definitions/{workflow}/versions/{number}", tag = "workflows",
    responses((status = 200, body = SourceView, description = "That version.")),
    params(("workflow" = String, Path, description = "The workflow's name."),
        ("number" = i64, Path, description = "The version, 1 for the first.")),
)]
pub(super) async fn version(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<web::Json<SourceView>, Problem> {
    let (workflow, number) = path.into_inner();
    let number = number.parse().map_err(|_no_number| Problem::not_found())?;
    source_view(&house, &caller, &workflow, Some(number))
}

/// A workflow drawn.
#[utoipa::path(
    get, path = "/api/v1/definitions/{workflow}/diagram", tag = "workflows",
    responses((status = 200, body = String, content_type = "text/plain", description = "The drawing.")),
    params(("workflow" = String, Path, description = "The workflow's name."),
        ("format" = Option<String>, Query, description = "`mermaid` (if none is named), `dot` or `scxml`."),
        ("language" = Option<String>, Query, description = "`zh` (if none is named) or `en`.")),
)]
pub(super) async fn drawing(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<HttpResponse, Problem> {
    let format = query.text("format")?;
    let language = match query.text("language")?.as_deref() {
        None | Some("zh") => Language::Chinese,
        Some("en") => Language::English,
        Some(_) => return Err(wrong("language", "zh或en", "`zh` or `en`")),
    };
    query.end()?;
    let version = find(&house, &caller, &path, None)?;
    let (kind, drawing) = draw(&version.chart, format.as_deref().unwrap_or("mermaid"), language)?;
    Ok(HttpResponse::Ok().content_type(kind).body(drawing))
}

/// A drawing with its media type; the language matters to Mermaid, the others carry both.
fn draw(chart: &Chart, format: &str, language: Language) -> Result<Drawing, Problem> {
    match format {
        "mermaid" => Ok(("text/plain; charset=utf-8", diagram::mermaid(chart, language))),
        "dot" => Ok(("text/vnd.graphviz; charset=utf-8", diagram::dot(chart))),
        "scxml" => Ok(("application/scxml+xml; charset=utf-8", diagram::scxml(chart))),
        _ => Err(wrong("format", "mermaid、dot、scxml之一", "one of mermaid, dot, scxml")),
    }
}

/// Publishes a version of a workflow: new instances start on it, running ones stay on theirs.
#[utoipa::path(
    post, path = "/api/v1/definitions", tag = "workflows",
    request_body(content = String, content_type = "text/yaml", description = "The workflow file."),
    responses((status = 201, body = Published, description = "Published.",
        headers(("Location" = String))),
        (status = 202, body = proposal::ProposalView, description = "Proposed: a second person approves it.",
            headers(("Location" = String))),
        (status = 422, body = super::problem::Details, content_type = "application/problem+json",
            description = "The definition has errors: every finding with line and column.")),
)]
pub(super) async fn publish(
    house: web::Data<House>,
    Who(caller): Who,
    Source(source): Source,
) -> Result<HttpResponse, Problem> {
    let motion = Motion::Definition(source.clone());
    if let Some(proposed) = proposal::instead(&house, &caller, motion).await? {
        return Ok(proposed);
    }
    let gate = house.gate.clone();
    let (workflow, number, findings) = blocking(move || {
        let (id, number, findings) = gate.publish(&caller, &source)?;
        Ok((gate.registry().chart(id)?.workflow.clone(), number, findings))
    })
    .await?;
    let findings = findings.into_iter().map(FindingView::from).collect();
    let place = format!("/api/v1/definitions/{workflow}/versions/{number}");
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(Published {
        workflow,
        version: number,
        findings,
    }))
}

/// Says everything that is wrong with a workflow file, and publishes nothing.
#[utoipa::path(
    post, path = "/api/v1/definitions/check", tag = "workflows",
    request_body(content = String, content_type = "text/yaml", description = "The workflow file."),
    responses((status = 200, body = Checked, description = "What was found.")),
)]
pub(super) async fn check(
    house: web::Data<House>,
    Who(caller): Who,
    Source(source): Source,
) -> Result<web::Json<Checked>, Problem> {
    let gate = house.gate.clone();
    let (workflow, findings) = blocking(move || gate.check_definition(&caller, &source)).await?;
    let errors = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(web::Json(Checked {
        sound: workflow.is_some() && !errors,
        workflow,
        findings: findings.into_iter().map(FindingView::from).collect(),
    }))
}

/// The JSON Schema of workflow files.
#[utoipa::path(
    get, path = "/api/v1/workflow-schema", tag = "workflows",
    responses((status = 200, body = Object, content_type = "application/schema+json",
        description = "The schema, for editors.")),
)]
pub(super) async fn schema(Who(_caller): Who) -> HttpResponse {
    HttpResponse::Ok().content_type("application/schema+json").json(chart::schema::schema())
}
