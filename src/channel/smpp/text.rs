//! Texts as SMS carry them: UCS-2 in parts of at most 140 bytes, and back.

use std::borrow::Cow;

/// The most bytes of one SMS.
const BYTES: usize = 140;

/// The most units (of two bytes) of a text that fits into one.
const UNITS: usize = BYTES / 2;

/// One part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether a header that numbers the part stands first.
    pub(super) headed: bool,
    /// Header and text.
    pub(super) bytes: Vec<u8>,
}

/// The place of a part among those of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// The same for all parts of a text.
    pub(super) reference: u16,
    pub(super) total: u8,
    /// From 1.
    pub(super) number: u8,
}

/// The parts of a text. They are numbered under a reference made from the message's id, the same in
/// every attempt, so that a telephone puts parts of a first and a second attempt together. A
/// character of two units is never cut.
pub(super) fn parts(text: &str, id: i64, wide: bool) -> Result<Vec<Part>, String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() <= UNITS {
        return Ok(vec![Part { headed: false, bytes: bytes(&units) }]);
    }
    let room = (BYTES - if wide { 7 } else { 6 }) / 2;
    let mut pieces = Vec::new();
    let mut rest = units.as_slice();
    while !rest.is_empty() {
        let mut end = rest.len().min(room);
        let last = end.checked_sub(1).and_then(|at| rest.get(at));
        if end < rest.len() && last.is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    let total = u8::try_from(pieces.len())
        .map_err(|_many| format!("the text would need {} parts; there may be 255", pieces.len()))?;
    let [.., high, low] = id.to_be_bytes();
    let head = |number: u8| {
        if wide {
            vec![6, 8, 4, high, low, total, number]
        } else {
            vec![5, 0, 3, low, total, number]
        }
    };
    let parts = (1..=total).zip(pieces).map(|(number, piece)| {
        let mut part = head(number);
        part.extend(bytes(piece));
        Part { headed: true, bytes: part }
    });
    Ok(parts.collect())
}

fn bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_be_bytes()).collect()
}

/// Takes the header off; answers the place that it gives, if it gives one, and what follows.
pub(super) fn unheaded(bytes: &[u8]) -> (Option<Place>, &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return (None, bytes) };
    let Some((mut head, text)) = rest.split_at_checked(usize::from(*length)) else {
        return (None, bytes);
    };
    let mut place = None;
    while let [kind, size, after @ ..] = head {
        let Some((value, next)) = after.split_at_checked(usize::from(*size)) else { break };
        match (kind, value) {
            (0, [reference, total, number]) => {
                let reference = u16::from(*reference);
                place = Some(Place { reference, total: *total, number: *number });
            }
            (8, [high, low, total, number]) => {
                let reference = u16::from_be_bytes([*high, *low]);
                place = Some(Place { reference, total: *total, number: *number });
            }
            _ => {}
        }
        head = next;
    }
    (place.filter(|one| one.total > 1 && (1..=one.total).contains(&one.number)), text)
}

/// The text of bytes in the coding that the centre names.
pub(super) fn read(coding: u8, bytes: &[u8]) -> String {
    let text: Cow<'_, str> = match coding {
        0 | 0xF0..=0xF3 => Cow::Owned(gsm(bytes)),
        1 | 3 => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
        // UCS-2, also with a class of message beside it.
        coding if coding & 0xCC == 0x08 => {
            let units = bytes.chunks(2).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xFFFD,
            });
            Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect())
        }
        // What Chinese centres use for GBK.
        15 => encoding_rs::GBK.decode_without_bom_handling(bytes).0,
        _ => String::from_utf8_lossy(bytes),
    };
    text.into_owned()
}

/// The default alphabet of GSM 03.38, one character a byte.
const ALPHABET: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', 'Δ', '_',
    'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1b}', 'Æ', 'æ', 'ß', 'É', ' ', '!', '"', '#',
    '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', '0', '1', '2', '3', '4', '5', '6',
    '7', '8', '9', ':', ';', '<', '=', '>', '?', '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I',
    'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö',
    'Ñ', 'Ü', '§', '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

