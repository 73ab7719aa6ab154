//! Who would be told: asked over HTTP, of the county as it is shipped.

use serde_json::{Value as Json, json};

use super::office::Office;

const DUTY: &str = "yingji.duty";

async fn clock(office: &Office, query: &str, name: &str) -> (Json, Json) {
    let path = format!("/api/v1/alerts/rehearsal?workflow=incident&{query}");
    let shown = office.get(DUTY, &path).await.ok(200);
    let clocks = shown["workflows"][0]["clocks"].as_array().unwrap();
    let clock = clocks.iter().find(|clock| clock["clock"] == name).unwrap().clone();
    (shown, clock)
}

/// Time, step and places of each step that is shown.
fn steps(clock: &Json) -> Vec<(&str, &Json, Vec<String>)> {
    let steps = clock["steps"].as_array().unwrap().iter().map(|step| {
        let places = step["to"].as_array().unwrap().iter();
        let places = places
            .map(|to| format!("{}.{}", to["unit"].as_str().unwrap(), to["role"].as_str().unwrap()));
        (step["at"].as_str().unwrap().get(11..16).unwrap(), &step["step"], places.collect())
    });
    steps.collect()
}

#[tokio::test]
async fn a_larger_incident_at_three_in_the_night_calls_out_these_people_minute_by_minute() {
    let office = Office::county().await;
    let query = "at=2018-10-01T03:00:00%2B08:00&tier=larger&unit=huimin&repeats=1";
    let (shown, clock) = clock(&office, query, "call_out").await;
    assert_eq!((&shown["tier"], &shown["unit"]), (&json!("larger"), &json!("huimin")));
    assert_eq!(clock["due"], "2018-10-01T03:10:00+08:00");
    let office_and_lead = vec!["yingji.duty".to_owned(), "yingji.director".to_owned()];
    let with_county =
        vec!["yingji.duty".to_owned(), "yingji.director".to_owned(), "zhengfu.leader".to_owned()];
    let at_once = ["yingji.duty", "huimin.leader", "gongan.leader", "gongan.shift_leader"];
    let at_once = at_once.map(str::to_owned).to_vec();
    assert_eq!(
        steps(&clock),
        [
            ("03:00", &json!(2), at_once),
            ("03:05", &json!(4), vec!["yingji.duty".to_owned()]),
            ("03:10", &json!(6), office_and_lead),
            ("03:25", &json!(10), with_county.clone()),
            ("03:30", &Json::Null, with_county),
        ]
    );
    assert_eq!(clock["goes_on"], true);
    let first = &clock["steps"][0];
    assert_eq!(
        (&first["via"], &first["acknowledge_within_seconds"]),
        (&json!(["sms", "email"]), &json!(300))
    );
    assert_eq!(first["to"][0]["name"]["zh"], "县政府应急办公室值班员");
}

#[tokio::test]
async fn an_address_is_masked_and_it_is_said_since_when_it_is_proved() {
    let office = Office::county().await;
    let people = office.get("yingji.director", "/api/v1/people").await.ok(200);
    let people = people["items"].as_array().unwrap();
    let leader = people
        .iter()
        .find(|person| {
            person["grants"][0]["unit"] == "huimin" && person["grants"][0]["role"] == "leader"
        })
        .unwrap();
    let id = leader["id"].as_i64().unwrap();
    let admin = "yingji.administrator";
    let body = json!({ "name": leader["name"], "phone": "13800000072",
        "grants": [{ "role": "leader", "unit": "huimin" }] });
    office.put(admin, &format!("/api/v1/people/{id}"), body).await.ok(200);
    office.post(admin, &format!("/api/v1/people/{id}/contacts/sms/code"), json!({})).await.ok(202);
    let code = office.newest_of(id, fenliu::domain::Kind::Code).await.body;
    let code: String = code.chars().filter(char::is_ascii_digit).take(6).collect();
    let path = format!("/api/v1/people/{id}/contacts/sms/verify");
    office.post(admin, &path, json!({ "code": code })).await.ok(200);
    let query = "at=2018-10-01T03:00:00%2B08:00&tier=larger&unit=huimin";
    let (shown, clock) = clock(&office, query, "call_out").await;
    let told = &clock["steps"][0]["to"][1];
    assert_eq!((&told["unit"], &told["role"]), (&json!("huimin"), &json!("leader")));
    assert_eq!(
        told["people"][0]["ways"],
        json!([{ "channel": "sms", "address": "*********72", "verified_at": "2018-07-02T09:10:00+08:00", "wished": false }])
    );
    assert!(!shown.to_string().contains("13800000072"));
}

#[tokio::test]
async fn an_empty_step_and_somebody_who_cannot_be_reached_are_said_plainly() {
    let office = Office::county().await;
    let admin = "yingji.administrator";
    let people = office.get(admin, "/api/v1/people").await.ok(200);
    for person in people["items"].as_array().unwrap() {
        let post = |role: &str| {
            person["grants"]
                .as_array()
                .unwrap()
                .iter()
                .any(|grant| grant["role"] == role && grant["unit"] == "yingji")
        };
        let path = format!("/api/v1/people/{}", person["id"]);
        let mut body = json!({ "name": person["name"], "grants": person["grants"] });
        if post("duty") {
            body["active"] = json!(false);
            office.put(admin, &path, body).await.ok(200);
        } else if post("director") {
            // Neither telephone nor mail address is left.
            office.put(admin, &path, body).await.ok(200);
        }
    }
    let path =
        "/api/v1/alerts/rehearsal?workflow=incident&at=2018-10-01T03:00:00%2B08:00&tier=larger";
    let shown = office.get("yingji.director", path).await.ok(200);
    let faults: Vec<&str> =
        shown["faults"].as_array().unwrap().iter().map(|f| f["zh"].as_str().unwrap()).collect();
    let empty = "“突发事件应急响应·警报签收时限”10-01周一 03:05第4级无人（县政府应急办公室值班员）";
    assert!(faults.contains(&empty), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.ends_with("没有电话和邮箱，无法通知")), "{faults:#?}");
}

#[tokio::test]
async fn only_those_who_operate_the_house_rehearse_and_slips_are_named() {
    let office = Office::county().await;
    let path = "/api/v1/alerts/rehearsal";
    assert_eq!(office.get("huimin.liaison", path).await.problem(403), "forbidden");
    office.get("yingji.auditor", path).await.ok(200);
    let get = |query: &str| {
        let path = format!("{path}?{query}");
        let office = &office;
        async move { office.get(DUTY, &path).await }
    };
    assert_eq!(get("tier=grave").await.problem(400), "bad_query");
    assert_eq!(get("at=tonight").await.problem(400), "bad_query");
    assert_eq!(get("unit=nosuch").await.problem(422), "invalid");
    assert_eq!(get("workflow=nosuch").await.problem(404), "not_found");
}
