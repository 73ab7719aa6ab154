//! Duty rosters, asked as those who keep them and those who are on them ask.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};

/// The crane crew with three liaisons; their ids in order: Baraka, Faraji, Gamba.
async fn crew(office: &mut Office) -> [i64; 3] {
    let mut ids = [2, 0, 0];
    for (place, name) in [(1, "Faraji"), (2, "Gamba")] {
        let grants = json!([{ "role": "liaison", "unit": "cranes" }]);
        let body =
            json!({ "name": name, "email": format!("{name}@kisima.invalid"), "grants": grants });
        let made = office.post("Dalila", "/api/v1/people", body).await.ok(201);
        ids[place] = made["id"].as_i64().unwrap();
        let token = json!({ "person": ids[place], "label": "test", "strong": true });
        let token = office.post("Dalila", "/api/v1/tokens", token).await.ok(201);
        office.tokens.insert(name.to_owned(), token["token"].as_str().unwrap().to_owned());
    }
    ids
}

/// A day's duty each, from the Monday on which the tests begin.
fn daily(people: &[i64]) -> Json {
    json!({
        "title": { "zh": "吊机值班", "en": "crane duty" },
        "unit": "cranes", "role": "liaison",
        "rotations": [{
            "name": { "zh": "全天", "en": "all day" }, "people": people,
            "first": "2018-07-02T08:00", "shift": "24h",
        }],
    })
}

const ROSTER: &str = "/api/v1/rosters/cranes";

async fn kept() -> (Office, [i64; 3]) {
    let mut office = Office::open().await;
    let people = crew(&mut office).await;
    office.put("Dalila", ROSTER, daily(&people)).await.ok(200);
    (office, people)
}

async fn on_duty(office: &Office, at: &str) -> Json {
    let at = at.replace('+', "%2B");
    office.get("Baraka", &format!("{ROSTER}/on-duty?at={at}")).await.ok(200)
}

