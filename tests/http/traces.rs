//! Whatever changes something, or shows who called, is recorded: as an event of the matter, or as an
//! entry of the audit log. Every operation that is served is done here once and leaves its trace, or
//! stands below with the reason why it leaves none.

use std::collections::BTreeSet;

use fenliu::gate::{AccessRules, Change, NewAlarm};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value as Json, json};
use tokio::sync::broadcast::Receiver;

use super::accounts::{Browser, PASSWORD, account, device, sign_in, with_device};
use super::office::{Answer, CALENDAR, Office, WORKFLOW, read};
use super::teaching::{self, ruled};

/// Operations that change something or might, and leave neither; and why.
const WITHOUT: &[(&str, &str, &str)] = &[
    ("POST", "/api/v1/definitions/check", "changes nothing: a file is looked at"),
    ("POST", "/api/v1/routing/suggest", "changes nothing, and keeps nothing of the text"),
    ("POST", "/api/v1/templates/preview", "changes nothing: a sample is worded"),
    ("POST", "/api/v1/me/second-factor", "a device counts once it is confirmed, which is recorded"),
    (
        "POST",
        "/api/v1/people/{id}/contacts/{channel}/code",
        "a message of the outbox; that the code was tried is recorded",
    ),
    ("POST", "/api/v1/people/{id}/test", "a message of the outbox, to an address of the directory"),
    ("POST", "/api/v1/rosters/{code}/handovers", "the note is its own record: whose, and when"),
    (
        "POST",
        "/api/v1/rosters/{code}/handovers/{id}/read",
        "stands in the note: who read it first, and when",
    ),
    ("POST", "/in/{channel}", "a gateway's, by its secret; an event once it is taken up"),
];

/// What is left behind.
#[derive(Debug, Clone, Copy)]
enum Mark {
    /// An event of this kind.
    Event(&'static str),
    /// An entry of this kind.
    Entry(&'static str),
}

use Mark::{Entry, Event};

/// Somebody goes through the house and does everything once.
struct Walk<'o> {
    office: &'o Office,
    /// Who reads the audit log.
    reader: &'static str,
    changes: Receiver<Change>,
    done: BTreeSet<(String, String)>,
    faults: Vec<String>,
}

impl<'o> Walk<'o> {
    fn of(office: &'o Office, reader: &'static str) -> Self {
        let changes = office.gate.changes();
        Self { office, reader, changes, done: BTreeSet::new(), faults: Vec::new() }
    }

    /// The kinds of the entries since an entry, the number of the newest.
    async fn entries(&self, since: i64) -> (Vec<String>, i64) {
        let log = self.office.get(self.reader, "/api/v1/audit?limit=20").await.ok(200);
        let entries = log["items"].as_array().unwrap().iter();
        let newest = log["items"][0]["seq"].as_i64().unwrap_or(0);
        let fresh = entries.filter(|entry| entry["seq"].as_i64().unwrap() > since);
        (fresh.map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect(), newest)
    }

    /// Notes what an operation left. One that was refused was not done.
    async fn noted(
        &mut self,
        method: &str,
        pattern: &str,
        mark: Mark,
        asked: impl Future<Output = Answer>,
    ) -> Json {
        while self.changes.try_recv().is_ok() {}
        let (_, before) = self.entries(i64::MAX).await;
        let answer = asked.await;
        let name = format!("{method} {pattern}");
        if answer.status >= 400 {
            self.faults.push(format!("{name}: {} {}", answer.status, answer.text));
            return answer.json;
        }
        let (found, kind) = match mark {
            Event(kind) => {
                let fresh = std::iter::from_fn(|| self.changes.try_recv().ok());
                (fresh.map(|change| change.kind).collect::<Vec<_>>(), kind)
            }
            Entry(kind) => (self.entries(before).await.0, kind),
        };
        if !found.iter().any(|one| one == kind) {
            self.faults.push(format!("{name} left no {mark:?} but {found:?}"));
        }
        self.done.insert((method.to_owned(), pattern.to_owned()));
        answer.json
    }

