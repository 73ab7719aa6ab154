//! Callers' personal data, apart from the events, so that it can be masked, revealed and erased
//! without breaking the chain; and the parties, the units that may see an instance.

use diesel::prelude::*;

use super::batch::{PartyRow, PersonalRow};
use super::connection::each;
use super::error::Error;
use super::locked;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::{call_trace, instance, party, personal};
use super::shared::Shared;
use super::statement::Cell;
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

const PERSONAL: Target = Target {
    head: "INSERT INTO personal (instance_id, field, jurisdiction_id, value)",
    tail: "ON CONFLICT (instance_id, field) DO UPDATE SET value = excluded.value",
};

const PARTY: Target = Target {
    head: "INSERT INTO party (instance_id, unit, jurisdiction_id, from_seq, to_seq)",
    tail: "ON CONFLICT (instance_id, unit) DO UPDATE SET to_seq = excluded.to_seq",
};

/// Personal data, new or replaced; kept locked where there are keys.
pub(super) fn set<'r>(rows: &'r [PersonalRow], shared: &Shared) -> Result<Part<'r>, Error> {
    let rows: Result<Vec<_>, Error> = rows
        .iter()
        .map(|row| {
            let kept = shared.lock(locked::caller(row.instance.0, &row.field), &row.value)?;
            Ok(vec![
                row.instance.0.into(),
                row.field.as_str().into(),
                row.jurisdiction.0.into(),
                Cell::from(kept),
            ])
        })
        .collect();
    Ok(Part::insert(&PERSONAL, rows?))
}

/// Parties, new or replaced.
pub(super) fn set_parties(rows: &[PartyRow]) -> Part<'_> {
    let rows = rows.iter().map(|row| {
        vec![
            row.instance.0.into(),
            row.unit.as_str().into(),
            row.jurisdiction.0.into(),
            row.from_seq.into(),
            Cell::from(row.to_seq),
        ]
    });
    Part::insert(&PARTY, rows.collect())
}

impl Transaction<'_> {
    /// Erases the personal data of `instance` and what its calls were recognised by; answers how many
    /// fields there were.
    ///
    /// # Errors
    /// As for any statement.
    pub fn erase_personal(&mut self, instance: InstanceId) -> Result<usize, Error> {
        self.overwrite(true)?;
        let gone = each!(&mut self.connection, connection => {
            diesel::delete(call_trace::table.filter(call_trace::instance_id.eq(instance.0)))
                .execute(connection)?;
            diesel::delete(personal::table.filter(personal::instance_id.eq(instance.0)))
                .execute(connection)
        })?;
        self.overwrite(false)?;
        Ok(gone)
    }
}

impl Reader {
    /// At most `limit` instances above `after` that closed before an instant and still have personal
    /// data, in order of id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn closed_with_personal(
        &mut self,
        owner: JurisdictionId,
        before: Instant,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            instance::table
                .inner_join(personal::table.on(personal::instance_id.eq(instance::id)))
                .filter(instance::jurisdiction_id.eq(owner.0))
                .filter(instance::closed_at.lt(before.0))
                .filter(instance::id.gt(after.0))
                .select(instance::id)
                .distinct()
                .order(instance::id)
                .limit(limit)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// The personal data of `instance`, in order of field.
    ///
    /// # Errors
    /// [`Error::Keys`] when something is locked and the keys at hand do not open it; otherwise as for
    /// any statement.
    pub fn personal(&mut self, instance: InstanceId) -> Result<Vec<PersonalRow>, Error> {
        let rows: Vec<(i64, String, i64, String)> = each!(&mut self.connection, connection => {
            personal::table
                .filter(personal::instance_id.eq(instance.0))
                .order(personal::field)
                .load(connection)
        })?;
        let read = |(row, field, jurisdiction, kept): (i64, String, i64, String)| {
            let value = self.shared.open(locked::caller(row, &field), &kept)?;
            let (instance, jurisdiction) = (InstanceId(row), JurisdictionId(jurisdiction));
            Ok(PersonalRow { instance, field, jurisdiction, value })
        };
        rows.into_iter().map(read).collect()
    }

    /// The units that had or have to do with `instance`, in order of code.
    ///
    /// # Errors
    /// As for any statement.
    pub fn parties(&mut self, instance: InstanceId) -> Result<Vec<PartyRow>, Error> {
        let rows: Vec<(i64, String, i64, i64, Option<i64>)> = each!(&mut self.connection, connection => {
            party::table
                .filter(party::instance_id.eq(instance.0))
                .order(party::unit)
                .load(connection)
        })?;
        let read = |(instance, unit, jurisdiction, from_seq, to_seq)| PartyRow {
            instance: InstanceId(instance),
            unit,
            jurisdiction: JurisdictionId(jurisdiction),
            from_seq,
            to_seq,
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
