//! Callers' personal data: kept apart from events, which hold only salted digests.
//!
//! The salt stands with the text, not with the digest: when the text is erased the digest means
//! nothing to anybody, and the chain of events stays valid.

use sha2::{Digest, Sha256};

use super::Entropy;
use crate::domain::event::hex;

/// The bytes of a salt.
const SALT: usize = 16;

/// A text with its salt, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sealed {
    /// What the store keeps: the salt in hexadecimal, then the text.
    pub(super) kept: String,
    /// What events hold.
    pub(super) digest: String,
}

/// Seals a text.
pub(super) fn seal(text: &str, entropy: Entropy) -> Sealed {
    let mut salt = [0_u8; SALT];
    entropy(&mut salt);
    let salt = hex(&salt);
    Sealed { digest: digest(&salt, text), kept: format!("{salt}{text}") }
}

/// The text of what is kept.
pub(super) fn text(kept: &str) -> &str {
    kept.get(SALT * 2..).unwrap_or_default()
}

fn digest(salt: &str, text: &str) -> String {
    let mut sha = Sha256::new();
    sha.update(salt.as_bytes());
    sha.update(text.as_bytes());
    format!("sha256:{}", hex(&sha.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_text_comes_back_and_its_digest_tells_nothing() {
        let sealed = seal("13800000000", |salt| salt.fill(7));
        assert_eq!(text(&sealed.kept), "13800000000");
        assert!(!sealed.digest.contains("138"));
        let other = seal("13800000000", |salt| salt.fill(8));
        assert_ne!(sealed.digest, other.digest);
    }
}