fn names(people: &Json) -> Vec<&str> {
    people.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

/// Whom a matter assigned to the crane crew told.
async fn told(office: &Office, place: &str) -> Vec<String> {
    let id = office.assigned(place, "cranes").await;
    let path = format!("/api/v1/referrals/{id}/events");
    let events = office.get("Asha", &path).await.ok(200);
    let events = events["items"].as_array().unwrap();
    let told = events.iter().flat_map(|event| event["told"].as_array().unwrap());
    told.flat_map(|told| names(&told["people"])).map(str::to_owned).collect()
}

async fn send(office: &Office, path: &str, kind: &str, body: &str) -> Answer {
    let request = office.ask("Dalila", Method::POST, path);
    read(request.header("content-type", kind).body(body.to_owned())).await
}

#[tokio::test]
async fn an_alert_reaches_who_is_on_duty_and_everybody_when_nobody_is() {
    let (office, people) = kept().await;
    assert_eq!(told(&office, "Pier 1").await, ["Baraka"]);
    office.clock.set(fenliu::domain::Instant::parse("2018-07-03T09:10:00+03:00").unwrap());
    assert_eq!(told(&office, "Pier 2").await, ["Faraji"]);
    // Nobody instead of Faraji: everybody is told, and the gap is known.
    let away = json!({ "from": "2018-07-03T09:00:00+03:00", "until": "2018-07-03T12:00:00+03:00",
                       "instead_of": people[1], "note": "ill" });
    office.post("Dalila", &format!("{ROSTER}/stand-ins"), away).await.ok(201);
    assert_eq!(told(&office, "Pier 3").await, ["Baraka", "Faraji", "Gamba"]);
    let gaps = office.get("Baraka", &format!("{ROSTER}/gaps")).await.ok(200);
    assert_eq!(gaps["items"][0]["until"], "2018-07-03T12:00:00+03:00");
    let now = on_duty(&office, "2018-07-03T10:00:00+03:00").await;
    assert_eq!(now["everybody"], true);
    assert_eq!(names(&now["told"]).len(), 3);
    // Without the roster everybody is told again, and deleting it says so.
    let gone = read(office.ask("Dalila", Method::DELETE, ROSTER)).await.ok(200);
    let words = gone["consequence"]["en"].as_str().unwrap();
    assert!(words.contains("everybody with the role `liaison`"), "{words}");
    assert_eq!(office.get("Baraka", ROSTER).await.problem(404), "not_found");
}

#[tokio::test]
async fn a_roster_says_whose_shift_it_is_and_when_the_next_handover_comes() {
    let (office, _) = kept().await;
    let now = on_duty(&office, "2018-07-02T23:50:00+03:00").await;
    assert_eq!(names(&now["told"]), ["Baraka"]);
    let shift = &now["shifts"][0];
    assert_eq!(shift["from"], "2018-07-02T08:00:00+03:00");
    assert_eq!(shift["until"], "2018-07-03T08:00:00+03:00");
    assert_eq!(now["next"]["at"], "2018-07-03T08:00:00+03:00");
    assert_eq!(names(&now["next"]["incoming"]), ["Faraji"]);
    let first = office.get("Chiku", &format!("{ROSTER}/shifts?limit=2")).await.ok(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let path = format!("{ROSTER}/shifts?limit=2&cursor={next}");
    let second = office.get("Chiku", &path).await.ok(200);
    assert_eq!(second["items"][0]["person"]["name"], "Gamba");
    let long = format!("{ROSTER}/shifts?from=2018-07-02T00:00:00Z&until=2020-07-02T00:00:00Z");
    assert_eq!(office.get("Chiku", &long).await.problem(400), "bad_query");
}

#[tokio::test]
async fn only_those_who_keep_rosters_write_them_and_a_wrong_one_is_refused_with_every_reason() {
    let (office, people) = kept().await;
    assert_eq!(office.put("Baraka", ROSTER, daily(&people)).await.problem(403), "forbidden");
    let mut wrong = daily(&[people[0], 3]);
    wrong["rotations"][0]["hours"] = json!("09:00-16:00");
    let refused = office.put("Dalila", ROSTER, wrong).await;
    assert_eq!(refused.problem(422), "wrong_roster");
    let reasons = refused.json["reasons"].as_array().unwrap();
    let inputs: Vec<_> = reasons.iter().map(|reason| reason["input"].as_str().unwrap()).collect();
    assert_eq!(
        inputs,
        ["rotations[0].hours", "rotations[0].shift", "rotations[0].people"],
        "{}",
        refused.text
    );
    assert!(reasons.iter().all(|reason| !reason["zh"].as_str().unwrap().is_empty()));
    let mut odd = daily(&people);
    odd["rotations"][0]["shift"] = json!("a day");
    let refused = office.put("Dalila", ROSTER, odd).await;
    assert_eq!(refused.problem(400), "bad_json");
    assert!(refused.text.contains("1h to 168h"), "{}", refused.text);
}

#[tokio::test]
async fn two_people_exchange_shifts_when_the_other_agrees() {
    let (office, [baraka, faraji, _]) = kept().await;
    let swap = json!({
        "give": { "person": faraji, "at": "2018-07-03T12:00:00+03:00" },
        "take": { "person": baraka, "at": "2018-07-05T12:00:00+03:00" },
        "note": "wedding",
    });
    let swaps = format!("{ROSTER}/swaps");
    assert_eq!(office.post("Gamba", &swaps, swap.clone()).await.problem(403), "forbidden");
    let halves = office.post("Faraji", &swaps, swap.clone()).await.ok(201);
    let number = halves["items"][0]["swap"].as_i64().unwrap();
    let who = async |at: &str| names(&on_duty(&office, at).await["told"])[0].to_owned();
    assert_eq!(who("2018-07-03T12:00:00+03:00").await, "Faraji");
    let agree = format!("{swaps}/{number}/agree");
    // Nobody agrees for the other.
    assert_eq!(office.post("Faraji", &agree, json!({})).await.problem(403), "forbidden");
    assert_eq!(office.post("Baraka", &agree, json!({})).await.status, 204);
    assert_eq!(who("2018-07-03T12:00:00+03:00").await, "Baraka");
    assert_eq!(who("2018-07-05T12:00:00+03:00").await, "Faraji");
    assert_eq!(office.post("Baraka", &agree, json!({})).await.problem(409), "already_agreed");
    // A proposal can be declined, and then it is gone.
    let other = json!({
        "give": { "person": faraji, "at": "2018-07-06T12:00:00+03:00" },
        "take": { "person": baraka, "at": "2018-07-08T12:00:00+03:00" },
    });
    let halves = office.post("Faraji", &swaps, other).await.ok(201);
    let decline = format!("{swaps}/{}/decline", halves["items"][0]["swap"]);
    assert_eq!(office.post("Baraka", &decline, json!({})).await.status, 204);
    assert_eq!(office.post("Baraka", &decline, json!({})).await.problem(404), "not_found");
    // What has begun is no longer exchanged.
    let late = json!({
        "give": { "person": baraka, "at": "2018-07-02T12:00:00+03:00" },
        "take": { "person": faraji, "at": "2018-07-06T12:00:00+03:00" },
    });
    assert_eq!(office.post("Baraka", &swaps, late).await.problem(409), "already_begun");
}

#[tokio::test]
async fn a_stand_in_that_has_begun_ends_now_and_what_is_past_stays() {
    let (office, [baraka, _, gamba]) = kept().await;
    let stand_in = |from: &str, until: &str| json!({ "from": from, "until": until, "person": gamba, "instead_of": baraka });
    let path = format!("{ROSTER}/stand-ins");
    let body = stand_in("2018-07-02T09:00:00+03:00", "2018-07-02T20:00:00+03:00");
    let made = office.post("Dalila", &path, body).await.ok(201);
    let one = format!("{path}/{}", made["id"]);
    office.clock.set(fenliu::domain::Instant::parse("2018-07-02T10:00:00+03:00").unwrap());
    let remove = || read(office.ask("Dalila", Method::DELETE, &one));
    assert_eq!(remove().await.status, 204);
    let before = on_duty(&office, "2018-07-02T09:30:00+03:00").await;
    assert_eq!(names(&before["told"]), ["Gamba"]);
    let after = on_duty(&office, "2018-07-02T10:00:00+03:00").await;
    assert_eq!(names(&after["told"]), ["Baraka"]);
    assert_eq!(remove().await.problem(409), "already_past");
    let list = office.get("Chiku", &path).await.ok(200);
    assert_eq!(list["items"][0]["until"], "2018-07-02T10:00:00+03:00");
    let body = stand_in("2018-07-04T09:00:00+03:00", "2018-07-04T09:00:00+03:00");
    assert_eq!(office.post("Dalila", &path, body.clone()).await.problem(422), "wrong_stand_in");
    assert_eq!(office.post("Baraka", &path, body).await.problem(403), "forbidden");
}

#[tokio::test]
async fn what_a_shift_leaves_is_shown_to_the_next_and_marked_as_read_once() {
    let (office, _) = kept().await;
    let path = format!("{ROSTER}/handovers");
    let note = json!({ "note": "Crane 4: brake renewed, test it before lifting." });
    assert_eq!(office.post("Chiku", &path, note.clone()).await.problem(403), "forbidden");
    assert_eq!(
        office.post("Baraka", &path, json!({ "note": " " })).await.problem(422),
        "wrong_input"
    );
    let made = office.post("Baraka", &path, note).await.ok(201);
    office.clock.set(fenliu::domain::Instant::parse("2018-07-03T08:05:00+03:00").unwrap());
    let now = on_duty(&office, "2018-07-03T08:05:00+03:00").await;
    assert_eq!(now["note"]["person"]["name"], "Baraka");
    assert_eq!(now["note"]["read_at"], Json::Null);
    let mark = format!("{path}/{}/read", made["id"]);
    let marked = office.post("Faraji", &mark, json!({})).await.ok(200);
    assert_eq!(marked["read_by"]["name"], "Faraji");
    let again = office.post("Gamba", &mark, json!({})).await.ok(200);
    assert_eq!(again["read_by"]["name"], "Faraji");
    assert_eq!(office.get("Gamba", &path).await.ok(200)["items"].as_array().unwrap().len(), 1);
    let none = format!("{path}/999/read");
    assert_eq!(office.post("Faraji", &none, json!({})).await.problem(404), "not_found");
}

// Check 4.
#[tokio::test]
async fn what_a_shift_leaves_is_read_by_its_roster_and_by_those_who_see_every_matter() {
    let (office, _) = kept().await;
    let path = format!("{ROSTER}/handovers");
    let note = json!({ "note": "Pier 4 rang three times: look at it first." });
    let made = office.post("Baraka", &path, note).await.ok(201);
    let on_duty = format!("{ROSTER}/on-duty");
    // Another unit, whoever administers, and whoever writes workflows see who is on duty, and no note.
    for who in ["Chiku", "Dalila", "Enzi"] {
        assert_eq!(office.get(who, &path).await.problem(403), "forbidden", "{who}");
        let seen = office.get(who, &on_duty).await.ok(200);
        assert_eq!(
            (&seen["note"], seen["told"].as_array().unwrap().len()),
            (&Json::Null, 1),
            "{who}"
        );
        let mark = office.post(who, &format!("{path}/{}/read", made["id"]), json!({})).await;
        assert_eq!(mark.problem(403), "forbidden", "{who}");
    }
    for who in ["Faraji", "Asha"] {
        let seen = office.get(who, &path).await.ok(200);
        assert_eq!(seen["items"][0]["id"], made["id"], "{who}");
        assert_eq!(seen["items"][0]["read_at"], Json::Null, "{who}");
        assert_eq!(office.get(who, &on_duty).await.ok(200)["note"]["id"], made["id"], "{who}");
    }
}

#[tokio::test]
async fn a_table_is_taken_in_whole_or_not_at_all_unless_parts_are_wished() {
    let (office, _) = kept().await;
    let import = format!("{ROSTER}/import");
    let table = "from,until,person,note\n2018-07-10 08:00,2018-07-11 08:00,Gamba,=cmd\n\
                 2018-07-11 08:00,2018-07-12 08:00,Nobody,\n2018-07-12 08:00,2018-07-11 08:00,Gamba,\n\
                 2018-07-13 08:00,2018-07-14 08:00,Chiku,\n";
    let refused = send(&office, &import, "text/csv", table).await;
    assert_eq!(refused.problem(422), "wrong_rows");
    let reasons = refused.json["reasons"].as_array().unwrap();
    let lines: Vec<_> = reasons.iter().map(|reason| reason["input"].as_str().unwrap()).collect();
    assert_eq!(lines, ["line 3", "line 4", "line 5"], "{}", refused.text);
    assert!(refused.text.contains("第3行：没有叫“Nobody”的人员"), "{}", refused.text);
    let list = format!("{ROSTER}/stand-ins");
    assert_eq!(office.get("Chiku", &list).await.ok(200)["items"], json!([]));
    let partial = format!("{import}?partial=true");
    let done = send(&office, &partial, "text/csv", table).await.ok(200);
    assert_eq!((&done["imported"], &done["already_there"]), (&json!(1), &json!(0)));
    assert_eq!(done["wrong"].as_array().unwrap().len(), 3);
    let again = send(&office, &partial, "text/csv", table).await.ok(200);
    assert_eq!((&again["imported"], &again["already_there"]), (&json!(0), &json!(1)));
    let day = on_duty(&office, "2018-07-10T12:00:00+03:00").await;
    assert_eq!(day["shifts"].as_array().unwrap().len(), 2);
    let other = send(&office, &import, "text/plain", table).await;
    assert_eq!(other.problem(415), "unsupported_media_type");
}

#[tokio::test]
async fn a_calendar_file_comes_in_instead_of_the_rotation_and_goes_out_again() {
    let (office, [_, _, gamba]) = kept().await;
    let event = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20180703T080000\r\n\
                 DTEND:20180705T080000\r\nSUMMARY:x\r\nATTENDEE:mailto:gamba@kisima.invalid\r\n\
                 END:VEVENT\r\nEND:VCALENDAR\r\n";
    let path = format!("{ROSTER}/import?instead=true");
    let done = send(&office, &path, "text/calendar", event).await.ok(200);
    assert_eq!(done["imported"], 1);
    let day = on_duty(&office, "2018-07-03T12:00:00+03:00").await;
    assert_eq!(names(&day["told"]), ["Gamba"]);
    let file = office.get("Baraka", &format!("/api/v1/people/{gamba}/duties")).await;
    assert_eq!(file.status, 200);
    assert!(file.header("content-type").starts_with("text/calendar"));
    assert!(file.header("content-disposition").contains(".ics"));
    let text = file.text.replace("\r\n ", "");
    assert!(text.contains("DTSTART;TZID=Africa/Nairobi:20180703T080000\r\n"), "{text}");
    assert!(text.contains("SUMMARY:吊机值班 Gamba\r\n"), "{text}");
    assert!(!text.contains("Baraka"), "{text}");
    let table = office.get("Baraka", &format!("{ROSTER}/export?format=csv")).await;
    assert!(table.text.contains("2018-07-03 08:00,2018-07-05 08:00"), "{}", table.text);
    let odd = office.get("Baraka", &format!("{ROSTER}/export?format=pdf")).await;
    assert_eq!(odd.problem(400), "bad_query");
}
