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
async fn a_unit_subscribes_for_itself_and_an_administrator_for_any() {
    let office = Office::county().await;
    let made = office.post(UNIT, PATH, wish("huanbao")).await.ok(201);
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"), "{made}");
    assert_eq!(made["wants"], json!(["change", "alert"]));
    let foreign = office.post(UNIT, PATH, wish("huimin")).await;
    assert_eq!(foreign.problem(403), "forbidden");
    office.post("yingji.administrator", PATH, wish("huimin")).await.ok(201);
    let own = office.get(UNIT, PATH).await.ok(200);
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    let all = office.get("yingji.administrator", PATH).await;
    assert_eq!(all.json["items"].as_array().unwrap().len(), 2);
    // Neither the secret nor a key in the address is shown again.
    assert!(!all.text.contains("whsec_") && !all.text.contains("k3y"), "{}", all.text);
    assert_eq!(office.get("gongan.dispatcher", PATH).await.ok(200)["items"], json!([]));
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_reason() {
    let office = Office::county().await;
    let robot = json!({ "unit": "huanbao", "form": "wecom", "wants": ["change"],
        "url": "https://robot.example.org/send?key=k3y" });
    for (body, word) in [
        (wish("nosuch"), "no unit"),
        (json!({ "unit": "huanbao", "url": "ftp://x.example" }), "https://"),
        (json!({ "unit": "huanbao", "url": "https://x.example/a b" }), "https://"),
        (robot, "alerts only"),
    ] {
        let answer = office.post("yingji.administrator", PATH, body).await;
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
