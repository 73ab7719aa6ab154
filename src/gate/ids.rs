//! Ids of instances, and which committer a family belongs to.
//!
//! All members of a family have the same remainder modulo [`SHARDS`]: so the committer of a
//! command is known from the id alone, and one family is never worked on by two committers of a
//! node.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::domain::InstanceId;

/// Families are spread over so many shards.
pub(super) const SHARDS: i64 = 16;

/// How many ids are taken from the store at once.
const BLOCK: i64 = 4096;

/// Below so many ids of each shard a new block is taken.
const LOW: i64 = 64;

/// The shard of an instance.
pub(super) fn shard(id: InstanceId) -> usize {
    usize::try_from(id.0.rem_euclid(SHARDS)).unwrap_or(0)
}

/// A shard for a new family, each in turn.
pub(super) fn any_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A stock of ids of one committer.
#[derive(Debug, Default)]
pub(super) struct Stock {
    end: i64,
    next: Vec<i64>,
    turn: usize,
    shards: Vec<usize>,
}

impl Stock {
    /// A stock for the shards of one of `committers` committers.
    pub(super) fn new(committer: usize, committers: usize) -> Self {
        let all = 0..usize::try_from(SHARDS).unwrap_or(1);
        let shards = all.filter(|shard| shard % committers.max(1) == committer).collect();
        Self { shards, ..Self::default() }
    }

    /// How many ids to take from the store now, if any.
    pub(super) fn wanted(&self) -> Option<i64> {
        let low =
            self.next.is_empty() || self.next.iter().any(|next| self.end - next < LOW * SHARDS);
        low.then_some(BLOCK)
    }

    /// Takes a block from the store; what was left of the old one is not used.
    pub(super) fn refill(&mut self, first: i64, count: i64) {
        self.end = first + count;
        self.next = (0..SHARDS).map(|shard| first + (shard - first).rem_euclid(SHARDS)).collect();
    }

    /// An id for a child of the family, or for a new family.
    pub(super) fn take(&mut self, family: Option<InstanceId>) -> Option<InstanceId> {
        let of = match family {
            Some(family) => shard(family),
            None => {
                self.turn += 1;
                *self.shards.get(self.turn % self.shards.len().max(1))?
            }
        };
        let next = self.next.get_mut(of)?;
        if *next >= self.end {
            return None;
        }
        let id = InstanceId(*next);
        *next += SHARDS;
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_family_share_a_committer() {
        let mut stock = Stock::new(1, 2);
        assert_eq!(stock.wanted(), Some(BLOCK));
        stock.refill(100, BLOCK);
        let root = stock.take(None).unwrap();
        let child = stock.take(Some(root)).unwrap();
        assert_eq!(shard(root), shard(child));
        assert_eq!(shard(root) % 2, 1);
        assert_ne!(root, child);
    }

    #[test]
    fn ids_are_never_given_twice() {
        let mut stock = Stock::new(0, 1);
        stock.refill(1, BLOCK);
        let mut given = std::collections::BTreeSet::new();
        while let Some(id) = stock.take(None) {
            assert!(given.insert(id));
            assert!((1..=BLOCK).contains(&id.0));
            if let Some(child) = stock.take(Some(id)) {
                assert!(given.insert(child));
            }
        }
        assert!(given.len() > 3000);
        assert_eq!(stock.wanted(), Some(BLOCK));
    }
}
