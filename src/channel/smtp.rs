//! Mail by SMTP. Each letter is a mail of its own to one recipient; the steps of the conversation
//! are taken one by one, because what a fault means depends on how far it had come.

mod compose;
mod line;

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use tokio::time::Instant as Monotonic;

use self::line::{Fault, Line, Lines};
use super::answer::fit;
use super::{Channel, Letter, Outcome, Setup};
use crate::domain::Wire;

/// How the line to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Not at all: for a server on this machine.
    None,
    /// In clear first, then TLS; never without.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// How mail is sent.
#[derive(Clone)]
pub struct Options {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub security: Security,
    /// Also to another machine without TLS.
    pub allow_clear_text: bool,
    /// Who logs in; empty: nobody.
    pub user: String,
    /// With which password.
    pub password: String,
    /// The sender: `name@host` or `分流 <name@host>`.
    pub from: String,
    /// By which name this machine greets; empty: its own.
    pub hello: String,
    /// Certificates that are trusted besides those of the system, as PEM.
    pub roots: Vec<u8>,
    /// What one letter may take from the connection to the server's last word.
    pub time: Duration,
    /// The most lines that are kept open while idle.
    pub idle: usize,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, security, .. } = self;
        f.debug_struct("Options").field("at", &(host, port, security)).finish_non_exhaustive()
    }
}

/// Mail by SMTP.
pub struct Smtp {
    from: Mailbox,
    wire: Wire,
    time: Duration,
    lines: Lines,
}

impl Smtp {
    /// A channel that connects when it has something to send.
    ///
    /// # Errors
    /// A sender that is no mail address, certificates that cannot be read, a line that others can read.
    pub fn new(options: Options) -> Result<Self, Setup> {
        let from: Mailbox = options.from.parse().map_err(|error| Setup::new("from", error))?;
        if options.host.is_empty() {
            return Err(Setup::new("host", "name the mail server"));
        }
        let wire = Wire::to(&options.host, options.security != Security::None);
        Setup::unless_clear(wire, "security", options.allow_clear_text)?;
        let tls = match options.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(tls(&options)?),
        };
        let hello = match options.hello.as_str() {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        let credentials = (!options.user.is_empty())
            .then(|| Credentials::new(options.user.clone(), options.password.clone()));
        let Options { host, port, security, idle, time, .. } = options;
        let lines =
            Lines::new(line::Server { host, port, security, tls, hello, credentials, idle });
        Ok(Self { from, wire, time, lines })
    }

    async fn hand_over(&self, letter: &Letter) -> Outcome {
        let until = Monotonic::now() + self.time;
        let mail = match compose::mail(&self.from, letter) {
            Ok(mail) => mail,
            Err(why) => return Outcome::never(why),
        };
        let mut line = match within(until, self.lines.open()).await {
            Some(Ok(line)) => line,
            Some(Err(fault)) => {
                return Outcome::later(fault.said("the mail server cannot be reached"));
            }
            None => return Outcome::later("the mail server did not answer the greeting in time"),
        };
        let (outcome, usable) = self.speak(&mut line, &mail, until).await;
        if usable {
            self.lines.keep(line);
        }
        outcome
    }

    /// From MAIL to the server's last word; and whether the line is good for another letter.
    async fn speak(
        &self,
        line: &mut Line,
        mail: &compose::Mail,
        until: Monotonic,
    ) -> (Outcome, bool) {
        // A refusal of the sender is the house's own fault and no word about the recipient.
        let sender = line.say(Mail::new(Some(self.from.email.clone()), Vec::new()));
        if let Err((outcome, usable)) = self.step(until, sender, "the sender", false).await {
            return (outcome, usable && self.reset(line, until).await);
        }
        let recipient = line.say(Rcpt::new(mail.to.clone(), Vec::new()));
        if let Err((outcome, usable)) = self.step(until, recipient, "the recipient", true).await {
            return (outcome, usable && self.reset(line, until).await);
        }
        if let Err((outcome, usable)) = self.step(until, line.say(Data), "the mail", true).await {
            return (outcome, usable && self.reset(line, until).await);
        }
        match within(until, line.say(&mail.data)).await {
            Some(Ok(response)) => {
                (Outcome::Accepted { reference: compose::queue_id(&response) }, true)
            }
            Some(Err(fault)) => match fault.code() {
                Some(code) => (refused(&fault, code, "the mail", true), code != 421),
                // It may have been taken, and only the word of it was lost.
                None => {
                    (Outcome::unknown(fault.said("the line broke after the mail was sent")), false)
                }
            },
            None => (
                Outcome::unknown("the mail server did not say in time whether it took the mail"),
                false,
            ),
        }
    }

    /// One step before anything of the mail is said: whatever goes wrong, it was not taken.
    async fn step(
        &self,
        until: Monotonic,
        step: impl Future<Output = Result<Response, Fault>>,
        what: &str,
        of_recipient: bool,
    ) -> Result<(), (Outcome, bool)> {
        match within(until, step).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(fault)) => Err(match fault.code() {
                Some(code) => (refused(&fault, code, what, of_recipient), code != 421),
                None => {
                    (Outcome::later(fault.said("the line broke before the mail was sent")), false)
                }
            }),
            None => Err((Outcome::later("the mail server did not answer in time"), false)),
        }
    }

    async fn reset(&self, line: &mut Line, until: Monotonic) -> bool {
        matches!(within(until, line.say(Rset)).await, Some(Ok(_)))
    }
}

impl Channel for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn wire(&self) -> Wire {
        self.wire
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        self.hand_over(letter).boxed()
    }

    fn test(&self) -> BoxFuture<'_, Outcome> {
        async {
            let until = Monotonic::now() + self.time;
            // A line of its own, so that greeting, TLS and login are tried and not only a NOOP.
            let tried = async {
                let mut line = self.lines.connect().await?;
                let answered = line.say(Rset).await;
                line.quit().await;
                answered
            };
            match within(until, tried).await {
                Some(Ok(_)) => Outcome::ACCEPTED,
                Some(Err(fault)) => Outcome::later(fault.said("the mail server")),
                None => Outcome::later("the mail server did not answer in time"),
            }
        }
        .boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            for line in self.lines.take_all() {
                // A server that does not answer the farewell must not hold up the end.
                drop(tokio::time::timeout(Duration::from_secs(1), line.quit()).await);
            }
        }
        .boxed()
    }
}

/// What a code of refusal means: 4xx passes; 5xx about the recipient or the mail is for good; 5xx
/// about this house (login wanted, sender refused, order of commands) passes when it is mended.
fn refused(fault: &Fault, code: u16, what: &str, of_recipient: bool) -> Outcome {
    let of_house = matches!(code, 502 | 503 | 530 | 534 | 535 | 538);
    let permanent = code >= 500 && of_recipient && !of_house;
    let why = fault.said(&format!("{what} was refused"));
    Outcome::Refused { permanent, why }
}

async fn within<T>(until: Monotonic, what: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout_at(until, what).await.ok()
}

fn tls(options: &Options) -> Result<TlsParameters, Setup> {
    let mut builder = TlsParameters::builder(options.host.clone());
    for root in super::roots::certificates(&options.roots)? {
        let root = Certificate::from_pem(root.as_bytes());
        builder = builder.add_root_certificate(root.map_err(|error| Setup::new("roots", error))?);
    }
    builder.build_rustls().map_err(|error| Setup::new("roots", fit(&error.to_string())))
}
