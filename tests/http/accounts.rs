//! People sign in with accounts of their own: sessions, passwords, second factors, and what stops
//! those who guess or forge.

use fenliu::domain::Instant;
use fenliu::gate::Attempt;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value as Json, json};
use sha1::Sha1;

use super::office::{Answer, Office, read};

pub(crate) const PASSWORD: &str = "Gangwu-2018 zhiban";

/// Somebody with a browser.
pub(super) struct Browser<'o> {
    office: &'o Office,
    cookie: String,
    csrf: String,
}

impl<'o> Browser<'o> {
    /// A browser that was handed a session.
    pub(super) fn of(office: &'o Office, answer: Answer) -> Self {
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let csrf = answer.ok(200)["csrf"].as_str().unwrap().to_owned();
        Self { office, cookie, csrf }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        read(self.office.ask("nobody", Method::GET, path).header("cookie", &self.cookie)).await
    }

    /// Follows what changes; the first heartbeat has come.
    pub(super) async fn follow(&self) -> reqwest::Response {
        let request = self.office.ask("nobody", Method::GET, "/api/v1/changes");
        let mut response = request.header("cookie", &self.cookie).send().await.unwrap();
        assert!(response.chunk().await.unwrap().unwrap().starts_with(b":"));
        response
    }

    pub(super) async fn post(&self, path: &str, body: Json) -> Answer {
        let request = self.office.ask("nobody", Method::POST, path).header("cookie", &self.cookie);
        read(request.header("x-csrf-token", &self.csrf).json(&body)).await
    }
}

/// Gives the account of a person, and chooses its password.
pub(super) async fn account(office: &Office, person: i64, login: &str) {
    let path = format!("/api/v1/people/{person}/account");
    let setup = office.put("Dalila", &path, json!({ "login": login })).await.ok(200);
    let body = json!({ "login": login, "code": setup["code"], "password": PASSWORD });
    let chosen = office.post("nobody", "/api/v1/account-setup", body).await;
    assert_eq!(chosen.status, 204, "{}", chosen.text);
}

pub(super) async fn sign_in(
    office: &Office,
    login: &str,
    password: &str,
    code: Option<&str>,
) -> Answer {
    let mut body = json!({ "login": login, "password": password });
    if let Some(code) = code {
        body["code"] = json!(code);
    }
    office.post("nobody", "/api/v1/login", body).await
}

/// Signs somebody in who has to show a second factor, with a new device.
pub(super) async fn with_device<'o>(office: &'o Office, person: i64, login: &str) -> Browser<'o> {
    account(office, person, login).await;
    let me = Browser::of(office, sign_in(office, login, PASSWORD, None).await);
    let enrolled =
        me.post("/api/v1/me/second-factor", json!({ "password": PASSWORD })).await.ok(200);
    let code = device(enrolled["secret"].as_str().unwrap(), office.gate.now());
    Browser::of(office, me.post("/api/v1/me/second-factor/confirm", json!({ "code": code })).await)
}

/// The code that a device shows.
pub(crate) fn device(secret: &str, now: Instant) -> String {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in secret.chars() {
        bits = (bits << 5) | u32::try_from(LETTERS.find(letter).unwrap()).unwrap();
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 255).unwrap());
        }
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&bytes).unwrap();
    mac.update(&(now.0 / 30_000).to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

// Check 8.
#[tokio::test]
async fn a_new_account_has_no_password_until_its_person_chooses_one() {
    let office = Office::open().await;
    let path = "/api/v1/people/1/account";
    assert_eq!(office.get("Dalila", path).await.problem(404), "not_found");
    let setup = office.put("Dalila", path, json!({ "login": "Asha.K" })).await.ok(200);
    let code = setup["code"].as_str().unwrap();
    assert_eq!((code.len(), setup["login"].as_str()), (24, Some("asha.k")));
    for password in ["", "password", code] {
        assert_eq!(sign_in(&office, "asha.k", password, None).await.problem(401), "wrong_login");
    }
    let choose = async |code: &str, password: &str| {
        let body = json!({ "login": "asha.k", "code": code, "password": password });
        office.post("nobody", "/api/v1/account-setup", body).await
    };
    let weak = choose(code, "asha.k-2018").await;
    assert_eq!(weak.problem(422), "weak_password");
    assert_eq!(choose("000000000000000000000000", PASSWORD).await.problem(401), "wrong_login");
    assert_eq!(choose(code, PASSWORD).await.status, 204);
    assert_eq!(choose(code, PASSWORD).await.problem(401), "wrong_login", "a code counts once");
    let me = Browser::of(&office, sign_in(&office, " ASHA.K ", PASSWORD, None).await);
    assert_eq!(me.get("/api/v1/me").await.ok(200)["person"]["name"], "Asha");
    let seen = office.get("Dalila", path).await.ok(200);
    assert!(seen["password_at"].is_string() && !seen.to_string().contains("argon2"));
    let taken =
        office.put("Dalila", "/api/v1/people/2/account", json!({ "login": "asha.k" })).await;
    assert_eq!(taken.problem(409), "login_taken");
    assert_eq!(office.put("Dalila", path, json!({ "login": "a b" })).await.problem(422), "invalid");
}

#[tokio::test]
async fn a_setup_code_is_good_for_three_days() {
    let office = Office::open().await;
    let path = "/api/v1/people/1/account";
    let setup = office.put("Dalila", path, json!({ "login": "asha" })).await.ok(200);
    office.minutes_later(72 * 60);
    let body = json!({ "login": "asha", "code": setup["code"], "password": PASSWORD });
    let late = office.post("nobody", "/api/v1/account-setup", body).await;
    assert_eq!(late.problem(401), "wrong_login");
}

// Check 16.
#[tokio::test]
async fn the_cookie_of_a_session_is_kept_from_scripts_and_other_sites() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let answer = sign_in(&office, "asha", PASSWORD, None).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-fenliu=fls_"), "{cookie}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain="));
    // 256 bits that are nowhere else.
    let secret = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    assert_eq!(secret.len(), 4 + 64);
    assert!(!answer.text.contains(&secret));
}

