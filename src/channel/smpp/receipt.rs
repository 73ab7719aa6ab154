//! Receipts: read, and those of all parts of a text put together.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Incoming;

/// The most texts of several parts whose receipts are awaited; the oldest are forgotten first, and
/// receipts for their parts then stand for themselves.
const GROUPS_MAX: usize = 20_000;

/// What a receipt says of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) reference: String,
    /// None: it is still on its way.
    pub(super) delivered: Option<bool>,
    pub(super) why: String,
}

/// Reads a receipt: what the fields of the protocol say stands over the text.
pub(super) fn read(text: &str, reference: Option<&str>, state: Option<u8>) -> Option<Receipt> {
    let reference = match reference {
        Some(reference) => reference.trim().to_owned(),
        None => field(text, "id")?,
    };
    let said = field(text, "stat").map(|word| word.to_ascii_uppercase());
    let word = state.and_then(word_of).map(str::to_owned).or(said)?;
    let delivered = match word.as_str() {
        "DELIVRD" => Some(true),
        "EXPIRED" | "DELETED" | "UNDELIV" | "REJECTD" | "SKIPPED" => Some(false),
        "ENROUTE" | "ACCEPTD" | "SCHEDLD" => None,
        // `UNKNOWN`, and words of the centre's own: it does not know, so nothing is said of it.
        _ => {
            tracing::warn!(word, "a receipt says neither that a text arrived nor that it did not");
            None
        }
    };
    let code = field(text, "err").filter(|code| !code.bytes().all(|digit| digit == b'0'));
    let why = match code {
        Some(code) => format!("{word} {code}"),
        None => word,
    };
    (!reference.is_empty()).then(|| Receipt {
        reference,
        delivered,
        why: super::super::answer::fit(&why),
    })
}

/// The word that texts of receipts use for a state of the protocol.
fn word_of(state: u8) -> Option<&'static str> {
    Some(match state {
        0 => "SCHEDLD",
        1 => "ENROUTE",
        2 => "DELIVRD",
        3 => "EXPIRED",
        4 => "DELETED",
        5 => "UNDELIV",
        6 => "ACCEPTD",
        7 => "UNKNOWN",
        8 => "REJECTD",
        9 => "SKIPPED",
        _ => return None,
    })
}

/// The word after `name:`, in any case of letters.
fn field(text: &str, name: &str) -> Option<String> {
    let words = text.split_whitespace();
    let found = words
        .filter_map(|word| word.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_owned()).filter(|value| !value.is_empty())
}

/// Texts of several parts, and which receipts are still awaited.
#[derive(Debug, Default)]
pub(super) struct Groups {
    next: u64,
    open: BTreeMap<u64, Group>,
    of_reference: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Group {
    /// Parts that the centre has not named yet.
    unnamed: usize,
    /// What it calls the first: the text is known by it.
    first: Option<String>,
    /// All names, to forget them with the group.
    names: Vec<String>,
    awaited: BTreeSet<String>,
    failed: bool,
}

impl Groups {
    /// A text of several parts is about to be sent.
    pub(super) fn open(&mut self, parts: usize) -> u64 {
        while self.open.len() >= GROUPS_MAX {
            let oldest = self.open.keys().next().copied();
            self.forget(oldest);
        }
        self.next += 1;
        let (names, awaited) = (Vec::new(), BTreeSet::new());
        self.open.insert(
            self.next,
            Group { unnamed: parts, first: None, names, awaited, failed: false },
        );
        self.next
    }

    /// The centre has taken a part and named it. The first to be named is the first part.
    pub(super) fn name(&mut self, group: u64, reference: &str) {
        let Some(one) = self.open.get_mut(&group) else { return };
        one.unnamed = one.unnamed.saturating_sub(1);
        one.first.get_or_insert_with(|| reference.to_owned());
        one.names.push(reference.to_owned());
        one.awaited.insert(reference.to_owned());
        self.of_reference.insert(reference.to_owned(), group);
    }

    /// Nothing more is awaited for a text.
    pub(super) fn forget(&mut self, group: Option<u64>) {
        let Some(one) = group.and_then(|group| self.open.remove(&group)) else { return };
        for name in one.names {
            self.of_reference.remove(&name);
        }
    }

