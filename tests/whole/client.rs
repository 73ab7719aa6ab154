//! The example in the documentation works: a unit's own system hears of a matter and handles it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::house::House;

const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/examples/unit_client.py");

/// The program; it ends with the test.
struct Client(Child);

impl Drop for Client {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn the_example_is_short_and_needs_nothing_installed() {
    let text = std::fs::read_to_string(CLIENT).unwrap();
    assert!(text.lines().count() < 60, "{}", text.lines().count());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_example_client_accepts_reports_progress_and_resolves_what_is_routed_to_its_unit() {
    let hooks = "[channel.webhook]\nkind = \"http\"\nallow_http = true\nallow_private = true\n";
    let house = House::start(hooks);
    let (_, liaison) = house.somebody("huanbao.liaison").await;
    let mut program = Command::new("python3")
        .arg(CLIENT)
        .env("FENLIU_API", format!("{}/api/v1", house.base))
        .env("FENLIU_TOKEN", &liaison)
        .env("FENLIU_UNIT", "huanbao")
        .env("LISTEN", "127.0.0.1:0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
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
    let id = house.routed("huanbao").await;
    let path = format!("/api/v1/referrals/{id}");
    let seen = house.until(&liaison, &path, |seen| seen["status"] == "resolved").await;
    let number = seen["number"].as_str().unwrap();
    let mut done = Vec::new();
    for _ in 0..4 {
        done.push(lines.recv().await.unwrap());
    }
    let wished =
        ["accept accepted", "contacted_caller handling", "progress handling", "resolve resolved"];
    assert_eq!(done, wished.map(|step| format!("{number} {step}")));
    drop(client);
    house.stop().await;
}
