//! Chance from a seed alone: the same seed gives the same world, on every machine and for ever.

/// A small generator (splitmix64).
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    /// Dice of a seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    /// Dice of their own for one part of the world, so that it does not disturb the others.
    pub(super) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from `least` to `most`, both included.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most.saturating_sub(least).max(0)).unwrap_or(0).saturating_add(1);
        least.saturating_add(i64::try_from(self.next() % span).unwrap_or(0))
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: i64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of several; none of nothing.
    pub(super) fn pick<'t, T>(&mut self, of: &'t [T]) -> Option<&'t T> {
        let last = i64::try_from(of.len()).unwrap_or(0) - 1;
        usize::try_from(self.between(0, last.max(0))).ok().and_then(|index| of.get(index))
    }

    /// One of several choices of a plan.
    pub(super) fn one_of(&mut self, of: &[i64]) -> i64 {
        self.pick(of).copied().unwrap_or(0)
    }
}
