//! Operator alarms: read page by page, cleared one by one or all of a kind, by those who operate.

use fenliu::domain::Instant;
use fenliu::gate::NewAlarm;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Office, read};

/// Seven alarms: of six kinds one each, and of the kind `message_failed` two.
async fn office() -> Office {
    let office = Office::open().await;
    let jurisdiction = office.gate.registry().jurisdictions().first().copied();
    for number in 0..5 {
        raise(&office, &format!("kind_{number}"), jurisdiction);
    }
    raise(&office, "message_failed", jurisdiction);
    raise(&office, "message_failed", None);
    office
}

fn raise(office: &Office, kind: &str, jurisdiction: Option<fenliu::domain::JurisdictionId>) {
    let (kind, detail) = (kind.to_owned(), "as it was".to_owned());
    let at = Instant::parse("2018-07-02T09:00:00+03:00").unwrap();
    let alarm = NewAlarm { kind, jurisdiction, instance: None, at, detail };
    office.gate.raise_alarm(&alarm).unwrap();
}

fn kinds(page: &Json) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn alarms_are_read_page_by_page_and_by_kind() {
    let office = office().await;
    let first = office.get("Dalila", "/api/v1/alarms?open=true&limit=4").await.ok(200);
    assert_eq!(kinds(&first), ["message_failed", "message_failed", "kind_4", "kind_3"]);
    assert_eq!(first["items"][0]["told_at"], Json::Null);
    let path = format!("/api/v1/alarms?limit=4&cursor={}", first["next"].as_str().unwrap());
    let second = office.get("Dalila", &path).await.ok(200);
    assert_eq!(
        (kinds(&second), &second["next"]),
        (vec!["kind_2", "kind_1", "kind_0"], &Json::Null)
    );
    let one = office.get("Dalila", "/api/v1/alarms?kind=kind_1").await.ok(200);
    assert_eq!(kinds(&one), ["kind_1"]);
    let wrong = office.get("Dalila", "/api/v1/alarms?cursor=x").await;
    assert_eq!(wrong.problem(400), "bad_query");
}

#[tokio::test]
async fn after_an_outage_all_alarms_of_a_kind_are_cleared_at_once() {
    let office = office().await;
    let path = "/api/v1/alarms/clear";
    let body = json!({ "kind": "message_failed" });
    assert_eq!(office.post("Baraka", path, body.clone()).await.problem(403), "forbidden");
    assert_eq!(office.post("Dalila", path, body.clone()).await.ok(200)["cleared"], 2);
    assert_eq!(office.post("Dalila", path, body).await.ok(200)["cleared"], 0);
    assert_eq!(office.post("Dalila", path, json!({})).await.problem(400), "bad_json");
    let left = office.get("Dalila", "/api/v1/alarms?open=true").await.ok(200);
    assert_eq!(kinds(&left).len(), 5);
    let one = format!("/api/v1/alarms/{}/clear", left["items"][0]["id"]);
    assert_eq!(read(office.ask("Dalila", Method::POST, &one)).await.status, 204);
    for gone in [one.as_str(), "/api/v1/alarms/9223372036854775807/clear"] {
        assert_eq!(read(office.ask("Dalila", Method::POST, gone)).await.problem(404), "not_found");
    }
    let log = office.get("Dalila", "/api/v1/audit?limit=2").await.ok(200);
    let deeds: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(deeds, ["alarm_cleared", "alarms_cleared"]);
}
