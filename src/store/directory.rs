//! Who is who: jurisdictions with their units, people and categories. Every change raises the
//! jurisdiction's revision in the same transaction, so that each node notices and loads again.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::connection::{Connection, each};
use super::error::Error;
use super::pool::Reader;
use super::schema::{category, jurisdiction, person, unit};
use super::writer::Transaction;
use crate::domain::{
    Category, Directory, Grant, JurisdictionId, Person, PersonId, Term, Text, Unit,
};

/// A county, city or province as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jurisdiction {
    /// Its id.
    pub id: JurisdictionId,
    /// Its code, unique in the store.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Its IANA time zone.
    pub zone: String,
    /// The code of its calendar.
    pub calendar: String,
    /// Which unit plays which party.
    pub bodies: BTreeMap<String, String>,
    /// Grows with every change of the jurisdiction, its directory, definitions or calendars. Given
    /// by the store; ignored when writing.
    pub revision: i64,
    /// Grows with every session that is ended. Given by the store; ignored when writing.
    pub access_revision: i64,
}

type JurisdictionRow = (i64, String, String, String, String, String, String, i64, i64);
type UnitRow = (i64, String, String, String, String, Option<String>, bool, Option<String>);
type PersonRow = (i64, i64, String, Option<String>, Option<String>, String, bool, String, String);

fn read_jurisdiction(row: JurisdictionRow) -> Result<Jurisdiction, Error> {
    let (id, code, zh, en, zone, calendar, bodies, revision, access_revision) = row;
    let bodies = serde_json::from_str(&bodies)
        .map_err(|cause| Error::corrupt(format!("the bodies of jurisdiction {code}"), cause))?;
    Ok(Jurisdiction {
        id: JurisdictionId(id),
        code,
        name: Text { zh, en },
        zone,
        calendar,
        bodies,
        revision,
        access_revision,
    })
}

fn read_unit(row: UnitRow) -> (String, Unit) {
    let (_, code, zh, en, kind, parent, active, successor) = row;
    (code.clone(), Unit { code, name: Text { zh, en }, kind, parent, active, successor })
}

fn read_person(row: PersonRow) -> Result<(PersonId, Person), Error> {
    let (id, _, name, email, phone, grants, active, rules, verified) = row;
    let corrupt = |what: &str, cause| Error::corrupt(format!("the {what} of person {id}"), cause);
    let terms: Vec<Term> =
        serde_json::from_str(&grants).map_err(|cause| corrupt("grants", cause))?;
    let (terms, lasting) = terms
        .into_iter()
        .partition::<Vec<_>, _>(|term| term.from.is_some() || term.until.is_some());
    let grants = lasting.iter().map(Term::grant).collect();
    let rules = serde_json::from_str(&rules).map_err(|cause| corrupt("rules", cause))?;
    let verified = serde_json::from_str(&verified).map_err(|cause| corrupt("proofs", cause))?;
    let id = PersonId(id);
    Ok((id, Person { id, name, email, phone, grants, terms, active, rules, verified }))
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|cause| Error::Refused(cause.to_string()))
}

impl Reader {
    /// All jurisdictions, in order of id.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn jurisdictions(&mut self) -> Result<Vec<Jurisdiction>, Error> {
        let rows: Vec<JurisdictionRow> = each!(&mut self.connection, connection => {
            jurisdiction::table.order(jurisdiction::id).load(connection)
        })?;
        rows.into_iter().map(read_jurisdiction).collect()
    }

    /// The revision of a jurisdiction; none when there is no such jurisdiction.
    ///
    /// # Errors
    /// As for any statement.
    pub fn revision(&mut self, id: JurisdictionId) -> Result<Option<i64>, Error> {
        let revision = each!(&mut self.connection, connection => {
            jurisdiction::table
                .find(id.0)
                .select(jurisdiction::revision)
                .first(connection)
                .optional()
        })?;
        Ok(revision)
    }

    /// Everything about who is who in one jurisdiction, people and units no longer active included;
    /// none when there is no such jurisdiction.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn directory(&mut self, id: JurisdictionId) -> Result<Option<Directory>, Error> {
        let row: Option<JurisdictionRow> = each!(&mut self.connection, connection => {
            jurisdiction::table.find(id.0).first(connection).optional()
        })?;
        let Some(row) = row else { return Ok(None) };
        let jurisdiction = read_jurisdiction(row)?;
        let units: Vec<UnitRow> = each!(&mut self.connection, connection => {
            unit::table.filter(unit::jurisdiction_id.eq(id.0)).load(connection)
        })?;
        let people: Vec<PersonRow> = each!(&mut self.connection, connection => {
            person::table.filter(person::jurisdiction_id.eq(id.0)).load(connection)
        })?;
        let categories: Vec<(String, String)> = each!(&mut self.connection, connection => {
            category::table
                .filter(category::jurisdiction_id.eq(id.0))
                .select((category::code, category::body))
                .load(connection)
        })?;
        let categories = categories.into_iter().map(|(code, body)| {
            let category: Category = serde_json::from_str(&body)
                .map_err(|cause| Error::corrupt(format!("category `{code}`"), cause))?;
            Ok((code, category))
        });
        Ok(Some(Directory {
            jurisdiction: jurisdiction.id,
            code: jurisdiction.code,
            name: jurisdiction.name,
            bodies: jurisdiction.bodies,
            units: units.into_iter().map(read_unit).collect(),
            people: people.into_iter().map(read_person).collect::<Result<_, _>>()?,
            categories: categories.collect::<Result<_, Error>>()?,
        }))
    }
}

