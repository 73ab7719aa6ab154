//! FNV-1a: a short digest that is the same on every machine, of what is no secret.

/// The digest of nothing.
pub const EMPTY: u64 = 0xCBF2_9CE4_8422_2325;

/// The digest of what `sum` is the digest of, with a text behind it.
#[must_use]
pub fn with(sum: u64, text: &str) -> u64 {
    text.bytes().fold(sum, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// A digest of a text in half the room.
#[must_use]
pub fn short(text: &str) -> u32 {
    u32::try_from(with(EMPTY, text) >> 32).unwrap_or_default()
}
