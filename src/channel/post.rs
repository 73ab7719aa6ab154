//! HTTP as channels use it: no redirects, no proxy of the environment, everything bounded.

use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::{Certificate, Client, Request};
use serde_json::Value as Json;

use super::Setup;
use super::answer::fit;

/// The most of an answer that is read.
const ANSWER_MAX: usize = 65_536;

/// Hands requests over.
pub(super) struct Poster {
    client: Client,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    /// For how many seconds the service asks to be left alone.
    pub(super) retry_after: Option<u64>,
    pub(super) body: Vec<u8>,
    /// Whether all of the answer was read.
    pub(super) whole: bool,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// The request had not been sent.
    Before(String),
    /// It may have been taken.
    Unknown(String),
    /// It was not sent, because it may not go there.
    Forbidden(String),
}

/// Why an address may not be connected to; found again in the error of a request.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(super) struct Forbidden(pub(super) String);

impl Poster {
    /// `time` is what a request may take; half of it the connecting. Names are resolved by
    /// `resolver`, if one is given.
    pub(super) fn new<R>(roots: &[u8], time: Duration, resolver: Option<R>) -> Result<Self, Setup>
    where
        R: Resolve + 'static,
    {
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("fenliu/", env!("CARGO_PKG_VERSION")))
            .timeout(time)
            .connect_timeout(time / 2)
            .pool_idle_timeout(Duration::from_secs(30));
        let mut trusted = Vec::new();
        for root in super::roots::certificates(roots)? {
            let root = Certificate::from_pem(root.as_bytes());
            trusted.push(root.map_err(|error| Setup::new("roots", error))?);
        }
        if !trusted.is_empty() {
            builder = builder.tls_certs_merge(trusted);
        }
        if let Some(resolver) = resolver {
            builder = builder.dns_resolver(std::sync::Arc::new(resolver));
        }
        let client = builder.build().map_err(|error| Setup::new("roots", error))?;
        Ok(Self { client })
    }

    /// The client, to build requests with.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request and reads the answer.
    pub(super) async fn post(&self, request: Request) -> Result<Answer, Failure> {
        let mut response = self.client.execute(request).await.map_err(failure)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(reqwest::header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        let whole = loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_MAX => body.extend(chunk),
                Ok(Some(_)) | Err(_) => break false,
                Ok(None) => break true,
            }
        };
        Ok(Answer { status, retry_after, body, whole })
    }
}

impl Answer {
    /// The answer as JSON, if it is whole and is some.
    pub(super) fn json(&self) -> Option<Json> {
        self.whole.then(|| serde_json::from_slice(&self.body).ok()).flatten()
    }
}

fn failure(error: reqwest::Error) -> Failure {
    // An address may hold a token: it does not get into a sentence.
    let error = error.without_url();
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    let mut said = String::new();
    while let Some(one) = cause {
        if let Some(forbidden) = one.downcast_ref::<Forbidden>() {
            return Failure::Forbidden(forbidden.0.clone());
        }
        said = format!("{said}{}{one}", if said.is_empty() { "" } else { ": " });
        cause = one.source();
    }
    let said = fit(&said);
    if error.is_connect() || error.is_builder() {
        Failure::Before(said)
    } else {
        Failure::Unknown(said)
    }
}

/// A scalar of a JSON answer as text: services say `0`, `"0"` and `true` for the same.
pub(super) fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The HMAC-SHA256 of a text.
pub(super) fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    // A key of any length will do; the other arm is there for the type alone.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
