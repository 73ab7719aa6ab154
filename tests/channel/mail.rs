//! Mail, against `smtp-server`; what arrives is read by a mail reader that is not ours either.

use std::time::Duration;

use fenliu::channel::smtp::{Options, Security, Smtp};
use fenliu::channel::{Channel, Letter};
use serde_json::{Value as Json, json};

use super::certificate::{self, Certificate};
use super::peer::Peer;
use super::{NAME, accepted, later, letter, never, run, unknown};

const TO: &str = "wang@example.org";

pub(super) fn options(port: u16) -> Options {
    Options {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        allow_clear_text: false,
        user: String::new(),
        password: String::new(),
        from: "城口县分流平台 <alert@fenliu.example>".to_owned(),
        hello: "fenliu.example".to_owned(),
        roots: Vec::new(),
        time: Duration::from_secs(20),
        idle: 4,
    }
}

async fn server(settings: Json) -> (Peer, Smtp) {
    let peer = Peer::start("smtp.mjs", &settings).await;
    let smtp = Smtp::new(options(peer.port)).unwrap();
    (peer, smtp)
}

fn with_tls(certificate: &Certificate, secure: bool) -> Json {
    let Certificate { shown, key, .. } = certificate;
    json!({"secure": secure, "key": key, "cert": shown, "user": "分流", "password": "密码 pa$$"})
}

fn protected(port: u16, security: Security, root: &str) -> Options {
    Options {
        host: "localhost".to_owned(),
        security,
        user: "分流".to_owned(),
        password: "密码 pa$$".to_owned(),
        roots: root.as_bytes().to_vec(),
        ..options(port)
    }
}

// Check 23.
#[test]
fn a_mail_arrives_with_every_character_of_subject_names_and_text() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        let html = "<p>请于<b>17:30</b>前签收。𠮷</p>".to_owned();
        let letter = Letter {
            html: Some(html.clone()),
            thread: Some("chengkou.00000007".to_owned()),
            urgent: true,
            ..letter(42, TO)
        };
        let reference = accepted(smtp.send(&letter).await).unwrap();
        peer.expect("connect").await;
        let mail = peer.expect("mail").await;
        assert!(reference.starts_with('Q') && reference.len() > 5, "{reference}");
        assert_eq!(mail["subject"], letter.subject);
        assert_eq!(
            mail["from"],
            json!({"address": "alert@fenliu.example", "name": "城口县分流平台"})
        );
        assert_eq!(mail["to"], json!([{"address": TO, "name": NAME}]));
        assert_eq!(mail["envelope"], json!({"from": "alert@fenliu.example", "to": [TO]}));
        assert_eq!((&mail["cc"], &mail["bcc"]), (&Json::Null, &Json::Null));
        assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), letter.text);
        assert_eq!(mail["html"].as_str().unwrap().trim_end(), html);
        let headers = &mail["headers"];
        assert_eq!(headers["message-id"], "<message.42@fenliu.example>");
        assert_eq!(headers["references"], "<thread.chengkou.00000007@fenliu.example>");
        assert_eq!(headers["in-reply-to"], headers["references"]);
        assert_eq!(headers["auto-submitted"], "auto-generated");
        assert_eq!(headers["x-priority"], "1");
        assert_eq!(mail["hello"], "fenliu.example");
        assert_eq!(mail["ascii"], true, "old servers take it too");
    });
}

#[test]
fn lines_that_begin_with_a_dot_arrive_as_they_are() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        let text = ".\n..\n.a\nb.\n.\nend";
        accepted(smtp.send(&Letter { text: text.to_owned(), ..letter(1, TO) }).await);
        peer.expect("connect").await;
        let mail = peer.expect("mail").await;
        assert_eq!(mail["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), text);
    });
}

#[test]
fn one_line_carries_many_letters_and_a_dead_one_is_replaced() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        for id in 1..=3 {
            accepted(smtp.send(&letter(id, TO)).await);
        }
        peer.expect("connect").await;
        for id in 1..=3 {
            let mail = peer.expect("mail").await;
            assert_eq!(mail["headers"]["message-id"], format!("<message.{id}@fenliu.example>"));
        }
        peer.tell(&json!({"step": "hang up"})).await;
        accepted(smtp.send(&letter(4, TO)).await);
        peer.expect("connect").await;
        peer.expect("mail").await;
        smtp.close().await;
    });
}

// Check 38.
#[test]
fn starttls_and_tls_protect_the_login() {
    run(async {
        let certificate = certificate::signed();
        for (security, secure) in [(Security::StartTls, false), (Security::Tls, true)] {
            let mut peer = Peer::start("smtp.mjs", &with_tls(&certificate, secure)).await;
            let smtp = Smtp::new(protected(peer.port, security, &certificate.root)).unwrap();
            accepted(smtp.send(&letter(1, TO)).await);
            peer.expect("connect").await;
            let auth = peer.expect("auth").await;
            assert_eq!((&auth["right"], &auth["secure"]), (&json!(true), &json!(true)), "{auth}");
            let mail = peer.expect("mail").await;
            assert_eq!((&mail["user"], &mail["secure"]), (&json!("分流"), &json!(true)));
            assert_eq!(smtp.test().await, fenliu::channel::Outcome::ACCEPTED);
            peer.expect("connect").await;
            peer.expect("auth").await;
            assert!(peer.unread("mail").is_empty(), "a test tells nobody anything");
        }
    });
}

