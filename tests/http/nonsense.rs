//! Whatever nonsense comes in, a precise problem goes out, and the service goes on.

use std::io::{Read as _, Write as _};

use reqwest::Method;
use serde_json::json;

use super::office::{Answer, Office, WORKFLOW, read};

async fn raw(office: &Office, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = office.ask("Asha", Method::POST, path).header("content-type", kind);
    read(request.body(body)).await
}

async fn yaml(office: &Office, path: &str, body: String) -> Answer {
    let request = office.ask("Enzi", Method::POST, path).header("content-type", "text/yaml");
    read(request.body(body)).await
}

#[tokio::test]
async fn every_wrong_input_is_named_at_once() {
    let office = Office::open().await;
    let input = json!({ "place": "", "berth": 77, "urgency": "huge", "colour": "red" });
    let wrong = office.post("Asha", "/api/v1/referrals", json!({ "input": input })).await;
    assert_eq!(wrong.problem(422), "wrong_input");
    let reasons = wrong.json["reasons"].as_array().unwrap();
    let mut inputs: Vec<_> = reasons.iter().map(|r| r["input"].as_str().unwrap()).collect();
    inputs.sort_unstable();
    assert_eq!(inputs, ["berth", "colour", "place", "urgency"]);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_chinese_too_and_in_the_words_of_people() {
    let office = Office::open().await;
    let said = |answer: &Answer| {
        let reasons = answer.json["reasons"].as_array().unwrap();
        let words = reasons.iter().map(|r| format!("{} / {}", r["zh"], r["en"]));
        words.collect::<Vec<_>>().join("\n")
    };
    let input = json!({ "place": 7, "berth": "x", "urgency": "huge" });
    let wrong = said(&office.post("Asha", "/api/v1/referrals", json!({ "input": input })).await);
    for part in ["“地点”应为文字", "“泊位”应为整数", "一般", "特别重大"] {
        assert!(wrong.contains(part), "{part}: {wrong}");
    }
    let flat = office.post(
        "Asha",
        "/api/v1/referrals",
        json!({ "input": { "place": "P",
        "urgency": true } }),
    );
    assert!(said(&flat.await).contains("响应等级代码"), "the type is named");
    let when = json!({ "input": { "place": "P" }, "occurred_at": "昨天" });
    let when = office.post("Asha", "/api/v1/referrals", when).await;
    assert_eq!(when.problem(400), "bad_time");
    assert!(
        !when.text.contains("xE6") && when.text.contains("2018-07-02T09:10:00"),
        "{}",
        when.text
    );
    for (query, part) in [("limit=x", "1至200的整数"), ("open=maybe", "true或false")] {
        let answer = office.get("Asha", &format!("/api/v1/referrals?{query}")).await;
        assert!(answer.json["detail_zh"].as_str().unwrap().contains(part), "{}", answer.text);
    }
    let calendar = office.ask("Dalila", Method::POST, "/api/v1/calendars");
    let calendar = read(calendar.header("content-type", "text/yaml").body("code: [\n")).await;
    let detail = calendar.json["detail"].as_str().unwrap();
    assert!(!detail.contains('\n') && !detail.contains("<input>"), "{detail}");
    assert!(detail.contains("line "), "{detail}");
    assert!(calendar.json["detail_zh"].as_str().unwrap().contains("行"), "{}", calendar.text);
}

#[tokio::test]
async fn a_form_from_long_ago_is_not_typed_in_any_more() {
    let office = Office::open().await;
    let at = |when: &str| json!({ "input": { "place": "Pier 4" }, "occurred_at": when });
    let ancient = office.post("Asha", "/api/v1/referrals", at("1990-01-01T00:00:00Z")).await;
    assert_eq!(ancient.problem(409), "occurred_too_early");
    office.post("Asha", "/api/v1/referrals", at("2018-06-20T09:00:00+03:00")).await.ok(201);
}

// Checks 5, 28.
#[tokio::test]
async fn json_that_is_none_is_refused_with_its_place() {
    let office = Office::open().await;
    let path = "/api/v1/referrals";
    let json = "application/json";
    for body in ["", "{", "[]", "{\"input\":{},\"colour\":1}", "{\"input\":3}"] {
        let answer = raw(&office, path, json, body).await;
        assert_eq!(answer.problem(400), "bad_json", "{body}");
        assert!(answer.json["detail"].as_str().unwrap().contains("line 1"), "{}", answer.text);
    }
    let broken = raw(&office, path, json, b"{\"input\":{\"place\":\"\xff\"}}".to_vec()).await;
    assert_eq!(broken.problem(400), "bad_json");
    let deep = format!("{{\"input\":{{\"place\":{}{}}}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(raw(&office, path, json, deep).await.problem(400), "bad_json");
    let plain = raw(&office, path, "text/plain", "{}").await;
    assert_eq!(plain.problem(415), "unsupported_media_type");
    let when = json!({ "input": { "place": "Pier 4" }, "occurred_at": "yesterday" });
    assert_eq!(office.post("Asha", path, when).await.problem(400), "bad_time");
    office.report("Pier 4").await;
}

#[tokio::test]
async fn a_fact_cannot_be_earlier_than_the_one_before_it() {
    let office = Office::open().await;
    let id = office.report("Pier 4").await;
    let assign = json!({ "command": "assign", "input": { "unit": "cranes" },
        "occurred_at": "2018-07-01T09:00:00+03:00" });
    let early = office.command("Asha", &id, assign).await;
    assert_eq!(early.problem(409), "occurred_before_last");
    assert!(early.text.contains("2018-07-02T"), "it says what was before: {}", early.text);
    let later = json!({ "command": "assign", "input": { "unit": "cranes" },
        "occurred_at": "2018-07-03T09:00:00+03:00" });
    let future = office.command("Asha", &id, later).await;
    assert_eq!(future.problem(409), "occurred_in_future");
}

// Check 32.
#[tokio::test]
async fn a_hundred_megabytes_are_refused_before_they_arrive() {
    let office = Office::open().await;
    let address = office.address;
    let token = office.tokens["Asha"].clone();
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /api/v1/referrals HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 104857600\r\n\r\n{{\"input\":"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    assert_eq!(asked.await.unwrap(), "HTTP/1.1 413");
    office.report("Pier 4").await;
}

// Check 32.
#[tokio::test]
async fn a_body_without_a_length_is_refused_as_soon_as_it_is_too_long() {
    let office = Office::open().await;
    let (address, token) = (office.address, office.tokens["Asha"].clone());
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST /api/v1/referrals HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        for _ in 0..17 {
            // 64 KiB at a time: the last one is too much.
            stream.write_all(b"10000\r\n").unwrap();
            stream.write_all(&vec![b' '; 0x10000]).unwrap();
            stream.write_all(b"\r\n").unwrap();
        }
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8(answer).unwrap()
    });
    assert_eq!(asked.await.unwrap(), "HTTP/1.1 413");
}

#[tokio::test]
async fn everything_that_a_body_lacks_is_said_at_once_in_words_of_json() {
    let office = Office::open().await;
    let lacking = office.put("Dalila", "/api/v1/units/boats", json!({ "active": true })).await;
    assert_eq!(lacking.problem(400), "bad_json");
    assert_eq!(lacking.json["detail"], "The body lacks name, kind.");
    for body in [json!([]), json!({ "name": "x", "kind": "department" }), json!("x")] {
        let wrong = office.put("Dalila", "/api/v1/units/boats", body).await;
        assert_eq!(wrong.problem(400), "bad_json");
        assert!(
            !wrong.text.contains("struct") && !wrong.text.contains("UnitBody"),
            "{}",
            wrong.text
        );
    }
}

#[tokio::test]
async fn what_is_possible_is_said_whatever_is_wrong_with_the_input() {
    let office = Office::open().await;
    let id = office.report("Pier 4").await;
    let possible = async |input: serde_json::Value| {
        let refused =
            office.command("Asha", &id, json!({ "command": "assign", "input": input })).await;
        assert_eq!(refused.problem(422), "wrong_input");
        refused.json["possible"].clone()
    };
    let (missing, unknown) = (possible(json!({})).await, possible(json!({ "unit": "x" })).await);
    assert_eq!(missing, unknown);
    assert!(missing.as_array().unwrap().contains(&json!("assign")), "{missing}");
}

#[tokio::test]
async fn a_broken_definition_is_answered_with_line_and_column() {
    let office = Office::open().await;
    let broken = WORKFLOW.replace("to: repairing", "to: nowhere");
    let answer = yaml(&office, "/api/v1/definitions", broken.clone()).await;
    assert_eq!(answer.problem(422), "broken_definition");
    let finding = &answer.json["findings"][0];
    let line = 1 + broken.lines().position(|line| line.contains("to: nowhere")).unwrap();
    assert_eq!(finding["line"], line, "{}", answer.text);
    let zh = answer.json["detail_zh"].as_str().unwrap();
    assert!(zh.contains(&format!("第{line}行状态不存在")), "{zh}");
    assert_eq!(finding["zh"], "状态不存在");
    assert!(finding["column"].as_u64().unwrap() > 1);
    let checked = yaml(&office, "/api/v1/definitions/check", broken).await.ok(200);
    assert_eq!(checked["sound"], false);
    let shapeless = yaml(&office, "/api/v1/definitions", "workflow: [".to_owned()).await;
    assert_eq!(shapeless.problem(422), "broken_definition");
    let request = office.ask("Enzi", Method::POST, "/api/v1/definitions");
    let request = request.header("content-type", "text/yaml").body(vec![b'a', 0xff]);
    assert_eq!(read(request).await.problem(400), "invalid_utf8");
}

// Check 27.
#[tokio::test]
async fn a_yaml_bomb_does_not_go_off() {
    let office = Office::open().await;
    // States within states by aliases, so that every key is known and only the size is wrong.
    let bomb = |levels: usize| {
        let mut states = "  s0: &s0 { final: true }\n".to_owned();
        for level in 1..levels {
            let below: Vec<String> = (0..9).map(|n| format!("n{n}: *s{}", level - 1)).collect();
            let states_of = below.join(", ");
            states.push_str(&format!(
                "  s{level}: &s{level} {{ initial: n0, states: {{ {states_of} }} }}\n"
            ));
        }
        format!(
            "{}states:\n{states}",
            WORKFLOW.split("\nstates:\n").next().unwrap().to_owned() + "\n"
        )
    };
    let answer = yaml(&office, "/api/v1/definitions/check", bomb(3)).await.ok(200);
    let codes: Vec<&str> =
        answer["findings"].as_array().unwrap().iter().filter_map(|f| f["code"].as_str()).collect();
    assert!(!codes.contains(&"not_a_workflow"), "a few aliases are read: {answer}");
    let answer = yaml(&office, "/api/v1/definitions", bomb(12)).await;
    assert_eq!(answer.problem(422), "broken_definition");
    assert_eq!(answer.json["findings"][0]["code"], "not_a_workflow", "{}", answer.text);
    let mut calendar = "l0: &l0 [\"01-01\"]\n".to_owned();
    for level in 1..12 {
        let below = vec![format!("*l{}", level - 1); 9].join(", ");
        calendar.push_str(&format!("l{level}: &l{level} [{below}]\n"));
    }
    calendar.push_str("code: county\nyears: { 2026: { off: *l11 } }\n");
    assert_eq!(yaml(&office, "/api/v1/calendars", calendar).await.status / 100, 4);
    let deep = format!("workflow: {}x{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(yaml(&office, "/api/v1/definitions/check", deep).await.ok(200)["sound"], false);
    office.report("Pier 4").await;
}

#[tokio::test]
async fn a_query_that_nobody_understands_is_refused() {
    let office = Office::open().await;
    for query in [
        "colour=red",
        "limit=0",
        "limit=x",
        "open=maybe",
        "opened_from=today",
        "cursor=1",
        "tier_at_least=huge",
        "holder=a%00b",
        "holder=a&holder=b",
        "parent=7",
    ] {
        let answer = office.get("Asha", &format!("/api/v1/referrals?{query}")).await;
        assert_eq!(answer.problem(400), "bad_query", "{query}");
        assert!(answer.json["reasons"][0]["input"].is_string());
    }
}

// Check 49.
#[tokio::test]
async fn a_path_that_leads_nowhere_and_a_method_that_is_none_say_so() {
    let office = Office::open().await;
    assert_eq!(office.get("Asha", "/api/v2/referrals").await.problem(404), "no_such_path");
    assert_eq!(office.get("Asha", "/api/v1/referrals/").await.status, 404);
    assert_eq!(office.get("Asha", "/api/v1/units/no%2fsuch").await.problem(404), "not_found");
    let wrong = read(office.ask("Asha", Method::PATCH, "/api/v1/referrals")).await;
    assert_eq!(wrong.problem(405), "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET, POST, HEAD, OPTIONS");
    let options = read(office.ask("nobody", Method::OPTIONS, "/api/v1/tokens/1")).await;
    assert_eq!((options.status, options.header("allow")), (204, "DELETE, OPTIONS"));
    let head = read(office.ask("Asha", Method::HEAD, "/api/v1/referrals")).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}
