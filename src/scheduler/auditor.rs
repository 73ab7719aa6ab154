//! The auditor: looks again at what runs, trusting nothing but the event log. What is safe to put
//! right (clock rows, which follow from the instance) is put right; everything found is an operator
//! alarm.
//!
//! A pass is bounded: the instances changed since the pass before, the newest first, as far as they
//! stand within the last events; and a piece of a slow sweep over all open ones. On a large or busy
//! store a pass is therefore a rolling sample, and every open matter is looked at when the sweep
//! comes round.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant as Monotonic;

use super::{Duty, Next, Poll};
use crate::domain::InstanceId;
use crate::gate::{Error, Examined};

/// How much a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The real time between two passes.
    pub every: Duration,
    /// The newest events whose instances are looked at.
    pub events: i64,
    /// The open instances of the sweep that are looked at.
    pub sweep: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { every: Duration::from_secs(60), events: 500, sweep: 200 }
    }
}

/// What a pass found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pass {
    /// Instances looked at.
    pub checked: usize,
    /// Of these, instances with something that is not as it should be.
    pub differing: usize,
    /// Clock rows put right.
    pub repaired: usize,
}

/// An alarm lists so many differences.
const LISTED: usize = 8;

/// The loop.
pub struct Auditor {
    duty: Duty,
    options: Options,
    position: i64,
    swept: InstanceId,
    next_pass: Option<Monotonic>,
}

impl Poll for Auditor {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let suspects = self.duty.take_suspects();
            let now = Monotonic::now();
            let is_time = self.next_pass.is_none_or(|at| at <= now);
            let mut pass = Pass::default();
            let outcome = if is_time {
                self.next_pass = Some(now + self.options.every);
                self.pass_over(suspects).await
            } else {
                self.look_at(&mut pass, suspects).await.map(|()| pass)
            };
            if let Err(error) = outcome {
                tracing::warn!(%error, "the auditor could not look at everything; it goes on later");
            }
            let wait = self.next_pass.map(|at| at.saturating_duration_since(Monotonic::now()));
            Next::In(wait.unwrap_or(self.options.every))
        }
        .boxed()
    }
}

impl Auditor {
    /// Begins with the newest events and the first open instance.
    #[must_use]
    pub fn new(duty: Duty, options: Options) -> Self {
        Self { duty, options, position: 0, swept: InstanceId(i64::MIN), next_pass: None }
    }

    /// One pass: what changed last, what was suspected, and a piece of the sweep.
    ///
    /// # Errors
    /// What the store says; the next pass goes on where this one ended.
    pub async fn pass(&mut self) -> Result<Pass, Error> {
        let suspects = self.duty.take_suspects();
        self.pass_over(suspects).await
    }

    async fn pass_over(&mut self, suspects: BTreeSet<InstanceId>) -> Result<Pass, Error> {
        let mut pass = Pass::default();
        let mut seen = suspects.clone();
        self.look_at(&mut pass, suspects).await?;
        let (position, events) = (self.position, self.options.events);
        let changed = self.duty.ask(move |gate| gate.changed_since(position, events)).await?;
        let (instances, reached) = changed;
        let new: Vec<InstanceId> = instances.into_iter().filter(|id| seen.insert(*id)).collect();
        self.look_at(&mut pass, new).await?;
        self.position = reached;
        let (after, limit) = (self.swept, self.options.sweep);
        let open = self.duty.ask(move |gate| gate.open_instances_after(after, limit)).await?;
        // A piece that is not full was the last: the sweep begins again.
        let ended = i64::try_from(open.len()).unwrap_or(i64::MAX) < limit;
        let last = open.last().copied().filter(|_| !ended).unwrap_or(InstanceId(i64::MIN));
        let rest: Vec<InstanceId> = open.into_iter().filter(|id| seen.insert(*id)).collect();
        self.look_at(&mut pass, rest).await?;
        self.swept = last;
        self.duty.figures.audit_passes.add();
        self.duty.figures.beat("auditor.pass", self.duty.gate.now());
        Ok(pass)
    }

    async fn look_at(
        &self,
        pass: &mut Pass,
        instances: impl IntoIterator<Item = InstanceId>,
    ) -> Result<(), Error> {
        for id in instances {
            let Some(found) = self.duty.ask(move |gate| gate.examine(id)).await? else { continue };
            pass.checked += 1;
            self.duty.figures.audited.add();
            if !found.differences.is_empty() {
                pass.differing += 1;
                pass.repaired += found.repaired;
                self.report(&found).await;
            }
        }
        Ok(())
    }

    async fn report(&self, found: &Examined) {
        let figures = &self.duty.figures;
        figures.audit_differing.add();
        figures.audit_repaired.add_many(found.repaired);
        let listed: Vec<String> =
            found.differences.iter().take(LISTED).map(ToString::to_string).collect();
        let mut detail = listed.join("; ");
        if found.differences.len() > LISTED {
            detail.push_str(&format!("; and {} more", found.differences.len() - LISTED));
        }
        if found.repaired > 0 {
            detail.push_str(&format!("; {} clock rows were put right", found.repaired));
        }
        self.duty.alarm("audit_difference", found.jurisdiction, Some(found.instance), detail).await;
    }
}
