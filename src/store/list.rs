//! Lists and figures over instances.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::connection::each;
use super::error::Error;
use super::instance::{Row, read_all};
use super::pool::Reader;
use super::schema::{instance, message, party};
use crate::domain::{Instance, InstanceId, Instant, JurisdictionId};

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
    /// And with one of these units among its parties now.
    pub present: Vec<String>,
    /// Or of one of these workflows, whoever its parties are.
    pub or_workflows: Vec<String>,
    /// Of this family.
    pub family: Option<InstanceId>,
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
    /// With this in a field.
    pub field: Option<Holding>,
    /// The cursor: only ids below this one (the last id of the previous page).
    pub before: Option<InstanceId>,
}

/// What an instance must have in a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// In the field of this name this code. Where a wildcard of SQL stands in the code, others may be
    /// shown, too.
    Code(String, String),
    /// In the field of this name, a set, some member.
    Member(String),
    /// In the field of this name anything.
    Anything(String),
}

impl Holding {
    fn pattern(&self) -> String {
        match self {
            Self::Code(name, code) => format!("%\"{name}\":\"{code}\"%"),
            Self::Member(name) => format!("%\"{name}\":[\"%"),
            Self::Anything(name) => format!("%\"{name}\":%"),
        }
    }
}

impl Filter {
    /// Whether it asks how an instance stands now: of one that has changed since, the answer tells.
    #[must_use]
    pub fn asks_how_it_stands(&self) -> bool {
        !self.statuses.is_empty()
            || self.holder.is_some()
            || self.open_only
            || self.tier_at_least.is_some()
            || self.due_before.is_some()
    }
}

/// The instances that some units take part in, or did.
macro_rules! of_units {
    ($filter:expr, $units:expr) => {{
        let mut of_units =
            party::table.select(party::instance_id).filter(party::unit.eq_any($units)).into_boxed();
        if let Some(id) = $filter.jurisdiction {
            of_units = of_units.filter(party::jurisdiction_id.eq(id.0));
        }
        if let Some(id) = $filter.before {
            of_units = of_units.filter(party::instance_id.lt(id.0));
        }
        of_units
    }};
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
        if let Some(family) = filter.family {
            query = query.filter(instance::family_id.eq(family.0));
        }
        let now = !filter.present.is_empty();
        let units = if now { &filter.present } else { &filter.parties };
        if !units.is_empty() || !filter.or_workflows.is_empty() {
            let mut of_units = of_units!(filter, units);
            if now {
                of_units = of_units.filter(party::to_seq.is_null());
            }
            if filter.or_workflows.is_empty() {
                query = query.filter(instance::id.eq_any(of_units));
            } else {
                let posted = instance::workflow.eq_any(&filter.or_workflows);
                query = query.filter(instance::id.eq_any(of_units).or(posted));
            }
        }
        if now && !filter.parties.is_empty() {
            query = query.filter(instance::id.eq_any(of_units!(filter, &filter.parties)));
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
        if let Some(holding) = &filter.field {
            // Read off the row's text as it is written: far cheaper than to read every row.
            query = query.filter(instance::data.like(holding.pattern()));
        }
        if let Some(before) = filter.before {
            query = query.filter(instance::id.lt(before.0));
        }
        query
    }};
}

/// How many instances a filter shows for each value of a column, in order of the value.
macro_rules! counted {
    ($reader:expr, $filter:expr, $column:path) => {{
        let mut counts: Vec<(_, i64)> = each!(&mut $reader.connection, connection: Backend => {
            let counts = instance::table
                .group_by($column)
                .select(($column, diesel::dsl::count_star()))
                .into_boxed::<Backend>();
            narrowed!(counts, $filter).load(connection)
        })?;
        counts.sort();
        Ok(counts)
    }};
}

/// What stands in two tables that must fit together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Instances not in a final or rest state.
    pub open: BTreeSet<InstanceId>,
    /// Instances that some clock row names, whether they are there or not.
    pub clocked: BTreeSet<InstanceId>,
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
        counted!(self, filter, instance::status)
    }

    /// How many instances `filter` shows per holder, in order of holder; those without one first.
    ///
    /// # Errors
    /// As for any statement.
    pub fn count_by_holder(
        &mut self,
        filter: &Filter,
    ) -> Result<Vec<(Option<String>, i64)>, Error> {
        counted!(self, filter, instance::holder)
    }

    /// Which instances are not in a final or rest state, and which have clocks in force: two walks
    /// over narrow indexes, without reading any instance.
    ///
    /// # Errors
    /// As for any statement.
    pub fn standing(&mut self) -> Result<Standing, Error> {
        use super::schema::clock;
        let (open, clocked): (Vec<i64>, Vec<i64>) = each!(&mut self.connection, connection => {
            let open = instance::table
                .select(instance::id)
                .filter(instance::closed_at.is_null())
                .load(connection)?;
            let clocked = clock::table.select(clock::instance_id).distinct().load(connection)?;
            (open, clocked)
        });
        let set = |ids: Vec<i64>| ids.into_iter().map(InstanceId).collect();
        Ok(Standing { open: set(open), clocked: set(clocked) })
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

    /// At most `limit` ids of instances above `after`, in order: for passes over everything. Also of
    /// those that are not there, but have left something elsewhere: an event, a clock, what a caller
    /// said, a unit that takes part.
    ///
    /// # Errors
    /// As for any statement.
    pub fn instance_ids(
        &mut self,
        after: InstanceId,
        limit: i64,
    ) -> Result<Vec<InstanceId>, Error> {
        use super::schema::{call_trace, clock, event, personal};
        // The least of each table come from its index; the least of all are among them.
        macro_rules! ids {
            ($connection:expr, $($table:ident . $column:ident),*) => {{
                let mut ids = BTreeSet::new();
                $(
                    let found: Vec<i64> = $table::table
                        .select($table::$column)
                        .filter($table::$column.gt(after.0))
                        .distinct()
                        .order($table::$column)
                        .limit(limit)
                        .load($connection)?;
                    ids.extend(found);
                )*
                ids
            }};
        }
        let ids: BTreeSet<i64> = each!(&mut self.connection, connection => ids!(
            connection,
            instance.id,
            event.instance_id,
            clock.instance_id,
            personal.instance_id,
            party.instance_id,
            call_trace.instance_id
        ));
        let limit = usize::try_from(limit).unwrap_or(0);
        Ok(ids.into_iter().take(limit).map(InstanceId).collect())
    }

    /// The sum of all instances' versions: the number of events that there must be.
    ///
    /// # Errors
    /// As for any statement.
    pub fn sum_of_versions(&mut self) -> Result<i64, Error> {
        self.connection.integer("SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM instance")
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
