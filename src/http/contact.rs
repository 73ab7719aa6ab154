//! How people are reached: addresses and their proofs, personal rules, trials.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::{self, Body};
use super::view::{All, Lens};
use crate::domain::{Language, PersonId, Quiet, Rules};

/// An address of a person.
#[derive(Serialize, ToSchema)]
pub(super) struct ContactView {
    /// `sms` or `email`.
    channel: &'static str,
    /// The address; masked for others than the person itself and administrators.
    #[schema(example = "*********78")]
    address: String,
    /// Since when the person has proved it; changing the address un-proves it.
    verified_at: Option<String>,
}

/// A code that was sent.
#[derive(Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// Good until before this.
    good_until: String,
}

/// A code as it was received.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceivedCode {
    /// Six digits.
    #[schema(example = "042137")]
    code: String,
}

/// An address that was proved.
#[derive(Serialize, ToSchema)]
pub(super) struct Proved {
    /// When.
    verified_at: String,
}

/// A trial.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TrialBody {
    /// `sms` or `email`.
    channel: String,
}

/// A trial that was written.
#[derive(Serialize, ToSchema)]
pub(super) struct TrialSent {
    /// The message's public id.
    message: String,
}

/// A part of the day, in the jurisdiction's zone; it may reach over midnight.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct QuietBody {
    /// From this time on.
    #[schema(example = "22:00")]
    from: String,
    /// Until before this time.
    #[schema(example = "07:00")]
    until: String,
}

/// A person's own rules. They add ways to be told; what a workflow demands they cannot take away.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RulesBody {
    /// `zh` or `en`; Chinese if nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
    /// Channels for less urgent alerts, in order; the usual ones (`email`, `sms`) if nothing is
    /// said.
    #[serde(skip_serializing_if = "Option::is_none")]
    normal: Option<Vec<String>>,
    /// The same for urgent ones; usual: `sms`, `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    urgent: Option<Vec<String>>,
    /// When less urgent alerts wait for the morning.
    #[serde(skip_serializing_if = "Option::is_none")]
    quiet: Option<QuietBody>,
}

impl RulesBody {
    fn of(rules: &Rules) -> Self {
        let some = |ways: &Vec<String>| (!ways.is_empty()).then(|| ways.clone());
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let quiet = rules.quiet.as_ref();
        Self {
            language: rules.language,
            normal: some(&rules.normal),
            urgent: some(&rules.urgent),
            quiet: quiet.map(|q| QuietBody { from: clock(q.from), until: clock(q.until) }),
        }
    }

    fn rules(self) -> Result<Rules, Problem> {
        let quiet = self.quiet.map(|quiet| {
            let (from, until) = (minute("from", &quiet.from)?, minute("until", &quiet.until)?);
            Ok::<Quiet, Problem>(Quiet { from, until })
        });
        Ok(Rules {
            language: self.language,
            normal: ways("normal", self.normal)?,
            urgent: ways("urgent", self.urgent)?,
            quiet: quiet.transpose()?,
        })
    }
}

/// An empty list would not mean what it says: it is refused.
fn ways(name: &str, given: Option<Vec<String>>) -> Result<Vec<String>, Problem> {
    match given {
        Some(ways) if ways.is_empty() => {
            let detail = format!("`{name}` names no channel; leave it out for the usual ones.");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
                .zh("至少需要一个渠道，不填则按默认顺序")
                .input(name))
        }
        given => Ok(given.unwrap_or_default()),
    }
}

fn minute(name: &str, text: &str) -> Result<u16, Problem> {
    let read = || {
        let (hours, minutes) = text.split_once(':')?;
        let two = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        let parts = (two(hours) && two(minutes)).then_some((hours, minutes));
        let (hours, minutes) = parts?;
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    };
    read().ok_or_else(|| {
        let detail = format!("`quiet.{name}` is a time of the day such as 22:00.");
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail)
            .zh("时间格式应为22:00")
            .input(&format!("quiet.{name}"))
    })
}

