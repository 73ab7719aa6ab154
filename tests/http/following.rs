//! Changes as they are committed, told to those whom they concern.

use reqwest::{Method, Response};
use serde_json::{Value as Json, json};

use super::accounts::{Browser, PASSWORD, account, sign_in};
use super::office::Office;

/// Reads on until an event `change` has come.
async fn next_change(response: &mut Response, read: &mut String) -> Json {
    loop {
        if let Some((before, rest)) = read.split_once("\n\n") {
            let (event, rest) = (before.to_owned(), rest.to_owned());
            *read = rest;
            if let Some(data) = event.strip_prefix("event: change\ndata: ") {
                return serde_json::from_str(data).unwrap();
            }
            continue;
        }
        let chunk = response.chunk().await.unwrap().expect("the stream goes on");
        read.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

async fn follow(office: &Office, who: &str) -> (Response, String) {
    let mut response = office.ask(who, Method::GET, "/api/v1/changes").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
    // The first heartbeat comes at once: from here on nothing is missed.
    let first = response.chunk().await.unwrap().unwrap();
    assert!(first.starts_with(b":"));
    (response, String::new())
}

#[tokio::test]
async fn a_change_reaches_those_whom_it_concerns_and_nobody_else() {
    let office = Office::open().await;
    let (mut cranes, mut cranes_read) = follow(&office, "Baraka").await;
    let (mut desk, mut desk_read) = follow(&office, "Asha").await;
    let foreign = office.assigned("Pier 9", "divers").await;
    let own = office.assigned("Pier 4", "cranes").await;
    let told = next_change(&mut cranes, &mut cranes_read).await;
    assert_eq!(told["id"], own, "the first that a crew hears of is its own matter");
    assert_eq!(told["kind"], "assign");
    assert_eq!(told["status"], "repairing");
    assert_eq!(told["number"].as_str().unwrap().len(), 8);
    let first = next_change(&mut desk, &mut desk_read).await;
    assert_eq!((&first["id"], &first["seq"]), (&json!(foreign), &json!(1)));
}

// Check 13.
#[tokio::test]
async fn a_console_that_only_listens_is_signed_out_when_nobody_uses_it() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let mut stream = me.follow().await;
    // After twenty minutes the house looks whether she may still follow; that is no use of the session.
    office.minutes_later(20);
    let beat = stream.chunk().await.unwrap().expect("the session is still good");
    assert!(beat.starts_with(b":"));
    office.minutes_later(10);
    while stream.chunk().await.unwrap().is_some() {}
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized");
}

#[tokio::test]
async fn a_stopping_service_ends_its_streams_and_stops_at_once() {
    let office = Office::open().await;
    let (mut desk, _) = follow(&office, "Asha").await;
    let stopper = office.stopper.clone();
    let stopping = tokio::spawn(async move { stopper.stop().await });
    while let Ok(Some(_)) = desk.chunk().await {}
    stopping.await.unwrap();
    assert!(office.ask("Asha", Method::GET, "/health").send().await.is_err());
}
