//! Everything that can be wrong with the texts is found before the first message: each file by
//! itself when it is read, and then every text of every workflow in every channel and language.

use std::collections::BTreeSet;

use super::about::{KNOWN, LATER, PRIVATE};
use super::{
    About, BUNDLE, CHANNELS, Error, Fault, SMS_PARTS, SMS_UNITS, Sample, Templates, is_html, parts,
    units,
};
use crate::chart::Chart;
use crate::domain::{Kind, Language};

/// What a check has found.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// What is wrong: the house is not opened with these texts.
    pub faults: Vec<Fault>,
    /// Files that word a text which none of the workflows has: also wrong, if these are all.
    pub strays: Vec<Fault>,
    /// What is worth knowing.
    pub warnings: Vec<Warning>,
}

/// An SMS that needs more than one part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The workflow.
    pub workflow: String,
    /// Its text.
    pub text: String,
    /// The language.
    pub language: Language,
    /// How long it is, in UTF-16 units.
    pub units: usize,
    /// In how many parts it leaves.
    pub parts: usize,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { workflow, text, language, units, parts } = self;
        let language = language.code();
        write!(
            f,
            "{workflow}: the text `{text}` ({language}) is an SMS of about {units} units, which leaves \
             in {parts} parts; one part has {SMS_UNITS}: a file \
             `{language}/texts/{workflow}.{text}.sms.txt` may word it shorter"
        )
    }
}

/// What is written, each by its word.
fn forms() -> impl Iterator<Item = &'static str> {
    let kinds = Kind::ALL.iter().filter(|kind| **kind != Kind::Change);
    kinds.map(|kind| kind.code()).chain([BUNDLE])
}

/// Parts of a file's name.
enum Role<'n> {
    /// Used by others.
    Layout,
    /// A subject.
    Subject,
    /// A text or HTML.
    Body,
    /// The sentence of one text.
    Sentence { workflow: &'n str, text: &'n str },
}

impl Checked {
    /// Everything that is wrong, if all workflows were given.
    pub fn all_faults(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().chain(&self.strays)
    }
}

impl Templates {
    /// What is wrong with the files by themselves.
    pub(super) fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (name, template) in self.files() {
            let role = match role(name) {
                Ok(role) => role,
                Err(fault) => {
                    faults.push(fault);
                    continue;
                }
            };
            let hidden: &[&str] = match role {
                Role::Subject => &PRIVATE,
                Role::Sentence { .. } => &LATER,
                Role::Layout | Role::Body => &[],
            };
            let known: BTreeSet<&str> =
                KNOWN.into_iter().filter(|name| !hidden.contains(name)).collect();
            let asked: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
            for variable in asked {
                let of_fields = variable.split('.').next() == Some("fields");
                let sentence = matches!(role, Role::Sentence { .. });
                if known.contains(variable.as_str()) || (of_fields && sentence) {
                    continue;
                }
                let list = known.iter().copied().collect::<Vec<_>>().join(", ");
                let more =
                    if sentence { ", and `fields.` with a field of the workflow" } else { "" };
                faults.push(Fault {
                    file: name.to_owned(),
                    line: line_of(template.source(), &variable),
                    what: format!("there is no variable `{variable}` here"),
                    help: format!("the variables are: {list}{more}"),
                });
            }
        }
        let names: BTreeSet<&str> = self.files().map(|(name, _)| name).collect();
        for language in Language::ALL {
            for form in forms() {
                for end in ["subject.txt", "txt"] {
                    let name = format!("{}/{form}.{end}", language.code());
                    if !names.contains(name.as_str()) {
                        faults.push(missing(name));
                    }
                }
            }
        }
        // What breaks with sample values is only worth saying where nothing else is.
        if faults.is_empty() {
            self.try_all(&About::default_sample(Language::Zh, &Sample::default()), &mut faults);
        }
        faults
    }

    /// Words every text of every workflow, in every channel and language, with sample values.
    pub fn check<'c>(
        &self,
        charts: impl IntoIterator<Item = &'c Chart>,
        sample: &Sample,
    ) -> Checked {
        let mut faults = Vec::new();
        let mut warnings = BTreeSet::new();
        let mut worded: BTreeSet<String> = BTreeSet::new();
        for chart in charts {
            for (name, text) in &chart.texts {
                for language in Language::ALL {
                    for channel in CHANNELS {
                        let path = format!("{}.{name}.{channel}.txt", chart.workflow);
                        worded.insert(format!("{}/texts/{path}", language.code()));
                        let about = self.sample_of(chart, (name, text), language, channel, sample);
                        let written = about
                            .and_then(|about| self.write(language, Kind::Alert, channel, &about));
                        match written {
                            Ok(written) if channel == "sms" && units(&written.text) > SMS_UNITS => {
                                let units = units(&written.text);
                                warnings.insert(Warning {
                                    workflow: chart.workflow.clone(),
                                    text: name.clone(),
                                    language,
                                    units,
                                    parts: parts(units).min(SMS_PARTS),
                                });
                            }
                            Ok(_) => {}
                            Err(error) => faults.push(broken(error)),
                        }
                    }
                }
            }
        }
        let mut strays = Vec::new();
        for (name, _) in self.files() {
            if let Ok(Role::Sentence { workflow, text }) = role(name)
                && !worded.contains(name)
            {
                strays.push(Fault {
                    file: name.to_owned(),
                    line: None,
                    what: format!("no workflow `{workflow}` has a text `{text}`"),
                    help: "rename the file after a text that there is, or take it away".to_owned(),
                });
            }
        }
        faults.sort();
        faults.dedup();
        Checked { faults, strays, warnings: warnings.into_iter().collect() }
    }

    fn try_all(&self, about: &About, faults: &mut Vec<Fault>) {
        for language in Language::ALL {
            for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Change) {
                for channel in CHANNELS {
                    let mut several = vec![about.clone()];
                    several.push(About { items: Vec::new(), ..about.clone() });
                    several.push(About { offer: None, link: String::new(), ..about.clone() });
                    let title = about.offer.clone().unwrap_or_default().title;
                    several.push(About { offer: None, sign_in: title, ..about.clone() });
                    for stage in ["begins", "lasts", "ends"] {
                        several.push(About { stage: stage.to_owned(), ..about.clone() });
                    }
                    for about in several {
                        if let Err(error) = self.write(language, *kind, channel, &about) {
                            faults.push(broken(error));
                        }
                    }
                }
            }
        }
    }
}

