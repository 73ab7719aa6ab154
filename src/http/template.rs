//! The texts of messages, looked at before anybody gets one.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::receive::Body;
use crate::domain::{Kind, Language};
use crate::gate::Wish;
use crate::template::{parts, units};

/// What is to be looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewBody {
    /// `alert`, `bundle` (several alerts in one message), `code`, `reply`, `digest`, `mute`,
    /// `handover`, `coverage` or `test`.
    kind: String,
    /// `sms`, `email`, `console` or `webhook`.
    channel: String,
    /// `zh` or `en`; Chinese if nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    language: Language,
    /// For an alert: a workflow …
    workflow: Option<String>,
    /// … and one of its texts.
    text: Option<String>,
}

/// A message with sample values.
#[derive(Serialize, ToSchema)]
pub(super) struct PreviewView {
    /// The subject.
    subject: String,
    /// The text.
    text: String,
    /// The same as HTML, where the channel has it.
    html: Option<String>,
    /// The text's length in UTF-16 units, as SMS are counted.
    units: usize,
    /// In how many parts it would leave as an SMS.
    parts: usize,
}

/// Shows a message with sample values: for editors and administrators.
#[utoipa::path(
    post, path = "/api/v1/templates/preview", tag = "administration", request_body = PreviewBody,
    responses((status = 200, body = PreviewView, description = "As it would be sent.")),
)]
pub(super) async fn preview(
    house: web::Data<House>,
    Who(caller): Who,
    Body(body): Body<PreviewBody>,
) -> Result<web::Json<PreviewView>, Problem> {
    let bundle = body.kind == "bundle";
    let kind = if bundle { Some(Kind::Alert) } else { Kind::from_code(&body.kind) };
    let kind = kind.filter(|kind| *kind != Kind::Change).ok_or_else(|| {
        let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Change).map(|kind| kind.code());
        let known = kinds.chain(["bundle"]).collect::<Vec<_>>().join(", ");
        Problem::bad_request("bad_kind", format!("`kind` is one of {known}.")).input("kind")
    })?;
    let text = match (body.workflow, body.text) {
        (Some(workflow), Some(text)) => Some((workflow, text)),
        (None, None) => None,
        _ => {
            let detail = "`workflow` and `text` are said together, or neither of them.";
            return Err(Problem::bad_request("bad_text", detail).input("text"));
        }
    };
    let wish = Wish { kind, channel: body.channel, language: body.language, bundle, text };
    let gate = house.gate.clone();
    let written = blocking(move || gate.preview(&caller, &wish)).await?;
    let units = units(&written.text);
    Ok(web::Json(PreviewView {
        subject: written.subject,
        text: written.text,
        html: written.html,
        units,
        parts: parts(units),
    }))
}
