//! What the house learns from its own matters, and what it does not: records that are entered later push nothing
//! out of sight, and what was ruled for once, or taken back, teaches nothing.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Office, read};
use super::teaching::{advised, give, registered, ruled, ruling, suggested, train};

const DESK: &str = "gongan.dispatcher";
const DIRECTOR: &str = "yingji.director";
const TEXT: &str = "河边堆的东西有臭味没人管";

/// The name of the model: what was learned is in it.
async fn model(office: &Office) -> Json {
    train(office).await;
    suggested(office, TEXT).await["model"].clone()
}

/// A file of records on paper, entered later.
async fn entered(office: &Office, file: usize) {
    let mut table = "来源编号,接报时间,警情内容,地点,事项类别,性质,匿名\n".to_owned();
    for row in 0..500 {
        let line = format!(
            "P-{file}-{row},2018-07-01 08:15,垃圾没人收,葛城街道,env.solid-waste,投诉,是\n"
        );
        table.push_str(&line);
    }
    let request = office.ask(DESK, Method::POST, "/api/v1/intake/batches?source=paper");
    let request = request.header("content-type", "text/csv").body(table);
    let done = read(request).await.ok(200);
    assert_eq!(done["registered"], 500, "{done}");
}

#[tokio::test]
async fn two_thousand_records_entered_later_make_the_router_forget_nothing() {
    let office = advised().await;
    let text = "窨井冒水淌到路上";
    for _ in 0..10 {
        let (id, _) = registered(&office, text).await;
        give(&office, DESK, &id, "route", json!({ "unit": "chengguan" })).await;
        give(&office, "chengguan.liaison", &id, "accept", json!({})).await;
    }
    let learned = model(&office).await;
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "chengguan");
    for file in 0..4 {
        entered(&office, file).await;
    }
    assert_eq!(model(&office).await, learned, "nobody has accepted any of these yet");
    assert_eq!(suggested(&office, text).await["units"][0]["code"], "chengguan");
}

#[tokio::test]
async fn a_matter_that_is_ruled_again_follows_its_last_ruling_alone() {
    let office = advised().await;
    let (id, _) = ruled(&office, TEXT, ruling()).await;
    assert_eq!(suggested(&office, TEXT).await["units"][0]["code"], "shuiwu");
    let once = json!({ "unit": "nongwei", "reason": "仅此一次，由县农委处理", "precedent": false });
    give(&office, DIRECTOR, &id, "designate", once).await;
    let said = suggested(&office, TEXT).await;
    assert_eq!(said["units"][0]["code"], "huanbao", "{said}");
    assert_ne!(said["reasons"][0]["kind"], "precedent", "{said}");
    let all = office.get(DIRECTOR, "/api/v1/routing/precedents").await.ok(200);
    assert_eq!(all["items"][0]["in_force"], false, "{all}");
    let changes = office.get(DIRECTOR, "/api/v1/routing/proposals").await.ok(200);
    assert_eq!(changes["items"], json!([]), "{changes}");
    // And once more, as a precedent: that one holds.
    let again = json!({ "unit": "chengguan", "reason": "河岸堆物属市容管理" });
    give(&office, DIRECTOR, &id, "designate", again).await;
    assert_eq!(suggested(&office, TEXT).await["units"][0]["code"], "chengguan");
}

/// A ruling to a unit of which the router knows already.
fn for_all() -> Json {
    json!({ "unit": "chengguan", "reason": "河岸堆物属市容管理" })
}

#[tokio::test]
async fn what_is_ruled_for_once_or_taken_back_or_rejected_is_not_learned() {
    let office = advised().await;
    let none = model(&office).await;
    let once = json!({ "unit": "chengguan", "reason": "仅此一次，由县城市管理局清理", "precedent": false });
    let (id, _) = ruled(&office, TEXT, once).await;
    assert_eq!(model(&office).await, none, "for this one only");
    // Also when its unit has accepted, as it has to.
    give(&office, "chengguan.liaison", &id, "accept", json!({})).await;
    assert_eq!(model(&office).await, none, "who was ruled to has to accept");
    let (id, _) = ruled(&office, TEXT, for_all()).await;
    assert_ne!(model(&office).await, none, "a precedent for all");
    let reason = json!({ "reason": "职责已调整" });
    let path = format!("/api/v1/routing/precedents/{id}/withdraw");
    assert_eq!(office.post(DIRECTOR, &path, reason).await.status, 204);
    assert_eq!(model(&office).await, none, "the office took it back");
    let (id, _) = ruled(&office, TEXT, for_all()).await;
    let rejected = json!({ "accept": false, "note": "目录不变，仅个案如此" });
    let path = format!("/api/v1/routing/proposals/{id}");
    office.post(DIRECTOR, &path, rejected).await.ok(200);
    assert_eq!(model(&office).await, none, "the office does not want it for all");
}

#[tokio::test]
async fn a_ruling_that_begins_later_teaches_and_proposes_from_then_on() {
    let office = advised().await;
    let none = model(&office).await;
    let later = json!({ "unit": "chengguan", "reason": "七月四日起由县城市管理局负责", "precedent_from": "2018-07-04" });
    let (id, _) = ruled(&office, TEXT, later).await;
    let proposed = async || {
        let all = office.get(DIRECTOR, "/api/v1/routing/proposals").await.ok(200);
        all["items"].as_array().unwrap().len()
    };
    assert_eq!((model(&office).await, proposed().await), (none.clone(), 0));
    let accept = json!({ "accept": true, "note": "按指定意见调整目录" });
    let path = format!("/api/v1/routing/proposals/{id}");
    assert_eq!(office.post(DIRECTOR, &path, accept).await.problem(404), "not_found");
    office.minutes_later(2 * 24 * 60);
    assert_eq!(proposed().await, 1);
    assert_ne!(model(&office).await, none);
    assert_eq!(suggested(&office, TEXT).await["units"][0]["code"], "chengguan");
}

#[tokio::test]
async fn two_proposals_about_one_category_are_each_tried_on_its_matters() {
    let office = advised().await;
    let (id, _) = registered(&office, TEXT).await;
    give(&office, DESK, &id, "route", json!({ "unit": "shuiwu" })).await;
    ruled(&office, TEXT, ruling()).await;
    let other = json!({ "unit": "nongwei", "reason": "田边堆物属县农委职责" });
    ruled(&office, "田边堆的秸秆没人管", other).await;
    let all = office.get(DIRECTOR, "/api/v1/routing/proposals").await.ok(200);
    let counts: Vec<(&Json, &Json, &Json)> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["after"][0]["code"], &one["replayed"], &one["would_move"]))
        .collect();
    let of = |unit: &str, replayed: i64, would_move: i64| {
        [json!(unit), json!(replayed), json!(would_move)]
    };
    let (newer, older) = (of("nongwei", 2, 2), of("shuiwu", 2, 1));
    let expected = [&newer, &older].map(|[unit, replayed, moved]| (unit, replayed, moved));
    assert_eq!(counts, expected, "{all}");
}
