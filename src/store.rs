//! Everything that is kept, in SQLite or PostgreSQL. All SQL of the house is in this room, and no
//! rules are: it takes the time as an argument and compares nothing that a decision depends on,
//! except versions.
//!
//! A [`Store`] gives out [`Writer`]s (one dedicated connection each, for transactions) and runs
//! reads on a small pool of read-only connections ([`Store::read`]). [`Transaction`] can do
//! whatever a [`Reader`] can.
//!
//! What to know before use:
//! - A [`Batch`] names each instance once, with the version it had when it was loaded; the write is
//!   all or nothing.
//! - On SQLite one transaction writes at a time; the others wait their turn inside the process. A
//!   transaction must not start another one, and on `sqlite::memory:` must not call
//!   [`Store::read`] either: it would wait for itself, and is refused.
//! - [`Error`] tells apart what the caller can do. After [`Error::Unknown`] nobody knows whether
//!   the commit was made.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

mod account;
mod address;
mod alarm;
mod answer;
mod audit;
mod batch;
mod catalogue;
mod checkpoint;
mod claim;
mod clock;
mod connection;
mod contact;
mod definition;
mod delivery;
mod denial;
mod directory;
mod error;
mod event;
mod instance;
mod list;
mod locked;
mod message;
mod migration;
mod part;
mod personal;
mod pool;
mod precedent;
mod proposal;
mod role;
mod roster;
mod schema;
mod session;
mod shared;
mod spot;
mod statement;
mod subscription;
mod token;
mod trace;
mod transfer;
mod turn;
mod writer;

use crate::domain::Wire;

use address::Address;
use connection::{Connection, Patience, Purpose};
use pool::Pool;
use shared::Shared;
use turn::{Turn, Turns};

pub use account::{AccountRow, Password, ThrottleRow};
pub use alarm::{Alarm, AlarmFilter, NewAlarm};
pub use answer::Answer;
pub use audit::AuditFilter;
pub use batch::{Batch, PartyRow, PersonalRow};
pub use checkpoint::{CheckpointRow, Head};
pub use claim::{ClaimWish, Claimed, LOST, PutBack};
pub use clock::ClockRow;
pub use connection::{OLDEST_SQLITE, bundled_sqlite, check_sqlite_version};
pub use contact::VerificationRow;
pub use definition::{CalendarSource, DefinitionSource};
pub use delivery::{Ending, Queue, Settled};
pub use denial::DenialRow;
pub use directory::Jurisdiction;
pub use error::Error;
pub use event::PositionedEvent;
pub use list::{Filter, Holding, RawCounts, Standing};
pub use locked::{Relocked, Walk};
pub use message::MessageFilter;
pub use pool::Reader;
pub use precedent::{Decision, PrecedentRow};
pub use proposal::ProposalRow;
pub use roster::StandInFilter;
pub use session::SessionRow;
pub use shared::Keys;
pub use token::TokenRow;
pub use trace::TraceRow;
pub use transfer::{Table, is_left_out, tables};
pub use writer::{Transaction, Writer};

/// Which back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// SQLite: one process, one file.
    Sqlite,
    /// PostgreSQL: any number of processes.
    Postgres,
}

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether a missing SQLite file is made (in an existing folder, with a name in `.db`,
    /// `.sqlite` or `.sqlite3`).
    pub create: bool,
    /// Reading only: no lock is taken, nothing can be written, a running service is not disturbed.
    pub read_only: bool,
    /// Also a PostgreSQL on another machine whose certificate the address does not have checked.
    pub allow_clear_text: bool,
    /// The most read connections open at a time; at least 1.
    pub readers: usize,
    /// How long to wait for a lock or a free connection; milliseconds.
    pub lock_ms: u32,
    /// How long PostgreSQL may take over one statement; milliseconds.
    pub statement_ms: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            create: false,
            read_only: false,
            allow_clear_text: false,
            readers: 4,
            lock_ms: 5_000,
            statement_ms: 30_000,
        }
    }
}

