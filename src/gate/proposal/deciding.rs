//! Who decides on proposals, and what is left of them when they are decided.

use serde_json::{Value as Json, json};

use super::Caller;
use crate::domain::{Instant, PersonId};
use crate::policy::{self, Act};
use crate::store::{self, ProposalRow, Transaction};

/// The kind of what is about a person.
pub(super) const PERSON: &str = "person";

/// What whoever decides on each kind must be allowed to do himself.
const KINDS: [(&str, Act); 5] = [
    ("definition", Act::Publish),
    ("calendar", Act::WriteCalendar),
    (PERSON, Act::WriteDirectory),
    ("token", Act::IssueTokens),
    ("unit", Act::WriteDirectory),
];

/// The kinds that the caller decides on, and may therefore read: a person as it is to be has addresses
/// in it, which are not for who writes workflows.
pub(super) fn decides(caller: &Caller) -> Vec<&'static str> {
    let own = KINDS.into_iter().filter(|(_, act)| policy::may(&caller.actor, *act));
    own.map(|(kind, _)| kind).collect()
}

/// A person as it was proposed, without its addresses: that there were some is left to be seen.
fn unaddressed(text: &str) -> String {
    let Ok(mut person) = serde_json::from_str::<Json>(text) else {
        return String::new();
    };
    for address in ["email", "phone"] {
        if let Some(said) = person.get_mut(address).filter(|said| !said.is_null()) {
            *said = json!("…");
        }
    }
    person.to_string()
}

/// Decides a proposal; false when somebody else was faster. Addresses are kept no longer than for the
/// decision; the log has the digest of the whole.
pub(super) fn decide(
    transaction: &mut Transaction<'_>,
    id: i64,
    verdict: &str,
    (by, now): (PersonId, Instant),
) -> Result<bool, store::Error> {
    if !transaction.decide_proposal(id, verdict, by, now)? {
        return Ok(false);
    }
    if let Some(row) = transaction.proposal(id)?.filter(|row| row.kind == PERSON) {
        forget_addresses(transaction, &row)?;
    }
    Ok(true)
}

/// The same for what nobody decided in time.
pub(super) fn forget_lapsed(
    transaction: &mut Transaction<'_>,
    now: Instant,
) -> Result<(), store::Error> {
    let lapsed = transaction.lapsed_proposals(PERSON, now)?;
    lapsed.iter().try_for_each(|row| forget_addresses(transaction, row))
}

fn forget_addresses(
    transaction: &mut Transaction<'_>,
    row: &ProposalRow,
) -> Result<(), store::Error> {
    let (body, base) = (unaddressed(&row.body), unaddressed(&row.base));
    transaction.reword_proposal(row.id, &body, &base)
}
