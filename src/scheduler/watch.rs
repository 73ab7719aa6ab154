//! What changes, here or by other nodes: when a jurisdiction's revision grew, definitions, calendars and
//! directories are loaded again (what changes here is loaded at once), what merged units had open goes to
//! their successors, and a router that another catalogue was in force for is trained anew.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Duty, Next, Poll};
use crate::domain::JurisdictionId;

/// How often the revisions are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// What merged units have open is looked for every so many looks, even if nothing has changed: what was
/// closed when its unit was merged may have been reopened since.
const FOLLOWED_EVERY: u32 = 12;

/// The loop.
pub struct Watch {
    duty: Duty,
    /// So many looks more until what merged units have open is looked for.
    rest: u32,
    seen: BTreeMap<JurisdictionId, i64>,
    /// A training under way: the house does not wait for it, not even when it is left.
    training: Option<JoinHandle<()>>,
}

impl Watch {
    /// Has seen nothing yet, so it looks at everything once at the beginning.
    #[must_use]
    pub fn new(duty: Duty) -> Self {
        Self { duty, rest: 0, seen: BTreeMap::new(), training: None }
    }
}

impl Watch {
    /// What units had open that were merged goes to their successors: after a stop, after every change of
    /// the directory, and from time to time; what failed, with the next look.
    async fn follow(&mut self) {
        self.rest = FOLLOWED_EVERY;
        for whose in self.duty.gate.registry().jurisdictions() {
            match self.duty.gate.follow_successors(whose).await {
                Ok(0) => {}
                Ok(moved) => tracing::info!(%whose, moved, "open matters followed their unit"),
                Err(error) => {
                    self.rest = 0;
                    tracing::warn!(%error, %whose, "open matters did not follow their unit yet");
                }
            }
        }
    }
}

impl Watch {
    /// Lets a router be trained that is behind the catalogue, beside everything else.
    async fn catch_up(&mut self) {
        if self.training.as_ref().is_some_and(|training| !training.is_finished()) {
            return;
        }
        let behind = self.duty.ask(|gate| {
            let mut all = gate.registry().jurisdictions().into_iter();
            let found = all.find_map(|whose| match gate.router_is_behind(whose) {
                Ok(false) => None,
                Ok(true) => Some(Ok(whose)),
                Err(error) => Some(Err(error)),
            });
            found.transpose()
        });
        let whose = match behind.await {
            Ok(None) => return,
            Ok(Some(whose)) => whose,
            Err(error) => return tracing::warn!(%error, "the catalogue cannot be looked at"),
        };
        let gate = self.duty.gate.clone();
        let train = move || match gate.train(whose) {
            Ok(model) => tracing::info!(%whose, model, "the router has learned the catalogue"),
            Err(error) => tracing::error!(%error, %whose, "the router is behind the catalogue"),
        };
        match std::thread::Builder::new().name("router".to_owned()).spawn(train) {
            Ok(training) => self.training = Some(training),
            Err(error) => tracing::error!(%error, "no thread to train the router on"),
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
                    }
                    match self.rest.checked_sub(1) {
                        Some(rest) if !changed => self.rest = rest,
                        _ => self.follow().await,
                    }
                    self.catch_up().await;
                }
                Err(error) => tracing::warn!(%error, "revisions cannot be looked at"),
            }
            Next::In(EVERY)
        }
        .boxed()
    }
}
