//! By what a caller's number is recognised, however it is written: a digest with this house's key.

use super::{Gate, RoutingRules};
use crate::domain::event::hex;

/// What has fewer digits is no number of a caller.
const LEAST: usize = 5;

/// A bare country code stands before at least so many digits; else it is the beginning of a number.
const NATIONAL: usize = 9;

impl Gate {
    /// By what a number is recognised: nobody without this house's key can tell which it is. None for
    /// what is no number.
    pub(super) fn phone_digest(&self, phone: &str) -> Option<String> {
        self.phone_digests(phone).into_iter().next()
    }

    /// The same, and after it the digests that the number may have in rows from before numbers were put
    /// into one form: of each way to write it.
    pub(super) fn phone_digests(&self, phone: &str) -> Vec<String> {
        let digest = |digits: &String| {
            let sum = self.inner.match_key.of_parts(&[b"phone:", digits.as_bytes()]);
            sum.ok().and_then(|sum| Some(hex(sum.get(..16)?)))
        };
        self.spellings(phone).iter().filter_map(digest).collect()
    }

    /// A number in the one form that it is compared in; none for what is no number.
    pub(super) fn phone_form(&self, phone: &str) -> Option<String> {
        self.spellings(phone).into_iter().next()
    }

    fn spellings(&self, phone: &str) -> Vec<String> {
        let RoutingRules { country, .. } = self.routing_rules();
        spellings(phone, country)
    }
}

/// A number in one form, and after it the digits of every way to write it; nothing of what is no number.
fn spellings(phone: &str, country: u16) -> Vec<String> {
    let digits: String = phone.chars().filter_map(digit).collect();
    if digits.len() < LEAST {
        return Vec::new();
    }
    let country = country.to_string();
    let abroad = phone.trim_start().starts_with(['+', '＋']).then_some(digits.as_str());
    let abroad = abroad.or_else(|| digits.strip_prefix("00"));
    let bare = |rest: &&str| rest.len() >= NATIONAL;
    let here = match abroad {
        Some(whole) => whole.strip_prefix(&country),
        None => Some(digits.strip_prefix(&country).filter(bare).unwrap_or(&digits)),
    };
    // Of another country: told apart from the same digits here.
    let Some(here) = here else {
        let whole = abroad.unwrap_or(&digits);
        return vec![format!("+{whole}"), digits.clone(), format!("00{whole}")];
    };
    // Within the country area codes are dialled with a zero.
    let number = here.trim_start_matches('0');
    let mut all = vec![number.to_owned(), digits.clone()];
    for before in ["0", &country, &format!("00{country}"), &format!("{country}0")] {
        all.push(format!("{before}{number}"));
    }
    all
}

/// A digit, also a wide one.
fn digit(character: char) -> Option<char> {
    let narrow = match character {
        '０'..='９' => u32::from(character).checked_sub(0xFF10)?,
        _ => character.to_digit(10)?,
    };
    char::from_digit(narrow, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(phone: &str) -> Option<String> {
        spellings(phone, 86).into_iter().next()
    }

    #[test]
    fn one_number_has_one_form_however_it_is_written() {
        for written in
            ["+86 138 0000 0001", "008613800000001", "86-138-0000-0001", "１３８００００ 0001"]
        {
            assert_eq!(form(written).as_deref(), Some("13800000001"), "{written}");
        }
        for written in ["023-5922-0002", "+86 23 5922 0002", "862359220002", "+86 (0)23 5922 0002"]
        {
            assert_eq!(form(written).as_deref(), Some("2359220002"), "{written}");
        }
        // The beginning of a number is no country code, and another country's number is another one.
        assert_eq!(form("8612 3456").as_deref(), Some("86123456"));
        assert_eq!(form("+1 380 000 0001").as_deref(), Some("+13800000001"));
        assert_eq!(form("0013800000001").as_deref(), Some("+13800000001"));
        for nothing in ["", "  ", "110", "不详"] {
            assert_eq!(form(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_row_from_before_is_found_by_the_way_it_was_written() {
        for (asked, written) in [
            ("13800000001", "+86 138 0000 0001"),
            ("+86 23 5922 0002", "023-5922-0002"),
            ("008613800000001", "13800000001"),
        ] {
            let before: String = written.chars().filter(char::is_ascii_digit).collect();
            assert!(spellings(asked, 86).contains(&before), "{asked} {written}");
        }
    }
}
