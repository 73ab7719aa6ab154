//! Who somebody is: tokens of systems, accounts and sessions of people. What they may then is the
//! policy table's to say.

mod account;
mod denial;
mod guessable;
mod memory;
mod password;
mod session;
mod sign_in;
mod throttle;
mod totp;
mod trace;

use sha2::{Digest, Sha256};

use super::error::{Error, refused};
use super::{Caller, Gate};
use crate::domain::event::{Hash, hex};
use crate::domain::{Actor, Instant, Person, Via};
use crate::policy;

pub use account::{AccountSeen, NewAccount, Setup};
pub(super) use denial::Denials;
pub(super) use memory::Sessions;
pub use password::Profile;
pub use session::{Session, SessionSeen};
pub use sign_in::{Attempt, SignIn};
pub use totp::Enrolment;
use trace::Trace;

/// How strict the house is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRules {
    /// By which rules passwords are judged.
    pub profile: Profile,
    /// A session ends when it was not used for so long (ms).
    pub idle_ms: i64,
    /// A session ends after so long (ms) in any case.
    pub longest_ms: i64,
    /// A token is good for so long (ms) at most.
    pub token_ms: i64,
    /// For how long (ms) what one person proposes waits for a second one; none: one alone may do it.
    pub second_person_ms: Option<i64>,
}

impl Default for AccessRules {
    fn default() -> Self {
        let minute = 60_000;
        Self {
            profile: Profile::Mlps3,
            idle_ms: 30 * minute,
            longest_ms: 12 * 60 * minute,
            token_ms: 365 * 24 * 60 * minute,
            second_person_ms: None,
        }
    }
}

/// Somebody who is known.
#[derive(Debug, Clone)]
pub struct Known {
    /// With which rights, and where.
    pub caller: Caller,
    /// The session, if it is one.
    pub session: Option<SessionSeen>,
}

impl Gate {
    /// How strict the house is from now on.
    pub fn use_access_rules(&self, rules: AccessRules) {
        *self.inner.access.write().unwrap_or_else(std::sync::PoisonError::into_inner) = rules;
    }

    /// How strict the house is.
    #[must_use]
    pub fn access_rules(&self) -> AccessRules {
        *self.inner.access.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whoever has this token, as long as it is good. Does not block.
    ///
    /// # Errors
    /// `NotFound`: wrong, expired or revoked, or the person may no longer act; which of it is not
    /// said.
    pub fn bearer(&self, secret: &str) -> Result<Known, Error> {
        let now = self.now();
        let registry = &self.inner.registry;
        registry.turn(now);
        let token = registry.token(&hash_of(secret), now).ok_or(Error::NotFound)?;
        let directory = registry.directory(token.jurisdiction)?;
        let person = directory.people.get(&token.person).filter(|person| person.active);
        let mut caller = caller(person.ok_or(Error::NotFound)?, token.jurisdiction);
        if let Actor::Person { grants, via, .. } = &mut caller.actor {
            let units = &token.scope.units;
            grants.retain(|grant| units.is_empty() || units.contains(&grant.unit));
            if !token.scope.strong {
                *grants = policy::without_second_factor(grants, directory.county());
            }
            *via = Some(Via { token: token.id, scope: token.scope, until: token.expires_at });
        }
        self.inner.uses.note(token.id, now);
        Ok(Known { caller, session: None })
    }

    /// Writes down when tokens were last used. Blocks.
    ///
    /// # Errors
    /// What the store says; what was not written is tried again.
    pub fn write_uses(&self) -> Result<(), Error> {
        let uses = self.inner.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.with_hand(|transaction| {
            for (id, at) in &uses {
                transaction.touch_token(*id, *at)?;
            }
            Ok(())
        });
        if written.is_err() {
            self.inner.uses.give_back(uses);
        }
        written
    }

    /// Forgets sessions that have ended and failures that no longer count; answers how many. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn forget_access(&self) -> Result<usize, Error> {
        let now = self.now();
        self.with_hand(|transaction| transaction.forget_access(now))
    }

    /// Numbers that cannot be guessed.
    #[must_use]
    pub fn randoms(&self) -> [[u8; 32]; 3] {
        let mut numbers = [[0_u8; 32]; 3];
        for number in &mut numbers {
            (self.inner.entropy)(number);
        }
        numbers
    }

    /// A secret that cannot be guessed, in hexadecimal.
    pub(super) fn secret(&self, prefix: &str) -> String {
        let mut bytes = [0_u8; 32];
        (self.inner.entropy)(&mut bytes);
        format!("{prefix}{}", hex(&bytes))
    }
}

fn caller(person: &Person, jurisdiction: crate::domain::JurisdictionId) -> Caller {
    Caller { actor: Actor::person(person.id, person.grants.clone()), jurisdiction }
}

/// What is kept of a secret.
pub(super) fn hash_of(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// When tokens were last used, until it is written down.
#[derive(Debug, Default)]
pub(super) struct Uses {
    fresh: std::sync::Mutex<std::collections::BTreeMap<i64, Instant>>,
}

impl Uses {
    fn note(&self, token: i64, now: Instant) {
        let mut fresh = self.fresh.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        fresh.insert(token, now);
    }

    fn take(&self) -> std::collections::BTreeMap<i64, Instant> {
        std::mem::take(&mut *self.fresh.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// What was not written: a later use of the same token counts.
    fn give_back(&self, uses: std::collections::BTreeMap<i64, Instant>) {
        let mut fresh = self.fresh.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (token, at) in uses {
            fresh.entry(token).or_insert(at);
        }
    }
}
