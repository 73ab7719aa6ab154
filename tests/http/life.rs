//! The whole life of a matter, driven by what the answers offer.

use reqwest::Method;
use serde_json::json;

use super::office::{Office, WORKFLOW, read};

#[tokio::test]
async fn a_matter_is_opened_read_given_away_and_ended() {
    let office = Office::open().await;
    let body = json!({ "input": { "place": "Pier 4", "urgency": "larger", "caller": "Zuri" } });
    let opened = office.post("Asha", "/api/v1/referrals", body).await;
    let place = opened.header("location").to_owned();
    assert_eq!(opened.header("etag"), "\"1\"");
    let opened = opened.ok(201);
    assert_eq!(opened["status"], "waiting");
    assert_eq!(opened["possible"], json!(["assign"]));
    assert_eq!(opened["recorded_at"], "2018-07-02T09:10:00+03:00");

    let whole = office.get("Asha", &place).await.ok(200);
    assert_eq!(whole["fields"]["place"], "Pier 4");
    assert_eq!(whole["fields"]["urgency"], "larger");
    assert_eq!(whole["fields"]["seen_at"], "2018-07-02T09:10:00+03:00");
    assert_eq!(whole["titles"]["place"]["en"], "place");
    assert_eq!(whole["personal"], json!({ "caller": "Zuri" }));
    assert_eq!(whole["tier"], "larger");
    assert_eq!(
        whole["holder"],
        json!({ "code": "office",
        "name": { "zh": "港务处", "en": "Harbour Office" } })
    );
    assert_eq!(whole["clocks"][0]["name"], "sorting");
    assert_eq!(whole["clocks"][0]["due"], "2018-07-02T09:40:00+03:00");
    assert_eq!(whole["possible"][0]["command"], "assign");
    assert_eq!(whole["possible"][0]["input"]["required"], json!(["unit"]));

    let id = opened["id"].as_str().unwrap();
    let assign = json!({ "command": "assign", "input": { "unit": "cranes" } });
    let assigned = office.command("Asha", id, assign).await.ok(200);
    assert_eq!(assigned["version"], 2);
    assert_eq!(assigned["holder"]["code"], "cranes");
    let ended = office.command("Baraka", id, json!({ "command": "repaired" })).await.ok(200);
    assert_eq!(ended["status"], "done");
    assert_eq!(ended["possible"], json!([]));
    let whole = office.get("Baraka", &place).await.ok(200);
    assert_eq!(whole["outcome"], "repaired");
    assert!(whole["closed_at"].is_string());
}

#[tokio::test]
async fn events_tell_who_did_what_and_who_was_told() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let page = office.get("Baraka", &format!("/api/v1/instances/{id}/events")).await.ok(200);
    let events = page["items"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0]["kind"], "report");
    assert_eq!(events[0]["set"]["seen_at"], "2018-07-02T09:10:00+03:00");
    assert_eq!(events[1]["person"]["name"], "Asha");
    assert_eq!(events[1]["unit"]["code"], "office");
    assert_eq!(events[1]["role"], "dispatcher");
    assert_eq!(events[1]["told"][0]["people"][0]["name"], "Baraka");
    assert_eq!(events[1]["hash"].as_str().unwrap().len(), 64);
    let first = office.get("Asha", &format!("/api/v1/referrals/{id}/events?limit=1")).await.ok(200);
    assert_eq!(first["next"], "2");
    let rest = office.get("Asha", &format!("/api/v1/referrals/{id}/events?from=2")).await.ok(200);
    assert_eq!(rest["items"][0]["seq"], 2);
    assert_eq!(rest["next"], json!(null));
    let told = office.get("Asha", &format!("/api/v1/referrals/{id}/messages")).await.ok(200);
    assert_eq!(told["items"][0]["person"]["name"], "Baraka");
    assert_eq!(told["items"][0]["state"], "waiting");
}

