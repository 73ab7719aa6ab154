//! What can be answered on the spot: written by the unit whose it is, shown while the call is typed.

use std::sync::Arc;

use fenliu::routing::{Example, Knowledge, Router};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Office, read};

const DESK: &str = "gongan.dispatcher";
const UNIT: &str = "renshe.liaison";

fn wage() -> Json {
    json!({ "unit": "renshe", "category": "labour.wage", "title": "拖欠工资怎样投诉",
        "body": "可到县人力社保局劳动监察机构投诉，请带身份证和工资记录。", "words": "欠薪 讨薪" })
}

async fn put(office: &Office, who: &str, code: &str, body: Json) -> super::office::Answer {
    office.put(who, &format!("/api/v1/answers/{code}"), body).await
}

fn codes(found: &Json) -> Vec<&str> {
    found["items"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_unit_writes_its_own_answers_and_the_desk_finds_them() {
    let office = Office::county().await;
    let first = put(&office, UNIT, "wage", wage()).await.ok(200);
    assert_eq!((&first["version"], &first["unit"]["code"]), (&json!(1), &json!("renshe")));
    // Another unit's answers are not its business, under whatever name.
    assert_eq!(put(&office, "huimin.liaison", "wage", wage()).await.problem(403), "forbidden");
    let mut taken = wage();
    taken["unit"] = json!("huimin");
    assert_eq!(put(&office, "huimin.liaison", "wage", taken).await.problem(403), "forbidden");
    assert_eq!(put(&office, DESK, "wage", wage()).await.problem(403), "forbidden");
    let found = office.get(DESK, "/api/v1/answers?q=%E8%AE%A8%E8%96%AA%E6%89%BE%E8%B0%81").await;
    assert_eq!(codes(&found.ok(200)), ["wage"]);
    let none = office.get(DESK, "/api/v1/answers?category=env.noise").await.ok(200);
    assert_eq!(none["items"], json!([]));
    // A new version stands in its place; the old one stays in the history.
    let mut newer = wage();
    newer["body"] = json!("请先到劳动监察大队登记。");
    assert_eq!(put(&office, "gongan.shift_leader", "wage", newer).await.ok(200)["version"], 2);
    let all = office.get(DESK, "/api/v1/answers").await.ok(200);
    assert_eq!(all["items"][0]["body"], "请先到劳动监察大队登记。");
    let history = office.get(DESK, "/api/v1/answers/wage").await.ok(200);
    assert_eq!(history["items"].as_array().unwrap().len(), 2);
    let path = "/api/v1/answers/wage";
    let foreign = read(office.ask("huimin.liaison", Method::DELETE, path)).await;
    assert_eq!(foreign.problem(403), "forbidden");
    assert_eq!(read(office.ask(UNIT, Method::DELETE, path)).await.status, 204);
    assert_eq!(read(office.ask(UNIT, Method::DELETE, path)).await.problem(404), "not_found");
    assert_eq!(office.get(DESK, "/api/v1/answers").await.ok(200)["items"], json!([]));
    // The code stays its unit's, which may use it again.
    let mut taken = wage();
    taken["unit"] = json!("huimin");
    assert_eq!(put(&office, "huimin.liaison", "wage", taken).await.problem(403), "forbidden");
    assert_eq!(put(&office, UNIT, "wage", wage()).await.ok(200)["version"], 3);
    assert_eq!(codes(&office.get(DESK, "/api/v1/answers").await.ok(200)), ["wage"]);
}

#[tokio::test]
async fn what_lapsed_or_was_taken_back_is_listed_for_who_asks_for_it() {
    let office = Office::county().await;
    let mut short = wage();
    short["valid_until"] = json!("2018-07-02T10:00:00+08:00");
    for (code, body) in [("wage", short), ("steady", wage()), ("gone", wage())] {
        put(&office, UNIT, code, body).await.ok(200);
    }
    assert_eq!(read(office.ask(UNIT, Method::DELETE, "/api/v1/answers/gone")).await.status, 204);
    office.minutes_later(60);
    let listed = async |query: &str| {
        let found = office.get(DESK, &format!("/api/v1/answers?{query}")).await.ok(200);
        codes(&found).join(" ")
    };
    for (query, expected) in [
        ("", "steady"),
        ("state=current", "steady"),
        ("state=lapsed", "wage"),
        ("state=ended", "gone"),
        ("unit=renshe", "steady"),
        ("unit=huimin", ""),
        ("state=ended&unit=huimin", ""),
        // 身份证 stands in what is said only.
        ("q=%E8%BA%AB%E4%BB%BD%E8%AF%81", "steady"),
        ("q=%E8%BA%AB%E4%BB%BD%E8%AF%81&state=lapsed", "wage"),
        // 停水 nowhere.
        ("q=%E5%81%9C%E6%B0%B4", ""),
    ] {
        assert_eq!(listed(query).await, expected, "{query}");
    }
    for slip in ["state=over", "unit=rensh"] {
        let answer = office.get(DESK, &format!("/api/v1/answers?{slip}")).await;
        assert_eq!(answer.problem(400), "bad_query", "{slip}");
    }
    // Who renews it has it back.
    put(&office, UNIT, "wage", wage()).await.ok(200);
    assert_eq!(listed("state=lapsed").await, "");
    assert_eq!(listed("").await, "steady wage");
}

#[tokio::test]
async fn the_answers_of_a_merged_unit_are_its_successors() {
    let office = Office::county().await;
    let mut answer = wage();
    (answer["unit"], answer["category"]) = (json!("gongshang"), json!("market.consumer"));
    let (old, new) = ("gongshang.liaison", "shiyao.liaison");
    for code in ["consumer", "refund"] {
        put(&office, old, code, answer.clone()).await.ok(200);
    }
    assert_eq!(put(&office, new, "consumer", answer.clone()).await.problem(403), "forbidden");
    let unit = json!({ "name": { "zh": "县工商局", "en": "Industry and Commerce" },
        "kind": "department", "successor": "shiyao" });
    office.put("yingji.administrator", "/api/v1/units/gongshang", unit).await.ok(200);
    for unit in ["gongshang", "shiyao"] {
        let found = office.get(DESK, &format!("/api/v1/answers?unit={unit}")).await.ok(200);
        assert_eq!(codes(&found), ["consumer", "refund"], "{unit}");
    }
    let foreign = put(&office, "huimin.liaison", "refund", answer.clone()).await;
    assert_eq!(foreign.problem(403), "forbidden");
    // Whatever its unit is called in what comes in, it is the successor's from now on.
    let written = put(&office, new, "consumer", answer).await.ok(200);
    assert_eq!((&written["version"], &written["unit"]["code"]), (&json!(2), &json!("shiyao")));
    let ended = read(office.ask(new, Method::DELETE, "/api/v1/answers/refund")).await;
    assert_eq!(ended.status, 204, "{}", ended.text);
}

#[tokio::test]
async fn what_holds_no_longer_is_not_shown() {
    let office = Office::county().await;
    let mut short = wage();
    short["valid_until"] = json!("2018-07-02T10:00:00+08:00");
    put(&office, UNIT, "wage", short.clone()).await.ok(200);
    assert_eq!(codes(&office.get(DESK, "/api/v1/answers").await.ok(200)), ["wage"]);
    office.minutes_later(60);
    assert_eq!(office.get(DESK, "/api/v1/answers").await.ok(200)["items"], json!([]));
    assert_eq!(put(&office, UNIT, "wage", short).await.problem(422), "invalid");
    for (name, value) in [("title", "短"), ("body", "无"), ("category", "no.such"), ("unit", "no")]
    {
        let mut wrong = wage();
        wrong[name] = json!(value);
        let answer = put(&office, "gongan.shift_leader", "wage", wrong).await;
        assert_eq!(answer.problem(422), "invalid", "{name}");
    }
}

#[tokio::test]
async fn an_answer_stands_beside_the_suggestion_and_ends_the_call_at_the_desk() {
    let office = Office::county().await;
    let example = |text: &str, unit: &str| Example {
        text: text.to_owned(),
        units: vec![unit.to_owned()],
        divert: true,
        ..Example::default()
    };
    let mut small = Knowledge { police: "gongan".to_owned(), ..Knowledge::default() };
    small.examples = vec![example("工资没发", "renshe"), example("停水", "huimin")];
    (small.tuning.ask, small.tuning.ask_danger, small.tuning.keep) = (0.9, 0.9, 0.99);
    office.use_router(Arc::new(Router::train(&small)));
    put(&office, UNIT, "wage", wage()).await.ok(200);
    let body = json!({ "text": "老板拖欠工资，去哪里讨薪" });
    let said = office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200);
    assert_eq!(said["answers"][0]["code"], "wage", "{said}");
    let body = json!({ "text": "水管爆了" });
    let said = office.post(DESK, "/api/v1/routing/suggest", body).await.ok(200);
    assert_eq!(said["answers"], json!([]));
    let input = json!({ "place": "葛城街道", "text": "去哪里讨薪", "category": "labour.wage",
        "kind": "consultation", "anonymous": true });
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let answer = json!({ "command": "answer_at_desk", "input": { "answer": wage()["body"] } });
    let done = office.command(DESK, opened["id"].as_str().unwrap(), answer).await.ok(200);
    assert_eq!(done["status"], "closed");
}
