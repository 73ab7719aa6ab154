//! Sessions in memory, beside people and tokens. The store is the truth: what it said of a session is
//! kept, by the hash of the session's secret, until a session ends, here or on another node. Then all is
//! forgotten and asked again.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::domain::Instant;
use crate::domain::event::Hash;
use crate::store::{Password, SessionRow};

/// So many sessions are kept at most; whoever comes back to another one waits for the store.
const MOST: usize = 10_000;

/// Sessions that are good as far as is known.
#[derive(Debug, Default)]
pub(in crate::gate) struct Sessions {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_hash: BTreeMap<Hash, Arc<Remembered>>,
    /// How often all was forgotten.
    times: u64,
    /// The revision, of all jurisdictions together, up to which ends of sessions were noticed.
    revision: i64,
}

/// When something was looked up: what is forgotten meanwhile does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since(u64);

/// A session as the store had it, and how it was used since.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) row: SessionRow,
    /// How old the password of its person is.
    pub(super) password: Password,
    used_at: AtomicI64,
    /// The last use that the store knows of.
    written: AtomicI64,
}

impl Remembered {
    pub(super) fn of(row: SessionRow, password: Password) -> Self {
        let used = || AtomicI64::new(row.used_at.0);
        Self { used_at: used(), written: used(), password, row }
    }

    /// Whether it was idle for so long (ms), or is too old.
    pub(super) fn has_ended(&self, now: Instant, idle_ms: i64) -> bool {
        let used_at = Instant(self.used_at.load(Ordering::Relaxed));
        self.row.until <= now || used_at.plus(idle_ms) <= now
    }

    /// How much of its use (ms) the store does not know of, if it is used now.
    pub(super) fn unwritten(&self, now: Instant) -> i64 {
        now.since(Instant(self.written.load(Ordering::Relaxed)))
    }

    pub(super) fn use_now(&self, now: Instant) {
        self.used_at.fetch_max(now.0, Ordering::Relaxed);
    }

    pub(super) fn note_written(&self, at: Instant) {
        self.written.fetch_max(at.0, Ordering::Relaxed);
    }
}

impl Sessions {
    fn read<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        work(&mut self.kept.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The session of a hash, whether it is still good or not: the caller judges.
    pub(super) fn get(&self, hash: &Hash) -> Option<Arc<Remembered>> {
        self.read(|kept| kept.by_hash.get(hash).cloned())
    }

    /// To be taken before the store is asked for what is to be kept.
    pub(super) fn since(&self) -> Since {
        self.read(|kept| Since(kept.times))
    }

    /// Keeps what the store said, unless all was forgotten since it was asked: the session may have
    /// ended meanwhile.
    pub(super) fn keep(&self, since: Since, new: Remembered) -> Arc<Remembered> {
        self.write(|kept| {
            let hash = new.row.hash;
            if let Some(known) = kept.by_hash.get(&hash) {
                // Somebody else asked at the same time, and it was used since.
                new.used_at.fetch_max(known.used_at.load(Ordering::Relaxed), Ordering::Relaxed);
            }
            let new = Arc::new(new);
            if since != Since(kept.times) {
                return new;
            }
            if kept.by_hash.len() >= MOST && !kept.by_hash.contains_key(&hash) {
                kept.make_place(&hash);
            }
            kept.by_hash.insert(hash, Arc::clone(&new));
            new
        })
    }

    /// Forgets one session.
    pub(super) fn drop_one(&self, hash: &Hash) {
        self.write(|kept| drop(kept.by_hash.remove(hash)));
    }

    /// Forgets all: one has ended here.
    pub(in crate::gate) fn forget(&self) {
        self.write(Kept::forget);
    }

    /// Forgets all if one has ended anywhere since this was last called; `revision` grows with each.
    pub(in crate::gate) fn notice(&self, revision: i64) {
        if self.read(|kept| kept.revision == revision) {
            return;
        }
        self.write(|kept| {
            kept.revision = revision;
            kept.forget();
        });
    }
}

impl Kept {
    fn forget(&mut self) {
        self.by_hash.clear();
        self.times += 1;
    }

    /// Lets one go. Hashes come in no order, so the next one is as good as any.
    fn make_place(&mut self, hash: &Hash) {
        let after = (Bound::Excluded(*hash), Bound::Unbounded);
        let next = self.by_hash.range(after).next().or_else(|| self.by_hash.iter().next());
        let next = next.map(|(hash, _)| *hash);
        next.and_then(|next| self.by_hash.remove(&next));
    }
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::domain::{JurisdictionId, PersonId};

    const IDLE: i64 = 30 * 60_000;

    fn session(number: usize) -> Remembered {
        let row = SessionRow {
            hash: Sha256::digest(number.to_le_bytes()).into(),
            person: PersonId(1),
            jurisdiction: JurisdictionId(1),
            began_at: Instant(0),
            used_at: Instant(0),
            until: Instant(12 * 60 * 60_000),
            factor: false,
            address: String::new(),
        };
        Remembered::of(row, Password { outside: false, password_at: None })
    }

    #[test]
    fn however_many_come_only_so_many_are_kept_and_the_newest_is_among_them() {
        let sessions = Sessions::default();
        for number in 0..MOST + 500 {
            let kept = sessions.keep(sessions.since(), session(number));
            assert!(sessions.get(&kept.row.hash).is_some());
        }
        assert_eq!(sessions.read(|kept| kept.by_hash.len()), MOST);
    }

    #[test]
    fn what_was_asked_before_a_session_ended_is_not_kept_after_it() {
        let sessions = Sessions::default();
        let since = sessions.since();
        sessions.forget();
        let hash = sessions.keep(since, session(1)).row.hash;
        assert!(sessions.get(&hash).is_none());
        sessions.keep(sessions.since(), session(1));
        assert!(sessions.get(&hash).is_some());
        sessions.notice(7);
        assert!(sessions.get(&hash).is_none(), "one has ended on another node");
        sessions.keep(sessions.since(), session(1));
        sessions.notice(7);
        assert!(sessions.get(&hash).is_some(), "nothing has happened since");
    }

    #[test]
    fn a_session_ends_by_its_last_use_and_by_its_age() {
        let session = session(1);
        assert!(!session.has_ended(Instant(IDLE - 1), IDLE));
        assert!(session.has_ended(Instant(IDLE), IDLE));
        session.use_now(Instant(IDLE - 1));
        session.use_now(Instant(5));
        assert!(!session.has_ended(Instant(2 * IDLE - 2), IDLE), "used later than that");
        assert!(session.has_ended(Instant(2 * IDLE - 1), IDLE));
        session.use_now(session.row.until);
        assert!(session.has_ended(session.row.until, IDLE));
    }
}
