//! Whether guards can hold together: a search over finite domains.
//!
//! What cannot be enumerated is a free atom: a flag, or a term of which only the comparisons with
//! literals matter. Atoms are told apart by their canonical text, so that the same question has the
//! same answer everywhere. Free atoms allow more than the world does, never less: `Never` is sure,
//! a witness is only likely.

mod formula;

use std::collections::BTreeMap;

use self::formula::{Assignment, Formula, Standing, Variables};
use super::Expression;
use crate::domain::Value;

/// How many tries are made before a conjunction counts as too large.
const BUDGET: u32 = 100_000;

/// The finite domains of names.
pub trait Domains {
    /// Every value that the path may have, with `Unset` if it is optional; `None` if there are too
    /// many to list. Tiers are their ranks.
    fn domain(&self, path: &str) -> Option<Vec<Value>>;
}

/// Whether a conjunction can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Satisfiability {
    /// It cannot, whatever the values.
    Never,
    /// It seems to hold for these values: names and questions as they are written, with the values
    /// that matter. Names that do not matter are left out.
    Witness(BTreeMap<String, String>),
    /// There are too many cases to say.
    TooLarge,
}

/// Whether all the expressions can have the wanted truth at once.
///
/// `Never` is sure as long as the domains are complete. A witness may be impossible in the world
/// (free atoms are taken to be independent of each other).
#[must_use]
pub fn satisfiable(all: &[(&Expression, bool)], names: &dyn Domains) -> Satisfiability {
    let mut variables = Variables::new(names);
    let goals = all
        .iter()
        .map(|(expression, wanted)| (variables.formula(&expression.root), *wanted))
        .collect();
    let mut search = Search { goals, variables: &variables, budget: BUDGET };
    let mut assignment = variables.nothing_assigned();
    match search.run(&mut assignment) {
        Ok(true) => Satisfiability::Witness(variables.describe(&assignment)),
        Ok(false) => Satisfiability::Never,
        Err(Spent) => Satisfiability::TooLarge,
    }
}

/// The budget is used up.
struct Spent;

struct Search<'g> {
    goals: Vec<(Formula<'g>, bool)>,
    variables: &'g Variables<'g>,
    budget: u32,
}

impl Search<'_> {
    /// Extends `assignment` until every goal is met; leaves it as it was if that is impossible.
    /// As deep as there are variables.
    fn run(&mut self, assignment: &mut Assignment) -> Result<bool, Spent> {
        self.budget = self.budget.checked_sub(1).ok_or(Spent)?;
        let mut open = None;
        for (formula, wanted) in &self.goals {
            match formula.standing(self.variables, assignment) {
                Standing::Is(truth) if truth == *wanted => {}
                Standing::Is(_) => return Ok(false),
                Standing::Open(variable) => open = open.or(Some(variable)),
            }
        }
        let Some(variable) = open else { return Ok(true) };
        for choice in self.variables.choices(variable) {
            assignment.set(variable, Some(choice.clone()));
            if self.run(assignment)? {
                return Ok(true);
            }
        }
        assignment.set(variable, None);
        Ok(false)
    }
}
