//! A provider's HTTP gateway: it takes our SMS and posts receipts and replies, if it proves who it is.

use std::sync::{Arc, Mutex};

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::house::{House, read};

const PHONE: &str = "13800000072";

/// Takes every SMS and calls it `sms-1`, `sms-2` …; remembers what it was given.
struct Provider {
    port: u16,
    taken: Arc<Mutex<Vec<Json>>>,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken: Arc<Mutex<Vec<Json>>> = Arc::default();
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    let (head, length) = loop {
                        let mut piece = [0; 4096];
                        let Ok(count @ 1..) = stream.read(&mut piece).await else { return };
                        read.extend_from_slice(&piece[..count]);
                        let text = String::from_utf8_lossy(&read).into_owned();
                        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
                        let length = head.lines().find_map(|line| {
                            let (name, value) = line.split_once(": ")?;
                            let ours = name.eq_ignore_ascii_case("content-length");
                            ours.then(|| value.parse::<usize>().ok())?
                        });
                        let (head, length) = (head.len() + 4, length.unwrap_or(0));
                        if read.len() >= head + length {
                            break (head, length);
                        }
                    };
                    let body = if length == 0 {
                        // A self-test.
                        String::new()
                    } else {
                        let sms: Json = serde_json::from_slice(&read[head..]).unwrap();
                        let mut kept = kept.lock().unwrap();
                        kept.push(sms);
                        json!({ "code": 0, "sid": format!("sms-{}", kept.len()) }).to_string()
                    };
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                    );
                    drop(stream.write_all(answer.as_bytes()).await);
                });
            }
        });
        Self { port, taken }
    }

    /// What it calls the newest SMS to a number, and its text.
    fn newest(&self, phone: &str) -> Option<(String, String)> {
        let taken = self.taken.lock().unwrap();
        let found = taken.iter().rposition(|sms| sms["mobile"] == phone)?;
        Some((format!("sms-{}", found + 1), taken[found]["content"].as_str().unwrap().to_owned()))
    }
}

fn settings(port: u16, posting: &str) -> String {
    format!(
        "[channel.sms]\nkind = \"gateway\"\n[channel.sms.gateway]\n\
         url = \"http://127.0.0.1:{port}/send\"\n\
         [channel.sms.gateway.success]\npointer = \"/code\"\naccepted = [\"0\"]\nreference = \"/sid\"\n\
         [channel.sms.gateway.reading]\nlist = \"/list\"\nreference = \"/sid\"\nstate = \"/state\"\n\
         delivered = [\"DELIVRD\"]\nfrom = \"/mobile\"\ntext = \"/text\"\n\
         [channel.sms.gateway.posting]\n{posting}"
    )
}