// Checks 17, 19.
#[tokio::test]
async fn a_foreign_page_can_send_nothing_with_somebodys_cookie() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let body = json!({ "input": { "place": "Pier 4" } });
    let path = "/api/v1/referrals";
    let send = |more: &[(&str, &str)]| {
        let mut request = office.ask("nobody", Method::POST, path).header("cookie", &me.cookie);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        read(request.json(&body))
    };
    let csrf = me.csrf.as_str();
    assert_eq!(send(&[]).await.problem(403), "cross_site");
    assert_eq!(send(&[("x-csrf-token", "0")]).await.problem(403), "cross_site");
    let forged = [("x-csrf-token", csrf), ("origin", "https://evil.example")];
    assert_eq!(send(&forged).await.problem(403), "cross_site");
    let forged = [("x-csrf-token", csrf), ("sec-fetch-site", "cross-site")];
    assert_eq!(send(&forged).await.problem(403), "cross_site");
    let own = format!("http://{}", office.address);
    let right =
        [("x-csrf-token", csrf), ("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    send(&right).await.ok(201);
    // Signing somebody in from elsewhere is no way either.
    let login = json!({ "login": "asha", "password": PASSWORD });
    let request = office.ask("nobody", Method::POST, "/api/v1/login");
    let request = request.header("sec-fetch-site", "cross-site").json(&login);
    assert_eq!(read(request).await.problem(403), "cross_site");
    // No other origin is ever allowed to read.
    let request =
        office.ask("nobody", Method::OPTIONS, path).header("origin", "https://evil.example");
    let answer = read(request).await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

// Check 13.
#[tokio::test]
async fn a_session_that_was_known_before_the_sign_in_is_worth_nothing_after_it() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let first = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let again = office.ask("nobody", Method::POST, "/api/v1/login").header("cookie", &first.cookie);
    let login = json!({ "login": "asha", "password": PASSWORD });
    let second = Browser::of(&office, read(again.json(&login)).await);
    assert_ne!(first.cookie, second.cookie);
    assert_eq!(first.get("/api/v1/me").await.problem(401), "unauthorized");
    second.get("/api/v1/me").await.ok(200);
    // A secret that somebody made up is no session, whoever plants it.
    let planted = format!("__Host-fenliu=fls_{}", "0".repeat(64));
    let me = office.ask("nobody", Method::GET, "/api/v1/me").header("cookie", planted);
    assert_eq!(read(me).await.problem(401), "unauthorized");
    let two = format!("{}; {}", second.cookie, first.cookie);
    let me = office.ask("nobody", Method::GET, "/api/v1/me").header("cookie", two);
    assert_eq!(read(me).await.problem(401), "unauthorized");
}

// Check 13.
#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_at_the_latest_after_a_shift() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let idle = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    office.minutes_later(29);
    idle.get("/api/v1/me").await.ok(200);
    office.minutes_later(29);
    idle.get("/api/v1/me").await.ok(200);
    office.minutes_later(30);
    assert_eq!(idle.get("/api/v1/me").await.problem(401), "unauthorized");
    let busy = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    for _ in 0..35 {
        office.minutes_later(20);
        busy.get("/api/v1/me").await.ok(200);
    }
    office.minutes_later(20);
    assert_eq!(busy.get("/api/v1/me").await.problem(401), "unauthorized");
}

// Check 14.
#[tokio::test]
async fn signing_out_ends_every_session_of_the_person() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let here = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let there = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let sessions = here.get("/api/v1/me/sessions").await.ok(200);
    assert_eq!(sessions["items"].as_array().unwrap().len(), 2);
    assert_eq!(sessions["items"][0]["address"], "127.0.0.1");
    let out = here.post("/api/v1/logout", json!({})).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    for browser in [&here, &there] {
        assert_eq!(browser.get("/api/v1/me").await.problem(401), "unauthorized");
    }
    let token = office.post("Asha", "/api/v1/logout", json!({})).await;
    assert_eq!(token.problem(409), "no_session");
}

