//! The catalogue of categories as a whole: its versions, what is wrong with one, and what one changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::category::{Category, Question};
use super::directory::Directory;
use super::instant::Instant;
use super::text::Text;

/// Categories by code.
pub type Categories = BTreeMap<String, Category>;

/// A version of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// 1 for the first.
    pub number: i64,
    /// Everything in it.
    pub categories: Categories,
    /// What it is for, in words.
    pub note: String,
    /// Who drafted it.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
    /// By whom, when and from when on, once it is published.
    pub published: Option<Published>,
    /// When it was withdrawn, before it came in force.
    pub withdrawn_at: Option<Instant>,
}

/// The publication of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// By whom.
    pub by: String,
    /// When.
    pub at: Instant,
    /// In force from this instant.
    pub effective_at: Instant,
}

/// Every question that a catalogue asks or asked, with its category, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Asked(Vec<(String, Question)>);

impl Asked {
    /// Of the categories as they were founded, and of published versions, the newest first.
    #[must_use]
    pub fn of(founded: &Categories, published: &[Catalogue]) -> Self {
        let versions = published.iter().rev().map(|version| &version.categories);
        let mut asked = Vec::new();
        for category in std::iter::once(founded).chain(versions).flat_map(Categories::values) {
            for question in &category.questions {
                let one = (category.code.clone(), question.clone());
                if !asked.contains(&one) {
                    asked.push(one);
                }
            }
        }
        Self(asked)
    }

    /// A question by its code, of one category or of any, as it was asked last.
    #[must_use]
    pub fn find(&self, (category, code): (Option<&str>, &str)) -> Option<&Question> {
        let meant = |(of, one): &&(String, Question)| {
            one.code == code && category.is_none_or(|category| category == of)
        };
        self.0.iter().rev().find(meant).map(|(_, question)| question)
    }
}

/// What one version changes of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The category.
    pub code: String,
    /// What is different, as officials read it.
    pub what: Text,
}

/// The version in force at an instant, of published ones: that with the latest effective instant, of
/// several the highest number.
#[must_use]
pub fn in_force<'c>(
    versions: impl IntoIterator<Item = &'c Catalogue>,
    now: Instant,
) -> Option<&'c Catalogue> {
    let begun = versions.into_iter().filter(|one| one.effective_at().is_some_and(|at| at <= now));
    begun.max_by_key(|version| (version.effective_at(), version.number))
}

/// Published versions that come in force after an instant, in the order in which they will.
#[must_use]
pub fn planned(versions: &[Catalogue], after: Instant) -> Vec<&Catalogue> {
    let mut found: Vec<&Catalogue> =
        versions.iter().filter(|one| one.effective_at().is_some_and(|at| at > after)).collect();
    found.sort_by_key(|version| (version.effective_at(), version.number));
    found
}

/// When the next version comes in force after an instant.
#[must_use]
pub fn next_turn(versions: &[Catalogue], now: Instant) -> Option<Instant> {
    planned(versions, now).first().and_then(|version| version.effective_at())
}

impl Catalogue {
    /// From when on it is in force; none for a draft, and for what was withdrawn before its day.
    #[must_use]
    pub fn effective_at(&self) -> Option<Instant> {
        let published = self.published.as_ref().filter(|_| self.withdrawn_at.is_none());
        published.map(|one| one.effective_at)
    }

    /// Whether it was published after a draft was made.
    #[must_use]
    pub fn is_newer_than(&self, draft: &Self) -> bool {
        let published = self.published.as_ref();
        published.is_some_and(|one| self.number > draft.number || one.at > draft.made_at)
    }
}

/// What was drawn up from `base`, with what has become of `base` meanwhile: category by category, and part
/// by part where both changed one. Where both changed the same part, and not alike, what was drawn up stays,
/// and the code of the category is answered with it.
#[must_use]
pub fn merged(
    base: &Categories,
    drawn: &Categories,
    meanwhile: &Categories,
) -> (Categories, Vec<String>) {
    let (mut all, mut at_odds) = (drawn.clone(), Vec::new());
    for (code, later) in meanwhile {
        let was = base.get(code);
        if was == Some(later) {
            continue;
        }
        let odds = match (was, drawn.get(code)) {
            (was, Some(own)) => {
                // What both added has nothing to go back to.
                let empty = Category::default();
                let (one, odds) = own.merged(was.unwrap_or(&empty), later);
                all.insert(code.clone(), one);
                odds
            }
            (None, None) => {
                all.insert(code.clone(), later.clone());
                false
            }
            // It was dropped, and changed meanwhile.
            (Some(_), None) => true,
        };
        if odds {
            at_odds.push(code.clone());
        }
    }
    (all, at_odds)
}

impl Directory {
    /// What is wrong with a whole catalogue that is to replace the one here: what is wrong with each
    /// category, those that nobody would take, and those that would be gone. A category that is used no longer is retired, not
    /// dropped: matters that have it are still to be read.
    #[must_use]
    pub fn faults_of_catalogue(&self, new: &Categories) -> Vec<Text> {
        let mut faults: Vec<Text> =
            new.values().flat_map(|category| self.faults_of_category(category, new)).collect();
        faults.extend(self.faults_of_landing(new.values()));
        for code in self.categories.keys().filter(|code| !new.contains_key(*code)) {
            faults.push(Text::new(
                format!("缺少现有类别“{code}”；不再使用的请停用（retired），不要删除"),
                format!("the category `{code}` is missing: retire what is used no longer, do not drop it"),
            ));
        }
        if !new.values().any(|category| !category.retired && !category.police_kept) {
            faults.push(Text::new("目录中没有可分流的类别", "no category can be diverted"));
        }
        faults
    }
}

