//! Messages are answered and looked at over HTTP: the page behind the link, the acknowledgement, one
//! more attempt, and what the matter's history says of it.

use fenliu::domain::{Delivery, Instant, Message};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

const DAY: i64 = 24 * 60;

/// A larger event has been opened; its id, and the call-out to the duty officer by SMS.
async fn called_out() -> (Office, String, Message) {
    let office = Office::county().await;
    let input = json!({ "tier": "larger", "started_at": "2018-07-02T09:10:00+08:00",
        "coordination": true, "police_first": false, "unit": "guotu",
        "category": "land.geohazard", "place": "坪坝镇<b>某村</b>后山" });
    let body = json!({ "workflow": "incident", "input": input });
    let opened = office.post("gongan.dispatcher", "/api/v1/instances", body).await.ok(201);
    // The first steps of the ladder are due at once.
    loop {
        let gate = office.gate.clone();
        let due = tokio::task::spawn_blocking(move || gate.due_clocks(100, 60_000).unwrap().clocks);
        let firings: Vec<_> = due.await.unwrap().into_iter().map(|clock| clock.firing).collect();
        if firings.is_empty() {
            break;
        }
        office.gate.fire(firings).await.unwrap();
    }
    let message = sms_to(&office, "yingji.duty").await;
    (office, opened["id"].as_str().unwrap().to_owned(), message)
}

async fn id_of(office: &Office, who: &str) -> i64 {
    office.get(who, "/api/v1/me").await.ok(200)["person"]["id"].as_i64().unwrap()
}

async fn sms_to(office: &Office, who: &str) -> Message {
    let id = id_of(office, who).await;
    let all = office.messages_to(id).await;
    all.into_iter().find(|message| message.channel == "sms").unwrap()
}

fn link(office: &Office, message: &Message) -> String {
    format!("/a/{}", office.gate.link_token(message))
}

/// Nobody in particular presses the button.
async fn press(office: &Office, path: &str, form: &str) -> Answer {
    let request = office.ask("nobody", Method::POST, path).body(form.to_owned());
    read(request.header("content-type", "application/x-www-form-urlencoded")).await
}

/// The message as it is kept now.
async fn seen(office: &Office, message: &Message) -> Message {
    let all = office.messages_to(message.to.person().unwrap().0).await;
    all.into_iter().find(|one| one.id == message.id).unwrap()
}

fn at(text: &str) -> Option<Instant> {
    Some(Instant::parse(text).unwrap())
}

#[tokio::test]
async fn looking_at_a_link_acknowledges_nothing_and_shows_what_it_is_about() {
    let (office, _, message) = called_out().await;
    let path = link(&office, &message);
    for _ in 0..2 {
        let page = office.get("nobody", &path).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        assert!(page.header("content-security-policy").contains("default-src 'none'"));
        assert!(
            page.text.contains("确认收到") && page.text.contains("县国土房管局"),
            "{}",
            page.text
        );
        assert!(page.text.contains("坪坝镇&lt;b&gt;某村&lt;/b&gt;后山"), "{}", page.text);
        let head = read(office.ask("nobody", Method::HEAD, &path)).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
    }
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
}

#[tokio::test]
async fn the_button_acknowledges_once_and_the_history_says_who_and_when() {
    let (office, id, message) = called_out().await;
    let path = link(&office, &message);
    office.minutes_later(2);
    for _ in 0..2 {
        let page = press(&office, &path, "act=acknowledge").await;
        assert_eq!(page.status, 200, "{}", page.text);
        assert!(page.text.contains("已确认收到"), "{}", page.text);
        office.minutes_later(1);
    }
    let listed = seen(&office, &message).await;
    assert_eq!(listed.acknowledged_at, at("2018-07-02T09:12:00+08:00"));
    let path = format!("/api/v1/instances/{id}/events");
    let events = office.get("yingji.director", &path).await.ok(200);
    let events = events["items"].as_array().unwrap();
    let answers = events.iter().filter(|event| event["kind"] == "acknowledge");
    let answers: Vec<&Json> = answers.collect();
    assert_eq!(answers.len(), 1, "pressing twice is one fact");
    assert_eq!(answers[0]["person"]["id"], id_of(&office, "yingji.duty").await);
    assert_eq!(answers[0]["at"], "2018-07-02T09:12:00+08:00");
    let page = office.get("nobody", &link(&office, &message)).await;
    assert!(page.text.contains("您已确认收到 (07-02 09:12)"), "{}", page.text);
}

#[tokio::test]
async fn a_link_is_good_for_seven_days() {
    let (office, _, message) = called_out().await;
    let path = link(&office, &message);
    office.minutes_later(7 * DAY);
    assert_eq!(office.get("nobody", &path).await.status, 200);
    office.minutes_later(1);
    assert_eq!(office.get("nobody", &path).await.status, 404);
    assert_eq!(press(&office, &path, "act=acknowledge").await.status, 404);
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
}

