//! The shipped county over HTTP: who takes part, who sees what, and what is not believed.

use serde_json::{Value as Json, json};

use super::office::Office;

const DESK: &str = "gongan.dispatcher";

/// Registers a call; its id and its number.
async fn call(office: &Office, more: Json) -> (String, String) {
    let mut input = json!({
        "place": "葛城街道", "text": "下水道堵塞，住户张某家中进水", "category": "env.waste-water",
        "kind": "help", "caller_name": "张某", "caller_phone": "000-0000-0001",
        "caller_address": "葛城街道某小区",
    });
    input.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

async fn give(office: &Office, who: &str, id: &str, command: &str, input: Json) -> Json {
    office.command(who, id, json!({ "command": command, "input": input })).await.ok(200)
}

/// What a refusal says in Chinese of one input.
async fn wrong(office: &Office, who: &str, id: &str, command: &str, input: Json) -> String {
    let answer = office.command(who, id, json!({ "command": command, "input": input })).await;
    assert_eq!(answer.json["code"], "wrong_input", "{}", answer.text);
    answer.json["reasons"][0]["zh"].as_str().unwrap().to_owned()
}

async fn look(office: &Office, who: &str, id: &str) -> Json {
    office.get(who, &format!("/api/v1/referrals/{id}")).await.ok(200)
}

#[tokio::test]
async fn a_category_or_unit_that_does_not_exist_is_said_to_be_wrong() {
    let office = Office::county().await;
    for category in ["no.such", "police.fires"] {
        let input = json!({ "place": "葛城街道", "text": "x", "category": category, "kind": "help",
            "anonymous": true });
        let answer = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await;
        assert_eq!(answer.json["code"], "wrong_input", "{}", answer.text);
        assert_eq!(answer.json["reasons"][0]["input"], "category");
    }
    let (id, _) = call(&office, json!({})).await;
    let said = wrong(&office, DESK, &id, "route", json!({ "unit": "nosuch" })).await;
    assert!(said.contains("没有代码为“nosuch”的单位"), "{said}");
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    give(&office, "huanbao.liaison", &id, "accept", json!({})).await;
    for units in [json!(["nosuch"]), json!(["huimin", "guotu-fangguan"]), json!(["zhengfu"])] {
        let input = json!({ "units": units, "demand": "协助处理" });
        wrong(&office, "huanbao.leader", &id, "invite_co_handlers", input).await;
    }
    for unit in ["ghost", "zhengfu", "guotu-fangguan"] {
        let input = json!({ "unit": unit, "level": "normal", "reason": "逾期未办" });
        wrong(&office, "yingji.duty", &id, "supervise", input).await;
    }
    let children = office.get(DESK, &format!("/api/v1/referrals/{id}/children")).await.ok(200);
    assert_eq!(children["items"], json!([]), "nobody holds a task that he cannot know of");
}

#[tokio::test]
async fn orders_go_only_to_linked_units_that_exist() {
    let office = Office::county().await;
    let input = json!({ "tier": "larger", "started_at": "2018-07-02T09:10:00+08:00",
        "coordination": true, "police_first": false, "unit": "huimin",
        "category": "utility.gas-fault", "place": "葛城街道" });
    let body = json!({ "workflow": "incident", "input": input });
    let opened = office.post(DESK, "/api/v1/instances", body).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    give(&office, "yingji.duty", id, "take_command", json!({})).await;
    for units in [json!(["huimin", "ghost"]), json!(["zhengfu"]), json!([])] {
        let input = json!({ "units": units, "content": "立即到场" });
        wrong(&office, "yingji.duty", id, "issue_order", input).await;
    }
}

#[tokio::test]
async fn the_police_can_do_what_they_are_told_to() {
    let office = Office::county().await;
    let gas = json!({ "category": "utility.gas-fault", "urgent": true });
    let (id, _) = call(&office, gas).await;
    let input = json!({ "reason": "疑似燃气泄漏", "unit": "ranqi" });
    give(&office, DESK, &id, "send_police", input).await;
    let children = office.get(DESK, &format!("/api/v1/referrals/{id}/children")).await.ok(200);
    let incident = children["items"][0]["id"].as_str().unwrap().to_owned();
    let list = office.get("gongan.leader", "/api/v1/instances?workflow=incident").await.ok(200);
    assert_eq!(list["items"][0]["id"], json!(incident), "it is in their list");
    give(&office, "gongan.liaison", &incident, "police_arrived", json!({})).await;
    give(&office, "gongan.leader", &incident, "scene_safe", json!({})).await;
    let fields = look(&office, DESK, &id).await["fields"].clone();
    assert!(fields["scene_safe_at"].is_string(), "{fields}");
    // Who has no part in it still finds nothing.
    let foreign = office.get("huimin.liaison", &format!("/api/v1/instances/{incident}")).await;
    assert_eq!(foreign.problem(404), "not_found");
}

#[tokio::test]
async fn a_vehicle_mark_goes_its_whole_way_and_is_taken_back() {
    let office = Office::county().await;
    let input = json!({ "unit": "ranqi", "plate": "渝F00000", "vehicle": "抢修车",
        "duty": "燃气设施抢险" });
    let body = json!({ "workflow": "vehicle_mark", "input": input });
    let opened = office.post("ranqi.liaison", "/api/v1/instances", body).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let (police, leader, unit) = ("gongan.liaison", "gongan.leader", "ranqi.liaison");
    give(&office, leader, id, "approve", json!({})).await;
    give(&office, police, id, "make_mark", json!({ "mark_number": "联动-001" })).await;
    give(&office, police, id, "issue_mark", json!({ "valid_until": "2019-06-28" })).await;
    give(&office, unit, id, "sign_for_mark", json!({})).await;
    let until = json!({ "until": "2018-07-13", "reason": "非紧急任务使用" });
    give(&office, police, id, "suspend", until).await;
    give(&office, police, id, "resume", json!({})).await;
    give(&office, leader, id, "revoke", json!({ "reason": "再次违规使用" })).await;
    let ended = give(&office, police, id, "take_back", json!({})).await;
    assert_eq!(ended["status"], "ended");
}

#[tokio::test]
async fn who_called_is_known_to_the_desk_and_to_who_handles_it() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({})).await;
    let phone = |seen: &Json| seen["personal"]["caller_phone"].is_string();
    let text = |seen: &Json| seen["personal"]["text"].is_string();
    // While the desk holds it the rest of the police house reads nothing of it.
    for who in ["gongan.liaison", "gongan.leader"] {
        let seen = look(&office, who, &id).await;
        assert!(!phone(&seen) && !text(&seen), "{who}: {seen}");
    }
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    give(&office, "huanbao.liaison", &id, "accept", json!({})).await;
    let sub = json!({ "sub_unit": "huanbao-zhifa" });
    give(&office, "huanbao.liaison", &id, "assign_sub_unit", sub).await;
    for who in [DESK, "huanbao.liaison", "huanbao-zhifa.liaison"] {
        let seen = look(&office, who, &id).await;
        assert!(phone(&seen) && text(&seen), "{who}: {seen}");
    }
    // Who sees everything learns what it is about, not who called.
    for who in ["yingji.duty", "yingji.director", "zhengfu.leader", "yingji.auditor"] {
        let seen = look(&office, who, &id).await;
        assert!(text(&seen) && !phone(&seen), "{who}: {seen}");
        assert!(seen["personal"].get("caller_name").is_none(), "{who}");
        assert!(seen["personal"].get("caller_address").is_none(), "{who}");
    }
}