/// What a catalogue changes of another, in order of code.
#[must_use]
pub fn differences(old: &Categories, new: &Categories) -> Vec<Difference> {
    let mut found = Vec::new();
    for (code, category) in new {
        let mut say = |zh: String, en: String| {
            found.push(Difference { code: code.clone(), what: Text::new(zh, en) });
        };
        let Some(was) = old.get(code) else {
            let (zh, en) = (&category.name.zh, &category.name.en);
            say(
                format!("新增“{zh}”，由{}承办", category.units.join("、")),
                format!("new: {en}, handled by {}", category.units.join(", ")),
            );
            continue;
        };
        for (zh, en, before, after) in columns(was, category) {
            if before != after {
                let shown = |value: &str| if value.is_empty() { "—" } else { value }.to_owned();
                let (before, after) = (shown(&before), shown(&after));
                say(format!("{zh}：{before} → {after}"), format!("{en}: {before} → {after}"));
            }
        }
    }
    for (code, category) in old.iter().filter(|(code, _)| !new.contains_key(*code)) {
        let what = Text::new(
            format!("删除“{}”", category.name.zh),
            format!("dropped: {}", category.name.en),
        );
        found.push(Difference { code: code.clone(), what });
    }
    found.sort_by(|one, other| one.code.cmp(&other.code));
    found
}

/// What a category is made of, as people read it: what it is called, before, after.
fn columns(was: &Category, is: &Category) -> Vec<(&'static str, &'static str, String, String)> {
    let flag = |value: bool| if value { "是 yes" } else { "否 no" }.to_owned();
    let law =
        |category: &Category| category.law.as_ref().map(|law| law.zh.clone()).unwrap_or_default();
    vec![
        ("名称", "name", was.name.to_string(), is.name.to_string()),
        ("承办单位", "units", was.units.join("、"), is.units.join("、")),
        ("事项分级", "class", was.matter_class.clone(), is.matter_class.clone()),
        ("法定时限", "statutory limit", was.legal_text(), is.legal_text()),
        ("法律依据", "law", law(was), law(is)),
        ("由公安处置", "kept by the police", flag(was.police_kept), flag(is.police_kept)),
        ("公安先期处警", "police first", flag(was.police_first), flag(is.police_first)),
        ("民生保障", "livelihood", flag(was.livelihood), flag(is.livelihood)),
        ("性质", "kind", was.kind.clone(), is.kind.clone()),
        ("属地", "territory", was.territory_text(), is.territory_text()),
        ("询问", "questions", was.questions_text(), is.questions_text()),
        ("停用", "retired", flag(was.retired), flag(is.retired)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(code: &str, units: &[&str]) -> (String, Category) {
        let units = units.iter().map(|unit| (*unit).to_owned()).collect();
        let name = Text::new(format!("类别{code}"), code);
        (code.to_owned(), Category { code: code.to_owned(), name, units, ..Category::default() })
    }

    #[test]
    fn what_a_version_changes_is_said_category_by_category() {
        let old: Categories = [category("a", &["x", "y"]), category("b", &["x"])].into();
        let new: Categories = [category("a", &["y", "x"]), category("c", &["z"])].into();
        let said: Vec<String> =
            differences(&old, &new).iter().map(|one| one.what.zh.clone()).collect();
        assert_eq!(said, ["承办单位：x、y → y、x", "删除“类别b”", "新增“类别c”，由z承办"]);
        assert!(differences(&old, &old).is_empty());
    }

    #[test]
    fn what_was_drawn_up_earlier_takes_in_what_changed_meanwhile_part_by_part() {
        let base: Categories = [category("a", &["x", "y"]), category("b", &["x"])].into();
        let mut drawn = base.clone();
        drawn.get_mut("a").unwrap().legal_days = 30;
        let mut meanwhile = base.clone();
        meanwhile.get_mut("a").unwrap().units.reverse();
        meanwhile.extend([category("c", &["z"])]);
        let (all, at_odds) = merged(&base, &drawn, &meanwhile);
        assert_eq!((all["a"].legal_days, all["a"].units[0].as_str()), (30, "y"));
        assert_eq!((all.len(), at_odds), (3, Vec::new()));
        assert_eq!(merged(&base, &all, &meanwhile), (all.clone(), Vec::new()), "nothing twice");
        // The same part, to another end: said, and what was drawn up stays.
        meanwhile.get_mut("a").unwrap().legal_days = 60;
        let (all, at_odds) = merged(&base, &drawn, &meanwhile);
        assert_eq!((all["a"].legal_days, at_odds), (30, vec!["a".to_owned()]));
    }

    #[test]
    fn the_version_in_force_is_the_last_that_has_begun() {
        let version = |number, effective| Catalogue {
            number,
            categories: Categories::new(),
            note: String::new(),
            made_by: "person:1".to_owned(),
            made_at: Instant(0),
            published: Some(Published {
                by: "person:2".to_owned(),
                at: Instant(0),
                effective_at: Instant(effective),
            }),
            withdrawn_at: None,
        };
        let draft = Catalogue { published: None, ..version(4, 0) };
        let gone = Catalogue { withdrawn_at: Some(Instant(0)), ..version(5, 15) };
        let all = [version(1, 10), version(2, 30), version(3, 20), draft, gone];
        let number = |now| in_force(&all, Instant(now)).map(|version| version.number);
        assert_eq!(
            [number(9), number(10), number(20), number(30)],
            [None, Some(1), Some(3), Some(2)]
        );
        assert_eq!(next_turn(&all, Instant(20)), Some(Instant(30)));
    }
}
