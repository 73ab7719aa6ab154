//! After a new version of a calendar was loaded: the clocks of everything that waits are counted
//! again by it, a piece at a time. How far it is stands in the store, so that a restart goes on
//! where the last piece ended; a piece that is done twice moves nothing twice.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all};

use super::{Duty, Next, Poll, back_off};
use crate::domain::{InstanceId, JurisdictionId};
use crate::gate::Error;

/// How much is looked at in one turn, and how soon everything is looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The instances of a piece.
    pub piece: usize,
    /// The second round begins no sooner than this after the first (ms): by then every node knows
    /// the new version, and nothing that was decided by the old one is still to be written.
    pub settle: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { piece: 500, settle: 30_000 }
    }
}

/// A loop that knows of nothing to do looks again after this: another node may have loaded a
/// version, or ended a recount that this one waits for.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The loop.
pub struct Recount {
    duty: Duty,
    options: Options,
    /// The versions by which everything is counted.
    done: BTreeMap<JurisdictionId, String>,
    failures: u32,
}

impl Poll for Recount {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let mut next = Next::In(LOOK_AGAIN);
            for jurisdiction in self.duty.gate.registry().jurisdictions() {
                match self.turn(jurisdiction).await {
                    Ok(Some(wanted)) => {
                        self.failures = 0;
                        next = if next == Next::Now { next } else { wanted };
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.failures = self.failures.saturating_add(1);
                        tracing::warn!(%error, %jurisdiction,
                            "clocks cannot be counted again; trying again");
                        return Next::In(back_off(self.failures));
                    }
                }
            }
            next
        }
        .boxed()
    }
}

impl Recount {
    /// Knows of nothing yet: what is in the store decides.
    #[must_use]
    pub fn new(duty: Duty, options: Options) -> Self {
        Self { duty, options, done: BTreeMap::new(), failures: 0 }
    }

    /// One piece in one jurisdiction; none when everything is counted.
    async fn turn(&mut self, whose: JurisdictionId) -> Result<Option<Next>, Error> {
        let calendar = self.duty.gate.registry().calendar(whose)?;
        if self.done.get(&whose).is_some_and(|version| version == calendar.version()) {
            return Ok(None);
        }
        let progress = self.duty.ask(move |gate| gate.recounting(whose)).await?;
        if progress.ended_at.is_some() {
            self.done.insert(whose, progress.version);
            return Ok(None);
        }
        let again_at = progress.began_at.plus(self.options.settle);
        if progress.round > 1 && self.duty.gate.now() < again_at {
            return Ok(Some(Next::At(again_at)));
        }
        let (limit, from) = (self.options.piece, progress.clone());
        let piece = self.duty.ask(move |gate| gate.recount_piece(whose, &from, limit)).await?;
        let moved = self.move_all(whose, &piece.moving).await?;
        let next = progress.after(&piece, moved, self.duty.gate.now());
        let (ended, all_moved) = (next.ended_at.is_some(), next.moved);
        let kept = self.duty.ask(move |gate| gate.note_recount(whose, &progress, &next)).await?;
        if kept && ended {
            let version = calendar.version();
            tracing::info!(jurisdiction = %whose, version, moved = all_moved,
                "every clock is counted by this version of the calendar");
        }
        Ok(Some(Next::Now))
    }

    /// Counts them again through the door; answers how many moved.
    async fn move_all(&self, whose: JurisdictionId, moving: &[InstanceId]) -> Result<i64, Error> {
        let gate = &self.duty.gate;
        let outcomes = join_all(moving.iter().map(|id| gate.recount(whose, *id))).await;
        let mut moved = 0_i64;
        for (id, outcome) in moving.iter().zip(outcomes) {
            match outcome {
                Ok(_) => moved = moved.saturating_add(1),
                // It moved on meanwhile, or another node was faster.
                Err(Error::NotFound) => {}
                Err(Error::Refused(refusal)) if refusal.code == "nothing_to_recount" => {}
                Err(Error::Refused(refusal)) => {
                    let detail = format!("its clocks cannot be counted again: {refusal}");
                    self.duty.alarm("recount_refused", Some(whose), Some(*id), detail).await;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(moved)
    }
}
