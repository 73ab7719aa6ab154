//! Nobody is waited for without end, the heavy questions of some leave room for the commands of all, and
//! who runs the service may ask at an address of their own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use fenliu::domain::Role;
use fenliu::http::{Limits, Options, Server, Stopper};
use fenliu::store::Store;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value as Json, json};

use super::office::{Answer, Office, read};
use crate::store::postgres::migrated_database;

const CHECK: &str = "/api/v1/definitions/check";
const DESK: &str = "gongan.dispatcher";
const OPERATOR: &str = "yingji.administrator";

/// A second door of the same house, set up otherwise. It stops when the runtime of the test ends.
struct Door<'o> {
    office: &'o Office,
    address: SocketAddr,
    management: Option<SocketAddr>,
    stopper: Stopper,
    client: reqwest::Client,
}

impl<'o> Door<'o> {
    fn open(office: &'o Office, options: Options) -> Self {
        let server = Server::bind("127.0.0.1:0", office.gate.clone(), options).unwrap();
        let (address, management) = (server.local_addr(), server.management_addr());
        let stopper = server.stopper();
        tokio::spawn(async move { server.run().await.unwrap() });
        Self { office, address, management, stopper, client: reqwest::Client::new() }
    }

    fn limited(office: &'o Office, limits: Limits) -> Self {
        Self::open(office, Options { limits, ..Options::default() })
    }

    fn ask(&self, who: &str, method: Method, at: SocketAddr, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{at}{path}"));
        match self.office.tokens.get(who) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        read(self.ask(who, Method::GET, self.address, path)).await
    }

    /// The beginning of a request whose body of so many bytes is still to come.
    fn begun(&self, who: &str, path: &str, kind: &str, length: usize) -> TcpStream {
        let token = &self.office.tokens[who];
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    }
}

