//! How often somebody may ask: so many requests in a second for each token, and for each person in
//! sessions, with some at once. One program gone wild does not take the house from the others, nor
//! from the person whose token it has.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant as Monotonic;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};

use super::problem::Problem;
use crate::domain::{Actor, PersonId};
use crate::gate::Known;

/// So many seconds' worth may come at once.
const BURST: f64 = 4.0;

/// Who is counted: a person, by a token or in sessions.
type Asker = (PersonId, Option<i64>);

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Meter {
    per_second: f64,
    left: Mutex<BTreeMap<Asker, (f64, Option<Monotonic>)>>,
}

impl Meter {
    /// So many in a second; 0: as many as come.
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second), left: Mutex::default() }
    }

    /// Takes one request of somebody.
    ///
    /// # Errors
    /// A problem (429) when there were too many.
    pub(super) fn take(&self, known: &Known) -> Result<(), Problem> {
        let Actor::Person { id, via, .. } = &known.caller.actor else { return Ok(()) };
        let asker = (*id, via.as_ref().map(|via| via.token));
        if self.per_second <= 0.0 || self.take_at(asker, Monotonic::now()) {
            return Ok(());
        }
        let detail = "Too many requests: wait a moment.";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", detail);
        Err(problem
            .zh("请求过于频繁，请稍候")
            .header(header::RETRY_AFTER, HeaderValue::from_static("1")))
    }

    fn take_at(&self, asker: Asker, now: Monotonic) -> bool {
        let most = self.per_second * BURST;
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (amount, since) = left.entry(asker).or_insert((most, None));
        let passed = since.map_or(0.0, |since| now.saturating_duration_since(since).as_secs_f64());
        *amount = (*amount + passed * self.per_second).min(most);
        *since = Some(now);
        if *amount < 1.0 {
            return false;
        }
        *amount -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_comes_too_fast_is_refused_and_others_are_not_hindered() {
        let meter = Meter::new(10);
        let start = Monotonic::now();
        let through = (0..100).filter(|_| meter.take_at((PersonId(1), Some(7)), start)).count();
        assert_eq!(through, 40);
        assert!(meter.take_at((PersonId(2), Some(8)), start));
        assert!(meter.take_at((PersonId(1), None), start), "nor is the person itself");
        let later = start + Duration::from_millis(500);
        let through = (0..100).filter(|_| meter.take_at((PersonId(1), Some(7)), later)).count();
        assert_eq!(through, 5);
    }
}
