//! Messages: listed by matter and by person, answered by their person, sent once more by those who
//! watch over them.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::instance::id;
use super::problem::{Problem, blocking};
use super::receive::{self, Query, wrong};
use super::view::{Lens, Listed, PersonName, tier};
use crate::domain::{Delivery, Instant, Kind, Message, MessageId, PersonId, Recipient};
use crate::gate::{Caller, MessageFilter};

/// A message to one person, or to one system, on one channel.
#[derive(Serialize, ToSchema)]
pub(super) struct MessageView {
    /// Its public id.
    id: String,
    /// The instance it is about; none for messages of the house itself.
    instance: Option<String>,
    /// The event that caused it.
    seq: i64,
    /// To whom, if it is a person.
    person: Option<PersonName>,
    /// To which subscription, if it is a unit's system.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<i64>,
    /// `sms`, `email`, `console` …
    channel: String,
    /// `alert`, `code`, `reply`, `digest`, `mute`, `handover`, `coverage`, `test` or `change`.
    #[schema(value_type = String)]
    kind: Kind,
    /// The matter's tier.
    tier: &'static str,
    /// Whether it is neither bundled nor held back.
    urgent: bool,
    /// Its subject.
    subject: String,
    /// Its text; empty for a code, which is its recipient's alone.
    body: String,
    /// `waiting`, `sent`, `delivered` or `failed`.
    #[schema(value_type = String)]
    state: Delivery,
    /// Attempts so far …
    attempts: i64,
    /// … of which nobody knows whether so many arrived.
    unknowns: i64,
    /// What the last failed attempt said.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was written.
    created_at: String,
    /// While it waits: when it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<String>,
    /// When it was handed over.
    sent_at: Option<String>,
    /// When it reached the device, as the gateway says.
    delivered_at: Option<String>,
    /// When it was acknowledged.
    acknowledged_at: Option<String>,
    /// The message that was given up before this one was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    instead_of: Option<String>,
    /// The message in whose summary it left.
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
}

impl MessageView {
    fn of(lens: &Lens, message: Message) -> Self {
        let waits = message.state == Delivery::Waiting;
        let time = |at: Option<Instant>| at.map(|at| lens.time(at));
        let id = |id: Option<MessageId>| id.map(|id| lens.ids.message(id));
        Self {
            id: lens.ids.message(message.id),
            instance: message.instance.map(|id| lens.id(id)),
            seq: message.seq,
            person: message.to.person().map(|id| lens.person(id)),
            subscription: match message.to {
                Recipient::Person(_) => None,
                Recipient::Subscription(id) => Some(id.0),
            },
            kind: message.kind,
            tier: tier(message.tier),
            urgent: message.urgent,
            state: message.state,
            attempts: message.attempts,
            unknowns: message.unknowns,
            error: message.error,
            created_at: lens.time(message.created_at),
            next_attempt_at: waits.then(|| lens.time(message.due_at)),
            sent_at: time(message.sent_at),
            delivered_at: time(message.delivered_at),
            acknowledged_at: time(message.acknowledged_at),
            instead_of: id(message.instead_of),
            bundle: id(message.bundle),
            channel: message.channel,
            subject: message.subject,
            // A code is the recipient's alone.
            body: if message.kind == Kind::Code { String::new() } else { message.body },
        }
    }
}

/// The filter of a query for messages.
fn filter(house: &House, query: &mut Query) -> Result<MessageFilter, Problem> {
    let state = query.text("state")?.map(|code| {
        Delivery::from_code(&code).ok_or_else(|| {
            wrong(
                "state",
                "waiting、sent、delivered、failed之一",
                "one of waiting, sent, delivered, failed",
            )
        })
    });
    let kind = query.text("kind")?.map(|code| {
        Kind::from_code(&code).ok_or_else(|| {
            let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.code()).collect();
            let (zh, en) = (known.join("、"), known.join(", "));
            wrong("kind", &format!("{zh}之一"), &format!("one of {en}"))
        })
    });
    let before = query.text("cursor")?.map(|text| {
        house
            .ids
            .read_message(&text)
            .ok_or_else(|| wrong("cursor", "上一页的next", "`next` of an earlier page"))
    });
    Ok(MessageFilter {
        jurisdiction: None,
        instance: None,
        segments: None,
        units: None,
        person: query.number("person", 1..=i64::MAX)?.map(PersonId),
        channel: query.text("channel")?,
        state: state.transpose()?,
        kind: kind.transpose()?,
        before: before.transpose()?,
    })
}

async fn listed(
    house: &House,
    caller: Caller,
    filter: MessageFilter,
    limit: i64,
) -> Result<web::Json<Listed<MessageView>>, Problem> {
    let lens = Lens::of(house, &caller)?;
    let gate = house.gate.clone();
    let page = blocking(move || gate.messages(&caller, filter, limit)).await?;
    let next = page.items.last().filter(|_| page.more).map(|last| lens.ids.message(last.id));
    let items = page.items.into_iter().map(|message| MessageView::of(&lens, message));
    Ok(web::Json(Listed { items: items.collect(), next }))
}

