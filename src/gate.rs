//! The one door: whoever wants to change or see anything comes through here.
//!
//! Rights → decision → one transaction. Commands are handed to a few committer threads, each of
//! which decides and writes many of them in one transaction (group commit); a caller is answered
//! after the commit. A failing command never takes its batch along.

mod access;
mod administration;
mod advice;
mod audit;
mod batch;
mod change;
mod channel;
mod chores;
mod committer;
mod contact;
mod coverage;
mod delivery;
mod error;
mod explain;
mod figures;
mod founding;
mod ids;
mod letters;
mod link;
mod locking;
mod matters;
mod mute;
mod personal;
mod proposal;
mod public_id;
mod publishing;
mod query;
mod reading;
mod recount;
mod registry;
mod rehearsal;
mod reply;
mod report;
mod retold;
mod rights;
mod roster;
mod sealing;
mod sight;
mod subscription;
mod voices;
mod wording;
mod world;

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tokio::sync::{Notify, broadcast, oneshot};

use crate::clock::Clock;
use crate::domain::{Actor, Instance, InstanceId, Instant, JurisdictionId, MessageId};
pub use crate::store::{
    Alarm, Ending, Filter, MessageFilter, NewAlarm, ProposalRow, Queue, RawCounts, SessionRow,
    Settled, StandInFilter, Standing, TokenRow,
};
use crate::store::{Store, Writer};
pub use access::{
    AccessRules, AccountSeen, Attempt, Enrolment, Known, NewAccount, Profile, Session, SessionSeen,
    Setup, SignIn,
};
pub use administration::{Issued, NewToken};
pub use audit::{Examined, Report, verify, verify_signed};
pub use change::Change;
pub use channel::{ChannelFigures, ChannelState, SelfTested};
pub use chores::{DueClock, DueClocks, Leaves};
pub use contact::Contact;
pub use delivery::{AlertRules, Became, Parcel, Report as DeliveryReport};
pub use error::Error;
pub use figures::Figures;
pub use letters::{Note, Wish, sample_letter};
pub use link::{Bundled, Linked};
pub use locking::Relocking;
pub use proposal::Motion;
pub use public_id::PublicIds;
pub use query::{History, Page};
pub use recount::{Moved, Piece, Progress};
pub use registry::{Registry, Version};
pub use rehearsal::{Flow, Ground, Rehearsal, RehearsalWish, Way, spoken, step, stored_ground};
pub use reply::Replied;
pub use retold::Retold;
pub use roster::{Book, Handing, ImportWish, Imported, Named, NewStandIn};
pub use sealing::{Sealed, Seals, verify_seals};
pub use sight::Seen;
pub use subscription::{HookGuard, NewSubscription};
pub use voices::{Voice, Voices};
pub use wording::{family_of, number_of};

/// Who asks, and in which jurisdiction.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub actor: Actor,
    /// Where.
    pub jurisdiction: JurisdictionId,
}

/// Something to be done.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// Of what.
    pub target: Target,
    /// The command's name.
    pub command: String,
    /// Its input, as it came.
    pub input: Map<String, Json>,
    /// When it happened, if earlier.
    pub occurred_at: Option<Instant>,
    /// The caller's idempotency key.
    pub key: Option<String>,
    /// The version that the caller has seen.
    pub if_version: Option<i64>,
    /// The message that is answered with it: it is acknowledged by that.
    pub about: Option<MessageId>,
}

/// Of what something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A new instance of a workflow.
    New(String),
    /// An instance.
    Instance(InstanceId),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The instance that was asked.
    pub instance: InstanceId,
    /// Its family.
    pub family: InstanceId,
    /// The number of the event, and with it the instance's version.
    pub seq: i64,
    /// When it was recorded.
    pub recorded_at: Instant,
    /// The path of the state.
    pub state: String,
    /// The flat status.
    pub status: String,
    /// The stage.
    pub stage: String,
    /// The unit responsible.
    pub holder: Option<String>,
    /// Whether this is the answer to an earlier request with the same key.
    #[serde(skip)]
    pub replayed: bool,
}

impl Receipt {
    /// What people call the matter.
    #[must_use]
    pub fn number(&self) -> String {
        number_of(self.family)
    }

    fn of(instance: &Instance) -> Self {
        Self {
            instance: instance.id,
            family: instance.family,
            seq: instance.version,
            recorded_at: instance.updated_at,
            state: instance.state.clone(),
            status: instance.status.clone(),
            stage: instance.stage.clone(),
            holder: instance.holder.clone(),
            replayed: false,
        }
    }
}

/// What was done, and the instance as it stands after it.
#[derive(Debug, Clone)]
pub struct Done {
    /// The receipt.
    pub receipt: Receipt,
    /// The instance; none when an earlier answer was given again.
    pub instance: Option<Box<Instance>>,
}

/// A clock of an instance that has something to do, with its fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firing {
    /// The instance.
    pub instance: InstanceId,
    /// The clock.
    pub clock: String,
    /// The state entry that armed it.
    pub entry: i64,
    /// How often it had fired.
    pub step: i64,
}

/// Numbers that cannot be guessed: filled by the caller of the house, so that simulations repeat.
pub type Entropy = fn(&mut [u8]);

/// What the door is built of.
pub struct Parts {
    /// Where data are kept.
    pub store: Store,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Numbers that cannot be guessed.
    pub entropy: Entropy,
    /// How many commands share a transaction at most.
    pub batch_max: usize,
    /// How long alerts are tried.
    pub alerts: AlertRules,
}

