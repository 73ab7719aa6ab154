//! Seals: a signed statement of where every chain of events stood, so that what was cut off at an
//! end, or rewritten with all its hashes, is found by whoever kept a signature, or only the key. Pure.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::domain::event::Hash;
use crate::domain::{ChainHash, InstanceId, Instant, JurisdictionId};

/// The number of the form in which checkpoints are written and signed.
pub const FORMAT: i64 = 1;

/// What a checkpoint says. Hashes are in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The form of this text; see [`FORMAT`].
    pub format: i64,
    /// 1 for the first, then without gaps.
    pub number: i64,
    /// When it was made.
    pub at: Instant,
    /// By which hash it speaks, and the chains are linked; SHA-256 where nothing is said.
    #[serde(default, skip_serializing_if = "ChainHash::is_usual")]
    pub chain: ChainHash,
    /// The hash of the text of the checkpoint before; nought for the first.
    pub previous: String,
    /// How many matters have changed since the checkpoint before …
    pub matters: i64,
    /// … and the hash over where each of them stands; see [`root`].
    pub heads: String,
    /// Where the audit log of each jurisdiction stands.
    pub audit: Vec<AuditHead>,
}

/// Where an audit log stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Whose.
    pub jurisdiction: JurisdictionId,
    /// The number of its last entry.
    pub seq: i64,
    /// The hash of that entry.
    pub hash: String,
}

/// The hash over where matters stand: each as id, number of the last event and its hash, in order of
/// id.
#[must_use]
pub fn root(by: ChainHash, heads: impl IntoIterator<Item = (InstanceId, i64, Hash)>) -> Hash {
    by.over(heads.into_iter().map(|(instance, seq, hash)| {
        [instance.0.to_be_bytes().as_slice(), seq.to_be_bytes().as_slice(), hash.as_slice()]
            .concat()
    }))
}

/// The hash of a checkpoint's text, which the next one names.
#[must_use]
pub fn hash_of(by: ChainHash, text: &str) -> Hash {
    by.over([text])
}

/// The key that signs. Whoever has it can forge: it is kept outside the database.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// The key that a seed of 32 random bytes makes; none if the bytes are not fit for it.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The public half: 32 bytes, to be noted where the database's administrators have no hand.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        self.0.public_key().as_ref()
    }

    /// Signs a text (Ed25519, RFC 8032).
    #[must_use]
    pub fn sign(&self, text: &str) -> Vec<u8> {
        self.0.sign(text.as_bytes()).as_ref().to_vec()
    }
}

/// Whether `signature` was made over `text` with the key whose public half this is.
#[must_use]
pub fn is_signed(public: &[u8], text: &str, signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(text.as_bytes(), signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::unhex;

    #[test]
    fn a_signature_holds_for_its_text_and_key_alone() {
        let key = SigningKey::from_seed(&[7; 32]).unwrap();
        let other = SigningKey::from_seed(&[8; 32]).unwrap();
        let signature = key.sign("at this time all was so");
        assert!(is_signed(key.public(), "at this time all was so", &signature));
        assert!(!is_signed(key.public(), "at this time all was otherwise", &signature));
        assert!(!is_signed(other.public(), "at this time all was so", &signature));
        assert!(!is_signed(key.public(), "at this time all was so", &[]));
    }

    #[test]
    fn the_hash_over_heads_tells_apart_every_part_and_their_order() {
        let head = |id: i64, seq: i64, byte: u8| (InstanceId(id), seq, [byte; 32]);
        let all = [
            root(ChainHash::Sha256, []),
            root(ChainHash::Sha256, [head(1, 1, 1)]),
            root(ChainHash::Sha256, [head(2, 1, 1)]),
            root(ChainHash::Sha256, [head(1, 2, 1)]),
            root(ChainHash::Sha256, [head(1, 1, 2)]),
            root(ChainHash::Sha256, [head(1, 1, 1), head(2, 1, 1)]),
            root(ChainHash::Sha256, [head(2, 1, 1), head(1, 1, 1)]),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn the_key_of_a_known_seed_is_that_of_the_standard() {
        // RFC 8032, 7.1, test 1.
        let seed = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let public = hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
        assert_eq!(SigningKey::from_seed(&seed).unwrap().public(), public);
    }

    fn hex(text: &str) -> [u8; 32] {
        unhex(text).unwrap().try_into().unwrap()
    }
}