    /// Somebody does it; the parts stand for what the path leaves open, in order.
    async fn does(
        &mut self,
        (who, method, pattern): (&str, Method, &str),
        parts: &[&str],
        body: Json,
        mark: Mark,
    ) -> Json {
        let request = self.office.ask(who, method.clone(), &filled(pattern, parts));
        let request = if body.is_null() { request } else { request.json(&body) };
        self.noted(method.as_str(), pattern, mark, read(request)).await
    }

    /// The same of a file.
    async fn sends(
        &mut self,
        (who, pattern, query): (&str, &str, &str),
        parts: &[&str],
        (kind, text): (&str, String),
        mark: Mark,
    ) -> Json {
        let path = filled(pattern, parts) + query;
        let request = self.office.ask(who, Method::POST, &path).header("content-type", kind);
        self.noted("POST", pattern, mark, read(RequestBuilder::body(request, text))).await
    }

    /// The same in a session.
    async fn in_session(
        &mut self,
        who: &Browser<'_>,
        pattern: &str,
        parts: &[&str],
        body: Json,
        mark: Mark,
    ) -> Json {
        let path = filled(pattern, parts);
        self.noted("POST", pattern, mark, who.post(&path, body)).await
    }
}

fn filled(pattern: &str, parts: &[&str]) -> String {
    let mut path = pattern.to_owned();
    for part in parts {
        let (from, to) = (path.find('{').unwrap(), path.find('}').unwrap());
        path.replace_range(from..=to, part);
    }
    path
}

fn text(json: &Json, name: &str) -> String {
    match &json[name] {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

const DESK: &str = "gongan.dispatcher";
const LEADER: &str = "gongan.shift_leader";
const DUTY: &str = "yingji.duty";
const DIRECTOR: &str = "yingji.director";
const ADMIN: &str = "yingji.administrator";
const UNIT: &str = "huanbao.liaison";

fn call(phone: &str) -> Json {
    json!({ "text": "污水直排", "place": "葛城街道", "category": "env.waste-water", "kind": "help",
        "caller_name": "张小明", "caller_phone": phone, "caller_address": "某小区" })
}

/// Matters: from the call to what is kept of its caller.
async fn matters(walk: &mut Walk<'_>) {
    let (post, accept) = (Method::POST, json!({ "command": "accept" }));
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    let body = json!({ "input": call("13800001234") });
    let made = walk.does((DESK, post.clone(), "/api/v1/referrals"), &[], body, Event("register"));
    let first = text(&made.await, "id");
    let body = json!({ "workflow": "referral", "input": call("13800005678") });
    let made = walk.does((DESK, post.clone(), "/api/v1/instances"), &[], body, Event("register"));
    let second = text(&made.await, "id");
    for (face, id) in [("referrals", &first), ("instances", &second)] {
        let at = |end: &str| format!("/api/v1/{face}/{{id}}/{end}");
        let parts = [id.as_str()];
        let path = at("commands");
        walk.does((DESK, post.clone(), &path), &parts, route.clone(), Event("route")).await;
        let purpose = json!({ "purpose": "核实情况，需联系来电人" });
        let path = at("reveal");
        walk.does((DUTY, post.clone(), &path), &parts, purpose, Event("caller.revealed")).await;
        let right =
            json!({ "reason": "来电人更正本人信息", "personal": { "caller_name": "张晓明" } });
        let path = at("correct");
        walk.does((DESK, post.clone(), &path), &parts, right, Event("caller.corrected")).await;
    }
    let me = walk.office.get(UNIT, "/api/v1/me").await.ok(200)["person"]["id"].as_i64().unwrap();
    let message = walk.office.newest_to(me).await;
    let link = walk.office.gate.link_token(&message);
    let form = ("application/x-www-form-urlencoded", "act=acknowledge".to_owned());
    walk.sends(("nobody", "/a/{token}", ""), &[&link], form, Event("acknowledge")).await;
    let message = walk.office.gate.public_ids().message(message.id);
    let path = "/api/v1/messages/{id}/resend";
    walk.office.minutes_later(30);
    walk.does((DUTY, post.clone(), path), &[&message], json!({}), Entry("message_resent")).await;
    let again = walk.office.gate.public_ids().message(walk.office.newest_to(me).await.id);
    let path = "/api/v1/messages/{id}/acknowledge";
    walk.does((UNIT, post.clone(), path), &[&again], json!({}), Event("acknowledge")).await;
    walk.office.command(UNIT, &first, accept).await.ok(200);
    let body = json!({ "phone": "13800001234", "purpose": "来电人要求查阅本人信息" });
    let path = "/api/v1/callers/export";
    walk.does((DUTY, post.clone(), path), &[], body, Entry("caller_exported")).await;
    let row = json!({ "place": "葛城街道", "text": "停电一天", "category": "utility.power-fault",
        "kind": "help", "anonymous": true, "source": "110", "source_number": "0017" });
    let lines = ("application/x-ndjson", row.to_string());
    walk.sends((DESK, "/api/v1/intake/batches", ""), &[], lines, Event("register")).await;
    for face in ["referrals", "instances"] {
        let made = walk.office.post(DESK, "/api/v1/referrals", json!({ "input": call("1") })).await;
        let id = text(&made.ok(201), "id");
        let end = json!({ "command": "withdraw", "input": { "wish": "已自行解决，不再需要" } });
        walk.office.command(DESK, &id, end).await.ok(200);
        let (path, why) = (format!("/api/v1/{face}/{{id}}/erase"), "来电人依法要求删除个人信息");
        let body = json!({ "reason": why });
        walk.does((LEADER, post.clone(), &path), &[&id], body, Event("caller.erased")).await;
    }
}

/// What units and the office write down besides.
async fn knowledge(walk: &mut Walk<'_>) {
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    let wish = json!({ "unit": "huanbao", "url": "https://hooks.example.org/fenliu" });
    let path = "/api/v1/subscriptions";
    let made = walk.does((UNIT, post.clone(), path), &[], wish, Entry("subscription_made")).await;
    let (one, path) = (text(&made, "id"), "/api/v1/subscriptions/{id}");
    let off = json!({ "active": false });
    walk.does((UNIT, put.clone(), path), &[&one], off, Entry("subscription_switched")).await;
    let dropped = Entry("subscription_dropped");
    walk.does((UNIT, delete.clone(), path), &[&one], Json::Null, dropped).await;
    let answer = json!({ "unit": "huanbao", "category": "env.waste-water", "title": "污水举报",
        "body": "请拨打县环保局举报电话。", "words": "污水" });
    let path = "/api/v1/answers/{code}";
    walk.does((UNIT, put.clone(), path), &["sewage"], answer, Entry("answer_put")).await;
    walk.does((UNIT, delete.clone(), path), &["sewage"], Json::Null, Entry("answer_ended")).await;
    let table = walk.office.get(DESK, "/api/v1/catalogue/export").await.text;
    let mut drafts = Vec::new();
    for _ in 0..2 {
        let (path, note) = ("/api/v1/catalogue/versions", "?note=%E8%B0%83%E6%95%B4");
        let file = ("text/csv", table.clone());
        let made = walk.sends((ADMIN, path, note), &[], file, Entry("catalogue_drafted")).await;
        drafts.push(text(&made, "number"));
    }
    let path = "/api/v1/catalogue/versions/{number}";
    let withdrawn = Entry("catalogue_withdrawn");
    walk.does((ADMIN, delete.clone(), path), &[&drafts[0]], Json::Null, withdrawn).await;
    let path = "/api/v1/catalogue/versions/{number}/publish";
    let published = Entry("catalogue_published");
    walk.does((DIRECTOR, post.clone(), path), &[&drafts[1]], json!({}), published).await;
}

/// What a ruling taught.
async fn lessons(walk: &mut Walk<'_>) {
    let post = Method::POST;
    let (ruling, _) = ruled(walk.office, "河边堆的东西有臭味没人管", teaching::ruling()).await;
    let path = "/api/v1/routing/proposals/{id}";
    let no = json!({ "accept": false, "note": "目录暂不调整" });
    walk.does((DIRECTOR, post.clone(), path), &[&ruling], no, Entry("proposal_rejected")).await;
    let path = "/api/v1/routing/precedents/{id}/withdraw";
    let (body, withdrawn) = (json!({ "reason": "职责已调整" }), Entry("precedent_withdrawn"));
    walk.does((DIRECTOR, post.clone(), path), &[&ruling], body, withdrawn).await;
}

/// Who is who, and what the house goes by.
async fn directory(walk: &mut Walk<'_>) {
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    let who = "Dalila";
    let name = json!({ "zh": "船队", "en": "Boats" });
    let unit = json!({ "name": name, "kind": "department" });
    walk.does((who, put.clone(), "/api/v1/units/{code}"), &["boats"], unit, Entry("unit_put"))
        .await;
    let category = json!({ "name": { "zh": "漏", "en": "leak" }, "units": ["divers", "boats"] });
    let path = "/api/v1/categories/{code}";
    walk.does((who, put.clone(), path), &["leak"], category, Entry("category_put")).await;
    let grants = json!([{ "role": "liaison", "unit": "cranes" }]);
    let body = json!({ "name": "Gamba", "email": "gamba@kisima.invalid", "grants": grants });
    let path = "/api/v1/people";
    let made = walk.does((who, post.clone(), path), &[], body.clone(), Entry("person_put")).await;
    let gamba = text(&made, "id");
    let path = "/api/v1/people/{id}";
    walk.does((who, put.clone(), path), &[&gamba], body, Entry("person_put")).await;
    let token = json!({ "person": 2, "label": "console" });
    let path = "/api/v1/tokens";
    let made = walk.does((who, post.clone(), path), &[], token, Entry("token_issued")).await;
    let id = text(&made, "id");
    let path = "/api/v1/tokens/{id}";
    walk.does((who, delete.clone(), path), &[&id], Json::Null, Entry("token_revoked")).await;
    let file = CALENDAR.replace("version: \"1\"", "version: \"2\"");
    let file = ("application/yaml", file);
    walk.sends((who, "/api/v1/calendars", ""), &[], file, Entry("calendar_loaded")).await;
    let source = json!({ "source": WORKFLOW.replace("work('30m')", "work('60m')") });
    let published = Entry("definition_published");
    walk.does(("Enzi", post.clone(), "/api/v1/definitions"), &[], source, published).await;
    let at = walk.office.gate.now();
    for kind in ["kind_1", "kind_2"] {
        let (kind, detail) = (kind.to_owned(), "as it was".to_owned());
        let jurisdiction = Some(walk.office.owner());
        let alarm = NewAlarm { kind, jurisdiction, instance: None, at, detail };
        walk.office.gate.raise_alarm(&alarm).unwrap();
    }
    let one = walk.office.get(who, "/api/v1/alarms?kind=kind_1").await.ok(200);
    let (path, one) = ("/api/v1/alarms/{id}/clear", text(&one["items"][0], "id"));
    walk.does((who, post.clone(), path), &[&one], json!({}), Entry("alarm_cleared")).await;
    let (path, all) = ("/api/v1/alarms/clear", json!({ "kind": "kind_2" }));
    walk.does((who, post.clone(), path), &[], all, Entry("alarms_cleared")).await;
}

/// How people are reached, and who is on duty.
async fn duty(walk: &mut Walk<'_>) {
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    let (who, me) = ("Baraka", ["2"]);
    walk.office.post(who, "/api/v1/people/2/contacts/email/code", json!({})).await.ok(202);
    let mail = walk.office.newest_of(2, fenliu::domain::Kind::Code).await;
    let code: String = mail.body.chars().filter(char::is_ascii_digit).take(6).collect();
    let path = "/api/v1/people/{id}/contacts/{channel}/verify";
    let tried = Entry("contact_code_tried");
    walk.does((who, post.clone(), path), &["2", "email"], json!({ "code": code }), tried).await;
    let (path, rules) = ("/api/v1/people/{id}/rules", json!({ "language": "en" }));
    walk.does((who, put.clone(), path), &me, rules, Entry("rules_put")).await;
    let body = json!({ "until": "2018-07-03T08:00:00+03:00", "reason": "training" });
    let path = "/api/v1/people/{id}/mutes";
    let made = walk.does((who, post.clone(), path), &me, body, Entry("muted")).await;
    let (path, mute) = ("/api/v1/mutes/{id}", text(&made, "id"));
    walk.does((who, delete.clone(), path), &[&mute], Json::Null, Entry("unmuted")).await;
    let roster = json!({
        "title": { "zh": "吊机值班", "en": "crane duty" }, "unit": "cranes", "role": "liaison",
        "rotations": [{ "name": { "zh": "全天", "en": "all day" }, "people": [2, 6],
            "first": "2018-07-02T08:00", "shift": "24h" }],
    });
    let path = "/api/v1/rosters/{code}";
    walk.does(("Dalila", put.clone(), path), &["cranes"], roster, Entry("roster_put")).await;
    let away = json!({ "from": "2018-07-20T09:00:00+03:00", "until": "2018-07-20T12:00:00+03:00",
        "person": 6, "instead_of": 2 });
    let path = "/api/v1/rosters/{code}/stand-ins";
    let added = Entry("stand_in_added");
    let made = walk.does(("Dalila", post.clone(), path), &["cranes"], away, added).await;
    let (path, one) = ("/api/v1/rosters/{code}/stand-ins/{id}", text(&made, "id"));
    let dropped = Entry("stand_in_dropped");
    walk.does(("Dalila", delete.clone(), path), &["cranes", &one], Json::Null, dropped).await;
    let table = "from,until,person,note\n2018-07-10 08:00,2018-07-11 08:00,Gamba,ill\n";
    let (path, file) = ("/api/v1/rosters/{code}/import", ("text/csv", table.to_owned()));
    let imported = Entry("stand_ins_imported");
    walk.sends(("Dalila", path, ""), &["cranes"], file, imported).await;
    for (verdict, give, take) in [("agree", "04", "05"), ("decline", "06", "07")] {
        let at = |day: &str| format!("2018-07-{day}T12:00:00+03:00");
        let swap = json!({ "give": { "person": 2, "at": at(give) },
            "take": { "person": 6, "at": at(take) } });
        let (path, proposed) = ("/api/v1/rosters/{code}/swaps", Entry("swap_proposed"));
        let made = walk.does((who, post.clone(), path), &["cranes"], swap, proposed).await;
        let swap = text(&made["items"][0], "swap");
        let path = format!("/api/v1/rosters/{{code}}/swaps/{{id}}/{verdict}");
        let mark = Entry(if verdict == "agree" { "swap_agreed" } else { "swap_declined" });
        walk.does(("Gamba", post.clone(), &path), &["cranes", &swap], json!({}), mark).await;
    }
    let path = "/api/v1/rosters/{code}";
    let dropped = Entry("roster_dropped");
    walk.does(("Dalila", delete.clone(), path), &["cranes"], Json::Null, dropped).await;
}

/// Accounts, sessions, and what one person proposes and another one decides.
async fn access(walk: &mut Walk<'_>) {
    let (post, put, delete) = (Method::POST, Method::PUT, Method::DELETE);
    let (who, path) = ("Dalila", "/api/v1/people/{id}/account");
    let login = json!({ "login": "asha" });
    walk.does((who, put.clone(), path), &["1"], login.clone(), Entry("account_given")).await;
    let path = "/api/v1/people/{id}/account/reset";
    let made =
        walk.does((who, post.clone(), path), &["1"], json!({}), Entry("account_reset")).await;
    let chosen = json!({ "login": "asha", "code": made["code"], "password": PASSWORD });
    let path = "/api/v1/account-setup";
    walk.does(("nobody", post.clone(), path), &[], chosen, Entry("password_chosen")).await;
    let login = json!({ "login": "asha", "password": PASSWORD });
    walk.does(("nobody", post.clone(), "/api/v1/login"), &[], login, Entry("signed_in")).await;
    let office = walk.office;
    let me = Browser::of(office, sign_in(office, "asha", PASSWORD, None).await);
    let other = "Bandari-2019 mpya";
    let body = json!({ "old": PASSWORD, "new": other });
    let changed = Entry("password_changed");
    walk.in_session(&me, "/api/v1/me/password", &[], body, changed).await;
    let me = Browser::of(office, sign_in(office, "asha", other, None).await);
    let path = "/api/v1/me/second-factor";
    let enrolled = me.post(path, json!({ "password": other })).await.ok(200);
    let code = device(enrolled["secret"].as_str().unwrap(), office.gate.now());
    let confirm = me.post("/api/v1/me/second-factor/confirm", json!({ "code": code }));
    let (path, set) = ("/api/v1/me/second-factor/confirm", Entry("second_factor_set"));
    walk.noted("POST", path, set, confirm).await;
    office.minutes_later(1);
    account(office, 3, "chiku").await;
    let me = Browser::of(office, sign_in(office, "chiku", PASSWORD, None).await);
    walk.in_session(&me, "/api/v1/logout", &[], json!({}), Entry("signed_out")).await;
    let path = "/api/v1/people/{id}/account";
    walk.does((who, delete.clone(), path), &["1"], Json::Null, Entry("account_taken")).await;
    let body =
        json!({ "name": "Faraji", "grants": [{ "role": "administrator", "unit": "office" }] });
    let faraji = text(&office.post(who, "/api/v1/people", body).await.ok(201), "id");
    let faraji = with_device(office, faraji.parse().unwrap(), "faraji").await;
    let rules = AccessRules { second_person_ms: Some(72 * 3_600_000), ..AccessRules::default() };
    office.gate.use_access_rules(rules);
    let more =
        json!([{ "role": "liaison", "unit": "divers" }, { "role": "leader", "unit": "divers" }]);
    let more = json!({ "name": "Chiku", "grants": more });
    for (verdict, mark) in [("withdraw", "proposal_withdrawn"), ("approve", "person_put")] {
        let asked = office.put(who, "/api/v1/people/3", more.clone()).await.ok(202);
        let path = format!("/api/v1/proposals/{{id}}/{verdict}");
        let id = text(&asked, "id");
        walk.in_session(&faraji, &path, &[&id], json!({}), Entry(mark)).await;
    }
}

// Check 46.
#[tokio::test]
async fn whatever_changes_something_or_shows_who_called_leaves_an_event_or_an_entry() {
    let county = Office::county().await;
    let mut walk = Walk::of(&county, "yingji.auditor");
    matters(&mut walk).await;
    knowledge(&mut walk).await;
    let Walk { mut done, mut faults, .. } = walk;
    let taught = teaching::advised().await;
    let mut walk = Walk::of(&taught, "yingji.auditor");
    lessons(&mut walk).await;
    done.extend(walk.done);
    faults.extend(walk.faults);
    let mut harbour = Office::open().await;
    let mut walk = Walk::of(&harbour, "Dalila");
    directory(&mut walk).await;
    let (first, second) = (walk.done, walk.faults);
    let token = json!({ "person": 6, "label": "test" });
    let token = harbour.post("Dalila", "/api/v1/tokens", token).await.ok(201);
    harbour.tokens.insert("Gamba".to_owned(), text(&token, "token"));
    let mut walk = Walk::of(&harbour, "Dalila");
    duty(&mut walk).await;
    access(&mut walk).await;
    done.extend(first.into_iter().chain(walk.done));
    faults.extend(second.into_iter().chain(walk.faults));
    assert!(faults.is_empty(), "{faults:#?}");
    let served = fenliu::http::routes().into_iter().map(|(path, method)| (method, path));
    let served: BTreeSet<(String, String)> = served.filter(|(method, _)| method != "GET").collect();
    let excused: BTreeSet<(String, String)> = WITHOUT
        .iter()
        .inspect(|(.., why)| assert!(!why.is_empty()))
        .map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()))
        .collect();
    let missing: Vec<_> = served.difference(&done).filter(|one| !excused.contains(*one)).collect();
    assert!(missing.is_empty(), "neither done here nor excused: {missing:#?}");
    let idle: Vec<_> =
        excused.iter().filter(|one| done.contains(*one) || !served.contains(*one)).collect();
    assert!(idle.is_empty(), "excused without need: {idle:#?}");
}
