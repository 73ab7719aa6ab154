//! What is suggested to the dispatcher: units and categories in order, whether to divert, how sure, and
//! why. A suggestion decides nothing; it is kept with the matter, so that it can be looked at later.

use serde::{Deserialize, Serialize};

use super::belief::share_of_first;
use super::catalogued::Asked;
use super::doubt::{Weighed, held_for, question};
use super::features::{Meaning, Read};
use super::guard::Told;
use super::likeness::{Traits, traits_of};
use super::manner::Manner;
use super::model::Features;
use super::router::{Ranked, Router};
use crate::domain::Text;

/// What is to be done with the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may go to a unit.
    Divert,
    /// The dispatcher is asked one question first; until then it stays.
    Ask,
    /// It stays with the police.
    Keep,
}

impl Verdict {
    /// Its name, as in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Divert => "divert",
            Self::Ask => "ask",
            Self::Keep => "keep",
        }
    }
}

/// A unit or a category, and how sure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The code.
    pub code: String,
    /// In thousandths, so that what is kept is the same text on every machine.
    pub per_mille: u16,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// `precedent`, `answer`, `territory`, `catalogue`, `law`, `words`, `clause`, `danger`, `grammar`,
    /// `model`, `unread` or `change`.
    pub kind: String,
    /// In words.
    pub text: Text,
}

/// What is suggested for a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Suggestion {
    /// What to do.
    pub verdict: Verdict,
    /// Whether somebody seems to be in danger now.
    pub emergency: bool,
    /// How likely it is a matter of the police, in thousandths.
    pub kept_per_mille: u16,
    /// How likely the first unit is right, in thousandths.
    pub confidence_per_mille: u16,
    /// Units, the likeliest first; in doubt the police stand third, whatever their share.
    pub units: Vec<Candidate>,
    /// The sub-unit of the first unit that has it at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_unit: Option<String>,
    /// Categories, the likeliest first.
    pub categories: Vec<Candidate>,
    /// The likeliest category that the police keep, where the call may be theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_category: Option<String>,
    /// The question to ask, when in doubt; to be answered by yes (keep) or no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<Text>,
    /// What the catalogue asks about the first category, not answered yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Asked>,
    /// Whether the police may have to go first …
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub police_first: bool,
    /// … and which units with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joint_units: Vec<String>,
    /// Why, and what would change it.
    pub reasons: Vec<Reason>,
    /// Which model said so.
    pub model: String,
}

/// So many units and categories are named.
pub(super) const NAMED: usize = 5;

impl Router {
    /// What is suggested for a text.
    #[must_use]
    pub fn suggest(&self, text: &str) -> Suggestion {
        self.hear(text, |_, _| {}).0
    }

    /// What is suggested for a text, and what it is recognised by. `counsel` is who has a say besides: it
    /// may change what is suggested before it is said why, and what would change it.
    #[must_use]
    pub fn hear(
        &self,
        text: &str,
        counsel: impl FnOnce(&mut Suggestion, &Traits),
    ) -> (Suggestion, Traits) {
        let read = self.read(text);
        let features = self.reader.of_matter(&read);
        let traits = traits_of(features.clone());
        let mut said = self.suggest_for(&read, &features);
        counsel(&mut said, &traits);
        self.conclude(&mut said, (&read, &features));
        (said, traits)
    }

