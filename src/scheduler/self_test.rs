//! Channels are tried on schedule, so that a gateway that is down is known before an alert needs it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::time::{Instant as Monotonic, timeout};

use super::{Duty, Next, Poll};
use crate::channel::{Channel, Outcome};
use crate::gate::SelfTested;

/// What a test may take.
const LIMIT: Duration = Duration::from_secs(30);

/// The loop of one channel.
pub struct SelfTest {
    duty: Duty,
    name: String,
    channel: Arc<dyn Channel>,
    every: Duration,
    next: Option<Monotonic>,
}

impl SelfTest {
    /// Tries `channel` at once and then each time `every` has passed.
    #[must_use]
    pub fn new(duty: Duty, name: &str, channel: Arc<dyn Channel>, every: Duration) -> Self {
        Self { duty, name: name.to_owned(), channel, every, next: None }
    }

    async fn test(&self) {
        let why = match timeout(LIMIT, self.channel.test()).await {
            Ok(Outcome::Accepted { .. }) => None,
            Ok(Outcome::Refused { why, .. } | Outcome::Unknown { why }) => Some(why),
            Err(_late) => Some(format!("no answer within {LIMIT:?}")),
        };
        let (name, at) = (self.name.clone(), self.duty.gate.now());
        if let Some(why) = &why {
            tracing::warn!(channel = name, why, "a channel failed its self-test");
        }
        let (works, why) = (why.is_none(), why.unwrap_or_default());
        let test = SelfTested { at, works, why };
        if let Err(error) = self.duty.ask(move |gate| gate.note_self_test(&name, test)).await {
            tracing::error!(%error, channel = self.name, "a self-test could not be recorded");
        }
    }
}

impl Poll for SelfTest {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let now = Monotonic::now();
            let next = match self.next {
                Some(next) if next > now => next,
                _ => {
                    self.test().await;
                    now + self.every
                }
            };
            self.next = Some(next);
            Next::In(next.saturating_duration_since(Monotonic::now()))
        }
        .boxed()
    }
}
