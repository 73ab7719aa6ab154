//! The desk at the API of a service that runs as a process of its own, and a caller who does not exist.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};

use super::process::Service;

pub(crate) const NAME: &str = "欧阳金丝雀";
pub(crate) const PHONE: &str = "19912345678";
pub(crate) const ADDRESS: &str = "金丝雀巷77号";
pub(crate) const DOOR: &str = "啼鸣苑2幢404室";
pub(crate) const SAID: &str = "隔壁金丝雀彻夜鸣叫";
pub(crate) const PLACE: &str = "葛城街道";

/// The desk at its API.
#[derive(Clone)]
pub(crate) struct Desk {
    client: Client,
    pub(crate) base: String,
    pub(crate) token: String,
}

impl Desk {
    /// The desk of a service, by the administrator's token; the token of the desk if it is known.
    pub(crate) async fn at(service: &Service, administrator: &str, token: Option<&str>) -> Self {
        let base = service.said.split("http://").nth(1).unwrap();
        let base = format!("http://{}", base.split_whitespace().next().unwrap());
        let client = Client::new();
        let token = token.unwrap_or(administrator).to_owned();
        let known = token != administrator;
        let desk = Self { client, base, token };
        if known { desk } else { desk.somebody("gongan.dispatcher").await }
    }

    /// Somebody of a post, such as `huanbao.liaison`, at the same service: an administrator asks.
    pub(crate) async fn somebody(&self, post: &str) -> Self {
        let (unit, role) = post.split_once('.').unwrap();
        let people = self.ask(Method::GET, "/api/v1/people", &Json::Null).await;
        let has = |person: &&Json| {
            let mut grants = person["grants"].as_array().unwrap().iter();
            grants.any(|grant| grant["unit"] == unit && grant["role"] == role)
        };
        let person = people["items"].as_array().unwrap().iter().find(has).unwrap();
        let body = json!({ "person": person["id"], "label": "test", "strong": true });
        let issued = self.ask(Method::POST, "/api/v1/tokens", &body).await;
        Self { token: issued["token"].as_str().unwrap().to_owned(), ..self.clone() }
    }

    /// The service itself, as an administrator has it.
    pub(crate) fn administrator(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// What stands at a path, whatever it is.
    pub(crate) async fn text(&self, path: &str) -> String {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.text().await.unwrap()
    }

    pub(crate) async fn command(&self, id: &str, command: &str, input: Json) {
        let path = format!("/api/v1/referrals/{id}/commands");
        self.ask(Method::POST, &path, &json!({ "command": command, "input": input })).await;
    }

    pub(crate) async fn ask(&self, method: Method, path: &str, body: &Json) -> Json {
        let request = self.request(method, path);
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Json::Null)
    }

    /// Somebody calls; the matter's id.
    pub(crate) async fn called(&self, phone: &str) -> String {
        let input = json!({ "place": PLACE, "text": SAID, "category": "noise.construction-night",
            "kind": "complaint", "caller_name": NAME, "caller_phone": phone,
            "caller_address": ADDRESS, "exact_place": DOOR });
        let body = json!({ "input": input });
        let opened = self.ask(Method::POST, "/api/v1/referrals", &body).await;
        opened["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn phone_of(&self, id: &str) -> String {
        let path = format!("/api/v1/referrals/{id}");
        let seen = self.ask(Method::GET, &path, &Json::Null).await;
        seen["personal"]["caller_phone"].as_str().unwrap_or_default().to_owned()
    }
}
