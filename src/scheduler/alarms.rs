//! Operator alarms wake somebody: each new one is told to the people whom the settings name, once, on
//! whichever node comes first, also after downtime.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll};

/// Alarms of other nodes, those that nobody could be told of, and failures are looked at after this.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// The loop.
pub struct Alarms {
    duty: Duty,
}

impl Alarms {
    /// Tells the alarms behind a door.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty }
    }
}

impl Poll for Alarms {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            match self.duty.ask(|gate| gate.tell_alarms()).await {
                Ok(turn) => {
                    if turn.told > 0 {
                        tracing::info!(alarms = turn.told, "people were told of operator alarms");
                    }
                    turn.next.map_or(Next::In(LOOK_AGAIN), Next::At)
                }
                Err(error) => {
                    tracing::error!(%error, "operator alarms cannot be told; they are told later");
                    Next::In(LOOK_AGAIN)
                }
            }
        }
        .boxed()
    }
}
