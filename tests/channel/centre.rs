//! SMS by SMPP, against the SMS centre of node's `smpp`.

use std::time::Duration;

use fenliu::channel::smpp::{Bind, Options, Smpp};
use fenliu::channel::{Channel, Incoming, Letter, Outcome};
use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::timeout;

use super::peer::Peer;
use super::{accepted, later, letter, never, run, unknown};

const TO: &str = "13800000072";

pub(super) fn options(port: u16) -> Options {
    Options {
        host: "127.0.0.1".to_owned(),
        port,
        tls: false,
        roots: Vec::new(),
        allow_clear_text: false,
        bind: Bind::Transceiver,
        system_id: "fenliu".to_owned(),
        password: "s3cret".to_owned(),
        system_type: "alerts".to_owned(),
        source: "10690000".to_owned(),
        source_kind: (0, 1),
        recipient_kind: (0, 0),
        window: 10,
        receipts: true,
        wide_reference: false,
        idle: Duration::from_secs(30),
        answer: Duration::from_secs(10),
        pause: Duration::from_millis(200),
        again: Duration::from_millis(100),
        again_max: Duration::from_millis(400),
        time: Duration::from_secs(15),
    }
}

struct Bench {
    peer: Peer,
    smpp: Smpp,
    inbox: Receiver<Incoming>,
}

impl Bench {
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let settings = json!({"systemId": "fenliu", "password": "s3cret"});
        Self::on(Peer::start("smsc.mjs", &settings).await, change).await
    }

    async fn on(peer: Peer, change: impl FnOnce(&mut Options)) -> Self {
        Self::with_room(peer, change, 64).await
    }

    /// With an inbox for so many arrivals.
    async fn with_room(mut peer: Peer, change: impl FnOnce(&mut Options), room: usize) -> Self {
        let mut wish = options(peer.port);
        change(&mut wish);
        let (sender, inbox) = channel(room);
        let smpp = Smpp::start(wish, sender).unwrap();
        peer.expect("connect").await;
        let bind = peer.wait_for("bind").await;
        assert_eq!(bind["right"], true, "{bind}");
        Self { peer, smpp, inbox }
    }

    async fn plan(&mut self, plan: Json) {
        self.peer.tell(&json!({"deed": "plan", "plan": plan})).await;
    }

    async fn deliver(&mut self, mut what: Json) {
        what["deed"] = json!("deliver");
        self.peer.tell(&what).await;
    }

    /// A receipt in the form of most centres: as a text.
    async fn receipt(&mut self, id: &str, stat: &str) {
        let text = format!(
            "id:{id} sub:001 dlvrd:001 submit date:1807020910 done date:1807020911 stat:{stat} err:000 text:"
        );
        let hex = hex(text.as_bytes());
        self.deliver(json!({"from": TO, "hex": hex, "coding": 0, "esm_class": 4})).await;
        self.taken().await;
    }

    /// The centre has seen that what it delivered was taken.
    async fn taken(&mut self) {
        let answer = self.peer.wait_for("answer").await;
        assert_eq!((&answer["command"], &answer["status"]), (&json!("deliver_sm_resp"), &json!(0)));
    }

    async fn incoming(&mut self) -> Incoming {
        timeout(Duration::from_secs(20), self.inbox.recv()).await.expect("nothing came in").unwrap()
    }

    fn nothing_more_came_in(&mut self) {
        assert!(self.inbox.try_recv().is_err());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn ucs2(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

pub(super) fn sms(text: &str) -> Letter {
    Letter { text: text.to_owned(), ..letter(0x0102_0304, TO) }
}

fn receipt(reference: &str, delivered: bool, why: &str) -> Incoming {
    Incoming::Receipt { reference: reference.to_owned(), delivered, why: why.to_owned() }
}

fn reply(text: &str) -> Incoming {
    Incoming::Reply { from: TO.to_owned(), text: text.to_owned() }
}

#[test]
fn a_short_text_is_one_sms_with_every_character() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        let text = "【分流】𠮷野街道：请17:30前签收，编号00000007。";
        assert_eq!(accepted(bench.smpp.send(&sms(text)).await).as_deref(), Some("m1"));
        let seen = bench.peer.expect("submit").await;
        assert_eq!(
            (&seen["text"], &seen["to"], &seen["from"]),
            (&json!(text), &json!(TO), &json!("10690000"))
        );
        assert_eq!((&seen["esm_class"], &seen["data_coding"]), (&json!(0), &json!(8)));
        assert_eq!(seen["registered_delivery"], 1);
        assert_eq!(seen["udh"], Json::Null);
        let abroad = Letter { address: "+86 138-0000-0072".to_owned(), ..sms("x") };
        accepted(bench.smpp.send(&abroad).await);
        let seen = bench.peer.expect("submit").await;
        assert_eq!(
            (&seen["to"], &seen["ton"], &seen["npi"]),
            (&json!("8613800000072"), &json!(1), &json!(1))
        );
        never(
            bench.smpp.send(&Letter { address: "wang@example.org".to_owned(), ..sms("x") }).await,
        );
    });
}

