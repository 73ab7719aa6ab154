//! TLS of channels that speak it themselves: with certificates of the system's authorities and of those
//! that the office names, never without checking.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Setup;
use super::answer::fit;

/// How one server is spoken to by TLS.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// For the server of this name, which its certificate must have; `roots` are certificates that are
    /// trusted besides the system's, as PEM.
    pub(super) fn new(host: &str, roots: &[u8]) -> Result<Self, Setup> {
        let name = ServerName::try_from(host.to_owned()).map_err(|error| {
            Setup::new("host", format!("no name that a certificate has: {error}"))
        })?;
        let mut trusted = RootCertStore::empty();
        // What of the system's own cannot be read is not trusted.
        trusted.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for root in super::roots::certificates(roots)? {
            let root = CertificateDer::from_pem_slice(root.as_bytes());
            let root = root.map_err(|error| Setup::new("roots", error))?;
            trusted.add(root).map_err(|error| Setup::new("roots", error))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Setup::new("security", error))?;
        let config = config.with_root_certificates(trusted).with_no_client_auth();
        Ok(Self { connector: TlsConnector::from(Arc::new(config)), name })
    }

    /// Protects a connection; nothing of ours has gone over it before.
    pub(super) async fn over(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let protected = self.connector.connect(self.name.clone(), stream).await;
        protected.map_err(|error| format!("TLS failed: {}", fit(&error.to_string())))
    }
}
