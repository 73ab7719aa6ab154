//! What somebody was not shown is in the audit log, without a word about what it was, however often
//! somebody tries.

use serde_json::{Value as Json, json};

use super::office::Office;

/// The entries of the audit log about what was denied, an hour later: kind, subject, outcome, attempts.
async fn denied(office: &Office) -> Vec<[String; 4]> {
    office.minutes_later(60);
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || gate.write_denials().unwrap()).await.unwrap();
    let log = office.get("Dalila", "/api/v1/audit?limit=200").await.ok(200);
    let entries = log["items"].as_array().unwrap().iter();
    let denied = entries.filter(|entry| {
        ["object_denied", "request_denied", "sign_in_failed"]
            .iter()
            .any(|kind| entry["kind"] == *kind)
    });
    let word = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut said: Vec<_> = denied
        .map(|entry| {
            assert_eq!(entry["actor"], "system");
            let detail = &entry["detail"];
            let mut keys: Vec<&String> = detail.as_object().unwrap().keys().collect();
            keys.sort();
            assert_eq!(keys, ["attempts", "hour", "last_at", "last_from", "outcome"]);
            [&entry["kind"], &entry["subject"], &detail["outcome"], &detail["attempts"]].map(word)
        })
        .collect();
    said.sort();
    said
}

// Check 46.
#[tokio::test]
async fn what_somebody_was_not_shown_stands_in_the_audit_log_once_an_hour_and_not_what_it_was() {
    let office = Office::open().await;
    let id = office.assigned("pier 4", "divers").await;
    // One foreign matter, asked for in several ways, and three hundred numbers that nobody has.
    for path in ["", "/events", "/clocks", "/messages"] {
        office.get("Baraka", &format!("/api/v1/referrals/{id}{path}")).await.problem(404);
    }
    let command = json!({ "command": "accept" });
    assert_eq!(office.command("Baraka", &id, command).await.problem(404), "not_found");
    for number in 0..300 {
        office.get("Baraka", &format!("/api/v1/referrals/ins_{number:013}")).await.problem(404);
    }
    // Somebody else's business.
    let path = "/api/v1/people/2/contacts/email/code";
    assert_eq!(office.post("Chiku", path, json!({})).await.problem(403), "forbidden");
    // What is only mistyped by nobody's right is no denial: a path that is none, a wrong body.
    office.get("Baraka", "/api/v1/nowhere").await.problem(404);
    office.post("Asha", "/api/v1/referrals", json!({ "colour": 1 })).await.problem(400);
    let rows = denied(&office).await;
    let row =
        |who: &str, act: &str, times: &str| ["object_denied", who, act, times].map(str::to_owned);
    assert_eq!(
        rows,
        [
            row("person:2", "command", "1"),
            row("person:2", "see_matter", "304"),
            row("person:3", "keep_contacts", "1"),
        ]
    );
    let log = office.get("Dalila", "/api/v1/audit?limit=200").await;
    assert!(!log.text.contains(&id) && !log.text.contains("ins_"), "{}", log.text);
    // The next hour begins anew, and nothing is told twice.
    office.get("Baraka", &format!("/api/v1/referrals/{id}")).await.problem(404);
    let rows = denied(&office).await;
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[1], row("person:2", "see_matter", "1"));
}

// Check 46.
#[tokio::test]
async fn tokens_that_nobody_has_stand_in_the_audit_log_once_an_hour() {
    let mut office = Office::open().await;
    for number in 0..200 {
        office.tokens.insert("thief".to_owned(), format!("fenliu_{number:043}"));
        office.get("thief", "/api/v1/referrals").await.problem(401);
    }
    let said = denied(&office).await;
    let row = ["sign_in_failed", "token:unknown", "unknown_token", "200"].map(str::to_owned);
    assert_eq!(said, [row]);
    let log = office.get("Dalila", "/api/v1/audit").await;
    assert!(!log.text.contains("fenliu_0"), "{}", log.text);
}
