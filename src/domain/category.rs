//! A kind of matter: who handles it, how fast, where, and what is asked about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// What a call can be (plan, part three): dispute, consultation and so on.
pub const KINDS: [(&str, &str); 6] = [
    ("dispute", "纠纷"),
    ("consultation", "咨询"),
    ("complaint", "投诉"),
    ("suggestion", "建议"),
    ("help", "求助"),
    ("report", "举报"),
];

/// A question that the desk puts to the caller, answered by yes or no.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its code, unique within the category.
    pub code: String,
    /// The question.
    pub ask: Text,
    /// The category that it is if the answer is yes; none: it stays what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yes: Option<String>,
    /// The same if the answer is no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no: Option<String>,
}

/// A kind of matter and who handles it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Category {
    /// Its code, e.g. `noise.construction-night`.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Units that may handle it, the usual one first.
    pub units: Vec<String>,
    /// `general`, `special`, `legal` or `major_complex`.
    pub matter_class: String,
    /// The statutory limit in working days for `legal`; 0 if no law is named.
    pub legal_days: i64,
    /// The law counts calendar days instead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub legal_calendar: bool,
    /// The law that fixes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<Text>,
    /// Stays with the police, never diverted (plan, three).
    pub police_kept: bool,
    /// Police may have to go first.
    pub police_first: bool,
    /// A livelihood matter (water, power, gas, municipal facilities) with a short time to accept.
    pub livelihood: bool,
    /// What a call about it usually is: one of [`KINDS`]; empty where that differs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Which unit or sub-unit has it in which township.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub territory: BTreeMap<String, String>,
    /// What the desk asks the caller, each answered with one tap.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Used no longer: matters that have it keep it, new ones do not get it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

impl Category {
    /// The statutory limit as people write it: `60个工作日`, `60日`; empty if there is none.
    #[must_use]
    pub fn legal_text(&self) -> String {
        match (self.legal_days, self.legal_calendar) {
            (0, _) => String::new(),
            (days, true) => format!("{days}日"),
            (days, false) => format!("{days}个工作日"),
        }
    }

    /// This one as it was drawn up from another, with what has become of that one meanwhile, part by part;
    /// whether both changed one part, and not alike: then it stays as it was drawn up.
    #[must_use]
    pub fn merged(&self, was: &Self, later: &Self) -> (Self, bool) {
        let mut odds = false;
        macro_rules! part {
            ($($name:ident),+) => {{
                let [was, own, later] = [was, self, later].map(|one| ($(&one.$name),+));
                odds |= own != was && later != was && own != later;
                if own == was { later } else { own }
            }};
        }
        // A number of days means nothing without how they are counted.
        let (legal_days, legal_calendar) = part!(legal_days, legal_calendar);
        let one = Self {
            code: self.code.clone(),
            name: part!(name).clone(),
            units: part!(units).clone(),
            matter_class: part!(matter_class).clone(),
            legal_days: *legal_days,
            legal_calendar: *legal_calendar,
            law: part!(law).clone(),
            police_kept: *part!(police_kept),
            police_first: *part!(police_first),
            livelihood: *part!(livelihood),
            kind: part!(kind).clone(),
            territory: part!(territory).clone(),
            questions: part!(questions).clone(),
            retired: *part!(retired),
        };
        (one, odds)
    }

    /// Its territories as people write them, `gecheng=chengguan-shizheng、…`.
    #[must_use]
    pub fn territory_text(&self) -> String {
        let pairs: Vec<String> =
            self.territory.iter().map(|(township, unit)| format!("{township}={unit}")).collect();
        pairs.join("、")
    }

    /// Its questions as people write them, one a line: `code|question|in English|yes|no`.
    #[must_use]
    pub fn questions_text(&self) -> String {
        let line = |one: &Question| {
            let category = |code: &Option<String>| code.clone().unwrap_or_default();
            let (yes, no) = (category(&one.yes), category(&one.no));
            [&one.code, &one.ask.zh, &one.ask.en, &yes, &no].map(String::as_str).join("|")
        };
        self.questions.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
