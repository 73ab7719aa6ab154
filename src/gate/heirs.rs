//! Units that were merged or renamed: what they had open goes to those that go on with their work.

use super::error::Error;
use super::{Caller, Gate, Request, Target};
use crate::domain::{Actor, InstanceId, JurisdictionId};
use crate::engine::SUCCEED;
use crate::store::Filter;

/// So many matters are read in one go.
const PAGE: i64 = 200;

impl Gate {
    /// Everything open that is with a unit which has a successor is put with that one; answers how
    /// many matters were. One that fails holds up no other.
    ///
    /// # Errors
    /// What the store says, or why the last of those that failed did: they are to be tried again.
    pub async fn follow_successors(&self, whose: JurisdictionId) -> Result<usize, Error> {
        let directory = self.inner.registry.directory(whose)?;
        let merged = directory.units.values().filter(|unit| unit.successor.is_some());
        let merged: Vec<(String, String)> =
            merged.map(|unit| (unit.code.clone(), directory.heir(&unit.code).to_owned())).collect();
        let (mut moved, mut failed) = (0, None);
        for (from, to) in merged {
            for id in self.still_with(whose, &from).await? {
                let mut input = serde_json::Map::new();
                input.insert("from".to_owned(), from.as_str().into());
                input.insert("to".to_owned(), to.as_str().into());
                let request = Request {
                    caller: Caller { actor: Actor::System, jurisdiction: whose },
                    target: Target::Instance(id),
                    command: SUCCEED.to_owned(),
                    input,
                    occurred_at: None,
                    key: None,
                    if_version: None,
                    about: None,
                };
                match self.submit(request).await {
                    Ok(_) => moved += 1,
                    // It has moved on meanwhile.
                    Err(Error::Refused(_)) => {}
                    Err(error) => failed = Some(error),
                }
            }
        }
        failed.map_or(Ok(moved), Err)
    }

    /// Open matters that a unit has to do with now.
    async fn still_with(
        &self,
        whose: JurisdictionId,
        unit: &str,
    ) -> Result<Vec<InstanceId>, Error> {
        let (gate, unit) = (self.clone(), unit.to_owned());
        let look = move || {
            let mut filter = Filter {
                jurisdiction: Some(whose),
                parties: vec![unit.clone()],
                open_only: true,
                ..Filter::default()
            };
            let mut found = Vec::new();
            loop {
                let page = gate.read(|reader| reader.list(&filter, PAGE))?;
                let Some(last) = page.last() else { return Ok(found) };
                filter.before = Some(last.id);
                for instance in &page {
                    let chart = gate.inner.registry.chart(instance.definition)?;
                    if chart.parties_of(instance).any(|party| party == unit) {
                        found.push(instance.id);
                    }
                }
            }
        };
        tokio::task::spawn_blocking(look).await.map_err(|_ended| Error::Closing)?
    }
}
