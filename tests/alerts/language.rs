//! The words of the tests mean what they say: a story that leaves something unread, expects something
//! else, or says nothing of an alarm, fails.

use serde_json::json;

use super::county::{County, play};
use fenliu::domain::InstanceId;

/// A landslide of a tier, without police; an ordinary one is assessed and left to the land bureau.
pub(super) async fn landslide(county: &mut County, tier: &str) -> InstanceId {
    let input = json!({ "tier": tier, "started_at": county.now().to_string(), "coordination": true,
        "police_first": false, "unit": "guotu", "category": "land.geohazard",
        "place": "坪坝镇某村后山" });
    let id = county.opens("110台值班长", ("incident", "open_incident"), input).await;
    if tier == "ordinary" {
        let answers = json!({ "severity": 1, "sensitivity": 1, "development": 1 });
        county.does("110台值班长", id, "propose_tier", answers).await;
        county.does("110台值班长", id, "confirm_tier", json!({ "tier": "ordinary" })).await;
    }
    id
}

/// Everybody who is called out to a larger event at once, by both ways.
pub(super) fn called_out(county: &mut County, duty: &str) {
    for who in [duty, "guotu.leader", "gongan.leader", "110台值班长"] {
        county.expect_sms(who, "较大突发事件，责任单位县国土房管局，请立即签收");
        county.expect_email(who, "较大突发事件，责任单位县国土房管局，请立即签收");
    }
}

#[test]
fn a_story_that_reads_everything_comes_out() {
    play(async |county| {
        let id = landslide(county, "larger").await;
        called_out(county, "县应急办值班员乙");
        county.does("县应急办值班员乙", id, "note_alarm", json!({})).await;
        county.fast_forward(14).await;
        county.expect_nothing();
        county.fast_forward(1).await;
        county.expect_sms("guotu.liaison", "电话报告");
        county.expect_sms("110台值班长", "电话报告");
    });
}

#[test]
#[should_panic(expected = "unexpected: ")]
fn a_message_that_was_not_read_fails_the_story() {
    play(async |county| {
        landslide(county, "larger").await;
        county.expect_sms("县应急办值班员乙", "请立即签收");
    });
}

#[test]
#[should_panic(expected = "got another sms than `请签收督办单`")]
fn a_message_that_says_something_else_fails_the_story() {
    play(async |county| {
        landslide(county, "larger").await;
        county.expect_sms("县应急办值班员乙", "请签收督办单");
    });
}

#[test]
#[should_panic(expected = "no sms with `请立即签收` came to 县应急办值班员甲")]
fn a_message_that_did_not_come_fails_the_story() {
    play(async |county| {
        landslide(county, "larger").await;
        county.expect_sms("县应急办值班员甲", "请立即签收");
    });
}

#[test]
#[should_panic(expected = "alarms of which nobody spoke")]
fn an_alarm_of_which_nobody_spoke_fails_the_story() {
    play(async |county| {
        county.tell_mail(json!({"step": "rcpt", "code": 550, "text": "5.1.1 no such user"})).await;
        landslide(county, "larger").await;
        county.read_everything();
    });
}
