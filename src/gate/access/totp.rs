//! The second factor: six digits from the person's own device, new every 30 seconds (RFC 6238).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use super::refused;
use crate::domain::Instant;
use crate::gate::error::Error;

/// How long one code lasts (ms).
const STEP: i64 = 30_000;

/// A secret as it is given to the person's device, once.
#[derive(Clone)]
pub struct Enrolment {
    /// In base 32, to be typed in.
    pub secret: String,
    /// As an address that devices read from a picture.
    pub uri: String,
}

impl Enrolment {
    pub(super) fn of(secret: &[u8], login: &str) -> Self {
        let secret = base32(secret);
        let name: String = login.chars().filter(|c| c.is_ascii_graphic() && *c != '%').collect();
        let uri = format!("otpauth://totp/fenliu:{name}?secret={secret}&issuer=fenliu");
        Self { secret, uri }
    }
}

/// The time step whose code this is, of the present one and its neighbours.
pub(super) fn step_of(secret: &[u8], code: &str, now: Instant) -> Option<i64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let present = present(now);
    // All three are compared, whichever fits.
    let fitting = [present - 1, present, present + 1].map(|step| {
        (digits(secret, step).is_some_and(|right| same(&right, &code))).then_some(step)
    });
    fitting.into_iter().flatten().next()
}

/// The time step of an instant.
pub(super) fn present(now: Instant) -> i64 {
    now.0.div_euclid(STEP)
}

/// Whether a device whose secret was made in a time step has waited too long for its first code: ten
/// minutes.
pub(super) fn has_lapsed(made: i64, now: Instant) -> bool {
    (present(now) - made).saturating_mul(STEP) >= 10 * 60_000
}

/// The code of a time step.
fn digits(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let bytes = mac.finalize().into_bytes();
    let at = usize::from(bytes.last()? & 15);
    let word = bytes.get(at..at + 4)?;
    let number = word.iter().fold(0_u32, |all, byte| (all << 8) | u32::from(*byte));
    Some(format!("{:06}", (number & 0x7fff_ffff) % 1_000_000))
}

fn same(one: &str, other: &str) -> bool {
    let pairs = one.bytes().zip(other.bytes());
    one.len() == other.len() && pairs.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bits: Vec<u8> =
        bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1)).collect();
    let letters = bits.chunks(5).filter_map(|five| {
        let number = five.iter().fold(0_u8, |all, bit| (all << 1) | bit) << (5 - five.len());
        LETTERS.get(usize::from(number)).map(|letter| char::from(*letter))
    });
    letters.collect()
}

/// Another device is set up only when this one was taken away.
pub(super) fn device_is_set() -> Error {
    refused(
        "second_factor_set",
        "已启用动态口令；更换设备请联系管理员重置",
        "codes of a device are demanded already; an administrator can reset that",
    )
}

/// What a wrong code is answered by.
pub(super) fn wrong_code() -> Error {
    refused("wrong_code", "动态口令不正确", "this is not the code of the device now")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of the examples of RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standards_own_examples() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            let now = Instant(seconds * 1000);
            assert_eq!(step_of(SECRET, code, now), Some(seconds / 30), "{seconds}");
            assert_eq!(step_of(SECRET, code, now.plus(60_000)), None);
        }
    }

    #[test]
    fn a_clock_that_is_half_a_minute_off_is_borne_and_spaces_are_no_matter() {
        assert_eq!(step_of(SECRET, "287 082", Instant(89_000)), Some(1));
        assert_eq!(step_of(SECRET, "287082", Instant(29_000)), Some(1));
        assert_eq!(step_of(SECRET, "28708", Instant(59_000)), None);
        assert_eq!(step_of(SECRET, "", Instant(59_000)), None);
    }

    #[test]
    fn a_secret_is_written_in_base_32() {
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        let enrolment = Enrolment::of(SECRET, "wang.fang");
        assert_eq!(enrolment.secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(enrolment.uri.starts_with("otpauth://totp/fenliu:wang.fang?secret=GEZ"));
    }
}
