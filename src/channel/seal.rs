//! Whether what is posted to us comes from the one who knows the secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::gateway::Encoding;
use super::post::hmac_sha256;

/// What is shown as proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The secret itself.
    Secret,
    /// The HMAC-SHA256 of the body, written down so.
    Signature(Encoding),
}

/// Checks proofs.
#[derive(Clone)]
pub struct Seal {
    secret: String,
    proof: Proof,
}

impl Seal {
    /// A seal; without a secret none, and nothing can be proved.
    #[must_use]
    pub fn new(secret: String, proof: Proof) -> Option<Self> {
        (!secret.is_empty()).then_some(Self { secret, proof })
    }

    /// Whether `shown` proves that `body` was written by somebody who knows the secret. Takes as long
    /// for every wrong answer of the same length.
    #[must_use]
    pub fn is_proved(&self, shown: &str, body: &[u8]) -> bool {
        match self.proof {
            Proof::Secret => {
                let bare = shown.strip_prefix("Bearer ").unwrap_or(shown);
                same(bare.as_bytes(), self.secret.as_bytes())
            }
            Proof::Signature(encoding) => {
                let bare = shown.strip_prefix("sha256=").unwrap_or(shown);
                let read = match encoding {
                    Encoding::Hex => unhex(bare),
                    Encoding::Base64 => STANDARD.decode(bare).ok(),
                };
                let mac = hmac_sha256(self.secret.as_bytes(), body);
                !mac.is_empty() && read.is_some_and(|read| same(&read, &mac))
            }
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high * 16 + low).ok()).collect()
}

fn same(one: &[u8], other: &[u8]) -> bool {
    let differs = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    one.len() == other.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_knows_the_secret_can_prove_it() {
        let plain = Seal::new("open sesame".to_owned(), Proof::Secret).unwrap();
        assert!(plain.is_proved("open sesame", b"x"));
        assert!(plain.is_proved("Bearer open sesame", b"x"));
        for wrong in ["", "open", "open sesamf", "open sesame ", "Bearer "] {
            assert!(!plain.is_proved(wrong, b"x"), "{wrong}");
        }
        assert!(Seal::new(String::new(), Proof::Secret).is_none(), "no secret proves nothing");
    }

    #[test]
    fn a_signature_is_of_this_body_alone() {
        // Test case 2 of RFC 4231.
        let body = b"what do ya want for nothing?";
        let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let seal = Seal::new("Jefe".to_owned(), Proof::Signature(Encoding::Hex)).unwrap();
        assert!(seal.is_proved(hex, body));
        assert!(seal.is_proved(&format!("sha256={}", hex.to_uppercase()), body));
        assert!(!seal.is_proved(hex, b"what do ya want for nothing!"));
        for wrong in ["", "5b", "zz", "5bdcc146", "Jefe"] {
            assert!(!seal.is_proved(wrong, body), "{wrong}");
        }
        let base = "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnsldZOxk40M=";
        let seal = Seal::new("Jefe".to_owned(), Proof::Signature(Encoding::Base64)).unwrap();
        assert!(!seal.is_proved(base, body), "one character differs");
        let right = STANDARD.encode(hmac_sha256(b"Jefe", body));
        assert!(seal.is_proved(&right, body));
    }
}
