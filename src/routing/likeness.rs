//! How far two calls speak of the same: by the features that the router reads anyway. What is kept of
//! a text for this is no text: hashes of features, with how much each counts. Whoever has the
//! vocabulary can try out which words were there, so it is kept no longer than the text.

use super::digest;
use super::model::Features;

/// So many features of a text are kept, the strongest.
const KEPT: usize = 64;

/// How finely a feature's weight is kept.
const LEVELS: u8 = 15;

/// What a text is recognised by: hashes of features, in order, each with its weight (1 to 15).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits(Vec<(u32, u8)>);

/// What a text is recognised by, of the features that tell whose matter it is.
#[must_use]
pub(super) fn traits_of(mut features: Features) -> Traits {
    // Single letters and the bias stand in every text; triples say little more than pairs.
    features.retain(|(name, _)| {
        let piece = name.strip_prefix("n:").map(|piece| piece.chars().count());
        name != "bias" && piece.is_none_or(|length| length == 2)
    });
    features.sort_by(|one, other| other.1.total_cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    features.truncate(KEPT);
    let most = features.first().map_or(1.0, |(_, weight)| weight.max(1e-6));
    let mut kept: Vec<(u32, u8)> =
        features.iter().map(|(name, weight)| (digest::short(name), level(weight / most))).collect();
    kept.sort_unstable();
    kept.dedup_by_key(|(hash, _)| *hash);
    Traits(kept)
}

impl Traits {
    /// How alike two texts are, from 0 to 1: the cosine of the angle between them.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f32 {
        let (mut shared, mut rest) = (0.0_f32, other.0.as_slice());
        for (hash, weight) in &self.0 {
            let at = rest.partition_point(|(there, _)| there < hash);
            rest = rest.get(at..).unwrap_or_default();
            if let Some((_, there)) = rest.first().filter(|(there, _)| there == hash) {
                shared += f32::from(*weight) * f32::from(*there);
            }
        }
        let length = |traits: &Self| {
            traits.0.iter().map(|(_, weight)| f32::from(*weight).powi(2)).sum::<f32>().sqrt()
        };
        let both = length(self) * length(other);
        if both > 0.0 { (shared / both).clamp(0.0, 1.0) } else { 0.0 }
    }

    /// As it is kept: nine hexadecimal digits for each feature.
    #[must_use]
    pub fn encode(&self) -> String {
        self.0.iter().map(|(hash, weight)| format!("{hash:08x}{weight:x}")).collect()
    }

    /// As it was kept; what cannot be read counts for nothing.
    #[must_use]
    pub fn decode(text: &str) -> Self {
        let number = |digits: &[u8]| {
            let digits = digits.iter().map(|digit| char::from(*digit).to_digit(16));
            digits.into_iter().try_fold(0_u32, |sum, digit| Some((sum << 4) | digit?))
        };
        let read = |piece: &[u8]| {
            let (hash, weight) = piece.split_at_checked(8)?;
            Some((number(hash)?, u8::try_from(number(weight)?).ok()?))
        };
        Self(text.as_bytes().chunks_exact(9).filter_map(read).collect())
    }
}

/// A share of the strongest weight in whole levels, at least one.
fn level(share: f32) -> u8 {
    let wanted = share * f32::from(LEVELS);
    (1..=LEVELS).rev().find(|level| f32::from(*level) <= wanted).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::{Example, Knowledge, Router};

    fn traits(text: &str) -> Traits {
        let example = Example { text: "停水".to_owned(), ..Example::default() };
        let knowledge = Knowledge { examples: vec![example], ..Knowledge::default() };
        Router::train(&knowledge).hear(text, |_, _| {}).1
    }

    #[test]
    fn the_same_matter_in_other_words_is_more_alike_than_another_matter() {
        let first = traits("土城路整栋楼停电一个小时了");
        let again = traits("我们土城路这栋楼也停电了，什么时候来电");
        let other = traits("快递丢失，驿站不肯赔偿");
        assert!((first.likeness(&first) - 1.0).abs() < 0.001);
        let (again, other) = (first.likeness(&again), first.likeness(&other));
        assert!(again > other + 0.2, "{again} {other}");
        assert!(other < 0.1, "{other}");
    }

    #[test]
    fn what_is_kept_comes_back_and_an_empty_text_is_like_nothing() {
        let first = traits("土城路整栋楼停电一个小时了");
        assert_eq!(Traits::decode(&first.encode()), first);
        assert!(!first.encode().contains('停'));
        let nothing = Traits::decode("");
        assert!(nothing.likeness(&first).abs() < f32::EPSILON);
        assert_eq!(Traits::decode("zz"), nothing);
    }
}
