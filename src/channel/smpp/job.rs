//! What a session is asked to do, and what it answers.

use rusmpp::CommandStatus;
use rusmpp::pdus::SubmitSm;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::pdu;

/// Where jobs come from; a session that only receives has none.
pub(super) type Jobs = Option<mpsc::Receiver<Job>>;

/// What a session is asked to do.
pub(super) enum Job {
    Submit(Box<Submit>),
    /// To ask the centre for a sign of life.
    Enquire(oneshot::Sender<()>),
}

/// A part to be handed over.
pub(super) struct Submit {
    pub(super) submit: SubmitSm,
    /// The text of several parts that it belongs to.
    pub(super) group: Option<u64>,
    pub(super) answer: oneshot::Sender<Answer>,
    /// Its room in the window, given back when it is answered.
    pub(super) room: OwnedSemaphorePermit,
}

/// What became of a part.
#[derive(Debug)]
pub(super) enum Answer {
    /// Taken, under this name.
    Accepted(String),
    Refused(CommandStatus),
    /// It was not sent.
    Unsent(String),
    /// It was sent, and nobody knows.
    Lost(String),
}

impl Answer {
    pub(super) fn why(&self) -> String {
        match self {
            Self::Accepted(_) => String::new(),
            Self::Refused(status) => pdu::said(*status),
            Self::Unsent(why) | Self::Lost(why) => why.clone(),
        }
    }
}

/// What waits for an answer of the centre.
pub(super) enum Waiting {
    Submit { group: Option<u64>, answer: oneshot::Sender<Answer>, _room: OwnedSemaphorePermit },
    Enquire(Option<oneshot::Sender<()>>),
}

/// The next job; never one where none are given.
pub(super) async fn next(jobs: &mut Jobs) -> Job {
    let job = match jobs {
        Some(jobs) => jobs.recv().await,
        None => None,
    };
    match job {
        Some(job) => job,
        None => std::future::pending().await,
    }
}

/// Says that there is no session to do it.
pub(super) fn decline(job: Job, why: &str) {
    match job {
        Job::Submit(submit) => {
            let Submit { answer, .. } = *submit;
            drop(answer.send(Answer::Unsent(format!("no session with the centre: {why}"))));
        }
        // Whoever asked sees that there is no answer.
        Job::Enquire(answer) => drop(answer),
    }
}
