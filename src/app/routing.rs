//! `fenliu routing …`: the router trained, judged and explained without a running service.

use std::fs;
use std::path::Path;

use super::workflow::Report;
use crate::config::jurisdiction::Jurisdiction;
use crate::config::knowledge;
use crate::config::settings::Settings;
use crate::routing::evaluate::{CallRecord, Prediction, Scores};
use crate::routing::{Knowledge, Router, Suggestion};

/// The knowledge of the settings' routing folder for the jurisdiction of the founding file.
///
/// # Errors
/// What cannot be read, or does not fit.
pub fn knowledge(settings: &Settings) -> Result<Knowledge, String> {
    let file = settings.beside(&settings.founding.jurisdiction);
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let source = fs::read_to_string(&file).map_err(|error| place(&error))?;
    let who = Jurisdiction::from_yaml(&source).map_err(|error| place(&error))?;
    let folder = settings.beside(&settings.routing.folder);
    knowledge::load(&folder, &who).map_err(|error| error.to_string())
}

/// Trains the router and says what it was trained from.
///
/// # Errors
/// What is wrong with the knowledge.
pub fn train(settings: &Settings) -> Result<Report, String> {
    let knowledge = knowledge(settings)?;
    let words: usize =
        knowledge.lexicon.topics.values().map(|one| one.words.split_whitespace().count()).sum();
    let signs: usize =
        knowledge.guard.signs.iter().map(|one| one.words.split_whitespace().count()).sum();
    let router = Router::train(&knowledge);
    Ok(Report::of(format!(
        "model {}: {} categories, {words} words of categories, {signs} signs of danger and crime, \
         {} examples; {} features\n",
        router.name(),
        knowledge.categories.len(),
        knowledge.examples.len(),
        router.size(),
    )))
}

/// Answers every record of a file, writes the answers to another, and scores them against the labels
/// where there are labels.
///
/// # Errors
/// What cannot be read or written, with the line.
pub fn evaluate(
    settings: &Settings,
    file: &Path,
    predictions: Option<&Path>,
) -> Result<Report, String> {
    let source =
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut records = Vec::new();
    for (number, line) in (1..).zip(source.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let record: CallRecord = serde_json::from_str(line)
            .map_err(|error| format!("{}:{number}: {error}", file.display()))?;
        records.push(record);
    }
    let router = Router::train(&knowledge(settings)?);
    let mut scores = Scores::default();
    let mut written = String::new();
    for record in &records {
        // Only the text is read; the labels are for the scores.
        let said = Prediction::of(&record.id, &router.suggest(&record.text));
        scores.count(record, &said);
        let line = serde_json::to_string(&said).map_err(|error| error.to_string())?;
        written.push_str(&line);
        written.push('\n');
    }
    if let Some(path) = predictions {
        fs::write(path, written).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(Report::of(format!("model {}\n{}", router.name(), scores.draw())))
}

/// Says what is suggested for a text, and why.
///
/// # Errors
/// What is wrong with the knowledge.
pub fn explain(settings: &Settings, text: &str) -> Result<Report, String> {
    let knowledge = knowledge(settings)?;
    let router = Router::train(&knowledge);
    Ok(Report::of(draw(&router.suggest(text))))
}

fn draw(said: &Suggestion) -> String {
    let list = |candidates: &[crate::routing::suggestion::Candidate]| {
        let shown: Vec<String> =
            candidates.iter().map(|one| format!("{} {}‰", one.code, one.per_mille)).collect();
        shown.join("  ")
    };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        text.push_str(&format!("{name}: {value}\n"));
    };
    line("verdict", said.verdict.as_str());
    line("police matter", &format!("{}‰", said.kept_per_mille));
    line("in danger now", if said.emergency { "yes" } else { "no" });
    line("units", &list(&said.units));
    line("categories", &list(&said.categories));
    line("confidence", &format!("{}‰", said.confidence_per_mille));
    if let Some(question) = &said.question {
        line("question", &question.to_string());
    }
    for reason in &said.reasons {
        line(&reason.kind, &reason.text.to_string());
    }
    line("model", &said.model);
    text
}