/// A house with a matter that the liaison of the environment bureau was told of by SMS.
async fn told(posting: &str) -> (House, Provider, String, String) {
    let provider = Provider::start().await;
    let house = House::start(&settings(provider.port, posting));
    let (person, token) = house.somebody("huanbao.liaison").await;
    house.call_at(&person, PHONE).await;
    let id = house.routed("huanbao").await;
    for _ in 0..600 {
        if provider.newest(PHONE).is_some() {
            return (house, provider, id, token);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("no SMS came");
}

fn entries(entries: &Json) -> String {
    json!({ "list": entries }).to_string()
}

async fn post(house: &House, proof: (&str, &str), body: &str) -> (u16, String) {
    let request = house.ask("", Method::POST, "/in/sms");
    read(request.header(proof.0, proof.1).body(body.to_owned())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_and_a_reply_that_the_gateway_posts_stand_on_the_matter() {
    let (house, provider, id, token) = told("secret = \"s3cret\"\nanswer = \"SUCCESS\"\n").await;
    let (name, text) = provider.newest(PHONE).unwrap();
    assert!(text.contains("回1 ") && text.contains("，回2 "), "replies are invited: {text}");
    let receipt = entries(&json!([{ "sid": name, "state": "DELIVRD" }]));
    let proof = ("X-Gateway-Secret", "s3cret");
    assert_eq!(post(&house, proof, &receipt).await, (200, "SUCCESS".to_owned()));
    let (_, duty) = house.somebody("yingji.duty").await;
    let messages = format!("/api/v1/referrals/{id}/messages?channel=sms");
    house
        .until(&duty, &messages, |found| {
            found["items"].as_array().unwrap().iter().any(|one| one["state"] == "delivered")
        })
        .await;
    // The liaison answers `2 <number>`: that accepts.
    let number = house.get(&token, &format!("/api/v1/referrals/{id}")).await["number"].clone();
    let reply = json!([{ "mobile": PHONE, "text": format!("1 {}", number.as_str().unwrap()) }]);
    assert_eq!(post(&house, proof, &entries(&reply)).await.0, 200);
    let path = format!("/api/v1/referrals/{id}");
    house.until(&token, &format!("{path}/events"), acknowledged).await;
    // The operator sees it, channel by channel.
    let shown = house.until(&duty, "/api/v1/channels", |shown| {
        shown["items"].as_array().unwrap().iter().any(|one| one["replies"] == 1)
    });
    let shown = shown.await;
    let sms = shown["items"].as_array().unwrap().iter().find(|one| one["name"] == "sms").unwrap();
    assert_eq!((&sms["kind"], &sms["breaker"]), (&json!("gateway"), &json!("closed")));
    assert_eq!((&sms["delivered"], &sms["test"]["works"]), (&json!(1), &json!(true)));
    assert_eq!(sms["wire"], "here");
    let (_, figures) = read(house.ask(&duty, Method::GET, "/metrics")).await;
    for line in [
        "fenliu_channel_delivered_total{channel=\"sms\"} 1",
        "fenliu_channel_replies_total{channel=\"sms\"} 1",
        "fenliu_channel_breaker_open{channel=\"sms\"} 0",
        "fenliu_channel_test_works{channel=\"sms\"} 1",
        "fenliu_channel_clear_text{channel=\"sms\"} 0",
    ] {
        assert!(figures.lines().any(|known| known == line), "{line} is not in\n{figures}");
    }
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_posted_without_the_right_proof_is_not_read_and_guessing_is_slow() {
    let (house, provider, id, token) = told("secret = \"s3cret\"\n").await;
    let reply = entries(&json!([{ "mobile": PHONE, "text": "2" }]));
    let wrong = [("X-Gateway-Secret", ""), ("X-Gateway-Secret", "secret"), ("Other", "s3cret")];
    for proof in wrong {
        assert_eq!(post(&house, proof, &reply).await.0, 401, "{proof:?}");
    }
    let proof = ("X-Gateway-Secret", "s3cret");
    for body in ["", "{", "{\"list\": [{\"sid\": \"x\"}]}", "{\"other\": 1}"] {
        assert_eq!(post(&house, proof, body).await.0, 400, "{body}");
    }
    let long = "x".repeat((256 << 10) + 1);
    assert_eq!(post(&house, proof, &long).await.0, 413);
    let nobody = house.ask("", Method::POST, "/in/email").header(proof.0, proof.1);
    assert_eq!(read(nobody.body(reply.clone())).await.0, 404, "nothing comes in by mail");
    for _ in wrong.len()..20 {
        assert_eq!(post(&house, ("X-Gateway-Secret", "guess"), &reply).await.0, 401);
    }
    assert_eq!(post(&house, proof, &reply).await.0, 429);
    let seen = house.get(&token, &format!("/api/v1/referrals/{id}")).await;
    assert_eq!(seen["status"], "routed", "nothing was done");
    drop(provider);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_may_sign_what_it_posts() {
    let posting = "secret = \"k3y\"\nproof = \"hmac\"\nname = \"X-Signature\"\n";
    let (house, provider, id, token) = told(posting).await;
    let reply = entries(&json!([{ "mobile": PHONE, "text": "１" }]));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"k3y").unwrap();
    mac.update(reply.as_bytes());
    let signed: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let other = entries(&json!([{ "mobile": PHONE, "text": "1" }]));
    assert_eq!(post(&house, ("X-Signature", &signed), &other).await.0, 401, "of another body");
    assert_eq!(post(&house, ("X-Signature", "k3y"), &reply).await.0, 401);
    let (status, answer) = post(&house, ("X-Signature", &signed), &reply).await;
    assert_eq!((status, answer.as_str()), (200, "{\"code\": 0}"));
    let path = format!("/api/v1/referrals/{id}");
    house.until(&token, &format!("{path}/events"), acknowledged).await;
    drop(provider);
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_secret_nothing_is_taken_and_no_reply_is_invited() {
    let (house, provider, _, _) = told("").await;
    let (_, text) = provider.newest(PHONE).unwrap();
    assert!(!text.contains('回'), "{text}");
    let reply = entries(&json!([{ "mobile": PHONE, "text": "1" }]));
    assert_eq!(post(&house, ("X-Gateway-Secret", ""), &reply).await.0, 404);
    house.stop().await;
}

/// Whether the history of the matter says so: `2` would need a proved number.
fn acknowledged(history: &Json) -> bool {
    let events = history["items"].as_array().into_iter().flatten();
    events.into_iter().any(|event| event["kind"] == "acknowledge")
}