// Check 14.
#[tokio::test]
async fn whoever_leaves_loses_sessions_and_tokens_and_other_rights_begin_with_a_new_session() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let person = |role: &str, active: bool| json!({ "name": "Asha", "grants": [{ "role": role, "unit": "office" }], "active": active });
    office.put("Dalila", "/api/v1/people/1", person("dispatcher", true)).await.ok(200);
    me.get("/api/v1/me").await.ok(200);
    office.put("Dalila", "/api/v1/people/1", person("duty", true)).await.ok(200);
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized");
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    office.put("Dalila", "/api/v1/people/1", person("duty", false)).await.ok(200);
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized");
    assert_eq!(office.get("Asha", "/api/v1/me").await.problem(401), "unauthorized");
    assert_eq!(sign_in(&office, "asha", PASSWORD, None).await.problem(401), "wrong_login");
    // Who comes back needs a new token; the old one stays worthless.
    office.put("Dalila", "/api/v1/people/1", person("duty", true)).await.ok(200);
    assert_eq!(office.get("Asha", "/api/v1/me").await.problem(401), "unauthorized");
    sign_in(&office, "asha", PASSWORD, None).await.ok(200);
}

// Check 14.
#[tokio::test]
async fn a_password_is_changed_by_who_knows_it_and_everything_opened_with_the_old_one_ends() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let change = async |old: &str, new: &str| {
        me.post("/api/v1/me/password", json!({ "old": old, "new": new })).await
    };
    assert_eq!(change("wrong", "Bandari-2019 mpya").await.problem(401), "wrong_login");
    assert_eq!(change(PASSWORD, PASSWORD).await.problem(422), "weak_password");
    assert_eq!(change(PASSWORD, "Bandari-2019 mpya").await.status, 204);
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized");
    assert_eq!(office.get("Asha", "/api/v1/me").await.problem(401), "unauthorized");
    assert_eq!(sign_in(&office, "asha", PASSWORD, None).await.problem(401), "wrong_login");
    let me = Browser::of(&office, sign_in(&office, "asha", "Bandari-2019 mpya", None).await);
    let back = json!({ "old": "Bandari-2019 mpya", "new": PASSWORD });
    assert_eq!(me.post("/api/v1/me/password", back).await.problem(422), "weak_password");
}

#[tokio::test]
async fn an_old_password_opens_nothing_but_its_own_change() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    office.minutes_later(91 * 24 * 60);
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    assert_eq!(me.get("/api/v1/me/session").await.ok(200)["password_old"], true);
    assert_eq!(me.get("/api/v1/referrals").await.problem(403), "password_old");
    let change = json!({ "old": PASSWORD, "new": "Bandari-2019 mpya" });
    assert_eq!(me.post("/api/v1/me/password", change).await.status, 204);
    let me = Browser::of(&office, sign_in(&office, "asha", "Bandari-2019 mpya", None).await);
    me.get("/api/v1/referrals").await.ok(200);
}

// Check 12.
#[tokio::test]
async fn an_administrator_signs_in_with_a_device_or_administers_nothing() {
    let office = Office::open().await;
    account(&office, 4, "dalila").await;
    let me = Browser::of(&office, sign_in(&office, "dalila", PASSWORD, None).await);
    assert_eq!(me.get("/api/v1/me/session").await.ok(200)["second_factor"], "needed");
    assert_eq!(me.get("/api/v1/tokens").await.problem(403), "second_factor_needed");
    let enrolled =
        me.post("/api/v1/me/second-factor", json!({ "password": PASSWORD })).await.ok(200);
    let secret = enrolled["secret"].as_str().unwrap();
    assert!(enrolled["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    let confirm = async |code: &str| {
        me.post("/api/v1/me/second-factor/confirm", json!({ "code": code })).await
    };
    assert_eq!(confirm("000000").await.problem(409), "wrong_code");
    let first = device(secret, office.gate.now());
    let strong = Browser::of(&office, confirm(&first).await);
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized", "under another secret");
    strong.get("/api/v1/tokens").await.ok(200);
    assert_eq!(
        strong.post("/api/v1/me/second-factor", json!({ "password": PASSWORD })).await.problem(409),
        "second_factor_set"
    );
    // From now on the code is demanded, and none counts twice.
    assert_eq!(sign_in(&office, "dalila", PASSWORD, None).await.problem(401), "code_needed");
    let used = sign_in(&office, "dalila", PASSWORD, Some(&first)).await;
    assert_eq!(used.problem(409), "wrong_code");
    office.minutes_later(1);
    let code = device(secret, office.gate.now());
    let me = Browser::of(&office, sign_in(&office, "dalila", PASSWORD, Some(&code)).await);
    assert_eq!(me.get("/api/v1/me/session").await.ok(200)["second_factor"], "shown");
    me.get("/api/v1/tokens").await.ok(200);
    // A lost device is taken away by another administrator, with the password.
    let reset = json!({ "second_factor": true });
    let setup = office.post("Dalila", "/api/v1/people/4/account/reset", reset).await.ok(200);
    assert_eq!(me.get("/api/v1/me").await.problem(401), "unauthorized");
    let body = json!({ "login": "dalila", "code": setup["code"], "password": "Bandari-2019 mpya" });
    assert_eq!(office.post("nobody", "/api/v1/account-setup", body).await.status, 204);
    let me = Browser::of(&office, sign_in(&office, "dalila", "Bandari-2019 mpya", None).await);
    assert_eq!(me.get("/api/v1/tokens").await.problem(403), "second_factor_needed");
}

// Check 11.
#[tokio::test]
async fn guessing_is_stopped_and_the_right_password_does_not_help_then() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    account(&office, 2, "baraka").await;
    for _ in 0..5 {
        assert_eq!(sign_in(&office, "asha", "wrong", None).await.problem(401), "wrong_login");
    }
    let stopped = sign_in(&office, "asha", PASSWORD, None).await;
    assert_eq!(stopped.problem(429), "too_many_attempts");
    sign_in(&office, "baraka", PASSWORD, None).await.ok(200);
    // Whether there is such a name is not told by how it is refused.
    for _ in 0..5 {
        assert_eq!(sign_in(&office, "nobody", "wrong", None).await.problem(401), "wrong_login");
    }
    assert_eq!(sign_in(&office, "nobody", "x", None).await.problem(429), "too_many_attempts");
    office.minutes_later(15);
    sign_in(&office, "asha", PASSWORD, None).await.ok(200);
}

