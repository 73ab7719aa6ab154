//! Lines to the mail server: opened, greeted, protected, logged in; kept while idle.

use std::error::Error as _;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::Noop;
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::time::Instant as Monotonic;

use super::super::answer::fit;
use super::Security;

/// Servers close lines that are idle for some minutes; older ones are not tried again.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What went wrong on a line.
pub(super) struct Fault(lettre::transport::smtp::Error);

impl Fault {
    /// The server's code, if it was the server that refused.
    pub(super) fn code(&self) -> Option<u16> {
        self.0.status().map(u16::from)
    }

    /// A sentence for the operator, without addresses.
    pub(super) fn said(&self, what: &str) -> String {
        let cause = self.0.source().map(|cause| fit(&cause.to_string())).unwrap_or_default();
        match self.code() {
            Some(code) => format!("{what}: {code} {cause}"),
            None if self.0.is_tls() => format!("{what}: TLS failed: {cause}"),
            None => format!("{what}: {}", fit(&self.0.to_string())),
        }
    }
}

/// The server, and how it is spoken to.
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) tls: Option<TlsParameters>,
    pub(super) hello: ClientId,
    pub(super) credentials: Option<Credentials>,
    pub(super) idle: usize,
}

/// An open line.
pub(super) struct Line(AsyncSmtpConnection);

impl Line {
    /// Says a command, or a whole mail with its end, in one piece; a negative answer is a fault with a
    /// code. The end of a mail in a piece of its own would wait until the server has confirmed what
    /// came before it, which servers put off for 40 ms (Nagle's algorithm and delayed confirmation).
    pub(super) async fn say(&mut self, command: impl Display) -> Result<Response, Fault> {
        self.0.command(command).await.map_err(Fault)
    }

    /// Takes leave.
    pub(super) async fn quit(mut self) {
        // What the server answers to a farewell changes nothing.
        drop(self.0.quit().await);
    }
}

/// All lines to one server.
pub(super) struct Lines {
    server: Server,
    idle: Mutex<Vec<(Line, Monotonic)>>,
}

impl Lines {
    pub(super) fn new(server: Server) -> Self {
        Self { server, idle: Mutex::new(Vec::new()) }
    }

    /// A line that answers: an idle one, or a new one.
    pub(super) async fn open(&self) -> Result<Line, Fault> {
        while let Some((mut line, since)) = self.pop() {
            if since.elapsed() < IDLE_MAX && line.say(Noop).await.is_ok() {
                return Ok(line);
            }
        }
        self.connect().await
    }

    fn pop(&self) -> Option<(Line, Monotonic)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// A new line, greeted, protected and logged in.
    pub(super) async fn connect(&self) -> Result<Line, Fault> {
        let Server { host, port, security, tls, hello, credentials, .. } = &self.server;
        let at_once = if *security == Security::Tls { tls.clone() } else { None };
        let address = (host.as_str(), *port);
        let mut line = AsyncSmtpConnection::connect_tokio1(address, None, hello, at_once, None)
            .await
            .map_err(Fault)?;
        if let (Security::StartTls, Some(tls)) = (security, tls) {
            // A server that does not offer it is not spoken to: no password goes out in clear.
            line.starttls(tls.clone(), hello).await.map_err(Fault)?;
        }
        if let Some(credentials) = credentials {
            let ways = [Mechanism::Plain, Mechanism::Login];
            line.auth(&ways, credentials).await.map_err(Fault)?;
        }
        Ok(Line(line))
    }

    /// Keeps a line for the next letter, unless there are enough.
    pub(super) fn keep(&self, line: Line) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.server.idle {
            idle.push((line, Monotonic::now()));
        }
    }

    pub(super) fn take_all(&self) -> Vec<Line> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.drain(..).map(|(line, _)| line).collect()
    }
}