#[test]
fn a_long_text_goes_in_parts_that_come_together_again() {
    run(async {
        for wide in [false, true] {
            let mut bench = Bench::with(|options| options.wide_reference = wide).await;
            let text = "𠮷野街道工地夜间施工。".repeat(15);
            assert_eq!(accepted(bench.smpp.send(&sms(&text)).await).as_deref(), Some("m1"));
            let mut parts = Vec::new();
            for _ in 0..3 {
                let part = bench.peer.expect("submit").await;
                assert_eq!((&part["esm_class"], &part["data_coding"]), (&json!(0x40), &json!(8)));
                let head: Vec<u64> = part["udh"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|byte| byte.as_u64().unwrap())
                    .collect();
                let (number, before) = head.split_last().unwrap();
                let known: &[u64] = if wide { &[8, 4, 3, 4, 3] } else { &[0, 3, 4, 3] };
                assert_eq!(before, known);
                let text = part["text"].as_str().unwrap();
                assert!(1 + head.len() + text.encode_utf16().count() * 2 <= 140, "{part}");
                parts.push((*number, text.to_owned()));
            }
            parts.sort();
            let joined: String = parts.into_iter().map(|(_, text)| text).collect();
            assert_eq!(joined, text);
        }
    });
}

#[test]
fn a_text_that_left_in_part_only_is_unknown_and_one_refused_at_once_is_not() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        let long = sms(&"长".repeat(150));
        bench.plan(json!({"status": 8})).await;
        later(bench.smpp.send(&long).await);
        bench.peer.expect("refused").await;
        bench.plan(json!({"status": 0})).await;
        bench.plan(json!({"status": 11})).await;
        let why = unknown(bench.smpp.send(&long).await);
        assert_eq!(why, "2 of 3 parts were taken: 0x0000000b EsmeRinvdstadr");
    });
}

#[test]
fn a_centre_that_is_throttled_gets_its_pause_and_no_text_stays_half() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        bench.plan(json!({"status": 0x58})).await;
        let why = later(bench.smpp.send(&sms("一")).await);
        assert!(why.contains("EsmeRthrottled"), "{why}");
        bench.peer.expect("refused").await;
        let start = std::time::Instant::now();
        accepted(bench.smpp.send(&sms("二")).await);
        assert!(start.elapsed() >= Duration::from_millis(150), "it did not pause");
        bench.plan(json!({"status": 0})).await;
        bench.plan(json!({"status": 0x58, "times": 3})).await;
        accepted(bench.smpp.send(&sms(&"长".repeat(150))).await);
    });
}

#[test]
fn refusals_of_a_recipient_are_for_good_and_those_of_the_house_pass() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        for status in [0x0B, 0x65, 0x66] {
            bench.plan(json!({"status": status})).await;
            never(bench.smpp.send(&sms("一")).await);
        }
        for status in [0x08, 0x0A, 0x14, 0x45, 0x64, 0x400] {
            bench.plan(json!({"status": status})).await;
            later(bench.smpp.send(&sms("一")).await);
        }
    });
}