fn gsm(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let c = if *byte == 0x1B {
            match rest.next() {
                Some(0x0A) => '\u{c}',
                Some(0x14) => '^',
                Some(0x28) => '{',
                Some(0x29) => '}',
                Some(0x2F) => '\\',
                Some(0x3C) => '[',
                Some(0x3D) => '~',
                Some(0x3E) => ']',
                Some(0x40) => '|',
                Some(0x65) => '€',
                _ => '\u{FFFD}',
            }
        } else {
            ALPHABET.get(usize::from(*byte)).copied().unwrap_or('\u{FFFD}')
        };
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a telephone shows of parts that came in any order.
    fn joined(parts: &[Part]) -> String {
        let mut pieces: Vec<(u8, Vec<u8>)> = parts
            .iter()
            .map(|part| match part.headed {
                true => {
                    let (place, text) = unheaded(&part.bytes);
                    (place.unwrap().number, text.to_vec())
                }
                false => (1, part.bytes.clone()),
            })
            .collect();
        pieces.reverse();
        pieces.sort();
        // Each part is shown by itself on some telephones: no character may be cut.
        pieces.iter().map(|(_, piece)| read(8, piece)).collect()
    }

    #[test]
    fn a_text_of_seventy_characters_is_one_sms_and_of_one_more_is_two() {
        assert_eq!(parts(&"字".repeat(70), 1, false).unwrap().len(), 1);
        let two = parts(&"字".repeat(71), 0x1_0203, false).unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(two[0].bytes.len(), 140);
        assert_eq!(&two[1].bytes[..6], [5, 0, 3, 3, 2, 2]);
        let wide = parts(&"字".repeat(71), 0x1_0203, true).unwrap();
        assert_eq!(&wide[0].bytes[..7], [6, 8, 4, 2, 3, 2, 1]);
        assert_eq!(wide[0].bytes.len(), 139);
        assert_eq!(two, parts(&"字".repeat(71), 0x1_0203, false).unwrap(), "every attempt alike");
    }

    #[test]
    fn a_text_that_needs_too_many_parts_is_not_cut_off_silently() {
        assert_eq!(parts(&"字".repeat(67 * 255), 1, false).unwrap().len(), 255);
        let error = parts(&"字".repeat(67 * 255 + 1), 1, false).unwrap_err();
        assert_eq!(error, "the text would need 256 parts; there may be 255");
    }

    #[test]
    fn what_comes_in_is_read_in_its_coding() {
        assert_eq!(read(0, b"1 00000007 \x1b\x65\x00"), "1 00000007 €@");
        assert_eq!(read(3, b"caf\xe9"), "café");
        assert_eq!(read(8, &[0x6C, 0x34, 0xD8, 0x42, 0xDF, 0xB7]), "水𠮷");
        assert_eq!(read(0x18, &[0x6C, 0x34]), "水");
        assert_eq!(read(15, b"\xca\xd5\xb5\xbd"), "收到");
        assert_eq!(read(8, &[0x6C, 0x34, 0xD8]), "水\u{FFFD}");
        assert_eq!(read(0, &[0xFF, 0x1B]), "\u{FFFD}\u{FFFD}");
    }

    proptest! {
        #[test]
        fn any_text_fits_into_parts_and_comes_together_again(
            text in "[a𠮷字\u{1F6A8}\\PC]{0,900}", id: i64, wide: bool,
        ) {
            let parts = parts(&text, id, wide).unwrap();
            prop_assert!(parts.iter().all(|part| part.bytes.len() <= BYTES));
            prop_assert_eq!(joined(&parts), text);
        }

        #[test]
        fn no_bytes_that_come_in_are_too_strange(bytes: Vec<u8>, coding: u8) {
            let (place, text) = unheaded(&bytes);
            prop_assert!(place.is_none_or(|one| one.number >= 1 && one.number <= one.total));
            prop_assert!(text.len() <= bytes.len());
            read(coding, text);
        }
    }
}
