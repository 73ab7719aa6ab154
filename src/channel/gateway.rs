//! SMS by the HTTP interface of a gateway. What is posted, how it is signed and what the answers
//! mean is said by settings, since every provider has a form of its own.

mod incoming;
mod template;

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::{BoxFuture, FutureExt};
use reqwest::{Method, Request, Url};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use self::template::{Document, Template, Values};
use super::answer::fit;
use super::post::{Answer, Failure, Poster, hmac_sha256, scalar};
use super::{Channel, Incoming, Letter, Now, Outcome, Setup};
use crate::domain::Wire;
use crate::domain::event::hex;

pub use incoming::Reading;

/// What kind of text the body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// JSON; the template is a JSON document in whose texts the values stand.
    Json,
    /// A form; the template is `key=text&key=text`.
    Form,
    /// None: everything is in the address.
    None,
}

/// How a signature is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Hexadecimal digits, small.
    Hex,
    /// Base64.
    Base64,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Success {
    /// Status codes that may mean success; empty: 200 to 299.
    pub status: Vec<u16>,
    /// JSON pointer to the code in the answer; empty: the status alone decides.
    pub pointer: String,
    /// Codes that mean success.
    pub accepted: Vec<String>,
    /// Codes that mean that this recipient or text is refused for good.
    pub never: Vec<String>,
    /// Status codes of 500 and above that mean, without a code, that the text was surely not taken;
    /// after any other of them nobody knows.
    pub refused: Vec<u16>,
    /// JSON pointer to what the provider calls the message; empty: it does not say.
    pub reference: String,
    /// JSON pointer to the provider's words; empty: none.
    pub reason: String,
}

/// How a gateway is used. Templates may have `{address}`, `{text}`, `{text_json}`, `{id}`, `{time}`,
/// `{time_ms}`, `{time_iso}`, `{nonce}`, `{key}`, `{secret}`, `{body_sha256}`, `{signature}`.
#[derive(Clone)]
pub struct Options {
    /// Template of the address.
    pub url: String,
    /// `POST`, `GET` …
    pub method: String,
    /// Headers: templates by name.
    pub headers: BTreeMap<String, String>,
    /// What kind of text the body is.
    pub body_kind: Body,
    /// Template of the body.
    pub body: String,
    /// By which name the provider knows the office.
    pub key: String,
    /// The secret that is signed with.
    pub secret: String,
    /// Template of what is signed; empty: nothing is.
    pub sign: String,
    /// How the signature is written down.
    pub encoding: Encoding,
    /// What an answer means.
    pub success: Success,
    /// How receipts and replies are read that the provider posts.
    pub reading: Reading,
    /// Also to another machine without TLS.
    pub allow_clear_text: bool,
    /// What is asked for at a self-test; empty: whether the gateway's server answers at all.
    pub test_url: String,
    /// Certificates that are trusted besides those of the system, as PEM.
    pub roots: Vec<u8>,
    /// What one attempt may take.
    pub time: Duration,
}

/// SMS by HTTP.
pub struct Gateway {
    poster: Poster,
    now: Now,
    method: Method,
    url: Template,
    headers: Vec<(String, Template)>,
    body: Document,
    sign: Template,
    /// What the signature's text says of the body, so that it is made first.
    options: Options,
}

impl Gateway {
    /// A channel that posts.
    ///
    /// # Errors
    /// A template, a method, or certificates that cannot be read; a line that others can read.
    pub fn new(options: Options, now: Now) -> Result<Self, Setup> {
        let template = |key, text: &str| Template::parse(text).map_err(|why| Setup::new(key, why));
        let url = template("url", &options.url)?;
        let mut headers = Vec::new();
        for (name, text) in &options.headers {
            headers.push((name.clone(), template("headers", text)?));
        }
        let body = Document::parse(options.body_kind, &options.body)
            .map_err(|why| Setup::new("body", why))?;
        let sign = template("sign", &options.sign)?;
        if sign.names("signature") || (sign.names("body_sha256") && body.names("signature")) {
            return Err(Setup::new("sign", "the signature would have to contain itself"));
        }
        if body.names("body_sha256") {
            return Err(Setup::new("body", "the body would have to contain its own digest"));
        }
        if options.url.is_empty() {
            return Err(Setup::new("url", "name the gateway's address"));
        }
        let wire = Wire::of_url(&options.url);
        Setup::unless_clear(wire, "url", options.allow_clear_text)?;
        if !options.test_url.is_empty() {
            let tested = Wire::of_url(&options.test_url);
            Setup::unless_clear(tested, "test_url", options.allow_clear_text)?;
        }
        let method = Method::from_bytes(options.method.as_bytes())
            .map_err(|error| Setup::new("method", error))?;
        let none = None::<super::webhook::Reach>;
        let poster = Poster::new(&options.roots, options.time, none)?;
        Ok(Self { poster, now, method, url, headers, body, sign, options })
    }

