//! Whoever guesses is slowed down: so many wrong answers from one address, then none is looked at for
//! a while. What is remembered is bounded, whatever comes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// So many wrong guesses are borne …
const BEARABLE: u32 = 20;

/// … within this time, from the first one on.
const WITHIN: Duration = Duration::from_secs(600);

/// So many addresses are remembered; of more the oldest is forgotten.
const REMEMBERED: usize = 10_000;

/// Counts wrong guesses by address, as [`super::client`] gives it.
#[derive(Default)]
pub(super) struct Throttle {
    guesses: Mutex<BTreeMap<String, (Monotonic, u32)>>,
}

impl Throttle {
    /// For how many seconds nothing from this address is looked at; none: it may go on.
    pub(super) fn must_wait(&self, address: &str, now: Monotonic) -> Option<u64> {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = guesses.get(address).copied()?;
        let until = since + WITHIN;
        if now >= until {
            guesses.remove(address);
            return None;
        }
        (count >= BEARABLE).then(|| until.duration_since(now).as_secs() + 1)
    }

    /// A wrong guess.
    pub(super) fn wrong(&self, address: &str, now: Monotonic) {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.len() >= REMEMBERED && !guesses.contains_key(address) {
            guesses.retain(|_, (since, _)| now < *since + WITHIN);
            if guesses.len() >= REMEMBERED
                && let Some(oldest) = guesses.iter().min_by_key(|(_, (since, _))| *since)
            {
                let oldest = oldest.0.clone();
                guesses.remove(&oldest);
            }
        }
        let (since, count) = guesses.entry(address.to_owned()).or_insert((now, 0));
        if now >= *since + WITHIN {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::client::short;
    use super::*;

    fn ip(text: &str) -> String {
        short(text.parse().unwrap())
    }

    #[test]
    fn who_guesses_wrong_too_often_waits_and_nobody_else_does() {
        let (throttle, now) = (Throttle::default(), Monotonic::now());
        for _ in 0..BEARABLE {
            assert_eq!(throttle.must_wait(&ip("203.0.113.7"), now), None);
            throttle.wrong(&ip("203.0.113.7"), now);
        }
        assert_eq!(throttle.must_wait(&ip("203.0.113.7"), now), Some(601));
        assert_eq!(throttle.must_wait(&ip("::ffff:203.0.113.7"), now), Some(601), "the same one");
        assert_eq!(throttle.must_wait(&ip("203.0.113.8"), now), None);
        assert_eq!(throttle.must_wait(&ip("203.0.113.7"), now + WITHIN), None, "and then again");
    }

    #[test]
    fn another_address_of_the_same_network_is_the_same_guesser() {
        let (throttle, now) = (Throttle::default(), Monotonic::now());
        for last in 0..BEARABLE {
            throttle.wrong(&ip(&format!("2001:db8:1:2::{last:x}")), now);
        }
        assert!(throttle.must_wait(&ip("2001:db8:1:2:ffff::9"), now).is_some());
        assert!(throttle.must_wait(&ip("2001:db8:1:3::9"), now).is_none());
    }

    #[test]
    fn a_flood_from_everywhere_fills_no_memory() {
        let (throttle, now) = (Throttle::default(), Monotonic::now());
        for number in 0..15_000_u32 {
            let address = IpAddr::from(number.to_be_bytes());
            throttle.wrong(&short(address), now + Duration::from_millis(number.into()));
        }
        assert_eq!(throttle.guesses.lock().unwrap().len(), REMEMBERED);
    }
}
