//! A new version of the calendar: what waits moves, and everybody can see how far it is and what
//! moved.

use fenliu::domain::Instant;
use fenliu::scheduler::recount::{Options, Recount};
use fenliu::scheduler::{Duty, Next, Poll};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{CALENDAR, Office, read};

/// Hours with a long break, and the 3rd of July off.
fn second_version() -> String {
    CALENDAR
        .replace("version: \"1\"", "version: \"2\"")
        .replace("\"08:00-16:00\"", "\"08:00-09:20\", \"11:00-16:00\"")
        .replace("off: [", "off: [\"07-03\", ")
}

async fn load(office: &Office, body: String) -> Json {
    let request = office.ask("Dalila", Method::POST, "/api/v1/calendars");
    read(request.header("content-type", "application/yaml").body(body)).await.ok(201)
}

/// Lets the service count until everything is counted by the calendar in force.
async fn count(office: &Office) {
    let duty = Duty::new(office.gate.clone());
    let mut work = Recount::new(duty, Options { piece: 1, ..Options::default() });
    for _ in 0..100 {
        match work.poll().await {
            Next::Now => {}
            Next::At(at) => office.clock.set(at),
            Next::In(_) => return,
        }
    }
    panic!("it is never done");
}

#[tokio::test]
async fn working_days_and_working_minutes_move_and_the_list_says_from_when_to_when() {
    let office = Office::open().await;
    let sorted = office.report("Pier 4").await;
    let repaired = office.assigned("Pier 5", "cranes").await;
    count(&office).await;
    let path = "/api/v1/calendars/recount";
    let first = office.get("Dalila", path).await.ok(200);
    assert_eq!((&first["done"], &first["moved"]), (&json!(true), &json!(0)));

    office.clock.set(Instant::parse("2018-07-02T09:15:00+03:00").unwrap());
    assert_eq!(load(&office, second_version()).await["recount"], path);
    let begun = office.get("Dalila", path).await.ok(200);
    assert_eq!((&begun["version"], &begun["done"]), (&json!("2"), &json!(false)));
    count(&office).await;
    let done = office.get("Dalila", path).await.ok(200);
    assert_eq!(done["done"], true);
    assert_eq!(
        (&done["moved"], &done["of"], &done["looked_at"]),
        (&json!(2), &json!(2), &json!(2))
    );

    let mut moved = Vec::new();
    let mut page = office.get("Dalila", &format!("{path}/moved?limit=1")).await.ok(200);
    loop {
        moved.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        let path = format!("{path}/moved?limit=1&cursor={next}");
        page = office.get("Dalila", &path).await.ok(200);
    }
    assert_eq!(moved.len(), 2);
    let of = |id: &str| moved.iter().find(|one| one["instance"] == id).unwrap().clone();
    let sorting = of(&sorted);
    assert_eq!(sorting["calendar"], "2");
    assert_eq!(
        sorting["clocks"],
        json!([{ "name": "sorting", "title": { "zh": "派单时限", "en": "time to assign" },
            "was": "2018-07-02T09:40:00+03:00", "due": "2018-07-02T11:20:00+03:00" }])
    );
    let repair = of(&repaired)["clocks"][0].clone();
    assert_eq!(
        (&repair["was"], &repair["due"]),
        (&json!("2018-07-04T16:00:00+03:00"), &json!("2018-07-05T16:00:00+03:00"))
    );

    let path = format!("/api/v1/referrals/{repaired}");
    let clock = office.get("Baraka", &format!("{path}/clocks/repair")).await.ok(200);
    assert_eq!((&clock["due"], &clock["calendar"]), (&repair["due"], &json!("2")));
    assert!(clock["lines"].as_array().unwrap().last().unwrap().to_string().contains("2018-07-05"));
    let events = office.get("Baraka", &format!("{path}/events")).await.ok(200);
    let last = events["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["kind"], &last["actor"]), (&json!("recount_clocks"), &json!("system")));
    assert_eq!(last["clocks"][0]["change"], "recounted");
    assert_eq!(last["clocks"][0]["was"], "2018-07-04T16:00:00+03:00");

    let gate = office.gate.clone();
    let report = tokio::task::spawn_blocking(move || gate.verify().unwrap()).await.unwrap();
    assert!(report.is_sound(), "{report:?}");
}

#[tokio::test]
async fn how_far_a_recount_is_is_for_those_who_operate_the_service() {
    let office = Office::open().await;
    for path in ["/api/v1/calendars/recount", "/api/v1/calendars/recount/moved"] {
        assert_eq!(office.get("Baraka", path).await.problem(403), "forbidden");
        office.get("Dalila", path).await.ok(200);
    }
}
