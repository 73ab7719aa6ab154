//! SMS by SMPP 3.4. A task keeps the session with the SMS centre; letters are cut into parts, handed
//! to it within a window, and what became of all parts is put together into one outcome.

mod incoming;
mod job;
mod link;
mod pdu;
mod receipt;
mod talk;
mod text;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant as Monotonic, sleep, sleep_until, timeout_at};

use self::job::{Answer, Job, Submit};
use self::link::{Link, Session};
use self::pdu::Role;
use self::receipt::Groups;
use super::gateway::number;
use super::tls::Tls;
use super::{Channel, Inbox, Letter, Outcome, Setup};
use crate::domain::Wire;

/// Which sessions are bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// One that sends and receives.
    Transceiver,
    /// One that sends and one that receives.
    Separate,
}

/// How SMS are sent.
#[derive(Clone)]
pub struct Options {
    /// The SMS centre.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the line is protected by TLS, from the first byte.
    pub tls: bool,
    /// Certificates that are trusted besides those of the system, as PEM.
    pub roots: Vec<u8>,
    /// Also to another machine without TLS.
    pub allow_clear_text: bool,
    /// Which sessions are bound.
    pub bind: Bind,
    /// By which name the centre knows us: at most 15 characters.
    pub system_id: String,
    /// The password: at most 8 characters.
    pub password: String,
    /// The kind of system, if the centre wants one: at most 12 characters.
    pub system_type: String,
    /// The sender's number; empty: the centre puts one.
    pub source: String,
    /// Type of number and numbering plan of the sender.
    pub source_kind: (u8, u8),
    /// Type of number and numbering plan of recipients.
    pub recipient_kind: (u8, u8),
    /// So many texts may wait for the centre's answer.
    pub window: usize,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// Whether parts of long texts are numbered with 16 bits instead of 8.
    pub wide_reference: bool,
    /// The centre is asked for a sign of life after so long a silence.
    pub idle: Duration,
    /// How long the centre may take to answer.
    pub answer: Duration,
    /// Nothing is sent for so long after the centre said that it is too much.
    pub pause: Duration,
    /// The first wait before connecting again; doubled each time …
    pub again: Duration,
    /// … up to this.
    pub again_max: Duration,
    /// What one letter may take in all.
    pub time: Duration,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { host, port, bind, .. } = self;
        f.debug_struct("Options").field("at", &(host, port, bind)).finish_non_exhaustive()
    }
}

/// SMS by SMPP.
pub struct Smpp {
    options: Arc<Options>,
    jobs: mpsc::Sender<Job>,
    window: Arc<Semaphore>,
    sessions: Vec<watch::Receiver<Session>>,
    groups: Arc<Mutex<Groups>>,
    /// Until when the centre wants no more.
    paused: watch::Sender<Option<Monotonic>>,
    stop: watch::Sender<bool>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A session that is being opened is waited for so long.
const PATIENCE: Duration = Duration::from_secs(3);

impl Smpp {
    /// Starts the session; what comes in goes to `inbox`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// A setting that SMPP has no room for; certificates that cannot be read; a line that others can read.
    pub fn start(options: Options, inbox: Inbox) -> Result<Self, Setup> {
        pdu::check(&options)?;
        let wire = Wire::to(&options.host, options.tls);
        Setup::unless_clear(wire, "security", options.allow_clear_text)?;
        let tls = if options.tls { Some(Tls::new(&options.host, &options.roots)?) } else { None };
        let options = Arc::new(options);
        let groups = Arc::new(Mutex::new(Groups::default()));
        let (stop, stopped) = watch::channel(false);
        let (jobs, work) = mpsc::channel(options.window.max(1));
        let roles = match options.bind {
            Bind::Transceiver => vec![(Role::Transceiver, Some(work))],
            Bind::Separate => vec![(Role::Transmitter, Some(work)), (Role::Receiver, None)],
        };
        let (mut sessions, mut tasks) = (Vec::new(), Vec::new());
        for (role, work) in roles {
            let (session, seen) = watch::channel(Session::Opening);
            let (options, groups) = (Arc::clone(&options), Arc::clone(&groups));
            let link = Link::new(role, options, tls.clone(), groups, inbox.clone(), session);
            sessions.push(seen);
            tasks.push(tokio::spawn(link.keep(work, stopped.clone())));
        }
        let window = Arc::new(Semaphore::new(options.window.max(1)));
        let paused = watch::Sender::new(None);
        let tasks = Mutex::new(tasks);
        Ok(Self { options, jobs, window, sessions, groups, paused, stop, tasks })
    }

