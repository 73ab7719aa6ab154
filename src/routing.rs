//! Whose matter a call is, and whether the police must keep it: knowledge as data, a small model trained
//! from it inside the program, and the reasons for every answer.

mod belief;
pub mod catalogued;
pub mod digest;
mod doubt;
pub mod evaluate;
pub mod features;
pub mod guard;
pub mod knowledge;
pub mod likeness;
pub mod manner;
pub mod model;
pub mod normal;
pub mod precedent;
pub mod router;
pub mod suggestion;
pub mod words;

pub use catalogued::{Circumstances, LateAnswer};
pub use knowledge::{Example, Knowledge};
pub use likeness::Traits;
pub use precedent::Precedent;
pub use router::Router;
pub use suggestion::{Suggestion, Verdict};
