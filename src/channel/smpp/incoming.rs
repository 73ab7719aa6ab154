//! What the centre delivers: receipts, and what people answer.

use std::collections::BTreeMap;
use std::time::Duration;

use rusmpp::pdus::DeliverSm;
use rusmpp::tlvs::TlvValue;
use tokio::time::Instant as Monotonic;

use super::super::Incoming;
use super::receipt::{self, Receipt};
use super::text::{self, Place};

/// What one delivery is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Receipt(Receipt),
    /// A whole text.
    Text(Incoming),
    /// A part of a text whose others are still to come.
    Part,
    /// Neither: what it is can only be guessed.
    Unreadable,
}

/// Parts of texts that wait for their others are handed on after this as they are: half an answer
/// is more than none.
const WAIT: Duration = Duration::from_secs(120);

/// The most texts that wait at a time.
const WAITING_MAX: usize = 1_000;

/// Puts parts of incoming texts together.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    waiting: BTreeMap<(String, u16, u8), Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Monotonic,
    coding: u8,
    parts: BTreeMap<u8, Vec<u8>>,
}

impl Joiner {
    /// Takes a delivery.
    pub(super) fn take(&mut self, deliver: DeliverSm, now: Monotonic) -> Delivery {
        let class = u8::from(deliver.esm_class);
        let coding = u8::from(deliver.data_coding);
        let from = deliver.source_addr.as_str().to_owned();
        let mut fields = Fields::of(&deliver);
        let short = deliver.short_message().clone().into_vec();
        let bytes = if short.is_empty() { fields.payload.take().unwrap_or(short) } else { short };
        let (headed, text) =
            if class & 0x40 == 0 { (None, bytes.as_slice()) } else { text::unheaded(&bytes) };
        // Whether it is a receipt is said by the centre; a text that only looks like one is a text.
        if class & 0x3C == 0x04 || class & 0x3C == 0x20 || fields.reference.is_some() {
            let words = text::read(if coding == 8 { 8 } else { 3 }, text);
            let read = receipt::read(&words, fields.reference.as_deref(), fields.state);
            return read.map_or(Delivery::Unreadable, Delivery::Receipt);
        }
        match headed.or_else(|| fields.place()) {
            None => Delivery::Text(Incoming::Reply { from, text: text::read(coding, text) }),
            Some(place) => self.join(from, place, coding, text, now),
        }
    }

    fn join(
        &mut self,
        from: String,
        place: Place,
        coding: u8,
        text: &[u8],
        now: Monotonic,
    ) -> Delivery {
        let key = (from.clone(), place.reference, place.total);
        let fresh = || Waiting { since: now, coding, parts: BTreeMap::new() };
        let waiting = self.waiting.entry(key.clone()).or_insert_with(fresh);
        waiting.parts.insert(place.number, text.to_vec());
        if waiting.parts.len() < usize::from(place.total) {
            return Delivery::Part;
        }
        match self.waiting.remove(&key) {
            Some(whole) => Delivery::Text(Incoming::Reply { from, text: whole.text() }),
            None => Delivery::Part,
        }
    }

    /// Texts whose parts did not come in time, as far as they came; all of them at the end.
    pub(super) fn overdue(&mut self, now: Monotonic, at_the_end: bool) -> Vec<Incoming> {
        let too_many = self.waiting.len() > WAITING_MAX;
        let late = |one: &Waiting| at_the_end || too_many || now.duration_since(one.since) > WAIT;
        let gone = self.waiting.extract_if(.., |_, one| late(one));
        gone.map(|((from, ..), one)| Incoming::Reply { from, text: one.text() }).collect()
    }
}

impl Waiting {
    fn text(&self) -> String {
        // Joined before they are read: some telephones cut a character in two.
        let bytes: Vec<u8> = self.parts.values().flatten().copied().collect();
        text::read(self.coding, &bytes)
    }
}

/// Optional fields that matter here.
#[derive(Default)]
struct Fields {
    reference: Option<String>,
    state: Option<u8>,
    payload: Option<Vec<u8>>,
    sar: (Option<u16>, Option<u8>, Option<u8>),
}

impl Fields {
    fn of(deliver: &DeliverSm) -> Self {
        let mut fields = Self::default();
        for tlv in deliver.tlvs() {
            match tlv.value() {
                Some(TlvValue::ReceiptedMessageId(id)) => {
                    fields.reference = Some(id.as_str().to_owned());
                }
                Some(TlvValue::MessageState(state)) => fields.state = Some(u8::from(*state)),
                Some(TlvValue::MessagePayload(payload)) => {
                    fields.payload = Some(payload.value.clone().into_vec());
                }
                Some(TlvValue::SarMsgRefNum(number)) => fields.sar.0 = Some(*number),
                Some(TlvValue::SarTotalSegments(total)) => fields.sar.1 = Some(*total),
                Some(TlvValue::SarSegmentSeqnum(number)) => fields.sar.2 = Some(*number),
                _ => {}
            }
        }
        fields
    }

    fn place(&self) -> Option<Place> {
        let (Some(reference), Some(total), Some(number)) = self.sar else { return None };
        (total > 1 && (1..=total).contains(&number)).then_some(Place { reference, total, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(number: u8, bytes: &[u8]) -> (Place, Vec<u8>) {
        (Place { reference: 7, total: 2, number }, bytes.to_vec())
    }

    #[test]
    fn parts_are_joined_in_their_order_and_half_a_text_is_handed_on() {
        let mut joiner = Joiner::default();
        let now = Monotonic::now();
        let mut take = |(place, text): (Place, Vec<u8>), now| {
            joiner.join("138".to_owned(), place, 8, &text, now)
        };
        // 𠮷 is cut between its units.
        assert_eq!(take(part(2, &[0xDF, 0xB7]), now), Delivery::Part);
        let whole = take(part(1, &[0x6C, 0x34, 0xD8, 0x42]), now);
        let reply = |text: &str| Incoming::Reply { from: "138".to_owned(), text: text.to_owned() };
        assert_eq!(whole, Delivery::Text(reply("水𠮷")));
        assert_eq!(take(part(1, &[0x6C, 0x34]), now), Delivery::Part);
        assert!(joiner.overdue(now, false).is_empty());
        assert_eq!(joiner.overdue(now + WAIT * 2, false), [reply("水")]);
        assert!(joiner.overdue(now + WAIT * 4, true).is_empty());
    }
}
