//! Instances: the row of each, and the lists over them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde::{Deserialize, Serialize};

use super::connection::{Connection, each};
use super::error::Error;
use super::event::hash_of;
use super::pool::Reader;
use super::schema::{instance, message, party};
use super::statement::{Cell, Statement, Target, in_list};
use super::writer::Transaction;
use crate::domain::event::Hash;
use crate::domain::{
    ArmedClock, Children, DefinitionId, Fields, Instance, InstanceId, Instant, JurisdictionId,
};

/// A row as diesel reads it, in the order of the columns.
#[derive(Debug, Queryable)]
struct Row {
    id: i64,
    jurisdiction_id: i64,
    family_id: i64,
    parent_id: Option<i64>,
    workflow: String,
    definition_id: i64,
    state: String,
    status: String,
    stage: String,
    holder: Option<String>,
    tier: i64,
    version: i64,
    data: String,
    head: Vec<u8>,
    opened_at: i64,
    updated_at: i64,
    closed_at: Option<i64>,
    _due_at: Option<i64>,
}

/// What of an instance has no column of its own: the JSON in `data`.
#[derive(Debug, Serialize, Deserialize)]
struct Rest<'a> {
    entries: i64,
    last_at: i64,
    fields: Cow<'a, Fields>,
    clocks: Cow<'a, BTreeMap<String, ArmedClock>>,
    #[serde(default, skip_serializing_if = "nothing_in")]
    children: Cow<'a, BTreeMap<String, Children>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Cow<'a, str>>,
}

fn nothing_in(children: &BTreeMap<String, Children>) -> bool {
    children.is_empty()
}

impl Row {
    fn read(self) -> Result<(Instance, Hash), Error> {
        let place = format!("instance {}", self.id);
        let rest: Rest<'_> =
            serde_json::from_str(&self.data).map_err(|cause| Error::corrupt(&place, cause))?;
        let head = hash_of(&self.head, &place)?;
        let instance = Instance {
            id: InstanceId(self.id),
            family: InstanceId(self.family_id),
            parent: self.parent_id.map(InstanceId),
            jurisdiction: JurisdictionId(self.jurisdiction_id),
            workflow: self.workflow,
            definition: DefinitionId(self.definition_id),
            state: self.state,
            version: self.version,
            entries: rest.entries,
            fields: rest.fields.into_owned(),
            clocks: rest.clocks.into_owned(),
            children: rest.children.into_owned(),
            holder: self.holder,
            status: self.status,
            stage: self.stage,
            tier: self.tier,
            outcome: rest.outcome.map(Cow::into_owned),
            opened_at: Instant(self.opened_at),
            updated_at: Instant(self.updated_at),
            last_at: Instant(rest.last_at),
            closed_at: self.closed_at.map(Instant),
        };
        Ok((instance, head))
    }
}

fn read_all(rows: Vec<Row>) -> Result<Vec<(Instance, Hash)>, Error> {
    rows.into_iter().map(Row::read).collect()
}

fn data_of(instance: &Instance) -> Result<String, Error> {
    let rest = Rest {
        entries: instance.entries,
        last_at: instance.last_at.0,
        fields: Cow::Borrowed(&instance.fields),
        clocks: Cow::Borrowed(&instance.clocks),
        children: Cow::Borrowed(&instance.children),
        outcome: instance.outcome.as_deref().map(Cow::Borrowed),
    };
    serde_json::to_string(&rest)
        .map_err(|cause| Error::Refused(format!("instance {}: {cause}", instance.id)))
}

/// The earliest due instant of the clocks that run (not of frozen ones): what lists sort people's
/// work by.
fn due_of(instance: &Instance) -> Option<Instant> {
    let running = instance.clocks.values().filter(|clock| clock.frozen.is_none());
    running.map(|clock| clock.due).min()
}

const INSERT: Target = Target {
    head: "INSERT INTO instance (id, jurisdiction_id, family_id, parent_id, workflow, \
           definition_id, state, status, stage, holder, tier, version, data, head, opened_at, \
           updated_at, closed_at, due_at)",
    tail: "",
};

const UPDATE_ONE: &str = "UPDATE instance SET definition_id = ?, state = ?, status = ?, stage = ?, \
     holder = ?, tier = ?, version = ?, data = ?, head = ?, updated_at = ?, closed_at = ?, \
     due_at = ? WHERE id = ? AND version = ?";

