//! The example of a peer platform works in both directions: it takes over what is handed to it under a
//! number of its own, and hands in what is not its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use super::example::{Example, HOOKS};
use super::house::House;

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    /// It does not arrive.
    Refused,
    /// It is done, and nobody hears of it.
    Unheard,
    /// It is done, and the answer breaks off.
    Torn,
}

/// A line to the house that breaks as it is told, request by request, and holds afterwards; where it
/// begins.
fn bad_line(house: &House, fates: Vec<Fate>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let there = house.base.strip_prefix("http://").unwrap().to_owned();
    let mut fates = fates.into_iter();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let fate = fates.next().unwrap_or(Fate::Answered);
            let Ok(client) = client else { return };
            let there = there.clone();
            std::thread::spawn(move || pass_on(client, &there, fate));
        }
    });
    base
}

/// One request, and its answer up to the end: each has a connection of its own.
fn pass_on(mut client: TcpStream, there: &str, fate: Fate) {
    if fate == Fate::Refused {
        return;
    }
    let mut server = TcpStream::connect(there).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || drop(std::io::copy(&mut from, &mut to)));
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).unwrap();
    let heard = match fate {
        Fate::Answered => answer.len(),
        Fate::Torn => answer.len() - 3,
        Fate::Refused | Fate::Unheard => 0,
    };
    client.write_all(&answer[..heard]).unwrap();
    drop(client.shutdown(Shutdown::Both));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_platform_takes_a_lost_connection_up_again_and_no_matter_is_lost_or_there_twice() {
    use Fate::{Answered, Refused, Torn, Unheard};
    let house = House::start(HOOKS);
    let (_, liaison) = house.somebody("12345.liaison").await;
    let (_, desk) = house.somebody("gongan.dispatcher").await;
    let order = |number: &str| {
        json!({ "source_number": number, "text": "小区门口路灯一周不亮", "place": "葛城街道",
            "category": "utility.power-fault", "kind": "help", "caller_phone": "000-0000-0012" })
    };
    let input = format!("{}\n{}\n", order("RX20180702-8"), order("RX20180702-9"));
    // The subscription is made twice and one of them taken away; then two orders; then what follows a route.
    let subscribing = [Unheard, Answered, Answered, Answered];
    let handing_in = [Refused, Unheard, Answered, Torn, Answered];
    let taking_over = [Unheard, Answered, Refused, Answered];
    let fates = [&subscribing[..], &handing_in, &taking_over].concat();
    let base = bad_line(&house, fates);
    let mut client = Example::start_at("peer_client.py", &base, "12345", &liaison, &input).await;
    let subscriptions = house.get(&liaison, "/api/v1/subscriptions").await;
    assert_eq!(subscriptions["items"].as_array().unwrap().len(), 1, "{subscriptions}");
    for number in ["RX20180702-8", "RX20180702-9"] {
        let found = client.line().await;
        let matter = house.get(&desk, &format!("/api/v1/intake/12345/{number}")).await;
        let ours = matter["number"].as_str().unwrap();
        assert_eq!(found, format!("handed in {number} {ours}"));
    }
    let all = house.get(&desk, "/api/v1/referrals").await;
    assert_eq!(all["items"].as_array().unwrap().len(), 2, "each once: {all}");
    let id = house.routed("12345").await;
    let path = format!("/api/v1/referrals/{id}");
    house.until(&desk, &path, |seen| seen["status"] == "resolved").await;
    let events = house.get(&desk, &format!("{path}/events")).await;
    for command in ["accept", "contacted_caller", "resolve"] {
        let kinds = events["items"].as_array().unwrap().iter().map(|event| &event["kind"]);
        assert_eq!(kinds.filter(|kind| *kind == command).count(), 1, "{command}: {events}");
    }
    drop(client);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_platform_takes_over_and_hands_in() {
    let house = House::start(HOOKS);
    let (_, liaison) = house.somebody("12345.liaison").await;
    let (_, desk) = house.somebody("gongan.dispatcher").await;
    let order = json!({ "source_number": "RX20180702-8", "text": "小区门口路灯一周不亮",
        "place": "葛城街道", "category": "utility.power-fault", "kind": "help",
        "caller_phone": "000-0000-0012" });
    // The same order twice: a platform that is not sure asks again.
    let input = format!("{order}\n{order}\n");
    let mut client = Example::start("peer_client.py", &house, "12345", &liaison, &input).await;
    let first = client.line().await;
    assert!(first.starts_with("handed in RX20180702-8 0"), "{first}");
    assert_eq!(client.line().await, first, "the same number is the same matter");
    let found = house.get(&desk, "/api/v1/intake/12345/RX20180702-8").await;
    let handed_in = found["id"].as_str().unwrap();
    assert!(first.ends_with(found["number"].as_str().unwrap()), "{first}");
    // It hears how the matter goes, and reads no more of it than its own part.
    let path = format!("/api/v1/referrals/{handed_in}/commands");
    let route = json!({ "command": "route", "input": { "unit": "gongdian" } });
    house.post(&desk, &path, route).await;
    let mut told = Vec::new();
    while !told.contains(&"RX20180702-8 routed".to_owned()) {
        told.push(client.line().await);
    }
    // What is handed over is accepted with its number, and resolved.
    let id = house.routed("12345").await;
    let path = format!("/api/v1/referrals/{id}");
    let seen = house.until(&desk, &path, |seen| seen["status"] == "resolved").await;
    let number = seen["fields"]["unit_number"].as_str().unwrap();
    assert!(number.starts_with("W-"), "{number}");
    drop(client);
    house.stop().await;
}

/// Waits until the example says it.
async fn heard(client: &mut Example, wanted: &str) {
    while client.line().await != wanted {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_platform_takes_over_its_own_order_and_follows_one_that_is_merged() {
    let house = House::start(HOOKS);
    let (_, liaison) = house.somebody("12345.liaison").await;
    let (_, desk) = house.somebody("gongan.dispatcher").await;
    let order = |number: &str| {
        json!({ "source_number": number, "text": "小区门口路灯一周不亮", "place": "葛城街道",
            "category": "utility.power-fault", "kind": "help", "caller_phone": "000-0000-0012" })
    };
    let input = format!("{}\n{}\n", order("RX20180702-8"), order("RX20180702-9"));
    let mut client = Example::start("peer_client.py", &house, "12345", &liaison, &input).await;
    client.line().await;
    client.line().await;
    let own = house.get(&desk, "/api/v1/intake/12345/RX20180702-8").await;
    let path = format!("/api/v1/referrals/{}", own["id"].as_str().unwrap());
    let route = json!({ "command": "route", "input": { "unit": "12345" } });
    house.post(&desk, &format!("{path}/commands"), route).await;
    let seen = house.until(&desk, &path, |seen| seen["status"] == "resolved").await;
    assert_eq!(seen["fields"]["unit_number"], "RX20180702-8", "{seen}");
    // The other one goes on in a matter that the desk has typed.
    let mut typed = order("RX20180702-9");
    typed.as_object_mut().unwrap().remove("source_number");
    let typed = house.post(&desk, "/api/v1/referrals", json!({ "input": typed })).await;
    let number = typed["number"].as_str().unwrap();
    let merged = house.get(&desk, "/api/v1/intake/12345/RX20180702-9").await;
    let path = format!("/api/v1/referrals/{}/commands", merged["id"].as_str().unwrap());
    let merge = json!({ "command": "merge", "input": { "into": number } });
    house.post(&desk, &path, merge).await;
    heard(&mut client, &format!("RX20180702-9 goes on in {number} received")).await;
    let path = format!("/api/v1/referrals/{}/commands", typed["id"].as_str().unwrap());
    let route = json!({ "command": "route", "input": { "unit": "gongdian" } });
    house.post(&desk, &path, route).await;
    heard(&mut client, "RX20180702-9 routed").await;
    drop(client);
    house.stop().await;
}

/// Hands orders in and stops the program then: what it said, and its exit status.
fn hand_in(house: &House, token: &str, kept: &Path, input: &str) -> (Vec<String>, Option<i32>) {
    let mut child = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/peer_client.py"))
        .env("FENLIU_API", format!("{}/api/v1", house.base))
        .env("FENLIU_TOKEN", token)
        .env("FENLIU_UNIT", "12345")
        .env("LISTEN", "127.0.0.1:0")
        .env("REFUSED", kept)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let orders = input.lines().count();
    let said = lines.by_ref().take(1 + orders).map(Result::unwrap).skip(1).collect();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let status = child.wait().unwrap();
    drop(lines);
    (said, status.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_is_refused_is_kept_with_its_reason_and_the_others_are_handed_in() {
    let house = House::start(HOOKS);
    let (_, liaison) = house.somebody("12345.liaison").await;
    let kept = std::env::temp_dir().join(format!("fenliu-refused-{}.jsonl", std::process::id()));
    let good = json!({ "source_number": "RX-2", "text": "路灯不亮", "place": "葛城街道",
        "category": "utility.power-fault", "kind": "help", "anonymous": true });
    let mut bad = good.clone();
    bad["source_number"] = json!("RX-1");
    bad["anonymous"] = json!(false);
    let (said, status) = hand_in(&house, &liaison, &kept, &format!("{bad}\n{good}\n"));
    assert_eq!(said[0], "refused RX-1 caller_needed");
    assert!(said[1].starts_with("handed in RX-2 0"), "{said:?}");
    assert_eq!(status, Some(1));
    let text = std::fs::read_to_string(&kept).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    // Mended, it is handed in from there.
    let mut mended: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(mended["refused"]["code"], "caller_needed", "{text}");
    mended["anonymous"] = json!(true);
    let (said, status) = hand_in(&house, &liaison, &kept, &format!("{mended}\n"));
    assert!(said[0].starts_with("handed in RX-1 0"), "{said:?}");
    assert_eq!(status, Some(0));
    std::fs::remove_file(kept).unwrap();
    house.stop().await;
}
