//! Where the service answers: the address of the settings, in clear text or by TLS.

use std::path::Path;

use super::house::Error;
use crate::config::settings::Settings;
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
    Server::bind(&address, gate.clone(), options).map_err(|error| Error::Listen { address, error })
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
    let addresses = std::net::ToSocketAddrs::to_socket_addrs(&server.listen);
    let mut addresses = addresses.map_err(|error| {
        let listen = &server.listen;
        Error::Sense(format!(
            "server.listen = \"{listen}\" is no address with a port: write such as 127.0.0.1:8110 ({error})"
        ))
    })?;
    let here = addresses.all(|address| address.ip().is_loopback());
    if tls.is_none() && !here && !server.allow_plain_http {
        let listen = &server.listen;
        return Err(Error::Sense(format!(
            "server.listen = \"{listen}\" would answer other machines in clear text: listen at 127.0.0.1 \
             behind a proxy with TLS, give server.certificate and server.key, or say \
             server.allow_plain_http = true"
        )));
    }
    let strict = tls.is_some() || settings.alerts.public_url.starts_with("https://");
    Ok(http::Options {
        workers,
        provider: super::provider::provider(settings)?,
        per_second: server.requests_per_second,
        trusted: server.trusted_proxies.clone(),
        tls,
        strict,
        ..http::Options::default()
    })
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