#[tokio::test]
async fn a_confidential_caller_is_known_to_the_desk_alone() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({ "confidential": true })).await;
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    let seen = look(&office, "huanbao.liaison", &id).await["personal"].clone();
    let names: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(names, ["text"]);
    assert_eq!(look(&office, DESK, &id).await["personal"]["caller_phone"], "000-0000-0001");
}

#[tokio::test]
async fn a_unit_whose_return_was_upheld_sees_its_own_part_and_no_more() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({})).await;
    give(&office, DESK, &id, "route", json!({ "unit": "chengguan" })).await;
    let input = json!({ "reason": "other_owner", "basis": "城镇排水与污水处理条例",
        "disputed_clause": "分流方案：市政排水", "spot_answer": "tried" });
    give(&office, "chengguan.liaison", &id, "return_to_desk", input).await;
    let why = json!({ "reason": "管网属惠民公司" });
    give(&office, "gongan.shift_leader", &id, "uphold_return", why).await;
    give(&office, DESK, &id, "route", json!({ "unit": "huimin" })).await;
    // Its interim duty lasts until the next unit accepts.
    assert_eq!(look(&office, "chengguan.liaison", &id).await["former"], false);
    give(&office, "huimin.liaison", &id, "accept", json!({})).await;
    let told = json!({ "how": "phone", "reached": true, "note": "约定下午上门" });
    give(&office, "huimin.liaison", &id, "contacted_caller", told).await;
    let seen = look(&office, "chengguan.liaison", &id).await;
    assert_eq!((&seen["former"], &seen["status"]), (&json!(true), &json!("accepted")));
    assert_eq!((&seen["fields"], &seen["possible"]), (&json!({}), &json!([])));
    let path = format!("/api/v1/referrals/{id}/events");
    let events = office.get("chengguan.liaison", &path).await;
    assert!(!events.text.contains("约定下午上门"), "{}", events.text);
    let seqs = |json: &Json| -> Vec<i64> {
        json["items"].as_array().unwrap().iter().map(|e| e["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(&events.ok(200)), [2, 3, 4, 5, 6], "from its routing to the next acceptance");
    let whole = office.get("huimin.liaison", &path).await.ok(200);
    assert_eq!(seqs(&whole), [1, 2, 3, 4, 5, 6, 7]);
    let list = office.get("chengguan.liaison", "/api/v1/referrals").await.ok(200);
    assert_eq!(list["items"][0]["status"], "accepted", "as it was left");
}

#[tokio::test]
async fn a_call_is_merged_only_into_an_open_matter_that_gets_its_caller() {
    let office = Office::county().await;
    let (first, number) = call(&office, json!({})).await;
    give(&office, DESK, &first, "route", json!({ "unit": "huimin" })).await;
    let (second, own) = call(&office, json!({})).await;
    for into in ["没有这个号", "99999999", &own] {
        wrong(&office, DESK, &second, "merge", json!({ "into": into })).await;
    }
    let body = json!({ "workflow": "vehicle_mark", "input": { "unit": "ranqi", "plate": "渝F00000",
        "vehicle": "抢修车", "duty": "燃气设施抢险" } });
    let mark = office.post("ranqi.liaison", "/api/v1/instances", body).await.ok(201);
    wrong(&office, DESK, &second, "merge", json!({ "into": mark["number"] })).await;
    give(&office, DESK, &second, "merge", json!({ "into": number })).await;
    let target = look(&office, DESK, &first).await;
    assert_eq!(target["fields"]["repeat_calls"], 1);
    let events = office.get(DESK, &format!("/api/v1/referrals/{first}/events")).await.ok(200);
    let last = events["items"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["kind"], &last["actor"]),
        (&json!("signal.merged_here"), &json!(format!("instance:{second}")))
    );
    let (third, _) = call(&office, json!({})).await;
    let said = wrong(&office, DESK, &third, "merge", json!({ "into": own })).await;
    assert!(said.contains("已办结"), "{said}");
    // What people read out on the telephone is found.
    let list = office.get(DESK, &format!("/api/v1/referrals?number={number}")).await.ok(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["id"], json!(first));
}

#[tokio::test]
async fn people_read_the_messages_that_were_sent_to_them() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({})).await;
    give(&office, DESK, &id, "route", json!({ "unit": "huimin" })).await;
    let me =
        office.get("huimin.liaison", "/api/v1/me").await.ok(200)["person"]["id"].as_i64().unwrap();
    let own = office.get("huimin.liaison", &format!("/api/v1/messages?person={me}")).await;
    assert!(!own.ok(200)["items"].as_array().unwrap().is_empty());
    for path in ["/api/v1/messages".to_owned(), format!("/api/v1/messages?person={}", me + 1)] {
        assert_eq!(office.get("huimin.liaison", &path).await.problem(403), "forbidden");
    }
}

