//! What the catalogue says stands before what a model has learned: who handles a category now, which unit
//! has it in which township, and where the caller's answers lead.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::suggestion::{Candidate, NAMED, Reason, Suggestion, Verdict};
use crate::domain::category::Question;
use crate::domain::directory::CATCH_ALL;
use crate::domain::{Category, Directory, Text};

/// What is known of a call besides its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Where it is, as people write places.
    pub place: String,
    /// The category that the desk chose.
    pub category: Option<String>,
    /// What the caller answered, by the code of the question.
    pub answers: BTreeMap<String, bool>,
}

/// A question that the desk may put to the caller with one tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Of which category.
    pub category: String,
    /// Its code.
    pub code: String,
    /// The question.
    pub ask: Text,
}

/// An answer to a question that the catalogue asks no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateAnswer {
    /// The question, as it was asked last.
    pub question: Question,
    /// Whether the answer is yes.
    pub yes: bool,
}

impl LateAnswer {
    /// What stands with the call about it.
    #[must_use]
    pub fn note(&self) -> Text {
        let (Text { zh, en }, (yes_zh, yes_en)) = (&self.question.ask, said(self.yes));
        Text::new(
            format!("目录已不再询问“{zh}”，来电人所答“{yes_zh}”随登记保存，未据此分流"),
            format!(
                "`{en}` is asked no longer: the caller's {yes_en} is kept, and was not gone by"
            ),
        )
    }
}

fn said(yes: bool) -> (&'static str, &'static str) {
    if yes { ("是", "yes") } else { ("否", "no") }
}

/// An answer leads to a category that may ask in its turn; so often.
const ANSWERS_FOLLOWED: usize = 8;

impl Circumstances {
    /// Reads answers as they are typed or tapped: `fallen=yes, dark=no`; also 是 and 否.
    ///
    /// # Errors
    /// The part that is no answer.
    pub fn answers_of(text: &str) -> Result<BTreeMap<String, bool>, String> {
        let parts = text.split([',', '，', ';', '；', '、']).map(str::trim);
        let read = parts.filter(|part| !part.is_empty()).map(|part| {
            let (code, said) = part.split_once(['=', '＝']).ok_or_else(|| part.to_owned())?;
            let yes = match said.trim().to_lowercase().as_str() {
                "yes" | "true" | "是" => true,
                "no" | "false" | "否" => false,
                _ => return Err(part.to_owned()),
            };
            Ok((code.trim().to_owned(), yes))
        });
        read.collect()
    }
}

impl Suggestion {
    /// Goes by the catalogue in force, for a call of which this much is known. `usual` says which unit
    /// stood first in a category when the model was trained: where another one does now, that is
    /// followed until the model has learned it. What the police keep stays theirs.
    pub fn heed(
        &mut self,
        directory: &Directory,
        usual: impl Fn(&str) -> Option<String>,
        call: &Circumstances,
    ) {
        self.name_heirs(directory);
        let active = |code: &str| directory.categories.get(code).filter(|one| !one.retired);
        self.categories
            .retain(|one| active(&one.code).is_some() || directory.categories.is_empty());
        let chosen = call.category.as_deref().and_then(active);
        if let Some(category) = chosen {
            self.take(directory, category);
        }
        let answered = self.follow_answers(directory, call);
        self.name_kept(directory);
        let first = self.categories.first().and_then(|one| active(&one.code));
        let Some(category) = first else { return self.catch_all(directory) };
        let now = directory.takers(category).first().map(|unit| (*unit).to_owned());
        let then = usual(&category.code).map(|unit| directory.heir(&unit).to_owned());
        let changed = then.is_some_and(|then| now.as_ref() != Some(&then));
        if let Some(now) = now.filter(|_| chosen.is_some() || answered || changed) {
            let was_first = self.units.first().is_some_and(|unit| unit.code == now);
            self.lead(directory, &now, 0);
            if !was_first {
                let (of, unit) = (&category.name, name(directory, &now));
                self.say_first(
                    "catalogue",
                    format!("目录规定“{}”由{}承办", of.zh, unit.zh),
                    format!("by the catalogue, {} is for {}", of.en, unit.en),
                );
            }
        }
        let settled = chosen.is_some() || answered;
        self.heed_territory(directory, (category, settled), &call.place);
        let partners = || directory.partners(category).into_iter().map(str::to_owned).collect();
        self.police_first = category.police_first;
        self.joint_units = if category.police_first { partners() } else { Vec::new() };
        let open = category.questions.iter().filter(|one| !call.answers.contains_key(&one.code));
        let asked = open.map(|one| Asked {
            category: category.code.clone(),
            code: one.code.clone(),
            ask: one.ask.clone(),
        });
        self.questions = asked.collect();
        self.catch_all(directory);
    }

