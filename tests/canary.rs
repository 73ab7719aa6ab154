//! A caller who does not exist is planted, and everything that leaves the house is searched for him: the
//! log at its most talkative, messages, metrics, the stream of changes, the audit log, alarms, checkpoints
//! and their mails, exports.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::desk::{ADDRESS, DOOR, Desk, NAME, PHONE, PLACE, SAID};
use super::process::{FENLIU, Folder, Service};

/// What must be nowhere. Of the number also what is left of it without its ends.
const CANARIES: [&str; 7] = [NAME, PHONE, ADDRESS, DOOR, SAID, "欧阳金", "991234567"];

/// A password that somebody tries, and that the settings have.
const PASSWORD: &str = "Jinsique-9917 mima";

/// The key of a chat group's robot, whose address is its secret.
const ROBOT: &str = "b0t-9917-jinsique";

/// The service, ten minutes a second, shortly before its checkpoint of the night.
fn serve(folder: &Folder) -> Command {
    let settings = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fenliu.toml");
    let mut command = Command::new(FENLIU);
    command.current_dir(std::env::temp_dir()).args(["serve", "--config"]).arg(settings);
    command.args(["--from", "2018-07-02T23:50:00+08:00", "--speed", "600"]);
    command.env("FENLIU_DATABASE_FOLDER", &folder.0).env("FENLIU_SERVER_LISTEN", "127.0.0.1:0");
    command.env("FENLIU_ROUTING_FOLDER", routing(folder)).env("FENLIU_LOG_FILTER", "trace");
    let log = std::fs::File::create(folder.0.join("log")).unwrap();
    command.env("FENLIU_CHANNEL_EMAIL_PASSWORD", PASSWORD);
    command.env("FENLIU_CHANNEL_SMS_PASSWORD", PASSWORD);
    command.env("FENLIU_LOG_FORMAT", "json").stderr(Stdio::from(log));
    command
}

/// What a router knows that is trained in a moment: the shipped words, and some of the examples.
fn routing(folder: &Folder) -> PathBuf {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/routing");
    let own = folder.0.join("routing");
    for part in ["chinese", "chengkou"] {
        std::fs::create_dir_all(own.join(part)).unwrap();
        for file in std::fs::read_dir(shipped.join(part)).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let few: Vec<&str> = text.lines().take(100).collect();
            let is_list = path.extension().is_some_and(|end| end == "jsonl");
            let text = if is_list { few.join("\n") } else { text };
            std::fs::write(own.join(part).join(path.file_name().unwrap()), text).unwrap();
        }
    }
    own
}

/// Waits until the router is trained and has read what a caller says.
async fn advised(desk: &Desk) {
    let typed = json!({ "text": format!("{NAME} {PHONE} {SAID}"), "place": PLACE, "phone": PHONE });
    for _ in 0..600 {
        let request = desk.request(Method::POST, "/api/v1/routing/suggest").json(&typed);
        let said: Json = request.send().await.unwrap().json().await.unwrap();
        // Until then nobody has read it, and no model is named.
        if said["model"].as_str().is_some_and(|model| !model.is_empty()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the router is not trained");
}

/// Follows the stream of changes, and keeps what it says.
async fn follow(desk: &Desk) -> Arc<Mutex<String>> {
    let mut answer = desk.request(Method::GET, "/api/v1/changes").send().await.unwrap();
    let heard = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok(Some(chunk)) = answer.chunk().await {
            kept.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk));
        }
    });
    heard
}

/// Requests that are wrong, each with the caller in it.
async fn stumble(desk: &Desk, id: &str) {
    let path = "/api/v1/referrals";
    let broken = format!("{{\"input\":{{\"caller_phone\":\"{PHONE}\",\"caller_name\":\"{NAME}\"");
    let long = NAME.repeat(40);
    for body in [
        broken,
        json!({ "input": { "caller_phone": { "number": PHONE } } }).to_string(),
        json!({ "input": { "caller_name": long, "place": PLACE, "text": 7 } }).to_string(),
        json!({ "input": { PHONE: NAME } }).to_string(),
        json!({ "caller": NAME }).to_string(),
    ] {
        let request = desk.request(Method::POST, path).header("content-type", "application/json");
        let status = request.body(body).send().await.unwrap().status();
        assert!(status.is_client_error(), "{status}");
    }
    let body = json!({ "command": "attach_repeat_call", "input": { "caller": NAME } });
    let commands = format!("{path}/{id}/commands");
    let answer = desk.request(Method::POST, &commands).json(&body).send().await.unwrap();
    assert!(answer.status().is_client_error());
    let login = json!({ "login": "asha", "password": PASSWORD });
    let answer = desk.request(Method::POST, "/api/v1/login").json(&login).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let forged = "/x%0D%0A%7B%22level%22:%22FORGED%22%7D%0A\u{2028}".to_owned();
    for wrong in
        [forged, format!("{path}?caller={PHONE}"), format!("{path}/{PHONE}"), format!("/{PHONE}")]
    {
        let answer = desk.request(Method::GET, &wrong).send().await.unwrap();
        assert!(answer.status().is_client_error(), "{wrong}");
    }
}

