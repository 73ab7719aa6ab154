//! Figures told a second way: from the rows as lists count them, and from the events alone, both in
//! one snapshot, so that nothing moves between the two.

use std::collections::BTreeMap;

use super::Gate;
use super::error::Error;
use crate::domain::InstanceId;
use crate::store::{self, Filter};

/// What rows and events say of the same moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retold {
    /// Instances of the workflow by flat status, as the rows have it …
    pub rows: BTreeMap<String, i64>,
    /// … and as the last event of each leaves it.
    pub log: BTreeMap<String, i64>,
    /// The sum of all versions: so many events there must be …
    pub versions: i64,
    /// … and so many there are.
    pub events: i64,
}

/// Ids read at a time.
const PAGE: i64 = 1000;

impl Gate {
    /// Counts the instances of a workflow by status both ways, and all events. Blocks; reads
    /// everything.
    ///
    /// # Errors
    /// What the store says; an event that cannot be read.
    pub fn retell(&self, workflow: &str) -> Result<Retold, Error> {
        let filter = Filter { workflow: Some(workflow.to_owned()), ..Filter::default() };
        self.read(|reader| {
            let mut retold = Retold {
                rows: reader.count_by_status(&filter)?.into_iter().collect(),
                versions: reader.sum_of_versions()?,
                ..Retold::default()
            };
            let mut after = InstanceId(i64::MIN);
            loop {
                let ids = reader.instance_ids(after, PAGE)?;
                let Some(last) = ids.last() else { return Ok(retold) };
                after = *last;
                for id in ids {
                    let events = reader.events(id, 1, i64::MAX)?;
                    retold.events += i64::try_from(events.len()).unwrap_or(i64::MAX);
                    let of = reader.instance(id)?.map(|(instance, _)| instance.workflow);
                    let Some(last) = events.last().filter(|_| of.as_deref() == Some(workflow))
                    else {
                        continue;
                    };
                    let event = last.read().map_err(store::Error::Database)?;
                    *retold.log.entry(event.status).or_default() += 1;
                }
            }
        })
    }
}
