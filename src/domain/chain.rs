//! How the links of chains are made: by one hash for all chains of a store.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sm3::Sm3;

use super::event::Hash;

/// By which hash the chains of a store are linked. Chosen when the store is founded, and never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChainHash {
    /// SHA-256 (FIPS 180-4).
    #[default]
    Sha256,
    /// SM3 (GB/T 32905).
    Sm3,
}

impl ChainHash {
    /// Its word in stores, settings and checkpoints.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }

    /// The hash of a word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Sha256, Self::Sm3].into_iter().find(|one| one.code() == code)
    }

    /// Whether it is the usual one, of which texts need not speak.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The hash over some bytes, one part after the other.
    #[must_use]
    pub fn over<P: AsRef<[u8]>>(self, parts: impl IntoIterator<Item = P>) -> Hash {
        match self {
            Self::Sha256 => digest::<Sha256, P>(parts).into(),
            Self::Sm3 => digest::<Sm3, P>(parts).into(),
        }
    }

    /// The hash of a text that follows `previous`: its link of the chain.
    #[must_use]
    pub fn link(self, previous: &Hash, body: &str) -> Hash {
        self.over([previous.as_slice(), body.as_bytes()])
    }
}

fn digest<D: Digest, P: AsRef<[u8]>>(
    parts: impl IntoIterator<Item = P>,
) -> sha2::digest::Output<D> {
    let mut digest = D::new();
    for part in parts {
        digest.update(part);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{NO_HASH, hex};

    #[test]
    fn each_hash_is_that_of_its_standard() {
        // FIPS 180-4 and GB/T 32905 both have "abc" as their first example.
        for (hash, expected) in [
            (ChainHash::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (ChainHash::Sm3, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ] {
            assert_eq!(hex(&hash.over(["ab", "c"])), expected);
            assert_eq!(ChainHash::from_code(hash.code()), Some(hash));
            assert_eq!(serde_json::to_value(hash).unwrap(), hash.code());
        }
        let links = [ChainHash::Sha256, ChainHash::Sm3].map(|hash| hash.link(&NO_HASH, "{}"));
        assert_ne!(links[0], links[1]);
    }
}
