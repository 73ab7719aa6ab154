//! Returns and rulings teach: counted apart, gone by next time, and proposed to the catalogue.

use std::sync::Arc;

use fenliu::gate::{AccessRules, NewAlarm};
use fenliu::routing::knowledge::{Matter, Topic};
use fenliu::routing::{Example, Knowledge};
use serde_json::{Value as Json, json};

use super::office::Office;

const DESK: &str = "gongan.dispatcher";
const LEADER: &str = "gongan.shift_leader";
const DIRECTOR: &str = "yingji.director";
const DUTY: &str = "yingji.duty";

/// A county whose router believes that whatever smells is for the environment bureau.
pub(super) async fn advised() -> Arc<Office> {
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.9, 0.9, 0.99);
    let example = |text: &str, unit: &str, divert: bool| Example {
        text: text.to_owned(),
        units: vec![unit.to_owned()],
        divert,
        emergency: !divert,
        ..Example::default()
    };
    for _ in 0..4 {
        small.examples.push(example("河边有臭味", "huanbao", true));
        small.examples.push(example("垃圾没人收", "chengguan", true));
        small.examples.push(example("停电了", "gongdian", true));
        small.examples.push(example("着火有人困住", "gongan", false));
    }
    let clause = "县环保局：固体废物".to_owned();
    let topic = Topic { clause, ..Topic::default() };
    small.lexicon.topics.insert("env.solid-waste".to_owned(), topic);
    office.gate.use_knowledge(office.owner(), small);
    train(&office).await;
    Arc::new(office)
}

pub(super) async fn train(office: &Office) {
    let gate = office.gate.clone();
    let owner = gate.registry().jurisdictions()[0];
    let trained = tokio::task::spawn_blocking(move || gate.train(owner).unwrap()).await.unwrap();
    assert!(trained.is_some());
}

pub(super) async fn give(office: &Office, who: &str, id: &str, command: &str, input: Json) {
    office.command(who, id, json!({ "command": command, "input": input })).await.ok(200);
}

pub(super) async fn registered(office: &Office, text: &str) -> (String, String) {
    let input = json!({ "place": "葛城街道", "text": text, "category": "env.solid-waste",
        "kind": "complaint", "anonymous": true });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    (text("id"), text("number"))
}

pub(super) async fn suggested(office: &Office, text: &str) -> Json {
    office.post(DESK, "/api/v1/routing/suggest", json!({ "text": text })).await.ok(200)
}

/// Routed, returned with the clause in dispute, disputed, and ruled to another unit.
pub(super) async fn ruled(office: &Office, text: &str, input: Json) -> (String, String) {
    let (id, number) = registered(office, text).await;
    give(office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    let basis = json!({ "reason": "not_our_duty", "basis": "河道管理条例第二条",
        "disputed_clause": "县环保局：水污染举报", "spot_answer": "tried" });
    give(office, "huanbao.liaison", &id, "return_to_desk", basis).await;
    let dispute = json!({ "ground": "unit_insists", "summary": "河道垃圾发臭，单位坚持退回" });
    give(office, DESK, &id, "escalate_dispute", dispute).await;
    give(office, DIRECTOR, &id, "rule", input).await;
    (id, number)
}

pub(super) fn ruling() -> Json {
    json!({ "unit": "shuiwu", "reason": "河道保洁属县水务局职责" })
}

#[tokio::test]
async fn a_ruling_is_gone_by_the_next_time_and_says_which() {
    let office = advised().await;
    let text = "河边堆的东西有臭味没人管";
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "huanbao");
    let (id, number) = ruled(&office, text, ruling()).await;
    let said = suggested(&office, "河边堆的东西又有臭味，没人管").await;
    assert_eq!(said["units"][0]["code"], "shuiwu", "{said}");
    assert_eq!(said["reasons"][0]["kind"], "precedent");
    let why = said["reasons"][0]["text"]["zh"].as_str().unwrap();
    assert!(why.contains(&number) && why.contains("河道保洁属县水务局职责"), "{why}");
    // What is not like it goes where it went before.
    assert_eq!(suggested(&office, "停电了").await["units"][0]["code"], "gongdian");
    // It stays with the next matter.
    let (next, _) = registered(&office, "河边堆的东西又有臭味，没人管").await;
    let seen = office.get(DESK, &format!("/api/v1/referrals/{next}")).await.ok(200);
    assert!(seen["fields"]["suggestion"].as_str().unwrap().contains(&number), "{seen}");
    // The office takes it back; a dispatcher may not.
    let path = format!("/api/v1/routing/precedents/{id}/withdraw");
    let reason = json!({ "reason": "职责已调整" });
    assert_eq!(office.post(DESK, &path, reason.clone()).await.problem(403), "forbidden");
    assert_eq!(office.post(DIRECTOR, &path, reason.clone()).await.status, 204);
    assert_eq!(office.post(DIRECTOR, &path, reason).await.problem(404), "not_found");
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "huanbao");
    let all = office.get(DESK, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"][0]["in_force"], false);
}