/// The messages about an instance, newest first.
#[utoipa::path(
    get, path = "/api/v1/instances/{id}/messages", tag = "matters",
    responses((status = 200, body = Listed<MessageView>, description = "A page.")),
    params(("id" = String, Path, description = "The public id."),
        ("person" = Option<i64>, Query, description = "To this person."),
        ("channel" = Option<String>, Query, description = "On this channel."),
        ("state" = Option<String>, Query, description = "`waiting`, `sent`, `delivered` or `failed`."),
        ("kind" = Option<String>, Query, description = "Of this kind."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn messages_of(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<MessageView>>, Problem> {
    let id = id(&house, &path)?;
    let filter = MessageFilter { instance: Some(id), ..filter(&house, &mut query)? };
    let limit = query.limit()?;
    query.end()?;
    listed(&house, caller, filter, limit).await
}

/// Messages, newest first: of the jurisdiction for those who see everything, one's own for anybody.
#[utoipa::path(
    get, path = "/api/v1/messages", tag = "matters",
    responses((status = 200, body = Listed<MessageView>, description = "A page.")),
    params(
        ("instance" = Option<String>, Query, description = "About this instance."),
        ("person" = Option<i64>, Query, description = "To this person."),
        ("channel" = Option<String>, Query, description = "On this channel."),
        ("state" = Option<String>, Query, description = "`waiting`, `sent`, `delivered` or `failed`."),
        ("kind" = Option<String>, Query, description = "Of this kind."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50."),
    ),
)]
pub(super) async fn messages(
    house: web::Data<House>,
    Who(caller): Who,
    mut query: Query,
) -> Result<web::Json<Listed<MessageView>>, Problem> {
    let instance = query.instance("instance", &house.ids)?;
    let filter = MessageFilter { instance, ..filter(&house, &mut query)? };
    let limit = query.limit()?;
    query.end()?;
    listed(&house, caller, filter, limit).await
}

/// The messages to one person, newest first: one's own, or anybody's for those who see everything.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/messages", tag = "alerts",
    responses((status = 200, body = Listed<MessageView>, description = "A page.")),
    params(("id" = i64, Path, description = "The person's id."),
        ("channel" = Option<String>, Query, description = "On this channel."),
        ("state" = Option<String>, Query, description = "`waiting`, `sent`, `delivered` or `failed`."),
        ("kind" = Option<String>, Query, description = "Of this kind."),
        ("cursor" = Option<String>, Query, description = "`next` of the previous page."),
        ("limit" = Option<i64>, Query, description = "1 to 200, else 50.")),
)]
pub(super) async fn of_person(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    mut query: Query,
) -> Result<web::Json<Listed<MessageView>>, Problem> {
    let person = PersonId(receive::number(&path)?);
    let filter = filter(&house, &mut query)?;
    let limit = query.limit()?;
    query.end()?;
    if filter.person.is_some_and(|other| other != person) {
        return Err(wrong("person", "路径中的人员", "the person of the path"));
    }
    let known = Lens::of(&house, &caller)?.directory.people.contains_key(&person);
    if !known {
        return Err(Problem::not_found());
    }
    listed(&house, caller, MessageFilter { person: Some(person), ..filter }, limit).await
}

fn message_id(house: &House, text: &str) -> Result<MessageId, Problem> {
    house.ids.read_message(text).ok_or_else(Problem::not_found)
}

/// One message, for those who see everything.
#[utoipa::path(
    get, path = "/api/v1/messages/{id}", tag = "alerts",
    responses((status = 200, body = MessageView, description = "The message.")),
    params(("id" = String, Path, description = "The message's public id.")),
)]
pub(super) async fn show(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<MessageView>, Problem> {
    let (id, gate, lens) =
        (message_id(&house, &path)?, house.gate.clone(), Lens::of(&house, &caller)?);
    let message = blocking(move || gate.message(&caller, id)).await?;
    Ok(web::Json(MessageView::of(&lens, message)))
}

/// Acknowledges a message: by the person it was written to. A second time changes nothing.
#[utoipa::path(
    post, path = "/api/v1/messages/{id}/acknowledge", tag = "alerts",
    responses((status = 204, description = "Acknowledged; the ladder that spoke pauses for its hold.")),
    params(("id" = String, Path, description = "The message's public id.")),
)]
pub(super) async fn acknowledge(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = message_id(&house, &path)?;
    house.gate.acknowledge_message(&caller, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Sends a message once more, as a new one to the same person on the same channel.
#[utoipa::path(
    post, path = "/api/v1/messages/{id}/resend", tag = "alerts",
    responses((status = 201, description = "Written; it leaves at once.", headers(("Location" = String)))),
    params(("id" = String, Path, description = "The message's public id.")),
)]
pub(super) async fn resend(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let (id, gate) = (message_id(&house, &path)?, house.gate.clone());
    let again = blocking(move || gate.resend(&caller, id)).await?;
    let place = format!("/api/v1/messages/{}", house.ids.message(again));
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).finish())
}
