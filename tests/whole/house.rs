//! The house as its settings file says, in this process, with real time.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fenliu::app::house::{self, Running};
use fenliu::clock::SystemClock;
use fenliu::config::settings::Settings;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value as Json, json};

/// A running house; its folder is gone when this is dropped.
pub(super) struct House {
    pub(super) running: Option<Running>,
    pub(super) base: String,
    client: reqwest::Client,
    admin: String,
    folder: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Status and JSON of an answer.
pub(super) async fn read(request: RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

impl House {
    /// Starts it; `more` stands in its settings file besides the shipped county.
    pub(super) fn start(more: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fenliu-whole-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        let root = env!("CARGO_MANIFEST_DIR");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\nworkers = 1\n\
             [database]\nfolder = \"{}\"\n\
             [founding]\njurisdiction = \"{root}/config/jurisdictions/chengkou.yaml\"\n\
             calendar = \"{root}/config/calendars/chongqing.yaml\"\n\
             workflows = \"{root}/workflows\"\n\
             [routing]\nfolder = \"\"\n\
             [alerts]\ntemplates = \"\"\nbundle_seconds = 0\n{more}",
            folder.display()
        );
        let file = folder.join("fenliu.toml");
        std::fs::write(&file, text).unwrap();
        let settings = Settings::load(Some(&file), std::iter::empty()).unwrap();
        let running = house::start(&settings, Arc::new(SystemClock::new())).unwrap();
        let (base, admin) = (running.base.clone(), running.token.clone().unwrap());
        let client = reqwest::Client::new();
        Self { running: Some(running), base, client, admin, folder }
    }

    pub(super) async fn stop(mut self) {
        self.running.take().unwrap().stop().await.unwrap();
    }

    pub(super) fn ask(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(token)
    }

    #[track_caller]
    fn json((status, text): (u16, String)) -> Json {
        assert!((200..300).contains(&status), "{status} {text}");
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    pub(super) async fn get(&self, token: &str, path: &str) -> Json {
        Self::json(read(self.ask(token, Method::GET, path)).await)
    }

    pub(super) async fn post(&self, token: &str, path: &str, body: Json) -> Json {
        Self::json(read(self.ask(token, Method::POST, path).json(&body)).await)
    }

    /// Somebody of a post, such as `huanbao.liaison`: the id, and a token.
    pub(super) async fn somebody(&self, post: &str) -> (Json, String) {
        let (unit, role) = post.split_once('.').unwrap();
        let people = self.get(&self.admin, "/api/v1/people").await;
        let has = |person: &&Json| {
            let mut grants = person["grants"].as_array().unwrap().iter();
            grants.any(|grant| grant["unit"] == unit && grant["role"] == role)
        };
        let person = people["items"].as_array().unwrap().iter().find(has).unwrap().clone();
        let body = json!({ "person": person["id"], "label": "test", "strong": true });
        let issued = self.post(&self.admin, "/api/v1/tokens", body).await;
        (person, issued["token"].as_str().unwrap().to_owned())
    }

    /// Gives somebody a telephone number.
    pub(super) async fn call_at(&self, person: &Json, phone: &str) {
        let path = format!("/api/v1/people/{}", person["id"]);
        let body = json!({ "name": person["name"], "phone": phone, "grants": person["grants"] });
        Self::json(read(self.ask(&self.admin, Method::PUT, &path).json(&body)).await);
    }

    /// A night noise that the desk routes to a unit; its id.
    pub(super) async fn routed(&self, unit: &str) -> String {
        let (_, desk) = self.somebody("gongan.dispatcher").await;
        let input = json!({ "text": "半夜施工", "place": "葛城街道",
            "category": "noise.construction-night", "kind": "complaint",
            "caller_phone": "00000000000" });
        let opened = self.post(&desk, "/api/v1/referrals", json!({ "input": input })).await;
        let id = opened["id"].as_str().unwrap().to_owned();
        let route = json!({ "command": "route", "input": { "unit": unit } });
        self.post(&desk, &format!("/api/v1/referrals/{id}/commands"), route).await;
        id
    }

    /// Asks again and again until the answer is as wished; a minute is enough for everything here.
    pub(super) async fn until(
        &self,
        token: &str,
        path: &str,
        wished: impl Fn(&Json) -> bool,
    ) -> Json {
        for _ in 0..600 {
            let found = self.get(token, path).await;
            if wished(&found) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{path} does not become as wished: {}", self.get(token, path).await);
    }
}
