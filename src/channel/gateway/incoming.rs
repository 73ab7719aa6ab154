//! What a provider posts to us: receipts and replies, read by pointers.

use serde_json::{Map, Value as Json};

use super::super::Incoming;
use super::super::answer::fit;
use super::super::post::scalar;

/// How posted receipts and replies are read. Pointers are JSON pointers into each entry; an empty
/// one reads nothing. A form that is posted is read as one flat entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// To the list of entries, in what is posted; empty: what is posted is the entry, or the list.
    pub list: String,
    /// To what the provider calls the message.
    pub reference: String,
    /// To the state of the message.
    pub state: String,
    /// States that mean: on the device.
    pub delivered: Vec<String>,
    /// States that are no end: they are passed over.
    pub pending: Vec<String>,
    /// To the provider's words.
    pub reason: String,
    /// To the number a reply came from.
    pub from: String,
    /// To the text of a reply.
    pub text: String,
}

impl Reading {
    /// Reads what was posted.
    pub(super) fn read(&self, body: &[u8]) -> Result<Vec<Incoming>, String> {
        let posted = posted(body)?;
        let entries = match self.list.as_str() {
            "" => &posted,
            list => posted.pointer(list).ok_or_else(|| format!("there is nothing at `{list}`"))?,
        };
        let entries = match entries {
            Json::Array(entries) => entries.as_slice(),
            entry => std::slice::from_ref(entry),
        };
        let mut read = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match self.entry(entry) {
                Entry::Told(incoming) => read.push(incoming),
                Entry::Pending => {}
                Entry::Unreadable => {
                    return Err(format!(
                        "entry {index} is neither a receipt nor a reply, as the settings read them"
                    ));
                }
            }
        }
        Ok(read)
    }

    fn entry(&self, entry: &Json) -> Entry {
        let at = |pointer: &str| {
            (!pointer.is_empty()).then(|| entry.pointer(pointer).and_then(scalar)).flatten()
        };
        if let (Some(reference), Some(state)) = (at(&self.reference), at(&self.state)) {
            if self.pending.contains(&state) {
                return Entry::Pending;
            }
            let reason = at(&self.reason).unwrap_or_default();
            return Entry::Told(Incoming::Receipt {
                reference,
                delivered: self.delivered.contains(&state),
                why: fit(&format!("{state} {reason}")),
            });
        }
        match (at(&self.from), at(&self.text)) {
            (Some(from), Some(text)) => Entry::Told(Incoming::Reply { from, text }),
            _ => Entry::Unreadable,
        }
    }
}

enum Entry {
    Told(Incoming),
    Pending,
    Unreadable,
}

/// JSON, or a form as a flat table.
fn posted(body: &[u8]) -> Result<Json, String> {
    if let Ok(json) = serde_json::from_slice::<Json>(body)
        && (json.is_object() || json.is_array())
    {
        return Ok(json);
    }
    let text = std::str::from_utf8(body).map_err(|_said| "this is neither JSON nor a form")?;
    let mut fields = Map::new();
    for pair in text.trim().split('&') {
        let Some((key, value)) = pair.split_once('=') else {
            return Err("this is neither JSON nor a form".to_owned());
        };
        fields.insert(unescaped(key), Json::String(unescaped(value)));
    }
    Ok(Json::Object(fields))
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                        rest = ahead;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
