//! Numbers by which a request is found in the log.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::http::header::HeaderMap;

/// The header that carries it.
pub(super) const HEADER: &str = "x-request-id";

/// A number that no other request of any process has: the process's own part, then a count.
pub(super) fn fresh() -> String {
    static PROCESS: OnceLock<u32> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(1);
    // Only used to tell processes apart; without random numbers the count alone must do.
    let process = PROCESS.get_or_init(|| getrandom::u32().unwrap_or(0));
    format!("{process:08x}-{:08x}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The number that the caller or a proxy gave, if it is fit for a log, else a fresh one.
pub(super) fn of(headers: &HeaderMap) -> String {
    let given = headers.get(HEADER).and_then(|value| value.to_str().ok());
    let fit = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    given.filter(fit).map_or_else(fresh, str::to_owned)
}
