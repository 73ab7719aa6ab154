//! What keeps a channel from being run over, and its service from being knocked at while it is
//! down: a rate, and a circuit breaker. Time is handed in; nothing here waits.

use super::Outcome;
use crate::domain::Instant;

/// How a channel is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The most letters in a second; 0: as many as come.
    pub per_second: u32,
    /// The breaker opens after so many failures of the service in a row; 0: never.
    pub failures: u32,
    /// How long it stays open before one letter is let through to try, in milliseconds; doubled
    /// while tries fail …
    pub pause_ms: i64,
    /// … up to this.
    pub pause_max_ms: i64,
}

impl Options {
    /// No rate, no breaker.
    pub const NONE: Self = Self { per_second: 0, failures: 0, pause_ms: 1, pause_max_ms: 1 };
}

impl Default for Options {
    fn default() -> Self {
        Self { per_second: 0, failures: 5, pause_ms: 10_000, pause_max_ms: 120_000 }
    }
}

/// Where the breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The service works: letters go.
    Closed,
    /// It has failed again and again: nothing goes until the pause is over.
    Open,
    /// One letter is under way to see whether it works again.
    Trying,
}

impl State {
    /// The word for metrics and pages.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Trying => "trying",
        }
    }
}

/// Whether a letter may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum May {
    /// Now; it has been counted, and its outcome must be noted.
    Ready,
    /// Not before this instant.
    NotBefore(Instant),
}

/// The guard of one channel.
#[derive(Debug, Clone)]
pub struct Guard {
    options: Options,
    /// When the next letter is due by the rate, in microseconds, so that a rate such as 300 a second
    /// comes out; letters are let through up to one second's worth ahead of it.
    next_us: i128,
    failures: u32,
    /// While open: until when, and how long this pause is.
    open: Option<(Instant, i64)>,
    /// While one tries: since when.
    trying: Option<Instant>,
}

/// A try that nobody noted the outcome of is forgotten after this (ms): its task may have died.
const TRY_FORGOTTEN_MS: i64 = 120_000;

impl Guard {
    /// A guard of a channel that has sent nothing yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { options, next_us: i128::MIN, failures: 0, open: None, trying: None }
    }

    /// Whether one more letter may go; counts it if so.
    pub fn may_send(&mut self, now: Instant) -> May {
        if let Some((until, pause)) = self.open {
            // A wall clock that was set back must not keep the breaker open for longer than it is.
            let until = until.min(now.plus(pause));
            if now < until {
                self.open = Some((until, pause));
                return May::NotBefore(until);
            }
            if let Some(since) = self.trying {
                let forgotten = since.min(now).plus(TRY_FORGOTTEN_MS);
                if now < forgotten {
                    // Its outcome is noted long before; until then it is looked again soon.
                    return May::NotBefore(now.plus(250).min(forgotten));
                }
            }
        }
        if let Some(wait) = self.too_fast(now) {
            return May::NotBefore(wait);
        }
        if self.open.is_some() {
            self.trying = Some(now);
        }
        May::Ready
    }

    /// A bucket of one second's letters that fills steadily.
    fn too_fast(&mut self, now: Instant) -> Option<Instant> {
        const SECOND_US: i128 = 1_000_000;
        let per_second = i128::from(self.options.per_second);
        if per_second == 0 {
            return None;
        }
        let now_us = i128::from(now.0) * 1_000;
        let step = SECOND_US / per_second;
        // Never more than a second ahead, also when the clock was set back; never behind.
        let next = self.next_us.clamp(now_us - SECOND_US + step, now_us + SECOND_US);
        if next > now_us {
            let millis = (next - now_us).div_euclid(1_000) + 1;
            self.next_us = next;
            return Some(now.plus(i64::try_from(millis).unwrap_or(1_000)));
        }
        self.next_us = next + step;
        None
    }

    /// Takes back what was counted for letters that there were not.
    pub fn unused(&mut self) {
        self.trying = None;
    }

    /// Notes how a letter went. A refusal for good is a word about its recipient, and shows that the
    /// service works.
    pub fn note(&mut self, outcome: &Outcome, now: Instant) {
        let failed = match outcome {
            Outcome::Accepted { .. } | Outcome::Refused { permanent: true, .. } => false,
            Outcome::Refused { permanent: false, .. } | Outcome::Unknown { .. } => true,
        };
        if !failed {
            *self = Self { failures: 0, open: None, trying: None, ..self.clone() };
            return;
        }
        self.failures = self.failures.saturating_add(1);
        let limit = self.options.failures;
        match (self.open, self.trying.take()) {
            (Some((_, pause)), Some(_)) => {
                let longer = pause.saturating_mul(2).min(self.options.pause_max_ms).max(1);
                self.open = Some((now.plus(longer), longer));
            }
            (None, _) if limit > 0 && self.failures >= limit => {
                let pause = self.options.pause_ms.max(1);
                self.open = Some((now.plus(pause), pause));
            }
            // Letters that were under way when it opened say nothing new.
            _ => {}
        }
    }

    /// Where the breaker stands.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.open, self.trying) {
            (None, _) => State::Closed,
            (Some(_), None) => State::Open,
            (Some(_), Some(_)) => State::Trying,
        }
    }
}

#[cfg(test)]
mod tests;
