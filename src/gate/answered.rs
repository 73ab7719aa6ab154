//! What was asked and answered before: by an idempotency key, or by the number that the caller's own
//! system gave to the matter.

use serde_json::Value as Json;

use super::error::Error;
use super::locking::MatchKey;
use super::{Caller, Done, Gate, Receipt, Request, Target};
use crate::domain::event::Hash;
use crate::domain::{InstanceId, JurisdictionId, Refusal, Text};
use crate::policy::Act;
use crate::store::Answer;

/// The inputs of a workflow's start that name a matter as another system does.
pub(super) const SOURCE: &str = "source";
pub(super) const NUMBER: &str = "source_number";

/// No name or number of another system is longer, in bytes.
const NAME_MAX: usize = 400;

/// What makes two requests the same: everything but the idempotency key. A caller may be part of it,
/// so that it tells nothing without the `key`.
pub(super) fn fingerprint(request: &Request, key: &MatchKey) -> Result<Hash, Error> {
    let target = match &request.target {
        Target::New(workflow) => format!("new {workflow}"),
        Target::Instance(id) => format!("instance {id}"),
    };
    // Keys of a JSON object come sorted, so that equal objects are equal texts.
    let input = Json::Object(request.input.clone()).to_string();
    let when = format!("{:?} {:?}", request.occurred_at, request.if_version);
    let (target, command) = (target.as_bytes(), request.command.as_bytes());
    key.of_parts(&[target, &[0], command, &[0], input.as_bytes(), when.as_bytes()])
}

/// Whether a request may have been made before: only then its fingerprint is wanted.
pub(super) fn may_repeat(request: &Request) -> bool {
    request.key.is_some() || numbered(request).is_some()
}

/// Under which names the answer to a request is kept: whose, and the key.
pub(super) fn keys(request: &Request) -> Vec<(String, String)> {
    let own = request.key.clone().map(|key| (request.caller.actor.name(), key));
    own.into_iter().chain(numbered(request)).collect()
}

/// The name and the number that another system gave to a matter that is to be opened.
fn numbered(request: &Request) -> Option<(String, String)> {
    let Target::New(_) = &request.target else { return None };
    let text = |name: &str| request.input.get(name)?.as_str().filter(|text| is_name(text));
    Some((source_name(request.caller.jurisdiction, text(SOURCE)?), text(NUMBER)?.to_owned()))
}

/// Whether a text may be looked up at all; what else is wrong with it is said when the input is read.
fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && !text.contains('\0')
}

/// The system as answers are kept under it: no actor has such a name. They are never forgotten.
fn source_name(whose: JurisdictionId, source: &str) -> String {
    format!("source:{whose}:{source}")
}

/// The answer that was given to the same request under its idempotency key.
///
/// # Errors
/// `KeyReused` when it was another request.
pub(super) fn by_key(
    request: &Request,
    asked: Option<Hash>,
    answered: &[Answer],
) -> Result<Option<Done>, Error> {
    let own = request.key.clone().map(|key| (request.caller.actor.name(), key));
    let known = own.and_then(|name| find(answered, &name));
    known.zip(asked).map(|(answer, hash)| again(answer, &hash)).transpose()
}

/// What a number stands for already, and what is answered to who sees it.
pub(super) type Known = (InstanceId, Result<Done, Error>);

/// The answer to a matter whose number was handed in before, and the matter that it stands for; `admit`
/// says whether the caller may open such matters: a number is not one person's own. The answer is
/// `number_taken` when it was another matter. It is for who sees the matter; somebody else learns of the
/// number no sooner than by opening what he may open.
///
/// # Errors
/// What `admit` says.
pub(super) fn by_number<A>(
    request: &Request,
    asked: Option<Hash>,
    answered: &[Answer],
    admit: impl FnOnce() -> Result<A, Error>,
) -> Result<Option<Known>, Error> {
    let Some(name) = numbered(request) else { return Ok(None) };
    let Some((answer, hash)) = find(answered, &name).zip(asked) else { return Ok(None) };
    admit()?;
    let matter = receipt(answer)?.instance;
    let outcome = match again(answer, &hash) {
        Err(Error::KeyReused) => Err(taken(&name.1, answer)),
        outcome => outcome,
    };
    Ok(Some((matter, outcome)))
}

fn find<'a>(answered: &'a [Answer], (actor, key): &(String, String)) -> Option<&'a Answer> {
    answered.iter().find(|answer| answer.actor == *actor && answer.key == *key)
}

/// The number stands for something else already.
fn taken(number: &str, answer: &Answer) -> Error {
    let matter = receipt(answer).map(|receipt| receipt.number()).unwrap_or_default();
    let text = Text::new(
        format!(
            "来源编号“{number}”已登记为{matter}，但内容不同；请核对编号，补充内容请在该事项上登记"
        ),
        format!(
            "the number `{number}` stands for the matter {matter}, with another content: check the \
             number; what is to be added belongs to that matter"
        ),
    );
    let refusal = Refusal::new("number_taken", text);
    refusal.naming(NUMBER).into()
}

fn again(known: &Answer, hash: &Hash) -> Result<Done, Error> {
    if known.request_hash != *hash {
        return Err(Error::KeyReused);
    }
    Ok(Done { receipt: Receipt { replayed: true, ..receipt(known)? }, instance: None })
}

fn receipt(known: &Answer) -> Result<Receipt, Error> {
    serde_json::from_str(&known.answer)
        .map_err(|error| Error::Internal(format!("a kept answer cannot be read: {error}")))
}

/// The rows of an answer, one for each of its names.
pub(super) fn rows(
    request: &Request,
    asked: Option<Hash>,
    receipt: &Receipt,
) -> Result<Vec<Answer>, Error> {
    let Some(hash) = asked else { return Ok(Vec::new()) };
    let keys = keys(request).into_iter();
    keys.map(|name| row(request, name, hash, receipt)).collect()
}

fn row(
    request: &Request,
    (actor, key): (String, String),
    request_hash: Hash,
    receipt: &Receipt,
) -> Result<Answer, Error> {
    let answer = serde_json::to_string(receipt)
        .map_err(|error| Error::Internal(format!("an answer cannot be written: {error}")))?;
    Ok(Answer {
        jurisdiction: request.caller.jurisdiction,
        actor,
        key,
        request_hash,
        instance: Some(receipt.instance),
        seq: Some(receipt.seq),
        answer,
        at: receipt.recorded_at,
    })
}

impl Gate {
    /// The matter that another system's number stands for. Blocks.
    ///
    /// # Errors
    /// `NotFound`, also for what the caller may not see.
    pub fn numbered(
        &self,
        caller: &Caller,
        source: &str,
        number: &str,
    ) -> Result<super::Seen, Error> {
        self.admit(caller, Act::SeeMatter)?;
        if !is_name(source) || !is_name(number) {
            return Err(Error::NotFound);
        }
        let name = source_name(caller.jurisdiction, source);
        let found: Option<InstanceId> = self.read(|reader| reader.answered_about(&name, number))?;
        self.instance(caller, found.ok_or(Error::NotFound)?)
    }
}
