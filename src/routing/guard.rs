//! How danger, crime and police matters are told: which signs a text holds, and whether each is told as
//! present, past, over, feared or denied.

use super::knowledge::{SignKind, Signs};
use super::normal::{Normal, PAUSE};
use super::words::{Found, Words};

/// In which manner a sign is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Manner {
    /// With a word for "now", "still", "help".
    Now,
    /// Just told.
    Told,
    /// Told, and over by what follows: put out, nobody hurt, in hospital.
    Over,
    /// With a word for another time.
    Past,
    /// Feared, possible, almost.
    Feared,
    /// Denied.
    Denied,
}

impl Manner {
    /// Its name, in features and reasons.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::Told => "told",
            Self::Over => "over",
            Self::Past => "past",
            Self::Feared => "feared",
            Self::Denied => "denied",
        }
    }

    /// Whether it counts as happening.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Now | Self::Told)
    }
}

/// A sign as a text tells it.
#[derive(Debug, Clone)]
pub struct Told {
    /// The group's name.
    pub sign: String,
    /// Its kind.
    pub kind: SignKind,
    /// How grave (1 to 3).
    pub weight: u8,
    /// The word.
    pub word: String,
    /// In which manner.
    pub manner: Manner,
    /// Told so that only a question can settle it: as perhaps happening now ("可能漏气"), or as happening
    /// again after it was over ("修好了，可是今天又有气味").
    pub doubtful: bool,
}

/// What the guard read in a text.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// The signs, in order.
    pub told: Vec<Told>,
    /// Words that say that it is over or nobody is hurt.
    pub over: Vec<String>,
    /// Words for "now".
    pub present: Vec<String>,
    /// Whether it is about a drill, a film, a lecture.
    pub drill: bool,
    /// Whether animals or trees are spoken of.
    pub beasts: bool,
    /// Whether another time is named.
    pub past: bool,
    /// What the scene is made of: the part, and the number of the clause.
    pub scene: Vec<(String, usize)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Negation,
    Doubt,
    Perhaps,
    Turn,
    Past,
    After,
    Over,
    Present,
    Drill,
    Beast,
}

/// Reads the signs.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    groups: Vec<(String, SignKind, u8)>,
    signs: Words<usize>,
    figures: Words<()>,
    marks: Words<Mark>,
    scenes: Words<String>,
}

/// How far before a sign its "no" may stand.
const REACH: usize = 3;

impl Guard {
    /// A guard that knows these signs.
    #[must_use]
    pub fn new(known: &Signs, normal: &Normal) -> Self {
        let mut guard = Self::default();
        for (group, sign) in known.signs.iter().enumerate() {
            guard.groups.push((sign.name.clone(), sign.kind, sign.weight));
            guard.signs.add_all(&sign.words, |word| normal.word(word), group);
        }
        let grammar = &known.grammar;
        guard.figures.add_all(&grammar.figures, |word| normal.word(word), ());
        for (words, mark) in [
            (&grammar.negation, Mark::Negation),
            (&grammar.doubt, Mark::Doubt),
            (&grammar.perhaps, Mark::Perhaps),
            (&grammar.turns, Mark::Turn),
            (&grammar.past, Mark::Past),
            (&grammar.after, Mark::After),
            (&grammar.contained, Mark::Over),
            (&grammar.present, Mark::Present),
            (&grammar.drill, Mark::Drill),
            (&grammar.beasts, Mark::Beast),
        ] {
            guard.marks.add_all(words, |word| normal.word(word), mark);
        }
        for (part, words) in &known.scenes {
            guard.scenes.add_all(words, |word| normal.word(word), part.clone());
        }
        guard
    }

