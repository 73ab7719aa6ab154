//! Rulings that the router goes by, and what became of the changes of the catalogue they propose.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::precedent;
use super::statement::Cell;
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// A ruling as the router goes by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrecedentRow {
    /// The matter that was ruled.
    pub instance: InstanceId,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// When.
    pub at: Instant,
    /// By whom.
    pub made_by: String,
    /// To which unit.
    pub unit: String,
    /// The matter's category.
    pub category: String,
    /// Why, in the words of the ruling.
    pub reason: String,
    /// Hashes of features of what the caller said.
    pub traits: String,
    /// When it was withdrawn, if it was.
    pub withdrawn_at: Option<Instant>,
    /// What became of the change of the catalogue that it proposes.
    pub decision: Option<Decision>,
    /// The first of two people who accept it.
    pub agreed_by: Option<String>,
    /// The township that it is for; none: for all.
    pub territory: Option<String>,
    /// From when on it is gone by; none: from the ruling on.
    pub valid_from: Option<Instant>,
    /// Until when it is gone by; none: until it is withdrawn.
    pub valid_until: Option<Instant>,
}

impl PrecedentRow {
    /// Whether it holds only somewhere or for a time: it says nothing of the catalogue, nor of what words
    /// mean elsewhere.
    #[must_use]
    pub fn is_narrow(&self) -> bool {
        self.territory.is_some() || self.valid_until.is_some()
    }

    /// Whether it is gone by at an instant, everywhere and for good, so that more may be learned from it
    /// than to know the same call again: it has begun, and the office neither took it back nor rejected
    /// the change of the catalogue that it proposes.
    #[must_use]
    pub fn is_general(&self, now: Instant) -> bool {
        let rejected = self.decision.as_ref().is_some_and(|decision| !decision.accepted);
        let begun = self.valid_from.is_none_or(|from| from <= now);
        begun && self.withdrawn_at.is_none() && !rejected && !self.is_narrow()
    }
}

/// What was decided of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the catalogue was changed.
    pub accepted: bool,
    /// By whom.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Why.
    pub note: String,
}

#[derive(Debug, Queryable)]
struct Row {
    instance_id: i64,
    jurisdiction_id: i64,
    at: i64,
    made_by: String,
    unit: String,
    category: String,
    reason: String,
    traits: String,
    withdrawn_at: Option<i64>,
    decision: Option<String>,
    agreed_by: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<i64>,
    note: String,
    territory: Option<String>,
    valid_from: Option<i64>,
    valid_until: Option<i64>,
}

const ACCEPTED: &str = "accepted";
const REJECTED: &str = "rejected";

impl From<Row> for PrecedentRow {
    fn from(row: Row) -> Self {
        let decision = row.decision.map(|decision| Decision {
            accepted: decision == ACCEPTED,
            by: row.decided_by.unwrap_or_default(),
            at: Instant(row.decided_at.unwrap_or_default()),
            note: row.note,
        });
        Self {
            instance: InstanceId(row.instance_id),
            jurisdiction: JurisdictionId(row.jurisdiction_id),
            at: Instant(row.at),
            made_by: row.made_by,
            unit: row.unit,
            category: row.category,
            reason: row.reason,
            traits: row.traits,
            withdrawn_at: row.withdrawn_at.map(Instant),
            decision,
            agreed_by: row.agreed_by,
            territory: row.territory,
            valid_from: row.valid_from.map(Instant),
            valid_until: row.valid_until.map(Instant),
        }
    }
}

/// A matter that is ruled again has one precedent: the last ruling.
const INSERT: Target = Target {
    head: "INSERT INTO precedent (instance_id, jurisdiction_id, at, made_by, unit, category, reason, \
           traits, note, territory, valid_from, valid_until)",
    tail: "ON CONFLICT (instance_id) DO UPDATE SET at = excluded.at, made_by = excluded.made_by, \
           unit = excluded.unit, category = excluded.category, reason = excluded.reason, \
           traits = excluded.traits, territory = excluded.territory, \
           valid_from = excluded.valid_from, valid_until = excluded.valid_until, \
           withdrawn_at = NULL, decision = NULL, agreed_by = NULL, decided_by = NULL, \
           decided_at = NULL, note = ''",
};

