//! One bound session: what is said and heard until it ends.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use futures_util::StreamExt;
use rusmpp::pdus::{DeliverSm, DeliverSmResp};
use rusmpp::types::COctetString;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::sync::watch;
use tokio::time::{Instant as Monotonic, MissedTickBehavior, interval, timeout};
use tokio_util::bytes::BytesMut;

use super::incoming::Delivery;
use super::job::{Answer, Job, Jobs, Submit, Waiting, next};
use super::link::{Link, stopped};
use super::wire::{Head, RESPONSE, Wire, read, write};

/// How often it is looked whether answers are overdue.
const LOOK: Duration = Duration::from_millis(100);

/// How a conversation ended.
pub(super) enum Ended {
    /// We were asked to stop.
    Asked,
    Broken(String),
}

/// One bound session.
pub(super) struct Talk<'l> {
    link: &'l mut Link,
    wire: Wire,
    sequence: u32,
    /// With the instants by which the answers must have come.
    waiting: BTreeMap<u32, (Monotonic, Waiting)>,
    /// When the centre was last heard.
    heard: Monotonic,
}

impl<'l> Talk<'l> {
    pub(super) fn new(link: &'l mut Link, wire: Wire) -> Self {
        // The login had number 1.
        Self { link, wire, sequence: 1, waiting: BTreeMap::new(), heard: Monotonic::now() }
    }

