//! Units' own systems subscribe: who may, what they are told, and that secrets are shown once.

use serde_json::{Value as Json, json};

use super::office::Office;

const UNIT: &str = "huanbao.liaison";
const PATH: &str = "/api/v1/subscriptions";

fn wish(unit: &str) -> Json {
    json!({ "unit": unit, "url": "https://hooks.example.org/fenliu?key=k3y" })
}

/// What waits for a subscription, the oldest first: kind and body.
async fn posts(office: &Office) -> Vec<(String, Json)> {
    let gate = office.gate.clone();
    let look = move || {
        let jurisdiction = gate.registry().jurisdictions()[0];
        let actor = fenliu::domain::Actor::System;
        let caller = fenliu::gate::Caller { actor, jurisdiction };
        let channel = Some("webhook".to_owned());
        let filter = fenliu::gate::MessageFilter { channel, ..Default::default() };
        gate.messages(&caller, filter, 100).unwrap().items
    };
    let mut all = tokio::task::spawn_blocking(look).await.unwrap();
    all.reverse();
    let body = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| json!(text));
    all.into_iter().map(|one| (one.kind.code().to_owned(), body(&one.body))).collect()
}

async fn routed(office: &Office) -> String {
    let input = json!({ "place": "葛城街道", "text": "工地夜间施工，张某来电", "kind": "complaint",
        "category": "noise.construction-night", "caller_name": "张某", "caller_phone": "000-0000-0001" });
    let body = json!({ "input": input });
    let opened = office.post("gongan.dispatcher", "/api/v1/referrals", body).await.ok(201);
    let id = opened["id"].as_str().unwrap().to_owned();
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    office.command("gongan.dispatcher", &id, route).await.ok(200);
    id
}

