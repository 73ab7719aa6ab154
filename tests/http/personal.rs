//! Who called: every caller is kept, masked for those without need, shown for a purpose that is
//! recorded, and erased while the case stays.

use fenliu::domain::InstanceId;
use serde_json::{Value as Json, json};

use super::office::Office;

const DESK: &str = "gongan.dispatcher";

pub(super) async fn call(office: &Office, phone: &str, more: Json) -> (String, String) {
    let mut input = json!({
        "place": "葛城街道", "text": format!("第一句 {}", phone.split_at(7).1), "category": "env.waste-water",
        "kind": "help", "caller_name": "张小明", "caller_phone": phone,
        "caller_address": "葛城街道某小区3栋", "exact_place": "某小区5栋2单元",
    });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

pub(super) async fn give(office: &Office, who: &str, id: &str, command: &str, input: Json) -> Json {
    office.command(who, id, json!({ "command": command, "input": input })).await.ok(200)
}

async fn look(office: &Office, who: &str, id: &str) -> Json {
    office.get(who, &format!("/api/v1/referrals/{id}")).await.ok(200)
}

/// Brings a matter to its end.
pub(super) async fn end(office: &Office, id: &str) {
    give(office, DESK, id, "withdraw", json!({ "wish": "已自行解决，不再需要" })).await;
}

#[tokio::test]
async fn who_calls_again_is_kept_beside_who_called_first() {
    let office = Office::county().await;
    let (id, _) = call(&office, "000-0000-0001", json!({})).await;
    for phone in ["000-0000-0002", "000-0000-0003"] {
        let more = json!({ "text": format!("又来电 {phone}"), "caller_phone": phone });
        give(&office, DESK, &id, "attach_repeat_call", more).await;
    }
    let seen = look(&office, DESK, &id).await;
    assert_eq!(seen["personal"]["caller_phone"], "000-0000-0001");
    assert_eq!(seen["personal"]["text"], "第一句 0-0001");
    let calls = seen["calls"].as_array().unwrap();
    let phones: Vec<&Json> = calls.iter().map(|call| &call["personal"]["caller_phone"]).collect();
    assert_eq!(phones, ["000-0000-0002", "000-0000-0003"]);
    let seqs: Vec<&Json> = calls.iter().map(|call| &call["seq"]).collect();
    assert_eq!(seqs, [2, 3], "each with the event that brought it");
    assert_eq!(calls[1]["personal"]["text"], "又来电 000-0000-0003");
}

#[tokio::test]
async fn after_a_merge_the_second_caller_is_reached_from_the_matter_that_goes_on() {
    let office = Office::county().await;
    let (first, number) = call(&office, "000-0000-0001", json!({})).await;
    give(&office, DESK, &first, "route", json!({ "unit": "huimin" })).await;
    let (second, _) = call(&office, "000-0000-0002", json!({})).await;
    let (third, _) = call(&office, "000-0000-0003", json!({ "confidential": true })).await;
    for merged in [&second, &third] {
        give(&office, DESK, merged, "merge", json!({ "into": number })).await;
    }
    let own = look(&office, DESK, &second).await;
    assert_eq!(own["personal"]["caller_phone"], "000-0000-0002", "it stays with its matter");
    give(&office, "huimin.liaison", &first, "accept", json!({})).await;
    for who in [DESK, "huimin.liaison"] {
        let seen = look(&office, who, &first).await;
        assert_eq!(seen["personal"]["caller_phone"], "000-0000-0001");
        let of = |id: &String| {
            let calls = seen["calls"].as_array().unwrap();
            calls.iter().find(|call| call["merged"] == json!(id)).unwrap().clone()
        };
        assert_eq!(of(&second)["personal"]["caller_phone"], "000-0000-0002", "{who}");
        let sealed = of(&third);
        let open = sealed["personal"]["caller_phone"].is_string();
        assert_eq!(open, who == DESK, "confidence holds after the merge: {sealed}");
    }
    // For a purpose the office is shown all of them, and each one's own history says so.
    let path = format!("/api/v1/referrals/{first}/reveal");
    let purpose = json!({ "purpose": "事故善后，需联系全部来电人" });
    let shown = office.post("yingji.duty", &path, purpose).await.ok(200);
    for (id, phone) in [(&second, "000-0000-0002"), (&third, "000-0000-0003")] {
        let calls = shown["calls"].as_array().unwrap();
        let call = calls.iter().find(|call| call["merged"] == json!(id)).unwrap();
        assert_eq!(call["personal"]["caller_phone"], phone, "{shown}");
        let history = office.get(DESK, &format!("/api/v1/referrals/{id}/events")).await.ok(200);
        let last = history["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["kind"], "caller.revealed");
    }
    // Another unit learns nothing of any of them.
    let foreign = office.get("minzheng.liaison", &format!("/api/v1/referrals/{first}")).await;
    assert_eq!(foreign.problem(404), "not_found");
}

// Checks 4, 42, 46.
#[tokio::test]
async fn who_called_is_masked_for_those_without_need_and_shown_for_a_purpose_that_is_recorded() {
    let office = Office::county().await;
    let (id, _) = call(&office, "13800001234", json!({})).await;
    let more = json!({ "text": "又来电催问", "caller_phone": "13900005678" });
    give(&office, DESK, &id, "attach_repeat_call", more).await;
    for who in ["yingji.duty", "yingji.director", "zhengfu.leader", "yingji.auditor"] {
        let seen = look(&office, who, &id).await;
        assert!(seen["personal"].get("caller_phone").is_none(), "{who}: {seen}");
        assert_eq!(seen["masked"]["caller_phone"], "138****1234", "{who}");
        assert_eq!(seen["masked"]["caller_name"], "张**");
        assert_eq!(seen["masked"]["exact_place"], "某***");
        assert_eq!(seen["fields"]["place"], "葛城街道", "as far as people are sent by it");
        assert_eq!(seen["calls"][0]["masked"]["caller_phone"], "139****5678");
        assert!(!seen.to_string().contains("13800001234"));
    }
    let path = format!("/api/v1/referrals/{id}/reveal");
    for short in ["", "看", "   "] {
        let refused = office.post("yingji.duty", &path, json!({ "purpose": short })).await;
        assert_eq!(refused.problem(422), "wrong_input");
    }
    let purpose = json!({ "purpose": "核实退回理由，需联系来电人" });
    let version = look(&office, "yingji.duty", &id).await["version"].as_i64().unwrap();
    let shown = office.post("yingji.duty", &path, purpose.clone()).await.ok(200);
    assert_eq!(shown["personal"]["caller_phone"], "13800001234");
    assert_eq!(shown["personal"]["exact_place"], "某小区5栋2单元");
    assert_eq!(shown["calls"][0]["personal"]["caller_phone"], "13900005678");
    for who in ["yingji.auditor", "huimin.liaison", "yingji.administrator"] {
        let refused = office.post(who, &path, purpose.clone()).await;
        assert_eq!(refused.problem(403), "forbidden", "{who}");
    }
    // It stands in the history who saw it, for whom and what for; and it is counted.
    let events = office.get("yingji.auditor", &format!("/api/v1/referrals/{id}/events")).await;
    assert!(!events.text.contains("13800001234") && !events.text.contains("张小明"));
    assert!(!events.text.contains("某小区"), "where exactly it is stands with who called");
    let last = events.ok(200)["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["kind"], "caller.revealed");
    assert_eq!(last["input"]["purpose"], purpose["purpose"]);
    assert_eq!((&last["role"], &last["unit"]["code"]), (&json!("duty"), &json!("yingji")));
    assert_eq!(last["seq"], version + 1);
    let metrics = office.get("yingji.duty", "/metrics").await;
    assert!(metrics.text.contains("fenliu_callers_revealed_total 1"), "{}", metrics.text);
    // How the matter stands is as before: nobody's next command is stale by it.
    let route = json!({ "command": "route", "input": { "unit": "huimin" } });
    let request =
        office.ask(DESK, reqwest::Method::POST, &format!("/api/v1/referrals/{id}/commands"));
    let request = request.header("if-match", format!("\"{version}\"")).json(&route);
    super::office::read(request).await.ok(200);
}

// Check 4.
#[tokio::test]
async fn lists_and_streams_show_no_callers_at_all() {
    let office = Office::county().await;
    let (id, _) = call(&office, "13800001234", json!({})).await;
    give(&office, DESK, &id, "route", json!({ "unit": "huimin" })).await;
    for path in ["/api/v1/referrals", "/api/v1/instances", "/api/v1/messages"] {
        let list = office.get(DESK, path).await;
        assert_eq!(list.status, 200);
        for word in ["13800001234", "张小明", "第一句"] {
            assert!(!list.text.contains(word), "{path}: {word}");
        }
    }
}

// Checks 44, 45.
#[tokio::test]
async fn the_person_is_erased_and_the_case_stays_with_a_chain_that_holds() {
    let office = Office::county().await;
    let (id, number) = call(&office, "13800001234", json!({})).await;
    let path = format!("/api/v1/referrals/{id}/erase");
    let reason = json!({ "reason": "来电人依法要求删除个人信息" });
    let open = office.post("gongan.shift_leader", &path, reason.clone()).await;
    assert_eq!(open.problem(409), "still_open");
    end(&office, &id).await;
    for who in [DESK, "yingji.duty", "yingji.auditor", "huimin.leader"] {
        assert_eq!(
            office.post(who, &path, reason.clone()).await.problem(403),
            "forbidden",
            "{who}"
        );
    }
    let done = office.post("gongan.shift_leader", &path, reason).await;
    assert_eq!(done.status, 204, "{}", done.text);
    let seen = look(&office, DESK, &id).await;
    assert_eq!((&seen["personal"], &seen["number"]), (&json!({}), &json!(number)));
    assert_eq!(seen["outcome"].as_str().map(str::is_empty), Some(false), "the case is as it was");
    let events = office.get(DESK, &format!("/api/v1/referrals/{id}/events")).await.ok(200);
    let kinds: Vec<&str> =
        events["items"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.last(), Some(&"caller.erased"));
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert!(report.is_sound() && report.chains_ok == report.instances, "{report:?}");
}

// Check 44.
#[tokio::test]
async fn callers_are_erased_when_their_time_has_come_and_not_before() {
    let office = Office::county().await;
    let (ended, _) = call(&office, "13800001234", json!({})).await;
    let (open, _) = call(&office, "13900005678", json!({})).await;
    end(&office, &ended).await;
    let whose = office.gate.registry().jurisdictions()[0];
    let due = || {
        let (gate, before) = (office.gate.clone(), office.gate.now().plus(-30 * 24 * 3_600_000));
        tokio::task::spawn_blocking(move || {
            gate.callers_to_erase(whose, before, InstanceId(i64::MIN), 10).unwrap()
        })
    };
    office.minutes_later(29 * 24 * 60);
    assert!(due().await.unwrap().is_empty());
    office.minutes_later(2 * 24 * 60);
    let found = due().await.unwrap();
    assert_eq!(found.len(), 1);
    office.gate.erase_callers(whose, found[0], "保存期满30日，按规定删除").await.unwrap();
    assert!(due().await.unwrap().is_empty());
    assert_eq!(look(&office, DESK, &ended).await["personal"], json!({}));
    assert_eq!(look(&office, DESK, &open).await["personal"]["caller_phone"], "13900005678");
}
