//! How two places stand to each other, as people write them.

use std::collections::BTreeSet;

use crate::domain::Directory;

/// How two places stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    Elsewhere,
    Near,
    Same,
}

/// How two places stand to each other: in different townships, in one, or the same.
pub(super) fn nearness(directory: &Directory, one: &str, other: &str) -> Nearness {
    let letters = |place: &str| place.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (one, other) = (letters(one), letters(other));
    let (here, there) = (directory.township_in(&one), directory.township_in(&other));
    if let (Some((here, _)), Some((there, _))) = (here, there)
        && here != there
    {
        return Nearness::Elsewhere;
    }
    let spot = |place: &str, township: Option<(&str, &str)>| {
        let rest = township.map_or(place.to_owned(), |(_, name)| place.replacen(name, "", 1));
        rest.chars().collect::<Vec<char>>()
    };
    let (one, other) = (spot(&one, here), spot(&other, there));
    if one.is_empty() || other.is_empty() {
        return Nearness::Near;
    }
    let pairs = |place: &[char]| place.windows(2).map(<[char]>::to_vec).collect::<BTreeSet<_>>();
    let (ones, others) = (pairs(&one), pairs(&other));
    let shared = ones.intersection(&others).count();
    let fewer = ones.len().min(others.len());
    // Of the shorter description at least two pairs of letters in three.
    let same = one == other || (fewer > 0 && shared * 3 >= fewer * 2);
    match (same, here.is_some() && there.is_some()) {
        (true, _) => Nearness::Same,
        (false, true) => Nearness::Near,
        (false, false) => Nearness::Elsewhere,
    }
}
