//! What gateways post to us: proved, read by their channel, put where its arrivals are taken up.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;

use super::house::Error;
use crate::channel::gateway::Encoding;
use crate::channel::seal::{self, Seal};
use crate::channel::{Channel, Inbox};
use crate::config::channel as set;
use crate::http::{Declined, Postbox, Posted};

/// The post of one channel.
struct Post {
    seal: Seal,
    proof: set::Proof,
    name: String,
    answer: String,
    channel: Arc<dyn Channel>,
    inbox: Inbox,
}

/// What the provider of an SMS gateway may post; none without a secret.
///
/// # Errors
/// A secret that cannot be read.
pub(super) fn of_gateway(
    wish: &set::Posting,
    channel: &Arc<dyn Channel>,
    inbox: Inbox,
) -> Result<Option<Arc<dyn Postbox>>, Error> {
    let secret = wish.secret.reveal();
    let secret =
        secret.map_err(|error| Error::Sense(format!("channel.sms.gateway.posting: {error}")))?;
    let proof = match (wish.proof, wish.encoding) {
        (set::Proof::Header | set::Proof::Query, _) => seal::Proof::Secret,
        (set::Proof::Hmac, set::Encoding::Hex) => seal::Proof::Signature(Encoding::Hex),
        (set::Proof::Hmac, set::Encoding::Base64) => seal::Proof::Signature(Encoding::Base64),
    };
    let Some(seal) = Seal::new(secret, proof) else { return Ok(None) };
    if wish.name.is_empty() {
        let why = "channel.sms.gateway.posting.name: name the header or the parameter of the proof";
        return Err(Error::Sense(why.to_owned()));
    }
    let (name, answer) = (wish.name.clone(), wish.answer.clone());
    let channel = Arc::clone(channel);
    Ok(Some(Arc::new(Post { seal, proof: wish.proof, name, answer, channel, inbox })))
}

impl Postbox for Post {
    fn take(&self, posted: &Posted<'_>) -> Result<String, Declined> {
        let shown = match self.proof {
            set::Proof::Header | set::Proof::Hmac => (posted.header)(&self.name),
            set::Proof::Query => (posted.parameter)(&self.name),
        };
        if !shown.is_some_and(|shown| self.seal.is_proved(&shown, posted.body)) {
            return Err(Declined::Unproved);
        }
        let incoming = self.channel.receive(posted.body).map_err(Declined::Unreadable)?;
        if incoming.is_empty() {
            return Ok(self.answer.clone());
        }
        // All of it or nothing: the gateway posts the whole again.
        let places = self.inbox.try_reserve_many(incoming.len()).map_err(|error| match error {
            TrySendError::Full(()) => Declined::Full,
            TrySendError::Closed(()) => Declined::Closing,
        })?;
        for (place, one) in places.zip(incoming) {
            place.send(one);
        }
        Ok(self.answer.clone())
    }
}
