//! How well the router does on records whose right answers are known, with the room for chance.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::digest;
use super::knowledge::Example;
use super::suggestion::{Suggestion, Verdict};

/// A record of a call, as the files of records have it. Labels may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct CallRecord {
    /// Its id.
    pub id: String,
    /// What the caller said.
    pub text: String,
    /// Where, if known.
    pub place: Option<String>,
    /// Label: the category.
    pub category: Option<String>,
    /// Label: units that may handle it, the best first.
    pub units: Option<Vec<String>>,
    /// Label: units that act with them.
    pub co_units: Option<Vec<String>>,
    /// Label: whether it may be diverted.
    pub divert: Option<bool>,
    /// Label: whether somebody is in danger.
    pub emergency: Option<bool>,
}

impl CallRecord {
    /// Whether its right answer is known.
    #[must_use]
    pub fn is_labelled(&self) -> bool {
        self.divert.is_some() && self.units.as_ref().is_some_and(|units| !units.is_empty())
    }

    /// What is learned from it, if its right answer is known.
    #[must_use]
    pub fn as_example(&self) -> Option<Example> {
        Some(Example {
            text: self.text.clone(),
            category: self.category.clone(),
            units: self.units.clone().filter(|units| !units.is_empty())?,
            co_units: self.co_units.clone().unwrap_or_default(),
            divert: self.divert?,
            emergency: self.emergency == Some(true),
            own: false,
        })
    }

    /// An example as a record with its right answer.
    #[must_use]
    pub fn of_example(id: String, example: &Example) -> Self {
        Self {
            id,
            text: example.text.clone(),
            place: None,
            category: example.category.clone(),
            units: Some(example.units.clone()),
            co_units: Some(example.co_units.clone()),
            divert: Some(example.divert),
            emergency: Some(example.emergency),
        }
    }
}

/// In which of so many folds a text is judged: always in the same, and with its doubles.
#[must_use]
pub fn fold_of(text: &str, folds: u64) -> u64 {
    (digest::with(digest::EMPTY, text) >> 16) % folds.max(1)
}

/// What was answered to a record.
#[derive(Debug, Clone, Serialize)]
pub struct Prediction {
    /// The record's id.
    pub id: String,
    /// Units, the likeliest first.
    pub units: Vec<String>,
    /// Whether it would be diverted without a question.
    pub divert: bool,
    /// Whether somebody seems to be in danger.
    pub emergency: bool,
    /// How likely the first unit is right, from 0 to 1.
    pub confidence: f64,
    /// `divert`, `ask` or `keep`.
    pub verdict: Verdict,
    /// The question that is asked in doubt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Categories, the likeliest first.
    pub categories: Vec<String>,
    /// Why.
    pub reasons: Vec<String>,
}

impl Prediction {
    /// What a suggestion says to a record.
    #[must_use]
    pub fn of(id: &str, suggestion: &Suggestion) -> Self {
        let codes = |list: &[super::suggestion::Candidate]| {
            list.iter().map(|one| one.code.clone()).collect()
        };
        Self {
            id: id.to_owned(),
            units: codes(&suggestion.units),
            divert: suggestion.verdict == Verdict::Divert,
            emergency: suggestion.emergency,
            confidence: f64::from(suggestion.confidence_per_mille) / 1000.0,
            verdict: suggestion.verdict,
            question: suggestion.question.as_ref().map(|text| text.zh.clone()),
            categories: codes(&suggestion.categories),
            reasons: suggestion
                .reasons
                .iter()
                .map(|reason| format!("{}: {}", reason.kind, reason.text.zh))
                .collect(),
        }
    }
}

/// A share of a number of cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// So many.
    pub hits: u32,
    /// Of so many.
    pub of: u32,
}

impl Share {
    fn count(&mut self, hit: bool) {
        self.of += 1;
        self.hits += u32::from(hit);
    }

    /// The share; none of no cases.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.of > 0).then(|| f64::from(self.hits) / f64::from(self.of))
    }

    /// Between which shares the truth lies with 95 % probability (Wilson's interval).
    #[must_use]
    pub fn interval(self) -> Option<(f64, f64)> {
        const Z: f64 = 1.959_964;
        let (share, of) = (self.value()?, f64::from(self.of));
        let middle = share + Z * Z / (2.0 * of);
        let spread = Z * (share * (1.0 - share) / of + Z * Z / (4.0 * of * of)).sqrt();
        let scale = 1.0 + Z * Z / of;
        Some((((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0)))
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Some(value), Some((low, high))) = (self.value(), self.interval()) else {
            return write!(out, "no such records");
        };
        let (value, low, high) = (value * 100.0, low * 100.0, high * 100.0);
        write!(out, "{value:.1} % [{low:.1}; {high:.1}] ({}/{})", self.hits, self.of)
    }
}