const UPDATE_ALL: &str = "UPDATE instance SET definition_id = n.definition_id, state = n.state, \
     status = n.status, stage = n.stage, holder = n.holder, tier = n.tier, version = n.version, \
     data = n.data, head = n.head, updated_at = n.updated_at, closed_at = n.closed_at, \
     due_at = n.due_at \
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS n(definition_id, state, status, \
     stage, holder, tier, version, data, head, updated_at, closed_at, due_at, id, expected) \
     WHERE instance.id = n.id AND instance.version = n.expected";

impl Transaction<'_> {
    pub(super) fn create_instances(&mut self, created: &[(Instance, Hash)]) -> Result<(), Error> {
        let rows: Result<Vec<_>, Error> = created
            .iter()
            .map(|(instance, head)| {
                Ok(vec![
                    instance.id.0.into(),
                    instance.jurisdiction.0.into(),
                    instance.family.0.into(),
                    instance.parent.map(|id| id.0).into(),
                    instance.workflow.as_str().into(),
                    instance.definition.0.into(),
                    instance.state.as_str().into(),
                    instance.status.as_str().into(),
                    instance.stage.as_str().into(),
                    instance.holder.as_deref().into(),
                    instance.tier.into(),
                    instance.version.into(),
                    data_of(instance)?.into(),
                    head.into(),
                    instance.opened_at.into(),
                    instance.updated_at.into(),
                    instance.closed_at.into(),
                    due_of(instance).into(),
                ])
            })
            .collect();
        self.connection.insert(&INSERT, &rows?)?;
        Ok(())
    }

    pub(super) fn update_instances(
        &mut self,
        updated: &[(Instance, Hash, i64)],
    ) -> Result<(), Error> {
        let rows: Result<Vec<_>, Error> = updated
            .iter()
            .map(|(instance, head, expected)| {
                Ok(vec![
                    instance.definition.0.into(),
                    instance.state.as_str().into(),
                    instance.status.as_str().into(),
                    instance.stage.as_str().into(),
                    instance.holder.as_deref().into(),
                    instance.tier.into(),
                    instance.version.into(),
                    data_of(instance)?.into(),
                    head.into(),
                    instance.updated_at.into(),
                    instance.closed_at.into(),
                    due_of(instance).into(),
                    instance.id.0.into(),
                    Cell::from(*expected),
                ])
            })
            .collect();
        let changed = self.connection.for_rows(UPDATE_ONE, UPDATE_ALL, &rows?)?;
        if changed == updated.len() {
            return Ok(());
        }
        Err(Error::Conflict(format!(
            "{changed} of {} instances had the expected version",
            updated.len()
        )))
    }

    /// The instances of `ids` with the hash of each one's last event, in order of id; ids that do
    /// not exist are left out. On PostgreSQL the rows are locked until the transaction ends.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when a row cannot be read; otherwise as for any statement.
    pub fn instances(&mut self, ids: &[InstanceId]) -> Result<Vec<(Instance, Hash)>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let head = "SELECT id, jurisdiction_id, family_id, parent_id, workflow, definition_id, \
             state, status, stage, holder, tier, version, data, head, opened_at, updated_at, \
             closed_at, due_at FROM instance WHERE id";
        let rows: Vec<Row> = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let (sql, cells) = in_list(head, &ids, "ORDER BY id");
                Statement::<instance::SqlType>::new(sql, &cells).load(connection)?
            }
            Connection::Postgres(connection) => {
                let sql = format!("{head} = ANY(?) ORDER BY id FOR UPDATE");
                let cells: Vec<_> = ids.into_iter().map(|id| vec![Cell::from(id)]).collect();
                Statement::<instance::SqlType>::columns(sql, &cells).load(connection)?
            }
        };
        read_all(rows)
    }

    /// The children of `parents` that are still open, as (parent, child, workflow) in order of the
    /// child's id.
    ///
    /// # Errors
    /// As for any statement.
    pub fn open_children(
        &mut self,
        parents: &[InstanceId],
    ) -> Result<Vec<(InstanceId, InstanceId, String)>, Error> {
        if parents.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<i64> = parents.iter().map(|id| id.0).collect();
        let head = "SELECT parent_id, id, workflow FROM instance \
             WHERE closed_at IS NULL AND parent_id IS NOT NULL AND parent_id";
        let rows: Vec<(i64, i64, String)> = match &mut self.connection {
            Connection::Sqlite(connection) => {
                let (sql, cells) = in_list(head, &ids, "ORDER BY id");
                Statement::<(BigInt, BigInt, Text)>::new(sql, &cells).load(connection)?
            }
            Connection::Postgres(connection) => {
                let sql = format!("{head} = ANY(?) ORDER BY id");
                let cells: Vec<_> = ids.into_iter().map(|id| vec![Cell::from(id)]).collect();
                Statement::<(BigInt, BigInt, Text)>::columns(sql, &cells).load(connection)?
            }
        };
        Ok(rows
            .into_iter()
            .map(|(parent, child, workflow)| (InstanceId(parent), InstanceId(child), workflow))
            .collect())
    }
}

