//! A new store is filled: who is who, who is on duty when, the calendar, the workflows.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::administration::check_code;
use super::calendar::{calendar_source, read_calendar};
use super::error::Error;
use super::granted;
use super::publishing::definition;
use super::sealing::{self, Deed};
use super::{Caller, Gate};
use crate::domain::spot::SpotAnswer;
use crate::domain::{Actor, Directory, JurisdictionId, Roster};
use crate::roster;
use crate::store::{DefinitionSource, Jurisdiction};

impl Gate {
    /// Takes a whole jurisdiction in: who is who, its calendar, its workflows. Used once for a new
    /// store; what is there already is replaced by code. Blocks.
    ///
    /// # Errors
    /// What is wrong with the calendar or a workflow; what the store says.
    pub fn found(
        &self,
        directory: &Directory,
        calendar: &str,
        workflows: &[String],
    ) -> Result<JurisdictionId, Error> {
        self.found_with_rosters((directory, &[]), calendar, workflows)
    }

    /// The same, with duty rosters. Blocks.
    ///
    /// # Errors
    /// As for [`Self::found`]; what is wrong with a roster.
    pub fn found_with_rosters(
        &self,
        (directory, rosters): (&Directory, &[Roster]),
        calendar: &str,
        workflows: &[String],
    ) -> Result<JurisdictionId, Error> {
        for roster in rosters {
            check_code(&roster.code)?;
            roster::check(roster, directory)?;
        }
        let days = read_calendar(calendar)?;
        let jurisdiction = Jurisdiction {
            id: directory.jurisdiction,
            code: directory.code.clone(),
            name: directory.name.clone(),
            zone: days.zone().iana_name().unwrap_or("UTC").to_owned(),
            calendar: days.code().to_owned(),
            bodies: directory.bodies.clone(),
            revision: 0,
            access_revision: 0,
        };
        let mut definitions = Vec::new();
        for source in workflows {
            definitions.push(definition(source, "system")?);
        }
        let files =
            definitions.iter().map(|new| (format!("definition:{}", new.workflow), &new.source));
        let mut digests: BTreeMap<String, Json> =
            files.map(|(subject, source)| (subject, sealing::digest(source))).collect();
        digests.insert(format!("calendar:{}", days.version()), sealing::digest(calendar));
        self.change(|transaction, now| {
            let id = transaction.put_jurisdiction(&jurisdiction)?;
            for unit in directory.units.values() {
                transaction.put_unit(id, unit)?;
            }
            let mut people = BTreeMap::new();
            for person in directory.people.values() {
                let id = transaction.put_person(id, person)?;
                people.insert(id.to_string(), granted::rights(person));
            }
            for category in directory.categories.values() {
                transaction.put_category(id, category)?;
            }
            for roster in rosters {
                transaction.put_roster(id, roster)?;
            }
            transaction.add_calendar(&calendar_source(id, &days, calendar, now))?;
            for definition in &definitions {
                let new =
                    DefinitionSource { jurisdiction: id, published_at: now, ..definition.clone() };
                transaction.add_definition(&new)?;
            }
            let caller = Caller { actor: Actor::System, jurisdiction: id };
            Deed::of(&caller, "founded", format!("jurisdiction:{}", directory.code))
                .with(json!({ "sha256": digests, "rights": people, "bodies": directory.bodies }))
                .write(transaction, now)?;
            Ok(id)
        })
    }

    /// Takes in what can be answered on the spot from the beginning, as the jurisdiction's file has it.
    /// Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn found_answers(
        &self,
        whose: JurisdictionId,
        answers: &[SpotAnswer],
    ) -> Result<(), Error> {
        self.change(|transaction, now| {
            for answer in answers {
                transaction.add_spot_answer(whose, answer, ("system", now))?;
            }
            Ok(())
        })
    }
}
