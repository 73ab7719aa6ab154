//! Channels against servers that are not ours: a mail server and an SMS centre (programs of node,
//! started for each test on a free port of the loopback), and an HTTP server that says what it is
//! told to.

mod centre;
pub(crate) mod certificate;
mod gateway;
mod mail;
pub(crate) mod peer;
pub(crate) mod stub;
mod webhook;
mod wires;

use std::time::Duration;

use fenliu::channel::{Letter, Outcome};
use fenliu::domain::{Instant, MessageId};

/// Runs a test within a runtime; one that hangs fails.
pub(crate) fn run(test: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let limit = Duration::from_secs(300);
        tokio::time::timeout(limit, test).await.expect("the test hangs");
    });
}

/// A name with a character outside the first plane, which occurs in names of people and places.
const NAME: &str = "王𠮷";

fn letter(id: i64, address: &str) -> Letter {
    Letter {
        id: MessageId(id),
        attempt: 1,
        written_at: Instant::parse("2018-07-02T09:10:00+08:00").unwrap(),
        address: address.to_owned(),
        name: NAME.to_owned(),
        subject:
            "【督办】𠮷野街道工地夜间施工噪声扰民，请县住房和城乡建设委员会立即签收并在一小时内回告"
                .to_owned(),
        text: "请于17:30前签收。\n编号 00000007".to_owned(),
        ..Letter::default()
    }
}

/// What was said about a refusal that passes.
#[track_caller]
fn later(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused { permanent: false, why } => clean(why),
        other => panic!("this does not pass: {other:?}"),
    }
}

/// What was said about a refusal for good.
#[track_caller]
fn never(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused { permanent: true, why } => clean(why),
        other => panic!("this is not for good: {other:?}"),
    }
}

/// What was said about an outcome that nobody knows.
#[track_caller]
fn unknown(outcome: Outcome) -> String {
    match outcome {
        Outcome::Unknown { why } => clean(why),
        other => panic!("this is known: {other:?}"),
    }
}

/// Under which name the service has taken it.
#[track_caller]
fn accepted(outcome: Outcome) -> Option<String> {
    match outcome {
        Outcome::Accepted { reference } => reference,
        other => panic!("this was not accepted: {other:?}"),
    }
}

/// No sentence for operators holds an address or a text of a message.
#[track_caller]
fn clean(why: String) -> String {
    for secret in ["wang@", "example.org", "13800000072", "s3cret", "签收", "token"] {
        assert!(!why.contains(secret), "{why:?} tells `{secret}`");
    }
    why
}