// Check 46.
#[tokio::test]
async fn failed_sign_ins_stand_in_the_audit_log_once_an_hour_however_many_there_were() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    for _ in 0..9 {
        sign_in(&office, "asha", "wrong", None).await;
    }
    for name in ["nobody", "neither", "nor"] {
        sign_in(&office, name, "wrong", None).await;
    }
    let failed = async || {
        let gate = office.gate.clone();
        tokio::task::spawn_blocking(move || gate.write_denials().unwrap()).await.unwrap();
        let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
        let all = log["items"].as_array().unwrap().clone().into_iter();
        let all = all.filter(|entry| entry["kind"] == "sign_in_failed");
        let said = all.map(|entry| {
            let detail = &entry["detail"];
            assert_eq!(
                (&entry["actor"], &detail["last_from"]),
                (&json!("system"), &json!("127.0.0.1"))
            );
            let words = ["subject", "outcome", "attempts"];
            words.map(|word| {
                if word == "subject" { &entry[word] } else { &detail[word] }.to_string()
            })
        });
        let mut said: Vec<_> = said.map(|words| words.join(" ")).collect();
        said.sort();
        said
    };
    assert!(failed().await.is_empty(), "the hour is not over");
    office.minutes_later(60);
    let hour = [
        r#""account:unknown" "wrong_login" 3"#,
        r#""person:1" "too_many_attempts" 4"#,
        r#""person:1" "wrong_login" 5"#,
    ];
    assert_eq!(failed().await, hour);
    office.minutes_later(60);
    assert_eq!(failed().await, hour, "each hour is written once");
    // A wrong code of a device is counted, too.
    let me = with_device(&office, 4, "dalila").await;
    me.get("/api/v1/me").await.ok(200);
    sign_in(&office, "dalila", PASSWORD, Some("000000")).await;
    office.minutes_later(60);
    assert!(failed().await.contains(&r#""person:4" "wrong_code" 1"#.to_owned()));
}

// Check 46.
#[tokio::test]
async fn what_somebody_may_not_do_stands_in_the_audit_log_once_an_hour() {
    let office = Office::open().await;
    for _ in 0..7 {
        assert_eq!(office.get("Baraka", "/api/v1/tokens").await.problem(403), "forbidden");
    }
    office.put("Asha", "/api/v1/people/1", json!({ "name": "Asha", "grants": [] })).await;
    office.minutes_later(60);
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || gate.write_denials().unwrap()).await.unwrap();
    let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
    let mut denied: Vec<_> = log["items"].as_array().unwrap().iter().collect();
    denied.retain(|entry| entry["kind"] == "request_denied");
    let words = |entry: &&Json| {
        let detail = &entry["detail"];
        (entry["subject"].clone(), detail["outcome"].clone(), detail["attempts"].clone())
    };
    let mut said: Vec<_> = denied.iter().map(words).collect();
    said.sort_by_key(|(subject, ..)| subject.to_string());
    let one = (json!("person:1"), json!("write_directory"), json!(1));
    assert_eq!(said, [one, (json!("person:2"), json!("issue_tokens"), json!(7))]);
}

// Check 12.
#[tokio::test]
async fn whoever_finds_a_session_open_sets_no_device_of_his_own() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    for body in [json!({}), json!({ "password": "Matofali 9 ya bandari" })] {
        let refused = me.post("/api/v1/me/second-factor", body).await;
        assert_eq!(refused.problem(401), "wrong_login");
    }
    let path = "/api/v1/me/second-factor";
    let enrolled = me.post(path, json!({ "password": PASSWORD })).await.ok(200);
    let code = device(enrolled["secret"].as_str().unwrap(), office.gate.now());
    let answer = me.post(&format!("{path}/confirm"), json!({ "code": code })).await;
    Browser::of(&office, answer).post("/api/v1/logout", json!({})).await;
    let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
    let entries = log["items"].as_array().unwrap().iter();
    let kinds: Vec<_> = entries.map(|entry| entry["kind"].as_str().unwrap()).take(2).collect();
    assert_eq!(kinds, ["signed_out", "second_factor_set"], "the newest first");
}

