//! How people are reached: proofs, personal rules, trials, and texts looked at beforehand.

use fenliu::domain::Kind;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office};

/// Baraka, the liaison of the crane crew, has a mail address and no telephone.
const BARAKA: &str = "/api/v1/people/2";

async fn ask_code(office: &Office, who: &str) -> Answer {
    office.post(who, &format!("{BARAKA}/contacts/email/code"), json!({})).await
}

async fn verify(office: &Office, code: &str) -> Answer {
    office.post("Baraka", &format!("{BARAKA}/contacts/email/verify"), json!({ "code": code })).await
}

/// The code that lies in Baraka's mail box.
async fn mailed(office: &Office) -> String {
    let mail = office.newest_of(2, Kind::Code).await;
    assert_eq!((mail.channel.as_str(), mail.urgent), ("email", true));
    let digits: String = mail.body.chars().filter(char::is_ascii_digit).collect();
    digits.get(..6).unwrap().to_owned()
}

async fn verified_at(office: &Office) -> Json {
    let contacts = office.get("Baraka", &format!("{BARAKA}/contacts")).await.ok(200);
    contacts["items"][0]["verified_at"].clone()
}

/// Another code than the right one.
fn wrong(code: &str) -> String {
    if code == "000000" { "000001".to_owned() } else { "000000".to_owned() }
}

#[tokio::test]
async fn an_address_is_proved_by_the_code_that_was_sent_there() {
    let office = Office::open().await;
    assert_eq!(verified_at(&office).await, Json::Null);
    let sent = ask_code(&office, "Baraka").await.ok(202);
    assert_eq!(sent["good_until"], "2018-07-02T09:20:00+03:00");
    let code = mailed(&office).await;
    assert_eq!(verify(&office, &wrong(&code)).await.problem(409), "wrong_code");
    assert_eq!(verified_at(&office).await, Json::Null);
    let proved = verify(&office, &code).await.ok(200);
    assert_eq!(proved["verified_at"], "2018-07-02T09:10:00+03:00");
    assert_eq!(verified_at(&office).await, "2018-07-02T09:10:00+03:00");
    // It is good once.
    assert_eq!(verify(&office, &code).await.problem(409), "no_code");
}

#[tokio::test]
async fn another_address_is_not_proved_by_the_old_ones_code() {
    let office = Office::open().await;
    ask_code(&office, "Baraka").await.ok(202);
    let code = mailed(&office).await;
    let moved = |address: &str| {
        let grants = json!([{ "role": "liaison", "unit": "cranes" }]);
        let body = json!({ "name": "Baraka", "email": address, "grants": grants });
        office.put("Dalila", BARAKA, body)
    };
    moved("other@kisima.invalid").await.ok(200);
    assert_eq!(verify(&office, &code).await.problem(409), "no_code");
    moved("baraka@kisima.invalid").await.ok(200);
    verify(&office, &code).await.ok(200);
    // A proof ends with the address, and comes back with it.
    moved("other@kisima.invalid").await.ok(200);
    assert_eq!(verified_at(&office).await, Json::Null);
}

#[tokio::test]
async fn a_code_cannot_be_guessed_and_does_not_last() {
    let office = Office::open().await;
    ask_code(&office, "Baraka").await.ok(202);
    let code = mailed(&office).await;
    for left in (0..5).rev() {
        let answer = verify(&office, &wrong(&code)).await;
        let detail = answer.json["detail"].as_str().unwrap().to_owned();
        assert_eq!(answer.problem(409), "wrong_code");
        assert!(detail.contains(&format!("{left} tries are left")), "{detail}");
    }
    assert_eq!(verify(&office, &code).await.problem(409), "no_code");
    ask_code(&office, "Baraka").await.ok(202);
    let late = mailed(&office).await;
    office.minutes_later(10);
    assert_eq!(verify(&office, &late).await.problem(409), "no_code");
    ask_code(&office, "Baraka").await.ok(202);
    verify(&office, &mailed(&office).await).await.ok(200);
}

#[tokio::test]
async fn nobody_is_flooded_with_codes_or_trials() {
    let office = Office::open().await;
    for _ in 0..3 {
        ask_code(&office, "Dalila").await.ok(202);
        office
            .post("Baraka", &format!("{BARAKA}/test"), json!({ "channel": "email" }))
            .await
            .ok(202);
    }
    assert_eq!(ask_code(&office, "Baraka").await.problem(429), "too_many_messages");
    let path = format!("{BARAKA}/test");
    let trial = office.post("Dalila", &path, json!({ "channel": "email" })).await;
    assert_eq!(trial.problem(429), "too_many_messages");
    // The code that was sent last is still good.
    verify(&office, &mailed(&office).await).await.ok(200);
    office.minutes_later(11);
    ask_code(&office, "Baraka").await.ok(202);
}

#[tokio::test]
async fn a_code_is_seen_by_its_recipient_alone() {
    let office = Office::open().await;
    ask_code(&office, "Baraka").await.ok(202);
    let code = mailed(&office).await;
    let list = office.get("Asha", "/api/v1/messages").await;
    assert_eq!(list.json["items"][0]["body"], "");
    assert!(!list.text.contains(&code), "{}", list.text);
    assert!(!office.get("Dalila", "/metrics").await.text.contains(&code));
    let outbox = office.newest_to(2).await;
    assert!(!outbox.subject.contains(&code));
}

