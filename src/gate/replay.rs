//! Changes of the catalogue that rulings propose, each with what it would have done to the matters of its
//! category: all of them, counted.

use std::collections::BTreeSet;

use super::error::Error;
use super::query::Page;
use super::{Caller, Gate};
use crate::chart::routed::{CATEGORY, FIRST_UNIT, PLACE, WORKFLOW};
use crate::domain::{Category, Directory, Instance, InstanceId, Instant, JurisdictionId, Value};
use crate::routing::Traits;
use crate::routing::suggestion::per_mille;
use crate::store::{Filter, Holding, PrecedentRow};

/// A change is tried on the matters of so many milliseconds.
const BEHIND: i64 = 400 * 24 * 3_600_000;

/// So many matters are listed beside a proposal; the others by pages.
const SHOWN: usize = 50;

/// So many matters, or rulings, are read in one go.
const PAGE: i64 = 500;

/// A change of the catalogue that a ruling proposes.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The ruling.
    pub precedent: PrecedentRow,
    /// The category's units as they are.
    pub before: Vec<String>,
    /// As they would be.
    pub after: Vec<String>,
    /// What it would have done.
    pub replay: Replay,
}

/// What a change would have done to the matters of its category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Matters opened since then were looked at.
    pub since: Instant,
    /// So many of the category had gone to a unit.
    pub replayed: i64,
    /// So many of these would have gone to another unit.
    pub would_move: i64,
    /// The newest of them.
    pub moved: Vec<Elsewhere>,
}

/// A matter of the past that would have gone to another unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// The matter.
    pub instance: InstanceId,
    /// The unit that it went to first.
    pub first: String,
    /// How like the ruled one it is, in thousandths; none where the text was erased or never read.
    pub likeness: Option<u16>,
}

impl Gate {
    /// At most `limit` changes of the catalogue that rulings propose, the newest first, after the one of a
    /// matter if one is given, with what they would have moved. Walks once through every matter of each of
    /// their categories. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when that matter left no precedent.
    pub fn proposed_changes(
        &self,
        caller: &Caller,
        after: Option<InstanceId>,
        limit: usize,
    ) -> Result<Page<Proposal>, Error> {
        self.sees_routing(caller)?;
        let owner = caller.jurisdiction;
        let directory = self.inner.registry.directory(owner)?;
        let mut last = self.precedent_of(caller, after)?;
        let (now, mut items, mut more) = (self.now(), Vec::new(), false);
        while !more {
            let rows = self.read(|reader| reader.precedents(owner, last.as_ref(), PAGE))?;
            let Some(end) = rows.last() else { break };
            last = Some(end.clone());
            for precedent in rows {
                let Some((before, after)) = change(&directory, &precedent, now) else { continue };
                more = items.len() == limit;
                if more {
                    break;
                }
                let replay = Replay::since(now.plus(-BEHIND));
                items.push(Proposal { precedent, before, after, replay });
            }
        }
        let categories: BTreeSet<String> =
            items.iter().map(|one: &Proposal| one.precedent.category.clone()).collect();
        for code in categories {
            // One walk for all that is proposed of a category.
            let mut of_category: Vec<&mut Proposal> =
                items.iter_mut().filter(|one| one.precedent.category == code).collect();
            self.walk(&directory, (owner, &code, None), |category, instance| {
                for Proposal { precedent, replay, .. } in &mut of_category {
                    replay.count((&directory, category), precedent, instance, SHOWN);
                }
                true
            })?;
        }
        for Proposal { precedent, replay, .. } in &mut items {
            self.liken(precedent, &mut replay.moved)?;
        }
        Ok(Page { items, more })
    }

