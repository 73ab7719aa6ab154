//! Finding known words in a text: all of them, overlapping ones too, in order.

use std::collections::BTreeMap;

/// A table of words, each with tags.
#[derive(Debug, Clone)]
pub struct Words<T> {
    by_first: BTreeMap<char, Vec<(Vec<char>, Vec<T>)>>,
}

impl<T> Default for Words<T> {
    fn default() -> Self {
        Self { by_first: BTreeMap::new() }
    }
}

/// A word found in a text.
#[derive(Debug, Clone)]
pub struct Found<'w, T> {
    /// Where it begins.
    pub start: usize,
    /// Where it ends (exclusive).
    pub end: usize,
    /// The word.
    pub word: &'w [char],
    /// What it means.
    pub tags: &'w [T],
}

impl<T> Found<'_, T> {
    /// Whether it lies within another one that is longer.
    #[must_use]
    pub fn lies_within(&self, start: usize, end: usize) -> bool {
        start <= self.start && self.end <= end && end - start > self.end - self.start
    }

    /// The word as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.word.iter().collect()
    }
}

impl<T: PartialEq> Words<T> {
    /// Adds a meaning of a word.
    pub fn add(&mut self, word: Vec<char>, tag: T) {
        let Some(first) = word.first() else { return };
        let bucket = self.by_first.entry(*first).or_default();
        // Longer words first, then in order of the alphabet: the order never depends on the files'.
        let key = |known: &(Vec<char>, Vec<T>)| (std::cmp::Reverse(known.0.len()), known.0.clone());
        match bucket.binary_search_by_key(&(std::cmp::Reverse(word.len()), word.clone()), key) {
            Ok(at) => {
                if let Some((_, tags)) = bucket.get_mut(at)
                    && !tags.contains(&tag)
                {
                    tags.push(tag);
                }
            }
            Err(at) => bucket.insert(at, (word, vec![tag])),
        }
    }

    /// Adds all words of a text, separated by spaces.
    pub fn add_all(&mut self, words: &str, read: impl Fn(&str) -> Vec<char>, tag: T)
    where
        T: Clone,
    {
        for word in words.split_whitespace() {
            self.add(read(word), tag.clone());
        }
    }

    /// Every known word in the text, by where it begins, longer ones first.
    #[must_use]
    pub fn find(&self, text: &[char]) -> Vec<Found<'_, T>> {
        let mut found = Vec::new();
        for (start, first) in text.iter().enumerate() {
            let Some(bucket) = self.by_first.get(first) else { continue };
            let rest = text.get(start..).unwrap_or_default();
            for (word, tags) in bucket {
                if rest.starts_with(word) {
                    found.push(Found { start, end: start + word.len(), word, tags });
                }
            }
        }
        found
    }

    /// As [`Self::find`], without those that lie within a longer one.
    #[must_use]
    pub fn find_widest(&self, text: &[char]) -> Vec<Found<'_, T>> {
        let found = self.find(text);
        let spans: Vec<(usize, usize)> = found.iter().map(|hit| (hit.start, hit.end)).collect();
        let mut widest = found;
        widest.retain(|hit| !spans.iter().any(|(start, end)| hit.lies_within(*start, *end)));
        widest
    }
}
