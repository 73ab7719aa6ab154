//! What is known when a call is answered: the files, the catalogue in force, the house's own matters and its
//! precedents. Made in one place, for the service and for the command line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use super::lessons::{catalogued, lessons};
use super::registry::Registry;
use crate::domain::{Directory, Instant};
use crate::routing::knowledge::Matter;
use crate::routing::{Circumstances, Knowledge, LateAnswer, Precedent, Router, Suggestion, Traits};
use crate::store::{Reader, Store};

/// What stands beside a router when a call is answered.
#[derive(Debug, Clone)]
pub struct Adviser {
    /// Who is who, with the catalogue in force.
    pub directory: Arc<Directory>,
    /// Rulings to go by, the newest first.
    pub precedents: Arc<Vec<Precedent>>,
    /// How like a precedent a call must be, in thousandths.
    pub least: u16,
    /// The instant of the answer.
    pub now: Instant,
}

impl Adviser {
    /// What the router says of a text after the catalogue, the precedents and answers that came too late,
    /// and what the text is recognised by.
    #[must_use]
    pub fn advise(
        &self,
        router: &Router,
        text: &str,
        (call, late): (&Circumstances, &[LateAnswer]),
    ) -> (Suggestion, Traits) {
        router.hear(text, |said, traits| {
            said.heed(&self.directory, |category| router.usual(category), call);
            let here = (&*self.directory, self.directory.township_of(&call.place), self.now);
            said.follow(&self.precedents, traits, self.least, here);
            said.note_late(&self.directory, late);
            said.quote_law(&self.directory);
        })
    }
}

/// What a router is trained from at an instant: the files, with the categories and names of the directory and
/// with what the house's own matters teach.
///
/// # Errors
/// What the store says.
pub(super) fn learned(
    reader: &mut Reader,
    directory: &Directory,
    files: &Knowledge,
    now: Instant,
) -> Result<Knowledge, crate::store::Error> {
    let mut known = files.clone();
    if !known.categories.is_empty() {
        known.categories = catalogued(directory, &known.categories);
        quote_what_holds(directory, files, &mut known);
    }
    for example in &mut known.examples {
        name_heirs(directory, &mut example.units);
        name_heirs(directory, &mut example.co_units);
    }
    let names = directory.units.values().map(|unit| (unit.code.clone(), unit.name.clone()));
    known.names = names.collect();
    known.learn(lessons(reader, directory.jurisdiction, now)?);
    Ok(known)
}

/// The files' clauses are quoted as long as a category is for the unit that they speak of.
fn quote_what_holds(directory: &Directory, files: &Knowledge, known: &mut Knowledge) {
    let firsts = |of: &[Matter]| -> BTreeMap<String, String> {
        let first = |one: &Matter| Some((one.code.clone(), one.units.first()?.clone()));
        of.iter().filter_map(first).collect()
    };
    let (then, now) = (firsts(&files.categories), firsts(&known.categories));
    for (code, topic) in &mut known.lexicon.topics {
        let then = then.get(code).map(|unit| directory.heir(unit));
        if then != now.get(code).map(String::as_str) {
            topic.clause.clear();
        }
    }
}

/// Who has the work of units that were merged, each once.
fn name_heirs(directory: &Directory, units: &mut Vec<String>) {
    let mut heirs: Vec<String> = Vec::new();
    for unit in units.drain(..) {
        let heir = directory.heir(&unit).to_owned();
        if !heirs.contains(&heir) {
            heirs.push(heir);
        }
    }
    *units = heirs;
}

/// What the service knows of the first jurisdiction of a store at an instant; none where there is no
/// jurisdiction yet. `least` is how like a precedent a call must be. Reads only.
///
/// # Errors
/// What the store says, or what is stored and cannot be read any more.
pub fn known_of(
    store: &Store,
    files: &Knowledge,
    least: u16,
    now: Instant,
) -> Result<Option<(Knowledge, Adviser)>, Error> {
    let registry = Registry::load(store, now)?;
    let Some(owner) = registry.jurisdictions().first().copied() else { return Ok(None) };
    let directory = registry.directory(owner)?;
    let known = store.read(|reader| learned(reader, &directory, files, now))?;
    let precedents = registry.precedents(owner);
    Ok(Some((known, Adviser { directory, precedents, least, now })))
}
