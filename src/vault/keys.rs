//! The text of a key file: a line for each key, the last one locks.

use std::fmt;

use super::{Algorithm, Error};
use crate::domain::event::{hex, unhex};

/// A key as its file has it: `NAME ALGORITHM HEXADECIMAL`, such as
/// `20260301-4f2a aes-256-gcm 00…` with 64 digits (`sm4-gcm`: 32). Empty lines and those that begin
/// with `#` say nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyLine {
    /// Its name, which stands in every value that it locks.
    pub id: String,
    /// By what it locks.
    pub algorithm: Algorithm,
    /// The key itself.
    pub key: Vec<u8>,
}

impl fmt::Debug for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.algorithm.code())
    }
}

/// What is wrong with the name of a key.
#[must_use]
pub fn fault_of_id(id: &str) -> Option<&'static str> {
    let sound = id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    let fits = sound && (1..=32).contains(&id.len());
    (!fits).then_some("a key's name has 1 to 32 small letters, digits and `-`")
}

impl KeyLine {
    /// The line as it stands in the file.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {} {}\n", self.id, self.algorithm.code(), hex(&self.key))
    }

    /// Every key of a file, in order.
    ///
    /// # Errors
    /// [`Error::Keys`] with the first line that is no key, or names one twice.
    pub fn read_all(text: &str) -> Result<Vec<Self>, Error> {
        let mut keys: Vec<Self> = Vec::new();
        for (number, line) in text.split(['\n', ';']).enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |why: &str| Error::Keys { line: number + 1, why: why.to_owned() };
            let key = Self::read(line).map_err(wrong)?;
            if keys.iter().any(|known| known.id == key.id) {
                return Err(wrong("this name stands there twice; every key has its own"));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    fn read(line: &str) -> Result<Self, &'static str> {
        let parts: Vec<&str> = line.split_whitespace().collect();
        let [id, algorithm, key] = parts[..] else {
            return Err("a key is written as NAME ALGORITHM HEXADECIMAL");
        };
        if let Some(fault) = fault_of_id(id) {
            return Err(fault);
        }
        let algorithm = Algorithm::from_code(algorithm);
        let algorithm = algorithm.ok_or("the algorithm is `aes-256-gcm` or `sm4-gcm`")?;
        let key = unhex(key).filter(|key| key.len() == algorithm.key_bytes());
        let why = "the key has 64 hexadecimal digits for `aes-256-gcm`, 32 for `sm4-gcm`";
        Ok(Self { id: id.to_owned(), algorithm, key: key.ok_or(why)? })
    }
}
