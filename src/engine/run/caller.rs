//! Word of those who called: that it was shown to somebody who they are, that it was put right, and that it
//! was erased. All are facts of the matter, and change nothing else of it.

use super::Run;
use crate::domain::{Actor, Refusal, Text, Value};
use crate::engine::{CALL, REASON};

/// The shortest and the longest reason, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 4..=300;

/// Refuses a purpose or a reason that says nothing, or too much.
///
/// # Errors
/// `wrong_input`.
pub fn said(name: &str, text: &str, (zh, en): (&str, &str)) -> Result<(), Refusal> {
    if LENGTH.contains(&text.trim().chars().count()) {
        return Ok(());
    }
    let (least, most) = (LENGTH.start(), LENGTH.end());
    let text = Text::new(
        format!("请在“{name}”写明{zh}，{least}至{most}字"),
        format!("`{name}` says {en}, in {least} to {most} characters; nothing else"),
    );
    Err(Refusal::new("wrong_input", text))
}

impl Run<'_> {
    /// Notes that it was shown who called, to whom and for what.
    ///
    /// # Errors
    /// `wrong_input` without a purpose.
    pub fn reveal(&mut self) -> Result<(), Refusal> {
        self.word_of_caller(("purpose", "查看目的", "what for"), |_| false)
    }

    /// Notes that what is kept of who called was put right, by whom and why: the input holds the event
    /// of the call, and digests of what is right.
    ///
    /// # Errors
    /// `wrong_input` without a reason, or for what does not say who called.
    pub fn correct(&mut self) -> Result<(), Refusal> {
        let identities = self.situation.chart.identities();
        self.word_of_caller((REASON, "更正理由", "why"), |key| {
            key == CALL || identities.contains_key(key)
        })
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
        self.word_of_caller((REASON, "删除理由", "why"), |_| false)
    }

    /// Word of a caller says why, and nothing but that and what may stand `beside`.
    fn word_of_caller(
        &mut self,
        (name, zh, en): (&str, &str, &str),
        beside: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let input = &self.command.input;
        let text = input.get(name).and_then(Value::as_text).unwrap_or_default();
        let only = input.keys().all(|key| key == name || beside(key));
        said(name, if only { text } else { "" }, (zh, en))?;
        self.word_only = true;
        // The door has left only the grants that give the right.
        self.grant = match self.actor {
            Actor::Person { grants, .. } => grants.first().cloned(),
            _ => None,
        };
        Ok(())
    }
}
