//! The only reader of the system's time.
//!
//! Two clocks, never mixed: the wall clock says what time it is (judging), the monotonic clock how
//! much time has passed (sleeping). Judgement never reads either: it is given `now`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant as Monotonic};

use crate::domain::Instant;

/// What time it is.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Instant;

    /// How long to really wait so that `until` is reached; zero if it is past.
    fn wait_until(&self, until: Instant) -> Duration;

    /// Whether this is the machine's own time. A database server's time may stand in for it then;
    /// it may not for a simulated one.
    fn is_real(&self) -> bool;

    /// How many times as fast as the machine's time it runs.
    fn speed(&self) -> i64 {
        1
    }

    /// The number of milliseconds by which the wall clock jumped against the monotonic one since
    /// the last call: forward positive, backward negative; small differences are none.
    fn jump(&self) -> i64;
}

/// The machine's own time.
#[derive(Debug)]
pub struct SystemClock {
    seen: Mutex<(Monotonic, Instant)>,
}

/// Differences between wall and monotonic clock below this are slewing, not jumps: 2 seconds.
const JUMP_MIN: i64 = 2_000;

impl SystemClock {
    /// A clock that looks for jumps from now on.
    #[must_use]
    pub fn new() -> Self {
        Self { seen: Mutex::new((Monotonic::now(), system_now())) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        system_now()
    }

    fn wait_until(&self, until: Instant) -> Duration {
        millis(until.since(system_now()))
    }

    fn is_real(&self) -> bool {
        true
    }

    fn jump(&self) -> i64 {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (mono, wall) = (Monotonic::now(), system_now());
        let passed = i64::try_from(mono.duration_since(seen.0).as_millis()).unwrap_or(i64::MAX);
        let jump = wall.since(seen.1).saturating_sub(passed);
        *seen = (mono, wall);
        if jump.abs() < JUMP_MIN { 0 } else { jump }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the system's time")]
fn system_now() -> Instant {
    jiff::Timestamp::now().into()
}

/// Time that runs fast: for demonstrations and training.
///
/// It is tied to the machine's time by an anchor, so that a service that is started again goes on
/// where time has got to meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct FastClock {
    anchor: Instant,
    from: Instant,
    speed: i64,
}

impl FastClock {
    /// Stood at `from` when the machine's time was `anchor` (now, if none is given), and runs
    /// `speed` times as fast.
    #[must_use]
    pub fn new(from: Instant, speed: i64, anchor: Option<Instant>) -> Self {
        Self { anchor: anchor.unwrap_or_else(system_now), from, speed: speed.max(1) }
    }

    /// The machine's time at which this clock stood at its beginning.
    #[must_use]
    pub fn anchor(&self) -> Instant {
        self.anchor
    }
}

impl Clock for FastClock {
    fn now(&self) -> Instant {
        let passed = system_now().since(self.anchor);
        self.from.plus(passed.saturating_mul(self.speed))
    }

    fn wait_until(&self, until: Instant) -> Duration {
        let virtual_millis = until.since(self.now());
        let micros = virtual_millis.saturating_mul(1000) / self.speed;
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn is_real(&self) -> bool {
        false
    }

    fn speed(&self) -> i64 {
        self.speed
    }

    fn jump(&self) -> i64 {
        0
    }
}

/// Time that stands still until it is moved: for tests.
#[derive(Debug)]
pub struct StillClock {
    now: AtomicI64,
}

impl StillClock {
    /// Stands at `now`.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { now: AtomicI64::new(now.0) }
    }

    /// Moves to `now`, also backwards.
    pub fn set(&self, now: Instant) {
        self.now.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for StillClock {
    fn now(&self) -> Instant {
        Instant(self.now.load(Ordering::SeqCst))
    }

    fn wait_until(&self, until: Instant) -> Duration {
        // Nothing comes nearer by waiting; the one who moves the time wakes the waiters.
        if until <= self.now() { Duration::ZERO } else { Duration::from_secs(30) }
    }

    fn is_real(&self) -> bool {
        false
    }

    fn jump(&self) -> i64 {
        0
    }
}

fn millis(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
