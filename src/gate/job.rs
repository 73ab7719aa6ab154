//! What a committer is given to do, and who waits for the answer.

use tokio::sync::oneshot;

use super::advice::Heard;
use super::answered;
use super::delivery::Report;
use super::error::Error;
use super::{Done, Firing, Request, Target};
use crate::domain::InstanceId;
use crate::domain::event::Hash;

pub(super) type Reply = oneshot::Sender<Result<Done, Error>>;

/// One thing to do, and who waits for it.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) reply: Reply,
}

/// What a request brings that was made before its turn.
pub(super) struct Brought {
    /// Its fingerprint, if it has a key.
    pub(super) asked: Option<Hash>,
    /// What was read of a call.
    pub(super) heard: Option<Heard>,
}

/// What is to be done.
pub(super) enum Task {
    Request(Box<Request>, Box<Brought>),
    Firing(Firing),
    Report(Box<Report>),
}

impl Job {
    pub(super) fn request(request: Request, brought: Brought, reply: Reply) -> Self {
        Self { task: Task::Request(Box::new(request), Box::new(brought)), reply }
    }

    pub(super) fn firing(firing: Firing, reply: Reply) -> Self {
        Self { task: Task::Firing(firing), reply }
    }

    pub(super) fn report(report: Report, reply: Reply) -> Self {
        Self { task: Task::Report(Box::new(report)), reply }
    }

    /// The instance that will be looked at first.
    pub(super) fn instance(&self) -> Option<InstanceId> {
        match &self.task {
            Task::Request(request, _) => match &request.target {
                Target::Instance(id) => Some(*id),
                Target::New(_) => None,
            },
            Task::Firing(firing) => Some(firing.instance),
            Task::Report(report) => Some(report.instance),
        }
    }

    pub(super) fn asked(&self) -> Option<&Request> {
        if let Task::Request(request, _) = &self.task { Some(request) } else { None }
    }

    pub(super) fn keys(&self) -> Vec<(String, String)> {
        self.asked().map(answered::keys).unwrap_or_default()
    }
}
