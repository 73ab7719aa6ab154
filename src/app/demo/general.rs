//! The two general workflows of the plan, through the same API: vehicle marks and convenience
//! measures. No line of Rust knows them but these, which play their users.

use serde_json::json;

use super::driver::{Driver, Error, Outcome};
use crate::domain::Role::{Director, Duty, Leader, Liaison};

/// Plays one of each.
pub(super) async fn play(driver: &Driver) -> Result<(), Error> {
    driver.wait(20).await;
    vehicle_mark(driver).await?;
    convenience_measure(driver).await
}

async fn vehicle_mark(driver: &Driver) -> Result<(), Error> {
    let input = json!({
        "unit": "ranqi", "plate": "渝F00000", "vehicle": "燃气抢修车", "duty": "燃气设施抢险",
    });
    let Outcome::Done(opened) = driver.open("ranqi", Liaison, "vehicle_mark", input).await? else {
        return Ok(());
    };
    let id = opened["id"].as_str().unwrap_or_default();
    driver.wait(60).await;
    driver.give("police", Leader, id, "approve", json!({})).await?;
    let mark = json!({ "mark_number": "联动-001" });
    driver.give("police", Liaison, id, "make_mark", mark).await?;
    let until = json!({ "valid_until": driver.clock_date(365) });
    driver.give("police", Liaison, id, "issue_mark", until).await?;
    driver.give("ranqi", Liaison, id, "sign_for_mark", json!({})).await?;
    let until = json!({ "until": driver.clock_date(14), "reason": "非紧急任务使用标识" });
    driver.give("police", Liaison, id, "suspend", until).await?;
    driver.give("police", Liaison, id, "resume", json!({})).await?;
    driver.give("ranqi", Liaison, id, "return_mark", json!({})).await?;
    driver.give("police", Liaison, id, "take_back", json!({})).await?;
    Ok(())
}

async fn convenience_measure(driver: &Driver) -> Result<(), Error> {
    let input = json!({
        "unit": "huimin", "name": "停水提前短信告知", "content": "计划停水提前24小时短信告知用户",
        "quarter_end": "2018-09-28",
    });
    let opened = driver.open("huimin", Liaison, "convenience_measure", input).await?;
    let Outcome::Done(opened) = opened else { return Ok(()) };
    let id = opened["id"].as_str().unwrap_or_default();
    driver.wait(120).await;
    driver.give("emergency_office", Duty, id, "collect", json!({})).await?;
    let decision = json!({
        "decision": "agreed", "meeting_on": driver.clock_date(0), "minutes": "联席会议纪要〔2018〕3号",
        "opinion": "同意，报县领导签批",
    });
    driver.give("emergency_office", Duty, id, "decide", decision).await?;
    driver.give("emergency_office", Director, id, "submit", json!({})).await?;
    driver.wait(240).await;
    driver.give("county", Leader, id, "sign", json!({})).await?;
    let report_by = json!({ "report_by": "2018-09-28" });
    driver.give("huimin", Liaison, id, "put_in_force", report_by).await?;
    let result = json!({ "result": "计划停水均已提前24小时短信告知，群众反映良好" });
    driver.give("huimin", Leader, id, "report", result).await?;
    let opinion = json!({ "opinion": "措施有效，转为日常工作" });
    driver.give("emergency_office", Director, id, "end_measure", opinion).await?;
    Ok(())
}