    /// Quotes the law of the first category, if it is suggested in the end to whom the catalogue gives it.
    pub fn quote_law(&mut self, directory: &Directory) {
        let first = self.categories.first().and_then(|one| directory.categories.get(&one.code));
        let Some((category, law)) = first.and_then(|one| Some((one, one.law.as_ref()?))) else {
            return;
        };
        let fit = match self.verdict {
            Verdict::Keep => category.police_kept,
            Verdict::Ask | Verdict::Divert => {
                let taker = directory.takers(category).first().copied();
                taker.is_some() && taker == self.units.first().map(|unit| unit.code.as_str())
            }
        };
        if fit {
            let (zh, en) = (format!("法律依据：{}", law.zh), format!("by law: {}", law.en));
            self.reasons.push(Reason { kind: "law".to_owned(), text: Text::new(zh, en) });
        }
    }

    /// Names in the place of units that were merged the one that goes on with their work. It has all their
    /// shares, and stands where they put it.
    fn name_heirs(&mut self, directory: &Directory) {
        let named = self.units.len();
        let mut units: Vec<Candidate> = Vec::new();
        for unit in self.units.drain(..) {
            let code = directory.heir(&unit.code).to_owned();
            match units.iter_mut().find(|known| known.code == code) {
                Some(known) => known.per_mille = (known.per_mille + unit.per_mille).min(1000),
                None => units.push(Candidate { code, ..unit }),
            }
        }
        self.units = units;
        if self.verdict == Verdict::Keep || self.units.len() == named {
            return;
        }
        self.units.sort_by_key(|unit| std::cmp::Reverse(unit.per_mille));
        self.seat_police(directory);
        let police = directory.bodies.get("police");
        let first = self.units.iter().find(|unit| Some(&unit.code) != police);
        self.confidence_per_mille = first.map_or(0, |unit| unit.per_mille);
    }

    /// Puts a category first, as the desk or the caller says; one that the police keep keeps the call.
    fn take(&mut self, directory: &Directory, category: &Category) {
        let known = self.categories.iter().position(|one| one.code == category.code);
        let known = known.map(|at| self.categories.remove(at).per_mille).unwrap_or_default();
        let first = self.categories.first().map_or(0, |one| one.per_mille);
        let candidate = Candidate { code: category.code.clone(), per_mille: known.max(first) };
        self.categories.insert(0, candidate);
        self.categories.truncate(NAMED);
        let police = directory.bodies.get("police").filter(|_| category.police_kept);
        if let Some(police) = police {
            self.verdict = Verdict::Keep;
            self.question = None;
            self.kept_per_mille = 1000;
            self.confidence_per_mille = 1000;
            self.units.retain(|unit| unit.code != *police);
            self.units.insert(0, Candidate { code: police.clone(), per_mille: 1000 });
            self.units.truncate(NAMED);
        }
    }

    /// The category of the police that the call would be recorded under: the first one, if the police keep
    /// it, else what the model said, as far as the catalogue still has it.
    fn name_kept(&mut self, directory: &Directory) {
        let kept = |code: &String| {
            let category = directory.categories.get(code);
            category.is_some_and(|one| one.police_kept && !one.retired)
        };
        let first = self.categories.first().map(|one| one.code.clone()).filter(kept);
        self.kept_category = first.or_else(|| self.kept_category.take().filter(kept));
    }

    /// Goes where the caller's answers lead; whether they led anywhere.
    fn follow_answers(&mut self, directory: &Directory, call: &Circumstances) -> bool {
        let mut led = false;
        for _ in 0..ANSWERS_FOLLOWED {
            let first = self.categories.first();
            let asking = first.and_then(|one| directory.categories.get(&one.code));
            let Some(asking) = asking else { break };
            let leads = asking.questions.iter().find_map(|question| {
                let yes = *call.answers.get(&question.code)?;
                let to = if yes { &question.yes } else { &question.no };
                let to = directory.categories.get(to.as_ref()?)?;
                (to.code != asking.code && !to.retired).then_some((question, yes, to))
            });
            let Some((question, yes, to)) = leads else { break };
            self.take(directory, to);
            led = true;
            let (zh, en) = said(yes);
            self.say_first(
                "answer",
                format!("来电人对“{}”答“{zh}”，属{}", question.ask.zh, to.name.zh),
                format!("the caller answered {en} to `{}`: {}", question.ask.en, to.name.en),
            );
        }
        led
    }