#[tokio::test]
async fn a_clock_explains_its_due_time_line_by_line() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let clock =
        office.get("Baraka", &format!("/api/v1/referrals/{id}/clocks/repair")).await.ok(200);
    assert_eq!(clock["due"], "2018-07-04T16:00:00+03:00");
    assert_eq!(clock["limit"], "workdays(2)");
    assert!(clock["lines"].as_array().unwrap().len() >= 4);
    assert_eq!(clock["unconfirmed"], false);
    let none = office.get("Baraka", &format!("/api/v1/referrals/{id}/clocks/nothing")).await;
    assert_eq!(none.problem(404), "not_found");
}

#[tokio::test]
async fn a_due_time_that_the_workflow_computes_is_explained_too() {
    let office = Office::open().await;
    let explained = async |source: String| {
        let body = json!({ "source": source });
        office.post("Enzi", "/api/v1/definitions", body).await.ok(201);
        let id = office.assigned("Pier 4", "cranes").await;
        office.get("Baraka", &format!("/api/v1/referrals/{id}/clocks/repair")).await.ok(200)
    };
    let words = |clock: &serde_json::Value| clock["lines"].to_string();
    let promised = "due: \"close_of('2018-07-07')\"";
    let saturday = explained(WORKFLOW.replace("due: \"workdays(2)\"", promised)).await;
    assert_eq!(saturday["due"], "2018-07-09T16:00:00+03:00");
    assert!(words(&saturday).contains("顺延至下一个工作日2018-07-09"), "{saturday}");
    let kept = WORKFLOW
        .replace("due: \"workdays(2)\"", "due: \"or(until, at)\"")
        .replacen(
            "  place:   {",
            "  until: { type: instant, title: { zh: 至, en: until } }\n  place:   {",
            1,
        )
        .replace(
            "set: { unit: input.unit }",
            "set: { unit: input.unit, until: \"after(at, workdays(2))\" }",
        );
    let kept = explained(kept).await;
    assert!(words(&kept).contains("第1个工作日"), "the limit behind the field is told: {kept}");
}

#[tokio::test]
async fn a_stale_version_is_refused_and_a_read_one_is_not_sent_again() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let path = format!("/api/v1/referrals/{id}/commands");
    let give = |tag: &str| {
        let request = office.ask("Baraka", Method::POST, &path).header("if-match", tag);
        read(request.json(&json!({ "command": "repaired" })))
    };
    let stale = give("\"1\"").await;
    assert_eq!(stale.problem(412), "stale");
    assert_eq!(stale.json["version"], 2);
    assert_eq!(give("never").await.problem(400), "bad_if_match");
    let read_again = office.ask("Baraka", Method::GET, &format!("/api/v1/referrals/{id}"));
    let same = read(read_again.header("if-none-match", "\"2\"")).await;
    assert_eq!((same.status, same.text.as_str()), (304, ""));
    assert_eq!(give("\"2\"").await.status, 200);
}

#[tokio::test]
async fn the_same_key_gets_the_same_answer_and_no_other_request() {
    let office = Office::open().await;
    let send = |place: &str| {
        let request = office.ask("Asha", Method::POST, "/api/v1/referrals");
        let body = json!({ "input": { "place": place } });
        read(request.header("idempotency-key", "call-1").json(&body))
    };
    let first = send("Pier 4").await.ok(201);
    let again = send("Pier 4").await.ok(201);
    assert_eq!(first["id"], again["id"]);
    assert_eq!((&first["replayed"], &again["replayed"]), (&json!(false), &json!(true)));
    assert_eq!(send("Pier 5").await.problem(422), "idempotency_key_reused");
    let request = office.ask("Asha", Method::POST, "/api/v1/referrals");
    let long = request.header("idempotency-key", "x".repeat(201));
    let long = read(long.json(&json!({ "input": { "place": "Pier 4" } }))).await;
    assert_eq!(long.problem(400), "bad_idempotency_key");
    let list = office.get("Asha", "/api/v1/referrals").await.ok(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn who_wants_little_gets_no_list_of_commands() {
    let office = Office::open().await;
    let request = office.ask("Asha", Method::POST, "/api/v1/instances");
    let body = json!({ "workflow": "referral", "input": { "place": "Pier 4" } });
    let answer = read(request.header("prefer", "return=minimal").json(&body)).await;
    assert!(answer.header("location").starts_with("/api/v1/instances/ins_"));
    assert!(answer.ok(201).get("possible").is_none());
}