    /// Reads a text, as [`Normal::text`] gives it.
    #[must_use]
    pub fn read(&self, text: &[char]) -> Reading {
        let figures: Vec<(usize, usize)> =
            self.figures.find(text).iter().map(|hit| (hit.start, hit.end)).collect();
        let signs = self.signs.find_widest(text);
        let mut marks = Vec::new();
        for hit in self.marks.find_widest(text) {
            // 走了 says that it is over, but not within 转走了: the word is part of the sign.
            let part = |sign: &Found<'_, usize>| {
                sign.start < hit.start && hit.start < sign.end && sign.end <= hit.end
                    || hit.lies_within(sign.start, sign.end)
            };
            if !signs.iter().any(part) {
                marks.extend(hit.tags.iter().map(|mark| (*mark, hit.start, hit.end, hit.text())));
            }
        }
        let mut reading = Reading::default();
        for (mark, _, _, word) in &marks {
            match mark {
                Mark::Over => reading.over.push(word.clone()),
                Mark::Present => reading.present.push(word.clone()),
                Mark::Drill => reading.drill = true,
                Mark::Beast => reading.beasts = true,
                Mark::Past => reading.past = true,
                Mark::Negation | Mark::Doubt | Mark::Perhaps | Mark::Turn | Mark::After => {}
            }
        }
        for hit in &signs {
            let within = |(start, end): &(usize, usize)| *start <= hit.start && hit.end <= *end;
            let masked = figures.iter().any(within)
                || marks.iter().any(|(mark, start, end, _)| {
                    *mark == Mark::Over && *start <= hit.start && hit.end <= *end
                });
            if masked {
                continue;
            }
            let (manner, doubtful) = manner(text, &marks, hit.start, hit.end);
            for group in hit.tags {
                let Some((sign, kind, weight)) = self.groups.get(*group) else { continue };
                reading.told.push(Told {
                    sign: sign.clone(),
                    kind: *kind,
                    weight: *weight,
                    word: hit.text(),
                    manner,
                    doubtful,
                });
            }
        }
        for hit in self.scenes.find_widest(text) {
            let overlaps = |(start, end): &(usize, usize)| *start < hit.end && hit.start < *end;
            if figures.iter().any(overlaps) {
                continue;
            }
            let clause = text.iter().take(hit.start).filter(|one| **one == PAUSE).count();
            reading.scene.extend(hit.tags.iter().map(|part| (part.clone(), clause)));
        }
        reading
    }
}

/// In which manner the sign between `start` and `end` is told, and whether that leaves a doubt.
fn manner(
    text: &[char],
    marks: &[(Mark, usize, usize, String)],
    start: usize,
    end: usize,
) -> (Manner, bool) {
    let pause = |(_, character): &(usize, &char)| **character == PAUSE;
    let before = text.get(..start).unwrap_or_default().iter().enumerate().rev().find(pause);
    let after = text.iter().enumerate().skip(end).find(pause);
    let clause_start = before.map_or(0, |(at, _)| at);
    let clause_end = after.map_or(text.len(), |(at, _)| at);
    let has = |wanted: Mark, from: usize, to: usize| {
        marks
            .iter()
            .any(|(mark, begins, ends, _)| *mark == wanted && from <= *begins && *ends <= to)
    };
    // 昨天着火扑灭了，今天又冒烟: what was said before 今天 or 又 says nothing of what comes after.
    let turns = marks.iter().filter(|(mark, _, ends, _)| *mark == Mark::Turn && *ends <= start);
    let turned = turns.map(|(_, begins, _, _)| *begins).max().unwrap_or(0);
    if has(Mark::Negation, clause_start.max(start.saturating_sub(REACH + 2)), start)
        && marks.iter().any(|(mark, begins, ends, _)| {
            *mark == Mark::Negation
                && clause_start <= *begins
                && *ends <= start
                && start - ends <= REACH
        })
    {
        return (Manner::Denied, false);
    }
    let (feared, perhaps) =
        (has(Mark::Doubt, clause_start, start), has(Mark::Perhaps, clause_start, start));
    let past = has(Mark::Past, turned, clause_end);
    if feared || perhaps {
        return (Manner::Feared, perhaps && !feared && !past);
    }
    let again = has(Mark::Past, 0, turned) || has(Mark::Over, 0, turned);
    if has(Mark::Present, clause_start, clause_end) {
        return (Manner::Now, again);
    }
    if has(Mark::After, end, (end + 2).min(clause_end)) || past {
        return (Manner::Past, false);
    }
    let over = has(Mark::Over, end, text.len()) || has(Mark::Over, clause_start.max(turned), start);
    if over { (Manner::Over, false) } else { (Manner::Told, again) }
}
