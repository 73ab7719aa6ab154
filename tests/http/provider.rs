//! Signing in at an identity provider that is not ours.

use std::collections::BTreeMap;
use std::sync::Arc;

use fenliu::clock::{Clock as _, SystemClock};
use fenliu::http::{Options, Server};
use fenliu::identity::{Provider, Setting};
use reqwest::{Client, Response, redirect};
use serde_json::json;

use super::office::Office;
use crate::channel::peer::Peer;

/// A browser: it keeps cookies by host, and follows nothing by itself.
struct Browser {
    client: Client,
    cookies: BTreeMap<String, BTreeMap<String, String>>,
}

impl Browser {
    fn new() -> Self {
        let client = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        Self { client, cookies: BTreeMap::new() }
    }

    async fn go(&mut self, url: &str, form: Option<&str>) -> Response {
        let url = reqwest::Url::parse(url).unwrap();
        let place = url.port().unwrap().to_string();
        let request = match form {
            None => self.client.get(url),
            Some(form) => self
                .client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.to_owned()),
        };
        let jar = self.cookies.entry(place).or_default();
        let sent: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let response = request.header("cookie", sent.join("; ")).send().await.unwrap();
        for value in response.headers().get_all("set-cookie") {
            let pair = value.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            jar.insert(name.to_owned(), value.to_owned());
        }
        response
    }
}

fn leads(response: &Response, base: &str) -> String {
    let to = response.headers()["location"].to_str().unwrap();
    if to.starts_with('/') { format!("{base}{to}") } else { to.to_owned() }
}

/// A house with a provider beside it.
struct Place {
    office: Office,
    base: String,
    issuer: String,
    _peer: Peer,
}

impl Place {
    async fn open() -> Self {
        let office = Office::open().await;
        // The address must be known before the provider is, and the provider before the house.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let base = format!("http://{address}");
        let redirect = format!("{base}/api/v1/login/provider/return");
        let settings = json!({ "client": "fenliu", "secret": "siri kuu", "redirect": redirect });
        let peer = Peer::start("idp.mjs", &settings).await;
        let issuer = format!("http://127.0.0.1:{}", peer.port);
        let provider = Provider::new(Setting {
            issuer: issuer.clone(),
            client_id: "fenliu".to_owned(),
            client_secret: "siri kuu".to_owned(),
            redirect,
            second_factor: "mfa".to_owned(),
            roots: None,
        });
        let options = Options { provider: Some(Arc::new(provider.unwrap())), ..Options::default() };
        let server = Server::bind(address, office.gate.clone(), options).unwrap();
        tokio::spawn(async move { server.run().await.unwrap() });
        let account = json!({ "login": "asha", "subject": "asha@kisima" });
        office.put("Dalila", "/api/v1/people/1/account", account).await.ok(200);
        // The provider's tokens are of now; those of the office have ended long ago.
        office.clock.set(SystemClock::new().now());
        Self { office, base, issuer, _peer: peer }
    }

    /// Goes to the provider, signs in there, and stops before coming back; the address of the return.
    async fn signed_in_there(&self, browser: &mut Browser, login: &str) -> String {
        let left = browser.go(&format!("{}/api/v1/login/provider", self.base), None).await;
        assert_eq!(left.status(), 303);
        let asked = browser.go(&leads(&left, &self.base), None).await;
        let form = leads(&asked, &self.issuer);
        let answer = format!("prompt=login&login={login}&password=x");
        let mut at = browser.go(&form, Some(&answer)).await;
        for _ in 0..5 {
            let next = leads(&at, &self.issuer);
            if next.starts_with(&self.base) {
                return next;
            }
            at = browser.go(&next, None).await;
        }
        panic!("the provider does not send people back");
    }
}

#[tokio::test]
async fn whom_the_provider_knows_is_signed_in_with_the_rights_of_the_account() {
    let place = Place::open().await;
    let mut browser = Browser::new();
    let back = place.signed_in_there(&mut browser, "asha%40kisima").await;
    let page = browser.go(&back, None).await;
    assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
    let me = browser.go(&format!("{}/api/v1/me", place.base), None).await;
    let me: serde_json::Value = serde_json::from_str(&me.text().await.unwrap()).unwrap();
    assert_eq!(me["person"]["name"], "Asha");
    let session = browser.go(&format!("{}/api/v1/me/session", place.base), None).await;
    let session: serde_json::Value = serde_json::from_str(&session.text().await.unwrap()).unwrap();
    assert_eq!(session["second_factor"], "not_needed");
    // The code counts once.
    let again = browser.go(&back, None).await;
    assert_eq!(again.status(), 401);
    assert!(place.office.gate.figures().deeds() >= 1);
}

#[tokio::test]
async fn whom_nobody_here_is_called_like_is_not_signed_in() {
    let place = Place::open().await;
    let mut browser = Browser::new();
    let back = place.signed_in_there(&mut browser, "stranger").await;
    let page = browser.go(&back, None).await;
    assert_eq!(page.status(), 401);
    assert!(page.text().await.unwrap().contains("wrong_login"));
}

#[tokio::test]
async fn a_sign_in_that_began_in_another_browser_is_not_finished_in_this_one() {
    let place = Place::open().await;
    let (mut attacker, mut victim) = (Browser::new(), Browser::new());
    let back = place.signed_in_there(&mut attacker, "asha%40kisima").await;
    let lured = victim.go(&back, None).await;
    assert_eq!(lured.status(), 401);
    // Nor with a state of its own and the other's code.
    victim.go(&format!("{}/api/v1/login/provider", place.base), None).await;
    let lured = victim.go(&back, None).await;
    assert_eq!(lured.status(), 401);
    assert!(
        lured.headers().get_all("set-cookie").iter().all(|c| !c.to_str().unwrap().contains("fls_"))
    );
}

#[tokio::test]
async fn without_a_provider_there_is_no_way_there() {
    let office = Office::open().await;
    let answer = office.get("nobody", "/api/v1/login/provider").await;
    assert_eq!(answer.problem(404), "no_provider");
}