fn role(name: &str) -> Result<Role<'_>, Fault> {
    let wrong =
        |what: String, help: String| Err(Fault { file: name.to_owned(), line: None, what, help });
    let mut path = name.split('/');
    let (first, second, third) = (path.next().unwrap_or_default(), path.next(), path.next());
    let parts: Vec<&str> = name.rsplit('/').next().unwrap_or(name).split('.').collect();
    if first.starts_with("layout") && second.is_none() {
        return Ok(Role::Layout);
    }
    let language = Language::ALL.iter().any(|language| language.code() == first);
    let channel = |name: &&str| CHANNELS.contains(name);
    match (language, second, third, parts.as_slice()) {
        (true, Some("texts"), Some(_), [workflow, text, way, "txt"]) if channel(way) => {
            Ok(Role::Sentence { workflow, text })
        }
        (true, Some("texts"), ..) => wrong(
            "this is no name for the wording of one text".to_owned(),
            format!(
                "it is `<workflow>.<text>.<channel>.txt`; channels are: {}",
                CHANNELS.join(", ")
            ),
        ),
        (true, Some(_), None, [form, rest @ ..]) if forms().any(|known| known == *form) => {
            match rest {
                ["subject", "txt"] => Ok(Role::Subject),
                ["txt"] => Ok(Role::Body),
                [way, "txt" | "html"] if channel(way) => Ok(Role::Body),
                _ => wrong(
                    format!("this is no name for a text of kind `{form}`"),
                    format!(
                        "it is `{form}.txt`, `{form}.subject.txt`, `{form}.<channel>.txt` or \
                         `{form}.<channel>.html`; channels are: {}",
                        CHANNELS.join(", ")
                    ),
                ),
            }
        }
        (true, Some(_), None, [form, ..]) => wrong(
            format!("no message is of the kind `{form}`"),
            format!("kinds are: {}", forms().collect::<Vec<_>>().join(", ")),
        ),
        _ => wrong(
            "nothing asks for a file of this name".to_owned(),
            "files are `zh/…`, `en/…`, and `layout….html` for others to extend".to_owned(),
        ),
    }
}

fn missing(file: String) -> Fault {
    let what = "it is missing".to_owned();
    Fault { file, line: None, what, help: "take the one of the distribution".to_owned() }
}

fn broken(error: Error) -> Fault {
    let Error { file, line, what } = error;
    let html = if is_html(&file) { " (HTML)" } else { "" };
    let help = format!("mend the template{html} there, or take the one of the distribution");
    Fault { file, line, what, help }
}

/// The line where a variable is first named.
fn line_of(source: &str, variable: &str) -> Option<usize> {
    let first = variable.split('.').next().unwrap_or(variable);
    let whole = source.lines().position(|line| line.contains(variable));
    let line = whole.or_else(|| source.lines().position(|line| line.contains(first)));
    line.map(|line| line + 1)
}
