//! Webhooks: for units with systems of their own by the Standard Webhooks scheme, and for robots of
//! WeCom and DingTalk groups. Addresses come from outside, so where they lead is checked.

mod hosts;
mod reach;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use futures_util::future::{BoxFuture, FutureExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Request, Url};
use serde_json::{Value as Json, json};
use tokio::time::Instant as Monotonic;

use super::post::{Answer, Failure, Poster, hmac_sha256, scalar};
use super::{Channel, Form, Hook, Letter, Now, Outcome, Setup};
use crate::domain::{Instant, Wire};

pub use hosts::Hosts;
pub use reach::{Barred, Lookup, Reach};

/// How webhooks are posted.
#[derive(Clone)]
pub struct Options {
    /// Also to `http:` addresses.
    pub allow_http: bool,
    /// Also to private and loopback addresses: when the units' systems are in the same network.
    pub allow_private: bool,
    /// To these hosts only; where none is named: to any.
    pub hosts: Hosts,
    /// Certificates that are trusted besides those of the system, as PEM.
    pub roots: Vec<u8>,
    /// What one attempt may take.
    pub time: Duration,
    /// How names are looked up.
    pub lookup: Lookup,
}

/// A host that asks for patience gets it, but not for longer than this.
const PATIENCE_MAX: Duration = Duration::from_secs(600);

/// A message of a robot may have so many bytes.
const ROBOT_MAX: usize = 2_000;

/// Posts webhooks.
pub struct Webhook {
    poster: Poster,
    reach: Reach,
    wire: Wire,
    now: Now,
    /// Hosts that asked for patience, and until when.
    patience: Mutex<BTreeMap<String, Monotonic>>,
}

impl Webhook {
    /// A channel that posts.
    ///
    /// # Errors
    /// Certificates that cannot be read.
    pub fn new(options: Options, now: Now) -> Result<Self, Setup> {
        let Options { allow_http, allow_private, hosts, roots, time, lookup } = options;
        let wire = if allow_http { Wire::Clear } else { Wire::Verified };
        let reach = Reach::new(allow_http, allow_private, hosts, lookup);
        let poster = Poster::new(&roots, time, Some(reach.clone()))?;
        Ok(Self { poster, reach, wire, now, patience: Mutex::new(BTreeMap::new()) })
    }

    async fn hand_over(&self, letter: &Letter) -> Outcome {
        let Some(hook) = &letter.hook else {
            return Outcome::never("it is not said how the webhook is signed");
        };
        let url = match self.reach.url(&letter.address) {
            Ok(url) => url,
            Err(why) => return Outcome::never(why.to_string()),
        };
        let host = format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(0));
        if let Some(left) = self.must_wait(&host) {
            return Outcome::later(format!("the receiver asked for patience: {left} s more"));
        }
        let request = match self.request(letter, hook, url) {
            Ok(request) => request,
            Err(why) => return Outcome::never(why),
        };
        match self.poster.post(request).await {
            Ok(answer) => {
                self.heed(&host, &answer);
                match hook.form {
                    Form::Standard => by_status(&answer),
                    Form::Wecom | Form::Dingtalk => by_code(hook.form, &answer),
                }
            }
            Err(Failure::Before(why)) => Outcome::later(format!("no connection: {why}")),
            Err(Failure::Unknown(why)) => Outcome::unknown(format!("no answer: {why}")),
            Err(Failure::Forbidden(why)) => Outcome::never(why),
        }
    }

    fn request(&self, letter: &Letter, hook: &Hook, mut url: Url) -> Result<Request, String> {
        let now = (self.now)();
        let (body, headers) = match hook.form {
            Form::Standard => {
                let id = format!("msg_{}", letter.id);
                let time = now.0.div_euclid(1_000).to_string();
                let signature = signature(&hook.secret, &id, &time, &letter.text)?;
                let headers = [
                    ("webhook-id", id),
                    ("webhook-timestamp", time),
                    ("webhook-signature", signature),
                ];
                (letter.text.clone(), headers.to_vec())
            }
            Form::Wecom => (robot_text(letter), Vec::new()),
            Form::Dingtalk => {
                if !hook.secret.is_empty() {
                    let (time, sign) = dingtalk_sign(&hook.secret, now);
                    url.query_pairs_mut()
                        .append_pair("timestamp", &time)
                        .append_pair("sign", &sign);
                }
                (robot_text(letter), Vec::new())
            }
        };
        let mut builder = self.poster.client().post(url);
        builder = builder.header(CONTENT_TYPE, "application/json; charset=utf-8").body(body);
        for (name, value) in headers {
            builder = builder.header(name, value);
        }
        builder.build().map_err(|error| format!("no request can be made: {}", error.without_url()))
    }

    fn must_wait(&self, host: &str) -> Option<u64> {
        let now = Monotonic::now();
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        patience.retain(|_, until| *until > now);
        patience.get(host).map(|until| until.duration_since(now).as_secs() + 1)
    }

    fn heed(&self, host: &str, answer: &Answer) {
        let wished = match (answer.status, answer.retry_after) {
            (429 | 503, Some(seconds)) => Duration::from_secs(seconds).min(PATIENCE_MAX),
            _ => return,
        };
        let mut patience = self.patience.lock().unwrap_or_else(PoisonError::into_inner);
        patience.insert(host.to_owned(), Monotonic::now() + wished);
    }
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "http"
    }

    fn wire(&self) -> Wire {
        self.wire
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        self.hand_over(letter).boxed()
    }
}

