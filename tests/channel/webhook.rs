//! Webhooks and robots.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fenliu::channel::webhook::{Hosts, Lookup, Options, Reach, Webhook};
use fenliu::channel::{Channel, Form, Hook, Letter};
use fenliu::domain::Instant;
use futures_util::FutureExt;
use serde_json::{Value as Json, json};

use super::certificate;
use super::stub::{Say, Stub};
use super::{accepted, later, letter, never, run, unknown};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn options() -> Options {
    Options {
        allow_http: true,
        allow_private: true,
        hosts: Hosts::default(),
        roots: Vec::new(),
        time: Duration::from_secs(10),
        lookup: Reach::system(),
    }
}

fn webhook(options: Options) -> Webhook {
    Webhook::new(options, Arc::new(|| Instant(1_614_265_330_000))).unwrap()
}

fn hook(form: Form, secret: &str, address: &str) -> Letter {
    let hook = Some(Hook { form, secret: secret.to_owned() });
    Letter { hook, ..letter(42, address) }
}

fn standard(stub: &Stub) -> Letter {
    let address = format!("http://127.0.0.1:{}/hook?unit=huanbao", stub.port);
    let text = r#"{"type":"referral.routed","number":"00000007","place":"𠮷野街道"}"#.to_owned();
    Letter { text, ..hook(Form::Standard, SECRET, &address) }
}

/// A name service that gives these answers, one at each asking, the last one again and again.
fn names(answers: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
    let parse = |one: &&[&str]| one.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>();
    let answers: Vec<Vec<IpAddr>> = answers.iter().map(parse).collect();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let lookup: Lookup = Arc::new(move |_name| {
        let at = count.fetch_add(1, Ordering::SeqCst);
        let answer = answers[at.min(answers.len() - 1)].clone();
        async move { Ok(answer) }.boxed()
    });
    (lookup, asked)
}

#[test]
fn a_webhook_can_be_verified_by_its_receiver() {
    run(async {
        let stub = Stub::start(None).await;
        let letter = standard(&stub);
        accepted(webhook(options()).send(&letter).await);
        let asked = stub.asked_once();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/hook?unit=huanbao"));
        assert_eq!(asked.body, letter.text);
        assert_eq!(asked.headers["webhook-id"], "msg_42");
        assert_eq!(asked.headers["webhook-timestamp"], "1614265330");
        let signed = format!("msg_42.1614265330.{}", asked.body);
        assert_eq!(asked.headers["webhook-signature"], format!("v1,{}", hmac(SECRET, &signed)));
        assert_eq!(asked.headers["content-type"], "application/json; charset=utf-8");
    });
}

