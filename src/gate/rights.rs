//! Whether somebody may ask a thing what he asks, judged inside the transaction.

use std::sync::Arc;

use super::batch::Draft;
use super::committer::Work;
use super::error::Error;
use super::{Caller, Request, Target};
use crate::chart::Chart;
use crate::domain::{Actor, InstanceId};
use crate::engine;
use crate::policy::{self, Act, Relation};

/// The chart that is asked, and the instance with its family if it is there already.
type Asked = (Arc<Chart>, Option<(InstanceId, InstanceId)>);

impl Work<'_> {
    /// The chart that will decide, and instance and family if they are there already. What the caller takes
    /// no part in is as if it were not there.
    pub(super) fn target(&self, draft: &Draft, request: &Request) -> Result<Asked, Error> {
        let Request { caller, target, if_version, .. } = request;
        let registry = &self.setting.registry;
        let id = match target {
            Target::New(workflow) => {
                if !policy::may(&caller.actor, Act::Open) {
                    return Err(Error::Forbidden);
                }
                let definition = registry.current(caller.jurisdiction, workflow)?;
                return Ok((registry.chart(definition)?, None));
            }
            Target::Instance(id) => *id,
        };
        let instance = draft.instance(id).ok_or(Error::NotFound)?;
        if instance.jurisdiction != caller.jurisdiction {
            return Err(Error::NotFound);
        }
        let chart = registry.chart(instance.definition)?;
        let directory = registry.directory(caller.jurisdiction)?;
        let (actor, county) = (&caller.actor, directory.county());
        let posts = || chart.posts(&*directory);
        let may = match right_of(&request.command) {
            Act::Command => policy::takes_part(actor, chart.named_in(instance), posts, county),
            act => policy::may_at(actor, act, Relation::Other, county),
        };
        if !may {
            // Who sees it all the same learns that it is there and not for him to act on.
            let sees = policy::sees_all(actor, county);
            return Err(if sees { Error::Forbidden } else { Error::NotFound });
        }
        if let Some(seen) = if_version {
            // Who is named and sees its own part only is never told how the matter stands by now.
            let whole = policy::sees_all(actor, county)
                || policy::takes_part(actor, chart.parties_of(instance), posts, county);
            // Word of an alert does not make stale what the caller has seen of the matter.
            if !whole || !(instance.touched..=instance.version).contains(seen) {
                return Err(Error::Stale { now: whole.then_some(instance.version) });
            }
        }
        Ok((chart, Some((instance.id, instance.family))))
    }

    /// The actor with the grants that count for what it asks: where a right does not rest on the
    /// workflow's `by`, those that the policy table names, so that the event says which it was.
    pub(super) fn acting(&self, request: &Request) -> Result<Actor, Error> {
        let Caller { actor, jurisdiction } = &request.caller;
        let act = right_of(&request.command);
        if act == Act::Command || !matches!(actor, Actor::Person { .. }) {
            return Ok(actor.clone());
        }
        let directory = self.setting.registry.directory(*jurisdiction)?;
        let grants = policy::grants_for(actor, act, directory.county());
        Ok(actor.with(grants))
    }
}

/// The right that a command rests on.
fn right_of(command: &str) -> Act {
    match command {
        engine::REVEAL => Act::RevealCaller,
        engine::CORRECT => Act::CorrectCaller,
        engine::ERASE => Act::EraseCaller,
        _ => Act::Command,
    }
}
