//! A service with its data, and people who ask it.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenliu::clock::StillClock;
use fenliu::config::jurisdiction::Jurisdiction;
use fenliu::domain::{Actor, Instant, JurisdictionId, Kind, Message, PersonId, Scope};
use fenliu::gate::{AlertRules, Caller, Gate, MessageFilter, NewToken, Parts};
use fenliu::http::{Server, Stopper};
use fenliu::routing::Router;
use fenliu::store::{Options, Store};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value as Json, json};

pub(crate) const WORKFLOW: &str = include_str!("referral.yaml");
pub(crate) const CALENDAR: &str = include_str!("calendar.yaml");
pub(super) const PEOPLE: &str = include_str!("harbour.yaml");

/// When the tests begin: a Monday morning in Nairobi.
pub(super) const MORNING: &str = "2018-07-02T09:10:00+03:00";

/// A running service. It stops when it is dropped.
pub(crate) struct Office {
    pub(crate) address: std::net::SocketAddr,
    pub(crate) clock: Arc<StillClock>,
    pub(crate) stopper: Stopper,
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) gate: Gate,
    client: reqwest::Client,
}

/// An answer that has been read.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Json,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The problem's code, after a look at its form.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> &str {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.json["status"], status);
        let code = self.json["code"].as_str().unwrap();
        assert_eq!(self.json["type"], format!("urn:fenliu:problem:{code}"));
        code
    }

    #[track_caller]
    pub(crate) fn ok(self, status: u16) -> Json {
        assert_eq!(self.status, status, "{}", self.text);
        self.json
    }
}

pub(crate) async fn read(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Json::Null);
    Answer { status, headers, text, json }
}

/// A database that is gone with its office.
fn memory() -> Store {
    Store::open("sqlite::memory:", Options::default()).unwrap()
}

/// As the shipped settings have it: a proxy on this machine says where a request comes from.
fn behind_a_proxy() -> fenliu::http::Options {
    let trusted = vec![std::net::Ipv4Addr::LOCALHOST.into()];
    fenliu::http::Options { trusted, ..fenliu::http::Options::default() }
}

impl Office {
    pub(crate) async fn open() -> Self {
        let workflows = vec![WORKFLOW.to_owned()];
        Self::of(memory, PEOPLE.to_owned(), CALENDAR.to_owned(), workflows, MORNING).await
    }

    /// The county as it is shipped, on a Monday morning. People go by their posts,
    /// `gongan.dispatcher`.
    pub(crate) async fn county() -> Self {
        Self::county_in(memory).await
    }

    /// The same in another store.
    pub(crate) async fn county_in(store: impl FnOnce() -> Store + Send + 'static) -> Self {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
        let files = fenliu::app::workflow::yaml_files(&root.join("workflows")).unwrap();
        let workflows = files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let people = text("config/jurisdictions/chengkou.yaml");
        let calendar = text("config/calendars/chongqing.yaml");
        Self::of(store, people, calendar, workflows, "2018-07-02T09:10:00+08:00").await
    }

    async fn of(
        store: impl FnOnce() -> Store + Send + 'static,
        people: String,
        calendar: String,
        workflows: Vec<String>,
        at: &str,
    ) -> Self {
        let clock = Arc::new(StillClock::new(Instant::parse(at).unwrap()));
        let (shown, tokens) = (Arc::clone(&clock), BTreeMap::new());
        let made = tokio::task::spawn_blocking(move || {
            let store = store();
            store.migrate().unwrap();
            let entropy = |bytes: &mut [u8]| getrandom::fill(bytes).unwrap();
            let gate = Gate::open(Parts {
                store,
                clock: shown,
                entropy,
                batch_max: 16,
                alerts: AlertRules { bundle_ms: 0, ..AlertRules::default() },
            })
            .unwrap();
            let mut tokens = tokens;
            found(&gate, &people, &calendar, &workflows, &mut tokens);
            (gate, tokens)
        });
        let (gate, tokens) = made.await.unwrap();
        let server = Server::bind("127.0.0.1:0", gate.clone(), behind_a_proxy()).unwrap();
        let (address, stopper) = (server.local_addr(), server.stopper());
        tokio::spawn(async move { server.run().await.unwrap() });
        Self { address, clock, stopper, tokens, gate, client: reqwest::Client::new() }
    }

