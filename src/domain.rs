//! The words of the house: ids, instants, values, actors, commands, events, instances, messages.
//! Pure data; every other room speaks in these.

pub mod actor;
pub mod audit_entry;
pub mod catalogue;
pub mod chain;
pub mod command;
pub mod directory;
pub mod event;
pub mod facts;
pub mod id;
pub mod instance;
pub mod instant;
pub mod mask;
pub mod message;
pub mod mute;
pub mod person;
pub mod refusal;
pub mod roster;
mod sanity;
pub mod sheet;
pub mod spot;
pub mod subscription;
pub mod text;
pub mod tier;
pub mod value;

pub use actor::{Actor, Grant, Role, Scope, Term, Via};
pub use audit_entry::{AuditEntry, StoredEntry};
pub use chain::ChainHash;
pub use command::Command;
pub use directory::{Category, Directory, EVERY_UNIT, Unit};
pub use event::{Event, StoredEvent};
pub use facts::{Beside, FactRecord, Facts, Witness, of_matter};
pub use id::{DefinitionId, InstanceId, JurisdictionId, MessageId, PersonId, SubscriptionId};
pub use instance::{ArmedClock, Children, Instance, Rest};
pub use instant::Instant;
pub use message::{Delivery, Kind, Message, Recipient};
pub use mute::Mute;
pub use person::{Language, Person, Quiet, Rules, Verified};
pub use refusal::Refusal;
pub use roster::{HandoverNote, Roster, Rotation, StandIn};
pub use sanity::fault_of_code;
pub use subscription::{Form, Subscription, Wants};
pub use text::Text;
pub use tier::Tier;
pub use value::{Fields, Value};