/// Somebody whom the identity provider signs in, and of whom it says nothing of a second factor.
pub(super) async fn by_provider<'o>(office: &'o Office, subject: &'static str) -> Browser<'o> {
    let gate = office.gate.clone();
    let sign_in = move || {
        let attempt = Attempt { from: "127.0.0.1", older: None };
        gate.sign_in_by_provider(subject, false, attempt).unwrap()
    };
    let session = tokio::task::spawn_blocking(sign_in).await.unwrap();
    let cookie = format!("__Host-fenliu={}", session.secret);
    Browser { office, cookie, csrf: session.seen.word }
}

// Check 12.
#[tokio::test]
async fn whom_only_the_provider_knows_sets_a_device_up_right_after_signing_in_there_and_shows_it() {
    let office = Office::open().await;
    let named = json!({ "login": "dalila", "subject": "dalila@kisima" });
    office.put("Dalila", "/api/v1/people/4/account", named).await.ok(200);
    let (path, confirm) = ("/api/v1/me/second-factor", "/api/v1/me/second-factor/confirm");
    let code = |secret: &Json| device(secret["secret"].as_str().unwrap(), office.gate.now());
    // A session that somebody finds open sets up nothing.
    let me = by_provider(&office, "dalila@kisima").await;
    office.minutes_later(5);
    assert_eq!(me.post(path, json!({})).await.problem(409), "sign_in_again");
    let me = by_provider(&office, "dalila@kisima").await;
    let secret = me.post(path, json!({})).await.ok(200);
    let strong = me.post(confirm, json!({ "code": code(&secret) })).await;
    Browser::of(&office, strong).get("/api/v1/tokens").await.ok(200);
    // Signed in there again, the strong roles wait for a code of the device.
    let me = by_provider(&office, "dalila@kisima").await;
    assert_eq!(me.get("/api/v1/tokens").await.problem(403), "second_factor_needed");
    assert_eq!(me.post(path, json!({})).await.problem(409), "second_factor_set");
    let again = me.post(confirm, json!({ "code": code(&secret) })).await;
    assert_eq!(again.problem(409), "wrong_code", "a code counts once");
    office.minutes_later(1);
    let strong = me.post(confirm, json!({ "code": code(&secret) })).await;
    let strong = Browser::of(&office, strong);
    strong.get("/api/v1/tokens").await.ok(200);
    let more = strong.post(confirm, json!({ "code": code(&secret) })).await;
    assert_eq!(more.problem(409), "no_enrolment");
}

// Check 12.
#[tokio::test]
async fn a_new_device_is_confirmed_within_ten_minutes_and_its_codes_are_not_guessed() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let me = Browser::of(&office, sign_in(&office, "asha", PASSWORD, None).await);
    let (path, confirm) = ("/api/v1/me/second-factor", "/api/v1/me/second-factor/confirm");
    let enrol = async || me.post(path, json!({ "password": PASSWORD })).await.ok(200);
    let code = |secret: &Json| device(secret["secret"].as_str().unwrap(), office.gate.now());
    let secret = enrol().await;
    office.minutes_later(10);
    let late = me.post(confirm, json!({ "code": code(&secret) })).await;
    assert_eq!(late.problem(409), "no_enrolment");
    let secret = enrol().await;
    for _ in 0..5 {
        let wrong = me.post(confirm, json!({ "code": "no code" })).await;
        assert_eq!(wrong.problem(409), "wrong_code");
    }
    let stopped = me.post(confirm, json!({ "code": code(&secret) })).await;
    assert_eq!(stopped.problem(429), "too_many_attempts");
}

// Check 11.
#[tokio::test]
async fn a_whole_office_signs_in_from_one_address_and_failures_there_still_count() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    for _ in 0..60 {
        sign_in(&office, "asha", PASSWORD, None).await.ok(200);
    }
    // At an address where she usually signs in nothing else would stop her: a stranger is asked.
    for name in ["one", "two", "three"] {
        assert_eq!(sign_in(&office, name, "x", None).await.problem(401), "wrong_login");
    }
}

// Check 7.
#[tokio::test]
async fn an_auditor_sees_how_the_house_runs_and_changes_nothing() {
    let office = Office::county().await;
    let auditor = "yingji.auditor";
    for path in ["/api/v1/alarms", "/api/v1/audit", "/api/v1/checkpoints", "/api/v1/channels"] {
        office.get(auditor, path).await.ok(200);
    }
    for path in ["/api/v1/alarms/clear", "/api/v1/alarms/1/clear", "/api/v1/messages/x/resend"] {
        let refused = office.post(auditor, path, json!({ "kind": "digest" })).await;
        assert_eq!(refused.problem(403), "forbidden", "{path}");
    }
}

// Check 35.
#[tokio::test]
async fn a_storm_of_sign_ins_leaves_the_house_working() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let storm = (0..40).map(|n| {
        let body = json!({ "login": format!("guess{n}"), "password": "wrong" });
        read(office.ask("nobody", Method::POST, "/api/v1/login").json(&body))
    });
    let working = office.get("Asha", "/api/v1/referrals");
    let (answers, meanwhile) = tokio::join!(futures_util::future::join_all(storm), working);
    meanwhile.ok(200);
    for answer in answers {
        assert_eq!(answer.problem(401), "wrong_login");
    }
}

