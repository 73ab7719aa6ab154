//! Messages on channels that nobody configured.

use std::collections::BTreeSet;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Options, Outbox};
use crate::channel::{Channel, Letter, Outcome};
use crate::scheduler::{Duty, Next, Poll};

/// Messages on channels that nobody configured: given up with an alarm, so that they do not wait
/// for ever in silence.
pub struct Strays {
    duty: Duty,
    known: BTreeSet<String>,
    options: Options,
}

impl Strays {
    /// Looks for messages on other channels than the `known` ones.
    #[must_use]
    pub fn new(duty: Duty, known: BTreeSet<String>, options: Options) -> Self {
        Self { duty, known, options }
    }
}

/// The channel of those that have none.
struct Nowhere {
    /// The name by which workflows called it.
    called: String,
}

impl Channel for Nowhere {
    fn name(&self) -> &'static str {
        "nowhere"
    }

    fn send<'a>(&'a self, _letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        let why = format!("no channel `{}` is configured", self.called);
        ready(Outcome::never(why)).boxed()
    }
}

impl Poll for Strays {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let again = Next::In(Duration::from_secs(30));
            let waiting = match self.duty.ask(|gate| gate.waiting_channels()).await {
                Ok(waiting) => waiting,
                Err(error) => {
                    tracing::warn!(%error, "waiting channels cannot be looked at");
                    return again;
                }
            };
            for name in waiting.iter().filter(|name| !self.known.contains(*name)) {
                tracing::error!(
                    channel = name,
                    "messages wait on a channel that is not configured"
                );
                let nowhere = Arc::new(Nowhere { called: name.clone() });
                let mut outbox = Outbox::new(self.duty.clone(), name, nowhere, self.options);
                while outbox.poll().await == Next::Now {}
                outbox.finish().await;
            }
            again
        }
        .boxed()
    }
}
