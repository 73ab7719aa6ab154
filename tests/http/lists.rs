//! Lists: paged without holes or doubles, filtered, counted.

use std::collections::BTreeSet;

use fenliu::domain::Instant;
use serde_json::json;

use super::office::Office;

#[tokio::test]
async fn pages_have_no_holes_and_no_doubles_while_new_matters_come_in() {
    let office = Office::open().await;
    let mut all = BTreeSet::new();
    for number in 0..12 {
        all.insert(office.report(&format!("Pier {number}")).await);
    }
    let (mut seen, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let path = format!("/api/v1/referrals?limit=5{cursor}");
        let page = office.get("Asha", &path).await.ok(200);
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["id"].as_str().unwrap().to_owned()));
        }
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
        office.report("a newcomer").await;
    }
    assert_eq!(seen, all);
}

#[tokio::test]
async fn a_number_is_found_without_the_zeros_before_it() {
    let office = Office::open().await;
    let id = office.report("Pier 1").await;
    let number = office.get("Asha", &format!("/api/v1/referrals/{id}")).await.ok(200);
    let number = number["number"].as_str().unwrap().to_owned();
    for written in [number.as_str(), number.trim_start_matches('0')] {
        let path = format!("/api/v1/referrals?number={written}");
        let found = office.get("Asha", &path).await.ok(200);
        assert_eq!(found["items"][0]["id"], id.as_str(), "{written}");
    }
    for wrong in ["", "12a", "-1"] {
        let path = format!("/api/v1/referrals?number={wrong}");
        assert_eq!(office.get("Asha", &path).await.problem(400), "bad_query", "{wrong}");
    }
}

#[tokio::test]
async fn filters_narrow_and_counts_agree_with_them() {
    let office = Office::open().await;
    office.report("Pier 1").await;
    let second = office.assigned("Pier 2", "cranes").await;
    office.assigned("Pier 3", "divers").await;
    let ended = office.assigned("Pier 4", "divers").await;
    office.command("Chiku", &ended, json!({ "command": "repaired" })).await.ok(200);
    office.clock.set(Instant::parse("2018-07-03T09:00:00+03:00").unwrap());
    let places = async |who: &str, query: &str| {
        let page = office.get(who, &format!("/api/v1/instances?{query}")).await.ok(200);
        let items = page["items"].as_array().unwrap().clone();
        let places = items
            .iter()
            .map(|item| item["fields"]["place"].as_str().unwrap().get(5..).unwrap().to_owned());
        places.collect::<Vec<_>>().join("")
    };
    assert_eq!(places("Asha", "").await, "4321");
    assert_eq!(places("Asha", "status=waiting,done").await, "41");
    assert_eq!(places("Asha", "status=waiting&status=done").await, "41");
    assert_eq!(places("Asha", "holder=cranes").await, "2");
    assert_eq!(places("Asha", "unit=divers").await, "43");
    assert_eq!(places("Asha", "open=true&unit=divers").await, "3");
    assert_eq!(places("Asha", "overdue=true").await, "1");
    assert_eq!(places("Asha", "tier_at_least=larger").await, "");
    for slip in ["workflow=other", "unit=dviers", "status=waitign"] {
        let answer = office.get("Asha", &format!("/api/v1/instances?{slip}")).await;
        assert_eq!(answer.problem(400), "bad_query", "an empty list would hide the slip: {slip}");
    }
    assert_eq!(places("Asha", "opened_from=2018-07-03T00:00:00+03:00").await, "");
    assert_eq!(places("Baraka", "").await, "2");
    let counts = office.get("Asha", "/api/v1/counts").await.ok(200);
    assert_eq!(counts["statuses"], json!({ "done": 1, "repairing": 2, "waiting": 1 }));
    assert_eq!(counts["total"], 4);
    let own = office.get("Baraka", "/api/v1/counts?open=true").await.ok(200);
    assert_eq!(own["statuses"], json!({ "repairing": 1 }));
    let listed = office.get("Asha", "/api/v1/referrals?holder=cranes").await.ok(200);
    assert_eq!(listed["items"][0]["id"], second);
    assert!(listed["items"][0]["fields"].get("secret").is_none());
}
