//! Transport security of the service itself: certificate and key from files, read again when they
//! change, so that a renewed certificate needs no restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::house::Error;

/// The files are looked at when a client knocks, but not more often than this.
const LOOK: Duration = Duration::from_secs(5);

/// A certificate that follows its files.
#[derive(Debug)]
struct Followed {
    files: Files,
    provider: Arc<CryptoProvider>,
    state: Mutex<State>,
}

#[derive(Debug, Clone)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug)]
struct State {
    shown: Arc<CertifiedKey>,
    read: (Vec<u8>, Vec<u8>),
    looked: Monotonic,
}

/// What the server speaks TLS with: TLS 1.2 and 1.3, the certificate of these files (PEM).
///
/// # Errors
/// When a file cannot be read, or certificate and key do not fit together.
pub fn server(
    certificate: PathBuf,
    key: PathBuf,
    look: Option<Duration>,
) -> Result<ServerConfig, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let files = Files { certificate, key };
    let read = files.read()?;
    let shown = Arc::new(certified(&read, &provider).map_err(|why| files.wrong(&why))?);
    let state = Mutex::new(State { shown, read, looked: Monotonic::now() });
    let followed = Followed { files, provider: Arc::clone(&provider), state };
    let resolver = Resolver { followed, look: look.unwrap_or(LOOK) };
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Sense(format!("TLS: {error}")))?;
    Ok(config.with_no_client_auth().with_cert_resolver(Arc::new(resolver)))
}

#[derive(Debug)]
struct Resolver {
    followed: Followed,
    look: Duration,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.followed.present(self.look))
    }
}

impl Followed {
    /// The certificate as the files have it now; the one before while they are being written or do
    /// not fit together.
    fn present(&self, look: Duration) -> Arc<CertifiedKey> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() < look {
            return Arc::clone(&state.shown);
        }
        state.looked = Monotonic::now();
        let read = match self.files.read() {
            Ok(read) if read == state.read => return Arc::clone(&state.shown),
            Ok(read) => read,
            Err(error) => {
                tracing::error!(%error, "the certificate cannot be read again; the old one is shown");
                return Arc::clone(&state.shown);
            }
        };
        match certified(&read, &self.provider) {
            Ok(shown) => {
                tracing::info!("the certificate was read again");
                (state.shown, state.read) = (Arc::new(shown), read);
            }
            Err(why) => {
                let error = self.files.wrong(&why);
                tracing::error!(%error, "the new certificate is not good; the old one is shown");
            }
        }
        Arc::clone(&state.shown)
    }
}

impl Files {
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let read = |path: &PathBuf| {
            let path_shown = path.display().to_string();
            std::fs::read(path).map_err(|error| Error::File { path: path_shown, error })
        };
        Ok((read(&self.certificate)?, read(&self.key)?))
    }

    fn wrong(&self, why: &str) -> Error {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        Error::Sense(format!("server.certificate {certificate}, server.key {key}: {why}"))
    }
}

fn certified(
    (certificate, key): &(Vec<u8>, Vec<u8>),
    provider: &CryptoProvider,
) -> Result<CertifiedKey, String> {
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| format!("the certificate is no PEM: {error}"))?;
    if chain.is_empty() {
        return Err("there is no certificate in the file".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| format!("the key is no PEM of a private key: {error}"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| error.to_string())
}
