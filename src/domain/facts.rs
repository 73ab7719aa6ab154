//! What a decision needs to know from outside: asked by question, recorded with the command, and
//! answered from the record when the decision is replayed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::instance::Instance;
use super::value::Value;

/// Answers questions about the world outside an instance.
///
/// Questions are short paths, so that a record of them can be read by an auditor:
/// `body/desk` (the unit that plays a party), `unit/water/active`, `category/noise.x/police_kept`,
/// `people/water/liaison` (a list of person ids), `matter/00000017/open`. A question without an answer is `Unset`.
pub trait Facts {
    /// The answer to one question.
    fn ask(&self, question: &str) -> Value;
}

/// Facts as they were answered once; the record that an event keeps.
pub type FactRecord = BTreeMap<String, Value>;

impl Facts for FactRecord {
    fn ask(&self, question: &str) -> Value {
        self.get(question).cloned().unwrap_or_default()
    }
}

/// Other facts, with some that count only for one command beside them.
pub struct Beside {
    facts: Arc<dyn Facts + Send + Sync>,
    more: FactRecord,
}

impl Beside {
    /// `facts`, and `more` where they know the question.
    #[must_use]
    pub fn new(facts: Arc<dyn Facts + Send + Sync>, more: FactRecord) -> Self {
        Self { facts, more }
    }
}

impl Facts for Beside {
    fn ask(&self, question: &str) -> Value {
        self.more.get(question).cloned().unwrap_or_else(|| self.facts.ask(question))
    }
}

/// What is known of a matter that a command names by its number: `matter/<number>/id` and so on.
#[must_use]
pub fn of_matter(number: &str, matter: &Instance) -> FactRecord {
    let answers = [
        ("id", Value::Int(matter.id.0)),
        ("workflow", matter.workflow.as_str().into()),
        ("open", matter.closed_at.is_none().into()),
    ];
    answers.map(|(name, answer)| (format!("matter/{number}/{name}"), answer)).into()
}

/// Passes questions on and writes down every answer.
pub struct Witness<'f> {
    facts: &'f dyn Facts,
    record: RefCell<FactRecord>,
}

impl<'f> Witness<'f> {
    /// A witness of what `facts` will be asked.
    #[must_use]
    pub fn new(facts: &'f dyn Facts) -> Self {
        Self { facts, record: RefCell::default() }
    }

    /// Everything that was asked, with the answers.
    #[must_use]
    pub fn into_record(self) -> FactRecord {
        self.record.into_inner()
    }
}

impl Facts for Witness<'_> {
    fn ask(&self, question: &str) -> Value {
        if let Some(answer) = self.record.borrow().get(question) {
            return answer.clone();
        }
        let answer = self.facts.ask(question);
        self.record.borrow_mut().insert(question.to_owned(), answer.clone());
        answer
    }
}
