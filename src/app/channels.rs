//! The channels of the settings.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::house::Error;
use super::postbox;
use crate::channel::gateway::{self, Gateway};
use crate::channel::smpp::{self, Smpp};
use crate::channel::smtp::{self, Smtp};
use crate::channel::webhook::{self, Barred, Hosts, Reach, Webhook};
use crate::channel::{self, Channel, Console, Inbox, Log, Now, Setup, guard};
use crate::config::channel as set;
use crate::config::settings::Settings;
use crate::gate::{HookGuard, Unreachable};
use crate::http::Postboxes;
use crate::scheduler::Lines;

/// Sets the channels up, and what gateways may post for them. Must be called within a tokio runtime.
///
/// # Errors
/// A setting that cannot work, with its key.
pub fn lines(settings: &Settings, now: Now) -> Result<(Lines, Postboxes), Error> {
    let wish = &settings.channel;
    let (inbox, arrivals) = channel::inbox(channel::INBOX_MAX);
    let log = Log::open(&settings.database.folder.join("messages.log"));
    let log: Arc<dyn Channel> = Arc::new(log.map_err(|error| Error::Sense(error.to_string()))?);
    let email = match wish.email.kind {
        set::EmailKind::Log => Arc::clone(&log),
        set::EmailKind::Smtp => mail(&wish.email)?,
    };
    let sms = match wish.sms.kind {
        set::SmsKind::Log => Arc::clone(&log),
        set::SmsKind::Smpp => centre(&wish.sms, inbox.clone())?,
        set::SmsKind::Gateway => http_gateway(&wish.sms, Arc::clone(&now))?,
    };
    let mut postboxes = Postboxes::new();
    if wish.sms.kind == set::SmsKind::Gateway
        && let Some(post) = postbox::of_gateway(&wish.sms.gateway.posting, &sms, inbox)?
    {
        postboxes.insert("sms".to_owned(), post);
    }
    let webhook = match wish.webhook.kind {
        set::WebhookKind::Log => log,
        set::WebhookKind::Http => posted(&wish.webhook, now)?,
    };
    let console: Arc<dyn Channel> = Arc::new(Console);
    let channels = [("email", email), ("sms", sms), ("webhook", webhook), ("console", console)];
    let posted = guard::Options {
        per_second: wish.webhook.per_second,
        failures: 0,
        ..guard::Options::default()
    };
    let guards = [
        ("email", guarded(wish.email.guard)),
        ("sms", guarded(wish.sms.guard)),
        ("webhook", posted),
    ];
    let lines = Lines {
        channels: channels.map(|(name, channel)| (name.to_owned(), channel)).into(),
        guards: guards.map(|(name, guard)| (name.to_owned(), guard)).into(),
        inboxes: [("sms".to_owned(), arrivals)].into(),
        tests: tests(wish),
    };
    Ok((lines, postboxes))
}

/// How often each channel is tried that has a service to try.
fn tests(wish: &set::Channels) -> BTreeMap<String, Duration> {
    let email = (wish.email.kind != set::EmailKind::Log).then_some(("email", wish.email.guard));
    let sms = (wish.sms.kind != set::SmsKind::Log).then_some(("sms", wish.sms.guard));
    let tested = [email, sms].into_iter().flatten();
    let tested = tested.filter(|(_, guard)| guard.test_minutes > 0);
    let every = |guard: set::Guard| Duration::from_secs(u64::from(guard.test_minutes) * 60);
    tested.map(|(name, guard)| (name.to_owned(), every(guard))).collect()
}

fn mail(wish: &set::Email) -> Result<Arc<dyn Channel>, Error> {
    let section = "channel.email";
    let made = Smtp::new(smtp::Options {
        host: wish.host.clone(),
        port: wish.port,
        security: match wish.security {
            set::Security::None => smtp::Security::None,
            set::Security::Starttls => smtp::Security::StartTls,
            set::Security::Tls => smtp::Security::Tls,
        },
        allow_clear_text: wish.allow_clear_text,
        user: wish.user.clone(),
        password: secret(section, &wish.password)?,
        from: wish.from.clone(),
        hello: wish.hello.clone(),
        roots: roots(section, &wish.roots)?,
        time: seconds(wish.seconds),
        idle: wish.idle,
    });
    Ok(Arc::new(made.map_err(|error| at(section, &error))?))
}

