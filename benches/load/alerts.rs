//! From the instant at which a clock is due to the word of the mail server or the SMS centre that it
//! has the alert: fifty alerts a second, half by SMTP, half by SMPP, to servers that are not ours.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant as Begun};

use fenliu::channel::smpp::{Bind, Options as Centre, Smpp};
use fenliu::channel::smtp::{Options as MailServer, Security, Smtp};
use fenliu::channel::{Channel, Letter, Outcome};
use fenliu::clock::{Clock, SystemClock};
use fenliu::domain::{Instant, MessageId};
use serde_json::{Value as Json, json};

use super::client::{Client, tokens};
use super::service::{Service, folder};

/// Alerts a second.
const RATE: u64 = 50;
/// A matter's time; long enough that all are opened before the first is due (s).
const LIMIT: u64 = 30;

const WORKFLOW: &str = r#"
workflow: watch
title: { zh: 值守, en: watch }
parties: [desk]
fields:
  tier: { type: tier, title: { zh: 等级, en: tier } }
  by_mail: { type: flag, title: { zh: 邮件, en: by mail } }
start:
  command: watch
  title: { zh: 开始, en: watch }
  by: [desk.dispatcher]
  input:
    tier: { type: tier, title: { zh: 等级, en: tier } }
    by_mail: { type: flag, title: { zh: 邮件, en: by mail } }
  set: { tier: input.tier, by_mail: input.by_mail }
commands:
  finish: { title: { zh: 办结, en: finish }, by: [desk.dispatcher] }
clocks:
  act: { title: { zh: 时限, en: time to act }, due: "real('30s')", ladder: late }
ladders:
  late:
    - { at: due, tell: [desk.shift_leader], via: [sms], text: late, when: "!by_mail" }
    - { at: due, tell: [desk.shift_leader], via: [email], text: late, when: by_mail }
    - { every: "0 0 9 * * *", tell: [desk.shift_leader], via: [email], text: late }
texts:
  late: { zh: "【{number}】逾期。", en: "[{number}] is late." }
initial: open
states:
  open:
    title: { zh: 办理, en: open }
    holder: desk
    status: handling
    clocks: [act]
    on: { clock.act: {}, finish: { to: done, outcome: done } }
  done: { title: { zh: 办结, en: done }, status: done, final: true }
"#;

/// A program of `tests/peers`; killed when dropped.
struct Peer {
    child: Child,
    _input: ChildStdin,
    events: Receiver<Json>,
    port: u16,
}

impl Peer {
    fn start(script: &str, settings: &Json) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
        let mut child = Command::new("node")
            .arg(folder.join(script))
            .arg(settings.to_string())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node cannot be started: `make setup-test`");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if sender.send(serde_json::from_str(&line).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut input = child.stdin.take().unwrap();
        input.flush().unwrap();
        let first: Json = events.recv_timeout(Duration::from_secs(30)).unwrap();
        let port = u16::try_from(first["port"].as_u64().unwrap()).unwrap();
        Self { child, _input: input, events, port }
    }

    /// When each of so many alerts was taken, by the number in its text.
    fn taken(&self, count: usize) -> BTreeMap<String, i64> {
        let mut taken = BTreeMap::new();
        while taken.len() < count {
            let event =
                self.events.recv_timeout(Duration::from_secs(60)).expect("some are missing");
            if matches!(event["event"].as_str(), Some("mail" | "submit")) {
                let text = event["text"].as_str().unwrap();
                let number = text.split('【').nth(1).unwrap().split('】').next().unwrap();
                taken.entry(number.to_owned()).or_insert(event["at"].as_i64().unwrap());
            }
        }
        taken
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Latencies of one way, in milliseconds.
pub struct Figures {
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub longest_ms: f64,
}

fn figures(mut millis: Vec<i64>) -> Figures {
    millis.sort_unstable();
    let at = |part: f64| millis[((millis.len() - 1) as f64 * part) as usize] as f64;
    Figures { count: millis.len(), p50_ms: at(0.5), p99_ms: at(0.99), longest_ms: at(1.0) }
}

/// What was measured: through the house, and by the bare channels.
pub struct Measured {
    pub mail: Figures,
    pub sms: Figures,
    pub bare_mail: Figures,
    pub bare_sms: Figures,
}

fn peers() -> (Peer, Peer) {
    let logins = json!({"systemId": "fenliu", "password": "s3cret"});
    (Peer::start("smtp.mjs", &json!({})), Peer::start("smsc.mjs", &logins))
}

fn settings(mail: u16, centre: u16, workflows: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("FENLIU_FOUNDING_WORKFLOWS", workflows.display().to_string()),
        ("FENLIU_CHANNEL_EMAIL_KIND", "smtp".to_owned()),
        ("FENLIU_CHANNEL_EMAIL_HOST", "127.0.0.1".to_owned()),
        ("FENLIU_CHANNEL_EMAIL_PORT", mail.to_string()),
        ("FENLIU_CHANNEL_EMAIL_SECURITY", "none".to_owned()),
        ("FENLIU_CHANNEL_EMAIL_FROM", "alert@fenliu.example".to_owned()),
        ("FENLIU_CHANNEL_SMS_KIND", "smpp".to_owned()),
        ("FENLIU_CHANNEL_SMS_HOST", "127.0.0.1".to_owned()),
        ("FENLIU_CHANNEL_SMS_PORT", centre.to_string()),
        ("FENLIU_CHANNEL_SMS_SECURITY", "none".to_owned()),
        ("FENLIU_CHANNEL_SMS_SYSTEM_ID", "fenliu".to_owned()),
        ("FENLIU_CHANNEL_SMS_PASSWORD", "s3cret".to_owned()),
    ]
}