    /// A request of somebody; nobody: without a token.
    pub(crate) fn ask(&self, who: &str, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        match self.tokens.get(who) {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub(crate) async fn get(&self, who: &str, path: &str) -> Answer {
        read(self.ask(who, Method::GET, path)).await
    }

    pub(crate) async fn post(&self, who: &str, path: &str, body: Json) -> Answer {
        read(self.ask(who, Method::POST, path).json(&body)).await
    }

    pub(crate) async fn put(&self, who: &str, path: &str, body: Json) -> Answer {
        read(self.ask(who, Method::PUT, path).json(&body)).await
    }

    /// The jurisdiction.
    pub(crate) fn owner(&self) -> JurisdictionId {
        self.gate.registry().jurisdictions()[0]
    }

    /// Its calls are read by this router from now on.
    pub(crate) fn use_router(&self, router: Arc<Router>) {
        self.gate.use_router(self.owner(), router);
    }

    /// Time goes on.
    pub(crate) fn minutes_later(&self, minutes: i64) {
        self.clock.set(self.gate.now().plus(minutes * 60_000));
    }

    /// The newest message of a kind to a person.
    pub(crate) async fn newest_of(&self, person: i64, kind: Kind) -> Message {
        let all = self.messages_to(person).await;
        all.into_iter().find(|message| message.kind == kind).unwrap()
    }

    /// The newest message to a person, by id.
    pub(crate) async fn newest_to(&self, person: i64) -> Message {
        self.messages_to(person).await.remove(0)
    }

    /// What was written to a person, the newest first, as the outbox has it.
    pub(crate) async fn messages_to(&self, person: i64) -> Vec<Message> {
        let gate = self.gate.clone();
        let look = move || {
            let jurisdiction = gate.registry().jurisdictions()[0];
            let caller = Caller { actor: Actor::System, jurisdiction };
            let person = Some(PersonId(person));
            let filter = MessageFilter { person, ..MessageFilter::default() };
            gate.messages(&caller, filter, 100).unwrap().items
        };
        tokio::task::spawn_blocking(look).await.unwrap()
    }

    /// A new referral; its id.
    pub(crate) async fn report(&self, place: &str) -> String {
        let body = json!({ "input": { "place": place } });
        let answer = self.post("Asha", "/api/v1/referrals", body).await.ok(201);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// A referral that lies with a unit.
    pub(crate) async fn assigned(&self, place: &str, unit: &str) -> String {
        let id = self.report(place).await;
        let input = json!({ "command": "assign", "input": { "unit": unit } });
        self.command("Asha", &id, input).await.ok(200);
        id
    }

    pub(crate) async fn command(&self, who: &str, id: &str, body: Json) -> Answer {
        self.post(who, &format!("/api/v1/referrals/{id}/commands"), body).await
    }
}

fn found(
    gate: &Gate,
    people: &str,
    calendar: &str,
    workflows: &[String],
    tokens: &mut BTreeMap<String, String>,
) {
    let directory = Jurisdiction::from_yaml(people).unwrap().directory(JurisdictionId(0));
    let jurisdiction = gate.found(&directory, calendar, workflows).unwrap();
    let caller = Caller { actor: Actor::System, jurisdiction };
    for person in directory.people.values() {
        let (id, label) = (person.id, "test".to_owned());
        let new = NewToken {
            person: PersonId(id.0),
            label,
            expires_at: None,
            scope: Scope { strong: true, ..Scope::default() },
        };
        let issued = gate.issue_token(&caller, &new).unwrap();
        for grant in &person.grants {
            let post = format!("{}.{}", grant.unit, grant.role);
            tokens.entry(post).or_insert_with(|| issued.secret.clone());
        }
        tokens.insert(person.name.clone(), issued.secret);
    }
}
