//! In which order a command is refused: what cannot be done at all is said before what is wrong with
//! its input.

use serde_json::json;

use super::office::Office;

#[tokio::test]
async fn what_cannot_be_done_is_said_before_what_is_wrong_with_the_input() {
    let office = Office::open().await;
    let id = office.report("Pier 4").await;
    let ask = async |who: &str, body: serde_json::Value| office.command(who, &id, body).await;

    let unknown = json!({ "command": "paint", "input": { "colour": 7 } });
    let unknown = ask("Asha", unknown).await;
    assert_eq!(unknown.json["code"], "unknown_command", "{}", unknown.text);
    assert_eq!(unknown.json["possible"], json!(["assign"]));

    let no_right = json!({ "command": "decline", "input": { "reason": "x", "colour": 7 } });
    let no_right = ask("Asha", no_right).await;
    assert_eq!(no_right.problem(403), "not_yours");

    let wrong = json!({ "command": "assign", "input": { "unit": 5 } });
    assert_eq!(ask("Asha", wrong.clone()).await.problem(422), "wrong_input");
    let assign = json!({ "command": "assign", "input": { "unit": "cranes" } });
    ask("Asha", assign).await.ok(200);
    let late = ask("Asha", wrong).await;
    assert_eq!(late.json["code"], "not_possible_now", "{}", late.text);

    ask("Baraka", json!({ "command": "repaired" })).await.ok(200);
    let ended = json!({ "command": "decline", "input": { "reason": "x" } });
    assert_eq!(ask("Baraka", ended).await.json["code"], "not_possible_now");
    let nothing = json!({ "command": "acknowledge", "input": { "clock": 3 } });
    assert_eq!(ask("Asha", nothing).await.json["code"], "nothing_to_acknowledge");
}

#[tokio::test]
async fn who_may_not_open_a_matter_is_told_that_and_not_what_is_wrong_with_it() {
    let office = Office::open().await;
    let input = json!({ "berth": 77, "caller": "Zuri" });
    let denied = office.post("Baraka", "/api/v1/referrals", json!({ "input": input })).await;
    assert_eq!(denied.problem(403), "not_yours");
    let input = json!({ "berth": 77, "caller": "Zuri" });
    let wrong = office.post("Asha", "/api/v1/referrals", json!({ "input": input })).await;
    assert_eq!(wrong.problem(422), "wrong_input");
    let other = json!({ "workflow": "referral", "command": "assign", "input": { "unit": 5 } });
    let other = office.post("Asha", "/api/v1/instances", other).await;
    assert_eq!(other.json["code"], "not_the_start", "{}", other.text);
    for answer in [denied, wrong, other] {
        assert!(!answer.text.contains("Zuri"), "a caller's name came back: {}", answer.text);
    }
}