/// The data. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    address: Address,
    options: Options,
    /// The name of the database in memory, if this is one.
    memory: String,
    /// SQLite: one transaction writes at a time.
    turns: Turns,
    pool: Pool,
    /// What every connection knows: keys, and how chains are linked.
    shared: Arc<Shared>,
    /// Keeps a database in memory alive while no other connection is open.
    _kept: Mutex<Option<Connection>>,
    /// The lock that makes this process the only writer of a SQLite file; freed when dropped.
    _lock: Option<File>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("address", &self.address.shown()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database at `url`: `sqlite:PATH`, a plain path, `sqlite::memory:` (a new, empty
    /// database that all connections of this store share; for tests) or `postgres://…`. Connects
    /// once, so that a wrong address is noticed here. Runs no migration.
    ///
    /// # Errors
    /// [`Error::Address`] for an address that cannot be meant, or a line that others can read; [`Error::Locked`] when another
    /// process writes this SQLite file; [`Error::Unsuitable`] for a database program that is too
    /// old; [`Error::Down`] when nobody answers.
    pub fn open(url: &str, options: Options) -> Result<Self, Error> {
        static MEMORIES: AtomicU64 = AtomicU64::new(0);
        let address = Address::parse(url)?;
        if address.wire() == Wire::Clear && !options.allow_clear_text {
            return Err(Error::Address {
                address: address.shown(),
                reason: "it is another machine, and nothing says that its certificate is checked: add \
                         ?sslmode=verify-full&sslrootcert=FILE, with the certificate of the authority \
                         that signed the server's; or say database.allow_clear_text = true, which raises \
                         an alarm"
                    .to_owned(),
            });
        }
        let lock = match &address {
            Address::File(path) => lock_file(path, &options, &address)?,
            Address::Memory | Address::Postgres(_) => None,
        };
        let memory = format!("fenliu-{}", MEMORIES.fetch_add(1, Ordering::Relaxed));
        let purpose = if options.read_only { Purpose::Read } else { Purpose::Write };
        let first = Connection::open(&address, purpose, patience(&options), &memory)?;
        let kept = (address == Address::Memory).then_some(first);
        let shared = Arc::<Shared>::default();
        let pool = Pool::new(options.readers.max(1), Arc::clone(&shared));
        Ok(Self {
            inner: Arc::new(Inner {
                address,
                options,
                memory,
                turns: Turns::default(),
                pool,
                shared,
                _kept: Mutex::new(kept),
                _lock: lock,
            }),
        })
    }

    /// Which back end this is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.inner.address {
            Address::File(_) | Address::Memory => Kind::Sqlite,
            Address::Postgres(_) => Kind::Postgres,
        }
    }

    /// The address for people and logs: without a password.
    #[must_use]
    pub fn address(&self) -> String {
        self.inner.address.shown()
    }

    /// How the line to the database is protected.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.inner.address.wire()
    }

    /// Whether this process is the only one that writes, so that instances may be kept in memory
    /// between batches.
    #[must_use]
    pub fn exclusive(&self) -> bool {
        self.kind() == Kind::Sqlite && !self.inner.options.read_only
    }

    /// Brings the schema to this program's version; does nothing when it is there. Of several
    /// nodes that start at once, one does it and the others wait.
    ///
    /// # Errors
    /// [`Error::Migration`] with the cause; the failed migration itself left nothing behind.
    /// [`Error::Unsuitable`] when there is something to do, or to write, that the role may not.
    pub fn migrate(&self) -> Result<(), Error> {
        let _turn = self.turn()?;
        migration::migrate(&mut self.connect(Purpose::Write)?)
    }

    /// Writes everything into the SQLite file itself and empties the write-ahead log beside it, so that
    /// a copy of the one file is whole. False: somebody still reads what is older, and the log stays.
    /// Does nothing elsewhere.
    ///
    /// # Errors
    /// As for any statement.
    pub fn settle(&self) -> Result<bool, Error> {
        let Address::File(path) = &self.inner.address else { return Ok(true) };
        if self.inner.options.read_only {
            return Ok(true);
        }
        self.inner.pool.close_idle();
        let _turn = self.turn()?;
        self.connect(Purpose::Write)?.run("PRAGMA wal_checkpoint(TRUNCATE)")?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(std::fs::metadata(log).map_or(true, |log| log.len() == 0))
    }

    /// Takes the whole schema back, **with all data**: for tests of the way down.
    ///
    /// # Errors
    /// [`Error::Migration`] with the cause.
    pub fn revert_all(&self) -> Result<(), Error> {
        self.inner.pool.close_idle();
        let _turn = self.turn()?;
        migration::revert_all(&mut self.connect(Purpose::Write)?)
    }

    /// The migrations that have not run yet; empty when the schema fits this program.
    ///
    /// # Errors
    /// As for any statement.
    pub fn pending_migrations(&self) -> Result<Vec<String>, Error> {
        self.read(|reader| migration::missing(&mut reader.connection))
    }

    /// A connection of its own for transactions.
    ///
    /// # Errors
    /// [`Error::Down`] when nobody answers; [`Error::Unsuitable`] for a store opened for reading
    /// only.
    pub fn writer(&self) -> Result<Writer, Error> {
        if self.inner.options.read_only {
            return Err(Error::Unsuitable("this store was opened for reading only".to_owned()));
        }
        Writer::new(self.clone())
    }

    /// Does `work` with a read-only connection of the pool, in one snapshot: everything `work`
    /// reads fits together. Waits for a free connection as long as for a lock. Blocks: call it from
    /// a blocking thread.
    ///
    /// # Errors
    /// What `work` answers; [`Error::Busy`] when no connection became free; [`Error::Down`].
    pub fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T, Error>) -> Result<T, Error> {
        // A database in memory has no write-ahead log: there, readers and the writer would wait for
        // each other inside SQLite, which starves readers. They take turns here instead.
        let _turn = match self.inner.address {
            Address::Memory => Some(self.inner.turns.take()?),
            Address::File(_) | Address::Postgres(_) => None,
        };
        let begin = match self.kind() {
            Kind::Sqlite => "BEGIN",
            Kind::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut lent =
            self.inner.pool.lend(self.inner.options.lock_ms, || self.connect(Purpose::Read))?;
        lent.within(begin, work)
    }

    fn connect(&self, purpose: Purpose) -> Result<Connection, Error> {
        let inner = &self.inner;
        let patience = patience(&inner.options);
        let mut made = Connection::open(&inner.address, purpose, patience, &inner.memory)?;
        made.count(&inner.shared);
        Ok(made)
    }

    /// On SQLite, this caller's turn to write.
    fn turn(&self) -> Result<Option<Turn<'_>>, Error> {
        match self.kind() {
            Kind::Sqlite => self.inner.turns.take().map(Some),
            Kind::Postgres => Ok(None),
        }
    }
}

fn patience(options: &Options) -> Patience {
    Patience { lock_ms: options.lock_ms, statement_ms: options.statement_ms }
}

/// Takes the lock beside a SQLite file, and makes the file if that is wanted and its name allows.
fn lock_file(path: &Path, options: &Options, address: &Address) -> Result<Option<File>, Error> {
    let refuse = |reason: String| Error::Address { address: address.shown(), reason };
    let exists = path.is_file();
    if !exists && path.exists() {
        return Err(refuse("it is not a file".to_owned()));
    }
    if !exists && (!options.create || options.read_only) {
        return Err(refuse("there is no such file".to_owned()));
    }
    if !exists {
        Address::may_be_made(path).map_err(refuse)?;
    }
    if options.read_only {
        return Ok(None);
    }
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let shown = name.to_string_lossy().into_owned();
    let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&name);
    let lock = lock.map_err(|cause| refuse(format!("its lock file `{shown}`: {cause}")))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::Locked { path: shown }),
        Err(TryLockError::Error(cause)) => {
            return Err(refuse(format!("its lock file `{shown}`: {cause}")));
        }
    }
    if !exists {
        let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
        made.map_err(|cause| refuse(format!("it cannot be made: {cause}")))?;
    }
    Ok(Some(lock))
}
