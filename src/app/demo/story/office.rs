//! The emergency office's part: supervision orders and serious events.

use serde_json::json;

use super::Matter;
use crate::app::demo::driver::Error;
use crate::domain::Role::{Director, Duty, Leader, Liaison, ShiftLeader};

impl Matter<'_> {
    /// What the emergency office and the unit do about supervision orders of the matter.
    pub(super) async fn supervision(&self, id: &str, unit: &str) -> Result<(), Error> {
        for order in self.children(id, "supervision").await? {
            let order = order["id"].as_str().unwrap_or_default().to_owned();
            let demand = json!({ "demand": "请立即办理并书面说明逾期原因" });
            self.give("emergency_office", Duty, &order, "issue", demand).await?;
            self.give(unit, Liaison, &order, "accept", json!({})).await?;
            let report = json!({ "report": "已办理完毕，逾期原因为人员外出，今后改进" });
            self.give(unit, Leader, &order, "report_back", report).await?;
            self.driver.wait(30).await;
            self.give("emergency_office", Duty, &order, "accept_report", json!({})).await?;
        }
        Ok(())
    }

    /// Tier, phone report in 30 minutes, written report in 60; every third is late.
    pub(super) async fn incident(&self, id: &str) -> Result<(), Error> {
        for incident in self.children(id, "incident").await? {
            let incident = incident["id"].as_str().unwrap_or_default().to_owned();
            let late = self.number.is_multiple_of(3);
            self.give("emergency_office", Duty, &incident, "note_alarm", json!({})).await?;
            self.driver.wait(if late { 40 } else { 8 }).await;
            let phone = json!({ "receiver": "应急办值班员", "summary": "现场已控制，正在处置" });
            self.give("desk", ShiftLeader, &incident, "report_phone", phone).await?;
            self.driver.wait(2).await;
            self.give("emergency_office", Duty, &incident, "confirm_phone", json!({})).await?;
            self.driver.wait(if late { 45 } else { 20 }).await;
            let written =
                json!({ "number": format!("专报〔{}〕", self.number), "signer": "值班领导" });
            self.give("desk", ShiftLeader, &incident, "send_written", written).await?;
            self.give("emergency_office", Duty, &incident, "receive_written", json!({})).await?;
            if self.call.tier >= 3 {
                self.give("emergency_office", Duty, &incident, "take_command", json!({})).await?;
            }
            self.driver.wait(3 * 60 + self.dice(15, 240)).await;
            let text = json!({ "text": "处置完毕，无后续风险" });
            self.give("desk", ShiftLeader, &incident, "scene_safe", json!({})).await?;
            self.give("desk", ShiftLeader, &incident, "report_final", text).await?;
            self.driver.wait(10).await;
            self.give("emergency_office", Director, &incident, "stand_down", json!({})).await?;
        }
        Ok(())
    }
}
