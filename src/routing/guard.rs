//! How danger, crime and police matters are told: which signs a text holds, and whether each is told as
//! present, past, over, feared or denied.

use super::knowledge::{Over, SignKind, Signs};
use super::manner::{Heft, Manner, Mark, Marks, Place};
use super::normal::{Normal, PAUSE, Wording};
use super::words::{Found, Words};

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
    /// Whether the word hardly means anything else.
    pub plain: bool,
    /// Whether it is an offence that was done: what is over is still the police's matter.
    pub offence: bool,
    /// How much of its clause follows, in characters: of 火灾 in 火灾后补助, three.
    pub tail: usize,
    /// Told so that only a question can settle it: as perhaps happening now ("可能漏气"), as happening
    /// again after it was over ("修好了，可是今天又有气味"), or, of a plain word, as taken back by words that
    /// may have been said of something else.
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

/// What is known of a group of signs beside its words.
#[derive(Debug, Clone)]
struct Group {
    name: String,
    kind: SignKind,
    weight: u8,
    willed: bool,
    reached: bool,
    offence: bool,
    beside: bool,
}

/// Reads the signs.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    groups: Vec<Group>,
    signs: Words<usize>,
    plain: Words<usize>,
    beside: Words<usize>,
    figures: Words<()>,
    marks: Words<Mark>,
    fillers: Vec<char>,
    scenes: Words<String>,
}

impl Guard {
    /// A guard that knows these signs.
    #[must_use]
    pub fn new(known: &Signs, normal: &Normal) -> Self {
        let mut guard = Self::default();
        for (group, sign) in known.signs.iter().enumerate() {
            guard.groups.push(Group {
                name: sign.name.clone(),
                kind: sign.kind,
                weight: sign.weight,
                willed: sign.willed,
                reached: sign.reached,
                offence: sign.offence,
                beside: !sign.beside.is_empty(),
            });
            guard.signs.add_all(&sign.words, |word| normal.word(word), group);
            guard.signs.add_all(&sign.plain, |word| normal.word(word), group);
            guard.plain.add_all(&sign.plain, |word| normal.word(word), group);
            guard.beside.add_all(&sign.beside, |word| normal.word(word), group);
        }
        let grammar = &known.grammar;
        guard.figures.add_all(&grammar.figures, |word| normal.word(word), ());
        for (words, mark) in [
            (&grammar.compounds, Mark::Compound),
            (&grammar.negation, Mark::Negation),
            (&grammar.unfinished, Mark::Unfinished),
            (&grammar.others, Mark::Others),
            (&grammar.doubt, Mark::Doubt),
            (&grammar.later, Mark::Later),
            (&grammar.perhaps, Mark::Perhaps),
            (&grammar.turns, Mark::Turn),
            (&grammar.past, Mark::Past),
            (&grammar.after, Mark::After),
            (&grammar.contained, Mark::Contained),
            (&grammar.present, Mark::Present),
            (&grammar.drill, Mark::Drill),
            (&grammar.beasts, Mark::Beast),
        ] {
            guard.marks.add_all(words, |word| normal.word(word), mark);
        }
        let of = |over: &Over, name: &str| over.of.split_whitespace().any(|one| one == name);
        for (group, known) in guard.groups.iter().enumerate() {
            for over in grammar.contained_of.iter().filter(|over| of(over, &known.name)) {
                let mark = Mark::ContainedOf(group);
                guard.marks.add_all(&over.words, |word| normal.word(word), mark);
            }
            for over in grammar.ended.iter().filter(|over| of(over, &known.name)) {
                guard.marks.add_all(&over.words, |word| normal.word(word), Mark::EndedOf(group));
            }
        }
        guard.fillers = normal.word(&grammar.fillers);
        for (part, words) in &known.scenes {
            guard.scenes.add_all(words, |word| normal.word(word), part.clone());
        }
        guard
    }

    /// The words of grammar in a text, in order; what is part of a sign or of another word is none.
    fn places(&self, text: &[char], signs: &[Found<'_, usize>]) -> Vec<Place> {
        let mut places: Vec<Place> = Vec::new();
        for hit in self.marks.find_widest(text) {
            let within =
                |one: &Place| one.mark.takes_in() && one.start < hit.start && hit.start < one.end;
            if places.iter().any(within) {
                continue;
            }
            // 走了 says that it is over, but not within 转走了: the word is part of the sign.
            let part = |sign: &Found<'_, usize>| {
                sign.start < hit.start && hit.start < sign.end && sign.end <= hit.end
                    || hit.lies_within(sign.start, sign.end)
            };
            if hit.tags.contains(&Mark::Compound) || !signs.iter().any(part) {
                let place = |mark: &Mark| Place { mark: *mark, start: hit.start, end: hit.end };
                places.extend(hit.tags.iter().map(place));
            }
        }
        places
    }

    /// Reads a text, as [`Normal::text`] gives it.
    #[must_use]
    pub fn read(&self, wording: &Wording) -> Reading {
        let text = wording.text.as_slice();
        let figures: Vec<(usize, usize)> =
            self.figures.find(text).iter().map(|hit| (hit.start, hit.end)).collect();
        let signs = self.signs.find_widest(text);
        let places = self.places(text, &signs);
        let marks = Marks::new(wording, &self.fillers, places);
        let mut reading = Reading::default();
        for (mark, word) in marks.said() {
            match mark {
                over if over.is_over() => reading.over.push(word),
                Mark::Present => reading.present.push(word),
                Mark::Drill => reading.drill = true,
                Mark::Beast => reading.beasts = true,
                Mark::Past => reading.past = true,
                _ => {}
            }
        }
        let plain = self.plain.find(text);
        let beside = self.beside.find(text);
        for hit in &signs {
            let within = |(start, end): &(usize, usize)| *start <= hit.start && hit.end <= *end;
            if figures.iter().any(within) {
                continue;
            }
            for group in hit.tags {
                let Some(known) = self.groups.get(*group) else { continue };
                if marks.over_covers(*group, hit.start, hit.end) {
                    continue;
                }
                if known.beside && !beside.iter().any(|word| word.tags.contains(group)) {
                    continue;
                }
                let plain = plain.iter().any(|word| {
                    word.tags.contains(group) && hit.start <= word.start && word.end <= hit.end
                });
                let Group { weight, willed, reached, offence, .. } = *known;
                let heft = Heft { group: *group, plain, weight, willed, reached };
                let (manner, doubtful) = marks.manner(hit.start, hit.end, heft);
                reading.told.push(Told {
                    sign: known.name.clone(),
                    kind: known.kind,
                    weight: known.weight,
                    word: hit.text(),
                    manner,
                    plain,
                    offence: offence && plain && manner.is_done(),
                    tail: marks.tail(hit.start, hit.end),
                    doubtful,
                });
            }
        }
        settle(&mut reading.told);
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

/// What is plainly told and said to be over, while another danger is told as happening, is over for
/// somebody else perhaps: 厨房着火灭了，娃烧伤了. Only a question settles it.
fn settle(told: &mut [Told]) {
    let live = |one: &Told| one.kind == SignKind::Danger && one.manner.is_live();
    if told.iter().any(live) {
        let over = |one: &&mut Told| one.plain && one.manner == Manner::Over;
        told.iter_mut().filter(over).for_each(|one| one.doubtful = true);
    }
}
