//! The router: trained from the catalogue, the lexicon and the examples; answers whose matter a call is
//! and whether the police must keep it.

use std::collections::BTreeMap;

use super::features::{Read, Reader};
use super::knowledge::{Example, Knowledge, Matter, SignKind, Tuning};
use super::model::{Beliefs, Course, Features, Lessons, Model, shares_of};
use crate::domain::Text;

/// The classes of the guard's model.
pub(super) const DIVERT: usize = 0;
pub(super) const KEPT: usize = 1;
pub(super) const DANGER: usize = 2;

/// A code with its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// Of a unit or a category.
    pub code: String,
    /// Its probability.
    pub share: f32,
}

/// Answers whose matter a call is.
#[derive(Debug, Clone)]
pub struct Router {
    pub(super) reader: Reader,
    pub(super) units: Vec<String>,
    pub(super) categories: Vec<String>,
    pub(super) of_unit: Model,
    pub(super) of_category: Model,
    /// Three judges who look at different things: all of it, the grammar of danger, the words.
    pub(super) of_guard: Vec<Model>,
    pub(super) tuning: Tuning,
    pub(super) police: String,
    pub(super) name: String,
    pub(super) kept: BTreeMap<String, bool>,
    pub(super) clauses: BTreeMap<String, String>,
    pub(super) candidates: BTreeMap<String, Vec<String>>,
    pub(super) names: BTreeMap<String, Text>,
}

const RANKS: [f32; 4] = [0.74, 0.16, 0.07, 0.03];

impl Router {
    /// Trains a router.
    #[must_use]
    pub fn train(knowledge: &Knowledge) -> Self {
        let reader = Reader::new(knowledge);
        let read: Vec<(&Example, Read)> = knowledge
            .examples
            .iter()
            .map(|example| (example, reader.read(&example.text)))
            .collect();
        let mut units: Vec<String> = Vec::new();
        let catalogued = knowledge.categories.iter().flat_map(|category| &category.units);
        let exemplary =
            knowledge.examples.iter().flat_map(|one| one.units.iter().chain(&one.co_units));
        for unit in catalogued.chain(exemplary) {
            if !units.contains(unit) {
                units.push(unit.clone());
            }
        }
        units.sort();
        let categories: Vec<String> =
            knowledge.categories.iter().map(|category| category.code.clone()).collect();
        let of_unit = train_units(knowledge, &reader, &read, &units);
        let of_category = train_categories(knowledge, &reader, &read, &categories);
        let of_guard = train_guard(knowledge, &reader, &read);
        let topics = knowledge.lexicon.topics.iter();
        Self {
            units,
            categories,
            of_unit,
            of_category,
            of_guard,
            tuning: knowledge.tuning.clone(),
            police: knowledge.police.clone(),
            name: knowledge.name(),
            kept: knowledge.categories.iter().map(|one| (one.code.clone(), one.kept)).collect(),
            clauses: topics.map(|(code, topic)| (code.clone(), topic.clause.clone())).collect(),
            candidates: knowledge
                .categories
                .iter()
                .map(|one| (one.code.clone(), one.units.clone()))
                .collect(),
            names: knowledge.names.clone(),
            reader,
        }
    }

    /// The unit that stood first in a category when this was trained.
    #[must_use]
    pub fn usual(&self, category: &str) -> Option<String> {
        self.candidates.get(category)?.first().cloned()
    }

    /// What gives a category to its unit, as it is quoted among the reasons.
    #[must_use]
    pub fn clause(&self, category: &str) -> Option<&str> {
        self.clauses.get(category).map(String::as_str)
    }

    /// Whether it was trained from just these categories.
    #[must_use]
    pub fn is_of(&self, categories: &[Matter]) -> bool {
        let same = |one: &Matter| {
            self.candidates.get(&one.code) == Some(&one.units)
                && self.kept.get(&one.code) == Some(&one.kept)
        };
        self.candidates.len() == categories.len() && categories.iter().all(same)
    }

