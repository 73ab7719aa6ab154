//! Identifiers. Integers inside the house, opaque text outside (`http` turns one into the other).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! integer_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

integer_id!(
    /// One running state machine: a referral, an incident, a co-task, a supervision order …
    InstanceId
);
integer_id!(
    /// One published version of one workflow.
    DefinitionId
);
integer_id!(
    /// A person who acts or is alerted.
    PersonId
);
integer_id!(
    /// One row of the outbox: one alert to one person on one channel.
    MessageId
);
integer_id!(
    /// A unit's own system, or a robot of a chat group, that is told by HTTP.
    SubscriptionId
);
integer_id!(
    /// A county, city or province whose data live apart in the same store.
    JurisdictionId
);
