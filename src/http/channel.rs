//! How the channels stand.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::House;
use super::caller::Who;
use super::problem::{Problem, blocking};
use super::view::{All, Lens};
use crate::gate::ChannelState;

/// A channel. Counts are since the process began that answers.
#[derive(Serialize, ToSchema)]
pub(super) struct ChannelView {
    /// What workflows call it: `sms`, `email`, `webhook`, `console`.
    name: String,
    /// What it is here: `smtp`, `smpp`, `gateway`, `http`, `log`, `console`; empty: nothing is set up.
    kind: String,
    /// How the line to its service is protected: `verified` (encrypted, the certificate is checked),
    /// `here` (it does not leave the machine), `clear` (whoever is on the way can read it).
    wire: &'static str,
    /// Messages that wait.
    waiting: i64,
    /// When the oldest of them was written.
    oldest_waiting_at: Option<String>,
    /// Messages handed over.
    sent: u64,
    /// Attempts after which a message is tried again.
    retried: u64,
    /// Messages given up on it.
    failed: u64,
    /// Attempts of which nobody knows whether they arrived.
    unknown: u64,
    /// Messages that reached the device, as the gateway says.
    delivered: u64,
    /// Messages that had been taken and did not arrive.
    bounced: u64,
    /// Replies that came in.
    replies: u64,
    /// Receipts and replies that could not be taken up.
    lost: u64,
    /// `closed`: letters go; `open`: it rests after failures; `trying`: one letter tries.
    breaker: &'static str,
    /// The last self-test; none where there is nothing to test, or it is switched off.
    test: Option<TestView>,
}

/// A self-test.
#[derive(Serialize, ToSchema)]
pub(super) struct TestView {
    /// When.
    at: String,
    /// Whether the service is there and takes what would be sent.
    works: bool,
    /// What was said if not.
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
}

impl ChannelView {
    fn of(lens: &Lens, state: ChannelState) -> Self {
        let ChannelState { name, figures, waiting, oldest } = state;
        Self {
            name,
            wire: figures.wire.code(),
            waiting,
            oldest_waiting_at: oldest.map(|at| lens.time(at)),
            sent: figures.sent,
            retried: figures.retried,
            failed: figures.failed,
            unknown: figures.unknown,
            delivered: figures.delivered,
            bounced: figures.bounced,
            replies: figures.replies,
            lost: figures.lost,
            breaker: if figures.breaker.is_empty() { "closed" } else { figures.breaker },
            test: figures.test.map(|test| TestView {
                at: lens.time(test.at),
                works: test.works,
                why: test.why,
            }),
            kind: figures.kind,
        }
    }
}

/// The channels: what waits, what went, whether their services work. For those who operate the house.
#[utoipa::path(
    get, path = "/api/v1/channels", tag = "alerts",
    responses((status = 200, body = All<ChannelView>, description = "In order of name.")),
)]
pub(super) async fn list(
    house: web::Data<House>,
    Who(caller): Who,
) -> Result<web::Json<All<ChannelView>>, Problem> {
    let lens = Lens::of(&house, &caller)?;
    let gate = house.gate.clone();
    let states = blocking(move || gate.channels(&caller)).await?;
    let items = states.into_iter().map(|state| ChannelView::of(&lens, state)).collect();
    Ok(web::Json(All { items }))
}