/// Which instances a list shows; everything that is not given does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub jurisdiction: Option<JurisdictionId>,
    /// Of which workflow.
    pub workflow: Option<String>,
    /// With one of these flat statuses.
    pub statuses: Vec<String>,
    /// Held by this unit now.
    pub holder: Option<String>,
    /// With one of these units among its parties, now or before.
    pub parties: Vec<String>,
    /// Not in a final or rest state.
    pub open_only: bool,
    /// With at least this tier rank.
    pub tier_at_least: Option<i64>,
    /// Opened at or after.
    pub opened_from: Option<Instant>,
    /// Opened before.
    pub opened_to: Option<Instant>,
    /// Children of this one only.
    pub parent: Option<InstanceId>,
    /// With a clock in force that is due before this: the overdue ones, when this is now.
    pub due_before: Option<Instant>,
    /// The cursor: only ids below this one (the last id of the previous page).
    pub before: Option<InstanceId>,
}

/// Narrows a boxed query over `instance` to what a filter shows.
macro_rules! narrowed {
    ($query:expr, $filter:expr) => {{
        let filter: &Filter = $filter;
        let mut query = $query;
        if let Some(id) = filter.jurisdiction {
            query = query.filter(instance::jurisdiction_id.eq(id.0));
        }
        if let Some(workflow) = &filter.workflow {
            query = query.filter(instance::workflow.eq(workflow));
        }
        if !filter.statuses.is_empty() {
            query = query.filter(instance::status.eq_any(&filter.statuses));
        }
        if let Some(holder) = &filter.holder {
            query = query.filter(instance::holder.eq(holder));
        }
        if !filter.parties.is_empty() {
            let mut of_units = party::table
                .select(party::instance_id)
                .filter(party::unit.eq_any(&filter.parties))
                .into_boxed();
            if let Some(id) = filter.jurisdiction {
                of_units = of_units.filter(party::jurisdiction_id.eq(id.0));
            }
            if let Some(id) = filter.before {
                of_units = of_units.filter(party::instance_id.lt(id.0));
            }
            query = query.filter(instance::id.eq_any(of_units));
        }
        if filter.open_only {
            query = query.filter(instance::closed_at.is_null());
        }
        if let Some(rank) = filter.tier_at_least {
            query = query.filter(instance::tier.ge(rank));
        }
        if let Some(from) = filter.opened_from {
            query = query.filter(instance::opened_at.ge(from.0));
        }
        if let Some(to) = filter.opened_to {
            query = query.filter(instance::opened_at.lt(to.0));
        }
        if let Some(parent) = filter.parent {
            query = query.filter(instance::parent_id.eq(parent.0));
        }
        if let Some(due) = filter.due_before {
            query = query.filter(instance::due_at.lt(due.0));
        }
        if let Some(before) = filter.before {
            query = query.filter(instance::id.lt(before.0));
        }
        query
    }};
}

/// Figures for metrics, over all jurisdictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RawCounts {
    /// Instances not in a final or rest state.
    pub open_instances: i64,
    /// Messages not yet handed over.
    pub waiting_messages: i64,
    /// When the oldest of them was written.
    pub oldest_waiting: Option<Instant>,
    /// Messages given up.
    pub failed_messages: i64,
    /// Clocks in force.
    pub clocks: i64,
    /// Alarms that nobody cleared.
    pub open_alarms: i64,
}

impl Reader {
    /// One instance and the hash of its last event.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the row cannot be read; otherwise as for any statement.
    pub fn instance(&mut self, id: InstanceId) -> Result<Option<(Instance, Hash)>, Error> {
        let row: Option<Row> = each!(&mut self.connection, connection => {
            instance::table.find(id.0).first(connection).optional()
        })?;
        row.map(Row::read).transpose()
    }