    fn suggest_for(&self, read: &Read, features: &Features) -> Suggestion {
        if self.cannot_read(read) {
            return self.unread(read);
        }
        let Weighed { verdict, police, divert, emergency, calm } = self.judge(read);
        let mut units = self.believed(self.rank_units(features), verdict, divert);
        let mut categories = self.rank_categories(features);
        let is_kept = |one: &Ranked| self.kept.get(&one.code).copied().unwrap_or(false);
        categories.retain(|one| verdict != Verdict::Divert || !is_kept(one));
        let kept_category = categories.iter().find(|one| is_kept(one)).map(|one| one.code.clone());
        let reasons = self.reasons((read, features), verdict, units.first());
        let question = (verdict == Verdict::Ask).then(|| question(&read.reading.told, calm));
        let place = match verdict {
            Verdict::Keep => Some(0),
            // In doubt the police come third: the dispatcher sees both ways.
            Verdict::Ask => Some(2),
            Verdict::Divert => None,
        };
        let confidence = if verdict == Verdict::Keep { police } else { share_of_first(&units) };
        if let Some(place) = place {
            units.insert(
                place.min(units.len()),
                Ranked { code: self.police.clone(), share: police },
            );
        }
        Suggestion {
            verdict,
            emergency,
            kept_per_mille: per_mille(police),
            confidence_per_mille: per_mille(confidence),
            units: named(units),
            sub_unit: None,
            categories: named(categories),
            kept_category,
            question,
            questions: Vec::new(),
            police_first: false,
            joint_units: Vec::new(),
            reasons,
            model: self.name.clone(),
        }
    }

    /// What is said to a text that cannot be read: nobody is named for it, and the dispatcher asks.
    fn unread(&self, read: &Read) -> Suggestion {
        let police = 1.0 - self.weigh(read).0;
        let zh = "这段话太短，或不是所熟悉的语言，无法判断";
        let en = "too short, or not in a language that is known here: it cannot be read";
        Suggestion {
            verdict: Verdict::Ask,
            emergency: false,
            kept_per_mille: per_mille(police),
            confidence_per_mille: 0,
            units: named(vec![Ranked { code: self.police.clone(), share: police }]),
            sub_unit: None,
            categories: Vec::new(),
            kept_category: None,
            question: Some(question(&[], false)),
            questions: Vec::new(),
            police_first: false,
            joint_units: Vec::new(),
            reasons: vec![reason("unread", zh, en)],
            model: self.name.clone(),
        }
    }