/// Writes a letter at a time until something is answered or the line is closed; answers what was read.
fn letter_by_letter(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut said = Vec::new();
    loop {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(count) => said.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                if stream.write_all(b" ").is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

// Check 33.
#[tokio::test]
async fn who_sends_a_body_letter_by_letter_is_not_waited_for() {
    let office = Office::open().await;
    let body = Duration::from_millis(300);
    let door = Door::limited(&office, Limits { body, ..Limits::default() });
    // At its pace it would take hours.
    let slow = ["/api/v1/referrals", CHECK, "/api/v1/rosters/nosuch/import"];
    let kinds = ["application/json", "text/yaml", "text/csv"];
    let streams: Vec<TcpStream> = (0..5)
        .flat_map(|_| slow.into_iter().zip(kinds))
        .map(|(path, kind)| {
            let who = if path.contains("rosters") { "Dalila" } else { "Asha" };
            door.begun(who, path, kind, 1_000_000)
        })
        .collect();
    let told = tokio::task::spawn_blocking(move || {
        let threads: Vec<_> = streams
            .into_iter()
            .map(|stream| std::thread::spawn(move || letter_by_letter(stream)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    // Others are served meanwhile.
    door.get("nobody", "/health").await.ok(200);
    for said in told.await.unwrap() {
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert!(said.contains("\"request_timeout\""), "{said}");
    }
}

// Check 33.
#[tokio::test]
async fn a_request_whose_answer_does_not_come_is_told_so_and_nobody_else_waits() {
    let office = Office::open().await;
    let (body, answer) = (Duration::from_secs(3_600), Duration::from_millis(300));
    let door = Door::limited(&office, Limits { body, answer, ..Limits::default() });
    let mut stream = door.begun("Asha", "/api/v1/referrals", "application/json", 10);
    door.get("nobody", "/health").await.ok(200);
    let said = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    });
    let said = said.await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503") && said.contains("\"outcome_unknown\""), "{said}");
    assert!(said.contains("x-content-type-options"), "{said}");
}

/// How many heavy requests are being answered, as the figures have it.
async fn under_way(door: &Door<'_>) -> u32 {
    let at = door.management.unwrap_or(door.address);
    let who = if door.office.tokens.contains_key("Dalila") { "Dalila" } else { OPERATOR };
    let figures = read(door.ask(who, Method::GET, at, "/metrics")).await;
    let line = figures.text.lines().find(|line| line.starts_with("fenliu_heavy_under_way "));
    line.unwrap().rsplit(' ').next().unwrap().parse().unwrap()
}

async fn until_under_way(door: &Door<'_>, count: u32) {
    while under_way(door).await != count {
        tokio::task::yield_now().await;
    }
}

/// A whole request of this kind of whoever may ask, so that only its number is wrong.
fn whole(door: &Door<'_>, who: &str, path: &str, method: &str) -> RequestBuilder {
    let place = path.replace("{id}", "1").replace("{code}", "x").replace("{name}", "2018-Q3");
    let place = place.replace("{number}", "1");
    let asked = door.ask(who, method.parse().unwrap(), door.address, &place);
    match (method, path) {
        ("GET", _) => asked,
        (_, "/api/v1/callers/export") => {
            asked.json(&json!({ "phone": "13800001234", "purpose": "来电人要求查阅本人信息" }))
        }
        _ => asked.json(&json!({ "source": super::office::WORKFLOW })),
    }
}

/// Whether a heavy request of each kind is refused at once to whoever may ask, and to nobody else.
async fn all_are_refused(door: &Door<'_>) {
    let role = |role: Role| {
        let mut posts = door.office.tokens.keys();
        posts.find(|post| post.ends_with(&format!(".{role}"))).unwrap().clone()
    };
    let people = Role::ALL.map(role);
    for (path, method) in fenliu::http::heavy() {
        let mut refused = 0;
        for who in &people {
            let answer = read(whole(door, who, &path, &method)).await;
            // Whom no role lets ask is told that, and nothing about others.
            if answer.status == 403 {
                continue;
            }
            assert_eq!(answer.problem(503), "too_many_at_once", "{method} {path} {who}");
            assert_eq!(answer.header("retry-after"), "5");
            assert!(answer.json["detail_zh"].as_str().unwrap().contains("5秒后再试"));
            assert!(answer.json["detail"].as_str().unwrap().contains("again in 5 s"));
            refused += 1;
        }
        assert!(refused > 0, "somebody may ask {method} {path}");
        let nobody = read(whole(door, "nobody", &path, &method)).await;
        assert_eq!(nobody.problem(401), "unauthorized", "{method} {path}");
    }
}

// Check 35.
#[tokio::test]
async fn while_heavy_questions_are_answered_the_next_is_refused_at_once_and_commands_go_through() {
    let url = migrated_database();
    let address = url.clone();
    // Whoever reads the audit log waits for whoever locks it.
    let lock = || {
        let mut other = PgConnection::establish(&url).unwrap();
        other.batch_execute("BEGIN; LOCK TABLE audit_entry IN ACCESS EXCLUSIVE MODE").unwrap();
        other
    };
    let patient = fenliu::store::Options { lock_ms: 600_000, ..fenliu::store::Options::default() };
    let office = Office::county_in(move || Store::open(&address, patient).unwrap()).await;
    let door = Door::limited(&office, Limits { heavy_at_once: 2, ..Limits::default() });
    let mut other = lock();
    let held: Vec<_> = (0..2)
        .map(|_| door.ask("yingji.auditor", Method::GET, door.address, "/api/v1/audit"))
        .map(|asked| tokio::spawn(read(asked)))
        .collect();
    until_under_way(&door, 2).await;
    all_are_refused(&door).await;
    // A heavy request that is not yet there completely takes no place either.
    drop(door.begun(DESK, CHECK, "text/yaml", 1_000));
    // What is not heavy is done as ever.
    let post = async |path: &str, body: &Json| {
        read(door.ask(DESK, Method::POST, door.address, path).json(body)).await
    };
    let input = json!({ "text": "路灯不亮", "place": "葛城街道", "category": "env.waste-water",
        "kind": "help", "caller_phone": "000-0000-0001" });
    let opened = post("/api/v1/referrals", &json!({ "input": input })).await.ok(201);
    let matter = format!("/api/v1/referrals/{}", opened["id"].as_str().unwrap());
    let route = json!({ "command": "route", "input": { "unit": "huanbao" } });
    post(&format!("{matter}/commands"), &route).await.ok(200);
    door.get("huanbao.liaison", &matter).await.ok(200);
    assert_eq!(under_way(&door).await, 2, "nothing of all that took a place");
    other.batch_execute("ROLLBACK").unwrap();
    for answer in held {
        answer.await.unwrap().ok(200);
    }
    until_under_way(&door, 0).await;
    door.get(DESK, "/api/v1/counts").await.ok(200);
}

// Check 50.
#[tokio::test]
async fn management_with_an_address_of_its_own_is_served_there_and_nowhere_else() {
    let office = Office::open().await;
    let management = Some("127.0.0.1:0".to_owned());
    let door = Door::open(&office, Options { management, ..Options::default() });
    let apart = door.management.unwrap();
    let (own, both) = fenliu::http::managed();
    assert_eq!((own.as_slice(), both.as_slice()), (&["/metrics"][..], &["/health", "/ready"][..]));
    for (path, method) in fenliu::http::routes() {
        let place = path.replace("{file:.*}", "index.css").replace("{id}", "1");
        let (own, both) = (own.contains(&path.as_str()), both.contains(&path.as_str()));
        for (at, served) in [(door.address, !own), (apart, own || both)] {
            let answer = read(door.ask("nobody", method.parse().unwrap(), at, &place)).await;
            let known = answer.json["code"] != "no_such_path";
            assert_eq!(known, served, "{method} {path} at {at}: {}", answer.text);
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    let figures = async |who: &str| read(door.ask(who, Method::GET, apart, "/metrics")).await;
    assert_eq!(figures("nobody").await.problem(401), "unauthorized");
    assert_eq!(figures("Baraka").await.problem(403), "forbidden", "the right is asked for, too");
    door.get("Asha", "/api/v1/counts").await.ok(200);
    let text = figures("Dalila").await.text;
    assert!(text.contains("route=\"/api/v1/counts\",status=\"200\""), "of both addresses: {text}");
    for (at, path) in
        [(door.address, "/health"), (door.address, "/api/v1/referrals"), (apart, "/metrics")]
    {
        let trace = Method::from_bytes(b"TRACE").unwrap();
        assert_eq!(
            read(door.ask("Dalila", trace, at, path)).await.problem(405),
            "method_not_allowed"
        );
    }
    door.stopper.stop().await;
    for at in [door.address, apart] {
        assert!(TcpStream::connect(at).is_err(), "both are left");
    }
}
