//! Passwords: which are good enough, and how they are kept.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use super::guessable::is_guessable;
use crate::domain::{Instant, Text};
use crate::gate::error::Error;
use crate::gate::{Entropy, Figures};

/// By which rules passwords are judged. The two frames contradict each other, so one is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// GB/T 22239 level 3: three of four kinds of characters, changed every 90 days, the last five
    /// do not come back.
    #[default]
    Mlps3,
    /// OWASP ASVS 5.0: length counts, no composition, no change without a reason.
    Asvs,
}

/// The longest password that is looked at.
const LONGEST: usize = 128;

/// A password is changed after so long (ms): 90 days.
const LASTS: i64 = 90 * 24 * 3_600_000;

/// What argon2id is given: 19 MiB, two rounds, one lane (the least that OWASP's sheet names).
const PARAMETERS: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

/// What an unknown name's password is compared with, so that it takes as long as a known one's. No
/// password has this hash.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA\
     $AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

impl Profile {
    fn least(self) -> usize {
        match self {
            Self::Mlps3 => 10,
            Self::Asvs => 12,
        }
    }

    /// So many earlier passwords do not come back.
    pub(super) fn remembers(self) -> usize {
        match self {
            Self::Mlps3 => 5,
            Self::Asvs => 0,
        }
    }

    /// Whether a password that holds since then must be changed.
    pub(super) fn is_old(self, since: Instant, now: Instant) -> bool {
        self == Self::Mlps3 && now.since(since) > LASTS
    }

    /// What is wrong with a password; `context` are words that belong to the person and the house.
    pub(super) fn faults(self, password: &str, context: &[&str]) -> Vec<Text> {
        let mut faults = Vec::new();
        let length = password.chars().count();
        let least = self.least();
        if !(least..=LONGEST).contains(&length) {
            faults.push(Text::new(
                format!("密码应为{least}至{LONGEST}个字符"),
                format!("a password has {least} to {LONGEST} characters"),
            ));
        }
        if self == Self::Mlps3 && kinds(password) < 3 {
            faults.push(Text::new(
                "密码应包含大写字母、小写字母、数字、其他字符中的至少三类",
                "a password has at least three of: capital letters, small letters, digits, others",
            ));
        }
        let small = password.to_lowercase();
        if is_guessable(&small) || is_monotonous(&small) {
            faults.push(Text::new(
                "该密码过于常见，容易被猜中",
                "this password is among those that are guessed first",
            ));
        }
        let names = context.iter().map(|word| word.to_lowercase());
        if names.into_iter().any(|word| word.chars().count() >= 4 && small.contains(&word)) {
            faults.push(Text::new(
                "密码不得包含姓名、登录名、单位代码或系统名称",
                "a password does not contain the person's name, login, unit or the system's name",
            ));
        }
        faults
    }
}

/// How many of the four kinds of characters there are.
fn kinds(password: &str) -> usize {
    let kind = |test: fn(char) -> bool| usize::from(password.chars().any(test));
    kind(|c| c.is_ascii_uppercase())
        + kind(|c| c.is_ascii_lowercase())
        + kind(|c| c.is_ascii_digit())
        + kind(|c| !c.is_ascii_alphanumeric())
}

/// One or two characters all the way.
fn is_monotonous(password: &str) -> bool {
    let letters: std::collections::BTreeSet<char> = password.chars().collect();
    letters.len() <= 2
}

/// What is kept of a password.
///
/// # Errors
/// `Internal` when there is no memory for it.
pub(super) fn hash(password: &str, entropy: Entropy) -> Result<String, Error> {
    let mut salt = [0_u8; 16];
    entropy(&mut salt);
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    let hashed = hashed.map_err(|error| Error::Internal(format!("argon2: {error}")))?;
    Ok(hashed.to_string())
}

/// Whether it is the password of what is kept; takes as long when nothing is kept. Counted each time.
pub(super) fn fits(password: &str, kept: Option<&str>, figures: &Figures) -> bool {
    let short = password.len() <= LONGEST * 4;
    let (kept, known) = kept.map_or((NOBODY, false), |kept| (kept, true));
    let password = if short { password.as_bytes() } else { b"" };
    figures.count_compared();
    let same = Argon2::default().verify_password(password, kept).is_ok();
    same && known && short
}

/// Whether what is kept was made with today's parameters.
pub(super) fn is_current(kept: &str) -> bool {
    kept.starts_with(PARAMETERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Check 9.
    #[test]
    fn passwords_are_kept_by_argon2id_with_their_parameters() {
        let kept = hash("Wan-Shang 07 dian", |salt| salt.fill(7)).unwrap();
        assert!(is_current(&kept), "{kept}");
        assert!(!is_current(&kept.replace("m=19456", "m=4096")));
        let figures = Figures::default();
        let fits = |password: &str, kept| fits(password, kept, &figures);
        assert!(fits("Wan-Shang 07 dian", Some(&kept)));
        assert!(!fits("Wan-Shang 07 dia", Some(&kept)));
        assert!(!fits("", None) && !fits(&"x".repeat(10_000), Some(&kept)));
        assert_eq!(figures.compared(), 4);
        assert_ne!(kept, hash("Wan-Shang 07 dian", |salt| salt.fill(8)).unwrap());
    }

    // Check 9.
    #[test]
    fn an_unknown_names_password_is_really_computed_and_with_the_parameters_of_a_known_one() {
        assert!(is_current(NOBODY) && is_current(&hash("x", |salt| salt.fill(7)).unwrap()));
        // Not "cannot be read", which would be answered at once.
        let compared = Argon2::default().verify_password(b"Wan-Shang 07 dian", NOBODY);
        assert_eq!(compared.unwrap_err(), argon2::password_hash::Error::PasswordInvalid);
    }

    // Check 10.
    #[test]
    fn each_profile_refuses_what_it_must_and_nothing_more() {
        let count = |profile: Profile, password: &str| {
            profile.faults(password, &["wangfang", "fenliu", "yingji"]).len()
        };
        for (password, mlps3, asvs) in [
            ("Tq7#vLp9sd", 0, 1),
            ("correct horse battery", 1, 0),
            ("Correct-horse-battery", 0, 0),
            ("short1A", 1, 1),
            ("password123", 2, 2),
            ("aaaaaaaaaaaaaa", 2, 1),
            ("WangFang-2018!", 1, 1),
            ("我的密码很长很长很长Aa1", 0, 0),
        ] {
            assert_eq!(count(Profile::Mlps3, password), mlps3, "{password}");
            assert_eq!(count(Profile::Asvs, password), asvs, "{password}");
        }
        let long: String = (0..60).map(|number| format!("ab{number}")).collect();
        assert_eq!(count(Profile::Asvs, &long), 1);
    }

    // Check 10.
    #[test]
    fn only_one_profile_wants_passwords_changed() {
        let (since, later) = (Instant(0), Instant(LASTS + 1));
        assert!(
            Profile::Mlps3.is_old(since, later) && !Profile::Mlps3.is_old(since, Instant(LASTS))
        );
        assert!(!Profile::Asvs.is_old(since, later));
    }
}
