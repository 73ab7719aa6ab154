//! The desk's part when the guard has read a call.

use serde_json::json;

use super::Matter;
use crate::app::demo::driver::{Error, lock};
use crate::domain::Role::{Dispatcher, ShiftLeader};

impl Matter<'_> {
    /// What the guard made of the call is looked at, and answered: one question to the caller where it
    /// asks; where it keeps what a unit may handle, the shift leader gives it free with a reason.
    pub(super) async fn guarded(&self, id: &str, unit: &str, kept: bool) -> Result<(), Error> {
        let seen = self.driver.look("desk", Dispatcher, &format!("/referrals/{id}")).await?;
        let guard = seen["fields"]["guard"].as_str().unwrap_or("unread").to_owned();
        *lock(&self.driver.tally.guard).entry(guard.clone()).or_default() += 1;
        if kept {
            return Ok(());
        }
        match guard.as_str() {
            "ask" => {
                let answer = json!({ "police_matter": false });
                self.give("desk", Dispatcher, id, "answer_guard", answer).await?;
            }
            "keep" => {
                let (category, reason) =
                    (self.category(unit, false), "回电核实，无人遇险，不属警情");
                let free = json!({ "category": category, "reason": reason });
                self.give("desk", ShiftLeader, id, "reclassify", free).await?;
            }
            _ => {}
        }
        Ok(())
    }
}