    async fn hand_over(&self, letter: &Letter) -> Outcome {
        let to = match number(&letter.address) {
            Ok(to) => to,
            Err(why) => return Outcome::never(why),
        };
        let parts = match text::parts(&letter.text, letter.id.0, self.options.wide_reference) {
            Ok(parts) => parts,
            Err(why) => return Outcome::never(why),
        };
        let mut submits = Vec::with_capacity(parts.len());
        for part in &parts {
            match pdu::submit(&self.options, &to, part) {
                Ok(submit) => submits.push(submit),
                Err(why) => return Outcome::never(why),
            }
        }
        let until = Monotonic::now() + self.options.time;
        let group = (submits.len() > 1).then(|| self.groups().open(submits.len()));
        let count = submits.len();
        let mut submits = submits.into_iter();
        let Some(first) = submits.next() else { return Outcome::never("there is no text") };
        // The first part alone: if it is not taken, nothing of the text is out.
        let reference = match self.submit(first, group, until).await {
            Answer::Accepted(reference) => reference,
            Answer::Refused(status) => {
                self.groups().forget(group);
                return pdu::refused(status);
            }
            Answer::Unsent(why) => {
                self.groups().forget(group);
                return Outcome::later(why);
            }
            Answer::Lost(why) => {
                self.groups().forget(group);
                return Outcome::unknown(why);
            }
        };
        let rest = join_all(submits.map(|part| self.submit_stubbornly(part, group, until))).await;
        let missing = rest.iter().filter(|answer| !matches!(answer, Answer::Accepted(_)));
        let why: Vec<String> = missing.map(Answer::why).collect();
        match why.first() {
            None => Outcome::Accepted { reference: Some(reference) },
            Some(first) => {
                let taken = count - why.len();
                Outcome::unknown(format!("{taken} of {count} parts were taken: {first}"))
            }
        }
    }

    /// Hands one part over as soon as session, pause and window allow.
    async fn submit(
        &self,
        submit: rusmpp::pdus::SubmitSm,
        group: Option<u64>,
        until: Monotonic,
    ) -> Answer {
        if let Err(why) = self.ready(until).await {
            return Answer::Unsent(why);
        }
        let room = timeout_at(until, Arc::clone(&self.window).acquire_owned()).await;
        let Ok(Ok(room)) = room else {
            return Answer::Unsent(
                "the centre has not answered enough of what it was sent".to_owned(),
            );
        };
        let (answer, answered) = oneshot::channel();
        let job = Job::Submit(Box::new(Submit { submit, group, answer, room }));
        match timeout_at(until, self.jobs.send(job)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Answer::Unsent("the session has ended".to_owned()),
            Err(_) => return Answer::Unsent("the session is busy".to_owned()),
        }
        let answer = match timeout_at(until, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Answer::Lost("the session ended before the centre answered".to_owned()),
            Err(_) => Answer::Lost("the centre did not answer in time".to_owned()),
        };
        if let Answer::Refused(status) = answer
            && pdu::too_much(status)
        {
            self.paused.send_replace(Some(Monotonic::now() + self.options.pause));
        }
        answer
    }

    /// A part after the first: a centre that wants a pause gets it, since a text must not stay half.
    async fn submit_stubbornly(
        &self,
        submit: rusmpp::pdus::SubmitSm,
        group: Option<u64>,
        until: Monotonic,
    ) -> Answer {
        loop {
            match self.submit(submit.clone(), group, until).await {
                Answer::Refused(status) if pdu::too_much(status) => {
                    if Monotonic::now() + self.options.pause >= until {
                        return Answer::Refused(status);
                    }
                    sleep(self.options.pause).await;
                }
                answer => return answer,
            }
        }
    }

    /// Waits for a session that is being opened and for the end of a pause.
    async fn ready(&self, until: Monotonic) -> Result<(), String> {
        let Some(sending) = self.sessions.first() else {
            return Err("there is no session".to_owned());
        };
        let mut sending = sending.clone();
        let patience = until.min(Monotonic::now() + PATIENCE);
        let settled = timeout_at(patience, sending.wait_for(|one| *one != Session::Opening)).await;
        match settled.map(|seen| seen.map(|session| session.clone())) {
            Ok(Ok(Session::Open)) => {}
            Ok(Ok(Session::Down(why))) => return Err(format!("no session with the centre: {why}")),
            Ok(Ok(Session::Opening)) | Err(_) => {
                return Err("the session with the centre is not open yet".to_owned());
            }
            Ok(Err(_)) => return Err("the session has ended".to_owned()),
        }
        let paused = *self.paused.borrow();
        match paused {
            Some(end) if end >= until => Err("the centre asked for a pause".to_owned()),
            Some(end) => {
                sleep_until(end).await;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn groups(&self) -> std::sync::MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn try_out(&self) -> Outcome {
        let until = Monotonic::now() + self.options.time;
        if let Err(why) = self.ready(until).await {
            return Outcome::later(why);
        }
        for session in self.sessions.iter().skip(1) {
            if let Session::Down(why) = &*session.borrow() {
                return Outcome::later(format!("the receiving session: {why}"));
            }
        }
        let (answer, answered) = oneshot::channel();
        let asked = timeout_at(until, self.jobs.send(Job::Enquire(answer))).await;
        match (asked, timeout_at(until, answered).await) {
            (Ok(Ok(())), Ok(Ok(()))) => Outcome::ACCEPTED,
            _ => Outcome::later("the centre gives no sign of life"),
        }
    }
}

impl Channel for Smpp {
    fn name(&self) -> &'static str {
        "smpp"
    }

    fn wire(&self) -> Wire {
        Wire::to(&self.options.host, self.options.tls)
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        self.hand_over(letter).boxed()
    }

    fn test(&self) -> BoxFuture<'_, Outcome> {
        self.try_out().boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async {
            self.stop.send_replace(true);
            let tasks =
                std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
            for task in tasks {
                // It ends by itself within the limit that it gives the centre for its farewell.
                drop(task.await);
            }
        }
        .boxed()
    }
}
