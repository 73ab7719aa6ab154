//! What a decision needs to know from outside: asked by question, recorded with the command, and
//! answered from the record when the decision is replayed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::value::Value;

/// Answers questions about the world outside an instance.
///
/// Questions are short paths, so that a record of them can be read by an auditor:
/// `body/desk` (the unit that plays a party), `unit/huanbao/active`, `category/noise.x/police_kept`,
/// `people/huanbao/liaison` (a list of person ids). A question without an answer is `Unset`.
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
