//! Callers' data are locked by the newest key: what an older one has locked, or none, is locked anew, a
//! stretch at a time. Which key did it stands in every value, so that a restart goes on by itself.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll, back_off};
use crate::gate::Relocking;

/// How often it is looked whether there is a new key.
const EVERY: Duration = Duration::from_secs(5);

/// The loop.
pub struct Relock {
    duty: Duty,
    so_far: Relocking,
    failures: u32,
}

impl Relock {
    /// Knows of nothing yet: what is in the store decides.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty, so_far: Relocking::default(), failures: 0 }
    }
}

impl Poll for Relock {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let from = self.so_far.clone();
            match self.duty.ask(move |gate| gate.relock(from)).await {
                Ok(Some(next)) => {
                    let again = next.begins_again();
                    self.so_far = next;
                    self.failures = 0;
                    if again { Next::In(EVERY) } else { Next::Now }
                }
                Ok(None) => {
                    let Relocking { changed, altered, .. } = std::mem::take(&mut self.so_far);
                    if changed > 0 {
                        tracing::info!(changed, "callers' data are locked by the newest key");
                    }
                    if altered > 0 {
                        let detail = format!(
                            "{altered} values of callers or devices were altered or moved in the database \
                             and cannot be opened; `fenliu verify` names them"
                        );
                        self.duty.alarm("locked_values_altered", None, None, detail).await;
                    }
                    self.failures = 0;
                    Next::In(EVERY)
                }
                Err(error) => {
                    self.failures = self.failures.saturating_add(1);
                    tracing::error!(%error, "callers' data cannot be locked by the newest key");
                    Next::In(back_off(self.failures))
                }
            }
        }
        .boxed()
    }
}
