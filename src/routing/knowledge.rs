//! What the router knows before it has learned anything: vocabulary and grammar, as read from files.
//! Nothing of it stands in code; another county brings other files.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest;
use crate::domain::Text;

/// Everything that a router is made of.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Words of everyday language by what they mean.
    pub concepts: Concepts,
    /// What surrounds the matter in a record.
    pub frames: Frames,
    /// How danger and crime are told.
    pub guard: Signs,
    /// The vocabulary of each category.
    pub lexicon: Lexicon,
    /// Figures found by cross-validation.
    pub tuning: Tuning,
    /// Examples to learn from, in order.
    pub examples: Vec<Example>,
    /// The categories: code and the units that may handle it, the usual one first.
    pub categories: Vec<Matter>,
    /// What people call the units, by code; said in reasons.
    pub names: BTreeMap<String, Text>,
    /// Names of townships and sub-districts.
    pub places: Vec<String>,
    /// The unit of the police: what is kept is theirs.
    pub police: String,
}

impl Knowledge {
    /// Takes in what a jurisdiction's own matters teach of units and categories, as far as its units are
    /// known here; danger and what the police keep are learned from the files alone.
    pub fn learn(&mut self, own: Vec<Example>) {
        let known = |unit: &String| {
            let catalogued = self.categories.iter().flat_map(|category| &category.units);
            let exemplary = self.examples.iter().flat_map(|example| &example.units);
            *unit != self.police && catalogued.chain(exemplary).any(|one| one == unit)
        };
        let own = own.into_iter().filter(|one| one.units.iter().all(known));
        let own: Vec<Example> = own.map(|one| Example { own: true, ..one }).collect();
        self.examples.extend(own);
    }

    /// A short name of exactly this knowledge as this version of the program reads it: another word,
    /// figure, example or release, another name. What units are called counts for nothing.
    #[must_use]
    pub fn name(&self) -> String {
        // Everything of it, as it is written for programmers: nothing can be forgotten here.
        let Self { concepts, frames, guard, lexicon, tuning, examples, categories, .. } = self;
        let words = format!("{concepts:?}{frames:?}{guard:?}{lexicon:?}{tuning:?}{categories:?}");
        let more = format!("{:?}{:?}{}", self.places, self.police, env!("CARGO_PKG_VERSION"));
        let mut sum = digest::with(digest::with(digest::EMPTY, &words), &more);
        for example in examples {
            sum = digest::with(sum, &format!("{example:?}"));
        }
        format!("{}-{:08x}", examples.len(), sum >> 32)
    }
}

/// A category, as far as routing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matter {
    /// Its code.
    pub code: String,
    /// Units that may handle it, the usual one first.
    pub units: Vec<String>,
    /// Whether it stays with the police.
    pub kept: bool,
}

/// Words by what they mean; separated by spaces.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Concepts {
    /// Name of a concept → its words.
    pub concepts: BTreeMap<String, String>,
}

/// What surrounds the matter in a call record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frames {
    /// Who reports.
    pub openings: String,
    /// How to be reached.
    pub closings: String,
    /// What stands at a place.
    pub landmarks: String,
    /// On which side of it.
    pub directions: String,
    /// Parts of a township.
    pub villages: String,
    /// Words that only begin like one of these (村民).
    pub no_villages: String,
    /// Words that no slip is looked for across (请假 before 要: no 假要).
    pub wholes: String,
    /// Slips and dialect: as written → as read.
    pub confusions: BTreeMap<String, String>,
}

/// How danger, crime and police matters are told, and what takes them back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signs {
    /// Groups of words.
    pub signs: Vec<Sign>,
    /// What takes a sign back or puts it out of the present.
    pub grammar: Grammar,
    /// What a scene is made of; the model learns which two of them together are grave.
    pub scenes: BTreeMap<String, String>,
}

/// Which kind of police matter a sign speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SignKind {
    /// Danger to persons: now.
    Danger,
    /// A crime, perhaps over.
    Crime,
    /// A matter of the police without danger.
    Police,
}

impl SignKind {
    /// Its name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Danger => "danger",
            Self::Crime => "crime",
            Self::Police => "police",
        }
    }
}

/// A group of words that speak for danger, crime or a matter of the police.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sign {
    /// Its name.
    pub name: String,
    /// Of which kind.
    pub kind: SignKind,
    /// 1 a hint, 2 grave, 3 alone enough.
    pub weight: u8,
    /// The words.
    #[serde(default)]
    pub words: String,
    /// Words that hardly mean anything else: told as present they are never diverted without a question,
    /// and what takes them back must do so plainly.
    #[serde(default)]
    pub plain: String,
    /// If any: words of which one must be said, too.
    #[serde(default)]
    pub beside: String,
    /// Whether somebody does it who means it: when that is feared, a question is asked.
    #[serde(default)]
    pub willed: bool,
    /// Whether its plain words say that somebody was hurt already: where that is said to be over, a
    /// question is asked.
    #[serde(default)]
    pub reached: bool,
    /// Whether its plain words tell of an offence: told and not denied, a question is asked also when it
    /// is over.
    #[serde(default)]
    pub offence: bool,
}

