//! How sure a suggestion is: one scale for the first unit and the others, read off what came true before.

use super::router::{Ranked, Router};
use super::suggestion::Verdict;

impl Router {
    /// The units beside the police, with shares as they have come true before: the first one's share is
    /// how sure the suggestion is, and the others have what it leaves.
    pub(super) fn believed(
        &self,
        mut units: Vec<Ranked>,
        verdict: Verdict,
        divert: f32,
    ) -> Vec<Ranked> {
        units.retain(|unit| unit.code != self.police);
        let all: f32 = units.iter().map(|unit| unit.share).sum();
        let computed = share_of_first(&units) / all.max(1e-6);
        let first = self.calibrated(computed);
        let rest = (1.0 - first) / (1.0 - computed).max(1e-6);
        // A share of what is diverted, where it may not be.
        let whole = if verdict == Verdict::Divert { 1.0 } else { divert };
        let mut shares = units.iter_mut().map(|unit| &mut unit.share);
        if let Some(share) = shares.next() {
            *share = first * whole;
        }
        for share in shares {
            *share = (*share / all.max(1e-6) * rest).min(first) * whole;
        }
        units
    }

    /// A computed probability as it has come true before: a line through the points of the tuning.
    fn calibrated(&self, share: f32) -> f32 {
        let mut below = (0.0, 0.0);
        for (computed, true_share) in &self.tuning.calibration {
            if share <= *computed {
                let span = (computed - below.0).max(1e-6);
                return below.1 + (true_share - below.1) * (share - below.0) / span;
            }
            below = (*computed, *true_share);
        }
        if self.tuning.calibration.is_empty() { share } else { below.1 }
    }
}

/// The share of the first unit; none of no units.
pub(super) fn share_of_first(units: &[Ranked]) -> f32 {
    units.first().map_or(0.0, |unit| unit.share)
}
