//! What happened to an instance, and what its clocks say.

use std::collections::BTreeMap;

use actix_web::web;
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::{Problem, blocking};
use super::receive::Query;
use super::view::{All, ClockView, Lens, Listed, Named, PersonName, Words};
use crate::calendar::Line;
use crate::chart::Chart;
use crate::domain::event::{ClockVerb, Started, Told, hex};
use crate::domain::{Door, Event, StoredEvent, Text, Value};
use crate::engine::input;

/// One fact.
#[derive(Serialize, ToSchema)]
pub(super) struct EventView {
    /// Its number in the instance.
    seq: i64,
    /// When it was recorded.
    at: String,
    /// When it happened, if that was earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    occurred_at: Option<String>,
    /// The command, or `clock.<name>`, `signal.<name>`, `ended.<workflow>`.
    kind: String,
    /// Who: `person:7`, `clock`, `instance:ins_…`, `system`.
    actor: String,
    /// The person, if it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    person: Option<PersonName>,
    /// By which token, if by one: the audit log says who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<i64>,
    /// In answer to which message, if not in a session or by a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    answers: Option<AnswersView>,
    /// For which unit.
    unit: Option<Named>,
    /// In which role.
    #[schema(value_type = Option<String>)]
    role: Option<crate::domain::Role>,
    /// The state before it.
    from: String,
    /// The state after it.
    to: String,
    /// The flat status after it.
    status: String,
    /// The holder after it.
    holder: Option<Named>,
    /// Its input; personal data stand as digests.
    #[schema(value_type = Object)]
    input: BTreeMap<String, Json>,
    /// Fields that have another value since.
    #[schema(value_type = Object)]
    set: BTreeMap<String, Json>,
    /// What became of clocks.
    clocks: Vec<ClockChangeView>,
    /// Who was told what.
    told: Vec<ToldView>,
    /// Workflows of children that were started.
    started: Vec<String>,
    /// The version of the calendar that counted.
    calendar: String,
    /// The link of the chain: SHA-256 in hexadecimal.
    hash: String,
}

/// The message in answer to which something was done.
#[derive(Serialize, ToSchema)]
pub(super) struct AnswersView {
    /// `link` (whoever has it) or `sms` (whose sender can be forged).
    #[schema(value_type = String)]
    door: Door,
    /// The message's public id.
    message: String,
}

/// What became of a clock.
#[derive(Serialize, ToSchema)]
pub(super) struct ClockChangeView {
    /// Its name.
    clock: String,
    /// `armed`, `rearmed`, `recounted`, `frozen`, `resumed`, `fired`, `acknowledged` or `ended`.
    #[schema(value_type = String)]
    change: ClockVerb,
    /// When it runs out.
    due: Option<String>,
    /// When it would have run out by the version of the calendar before.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
}

/// An alert.
#[derive(Serialize, ToSchema)]
pub(super) struct ToldView {
    /// The name of the text.
    text: String,
    /// To whom, as `unit.role`.
    to: Vec<String>,
    /// The people.
    people: Vec<PersonName>,
    /// By which channels.
    via: Vec<String>,
    /// Which clock speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<String>,
}

impl EventView {
    fn of(house: &House, lens: &Lens, stored: &StoredEvent) -> Result<Self, Problem> {
        let event = stored.read().map_err(|error| Problem::internal(&error))?;
        let chart = house.gate.registry().chart(event.definition)?;
        let person = match &event.actor {
            crate::domain::Actor::Person { id, .. } => Some(lens.person(*id)),
            _ => None,
        };
        let actor = match &event.actor {
            crate::domain::Actor::Relative { id } => format!("instance:{}", lens.id(*id)),
            other => other.name(),
        };
        let occurred = event.command.occurred_at.map(|at| lens.time(at));
        Ok(Self {
            seq: stored.seq,
            at: lens.time(stored.at),
            occurred_at: occurred,
            kind: stored.kind.clone(),
            actor,
            person,
            token: event.actor.via().map(|via| via.token),
            answers: event
                .actor
                .answers()
                .map(|one| AnswersView { door: one.door, message: house.ids.message(one.message) }),
            unit: event.unit.as_deref().map(|code| lens.unit(code)),
            role: event.role,
            input: shown_input(lens, &chart, &event),
            set: shown_set(lens, &chart, &event),
            clocks: clock_changes(lens, &event),
            told: event.told.iter().map(|told| ToldView::of(lens, told)).collect(),
            started: event.started.into_iter().map(|child: Started| child.workflow).collect(),
            holder: event.holder.as_deref().map(|code| lens.unit(code)),
            from: event.from,
            to: event.to,
            status: event.status,
            calendar: event.calendar,
            hash: hex(&stored.hash),
        })
    }
}

impl ToldView {
    fn of(lens: &Lens, told: &Told) -> Self {
        Self {
            text: told.text.clone(),
            to: told.to.clone(),
            people: told.people.iter().map(|id| lens.person(*id)).collect(),
            via: told.via.clone(),
            clock: told.clock.clone(),
        }
    }
}