    fn reasons(
        &self,
        (read, features): (&Read, &Features),
        verdict: Verdict,
        first: Option<&Ranked>,
    ) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if verdict != Verdict::Divert {
            reasons.push(held_for(&read.reading.told));
        }
        let taken_back: Vec<&Told> = read
            .reading
            .told
            .iter()
            .filter(|told| !told.manner.is_live() && !told.doubtful)
            .collect();
        if !taken_back.is_empty() {
            let said = |manner: Manner| match manner {
                Manner::Denied => "否认",
                Manner::Feared => "担心",
                Manner::Past => "过去",
                Manner::Over | Manner::Now | Manner::Told => "已排除",
            };
            let zh: Vec<String> = taken_back
                .iter()
                .map(|told| format!("“{}”（{}）", told.word, said(told.manner)))
                .collect();
            let en: Vec<String> = taken_back
                .iter()
                .map(|told| format!("“{}” ({})", told.word, told.manner.as_str()))
                .collect();
            reasons.push(reason(
                "grammar",
                &format!("{}不作为现时险情", zh.join("、")),
                &format!("{} counts as no present danger", en.join(", ")),
            ));
        }
        let words =
            first.map(|unit| self.words_for((read, features), &unit.code)).unwrap_or_default();
        if let Some(unit) = first.filter(|_| !words.is_empty()) {
            let words = quoted(words.iter().map(String::as_str));
            reasons.push(reason(
                "words",
                &format!("{words}多属{}的事项", self.name_of(&unit.code).zh),
                &format!("{words} speak for matters of {}", self.name_of(&unit.code).en),
            ));
        }
        reasons
    }

    /// The last reasons, of what is suggested in the end: the clause that gives such matters to the first
    /// unit, and what would change it.
    fn conclude(&self, said: &mut Suggestion, told: (&Read, &Features)) {
        let mut others = said.units.iter().filter(|unit| unit.code != self.police);
        let (first, second) = match said.verdict {
            Verdict::Keep => (said.units.first(), None),
            Verdict::Ask | Verdict::Divert => (others.next(), others.next()),
        };
        let clause = said.categories.iter().take(3).find_map(|one| {
            let of_first = self.candidates.get(&one.code)?.first() == first.map(|unit| &unit.code);
            self.clauses.get(&one.code).filter(|clause| of_first && !clause.is_empty())
        });
        let clause =
            clause.map(|clause| reason("clause", clause, &format!("by the plan: {clause}")));
        let change = self.what_would_change(told, said.verdict, second);
        said.reasons.extend(clause.into_iter().chain(change));
    }

    /// What the caller would have to say for another answer.
    fn what_would_change(
        &self,
        told: (&Read, &Features),
        verdict: Verdict,
        second: Option<&Candidate>,
    ) -> Option<Reason> {
        match verdict {
            Verdict::Divert => {}
            Verdict::Ask => {
                return Some(reason(
                    "change",
                    "向来电人问清上述问题并如实选答，答“否”后方可分流",
                    "ask the caller and answer as he says: after a “no” it can be diverted",
                ));
            }
            Verdict::Keep => {
                return Some(reason(
                    "change",
                    "如属误判，请110值班长变更类别并说明理由",
                    "if it is mistaken, the shift leader changes the category and says why",
                ));
            }
        }
        let second = second?;
        let words = self.words_for(told, &second.code);
        let (zh, en) = if words.is_empty() {
            (String::new(), String::new())
        } else {
            let words = quoted(words.iter().map(String::as_str));
            (format!("主要诉求是{words}时，"), format!("if {words} is the main point, "))
        };
        Some(reason(
            "change",
            &format!("{zh}次选单位为{}", self.name_of(&second.code).zh),
            &format!("{en}the next choice is {}", self.name_of(&second.code).en),
        ))
    }

    /// The words of a text that speak most for a unit, at most three.
    fn words_for(&self, (read, features): (&Read, &Features), unit: &str) -> Vec<String> {
        let Some(class) = self.units.iter().position(|one| one == unit) else { return Vec::new() };
        let share = |name: &str| {
            let found = features.iter().find(|(feature, _)| feature == name);
            found.map_or(0.0, |(_, value)| self.of_unit.share(name, *value, class))
        };
        let mut words: Vec<(f32, &String)> = read
            .words
            .iter()
            .map(|(word, meanings)| {
                let meant: f32 = meanings
                    .iter()
                    .map(|meaning| match meaning {
                        Meaning::Concept(name) => share(&format!("c:{name}")),
                        Meaning::Topic(code) => share(&format!("t:{code}")),
                    })
                    .sum();
                (share(&format!("w:{word}")) + meant, word)
            })
            .filter(|(share, _)| *share > 0.15)
            .collect();
        words.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(other.1)));
        words.dedup_by(|one, other| one.1 == other.1);
        words.into_iter().take(3).map(|(_, word)| word.clone()).collect()
    }
}

fn named(ranked: Vec<Ranked>) -> Vec<Candidate> {
    let named = ranked.into_iter().take(NAMED);
    named.map(|one| Candidate { code: one.code, per_mille: per_mille(one.share) }).collect()
}

pub(super) fn reason(kind: &str, zh: &str, en: &str) -> Reason {
    Reason { kind: kind.to_owned(), text: Text::new(zh, en) }
}

pub(super) fn quoted<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut said: Vec<String> = words.map(|word| format!("“{word}”")).collect();
    said.dedup();
    said.truncate(4);
    said.concat()
}

/// A share in thousandths.
#[must_use]
pub fn per_mille(share: f32) -> u16 {
    // Counted up rather than converted: a share is between 0 and 1, and there are a thousand steps.
    let steps = (0_u16..=1000).rev();
    let wanted = share * 1000.0 + 0.5;
    steps.into_iter().find(|step| f32::from(*step) <= wanted).unwrap_or(0)
}