    /// The request of a letter.
    fn request(&self, letter: &Letter) -> Result<Request, String> {
        let address = number(&letter.address)?;
        let values = self.values(address, letter);
        let url = Url::parse(&self.url.in_url(&values));
        let url = url.map_err(|error| format!("the gateway's address is no URL: {error}"))?;
        let mut builder = self.poster.client().request(self.method.clone(), url);
        for (name, template) in &self.headers {
            builder = builder.header(name, template.in_header(&values));
        }
        if let Some((kind, body)) = self.body.fill(&values) {
            if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                builder = builder.header(reqwest::header::CONTENT_TYPE, kind);
            }
            builder = builder.body(body);
        }
        builder.build().map_err(|error| format!("no request can be made: {}", error.without_url()))
    }

    fn values(&self, address: String, letter: &Letter) -> Values {
        let now = (self.now)();
        let text = letter.text.clone();
        let mut values = Values::new([
            ("address", address),
            ("text_json", escaped(&text)),
            ("text", text),
            ("id", letter.id.to_string()),
            ("time", now.0.div_euclid(1_000).to_string()),
            ("time_ms", now.0.to_string()),
            ("time_iso", now.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
            ("nonce", nonce(letter)),
            ("key", self.options.key.clone()),
            ("secret", self.options.secret.clone()),
        ]);
        let digest = |values: &Values| {
            let body = self.body.fill(values).map(|(_, body)| body).unwrap_or_default();
            hex(&Sha256::digest(body.as_bytes()))
        };
        if !self.body.names("signature") {
            values.set("body_sha256", digest(&values));
        }
        if !self.options.sign.is_empty() {
            let text = self.sign.plain(&values);
            let mac = hmac_sha256(self.options.secret.as_bytes(), text.as_bytes());
            let signature = match self.options.encoding {
                Encoding::Hex => hex(&mac),
                Encoding::Base64 => STANDARD.encode(mac),
            };
            values.set("signature", signature);
        }
        if self.body.names("signature") {
            values.set("body_sha256", digest(&values));
        }
        values
    }

    async fn hand_over(&self, letter: &Letter) -> Outcome {
        let request = match self.request(letter) {
            Ok(request) => request,
            Err(why) => return Outcome::never(why),
        };
        match self.poster.post(request).await {
            Ok(answer) => judge(&self.options.success, &answer),
            Err(Failure::Before(why) | Failure::Forbidden(why)) => {
                Outcome::later(format!("the gateway cannot be reached: {why}"))
            }
            Err(Failure::Unknown(why)) => Outcome::unknown(format!("no answer: {why}")),
        }
    }

    async fn try_out(&self) -> Outcome {
        let wish = if self.options.test_url.is_empty() {
            // Any answer of the server shows that name, line and TLS work.
            let values = self.values("0".to_owned(), &Letter::default());
            Url::parse(&self.url.in_url(&values)).map(|mut url| {
                url.set_path("/");
                url.set_query(None);
                self.poster.client().head(url)
            })
        } else {
            Url::parse(&self.options.test_url).map(|url| self.poster.client().get(url))
        };
        let request = match wish.map(|builder| builder.build()) {
            Ok(Ok(request)) => request,
            Ok(Err(error)) => return Outcome::later(fit(&error.without_url().to_string())),
            Err(error) => return Outcome::later(format!("the address is no URL: {error}")),
        };
        match self.poster.post(request).await {
            Ok(answer)
                if self.options.test_url.is_empty() || (200..300).contains(&answer.status) =>
            {
                Outcome::ACCEPTED
            }
            Ok(answer) => Outcome::later(format!("the gateway answered {}", answer.status)),
            Err(Failure::Before(why) | Failure::Unknown(why) | Failure::Forbidden(why)) => {
                Outcome::later(format!("the gateway cannot be reached: {why}"))
            }
        }
    }
}

impl Channel for Gateway {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn wire(&self) -> Wire {
        let test = &self.options.test_url;
        let tested = (!test.is_empty()).then(|| Wire::of_url(test));
        tested.into_iter().chain([Wire::of_url(&self.options.url)]).max().unwrap_or_default()
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        self.hand_over(letter).boxed()
    }

    fn test(&self) -> BoxFuture<'_, Outcome> {
        self.try_out().boxed()
    }

    fn receive(&self, body: &[u8]) -> Result<Vec<Incoming>, String> {
        self.options.reading.read(body)
    }
}

/// A telephone number: digits, with or without a plus before them.
pub(super) fn number(address: &str) -> Result<String, String> {
    crate::domain::reach::telephone(address)
        .ok_or_else(|| "the address is no telephone number".to_owned())
}

/// A text as it stands within a JSON text.
fn escaped(text: &str) -> String {
    let quoted = Json::String(text.to_owned()).to_string();
    quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
}

/// Never the same twice.
fn nonce(letter: &Letter) -> String {
    let chance = getrandom::u64().unwrap_or_default();
    format!("{:x}{:x}{chance:016x}", letter.id.0, letter.attempt)
}

fn judge(success: &Success, answer: &Answer) -> Outcome {
    let json = answer.json();
    let at = |pointer: &str| {
        let found = json.as_ref().filter(|_| !pointer.is_empty())?.pointer(pointer)?;
        scalar(found)
    };
    let (code, status) = (at(&success.pointer), answer.status);
    let why = || {
        let code = code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
        let words = at(&success.reason).map(|words| format!(": {words}")).unwrap_or_default();
        fit(&format!("the gateway answered {status}{code}{words}"))
    };
    if code.as_ref().is_some_and(|code| success.never.contains(code)) {
        return Outcome::never(why());
    }
    let fits = match success.status.as_slice() {
        [] => (200..300).contains(&status),
        listed => listed.contains(&status),
    };
    match (fits, &code) {
        (true, _) if success.pointer.is_empty() => {
            Outcome::Accepted { reference: at(&success.reference) }
        }
        (true, Some(code)) if success.accepted.contains(code) => {
            Outcome::Accepted { reference: at(&success.reference) }
        }
        (_, Some(_)) => Outcome::later(why()),
        // It seems to have been taken, but the word of it cannot be read.
        (true, None) => Outcome::unknown(format!("{}: without a code", why())),
        // It broke, or a proxy lost its answer: it may have taken the text before.
        (false, None) if status >= 500 && !success.refused.contains(&status) => {
            Outcome::unknown(why())
        }
        (false, None) => Outcome::later(why()),
    }
}

#[cfg(test)]
mod tests;