/// What says that something is over.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// Of which groups of signs.
    pub of: String,
    /// The words.
    pub words: String,
}

/// Words that change what a sign says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grammar {
    /// Words in which a character of the lists below means something else.
    pub compounds: String,
    /// "no", before the sign.
    pub negation: String,
    /// Characters that may stand between a plain "no" and its sign, without spaces.
    pub fillers: String,
    /// "not yet", "please", before "put out": then it is not over.
    pub unfinished: String,
    /// "the others", before "safe": then it is not said of who was spoken of.
    pub others: String,
    /// "fear", "would", "almost".
    pub doubt: String,
    /// "afterwards": fear only where it begins what is said, or after a word of `doubt`.
    pub later: String,
    /// "perhaps", "it seems": of what may be happening now.
    pub perhaps: String,
    /// "but", "again", "today": what was past or over before it says nothing of what comes after.
    pub turns: String,
    /// "yesterday", "last year".
    pub past: String,
    /// "once", right after the sign.
    pub after: String,
    /// "nobody hurt", "already in hospital": it did no harm, or help is there.
    pub contained: String,
    /// The same, of some groups of signs only: "fenced off", "in hospital".
    pub contained_of: Vec<Over>,
    /// "put out", "shut off": over itself, of some groups of signs only.
    pub ended: Vec<Over>,
    /// "now", "still".
    pub present: String,
    /// Drill, film, lecture.
    pub drill: String,
    /// To whom it happens when it is no person.
    pub beasts: String,
    /// Figures of speech that only sound like a sign.
    pub figures: String,
}

/// The vocabulary of the categories.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Category → its words.
    pub topics: BTreeMap<String, Topic>,
}

/// The vocabulary of one category.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// What gives the matter to the unit, quoted as a reason.
    #[serde(default)]
    pub clause: String,
    /// The words, separated by spaces.
    pub words: String,
}

/// Figures that cross-validation gave; kept in a file, so that all who look see the same.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// At or above this probability of a police matter a call is kept.
    pub keep: f32,
    /// At or above this one the dispatcher is asked, and the call held until answered.
    pub ask: f32,
    /// The same for the probability of danger alone: a diverted emergency weighs more than a question.
    pub ask_danger: f32,
    /// So many different pairs of characters of a text, and a third of them, must have been seen before;
    /// of less nothing is known, and the dispatcher is asked. 0: whatever is said is judged.
    pub seen_pairs: usize,
    /// In texts of at most so many characters plain words go before what the models say: danger told as
    /// happening and taken back by nothing keeps the call, and an offence is asked about.
    pub alarm_length: usize,
    /// How much sharper or flatter the model's probabilities of units are made.
    pub sharpness: f32,
    /// How often the examples are gone through.
    pub rounds: u32,
    /// The first step's size in training.
    pub step: f32,
    /// How strongly weights are drawn back to where they began.
    pub decay: f32,
    /// In how many of a hundred lessons a feature is covered, so that the others must do without it.
    pub covered: u64,
    /// How much single, double and triple characters count beside known words.
    pub pieces: f32,
    /// How much longer texts are evened out: 0 not at all, 1 wholly.
    pub evenness: f32,
    /// How much a word of the lexicon counts as an example of its category.
    pub lexicon: f32,
    /// How much the lexicon is believed before anything was seen.
    pub belief: f32,
    /// How the first unit's probability is read: pairs of (as computed, as it came true).
    pub calibration: Vec<(f32, f32)>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            keep: 0.5,
            ask: 0.1,
            ask_danger: 0.07,
            seen_pairs: 0,
            alarm_length: 12,
            sharpness: 1.0,
            rounds: 14,
            step: 0.08,
            decay: 0.0005,
            covered: 30,
            pieces: 1.0,
            evenness: 0.5,
            lexicon: 0.1,
            belief: 0.8,
            calibration: Vec::new(),
        }
    }
}

/// A call whose right answer is known.
#[derive(Debug, Clone, Default, Deserialize, Serialize, PartialEq)]
#[serde(default)]
pub struct Example {
    /// What the caller said.
    pub text: String,
    /// The category, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Units that may handle it, the best first.
    pub units: Vec<String>,
    /// Units that act with it.
    pub co_units: Vec<String>,
    /// Whether it may be diverted.
    pub divert: bool,
    /// Whether somebody is in danger.
    pub emergency: bool,
    /// Whether a matter of the house taught it, and no file. That a unit accepted it says nothing of
    /// danger: the guard learns nothing of it.
    #[serde(skip)]
    pub own: bool,
}
