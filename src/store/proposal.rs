//! What one person proposes and another one approves.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::proposal;
use super::writer::Transaction;
use crate::domain::{Instant, JurisdictionId, PersonId};

/// The state of a proposal that nobody has decided.
const OPEN: &str = "open";

/// A proposal as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its id; given when it is added.
    pub id: i64,
    /// Where.
    pub jurisdiction: JurisdictionId,
    /// Of what: `definition`, `calendar`, `person`, `token`, `unit`.
    pub kind: String,
    /// What it is about: `definition:referral`.
    pub subject: String,
    /// What is proposed, as it was sent.
    pub body: String,
    /// How what it is about stood then: what is approved is not what somebody else has changed meanwhile.
    pub base: String,
    /// By whom.
    pub made_by: PersonId,
    /// When.
    pub made_at: Instant,
    /// When it lapses.
    pub until: Instant,
    /// `open`, `approved` or `withdrawn`.
    pub state: String,
    /// By whom it was decided, …
    pub decided_by: Option<PersonId>,
    /// … and when.
    pub decided_at: Option<Instant>,
}

impl ProposalRow {
    /// Whether nobody has decided it, and it has not lapsed.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.state == OPEN && now < self.until
    }
}

#[derive(Queryable)]
struct Row {
    id: i64,
    jurisdiction_id: i64,
    kind: String,
    subject: String,
    body: String,
    base: String,
    made_by: i64,
    made_at: i64,
    until_at: i64,
    state: String,
    decided_by: Option<i64>,
    decided_at: Option<i64>,
}

fn read(row: Row) -> ProposalRow {
    ProposalRow {
        id: row.id,
        jurisdiction: JurisdictionId(row.jurisdiction_id),
        kind: row.kind,
        subject: row.subject,
        body: row.body,
        base: row.base,
        made_by: PersonId(row.made_by),
        made_at: Instant(row.made_at),
        until: Instant(row.until_at),
        state: row.state,
        decided_by: row.decided_by.map(PersonId),
        decided_at: row.decided_at.map(Instant),
    }
}

impl Transaction<'_> {
    /// Adds an open proposal; answers its id.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is no such jurisdiction; otherwise as for any statement.
    pub fn add_proposal(&mut self, new: &ProposalRow) -> Result<i64, Error> {
        let id = self.reserve_ids("proposal", 1)?;
        let row = (
            proposal::id.eq(id),
            proposal::jurisdiction_id.eq(new.jurisdiction.0),
            proposal::kind.eq(&new.kind),
            proposal::subject.eq(&new.subject),
            proposal::body.eq(&new.body),
            proposal::base.eq(&new.base),
            proposal::made_by.eq(new.made_by.0),
            proposal::made_at.eq(new.made_at.0),
            proposal::until_at.eq(new.until.0),
            proposal::state.eq(OPEN),
        );
        each!(&mut self.connection, connection => {
            diesel::insert_into(proposal::table).values(row).execute(connection)
        })?;
        Ok(id)
    }

    /// Decides an open proposal; false when somebody else was faster.
    ///
    /// # Errors
    /// As for any statement.
    pub fn decide_proposal(
        &mut self,
        id: i64,
        state: &str,
        by: PersonId,
        now: Instant,
    ) -> Result<bool, Error> {
        let decided = each!(&mut self.connection, connection => {
            diesel::update(proposal::table.find(id))
                .filter(proposal::state.eq(OPEN).and(proposal::until_at.gt(now.0)))
                .set((
                    proposal::state.eq(state),
                    proposal::decided_by.eq(Some(by.0)),
                    proposal::decided_at.eq(Some(now.0)),
                ))
                .execute(connection)
        })?;
        Ok(decided == 1)
    }

    /// The proposals of a kind that were not decided in time and still say what they said.
    ///
    /// # Errors
    /// As for any statement.
    pub fn lapsed_proposals(
        &mut self,
        kind: &str,
        now: Instant,
    ) -> Result<Vec<ProposalRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            proposal::table
                .filter(proposal::kind.eq(kind).and(proposal::state.eq(OPEN)))
                .filter(proposal::until_at.le(now.0))
                .order(proposal::id)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// Keeps another text of what was proposed, and of what stood then.
    ///
    /// # Errors
    /// As for any statement.
    pub fn reword_proposal(&mut self, id: i64, body: &str, base: &str) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(proposal::table.find(id))
                .set((proposal::body.eq(body), proposal::base.eq(base)))
                .execute(connection)
        })?;
        Ok(())
    }
}

impl Reader {
    /// At most `limit` proposals of these kinds in a jurisdiction, the newest first, below an id if one
    /// is given.
    ///
    /// # Errors
    /// As for any statement.
    pub fn proposals(
        &mut self,
        owner: JurisdictionId,
        kinds: &[&str],
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ProposalRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            proposal::table
                .filter(proposal::jurisdiction_id.eq(owner.0))
                .filter(proposal::kind.eq_any(kinds))
                .filter(proposal::id.lt(before.unwrap_or(i64::MAX)))
                .order(proposal::id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// One proposal.
    ///
    /// # Errors
    /// As for any statement.
    pub fn proposal(&mut self, id: i64) -> Result<Option<ProposalRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            proposal::table.find(id).first(connection).optional()
        })?;
        Ok(row.map(read))
    }
}