    pub(super) async fn run(mut self, jobs: &mut Jobs, stop: &mut watch::Receiver<bool>) -> Ended {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            let done = tokio::select! {
                frame = self.wire.next() => match frame {
                    Some(Ok(frame)) => self.hear(frame).await,
                    Some(Err(error)) => Err(format!("the line broke: {error}")),
                    None => Err("the centre hung up".to_owned()),
                },
                job = next(jobs) => self.work(job).await,
                _ = look.tick() => self.look().await,
                () = stopped(stop) => {
                    self.take_leave().await;
                    break Ended::Asked;
                }
            };
            if let Err(why) = done {
                break Ended::Broken(why);
            }
        };
        let why = match &ended {
            Ended::Asked => "the session was ended".to_owned(),
            Ended::Broken(why) => format!("{why}, before the centre answered"),
        };
        for (_, (_, waiting)) in std::mem::take(&mut self.waiting) {
            if let Waiting::Submit { answer, .. } = waiting {
                // Nobody waits any more, or it is told: both are fine.
                drop(answer.send(Answer::Lost(why.clone())));
            }
        }
        ended
    }

    async fn work(&mut self, job: Job) -> Result<(), String> {
        match job {
            Job::Submit(submit) => {
                let Submit { submit, group, answer, room } = *submit;
                if answer.is_closed() {
                    // Nobody waits for it any more, and it has not left: it is not sent.
                    return Ok(());
                }
                let waiting = Waiting::Submit { group, answer, _room: room };
                self.ask(Pdu::SubmitSm(submit), waiting).await
            }
            Job::Enquire(answer) => {
                self.ask(Pdu::EnquireLink, Waiting::Enquire(Some(answer))).await
            }
        }
    }

    async fn ask(&mut self, pdu: Pdu, waiting: Waiting) -> Result<(), String> {
        self.sequence = if self.sequence >= 0x7FFF_FFFF { 1 } else { self.sequence + 1 };
        let until = Monotonic::now() + self.link.options.answer;
        // Before it is written: if writing breaks off, nobody knows how far it got.
        self.waiting.insert(self.sequence, (until, waiting));
        self.say(CommandStatus::EsmeRok, self.sequence, pdu).await
    }

    async fn say(&mut self, status: CommandStatus, sequence: u32, pdu: Pdu) -> Result<(), String> {
        let command = Command::new(status, sequence, pdu);
        match timeout(self.link.options.answer, write(&mut self.wire, command)).await {
            Ok(written) => written,
            Err(_) => Err("the centre takes nothing any more".to_owned()),
        }
    }

    async fn hear(&mut self, frame: BytesMut) -> Result<(), String> {
        self.heard = Monotonic::now();
        let (head, pdu) = read(frame)?;
        if head.id & RESPONSE != 0 {
            self.answered(&head, pdu);
            return Ok(());
        }
        match (CommandId::from(head.id), pdu) {
            (_, Some(Pdu::DeliverSm(deliver))) => {
                // Answered only now that it is in the inbox: else the centre keeps it.
                let status = self.take(deliver);
                let taken = DeliverSmResp::new(COctetString::empty(), Vec::new());
                self.say(status, head.sequence, Pdu::DeliverSmResp(taken)).await
            }
            (CommandId::DeliverSm, _) => {
                tracing::warn!(
                    "the SMS centre delivered something that cannot be read; it is refused"
                );
                let refused = DeliverSmResp::new(COctetString::empty(), Vec::new());
                let status = CommandStatus::EsmeRxRAppn;
                self.say(status, head.sequence, Pdu::DeliverSmResp(refused)).await
            }
            (CommandId::EnquireLink, _) => {
                self.say(CommandStatus::EsmeRok, head.sequence, Pdu::EnquireLinkResp).await
            }
            (CommandId::Unbind, _) => {
                self.say(CommandStatus::EsmeRok, head.sequence, Pdu::UnbindResp).await?;
                Err("the centre ended the session".to_owned())
            }
            (CommandId::AlertNotification, _) => Ok(()),
            _ => {
                let status = CommandStatus::EsmeRinvcmdid;
                self.say(status, head.sequence, Pdu::GenericNack).await
            }
        }
    }

    fn answered(&mut self, head: &Head, pdu: Option<Pdu>) {
        let Some((_, waiting)) = self.waiting.remove(&head.sequence) else { return };
        match waiting {
            Waiting::Enquire(answer) => {
                if let Some(answer) = answer {
                    let _nobody_waits: Result<(), ()> = answer.send(());
                }
            }
            Waiting::Submit { group, answer, .. } => {
                let said = match (head.status, pdu) {
                    (CommandStatus::EsmeRok, Some(Pdu::SubmitSmResp(response))) => {
                        Answer::Accepted(response.message_id().as_str().to_owned())
                    }
                    (CommandStatus::EsmeRok, _) => {
                        Answer::Lost("the centre's answer cannot be read".to_owned())
                    }
                    (status, _) => Answer::Refused(status),
                };
                if let (Answer::Accepted(name), Some(group)) = (&said, group) {
                    // Before the next word of the centre, which may be the receipt.
                    let mut groups =
                        self.link.groups.lock().unwrap_or_else(PoisonError::into_inner);
                    groups.name(group, name);
                }
                drop(answer.send(said));
            }
        }
    }

    /// Puts what was delivered into the inbox.
    fn take(&mut self, deliver: DeliverSm) -> CommandStatus {
        // A place first: what there is no room for is left with the centre, which brings it again,
        // and nothing is remembered of it.
        let Ok(place) = self.link.inbox.try_reserve() else {
            return CommandStatus::EsmeRxTAppn;
        };
        let incoming = match self.link.joiner.take(deliver, Monotonic::now()) {
            Delivery::Text(reply) => Some(reply),
            Delivery::Part => None,
            Delivery::Receipt(receipt) => {
                let mut groups = self.link.groups.lock().unwrap_or_else(PoisonError::into_inner);
                groups.receipt(receipt)
            }
            Delivery::Unreadable => {
                tracing::warn!("the SMS centre sent a receipt that cannot be read; it is refused");
                return CommandStatus::EsmeRxRAppn;
            }
        };
        if let Some(incoming) = incoming {
            place.send(incoming);
        }
        CommandStatus::EsmeRok
    }

    /// Overdue answers, overdue parts, signs of life.
    async fn look(&mut self) -> Result<(), String> {
        let now = Monotonic::now();
        self.link.hand_on(now, false);
        let late: Vec<u32> = self
            .waiting
            .iter()
            .filter(|(_, (until, _))| *until <= now)
            .map(|(seq, _)| *seq)
            .collect();
        for sequence in late {
            match self.waiting.remove(&sequence) {
                Some((_, Waiting::Submit { answer, .. })) => {
                    drop(answer.send(Answer::Lost("the centre did not answer in time".to_owned())));
                }
                Some((_, Waiting::Enquire(_))) => {
                    return Err("the centre gave no sign of life".to_owned());
                }
                None => {}
            }
        }
        let asked = self.waiting.values().any(|(_, one)| matches!(one, Waiting::Enquire(_)));
        if !asked && now.duration_since(self.heard) >= self.link.options.idle {
            self.ask(Pdu::EnquireLink, Waiting::Enquire(None)).await?;
        }
        Ok(())
    }

    /// Waits a moment for answers that are due, then says farewell.
    async fn take_leave(&mut self) {
        let limit = Duration::from_secs(2);
        let leave = async {
            while !self.waiting.is_empty() {
                let Some(Ok(frame)) = self.wire.next().await else { return };
                if self.hear(frame).await.is_err() {
                    return;
                }
            }
            if self.ask(Pdu::Unbind, Waiting::Enquire(None)).await.is_ok() {
                while !self.waiting.is_empty() {
                    let Some(Ok(frame)) = self.wire.next().await else { return };
                    if self.hear(frame).await.is_err() {
                        return;
                    }
                }
            }
        };
        // A centre that does not answer is left without its farewell.
        drop(timeout(limit, leave).await);
    }
}