#[tokio::test]
async fn a_link_that_was_changed_or_is_another_houses_is_not_good() {
    let (office, _, message) = called_out().await;
    let good = office.gate.link_token(&message);
    let mut changed: Vec<String> = Vec::new();
    for place in 0..good.len() {
        let old = good.as_bytes()[place];
        let new = if old == b'0' { "1" } else { "0" };
        let mut token = good.clone();
        token.replace_range(place..=place, new);
        changed.push(token);
    }
    changed.extend([good.get(1..).unwrap().to_owned(), format!("{good}0"), "0".repeat(good.len())]);
    changed.push("链".repeat(good.len()));
    // Another house with the same people and the same matters signs with another secret.
    let (other, _, same) = called_out().await;
    assert_eq!(same.id, message.id);
    changed.push(other.gate.link_token(&same));
    for (number, token) in changed.into_iter().enumerate() {
        let path = format!("/a/{token}");
        // Each guess from another address: who guesses often from one is held before he is answered.
        let from = format!("198.51.{}.{}", number / 200, number % 200 + 1);
        let ask = |method| office.ask("nobody", method, &path).header("X-Forwarded-For", &from);
        let page = read(ask(Method::GET)).await;
        assert_eq!(page.status, 404, "{token} of {good}");
        assert!(!page.text.contains("国土"), "{}", page.text);
        let form = "application/x-www-form-urlencoded";
        let pressed = ask(Method::POST).header("content-type", form).body("act=acknowledge");
        assert_eq!(read(pressed).await.status, 404);
    }
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
}

#[tokio::test]
async fn a_link_does_one_thing_and_no_other() {
    let (office, _, _) = called_out().await;
    // The unit's leader may not note the alarm for the emergency office.
    let message = sms_to(&office, "guotu.leader").await;
    let path = link(&office, &message);
    for form in ["act=note_alarm", "act=stand_down", "", "act=acknowledge&instance=1", "{}"] {
        let answer = press(&office, &path, form).await;
        assert_eq!(answer.problem(400), "bad_form", "{form}");
    }
    // The message offers no command.
    let refused = press(&office, &path, "act=offer").await;
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
    // Nor is it a key to the house.
    let token = office.gate.link_token(&message);
    let asked = office.ask("nobody", Method::GET, "/api/v1/me").bearer_auth(token);
    assert_eq!(read(asked).await.status, 401);
}

#[tokio::test]
async fn the_link_of_somebody_who_is_no_longer_here_is_not_good() {
    let (office, _, message) = called_out().await;
    let path = link(&office, &message);
    let who = id_of(&office, "yingji.duty").await;
    let grants = json!([{ "role": "duty", "unit": "yingji" }]);
    let body = json!({ "name": "县应急办值班员甲", "grants": grants, "active": false });
    office.put("yingji.administrator", &format!("/api/v1/people/{who}"), body).await.ok(200);
    assert_eq!(office.get("nobody", &path).await.status, 404);
    assert_eq!(press(&office, &path, "act=acknowledge").await.status, 404);
}

#[tokio::test]
async fn a_message_is_acknowledged_by_its_person_alone() {
    let (office, _, message) = called_out().await;
    let public = office.gate.public_ids().message(message.id);
    let path = format!("/api/v1/messages/{public}/acknowledge");
    for who in ["yingji.director", "guotu.leader", "yingji.administrator"] {
        assert_eq!(office.post(who, &path, json!({})).await.problem(404), "not_found", "{who}");
    }
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
    for _ in 0..2 {
        assert_eq!(office.post("yingji.duty", &path, json!({})).await.status, 204);
        office.minutes_later(1);
    }
    let listed = seen(&office, &message).await;
    assert_eq!(listed.acknowledged_at, at("2018-07-02T09:10:00+08:00"));
}

#[tokio::test]
async fn a_token_for_answers_need_be_good_for_nothing_else() {
    let (office, _, message) = called_out().await;
    let who = id_of(&office, "yingji.duty").await;
    let public = office.gate.public_ids().message(message.id);
    let path = format!("/api/v1/messages/{public}/acknowledge");
    let by = async |act: &str| {
        let body = json!({ "person": who, "label": "pager", "acts": [act] });
        let made = office.post("yingji.administrator", "/api/v1/tokens", body).await.ok(201);
        let request = office.ask("nobody", Method::POST, &path);
        let request = request.bearer_auth(made["token"].as_str().unwrap());
        read(request.json(&json!({}))).await.status
    };
    for act in ["see_messages", "command"] {
        assert_eq!(by(act).await, 403, "{act}");
    }
    assert_eq!(seen(&office, &message).await.acknowledged_at, None);
    assert_eq!(by("answer_message").await, 204);
    assert!(seen(&office, &message).await.acknowledged_at.is_some());
}

#[tokio::test]
async fn who_operates_the_house_sends_a_message_once_more() {
    let (office, _, message) = called_out().await;
    let public = office.gate.public_ids().message(message.id);
    let path = format!("/api/v1/messages/{public}/resend");
    for who in ["guotu.leader", "gongan.dispatcher"] {
        assert_eq!(office.post(who, &path, json!({})).await.problem(403), "forbidden", "{who}");
    }
    office.minutes_later(30);
    let sent = office.post("yingji.duty", &path, json!({})).await;
    assert_eq!(sent.status, 201, "{}", sent.text);
    let again = sms_to(&office, "yingji.duty").await;
    assert_ne!(again.id, message.id);
    assert_eq!((&again.body, again.to, again.attempts), (&message.body, message.to, 0));
    assert_eq!((again.instead_of, again.state), (Some(message.id), Delivery::Waiting));
    let missing = office.post("yingji.duty", "/api/v1/messages/msg_0/resend", json!({})).await;
    assert_eq!(missing.problem(404), "not_found");
}

#[tokio::test]
async fn a_code_is_not_sent_once_more() {
    let office = Office::county().await;
    let who = id_of(&office, "guotu.liaison").await;
    let path = format!("/api/v1/people/{who}/contacts/sms/code");
    office.post("guotu.liaison", &path, json!({})).await.ok(202);
    let code = sms_to(&office, "guotu.liaison").await;
    let public = office.gate.public_ids().message(code.id);
    let path = format!("/api/v1/messages/{public}/resend");
    assert_eq!(office.post("yingji.duty", &path, json!({})).await.problem(422), "invalid");
}
