//! Duty rosters: at each handover the incoming people are told, once.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll};
use crate::domain::Instant;

/// New rosters, and those whose turn failed, are looked at after this.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The loop.
pub struct Handovers {
    duty: Duty,
}

impl Handovers {
    /// Hands over what the rosters say.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty }
    }
}

impl Poll for Handovers {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let registry = self.duty.gate.registry();
            let mut next: Option<Instant> = None;
            for jurisdiction in registry.jurisdictions() {
                let rosters = registry.rosters(jurisdiction);
                for roster in rosters.rosters.keys() {
                    let code = roster.clone();
                    match self.duty.ask(move |gate| gate.hand_over(jurisdiction, &code)).await {
                        Ok(turn) => {
                            if turn.told > 0 {
                                let told = turn.told;
                                tracing::info!(%jurisdiction, roster, told, "a shift was handed over");
                            }
                            let earlier = next.into_iter().chain(turn.next).min();
                            next = earlier;
                        }
                        // The others have their turns all the same.
                        Err(error) => tracing::error!(%error, %jurisdiction, roster,
                            "a handover failed; it is tried again"),
                    }
                }
            }
            next.map_or(Next::In(LOOK_AGAIN), Next::At)
        }
        .boxed()
    }
}
