//! A message made ready for its channel: addressed and worded.

use crate::channel::{Letter, Outcome};
use crate::domain::{Message, Recipient};
use crate::gate::{Gate, Parcel, number_of};

/// The letter of a parcel; or why there is none.
pub(super) fn of(gate: &Gate, parcel: &Parcel) -> Result<Letter, Outcome> {
    let [message, more @ ..] = parcel.messages.as_slice() else {
        return Err(Outcome::never("there is nothing in it"));
    };
    let mut letter = one(gate, message)?;
    for other in more {
        letter.text = format!("{}\n{}", letter.text, other.body);
    }
    Ok(letter)
}

fn one(gate: &Gate, message: &Message) -> Result<Letter, Outcome> {
    let directory = gate.registry().directory(message.jurisdiction);
    let directory = directory.map_err(|error| Outcome::later(error.to_string()))?;
    let Recipient::Person(id) = message.to else {
        return Err(Outcome::never("nothing posts to subscriptions yet"));
    };
    let person = directory.people.get(&id);
    let person = person.ok_or_else(|| Outcome::never("there is no such person"))?;
    if !person.active {
        return Err(Outcome::never("the person is no longer active"));
    }
    let address = person.address(&message.channel).unwrap_or_default();
    Ok(Letter {
        id: message.id,
        attempt: message.attempts,
        written_at: message.created_at,
        address: address.to_owned(),
        name: person.name.clone(),
        subject: message.subject.clone(),
        text: message.body.clone(),
        html: None,
        thread: message.instance.map(|id| format!("{}.{}", directory.code, number_of(id))),
        urgent: message.urgent,
        hook: None,
    })
}