fn centre(wish: &set::Sms, inbox: Inbox) -> Result<Arc<dyn Channel>, Error> {
    let section = "channel.sms";
    let options = smpp::Options {
        host: wish.host.clone(),
        port: wish.port,
        tls: match wish.security {
            set::SmsSecurity::None => false,
            set::SmsSecurity::Tls => true,
        },
        roots: roots(section, &wish.roots)?,
        allow_clear_text: wish.allow_clear_text,
        bind: match wish.bind {
            set::Bind::Transceiver => smpp::Bind::Transceiver,
            set::Bind::Separate => smpp::Bind::Separate,
        },
        system_id: wish.system_id.clone(),
        password: secret(section, &wish.password)?,
        system_type: wish.system_type.clone(),
        source: wish.source.clone(),
        source_kind: (wish.source_ton, wish.source_npi),
        recipient_kind: (wish.recipient_ton, wish.recipient_npi),
        window: wish.window,
        receipts: wish.receipts,
        wide_reference: wish.wide_reference,
        idle: seconds(wish.idle_seconds),
        answer: seconds(wish.answer_seconds),
        pause: Duration::from_millis(wish.pause_millis.into()),
        again: Duration::from_secs(1),
        again_max: seconds(wish.again_max_seconds),
        time: seconds(wish.seconds),
    };
    Ok(Arc::new(Smpp::start(options, inbox).map_err(|error| at(section, &error))?))
}

fn http_gateway(sms: &set::Sms, now: Now) -> Result<Arc<dyn Channel>, Error> {
    let section = "channel.sms.gateway";
    let wish = &sms.gateway;
    let (success, reading) = (wish.success.clone(), wish.reading.clone());
    let options = gateway::Options {
        url: wish.url.clone(),
        method: wish.method.clone(),
        headers: wish.headers.clone(),
        body_kind: match wish.body_kind {
            set::BodyKind::Json => gateway::Body::Json,
            set::BodyKind::Form => gateway::Body::Form,
            set::BodyKind::None => gateway::Body::None,
        },
        body: wish.body.clone(),
        key: wish.key.clone(),
        secret: secret(section, &wish.secret)?,
        sign: wish.sign.clone(),
        encoding: match wish.encoding {
            set::Encoding::Hex => gateway::Encoding::Hex,
            set::Encoding::Base64 => gateway::Encoding::Base64,
        },
        success: gateway::Success {
            status: success.status,
            pointer: success.pointer,
            accepted: success.accepted,
            never: success.never,
            refused: success.refused,
            reference: success.reference,
            reason: success.reason,
        },
        reading: gateway::Reading {
            list: reading.list,
            reference: reading.reference,
            state: reading.state,
            delivered: reading.delivered,
            pending: reading.pending,
            reason: reading.reason,
            from: reading.from,
            text: reading.text,
        },
        allow_clear_text: sms.allow_clear_text,
        test_url: wish.test_url.clone(),
        roots: roots(section, &wish.roots)?,
        time: seconds(sms.seconds),
    };
    Ok(Arc::new(Gateway::new(options, now).map_err(|error| at(section, &error))?))
}

fn posted(wish: &set::Webhook, now: Now) -> Result<Arc<dyn Channel>, Error> {
    let section = "channel.webhook";
    let options = webhook::Options {
        allow_http: wish.allow_http,
        allow_private: wish.allow_private,
        hosts: hosts(wish)?,
        roots: roots(section, &wish.roots)?,
        time: seconds(wish.seconds),
        lookup: Reach::system(),
    };
    Ok(Arc::new(Webhook::new(options, now).map_err(|error| at(section, &error))?))
}

/// Whether a webhook may be posted to an address, asked when somebody registers it. Names are looked
/// up only when something is posted: what they lead to may change.
///
/// # Errors
/// A name of a host that is none.
pub fn reach(settings: &Settings) -> Result<HookGuard, Error> {
    let wish = &settings.channel.webhook;
    let reach = Reach::new(wish.allow_http, wish.allow_private, hosts(wish)?, Reach::system());
    Ok(Arc::new(move |address| {
        reach.url(address).map(drop).map_err(|barred| match barred {
            Barred::Unlisted => Unreachable::Unlisted,
            Barred::Other(why) => Unreachable::Other(why),
        })
    }))
}

fn hosts(wish: &set::Webhook) -> Result<Hosts, Error> {
    Hosts::new(&wish.hosts).map_err(|why| Error::Sense(format!("channel.webhook.hosts: {why}")))
}

fn guarded(wish: set::Guard) -> guard::Options {
    guard::Options {
        per_second: wish.per_second,
        failures: wish.failures,
        pause_ms: i64::from(wish.pause_seconds) * 1_000,
        pause_max_ms: i64::from(wish.pause_max_seconds) * 1_000,
    }
}

fn secret(section: &str, secret: &set::Secret) -> Result<String, Error> {
    secret.reveal().map_err(|error| Error::Sense(format!("{section}: {error}")))
}

fn roots(section: &str, path: &Path) -> Result<Vec<u8>, Error> {
    if path.as_os_str().is_empty() {
        return Ok(Vec::new());
    }
    let read = std::fs::read(path);
    read.map_err(|error| Error::File { path: format!("{section}.roots {}", path.display()), error })
}

/// At least one, so that a zero by mistake does not fail everything at once.
fn seconds(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds.max(1)))
}

fn at(section: &str, error: &Setup) -> Error {
    Error::Sense(format!("{section}.{error}"))
}