#[tokio::test]
async fn a_complaint_about_a_unit_keeps_its_caller_from_the_liaison_officer() {
    let office = Office::county().await;
    let (id, _) =
        call(&office, json!({ "category": "labour.employment", "about_unit": true })).await;
    give(&office, DESK, &id, "route", json!({ "unit": "renshe" })).await;
    let liaison = look(&office, "renshe.liaison", &id).await["personal"].clone();
    assert!(liaison["text"].is_string() && liaison.get("caller_phone").is_none(), "{liaison}");
    let leader = look(&office, "renshe.leader", &id).await["personal"].clone();
    assert_eq!(leader["caller_phone"], "000-0000-0001");
}

#[tokio::test]
async fn the_police_read_in_the_alert_what_and_where_it_is() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({ "category": "utility.gas-fault", "urgent": true })).await;
    let input = json!({ "reason": "疑似燃气泄漏", "unit": "ranqi" });
    give(&office, DESK, &id, "send_police", input).await;
    let told = office.get(DESK, &format!("/api/v1/referrals/{id}/messages")).await.ok(200);
    let orders: Vec<&str> = told["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|message| message["body"].as_str())
        .filter(|body| body.contains("派警"))
        .collect();
    assert!(!orders.is_empty());
    for body in orders {
        assert!(body.contains("葛城街道") && body.contains("供气故障"), "{body}");
    }
}

