//! What changes, here or by other nodes: when a jurisdiction's revision grew, definitions, calendars and
//! directories are loaded again (what changes here is loaded at once), and what merged units had open goes to their successors.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll};
use crate::domain::JurisdictionId;

/// How often the revisions are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// The loop.
pub struct Watch {
    duty: Duty,
    seen: BTreeMap<JurisdictionId, i64>,
}

impl Watch {
    /// Has seen nothing yet, so it looks at everything once at the beginning.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty, seen: BTreeMap::new() }
    }
}

impl Watch {
    /// What units had open that were merged goes to their successors. After a stop, and after every
    /// change of the directory.
    async fn follow(&self) {
        for whose in self.duty.gate.registry().jurisdictions() {
            match self.duty.gate.follow_successors(whose).await {
                Ok(0) => {}
                Ok(moved) => tracing::info!(%whose, moved, "open matters followed their unit"),
                Err(error) => {
                    tracing::warn!(%error, %whose, "open matters did not follow their unit yet");
                }
            }
        }
    }
}

impl Poll for Watch {
    fn poll(&mut self) -> BoxFuture<'_, Next> {
        async {
            let mut seen = self.seen.clone();
            let looked = self.duty.ask(move |gate| {
                let changed = gate.notice_changes(&mut seen)?;
                Ok((changed, seen))
            });
            match looked.await {
                Ok((changed, seen)) => {
                    self.seen = seen;
                    if changed {
                        tracing::info!("definitions, calendars or directories have changed");
                        self.follow().await;
                    }
                }
                Err(error) => tracing::warn!(%error, "revisions cannot be looked at"),
            }
            Next::In(EVERY)
        }
        .boxed()
    }
}
