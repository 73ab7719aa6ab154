//! The texts of messages: templates in files, filled in a sandbox.
//!
//! A template can reach nothing but the variables of [`About`]: no file, no time, no other message.
//! A name that is none of them is an error when the files are read, not a gap in a message at
//! night; what takes too many steps is broken off. Only `.html` is escaped.

mod about;
mod check;
mod sample;
mod shipped;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Template, UndefinedBehavior, Value, context};

use crate::domain::{Kind, Language};

pub use about::{About, Item, Offer, TierWord};
pub use check::{Checked, Warning};
pub use sample::{Sample, TOKEN_UNITS};

/// Steps that one template may take.
const FUEL: u64 = 50_000;

/// Templates that may stand inside each other.
const DEEPEST: usize = 16;

/// Channels that a template may be for.
pub const CHANNELS: [&str; 4] = ["sms", "email", "console", "webhook"];

/// What is written, besides what a [`Kind`] says: a summary of several alerts.
const BUNDLE: &str = "bundle";

/// An SMS of so many UTF-16 units leaves in one part.
pub const SMS_UNITS: usize = 70;

/// Each part of a longer one carries so many.
const PART_UNITS: usize = 67;

/// No SMS has more parts.
pub const SMS_PARTS: usize = 10;

/// A message as it is worded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The subject, on one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML, for channels that have it.
    pub html: Option<String>,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, below the folder of templates.
    pub file: String,
    /// The line, from 1, where one is at fault.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
    /// How to mend it.
    pub help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.what, self.help)
    }
}

/// Why a message could not be worded.
#[derive(Debug, thiserror::Error)]
#[error("the template `{file}`{}: {what}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, where one is at fault.
    pub line: Option<usize>,
    /// What is wrong.
    pub what: String,
}

/// Templates that were read and found sound by themselves.
#[derive(Debug, Clone)]
pub struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    /// The texts of the distribution.
    ///
    /// # Errors
    /// Every fault; a test shows that there is none.
    pub fn shipped() -> Result<Self, Vec<Fault>> {
        static READ: LazyLock<Result<Templates, Vec<Fault>>> =
            LazyLock::new(|| Templates::read(Templates::shipped_files()));
        READ.clone()
    }

    /// The files of the distribution, as [`Templates::read`] takes them.
    #[must_use]
    pub fn shipped_files() -> BTreeMap<String, String> {
        let files = shipped::FILES.iter();
        files.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    /// Reads the files of a folder: text by path, with `/`.
    ///
    /// # Errors
    /// Everything that is wrong with them by themselves: see [`Templates::check`] for the rest.
    pub fn read(sources: BTreeMap<String, String>) -> Result<Self, Vec<Fault>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEEPEST);
        environment.set_auto_escape_callback(|name| {
            if is_html(name) { AutoEscape::Html } else { AutoEscape::None }
        });
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        match syntax {
            Ok(syntax) => environment.set_syntax(syntax),
            Err(error) => return Err(vec![fault("", &error)]),
        }
        let mut faults = Vec::new();
        for (name, text) in sources {
            if let Err(error) = environment.add_template_owned(name.clone(), text) {
                faults.push(fault(&name, &error));
            }
        }
        let templates = Self { environment };
        faults.extend(templates.faults());
        faults.sort();
        faults.dedup();
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// Words a message of a kind for a channel. An alert about several matters (with
    /// [`About::items`]) is a `bundle`. An SMS that would need more than ten parts loses the end of
    /// its sentence.
    ///
    /// # Errors
    /// [`Error`] when a template is missing, or breaks with these values.
    pub fn write(
        &self,
        language: Language,
        kind: Kind,
        channel: &str,
        about: &About,
    ) -> Result<Written, Error> {
        let form = form(kind, about);
        let code = language.code();
        let subject = self.fill(&format!("{code}/{form}.subject.txt"), language, about)?;
        let own = format!("{code}/{form}.{channel}.txt");
        let common = format!("{code}/{form}.txt");
        let name = if self.environment.get_template(&own).is_ok() { own } else { common };
        let mut text = self.fill(&name, language, about)?;
        if channel == "sms" && parts(units(&text)) > SMS_PARTS {
            let excess = units(&text) - SMS_PARTS * PART_UNITS + 1;
            let left = units(&about.sentence).saturating_sub(excess);
            let about = About { sentence: cut(&about.sentence, left), ..about.clone() };
            text = cut(&self.fill(&name, language, &about)?, SMS_PARTS * PART_UNITS);
        }
        let text = text.trim_end().to_owned();
        let html = if kind == Kind::Alert {
            self.html(language, kind, channel, about)?
        } else {
            // As it is sent later: the worded text stands within the page.
            let about = About { sentence: text.clone(), ..about.clone() };
            self.html(language, kind, channel, &about)?
        };
        Ok(Written { subject: one_line(&subject), text, html })
    }

    /// The HTML of a message, where its channel has it: also for a text that was worded earlier and
    /// is given as the sentence.
    ///
    /// # Errors
    /// [`Error`] when the template breaks with these values.
    pub fn html(
        &self,
        language: Language,
        kind: Kind,
        channel: &str,
        about: &About,
    ) -> Result<Option<String>, Error> {
        let name = format!("{}/{}.{channel}.html", language.code(), form(kind, about));
        match self.environment.get_template(&name) {
            Ok(_) => self.fill(&name, language, about).map(Some),
            Err(_none) => Ok(None),
        }
    }

    /// The sentence of one text of one workflow, where a file words it anew for a channel. It
    /// stands inside the channel's template like any other sentence.
    ///
    /// # Errors
    /// [`Error`] when the template breaks with these values.
    pub fn sentence(
        &self,
        language: Language,
        (workflow, text): (&str, &str),
        channel: &str,
        about: &About,
    ) -> Result<Option<String>, Error> {
        let name = format!("{}/texts/{workflow}.{text}.{channel}.txt", language.code());
        match self.environment.get_template(&name) {
            Ok(_) => self.fill(&name, language, about).map(|text| Some(text.trim_end().to_owned())),
            Err(_none) => Ok(None),
        }
    }

    /// Whether a file words one text of one workflow anew for a channel.
    #[must_use]
    pub fn words_anew(
        &self,
        language: Language,
        (workflow, text): (&str, &str),
        channel: &str,
    ) -> bool {
        let name = format!("{}/texts/{workflow}.{text}.{channel}.txt", language.code());
        self.environment.get_template(&name).is_ok()
    }

    fn fill(&self, name: &str, language: Language, about: &About) -> Result<String, Error> {
        let template = self.environment.get_template(name).map_err(|error| said(name, &error))?;
        let values = context! { language => language.code(), ..Value::from(Serde(about)) };
        template.render(values).map_err(|error| said(name, &error))
    }

    fn files(&self) -> impl Iterator<Item = (&str, Template<'_, '_>)> {
        self.environment.templates()
    }
}