fn by_status(answer: &Answer) -> Outcome {
    match answer.status {
        200..=299 => Outcome::ACCEPTED,
        410 => Outcome::never("the receiver answered 410: it wants no more of them"),
        300..=399 => Outcome::later(format!(
            "the receiver answered {}: redirects are not followed; give the final address",
            answer.status
        )),
        // It may have taken it before it broke, unless it says itself that it wants it later.
        500.. if answer.retry_after.is_none() => {
            Outcome::unknown(format!("the receiver answered {}", answer.status))
        }
        status => Outcome::later(format!("the receiver answered {status}")),
    }
}

/// Robots answer 200 and say in the body how it went.
fn by_code(form: Form, answer: &Answer) -> Outcome {
    if !(200..300).contains(&answer.status) {
        return by_status(answer);
    }
    let said = answer.json();
    let code = said.as_ref().and_then(|said| said.get("errcode")).and_then(scalar);
    let Some(code) = code else {
        return Outcome::unknown("the robot's answer has no `errcode`");
    };
    let text = said.as_ref().and_then(|said| said.get("errmsg")).and_then(Json::as_str);
    let why = || format!("the robot said {code}: {}", super::answer::fit(text.unwrap_or_default()));
    match (form, code.as_str()) {
        (_, "0") => Outcome::ACCEPTED,
        // The robot was removed from its group, or its address is wrong: nothing mends that.
        (Form::Wecom, "93000") | (Form::Dingtalk, "400101" | "400102") => Outcome::never(why()),
        // Too fast, a keyword or a signature that does not fit: passes, or is mended by the office.
        _ => Outcome::later(why()),
    }
}

/// `v1,…` for each of the secrets, which stand with blanks between them while one replaces another.
fn signature(secrets: &str, id: &str, time: &str, body: &str) -> Result<String, String> {
    let mut signatures = Vec::new();
    for secret in secrets.split_whitespace() {
        let key = secret.strip_prefix("whsec_").and_then(|key| LENIENT.decode(key).ok());
        let key = key.ok_or("the secret is not `whsec_` and base64")?;
        let mac = hmac_sha256(&key, format!("{id}.{time}.{body}").as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(mac)));
    }
    if signatures.is_empty() {
        return Err("there is no secret to sign with".to_owned());
    }
    Ok(signatures.join(" "))
}

/// Secrets are made by many hands, with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Milliseconds and signature as DingTalk wants them in the query.
fn dingtalk_sign(secret: &str, now: Instant) -> (String, String) {
    let time = now.0.to_string();
    let mac = hmac_sha256(secret.as_bytes(), format!("{time}\n{secret}").as_bytes());
    (time, STANDARD.encode(mac))
}

fn robot_text(letter: &Letter) -> String {
    let text = match letter.subject.as_str() {
        "" => letter.text.clone(),
        subject => format!("{subject}\n{}", letter.text),
    };
    json!({"msgtype": "text", "text": {"content": shortened(&text)}}).to_string()
}

/// The text, cut between two characters and marked so where it is too long for a robot.
fn shortened(text: &str) -> String {
    if text.len() <= ROBOT_MAX {
        return text.to_owned();
    }
    let room = ROBOT_MAX - '…'.len_utf8();
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= room);
    let mut short = text.get(..end.last().unwrap_or(0)).unwrap_or_default().to_owned();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_example_is_signed_as_published() {
        let signed = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            "{\"test\": 2432232314}",
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign() {
        let both = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_AAAA";
        let signed = signature(both, "msg_1", "1", "{}").unwrap();
        assert_eq!(signed.split(' ').count(), 2);
        assert!(signature("", "msg_1", "1", "{}").is_err());
        assert!(signature("secret", "msg_1", "1", "{}").is_err());
    }

    #[test]
    fn a_long_text_for_a_robot_is_cut_between_characters() {
        assert_eq!(shortened("短"), "短");
        let short = shortened(&"𠮷野".repeat(1_000));
        assert!(short.len() <= ROBOT_MAX && short.ends_with('…'), "{}", short.len());
        assert!(short.len() > ROBOT_MAX - 8, "{}", short.len());
    }
}
