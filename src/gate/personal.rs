//! Callers' personal data: kept apart from events, which hold only salted digests.
//!
//! The salt stands with the text, not with the digest: when the text is erased the digest means
//! nothing to anybody, and the chain of events stays valid.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Entropy, voices};
use crate::chart::Chart;
use crate::domain::event::hex;
use crate::domain::{Actor, DefinitionId, StoredEvent, Value};
use crate::engine::audit::{Difference, Part};
use crate::engine::{CALL, CORRECT, ERASE, REASON};
use crate::store::PersonalRow;

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

/// A text of which enough is left to recognise it, and too little to use it: of a telephone number
/// the first three and the last four digits, of anything else the first letter.
pub(super) fn masked(text: &str) -> String {
    let letters: Vec<char> = text.trim().chars().collect();
    let digits = letters.iter().filter(|c| c.is_ascii_digit()).count();
    let number = digits >= 7 && letters.iter().all(|c| c.is_ascii_digit() || " +-()".contains(*c));
    let count = letters.len();
    let shown = |place: usize| match number {
        true if digits >= 11 => place < 3 || place + 4 >= count,
        true => place + 2 >= count,
        false => place == 0 && count > 1,
    };
    let stars = letters.iter().enumerate().map(|(place, c)| if shown(place) { *c } else { '*' });
    // How long an address is tells something, too.
    let most = if number { count } else { 4 };
    stars.take(most).collect()
}

/// What of the callers' data of a matter is not what its events say, in their order: every digest has
/// its text, until somebody erases it, and every text its digest.
pub(super) fn differences(
    events: &[StoredEvent],
    rows: &[PersonalRow],
    chart: impl Fn(DefinitionId) -> Option<Arc<Chart>>,
) -> Vec<Difference> {
    let mut said = BTreeMap::new();
    let mut erased = 0;
    for stored in events {
        // One that cannot be read was named already.
        let Ok(event) = stored.read() else { continue };
        if event.command.name == ERASE {
            (erased, said) = (stored.seq, BTreeMap::new());
        }
        if event.command.name == CORRECT {
            let call = event.command.input.get(CALL).and_then(Value::as_int).unwrap_or(1);
            for (name, value) in &event.command.input {
                if let Some(digest) = value.as_text().filter(|_| name != REASON) {
                    let row = voices::row_name(name, call);
                    said.insert(row, (stored.seq, digest.to_owned()));
                }
            }
            continue;
        }
        // A relative passes on what its own matter keeps.
        if matches!(event.actor, Actor::Relative { .. }) {
            continue;
        }
        let Some(chart) = chart(event.definition) else { continue };
        let Some(spec) = chart.command(&event.command.name) else { continue };
        for input in spec.input.iter().filter(|input| input.personal) {
            if let Some(digest) = event.command.input.get(&input.name).and_then(Value::as_text) {
                let row = voices::row_name(&input.name, stored.seq);
                said.insert(row, (stored.seq, digest.to_owned()));
            }
        }
    }
    let mut differences = Vec::new();
    let mut found = |seq: Option<i64>, what: String| {
        differences.push(Difference { part: Part::Caller, seq, what });
    };
    for row in rows {
        let (salt, text) = row.value.split_at_checked(SALT * 2).unwrap_or_default();
        let field = &row.field;
        match said.remove(field) {
            Some((_, said)) if said == digest(salt, text) => {}
            Some((seq, _)) => {
                found(Some(seq), format!("`{field}` of the caller is not what was said then"));
            }
            None if erased > 0 => {
                found(None, format!("`{field}` of the caller was erased, and is there again"));
            }
            None => found(None, format!("`{field}` of the caller stands in no event")),
        }
    }
    for (field, (seq, _)) in said {
        let what = format!("`{field}` of the caller is not there, and nobody erased it");
        found(Some(seq), what);
    }
    differences
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
    fn a_masked_text_can_be_recognised_and_not_used() {
        assert_eq!(masked("13812341234"), "138****1234");
        assert_eq!(masked("6221234"), "*****34");
        assert_eq!(masked("王小明"), "王**");
        assert_eq!(masked("葛城街道土城路1号2单元"), "葛***");
        assert_eq!(masked("李"), "*");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn a_sealed_text_comes_back_and_its_digest_tells_nothing() {
        let sealed = seal("13800000000", |salt| salt.fill(7));
        assert_eq!(text(&sealed.kept), "13800000000");
        assert!(!sealed.digest.contains("138"));
        let other = seal("13800000000", |salt| salt.fill(8));
        assert_ne!(sealed.digest, other.digest);
    }
}
