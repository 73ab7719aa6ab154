//! Less urgent alerts wait, for a time that always has an end.

use fenliu::domain::Kind;
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

const MUTES: &str = "/api/v1/people/2/mutes";

async fn mute(office: &Office, who: &str, until: &str) -> Answer {
    office.post(who, MUTES, json!({ "until": until, "reason": "training" })).await
}

async fn end(office: &Office, who: &str, id: &Json) -> Answer {
    read(office.ask(who, Method::DELETE, &format!("/api/v1/mutes/{id}"))).await
}

#[tokio::test]
async fn a_person_mutes_what_is_less_urgent_and_ends_it_again() {
    let office = Office::open().await;
    let made = mute(&office, "Baraka", "2018-07-03T08:00:00+03:00").await;
    assert_eq!(made.header("location"), "/api/v1/mutes/1");
    let made = made.ok(201);
    assert_eq!((&made["in_force"], &made["ended_at"]), (&json!(true), &Json::Null));
    let word = office.newest_of(2, Kind::Mute).await;
    assert!(word.body.contains("暂停至07-03 08:00。原因：training。"), "{}", word.body);
    office.minutes_later(1);
    office.assigned("Pier 4", "cranes").await;
    office.minutes_later(1);
    assert_eq!(end(&office, "Chiku", &made["id"]).await.problem(404), "not_found");
    assert_eq!(end(&office, "Baraka", &made["id"]).await.status, 204);
    let word = office.newest_of(2, Kind::Mute).await;
    assert_eq!(word.body, "【提醒恢复】您的提醒暂停已结束，期间有1条非紧急提醒。");
    assert_eq!(end(&office, "Baraka", &made["id"]).await.problem(404), "not_found");
    let list = office.get("Dalila", MUTES).await.ok(200);
    assert_eq!(list["items"][0]["in_force"], false);
    assert_eq!(list["items"][0]["ended_at"], "2018-07-02T09:12:00+03:00");
    assert_eq!(list["items"][0]["made_by"], "person:2");
}

#[tokio::test]
async fn a_mute_without_a_near_end_and_a_reason_is_refused() {
    let office = Office::open().await;
    for until in [
        "2018-07-02T09:10:00+03:00",
        "2018-07-01T09:10:00+03:00",
        "2018-07-16T09:10:01+03:00",
        "2099-12-31T00:00:00Z",
    ] {
        assert_eq!(mute(&office, "Baraka", until).await.problem(422), "invalid", "{until}");
    }
    assert_eq!(mute(&office, "Baraka", "for ever").await.problem(400), "bad_time");
    let until = "2018-07-03T08:00:00+03:00";
    for body in [
        json!({ "until": until, "reason": " " }),
        json!({ "until": until, "reason": "x".repeat(201) }),
    ] {
        assert_eq!(office.post("Baraka", MUTES, body).await.problem(422), "invalid");
    }
    let endless = office.post("Baraka", MUTES, json!({ "reason": "tired" })).await;
    assert_eq!(endless.problem(400), "bad_json");
    let list = office.get("Baraka", MUTES).await.ok(200);
    assert_eq!(list["items"], json!([]));
}

#[tokio::test]
async fn only_the_person_and_an_administrator_mute_and_only_once_at_a_time() {
    let office = Office::open().await;
    let until = "2018-07-16T09:10:00+03:00";
    assert_eq!(mute(&office, "Chiku", until).await.problem(403), "forbidden");
    mute(&office, "Dalila", until).await.ok(201);
    assert_eq!(mute(&office, "Baraka", until).await.problem(409), "muted_already");
    assert_eq!(office.get("Chiku", MUTES).await.problem(403), "forbidden");
}
