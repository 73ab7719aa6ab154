//! What a unit that took part once finds out afterwards: nothing, by whatever question.

use fenliu::domain::{Actor, Grant, Instant, PersonId, Role};
use fenliu::gate::{Caller, Request, Target};
use serde_json::{Value as Json, json};

use super::office::Office;

/// Questions about matters, each of which could tell how one stands now.
const QUESTIONS: [&str; 13] = [
    "",
    "holder=office",
    "holder=cranes",
    "holder=divers",
    "status=waiting",
    "status=repairing",
    "status=done",
    "open=true",
    "overdue=true",
    "tier_at_least=ordinary",
    "tier_at_least=major",
    "unit=divers",
    "unit=divers&open=true",
];

/// … and questions about its messages.
const MESSAGES: [&str; 9] = [
    "",
    "limit=1",
    "person=2",
    "person=2&limit=1",
    "person=2&state=waiting",
    "state=waiting&limit=1",
    "state=failed",
    "kind=alert&limit=1",
    "channel=email&limit=1",
];

/// Everything that somebody is answered about one matter.
async fn answers(office: &Office, who: &str, id: &str, number: &str) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    let and =
        |question: &str| if question.is_empty() { String::new() } else { format!("&{question}") };
    for question in QUESTIONS.map(and) {
        paths.push(format!("/api/v1/counts?number={number}{question}"));
        for face in ["referrals", "instances"] {
            paths.push(format!("/api/v1/{face}?number={number}{question}"));
            paths.push(format!("/api/v1/{face}?limit=1{question}"));
        }
    }
    for question in MESSAGES {
        paths.push(format!("/api/v1/referrals/{id}/messages?{question}"));
        paths.push(format!("/api/v1/messages?instance={id}{}", and(question)));
    }
    for part in ["", "/events", "/clocks", "/children"] {
        paths.push(format!("/api/v1/referrals/{id}{part}"));
    }
    let mut answers = Vec::new();
    for path in paths {
        let answer = office.get(who, &path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        // When it was counted is no answer.
        let at = answer.json["at"].as_str().unwrap_or("(no time)").to_owned();
        answers.push((path, answer.text.replace(&at, "…")));
    }
    answers
}

fn ids(list: &Json) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

// Checks 2, 3.
#[tokio::test]
async fn a_former_unit_finds_out_by_no_filter_count_or_page_what_became_of_a_matter() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "divers").await;
    let decline = json!({ "command": "decline", "input": { "reason": "no water there" } });
    office.command("Chiku", &id, decline).await.ok(200);
    let seen = office.get("Chiku", &format!("/api/v1/referrals/{id}")).await.ok(200);
    let number = seen["number"].as_str().unwrap().to_owned();
    let before = answers(&office, "Chiku", &id, &number).await;

    let assign = json!({ "command": "assign", "input": { "unit": "cranes" } });
    office.command("Asha", &id, assign).await.ok(200);
    assert_eq!(answers(&office, "Chiku", &id, &number).await, before, "it lies with the cranes");
    office.clock.set(Instant::parse("2018-07-09T09:00:00+03:00").unwrap());
    let overdue = office.get("Asha", "/api/v1/referrals?overdue=true").await.ok(200);
    assert_eq!(ids(&overdue), [id.as_str()]);
    assert_eq!(answers(&office, "Chiku", &id, &number).await, before, "it is overdue");
    office.command("Baraka", &id, json!({ "command": "repaired" })).await.ok(200);
    assert_eq!(answers(&office, "Chiku", &id, &number).await, before, "it is done");

    // The segment itself stays where it was.
    let listed = office.get("Chiku", "/api/v1/referrals").await.ok(200);
    assert_eq!((ids(&listed), &listed["items"][0]["fields"]), (vec![id.as_str()], &json!({})));
    let counted = office.get("Chiku", "/api/v1/counts").await.ok(200);
    assert_eq!(counted["total"], 0, "what is counted is how matters of the unit stand now");
}

#[tokio::test]
async fn a_unit_that_takes_part_finds_its_matters_by_how_they_stand() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let other = office.assigned("Pier 5", "cranes").await;
    office.command("Baraka", &other, json!({ "command": "repaired" })).await.ok(200);
    for (question, found) in [
        ("holder=cranes&open=true", vec![id.as_str()]),
        ("status=done", vec![other.as_str()]),
        ("unit=cranes&status=repairing", vec![id.as_str()]),
        ("holder=divers", vec![]),
    ] {
        let path = format!("/api/v1/referrals?{question}");
        assert_eq!(ids(&office.get("Baraka", &path).await.ok(200)), found, "{question}");
    }
    let counted = office.get("Baraka", "/api/v1/counts").await.ok(200);
    assert_eq!(counted["statuses"], json!({ "done": 1, "repairing": 1 }));
}

