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

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;

    use super::*;
    use crate::channel::{Incoming, Letter, Outcome, inbox};

    /// Each byte that is posted is a reply.
    struct Bytes;

    impl Channel for Bytes {
        fn name(&self) -> &'static str {
            "bytes"
        }

        fn send<'a>(&'a self, _letter: &'a Letter) -> BoxFuture<'a, Outcome> {
            Box::pin(std::future::ready(Outcome::ACCEPTED))
        }

        fn receive(&self, body: &[u8]) -> Result<Vec<Incoming>, String> {
            let reply =
                |byte: &u8| Incoming::Reply { from: byte.to_string(), text: "1".to_owned() };
            Ok(body.iter().map(reply).collect())
        }
    }

    #[test]
    fn a_full_inbox_takes_nothing_of_what_does_not_fit_until_there_is_room() {
        let (sender, arrivals) = inbox(3);
        let wish = serde_json::json!({ "secret": "s3cret", "answer": "ok" });
        let wish: set::Posting = serde_json::from_value(wish).unwrap();
        let channel: Arc<dyn Channel> = Arc::new(Bytes);
        let Ok(Some(post)) = of_gateway(&wish, &channel, sender) else { panic!("no postbox") };
        let header = |_: &str| Some("s3cret".to_owned());
        let parameter = |_: &str| None;
        let take =
            |body: &[u8]| post.take(&Posted { header: &header, parameter: &parameter, body });
        let waiting = || {
            let mut arrivals = arrivals.try_lock().unwrap();
            let mut count = 0;
            while arrivals.try_recv().is_ok() {
                count += 1;
            }
            count
        };
        assert_eq!(take(b"ab"), Ok("ok".to_owned()));
        assert_eq!(take(b"cd"), Err(Declined::Full));
        assert_eq!(waiting(), 2, "of the second nothing was taken");
        assert_eq!(take(b"cd"), Ok("ok".to_owned()), "the gateway posts it again");
        drop(arrivals);
        assert_eq!(take(b"e"), Err(Declined::Closing));
    }
}
