//! The auditor: looks again at what runs, trusting nothing but the event log. What is safe to put
//! right (clock rows, which follow from the instance) is put right; everything found is an operator
//! alarm.
//!
//! A pass is bounded: the instances changed since the pass before, the newest first, as far as they
//! stand within the last events; everything that is open without any clock row, or has a clock row
//! without being open, which the two tables show when they are compared as a whole; and a piece of a
//! round over all open ones. The pieces are so large that a round is done within the time stated for
//! it; if it is not, because the machine cannot look at so many, that is an alarm, too.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::Instant as Monotonic;

use super::{Duty, Next, Poll};
use crate::domain::{InstanceId, JurisdictionId};
use crate::gate::{Error, Examined, Gate, Standing};

/// How much a pass looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The real time between two passes.
    pub every: Duration,
    /// The newest events whose instances are looked at.
    pub events: i64,
    /// The open instances of the round that are looked at, at the least.
    pub sweep: usize,
    /// The instances that only stand in one of the two tables and are looked at, at the most.
    pub odd: usize,
    /// The real time in which a round over everything open is to be done. An open matter is looked
    /// at again after twice this time at the latest; else there is an alarm.
    pub round: Duration,
    /// The real time after which a pass leaves the rest of its piece to the next one.
    pub budget: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(60),
            events: 500,
            sweep: 200,
            odd: 200,
            round: Duration::from_secs(30 * 60),
            budget: Duration::from_secs(30),
        }
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
    /// The last instance of this round that was looked at.
    swept: InstanceId,
    /// The last one that only stands in one of the tables.
    odd: InstanceId,
    /// When this round began, and the last one that was done; every open instance was looked at
    /// since the latter.
    round_began: Monotonic,
    looked_since: Monotonic,
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
        let (first, now) = (InstanceId(i64::MIN), Monotonic::now());
        Self {
            duty,
            options,
            position: 0,
            swept: first,
            odd: first,
            round_began: now,
            looked_since: now,
            next_pass: None,
        }
    }

    /// One pass: what was suspected, what changed last, what stands in one table only, and a piece
    /// of the round.
    ///
    /// # Errors
    /// What the store says; the next pass goes on where this one ended.
    pub async fn pass(&mut self) -> Result<Pass, Error> {
        let suspects = self.duty.take_suspects();
        self.pass_over(suspects).await
    }

    async fn pass_over(&mut self, suspects: BTreeSet<InstanceId>) -> Result<Pass, Error> {
        let began = Monotonic::now();
        let mut pass = Pass::default();
        let mut seen = suspects.clone();
        self.look_at(&mut pass, suspects).await?;
        let (position, events) = (self.position, self.options.events);
        let changed = self.duty.ask(move |gate| gate.changed_since(position, events)).await?;
        let (instances, reached) = changed;
        let new: Vec<InstanceId> = instances.into_iter().filter(|id| seen.insert(*id)).collect();
        self.look_at(&mut pass, new).await?;
        self.position = reached;
        let Standing { open, clocked } = self.duty.ask(Gate::standing).await?;
        let odd: BTreeSet<InstanceId> = open.symmetric_difference(&clocked).copied().collect();
        let (piece, reached) = piece(&odd, self.odd, self.options.odd);
        let new: Vec<InstanceId> = piece.into_iter().filter(|id| seen.insert(*id)).collect();
        self.look_at(&mut pass, new).await?;
        self.odd = reached.unwrap_or(InstanceId(i64::MIN));
        self.go_round(&mut pass, &open, &mut seen, began).await?;
        self.tell_age(pass).await;
        self.duty.figures.audit_passes.add();
        self.duty.figures.beat("auditor.pass", self.duty.gate.now());
        Ok(pass)
    }

    /// A piece of the round over everything open.
    async fn go_round(
        &mut self,
        pass: &mut Pass,
        open: &BTreeSet<InstanceId>,
        seen: &mut BTreeSet<InstanceId>,
        began: Monotonic,
    ) -> Result<(), Error> {
        let passes = (self.options.round.as_nanos() / self.options.every.as_nanos().max(1)).max(1);
        let share = open.len().div_ceil(usize::try_from(passes).unwrap_or(usize::MAX));
        let (piece, reached) = piece(open, self.swept, share.max(self.options.sweep));
        for id in piece {
            if began.elapsed() >= self.options.budget {
                return Ok(());
            }
            if seen.insert(id) {
                self.look_at(pass, [id]).await?;
            }
            self.swept = id;
        }
        if reached.is_none() {
            self.swept = InstanceId(i64::MIN);
            self.looked_since = self.round_began;
            self.round_began = Monotonic::now();
        }
        Ok(())
    }

    /// Says how old the oldest look may be, aloud if it is older than promised.
    async fn tell_age(&self, pass: Pass) {
        let (age, most) = (self.looked_since.elapsed(), self.options.round.saturating_mul(2));
        let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        self.duty.gate.figures().note_audit(pass.differing, millis);
        if age > most {
            let detail = format!(
                "some open matters were not looked at for {} s; each is promised a look every {} s: \
                 the machine is too slow for so many, or too busy",
                age.as_secs(),
                most.as_secs()
            );
            self.duty.alarm("audit_behind", None, None, detail).await;
        }
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
            if let (true, Some(whose)) = (found.outdated, found.jurisdiction) {
                self.count_again(whose, id).await?;
            }
            if !found.differences.is_empty() {
                pass.differing += 1;
                pass.repaired += found.repaired;
                self.report(&found).await;
            }
        }
        Ok(())
    }

    /// A clock that was armed by the old calendar while the new one was being loaded.
    async fn count_again(&self, whose: JurisdictionId, id: InstanceId) -> Result<(), Error> {
        match self.duty.gate.recount(whose, id).await {
            // Refused: somebody was faster, or the recount itself says why in an alarm.
            Ok(_) | Err(Error::Refused(_) | Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
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

/// At most `limit` of all after `after`, and the last of them; none if that is the end.
fn piece(
    all: &BTreeSet<InstanceId>,
    after: InstanceId,
    limit: usize,
) -> (Vec<InstanceId>, Option<InstanceId>) {
    let mut rest = all.range((Bound::Excluded(after), Bound::Unbounded)).copied();
    let piece: Vec<InstanceId> = rest.by_ref().take(limit).collect();
    let reached = rest.next().and(piece.last().copied());
    (piece, reached)
}