#[tokio::test]
async fn what_is_designated_is_a_precedent_like_a_ruling() {
    let office = advised().await;
    let text = "河边堆的东西有臭味没人管";
    let (id, number) = registered(&office, text).await;
    give(&office, DIRECTOR, &id, "designate", ruling()).await;
    let said = suggested(&office, text).await;
    assert_eq!(said["units"][0]["code"], "shuiwu", "{said}");
    assert!(said["reasons"][0]["text"]["zh"].as_str().unwrap().contains(&number), "{said}");
    let (id, _) = registered(&office, "停电了").await;
    let once = json!({ "unit": "shuiwu", "reason": "仅此一次，由水务局处理", "precedent": false });
    give(&office, DIRECTOR, &id, "designate", once).await;
    let all = office.get(DIRECTOR, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
}

#[tokio::test]
async fn a_precedent_goes_to_who_goes_on_with_the_work_and_to_nobody_who_takes_nothing() {
    let office = advised().await;
    let admin = "yingji.administrator";
    let text = "河边堆的东西有臭味没人管";
    ruled(&office, text, ruling()).await;
    let put = async |successor: Option<&str>| {
        let body = json!({ "name": { "zh": "县水务局", "en": "Water Affairs" }, "kind": "department",
            "active": false, "successor": successor });
        office.put(admin, "/api/v1/units/shuiwu", body).await.ok(200);
    };
    put(Some("nongwei")).await;
    let said = suggested(&office, text).await;
    assert_eq!(said["units"][0]["code"], "nongwei", "{said}");
    let why = said["reasons"][0]["text"]["zh"].as_str().unwrap();
    assert!(why.contains("县水务局") && why.contains("县农委"), "{why}");
    // The proposal names who has it now, too.
    let all = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    assert_eq!(all["items"][0]["after"][0]["code"], "nongwei", "{all}");
    // Without anybody who goes on with it, the precedent is passed over, and that is said.
    put(None).await;
    let said = suggested(&office, text).await;
    assert_eq!(said["units"][0]["code"], "huanbao", "{said}");
    assert_eq!(said["reasons"][0]["kind"], "precedent");
    let why = said["reasons"][0]["text"]["zh"].as_str().unwrap();
    assert!(why.contains("未采用") && why.contains("县水务局"), "{why}");
    let all = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    assert_eq!(all["items"], json!([]), "{all}");
}

#[tokio::test]
async fn a_ruling_that_is_no_precedent_leaves_none() {
    let office = advised().await;
    let once = json!({ "unit": "shuiwu", "reason": "仅此一次，由水务局清理", "precedent": false });
    ruled(&office, "河边堆的东西有臭味没人管", once).await;
    let all = office.get(DIRECTOR, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn a_ruling_for_one_township_and_some_time_is_gone_by_there_and_then() {
    let office = advised().await;
    let text = "河边堆的东西有臭味没人管";
    let ruling = json!({ "unit": "shuiwu", "reason": "河道保洁暂由县水务局负责",
        "precedent_territory": "gecheng", "precedent_until": "2018-07-05" });
    let refused = json!({ "unit": "shuiwu", "reason": "河道保洁暂由县水务局负责",
        "precedent_territory": "huanbao" });
    let (id, _) = registered(&office, text).await;
    let wrong = json!({ "ground": "no_unit_fits", "summary": "河道垃圾发臭，无明确单位" });
    give(&office, DESK, &id, "escalate_dispute", wrong).await;
    let body = json!({ "command": "rule", "input": refused });
    assert_eq!(office.command(DIRECTOR, &id, body).await.problem(409), "no_township");
    give(&office, DIRECTOR, &id, "rule", ruling).await;
    let first = async |place: &str| {
        let body = json!({ "text": text, "place": place });
        let said = office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200);
        said["units"][0]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(first("葛城街道滨河路").await, "shuiwu");
    assert_eq!(first("高燕镇").await, "huanbao", "another township");
    assert_eq!(first("").await, "huanbao", "nobody knows where");
    let all = office.get(DESK, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"][0]["territory"]["code"], "gecheng");
    // It is gone by as it stands: the catalogue of the whole county is not to change for it, and the
    // model does not learn it for everywhere.
    let changes = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    assert_eq!(changes["items"], json!([]), "{changes}");
    train(&office).await;
    assert_eq!(first("高燕镇").await, "huanbao", "another township");
    assert_eq!(all["items"][0]["valid_until"], "2018-07-06T00:00:00+08:00");
    office.minutes_later(4 * 24 * 60);
    assert_eq!(first("葛城街道滨河路").await, "huanbao", "it has ended");
    let all = office.get(DESK, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"][0]["in_force"], false);
}

#[tokio::test]
async fn a_ruling_proposes_a_change_of_the_catalogue_with_what_it_would_have_moved() {
    let office = advised().await;
    let (past, past_number) = registered(&office, "河边堆的东西有臭味没人管").await;
    give(&office, DESK, &past, "route", json!({ "unit": "huanbao" })).await;
    let (id, _) = ruled(&office, "河边堆的东西有臭味没有人管", ruling()).await;
    let all = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    let proposal = &all["items"][0];
    assert_eq!(proposal["state"], "open", "{all}");
    assert_eq!(proposal["after"][0]["code"], "shuiwu");
    assert_eq!(proposal["moved"][0]["number"], json!(past_number));
    assert_eq!(proposal["moved"][0]["first_unit"]["code"], "huanbao");
    let counts = ["replayed", "would_move", "left_off"].map(|name| proposal[name].as_i64());
    assert_eq!(counts, [1, 1, 0].map(Some), "{proposal}");
    let path = format!("/api/v1/routing/proposals/{id}");
    let accept = json!({ "accept": true, "note": "按指定意见调整目录" });
    assert_eq!(office.post(LEADER, &path, accept.clone()).await.problem(403), "forbidden");
    let done = office.post(DIRECTOR, &path, accept.clone()).await.ok(200);
    assert_eq!(done["changed"], true);
    let category = office.get(DESK, "/api/v1/categories/env.solid-waste").await.ok(200);
    assert_eq!(category["units"][0], "shuiwu");
    assert_eq!(office.post(DUTY, &path, accept).await.problem(409), "decided_before");
    assert_eq!(office.get("huimin.liaison", "/api/v1/routing/proposals").await.status, 403);
}

#[tokio::test]
async fn a_proposal_is_tried_on_every_matter_of_its_category_however_it_was_told() {
    let office = advised().await;
    let mut numbers = Vec::new();
    for text in ["垃圾没人收", "小区门口堆了三天的渣土", "有股怪味"] {
        let (id, number) = registered(&office, text).await;
        give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
        numbers.push(number);
    }
    // One that the unit has already, one that nobody has yet, one of another category.
    let (id, _) = registered(&office, "河道垃圾").await;
    give(&office, DESK, &id, "route", json!({ "unit": "shuiwu" })).await;
    registered(&office, "还没分流的垃圾").await;
    let other = json!({ "input": { "place": "葛城街道", "text": "停电了", "anonymous": true,
        "category": "utility.power-fault" } });
    let other = office.post(DESK, "/api/v1/referrals", other).await.ok(201);
    give(&office, DESK, other["id"].as_str().unwrap(), "route", json!({ "unit": "gongdian" }))
        .await;
    let (ruling, _) = ruled(&office, "河边堆的东西有臭味没有人管", ruling()).await;
    let all = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    let proposal = &all["items"][0];
    let counts = ["replayed", "would_move", "left_off"].map(|name| proposal[name].as_i64());
    assert_eq!(counts, [4, 3, 0].map(Some), "{proposal}");
    assert_eq!(all["next"], Json::Null);
    // Page by page, the newest first.
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/routing/proposals/{ruling}/moved?limit=2{cursor}");
        let page = office.get(DUTY, &path).await.ok(200);
        let items = page["items"].as_array().unwrap().iter();
        found.extend(items.map(|one| one["number"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    numbers.reverse();
    assert_eq!(found, numbers);
    let none = format!("/api/v1/routing/proposals/{id}/moved");
    assert_eq!(office.get(DUTY, &none).await.problem(404), "not_found");
    let path = format!("/api/v1/routing/proposals/{ruling}/moved");
    assert_eq!(office.get("huimin.liaison", &path).await.problem(403), "forbidden");
}

/// Everything of a list, page by page of so many.
async fn paged(office: &Office, path: &str, limit: usize) -> Vec<Json> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = office.get(DUTY, &format!("{path}?limit={limit}{cursor}")).await.ok(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit, "{page}");
        found.extend(items.clone());
        let Some(next) = page["next"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn precedents_and_proposals_are_listed_to_the_last_by_pages() {
    let office = advised().await;
    let mut ids = Vec::new();
    for text in ["河边臭味", "河边垃圾", "河边渣土", "河边死鱼", "河边污水"] {
        let (id, _) = registered(&office, text).await;
        give(&office, DIRECTOR, &id, "designate", ruling()).await;
        ids.push(id);
    }
    let withdraw = format!("/api/v1/routing/precedents/{}/withdraw", ids[1]);
    let reason = json!({ "reason": "职责已调整" });
    assert_eq!(office.post(DIRECTOR, &withdraw, reason).await.status, 204);
    let of = |items: Vec<Json>| {
        items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    ids.reverse();
    for limit in [1, 2, 5, 200] {
        assert_eq!(of(paged(&office, "/api/v1/routing/precedents", limit).await), ids, "{limit}");
    }
    let all = office.get(DUTY, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!((&all["living"], &all["followed"]), (&json!(4), &json!(4)), "{all}");
    let proposals = paged(&office, "/api/v1/routing/proposals", 3).await;
    let proposals = of(proposals.iter().map(|one| one["precedent"].clone()).collect());
    ids.remove(3);
    assert_eq!(proposals, ids, "the withdrawn one proposes nothing");
    let (strange, _) = registered(&office, "停电了").await;
    let path = format!("/api/v1/routing/precedents?cursor={strange}");
    assert_eq!(office.get(DUTY, &path).await.problem(404), "not_found");
}

#[tokio::test]
async fn withdrawn_precedents_take_no_place_and_too_many_living_ones_are_said() {
    let office = advised().await;
    let text = "河边堆的东西有臭味没人管";
    let (oldest, _) = registered(&office, text).await;
    give(&office, DIRECTOR, &oldest, "designate", ruling()).await;
    let other = "路灯坏了很久没有人修";
    let mut ids = Vec::new();
    for _ in 0..500 {
        let (id, _) = registered(&office, other).await;
        office.minutes_later(1);
        give(&office, DIRECTOR, &id, "designate", ruling()).await;
        ids.push(id);
    }
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "huanbao", "one too many");
    let all = office.get(DUTY, "/api/v1/routing/precedents?limit=1").await.ok(200);
    assert_eq!((&all["living"], &all["followed"]), (&json!(501), &json!(500)), "{all}");
    train(&office).await;
    let admin = "yingji.administrator";
    let open = office.get(admin, "/api/v1/alarms?open=true").await.ok(200);
    let kinds: Vec<&Json> =
        open["items"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
    assert!(kinds.contains(&&json!("precedents_left_out")), "{open}");
    let path = format!("/api/v1/routing/precedents/{}/withdraw", ids[7]);
    let reason = json!({ "reason": "职责已调整" });
    assert_eq!(office.post(DIRECTOR, &path, reason).await.status, 204);
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "shuiwu", "gone by again");
    train(&office).await;
    let open = office.get(admin, "/api/v1/alarms?open=true").await.ok(200);
    assert!(!open.to_string().contains("precedents_left_out"), "{open}");
}

#[tokio::test]
async fn where_two_people_decide_one_alone_changes_nothing() {
    let office = advised().await;
    let rules = AccessRules { second_person_ms: Some(72 * 3_600_000), ..AccessRules::default() };
    office.gate.use_access_rules(rules);
    let (id, _) = ruled(&office, "河边堆的东西有臭味没人管", ruling()).await;
    let path = format!("/api/v1/routing/proposals/{id}");
    let accept = json!({ "accept": true, "note": "按指定意见调整目录" });
    let first = office.post(DUTY, &path, accept.clone()).await.ok(200);
    assert_eq!(first["changed"], false);
    let same = office.post(DUTY, &path, accept.clone()).await;
    assert_eq!(same.problem(409), "second_person_needed");
    let all = office.get(DUTY, "/api/v1/routing/proposals").await.ok(200);
    assert_eq!(all["items"][0]["state"], "agreed");
    assert_eq!(office.post(DIRECTOR, &path, accept).await.ok(200)["changed"], true);
}

#[tokio::test]
async fn upheld_and_rejected_returns_are_counted_apart() {
    let office = advised().await;
    let returned = |reason: &'static str| {
        json!({ "reason": reason, "basis": "河道管理条例第二条",
        "disputed_clause": "县环保局：水污染举报", "spot_answer": "tried" })
    };
    for decision in ["uphold_return", "reject_return", "none"] {
        let (id, _) = registered(&office, "河边有臭味").await;
        give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
        give(&office, "huanbao.liaison", &id, "return_to_desk", returned("not_our_duty")).await;
        if decision != "none" {
            give(&office, LEADER, &id, decision, json!({ "reason": "职责清单写明" })).await;
        }
    }
    // Ruled to another unit: the return was right.
    ruled(&office, "河边堆的东西有臭味没人管", ruling()).await;
    // Rejected by the desk, contested, and then given to another unit: it was right after all.
    let (id, _) = registered(&office, "河边有臭味").await;
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    give(&office, "huanbao.liaison", &id, "return_to_desk", returned("not_our_duty")).await;
    give(&office, LEADER, &id, "reject_return", json!({ "reason": "职责清单写明" })).await;
    let position = json!({ "position": "河道保洁不属我局职责" });
    give(&office, "huanbao.leader", &id, "contest", position).await;
    give(&office, DIRECTOR, &id, "rule", ruling()).await;
    let figures = office.get(DUTY, "/api/v1/routing/returns").await.ok(200);
    let of_unit = &figures["units"][0];
    assert_eq!(of_unit["unit"]["code"], "huanbao");
    let counts = ["returned", "upheld", "rejected", "pending"].map(|name| of_unit[name].as_i64());
    assert_eq!(counts, [5, 3, 1, 1].map(Some), "{figures}");
    assert_eq!(figures["clauses"][0]["times"], 5);
    let none = "/api/v1/routing/returns?opened_from=2030-01-01T00:00:00%2B08:00";
    assert_eq!(office.get(DUTY, none).await.ok(200)["matters"], 0);
}

#[tokio::test]
async fn each_return_of_one_matter_counts_with_the_clause_that_it_disputed() {
    let office = advised().await;
    let (id, _) = registered(&office, "河边有臭味").await;
    let returned = |clause: &str, leader: Option<&str>| {
        json!({ "reason": "not_our_duty", "basis": "部门职责清单", "disputed_clause": clause,
            "spot_answer": "tried", "leader_name": leader })
    };
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    let first = returned("县环保局：水污染举报", None);
    give(&office, "huanbao.liaison", &id, "return_to_desk", first).await;
    give(&office, LEADER, &id, "uphold_return", json!({ "reason": "职责清单写明" })).await;
    give(&office, DESK, &id, "route", json!({ "unit": "chengguan" })).await;
    let second = returned("县城市管理局：市容环境", Some("分管领导"));
    give(&office, "chengguan.liaison", &id, "return_to_desk", second).await;
    give(&office, LEADER, &id, "reject_return", json!({ "reason": "职责清单写明" })).await;
    let figures = office.get(DUTY, "/api/v1/routing/returns").await.ok(200);
    let of = |list: &str, name: &str| {
        let items = figures[list].as_array().unwrap().iter();
        let named = |one: &&Json| one["clause"] == name || one["unit"]["code"] == name;
        let one = items.into_iter().find(named).unwrap_or_else(|| panic!("{name}: {figures}"));
        ["upheld", "rejected", "pending"].map(|count| one[count].as_i64().unwrap())
    };
    assert_eq!(of("clauses", "县环保局：水污染举报"), [1, 0, 0]);
    assert_eq!(of("clauses", "县城市管理局：市容环境"), [0, 1, 0]);
    assert_eq!(of("units", "huanbao"), [1, 0, 0]);
    assert_eq!(of("units", "chengguan"), [0, 1, 0]);
    assert_eq!(figures["matters"], 1);
}

#[tokio::test]
async fn a_return_that_disputes_competence_names_the_clause() {
    let office = advised().await;
    let (id, _) = registered(&office, "河边有臭味").await;
    give(&office, DESK, &id, "route", json!({ "unit": "huanbao" })).await;
    let without =
        json!({ "reason": "not_our_duty", "basis": "河道管理条例第二条", "spot_answer": "tried" });
    let body = json!({ "command": "return_to_desk", "input": without });
    let refused = office.command("huanbao.liaison", &id, body).await;
    assert_eq!(refused.problem(409), "clause_needed");
    assert!(refused.text.contains("所争议的职责条款"), "{}", refused.text);
    // Spaces name none.
    let blank = json!({ "reason": "not_our_duty", "basis": "河道管理条例第二条", "spot_answer": "tried",
        "disputed_clause": "  " });
    let body = json!({ "command": "return_to_desk", "input": blank });
    let refused = office.command("huanbao.liaison", &id, body).await;
    assert_eq!(refused.problem(409), "clause_needed");
    // Which there are is told to the unit that returns.
    let path = "/api/v1/routing/clauses?category=env.solid-waste";
    let clauses = office.get("huanbao.liaison", path).await.ok(200);
    assert_eq!(clauses["items"][0]["text"], "县环保局：固体废物", "{clauses}");
    assert_eq!(clauses["items"][0]["category"]["code"], "env.solid-waste");
    let all = office.get("huanbao.liaison", "/api/v1/routing/clauses").await.ok(200);
    let law = |one: &Json| one["text"].as_str().unwrap().contains('法');
    assert!(all["items"].as_array().unwrap().iter().any(law), "the laws that fix limits: {all}");
    let strange = office.get("huanbao.liaison", "/api/v1/routing/clauses?category=nosuch").await;
    assert_eq!(strange.problem(422), "invalid");
    // Where the facts are disputed, no clause is.
    let facts =
        json!({ "reason": "facts_differ", "basis": "现场核查笔录", "spot_answer": "tried" });
    give(&office, "huanbao.liaison", &id, "return_to_desk", facts).await;
}

#[tokio::test]
async fn the_router_learns_from_what_units_accepted_and_stops_when_it_is_erased() {
    let office = advised().await;
    let text = "窨井冒水淌到路上";
    let before = suggested(&office, text).await;
    let mut ids = Vec::new();
    for _ in 0..6 {
        let (id, _) = registered(&office, text).await;
        give(&office, DESK, &id, "route", json!({ "unit": "chengguan" })).await;
        give(&office, "chengguan.liaison", &id, "accept", json!({})).await;
        ids.push(id);
    }
    train(&office).await;
    let after = suggested(&office, text).await;
    assert_eq!(after["units"][0]["code"], "chengguan", "{after}");
    assert_ne!(after["model"], before["model"], "another model has another name");
    // Trained again from the same it is the same.
    train(&office).await;
    assert_eq!(suggested(&office, text).await["model"], after["model"]);
    for id in ids {
        let withdrawn = json!({ "wish": "来电人撤回诉求" });
        give(&office, DESK, &id, "withdraw", withdrawn).await;
        let path = format!("/api/v1/referrals/{id}/erase");
        let reason = json!({ "reason": "来电人要求删除" });
        assert_eq!(office.post(LEADER, &path, reason).await.status, 204);
    }
    train(&office).await;
    assert_eq!(suggested(&office, text).await["model"], before["model"]);
}

#[tokio::test]
async fn the_router_learns_a_catalogue_as_soon_as_it_is_in_force() {
    use fenliu::scheduler::{Duty, Poll, watch::Watch};
    let office = Office::county().await;
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.9, 0.9, 0.99);
    let directory = office.gate.registry().directory(office.owner()).unwrap();
    for category in directory.categories.values() {
        let (code, units, kept) =
            (category.code.clone(), category.units.clone(), category.police_kept);
        small.categories.push(Matter { code, units, kept });
    }
    let (text, units) = ("垃圾没人收".to_owned(), vec!["huanbao".to_owned()]);
    let category = Some("env.solid-waste".to_owned());
    small.examples.push(Example { text, units, category, divert: true, ..Example::default() });
    office.gate.use_knowledge(office.owner(), small);
    // That it could not be trained before is over now.
    let (gate, owner) = (office.gate.clone(), office.owner());
    let alarm = NewAlarm {
        kind: "router_untrained".to_owned(),
        jurisdiction: Some(owner),
        instance: None,
        at: gate.now(),
        detail: "the store did not answer".to_owned(),
    };
    tokio::task::spawn_blocking(move || gate.raise_alarm(&alarm).unwrap()).await.unwrap();
    train(&office).await;
    let admin = "yingji.administrator";
    let open = office.get(admin, "/api/v1/alarms?open=true").await.ok(200);
    assert_eq!(open["items"], json!([]), "{open}");
    let mut watch = Watch::new(Duty::new(office.gate.clone()));
    watch.poll().await;
    let before = suggested(&office, "垃圾没人收").await["model"].clone();
    let path = "/api/v1/categories/env.solid-waste";
    let mut category = office.get(DESK, path).await.ok(200);
    category["units"] = json!(["chengguan", "huanbao"]);
    office.put(admin, path, category).await.ok(200);
    assert!(office.gate.router_is_behind(owner).unwrap());
    watch.poll().await;
    // It is trained beside everything else, in a moment here.
    for _ in 0..600 {
        if !office.gate.router_is_behind(owner).unwrap() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_ne!(suggested(&office, "垃圾没人收").await["model"], before);
}

#[test]
fn what_stays_with_the_police_is_not_unlearned_by_what_units_accept() {
    let mut knowledge = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    knowledge.examples.push(Example { units: vec!["huimin".to_owned()], ..Example::default() });
    let own = |unit: &str| Example { units: vec![unit.to_owned()], ..Example::default() };
    knowledge.learn(vec![own("gongan"), own("nosuch"), own("huimin")]);
    assert_eq!(knowledge.examples.len(), 2);
}

#[tokio::test]
async fn what_was_not_done_does_not_stand_in_the_audit_log() {
    let office = Office::county().await;
    let admin = "yingji.administrator";
    let me = office.get(admin, "/api/v1/me").await.ok(200)["person"]["id"].clone();
    let made = office.post(admin, "/api/v1/tokens", json!({ "person": me, "label": "once" })).await;
    let token = format!("/api/v1/tokens/{}", made.ok(201)["id"]);
    let delete = reqwest::Method::DELETE;
    let answer = super::office::read(office.ask(admin, delete.clone(), &token)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    let (id, _) = registered(&office, "河边有臭味").await;
    let log = async || office.get("yingji.auditor", "/api/v1/audit").await.ok(200)["items"].clone();
    let before = log().await;
    let again = super::office::read(office.ask(admin, delete.clone(), &token)).await;
    assert_eq!(again.problem(404), "not_found", "it was revoked before");
    let path = "/api/v1/catalogue/versions/999";
    let none = super::office::read(office.ask(admin, delete, path)).await;
    assert_eq!(none.problem(404), "not_found");
    let path = format!("/api/v1/routing/precedents/{id}/withdraw");
    let none = office.post(DUTY, &path, json!({ "reason": "从来没有这个先例" })).await;
    assert_eq!(none.problem(404), "not_found");
    assert_eq!(log().await, before);
}