    /// At most `limit` instances that `filter` shows, the newest (highest id) first. The next page
    /// begins with `before` = the last id of this one.
    ///
    /// # Errors
    /// As [`Reader::instance`].
    pub fn list(&mut self, filter: &Filter, limit: i64) -> Result<Vec<Instance>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection: Backend => {
            narrowed!(instance::table.into_boxed::<Backend>(), filter)
                .order(instance::id.desc())
                .limit(limit)
                .load(connection)
        })?;
        Ok(read_all(rows)?.into_iter().map(|(instance, _)| instance).collect())
    }

    /// How many instances `filter` shows per flat status, in order of status.
    ///
    /// # Errors
    /// As for any statement.
    pub fn count_by_status(&mut self, filter: &Filter) -> Result<Vec<(String, i64)>, Error> {
        let mut counts: Vec<(String, i64)> = each!(&mut self.connection, connection: Backend => {
            let counts = instance::table
                .group_by(instance::status)
                .select((instance::status, diesel::dsl::count_star()))
                .into_boxed::<Backend>();
            narrowed!(counts, filter).load(connection)
        })?;
        counts.sort();
        Ok(counts)
    }

    /// How many instances `filter` shows per holder, in order of holder; those without one first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn count_by_holder(
        &mut self,
        filter: &Filter,
    ) -> Result<Vec<(Option<String>, i64)>, Error> {
        let mut counts: Vec<(Option<String>, i64)> = each!(&mut self.connection, connection: Backend => {
            let counts = instance::table
                .group_by(instance::holder)
                .select((instance::holder, diesel::dsl::count_star()))
                .into_boxed::<Backend>();
            narrowed!(counts, filter).load(connection)
        })?;
        counts.sort();
        Ok(counts)
    }

    /// The children of `parent`, open and ended, in order of id.
    ///
    /// # Errors
    /// As [`Reader::instance`].
    pub fn children(&mut self, parent: InstanceId) -> Result<Vec<Instance>, Error> {
        let rows: Vec<Row> = each!(&mut self.connection, connection => {
            instance::table
                .filter(instance::parent_id.eq(parent.0))
                .order(instance::id)
                .load(connection)
        })?;
        Ok(read_all(rows)?.into_iter().map(|(instance, _)| instance).collect())
    }

    /// At most `limit` ids of instances above `after`, in order: for passes over everything.
    ///
    /// # Errors
    /// As for any statement.
    pub fn instance_ids(
        &mut self,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            instance::table
                .select(instance::id)
                .filter(instance::id.gt(after.0))
                .order(instance::id)
                .limit(limit)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// As [`Reader::instance_ids`], but only of instances not in a final or rest state.
    ///
    /// # Errors
    /// As for any statement.
    pub fn open_instance_ids(
        &mut self,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            instance::table
                .select(instance::id)
                .filter(instance::closed_at.is_null())
                .filter(instance::id.gt(after.0))
                .order(instance::id)
                .limit(limit)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

    /// Figures for metrics.
    ///
    /// # Errors
    /// As for any statement.
    pub fn raw_counts(&mut self) -> Result<RawCounts, Error> {
        use super::schema::{alarm, clock};
        use diesel::dsl::{count_star, min};
        let counts = each!(&mut self.connection, connection => {
            let open: i64 = instance::table
                .filter(instance::closed_at.is_null())
                .select(count_star())
                .first(connection)?;
            let (waiting, oldest): (i64, Option<i64>) = message::table
                .filter(message::state.eq("waiting"))
                .select((count_star(), min(message::created_at)))
                .first(connection)?;
            let failed: i64 = message::table
                .filter(message::state.eq("failed"))
                .select(count_star())
                .first(connection)?;
            let clocks: i64 = clock::table.select(count_star()).first(connection)?;
            let alarms: i64 = alarm::table
                .filter(alarm::cleared_at.is_null())
                .select(count_star())
                .first(connection)?;
            RawCounts {
                open_instances: open,
                waiting_messages: waiting,
                oldest_waiting: oldest.map(Instant),
                failed_messages: failed,
                clocks,
                open_alarms: alarms,
            }
        });
        Ok(counts)
    }
}