/// Scores against the labels.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    /// Records read.
    pub records: u32,
    /// Divertible records: the first unit is the label's first.
    pub top1: Share,
    /// Divertible records: the first unit is one of the label's.
    pub top1_any: Share,
    /// Divertible records: the label's first unit is among the first three.
    pub top3: Share,
    /// All labelled records, kept ones too: the first unit is one of the label's.
    pub top1_all: Share,
    /// All labelled records: the label's first unit is among the first three.
    pub top3_all: Share,
    /// Kept calls that were kept or questioned.
    pub kept_recall: Share,
    /// Of those kept or questioned, truly kept calls.
    pub kept_precision: Share,
    /// Emergencies that would have been diverted.
    pub emergencies_diverted: Share,
    /// Divertible calls held back or questioned …
    pub held_back: Share,
    /// … of these, only questioned.
    pub questioned: Share,
    /// Emergencies that were seen as such, among kept calls.
    pub emergency_seen: Share,
    bins: BTreeMap<u8, (u32, f64, u32)>,
}

impl Scores {
    /// Counts a record and what was answered to it.
    pub fn count(&mut self, record: &CallRecord, said: &Prediction) {
        self.records += 1;
        if let Some(divert) = record.divert {
            let held = !said.divert;
            if divert {
                self.held_back.count(held);
                self.questioned.count(said.verdict == Verdict::Ask);
            } else {
                self.kept_recall.count(held);
                if record.emergency == Some(true) {
                    self.emergency_seen.count(said.emergency);
                }
            }
            if held {
                self.kept_precision.count(!divert);
            }
        }
        if record.emergency == Some(true) {
            self.emergencies_diverted.count(said.divert);
        }
        let Some(wanted) = record.units.as_ref().filter(|units| !units.is_empty()) else { return };
        let first = said.units.first();
        let right = first.is_some_and(|unit| wanted.contains(unit));
        let among = said.units.iter().take(3).any(|unit| Some(unit) == wanted.first());
        self.top1_all.count(right);
        self.top3_all.count(among);
        if record.divert != Some(false) {
            self.top1.count(first == wanted.first());
            self.top1_any.count(right);
            self.top3.count(among);
        }
        let bin = (1..=9_u8).filter(|tenth| said.confidence * 10.0 >= f64::from(*tenth)).count();
        let cell = self.bins.entry(u8::try_from(bin).unwrap_or(9)).or_default();
        cell.0 += 1;
        cell.1 += said.confidence;
        cell.2 += u32::from(right);
    }

    /// The mean difference between confidence and truth (expected calibration error).
    #[must_use]
    pub fn calibration_error(&self) -> Option<f64> {
        let all: u32 = self.bins.values().map(|(count, ..)| count).sum();
        if all == 0 {
            return None;
        }
        let gaps = self.bins.values().map(|(_, sum, right)| (sum - f64::from(*right)).abs());
        Some(gaps.sum::<f64>() / f64::from(all))
    }

    /// The scores as people read them.
    #[must_use]
    pub fn draw(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(&value);
            text.push('\n');
        };
        line("records", self.records.to_string());
        for (name, share) in [
            ("top-1 of divertible calls (the label's first unit)", self.top1),
            ("top-1 of divertible calls (any unit of the label)", self.top1_any),
            ("top-3 of divertible calls", self.top3),
            ("top-1 of all calls (any unit of the label)", self.top1_all),
            ("top-3 of all calls", self.top3_all),
            ("kept calls kept or questioned (recall)", self.kept_recall),
            ("kept or questioned calls that were to be kept (precision)", self.kept_precision),
            ("emergencies diverted", self.emergencies_diverted),
            ("divertible calls held back or questioned", self.held_back),
            ("  of these only questioned", self.questioned),
            ("emergencies seen as such", self.emergency_seen),
        ] {
            line(name, share.to_string());
        }
        let error = self.calibration_error();
        let error = error.map_or("no labels".to_owned(), |error| format!("{:.1} %", error * 100.0));
        line("confidence against truth, mean difference", error);
        for (bin, (count, sum, right)) in &self.bins {
            let (said, truth) = (sum / f64::from(*count), f64::from(*right) / f64::from(*count));
            text.push_str(&format!(
                "  confidence {}-{} %: said {:.0} %, true {:.0} % ({count})\n",
                bin * 10,
                bin * 10 + 10,
                said * 100.0,
                truth * 100.0
            ));
        }
        text
    }
}
