//! What is wrong with a chart as a whole, beyond single names and types.

use super::document::Document;
use super::{Chart, Finding};

/// Adds what is wrong with the whole.
pub(super) fn check(_: &str, _: &Document, _: &Chart, _: &mut Vec<Finding>) {}

/// The known name that is nearest to `name`, if one is near enough.
pub(super) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let distance = |other: &str| {
        let other: Vec<char> = other.chars().collect();
        let mut row: Vec<usize> = (0..=other.len()).collect();
        for (i, a) in name.chars().enumerate() {
            let mut diagonal = i;
            let mut left = i + 1;
            for (cell, b) in row.iter_mut().skip(1).zip(&other) {
                let change = diagonal + usize::from(a != *b);
                diagonal = *cell;
                left = change.min(left + 1).min(diagonal + 1);
                *cell = left;
            }
            if let Some(first) = row.first_mut() {
                *first = i + 1;
            }
        }
        row.last().copied().unwrap_or(usize::MAX)
    };
    let most = name.chars().count().div_ceil(3).max(1);
    known
        .iter()
        .map(|other| (distance(other), *other))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, other)| other)
}