impl Transaction<'_> {
    /// Adds or replaces a jurisdiction; an id of 0 means that the store gives one (by code: a known
    /// code keeps its id). Answers the id.
    ///
    /// # Errors
    /// [`Error::Conflict`] when another jurisdiction has the code; otherwise as for any statement.
    pub fn put_jurisdiction(&mut self, new: &Jurisdiction) -> Result<JurisdictionId, Error> {
        let known: Option<i64> = each!(&mut self.connection, connection => {
            jurisdiction::table
                .filter(jurisdiction::code.eq(&new.code))
                .select(jurisdiction::id)
                .first(connection)
                .optional()
        })?;
        let id = match (new.id.0, known) {
            (0, Some(known)) => known,
            (given, _) => self.id_for("jurisdiction", given)?,
        };
        let bodies = json(&new.bodies)?;
        let values = (
            jurisdiction::code.eq(&new.code),
            jurisdiction::name_zh.eq(&new.name.zh),
            jurisdiction::name_en.eq(&new.name.en),
            jurisdiction::zone.eq(&new.zone),
            jurisdiction::calendar.eq(&new.calendar),
            jurisdiction::bodies.eq(&bodies),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(jurisdiction::table)
                .values((
                    jurisdiction::id.eq(id),
                    jurisdiction::revision.eq(0),
                    jurisdiction::access_revision.eq(0),
                    values,
                ))
                .on_conflict(jurisdiction::id)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        self.raise_revision(JurisdictionId(id))?;
        Ok(JurisdictionId(id))
    }

    /// Adds or replaces a unit, by its code.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn put_unit(&mut self, owner: JurisdictionId, new: &Unit) -> Result<(), Error> {
        let values = (
            unit::name_zh.eq(&new.name.zh),
            unit::name_en.eq(&new.name.en),
            unit::kind.eq(&new.kind),
            unit::parent.eq(&new.parent),
            unit::active.eq(new.active),
            unit::successor.eq(&new.successor),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(unit::table)
                .values((unit::jurisdiction_id.eq(owner.0), unit::code.eq(&new.code), values))
                .on_conflict((unit::jurisdiction_id, unit::code))
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        self.raise_revision(owner)
    }

    /// Adds or replaces a person; an id of 0 means that the store gives one. Answers the id.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction, or the id is a person of another one;
    /// otherwise as for any statement.
    pub fn put_person(&mut self, owner: JurisdictionId, new: &Person) -> Result<PersonId, Error> {
        let id = self.id_for("person", new.id.0)?;
        let lasting = new.lasting().into_iter();
        let lasting =
            lasting.map(|Grant { role, unit }| Term { role, unit, from: None, until: None });
        let grants = json(&lasting.chain(new.terms.iter().cloned()).collect::<Vec<Term>>())?;
        let (rules, verified) = (json(&new.rules)?, json(&new.verified)?);
        let values = (
            person::name.eq(&new.name),
            person::email.eq(&new.email),
            person::phone.eq(&new.phone),
            person::grants.eq(&grants),
            person::active.eq(new.active),
            person::rules.eq(&rules),
            person::verified.eq(&verified),
        );
        let lives_in: Option<i64> = each!(&mut self.connection, connection => {
            person::table.find(id).select(person::jurisdiction_id).first(connection).optional()
        })?;
        if lives_in.is_some_and(|other| other != owner.0) {
            return Err(Error::Refused(format!("person {id} belongs to another jurisdiction")));
        }
        each!(&mut self.connection, connection => {
            diesel::insert_into(person::table)
                .values((person::id.eq(id), person::jurisdiction_id.eq(owner.0), values))
                .on_conflict(person::id)
                .do_update()
                .set(values)
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(PersonId(id))
    }

    /// Adds or replaces a category, by its code.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn put_category(&mut self, owner: JurisdictionId, new: &Category) -> Result<(), Error> {
        let body = json(new)?;
        each!(&mut self.connection, connection => {
            diesel::insert_into(category::table)
                .values((
                    category::jurisdiction_id.eq(owner.0),
                    category::code.eq(&new.code),
                    category::body.eq(&body),
                ))
                .on_conflict((category::jurisdiction_id, category::code))
                .do_update()
                .set(category::body.eq(&body))
                .execute(connection)
        })?;
        self.raise_revision(owner)
    }

    /// Holds a jurisdiction until the transaction ends: of those who judge by who is who, one at a time.
    ///
    /// # Errors
    /// As for any statement.
    pub fn hold_jurisdiction(&mut self, owner: JurisdictionId) -> Result<(), Error> {
        // A transaction of SQLite holds everything. Rows that only name the jurisdiction may still come.
        if let Connection::Postgres(connection) = &mut self.connection {
            let row = jurisdiction::table.find(owner.0).select(jurisdiction::id);
            row.for_no_key_update().first::<i64>(connection).optional()?;
        }
        Ok(())
    }

    /// Tells the other nodes that something of `owner` changed.
    pub(super) fn raise_revision(&mut self, owner: JurisdictionId) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(jurisdiction::table.find(owner.0))
                .set(jurisdiction::revision.eq(jurisdiction::revision + 1))
                .execute(connection)
        })?;
        Ok(())
    }

    /// `given`, or a new id when it is 0; a given id is never given out again.
    pub(super) fn id_for(&mut self, name: &str, given: i64) -> Result<i64, Error> {
        if given == 0 {
            return self.reserve_ids(name, 1);
        }
        self.skip_ids(name, given)?;
        Ok(given)
    }
}
