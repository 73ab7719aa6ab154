//! Changes as they are committed: server-sent events of what concerns the caller.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::Serialize;
use tokio::sync::{broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use utoipa::ToSchema;

use super::House;
use super::caller::{Proof, Who, proof};
use super::problem::Problem;
use super::view::{Lens, tier};
use crate::gate::{Caller, Change, number_of};
use crate::policy::Act;

/// So often a line is sent that says nothing, so that nobody takes the connection for dead; and it is
/// looked whether the follower may still follow.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A change.
#[derive(Serialize, ToSchema)]
pub(super) struct ChangeView<'c> {
    /// The instance's public id.
    id: String,
    /// The root of its family.
    family: String,
    /// What people call the matter.
    number: String,
    /// Its workflow.
    workflow: &'c str,
    /// The event's number: the instance's version.
    seq: i64,
    /// What happened.
    kind: &'c str,
    /// The flat status after it.
    status: &'c str,
    /// The stage after it.
    stage: &'c str,
    /// The holder after it.
    holder: Option<&'c str>,
    /// The tier after it.
    tier: &'static str,
    /// When it was recorded.
    at: String,
}

/// A caller who follows.
struct Follower {
    house: web::Data<House>,
    caller: Caller,
    proof: Option<Proof>,
    changes: broadcast::Receiver<Change>,
    closing: watch::Receiver<bool>,
    heartbeat: Interval,
}

/// Follows what is committed from now on, as far as it concerns the caller.
#[utoipa::path(
    get, path = "/api/v1/changes", tag = "matters",
    responses((status = 200, body = ChangeView<'static>, content_type = "text/event-stream",
        description = "`event: change` with this as data; `event: lagged` when some were lost to \
            a follower that was too slow: read the lists again.")),
)]
pub(super) async fn follow(
    house: web::Data<House>,
    Who(caller): Who,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let follower = Follower {
        changes: house.gate.changes(),
        closing: house.closing.clone(),
        proof: proof(&request),
        house,
        caller,
        heartbeat,
    };
    let lines = stream::unfold(follower, |mut follower| async move {
        let line = follower.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(line)), follower))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(lines))
}

/// Whoever may still follow.
fn gate_allows(house: &House, known: crate::gate::Known) -> Option<Caller> {
    house.gate.admit(&known.caller, Act::SeeMatter).ok()?;
    Some(known.caller)
}

impl Follower {
    /// The next lines; none when the house is left or the token is no longer good.
    async fn next(&mut self) -> Option<String> {
        loop {
            let change = tokio::select! {
                _ = self.closing.wait_for(|closing| *closing) => return None,
                _ = self.heartbeat.tick() => None,
                change = self.changes.recv() => Some(change),
            };
            match change {
                None => {
                    // A revoked token ends what it opened; rights may have changed, too.
                    self.caller = self.still_known().await?;
                    return Some(": still here\n\n".to_owned());
                }
                Some(Ok(change)) if self.house.gate.concerns(&self.caller, &change) => {
                    return self.told(&change);
                }
                Some(Ok(_)) => {}
                Some(Err(broadcast::error::RecvError::Lagged(lost))) => {
                    return Some(format!("event: lagged\ndata: {{\"lost\":{lost}}}\n\n"));
                }
                Some(Err(broadcast::error::RecvError::Closed)) => return None,
            }
        }
    }

    async fn still_known(&self) -> Option<Caller> {
        let (gate, proof) = (self.house.gate.clone(), self.proof.clone()?);
        let known = web::block(move || proof.known(&gate)).await.ok()?.ok()?;
        gate_allows(&self.house, known)
    }

    fn told(&self, change: &Change) -> Option<String> {
        let lens = Lens::of(&self.house, &self.caller).ok()?;
        let view = ChangeView {
            id: lens.id(change.instance),
            family: lens.id(change.family),
            number: number_of(change.family),
            workflow: &change.workflow,
            seq: change.seq,
            kind: &change.kind,
            status: &change.status,
            stage: &change.stage,
            holder: change.holder.as_deref(),
            tier: tier(change.tier),
            at: lens.time(change.at),
        };
        let data = serde_json::to_string(&view).ok()?;
        Some(format!("event: change\ndata: {data}\n\n"))
    }
}