#[test]
fn no_more_texts_are_under_way_than_the_window_allows() {
    run(async {
        let settings = json!({"systemId": "fenliu", "password": "s3cret", "delay": 100});
        let peer = Peer::start("smsc.mjs", &settings).await;
        let mut bench = Bench::on(peer, |options| options.window = 4).await;
        let letters: Vec<Letter> = (0..20).map(|number| sms(&number.to_string())).collect();
        for outcome in join_all(letters.iter().map(|letter| bench.smpp.send(letter))).await {
            accepted(outcome);
        }
        let mut seen = bench.peer.tell(&json!({"deed": "busiest"})).await;
        let busiest = seen.pop().unwrap();
        assert_eq!(busiest, json!({"event": "busiest", "busiest": 4}));
        assert_eq!(seen.iter().filter(|event| event["event"] == "submit").count(), 20);
    });
}

#[test]
fn a_line_that_breaks_leaves_the_text_unknown_and_is_opened_again() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        bench.plan(json!({"drop": true})).await;
        let why = unknown(bench.smpp.send(&sms("一")).await);
        assert!(why.contains("before the centre answered"), "{why}");
        assert_eq!(bench.peer.wait_for("bind").await["right"], true);
        accepted_soon(&bench.smpp).await;

        bench.peer.tell(&json!({"deed": "unbind"})).await;
        assert_eq!(bench.peer.wait_for("bind").await["right"], true);
        accepted_soon(&bench.smpp).await;

        bench.peer.tell(&json!({"deed": "drop"})).await;
        assert_eq!(bench.peer.wait_for("bind").await["right"], true);
        accepted_soon(&bench.smpp).await;
    });
}

/// The centre has answered the login already; the channel hears of it at once or a little later.
async fn accepted_soon(smpp: &Smpp) {
    loop {
        match smpp.send(&sms("又")).await {
            Outcome::Accepted { .. } => return,
            Outcome::Refused { permanent: false, .. } => tokio::task::yield_now().await,
            other => panic!("{other:?}"),
        }
    }
}

// Check 33.
#[test]
fn a_centre_that_does_not_answer_leaves_the_text_unknown_and_does_not_block_the_next() {
    run(async {
        let short = |options: &mut Options| {
            options.window = 1;
            options.answer = Duration::from_secs(1);
        };
        let mut bench = Bench::with(short).await;
        bench.plan(json!({"hang": true})).await;
        let why = unknown(bench.smpp.send(&sms("一")).await);
        assert_eq!(why, "the centre did not answer in time");
        accepted(bench.smpp.send(&sms("二")).await);
    });
}

#[test]
fn a_silent_line_is_tested_and_given_up_when_nothing_answers() {
    run(async {
        let short = |options: &mut Options| {
            options.idle = Duration::from_millis(300);
            options.answer = Duration::from_secs(1);
        };
        let mut bench = Bench::with(short).await;
        bench.peer.wait_for("enquire_link").await;
        bench.peer.wait_for("enquire_link").await;
        bench.peer.tell(&json!({"deed": "silent", "on": true})).await;
        bench.peer.wait_for("close").await;
        bench.peer.tell(&json!({"deed": "silent", "on": false})).await;
        bench.peer.wait_for("bind").await;
        accepted_soon(&bench.smpp).await;
        assert_eq!(bench.smpp.test().await, Outcome::ACCEPTED);
    });
}

#[test]
fn without_a_session_texts_wait_and_the_reason_is_said() {
    run(async {
        let settings = json!({"systemId": "fenliu", "password": "other"});
        let mut peer = Peer::start("smsc.mjs", &settings).await;
        let (sender, _inbox) = channel(64);
        let smpp = Smpp::start(options(peer.port), sender).unwrap();
        assert_eq!(peer.wait_for("bind").await["right"], false);
        for outcome in [smpp.send(&sms("一")).await, smpp.test().await] {
            let why = later(outcome);
            assert!(why.contains("the centre refuses the login: 0x0000000d"), "{why}");
        }
        peer.wait_for("bind").await;
        drop(peer);
        let gone = async {
            while !later(smpp.send(&sms("一")).await).contains("no connection") {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), gone).await.expect("it does not notice");
        smpp.close().await;
        later(smpp.send(&sms("一")).await);
    });
}

