//! An HTTP server that says what it is told to and remembers what it was asked; with TLS if wished.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::certificate::Certificate;

/// What is answered.
#[derive(Clone)]
pub(crate) enum Say {
    /// Status, headers, body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Nothing, and the line stays open.
    Nothing,
    /// Nothing, and the line is cut.
    Cut,
    /// The head and the beginning of a body that never ends.
    Endless,
}

impl Say {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new(), String::new())
    }

    pub(crate) fn body(body: &str) -> Self {
        Self::Answer(200, Vec::new(), body.to_owned())
    }
}

/// What was asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    /// By small names.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

#[derive(Default)]
struct Memory {
    says: VecDeque<Say>,
    asked: Vec<Asked>,
}

/// The server; it ends with the test.
pub(crate) struct Stub {
    pub(crate) port: u16,
    memory: Arc<Mutex<Memory>>,
    task: JoinHandle<()>,
}

impl Stub {
    pub(crate) async fn start(certificate: Option<&Certificate>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let memory = Arc::new(Mutex::new(Memory::default()));
        let acceptor = certificate.map(acceptor);
        let shared = Arc::clone(&memory);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (memory, acceptor) = (Arc::clone(&shared), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, &memory).await,
                        // A caller that does not trust us hangs up.
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => serve(stream, &memory).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { port, memory, task }
    }

    /// Ends it: nobody listens there any more when this returns.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        assert!((&mut self.task).await.is_err(), "it had ended by itself");
    }

    /// What it says next, and then again 200.
    pub(crate) fn say(&self, say: Say) {
        self.memory.lock().unwrap().says.push_back(say);
    }

    /// What it was asked since the last time.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.memory.lock().unwrap().asked)
    }

    /// The only thing it was asked.
    #[track_caller]
    pub(crate) fn asked_once(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:#?}");
        asked.remove(0)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor(certificate: &Certificate) -> TlsAcceptor {
    let shown = CertificateDer::from_pem_slice(certificate.shown.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth().with_single_cert(vec![shown], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

/// One request a line; ends when the line does.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    memory: &Mutex<Memory>,
) -> Option<()> {
    let asked = read(&mut stream).await?;
    let say = {
        let mut memory = memory.lock().unwrap();
        memory.asked.push(asked);
        memory.says.pop_front().unwrap_or_else(|| Say::body("ok"))
    };
    match say {
        Say::Answer(status, headers, body) => {
            let more: String =
                headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
            let head = format!(
                "HTTP/1.1 {status} X\r\n{more}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(head.as_bytes()).await.ok()?;
        }
        Say::Nothing => tokio::time::sleep(Duration::from_secs(600)).await,
        Say::Cut => {}
        Say::Endless => {
            stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n").await.ok()?;
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
        }
    }
    stream.shutdown().await.ok()
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Asked> {
    let mut bytes = Vec::new();
    let (head, mut body) = loop {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        bytes.extend(&part[..count]);
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break (String::from_utf8(bytes[..at].to_vec()).unwrap(), bytes[at + 4..].to_vec());
        }
    };
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap().split(' ');
    let (method, target) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        let mut part = [0; 4096];
        let count = stream.read(&mut part).await.ok().filter(|count| *count > 0)?;
        body.extend(&part[..count]);
    }
    Some(Asked { method, target, headers, body: String::from_utf8(body).unwrap() })
}
