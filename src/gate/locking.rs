//! What is kept locked: opened at the start or not at all, and locked anew when there is a new key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::error::Error;
use super::{Entropy, Gate};
use crate::domain::Instant;
use crate::domain::event::{Hash, hex, unhex};
use crate::store::{self, Reader, Relocked, Store, Walk};

/// The key by which equal things are known again without being kept: requests that came twice, which may
/// name a caller, and the numbers of those who call again.
pub(super) struct MatchKey([u8; 32]);

impl MatchKey {
    /// The key of a store.
    pub(super) fn of(store: &Store, entropy: Entropy) -> Result<Self, Error> {
        secret(store, "match_key", entropy).map(Self)
    }

    /// What equal things have in common (HMAC-SHA-256), and nobody without the key can try out.
    pub(super) fn of_parts(&self, parts: &[&[u8]]) -> Result<Hash, Error> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0);
        let mut mac = mac.map_err(|error| Error::Internal(format!("match_key: {error}")))?;
        for part in parts {
            mac.update(part);
        }
        Ok(mac.finalize().into_bytes().into())
    }
}

/// A secret of the house itself, by its name: made at the first start, kept for ever, locked like callers'
/// data.
pub(super) fn secret(store: &Store, name: &str, entropy: Entropy) -> Result<[u8; 32], Error> {
    if let Some(kept) = store.read(|reader| reader.secret(name))? {
        let secret = unhex(&kept).and_then(|bytes| bytes.try_into().ok());
        return secret.ok_or_else(|| Error::Internal(format!("`{name}` is no secret")));
    }
    let mut secret = [0_u8; 32];
    entropy(&mut secret);
    store.writer()?.transaction(|transaction| transaction.set_secret(name, &hex(&secret)))?;
    Ok(secret)
}

/// Values looked at in one transaction.
const STRETCH: i64 = 200;

/// How far locking anew has come.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Relocking {
    /// The key that locks, …
    key: String,
    /// … and since when it is known here.
    since: Option<Instant>,
    walk: Walk,
    /// How many values were locked by it on this walk …
    now: usize,
    /// … and on all.
    pub changed: usize,
    /// How many could not be, on this walk: they were altered or moved.
    pub altered: usize,
}

impl Relocking {
    /// Whether everything is to be looked at once more, after a while.
    #[must_use]
    pub fn begins_again(&self) -> bool {
        self.walk == Walk::Begun
    }
}

/// By then (ms) every node that shares a store knows a new key, and writes by no older one.
const SETTLED: i64 = 30_000;

impl Gate {
    /// Goes on locking everything by the key that locks now; none when it is all so. Whoever begins
    /// again, or on another node, only looks twice. Blocks.
    ///
    /// # Errors
    /// What the store says; that a value cannot be opened with the keys at hand.
    pub fn relock(&self, from: Relocking) -> Result<Option<Relocking>, Error> {
        let store = &self.inner.store;
        store.refresh_keys()?;
        let Some(vault) = store.vault() else { return Ok(None) };
        let key = vault.present().to_owned();
        self.with_hand(|transaction| {
            transaction.refuse_clear()?;
            transaction.begin_to_lock_by(&key)
        })?;
        // Another key since: everything is looked at again.
        let since = Some(self.now());
        let fresh = || Relocking { key: key.clone(), since, ..Relocking::default() };
        let from = if from.key == key { from } else { fresh() };
        if from.walk == Walk::Ended {
            return Ok(None);
        }
        if from.walk == Walk::Begun {
            let all_by = self.read(Reader::all_locked_by)?;
            if all_by.as_ref() == Some(&from.key) {
                return Ok(None);
            }
        }
        self.with_hand(|transaction| {
            let Relocked { walk, changed, altered } = transaction.relock(&from.walk, STRETCH)?;
            let (now, changed) = (from.now + changed, from.changed + changed);
            let altered = from.altered + altered;
            let after = Relocking { walk, now, changed, altered, ..from };
            if after.walk != Walk::Ended {
                return Ok(Some(after));
            }
            // What another node wrote behind the walk by an older key is found by walking once more.
            let settled = after.since.is_some_and(|at| self.now().since(at) >= SETTLED);
            if !store.exclusive() && (after.now > 0 || !settled) {
                return Ok(Some(Relocking { walk: Walk::Begun, now: 0, altered: 0, ..after }));
            }
            transaction.set_all_locked_by(&after.key)?;
            Ok(Some(after))
        })
    }
}

/// What cannot be opened of everything that is kept locked, a sentence each. Blocks.
///
/// # Errors
/// What the store says.
pub(super) fn unopened(store: &Store) -> Result<Vec<String>, store::Error> {
    let (mut walk, mut faults) = (Walk::Begun, Vec::new());
    while walk != Walk::Ended {
        let (next, found) = store.read(|reader| reader.check_locked(&walk, STRETCH))?;
        walk = next;
        faults.extend(found);
    }
    Ok(faults)
}
