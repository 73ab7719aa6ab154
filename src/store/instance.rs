//! Instances: the row of each, written with its version and read back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use serde::{Deserialize, Serialize};

use super::connection::{Connection, each};
use super::error::Error;
use super::event::hash_of;
use super::part::{Part, Target};
use super::pool::Reader;
use super::schema::instance;
use super::statement::{Cell, Statement, in_list};
use super::writer::{SERVER_TIME, Transaction};
use crate::domain::event::Hash;
use crate::domain::{
    ArmedClock, Children, DefinitionId, Fields, Instance, InstanceId, Instant, JurisdictionId,
};

/// A row as diesel reads it, in the order of the columns.
#[derive(Debug, Queryable)]
pub(super) struct Row {
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
    /// None in rows from before there were receipts: then every event touched the matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    touched: Option<i64>,
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
    pub(super) fn read(self) -> Result<(Instance, Hash), Error> {
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
            touched: rest.touched.unwrap_or(self.version),
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

/// All rows as instances.
pub(super) fn read_all(rows: Vec<Row>) -> Result<Vec<(Instance, Hash)>, Error> {
    rows.into_iter().map(Row::read).collect()
}

fn data_of(instance: &Instance) -> Result<String, Error> {
    let rest = Rest {
        entries: instance.entries,
        touched: (instance.touched != instance.version).then_some(instance.touched),
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

/// New instances.
pub(super) fn created(created: &[(Arc<Instance>, Hash)]) -> Result<Part<'_>, Error> {
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
    Ok(Part::insert(&INSERT, rows?))
}

/// Changed instances, as far as they have the expected version.
pub(super) fn updated(updated: &[(Arc<Instance>, Hash, i64)]) -> Result<Part<'_>, Error> {
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
    Ok(Part::each(UPDATE_ONE, UPDATE_ALL, rows?))
}

impl Transaction<'_> {
    /// The instances of `ids` with the hash of each one's last event, in order of id; ids that do
    /// not exist are left out. On PostgreSQL the rows are locked until the transaction ends, and the
    /// server's time comes with them: [`Transaction::now`] then costs nothing.
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
                // The time is taken after the locks: it is not before that of the last event.
                let sql = format!(
                    "WITH locked AS ({head} = ANY(?) ORDER BY id FOR UPDATE) \
                     SELECT {SERVER_TIME}, locked.* \
                     FROM (VALUES (1)) AS one LEFT JOIN locked ON true"
                );
                let cells: Vec<_> = ids.into_iter().map(|id| vec![Cell::from(id)]).collect();
                let statement =
                    Statement::<(BigInt, Nullable<instance::SqlType>)>::columns(sql, &cells);
                let rows: Vec<(i64, Option<Row>)> = statement.load(connection)?;
                let now = rows.iter().map(|(now, _)| Instant(*now)).max();
                self.know(now);
                rows.into_iter().filter_map(|(_, row)| row).collect()
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

impl Reader {
    /// At most `limit` instances after `after`, in order of id, that may have clocks in the form of
    /// before each step of a ladder kept for itself whom it had told. Reads all rows.
    ///
    /// # Errors
    /// As for any statement.
    pub fn instances_of_older_form(
        &mut self,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        let older =
            || instance::data.like("%\"hold\":%").or(instance::data.like("%\"quiet_until\":%"));
        let ids: Vec<i64> = each!(&mut self.connection, connection => {
            instance::table
                .filter(instance::id.gt(after.0).and(older()))
                .order(instance::id)
                .limit(limit)
                .select(instance::id)
                .load(connection)
        })?;
        Ok(ids.into_iter().map(InstanceId).collect())
    }

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
}
