//! Suggestions while a call is typed, and the guard on every registration.

use std::sync::Arc;

use fenliu::routing::{Example, Knowledge, Router};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Office, read};

const DESK: &str = "gongan.dispatcher";
const LEADER: &str = "gongan.shift_leader";

/// A county whose router knows three things.
async fn advised() -> Office {
    let office = Office::county().await;
    office.use_router(Arc::new(small_router()));
    office
}

fn small_router() -> Router {
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.keep) = (0.2, 0.95);
    let example = |text: &str, unit: &str, divert: bool| Example {
        text: text.to_owned(),
        units: vec![unit.to_owned()],
        divert,
        emergency: !divert,
        ..Example::default()
    };
    for _ in 0..4 {
        small.examples.push(example("路灯不亮", "chengguan", true));
        small.examples.push(example("停电一天", "gongdian", true));
        small.examples.push(example("着火有人困住", "gongan", false));
        // Told both ways: nobody can know.
        small.examples.push(example("冒烟", "gongdian", true));
        small.examples.push(example("冒烟", "gongan", false));
    }
    Router::train(&small)
}

async fn register(office: &Office, text: &str, more: Json) -> String {
    let mut input = json!({ "place": "葛城街道", "text": text, "category": "utility.power-fault",
        "kind": "help", "anonymous": true });
    input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    opened["id"].as_str().unwrap().to_owned()
}

async fn fields(office: &Office, id: &str) -> Json {
    office.get(DESK, &format!("/api/v1/referrals/{id}")).await.ok(200)["fields"].clone()
}

fn route() -> Json {
    json!({ "command": "route", "input": { "unit": "gongdian" } })
}

#[tokio::test]
async fn a_typed_call_gets_units_and_reasons_and_nothing_is_stored() {
    let office = advised().await;
    let body = json!({ "text": "路灯不亮了" });
    let said = office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200);
    assert_eq!(said["verdict"], "divert", "{said}");
    assert_eq!(said["units"][0]["code"], "chengguan");
    assert_eq!(said["units"][0]["name"]["zh"], "县城市管理局");
    assert!(said["model"].as_str().is_some_and(|name| !name.is_empty()));
    let none = office.get(DESK, "/api/v1/referrals").await.ok(200);
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn before_the_router_is_trained_it_says_so_and_calls_are_taken_all_the_same() {
    let office = Office::county().await;
    let said = office.post(DESK, "/api/v1/routing/suggest", json!({ "text": "停电" })).await;
    let said = said.ok(200);
    assert_eq!((&said["verdict"], &said["units"]), (&json!("ask"), &json!([])), "{said}");
    assert_eq!((&said["model"], &said["categories"]), (&json!(""), &json!([])), "{said}");
    assert_eq!(said["reasons"][0]["kind"], "unread");
    assert!(said["reasons"][0]["text"]["zh"].as_str().unwrap().contains("尚未就绪"), "{said}");
    assert!(said["question"]["zh"].as_str().unwrap().contains("受伤"), "{said}");
    let id = register(&office, "停电一天", json!({})).await;
    office.command(DESK, &id, route()).await.ok(200);
}

#[tokio::test]
async fn what_needs_no_router_stands_beside_a_call_that_nobody_can_read() {
    let office = Office::county().await;
    let answer = json!({ "unit": "gongdian", "category": "utility.power-fault",
        "title": "停电了先查什么", "body": "请先看邻居家是否有电。", "words": "没电 跳闸" });
    office.put("gongdian.liaison", "/api/v1/answers/outage", answer).await.ok(200);
    let input = json!({ "place": "葛城街道土城路12号", "text": "停电一天", "kind": "help",
        "category": "utility.power-fault", "caller_phone": "023-5922-0001" });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let typed = json!({ "text": "家里没电", "phone": "023-5922-0001",
        "category": "utility.power-fault" });
    let said = office.post(DESK, "/api/v1/routing/suggest", typed).await.ok(200);
    assert_eq!(said["answers"][0]["code"], "outage", "{said}");
    assert_eq!(said["repeats"][0]["matter"]["id"], opened["id"], "{said}");
    let why = said["repeats"][0]["why"].as_array().unwrap();
    assert!(why.iter().any(|why| why["kind"] == "same_caller"), "{said}");
    assert_eq!(said["categories"][0]["code"], "utility.power-fault");
    // What the desk itself gives to the police stays theirs.
    let typed = json!({ "text": "家里没电", "category": "police.utility-danger" });
    let said = office.post(DESK, "/api/v1/routing/suggest", typed).await.ok(200);
    assert_eq!(said["verdict"], "keep", "{said}");
    assert_eq!(said["kept_category"]["code"], "police.utility-danger");
    // A slip is a slip all the same.
    let slip = json!({ "text": "家里没电", "category": "no.such" });
    let refused = office.post(DESK, "/api/v1/routing/suggest", slip).await;
    assert_eq!(refused.problem(422), "invalid");
}