// Check 15.
#[tokio::test]
async fn a_token_is_narrowed_to_acts_and_units_and_shows_when_it_was_used() {
    let office = Office::open().await;
    let issue = async |more: Json| {
        let mut body = json!({ "person": 2, "label": "crane system" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        office.post("Dalila", "/api/v1/tokens", body).await
    };
    let narrow = issue(json!({ "acts": ["see_matter"] })).await.ok(201);
    let id = office.assigned("Pier 4", "cranes").await;
    let ask = async |method: Method, path: &str, body: Json| {
        let token = narrow["token"].as_str().unwrap();
        read(office.ask("nobody", method, path).bearer_auth(token).json(&body)).await
    };
    ask(Method::GET, &format!("/api/v1/referrals/{id}"), json!({})).await.ok(200);
    let path = format!("/api/v1/referrals/{id}/commands");
    let command = ask(Method::POST, &path, json!({ "command": "repaired" })).await;
    assert_eq!(command.problem(403), "forbidden");
    let elsewhere = issue(json!({ "units": ["divers"] })).await.ok(201);
    let token = elsewhere["token"].as_str().unwrap();
    let list = office.ask("nobody", Method::GET, "/api/v1/referrals").bearer_auth(token);
    assert_eq!(read(list).await.problem(403), "forbidden", "no role there");
    assert_eq!(issue(json!({ "acts": ["fly"] })).await.problem(422), "invalid");
    assert_eq!(issue(json!({ "units": ["nosuch"] })).await.problem(422), "invalid");
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || gate.write_uses().unwrap()).await.unwrap();
    let gate = office.gate.clone();
    tokio::task::spawn_blocking(move || gate.reload().unwrap()).await.unwrap();
    let listed = office.get("Dalila", "/api/v1/tokens").await.ok(200);
    let shown =
        listed["items"].as_array().unwrap().iter().find(|t| t["id"] == narrow["id"]).unwrap();
    assert!(shown["last_used_at"].is_string(), "{shown}");
    assert_eq!(shown["acts"], json!(["see_matter"]));
}

// Check 15.
#[tokio::test]
async fn a_token_for_one_unit_reads_no_message_about_another_units_matters() {
    let office = Office::open().await;
    // Baraka speaks for the cranes and, today, for the divers as well.
    let grants =
        json!([{ "role": "liaison", "unit": "cranes" }, { "role": "liaison", "unit": "divers" }]);
    let baraka = json!({ "name": "Baraka", "email": "baraka@kisima.invalid", "grants": grants });
    office.put("Dalila", "/api/v1/people/2", baraka).await.ok(200);
    let told = office.assigned("Pier 4", "cranes").await;
    office.assigned("Pier 5", "divers").await;
    let body = json!({ "person": 2, "label": "crane system", "units": ["cranes"] });
    let token = office.post("Dalila", "/api/v1/tokens", body).await.ok(201);
    let token = token["token"].as_str().unwrap();
    let ask =
        async |path: &str| read(office.ask("nobody", Method::GET, path).bearer_auth(token)).await;
    let mine = "/api/v1/people/2/messages";
    let all = office.get("Baraka", mine).await.ok(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
    let narrow = ask(mine).await.ok(200);
    let about: Vec<&Json> =
        narrow["items"].as_array().unwrap().iter().map(|one| &one["instance"]).collect();
    assert_eq!(about, [&json!(told)]);
    // How he is reached concerns both.
    assert_eq!(ask("/api/v1/people/2/rules").await.problem(403), "forbidden");
}

// Check 15.
#[tokio::test]
async fn a_narrow_token_shows_no_more_than_it_is_for_and_makes_none_that_is_wider() {
    let office = Office::open().await;
    let body = json!({ "input": { "place": "Pier 4", "caller": "Zuri" } });
    let opened = office.post("Asha", "/api/v1/referrals", body).await.ok(201);
    let path = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
    let issue = async |person: i64, acts: &[&str], by: Option<&str>, more: Json| {
        let mut body =
            json!({ "person": person, "label": "narrow", "acts": acts, "strong": person == 4 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let request = office.ask("Dalila", Method::POST, "/api/v1/tokens");
        let request = match by {
            Some(token) => {
                let request = office.ask("nobody", Method::POST, "/api/v1/tokens");
                request.bearer_auth(token)
            }
            None => request,
        };
        read(request.json(&body)).await
    };
    let secret = |answer: Answer| answer.ok(201)["token"].as_str().unwrap().to_owned();
    let seen = async |acts: &[&str]| {
        let token = secret(issue(1, acts, None, json!({})).await);
        read(office.ask("nobody", Method::GET, &path).bearer_auth(token)).await.ok(200)
    };
    // A dispatcher sees who called; a program of his that is to see how matters stand does not.
    assert_eq!(seen(&["see_matter", "see_caller"]).await["personal"]["caller"], "Zuri");
    let blind = seen(&["see_matter"]).await;
    assert!(!blind.to_string().contains("Zuri"), "{blind}");
    // What is made by a token stays within it, and ends with it.
    let soon = office.gate.now().plus(24 * 3_600_000);
    let end = json!({ "expires_at": soon.timestamp().to_string() });
    let maker = secret(issue(4, &["issue_tokens", "see_matter"], None, end).await);
    let wider = issue(1, &[], Some(&maker), json!({})).await;
    assert_eq!(wider.problem(422), "invalid");
    let wider = issue(1, &["see_matter", "command"], Some(&maker), json!({})).await;
    assert_eq!(wider.problem(422), "invalid");
    let late = office.gate.now().plus(48 * 3_600_000).timestamp().to_string();
    let longer = issue(1, &["see_matter"], Some(&maker), json!({ "expires_at": late })).await;
    assert_eq!(longer.problem(422), "invalid");
    let made = issue(1, &["see_matter"], Some(&maker), json!({})).await.ok(201);
    let ends = made["expires_at"].as_str().unwrap();
    assert!(Instant::parse(ends).unwrap().since(soon).abs() < 1000, "{ends}");
}

// Checks 12, 15.
#[tokio::test]
async fn a_token_has_the_roles_that_wait_for_a_second_factor_only_if_it_was_made_so() {
    let office = Office::open().await;
    let issue = async |strong: bool| {
        let body = json!({ "person": 4, "label": "nightly", "strong": strong });
        let made = office.post("Dalila", "/api/v1/tokens", body).await.ok(201);
        made["token"].as_str().unwrap().to_owned()
    };
    let by = async |token: &str, method: Method, path: &str, body: Json| {
        let request = office.ask("nobody", method, path);
        read(request.bearer_auth(token).json(&body)).await
    };
    let (weak, strong) = (issue(false).await, issue(true).await);
    let path = "/api/v1/tokens";
    by(&weak, Method::GET, path, json!({})).await.problem(403);
    let listed = by(&strong, Method::GET, path, json!({})).await.ok(200);
    let last = listed["items"].as_array().unwrap().iter().filter(|one| one["label"] == "nightly");
    let last: Vec<bool> = last.map(|one| one["strong"].as_bool().unwrap()).collect();
    assert_eq!(last, [false, true]);
    // No session without a second factor makes one: it has no such role itself.
    account(&office, 4, "dalila").await;
    let me = Browser::of(&office, sign_in(&office, "dalila", PASSWORD, None).await);
    let wish = json!({ "person": 4, "label": "mine", "strong": true });
    me.post(path, wish).await.problem(403);
}

// Check 15.
#[tokio::test]
async fn a_narrow_token_is_no_way_to_an_account_or_to_more_rights() {
    let office = Office::open().await;
    account(&office, 1, "asha").await;
    let by = async |act: &str, method: Method, path: &str, body: Json| {
        let wish = json!({ "person": 4, "label": "narrow", "acts": [act], "strong": true });
        let made = office.post("Dalila", "/api/v1/tokens", wish).await.ok(201);
        let request = office.ask("nobody", method, path);
        read(request.bearer_auth(made["token"].as_str().unwrap()).json(&body)).await
    };
    let path = "/api/v1/people/1/account";
    by("keep_accounts", Method::GET, path, json!({})).await.ok(200);
    let renamed = json!({ "login": "dalila" });
    let given = by("keep_accounts", Method::PUT, path, renamed).await;
    assert_eq!(given.problem(403), "narrow_token");
    let lost = json!({ "second_factor": true });
    let reset = by("keep_accounts", Method::POST, &format!("{path}/reset"), lost.clone()).await;
    assert_eq!(reset.problem(403), "narrow_token");
    sign_in(&office, "asha", PASSWORD, None).await.ok(200);
    let asha = |name: &str, role: &str| json!({ "name": name, "grants": [{ "role": role, "unit": "office" }] });
    let path = "/api/v1/people/1";
    let more = by("write_directory", Method::PUT, path, asha("Asha", "administrator")).await;
    assert_eq!(more.problem(403), "narrow_token");
    let new = by("write_directory", Method::POST, "/api/v1/people", asha("Kito", "leader")).await;
    assert_eq!(new.problem(403), "narrow_token");
    // A name is changed by it, and whoever may everything goes on doing so by a whole token.
    let known = office.get("Dalila", path).await.ok(200);
    let mut same = asha("Asha K.", "dispatcher");
    for address in ["email", "phone"] {
        same[address] = known[address].clone();
    }
    by("write_directory", Method::PUT, path, same).await.ok(200);
    office.post("Dalila", "/api/v1/people/1/account/reset", lost).await.ok(200);
}

// Check 15.
#[tokio::test]
async fn a_token_for_one_thing_does_it_and_shows_what_it_did() {
    let office = Office::county().await;
    let by = async |who: &str, act: &str, method: Method, path: &str, body: Json| {
        let id = office.get(who, "/api/v1/me").await.ok(200)["person"]["id"].clone();
        let wish = json!({ "person": id, "label": "one thing", "acts": [act], "strong": true });
        let made = office.post("yingji.administrator", "/api/v1/tokens", wish).await.ok(201);
        let request = office.ask("nobody", method, path);
        read(request.bearer_auth(made["token"].as_str().unwrap()).json(&body)).await
    };
    let unit = json!({ "name": { "zh": "县水利局", "en": "water" }, "kind": "department" });
    let path = "/api/v1/units/shuili";
    let put = by("yingji.administrator", "write_directory", Method::PUT, path, unit).await.ok(200);
    assert_eq!(put["name"]["zh"], "县水利局");
    let body = json!({ "input": { "place": "葛城街道", "text": "夜间施工扰民", "kind": "help",
        "category": "env.waste-water", "caller_phone": "13800001234" } });
    let path = "/api/v1/referrals";
    let opened = by("gongan.dispatcher", "open", Method::POST, path, body).await.ok(201);
    let path = format!("/api/v1/referrals/{}/reveal", opened["id"].as_str().unwrap());
    let purpose = json!({ "purpose": "核实退回理由，需联系来电人" });
    let shown = by("yingji.duty", "reveal_caller", Method::POST, &path, purpose).await.ok(200);
    assert_eq!(shown["personal"]["caller_phone"], "13800001234");
}

// Check 15.
#[tokio::test]
async fn every_token_ends_and_what_is_done_by_it_says_who_had_it_made() {
    let office = Office::open().await;
    let issue = async |more: Json| {
        let mut body = json!({ "person": 1, "label": "console" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        office.post("Dalila", "/api/v1/tokens", body).await
    };
    let far = office.gate.now().plus(366 * 24 * 3_600_000).timestamp().to_string();
    assert_eq!(issue(json!({ "expires_at": far })).await.problem(422), "invalid");
    let issued = issue(json!({})).await.ok(201);
    assert!(issued["expires_at"].is_string(), "as long as the house allows, no longer");
    // Dalila has a token made that acts as Asha: what it does is not Asha's word alone.
    let body = json!({ "input": { "place": "Pier 4" } });
    let request = office.ask("nobody", Method::POST, "/api/v1/referrals");
    let opened = read(request.bearer_auth(issued["token"].as_str().unwrap()).json(&body)).await;
    let id = opened.ok(201)["id"].as_str().unwrap().to_owned();
    let events = office.get("Asha", &format!("/api/v1/referrals/{id}/events")).await.ok(200);
    let first = &events["items"][0];
    assert_eq!((&first["actor"], &first["token"]), (&json!("person:1"), &issued["id"]));
    let log = office.get("Dalila", "/api/v1/audit").await.ok(200);
    let mut entries = log["items"].as_array().unwrap().iter();
    let made = entries.find(|entry| entry["detail"]["token"] == issued["id"]).unwrap();
    let named = (&made["kind"], &made["actor"], &made["subject"]);
    assert_eq!(named, (&json!("token_issued"), &json!("person:4"), &json!("person:1")));
    assert!(made["token"].is_i64(), "Dalila used one herself: {made}");
}

#[tokio::test]
async fn an_appointment_begins_and_ends_on_its_day_by_itself() {
    let office = Office::open().await;
    let id = office.assigned("Pier 4", "cranes").await;
    let path = format!("/api/v1/referrals/{id}");
    assert_eq!(office.get("Chiku", &path).await.problem(404), "not_found");
    let body = json!({ "name": "Chiku", "grants": [{ "role": "liaison", "unit": "divers" }],
        "terms": [{ "role": "liaison", "unit": "cranes",
            "from": "2018-07-02T10:00:00+03:00", "until": "2018-07-02T12:00:00+03:00" }] });
    let put = office.put("Dalila", "/api/v1/people/3", body.clone()).await.ok(200);
    assert_eq!(put["terms"][0]["until"], "2018-07-02T12:00:00+03:00");
    assert_eq!(office.get("Chiku", &path).await.problem(404), "not_found");
    office.minutes_later(50);
    office.get("Chiku", &path).await.ok(200);
    let seen = office.get("Dalila", "/api/v1/people/3").await.ok(200);
    assert_eq!((&seen["grants"], &seen["terms"]), (&body["grants"], &put["terms"]));
    // Whoever is appointed is told while it lasts.
    let told = office.report("Pier 5").await;
    let assign = json!({ "command": "assign", "input": { "unit": "cranes" } });
    office.command("Asha", &told, assign.clone()).await.ok(200);
    assert_eq!(office.messages_to(3).await.len(), 1);
    office.minutes_later(120);
    assert_eq!(office.get("Chiku", &path).await.problem(404), "not_found");
    let wrong = json!({ "name": "Chiku", "grants": [], "terms": [{ "role": "liaison", "unit": "cranes",
        "from": "2018-07-02T10:00:00+03:00", "until": "2018-07-02T10:00:00+03:00" }] });
    assert_eq!(office.put("Dalila", "/api/v1/people/3", wrong).await.problem(422), "invalid");
}

// Check 7.
#[tokio::test]
async fn nobody_audits_what_he_administers() {
    let office = Office::open().await;
    let both = json!({ "name": "Faraji", "grants": [{ "role": "auditor", "unit": "office" },
        { "role": "administrator", "unit": "office" }] });
    let refused = office.post("Dalila", "/api/v1/people", both).await;
    assert_eq!(refused.problem(422), "invalid");
    assert!(refused.json["detail_zh"].as_str().unwrap().contains("不得同时担任"));
}
