//! SMS by an HTTP gateway.

use std::sync::Arc;
use std::time::Duration;

use fenliu::channel::gateway::{Body, Encoding, Gateway, Options, Reading, Success};
use fenliu::channel::{Channel, Incoming, Outcome};
use fenliu::domain::Instant;
use serde_json::{Value as Json, json};

use super::certificate;
use super::stub::{Say, Stub};
use super::{accepted, later, letter, never, run, unknown};

const TO: &str = "13800000072";

pub(super) fn options(base: &str) -> Options {
    Options {
        url: format!("{base}/sms/send?app={{key}}"),
        method: "POST".to_owned(),
        headers: [("X-Signature".to_owned(), "{signature}".to_owned())].into(),
        body_kind: Body::Json,
        body: r#"{"to": "{address}", "text": "{text}", "ref": "{id}", "time": "{time_ms}"}"#
            .to_owned(),
        key: "office".to_owned(),
        secret: "s3cret".to_owned(),
        sign: "{key}{time_ms}{body_sha256}".to_owned(),
        encoding: Encoding::Hex,
        success: Success {
            pointer: "/code".to_owned(),
            accepted: vec!["0".to_owned()],
            never: vec!["1004".to_owned()],
            reference: "/data/0/sid".to_owned(),
            reason: "/message".to_owned(),
            ..Success::default()
        },
        reading: Reading {
            reference: "/sid".to_owned(),
            state: "/state".to_owned(),
            delivered: vec!["DELIVRD".to_owned()],
            from: "/mobile".to_owned(),
            text: "/content".to_owned(),
            ..Reading::default()
        },
        allow_clear_text: false,
        test_url: String::new(),
        roots: Vec::new(),
        time: Duration::from_secs(10),
    }
}

fn gateway(options: Options) -> Gateway {
    Gateway::new(options, Arc::new(|| Instant(1_530_493_800_123))).unwrap()
}

async fn bench() -> (Stub, Gateway) {
    let stub = Stub::start(None).await;
    let gateway = gateway(options(&format!("http://127.0.0.1:{}", stub.port)));
    (stub, gateway)
}

#[test]
fn a_text_is_posted_signed_and_known_by_the_providers_name_for_it() {
    run(async {
        let (stub, gateway) = bench().await;
        stub.say(Say::body(r#"{"code": 0, "data": [{"sid": "s-77"}]}"#));
        assert_eq!(accepted(gateway.send(&letter(42, TO)).await).as_deref(), Some("s-77"));
        let asked = stub.asked_once();
        assert_eq!(
            (asked.method.as_str(), asked.target.as_str()),
            ("POST", "/sms/send?app=office")
        );
        assert_eq!(asked.headers["content-type"], "application/json; charset=utf-8");
        let body: Json = serde_json::from_str(&asked.body).unwrap();
        let text = letter(42, TO).text;
        assert_eq!(body, json!({"to": TO, "text": text, "ref": "42", "time": "1530493800123"}));
        assert_eq!(asked.headers["x-signature"].len(), 64);
    });
}

#[test]
fn answers_of_the_gateway_mean_what_the_settings_say() {
    run(async {
        let (stub, gateway) = bench().await;
        let send = async |say: Say| {
            stub.say(say);
            gateway.send(&letter(1, TO)).await
        };
        let black = r#"{"code": 1004, "message": "13800000072 is on the black list"}"#;
        let why = never(send(Say::body(black)).await);
        assert_eq!(why, "the gateway answered 200 1004: <number> is on the black list");
        later(send(Say::body(r#"{"code": 7}"#)).await);
        unknown(send(Say::status(500)).await);
        unknown(send(Say::status(503)).await);
        later(send(Say::status(401)).await);
        unknown(send(Say::status(504)).await);
        unknown(send(Say::body("<html>ok</html>")).await);
        unknown(send(Say::Cut).await);
        unknown(send(Say::Endless).await);
        let moved = vec![("Location", format!("http://127.0.0.1:{}/other", stub.port))];
        later(send(Say::Answer(302, moved, String::new())).await);
        assert!(stub.asked().iter().all(|asked| asked.target.starts_with("/sms/send")));
    });
}

// Check 33.
#[test]
fn silence_is_judged_by_how_far_the_request_had_come() {
    run(async {
        let stub = Stub::start(None).await;
        let wish = Options {
            time: Duration::from_secs(2),
            ..options(&format!("http://127.0.0.1:{}", stub.port))
        };
        let gateway = gateway(wish);
        stub.say(Say::Nothing);
        unknown(gateway.send(&letter(1, TO)).await);
        stub.stop().await;
        later(gateway.send(&letter(1, TO)).await);
        later(gateway.test().await);
    });
}

// Check 38.
#[test]
fn the_gateways_certificate_is_checked() {
    run(async {
        let certificate = certificate::signed();
        let stub = Stub::start(Some(&certificate)).await;
        let base = format!("https://localhost:{}", stub.port);
        let strange = gateway(options(&base));
        let why = later(strange.send(&letter(1, TO)).await);
        assert!(why.contains("certificate"), "{why}");
        assert!(stub.asked().is_empty());
        let wish = Options { roots: certificate.root.into_bytes(), ..options(&base) };
        stub.say(Say::body(r#"{"code": 0}"#));
        accepted(gateway(wish).send(&letter(1, TO)).await);
    });
}

#[test]
fn a_self_test_tells_nobody_anything() {
    run(async {
        let (stub, gateway) = bench().await;
        stub.say(Say::status(404));
        assert_eq!(gateway.test().await, Outcome::ACCEPTED, "it answers at all");
        let asked = stub.asked_once();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("HEAD", "/"));
        let base = format!("http://127.0.0.1:{}", stub.port);
        let wish = Options { test_url: format!("{base}/balance"), ..options(&base) };
        let gateway = self::gateway(wish);
        stub.say(Say::status(401));
        later(gateway.test().await);
        assert_eq!(gateway.test().await, Outcome::ACCEPTED);
        assert!(stub.asked().iter().all(|asked| asked.target == "/balance"));
    });
}

#[test]
fn what_the_provider_posts_is_read() {
    run(async {
        let (_stub, gateway) = bench().await;
        let body = r#"[{"sid": "s-1", "state": "DELIVRD"}, {"mobile": "13800000072", "content": "1 00000007"}]"#;
        let receipt = Incoming::Receipt {
            reference: "s-1".to_owned(),
            delivered: true,
            why: "DELIVRD".to_owned(),
        };
        let reply = Incoming::Reply { from: TO.to_owned(), text: "1 00000007".to_owned() };
        assert_eq!(gateway.receive(body.as_bytes()), Ok(vec![receipt, reply]));
        assert!(gateway.receive(b"nonsense").is_err());
    });
}
