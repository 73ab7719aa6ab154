//! The folder of routing knowledge: vocabulary general to the language, and what one jurisdiction adds.

use std::fs;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::jurisdiction::Jurisdiction;
use crate::routing::knowledge::{Knowledge, Matter};

/// Whose matter a call is: what is suggested, and what is guarded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Routing {
    /// The folder of routing knowledge, counted from the folder of this file: `chinese` holds what is
    /// general to the language, a folder named as the jurisdiction its own vocabulary and examples.
    /// Empty: nothing is suggested and no text is guarded.
    pub folder: PathBuf,
    /// When a call is shown as a repeat of another one.
    pub repeats: Repeats,
}

/// When a call that is typed is shown as a repeat of a matter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Repeats {
    /// Matters that ended at most so many days ago are thought of besides the open ones.
    pub days: u16,
    /// How like the texts must be at the same place, in thousandths.
    pub same_place: u16,
    /// How like they must be in the same township, or when a place is not known.
    pub near: u16,
    /// How like a call must be to one that the office ruled, to go where that one went.
    pub precedent: u16,
    /// So many calls are compared, the newest.
    pub compared: u16,
    /// So many matters are shown.
    pub shown: u8,
    /// The country that callers' numbers are of, as it is dialled from abroad: `+86 138…`, `0086 138…` and
    /// `138…` are one number.
    pub country: u16,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            days: 14,
            same_place: 250,
            near: 450,
            precedent: 600,
            compared: 1000,
            shown: 5,
            country: 86,
        }
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self { folder: PathBuf::from("routing"), repeats: Repeats::default() }
    }
}

/// Why the knowledge cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder.
    #[error("{path}: {error}; name the folder of routing knowledge in `routing.folder`")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// What a file says.
    #[error("{place}: {error}")]
    Shape {
        /// Which file, and which line where there are lines.
        place: String,
        /// What is wrong.
        error: String,
    },
    /// Names that fit nothing in the jurisdiction.
    #[error("the routing knowledge does not fit the jurisdiction:\n  {}", .0.join("\n  "))]
    Sense(Vec<String>),
}

/// The folder within the routing folder that holds what is general to the language.
const LANGUAGE: &str = "chinese";

/// Reads the knowledge for a jurisdiction: `chinese/` and the folder of the jurisdiction's code.
///
/// # Errors
/// What cannot be read; every category or unit that the jurisdiction does not have.
pub fn load(folder: &Path, who: &Jurisdiction) -> Result<Knowledge, Error> {
    let general = folder.join(LANGUAGE);
    let own = folder.join(&who.code);
    let police = who.bodies.get("police").cloned().unwrap_or_default();
    let mut knowledge = Knowledge {
        concepts: yaml(&general.join("concepts.yaml"))?,
        frames: yaml(&general.join("frames.yaml"))?,
        guard: yaml(&general.join("guard.yaml"))?,
        lexicon: yaml(&own.join("lexicon.yaml"))?,
        tuning: yaml(&own.join("tuning.yaml"))?,
        police,
        ..Knowledge::default()
    };
    for category in &who.categories {
        knowledge.categories.push(Matter {
            code: category.code.clone(),
            units: category.units.clone(),
            kept: category.police_kept,
        });
    }
    knowledge.names = who.units.iter().map(|unit| (unit.code.clone(), unit.name.clone())).collect();
    let townships = who.units.iter().filter(|unit| unit.kind == "township");
    knowledge.places = townships.map(|unit| unit.name.zh.clone()).collect();
    for file in example_files(&own)? {
        read_examples(&file, &mut knowledge)?;
    }
    let faults = faults(&knowledge, who);
    if faults.is_empty() { Ok(knowledge) } else { Err(Error::Sense(faults)) }
}

fn faults(knowledge: &Knowledge, who: &Jurisdiction) -> Vec<String> {
    let is_category = |code: &str| who.categories.iter().any(|one| one.code == code);
    let is_unit = |code: &str| who.units.iter().any(|one| one.code == code);
    let mut faults = Vec::new();
    for code in knowledge.lexicon.topics.keys().filter(|code| !is_category(code)) {
        faults.push(format!("lexicon.yaml: there is no category `{code}`"));
    }
    for example in &knowledge.examples {
        let unknown = example.units.iter().chain(&example.co_units).find(|unit| !is_unit(unit));
        if let Some(unit) = unknown {
            faults.push(format!("the example `{}`: there is no unit `{unit}`", example.text));
        }
        if let Some(code) = example.category.as_deref().filter(|code| !is_category(code)) {
            faults.push(format!("the example `{}`: there is no category `{code}`", example.text));
        }
    }
    faults
}

/// The files of examples, in order of name.
fn example_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::File { path: folder.to_owned(), error };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_examples(file: &Path, knowledge: &mut Knowledge) -> Result<(), Error> {
    for (number, line) in (1..).zip(text(file)?.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let example = serde_json::from_str(line).map_err(|error| Error::Shape {
            place: format!("{}:{number}", file.display()),
            error: error.to_string(),
        })?;
        knowledge.examples.push(example);
    }
    Ok(())
}

fn yaml<T: DeserializeOwned>(file: &Path) -> Result<T, Error> {
    serde_saphyr::from_str(&text(file)?).map_err(|error| Error::Shape {
        place: file.display().to_string(),
        error: error.to_string(),
    })
}

fn text(file: &Path) -> Result<String, Error> {
    fs::read_to_string(file).map_err(|error| Error::File { path: file.to_owned(), error })
}
