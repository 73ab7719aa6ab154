//! The log of messages, by person: listed page by page, sent once more.

use serde_json::{Value as Json, json};

use super::office::Office;

/// Baraka, the liaison of the crane crew, has a mail address and no telephone.
const LOG: &str = "/api/v1/people/2/messages";

#[tokio::test]
async fn what_was_written_to_a_person_is_read_page_by_page_the_newest_first() {
    let office = Office::open().await;
    for place in ["1号泊位", "2号泊位", "3号泊位"] {
        office.assigned(place, "cranes").await;
    }
    let first = office.get("Baraka", &format!("{LOG}?limit=2")).await.ok(200);
    let bodies = |page: &Json| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    };
    let shown = bodies(&first);
    assert!(shown.len() == 2 && shown[0].contains("3号泊位") && shown[1].contains("2号泊位"));
    let next = first["next"].as_str().unwrap();
    let last = office.get("Baraka", &format!("{LOG}?limit=2&cursor={next}")).await.ok(200);
    assert!(bodies(&last)[0].contains("1号泊位") && last["next"] == Json::Null);
    let message = &first["items"][0];
    assert_eq!(message["kind"], "alert");
    assert_eq!((&message["state"], &message["attempts"]), (&json!("waiting"), &json!(0)));
    assert_eq!(message["next_attempt_at"], "2018-07-02T09:10:00+03:00");
    assert_eq!(office.get("Chiku", LOG).await.problem(403), "forbidden");
    assert_eq!(office.get("Asha", "/api/v1/people/99/messages").await.problem(404), "not_found");
}

#[tokio::test]
async fn a_code_is_in_the_log_without_its_digits() {
    let office = Office::open().await;
    let path = "/api/v1/people/2/contacts/email/code";
    office.post("Baraka", path, json!({})).await.ok(202);
    let shown = office.get("Baraka", &format!("{LOG}?kind=code")).await;
    let digits = office.newest_of(2, fenliu::domain::Kind::Code).await.body;
    let digits: String = digits.chars().filter(char::is_ascii_digit).take(6).collect();
    assert!(!shown.text.contains(&digits), "{}", shown.text);
    let code = shown.ok(200)["items"][0].clone();
    assert_eq!((&code["kind"], &code["body"]), (&json!("code"), &json!("")));
    let none = office.get("Baraka", &format!("{LOG}?kind=digest")).await.ok(200);
    assert_eq!(none["items"], json!([]));
    assert_eq!(office.get("Baraka", &format!("{LOG}?kind=x")).await.problem(400), "bad_query");
}

#[tokio::test]
async fn a_message_is_sent_once_more_by_those_who_operate_the_house() {
    let office = Office::county().await;
    let input = json!({ "text": "半夜施工", "place": "葛城街道",
        "category": "noise.construction-night", "kind": "complaint",
        "caller_phone": "00000000000" });
    let desk = "gongan.dispatcher";
    let opened = office.post(desk, "/api/v1/referrals", json!({ "input": input })).await.ok(201);
    let id = opened["id"].as_str().unwrap();
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    office.command(desk, id, route).await.ok(200);
    let told = office.get(desk, &format!("/api/v1/referrals/{id}/messages")).await.ok(200);
    let first = told["items"][0].clone();
    let resend = format!("/api/v1/messages/{}/resend", first["id"].as_str().unwrap());
    assert_eq!(office.post(desk, &resend, json!({})).await.problem(403), "forbidden");
    let again = office.post("yingji.duty", &resend, json!({})).await;
    let place = again.header("location").to_owned();
    assert_eq!(again.status, 201, "{}", again.text);
    let again = office.get("yingji.duty", &place).await.ok(200);
    assert_eq!((&again["body"], &again["channel"]), (&first["body"], &first["channel"]));
    assert_eq!((&again["instead_of"], &again["state"]), (&first["id"], &json!("waiting")));
    let person = first["person"]["id"].as_i64().unwrap();
    let log = office.get("yingji.duty", &format!("/api/v1/people/{person}/messages")).await.ok(200);
    assert_eq!(log["items"][0]["id"], again["id"]);
}
