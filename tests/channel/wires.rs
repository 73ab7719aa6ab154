//! Lines to other machines: protected and known by their certificates, or not opened at all unless the
//! settings say so.

use std::sync::Arc;

use fenliu::channel::gateway::{self, Gateway};
use fenliu::channel::smpp::{self, Smpp};
use fenliu::channel::smtp::{self, Smtp};
use fenliu::channel::webhook::{self, Reach, Webhook};
use fenliu::channel::{Channel, Outcome, Setup};
use fenliu::domain::{Instant, Wire};
use serde_json::json;
use tokio::sync::mpsc::channel;

use super::certificate::{self, Certificate};
use super::peer::Peer;
use super::{accepted, centre, later, mail, run};

fn protected(port: u16, root: &str) -> smpp::Options {
    smpp::Options {
        host: "localhost".to_owned(),
        tls: true,
        roots: root.as_bytes().to_vec(),
        ..centre::options(port)
    }
}

async fn centre_with(certificate: &Certificate) -> Peer {
    let Certificate { shown, key, .. } = certificate;
    let settings = json!({ "systemId": "fenliu", "password": "s3cret", "key": key, "cert": shown });
    Peer::start("smsc.mjs", &settings).await
}

// Check 38.
#[test]
fn an_sms_centre_is_spoken_to_by_tls_when_its_certificate_is_known() {
    run(async {
        let certificate = certificate::signed();
        let mut peer = centre_with(&certificate).await;
        let (inbox, mut arrivals) = channel(8);
        let smpp = Smpp::start(protected(peer.port, &certificate.root), inbox).unwrap();
        assert_eq!(smpp.wire(), Wire::Verified);
        let text = "很长的短信，分几条发出。".repeat(20);
        accepted(smpp.send(&centre::sms(&text)).await);
        let bind = peer.wait_for("bind").await;
        assert_eq!(bind["right"], true, "{bind}");
        assert_eq!(smpp.test().await, Outcome::ACCEPTED);
        let hex = "8bc46536"; // 评收
        peer.tell(&json!({ "deed": "deliver", "from": "13800000072", "hex": hex, "coding": 8 }))
            .await;
        assert!(arrivals.recv().await.is_some(), "what the centre tells comes in by it, too");
        smpp.close().await;
    });
}

// Check 38.
#[test]
fn an_sms_centre_that_cannot_be_trusted_gets_no_password() {
    run(async {
        let (known, stranger) = (certificate::signed(), certificate::signed());
        let other_name =
            |port| smpp::Options { host: "127.0.0.1".to_owned(), ..protected(port, &known.root) };
        let mut peer = centre_with(&known).await;
        for wish in [protected(peer.port, &stranger.root), other_name(peer.port)] {
            let smpp = Smpp::start(wish, channel(8).0).unwrap();
            let why = later(smpp.send(&centre::sms("签收")).await);
            assert!(why.contains("TLS") && why.contains("certificate"), "{why}");
            smpp.close().await;
        }
        // One that speaks no TLS gets none either.
        let bare = json!({ "systemId": "fenliu", "password": "s3cret" });
        let mut second = Peer::start("smsc.mjs", &bare).await;
        let smpp = Smpp::start(protected(second.port, &known.root), channel(8).0).unwrap();
        later(smpp.send(&centre::sms("签收")).await);
        smpp.close().await;
        for peer in [&mut peer, &mut second] {
            assert!(peer.unread("bind").is_empty());
        }
    });
}

/// Each channel to another machine without TLS, which the settings allow or not. Nothing is connected
/// to there: the address is one of those for examples.
fn in_clear_text(allowed: bool) -> Vec<(&'static str, Result<Wire, Setup>)> {
    let host = "192.0.2.1".to_owned();
    let now: fenliu::channel::Now = Arc::new(|| Instant(0));
    let mail = smtp::Options { host: host.clone(), allow_clear_text: allowed, ..mail::options(25) };
    let sms = smpp::Options { host, allow_clear_text: allowed, ..centre::options(2775) };
    let posted = |url: &str, test_url: &str| gateway::Options {
        allow_clear_text: allowed,
        test_url: test_url.to_owned(),
        ..super::gateway::options(url)
    };
    let of = |posted| Gateway::new(posted, Arc::clone(&now)).map(|made| made.wire());
    vec![
        ("security", Smtp::new(mail).map(|made| made.wire())),
        ("security", Smpp::start(sms, channel(8).0).map(|made| made.wire())),
        ("url", of(posted("http://sms.example", ""))),
        ("test_url", of(posted("https://sms.example", "http://sms.example/balance"))),
    ]
}

// Check 38.
#[test]
fn no_channel_speaks_to_another_machine_in_clear_text_unless_it_is_told_so() {
    run(async {
        for (key, made) in in_clear_text(false) {
            let refused = made.unwrap_err();
            assert_eq!(refused.key, key);
            assert!(refused.why.contains("allow_clear_text = true"), "{refused}");
        }
        for (key, made) in in_clear_text(true) {
            assert_eq!(made.unwrap(), Wire::Clear, "{key}: and it shows");
        }
        for (allow_http, wire) in [(false, Wire::Verified), (true, Wire::Clear)] {
            let options = webhook::Options {
                allow_http,
                allow_private: false,
                hosts: webhook::Hosts::default(),
                roots: Vec::new(),
                time: std::time::Duration::from_secs(1),
                lookup: Reach::system(),
            };
            let made = Webhook::new(options, Arc::new(|| Instant(0))).unwrap();
            assert_eq!(made.wire(), wire);
        }
    });
}
