//! The session with the SMS centre: opened, and opened again when it breaks, until the house stops.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use rusmpp::{Command, CommandStatus};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant as Monotonic, timeout};

use super::Options;
use super::incoming::Joiner;
use super::job::{Jobs, decline, next};
use super::pdu::{self, Role};
use super::receipt::Groups;
use super::talk::{Ended, Talk};
use super::wire::{RESPONSE, Stream, Wire, framed, read, write};
use crate::channel::tls::Tls;
use crate::channel::{Inbox, Incoming};

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Session {
    /// It is being opened for the first time.
    Opening,
    /// Bound.
    Open,
    /// Not there, and why.
    Down(String),
}

/// Keeps one session.
pub(super) struct Link {
    role: Role,
    pub(super) options: Arc<Options>,
    tls: Option<Tls>,
    pub(super) groups: Arc<Mutex<Groups>>,
    pub(super) inbox: Inbox,
    session: watch::Sender<Session>,
    pub(super) joiner: Joiner,
    /// Incomplete texts that there was no room for.
    late: VecDeque<Incoming>,
}

impl Link {
    pub(super) fn new(
        role: Role,
        options: Arc<Options>,
        tls: Option<Tls>,
        groups: Arc<Mutex<Groups>>,
        inbox: Inbox,
        session: watch::Sender<Session>,
    ) -> Self {
        let (joiner, late) = (Joiner::default(), VecDeque::new());
        Self { role, options, tls, groups, inbox, session, joiner, late }
    }

    /// Opens the session again and again until it is told to stop.
    pub(super) async fn keep(mut self, mut jobs: Jobs, mut stop: watch::Receiver<bool>) {
        let mut failures = 0;
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                () = stopped(&mut stop) => break,
            };
            let why = match opened {
                Ok(wire) => {
                    failures = 0;
                    self.session.send_replace(Session::Open);
                    tracing::info!(role = ?self.role, "the session with the SMS centre is open");
                    let talk = Talk::new(&mut self, wire);
                    match talk.run(&mut jobs, &mut stop).await {
                        Ended::Asked => break,
                        Ended::Broken(why) => why,
                    }
                }
                Err(why) => why,
            };
            failures += 1;
            let wait = wait(&self.options, failures);
            tracing::warn!(role = ?self.role, why, ?wait, "no session with the SMS centre");
            self.session.send_replace(Session::Down(why.clone()));
            let end = Monotonic::now() + wait;
            loop {
                tokio::select! {
                    () = tokio::time::sleep_until(end) => break,
                    () = stopped(&mut stop) => break,
                    // Sent in the moment before the session broke.
                    job = next(&mut jobs) => decline(job, &why),
                }
            }
            if *stop.borrow() || stop.has_changed().is_err() {
                break;
            }
        }
        self.session.send_replace(Session::Down("it was ended".to_owned()));
        self.hand_on(Monotonic::now(), true);
        if !self.late.is_empty() {
            tracing::warn!(count = self.late.len(), "nobody takes what came in by SMS");
        }
    }

    /// Hands on texts whose other parts did not come in time, as far as there is room.
    pub(super) fn hand_on(&mut self, now: Monotonic, at_the_end: bool) {
        self.late.extend(self.joiner.overdue(now, at_the_end));
        while let Ok(place) = self.inbox.try_reserve()
            && let Some(reply) = self.late.pop_front()
        {
            place.send(reply);
        }
    }

    /// Connects, protects the line if that is wished, and binds.
    async fn open(&self) -> Result<Wire, String> {
        let limit = self.options.answer;
        let address = (self.options.host.as_str(), self.options.port);
        let stream = match timeout(limit, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err(format!("no connection: {error}")),
            Err(_) => return Err(format!("no connection within {limit:?}")),
        };
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some(tls) => match timeout(limit, tls.over(stream)).await {
                Ok(protected) => Box::new(protected?),
                Err(_) => return Err(format!("the centre did not agree on TLS within {limit:?}")),
            },
        };
        let mut wire = framed(stream);
        let bind = pdu::bind(&self.options, self.role).map_err(|error| error.to_string())?;
        let bound = timeout(limit, async {
            write(&mut wire, Command::new(CommandStatus::EsmeRok, 1, bind)).await?;
            loop {
                let frame = wire.next().await.ok_or("the centre hung up at the login")?;
                let frame = frame.map_err(|error| error.to_string())?;
                let (head, _) = read(frame)?;
                if head.id & RESPONSE != 0 && head.sequence == 1 {
                    return Ok(head.status);
                }
            }
        });
        match bound.await {
            Ok(Ok(CommandStatus::EsmeRok)) => Ok(wire),
            Ok(Ok(status)) => Err(format!("the centre refuses the login: {}", pdu::said(status))),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("the centre did not answer the login within {limit:?}")),
        }
    }
}

/// Ends when it is asked to stop, or when nobody is left who could ask.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

/// Doubled with each failure, and spread, so that many houses do not come back together.
fn wait(options: &Options, failures: u32) -> Duration {
    let doubled = options.again.saturating_mul(1 << failures.clamp(1, 16).saturating_sub(1));
    let wait = doubled.min(options.again_max);
    let chance = getrandom::u32().unwrap_or_default() % 256;
    wait + wait * chance / 1_024
}
