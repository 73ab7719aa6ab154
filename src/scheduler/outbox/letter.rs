//! A message made ready for its channel: addressed and worded.

use crate::channel::{Hook, Letter, Outcome};
use crate::domain::{Message, Person, PersonId, Recipient, SubscriptionId};
use crate::gate::{Gate, Parcel};
use crate::template::{About, Item};

/// The letter of a parcel; or why there is none. Reads the matters it is about. Blocks.
pub(super) fn of(gate: &Gate, parcel: &Parcel) -> Result<Letter, Outcome> {
    let [message, more @ ..] = parcel.messages.as_slice() else {
        return Err(Outcome::never("there is nothing in it"));
    };
    match message.to {
        Recipient::Person(id) => to_person(gate, id, message, more),
        Recipient::Subscription(id) => to_system(gate, id, message),
    }
    .map(|letter| Letter { id: parcel.id(), ..letter })
}

fn to_person(
    gate: &Gate,
    id: PersonId,
    message: &Message,
    more: &[Message],
) -> Result<Letter, Outcome> {
    let directory = gate.registry().directory(message.jurisdiction);
    let directory = directory.map_err(|error| Outcome::later(error.to_string()))?;
    let person = directory.people.get(&id);
    let person = person.ok_or_else(|| Outcome::never("there is no such person"))?;
    if !person.active {
        return Err(Outcome::never("the person is no longer active"));
    }
    let known = |message| about(gate, message, person);
    let mut about = known(message)?;
    let thread = (more.is_empty() && !about.number.is_empty())
        .then(|| format!("{}.{}", directory.code, about.number));
    if !more.is_empty() {
        about.items = vec![item(&about)];
        for other in more {
            about.items.push(item(&known(other)?));
        }
    }
    let worded = gate.word(message, person.rules.language, &about);
    Ok(Letter {
        id: message.id,
        attempt: message.attempts,
        written_at: message.created_at,
        address: person.address(&message.channel).unwrap_or_default().to_owned(),
        name: person.name.clone(),
        subject: worded.subject,
        text: worded.text,
        html: worded.html,
        thread,
        urgent: message.urgent,
        hook: None,
    })
}

fn about(gate: &Gate, message: &Message, person: &Person) -> Result<About, Outcome> {
    gate.about(message, person).map_err(|error| Outcome::later(error.to_string()))
}

fn item(about: &About) -> Item {
    Item {
        number: about.number.clone(),
        sentence: about.sentence.clone(),
        link: about.link.clone(),
    }
}

fn to_system(gate: &Gate, id: SubscriptionId, message: &Message) -> Result<Letter, Outcome> {
    let subscription = gate.registry().subscription(message.jurisdiction, id);
    let gone = || Outcome::never("the subscription is gone or switched off");
    let subscription = subscription.filter(|one| one.active).ok_or_else(gone)?;
    Ok(Letter {
        id: message.id,
        attempt: message.attempts,
        written_at: message.created_at,
        address: subscription.url.clone(),
        name: subscription.unit.clone(),
        subject: message.subject.clone(),
        text: message.body.clone(),
        html: None,
        thread: None,
        urgent: message.urgent,
        hook: Some(Hook { form: subscription.form, secret: subscription.secret }),
    })
}