/// Commands of people, handed in so closely together that they are written at once.
async fn at_once(office: &Office, id: &str, given: &[(i64, Role, &str, &str, Json)]) {
    let ids = office.gate.public_ids();
    let instance = ids.read_instance(id).unwrap();
    let request =
        |target: Target, (person, role, unit, command, input): &(i64, Role, &str, &str, Json)| {
            let grant = Grant { role: *role, unit: (*unit).to_owned() };
            let actor = Actor::person(PersonId(*person), vec![grant]);
            Request {
                caller: Caller { actor, jurisdiction: office.owner() },
                target,
                command: (*command).to_owned(),
                input: input.as_object().unwrap().clone(),
                occurred_at: None,
                key: None,
                if_version: None,
                about: None,
            }
        };
    let report = (1, Role::Dispatcher, "office", "report", json!({ "place": "elsewhere" }));
    // The first keeps whoever writes busy until all others wait.
    let busy = request(Target::New("referral".to_owned()), &report);
    let others = given.iter().map(|one| request(Target::Instance(instance), one));
    let all = std::iter::once(busy).chain(others).map(|one| office.gate.submit(one));
    for done in futures_util::future::join_all(all).await {
        done.unwrap();
    }
}

// Check 2.
#[tokio::test]
async fn a_units_segment_is_its_own_whatever_was_written_together_with_it() {
    let office = Office::open().await;
    let id = office.report("Pier 4").await;
    let assign = |unit: &str| (1, Role::Dispatcher, "office", "assign", json!({ "unit": unit }));
    let decline = (2, Role::Liaison, "cranes", "decline", json!({ "reason": "not our crane" }));
    at_once(&office, &id, &[assign("cranes"), decline, assign("divers")]).await;
    let seqs = async |who: &str| {
        let path = format!("/api/v1/referrals/{id}/events");
        let events = office.get(who, &path).await.ok(200)["items"].as_array().unwrap().clone();
        events.iter().map(|event| event["seq"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(seqs("Asha").await, [1, 2, 3, 4]);
    assert_eq!(seqs("Baraka").await, [2, 3], "who came and went at once has its part");
    let seen = office.get("Baraka", &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert_eq!((&seen["former"], &seen["status"]), (&json!(true), &json!("waiting")));
    // One that goes, and what follows at once is not shown to it.
    let decline = (3, Role::Liaison, "divers", "decline", json!({ "reason": "no water there" }));
    at_once(&office, &id, &[decline, assign("cranes")]).await;
    assert_eq!(seqs("Chiku").await, [4, 5]);
    assert_eq!(seqs("Baraka").await, [1, 2, 3, 4, 5, 6], "it takes part again");
}

// Checks 2, 3.
#[tokio::test]
async fn a_unit_that_is_named_but_sees_its_own_part_only_is_told_no_version() {
    let office = Office::county().await;
    let input = json!({ "place": "葛城街道", "text": "夜间施工扰民", "kind": "help",
        "category": "env.waste-water", "anonymous": true });
    let opened = office.post("gongan.dispatcher", "/api/v1/referrals", json!({ "input": input }));
    let id = opened.await.ok(201)["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/referrals/{id}/commands");
    let give = async |who: &str, seen: i64, body: Json| {
        let request = office.ask(who, reqwest::Method::POST, &path);
        let request = request.header("if-match", format!("\"{seen}\"")).json(&body);
        super::office::read(request).await
    };
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    office.command("gongan.dispatcher", &id, route).await.ok(200);
    let send_back = json!({ "command": "return_to_desk", "input": { "reason": "not_our_duty",
        "basis": "三定方案第3条", "disputed_clause": "分流方案第三部分",
        "spot_answer": "tried" } });
    let returned = office.command("huanbao.liaison", &id, send_back).await;
    assert_eq!(returned.status, 200, "{}", returned.text);
    let why = json!({ "command": "uphold_return", "input": { "reason": "职责清单写明" } });
    office.command("gongan.shift_leader", &id, why).await.ok(200);
    let on = json!({ "command": "route", "input": { "unit": "huimin" } });
    let routed = office.command("gongan.dispatcher", &id, on).await;
    assert_eq!(routed.status, 200, "{}", routed.text);
    // It bears the matter until the next one takes it.
    office.command("huimin.liaison", &id, json!({ "command": "accept" })).await.ok(200);
    let before = office.get("huanbao.liaison", &format!("/api/v1/referrals/{id}")).await.ok(200);
    assert!(before["version"].as_i64().is_some());
    let ask = json!({ "command": "accept" });
    let mut said = Vec::new();
    for seen in 1..=8 {
        let answer = give("huanbao.liaison", seen, ask.clone()).await;
        said.push((answer.status, answer.text.clone()));
    }
    let one = said[0].clone();
    assert!(said.iter().all(|other| *other == one), "{said:?}");
    assert_eq!(one.0, 412, "{}", one.1);
    assert!(!one.1.contains("version\":"), "{}", one.1);
    // Who sees the matter as it stands is told where it stands.
    let stale = give("gongan.dispatcher", 1, ask).await;
    assert_eq!((stale.status, stale.json["version"].is_i64()), (412, true), "{}", stale.text);
}
