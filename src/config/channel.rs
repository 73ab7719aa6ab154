//! `[channel.…]`: by what messages leave.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod gateway;

pub use super::secret::Secret;
pub use gateway::{BodyKind, Encoding, Gateway, Posting, Proof, Reading, Success};

/// By what messages leave. Workflows say `sms`, `email`, `webhook`; `kind` says what that is here.
/// A password may be given as `file:PATH`, or in the environment: `FENLIU_CHANNEL_SMS_PASSWORD`.
/// Of each service only the keys of its kind matter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    /// Mail.
    pub email: Email,
    /// SMS.
    pub sms: Sms,
    /// Webhooks: units' own systems, robots of WeCom and DingTalk groups.
    pub webhook: Webhook,
}

/// Mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Email {
    /// `smtp`, or `log`: a line in `messages.log` instead of a mail.
    pub kind: EmailKind,
    /// The mail server.
    pub host: String,
    /// Its port: 587 with `starttls`, 465 with `tls`, 25 with `none`.
    pub port: u16,
    /// `starttls` (never without), `tls`, or `none` for a server on this machine.
    pub security: Security,
    /// Also `none` to another machine, where whoever is on the way can read passwords and messages; as
    /// long as it is so, an operator alarm stands (`clear_text.email`).
    pub allow_clear_text: bool,
    /// Who logs in; empty: nobody.
    pub user: String,
    /// With which password.
    pub password: Secret,
    /// The sender: `name@host` or `分流 <name@host>`.
    pub from: String,
    /// By which name this machine greets the server; empty: its own.
    pub hello: String,
    /// A PEM file of certificates that are trusted besides the system's; empty: none. The server's
    /// own certificate must not be a certificate authority (CA:TRUE).
    pub roots: PathBuf,
    /// What one attempt may take, in seconds: below 20.
    pub seconds: u32,
    /// The most connections that are kept open while idle.
    pub idle: usize,
    /// How the channel is guarded.
    pub guard: Guard,
}

impl Default for Email {
    fn default() -> Self {
        Self {
            kind: EmailKind::Log,
            host: String::new(),
            port: 587,
            security: Security::Starttls,
            allow_clear_text: false,
            user: String::new(),
            password: Secret::default(),
            from: "分流 <fenliu@localhost>".to_owned(),
            hello: String::new(),
            roots: PathBuf::new(),
            seconds: 15,
            idle: 4,
            guard: Guard::default(),
        }
    }
}

/// What delivers mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmailKind {
    /// A mail server.
    Smtp,
    /// A file.
    Log,
}

/// How the line to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Not at all.
    None,
    /// In clear first, then TLS.
    Starttls,
    /// TLS from the first byte.
    Tls,
}

/// SMS. The keys here are those of SMPP; those of an HTTP gateway follow below.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Sms {
    /// `smpp`, `gateway` (HTTP), or `log`: a line in `messages.log` instead of an SMS.
    pub kind: SmsKind,
    /// The SMS centre.
    pub host: String,
    /// Its port: often 3550 with `tls`, 2775 with `none`.
    pub port: u16,
    /// `tls`, from the first byte, or `none` for a centre or a tunnel on this machine.
    pub security: SmsSecurity,
    /// Also `none`, or a gateway's `http:` address, to another machine, where whoever is on the way can
    /// read passwords and messages; as long as it is so, an operator alarm stands (`clear_text.sms`).
    pub allow_clear_text: bool,
    /// A PEM file of certificates that are trusted besides the system's; empty: none.
    pub roots: PathBuf,
    /// `transceiver` (one session) or `separate` (one that sends and one that receives).
    pub bind: Bind,
    /// By which name the centre knows us: at most 15 characters.
    pub system_id: String,
    /// The password: at most 8 characters.
    pub password: Secret,
    /// The kind of system, if the centre wants one: at most 12 characters.
    pub system_type: String,
    /// The sender's number; empty: the centre puts one.
    pub source: String,
    /// Type of number of the sender: 0 unknown, 1 international, 2 national, 5 letters.
    pub source_ton: u8,
    /// Numbering plan of the sender: 0 unknown, 1 telephone.
    pub source_npi: u8,
    /// Type of number of recipients; with 0 a number that begins with `+` is said to be international.
    pub recipient_ton: u8,
    /// Numbering plan of recipients.
    pub recipient_npi: u8,
    /// So many texts may wait for the centre's answer at a time.
    pub window: usize,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// Whether parts of long texts are numbered with 16 bits instead of 8.
    pub wide_reference: bool,
    /// The centre is asked for a sign of life after so many seconds of silence.
    pub idle_seconds: u32,
    /// How many seconds the centre may take to answer.
    pub answer_seconds: u32,
    /// Nothing is sent for so many milliseconds after the centre said that it is too much.
    pub pause_millis: u32,
    /// The longest wait before connecting again, in seconds; the first one is a second.
    pub again_max_seconds: u32,
    /// What one attempt may take, in seconds: below 20.
    pub seconds: u32,
    /// SMS by an HTTP gateway.
    pub gateway: Gateway,
    /// How the channel is guarded.
    pub guard: Guard,
}