    /// What people call a unit, as far as it is known.
    pub(super) fn name_of(&self, unit: &str) -> Text {
        self.names.get(unit).cloned().unwrap_or_else(|| Text::new(unit, unit))
    }

    /// The units' probabilities, the likeliest first, as computed.
    #[must_use]
    pub(super) fn rank_units(&self, features: &Features) -> Vec<Ranked> {
        let scores = self.of_unit.scores(features);
        ranked(&self.units, &shares_of(&scores, self.tuning.sharpness))
    }

    /// The categories' probabilities, the likeliest first, as computed.
    #[must_use]
    pub(super) fn rank_categories(&self, features: &Features) -> Vec<Ranked> {
        let scores = self.of_category.scores(features);
        ranked(&self.categories, &shares_of(&scores, 1.0))
    }

    /// Probability that it may be diverted, that the police keep it, and that somebody is in danger.
    #[must_use]
    pub fn weigh(&self, read: &Read) -> (f32, f32, f32) {
        let features = self.reader.of_guard(read);
        let mut sums = [0.0_f32; 3];
        let mut judges = 0.0_f32;
        for (view, model) in VIEWS.iter().zip(&self.of_guard) {
            let scores = model.scores(seen(&features, *view));
            for (sum, score) in sums.iter_mut().zip(&scores) {
                *sum += score;
            }
            judges += 1.0;
        }
        let shares = shares_of(&sums, EMPHASIS / judges.max(1.0));
        let share = |class: usize| shares.get(class).copied().unwrap_or(0.0);
        (share(DIVERT), share(KEPT), share(DANGER))
    }

    /// The name of exactly this model.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many features its models know together.
    #[must_use]
    pub fn size(&self) -> usize {
        let guards: usize = self.of_guard.iter().map(Model::size).sum();
        self.of_unit.size() + self.of_category.size() + guards
    }

    /// Reads a text.
    #[must_use]
    pub fn read(&self, text: &str) -> Read {
        self.reader.read(text)
    }
}

pub(super) fn ranked(codes: &[String], shares: &[f32]) -> Vec<Ranked> {
    let pairs = codes.iter().zip(shares);
    let mut ranked: Vec<Ranked> =
        pairs.map(|(code, share)| Ranked { code: code.clone(), share: *share }).collect();
    ranked.sort_by(|one, other| {
        other.share.total_cmp(&one.share).then_with(|| one.code.cmp(&other.code))
    });
    ranked
}

/// Shares for a ranked list of units: the first most.
fn target(units: &[String], all: &[String]) -> Vec<(usize, f32)> {
    let known = units.iter().filter_map(|unit| all.iter().position(|one| one == unit));
    let shares: Vec<(usize, f32)> = known.zip(RANKS).collect();
    let sum: f32 = shares.iter().map(|(_, share)| share).sum();
    shares.into_iter().map(|(class, share)| (class, share / sum)).collect()
}

fn train_units(
    knowledge: &Knowledge,
    reader: &Reader,
    examples: &[(&Example, Read)],
    units: &[String],
) -> Model {
    let mut lessons = Lessons::default();
    for (example, read) in examples {
        let (of, weight) = match (example.divert, example.co_units.is_empty()) {
            (true, _) => (&example.units, 1.0),
            // Whose words a kept call uses: the unit that acts with the police.
            (false, false) => (&example.co_units, 0.5),
            (false, true) => (&example.units, 0.5),
        };
        let target = target(of, units);
        if !target.is_empty() {
            lessons.add(&reader.of_matter(read), &target, weight);
        }
    }
    let mut begun = Beliefs::new();
    for category in &knowledge.categories {
        let target = target(&category.units, units);
        let believed =
            target.iter().map(|(class, share)| (*class, share * knowledge.tuning.belief)).collect();
        begun.insert(format!("t:{}", category.code), believed);
        let Some(topic) = knowledge.lexicon.topics.get(&category.code) else { continue };
        for word in topic.words.split_whitespace() {
            let features = reader.of_matter(&reader.read(word));
            lessons.add(&features, &target, knowledge.tuning.lexicon);
        }
    }
    Model::train(units.len(), lessons, &begun, course(&knowledge.tuning))
}

