//! Duty rosters, stand-ins, and what one shift leaves to the next. Rosters and stand-ins raise the
//! jurisdiction's revision, so that each node loads them again.

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::{handover, roster, stand_in};
use super::writer::Transaction;
use crate::domain::{
    Delivery, HandoverNote, Instant, JurisdictionId, Kind, PersonId, Roster, StandIn,
};

type StandInRow = (
    i64,
    i64,
    String,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    String,
    String,
    i64,
);
type HandoverRow = (i64, i64, String, i64, i64, String, Option<i64>, Option<i64>);

fn read_stand_in(row: StandInRow) -> StandIn {
    let (id, _, roster, from, until, person, gone, swap, agreed, note, made_by, made_at) = row;
    StandIn {
        id,
        roster,
        from: Instant(from),
        until: Instant(until),
        person: person.map(PersonId),
        instead_of: gone.map(PersonId),
        swap,
        agreed_at: agreed.map(Instant),
        note,
        made_by,
        made_at: Instant(made_at),
    }
}

fn read_handover(row: HandoverRow) -> HandoverNote {
    let (id, _, roster, at, person, note, read_at, read_by) = row;
    let read = read_at.zip(read_by).map(|(at, by)| (Instant(at), PersonId(by)));
    HandoverNote { id, roster, at: Instant(at), person: PersonId(person), note, read }
}

/// Which stand-ins.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandInFilter<'a> {
    /// Those of one roster.
    pub roster: Option<&'a str>,
    /// Those that end after this.
    pub from: Option<Instant>,
    /// Those that begin before this.
    pub until: Option<Instant>,
    /// Those with a higher id.
    pub after: i64,
    /// At most so many; none: all.
    pub limit: Option<i64>,
}

impl Reader {
    /// The rosters of a jurisdiction, in order of code.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn rosters(&mut self, owner: JurisdictionId) -> Result<Vec<Roster>, Error> {
        let rows: Vec<(String, String)> = each!(&mut self.connection, connection => {
            roster::table
                .filter(roster::jurisdiction_id.eq(owner.0))
                .order(roster::code)
                .select((roster::code, roster::body))
                .load(connection)
        })?;
        let rosters = rows.into_iter().map(|(code, body)| {
            let read: Roster = serde_json::from_str(&body)
                .map_err(|cause| Error::corrupt(format!("roster `{code}`"), cause))?;
            Ok(Roster { code, ..read })
        });
        rosters.collect()
    }

    /// Stand-ins of a jurisdiction, in order of id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn stand_ins(
        &mut self,
        owner: JurisdictionId,
        filter: StandInFilter<'_>,
    ) -> Result<Vec<StandIn>, Error> {
        let rows: Vec<StandInRow> = each!(&mut self.connection, connection: Backend => {
            let mut query = stand_in::table
                .filter(stand_in::jurisdiction_id.eq(owner.0))
                .filter(stand_in::id.gt(filter.after))
                .order(stand_in::id)
                .into_boxed::<Backend>();
            if let Some(code) = filter.roster {
                query = query.filter(stand_in::roster.eq(code));
            }
            if let Some(from) = filter.from {
                query = query.filter(stand_in::until_at.gt(from.0));
            }
            if let Some(until) = filter.until {
                query = query.filter(stand_in::from_at.lt(until.0));
            }
            if let Some(limit) = filter.limit {
                query = query.limit(limit);
            }
            query.load(connection)
        })?;
        Ok(rows.into_iter().map(read_stand_in).collect())
    }

    /// Notes of a roster, newest first: those with a lower id than `before`, written not after
    /// `upto`.
    ///
    /// # Errors
    /// As for any statement.
    pub fn handovers(
        &mut self,
        owner: JurisdictionId,
        code: &str,
        (before, upto): (Option<i64>, Option<Instant>),
        limit: i64,
    ) -> Result<Vec<HandoverNote>, Error> {
        let rows: Vec<HandoverRow> = each!(&mut self.connection, connection => {
            handover::table
                .filter(handover::jurisdiction_id.eq(owner.0))
                .filter(handover::roster.eq(code))
                .filter(handover::id.lt(before.unwrap_or(i64::MAX)))
                .filter(handover::at.le(upto.map_or(i64::MAX, |at| at.0)))
                .order(handover::id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read_handover).collect())
    }
}

