//! Where the service answers: the address of the settings, in clear text or by TLS.

use std::path::Path;
use std::time::Duration;

use super::house::Error;
use crate::config::settings::{self, Settings};
use crate::gate::Gate;
use crate::http::{self, Postboxes, Server};

/// Begins to listen.
///
/// # Errors
/// When the address cannot be had.
pub(super) fn listen(
    settings: &Settings,
    gate: &Gate,
    postboxes: Postboxes,
) -> Result<Server, Error> {
    let address = settings.server.listen.clone();
    let workers = match settings.server.workers {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        workers => workers,
    };
    let options = http::Options { postboxes, ..options(settings, workers)? };
    let server = Server::bind(&address, gate.clone(), options).map_err(|deaf| {
        let (key, address) = match deaf.management {
            true => (MANAGEMENT, settings.server.management.clone()),
            false => (LISTEN, address),
        };
        Error::Listen { key, address, error: deaf.error }
    })?;
    if let Some(address) = server.management_addr() {
        tracing::info!(%address, "management answers at an address of its own");
    }
    Ok(server)
}

/// The settings that name addresses.
const LISTEN: &str = "server.listen";
const MANAGEMENT: &str = "server.management";

/// An address of the settings may be listened at: by TLS, or in clear text by this machine only, unless
/// the settings say otherwise.
fn judge(key: &str, listen: &str, in_clear: bool) -> Result<(), Error> {
    let addresses = std::net::ToSocketAddrs::to_socket_addrs(listen);
    let mut addresses = addresses.map_err(|error| {
        Error::Sense(format!(
            "{key} = \"{listen}\" is no address with a port: write such as 127.0.0.1:8110 ({error})"
        ))
    })?;
    if in_clear && !addresses.all(|address| address.ip().is_loopback()) {
        return Err(Error::Sense(format!(
            "{key} = \"{listen}\" would answer other machines in clear text: listen at 127.0.0.1 \
             behind a proxy with TLS, give server.certificate and server.key, or say \
             server.allow_plain_http = true"
        )));
    }
    Ok(())
}

/// How the server is set up. In clear text it answers this machine only, unless the settings say
/// otherwise.
fn options(settings: &Settings, workers: usize) -> Result<http::Options, Error> {
    let server = &settings.server;
    let path = |path: &Path| if path.as_os_str().is_empty() { None } else { Some(path.to_owned()) };
    let tls = match (path(&server.certificate), path(&server.key)) {
        (Some(certificate), Some(key)) => Some(super::tls::server(certificate, key, None)?),
        (None, None) => None,
        _ => {
            let sentence =
                "server.certificate and server.key belong together: give both or neither";
            return Err(Error::Sense(sentence.to_owned()));
        }
    };
    let in_clear = tls.is_none() && !server.allow_plain_http;
    judge(LISTEN, &server.listen, in_clear)?;
    let management = Some(server.management.clone()).filter(|address| !address.is_empty());
    if let Some(address) = &management {
        judge(MANAGEMENT, address, in_clear)?;
    }
    let strict = tls.is_some() || settings.alerts.public_url.starts_with("https://");
    Ok(http::Options {
        workers,
        provider: super::provider::provider(settings)?,
        per_second: server.requests_per_second,
        trusted: server.trusted_proxies.clone(),
        postboxes: Postboxes::new(),
        tls,
        strict,
        management,
        limits: limits(server),
    })
}

/// How long is waited for what. At least a second, so that a zero by mistake does not refuse everything.
fn limits(server: &settings::Server) -> http::Limits {
    let seconds = |seconds: u32| Duration::from_secs(u64::from(seconds.max(1)));
    http::Limits {
        head: seconds(server.head_seconds),
        body: seconds(server.body_seconds),
        answer: seconds(server.answer_seconds),
        heavy_at_once: server.heavy_at_once,
    }
}

/// What keeps an address from being had, and what helps.
pub(super) fn remedy(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => {
            "another program, perhaps this service, listens there already; stop it, or give another port"
                .to_owned()
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address; give 127.0.0.1 or one of its own".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "this user may not; give a port above 1023".to_owned()
        }
        _ => error.to_string(),
    }
}
