//! The words of the house: ids, instants, values, actors, commands, events, effects, instances.
//! Pure data; every other room speaks in these.

pub mod actor;
pub mod command;
pub mod id;
pub mod instant;
pub mod text;
pub mod tier;
pub mod value;

pub use actor::{Actor, Grant, Role};
pub use command::Command;
pub use id::{DefinitionId, InstanceId, JurisdictionId, MessageId, PersonId};
pub use instant::Instant;
pub use text::Text;
pub use tier::Tier;
pub use value::{Fields, Value};
