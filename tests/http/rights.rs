//! Who may see and do what, and that nobody learns more from a refusal.

use reqwest::Method;
use serde_json::json;

use super::office::{Office, read};

// Check 3.
#[tokio::test]
async fn a_foreign_matter_is_as_if_it_were_not_there() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let foreign = office.get("Chiku", &format!("/api/v1/referrals/{id}")).await;
    let missing = office.get("Chiku", "/api/v1/referrals/ins_0000000000000").await;
    let nonsense = office.get("Chiku", "/api/v1/referrals/17").await;
    assert_eq!(foreign.problem(404), "not_found");
    assert_eq!(foreign.text, missing.text);
    assert_eq!(foreign.text, nonsense.text);
    let command = office.command("Chiku", &id, json!({ "command": "repaired" })).await;
    assert_eq!(command.problem(404), "not_found");
    assert_eq!(command.text, missing.text);
    for part in ["events", "clocks", "clocks/repair", "children", "messages"] {
        let answer = office.get("Chiku", &format!("/api/v1/referrals/{id}/{part}")).await;
        assert_eq!(answer.text, missing.text, "{part}");
    }
    let list = office.get("Chiku", "/api/v1/referrals").await.ok(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn without_a_good_token_nothing_is_answered() {
    let office = Office::open().await;
    let none = office.get("nobody", "/api/v1/referrals").await;
    assert_eq!(none.problem(401), "unauthorized");
    assert!(none.header("www-authenticate").starts_with("Bearer"));
    let request = office.ask("nobody", Method::GET, "/api/v1/me").bearer_auth("fenliu_wrong");
    assert_eq!(read(request).await.problem(401), "unauthorized");
}

// Check 4.
#[tokio::test]
async fn a_unit_sees_a_callers_data_only_while_it_holds_the_matter() {
    let office = Office::open().await;
    let body = json!({ "input": { "place": "Pier 4", "caller": "Zuri" } });
    let opened = office.post("Asha", "/api/v1/referrals", body).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let path = format!("/api/v1/referrals/{id}");
    let assign = json!({ "command": "assign", "input": { "unit": "cranes" } });
    office.command("Asha", id, assign).await.ok(200);
    assert_eq!(office.get("Baraka", &path).await.ok(200)["personal"]["caller"], "Zuri");
    let decline = json!({ "command": "decline", "input": { "reason": "not our crane" } });
    office.command("Baraka", id, decline).await.ok(200);
    let former = office.get("Baraka", &path).await.ok(200);
    assert!(former.get("personal").is_none());
    let events = office.get("Asha", &format!("{path}/events")).await;
    assert!(!events.text.contains("Zuri"));
}

#[tokio::test]
async fn a_refusal_says_why_and_what_would_be_possible() {
    let office = Office::open().await;
    let id = office.report("Pier 4").await;
    let unknown = office.command("Asha", &id, json!({ "command": "explode" })).await;
    assert!([404, 409].contains(&unknown.status), "{}", unknown.text);
    assert_eq!(unknown.json["possible"], json!(["assign"]));
    let too_early = office.command("Asha", &id, json!({ "command": "repaired" })).await;
    assert_eq!(too_early.json["possible"], json!(["assign"]), "{}", too_early.text);
    assert!(too_early.json["reasons"][0]["zh"].is_string());
    let not_hers = office.post("Baraka", "/api/v1/referrals", json!({ "input": { "place": "x" } }));
    assert_eq!(not_hers.await.problem(403), "not_yours");
    let workflow = json!({ "workflow": "nothing", "input": {} });
    let nothing = office.post("Asha", "/api/v1/instances", workflow).await;
    assert_eq!(nothing.problem(404), "unknown_workflow");
}

#[tokio::test]
async fn only_administrators_administer() {
    let office = Office::open().await;
    for path in ["/api/v1/tokens", "/api/v1/alarms", "/metrics"] {
        assert_eq!(office.get("Baraka", path).await.problem(403), "forbidden", "{path}");
    }
    let unit = json!({ "name": { "zh": "船", "en": "boats" }, "kind": "department" });
    assert_eq!(office.put("Asha", "/api/v1/units/boats", unit).await.problem(403), "forbidden");
}

#[tokio::test]
async fn a_former_unit_sees_its_own_segment_and_nothing_after_it() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let decline = json!({ "command": "decline", "input": { "reason": "not our crane" } });
    office.command("Baraka", &id, decline).await.ok(200);
    let assign = json!({ "command": "assign", "input": { "unit": "divers" } });
    office.command("Asha", &id, assign).await.ok(200);
    let path = format!("/api/v1/referrals/{id}");
    let former = office.get("Baraka", &path).await.ok(200);
    assert_eq!(former["former"], true);
    for part in ["fields", "clocks", "possible", "children"] {
        assert!(former[part].as_array().map_or(former[part] == json!({}), Vec::is_empty), "{part}");
    }
    let list = office.get("Baraka", "/api/v1/referrals").await.ok(200);
    assert_eq!((&list["items"][0]["id"], &list["items"][0]["fields"]), (&json!(id), &json!({})));
    let events = office.get("Baraka", &format!("{path}/events")).await.ok(200);
    let seqs: Vec<&serde_json::Value> =
        events["items"].as_array().unwrap().iter().map(|event| &event["seq"]).collect();
    assert_eq!(seqs, [2, 3], "from its assignment to its refusal, not what was before");
    let told = office.get("Baraka", &format!("{path}/messages")).await.ok(200);
    assert_eq!(told["items"].as_array().unwrap().len(), 1, "not what the divers were told");
    assert_eq!(office.get("Asha", &format!("{path}/events")).await.ok(200)["items"][3]["seq"], 4);
}