/// The word for what is written: the first part of a file's name.
fn form(kind: Kind, about: &About) -> &'static str {
    if kind == Kind::Alert && !about.items.is_empty() { BUNDLE } else { kind.code() }
}

fn is_html(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| end == "html")
}

/// The length of a text as an SMS counts it.
#[must_use]
pub fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// In how many parts an SMS of so many units leaves.
#[must_use]
pub fn parts(units: usize) -> usize {
    if units <= SMS_UNITS { 1 } else { units.div_ceil(PART_UNITS) }
}

/// At most so many units of a text, with a sign that more was said.
fn cut(text: &str, most: usize) -> String {
    if units(text) <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(1);
    let fits = text.chars().take_while(|c| {
        let wide = c.len_utf16();
        let fits = wide <= left;
        left = left.saturating_sub(wide);
        fits
    });
    fits.chain(['…']).collect()
}

/// Subjects have one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn said(name: &str, error: &minijinja::Error) -> Error {
    let file = error.name().unwrap_or(name).to_owned();
    Error { file, line: error.line(), what: in_words(error) }
}

fn fault(name: &str, error: &minijinja::Error) -> Fault {
    let Error { file, line, what } = said(name, error);
    let help = "mend the template there, or take the file of the distribution again".to_owned();
    Fault { file, line, what, help }
}

fn in_words(error: &minijinja::Error) -> String {
    match error.kind() {
        minijinja::ErrorKind::OutOfFuel => format!("it takes more than {FUEL} steps"),
        minijinja::ErrorKind::UndefinedError => {
            "it asks for something that a variable does not have".to_owned()
        }
        kind => error.detail().map_or_else(|| kind.to_string(), |more| format!("{kind}: {more}")),
    }
}

#[cfg(test)]
mod tests;
