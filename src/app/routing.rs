//! `fenliu routing …`: the router trained, judged and explained without a running service.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::serve;
use super::workflow::Report;
use crate::clock::{Clock as _, SystemClock};
use crate::config::database::only_file;
use crate::config::jurisdiction::Jurisdiction;
use crate::config::knowledge;
use crate::config::settings::Settings;
use crate::domain::{Directory, JurisdictionId};
use crate::gate::{self, Adviser};
use crate::routing::evaluate::{CallRecord, Prediction, Scores, fold_of};
use crate::routing::{Circumstances, Example, Knowledge, Router, Suggestion};
use crate::store::{Options, Store};

/// What is wanted of the router on the command line.
#[derive(Debug, clap::Subcommand)]
pub enum Wish {
    /// Train the router as the service does, from the files and the matters of its database, and say
    /// from what. Reads only.
    Train {
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Answer every record of a file, and score the answers where the records are labelled.
    Evaluate {
        /// Call records, one JSON object a line: `id`, `text`, `place` and, for the scores, labels. May be
        /// left out with `--folds`.
        #[arg(required_unless_present = "folds")]
        file: Option<PathBuf>,
        /// Cross-validate: the labelled records of the file and the examples that the router is trained from
        /// are put into so many parts, and each part is judged by a router that was trained from the others.
        #[arg(long, value_parser = clap::value_parser!(u64).range(2..=50))]
        folds: Option<u64>,
        /// Write the answers here, one JSON object a line.
        #[arg(long)]
        predictions: Option<PathBuf>,
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Say what is suggested for a text, and why.
    Explain {
        /// What the caller said.
        text: String,
        /// Where it is.
        #[arg(long, default_value = "")]
        place: String,
        /// The settings file.
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Does what is wanted, with the settings of a file and of the environment.
///
/// # Errors
/// What is wrong with settings, knowledge or records.
pub fn run(
    wish: Wish,
    environment: impl Iterator<Item = (String, String)>,
) -> Result<Report, String> {
    let settings = |config| serve::settings(config, environment).map_err(|error| error.to_string());
    match wish {
        Wish::Train { config } => train(&settings(config)?),
        Wish::Evaluate { file, folds: Some(folds), predictions, config } => {
            cross_validate(&settings(config)?, file.as_deref(), folds, predictions.as_deref())
        }
        Wish::Evaluate { file, folds: None, predictions, config } => {
            let file = file.ok_or("name a file of records")?;
            evaluate(&settings(config)?, &file, predictions.as_deref())
        }
        Wish::Explain { text, place, config } => explain(&settings(config)?, &text, &place),
    }
}

/// The knowledge of the settings' routing folder for the jurisdiction of the founding file.
///
/// # Errors
/// What cannot be read, or does not fit.
pub fn knowledge(settings: &Settings) -> Result<Knowledge, String> {
    known(settings).map(|(_, knowledge)| knowledge)
}

/// The same, after who is who there.
///
/// # Errors
/// As for [`knowledge()`].
pub(super) fn known(settings: &Settings) -> Result<(Directory, Knowledge), String> {
    let file = only_file(&settings.beside(&settings.founding.jurisdiction))?;
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let source = fs::read_to_string(&file).map_err(|error| place(&error))?;
    let who = Jurisdiction::from_yaml(&source).map_err(|error| place(&error))?;
    let folder = settings.beside(&settings.routing.folder);
    let knowledge = knowledge::load(&folder, &who).map_err(|error| error.to_string())?;
    Ok((who.directory(JurisdictionId(0)), knowledge))
}

/// A trained router, and what stands beside it when a call is answered.
#[derive(Debug)]
pub struct House {
    /// What the router was trained from.
    pub knowledge: Knowledge,
    /// The router.
    pub router: Router,
    adviser: Adviser,
}

impl House {
    /// As the service has it: with the catalogue in force, the matters and the precedents of the database of
    /// these settings; while there is none, with the files alone.
    ///
    /// # Errors
    /// What is wrong with the knowledge, or with the database.
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let (directory, files) = known(settings)?;
        let (least, now) = (settings.routing.repeats.precedent, SystemClock::new().now());
        let found = stored(settings)?.map(|store| gate::known_of(&store, &files, least, now));
        let found = found.transpose().map_err(|error| error.to_string())?.flatten();
        let (knowledge, adviser) = found.unwrap_or_else(|| {
            let (directory, precedents) = (Arc::new(directory), Arc::default());
            (files, Adviser { directory, precedents, least, now })
        });
        Ok(Self { router: Router::train(&knowledge), knowledge, adviser })
    }

    /// What is suggested for a text.
    #[must_use]
    pub fn suggest(&self, text: &str, place: &str) -> Suggestion {
        suggest(&self.router, &self.adviser, text, place)
    }

    /// What is said to a record: text and place are read, the labels are for the scores.
    #[must_use]
    pub fn answer(&self, record: &CallRecord) -> Prediction {
        answer(&self.router, &self.adviser, record)
    }
}

/// The database of the settings, if there is one yet.
fn stored(settings: &Settings) -> Result<Option<Store>, String> {
    let file = settings.database.folder.join("fenliu.db");
    if settings.database.url.is_empty() && !file.exists() {
        return Ok(None);
    }
    let options = Options { read_only: true, ..super::house::options(settings) };
    let store = Store::open(&settings.database_url(), options);
    store.map(Some).map_err(|error| error.to_string())
}

/// Trains the router as the service does and says what it was trained from.
///
/// # Errors
/// What is wrong with the knowledge, or with the database.
pub fn train(settings: &Settings) -> Result<Report, String> {
    let House { knowledge, router, .. } = House::open(settings)?;
    let own = knowledge.examples.iter().filter(|example| example.own).count();
    let shipped = knowledge.examples.len() - own;
    let words: usize =
        knowledge.lexicon.topics.values().map(|one| one.words.split_whitespace().count()).sum();
    let signs: usize =
        knowledge.guard.signs.iter().map(|one| one.words.split_whitespace().count()).sum();
    Ok(Report::of(format!(
        "model {}: {} categories, {words} words of categories, {signs} signs of danger and crime, \
         {shipped} examples, {own} of its own matters; {} features\n",
        router.name(),
        knowledge.categories.len(),
        router.size(),
    )))
}

/// Answers every record of a file as the service does, writes the answers to another, and scores them
/// against the labels where there are labels.
///
/// # Errors
/// What cannot be read or written, with the line; what is wrong with the database.
pub fn evaluate(
    settings: &Settings,
    file: &Path,
    predictions: Option<&Path>,
) -> Result<Report, String> {
    let records = records_of(file)?;
    let house = House::open(settings)?;
    let (mut scores, mut written) = (Scores::default(), String::new());
    for record in &records {
        let said = house.answer(record);
        scores.count(record, &said);
        written.push_str(&line(&said)?);
    }
    write(predictions, &written)?;
    Ok(Report::of(format!("model {}\n{}", house.router.name(), scores.draw())))
}

/// Judges the labelled records of a file, and the examples of the training, each by a router that was
/// trained from the other folds of the files; records without labels are left out.
///
/// # Errors
/// As [`evaluate`]; that no record of the file is labelled.
pub fn cross_validate(
    settings: &Settings,
    file: Option<&Path>,
    folds: u64,
    predictions: Option<&Path>,
) -> Result<Report, String> {
    let mut given = file.map_or(Ok(Vec::new()), records_of)?;
    let all = given.len();
    given.retain(CallRecord::is_labelled);
    if let Some(file) = file.filter(|_| given.is_empty()) {
        return Err(format!(
            "{}: no record has the labels `units` and `divert`: there is nothing to judge by",
            file.display()
        ));
    }
    let (directory, knowledge) = known(settings)?;
    let adviser = Adviser {
        directory: Arc::new(directory),
        precedents: Arc::default(),
        least: settings.routing.repeats.precedent,
        now: SystemClock::new().now(),
    };
    let own = (1..).zip(&knowledge.examples);
    let own: Vec<CallRecord> =
        own.map(|(number, one)| CallRecord::of_example(format!("example {number}"), one)).collect();
    let learned: Vec<Example> =
        given.iter().chain(&own).filter_map(CallRecord::as_example).collect();
    let (mut of_given, mut of_own) = (Scores::default(), Scores::default());
    let mut written = String::new();
    for fold in 0..folds {
        let here = |text: &str| fold_of(text, folds) == fold;
        let others = learned.iter().filter(|example| !here(&example.text)).cloned().collect();
        let router = Router::train(&Knowledge { examples: others, ..knowledge.clone() });
        for record in given.iter().filter(|record| here(&record.text)) {
            let said = answer(&router, &adviser, record);
            of_given.count(record, &said);
            written.push_str(&line(&said)?);
        }
        for record in own.iter().filter(|record| here(&record.text)) {
            of_own.count(record, &answer(&router, &adviser, record));
        }
    }
    write(predictions, &written)?;
    let mut text = format!("{folds} folds\n");
    if file.is_some() {
        text.push_str(&format!(
            "\nof the file, {} of {all} labelled\n{}",
            given.len(),
            of_given.draw()
        ));
    }
    text.push_str(&format!("\nof the examples of the training\n{}", of_own.draw()));
    Ok(Report::of(text))
}

fn records_of(file: &Path) -> Result<Vec<CallRecord>, String> {
    let source =
        fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = (1..).zip(source.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (usize, &str)| {
        let record = serde_json::from_str(line);
        record.map_err(|error| format!("{}:{number}: {error}", file.display()))
    };
    lines.map(read).collect()
}

fn answer(router: &Router, adviser: &Adviser, record: &CallRecord) -> Prediction {
    let place = record.place.as_deref().unwrap_or_default();
    Prediction::of(&record.id, &suggest(router, adviser, &record.text, place))
}

fn suggest(router: &Router, adviser: &Adviser, text: &str, place: &str) -> Suggestion {
    let call = Circumstances { place: place.to_owned(), ..Circumstances::default() };
    adviser.advise(router, text, (&call, &[])).0
}

fn line(said: &Prediction) -> Result<String, String> {
    let line = serde_json::to_string(said).map_err(|error| error.to_string())?;
    Ok(line + "\n")
}

fn write(predictions: Option<&Path>, written: &str) -> Result<(), String> {
    let Some(path) = predictions else { return Ok(()) };
    fs::write(path, written).map_err(|error| format!("{}: {error}", path.display()))
}

/// Says what the service suggests for a text, and why.
///
/// # Errors
/// What is wrong with the knowledge, or with the database.
pub fn explain(settings: &Settings, text: &str, place: &str) -> Result<Report, String> {
    Ok(Report::of(draw(&House::open(settings)?.suggest(text, place))))
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
    if let Some(sub_unit) = &said.sub_unit {
        line("sub-unit", sub_unit);
    }
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