/// The door. Cheap to clone; all clones are the same door.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Entropy,
    registry: Registry,
    committers: Vec<Sender<committer::Job>>,
    changes: broadcast::Sender<Change>,
    wake: Arc<Notify>,
    figures: Arc<Figures>,
    secret: u64,
    link_secret: [u8; 32],
    match_key: locking::MatchKey,
    letters: letters::Letters,
    /// The connection for chores of the scheduler.
    hand: Mutex<Option<Writer>>,
    alerts: AlertRules,
    access: RwLock<AccessRules>,
    /// When tokens were last used, and what was denied, until it is written down.
    uses: access::Uses,
    denials: access::Denials,
    /// The key that signs checkpoints.
    seal: std::sync::OnceLock<crate::seal::SigningKey>,
    /// Whether a webhook may be posted to an address.
    hook_guard: RwLock<Option<HookGuard>>,
    /// What says whose matter a call is, once it is trained.
    router: std::sync::OnceLock<Arc<crate::routing::Router>>,
}

/// So many changes are kept for a slow follower before it must read the history instead.
const CHANGES_KEPT: usize = 4096;

impl Gate {
    /// Opens the door: loads definitions, calendars and directories, starts the committers.
    ///
    /// # Errors
    /// What the store says, or a stored definition or calendar that cannot be read any more.
    pub fn open(parts: Parts) -> Result<Self, Error> {
        let Parts { store, clock, entropy, batch_max, alerts } = parts;
        let registry = Registry::load(&store, clock.now())?;
        let secret = administration::number_secret(&store, entropy)?;
        let link_secret = locking::secret(&store, "link_secret", entropy)?;
        let match_key = locking::MatchKey::of(&store, entropy)?;
        let letters = letters::Letters::shipped()?;
        let (changes, _) = broadcast::channel(CHANGES_KEPT);
        let wake = Arc::new(Notify::new());
        let figures = Arc::new(Figures::default());
        let setting = committer::Setting {
            store: store.clone(),
            clock: Arc::clone(&clock),
            entropy,
            registry: registry.clone(),
            changes: changes.clone(),
            wake: Arc::clone(&wake),
            figures: Arc::clone(&figures),
            batch_max,
            alerts,
            letters: letters.clone(),
            ids: PublicIds::new(secret),
        };
        let committers = committer::start(&setting)?;
        let hand = Mutex::new(None);
        let inner = Inner {
            store,
            clock,
            entropy,
            registry,
            committers,
            changes,
            wake,
            figures,
            secret,
            link_secret,
            match_key,
            seal: std::sync::OnceLock::new(),
            router: std::sync::OnceLock::new(),
            letters,
            hand,
            alerts,
            access: RwLock::default(),
            uses: access::Uses::default(),
            denials: access::Denials::default(),
            hook_guard: RwLock::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Does what is asked and answers after the commit.
    ///
    /// # Errors
    /// A refusal, `NotFound` for what the caller may not even see, a conflict, or why the store
    /// could not take it.
    pub async fn submit(&self, request: Request) -> Result<Done, Error> {
        let shard = match &request.target {
            Target::New(_) => ids::any_shard(),
            Target::Instance(id) => ids::shard(*id),
        };
        // What makes a repeated request the same is what was asked, not what the service adds to it.
        let key = &self.inner.match_key;
        let asked =
            request.key.as_ref().map(|_| committer::fingerprint(&request, key)).transpose()?;
        let request = self.examined(request);
        let (reply, answer) = oneshot::channel();
        self.send(shard, committer::Job::request(request, asked, reply))?;
        answer.await.map_err(|_closed| Error::Closing)?
    }

    /// Lets clocks do what they have to do; one answer each, in the same order.
    ///
    /// # Errors
    /// `Closing` when the house is being left.
    pub async fn fire(&self, firings: Vec<Firing>) -> Result<Vec<Result<(), Error>>, Error> {
        let mut answers = Vec::with_capacity(firings.len());
        for firing in firings {
            let (reply, answer) = oneshot::channel();
            self.send(ids::shard(firing.instance), committer::Job::firing(firing, reply))?;
            answers.push(answer);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            let outcome = answer.await.map_err(|_closed| Error::Closing)?;
            outcomes.push(outcome.map(drop));
        }
        Ok(outcomes)
    }

    fn send(&self, shard: usize, job: committer::Job) -> Result<(), Error> {
        let committers = &self.inner.committers;
        let committer = committers.get(shard % committers.len().max(1)).ok_or(Error::Closing)?;
        self.inner.figures.queued();
        committer.send(job).map_err(|_closed| Error::Closing)
    }

    /// Follows everything that is committed from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.inner.changes.subscribe()
    }

    /// Rung whenever clocks or messages may have to be looked at.
    #[must_use]
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.wake)
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.inner.clock.now()
    }

    /// Leaves the store as one whole file (SQLite), when the house is left. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn settle(&self) -> Result<bool, Error> {
        Ok(self.inner.store.settle()?)
    }

    /// Definitions, calendars and directories as they are loaded.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// What happened so far, counted.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.inner.figures
    }

    /// Ids as they are written outside.
    #[must_use]
    pub fn public_ids(&self) -> PublicIds {
        PublicIds::new(self.inner.secret)
    }
}