#[tokio::test]
async fn a_unit_subscribes_for_itself_and_nobody_for_another() {
    let office = Office::county().await;
    let made = office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    assert_eq!(made["wants"], json!(["change", "alert"]));
    let foreign = office.post(UNIT, PATH, wish("huimin")).await;
    assert_eq!(foreign.problem(403), "forbidden");
    office.post("huimin.liaison", PATH, wish("huimin")).await.ok(201);
    let own = office.get(UNIT, PATH).await.ok(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let all = office.get("yingji.administrator", PATH).await;
    assert_eq!(all.json["items"].as_array().unwrap().len(), 2);
    // Neither the secret nor a key in the address is shown again.
    assert!(!all.text.contains("whsec_") && !all.text.contains("k3y"), "{}", all.text);
    assert_eq!(office.get("gongan.dispatcher", PATH).await.ok(200)["items"], json!([]));
}

// Check 7.
#[tokio::test]
async fn an_administrator_leads_no_matters_to_a_system_and_can_stop_any() {
    let office = Office::county().await;
    let refused = office.post("yingji.administrator", PATH, wish("huanbao")).await;
    assert_eq!(refused.problem(403), "forbidden", "who sees no matters has none shown outside");
    let made = office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    let one = format!("{PATH}/{}", made["id"]);
    let switch = async |active: bool| {
        office.put("yingji.administrator", &one, json!({ "active": active })).await
    };
    assert_eq!(switch(false).await.ok(200)["active"], false);
    assert_eq!(switch(true).await.problem(403), "forbidden");
    routed(&office).await;
    assert_eq!(posts(&office).await, []);
    let end = office.ask("yingji.administrator", reqwest::Method::DELETE, &one);
    assert_eq!(super::office::read(end).await.status, 204);
}

// Check 15.
#[tokio::test]
async fn a_narrow_token_makes_no_subscription_that_outlives_it() {
    let office = Office::county().await;
    let me = office.get(UNIT, "/api/v1/me").await.ok(200);
    let body = json!({ "person": me["person"]["id"], "label": "huanbao system",
        "acts": ["see_matter", "subscribe", "end_subscriptions"] });
    let token = office.post("yingji.administrator", "/api/v1/tokens", body).await.ok(201);
    let secret = token["token"].as_str().unwrap();
    let ask = |method, path: &str| office.ask("nobody", method, path).bearer_auth(secret);
    let refused = ask(reqwest::Method::POST, PATH).json(&wish("huanbao"));
    assert_eq!(super::office::read(refused).await.problem(403), "narrow_token");
    let made = office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    let seen = super::office::read(ask(reqwest::Method::GET, PATH)).await.ok(200);
    assert_eq!(seen["items"][0]["id"], made["id"]);
}

// Check 39.
#[tokio::test]
async fn the_key_in_a_robots_address_is_kept_nowhere_but_where_it_is_used() {
    let office = Office::county().await;
    for (form, url) in [
        ("wecom", "https://robot.example.org/send?key=k3y"),
        ("dingtalk", "https://robot.example.org/robot/k3y"),
        ("standard", "https://us3r:k3y@hooks.example.org/fenliu"),
        ("standard", "https://hooks.example.org/fenliu#k3y"),
    ] {
        let body = json!({ "unit": "huanbao", "form": form, "url": url });
        let made = office.post(UNIT, PATH, body).await;
        assert_eq!(made.status, 201, "{}", made.text);
        for (who, path) in [(UNIT, PATH), ("yingji.administrator", "/api/v1/audit")] {
            let shown = office.get(who, path).await;
            assert_eq!(shown.status, 200, "{path}: {}", shown.text);
            assert!(!shown.text.contains("k3y"), "{path}: {}", shown.text);
            assert!(shown.text.contains(".example.org"), "{path}: {}", shown.text);
        }
    }
    let log =
        office.get("yingji.administrator", "/api/v1/audit?kind=subscription_made").await.ok(200);
    let detail = &log["items"][0]["detail"];
    assert_eq!(detail["host"], "https://hooks.example.org");
    assert_eq!(
        detail["url_sha256"].as_str().unwrap().len(),
        64,
        "whether it is this one can be said"
    );
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_reason() {
    let office = Office::county().await;
    let robot = json!({ "unit": "huanbao", "form": "wecom", "wants": ["change"],
        "url": "https://robot.example.org/send?key=k3y" });
    for (body, word) in [
        (json!({ "unit": "huanbao", "url": "ftp://x.example" }), "https://"),
        (json!({ "unit": "huanbao", "url": "https://x.example/a b" }), "https://"),
        (robot, "alerts only"),
    ] {
        let answer = office.post(UNIT, PATH, body).await;
        assert!(answer.json["detail"].as_str().unwrap().contains(word), "{}", answer.text);
        assert_eq!(answer.problem(422), "invalid");
    }
}

#[tokio::test]
async fn a_system_is_told_of_its_units_matters_and_nothing_of_the_caller() {
    let office = Office::county().await;
    office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    let id = routed(&office).await;
    let told = posts(&office).await;
    let kinds: Vec<&str> = told.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["change", "alert"], "{told:#?}");
    assert_eq!(told[0].1["type"], "referral.route");
    assert_eq!(told[0].1["data"]["instance"], id.as_str());
    assert_eq!(told[1].1["type"], "referral.alert.new_referral");
    for (_, body) in &told {
        let text = body.to_string();
        for secret in ["张某", "000-0000-0001"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
    // A matter of another unit is not its business.
    let body = json!({ "input": { "place": "葛城街道", "text": "水管爆裂", "kind": "help",
        "category": "utility.water-fault", "anonymous": true } });
    office.post("gongan.dispatcher", "/api/v1/referrals", body).await.ok(201);
    assert_eq!(posts(&office).await.len(), 2);
}

#[tokio::test]
async fn who_leaves_a_unit_leaves_no_address_behind_that_nobody_looks_at() {
    let office = Office::county().await;
    office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    let me = office.get(UNIT, "/api/v1/me").await.ok(200)["person"]["id"].clone();
    let alarms = async || {
        let path = "/api/v1/alarms?kind=subscription_left";
        let found = office.get("yingji.duty", path).await.ok(200);
        found["items"].as_array().unwrap().len()
    };
    let path = format!("/api/v1/people/{me}");
    let mut known = office.get("yingji.administrator", &path).await.ok(200);
    let put = async |known: &Json| {
        let body = json!({ "name": known["name"], "email": known["email"], "phone": known["phone"],
            "grants": known["grants"], "active": known["active"] });
        office.put("yingji.administrator", &path, body).await.ok(200);
    };
    put(&known).await;
    assert_eq!(alarms().await, 0, "nothing has changed");
    known["active"] = json!(false);
    put(&known).await;
    assert_eq!(alarms().await, 1);
    put(&known).await;
    assert_eq!(alarms().await, 1, "it is told once");
}

#[tokio::test]
async fn a_subscription_that_is_switched_off_or_gone_is_told_nothing_more() {
    let office = Office::county().await;
    let made = office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    let one = format!("{PATH}/{}", made["id"]);
    let off = office.put(UNIT, &one, json!({ "active": false })).await.ok(200);
    assert_eq!(off["active"], false);
    routed(&office).await;
    assert_eq!(posts(&office).await, []);
    office.put(UNIT, &one, json!({ "active": true })).await.ok(200);
    routed(&office).await;
    assert_eq!(posts(&office).await.len(), 2);
    for (who, status) in [("huimin.liaison", 404), (UNIT, 204), (UNIT, 404)] {
        let answer = super::office::read(office.ask(who, reqwest::Method::DELETE, &one)).await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text);
    }
    routed(&office).await;
    assert_eq!(posts(&office).await.len(), 2);
}