/// By OpenSSL's own hand, so that our code is not its own judge.
fn hmac(secret: &str, text: &str) -> String {
    use std::io::Write;
    let script = "const c=require('crypto');const t=require('fs').readFileSync(0);\
        process.stdout.write(c.createHmac('sha256',Buffer.from(process.argv[1].slice(6),'base64'))\
        .update(t).digest('base64'))";
    let mut node = std::process::Command::new("node")
        .args(["-e", script, secret])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("node cannot be started: `make setup-test`");
    node.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(node.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn answers_of_receivers_mean_what_they_say() {
    run(async {
        let stub = Stub::start(None).await;
        let webhook = webhook(options());
        let send = async |say: Say| {
            stub.say(say);
            webhook.send(&standard(&stub)).await
        };
        accepted(send(Say::status(204)).await);
        never(send(Say::status(410)).await);
        for status in [400, 404, 429] {
            later(send(Say::status(status)).await);
        }
        // It may have taken it before it broke.
        for status in [500, 502, 503] {
            unknown(send(Say::status(status)).await);
        }
        unknown(send(Say::Cut).await);
        assert_eq!(stub.asked().len(), 9);
        let moved = vec![("Location", format!("http://127.0.0.1:{}/other", stub.port))];
        later(send(Say::Answer(307, moved, String::new())).await);
        assert_eq!(stub.asked_once().target, "/hook?unit=huanbao", "redirects are not followed");
    });
}

// Check 33.
#[test]
fn silence_is_judged_by_how_far_the_request_had_come() {
    run(async {
        let stub = Stub::start(None).await;
        let webhook = webhook(Options { time: Duration::from_secs(2), ..options() });
        stub.say(Say::Nothing);
        unknown(webhook.send(&standard(&stub)).await);
        let letter = standard(&stub);
        stub.stop().await;
        later(webhook.send(&letter).await);
    });
}

#[test]
fn a_receiver_that_asks_for_patience_gets_it() {
    run(async {
        let (stub, other) = (Stub::start(None).await, Stub::start(None).await);
        let webhook = webhook(options());
        let header = vec![("Retry-After", "120".to_owned())];
        stub.say(Say::Answer(503, header, String::new()));
        later(webhook.send(&standard(&stub)).await);
        let why = later(webhook.send(&standard(&stub)).await);
        assert_eq!(why, "the receiver asked for patience: 120 s more");
        assert_eq!(stub.asked().len(), 1);
        accepted(webhook.send(&standard(&other)).await);
    });
}

// Check 31.
#[test]
fn nobody_outside_can_make_the_house_knock_at_its_own_doors() {
    run(async {
        let stub = Stub::start(None).await;
        let (inside, _) = names(&[&["127.0.0.1", "10.0.0.7"]]);
        let strict = Options { allow_private: false, lookup: inside, ..options() };
        let strict = webhook(strict);
        for host in ["127.0.0.1", "localhost", "[::1]", "unit.example", "169.254.169.254"] {
            let address = format!("http://{host}:{}/", stub.port);
            let why = never(strict.send(&hook(Form::Standard, SECRET, &address)).await);
            assert!(why.contains("leads into a network"), "{host}: {why}");
        }
        let encrypted_only = webhook(Options { allow_http: false, ..options() });
        never(encrypted_only.send(&standard(&stub)).await);
        let kind = webhook(options());
        never(kind.send(&hook(Form::Standard, SECRET, "http://169.254.169.254/")).await);
        assert!(stub.asked().is_empty());
    });
}

// Check 31.
#[test]
fn nothing_is_sent_to_a_host_that_the_office_does_not_name() {
    run(async {
        let stub = Stub::start(None).await;
        let named = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            webhook(Options { hosts: Hosts::new(&names).unwrap(), ..options() })
        };
        // It was subscribed before the office named its hosts.
        let elsewhere = named(&["hooks.example.org", "*.units.example"]);
        let why = never(elsewhere.send(&standard(&stub)).await);
        assert!(why.contains("channel.webhook.hosts"), "{why}");
        assert!(stub.asked().is_empty());
        accepted(named(&["127.0.0.1"]).send(&standard(&stub)).await);
        assert_eq!(stub.asked().len(), 1);
    });
}

// Check 31.
#[test]
fn the_address_that_was_checked_is_the_one_connected_to() {
    run(async {
        let stub = Stub::start(None).await;
        // Public when it is checked; a second look would lead into the house.
        let (turning, asked) = names(&[&["192.0.2.1", "1.1.1.1"], &["127.0.0.1"]]);
        let time = Duration::from_secs(1);
        let strict = webhook(Options { allow_private: false, lookup: turning, time, ..options() });
        let address = format!("http://unit.example:{}/", stub.port);
        let outcome = strict.send(&hook(Form::Standard, SECRET, &address)).await;
        assert_ne!(outcome, fenliu::channel::Outcome::ACCEPTED);
        assert_eq!(asked.load(Ordering::SeqCst), 1, "names are looked up once");
        assert!(stub.asked().is_empty());
    });
}

// Check 38.
#[test]
fn https_receivers_are_known_by_their_certificates() {
    run(async {
        let certificate = certificate::signed();
        let stub = Stub::start(Some(&certificate)).await;
        let address = format!("https://localhost:{}/hook", stub.port);
        let letter = hook(Form::Standard, SECRET, &address);
        let why = later(webhook(options()).send(&letter).await);
        assert!(why.contains("certificate"), "{why}");
        let roots = certificate.root.into_bytes();
        accepted(webhook(Options { allow_http: false, roots, ..options() }).send(&letter).await);
    });
}

#[test]
fn a_robot_of_wecom_gets_the_text_and_its_answer_is_judged() {
    run(async {
        let stub = Stub::start(None).await;
        let webhook = webhook(options());
        let address = format!("http://127.0.0.1:{}/cgi-bin/webhook/send?key=token", stub.port);
        let letter = hook(Form::Wecom, "", &address);
        stub.say(Say::body(r#"{"errcode":0,"errmsg":"ok"}"#));
        accepted(webhook.send(&letter).await);
        let body: Json = serde_json::from_str(&stub.asked_once().body).unwrap();
        let content = format!("{}\n{}", letter.subject, letter.text);
        assert_eq!(body, json!({"msgtype": "text", "text": {"content": content}}));
        for (said, permanent) in [(45009, false), (93000, true), (40001, false)] {
            stub.say(Say::body(&format!(r#"{{"errcode":{said},"errmsg":"no"}}"#)));
            let outcome = webhook.send(&letter).await;
            let why = if permanent { never(outcome) } else { later(outcome) };
            assert_eq!(why, format!("the robot said {said}: no"));
        }
        stub.say(Say::body("<html>"));
        unknown(webhook.send(&letter).await);
        stub.say(Say::status(500));
        unknown(webhook.send(&letter).await);
    });
}

#[test]
fn a_robot_of_dingtalk_is_signed_for_in_the_address() {
    run(async {
        let stub = Stub::start(None).await;
        let webhook = webhook(options());
        let address = format!("http://127.0.0.1:{}/robot/send?access_token=token", stub.port);
        let letter = hook(Form::Dingtalk, "SECabc", &address);
        stub.say(Say::body(r#"{"errcode":0,"errmsg":"ok"}"#));
        accepted(webhook.send(&letter).await);
        let target = stub.asked_once().target;
        let secret = "whsec_U0VDYWJj"; // the same bytes, in base64
        let sign = hmac(secret, "1614265330000\nSECabc");
        let sign = sign.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let wanted = format!("/robot/send?access_token=token&timestamp=1614265330000&sign={sign}");
        assert_eq!(target, wanted);
        stub.say(Say::body(r#"{"errcode":310000,"errmsg":"sign not match"}"#));
        later(webhook.send(&letter).await);
        stub.say(Say::body(r#"{"errcode":400101,"errmsg":"token is not exist"}"#));
        assert!(matches!(
            webhook.send(&letter).await,
            fenliu::channel::Outcome::Refused { permanent: true, .. }
        ));
    });
}

#[test]
fn a_webhook_without_a_secret_is_not_posted() {
    run(async {
        let stub = Stub::start(None).await;
        let webhook = webhook(options());
        never(webhook.send(&Letter { hook: None, ..standard(&stub) }).await);
        let address = format!("http://127.0.0.1:{}/", stub.port);
        never(webhook.send(&hook(Form::Standard, "plain words", &address)).await);
        assert!(stub.asked().is_empty());
    });
}
