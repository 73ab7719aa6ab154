//! The text of a call as it is read: one width, one mark for every pause, common slips of the keyboard
//! and words of dialect put right, and what says nothing about the matter (who reports, where) aside.

use super::knowledge::{Knowledge, SignKind};
use super::words::Words;

/// What every pause becomes.
pub const PAUSE: char = '，';

/// A pause that asks, while a text is put right.
const ASKING: char = '？';

/// A text as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wording {
    /// Its characters, with a pause at both ends.
    pub text: Vec<char>,
    /// Which of its pauses ask.
    pub asking: Vec<usize>,
}

/// Reads texts the same way everywhere: calls, examples and the words of the lexicon.
#[derive(Debug, Clone, Default)]
pub struct Normal {
    openings: Vec<Vec<char>>,
    closings: Vec<Vec<char>>,
    landmarks: Vec<Vec<char>>,
    directions: Vec<Vec<char>>,
    villages: Vec<Vec<char>>,
    no_villages: Vec<Vec<char>>,
    /// Words for danger: no part of a place.
    danger: Words<()>,
    /// Words that no slip lies across.
    wholes: Words<()>,
    confusions: Vec<(Vec<char>, Vec<char>)>,
    places: Vec<Vec<char>>,
}

impl Normal {
    /// Reads as the frames of this knowledge say; its places are townships and sub-districts.
    #[must_use]
    pub fn new(knowledge: &Knowledge) -> Self {
        let Knowledge { frames, places, guard, .. } = knowledge;
        let words = |text: &str| {
            let mut words: Vec<Vec<char>> =
                text.split_whitespace().map(|word| plain(word).into_iter().collect()).collect();
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            words
        };
        let mut confusions: Vec<(Vec<char>, Vec<char>)> = frames
            .confusions
            .iter()
            .map(|(wrong, right)| (wrong.chars().collect(), right.chars().collect()))
            .collect();
        confusions
            .sort_by_key(|(wrong, _): &(Vec<char>, Vec<char>)| std::cmp::Reverse(wrong.len()));
        let mut places: Vec<Vec<char>> = places.iter().map(|name| stem(name)).collect();
        places.retain(|name| name.len() > 1);
        let as_written = |word: &str| plain(word);
        let (mut danger, mut wholes) = (Words::default(), Words::default());
        for sign in guard.signs.iter().filter(|sign| sign.kind == SignKind::Danger) {
            danger.add_all(&sign.words, as_written, ());
            danger.add_all(&sign.plain, as_written, ());
        }
        let topics = knowledge.lexicon.topics.values().map(|topic| &topic.words);
        for words in topics.chain(knowledge.concepts.concepts.values()).chain([&frames.wholes]) {
            wholes.add_all(words, as_written, ());
        }
        Self {
            openings: words(&frames.openings),
            closings: words(&frames.closings),
            landmarks: words(&frames.landmarks),
            directions: words(&frames.directions),
            villages: words(&frames.villages),
            no_villages: words(&frames.no_villages),
            danger,
            wholes,
            confusions,
            places,
        }
    }

    /// One word of a lexicon: slips put right, nothing set aside.
    #[must_use]
    pub fn word(&self, word: &str) -> Vec<char> {
        self.put_right(&plain(word))
    }

    /// The text of a call: slips put right, frame and places aside, pauses at both ends.
    #[must_use]
    pub fn text(&self, text: &str) -> Wording {
        let chars = plain(text);
        let chars = self.without_places(&chars);
        let chars = self.without_closings(&chars);
        let chars = self.without_openings(&chars);
        let chars = self.put_right(&chars);
        let mut read = Wording { text: vec![PAUSE], asking: Vec::new() };
        for character in chars {
            let pause = is_pause(character);
            if !pause || read.text.last() != Some(&PAUSE) {
                read.text.push(if pause { PAUSE } else { character });
            }
            let last = read.text.len().saturating_sub(1);
            if character == ASKING && read.asking.last() != Some(&last) {
                read.asking.push(last);
            }
        }
        if read.text.last() != Some(&PAUSE) {
            read.text.push(PAUSE);
        }
        read
    }

    fn put_right(&self, chars: &[char]) -> Vec<char> {
        let mut out = Vec::with_capacity(chars.len());
        let mut at = 0;
        while let Some((first, _)) = chars.get(at..).and_then(<[char]>::split_first) {
            let rest = chars.get(at..).unwrap_or_default();
            let slip = self.confusions.iter().find(|(wrong, _)| rest.starts_with(wrong));
            match slip.filter(|(wrong, _)| !self.lies_across(chars, at, at + wrong.len())) {
                Some((wrong, right)) => {
                    out.extend(right);
                    at += wrong.len();
                }
                None => {
                    out.push(*first);
                    at += 1;
                }
            }
        }
        out
    }

    /// Whether a piece of a text ends or begins in the middle of a known word: 假要 in 请假要扣钱.
    fn lies_across(&self, chars: &[char], start: usize, end: usize) -> bool {
        const LONGEST: usize = 6;
        let from = start.saturating_sub(LONGEST);
        let near = chars.get(from..(end + LONGEST).min(chars.len())).unwrap_or_default();
        self.wholes.find(near).iter().any(|word| {
            let (begins, ends) = (from + word.start, from + word.end);
            begins < start && start < ends && ends < end
                || start < begins && begins < end && end < ends
        })
    }

