//! The example of a peer platform works in both directions: it takes over what is handed to it under a
//! number of its own, and hands in what is not its own.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::house::House;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/peer_client.py");

/// The program; it ends with the test.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_platform_takes_over_and_hands_in() {
    let hooks = "[channel.webhook]\nkind = \"http\"\nallow_http = true\nallow_private = true\n";
    let house = House::start(hooks);
    let (_, liaison) = house.somebody("12345.liaison").await;
    let (_, desk) = house.somebody("gongan.dispatcher").await;
    let mut program = Command::new("python3")
        .arg(CLIENT)
        .env("FENLIU_API", format!("{}/api/v1", house.base))
        .env("FENLIU_TOKEN", &liaison)
        .env("FENLIU_UNIT", "12345")
        .env("LISTEN", "127.0.0.1:0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let order = json!({ "source_number": "RX20180702-8", "text": "小区门口路灯一周不亮",
        "place": "葛城街道", "category": "utility.power-fault", "kind": "help",
        "caller_phone": "000-0000-0012" });
    // The same order twice: a platform that is not sure asks again.
    let mut input = program.stdin.take().unwrap();
    writeln!(input, "{order}\n{order}").unwrap();
    drop(input);
    let output = program.stdout.take().unwrap();
    let client = Client(program);
    let (said, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if said.send(line).is_err() {
                return;
            }
        }
    });
    assert_eq!(lines.recv().await.as_deref(), Some("listening"));
    let first = lines.recv().await.unwrap();
    assert!(first.starts_with("handed in RX20180702-8 0"), "{first}");
    assert_eq!(lines.recv().await.unwrap(), first, "the same number is the same matter");
    let found = house.get(&desk, "/api/v1/intake/12345/RX20180702-8").await;
    let handed_in = found["id"].as_str().unwrap();
    assert!(first.ends_with(found["number"].as_str().unwrap()), "{first}");
    // It hears how the matter goes, and reads no more of it than its own part.
    let path = format!("/api/v1/referrals/{handed_in}/commands");
    let route = json!({ "command": "route", "input": { "unit": "gongdian" } });
    house.post(&desk, &path, route).await;
    let mut told = Vec::new();
    while !told.contains(&"RX20180702-8 routed".to_owned()) {
        told.push(lines.recv().await.unwrap());
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
