//! Alarms: what an operator must look at. One open alarm per kind, jurisdiction and instance.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::schema::alarm;
use super::writer::Transaction;
use crate::domain::{InstanceId, Instant, JurisdictionId};

/// An alarm to raise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlarm {
    /// What kind: a stable code.
    pub kind: String,
    /// Whose, if it belongs to one.
    pub jurisdiction: Option<JurisdictionId>,
    /// About which instance, if it is about one.
    pub instance: Option<InstanceId>,
    /// When it was noticed.
    pub at: Instant,
    /// What exactly, for the operator.
    pub detail: String,
}

/// An alarm as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its id.
    pub id: i64,
    /// What was raised.
    pub raised: NewAlarm,
    /// When somebody cleared it; none while it is open.
    pub cleared_at: Option<Instant>,
    /// How often it was raised since it stands open; instant and detail are those of the last time.
    pub times: i64,
    /// When people were told of it; none while they are not.
    pub told_at: Option<Instant>,
}

/// Which alarms a list shows; everything that is not given does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Those of this one, and those that belong to none.
    pub jurisdiction: Option<JurisdictionId>,
    /// Only those that nobody cleared.
    pub open_only: bool,
    /// Of this kind.
    pub kind: Option<String>,
    /// The cursor: only ids below this one.
    pub before: Option<i64>,
}

type Row = (i64, Option<i64>, i64, String, Option<i64>, String, Option<i64>, i64, Option<i64>);

fn read(row: Row) -> Alarm {
    let (id, jurisdiction, at, kind, instance, detail, cleared_at, times, told_at) = row;
    Alarm {
        id,
        raised: NewAlarm {
            kind,
            jurisdiction: jurisdiction.map(JurisdictionId),
            instance: instance.map(InstanceId),
            at: Instant(at),
            detail,
        },
        cleared_at: cleared_at.map(Instant),
        times,
        told_at: told_at.map(Instant),
    }
}

impl Transaction<'_> {
    /// Raises an alarm; false when one of the same kind, jurisdiction and instance is open already:
    /// then that one stays as it is.
    ///
    /// # Errors
    /// As for any statement.
    pub fn raise_alarm(&mut self, new: &NewAlarm) -> Result<bool, Error> {
        let row = (
            alarm::jurisdiction_id.eq(new.jurisdiction.map(|id| id.0)),
            alarm::at.eq(new.at.0),
            alarm::kind.eq(&new.kind),
            alarm::instance_id.eq(new.instance.map(|id| id.0)),
            alarm::detail.eq(&new.detail),
        );
        let added = each!(&mut self.connection, connection => {
            diesel::insert_into(alarm::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(connection)
        })?;
        Ok(added == 1)
    }

    /// Raises an alarm of something that happened, not of something that lasts: when the same is open
    /// already, that one counts one more and says what came last.
    ///
    /// # Errors
    /// As for any statement.
    pub fn count_alarm(&mut self, new: &NewAlarm) -> Result<(), Error> {
        if self.raise_alarm(new)? {
            return Ok(());
        }
        let Some(id) = self.open_alarm(new)? else { return Ok(()) };
        each!(&mut self.connection, connection => {
            diesel::update(alarm::table.find(id))
                .set((
                    alarm::at.eq(new.at.0),
                    alarm::detail.eq(&new.detail),
                    alarm::times.eq(alarm::times + 1),
                ))
                .execute(connection)
        })?;
        Ok(())
    }

    /// Raises an alarm in place of an open one of the same kind, jurisdiction and instance: what people
    /// were told of then is no news now.
    ///
    /// # Errors
    /// As for any statement.
    pub fn renew_alarm(&mut self, new: &NewAlarm) -> Result<(), Error> {
        let Some(id) = self.open_alarm(new)? else { return self.raise_alarm(new).map(drop) };
        let told_at: Option<i64> = each!(&mut self.connection, connection => {
            alarm::table.find(id).select(alarm::told_at).first(connection)
        })?;
        self.clear_alarm(id, new.at)?;
        self.raise_alarm(new)?;
        let Some(id) = self.open_alarm(new)? else { return Ok(()) };
        each!(&mut self.connection, connection => {
            diesel::update(alarm::table.find(id)).set(alarm::told_at.eq(told_at)).execute(connection)
        })?;
        Ok(())
    }

    /// Takes open alarms of which nobody was told yet for telling; answers those that nobody else has
    /// taken meanwhile.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_alarms(&mut self, ids: &[i64], now: Instant) -> Result<BTreeSet<i64>, Error> {
        let taken: Vec<i64> = each!(&mut self.connection, connection => {
            diesel::update(alarm::table.filter(alarm::id.eq_any(ids)))
                .filter(alarm::told_at.is_null().and(alarm::cleared_at.is_null()))
                .set(alarm::told_at.eq(now.0))
                .returning(alarm::id)
                .get_results(connection)
        })?;
        Ok(taken.into_iter().collect())
    }

    /// Clears an open alarm; false when there is none with this id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn clear_alarm(&mut self, id: i64, now: Instant) -> Result<bool, Error> {
        let changed = each!(&mut self.connection, connection => {
            diesel::update(alarm::table.find(id))
                .filter(alarm::cleared_at.is_null())
                .set(alarm::cleared_at.eq(now.0))
                .execute(connection)
        })?;
        Ok(changed == 1)
    }

    /// Clears all open alarms of a kind that are a jurisdiction's, or nobody's; answers how many.
    ///
    /// # Errors
    /// As for any statement.
    pub fn clear_alarms(
        &mut self,
        whose: JurisdictionId,
        kind: &str,
        now: Instant,
    ) -> Result<usize, Error> {
        let owner = alarm::jurisdiction_id;
        Ok(each!(&mut self.connection, connection => {
            diesel::update(alarm::table)
                .filter(alarm::cleared_at.is_null().and(alarm::kind.eq(kind)))
                .filter(owner.is_null().or(owner.assume_not_null().eq(whose.0)))
                .set(alarm::cleared_at.eq(now.0))
                .execute(connection)
        })?)
    }

    /// Clears the open alarm of a kind for a jurisdiction and an instance, if there is one: for
    /// alarms that the service itself knows to be over.
    ///
    /// # Errors
    /// As for any statement.
    pub fn clear_alarm_of(&mut self, new: &NewAlarm) -> Result<bool, Error> {
        match self.open_alarm(new)? {
            Some(id) => self.clear_alarm(id, new.at),
            None => Ok(false),
        }
    }

    /// The id of the open alarm of the same kind, jurisdiction and instance; there is one at most.
    fn open_alarm(&mut self, new: &NewAlarm) -> Result<Option<i64>, Error> {
        let found = each!(&mut self.connection, connection: Backend => {
            let mut open = alarm::table
                .select(alarm::id)
                .filter(alarm::cleared_at.is_null())
                .filter(alarm::kind.eq(&new.kind))
                .into_boxed::<Backend>();
            open = match new.jurisdiction {
                Some(id) => open.filter(alarm::jurisdiction_id.eq(id.0)),
                None => open.filter(alarm::jurisdiction_id.is_null()),
            };
            open = match new.instance {
                Some(id) => open.filter(alarm::instance_id.eq(id.0)),
                None => open.filter(alarm::instance_id.is_null()),
            };
            open.first(connection).optional()
        })?;
        Ok(found)
    }
}