/// Opens matters at the rate; when the clock of each is due, by its number.
async fn open(service: &Service, seconds: u64) -> [BTreeMap<String, i64>; 2] {
    let desk = tokens(&service.address, &service.admin, "huanbao").await.desk;
    let mut client = Client::connect(&service.address).await;
    let mut due = [BTreeMap::new(), BTreeMap::new()];
    let begun = Begun::now();
    for index in 0..seconds * RATE {
        let at = Duration::from_millis(index * 1_000 / RATE);
        tokio::time::sleep(at.saturating_sub(begun.elapsed())).await;
        let by_mail = index % 2 == 0;
        let body =
            json!({ "workflow": "watch", "input": { "tier": "larger", "by_mail": by_mail } });
        let opened = client.json("POST", "/api/v1/instances", &desk, &body).await;
        let opened_at = Instant::parse(opened["recorded_at"].as_str().unwrap()).unwrap();
        let number = opened["number"].as_str().unwrap().to_owned();
        let way = usize::from(!by_mail);
        due[way].insert(number, opened_at.0 + i64::try_from(LIMIT).unwrap() * 1_000);
    }
    due
}

fn late(due: &BTreeMap<String, i64>, taken: &BTreeMap<String, i64>) -> Figures {
    figures(due.iter().map(|(number, due)| taken[number] - due).collect())
}

fn letter(index: u64, address: &str) -> Letter {
    Letter {
        id: MessageId(i64::try_from(index).unwrap()),
        attempt: 1,
        address: address.to_owned(),
        name: "110台值班长".to_owned(),
        subject: "【城口县】值守".to_owned(),
        text: format!("【{index:08}】逾期。"),
        urgent: true,
        ..Letter::default()
    }
}

/// The same letters at the same rate, handed to the channels themselves.
async fn bare(mail: &Peer, centre: &Peer, seconds: u64) -> (Figures, Figures) {
    let smtp = Smtp::new(MailServer {
        host: "127.0.0.1".to_owned(),
        port: mail.port,
        security: Security::None,
        allow_clear_text: false,
        user: String::new(),
        password: String::new(),
        from: "alert@fenliu.example".to_owned(),
        hello: String::new(),
        roots: Vec::new(),
        time: Duration::from_secs(15),
        idle: 4,
    });
    let (inbox, _incoming) = fenliu::channel::inbox(fenliu::channel::INBOX_MAX);
    let smpp = Smpp::start(
        Centre {
            host: "127.0.0.1".to_owned(),
            port: centre.port,
            tls: false,
            roots: Vec::new(),
            allow_clear_text: false,
            bind: Bind::Transceiver,
            system_id: "fenliu".to_owned(),
            password: "s3cret".to_owned(),
            system_type: String::new(),
            source: String::new(),
            source_kind: (0, 0),
            recipient_kind: (0, 0),
            window: 10,
            receipts: true,
            wide_reference: false,
            idle: Duration::from_secs(30),
            answer: Duration::from_secs(10),
            pause: Duration::from_secs(1),
            again: Duration::from_secs(1),
            again_max: Duration::from_secs(60),
            time: Duration::from_secs(15),
        },
        inbox,
    );
    let (smtp, smpp) = (smtp.unwrap(), smpp.unwrap());
    let clock = SystemClock::new();
    let mut due = [BTreeMap::new(), BTreeMap::new()];
    let begun = Begun::now();
    for index in 0..seconds * RATE {
        let at = Duration::from_millis(index * 1_000 / RATE);
        tokio::time::sleep(at.saturating_sub(begun.elapsed())).await;
        let by_mail = index % 2 == 0;
        due[usize::from(!by_mail)].insert(format!("{index:08}"), clock.now().0);
        let outcome = if by_mail {
            smtp.send(&letter(index, "shift@example.invalid")).await
        } else {
            smpp.send(&letter(index, "13800000003")).await
        };
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    }
    let figures =
        [(mail, &due[0]), (centre, &due[1])].map(|(peer, due)| late(due, &peer.taken(due.len())));
    smpp.close().await;
    let [mail, sms] = figures;
    (mail, sms)
}

/// Opens matters for so many seconds, and watches what the servers get when they fall due.
pub async fn measure(seconds: u64) -> Measured {
    assert!(seconds < LIMIT, "all are opened before the first is due");
    let folder = folder("alerts");
    let workflows: PathBuf = folder.join("workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    std::fs::write(workflows.join("watch.yaml"), WORKFLOW).unwrap();
    let (mail, centre) = peers();
    let wish = settings(mail.port, centre.port, &workflows);
    let service = Service::start_with(&folder, "", None, &wish);
    let due = open(&service, seconds).await;
    let sms = late(&due[1], &centre.taken(due[1].len()));
    let mails = late(&due[0], &mail.taken(due[0].len()));
    drop(service);
    std::fs::remove_dir_all(folder).unwrap();
    let (mail, centre) = peers();
    let (bare_mail, bare_sms) = bare(&mail, &centre, seconds.min(10)).await;
    Measured { mail: mails, sms, bare_mail, bare_sms }
}

/// A table: milliseconds, and as multiples of what the bare channels take.
pub fn print(measured: &Measured) {
    println!(
        "| way | alerts | p50 ms | p99 ms | longest ms | bare p50 ms | bare p99 ms | p99 / bare p99 |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|");
    let Measured { mail, sms, bare_mail, bare_sms } = measured;
    for (way, one, bare) in [("SMTP", mail, bare_mail), ("SMPP", sms, bare_sms)] {
        println!(
            "| {way} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} |",
            one.count,
            one.p50_ms,
            one.p99_ms,
            one.longest_ms,
            bare.p50_ms,
            bare.p99_ms,
            one.p99_ms / bare.p99_ms.max(1.0)
        );
    }
    println!();
}