#[test]
fn a_session_ends_politely() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        accepted(bench.smpp.send(&sms("一")).await);
        bench.smpp.close().await;
        bench.peer.expect("submit").await;
        bench.peer.expect("unbind").await;
        later(bench.smpp.send(&sms("二")).await);
    });
}

#[test]
fn receipts_come_as_text_or_as_fields_and_late_ones_too() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        for _ in 0..4 {
            accepted(bench.smpp.send(&sms("一")).await);
        }
        bench.receipt("m2", "ENROUTE").await;
        bench.receipt("m2", "DELIVRD").await;
        assert_eq!(bench.incoming().await, receipt("m2", true, "DELIVRD"));
        let fields = json!({"receipted_message_id": "m1", "message_state": 5});
        bench
            .deliver(json!({"from": TO, "hex": "", "coding": 0, "esm_class": 4, "fields": fields}))
            .await;
        bench.taken().await;
        assert_eq!(bench.incoming().await, receipt("m1", false, "UNDELIV"));
        bench.peer.tell(&json!({"deed": "drop"})).await;
        bench.peer.wait_for("bind").await;
        accepted_soon(&bench.smpp).await;
        bench.receipt("m3", "EXPIRED").await;
        assert_eq!(bench.incoming().await, receipt("m3", false, "EXPIRED"));
        bench.nothing_more_came_in();
    });
}

#[test]
fn a_long_text_is_delivered_when_all_parts_are_and_failed_when_one_is_not() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        let long = sms(&"长".repeat(150));
        assert_eq!(accepted(bench.smpp.send(&long).await).as_deref(), Some("m1"));
        assert_eq!(accepted(bench.smpp.send(&long).await).as_deref(), Some("m4"));
        bench.receipt("m1", "DELIVRD").await;
        bench.receipt("m3", "DELIVRD").await;
        bench.nothing_more_came_in();
        bench.receipt("m2", "DELIVRD").await;
        assert_eq!(bench.incoming().await, receipt("m1", true, "DELIVRD"));
        bench.receipt("m4", "DELIVRD").await;
        bench.receipt("m6", "UNDELIV").await;
        assert_eq!(bench.incoming().await, receipt("m4", false, "UNDELIV"));
        bench.receipt("m5", "UNDELIV").await;
        bench.nothing_more_came_in();
    });
}

#[test]
fn answers_of_people_come_in_whatever_the_coding() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        let cases: [(&[u8], u8, &str); 4] = [
            (b"1 00000007", 0, "1 00000007"),
            (&ucs2("1 00000007 收到𠮷"), 8, "1 00000007 收到𠮷"),
            (b"1 00000007 \xca\xd5\xb5\xbd", 15, "1 00000007 收到"),
            (b"1 00000007 \xe9", 3, "1 00000007 é"),
        ];
        for (bytes, coding, text) in cases {
            bench.deliver(json!({"from": TO, "hex": hex(bytes), "coding": coding})).await;
            bench.taken().await;
            assert_eq!(bench.incoming().await, reply(text));
        }
        let payload = hex(&ucs2("长的回复"));
        bench.deliver(json!({"from": TO, "hex": payload, "coding": 8, "payload": true})).await;
        bench.taken().await;
        assert_eq!(bench.incoming().await, reply("长的回复"));
        // A text that only looks like a receipt is a text.
        let forged = "id:m1 stat:DELIVRD";
        bench.deliver(json!({"from": TO, "hex": hex(forged.as_bytes()), "coding": 0})).await;
        bench.taken().await;
        assert_eq!(bench.incoming().await, reply(forged));
    });
}

