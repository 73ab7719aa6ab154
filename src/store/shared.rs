//! What all connections of a store share: the keys of what is kept locked, and by which hash chains
//! are linked.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::Store;
use super::error::Error;
use super::pool::Reader;
use super::schema::jurisdiction;
use crate::domain::ChainHash;
use crate::vault::{self, Place, Vault};

use super::connection::each;
use diesel::prelude::*;

/// Where keys come from: asked at the beginning, and again when a value names a key that is not known.
#[derive(Clone)]
pub struct Keys(Arc<dyn Fn() -> Result<Vault, String> + Send + Sync>);

impl Keys {
    /// Keys that `read` brings.
    pub fn new(read: impl Fn() -> Result<Vault, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(read))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[derive(Default)]
pub(super) struct Shared {
    keys: RwLock<Option<Keys>>,
    vault: RwLock<Option<Arc<Vault>>>,
    chain: OnceLock<ChainHash>,
    /// Whether everything was once locked.
    closed: AtomicBool,
    /// Statements given to the database.
    statements: AtomicU64,
}

impl Shared {
    pub(super) fn count_statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn vault(&self) -> Option<Arc<Vault>> {
        self.vault.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the keys again.
    fn refresh(&self) -> Result<(), Error> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Keys(read)) = keys else { return Ok(()) };
        let vault = read().map_err(Error::Keys)?;
        *self.vault.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(vault));
        Ok(())
    }

    /// A value as it is kept: locked, if there are keys.
    pub(super) fn lock(&self, place: Place<'_>, value: &str) -> Result<String, Error> {
        match self.vault() {
            Some(vault) => Ok(vault.lock(place, value.as_bytes())?),
            None => Ok(value.to_owned()),
        }
    }

    /// From now on what is not locked is refused.
    pub(super) fn refuse_clear(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// A value that is not locked: from the time before there were keys, or put there since.
    pub(super) fn clear<T>(&self, place: Place<'_>, value: T) -> Result<T, Error> {
        if !self.closed.load(Ordering::Relaxed) {
            return Ok(value);
        }
        let what =
            format!("{place} is not locked, as everything in this store was: it was altered");
        Err(Error::Altered(what))
    }

    /// The value of what is kept. A key that somebody has just added is fetched.
    pub(super) fn open(&self, place: Place<'_>, kept: &str) -> Result<String, Error> {
        let Some(key) = vault::key_of(kept) else { return self.clear(place, kept.to_owned()) };
        let missing = || vault::Error::Missing { place: place.to_string(), key: key.to_owned() };
        let try_open = || self.vault().ok_or_else(missing)?.open(place, kept);
        let opened = match try_open() {
            Err(vault::Error::Missing { .. }) => {
                self.refresh()?;
                try_open()
            }
            other => other,
        }?;
        String::from_utf8(opened).map_err(|cause| Error::corrupt(place.to_string(), cause))
    }
}

/// The setting that says by which hash chains are linked.
const CHAIN: &str = "chain_hash";

impl Store {
    /// Takes keys: from now on callers' data and the secrets of devices are kept locked.
    ///
    /// # Errors
    /// [`Error::Keys`] when they cannot be read.
    pub fn use_keys(&self, keys: Keys) -> Result<(), Error> {
        let shared = &self.inner.shared;
        *shared.keys.write().unwrap_or_else(PoisonError::into_inner) = Some(keys);
        shared.refresh()
    }

    /// Gives the keys back: what is locked cannot be read any more.
    pub fn forget_keys(&self) {
        let shared = &self.inner.shared;
        *shared.keys.write().unwrap_or_else(PoisonError::into_inner) = None;
        *shared.vault.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Reads the keys again, if there are any; those of before stay when that fails.
    ///
    /// # Errors
    /// [`Error::Keys`].
    pub fn refresh_keys(&self) -> Result<(), Error> {
        self.inner.shared.refresh()
    }

    /// How many statements were given to the database since this store was opened, transactions' own
    /// among them.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.inner.shared.statements.load(Ordering::Relaxed)
    }

    /// The keys in use.
    #[must_use]
    pub fn vault(&self) -> Option<Arc<Vault>> {
        self.inner.shared.vault()
    }

    /// By which hash the chains of this store are linked.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the store names one that is not known; otherwise as for any statement.
    pub fn chain(&self) -> Result<ChainHash, Error> {
        if let Some(known) = self.inner.shared.chain.get() {
            return Ok(*known);
        }
        let chain = self.read(Reader::chain)?;
        Ok(chain)
    }

    /// Chooses by which hash chains are linked, if the store has no jurisdiction yet; answers by which
    /// they are. A choice is never changed: a chain is by one hash or it is none.
    ///
    /// # Errors
    /// As [`Store::chain`].
    pub fn choose_chain(&self, wished: ChainHash) -> Result<ChainHash, Error> {
        self.writer()?.transaction(|transaction| {
            if transaction.setting(CHAIN)?.is_none() {
                let founded: i64 = each!(&mut transaction.connection, connection => {
                    jurisdiction::table.count().get_result(connection)
                })?;
                // Older stores do not say it.
                let chain = if founded == 0 { wished } else { ChainHash::default() };
                transaction.set_setting(CHAIN, chain.code())?;
            }
            transaction.chain()
        })
    }
}

impl Reader {
    /// By which hash the chains of this store are linked.
    ///
    /// # Errors
    /// As [`Store::chain`].
    pub fn chain(&mut self) -> Result<ChainHash, Error> {
        if let Some(known) = self.shared.chain.get() {
            return Ok(*known);
        }
        let kept = self.setting(CHAIN)?;
        let unknown = |code: &String| {
            Error::corrupt(CHAIN, format!("`{code}` is no hash that this program knows"))
        };
        let chain = match &kept {
            Some(code) => ChainHash::from_code(code).ok_or_else(|| unknown(code))?,
            None => return Ok(ChainHash::default()),
        };
        Ok(*self.shared.chain.get_or_init(|| chain))
    }
}
