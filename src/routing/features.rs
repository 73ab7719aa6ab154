//! A text as the model sees it: known words and what they mean, pairs and triples of characters, and
//! what the guard read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::guard::{Guard, Reading};
use super::knowledge::Knowledge;
use super::model::Features;
use super::normal::{Normal, PAUSE};
use super::words::Words;

/// What a known word means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// A concept of everyday language.
    Concept(String),
    /// It belongs to the vocabulary of a category.
    Topic(String),
}

/// Makes features of texts.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// How texts are put right.
    pub normal: Normal,
    /// How danger is read.
    pub guard: Guard,
    words: Words<Meaning>,
    pieces: f32,
    evenness: f32,
}

/// A text, read.
#[derive(Debug, Clone, Default)]
pub struct Read {
    /// Its characters, put right.
    pub text: Vec<char>,
    /// Known words in it.
    pub words: Vec<(String, Vec<Meaning>)>,
    /// What the guard read.
    pub reading: Reading,
}

impl Reader {
    /// A reader that knows this vocabulary.
    #[must_use]
    pub fn new(knowledge: &Knowledge) -> Self {
        let normal = Normal::new(knowledge);
        let guard = Guard::new(&knowledge.guard, &normal);
        let mut words = Words::default();
        for (concept, list) in &knowledge.concepts.concepts {
            words.add_all(list, |word| normal.word(word), Meaning::Concept(concept.clone()));
        }
        for (topic, vocabulary) in &knowledge.lexicon.topics {
            let meaning = Meaning::Topic(topic.clone());
            words.add_all(&vocabulary.words, |word| normal.word(word), meaning);
        }
        Self {
            normal,
            guard,
            words,
            pieces: knowledge.tuning.pieces,
            evenness: knowledge.tuning.evenness,
        }
    }

    /// Reads a text.
    #[must_use]
    pub fn read(&self, text: &str) -> Read {
        let wording = self.normal.text(text);
        let found = self.words.find_widest(&wording.text);
        let words = found.iter().map(|hit| (hit.text(), hit.tags.to_vec())).collect();
        let reading = self.guard.read(&wording);
        Read { text: wording.text, words, reading }
    }

    /// The features that tell whose matter it is.
    #[must_use]
    pub fn of_matter(&self, read: &Read) -> Features {
        let mut features = BTreeMap::new();
        let mut add = |name: String, value: f32| {
            let seen = features.entry(name).or_insert(0.0_f32);
            *seen = (*seen + value).min(2.5 * value);
        };
        add("bias".to_owned(), 1.0);
        for (word, meanings) in &read.words {
            let length = word.chars().count();
            let long = match length {
                1 => 0.35,
                2 => 0.8,
                3 => 1.2,
                _ => 1.5,
            };
            add(format!("w:{word}"), 0.5 * long);
            let topics = meanings.iter().filter(|one| matches!(one, Meaning::Topic(_))).count();
            // A word of many categories says less about each.
            let share = if topics > 1 { 0.7 } else { 1.0 };
            for meaning in meanings {
                match meaning {
                    Meaning::Concept(name) => add(format!("c:{name}"), 0.6 * long.min(1.0)),
                    Meaning::Topic(code) => add(format!("t:{code}"), share * long),
                }
            }
        }
        for (size, value) in [(1, 0.12), (2, 0.35), (3, 0.3)] {
            for piece in read.text.windows(size) {
                if !piece.contains(&PAUSE) || (size == 2 && piece != [PAUSE; 2]) {
                    add(format!("n:{}", piece.iter().collect::<String>()), value * self.pieces);
                }
            }
        }
        self.evened(features)
    }

    /// The features that tell whether the police must keep it.
    #[must_use]
    pub fn of_guard(&self, read: &Read) -> Features {
        let mut features: BTreeMap<String, f32> = BTreeMap::new();
        let mut add = |name: String, value: f32| {
            let seen = features.entry(name).or_insert(0.0_f32);
            *seen = (*seen + value).min(2.0 * value);
        };
        add("bias".to_owned(), 1.0);
        for told in &read.reading.told {
            let manner = told.manner.as_str();
            add(format!("g:{}:{manner}", told.sign), 1.0);
            add(format!("k:{}:{}:{manner}", told.kind.as_str(), told.weight), 0.7);
            add(
                format!("gw:{}:{}", told.word, if told.manner.is_live() { "live" } else { "not" }),
                0.6,
            );
        }
        if read.reading.told.is_empty() {
            add("g:none".to_owned(), 1.0);
        }
        let live = read.reading.told.iter().filter(|told| told.manner.is_live()).count();
        for at_least in 1..=live.min(4) {
            add(format!("live:{at_least}"), 0.6);
        }
        for word in &read.reading.over {
            add(format!("o:{word}"), 0.5);
            add("over".to_owned(), 0.8);
        }
        for word in &read.reading.present {
            add(format!("p:{word}"), 0.4);
            add("present".to_owned(), 0.4);
        }
        for (name, is) in [
            ("drill", read.reading.drill),
            ("beasts", read.reading.beasts),
            ("past", read.reading.past),
        ] {
            if is {
                add(name.to_owned(), 0.6);
            }
        }
        add_scene(&read.reading, &mut add);
        for (word, meanings) in &read.words {
            add(format!("w:{word}"), 0.3);
            for meaning in meanings {
                match meaning {
                    Meaning::Concept(name) => add(format!("c:{name}"), 0.4),
                    Meaning::Topic(code) => add(format!("t:{code}"), 0.4),
                }
            }
        }
        for (size, value) in [(1, 0.1), (2, 0.3), (3, 0.25)] {
            for piece in read.text.windows(size) {
                if !piece.contains(&PAUSE) || (size == 2 && piece != [PAUSE; 2]) {
                    add(format!("n:{}", piece.iter().collect::<String>()), value * self.pieces);
                }
            }
        }
        self.evened(features)
    }

    /// A long text has more features than a short one; evened out, it does not speak louder for that.
    fn evened(&self, features: BTreeMap<String, f32>) -> Features {
        let length: f32 = features.values().map(|value| value * value).sum::<f32>().sqrt();
        let scale = 1.0 + self.evenness * (4.0 / length.max(0.1) - 1.0);
        features.into_iter().map(|(name, value)| (name, value * scale)).collect()
    }
}

/// The parts of the scene, every two of them that stand near each other, and how many perils.
fn add_scene(reading: &Reading, add: &mut impl FnMut(String, f32)) {
    let settled = !reading.over.is_empty() || reading.drill;
    let state = if settled { "over" } else { "open" };
    let parts: BTreeSet<&str> = reading.scene.iter().map(|(part, _)| part.as_str()).collect();
    for (part, _) in &reading.scene {
        add(format!("s:{part}"), 0.3);
    }
    for one in &parts {
        for other in parts.range::<str, _>((Bound::Excluded(*one), Bound::Unbounded)) {
            if stand_near(reading, one, other) {
                add(format!("x:{one}+{other}"), 0.35);
                add(format!("x:{one}+{other}:{state}"), 0.3);
            }
        }
    }
    let perils = reading.scene.iter().filter(|(part, _)| part == "peril").count();
    for at_least in 1..=perils.min(4) {
        add(format!("perils:{at_least}:{state}"), 0.4);
    }
}

/// Whether two parts of a scene stand in the same clause or in neighbouring ones.
fn stand_near(reading: &Reading, one: &str, other: &str) -> bool {
    reading.scene.iter().filter(|(part, _)| part == one).any(|(_, here)| {
        reading.scene.iter().any(|(part, there)| part == other && there.abs_diff(*here) <= 1)
    })
}