impl Reader {
    /// At most `limit` alarms, the newest first: the open ones, or all.
    ///
    /// # Errors
    /// As for any statement.
    pub fn alarms(&mut self, open_only: bool, limit: i64) -> Result<Vec<Alarm>, Error> {
        self.some_alarms(&AlarmFilter { open_only, ..AlarmFilter::default() }, limit)
    }

    /// The jurisdictions that have open alarms of which nobody was told yet, without those of some
    /// kinds; none stands for alarms of no jurisdiction.
    ///
    /// # Errors
    /// As for any statement.
    pub fn owners_of_untold(
        &mut self,
        without: &[&str],
    ) -> Result<Vec<Option<JurisdictionId>>, Error> {
        let owners: Vec<Option<i64>> = each!(&mut self.connection, connection => {
            alarm::table
                .filter(alarm::told_at.is_null().and(alarm::cleared_at.is_null()))
                .filter(alarm::kind.ne_all(without))
                .select(alarm::jurisdiction_id)
                .distinct()
                .load(connection)
        })?;
        Ok(owners.into_iter().map(|id| id.map(JurisdictionId)).collect())
    }

    /// At most `limit` of those alarms of one jurisdiction, or of none, the oldest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn untold_alarms(
        &mut self,
        whose: Option<JurisdictionId>,
        without: &[&str],
        limit: i64,
    ) -> Result<Vec<Alarm>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            let mut query = alarm::table
                .filter(alarm::told_at.is_null().and(alarm::cleared_at.is_null()))
                .filter(alarm::kind.ne_all(without))
                .into_boxed::<Backend>();
            query = match whose {
                Some(id) => query.filter(alarm::jurisdiction_id.eq(id.0)),
                None => query.filter(alarm::jurisdiction_id.is_null()),
            };
            query.order(alarm::id).limit(limit).load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }

    /// When people were last told of an alarm of a jurisdiction, or of none.
    ///
    /// # Errors
    /// As for any statement.
    pub fn last_alarm_told(
        &mut self,
        whose: Option<JurisdictionId>,
    ) -> Result<Option<Instant>, Error> {
        let last: Option<i64> = each!(&mut self.connection, connection: Backend => {
            let mut query =
                alarm::table.select(diesel::dsl::max(alarm::told_at)).into_boxed::<Backend>();
            query = match whose {
                Some(id) => query.filter(alarm::jurisdiction_id.eq(id.0)),
                None => query.filter(alarm::jurisdiction_id.is_null()),
            };
            query.first(connection)
        })?;
        Ok(last.map(Instant))
    }

    /// At most `limit` alarms that `filter` shows, the newest first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn some_alarms(&mut self, filter: &AlarmFilter, limit: i64) -> Result<Vec<Alarm>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            let mut query = alarm::table.into_boxed::<Backend>();
            if filter.open_only {
                query = query.filter(alarm::cleared_at.is_null());
            }
            if let Some(id) = filter.jurisdiction {
                let whose = alarm::jurisdiction_id;
                query = query.filter(whose.is_null().or(whose.assume_not_null().eq(id.0)));
            }
            if let Some(kind) = &filter.kind {
                query = query.filter(alarm::kind.eq(kind));
            }
            if let Some(id) = filter.before {
                query = query.filter(alarm::id.lt(id));
            }
            query.order(alarm::id.desc()).limit(limit).load(connection)
        })?;
        Ok(rows.into_iter().map(read).collect())
    }
}
