//! A unit's own system, or a robot of a chat group, that is told by HTTP.

use serde::{Deserialize, Serialize};

use super::id::{JurisdictionId, SubscriptionId};
use super::instant::Instant;
use super::message::words;

words!(
    /// In whose form something is posted.
    Form {
        /// Standard Webhooks: a JSON body, signed.
        Standard = "standard",
        /// A robot of a WeCom group: the text of an alert.
        Wecom = "wecom",
        /// A robot of a DingTalk group: the text of an alert.
        Dingtalk = "dingtalk",
    }
);

words!(
    /// What a subscription wants to be told.
    Wants {
        /// Every change of a matter that the unit takes part in.
        Change = "change",
        /// Every alert to the unit's people.
        Alert = "alert",
    }
);

/// Who is told by HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id; 0 for a new one.
    pub id: SubscriptionId,
    /// Whose it is.
    pub jurisdiction: JurisdictionId,
    /// The unit whose matters it hears of.
    pub unit: String,
    /// In whose form.
    pub form: Form,
    /// Where to.
    pub url: String,
    /// With which secret it is signed.
    pub secret: String,
    /// What it wants to be told.
    pub wants: Vec<Wants>,
    /// Whether it is told anything now.
    pub active: bool,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: Instant,
}

impl Subscription {
    /// The machine it is posted to, `https://host:port`: all of its address that is no secret. What
    /// follows may hold a key, as may what stands before an `@`.
    #[must_use]
    pub fn place(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("", &self.url));
        let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        format!("{scheme}://{host}")
    }
}

// The secret, and the token that many robots have in their URL, are not for logs.
impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, unit, form, wants, active, .. } = self;
        f.debug_struct("Subscription")
            .field("id", id)
            .field("unit", unit)
            .field("form", form)
            .field("wants", wants)
            .field("active", active)
            .finish_non_exhaustive()
    }
}
