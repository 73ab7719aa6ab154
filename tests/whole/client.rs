//! The example in the documentation works: a unit's own system hears of a matter and handles it.

use super::example::{Example, HOOKS};
use super::house::House;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/unit_client.py");

#[test]
fn the_example_is_short_and_needs_nothing_installed() {
    let text = std::fs::read_to_string(CLIENT).unwrap();
    assert!(text.lines().count() < 60, "{}", text.lines().count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_client_accepts_reports_progress_and_resolves_what_is_routed_to_its_unit() {
    let house = House::start(HOOKS);
    let (_, liaison) = house.somebody("huanbao.liaison").await;
    let mut client = Example::start("unit_client.py", &house, "huanbao", &liaison, "").await;
    let id = house.routed("huanbao").await;
    let path = format!("/api/v1/referrals/{id}");
    let seen = house.until(&liaison, &path, |seen| seen["status"] == "resolved").await;
    let number = seen["number"].as_str().unwrap();
    let mut done = Vec::new();
    for _ in 0..4 {
        done.push(client.line().await);
    }
    let wished =
        ["accept accepted", "contacted_caller handling", "progress handling", "resolve resolved"];
    assert_eq!(done, wished.map(|step| format!("{number} {step}")));
    drop(client);
    house.stop().await;
}
