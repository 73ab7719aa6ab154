//! The bar of alerts: the SMS centre is down for forty minutes and the mail server for two hours while
//! a thousand alerts of all tiers are written, and the service is killed ten times meanwhile. The
//! service is a process of its own whose clock runs fast.

use std::collections::{BTreeMap, BTreeSet};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant as Begun};

use fenliu::clock::{Clock, SystemClock};
use fenliu::domain::{Delivery, Instant, Kind, Message, MessageId};
use fenliu::gate::{MessageFilter, verify};
use fenliu::store::{Options, Store};
use reqwest::{Client, StatusCode};
use serde_json::{Value as Json, json};

use super::county::shipped_people;
use super::mailbox::{Arrived, Mailbox, Way};
use crate::channel::peer::Peer;
use crate::channel::run;
use crate::process::{FENLIU, Folder, Service};
use crate::store::postgres;

/// A second is five minutes.
const SPEED: i64 = 300;
/// Real milliseconds of so many of the house's minutes.
const fn minutes(minutes: u64) -> u64 {
    minutes * 60_000 / 300
}

/// Each tells one person by SMS and by mail.
const MATTERS: u64 = 500;
const KILLS: u64 = 10;
/// Who writes, and who sees everything, of the shipped county.
const DISPATCHER: i64 = 1;
const AUDITOR: i64 = 7;
/// The outages begin here (real milliseconds after the first matter) …
const BEGIN: u64 = minutes(3);
/// … and end here.
const SMS_BACK: u64 = BEGIN + minutes(40);
const MAIL_BACK: u64 = BEGIN + minutes(120);

/// Everything is told by one workflow: to the unit's liaison at once, then in five days.
const WORKFLOW: &str = "
workflow: warning
title: { zh: 预警, en: warning }
parties: [desk]
fields:
  tier: { type: tier, title: { zh: 等级, en: tier } }
  unit: { type: unit, title: { zh: 单位, en: unit } }
start:
  command: warn
  title: { zh: 发布, en: warn }
  by: [desk.dispatcher]
  input:
    tier: { type: tier, title: { zh: 等级, en: tier } }
    unit: { type: unit, title: { zh: 单位, en: unit } }
  set: { tier: input.tier, unit: input.unit }
  tell: [{ to: [unit.liaison], via: [sms, email], text: warned }]
commands:
  finish: { title: { zh: 办结, en: finish }, by: [desk.dispatcher] }
