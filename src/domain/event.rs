//! Facts: one event for each accepted command, appended, hash-chained, never changed.

use serde::{Deserialize, Serialize};

use super::actor::{Actor, Role};
use super::command::Command;
use super::facts::FactRecord;
use super::id::{DefinitionId, InstanceId, JurisdictionId, PersonId};
use super::instant::Instant;
use super::value::Fields;

/// The number of the form in which events are written and hashed.
pub const FORMAT: i64 = 1;

/// What happened: everything needed to repeat the decision, and everything it decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The form of this text; see [`FORMAT`].
    pub format: i64,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// Of which instance.
    pub instance: InstanceId,
    /// 1 for the first event of the instance, then without gaps.
    pub seq: i64,
    /// The server's time.
    pub recorded_at: Instant,
    /// Who asked …
    pub actor: Actor,
    /// … for which unit …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// … and in which role: the grant that gave the right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// … what.
    pub command: Command,
    /// What was asked of the world outside, and answered.
    #[serde(default, skip_serializing_if = "FactRecord::is_empty")]
    pub facts: FactRecord,
    /// The version of the workflow that decided.
    pub definition: DefinitionId,
    /// The version of the calendar that counted.
    pub calendar: String,
    /// Where it stood (empty for the first event).
    pub from: String,
    /// Where it stands now.
    pub to: String,
    /// Every state entered on the way, outermost first; empty if none was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entered: Vec<String>,
    /// The flat status after it.
    pub status: String,
    /// The holder after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Fields that have another value now.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub set: Fields,
    /// Clocks armed, recomputed, frozen, resumed, stepped or ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clocks: Vec<ClockChange>,
    /// Who was told what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
    /// Children started, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub started: Vec<Started>,
    /// Signals sent to relatives, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signalled: Vec<Signalled>,
    /// Whether nothing took the trigger (clocks, signals and ended children only).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

/// What became of a clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockChange {
    /// Its name.
    pub clock: String,
    /// What happened to it.
    pub change: ClockVerb,
    /// When it runs out, as far as it is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Instant>,
    /// When it would have run out before it was counted again by another version of the calendar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Instant>,
}

/// What may happen to a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockVerb {
    /// It began.
    Armed,
    /// It was counted again from the same start.
    Rearmed,
    /// It was counted again by another version of the calendar.
    Recounted,
    /// Its time stands still.
    Frozen,
    /// Its time goes on.
    Resumed,
    /// A ladder step was done, or it ran out.
    Fired,
    /// Somebody acknowledged it.
    Acknowledged,
    /// Its scope was left.
    Ended,
}

/// One alert to some people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The name of the text in the workflow.
    pub text: String,
    /// To whom, in the definition's words resolved to units: `water.liaison`.
    pub to: Vec<String>,
    /// Who they are now; empty if the step reached nobody.
    pub people: Vec<PersonId>,
    /// By which channels: `sms`, `email`, `console`.
    pub via: Vec<String>,
    /// Which clock speaks, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// The command that may be given in answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<String>,
}

/// A child to be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Of which workflow.
    pub workflow: String,
    /// With which input.
    pub input: Fields,
}

/// A signal to relatives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signalled {
    /// `parent`, `children` or `children.<workflow>`.
    pub to: String,
    /// The signal's name.
    pub name: String,
    /// With which input.
    pub input: Fields,
}

/// An event as it is kept: the text that was hashed, byte for byte, and the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Of which instance.
    pub instance: InstanceId,
    /// Its number in the instance.
    pub seq: i64,
    /// When it was recorded.
    pub at: Instant,
    /// The command's name.
    pub kind: String,
    /// The actor's short name.
    pub actor: String,
    /// The event as JSON text.
    pub body: String,
    /// The hash of the previous event's hash followed by `body`; see [`super::ChainHash`].
    pub hash: Hash,
}

impl StoredEvent {
    /// The event that the text says.
    ///
    /// # Errors
    /// Which event it is, and why its text cannot be read: it was damaged.
    pub fn read(&self) -> Result<Event, String> {
        let Self { instance, seq, body, .. } = self;
        serde_json::from_str(body)
            .map_err(|error| format!("event {seq} of instance {instance}: {error}"))
    }
}

/// A link of the chain: 32 bytes.
pub type Hash = [u8; 32];

/// What the first event of an instance is chained to.
pub const NO_HASH: Hash = [0; 32];

/// Bytes in hexadecimal, as hashes are shown.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of a hexadecimal text; none for any other text.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits = |at| text.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    (0..text.len()).step_by(2).map(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_in_hexadecimal_is_read_back() {
        assert_eq!(unhex(&hex(&[0, 171, 255])), Some(vec![0, 171, 255]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("0g"), None);
        assert_eq!(unhex("汉"), None);
    }
}
