//! The page behind the link of a message: accepting by it, and what happens to who guesses.

use fenliu::domain::Message;
use fenliu::gate::Settled;
use reqwest::Method;
use serde_json::json;

use super::office::{Answer, Office, read};

const DESK: &str = "gongan.dispatcher";

/// A referral that lies with the environment bureau, and the link that its liaison got.
async fn routed(office: &Office, more: serde_json::Value) -> (String, String) {
    let mut input = json!({ "text": "半夜施工", "place": "葛城街道",
        "category": "noise.construction-night", "kind": "complaint",
        "caller_phone": "00000000000" });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let opened = office.post(DESK, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let id = opened["id"].as_str().unwrap().to_owned();
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    office.command(DESK, &id, route).await.ok(200);
    let me = office.get("huanbao.liaison", "/api/v1/me").await.ok(200);
    let message = office.newest_to(me["person"]["id"].as_i64().unwrap()).await;
    (id, format!("/a/{}", office.gate.link_token(&message)))
}

async fn press(office: &Office, link: &str, act: &str) -> Answer {
    let form = "application/x-www-form-urlencoded";
    let request = office.ask("nobody", Method::POST, link).header("content-type", form);
    read(request.body(format!("act={act}"))).await
}

#[tokio::test]
async fn whoever_must_accept_can_do_it_on_the_page_of_the_alert() {
    let office = Office::county().await;
    let (id, link) = routed(&office, json!({})).await;
    let page = office.get("nobody", &link).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("已分流至县环保局") || page.text.contains("签收"), "{}", page.text);
    assert!(page.text.contains("value=\"offer\">签收<"), "{}", page.text);
    let seen = office.get(DESK, &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert_eq!(seen["status"], "routed", "looking changes nothing");
    let done = press(&office, &link, "offer").await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(
        done.text.contains("✓ 已办理") && done.text.contains("<dd>已签收</dd>"),
        "{}",
        done.text
    );
    let seen = office.get(DESK, &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert_eq!(seen["status"], "accepted");
    let page = office.get("nobody", &link).await;
    assert!(!page.text.contains("value=\"offer\""), "it is accepted: {}", page.text);
    assert_eq!(press(&office, &link, "offer").await.status, 409);
}

// Check 46.
#[tokio::test]
async fn what_was_done_by_a_link_can_be_told_from_what_was_done_in_a_session() {
    let office = Office::county().await;
    let (id, link) = routed(&office, json!({})).await;
    let me = office.get("huanbao.liaison", "/api/v1/me").await.ok(200);
    let message = office.newest_to(me["person"]["id"].as_i64().unwrap()).await;
    assert_eq!(press(&office, &link, "offer").await.status, 200);
    let path = format!("/api/v1/referrals/{id}/events");
    let events = office.get(DESK, &path).await.ok(200)["items"].as_array().unwrap().clone();
    let by = |kind: &str| events.iter().find(|event| event["kind"] == kind).unwrap();
    let message = office.gate.public_ids().message(message.id);
    assert_eq!(by("accept")["answers"], json!({ "door": "link", "message": message }));
    assert_eq!(by("accept")["person"], me["person"]);
    assert!(by("route").get("answers").is_none());
    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert!(report.is_sound(), "what is recorded is repeated alike: {report:?}");
}

#[tokio::test]
async fn nobody_is_offered_what_is_for_another() {
    let office = Office::county().await;
    // A complaint about the bureau itself: its liaison may not accept it, only its leader.
    let (_, link) = routed(&office, json!({ "about_unit": true })).await;
    let page = office.get("nobody", &link).await;
    assert!(page.text.contains("value=\"acknowledge\"") && !page.text.contains("value=\"offer\""));
    let me = office.get("huanbao.leader", "/api/v1/me").await.ok(200);
    let message = office.newest_to(me["person"]["id"].as_i64().unwrap()).await;
    assert_eq!(message.offer.as_deref(), Some("accept_as_leader"));
    let link = format!("/a/{}", office.gate.link_token(&message));
    let page = office.get("nobody", &link).await;
    assert!(page.text.contains("value=\"offer\">负责人签收<"), "{}", page.text);
}

#[tokio::test]
async fn who_guesses_links_has_to_wait_and_others_do_not() {
    let office = Office::county().await;
    let (_, link) = routed(&office, json!({})).await;
    let from = |address: &'static str, path: String| {
        let request = office.ask("nobody", Method::GET, &path).header("X-Forwarded-For", address);
        async move { read(request).await }
    };
    for number in 0..20 {
        let guess = format!("/a/ABCDEFGHJKMN0{number:010}");
        let gone = from("203.0.113.9", guess).await;
        assert_eq!(gone.status, 404);
        assert!(gone.text.contains("链接已失效"), "a page for people: {}", gone.text);
    }
    let held = from("203.0.113.9", link.clone()).await;
    assert_eq!(held.status, 429, "even a right one");
    assert!(held.header("retry-after").parse::<u64>().unwrap() <= 601);
    assert!(held.text.contains("请稍后再试"));
    assert_eq!(from("203.0.113.10", link.clone()).await.status, 200);
    // A header that the guesser writes himself does not help: the proxy's own entry counts.
    assert_eq!(from("198.51.100.1, 203.0.113.9", link).await.status, 429);
}

#[tokio::test]
async fn the_page_of_a_summary_shows_everything_in_it_each_with_its_button() {
    let office = Office::county().await;
    routed(&office, json!({})).await;
    let (second, _) = routed(&office, json!({})).await;
    let me = office.get("huanbao.liaison", "/api/v1/me").await.ok(200);
    let all = office.messages_to(me["person"]["id"].as_i64().unwrap()).await;
    let mut sms: Vec<Message> = all.into_iter().filter(|one| one.channel == "sms").collect();
    sms.reverse();
    let first = sms[0].id;
    let sent = |one: &Message| {
        let bundle = Some(first);
        (one.id, one.attempts, Settled::Sent { at: office.gate.now(), reference: None, bundle })
    };
    let sent: Vec<_> = sms.iter().map(sent).collect();
    assert_eq!(sent.len(), 2);
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || gate.settle_messages(&sent, &[])).await.unwrap().unwrap();
    let (one, other) = (office.gate.link_token(&sms[0]), office.gate.link_token(&sms[1]));
    let page = office.get("nobody", &format!("/a/{one}")).await;
    assert!(page.text.contains("同一汇总中的其他提醒"), "{}", page.text);
    assert!(page.text.contains(&format!("action=\"{other}\"")), "{}", page.text);
    assert!(page.text.contains(&sms[1].body), "{}", page.text);
    assert_eq!(press(&office, &format!("/a/{other}"), "acknowledge").await.status, 200);
    let events = office.get(DESK, &format!("/api/v1/referrals/{second}/events")).await.ok(200);
    assert!(events.to_string().contains("\"acknowledge\""), "{events:#}");
    let page = office.get("nobody", &format!("/a/{one}")).await;
    assert!(!page.text.contains(&format!("action=\"{other}\"")), "it is answered");
    assert!(page.text.contains("value=\"acknowledge\""), "the first is not: {}", page.text);
}