#[tokio::test]
async fn a_registration_that_is_repeated_after_the_router_was_trained_is_the_same_one() {
    let office = Office::county().await;
    let input = json!({ "place": "葛城街道", "text": "停电一天", "category": "utility.power-fault",
        "kind": "help", "anonymous": true });
    let ask = || {
        let request = office.ask(DESK, Method::POST, "/api/v1/referrals");
        read(request.header("Idempotency-Key", "call-17").json(&json!({ "input": input })))
    };
    let first = ask().await.ok(201);
    office.use_router(Arc::new(small_router()));
    let again = ask().await.ok(201);
    assert_eq!((&again["id"], &again["replayed"]), (&first["id"], &json!(true)));
}

#[tokio::test]
async fn strangers_are_told_nothing() {
    let office = advised().await;
    let answer = office.post("nobody", "/api/v1/routing/suggest", json!({ "text": "停电" })).await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn what_was_suggested_stays_with_the_matter() {
    let office = advised().await;
    let id = register(&office, "停电一天", json!({})).await;
    let fields = fields(&office, &id).await;
    assert_eq!(fields["guard"], "divert", "{fields}");
    assert!(fields["suggestion"].as_str().unwrap().contains("gongdian"), "{fields}");
}

#[tokio::test]
async fn until_the_router_is_trained_every_call_is_asked_about() {
    let office = Office::county().await;
    office.gate.await_router();
    let id = register(&office, "有人拿刀砍人", json!({})).await;
    let fields = fields(&office, &id).await;
    assert_eq!(fields["guard"], "ask", "{fields}");
    assert!(fields["suggestion"].as_str().unwrap().contains("询问"), "{fields}");
    let refused = office.command(DESK, &id, route()).await;
    assert_eq!(refused.json["code"], "answer_guard_first", "{}", refused.text);
    office.use_router(Arc::new(small_router()));
    let id = register(&office, "停电一天", json!({})).await;
    assert_eq!(self::fields(&office, &id).await["guard"], "divert");
}

#[tokio::test]
async fn a_kept_call_has_no_route_whatever_the_client_says() {
    let office = advised().await;
    let id = register(&office, "着火有人困住", json!({ "guard": "divert" })).await;
    let refused = office.command(DESK, &id, route()).await;
    assert_eq!(refused.json["code"], "kept_by_police", "{}", refused.text);
    // Lowered openly, by the shift leader alone, with a reason that stands in the history.
    let lower = json!({ "command": "reclassify", "input": {
        "category": "utility.power-fault", "reason": "回电核实，火已扑灭，无人被困" } });
    assert_eq!(office.command(DESK, &id, lower.clone()).await.status, 403);
    office.command(LEADER, &id, lower).await.ok(200);
    office.command(DESK, &id, route()).await.ok(200);
}

#[tokio::test]
async fn in_doubt_one_answer_comes_before_the_route() {
    let office = advised().await;
    for (danger, code) in [(false, None), (true, Some("kept_by_police"))] {
        let id = register(&office, "冒烟", json!({})).await;
        assert_eq!(fields(&office, &id).await["guard"], "ask");
        let refused = office.command(DESK, &id, route()).await;
        assert_eq!(refused.json["code"], "answer_guard_first", "{}", refused.text);
        let answer = json!({ "command": "answer_guard", "input": { "police_matter": danger } });
        office.command(DESK, &id, answer).await.ok(200);
        let routed = office.command(DESK, &id, route()).await;
        assert_eq!(routed.json["code"].as_str(), code, "{}", routed.text);
    }
}