    fn without_openings(&self, chars: &[char]) -> Vec<char> {
        let mut rest = chars;
        loop {
            while let Some((first, after)) = rest.split_first()
                && is_pause(*first)
            {
                rest = after;
            }
            let Some(opening) = self.openings.iter().find(|opening| rest.starts_with(opening))
            else {
                return rest.to_vec();
            };
            rest = rest.get(opening.len()..).unwrap_or_default();
        }
    }

    fn without_closings(&self, chars: &[char]) -> Vec<char> {
        replace(chars, |rest| longest(&self.closings, rest))
    }

    /// A township's name, what stands there, and on which side of it: all one place, no matter.
    fn without_places(&self, chars: &[char]) -> Vec<char> {
        replace(chars, |rest| {
            let name = longest(&self.places, rest)?;
            let after = |taken: usize| rest.get(taken..).unwrap_or_default();
            let mut taken = name;
            if let Some(first) = after(taken).first()
                && ['镇', '乡', '县'].contains(first)
            {
                taken += 1;
            } else if after(taken).starts_with(&['街', '道']) {
                taken += 2;
            }
            // No danger is part of a place: 着火村民 holds no village, 庙坝上吊 nothing above 庙坝.
            let danger = |from: usize, to: usize| {
                let found = self.danger.find(rest.get(..to + 3).unwrap_or(rest));
                found
                    .iter()
                    .any(|sign| sign.end - sign.start > 1 && from < sign.end && sign.start < to)
            };
            let village = (0..3).find_map(|skip| {
                let here = after(taken + skip);
                // A village's own name has two characters and no pause in it.
                let named = after(taken).get(..skip)?.iter().all(|character| !is_pause(*character));
                let other = longest(&self.no_villages, here).is_some();
                longest(&self.villages, here)
                    .filter(|_| named && !other)
                    .map(|length| skip + length)
                    .filter(|length| !danger(taken, taken + length))
            });
            taken += village.unwrap_or(0);
            for side in [&self.landmarks, &self.landmarks, &self.directions] {
                let length = longest(side, after(taken));
                taken += length.filter(|length| !danger(taken, taken + length)).unwrap_or(0);
            }
            if after(taken).first() == Some(&'的') {
                taken += 1;
            }
            Some(taken)
        })
    }
}

fn is_pause(character: char) -> bool {
    character == PAUSE || character == ASKING
}

/// Leaves out the pieces that `piece` measures; a pause stands in their place.
fn replace(chars: &[char], piece: impl Fn(&[char]) -> Option<usize>) -> Vec<char> {
    let mut out = Vec::with_capacity(chars.len());
    let mut rest = chars;
    while let Some((first, after)) = rest.split_first() {
        if let Some(length) = piece(rest).filter(|length| *length > 0) {
            if matches!(out.last(), Some('在' | '再' | '到')) {
                out.pop();
                // 人在庙坝, but 有人在庙坝: who is spoken of stays.
                if out.ends_with(&['人']) && (out.len() == 1 || out.ends_with(&[PAUSE, '人'])) {
                    out.pop();
                }
            }
            if out.ends_with(&['地', '点']) {
                out.truncate(out.len().saturating_sub(2));
            }
            out.push(PAUSE);
            rest = rest.get(length..).unwrap_or_default();
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

fn longest(words: &[Vec<char>], rest: &[char]) -> Option<usize> {
    words.iter().find(|word| rest.starts_with(word)).map(Vec::len)
}

/// The name of a township without what kind of body it is.
fn stem(name: &str) -> Vec<char> {
    let mut chars: Vec<char> = name.chars().collect();
    if chars.ends_with(&['街', '道']) {
        chars.truncate(chars.len().saturating_sub(2));
    } else if matches!(chars.last(), Some('镇' | '乡')) {
        chars.pop();
    }
    chars
}

/// One width, small letters, one mark for every pause; numbers become one mark too, so that a sum of
/// money is like any other. Numbers that are called stay.
fn plain(text: &str) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(text.len());
    let mut digits = String::new();
    let flush = |digits: &mut String, out: &mut Vec<char>| {
        if ["110", "119", "120", "12345", "12315", "4", "5"].contains(&digits.as_str()) {
            out.extend(digits.chars());
        } else if !digits.is_empty() {
            out.push('#');
        }
        digits.clear();
    };
    for character in text.chars() {
        let character = narrow(character);
        if character.is_ascii_digit() {
            digits.push(character);
            continue;
        }
        flush(&mut digits, &mut out);
        if character.is_alphanumeric() {
            out.extend(character.to_lowercase());
        } else if character != '“' && character != '”' && character != '"' {
            out.push(if character == '?' { ASKING } else { PAUSE });
        }
    }
    flush(&mut digits, &mut out);
    out
}

/// Full-width letters and digits in their usual width.
fn narrow(character: char) -> char {
    let code = u32::from(character);
    if (0xFF01..=0xFF5E).contains(&code) {
        char::from_u32(code - 0xFEE0).unwrap_or(character)
    } else {
        character
    }
}
