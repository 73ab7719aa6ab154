//! What a caller may ask of the office about himself: to be shown what is kept, and to have it put right.

use fenliu::gate::RoutingRules;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office};

const DESK: &str = "gongan.dispatcher";
const DUTY: &str = "yingji.duty";
const MINE: &str = "13800001234";
const OTHER: &str = "13900005678";

/// Registers a call; its id.
async fn call(office: &Office, phone: &str, name: &str) -> String {
    let input = json!({
        "place": "葛城街道", "text": format!("{name}来电反映污水"), "category": "env.waste-water",
        "kind": "help", "caller_name": name, "caller_phone": phone,
        "caller_address": format!("{name}住址"),
    });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    opened["id"].as_str().unwrap().to_owned()
}

async fn calls_again(office: &Office, id: &str, phone: &str, name: &str) {
    let input =
        json!({ "text": format!("{name}又来电"), "caller_phone": phone, "caller_name": name });
    let body = json!({ "command": "attach_repeat_call", "input": input });
    office.command(DESK, id, body).await.ok(200);
}

async fn export(office: &Office, who: &str, phone: &str) -> Answer {
    let body = json!({ "phone": phone, "purpose": "来电人要求查阅本人信息" });
    office.post(who, "/api/v1/callers/export", body).await
}

/// The matters of an export.
async fn kept(office: &Office, phone: &str) -> Vec<Json> {
    export(office, DUTY, phone).await.ok(200)["items"].as_array().unwrap().clone()
}

