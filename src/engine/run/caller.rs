//! Word of those who called: that it was shown to somebody who they are, and that it was erased. Both
//! are facts of the matter, and change nothing else of it.

use super::Run;
use crate::domain::{Actor, Refusal, Text, Value};

/// The shortest and the longest reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 4..=300;

impl Run<'_> {
    /// Notes that it was shown who called, to whom and for what.
    ///
    /// # Errors
    /// `wrong_input` without a purpose.
    pub fn reveal(&mut self) -> Result<(), Refusal> {
        self.word_of_caller("purpose", "查看目的", "what for")
    }

    /// Notes that who called was erased, by whom and why.
    ///
    /// # Errors
    /// `wrong_input` without a reason; `still_open` before the matter has ended.
    pub fn erase(&mut self) -> Result<(), Refusal> {
        if self.instance.closed_at.is_none() {
            return Err(Refusal::new(
                "still_open",
                Text::new(
                    "事项尚未办结，来电人信息仍需使用",
                    "The matter has not ended: who called is still needed",
                ),
            ));
        }
        self.word_of_caller("reason", "删除理由", "why")
    }

    fn word_of_caller(&mut self, name: &str, zh: &str, en: &str) -> Result<(), Refusal> {
        let input = &self.command.input;
        let said = input.get(name).and_then(Value::as_text).unwrap_or_default();
        let only = input.keys().all(|key| key == name);
        if !REASON.contains(&said.trim().chars().count()) || !only {
            let (least, most) = (REASON.start(), REASON.end());
            return Err(Refusal::new(
                "wrong_input",
                Text::new(
                    format!("请在“{name}”写明{zh}，{least}至{most}字"),
                    format!("`{name}` says {en}, in {least} to {most} characters; nothing else"),
                ),
            ));
        }
        self.word_only = true;
        // The door has left only the grants that give the right.
        self.grant = match self.actor {
            Actor::Person { grants, .. } => grants.first().cloned(),
            _ => None,
        };
        Ok(())
    }
}