impl Default for Sms {
    fn default() -> Self {
        Self {
            kind: SmsKind::Log,
            host: String::new(),
            port: 3550,
            security: SmsSecurity::Tls,
            allow_clear_text: false,
            roots: PathBuf::new(),
            bind: Bind::Transceiver,
            system_id: String::new(),
            password: Secret::default(),
            system_type: String::new(),
            source: String::new(),
            source_ton: 0,
            source_npi: 0,
            recipient_ton: 0,
            recipient_npi: 0,
            window: 10,
            receipts: true,
            wide_reference: false,
            idle_seconds: 30,
            answer_seconds: 10,
            pause_millis: 1_000,
            again_max_seconds: 60,
            seconds: 15,
            gateway: Gateway::default(),
            guard: Guard::default(),
        }
    }
}

/// What delivers SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmsKind {
    /// An SMS centre.
    Smpp,
    /// An HTTP gateway.
    Gateway,
    /// A file.
    Log,
}

/// How the line to the SMS centre is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SmsSecurity {
    /// Not at all.
    None,
    /// TLS from the first byte.
    Tls,
}

/// Which sessions are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// One that sends and receives.
    Transceiver,
    /// One that sends and one that receives.
    Separate,
}

/// Webhooks: units' own systems, robots of WeCom and DingTalk groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// `http`, or `log`: a line in `messages.log` instead of a request.
    pub kind: WebhookKind,
    /// Also to `http:` addresses; as long as it is so, an operator alarm stands (`clear_text.webhook`).
    pub allow_http: bool,
    /// Also to private and loopback addresses: when units' systems are in the same network.
    pub allow_private: bool,
    /// Only to these hosts: `hooks.example.gov.cn`, or `*.example.gov.cn` for all below that name.
    /// Empty: to any.
    pub hosts: Vec<String>,
    /// A PEM file of certificates that are trusted besides the system's; empty: none.
    pub roots: PathBuf,
    /// What one attempt may take, in seconds: below 20.
    pub seconds: u32,
    /// The most requests in a second; 0: as many as come. There is no rest after failures: the
    /// receivers are many, and one that is down says nothing of the others.
    pub per_second: u32,
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            kind: WebhookKind::Log,
            allow_http: false,
            allow_private: false,
            hosts: Vec::new(),
            roots: PathBuf::new(),
            seconds: 15,
            per_second: 0,
        }
    }
}

/// What delivers webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookKind {
    /// HTTP.
    Http,
    /// A file.
    Log,
}

/// How a channel is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Guard {
    /// The most messages in a second; 0: as many as come.
    pub per_second: u32,
    /// After so many failures of the service in a row nothing is sent for a while; 0: never.
    pub failures: u32,
    /// How many seconds it rests before one message tries again; doubled while that fails.
    pub pause_seconds: u32,
    /// The longest such rest.
    pub pause_max_seconds: u32,
    /// Minutes between two self-tests, which tell nobody anything; one that fails is an operator
    /// alarm. 0: none.
    pub test_minutes: u32,
}

impl Default for Guard {
    fn default() -> Self {
        Self {
            per_second: 0,
            failures: 5,
            pause_seconds: 10,
            pause_max_seconds: 120,
            test_minutes: 15,
        }
    }
}
