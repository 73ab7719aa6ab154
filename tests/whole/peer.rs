//! The example of a peer platform works in both directions: it takes over what is handed to it under a
//! number of its own, and hands in what is not its own.

use serde_json::json;

use super::example::{Example, HOOKS};
use super::house::House;

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