impl Transaction<'_> {
    /// Adds or replaces a roster, by its code; false when it is new.
    ///
    /// # Errors
    /// As for any statement.
    pub fn put_roster(&mut self, owner: JurisdictionId, new: &Roster) -> Result<bool, Error> {
        let body = serde_json::to_string(new).map_err(|cause| Error::Refused(cause.to_string()))?;
        let changed = each!(&mut self.connection, connection => {
            diesel::update(roster::table)
                .filter(roster::jurisdiction_id.eq(owner.0))
                .filter(roster::code.eq(&new.code))
                .set(roster::body.eq(&body))
                .execute(connection)
        })?;
        if changed == 0 {
            let id = self.id_for("roster", 0)?;
            each!(&mut self.connection, connection => {
                diesel::insert_into(roster::table)
                    .values((
                        roster::id.eq(id),
                        roster::jurisdiction_id.eq(owner.0),
                        roster::code.eq(&new.code),
                        roster::body.eq(&body),
                    ))
                    .execute(connection)
            })?;
        }
        self.raise_revision(owner)?;
        Ok(changed > 0)
    }

    /// Takes a roster away with its stand-ins; false when there was none. The notes stay.
    ///
    /// # Errors
    /// As for any statement.
    pub fn drop_roster(&mut self, owner: JurisdictionId, code: &str) -> Result<bool, Error> {
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(stand_in::table)
                .filter(stand_in::jurisdiction_id.eq(owner.0))
                .filter(stand_in::roster.eq(code))
                .execute(connection)?;
            diesel::delete(roster::table)
                .filter(roster::jurisdiction_id.eq(owner.0))
                .filter(roster::code.eq(code))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(gone == 1)
    }

    /// Adds stand-ins; answers their ids. Those with a `swap` are one swap: its number is the id of
    /// the first of them.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_stand_ins(
        &mut self,
        owner: JurisdictionId,
        new: &[StandIn],
    ) -> Result<Vec<i64>, Error> {
        let count = i64::try_from(new.len()).unwrap_or(i64::MAX);
        if count == 0 {
            return Ok(Vec::new());
        }
        let first = self.reserve_ids("stand_in", count)?;
        for (id, one) in (first..).zip(new) {
            each!(&mut self.connection, connection => {
                diesel::insert_into(stand_in::table)
                    .values((
                        stand_in::id.eq(id),
                        stand_in::jurisdiction_id.eq(owner.0),
                        stand_in::roster.eq(&one.roster),
                        stand_in::from_at.eq(one.from.0),
                        stand_in::until_at.eq(one.until.0),
                        stand_in::person_id.eq(one.person.map(|person| person.0)),
                        stand_in::instead_of.eq(one.instead_of.map(|person| person.0)),
                        stand_in::swap.eq(one.swap.map(|_| first)),
                        stand_in::agreed_at.eq(one.agreed_at.map(|at| at.0)),
                        stand_in::note.eq(&one.note),
                        stand_in::made_by.eq(&one.made_by),
                        stand_in::made_at.eq(one.made_at.0),
                    ))
                    .execute(connection)
            })?;
        }
        self.raise_revision(owner)?;
        Ok((first..first.saturating_add(count)).collect())
    }

    /// Takes stand-ins of a roster away: one by its id, with it the other half of its swap; answers
    /// how many.
    ///
    /// # Errors
    /// As for any statement.
    pub fn drop_stand_in(
        &mut self,
        owner: JurisdictionId,
        code: &str,
        one: &StandIn,
    ) -> Result<usize, Error> {
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(stand_in::table)
                .filter(stand_in::jurisdiction_id.eq(owner.0))
                .filter(stand_in::roster.eq(code))
                .filter(stand_in::id.eq(one.id)
                    .or(stand_in::swap.is_not_null().and(stand_in::swap.eq(one.swap))))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(gone)
    }

    /// Ends a stand-in that has begun; answers how many were changed.
    ///
    /// # Errors
    /// As for any statement.
    pub fn end_stand_in(
        &mut self,
        owner: JurisdictionId,
        id: i64,
        now: Instant,
    ) -> Result<usize, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(stand_in::table)
                .filter(stand_in::jurisdiction_id.eq(owner.0))
                .filter(stand_in::id.eq(id))
                .set(stand_in::until_at.eq(now.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(changed)
    }

    /// A swap is agreed to; answers how many halves were waiting for it.
    ///
    /// # Errors
    /// As for any statement.
    pub fn agree_swap(
        &mut self,
        owner: JurisdictionId,
        swap: i64,
        now: Instant,
    ) -> Result<usize, Error> {
        let agreed = each!(&mut self.connection, connection => {
            diesel::update(stand_in::table)
                .filter(stand_in::jurisdiction_id.eq(owner.0))
                .filter(stand_in::swap.eq(swap))
                .filter(stand_in::agreed_at.is_null())
                .set(stand_in::agreed_at.eq(now.0))
                .execute(connection)
        })?;
        self.raise_revision(owner)?;
        Ok(agreed)
    }

    /// Adds a note; answers its id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn add_handover(
        &mut self,
        owner: JurisdictionId,
        new: &HandoverNote,
    ) -> Result<i64, Error> {
        let id = self.id_for("handover", 0)?;
        each!(&mut self.connection, connection => {
            diesel::insert_into(handover::table)
                .values((
                    handover::id.eq(id),
                    handover::jurisdiction_id.eq(owner.0),
                    handover::roster.eq(&new.roster),
                    handover::at.eq(new.at.0),
                    handover::person_id.eq(new.person.0),
                    handover::note.eq(&new.note),
                ))
                .execute(connection)
        })?;
        Ok(id)
    }

    /// Forgets the notes of a jurisdiction that were written before an instant, and the texts of the
    /// messages that told them; answers how many notes.
    ///
    /// # Errors
    /// As for any statement.
    pub fn forget_handovers(
        &mut self,
        owner: JurisdictionId,
        before: Instant,
    ) -> Result<usize, Error> {
        use super::schema::message;
        let gone = each!(&mut self.connection, connection => {
            diesel::update(message::table)
                .filter(message::jurisdiction_id.eq(owner.0))
                .filter(message::kind.eq(Kind::Handover.code()))
                .filter(message::created_at.lt(before.0))
                .filter(message::state.ne(Delivery::Waiting.code()))
                .set(message::body.eq(""))
                .execute(connection)?;
            diesel::delete(handover::table)
                .filter(handover::jurisdiction_id.eq(owner.0))
                .filter(handover::at.lt(before.0))
                .execute(connection)?
        });
        Ok(gone)
    }

    /// Notes that a note was read, the first time; false when it was read already, or is not there.
    ///
    /// # Errors
    /// As for any statement.
    pub fn read_handover(
        &mut self,
        owner: JurisdictionId,
        (code, id): (&str, i64),
        (now, by): (Instant, PersonId),
    ) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(handover::table)
                .filter(handover::jurisdiction_id.eq(owner.0))
                .filter(handover::roster.eq(code))
                .filter(handover::id.eq(id))
                .filter(handover::read_at.is_null())
                .set((handover::read_at.eq(now.0), handover::read_by.eq(by.0)))
                .execute(connection)
        })?;
        Ok(changed == 1)
    }
}