fn clock_changes(lens: &Lens, event: &Event) -> Vec<ClockChangeView> {
    let changes = event.clocks.iter().map(|change| ClockChangeView {
        clock: change.clock.clone(),
        change: change.change,
        due: change.due.map(|at| lens.time(at)),
        was: change.was.map(|at| lens.time(at)),
    });
    changes.collect()
}

/// Input values; what has no type (an acknowledgement's, a signal's) is shown as it is.
fn shown_input(lens: &Lens, chart: &Chart, event: &Event) -> BTreeMap<String, Json> {
    let inputs = chart.command(&event.command.name).map(|spec| spec.input.as_slice());
    let signal = event.command.name.strip_prefix("signal.");
    let inputs = inputs.or_else(|| chart.signals.get(signal?).map(Vec::as_slice));
    let shown = event.command.input.iter().map(|(name, value)| {
        let spec = inputs.unwrap_or_default().iter().find(|input| input.name == *name);
        (name.clone(), shown(lens, spec.map(|spec| &spec.ty), value))
    });
    shown.collect()
}

fn shown_set(lens: &Lens, chart: &Chart, event: &Event) -> BTreeMap<String, Json> {
    let shown = event.set.iter().map(|(name, value)| {
        let spec = chart.fields.get(name);
        (name.clone(), shown(lens, spec.map(|spec| &spec.ty), value))
    });
    shown.collect()
}

fn shown(lens: &Lens, ty: Option<&crate::chart::expression::Type>, value: &Value) -> Json {
    let text = crate::chart::expression::Type::Text;
    input::show(ty.unwrap_or(&text), value, lens.calendar.zone())
}

/// The events of an instance, oldest first.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/events", tag = "matters",
    responses((status = 200, body = Listed<EventView>,
        description = "A page; `next` is the `from` of the next one.")),
    params(("id" = String, Path, description = "The public id."),
        ("from" = Option<i64>, Query, description = "From this number on."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn events(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<EventView>>, Problem> {
    let from = query.number("from", 1..=i64::MAX)?.unwrap_or(1);
    let limit = query.limit()?;
    query.end()?;
    let (id, gate) = (id(&house, &path)?, house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let history = blocking(move || gate.events(&caller, id, from, limit)).await?;
    let last = history.items.last().filter(|_| history.more);
    let next = last.map(|event| event.seq.saturating_add(1).to_string());
    let items = history.items.iter().map(|event| EventView::of(&house, &lens, event));
    Ok(web::Json(Listed { items: items.collect::<Result<_, _>>()?, next }))
}

/// A clock with the explanation of its due time.
#[derive(Serialize, ToSchema)]
pub(super) struct ExplainedClock {
    #[serde(flatten)]
    clock: ClockView,
    /// How the due time came about.
    lines: Vec<LineView>,
    /// Whether a year without a confirmed notice was counted through, so that it may still move.
    unconfirmed: bool,
}

/// One line of an explanation.
#[derive(Serialize, ToSchema)]
pub(super) struct LineView {
    /// The day it speaks of.
    #[schema(example = "2018-07-02")]
    date: String,
    /// What happened to the count there.
    #[schema(value_type = Words)]
    what: Text,
    /// The count after it.
    count: i64,
}

impl From<Line> for LineView {
    fn from(line: Line) -> Self {
        Self { date: line.date.to_string(), what: line.what, count: line.count }
    }
}

/// The clocks of an instance.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/clocks", tag = "matters",
    responses((status = 200, body = All<ClockView>, description = "The earliest due first.")),
    params(("id" = String, Path, description = "The public id.")),
)]
pub(super) async fn clocks(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<ClockView>>, Problem> {
    let (id, gate) = (id(&house, &path)?, house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let seen = blocking(move || gate.instance(&caller, id)).await?;
    let whole = !seen.is_former();
    let items = if whole { ClockView::all(&lens, &seen) } else { Vec::new() };
    Ok(web::Json(All { items }))
}

/// One clock with the line-by-line explanation of its due time.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/clocks/{name}", tag = "matters",
    responses((status = 200, body = ExplainedClock, description = "The clock.")),
    params(("id" = String, Path, description = "The public id."),
        ("name" = String, Path, description = "The clock's name.")),
)]
pub(super) async fn clock(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<web::Json<ExplainedClock>, Problem> {
    let (text, name) = path.into_inner();
    let (id, gate, who) = (id(&house, &text)?, house.gate.clone(), caller.clone());
    let seen = blocking(move || gate.instance(&who, id)).await?;
    let armed = seen.instance.clocks.get(&name).filter(|_| !seen.is_former());
    let armed = armed.ok_or_else(Problem::not_found)?;
    let clock = ClockView::of(&Lens::of(&house, &caller)?, &seen, &name, armed);
    let due = house.gate.explain_clock(&caller, &seen, &name, armed)?;
    let lines = due.explanation.into_iter().map(LineView::from).collect();
    Ok(web::Json(ExplainedClock { clock, lines, unconfirmed: due.unconfirmed }))
}
