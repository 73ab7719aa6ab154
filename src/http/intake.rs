//! Calls from elsewhere: many at once from a file, and found again by the number they have there.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::file::{File, FileKind};
use super::instance::{REFERRAL, start_of};
use super::problem::{Problem, Reason, blocking};
use super::receive::{Query, unsupported, wrong};
use super::view::{Lens, Summary};
use crate::domain::Text;
use crate::gate::{Done, Error};
use crate::intake::{self, Form, Scene};

/// What became of a file of calls.
#[derive(Serialize, ToSchema)]
pub(super) struct Batch {
    /// So many were registered.
    registered: usize,
    /// So many were known already, by their numbers, with the same content.
    known: usize,
    /// So many were not taken.
    refused: usize,
    /// Row by row, in order.
    rows: Vec<RowView>,
}

/// What became of a row.
#[derive(Serialize, ToSchema)]
pub(super) struct RowView {
    /// The line in the file.
    line: usize,
    /// `registered`, `known` or `refused`.
    outcome: &'static str,
    /// The matter's public id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The matter's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    /// What is wrong, where, and how to mend it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
}

impl RowView {
    fn refused(line: usize, reasons: Vec<Reason>) -> Self {
        Self { line, outcome: "refused", id: None, number: None, reasons }
    }

    fn of(lens: &Lens, line: usize, outcome: Result<Done, Error>) -> Self {
        match outcome {
            Ok(Done { receipt, .. }) => Self {
                line,
                outcome: if receipt.replayed { "known" } else { "registered" },
                id: Some(lens.id(receipt.instance)),
                number: Some(receipt.number()),
                reasons: Vec::new(),
            },
            Err(Error::Refused(refusal)) => {
                let reasons = refusal.reasons.into_iter().map(Reason::of);
                Self::refused(line, reasons.collect())
            }
            Err(error) => {
                let text = Text::new("该行无法登记", error.to_string());
                Self::refused(line, vec![Reason::new("invalid", text, None)])
            }
        }
    }
}

/// Registers the calls of a file: a table (CSV) whose columns are named as the inputs of the opening
/// command, in Chinese, English or by code, or lines of JSON. `occurred_at` (接报时间) is when the call
/// came. Each row has the number of its source: the same row again is the same matter, so a file may be
/// sent again after an interruption. At most 500 rows and 1 MiB.
#[utoipa::path(
    post, path = "/api/v1/intake/batches", tag = "matters",
    request_body(content((String = "text/csv"), (String = "application/x-ndjson")),
        description = "来源编号,警情内容,地点,事项类别,性质,来电号码,接报时间 …"),
    responses((status = 200, body = Batch, description = "What became of each row.")),
    params(("source" = Option<String>, Query, min_length = 1, max_length = 40,
            description = "The system of rows that name none, such as `paper`."),
        ("first_line" = Option<i64>, Query, description = "The line of the first row in a longer file; else 2 for tables, 1 for lines.")),
)]
pub(super) async fn take(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
    file: File,
) -> Result<web::Json<Batch>, Problem> {
    let source = query.text("source")?;
    let first = query.number("first_line", 1..=i64::from(u32::MAX))?;
    query.end()?;
    if source.as_ref().is_some_and(|source| !(1..=40).contains(&source.chars().count())) {
        return Err(wrong("source", "1至40个字", "1 to 40 characters"));
    }
    let (form, usual) = match file.kind {
        FileKind::Table => (Form::Table, 2),
        FileKind::Lines => (Form::Lines, 1),
        FileKind::Calendar => return Err(unsupported("text/csv or application/x-ndjson")),
    };
    let first = first.and_then(|line| usize::try_from(line).ok()).unwrap_or(usual);
    let lens = Lens::of(&house, &caller)?;
    let command = start_of(&house.gate, &caller, REFERRAL)?;
    let registry = house.gate.registry();
    let chart = registry.chart(registry.current(caller.jurisdiction, REFERRAL)?)?;
    let (directory, zone) = (&lens.directory, lens.calendar.zone());
    let scene = Scene { spec: &chart.start, directory, zone };
    let read = intake::read(scene, form, &file.text, first).map_err(Error::Invalid)?;
    let (mut rows, mut views) = (Vec::new(), Vec::new());
    for row in read {
        match row {
            Ok(row) => rows.push(row),
            Err(fault) => {
                let reason = Reason::new("unreadable_row", fault.what, fault.input);
                views.push(RowView::refused(fault.line, vec![reason]));
            }
        }
    }
    let opening = (REFERRAL, command.as_str());
    let taken = house.gate.take_calls(&caller, opening, source.as_deref(), rows).await?;
    views.extend(taken.into_iter().map(|(line, outcome)| RowView::of(&lens, line, outcome)));
    views.sort_by_key(|view| view.line);
    let count = |outcome: &str| views.iter().filter(|view| view.outcome == outcome).count();
    Ok(web::Json(Batch {
        registered: count("registered"),
        known: count("known"),
        refused: count("refused"),
        rows: views,
    }))
}

/// The matter that a number of another system stands for.
#[utoipa::path(
    get, path = "/api/v1/intake/{source}/{number}", tag = "matters",
    responses((status = 200, body = Summary, description = "The matter.")),
    params(("source" = String, Path, description = "The system."),
        ("number" = String, Path, description = "The number it has there.")),
)]
pub(super) async fn find(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<web::Json<Summary>, Problem> {
    let (source, number) = path.into_inner();
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let seen = blocking(move || gate.numbered(&caller, &source, &number)).await?;
    Ok(web::Json(Summary::of(&lens, &seen, false)))
}
