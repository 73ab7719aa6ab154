//! `[channel.sms.gateway]`: the form of an HTTP gateway.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Secret;

/// SMS by an HTTP gateway. In `url`, `headers`, `body` and `sign` there may be `{address}`, `{text}`,
/// `{text_json}` (for JSON within a JSON text), `{id}`, `{time}` (seconds), `{time_ms}`, `{time_iso}`,
/// `{nonce}`, `{key}`, `{secret}`, `{body_sha256}` and `{signature}`; `{{` and `}}` are braces.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gateway {
    /// The address.
    pub url: String,
    /// `POST`, `GET` …
    pub method: String,
    /// Headers by name, e.g. `{ Authorization = "Bearer {secret}" }`.
    pub headers: BTreeMap<String, String>,
    /// What the body is: `json`, `form` or `none`.
    pub body_kind: BodyKind,
    /// The body: a JSON document, or `key=text&key=text`.
    pub body: String,
    /// By which name the provider knows the office.
    pub key: String,
    /// The secret that requests are signed with.
    pub secret: Secret,
    /// What is signed by HMAC-SHA256, e.g. `{key}{time}{nonce}{address}`; empty: nothing is.
    pub sign: String,
    /// How the signature is written down: `hex` or `base64`.
    pub encoding: Encoding,
    /// What is asked for (GET) at a self-test; empty: whether the server answers at all.
    pub test_url: String,
    /// A PEM file of certificates that are trusted besides the system's; empty: none.
    pub roots: PathBuf,
    /// What an answer means.
    pub success: Success,
    /// How receipts and replies are read that the provider posts.
    pub reading: Reading,
    /// How the provider proves that it is the one who posts them.
    pub posting: Posting,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            url: String::new(),
            method: "POST".to_owned(),
            headers: BTreeMap::new(),
            body_kind: BodyKind::Json,
            body: r#"{"mobile": "{address}", "content": "{text}"}"#.to_owned(),
            key: String::new(),
            secret: Secret::default(),
            sign: String::new(),
            encoding: Encoding::Hex,
            test_url: String::new(),
            roots: PathBuf::new(),
            success: Success::default(),
            reading: Reading::default(),
            posting: Posting::default(),
        }
    }
}

/// What kind of text a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// JSON.
    Json,
    /// A form.
    Form,
    /// There is none.
    None,
}

/// How a signature is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal digits.
    Hex,
    /// Base64.
    Base64,
}

/// What an answer of the gateway means. Pointers are JSON pointers into the answer, e.g. `/data/id`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Success {
    /// Status codes that may mean success; empty: 200 to 299.
    pub status: Vec<u16>,
    /// To the code; empty: the status alone decides.
    pub pointer: String,
    /// Codes that mean success, e.g. `["0", "OK"]`.
    pub accepted: Vec<String>,
    /// Codes that mean that this recipient or text is refused for good.
    pub never: Vec<String>,
    /// Status codes of 500 and above that mean, without a code, that the text was surely not taken;
    /// after any other of them nobody knows.
    pub refused: Vec<u16>,
    /// To what the provider calls the message; empty: it does not say.
    pub reference: String,
    /// To the provider's words; empty: none.
    pub reason: String,
}

/// How receipts and replies are read that the provider posts. Pointers lead into each entry; an empty
/// one reads nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// To the list of entries; empty: what is posted is the entry, or the list.
    pub list: String,
    /// To what the provider calls the message.
    pub reference: String,
    /// To the state of the message.
    pub state: String,
    /// States that mean: on the device.
    pub delivered: Vec<String>,
    /// States that are no end.
    pub pending: Vec<String>,
    /// To the provider's words.
    pub reason: String,
    /// To the number that a reply came from.
    pub from: String,
    /// To the text of a reply.
    pub text: String,
}

/// What the provider posts to `/in/sms` is taken only with a proof that it comes from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Posting {
    /// The secret shared with the provider; empty: nothing is taken by HTTP.
    pub secret: Secret,
    /// `header` or `query`: the secret itself stands there; `hmac`: a header holds the HMAC-SHA256 of
    /// the body by the secret. A query stands in the logs of proxies: take it only if nothing else goes.
    pub proof: Proof,
    /// The header or the parameter that holds the proof.
    pub name: String,
    /// How an HMAC is written down: `hex` or `base64`.
    pub encoding: Encoding,
    /// What the provider wants to read when all is well.
    pub answer: String,
}

impl Default for Posting {
    fn default() -> Self {
        Self {
            secret: Secret::default(),
            proof: Proof::Header,
            name: "X-Gateway-Secret".to_owned(),
            encoding: Encoding::Hex,
            answer: r#"{"code": 0}"#.to_owned(),
        }
    }
}

/// Where the proof of a provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The secret in a header.
    Header,
    /// The secret in the query.
    Query,
    /// The signature of the body in a header.
    Hmac,
}
