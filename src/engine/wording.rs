//! The words of an alert: a text of the workflow with its placeholders filled.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::input;
use crate::chart::expression::Type;
use crate::chart::{Chart, Field};
use crate::domain::{self, Facts, Instance, Instant, Language, Text, Tier, Value};

/// A clock that speaks.
#[derive(Debug, Clone, Copy)]
pub struct Speaker<'s> {
    /// Its name in the workflow.
    pub clock: &'s str,
    /// When it runs (or ran) out; the clock itself may be gone when it speaks.
    pub due: Option<Instant>,
}

/// Fills a text of the workflow. `number` is what people call the matter.
#[must_use]
pub fn fill(
    chart: &Chart,
    instance: &Instance,
    text: &str,
    speaker: Option<Speaker<'_>>,
    context: &Context<'_>,
) -> Text {
    let empty = Text::default();
    let words = chart.texts.get(text).unwrap_or(&empty);
    let filler = Filler { chart, instance, speaker, context };
    let said = |words: &str, chinese| domain::fill(words, |name| filler.value(name, chinese));
    Text { zh: said(&words.zh, true), en: said(&words.en, false) }
}

/// Everything that a text of the workflow could say, by placeholder: its fields, and what every
/// text may name. No personal data: they are no fields.
#[must_use]
pub fn placeholders(
    chart: &Chart,
    instance: &Instance,
    speaker: Option<Speaker<'_>>,
    context: &Context<'_>,
    language: Language,
) -> BTreeMap<String, String> {
    let filler = Filler { chart, instance, speaker, context };
    let common = ["number", "status", "stage", "due", "clock", "holder"];
    let names = chart.fields.keys().map(String::as_str).chain(common);
    names.map(|name| (name.to_owned(), filler.value(name, language == Language::Zh))).collect()
}

/// What wording needs besides the instance.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// What people call the matter.
    pub number: &'c str,
    /// The jurisdiction's zone.
    pub zone: &'c TimeZone,
    /// Names of units and categories.
    pub facts: &'c dyn Facts,
}

struct Filler<'f> {
    chart: &'f Chart,
    instance: &'f Instance,
    speaker: Option<Speaker<'f>>,
    context: &'f Context<'f>,
}

impl Filler<'_> {
    fn value(&self, name: &str, chinese: bool) -> String {
        let instance = self.instance;
        let due = self.speaker.and_then(|speaker| speaker.due);
        let spec = self.speaker.and_then(|speaker| self.chart.clocks.get(speaker.clock));
        match name {
            "number" => self.context.number.to_owned(),
            "status" => self.status(&instance.status, chinese),
            "stage" => self.status(&instance.stage, chinese),
            "holder" => instance.holder.as_deref().map_or_else(dash, |unit| self.unit(unit)),
            "due" => due.map_or_else(dash, |due| self.instant(due.0)),
            "clock" => spec.map_or_else(dash, |spec| {
                if chinese { spec.title.zh.clone() } else { spec.title.en.clone() }
            }),
            field => self.chart.fields.get(field).map_or_else(dash, |spec| {
                let value = instance.fields.get(field).cloned().unwrap_or_default();
                self.field(spec, &value, chinese)
            }),
        }
    }

    fn field(&self, spec: &Field, value: &Value, chinese: bool) -> String {
        match (&spec.ty, value) {
            (_, Value::Unset) => dash(),
            (Type::Unit, Value::Text(code)) => self.unit(code),
            (Type::Category, Value::Text(code)) => {
                self.name(&format!("category/{code}/name"), code)
            }
            (Type::Instant, Value::Int(millis)) => self.instant(*millis),
            (Type::Tier, Value::Int(rank)) => Tier::from_rank(*rank).map_or_else(dash, |tier| {
                let title = tier.title();
                if chinese { title.zh } else { title.en }
            }),
            (Type::Enum(_), Value::Text(code)) => {
                let title = spec.of.iter().find(|(known, _)| known == code).map(|(_, title)| title);
                let word = title.map(|title| if chinese { &title.zh } else { &title.en });
                word.unwrap_or(code).clone()
            }
            (ty, value) => match input::show(ty, value, self.context.zone) {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            },
        }
    }

    fn status(&self, code: &str, chinese: bool) -> String {
        let title = self.chart.statuses.get(code);
        let word = title.map(|title| if chinese { &title.zh } else { &title.en });
        word.map_or_else(|| code.to_owned(), Clone::clone)
    }

    fn unit(&self, code: &str) -> String {
        self.name(&format!("unit/{code}/name"), code)
    }

    fn name(&self, question: &str, code: &str) -> String {
        self.context.facts.ask(question).as_text().unwrap_or(code).to_owned()
    }

    fn instant(&self, millis: i64) -> String {
        let zoned = Instant(millis).timestamp().to_zoned(self.context.zone.clone());
        zoned.strftime("%m-%d %H:%M").to_string()
    }
}

fn dash() -> String {
    "—".to_owned()
}