/// A matter from its call to its end, of which a robot hears, and the caller erased.
async fn live(desk: &Desk, administrator: &Desk) -> String {
    let robot = json!({ "unit": "gongan", "form": "wecom",
        "url": format!("https://robot.example.org/cgi-bin/webhook/send?key={ROBOT}") });
    desk.ask(Method::POST, "/api/v1/subscriptions", &robot).await;
    let id = desk.called(PHONE).await;
    let again = json!({ "text": SAID, "caller_phone": PHONE, "same_caller": true,
        "danger_asked": true });
    desk.command(&id, "attach_repeat_call", again).await;
    stumble(desk, &id).await;
    let office = administrator.somebody("yingji.duty").await;
    let path = format!("/api/v1/referrals/{id}");
    let purpose = json!({ "purpose": "核实退回理由" });
    let shown = office.ask(Method::POST, &format!("{path}/reveal"), &purpose).await;
    assert_eq!(shown["personal"]["caller_phone"], PHONE, "the caller is there to be found");
    // Of a canary's song alone nobody can tell: the router has it asked about.
    desk.command(&id, "answer_guard", json!({ "police_matter": false })).await;
    desk.command(&id, "route", json!({ "unit": "huanbao" })).await;
    desk.command(&id, "withdraw", json!({ "wish": SAID })).await;
    let leader = administrator.somebody("gongan.shift_leader").await;
    let reason = json!({ "reason": "依法要求删除" });
    leader.ask(Method::POST, &format!("{path}/erase"), &reason).await;
    id
}

/// Who writes signs of a line's end into a request forges no line.
fn no_line_is_forged(log: &str) {
    for line in log.lines() {
        let line: Json = serde_json::from_str(line).unwrap_or_else(|_| panic!("no line: {line}"));
        assert_ne!(line["level"], "FORGED");
    }
}

// Checks 24, 39, 43.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn nothing_that_leaves_the_house_tells_who_called() {
    let folder = Folder::new("canary");
    let service = Service::start(&mut serve(&folder));
    let token = service.token.clone().unwrap();
    let desk = Desk::at(&service, &token, None).await;
    let administrator = desk.administrator(&token);
    let heard = follow(&desk).await;
    advised(&desk).await;
    let id = live(&desk, &administrator).await;
    desk.called(PHONE).await;
    // The checkpoint of the night, and with it its mail.
    let messages = folder.0.join("messages.log");
    let sealed = || std::fs::read_to_string(&messages).is_ok_and(|text| text.contains("封存"));
    for _ in 0..600 {
        if sealed() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // Nor any secret: of who asks, of who tried to sign in, of the settings, of the key files.
    let key = |name: &str| {
        let text = std::fs::read_to_string(folder.0.join(name)).unwrap();
        text.split_whitespace().last().unwrap().to_owned()
    };
    let secrets =
        [token, desk.token.clone(), PASSWORD.to_owned(), key("seal.key"), key("field.keys")];
    let mut outputs = Vec::new();
    let said = service.said.replace(&secrets[0], "");
    outputs.push(("the first lines", said, "answers at"));
    for (path, control) in [
        ("/metrics", "fenliu_callers_revealed_total 1"),
        ("/api/v1/audit", "founded"),
        ("/api/v1/checkpoints", "signature"),
        ("/api/v1/alarms", "items"),
    ] {
        outputs.push((path, administrator.text(path).await, control));
    }
    for (path, control) in [("/api/v1/referrals", PLACE), ("/api/v1/messages", "alert")] {
        outputs.push((path, desk.text(path).await, control));
    }
    let history = desk.text(&format!("/api/v1/referrals/{id}/events")).await;
    outputs.push(("the history", history, "caller.erased"));
    outputs.push(("the stream", heard.lock().unwrap().clone(), "event: change"));
    let export = folder.0.join("export");
    let mut command = Command::new(FENLIU);
    command.args(["export", export.to_str().unwrap()]).current_dir(std::env::temp_dir());
    command.env("FENLIU_DATABASE_FOLDER", &folder.0);
    assert!(command.status().unwrap().success());
    service.stop();
    let files = std::fs::read_dir(&export).unwrap().map(|file| file.unwrap().path());
    let whole: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    outputs.push(("the export", whole, "lock1."));
    outputs.push(("messages.log", std::fs::read_to_string(&messages).unwrap(), "封存"));
    let log = std::fs::read_to_string(folder.0.join("log")).unwrap();
    assert!(log.contains("\"TRACE\""), "the log is at its most talkative");
    no_line_is_forged(&log);
    outputs.push(("the log", log, "asked to stop"));
    for (name, text, control) in &outputs {
        assert!(text.contains(control), "{name} is not what it should be: {text}");
        // An export has all that is needed to go on elsewhere.
        let robot = (*name != "the export").then_some(ROBOT);
        for canary in CANARIES.into_iter().chain(secrets.iter().map(String::as_str)).chain(robot) {
            let told: Vec<&str> = text.lines().filter(|line| line.contains(canary)).collect();
            assert!(told.is_empty(), "{name} tells of the caller ({canary}): {told:?}");
        }
    }
}
