//! What an expression that holds, or does not hold, tells about optional names.

use std::collections::BTreeSet;

/// Paths known to be set; `None` when the case cannot occur, so that anything is true of it.
type Sure = Option<BTreeSet<String>>;

/// What is known to be set when a flag is true (`yes`) and when it is false (`no`).
#[derive(Debug, Clone)]
pub(super) struct Narrow {
    pub(super) yes: Sure,
    pub(super) no: Sure,
}

impl Default for Narrow {
    fn default() -> Self {
        Self { yes: Some(BTreeSet::new()), no: Some(BTreeSet::new()) }
    }
}

/// Both hold at once.
fn both(a: Sure, b: Sure) -> Sure {
    let (mut a, b) = (a?, b?);
    a.extend(b);
    Some(a)
}

/// Only one of the two is sure to hold.
fn either(a: Sure, b: Sure) -> Sure {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.into_iter().filter(|path| b.contains(path)).collect()),
        (None, other) | (other, None) => other,
    }
}

impl Narrow {
    /// Of the literal `flag`.
    pub(super) fn literal(flag: bool) -> Self {
        let sure = |possible: bool| possible.then(BTreeSet::new);
        Self { yes: sure(flag), no: sure(!flag) }
    }

    /// Of `has(path)`.
    pub(super) fn has(path: &str) -> Self {
        Self { yes: Some(BTreeSet::from([path.to_owned()])), no: Some(BTreeSet::new()) }
    }

    /// Of `!a`.
    pub(super) fn not(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }

    /// Of `a && b`: false when `a` is, or when `a` is true and `b` is not.
    pub(super) fn and(self, next: Self) -> Self {
        Self { no: either(self.no, both(self.yes.clone(), next.no)), yes: both(self.yes, next.yes) }
    }

    /// Of `a || b`.
    pub(super) fn or(self, next: Self) -> Self {
        self.not().and(next.not()).not()
    }

    /// Of `a ? b : c`.
    pub(super) fn choose(self, yes: Self, no: Self) -> Self {
        Self {
            yes: either(both(self.yes.clone(), yes.yes), both(self.no.clone(), no.yes)),
            no: either(both(self.yes, yes.no), both(self.no, no.no)),
        }
    }
}

/// `set` and what `sure` adds to it.
pub(super) fn with(set: &BTreeSet<String>, sure: &Sure) -> BTreeSet<String> {
    let mut joined = set.clone();
    joined.extend(sure.iter().flatten().cloned());
    joined
}