/// New precedents.
pub(super) fn added(rows: &[PrecedentRow]) -> Part<'_> {
    let rows = rows.iter().map(|row| {
        vec![
            row.instance.0.into(),
            row.jurisdiction.0.into(),
            row.at.into(),
            row.made_by.as_str().into(),
            row.unit.as_str().into(),
            row.category.as_str().into(),
            row.reason.as_str().into(),
            row.traits.as_str().into(),
            Cell::from(""),
            row.territory.as_deref().into(),
            row.valid_from.into(),
            row.valid_until.into(),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

/// Of a jurisdiction, and neither withdrawn nor ended before an instant.
#[diesel::dsl::auto_type]
fn is_living(owner: i64, now: i64) -> _ {
    let lasts = precedent::valid_until.is_null().or(precedent::valid_until.gt(now));
    precedent::jurisdiction_id.eq(owner).and(precedent::withdrawn_at.is_null()).and(lasts)
}

impl Reader {
    /// A page of the precedents of a jurisdiction, also withdrawn ones, the newest first, after one if one is
    /// given.
    ///
    /// # Errors
    /// As for any statement.
    pub fn precedents(
        &mut self,
        owner: JurisdictionId,
        after: Option<&PrecedentRow>,
        limit: i64,
    ) -> Result<Vec<PrecedentRow>, Error> {
        let (at, id) = after.map_or((i64::MAX, i64::MAX), |row| (row.at.0, row.instance.0));
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            precedent::table
                .filter(precedent::jurisdiction_id.eq(owner.0))
                .filter(precedent::at.lt(at).or(precedent::at.eq(at).and(precedent::instance_id.lt(id))))
                .order((precedent::at.desc(), precedent::instance_id.desc()))
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(PrecedentRow::from).collect())
    }

    /// The precedents that are or will be gone by, neither withdrawn nor ended before an instant, the newest
    /// first, at most `limit`.
    ///
    /// # Errors
    /// As for any statement.
    pub fn living_precedents(
        &mut self,
        owner: JurisdictionId,
        now: Instant,
        limit: i64,
    ) -> Result<Vec<PrecedentRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            precedent::table
                .filter(is_living(owner.0, now.0))
                .order((precedent::at.desc(), precedent::instance_id.desc()))
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(PrecedentRow::from).collect())
    }

    /// How many of them there are.
    ///
    /// # Errors
    /// As for any statement.
    pub fn count_living_precedents(
        &mut self,
        owner: JurisdictionId,
        now: Instant,
    ) -> Result<i64, Error> {
        let count = each!(&mut self.connection, connection => {
            precedent::table
                .filter(is_living(owner.0, now.0))
                .count()
                .get_result(connection)
        })?;
        Ok(count)
    }

    /// The precedent that the ruling of a matter left, also a withdrawn one.
    ///
    /// # Errors
    /// As for any statement.
    pub fn precedent(
        &mut self,
        owner: JurisdictionId,
        id: InstanceId,
    ) -> Result<Option<PrecedentRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            precedent::table
                .find(id.0)
                .filter(precedent::jurisdiction_id.eq(owner.0))
                .first(connection)
                .optional()
        })?;
        Ok(row.map(PrecedentRow::from))
    }
}

impl Transaction<'_> {
    /// Takes a precedent out of use, and forgets what its call was recognised by; false when there is
    /// none in use.
    ///
    /// # Errors
    /// As for any statement.
    pub fn withdraw_precedent(
        &mut self,
        owner: JurisdictionId,
        id: InstanceId,
        now: Instant,
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(precedent::table.find(id.0))
                .filter(precedent::jurisdiction_id.eq(owner.0))
                .filter(precedent::withdrawn_at.is_null())
                .set((precedent::withdrawn_at.eq(now.0), precedent::traits.eq("")))
                .execute(connection)
        })?;
        if changed == 1 {
            self.raise_revision(owner)?;
        }
        Ok(changed == 1)
    }

    /// Notes the first of two people who accept a proposal; false when it is decided, or somebody
    /// agreed before.
    ///
    /// # Errors
    /// As for any statement.
    pub fn agree_to_precedent(
        &mut self,
        owner: JurisdictionId,
        id: InstanceId,
        by: &str,
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(precedent::table.find(id.0))
                .filter(precedent::jurisdiction_id.eq(owner.0))
                .filter(precedent::decision.is_null())
                .filter(precedent::agreed_by.is_null())
                .set(precedent::agreed_by.eq(by))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed == 1)
    }

    /// Notes what was decided of a proposal; false when it was decided before.
    ///
    /// # Errors
    /// As for any statement.
    pub fn decide_change(
        &mut self,
        owner: JurisdictionId,
        id: InstanceId,
        decision: &Decision,
    ) -> Result<bool, Error> {
        let word = if decision.accepted { ACCEPTED } else { REJECTED };
        let changed = each!(&mut self.connection, connection => {
            diesel::update(precedent::table.find(id.0))
                .filter(precedent::jurisdiction_id.eq(owner.0))
                .filter(precedent::decision.is_null())
                .set((
                    precedent::decision.eq(word),
                    precedent::decided_by.eq(&decision.by),
                    precedent::decided_at.eq(decision.at.0),
                    precedent::note.eq(&decision.note),
                ))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed == 1)
    }
}