async fn correct(office: &Office, who: &str, id: &str, more: Json) -> Answer {
    let mut body = json!({ "reason": "来电人更正本人信息" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    office.post(who, &format!("/api/v1/referrals/{id}/correct"), body).await
}

async fn events(office: &Office, id: &str) -> Answer {
    office.get("yingji.auditor", &format!("/api/v1/referrals/{id}/events")).await
}

async fn is_sound(office: &Office) -> bool {
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
    report.chains_ok == report.instances
}

// Check 45.
#[tokio::test]
async fn a_caller_is_given_everything_that_is_kept_of_him_and_nothing_of_others() {
    let office = Office::county().await;
    let first = call(&office, MINE, "张小明").await;
    let others = call(&office, OTHER, "李大华").await;
    calls_again(&office, &others, MINE, "张小明").await;
    calls_again(&office, &others, "13700009999", "王某").await;
    // However the number is written.
    for written in [MINE, "+86 138-0000-1234", "008613800001234"] {
        let answer = export(&office, DUTY, written).await;
        for foreign in [OTHER, "李大华", "王某"] {
            assert!(!answer.text.contains(foreign), "{foreign}: {}", answer.text);
        }
        let export = answer.ok(200);
        assert_eq!(export["next"], Json::Null);
        let items = export["items"].as_array().unwrap();
        let ids: Vec<&Json> = items.iter().map(|item| &item["matter"]["id"]).collect();
        assert_eq!(ids, [&json!(others), &json!(first)], "the newest first");
        assert_eq!(items[0]["calls"].as_array().unwrap().len(), 1);
        assert_eq!(items[0]["calls"][0]["seq"], 2);
        assert_eq!(items[0]["calls"][0]["personal"]["text"], "张小明又来电");
        let own = &items[1]["calls"][0]["personal"];
        assert_eq!(own["caller_address"], "张小明住址");
        assert_eq!(own["text"], "张小明来电反映污水");
        assert_eq!(items[1]["matter"]["status"], "received");
    }
    assert!(kept(&office, "13600000000").await.is_empty(), "nobody called from there");
    // It stands in each history for what it was shown, once in the audit log, and is counted.
    for id in [&first, &others] {
        let shown = events(&office, id).await.ok(200);
        let last = shown["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["kind"], "caller.revealed");
        assert_eq!(last["input"]["purpose"], "来电人要求查阅本人信息");
    }
    let log = office.get("yingji.auditor", "/api/v1/audit?kind=caller_exported").await;
    assert!(!log.text.contains(MINE));
    let log = log.ok(200);
    let counts: Vec<&Json> =
        log["items"].as_array().unwrap().iter().map(|entry| &entry["detail"]["matters"]).collect();
    assert_eq!(counts, [0, 2, 2, 2]);
    let metrics = office.get(DUTY, "/metrics").await;
    assert!(metrics.text.contains("fenliu_callers_revealed_total 6"), "{}", metrics.text);
    assert!(is_sound(&office).await);
}

#[tokio::test]
async fn a_land_line_is_found_however_it_is_written_and_so_is_a_row_from_before() {
    let office = Office::county().await;
    call(&office, "023-5922-0002", "张小明").await;
    call(&office, "０２３５９２２０００２", "张小明").await;
    let named = call(&office, OTHER, "李大华").await;
    let words = json!({ "command": "attach_repeat_call", "input": {
        "text": "023-5922-0002", "caller_phone": OTHER, "danger_asked": true } });
    office.command(DESK, &named, words).await.ok(200);
    let ways = [
        "023-5922-0002",
        "+86 23 5922 0002",
        "00862359220002",
        "+86 (0)23 5922 0002",
        "０２３５９２２０００２",
    ];
    for written in ways {
        let matters = kept(&office, written).await;
        assert_eq!(matters.len(), 2, "{written}: {matters:?}");
    }
    // Before numbers were put into one form their digits were recognised as they had been typed.
    let of = |country| RoutingRules { country, ..RoutingRules::default() };
    office.gate.use_routing_rules(of(1));
    call(&office, "8613800001234", "张小明").await;
    office.gate.use_routing_rules(of(86));
    for written in [MINE, "+86 138-0000-1234", "8613800001234"] {
        assert_eq!(kept(&office, written).await.len(), 1, "{written}");
    }
}

// Check 45.
#[tokio::test]
async fn a_land_line_is_found_however_it_is_written_and_was_written() {
    let office = Office::county().await;
    let dashed = call(&office, "023-5922-0002", "张小明").await;
    let wide = call(&office, "０２３ ５９２２ ０００２", "张小明").await;
    call(&office, "023-5922-0003", "李大华").await;
    for asked in ["023-5922-0002", "+86 23 5922 0002", "0086-23-59220002", "２３５９２２０００２"]
    {
        let items = kept(&office, asked).await;
        let ids: Vec<&Json> = items.iter().map(|item| &item["matter"]["id"]).collect();
        assert_eq!(ids, [&json!(wide), &json!(dashed)], "{asked}");
        assert!(items.iter().all(|item| item["calls"].as_array().unwrap().len() == 1), "{asked}");
    }
}

// Check 45.
#[tokio::test]
async fn only_who_may_have_callers_shown_exports_one_and_says_what_for() {
    let office = Office::county().await;
    call(&office, MINE, "张小明").await;
    for who in [DESK, "huimin.leader", "yingji.auditor", "yingji.administrator"] {
        assert_eq!(export(&office, who, MINE).await.problem(403), "forbidden", "{who}");
    }
    for who in ["yingji.director", "zhengfu.leader"] {
        assert_eq!(export(&office, who, MINE).await.ok(200)["items"].as_array().unwrap().len(), 1);
    }
    let path = "/api/v1/callers/export";
    let short = office.post(DUTY, path, json!({ "phone": MINE, "purpose": "看" })).await;
    assert_eq!(short.problem(422), "wrong_input");
    let nonsense = office.post(DUTY, path, json!({ "phone": "张三", "purpose": "核实情况" })).await;
    assert_eq!(nonsense.status, 422, "{}", nonsense.text);
}

// Check 45.
#[tokio::test]
async fn what_is_kept_of_a_caller_is_put_right_and_the_chain_holds() {
    let office = Office::county().await;
    let id = call(&office, OTHER, "张小名").await;
    calls_again(&office, &id, "13700009999", "王某").await;
    let right = json!({ "personal": {
        "caller_phone": MINE, "caller_name": "张小明", "caller_address": "改后住址" } });
    for (who, code) in [("yingji.duty", "forbidden"), ("huimin.liaison", "forbidden")] {
        assert_eq!(correct(&office, who, &id, right.clone()).await.problem(403), code, "{who}");
    }
    let done = correct(&office, DESK, &id, right).await;
    assert_eq!(done.status, 204, "{}", done.text);
    let seen = office.get(DESK, &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert_eq!(seen["personal"]["caller_phone"], MINE);
    assert_eq!(seen["personal"]["caller_name"], "张小明");
    assert_eq!(seen["personal"]["caller_address"], "改后住址");
    assert_eq!(seen["calls"][0]["personal"]["caller_name"], "王某", "another call is another's");
    let call = json!({ "call": 2, "personal": { "caller_name": "王大某" } });
    assert_eq!(correct(&office, "gongan.shift_leader", &id, call).await.status, 204);
    let seen = office.get(DESK, &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert_eq!(seen["calls"][0]["personal"]["caller_name"], "王大某");
    // The history says that it was done, by whom and why, and not what it was or is.
    let history = events(&office, &id).await;
    for word in [MINE, OTHER, "张小明", "张小名", "改后住址", "王"] {
        assert!(!history.text.contains(word), "{word}");
    }
    let history = history.ok(200);
    let last = history["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["kind"], "caller.corrected");
    assert_eq!(last["input"]["reason"], "来电人更正本人信息");
    assert_eq!(last["role"], "shift_leader");
    assert!(is_sound(&office).await);
    // The caller is found by the right number, and not by the wrong one.
    assert_eq!(kept(&office, MINE).await.len(), 1);
    assert!(kept(&office, OTHER).await.is_empty());
}

// Check 45.
#[tokio::test]
async fn what_cannot_be_put_right_is_said() {
    let office = Office::county().await;
    let id = call(&office, MINE, "张小明").await;
    for (more, code) in [
        (json!({ "personal": {} }), "wrong_input"),
        (json!({ "personal": { "text": "别的话" } }), "wrong_input"),
        (json!({ "personal": { "no_such": "某" } }), "wrong_input"),
        (json!({ "personal": { "caller_name": "长".repeat(61) } }), "wrong_input"),
        (json!({ "reason": "改", "personal": { "caller_name": "张三" } }), "wrong_input"),
        (json!({ "call": 7, "personal": { "caller_name": "张三" } }), "unknown_call"),
    ] {
        let refused = correct(&office, DESK, &id, more.clone()).await;
        assert_eq!(refused.json["code"], code, "{more}: {}", refused.text);
    }
    let wish = json!({ "command": "withdraw", "input": { "wish": "已自行解决，不再需要" } });
    office.command(DESK, &id, wish).await.ok(200);
    let reason = json!({ "reason": "来电人依法要求删除个人信息" });
    let erase = format!("/api/v1/referrals/{id}/erase");
    assert_eq!(office.post("gongan.shift_leader", &erase, reason).await.status, 204);
    let back = json!({ "personal": { "caller_name": "张小明" } });
    assert_eq!(correct(&office, DESK, &id, back).await.json["code"], "unknown_call");
    assert!(kept(&office, MINE).await.is_empty());
    assert!(is_sound(&office).await);
}
