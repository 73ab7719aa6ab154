//! What is noted of those who come in, and written down now and then: when tokens were used, and what
//! was denied in the hours that are over.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll};

/// How often it is written down.
const EVERY: Duration = Duration::from_secs(5);

/// The loop.
pub struct Visits {
    duty: Duty,
}

impl Visits {
    /// A loop at a door.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty }
    }
}

impl Poll for Visits {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            if let Err(error) = self.duty.ask(|gate| gate.write_uses()).await {
                tracing::warn!(%error, "when tokens were last used cannot be written down");
            }
            if let Err(error) = self.duty.ask(|gate| gate.write_denials()).await {
                tracing::warn!(%error, "what was denied cannot be written down");
            }
            Next::In(EVERY)
        }
        .boxed()
    }
}
