//! What is kept of one caller, for the caller: every matter under the number he gives, and of each only what
//! came from that number. That it was shown is recorded on each matter before, and once in the audit log.

use serde_json::json;

use super::{Openness, Voice};
use crate::chart::routed::PHONE;
use crate::domain::InstanceId;
use crate::engine;
use crate::gate::error::Error;
use crate::gate::query::cut;
use crate::gate::sealing::Deed;
use crate::gate::{Caller, Gate, Seen};
use crate::policy::Act;

/// So many matters at a time.
const PAGE: i64 = 100;

/// What is kept of a caller in one matter.
#[derive(Debug, Clone)]
pub struct KeptMatter {
    /// The matter.
    pub seen: Seen,
    /// What came from the caller's number, in order of event.
    pub calls: Vec<Voice>,
}

/// What is kept of a caller, the newest matter first.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The matters.
    pub matters: Vec<KeptMatter>,
    /// The matter to go on from, if there may be more.
    pub next: Option<InstanceId>,
}

impl Gate {
    /// What is kept of the caller with this number, a page at a time, for a purpose that is recorded.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for what is no number; `Refused` without a purpose; what the store says.
    pub async fn export_caller(
        &self,
        caller: &Caller,
        (phone, purpose): (&str, &str),
        before: Option<InstanceId>,
    ) -> Result<Exported, Error> {
        if !self.may_all(caller, Act::RevealCaller)? {
            return Err(Error::Forbidden);
        }
        engine::run::caller::said("purpose", purpose, ("查看目的", "what for"))?;
        let (gate, who, number) = (self.clone(), caller.clone(), phone.to_owned());
        let found = tokio::task::spawn_blocking(move || gate.kept_of(&who, &number, before));
        let exported = found.await.map_err(|_ended| Error::Closing)??;
        for matter in &exported.matters {
            self.note_reveal(caller, matter.seen.instance.id, purpose).await?;
            self.inner.figures.count_reveal();
        }
        let deed = Deed::of(caller, "caller_exported", "callers");
        let deed = deed.with(json!({ "purpose": purpose, "matters": exported.matters.len() }));
        let (gate, now) = (self.clone(), self.now());
        let noted = move || gate.with_hand(|transaction| deed.write(transaction, now));
        tokio::task::spawn_blocking(noted).await.map_err(|_ended| Error::Closing)??;
        Ok(exported)
    }

    fn kept_of(
        &self,
        caller: &Caller,
        phone: &str,
        before: Option<InstanceId>,
    ) -> Result<Exported, Error> {
        let Some(number) = self.phone_form(phone) else {
            let en = "`phone` is a telephone number of at least five digits";
            return Err(Error::invalid("“phone”应为电话号码，至少5位数字", en));
        };
        let (owner, traced) = (caller.jurisdiction, self.phone_digests(phone));
        let ids =
            self.read(|reader| reader.matters_of_phone(owner, &traced, (before, PAGE + 1)))?;
        let page = cut(ids, PAGE);
        let next = page.items.last().copied().filter(|_| page.more);
        let mut matters = Vec::new();
        for id in page.items {
            let seen = self.instance(&caller.house(), id)?;
            let open = Openness { content: true, identity: true };
            let mut calls = self.heard(caller, &seen, open)?.own;
            // What others said about the same matter is theirs.
            let form = |call: &Voice| self.phone_form(call.open.get(PHONE)?);
            calls.retain(|call| form(call).as_ref() == Some(&number));
            if !calls.is_empty() {
                matters.push(KeptMatter { seen, calls });
            }
        }
        Ok(Exported { matters, next })
    }
}