// Check 38.
#[test]
fn a_server_that_cannot_be_trusted_gets_no_password() {
    run(async {
        let known = certificate::signed();
        let mut peer = Peer::start("smtp.mjs", &with_tls(&known, false)).await;
        let stranger = certificate::signed();
        let smtp = Smtp::new(protected(peer.port, Security::StartTls, &stranger.root)).unwrap();
        let why = later(smtp.send(&letter(1, TO)).await);
        assert!(why.contains("certificate"), "{why}");
        peer.expect("connect").await;

        let own = certificate::authority_as_server();
        let mut second = Peer::start("smtp.mjs", &with_tls(&own, false)).await;
        let smtp = Smtp::new(protected(second.port, Security::StartTls, &own.root)).unwrap();
        let why = later(smtp.send(&letter(1, TO)).await);
        assert!(why.contains("CaUsedAsEndEntity"), "{why}");

        let bare = json!({"user": "分流", "password": "密码 pa$$"});
        let mut third = Peer::start("smtp.mjs", &bare).await;
        let smtp = Smtp::new(protected(third.port, Security::StartTls, &own.root)).unwrap();
        let why = later(smtp.send(&letter(1, TO)).await);
        assert!(why.contains("STARTTLS"), "{why}");
        for peer in [&mut peer, &mut second, &mut third] {
            assert!(peer.unread("auth").is_empty());
        }
    });
}

#[test]
fn a_wrong_password_is_the_houses_fault_and_passes() {
    run(async {
        let certificate = certificate::signed();
        let peer = Peer::start("smtp.mjs", &with_tls(&certificate, false)).await;
        let mut wish = protected(peer.port, Security::StartTls, &certificate.root);
        wish.password = "s3cret".to_owned();
        let smtp = Smtp::new(wish).unwrap();
        for outcome in [smtp.send(&letter(1, TO)).await, smtp.test().await] {
            let why = later(outcome);
            assert!(why.contains("535"), "{why}");
        }
    });
}

#[test]
fn refusals_mean_what_they_say() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        let said = |step: &str, code: u16| json!({"step": step, "code": code, "text": "5.1.1 <wang@example.org> 13800000072 no"});
        for (step, code) in
            [("rcpt", 451), ("data", 452), ("mail", 550), ("mail", 530), ("rcpt", 530)]
        {
            peer.tell(&said(step, code)).await;
            let why = later(smtp.send(&letter(1, TO)).await);
            assert!(why.contains(&code.to_string()), "{step}: {why}");
        }
        for (step, code) in [("rcpt", 550), ("rcpt", 501), ("data", 554)] {
            peer.tell(&said(step, code)).await;
            let why = never(smtp.send(&letter(1, TO)).await);
            assert!(why.contains(&code.to_string()), "{step}: {why}");
        }
        peer.tell(&said("connect", 554)).await;
        smtp.close().await;
        later(smtp.send(&letter(1, TO)).await);
        // The line that was refused something is good for the next letter.
        accepted(smtp.send(&letter(2, TO)).await);
        peer.wait_for("mail").await;
        assert!(peer.unread("mail").is_empty());
    });
}

#[test]
fn a_greylisted_mail_is_taken_at_the_next_attempt_under_the_same_id() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        peer.tell(&json!({"step": "rcpt", "code": 451, "text": "4.7.1 greylisted, come again"}))
            .await;
        let why = later(smtp.send(&letter(9, TO)).await);
        assert_eq!(why, "the recipient was refused: 451 4.7.1 greylisted, come again");
        accepted(smtp.send(&Letter { attempt: 2, ..letter(9, TO) }).await);
        let mail = peer.wait_for("mail").await;
        assert_eq!(mail["headers"]["message-id"], "<message.9@fenliu.example>");
    });
}

// Check 33.
#[test]
fn silence_is_judged_by_how_far_the_mail_had_come() {
    run(async {
        let mut peer = Peer::start("smtp.mjs", &json!({})).await;
        let wish = Options { time: Duration::from_secs(2), ..options(peer.port) };
        let smtp = Smtp::new(wish).unwrap();
        for step in ["connect", "mail", "rcpt"] {
            peer.tell(&json!({"step": step, "hang": true})).await;
            later(smtp.send(&letter(1, TO)).await);
        }
        peer.tell(&json!({"step": "data", "hang": true})).await;
        unknown(smtp.send(&letter(1, TO)).await);
        for step in ["mail", "rcpt"] {
            peer.tell(&json!({"step": step, "drop": true})).await;
            later(smtp.send(&letter(1, TO)).await);
        }
        peer.tell(&json!({"step": "data", "drop": true})).await;
        unknown(smtp.send(&letter(1, TO)).await);
        peer.tell(&json!({"step": "data", "drop": true, "early": true})).await;
        let long = Letter { text: "很长。".repeat(100_000), ..letter(1, TO) };
        unknown(smtp.send(&long).await);
        assert!(peer.unread("mail").is_empty());
    });
}

#[test]
fn nobody_at_the_other_end_passes() {
    run(async {
        let (peer, smtp) = server(json!({})).await;
        drop(peer);
        later(smtp.send(&letter(1, TO)).await);
        later(smtp.test().await);
    });
}

#[test]
fn an_address_that_is_none_is_not_tried() {
    run(async {
        let (mut peer, smtp) = server(json!({})).await;
        for address in ["", "13800000072", "a@example.org,b@example.org", "a@example.org>\r\nDATA"]
        {
            never(smtp.send(&letter(1, address)).await);
        }
        assert!(peer.unread("connect").is_empty());
    });
}