#[test]
fn an_answer_in_parts_comes_together_in_any_order() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        let text = "2 00000007 已到场处置，𠮷野街道。".repeat(4);
        let bytes = ucs2(&text);
        // Cut without regard for characters, as some telephones do.
        for number in [3_u8, 1, 2] {
            let start = usize::from(number - 1) * 67;
            let end = (start + 67).min(bytes.len());
            let end = if number == 3 { bytes.len() } else { end };
            let mut part = vec![5, 0, 3, 9, 3, number];
            part.extend(&bytes[start..end]);
            bench.nothing_more_came_in();
            let what = json!({"from": TO, "hex": hex(&part), "coding": 8, "esm_class": 0x40});
            bench.deliver(what).await;
            bench.taken().await;
        }
        assert_eq!(bench.incoming().await, reply(&text));
    });
}

#[test]
fn what_comes_in_is_kept_by_the_centre_when_nobody_takes_it() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        bench.inbox.close();
        bench.deliver(json!({"from": TO, "hex": hex(b"1 00000007"), "coding": 0})).await;
        let answer = bench.peer.wait_for("answer").await;
        assert_eq!(answer["command"], "deliver_sm_resp");
        assert_eq!(answer["status"], 0x64, "a temporary error: bring it again");
    });
}

#[test]
fn one_strange_delivery_does_not_end_the_session() {
    run(async {
        let mut bench = Bench::with(|_| {}).await;
        // A deliver_sm whose body breaks off, and an unknown request.
        bench
            .peer
            .tell(&json!({"deed": "raw", "hex": "00000014000000050000000000000063ffffffff"}))
            .await;
        let answer = bench.peer.wait_for("answer").await;
        assert_eq!(
            (&answer["command"], &answer["status"]),
            (&json!("deliver_sm_resp"), &json!(0x66))
        );
        bench.peer.tell(&json!({"deed": "raw", "hex": "00000010000009990000000000000064"})).await;
        accepted(bench.smpp.send(&sms("一")).await);
        assert!(bench.peer.unread("close").is_empty());
    });
}

#[test]
fn sending_and_receiving_may_have_sessions_of_their_own() {
    run(async {
        let mut bench = Bench::with(|options| options.bind = Bind::Separate).await;
        bench.peer.wait_for("bind").await;
        assert_eq!(accepted(bench.smpp.send(&sms("一")).await).as_deref(), Some("m1"));
        bench.receipt("m1", "DELIVRD").await;
        assert_eq!(bench.incoming().await, receipt("m1", true, "DELIVRD"));
        assert_eq!(bench.smpp.test().await, Outcome::ACCEPTED);
        bench.smpp.close().await;
        bench.peer.wait_for("unbind").await;
        bench.peer.wait_for("unbind").await;
    });
}

#[test]
fn a_setting_that_smpp_has_no_room_for_is_refused_at_the_start() {
    run(async {
        let (sender, _inbox) = channel(64);
        let wish = Options { password: "much too long".to_owned(), ..options(1) };
        let error = Smpp::start(wish, sender).err().unwrap();
        assert_eq!(error.to_string(), "password: SMPP has room for 8 ASCII characters here");
    });
}

#[test]
fn what_there_is_no_room_for_is_left_with_the_centre_and_taken_when_it_brings_it_again() {
    run(async {
        let settings = json!({"systemId": "fenliu", "password": "s3cret"});
        let peer = Peer::start("smsc.mjs", &settings).await;
        let mut bench = Bench::with_room(peer, |_| {}, 1).await;
        for (id, status) in [("m-1", 0), ("m-2", 0x64)] {
            let text = format!("id:{id} stat:DELIVRD err:000 text:");
            let hex = hex(text.as_bytes());
            bench.deliver(json!({"from": TO, "hex": hex, "coding": 0, "esm_class": 4})).await;
            let answer = bench.peer.wait_for("answer").await;
            assert_eq!(answer["status"], status, "{answer}");
        }
        let told = |incoming: Incoming| match incoming {
            Incoming::Receipt { reference, .. } => reference,
            Incoming::Reply { text, .. } => text,
        };
        assert_eq!(told(bench.incoming().await), "m-1");
        bench.receipt("m-2", "DELIVRD").await;
        assert_eq!(told(bench.incoming().await), "m-2");
    });
}
