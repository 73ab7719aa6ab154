//! The file of a jurisdiction: who is who, which categories there are, which calendar counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::domain::spot::SpotAnswer;
use crate::domain::{Category, Directory, JurisdictionId, Person, PersonId, Roster, Text, Unit};
use crate::roster;

/// A jurisdiction as its file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jurisdiction {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// The code of its calendar.
    pub calendar: String,
    /// Which unit plays which party.
    pub bodies: BTreeMap<String, String>,
    /// Units and sub-units.
    pub units: Vec<Unit>,
    /// People, named by their post.
    pub people: Vec<Person>,
    /// Kinds of matters.
    pub categories: Vec<Category>,
    /// What can be answered on the spot.
    #[serde(default)]
    pub answers: Vec<SpotAnswer>,
    /// Who is on duty when; people by name.
    #[serde(default)]
    pub rosters: Vec<Roster<String>>,
}

/// What is wrong with a jurisdiction file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not YAML, or has not the shape of a jurisdiction.
    #[error("the jurisdiction file cannot be read: {0}")]
    Shape(String),
    /// Names in it do not fit together.
    #[error("the jurisdiction file does not fit together:\n  {}", .0.join("\n  "))]
    Sense(Vec<String>),
}

impl Jurisdiction {
    /// Reads and checks a jurisdiction file.
    ///
    /// # Errors
    /// What is wrong with it: the first wrong shape with its place, or every name that does not
    /// fit.
    pub fn from_yaml(text: &str) -> Result<Self, Error> {
        let read: Self =
            serde_saphyr::from_str(text).map_err(|error| Error::Shape(error.to_string()))?;
        let faults = read.faults();
        if faults.is_empty() { Ok(read) } else { Err(Error::Sense(faults)) }
    }

    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut units = BTreeSet::new();
        for unit in &self.units {
            if !units.insert(unit.code.as_str()) {
                faults.push(format!("the unit `{}` is there twice", unit.code));
            }
        }
        for (party, unit) in &self.bodies {
            if !units.contains(unit.as_str()) {
                faults.push(format!(
                    "the body `{party}` names the unit `{unit}`, which is not listed"
                ));
            }
        }
        let directory = self.directory(JurisdictionId(0));
        let mut found: Vec<Text> = Vec::new();
        found.extend(self.units.iter().flat_map(|unit| directory.faults_of_unit(unit)));
        found.extend(self.people.iter().flat_map(|person| directory.faults_of_person(person)));
        found.extend(directory.faults_of_landing(self.categories.iter()));
        let mut codes = BTreeSet::new();
        let mut doubles = Vec::new();
        for category in &self.categories {
            found.extend(directory.faults_of_category(category, &directory.categories));
            if !codes.insert(category.code.as_str()) {
                doubles.push(format!("the category `{}` is there twice", category.code));
            }
        }
        faults.extend(found.into_iter().map(|text| text.to_string()));
        faults.extend(doubles);
        for answer in &self.answers {
            let (code, unit, category) = (&answer.code, &answer.unit, &answer.category);
            if !directory.units.contains_key(unit) || !directory.categories.contains_key(category) {
                faults.push(format!(
                    "the answer `{code}`: no unit `{unit}` or category `{category}`"
                ));
            }
        }
        let directory = self.directory(JurisdictionId(0));
        let mut codes = BTreeSet::new();
        for roster in &self.rosters {
            let code = roster.code.as_str();
            if code.is_empty() || !codes.insert(code) {
                faults.push(format!("the roster `{code}` needs a code of its own"));
            }
            match roster.with_people(&directory) {
                Ok(read) => {
                    let refused = roster::check(&read, &directory).err();
                    let reasons = refused.into_iter().flat_map(|refusal| refusal.reasons);
                    faults.extend(reasons.map(|reason| {
                        let place = reason.input.unwrap_or_default();
                        format!("the roster `{code}`, {place}: {}", reason.text.en)
                    }));
                }
                Err(fault) => faults.push(fault),
            }
        }
        faults
    }

    /// The rosters, with the ids that [`Self::directory`] gives to people.
    #[must_use]
    pub fn rosters(&self) -> Vec<Roster> {
        let directory = self.directory(JurisdictionId(0));
        // Names were checked when the file was read.
        self.rosters.iter().filter_map(|roster| roster.with_people(&directory).ok()).collect()
    }

    /// The directory that decisions ask. People without an id get the ids 1, 2, … in order.
    #[must_use]
    pub fn directory(&self, id: JurisdictionId) -> Directory {
        let numbered = (1_i64..).zip(&self.people).map(|(number, person)| {
            let id = if person.id == PersonId(0) { PersonId(number) } else { person.id };
            (id, Person { id, ..person.clone() })
        });
        let units = self.units.iter().map(|unit| (unit.code.clone(), unit.clone()));
        let categories = self.categories.iter().map(|kind| (kind.code.clone(), kind.clone()));
        Directory {
            jurisdiction: id,
            code: self.code.clone(),
            name: self.name.clone(),
            bodies: self.bodies.clone(),
            units: units.collect(),
            people: numbered.collect(),
            categories: categories.collect(),
        }
    }
}