    /// Notes answers to questions that are asked no longer. They lead nowhere; but where one would have led to
    /// what the police keep, the dispatcher asks once more.
    pub fn note_late(&mut self, directory: &Directory, late: &[LateAnswer]) {
        for answer in late {
            let LateAnswer { question, yes } = answer;
            let to = if *yes { &question.yes } else { &question.no };
            let to = to.as_ref().and_then(|code| directory.categories.get(code));
            if to.is_some_and(|to| to.police_kept) && self.verdict == Verdict::Divert {
                let (ask, (zh, en)) = (&question.ask, said(*yes));
                self.verdict = Verdict::Ask;
                self.question = Some(Text::new(
                    format!("来电人对“{}”答“{zh}”：现在是否仍是这样，或有人遇险？", ask.zh),
                    format!(
                        "The caller answered {en} to `{}`: is it so now, or is anybody in danger?",
                        ask.en
                    ),
                ));
                self.seat_police(directory);
            }
            let note = answer.note();
            self.say_first("answer", note.zh, note.en);
        }
    }

    /// Where the catalogue says who has a category in the township of the place, that unit is suggested,
    /// or the sub-unit beside its parent: of a category that the desk or the caller has settled, else only
    /// where the first unit takes such matters, for then both are of one mind.
    fn heed_territory(
        &mut self,
        directory: &Directory,
        (category, settled): (&Category, bool),
        place: &str,
    ) {
        let township = directory.township_of(place);
        let unit = township.and_then(|township| category.territory.get(township));
        let Some((township, unit)) = township.zip(unit) else { return };
        let unit = directory.heir(unit);
        let Some(known) = directory.units.get(unit).filter(|unit| unit.active) else { return };
        if self.verdict == Verdict::Keep {
            return;
        }
        let first = self.units.first().map(|first| first.code.as_str());
        match known.parent.as_deref().map(|parent| directory.heir(parent)) {
            Some(parent) if first == Some(parent) => self.sub_unit = Some(unit.to_owned()),
            Some(_) => return,
            None => {
                let takes = |first| first == unit || directory.takers(category).contains(&first);
                if !settled && !first.is_some_and(takes) {
                    return;
                }
                self.lead(directory, unit, 0);
            }
        }
        let (place, unit) = (name(directory, township), name(directory, unit));
        self.say_first(
            "territory",
            format!("地点属{}，按目录由{}承办", place.zh, unit.zh),
            format!("the place is in {}: by the catalogue it is for {}", place.en, unit.en),
        );
    }

    /// Nobody is suggested who can be given nothing; where nobody else is left, the unit for everything
    /// else is. In doubt the police are seated anew.
    fn catch_all(&mut self, directory: &Directory) {
        let police = directory.bodies.get("police");
        self.units.retain(|unit| directory.is_fit(&unit.code) || Some(&unit.code) == police);
        let last = directory.bodies.get(CATCH_ALL).filter(|unit| directory.is_fit(unit));
        let nobody = self.units.iter().all(|unit| Some(&unit.code) == police);
        if let Some(last) = last.filter(|_| nobody && self.verdict != Verdict::Keep) {
            self.units.insert(0, Candidate { code: last.clone(), per_mille: 0 });
            self.confidence_per_mille = 0;
        }
        self.seat_police(directory);
    }

    /// In doubt the police stand third, whatever their share and whoever leads: the dispatcher sees both
    /// ways.
    fn seat_police(&mut self, directory: &Directory) {
        let police = directory.bodies.get("police").filter(|_| self.verdict == Verdict::Ask);
        let Some(police) = police else { return };
        self.units.retain(|unit| unit.code != *police);
        self.units.truncate(NAMED - 1);
        let (code, per_mille) = (police.clone(), self.kept_per_mille);
        self.units.insert(self.units.len().min(2), Candidate { code, per_mille });
    }

    /// Puts a unit first, at least as likely as the one that stood there; to the others what is left.
    /// What the police keep is led by nobody.
    pub(super) fn lead(&mut self, directory: &Directory, code: &str, at_least: u16) {
        if self.verdict == Verdict::Keep {
            return;
        }
        let police = directory.bodies.get("police");
        let first = self.units.iter().find(|unit| Some(&unit.code) != police);
        let first = first.map_or(0, |unit| unit.per_mille);
        let per_mille = first.max(at_least);
        self.units.retain(|unit| unit.code != code);
        for unit in &mut self.units {
            unit.per_mille = unit.per_mille.min(1000 - per_mille.min(1000));
        }
        self.units.insert(0, Candidate { code: code.to_owned(), per_mille });
        self.units.truncate(NAMED);
        self.seat_police(directory);
        self.confidence_per_mille = per_mille;
        self.sub_unit = None;
    }

    /// Says a reason before all others.
    pub(super) fn say_first(&mut self, kind: &str, zh: String, en: String) {
        self.reasons.insert(0, Reason { kind: kind.to_owned(), text: Text::new(zh, en) });
    }
}

/// What people call a unit.
fn name(directory: &Directory, code: &str) -> Text {
    directory.units.get(code).map_or_else(|| Text::new(code, code), |unit| unit.name.clone())
}