fn train_categories(
    knowledge: &Knowledge,
    reader: &Reader,
    examples: &[(&Example, Read)],
    categories: &[String],
) -> Model {
    let place = |code: &str| categories.iter().position(|one| one == code);
    let mut lessons = Lessons::default();
    for (example, read) in examples {
        let Some(class) = example.category.as_deref().and_then(place) else { continue };
        lessons.add(&reader.of_matter(read), &[(class, 1.0)], 1.0);
    }
    let mut begun = Beliefs::new();
    for (code, topic) in &knowledge.lexicon.topics {
        let Some(class) = place(code) else { continue };
        begun.insert(format!("t:{code}"), vec![(class, knowledge.tuning.belief)]);
        for word in topic.words.split_whitespace() {
            let features = reader.of_matter(&reader.read(word));
            lessons.add(&features, &[(class, 1.0)], knowledge.tuning.lexicon);
        }
    }
    // There are many of them: what one or two lessons alone have would take most of the memory.
    let rounds = knowledge.tuning.rounds.div_ceil(2);
    let shorter = Course { rounds, seen_least: 3, ..course(&knowledge.tuning) };
    Model::train(categories.len(), lessons, &begun, shorter)
}

/// What one judge of the guard looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    All,
    Grammar,
    Words,
}

const VIEWS: [View; 3] = [View::All, View::Grammar, View::Words];

/// Three judges' mean is more timid than each: it is drawn out again.
const EMPHASIS: f32 = 1.2;

fn seen(features: &Features, view: View) -> impl Iterator<Item = &(String, f32)> {
    let lexical = |name: &str| ["w:", "c:", "t:", "n:"].iter().any(|kind| name.starts_with(kind));
    let wanted = move |name: &str| match view {
        View::All => true,
        View::Grammar => !lexical(name),
        View::Words => lexical(name) || name == "bias",
    };
    features.iter().filter(move |(name, _)| wanted(name))
}

fn train_guard(
    knowledge: &Knowledge,
    reader: &Reader,
    examples: &[(&Example, Read)],
) -> Vec<Model> {
    let mut begun = Beliefs::new();
    for sign in &knowledge.guard.signs {
        let class = match sign.kind {
            SignKind::Danger => DANGER,
            SignKind::Crime | SignKind::Police => KEPT,
        };
        let grave = 0.25 * f32::from(sign.weight);
        begun.insert(format!("g:{}:now", sign.name), vec![(class, grave * 1.3)]);
        begun.insert(format!("g:{}:told", sign.name), vec![(class, grave)]);
        let past = if sign.kind == SignKind::Danger { 0.0 } else { grave };
        begun.insert(format!("g:{}:past", sign.name), vec![(KEPT, past)]);
    }
    begun.insert("over".to_owned(), vec![(DIVERT, 0.4)]);
    begun.insert("g:none".to_owned(), vec![(DIVERT, 0.8)]);
    // A sign is rarely doubled by another: none of them is covered.
    let open = Course { covered: 0, ..course(&knowledge.tuning) };
    let judge = |view: View| {
        let mut lessons = Lessons::default();
        for (example, read) in examples.iter().filter(|(example, _)| !example.own) {
            let class = match (example.divert, example.emergency) {
                (true, _) => DIVERT,
                (false, false) => KEPT,
                (false, true) => DANGER,
            };
            lessons.add(seen(&reader.of_guard(read), view), &[(class, 1.0)], 1.0);
        }
        let begun = if view == View::Words { Beliefs::new() } else { begun.clone() };
        Model::train(3, lessons, &begun, open)
    };
    VIEWS.into_iter().map(judge).collect()
}

fn course(tuning: &Tuning) -> Course {
    Course {
        rounds: tuning.rounds,
        step: tuning.step,
        decay: tuning.decay,
        covered: tuning.covered,
        seen_least: 1,
    }
}