    /// The matters that one proposal would have moved, the newest first: at most `limit` of those below an
    /// id. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such proposal.
    pub fn would_have_moved(
        &self,
        caller: &Caller,
        id: InstanceId,
        (before, limit): (Option<InstanceId>, usize),
    ) -> Result<Page<Elsewhere>, Error> {
        self.sees_routing(caller)?;
        let owner = caller.jurisdiction;
        let directory = self.inner.registry.directory(owner)?;
        let row = self.read(|reader| reader.precedent(owner, id))?.ok_or(Error::NotFound)?;
        let now = self.now();
        change(&directory, &row, now).ok_or(Error::NotFound)?;
        let mut replay = Replay::since(now.plus(-BEHIND));
        self.walk(&directory, (owner, &row.category, before), |category, instance| {
            replay.count((&directory, category), &row, instance, limit + 1);
            replay.moved.len() <= limit
        })?;
        let mut items = replay.moved;
        self.liken(&row, &mut items)?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    /// Walks through the matters of a category that lie below an id, the newest first, as far back as
    /// changes are tried and as long as there is more to see.
    fn walk(
        &self,
        directory: &Directory,
        (owner, code, before): (JurisdictionId, &str, Option<InstanceId>),
        mut sees: impl FnMut(&Category, &Instance) -> bool,
    ) -> Result<(), Error> {
        let Some(category) = directory.categories.get(code) else { return Ok(()) };
        let mut filter = Filter {
            jurisdiction: Some(owner),
            workflow: Some(WORKFLOW.to_owned()),
            opened_from: Some(self.now().plus(-BEHIND)),
            field: Some(Holding::Code(CATEGORY.to_owned(), code.to_owned())),
            before,
            ..Filter::default()
        };
        loop {
            let page = self.read(|reader| reader.list(&filter, PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            filter.before = Some(last.id);
            for instance in page.iter().filter(|one| text(one, CATEGORY) == Some(code)) {
                if !sees(category, instance) {
                    return Ok(());
                }
            }
        }
    }

    /// Says how like the ruled matter the moved ones are.
    fn liken(&self, ruled: &PrecedentRow, moved: &mut [Elsewhere]) -> Result<(), Error> {
        if ruled.traits.is_empty() {
            return Ok(());
        }
        let own = Traits::decode(&ruled.traits);
        self.read(|reader| {
            for moved in moved {
                let trace = reader.trace(moved.instance)?.filter(|one| !one.traits.is_empty());
                moved.likeness =
                    trace.map(|trace| per_mille(own.likeness(&Traits::decode(&trace.traits))));
            }
            Ok(())
        })
    }
}

impl Replay {
    fn since(since: Instant) -> Self {
        Self { since, replayed: 0, would_move: 0, moved: Vec::new() }
    }

    /// Counts a matter of the category, if it is another one than the ruled and had gone to a unit; of
    /// those that would have moved the first `kept` are named.
    fn count(
        &mut self,
        (directory, category): (&Directory, &Category),
        ruled: &PrecedentRow,
        instance: &Instance,
        kept: usize,
    ) {
        let first = text(instance, FIRST_UNIT).filter(|_| instance.id != ruled.instance);
        let Some(first) = first else { return };
        self.replayed += 1;
        if !would_move(directory, category, ruled, instance) {
            return;
        }
        self.would_move += 1;
        if self.moved.len() < kept {
            let (instance, first) = (instance.id, first.to_owned());
            self.moved.push(Elsewhere { instance, first, likeness: None });
        }
    }
}

/// A category's units as they are and with the ruled one first; none if it stands first already, if there
/// is no such category any more, if the ruling is for one township or for a time or has not begun at an
/// instant, or if nothing can be given to that unit or the one that goes on with its work.
pub(super) fn change(
    directory: &Directory,
    row: &PrecedentRow,
    now: Instant,
) -> Option<(Vec<String>, Vec<String>)> {
    let before = directory.categories.get(&row.category)?.units.clone();
    let unit = directory.heir(&row.unit);
    let decided = row.decision.is_some();
    let first = before.first().is_some_and(|first| directory.heir(first) == unit);
    let idle = first || !row.is_general(now) || !directory.is_fit(unit);
    if !decided && idle {
        return None;
    }
    let others = before.iter().filter(|one| directory.heir(one) != unit).cloned();
    let after = std::iter::once(unit.to_owned()).chain(others).collect();
    Some((before, after))
}

/// Whether a matter would have gone to the ruled unit, and went to another one: where the catalogue names a
/// unit for the township, that one still has it.
fn would_move(
    directory: &Directory,
    category: &Category,
    ruled: &PrecedentRow,
    instance: &Instance,
) -> bool {
    let unit = directory.heir(&ruled.unit);
    let place = text(instance, PLACE).unwrap_or_default();
    let township = directory.township_of(place);
    let local = township.and_then(|township| category.territory.get(township));
    let local = local.map(|local| directory.heir(local)).filter(|local| directory.is_fit(local));
    let first = text(instance, FIRST_UNIT).map(|first| directory.heir(first));
    local.is_none_or(|local| local == unit) && first.is_some_and(|first| first != unit)
}

fn text<'i>(instance: &'i Instance, field: &str) -> Option<&'i str> {
    instance.fields.get(field).and_then(Value::as_text)
}
