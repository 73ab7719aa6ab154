//! Opaque public ids: outside nobody can tell from an id how many matters there are or guess the
//! next one. A reversible permutation of 64 bits under the house's secret number, written in
//! Crockford's base 32.

use crate::domain::{InstanceId, MessageId};

/// Crockford's digits: no I, L, O, U.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Digits of 64 bits: the first one carries four, the others five.
const LENGTH: usize = 13;

/// How often the number is mixed.
const ROUNDS: usize = 4;

/// An odd number, so that multiplying by it can be undone.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// The number that undoes multiplying by [`FACTOR`]: each step of Newton's method doubles the bits
/// that are right, beginning with three.
const INVERSE: u64 = {
    let mut inverse = FACTOR;
    let mut step = 0;
    while step < 5 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(FACTOR.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
};

/// The lowest bits of a number, five in each of `length` digits.
pub(super) fn digits(number: u64, length: usize) -> String {
    let digit = |place: usize| usize::try_from((number >> (place * 5)) & 31).unwrap_or(0);
    let places = (0..length).rev();
    places.map(|place| DIGITS.get(digit(place)).copied().map_or('0', char::from)).collect()
}

/// Writes and reads public ids.
#[derive(Debug, Clone, Copy)]
pub struct PublicIds {
    keys: [u64; ROUNDS],
}

impl PublicIds {
    /// Ids under the house's secret number.
    pub fn new(secret: u64) -> Self {
        let mut state = secret;
        let keys = std::array::from_fn(|_| {
            // SplitMix64: keys of all rounds differ even for a poor secret.
            state = state.wrapping_add(FACTOR);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        });
        Self { keys }
    }

    /// An instance's public id, `ins_…`.
    pub fn instance(&self, id: InstanceId) -> String {
        self.write("ins_", id.0)
    }

    /// The instance of a public id; none for a text that is no such id. Case does not matter.
    pub fn read_instance(&self, text: &str) -> Option<InstanceId> {
        self.read("ins_", text).map(InstanceId)
    }

    /// A message's public id, `msg_…`.
    pub fn message(&self, id: MessageId) -> String {
        self.write("msg_", id.0)
    }

    /// The message of a public id.
    pub fn read_message(&self, text: &str) -> Option<MessageId> {
        self.read("msg_", text).map(MessageId)
    }

    /// A message's id in a link: as short as it can be.
    pub fn link(&self, id: MessageId) -> String {
        self.write("", id.0)
    }

    /// The message of an id in a link.
    pub fn read_link(&self, text: &str) -> Option<MessageId> {
        self.read("", text).map(MessageId)
    }

    fn write(&self, prefix: &str, id: i64) -> String {
        let mut number = id.cast_unsigned();
        for key in self.keys {
            number = (number ^ key).wrapping_mul(FACTOR);
            number ^= number >> 32;
        }
        format!("{prefix}{}", digits(number, LENGTH))
    }

    fn read(&self, prefix: &str, text: &str) -> Option<i64> {
        let head = text.get(..prefix.len())?;
        let digits = text.get(prefix.len()..)?;
        if !head.eq_ignore_ascii_case(prefix) || digits.len() != LENGTH {
            return None;
        }
        let mut number: u64 = 0;
        for (place, byte) in digits.bytes().enumerate() {
            let value = value_of(byte)?;
            // The first digit carries four bits.
            if place == 0 && value > 15 {
                return None;
            }
            number = (number << 5) | value;
        }
        for key in self.keys.iter().rev() {
            // A shift by half the width undoes itself.
            number ^= number >> 32;
            number = number.wrapping_mul(INVERSE) ^ key;
        }
        Some(number.cast_signed())
    }
}

/// The value of a digit; letters that look like digits are read as these.
fn value_of(byte: u8) -> Option<u64> {
    let digit = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    let place = DIGITS.iter().position(|known| *known == digit)?;
    u64::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_comes_back_and_no_two_are_alike() {
        for secret in [0, 1, u64::MAX, 0x1234_5678_9ABC_DEF0] {
            let ids = PublicIds::new(secret);
            let numbers = (0..2000).chain([i64::MAX, i64::MIN, -1]);
            let mut seen = BTreeSet::new();
            for number in numbers {
                let text = ids.instance(InstanceId(number));
                assert_eq!(text.len(), 17);
                assert_eq!(ids.read_instance(&text), Some(InstanceId(number)));
                let small = text.to_lowercase();
                assert_eq!(ids.read_instance(&small), Some(InstanceId(number)));
                assert!(seen.insert(text));
            }
        }
    }

    #[test]
    fn what_is_no_id_is_not_read_as_one() {
        let ids = PublicIds::new(7);
        let good = ids.instance(InstanceId(1));
        for text in ["", "ins_", "1", "msg_0000000000000", "ins_Z000000000000", "ins_000000000000U"]
        {
            assert_eq!(ids.read_instance(text), None, "{text}");
        }
        assert_eq!(ids.read_instance(&good.replace("ins_", "msg_")), None);
        assert_eq!(ids.read_instance("流程流程流程流程流"), None);
    }

    #[test]
    fn neighbours_do_not_look_alike_and_other_secrets_give_other_ids() {
        let (ids, others) = (PublicIds::new(7), PublicIds::new(8));
        let (one, two) = (ids.instance(InstanceId(1)), ids.instance(InstanceId(2)));
        let same = one.bytes().zip(two.bytes()).filter(|(a, b)| a == b).count();
        assert!(same < 12, "{one} {two}");
        assert_ne!(one, others.instance(InstanceId(1)));
    }
}
