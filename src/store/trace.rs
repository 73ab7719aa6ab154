//! Traces of calls: by what somebody who calls about the same again is recognised.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::connection::each;
use super::error::Error;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::call_trace;
use super::statement::Cell;
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// What is left of one call beside the call itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceRow {
    /// About which matter.
    pub instance: InstanceId,
    /// The event that brought it; 1 for the opening.
    pub seq: i64,
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// When it came.
    pub at: Instant,
    /// Where; empty if nothing was said.
    pub place: String,
    /// A keyed digest of the caller's number.
    pub phone: Option<String>,
    /// Hashes of features of what was said; empty if nobody read it.
    pub traits: String,
    /// The matter that this one was linked to, or merged into.
    pub about: Option<InstanceId>,
}

type Row = (i64, i64, i64, i64, String, Option<String>, String, Option<i64>);

fn read((instance, seq, jurisdiction, at, place, phone, traits, about): Row) -> TraceRow {
    TraceRow {
        instance: InstanceId(instance),
        seq,
        jurisdiction: JurisdictionId(jurisdiction),
        at: Instant(at),
        place,
        phone,
        traits,
        about: about.map(InstanceId),
    }
}

/// Of the calls about one matter so many are compared: the one that opened it, and the newest of those
/// that were linked to it or merged into it.
const OF_ONE: usize = 5;

/// So many times as many calls as are compared are looked through for them.
const DEPTH: i64 = 5;

/// At most `limit` of calls, the newest first, of which each is known by its matter and by the one that it
/// is about.
fn thinned(newest: &[(i64, Option<i64>)], limit: i64) -> Vec<i64> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut taken: BTreeMap<i64, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for (instance, about) in newest {
        let Some(about) = about else {
            chosen.push(*instance);
            continue;
        };
        let before = taken.entry(*about).or_default();
        *before += 1;
        if *before < OF_ONE {
            chosen.push(*instance);
        }
    }
    chosen.truncate(limit);
    chosen
}

const INSERT: Target = Target {
    head: "INSERT INTO call_trace (instance_id, seq, jurisdiction_id, at, place, phone, traits, \
           about)",
    tail: "",
};

/// New traces.
pub(super) fn added(rows: &[TraceRow]) -> Part<'_> {
    let rows = rows.iter().map(|row| {
        vec![
            row.instance.0.into(),
            row.seq.into(),
            row.jurisdiction.0.into(),
            row.at.into(),
            row.place.as_str().into(),
            row.phone.as_deref().into(),
            Cell::from(row.traits.as_str()),
            row.about.map(|about| about.0).into(),
        ]
    });
    Part::insert(&INSERT, rows.collect())
}

impl Reader {
    /// The traces of calls that opened a matter since an instant, at most `limit`, the newest first; of
    /// many that were linked to one matter or merged into it, a few.
    ///
    /// # Errors
    /// As for any statement.
    pub fn recent_traces(
        &mut self,
        owner: JurisdictionId,
        since: Instant,
        limit: i64,
    ) -> Result<Vec<TraceRow>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            let newest: Vec<(i64, Option<i64>)> = call_trace::table
                .select((call_trace::instance_id, call_trace::about))
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::at.ge(since.0))
                // Written out: SQLite takes a partial index only for a condition that it can read.
                .filter(diesel::dsl::sql::<Bool>("seq = 1"))
                .order(call_trace::at.desc())
                .limit(limit.saturating_mul(DEPTH))
                .load(connection)?;
            call_trace::table
                .filter(call_trace::instance_id.eq_any(thinned(&newest, limit)))
                .filter(call_trace::seq.eq(1))
                .order(call_trace::at.desc())
                .load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// The traces of calls from a number, by any of the digests that it may have been given, since an
    /// instant, of each matter the newest, of at most `limit` matters, the newest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn traces_of_phone(
        &mut self,
        owner: JurisdictionId,
        digests: &[String],
        since: Instant,
        limit: i64,
    ) -> Result<Vec<TraceRow>, Error> {
        let newest: Vec<(i64, Option<i64>)> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::phone.eq_any(digests))
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::at.ge(since.0))
                .group_by(call_trace::instance_id)
                .select((call_trace::instance_id, diesel::dsl::max(call_trace::seq)))
                .order(diesel::dsl::max(call_trace::at).desc())
                .limit(limit)
                .load(connection)
        })?;
        let matters: Vec<i64> = newest.iter().map(|(instance, _)| *instance).collect();
        let mut rows: Vec<Row> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::instance_id.eq_any(matters))
                .filter(call_trace::phone.eq_any(digests))
                .order(call_trace::at.desc())
                .load(connection)
        })?;
        rows.retain(|row| newest.contains(&(row.0, Some(row.1))));
        Ok(rows.into_iter().map(read).collect())
    }

    /// The matters about which calls from a number came, under any of its digests, at most `limit`, the
    /// newest first, below an id if one is given.
    ///
    /// # Errors
    /// As for any statement.
    pub fn matters_of_phone(
        &mut self,
        owner: JurisdictionId,
        phones: &[String],
        (before, limit): (Option<InstanceId>, i64),
    ) -> Result<Vec<InstanceId>, Error> {
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            call_trace::table
                .filter(call_trace::phone.eq_any(phones))
                .filter(call_trace::jurisdiction_id.eq(owner.0))
                .filter(call_trace::instance_id.lt(before.map_or(i64::MAX, |id| id.0)))
                .select(call_trace::instance_id)
                .distinct()
                .order(call_trace::instance_id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// The trace of the call that opened a matter.
    ///
    /// # Errors
    /// As for any statement.
    pub fn trace(&mut self, instance: InstanceId) -> Result<Option<TraceRow>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            call_trace::table.find((instance.0, 1_i64)).first(connection).optional()
        })?;
        Ok(row.map(read))
    }
}

impl Transaction<'_> {
    /// Notes that a matter is about another one: it was linked to it, or merged into it.
    ///
    /// # Errors
    /// As for any statement.
    pub fn note_about(&mut self, instance: InstanceId, about: InstanceId) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(call_trace::table.find((instance.0, 1_i64)))
                .set(call_trace::about.eq(about.0))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Puts another number, or none, in the trace of a call.
    ///
    /// # Errors
    /// As for any statement.
    pub fn retrace(
        &mut self,
        (instance, seq): (InstanceId, i64),
        phone: Option<&str>,
    ) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::update(call_trace::table.find((instance.0, seq)))
                .set(call_trace::phone.eq(phone))
                .execute(connection)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_calls_about_one_thing_do_not_crowd_out_the_others() {
        let mut newest: Vec<(i64, Option<i64>)> =
            (100..1100).rev().map(|id| (id, Some(7))).collect();
        newest.extend([(50, None), (7, None), (3, Some(2)), (2, None)]);
        let few = [1099, 1098, 1097, 1096];
        assert_eq!(thinned(&newest, 1000), [&few[..], &[50, 7, 3, 2]].concat());
        assert_eq!(thinned(&newest, 5), [&few[..], &[50]].concat());
    }
}
