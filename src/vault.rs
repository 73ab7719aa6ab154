//! Values that are kept locked: who called, and the secrets shared with people's devices. The keys are
//! outside the database; a value says which one locked it, and fits only the row and column that it
//! was locked for. Pure: numbers that cannot be guessed come from whoever opens the vault.

mod keys;

use std::fmt;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Serialize};
use sm4::Sm4;

pub use keys::{KeyLine, fault_of_id};

/// What every locked value begins with: the form of the text.
pub const MARK: &str = "lock1.";

/// The bytes of a number that is used once with a key.
const NONCE: usize = 12;

/// By what a key locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    /// AES with 256 bits in Galois/counter mode (NIST SP 800-38D).
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
    /// SM4 in Galois/counter mode (GB/T 32907, RFC 8998).
    #[serde(rename = "sm4-gcm")]
    Sm4Gcm,
}

impl Algorithm {
    /// Its word in key files.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Aes256Gcm => "aes-256-gcm",
            Self::Sm4Gcm => "sm4-gcm",
        }
    }

    /// The algorithm of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Aes256Gcm, Self::Sm4Gcm].into_iter().find(|one| one.code() == code)
    }

    /// How many bytes a key has.
    #[must_use]
    pub fn key_bytes(self) -> usize {
        match self {
            Self::Aes256Gcm => 32,
            Self::Sm4Gcm => 16,
        }
    }
}

/// Where a value stands: it is good nowhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'p> {
    /// The table.
    pub table: &'static str,
    /// The row's number.
    pub row: i64,
    /// The column, or what names the value within the row.
    pub column: &'p str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.table, self.row, self.column)
    }
}

/// Why a value cannot be locked or read. Neither a key nor a value is ever part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The keys cannot be read.
    #[error("line {line}: {why}")]
    Keys {
        /// The line, from 1.
        line: usize,
        /// What is wrong, and how to mend it.
        why: String,
    },
    /// There is no key at all.
    #[error("there is no key in it; `fenliu key rotate` adds one")]
    None,
    /// The value was locked by a key that is not there.
    #[error("{place} is locked by the key `{key}`, which is not among the keys")]
    Missing {
        /// Where the value stands.
        place: String,
        /// The key's name.
        key: String,
    },
    /// The value was altered, moved here from elsewhere, or the key of this name is another one.
    #[error(
        "{place} cannot be opened with the key `{key}`: it was altered or moved, or the key is another one"
    )]
    Altered {
        /// Where the value stands.
        place: String,
        /// The key's name.
        key: String,
    },
    /// Nothing could be locked.
    #[error("{0} cannot be locked")]
    Lock(String),
}

/// The name of the key that locked a value; none if it is not locked.
#[must_use]
pub fn key_of(kept: &str) -> Option<&str> {
    let (key, _) = kept.strip_prefix(MARK)?.split_once('.')?;
    Some(key)
}

enum Cipher {
    Aes(Box<Aes256Gcm>),
    Sm4(Box<AesGcm<Sm4, U12>>),
}

impl Cipher {
    fn of(line: &KeyLine) -> Option<Self> {
        match line.algorithm {
            Algorithm::Aes256Gcm => {
                Aes256Gcm::new_from_slice(&line.key).ok().map(|one| Self::Aes(Box::new(one)))
            }
            Algorithm::Sm4Gcm => {
                AesGcm::new_from_slice(&line.key).ok().map(|one| Self::Sm4(Box::new(one)))
            }
        }
    }

    fn lock(&self, nonce: &[u8; NONCE], msg: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, payload) = (Nonce::from(*nonce), Payload { msg, aad });
        match self {
            Self::Aes(cipher) => cipher.encrypt(&nonce, payload).ok(),
            Self::Sm4(cipher) => cipher.encrypt(&nonce, payload).ok(),
        }
    }

    fn open(&self, nonce: &[u8; NONCE], msg: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        let (nonce, payload) = (Nonce::from(*nonce), Payload { msg, aad });
        match self {
            Self::Aes(cipher) => cipher.decrypt(&nonce, payload).ok(),
            Self::Sm4(cipher) => cipher.decrypt(&nonce, payload).ok(),
        }
    }
}

/// Fills bytes with numbers that cannot be guessed.
pub type Entropy = fn(&mut [u8]);

/// The keys: the last one locks, all of them open.
pub struct Vault {
    keys: Vec<(String, Cipher)>,
    present: String,
    entropy: Entropy,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|(name, _)| name);
        f.debug_set().entries(names).finish()
    }
}

impl Vault {
    /// The vault of a key file's text, or of the same with `;` between the lines; see [`KeyLine`].
    ///
    /// # Errors
    /// [`Error::Keys`] with the line; [`Error::None`].
    pub fn read(text: &str, entropy: Entropy) -> Result<Self, Error> {
        let lines = KeyLine::read_all(text)?;
        let present = lines.last().ok_or(Error::None)?.id.clone();
        let keys = lines.iter().filter_map(|line| Some((line.id.clone(), Cipher::of(line)?)));
        Ok(Self { keys: keys.collect(), present, entropy })
    }

    /// The name of the key that locks.
    #[must_use]
    pub fn present(&self) -> &str {
        &self.present
    }

    /// The names of all keys, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(name, _)| name.as_str())
    }

    /// Whether there is a key of this name.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.cipher(key).is_some()
    }

    /// Whether a value is locked by the key that locks now.
    #[must_use]
    pub fn is_present(&self, kept: &str) -> bool {
        key_of(kept) == Some(self.present.as_str())
    }

    /// A value as it is kept.
    ///
    /// # Errors
    /// [`Error::Lock`] for a value of many gigabytes.
    pub fn lock(&self, place: Place<'_>, value: &[u8]) -> Result<String, Error> {
        let mut nonce = [0_u8; NONCE];
        (self.entropy)(&mut nonce);
        let key = &self.present;
        let aad = bound(key, place);
        let cipher = self.cipher(key);
        let locked = cipher.and_then(|cipher| cipher.lock(&nonce, value, aad.as_bytes()));
        let locked = locked.ok_or_else(|| Error::Lock(place.to_string()))?;
        let bytes = [nonce.as_slice(), &locked].concat();
        Ok(format!("{MARK}{key}.{}", STANDARD_NO_PAD.encode(bytes)))
    }

    /// The value of what is kept. What was never locked is answered as it is.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Altered`].
    pub fn open(&self, place: Place<'_>, kept: &str) -> Result<Vec<u8>, Error> {
        let Some(key) = key_of(kept) else { return Ok(kept.as_bytes().to_vec()) };
        let missing = || Error::Missing { place: place.to_string(), key: key.to_owned() };
        let cipher = self.cipher(key).ok_or_else(missing)?;
        let text = kept.get(MARK.len() + key.len() + 1..).unwrap_or_default();
        let bytes = STANDARD_NO_PAD.decode(text).unwrap_or_default();
        let opened = bytes
            .split_first_chunk::<NONCE>()
            .and_then(|(nonce, locked)| cipher.open(nonce, locked, bound(key, place).as_bytes()));
        opened.ok_or_else(|| Error::Altered { place: place.to_string(), key: key.to_owned() })
    }

    fn cipher(&self, key: &str) -> Option<&Cipher> {
        self.keys.iter().find(|(name, _)| name == key).map(|(_, cipher)| cipher)
    }
}

/// What a locked value is bound to besides its key.
fn bound(key: &str, place: Place<'_>) -> String {
    let Place { table, row, column } = place;
    format!("{MARK}{key}|{table}|{row}|{column}")
}

#[cfg(test)]
mod tests;