    /// What a receipt means for its text: delivered when all parts are, failed with the first that
    /// is not; told once.
    pub(super) fn receipt(&mut self, receipt: Receipt) -> Option<Incoming> {
        let Receipt { reference, delivered, why } = receipt;
        let delivered = delivered?;
        let group = self.of_reference.get(&reference).copied();
        let Some((id, one)) = group.and_then(|id| Some((id, self.open.get_mut(&id)?))) else {
            return Some(Incoming::Receipt { reference, delivered, why });
        };
        one.awaited.remove(&reference);
        let known = one.first.clone().unwrap_or(reference);
        let complete = one.unnamed == 0 && one.awaited.is_empty();
        let tell = !one.failed && (!delivered || complete);
        one.failed |= !delivered;
        if complete {
            self.forget(Some(id));
        }
        tell.then_some(Incoming::Receipt { reference: known, delivered, why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(reference: &str, delivered: Option<bool>) -> Receipt {
        Receipt { reference: reference.to_owned(), delivered, why: "X".to_owned() }
    }

    fn told(reference: &str, delivered: bool) -> Option<Incoming> {
        Some(Incoming::Receipt { reference: reference.to_owned(), delivered, why: "X".to_owned() })
    }

    #[test]
    fn a_receipt_is_read_from_its_text_or_from_its_fields() {
        let text = "id:7f3a sub:001 dlvrd:001 submit date:1807020910 done date:1807020911 stat:DELIVRD err:000 text:x";
        let read_text = read(text, None, None).unwrap();
        assert_eq!(
            read_text,
            Receipt { reference: "7f3a".into(), delivered: Some(true), why: "DELIVRD".into() }
        );
        let failed = read("ID:9 Stat:Undeliv Err:0b1 text:", None, None).unwrap();
        assert_eq!((failed.delivered, failed.why.as_str()), (Some(false), "UNDELIV 0b1"));
        let fields = read("", Some("55"), Some(2)).unwrap();
        assert_eq!((fields.reference.as_str(), fields.delivered), ("55", Some(true)));
        assert_eq!(read("", Some("55"), Some(1)).unwrap().delivered, None);
        assert_eq!(read("", Some("55"), Some(7)).unwrap().delivered, None, "nobody knows");
        assert_eq!(read("1 00000007", None, None), None);
        assert_eq!(read("id:5", None, None), None);
        assert_eq!(read("id: stat:DELIVRD", None, None), None);
    }

    #[test]
    fn a_text_is_delivered_when_all_its_parts_are() {
        let mut groups = Groups::default();
        let group = groups.open(3);
        groups.name(group, "a");
        assert_eq!(groups.receipt(receipt("a", Some(true))), None, "others are not even sent");
        groups.name(group, "b");
        groups.name(group, "c");
        assert_eq!(groups.receipt(receipt("c", None)), None);
        assert_eq!(groups.receipt(receipt("c", Some(true))), None);
        assert_eq!(groups.receipt(receipt("c", Some(true))), None, "told twice by the centre");
        assert_eq!(groups.receipt(receipt("b", Some(true))), told("a", true));
        assert!(groups.open.is_empty() && groups.of_reference.is_empty());
    }

    #[test]
    fn a_text_has_failed_with_its_first_part_that_fails() {
        let mut groups = Groups::default();
        let group = groups.open(3);
        for name in ["a", "b", "c"] {
            groups.name(group, name);
        }
        assert_eq!(groups.receipt(receipt("b", Some(false))), told("a", false));
        assert_eq!(groups.receipt(receipt("a", Some(true))), None);
        assert_eq!(groups.receipt(receipt("c", Some(false))), None, "told once");
        assert!(groups.open.is_empty());
    }

    #[test]
    fn a_receipt_for_a_text_of_one_part_stands_for_itself() {
        assert_eq!(Groups::default().receipt(receipt("z", Some(true))), told("z", true));
    }

    #[test]
    fn receipts_that_never_come_do_not_fill_the_memory() {
        let mut groups = Groups::default();
        for index in 0..GROUPS_MAX + 10 {
            let group = groups.open(2);
            groups.name(group, &index.to_string());
        }
        assert_eq!(groups.open.len(), GROUPS_MAX);
        assert_eq!(groups.of_reference.len(), GROUPS_MAX);
    }
}
