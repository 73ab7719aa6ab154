//! How often each unit's returns were right, and each clause rightly disputed: every return counted by the
//! events of its matter; and the clauses that a return may name.

use std::collections::BTreeMap;

use super::error::Error;
use super::{Caller, Gate};
use crate::chart::routed::{
    CLAUSE, LAST_RETURN, PENDING, REJECTED, RETURNED, UNIT, UPHELD, WORKFLOW,
};
use crate::domain::{Event, Fields, Instance, InstanceId, Instant, Value};
use crate::policy::Act;
use crate::store::{self, Filter, Holding, Reader};

/// So many matters, or events, are read in one go.
const PAGE: i64 = 500;

/// How returns went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Returns {
    /// So many there were.
    pub returned: i64,
    /// The desk was wrong.
    pub upheld: i64,
    /// The unit was wrong.
    pub rejected: i64,
    /// Nobody has decided yet, or the matter ended before somebody did.
    pub pending: i64,
}

/// Returns of some time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnFigures {
    /// Matters that were opened in that time.
    pub matters: i64,
    /// By unit.
    pub units: BTreeMap<String, Returns>,
    /// By the clause that was disputed.
    pub clauses: BTreeMap<String, Returns>,
}

/// What gives a category to a unit, as the catalogue and the vocabulary say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Of which category.
    pub category: String,
    /// Its words.
    pub text: String,
}

/// One return.
#[derive(Debug, PartialEq, Eq)]
struct Return {
    unit: String,
    clause: Option<String>,
    outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Pending,
    Upheld,
    Rejected,
}

impl Gate {
    /// How returns went of matters that were opened in some time: upheld ones, where the desk was
    /// wrong, apart from rejected ones, where the unit was; each with the clause that it disputed. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; what the store says.
    pub fn returns(
        &self,
        caller: &Caller,
        (from, to): (Option<Instant>, Option<Instant>),
    ) -> Result<ReturnFigures, Error> {
        self.sees_routing(caller)?;
        let mut filter = Filter {
            jurisdiction: Some(caller.jurisdiction),
            workflow: Some(WORKFLOW.to_owned()),
            opened_from: from,
            opened_to: to,
            ..Filter::default()
        };
        let opened = self.read(|reader| reader.count_by_status(&filter))?;
        let matters = opened.iter().map(|(_, count)| count).sum();
        let mut figures = ReturnFigures { matters, ..ReturnFigures::default() };
        filter.field = Some(Holding::Member(RETURNED.to_owned()));
        loop {
            let (last, returns) = self.read(|reader| {
                let page = reader.list(&filter, PAGE)?;
                let mut returns = Vec::new();
                for Instance { id, .. } in &page {
                    returns.extend(returns_of(reader, *id)?);
                }
                Ok((page.last().map(|last| last.id), returns))
            })?;
            returns.iter().for_each(|one| figures.count(one));
            if last.is_none() {
                return Ok(figures);
            }
            filter.before = last;
        }
    }

    /// The clauses by which categories are given to units: those of one category, or all, in order of
    /// category.
    ///
    /// # Errors
    /// `Forbidden`; that there is no such category.
    pub fn clauses(&self, caller: &Caller, category: Option<&str>) -> Result<Vec<Clause>, Error> {
        self.permit(caller, Act::ReadDirectory)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        if let Some(code) = category.filter(|code| !directory.categories.contains_key(*code)) {
            let en = format!("`category`: there is no `{code}`");
            return Err(Error::invalid(format!("没有类别“{code}”（category）"), en));
        }
        let router = self.router(caller.jurisdiction);
        let mut clauses = Vec::new();
        for one in directory.categories.values() {
            if one.retired || category.is_some_and(|code| code != one.code) {
                continue;
            }
            let known = router.as_ref().and_then(|router| router.clause(&one.code));
            let law = one.law.as_ref().map(|law| law.zh.as_str());
            for text in known.into_iter().chain(law).filter(|text| !text.is_empty()) {
                let clause = Clause { category: one.code.clone(), text: text.to_owned() };
                if !clauses.contains(&clause) {
                    clauses.push(clause);
                }
            }
        }
        Ok(clauses)
    }
}

/// The returns of a matter, in order, as its events tell them.
fn returns_of(reader: &mut Reader, id: InstanceId) -> Result<Vec<Return>, store::Error> {
    let (mut fields, mut returns) = (Fields::new(), Vec::new());
    let mut next = 1;
    loop {
        let page = reader.events(id, next, PAGE)?;
        let Some(last) = page.last() else { return Ok(returns) };
        next = last.seq + 1;
        for event in &page {
            follow(&mut fields, &mut returns, &event.read().map_err(store::Error::Refused)?);
        }
    }
}

/// Takes in what an event says of returns.
fn follow(fields: &mut Fields, returns: &mut Vec<Return>, event: &Event) {
    let text = |fields: &Fields, name: &str| {
        fields.get(name).and_then(Value::as_text).map(|text| text.trim().to_owned())
    };
    let outcome = match event.set.get(LAST_RETURN).and_then(Value::as_text) {
        Some(PENDING) => Some(Outcome::Pending),
        Some(UPHELD) => Some(Outcome::Upheld),
        Some(REJECTED) => Some(Outcome::Rejected),
        _ => None,
    };
    match (outcome, returns.last_mut()) {
        (Some(Outcome::Pending), _) => returns.push(Return {
            // Whose it was before it came back.
            unit: text(fields, UNIT).unwrap_or_default(),
            clause: text(&event.command.input, CLAUSE).filter(|clause| !clause.is_empty()),
            outcome: Outcome::Pending,
        }),
        // The desk decides, and the government may decide otherwise.
        (Some(decided), Some(last)) => last.outcome = decided,
        (_, _) => {}
    }
    if let Some(unit) = event.set.get(UNIT) {
        fields.insert(UNIT.to_owned(), unit.clone());
    }
}

impl ReturnFigures {
    fn count(&mut self, one: &Return) {
        self.units.entry(one.unit.clone()).or_default().count(one.outcome);
        if let Some(clause) = &one.clause {
            self.clauses.entry(clause.clone()).or_default().count(one.outcome);
        }
    }
}

impl Returns {
    fn count(&mut self, outcome: Outcome) {
        self.returned += 1;
        match outcome {
            Outcome::Pending => self.pending += 1,
            Outcome::Upheld => self.upheld += 1,
            Outcome::Rejected => self.rejected += 1,
        }
    }
}