clocks:
  handle: { title: { zh: 办理时限, en: time to handle }, due: \"real('120h')\", ladder: late }
ladders:
  late:
    - { at: due, tell: [unit.liaison], via: [sms], text: late }
    - { every: \"0 0 9 * * *\", tell: [unit.liaison], via: [sms], text: late }
texts:
  warned: { zh: \"【{number}】{tier}预警，请处置。\", en: \"[{number}] {tier} warning.\" }
  late: { zh: \"【{number}】逾期。\", en: \"[{number}] late.\" }
initial: open
states:
  open:
    title: { zh: 办理, en: open }
    holder: unit
    status: handling
    clocks: [handle]
    on: { clock.handle: {}, finish: { to: done, outcome: done } }
  done: { title: { zh: 办结, en: done }, status: done, final: true }
";

/// A folder with a workflow that warns.
fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    std::fs::create_dir_all(folder.0.join("workflows")).unwrap();
    std::fs::write(folder.0.join("workflows/warning.yaml"), WORKFLOW).unwrap();
    folder
}

fn settings(folder: &Path, url: &str, port: u16, mail: u16, centre: u16) {
    let root = env!("CARGO_MANIFEST_DIR");
    let text = format!(
        "
[alerts]
templates = \"\"
[channel.email]
kind = \"smtp\"
host = \"127.0.0.1\"
port = {mail}
security = \"none\"
from = \"alert@fenliu.example\"
seconds = 1
[channel.sms]
kind = \"smpp\"
host = \"127.0.0.1\"
port = {centre}
security = \"none\"
system_id = \"fenliu\"
password = \"s3cret\"
seconds = 1
answer_seconds = 1
again_max_seconds = 1
[database]
folder = \"{0}/data\"
url = \"{url}\"
[founding]
calendar = \"{root}/config/calendars/chongqing.yaml\"
jurisdiction = \"{root}/config/jurisdictions/chengkou.yaml\"
workflows = \"{0}/workflows\"
[log]
filter = \"error,fenliu::scheduler::outbox=debug\"
format = \"json\"
[server]
listen = \"127.0.0.1:{port}\"
",
        folder.display()
    );
    std::fs::write(folder.join("fenliu.toml"), text).unwrap();
}

/// The service with time that runs fast; what it logs is kept in the folder.
fn serve(folder: &Path, anchor: i64) -> Service {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log"));
    Service::start(
        Command::new(FENLIU)
            .args(["serve", "--from", "2018-07-02T08:30:00+08:00"])
            .args(["--speed", &SPEED.to_string(), "--anchor", &anchor.to_string(), "--config"])
            .arg(folder.join("fenliu.toml"))
            .env("FENLIU_ROUTING_FOLDER", "")
            .stderr(log.unwrap()),
    )
}

/// Asks until it is answered: the service may be dead, or dying.
async fn insist(
    client: &Client,
    base: &str,
    token: &str,
    path: &str,
    body: &Json,
    key: &str,
) -> Json {
    for _ in 0..3_000 {
        let request = client.post(format!("{base}{path}")).bearer_auth(token).json(body);
        let answer = request.header("Idempotency-Key", key).send().await;
        if let Ok(answer) = answer {
            let status = answer.status();
            let text = answer.text().await;
            match (status, text) {
                (StatusCode::CREATED | StatusCode::OK, Ok(text)) => {
                    return serde_json::from_str(&text).unwrap();
                }
                (status, _) if status.is_server_error() => {}
                (_, Err(_)) => {}
                (status, Ok(text)) => panic!("{path}: {status} {text}"),
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} is never answered");
}

/// Writes the matters, evenly over the outages and a little longer.
async fn write_matters(base: String, token: String) {
    let client = Client::new();
    let begun = Begun::now();
    let units = ["huanbao", "jiaotong", "shuiwu", "weiji"];
    let tiers = ["ordinary", "larger", "ordinary", "major", "ordinary", "extraordinary"];
    for number in 0..MATTERS {
        let due = Duration::from_millis(number * (MAIL_BACK + minutes(10)) / MATTERS);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
        let pick = |list: &[&'static str], by: u64| list[usize::try_from(by).unwrap() % list.len()];
        let input = json!({ "tier": pick(&tiers, number), "unit": pick(&units, number / 6) });
        let body = json!({ "workflow": "warning", "input": input });
        insist(&client, &base, &token, "/api/v1/instances", &body, &format!("matter-{number}"))
            .await;
    }
}

/// What happens to the servers, in order of time (real milliseconds).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Down,
    SmsBack,
    /// The mail server listens again, and puts everybody off.
    MailBusy,
    MailBack,
}

const PLAN: [(u64, Deed); 4] = [
    (BEGIN, Deed::Down),
    (SMS_BACK, Deed::SmsBack),
    (BEGIN + minutes(60), Deed::MailBusy),
    (MAIL_BACK, Deed::MailBack),
];

/// Kills the service again and again, at moments that are irregular but the same in every run: within
/// the outages, and while their backlog leaves.
fn kill_again_and_again(mut service: Service, folder: &Path, anchor: i64, begun: Begun) -> Service {
    let mut dice = 12_345_u64;
    for kill in 1..=KILLS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = BEGIN + kill * (MAIL_BACK + 2_400 - BEGIN) / (KILLS + 1) + (dice >> 33) % 900;
        // However slow the machine is, it works for a moment between two kills.
        let rest = Duration::from_millis(at).saturating_sub(begun.elapsed());
        std::thread::sleep(rest.max(Duration::from_millis(300)));
        service.kill();
        service = serve(folder, anchor);
    }
    service
}

/// Everything that the test has to look at afterwards.
struct Outage {
    folder: Folder,
    store: Store,
    mailbox: Mailbox,
    /// What told the operators of alarms.
    word: Vec<Arrived>,
    anchor: i64,
}

/// Plays it on a database; without a URL, on an SQLite file of its own.
async fn play(url: Option<String>) -> Outage {
    let mut mail = Peer::start("smtp.mjs", &json!({})).await;
    let logins = json!({"systemId": "fenliu", "password": "s3cret"});
    let mut centre = Peer::start("smsc.mjs", &logins).await;
    let folder = folder(if url.is_some() { "outage-postgresql" } else { "outage" });
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::create_dir(folder.0.join("data")).unwrap();
    let file = || format!("sqlite:{}", folder.0.join("data/fenliu.db").display());
    let url = url.unwrap_or_else(file);
    settings(&folder.0, &url, port, mail.port, centre.port);
    let anchor = SystemClock::new().now().0;
    let service = serve(&folder.0, anchor);
    let administrator = service.token.clone().expect("the first start prints a token");
    let base = format!("http://127.0.0.1:{port}");
    let client = Client::new();
    let mut tokens = Vec::new();
    for person in [DISPATCHER, AUDITOR] {
        let (body, key) = (
            json!({ "person": person, "label": "outage", "strong": true }),
            format!("token-{person}"),
        );
        let made = insist(&client, &base, &administrator, "/api/v1/tokens", &body, &key).await;
        tokens.push(made["token"].as_str().unwrap().to_owned());
    }

    let mut mailbox = Mailbox::default();
    mailbox.know(&shipped_people().0);
    let mut see = |events: Vec<Json>| {
        for event in events {
            let at = Instant(event["at"].as_i64().unwrap_or_default());
            mailbox.take(&event, at);
        }
    };
    let begun = Begun::now();
    let writing = tokio::spawn(write_matters(base.clone(), tokens[0].clone()));
    let path = folder.0.clone();
    let killing = std::thread::spawn(move || kill_again_and_again(service, &path, anchor, begun));
    for (at, deed) in PLAN {
        tokio::time::sleep(Duration::from_millis(at).saturating_sub(begun.elapsed())).await;
        match deed {
            Deed::Down => {
                see(mail.tell(&json!({"step": "down"})).await);
                see(centre.tell(&json!({"deed": "down"})).await);
            }
            Deed::SmsBack => see(centre.tell(&json!({"deed": "up"})).await),
            Deed::MailBusy => {
                let busy = json!({"step": "rcpt", "code": 451, "text": "4.3.2 busy", "times": 1e9});
                see(mail.tell(&busy).await);
                see(mail.tell(&json!({"step": "up"})).await);
            }
            Deed::MailBack => see(mail.tell(&json!({"step": "behave"})).await),
        }
    }
    writing.await.unwrap();
    let service = killing.join().unwrap();
    everything_has_left(&client, &base, &tokens[1]).await;
    service.kill();
    see(mail.tell(&json!({"step": "look"})).await);
    see(centre.tell(&json!({"deed": "look"})).await);
    let all = std::mem::take(&mut mailbox.all).into_iter();
    let (word, alerts) = all.partition(|one| one.text.contains("系统告警"));
    mailbox.all = alerts;
    let store = Store::open(&url, Options::default()).unwrap();
    Outage { folder, store, mailbox, word, anchor }
}

async fn everything_has_left(client: &Client, base: &str, token: &str) {
    let begun = Begun::now();
    loop {
        let path = format!("{base}/api/v1/messages?state=waiting&limit=3");
        let answer = client.get(path).bearer_auth(token).send().await.unwrap();
        let list: Json = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        if list["items"] == json!([]) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(40), "these wait for ever: {list:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What the service claimed, in order: by which channel, when by the house's clock, ids and tiers.
struct Claim {
    channel: String,
    at: Instant,
    messages: Vec<(i64, i64)>,
}

fn claims(outage: &Outage) -> Vec<Claim> {
    let log = std::fs::read_to_string(outage.folder.0.join("log")).unwrap();
    let from = Instant::parse("2018-07-02T08:30:00+08:00").unwrap();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let claim = |line: Json| {
        let text = line["messages"].as_str()?;
        let real: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
        let numbers: Vec<i64> = text
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|number| number.parse().ok())
            .collect();
        Some(Claim {
            channel: line["channel"].as_str()?.to_owned(),
            at: from.plus((real.as_millisecond() - outage.anchor) * SPEED),
            messages: numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect(),
        })
    };
    lines.filter_map(claim).collect()
}

/// Looks for a graver message that was due and still unclaimed when a less grave one on the same
/// channel was claimed (one that may be made to wait: to the same person); answers how many graver
/// ones overtook a less grave one to the same person.
fn order_of_tiers(outage: &Outage, rows: &BTreeMap<MessageId, Message>) -> usize {
    let claims = claims(outage);
    let mut times: BTreeMap<i64, i64> = BTreeMap::new();
    let mut first: BTreeMap<i64, usize> = BTreeMap::new();
    for (index, claim) in claims.iter().enumerate() {
        for (id, _) in &claim.messages {
            *times.entry(*id).or_default() += 1;
            first.entry(*id).or_insert(index);
        }
    }
    // A claim of which the log knows nothing was cut off by a kill, or gave up what was too late:
    // such a message was not waiting for its turn alone.
    let plain = |one: &&Message| times.get(&one.id.0) == Some(&one.attempts);
    let plain: Vec<&Message> = rows.values().filter(plain).collect();
    // What was committed just before a claim may have come after the look for it; on a busy machine
    // a commit takes its time. The queues of the outage are many times as long.
    let slack = 2_000 * SPEED;
    let mut overtook = 0;
    for graver in &plain {
        let mine = first[&graver.id.0];
        for (index, claim) in
            claims.iter().enumerate().filter(|(_, one)| one.channel == graver.channel)
        {
            for (id, tier) in &claim.messages {
                let Some(other) = rows.get(&MessageId(*id)) else { continue };
                let same = other.to == graver.to;
                if !(same || graver.urgent) || *tier >= graver.tier {
                    continue;
                }
                let due = graver.created_at.plus(slack) <= claim.at;
                assert!(!due || mine <= index, "{graver:#?} was due when {other:#?} was claimed");
                let later = other.created_at < graver.created_at && first[id] > mine;
                overtook += usize::from(same && later && index == first[id]);
            }
        }
    }
    overtook
}

/// No letter came more often than once and again for each of its own attempts of which nobody knew.
fn no_silent_copy(outage: &Outage, rows: &BTreeMap<MessageId, Message>) {
    let mut bound: BTreeMap<(&str, MessageId), i64> = BTreeMap::new();
    for one in rows.values() {
        let letter = (one.channel.as_str(), one.bundle.unwrap_or(one.id));
        let most = bound.entry(letter).or_default();
        *most = (*most).max(1 + one.unknowns);
    }
    let all = &outage.mailbox.all;
    for ((channel, letter), most) in bound {
        // The centre names each copy anew: the copies of a text are those that say the same.
        let named = rows.get(&letter).and_then(|row| row.reference.as_ref());
        let known = all.iter().find(|it| it.way == Way::Sms && Some(&it.ids[0]) == named);
        let mail = format!("<message.{letter}@fenliu.example>");
        let same = |one: &&Arrived| match channel {
            "email" => one.ids[0] == mail,
            _ => known.is_some_and(|it| (&it.who, &it.text) == (&one.who, &one.text)),
        };
        let copies = i64::try_from(all.iter().filter(same).count()).unwrap();
        assert!(copies <= most, "{channel} {letter}: {copies} copies, at most {most}");
    }
}

/// What became of the alerts: handed over, in so many letters, and given up with an alarm.
#[derive(Default)]
struct Ends<'r> {
    sent: usize,
    letters: BTreeSet<(&'r str, MessageId)>,
    dead: usize,
}

/// Each alert ended one of the two ways, and what is said to have left has arrived.
fn ends<'r>(outage: &Outage, rows: &'r BTreeMap<MessageId, Message>) -> Ends<'r> {
    let alarms = outage.store.read(|reader| reader.alarms(true, 100_000)).unwrap();
    let failed = alarms.iter().filter(|alarm| alarm.raised.kind == "message_failed");
    let alarmed: BTreeSet<_> = failed.filter_map(|alarm| alarm.raised.instance).collect();
    let seen: BTreeSet<&String> = outage.mailbox.all.iter().map(|one| &one.ids[0]).collect();
    let mut ends = Ends::default();
    for one in rows.values() {
        match one.state {
            Delivery::Sent | Delivery::Delivered => {
                let first = one.bundle.unwrap_or(one.id);
                let name = match one.channel.as_str() {
                    "sms" => one.reference.clone().unwrap(),
                    _ => format!("<message.{first}@fenliu.example>"),
                };
                assert!(seen.contains(&name), "{one:#?} never arrived");
                ends.letters.insert((&one.channel, first));
                ends.sent += 1;
            }
            Delivery::Failed => {
                assert!(alarmed.contains(&one.instance.unwrap()), "{one:#?} failed in silence");
                ends.dead += 1;
            }
            Delivery::Waiting => panic!("{one:#?} waits"),
        }
    }
    ends
}

fn an_outage_loses_nothing_and_hides_nothing(url: Option<String>) {
    run(async {
        let outage = play(url).await;
        let filter = MessageFilter { kind: Some(Kind::Alert), ..MessageFilter::default() };
        let all = outage.store.read(|reader| reader.messages(&filter, 100_000)).unwrap();
        let rows: BTreeMap<MessageId, Message> = all.into_iter().map(|one| (one.id, one)).collect();
        let written = rows.values().filter(|one| one.instead_of.is_none()).count();
        assert_eq!(u64::try_from(written).unwrap(), MATTERS * 2, "a thousand alerts");

        let Ends { sent, letters, dead } = ends(&outage, &rows);
        let unknown: i64 = rows.values().map(|one| one.unknowns).sum();
        let (copies, letters) = (outage.mailbox.all.len(), letters.len());
        let duplicates = i64::try_from(copies).unwrap() - i64::try_from(letters).unwrap();
        let overtook = order_of_tiers(&outage, &rows);
        let word = outage.word.len();
        println!(
            "{} messages: {sent} handed over in {letters} letters, {dead} dead letters with an \
             alarm, of which {word} letters told the operators; {duplicates} duplicates of {unknown} \
             unknown outcomes; {overtook} times a graver one went before one that had waited longer",
            rows.len()
        );
        assert!(duplicates <= unknown, "{duplicates} duplicates, {unknown} unknown outcomes");
        no_silent_copy(&outage, &rows);
        // Neither half of the bar is empty.
        assert!(sent > 400 && dead > 100 && overtook > 20, "{sent} {dead} {overtook}");
        assert!(word > 0, "nobody was told of the alarms");
        assert!(verify(&outage.store, |_| ()).unwrap().is_sound());
    });
}

#[test]
fn an_outage_of_both_gateways_and_ten_kills_lose_nothing_and_hide_nothing() {
    an_outage_loses_nothing_and_hides_nothing(None);
}

#[test]
fn an_outage_of_both_gateways_and_ten_kills_lose_nothing_on_postgresql_either() {
    an_outage_loses_nothing_and_hides_nothing(Some(postgres::empty_database()));
}
