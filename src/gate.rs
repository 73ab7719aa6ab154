//! The one door: whoever wants to change or see anything comes through here.
//!
//! Rights → decision → one transaction. Commands are handed to a few committer threads, each of
//! which decides and writes many of them in one transaction (group commit); a caller is answered
//! after the commit. A failing command never takes its batch along.

mod access;
mod administration;
mod advice;
mod alarm;
mod anchor;
mod answered;
mod audit;
mod batch;
mod calendar;
mod catalogue;
mod change;
mod channel;
mod chores;
mod committer;
mod contact;
mod coverage;
mod delivery;
mod doubles;
mod error;
mod explain;
mod figures;
mod founding;
mod granted;
mod heirs;
mod ids;
mod intake;
mod job;
mod learned;
mod lessons;
mod letters;
mod link;
mod locking;
mod matters;
mod mute;
mod offer;
mod older;
mod personal;
mod phone;
mod proposal;
mod public_id;
mod publishing;
mod query;
mod reading;
mod record;
mod recount;
mod registry;
mod rehearsal;
mod repeats;
mod replay;
mod reply;
mod report;
mod request;
mod retold;
mod returns;
mod rights;
mod roster;
mod sealing;
mod sight;
mod sources;
mod spot;
mod standing;
mod subscription;
mod teaching;
mod telling;
mod token;
mod voices;
mod wording;
mod world;

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::{Notify, broadcast, oneshot};

use crate::clock::Clock;
use crate::domain::{Instant, JurisdictionId};
pub use crate::store::{
    Alarm, AlarmFilter, AuditFilter, Ending, Filter, MessageFilter, NewAlarm, PrecedentRow,
    ProposalRow, Queue, RawCounts, SessionRow, Settled, StandInFilter, Standing, TokenRow,
};
use crate::store::{Store, Writer};
pub use access::{
    AccessRules, AccountSeen, Attempt, Enrolment, Known, NewAccount, Profile, Session, SessionSeen,
    Setup, SignIn,
};
pub use administration::NewUnit;
pub use alarm::AlarmsTold;
pub use audit::{Examined, Report, verify, verify_signed};
pub use calendar::{CALENDAR_MISSING, NewCalendar};
pub use change::Change;
pub use channel::{ChannelFigures, ChannelState, SelfTested};
pub use chores::{DueClock, DueClocks, Leaves};
pub use contact::Contact;
pub use coverage::meant;
pub use delivery::{AlertRules, Became, Parcel, Report as DeliveryReport};
pub use doubles::{Double, Joining};
pub use error::Error;
pub use figures::Figures;
use job::{Brought, Job};
pub use learned::{Adviser, known_of};
pub use letters::{Note, Wish, sample_letter};
pub use link::{Bundled, Linked};
pub use locking::Relocking;
pub use proposal::Motion;
pub use public_id::PublicIds;
pub use query::{History, Page};
pub use recount::{Moved, Piece, Progress};
pub use registry::{Registry, Version};
pub use rehearsal::{Flow, Ground, Rehearsal, RehearsalWish, Way, spoken, step, stored_ground};
pub use repeats::{Repeat, RoutingRules, Typed};
pub use replay::{Elsewhere, Proposal, Replay};
pub use reply::Replied;
pub use request::{Caller, Done, Firing, Receipt, Request, Target};
pub use retold::Retold;
pub use returns::{Clause, ReturnFigures, Returns};
pub use roster::{Book, Handing, ImportWish, Imported, Named, NewStandIn};
pub use sealing::{Noted, Sealed, Seals};
pub use sight::Seen;
pub use subscription::{HookGuard, NewSubscription, Unreachable};
pub use teaching::{Followed, Verdict as Ruling};
pub use token::{Issued, NewToken, TokenDraft};
pub use voices::{Exported, KeptMatter, Voice, Voices};
pub use wording::{family_of, number_of};

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
    /// Whether the registry lacks what was written here: loading it again failed then.
    behind: std::sync::atomic::AtomicBool,
    committers: Vec<Sender<Job>>,
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
    /// Who is told of operator alarms.
    operators: RwLock<Vec<(String, crate::domain::Role)>>,
    /// Sessions that are good, as far as is known.
    sessions: access::Sessions,
    /// When tokens were last used, and what was denied, until it is written down.
    uses: access::Uses,
    denials: access::Denials,
    /// The key that signs checkpoints.
    seal: std::sync::OnceLock<crate::seal::SigningKey>,
    /// Whether a webhook may be posted to an address.
    hook_guard: RwLock<Option<HookGuard>>,
    /// What says whose matter a call is, by jurisdiction, once it is trained.
    routers: RwLock<BTreeMap<JurisdictionId, Arc<crate::routing::Router>>>,
    /// Whether there is to be a router: what nobody has read yet is asked about.
    router_awaited: std::sync::atomic::AtomicBool,
    /// What routers are trained from, by jurisdiction.
    knowledge: RwLock<BTreeMap<JurisdictionId, Arc<crate::routing::Knowledge>>>,
    /// One trains at a time: it takes seconds of a core, and memory.
    training: Mutex<()>,
    /// How like calls must be to each other.
    routing: RwLock<RoutingRules>,
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
        older::renew_clocks(&store, &registry)?;
        older::note_rights(&store, clock.now())?;
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
            behind: std::sync::atomic::AtomicBool::default(),
            committers,
            changes,
            wake,
            figures,
            secret,
            link_secret,
            match_key,
            seal: std::sync::OnceLock::new(),
            routers: RwLock::default(),
            router_awaited: std::sync::atomic::AtomicBool::default(),
            knowledge: RwLock::default(),
            training: Mutex::default(),
            routing: RwLock::default(),
            letters,
            hand,
            alerts,
            access: RwLock::default(),
            operators: RwLock::default(),
            sessions: access::Sessions::default(),
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
        let asked = answered::may_repeat(&request)
            .then(|| answered::fingerprint(&request, key))
            .transpose()?;
        let brought = Brought { asked, heard: self.listen(&request)? };
        let (reply, answer) = oneshot::channel();
        self.send(shard, Job::request(request, brought, reply))?;
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
            self.send(ids::shard(firing.instance), Job::firing(firing, reply))?;
            answers.push(answer);
        }
        let mut outcomes = Vec::with_capacity(answers.len());
        for answer in answers {
            let outcome = answer.await.map_err(|_closed| Error::Closing)?;
            outcomes.push(outcome.map(drop));
        }
        Ok(outcomes)
    }

    fn send(&self, shard: usize, job: Job) -> Result<(), Error> {
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

    /// How many statements were given to the database so far.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.store.statements()
    }

    /// Ids as they are written outside.
    #[must_use]
    pub fn public_ids(&self) -> PublicIds {
        PublicIds::new(self.inner.secret)
    }
}
