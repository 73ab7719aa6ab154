//! The shell around the loops: sleeps, calls, and starts a loop again that broke.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::{Duty, Next, Poll};

/// Every loop looks again at least this often, whatever it believes.
const LONGEST: Duration = Duration::from_secs(30);

/// However often the bell rings, a loop rests so long between two turns: many commits share a look.
const BREATH: Duration = Duration::from_millis(20);

/// The same on a shared database: each look there costs a round trip, and reads over the rows that
/// other commits have just left behind (measured: most of the server's time at 20 ms).
const BREATH_SHARED: Duration = Duration::from_millis(250);

/// A loop that broke is started again after this.
const AFTER_PANIC: Duration = Duration::from_secs(1);

/// Makes a loop, at the start and after it broke.
pub(super) type Make = Box<dyn Fn() -> Box<dyn Poll> + Send>;

/// What a loop is run with.
pub(super) struct Place {
    pub(super) name: String,
    pub(super) duty: Duty,
    pub(super) bell: Arc<Notify>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Runs a loop until the house is left; a panic in it is logged, counted, and the loop is made
/// anew.
pub(super) async fn supervise(mut place: Place, make: Make) {
    while !*place.stopped.borrow() {
        let mut work = make();
        let ended = AssertUnwindSafe(run(&mut place, &mut *work)).catch_unwind().await;
        if ended.is_ok() {
            return;
        }
        place.duty.figures.loops_restarted.add();
        tracing::error!(name = place.name, "a loop broke; it is started again");
        tokio::select! {
            () = sleep(AFTER_PANIC) => {}
            _ = place.stopped.changed() => {}
        }
    }
}

async fn run(place: &mut Place, work: &mut dyn Poll) {
    let bell = Arc::clone(&place.bell);
    let breath = if place.duty.gate.shares_store() { BREATH_SHARED } else { BREATH };
    while !*place.stopped.borrow_and_update() {
        // Registered before looking: what is committed during the turn rings for the next one.
        let mut rung = pin!(bell.notified());
        rung.as_mut().enable();
        let began = Instant::now();
        let next = work.poll().await;
        place.duty.figures.beat(&place.name, place.duty.gate.now());
        let wait = match next {
            Next::Now => continue,
            Next::At(at) => place.duty.gate.wait_until(at).min(LONGEST),
            Next::In(wait) => wait.min(LONGEST),
        };
        tokio::select! {
            () = rung => tokio::select! {
                () = sleep_until(began + breath) => {}
                _ = place.stopped.changed() => {}
            },
            () = sleep(wait) => {}
            _ = place.stopped.changed() => {}
        }
    }
    work.finish().await;
}