#[tokio::test]
async fn codes_come_with_the_words_that_people_use() {
    let office = Office::county().await;
    let (id, _) = call(&office, json!({})).await;
    give(&office, DESK, &id, "route", json!({ "unit": "huimin" })).await;
    let seen = look(&office, DESK, &id).await;
    assert_eq!(seen["status_title"]["zh"], "已分流");
    assert_eq!(seen["names"]["kind"]["zh"], "求助");
    assert_eq!(seen["names"]["tier"]["zh"], "一般");
    assert!(seen["names"]["unit"]["zh"].as_str().unwrap().contains("惠民"), "{}", seen["names"]);
    assert!(seen["names"]["category"]["zh"].is_string());
}

#[tokio::test]
async fn a_status_that_no_workflow_has_is_a_slip_and_not_an_empty_list() {
    let office = Office::county().await;
    for path in ["/api/v1/referrals?status=foo", "/api/v1/counts?status=routed,foo"] {
        let answer = office.get(DESK, path).await;
        assert_eq!(answer.problem(400), "bad_query");
        assert!(answer.text.contains("returned_to_110"), "{}", answer.text);
    }
    office.get(DESK, "/api/v1/referrals?status=routed").await.ok(200);
}

#[tokio::test]
async fn a_county_leader_is_told_that_he_sees_everything() {
    let office = Office::county().await;
    let me = office.get("zhengfu.leader", "/api/v1/me").await.ok(200);
    assert!(me["may"].as_array().unwrap().contains(&json!("see_all")), "{me}");
    let me = office.get("huimin.leader", "/api/v1/me").await.ok(200);
    assert!(!me["may"].as_array().unwrap().contains(&json!("see_all")), "{me}");
}

#[tokio::test]
async fn a_convenience_measure_goes_from_the_proposal_to_its_end() {
    let office = Office::county().await;
    let input = json!({ "unit": "huimin", "name": "停水提前短信告知",
        "content": "计划停水提前24小时短信告知用户", "quarter_end": "2018-09-28" });
    let body = json!({ "workflow": "convenience_measure", "input": input });
    let opened = office.post("huimin.liaison", "/api/v1/instances", body).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let (duty, director, leader) = ("yingji.duty", "yingji.director", "zhengfu.leader");
    give(&office, duty, id, "collect", json!({})).await;
    let decision = json!({ "decision": "agreed", "meeting_on": "2018-07-02",
        "minutes": "联席会议纪要〔2018〕3号", "opinion": "同意，报县领导签批" });
    give(&office, duty, id, "decide", decision).await;
    give(&office, director, id, "submit", json!({})).await;
    give(&office, leader, id, "sign", json!({})).await;
    let report_by = json!({ "report_by": "2018-09-28" });
    give(&office, "huimin.liaison", id, "put_in_force", report_by).await;
    let result = json!({ "result": "计划停水均已提前24小时短信告知" });
    give(&office, "huimin.liaison", id, "report", result).await;
    let opinion = json!({ "opinion": "转为日常工作" });
    let ended = give(&office, director, id, "end_measure", opinion).await;
    assert_eq!(ended["status"], "ended");
}
