//! Values as they might be, for checks and previews.

use std::collections::BTreeMap;

use super::{About, Error, Item, Offer, Templates, TierWord, units};
use crate::chart::expression::Type;
use crate::chart::{Chart, Field};
use crate::domain::{Language, Text, Tier, fill};

/// An acknowledgement link is the public address, `/a/`, and so many characters.
pub const TOKEN_UNITS: usize = 23;

/// What the samples are made with.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// The jurisdiction's name.
    pub office: Text,
    /// Where links lead; empty: messages have none.
    pub public_url: String,
}

impl Templates {
    /// Sample values for one text of a workflow.
    ///
    /// # Errors
    /// When the file that words the text anew breaks with them.
    pub fn sample_of(
        &self,
        chart: &Chart,
        (name, text): (&str, &Text),
        language: Language,
        channel: &str,
        sample: &Sample,
    ) -> Result<About, Error> {
        let mut about = About::default_sample(language, sample);
        about.items.clear();
        about.workflow = chart.title.say(language).to_owned();
        about.fields = fields(chart, language);
        let value = |name: &str| about.fields.get(name).map_or("—", String::as_str);
        about.sentence = fill(text.say(language), value);
        let own = self.sentence(language, (&chart.workflow, name), channel, &about)?;
        if let Some(own) = own {
            about.sentence = own;
        }
        Ok(about)
    }
}

impl About {
    /// Values as they might be.
    #[must_use]
    pub fn default_sample(language: Language, sample: &Sample) -> Self {
        let zh = language == Language::Zh;
        let word = |zh_word: &str, en_word: &str| if zh { zh_word } else { en_word }.to_owned();
        let link = if sample.public_url.is_empty() {
            String::new()
        } else {
            format!("{}/a/{}", sample.public_url, "x".repeat(TOKEN_UNITS))
        };
        let tier = Tier::Larger.title().say(language).to_owned();
        let sentence =
            word("【提醒】00000017请于11-26 17:30前办结。", "00000017 is due 11-26 17:30.");
        let number = "00000017".to_owned();
        Self {
            office: sample.office.say(language).to_owned(),
            number: number.clone(),
            workflow: word("非紧急求助警情分流", "Non-emergency referral"),
            sentence: sentence.clone(),
            subject: word("事项00000017", "matter 00000017"),
            tier: TierWord { word: tier, rank: Tier::Larger.rank() },
            urgent: true,
            due: "11-26 17:30".to_owned(),
            name: word("李主任", "Li Wei"),
            link: link.clone(),
            offer: Some(Offer { title: word("接收", "accept"), digit: 2 }),
            sign_in: String::new(),
            reply: true,
            code: "123456".to_owned(),
            minutes: 10,
            items: vec![Item { number, sentence, link }],
            stage: "begins".to_owned(),
            whose: word("某县某局联络员", "the liaison"),
            roster: word("值班室24小时值班", "round-the-clock duty"),
            since: "11-26 08:30".to_owned(),
            until: "11-27 08:00".to_owned(),
            reason: word("外出培训", "training"),
            count: 3,
            overdue: 1,
            note: word("夜间无异常", "a quiet night"),
            gaps: vec![word("11-29 03:00 较大：第2步无人", "11-29 03:00 larger: step 2 is empty")],
            sent_at: "2026-11-24 03:17".to_owned(),
            fields: BTreeMap::new(),
        }
    }
}

/// Every placeholder of a workflow with a value of usual length.
fn fields(chart: &Chart, language: Language) -> BTreeMap<String, String> {
    let longest = |texts: &mut dyn Iterator<Item = &Text>| -> String {
        let words = texts.map(|text| text.say(language));
        words.max_by_key(|word| units(word)).unwrap_or_default().to_owned()
    };
    let status = longest(&mut chart.statuses.values());
    let clock = longest(&mut chart.clocks.values().map(|clock| &clock.title));
    let unit = if language == Language::Zh { "某县某局" } else { "Water Bureau" };
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, field) in &chart.fields {
        all.insert(name.clone(), value(field, language, unit));
    }
    for (name, value) in [
        ("number", "00000017"),
        ("due", "11-26 17:30"),
        ("holder", unit),
        ("status", status.as_str()),
        ("stage", status.as_str()),
        ("clock", clock.as_str()),
    ] {
        all.insert(name.to_owned(), value.to_owned());
    }
    all
}

fn value(field: &Field, language: Language, unit: &str) -> String {
    let zh = language == Language::Zh;
    let titles = field.of.iter().map(|(_, title)| title.say(language));
    match field.ty {
        Type::Unit => unit.to_owned(),
        Type::Category => "建筑工地夜间施工噪声".to_owned(),
        Type::Tier => Tier::Extraordinary.title().say(language).to_owned(),
        Type::Instant => "11-26 17:30".to_owned(),
        Type::Enum(_) => titles.max_by_key(|word| units(word)).unwrap_or_default().to_owned(),
        Type::Text if zh => "某某街道东大街".to_owned(),
        Type::Text => "12 Harbour Road".to_owned(),
        _ => "12".to_owned(),
    }
}