#[tokio::test]
async fn addresses_are_the_persons_own_business() {
    let office = Office::open().await;
    let seen = |who: &'static str| office.get(who, "/api/v1/people/2/contacts");
    let item = |answer: Json| answer["items"][0]["address"].clone();
    assert_eq!(item(seen("Baraka").await.ok(200)), "baraka@kisima.invalid");
    assert_eq!(item(seen("Dalila").await.ok(200)), "baraka@kisima.invalid");
    assert_eq!(item(seen("Chiku").await.ok(200)), "b*****@kisima.invalid");
    assert_eq!(ask_code(&office, "Chiku").await.problem(403), "forbidden");
    for (path, status, code) in [
        ("/api/v1/people/2/contacts/sms/code", 409, "no_address"),
        ("/api/v1/people/2/contacts/pigeon/code", 422, "invalid"),
        ("/api/v1/people/999/contacts/sms/code", 404, "not_found"),
        ("/api/v1/people/x/contacts/sms/code", 404, "not_found"),
    ] {
        assert_eq!(office.post("Dalila", path, json!({})).await.problem(status), code, "{path}");
    }
}

#[tokio::test]
async fn a_person_says_how_it_wants_to_be_told() {
    let office = Office::open().await;
    let path = format!("{BARAKA}/rules");
    assert_eq!(office.get("Baraka", &path).await.ok(200), json!({ "language": "zh" }));
    let rules = json!({
        "language": "en", "normal": ["console", "email"],
        "quiet": { "from": "22:00", "until": "07:00" },
    });
    assert_eq!(office.put("Baraka", &path, rules.clone()).await.ok(200), rules);
    assert_eq!(office.get("Dalila", &path).await.ok(200), rules);
    assert_eq!(office.get("Chiku", &path).await.problem(403), "forbidden");
    // From now on in English.
    office.assigned("Pier 4", "cranes").await;
    let told = office.newest_to(2).await;
    assert!(told.body.contains("Pier 4 waits for repair by"), "{}", told.body);
    assert!(told.subject.starts_with("[Port of Kisima] Harbour repair 0"), "{}", told.subject);
    // An administrator who mends the address leaves the rules alone.
    let grants = json!([{ "role": "liaison", "unit": "cranes" }]);
    office.put("Dalila", BARAKA, json!({ "name": "Baraka", "grants": grants })).await.ok(200);
    assert_eq!(office.get("Baraka", &path).await.ok(200), rules);
}

#[tokio::test]
async fn rules_that_make_no_sense_are_refused_with_their_reason() {
    let office = Office::open().await;
    let path = format!("{BARAKA}/rules");
    for (body, word) in [
        (json!({ "normal": [] }), "names no channel"),
        (json!({ "urgent": ["pigeon"] }), "no channel `pigeon`"),
        (json!({ "urgent": ["sms", "sms"] }), "twice"),
        (json!({ "quiet": { "from": "22:00", "until": "22:00" } }), "the whole day"),
        (json!({ "quiet": { "from": "22:00", "until": "24:00" } }), "quiet.until"),
        (json!({ "quiet": { "from": "late", "until": "07:00" } }), "quiet.from"),
    ] {
        let answer = office.put("Baraka", &path, body).await;
        assert!(answer.json["detail"].as_str().unwrap().contains(word), "{}", answer.text);
        assert_eq!(answer.problem(422), "invalid");
    }
    let odd = office.put("Baraka", &path, json!({ "language": "fr" })).await;
    assert_eq!(odd.problem(400), "bad_json");
}

#[tokio::test]
async fn a_trial_reaches_the_person_and_says_what_it_is() {
    let office = Office::open().await;
    let sent =
        office.post("Dalila", &format!("{BARAKA}/test"), json!({ "channel": "email" })).await;
    assert!(sent.ok(202)["message"].as_str().unwrap().starts_with("msg_"));
    let trial = office.newest_to(2).await;
    assert_eq!(trial.kind, Kind::Test);
    assert!(trial.body.contains("Baraka，这是基西马港的测试消息"), "{}", trial.body);
    assert_eq!(trial.instance, None);
}

#[tokio::test]
async fn an_editor_looks_at_a_text_before_anybody_gets_it() {
    let office = Office::open().await;
    let look = |who: &'static str, body: Json| office.post(who, "/api/v1/templates/preview", body);
    let wish = json!({
        "kind": "alert", "channel": "sms", "language": "en", "workflow": "referral",
        "text": "assigned",
    });
    let seen = look("Enzi", wish.clone()).await.ok(200);
    let text = seen["text"].as_str().unwrap();
    assert!(text.starts_with("[00000017] 12 Harbour Road waits for repair by "), "{text}");
    assert_eq!(seen["units"], text.encode_utf16().count());
    assert_eq!(seen["html"], Json::Null);
    let mail = look("Dalila", json!({ "kind": "bundle", "channel": "email" })).await.ok(200);
    assert!(mail["html"].as_str().unwrap().contains("<table"));
    assert_eq!(look("Baraka", wish).await.problem(403), "forbidden");
    for (body, status, code) in [
        (json!({ "kind": "alrt", "channel": "sms" }), 400, "bad_kind"),
        (json!({ "kind": "alert", "channel": "pigeon" }), 422, "invalid"),
        (json!({ "kind": "alert", "channel": "sms", "text": "x" }), 400, "bad_text"),
        (
            json!({ "kind": "alert", "channel": "sms", "workflow": "x", "text": "x" }),
            404,
            "not_found",
        ),
        (
            json!({ "kind": "alert", "channel": "sms", "workflow": "referral", "text": "x" }),
            404,
            "not_found",
        ),
    ] {
        assert_eq!(look("Enzi", body.clone()).await.problem(status), code, "{body}");
    }
}
