//! One batch: everything that some commands change, written in one transaction: with one statement
//! per table on SQLite, with one for all on PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use diesel::prelude::*;

use super::answer::{self, Answer};
use super::clock::{self, ClockRow};
use super::connection::each;
use super::error::Error;
use super::pool::Reader;
use super::precedent::{self, PrecedentRow};
use super::schema::{occurrence, setting};
use super::trace::{self, TraceRow};
use super::writer::Transaction;
use super::{event, instance, message, personal};
use crate::domain::event::Hash;
use crate::domain::{Instance, InstanceId, Instant, JurisdictionId, Message, StoredEvent};

/// One field of a caller's personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalRow {
    /// Of which matter.
    pub instance: InstanceId,
    /// Which field.
    pub field: String,
    /// Whose matter.
    pub jurisdiction: JurisdictionId,
    /// The value.
    pub value: String,
}

/// A unit that may see an instance, and from and to which of its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartyRow {
    /// Which instance.
    pub instance: InstanceId,
    /// Which unit, by code.
    pub unit: String,
    /// Whose instance.
    pub jurisdiction: JurisdictionId,
    /// The event that made it a party. Writing the row again keeps the first one.
    pub from_seq: i64,
    /// The last event it takes part in; none while it is a party. Writing the row again replaces
    /// this.
    pub to_seq: Option<i64>,
}

/// What some commands change together.
///
/// Each instance stands once in `created` or once in `updated`, as it is after the last of its
/// commands; each clock, personal field and party at most once. A clock in both lists of clocks is
/// set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// New instances, each with the hash of its last event.
    pub created: Vec<(Arc<Instance>, Hash)>,
    /// Changed instances, each with the hash of its last event and the version it had when loaded.
    pub updated: Vec<(Arc<Instance>, Hash, i64)>,
    /// The events of these instances, in the order in which the stream shows them.
    pub events: Vec<StoredEvent>,
    /// Clocks armed, counted again or stepped.
    pub clocks_set: Vec<ClockRow>,
    /// Clocks ended or frozen.
    pub clocks_gone: Vec<(InstanceId, String)>,
    /// Alerts, with ids from [`Transaction::reserve_ids`].
    pub messages: Vec<Message>,
    /// Answers to commands with an idempotency key.
    pub answers: Vec<Answer>,
    /// Callers' personal data, new or replaced.
    pub personal: Vec<PersonalRow>,
    /// Units that became parties or ceased to be.
    pub parties: Vec<PartyRow>,
    /// By what calls are recognised when they are repeated.
    pub traces: Vec<TraceRow>,
    /// Rulings that the router goes by.
    pub precedents: Vec<PrecedentRow>,
}

impl Transaction<'_> {
    /// Writes the whole batch.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an instance has another version than expected, or an event, an
    /// instance or an idempotency key exists already; [`Error::Refused`] for an event of an instance
    /// that the batch neither creates nor updates. Answer the error from the transaction's work, so
    /// that everything is rolled back.
    pub fn write(&mut self, batch: &Batch) -> Result<(), Error> {
        let created = batch.created.iter().map(|(instance, _)| instance);
        let updated = batch.updated.iter().map(|(instance, _, _)| instance);
        let owners: BTreeMap<_, _> =
            created.chain(updated).map(|instance| (instance.id, instance.jurisdiction)).collect();
        // A repair writes clock rows alone; else a clock belongs to an instance of the batch.
        let homeless = |row: &&ClockRow| !owners.contains_key(&row.instance);
        if let Some(row) = batch.clocks_set.iter().find(homeless).filter(|_| !owners.is_empty()) {
            let (clock, instance) = (&row.name, row.instance);
            return Err(Error::Refused(format!(
                "the clock `{clock}` of instance {instance}, which the batch neither creates nor updates"
            )));
        }
        // Instances first: on SQLite the other rows refer to them.
        let updated = instance::updated(&batch.updated)?;
        let others = [
            instance::created(&batch.created)?,
            event::appended(&batch.events, &owners)?,
            clock::dropped(&batch.clocks_gone, &batch.clocks_set),
            clock::set(&batch.clocks_set),
            message::added(&batch.messages),
            answer::added(&batch.answers),
            personal::set(&batch.personal, &self.shared)?,
            personal::set_parties(&batch.parties),
            trace::added(&batch.traces),
            precedent::added(&batch.precedents),
        ];
        let (changed, expected) = (self.connection.write(&updated, &others)?, batch.updated.len());
        let owners: BTreeSet<_> = batch.precedents.iter().map(|row| row.jurisdiction).collect();
        for owner in owners {
            self.raise_revision(owner)?;
        }
        if changed == expected {
            return Ok(());
        }
        Err(Error::Conflict(format!("{changed} of {expected} instances had the expected version")))
    }

    /// Takes one occurrence of a periodic job for the caller: true the first time, false ever after
    /// and on every other node.
    ///
    /// # Errors
    /// As for any statement.
    pub fn take_occurrence(
        &mut self,
        job: &str,
        due_at: Instant,
        now: Instant,
    ) -> Result<bool, Error> {
        let row = (
            occurrence::job.eq(job),
            occurrence::due_at.eq(due_at.0),
            occurrence::taken_at.eq(now.0),
        );
        let added = each!(&mut self.connection, connection => {
            diesel::insert_into(occurrence::table)
                .values(row)
                .on_conflict_do_nothing()
                .execute(connection)
        })?;
        Ok(added == 1)
    }

    /// Keeps `value` under `name`.
    ///
    /// # Errors
    /// As for any statement.
    pub fn set_setting(&mut self, name: &str, value: &str) -> Result<(), Error> {
        each!(&mut self.connection, connection => {
            diesel::insert_into(setting::table)
                .values((setting::name.eq(name), setting::value.eq(value)))
                .on_conflict(setting::name)
                .do_update()
                .set(setting::value.eq(value))
                .execute(connection)
        })?;
        Ok(())
    }
}

impl Reader {
    /// The newest occurrence of `job` that was taken.
    ///
    /// # Errors
    /// As for any statement.
    pub fn last_occurrence(&mut self, job: &str) -> Result<Option<Instant>, Error> {
        let last: Option<i64> = each!(&mut self.connection, connection => {
            occurrence::table
                .filter(occurrence::job.eq(job))
                .select(diesel::dsl::max(occurrence::due_at))
                .first(connection)
        })?;
        Ok(last.map(Instant))
    }

    /// What is kept under `name`.
    ///
    /// # Errors
    /// As for any statement.
    pub fn setting(&mut self, name: &str) -> Result<Option<String>, Error> {
        let value = each!(&mut self.connection, connection => {
            setting::table.find(name).select(setting::value).first(connection).optional()
        })?;
        Ok(value)
    }
}