/// The addresses of a person, and which of them are proved.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/contacts", tag = "directory",
    responses((status = 200, body = All<ContactView>, description = "One for each channel that has an address.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn contacts(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<All<ContactView>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let found = house.gate.contacts(&caller, PersonId(receive::number(&path)?))?;
    let items = found.into_iter().map(|contact| ContactView {
        channel: contact.channel,
        address: contact.address,
        verified_at: contact.verified_at.map(|at| lens.time(at)),
    });
    Ok(web::Json(All { items: items.collect() }))
}

/// Sends a code to an address: for the person itself and administrators, at most three in ten
/// minutes.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/contacts/{channel}/code", tag = "directory",
    responses((status = 202, body = CodeSent, description = "It is on its way.")),
    params(("id" = i64, Path, description = "The person's id."),
        ("channel" = String, Path, description = "`sms` or `email`.")),
)]
pub(super) async fn send_code(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, channel) = path.into_inner();
    let (id, gate) = (PersonId(receive::number(&id)?), house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let until = blocking(move || gate.send_code(&caller, id, &channel)).await?;
    Ok(HttpResponse::Accepted().json(CodeSent { good_until: lens.time(until) }))
}

/// Proves an address by the code that was sent there.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/contacts/{channel}/verify", tag = "directory",
    request_body = ReceivedCode,
    responses((status = 200, body = Proved, description = "The address is proved.")),
    params(("id" = i64, Path, description = "The person's id."),
        ("channel" = String, Path, description = "`sms` or `email`.")),
)]
pub(super) async fn verify(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<(String, String)>,
    Body(body): Body<ReceivedCode>,
) -> Result<web::Json<Proved>, Problem> {
    let (id, channel) = path.into_inner();
    let (id, gate) = (PersonId(receive::number(&id)?), house.gate.clone());
    let lens = Lens::of(&house, &caller)?;
    let at = blocking(move || gate.prove_contact(&caller, id, &channel, &body.code)).await?;
    Ok(web::Json(Proved { verified_at: lens.time(at) }))
}

/// Writes a trial to a person: for the person itself and administrators, at most three in ten
/// minutes.
#[utoipa::path(
    post, path = "/api/v1/people/{id}/test", tag = "directory", request_body = TrialBody,
    responses((status = 202, body = TrialSent, description = "It is on its way.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn trial(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<TrialBody>,
) -> Result<HttpResponse, Problem> {
    let (id, gate) = (PersonId(receive::number(&path)?), house.gate.clone());
    let message = blocking(move || gate.send_trial(&caller, id, &body.channel)).await?;
    Ok(HttpResponse::Accepted().json(TrialSent { message: house.ids.message(message) }))
}

/// A person's own rules: for the person itself and administrators.
#[utoipa::path(
    get, path = "/api/v1/people/{id}/rules", tag = "directory",
    responses((status = 200, body = RulesBody, description = "What differs from the usual.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn rules(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
) -> Result<web::Json<RulesBody>, Problem> {
    Ok(web::Json(RulesBody::of(&house.gate.rules_of(&caller, PersonId(receive::number(&path)?))?)))
}

/// Replaces a person's own rules: for the person itself and administrators.
#[utoipa::path(
    put, path = "/api/v1/people/{id}/rules", tag = "directory", request_body = RulesBody,
    responses((status = 200, body = RulesBody, description = "The rules as they are now.")),
    params(("id" = i64, Path, description = "The person's id.")),
)]
pub(super) async fn put_rules(
    house: web::Data<House>,
    Who(caller): Who,
    path: web::Path<String>,
    Body(body): Body<RulesBody>,
) -> Result<web::Json<RulesBody>, Problem> {
    let (id, gate, rules) = (PersonId(receive::number(&path)?), house.gate.clone(), body.rules()?);
    let shown = RulesBody::of(&rules);
    blocking(move || gate.put_rules(&caller, id, &rules)).await?;
    Ok(web::Json(shown))
}
