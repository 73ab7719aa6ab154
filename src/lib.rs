//! fenliu 分流: diverts each non-emergency police call to the one public body that must handle it.
//!
//! The rooms in reading order, floor by floor; arrows point down only (`tests/tidy` holds the law).

// Floor 0, words: pure.
pub mod calendar;
pub mod clock;
pub mod domain;

// Floor 1, judgement: pure.
pub mod chart;
pub mod engine;
pub mod intake;
pub mod policy;
pub mod roster;
pub mod routing;
pub mod scenario;
pub mod seal;
pub mod template;
pub mod vault;

// Floor 2, hands: one outside thing each.
pub mod channel;
pub mod config;
pub mod identity;
pub mod store;

// Floor 3, the one door.
pub mod gate;

// Floor 4, those who knock.
pub mod http;
pub mod scheduler;

// Floor 5: everything put together.
pub mod app;
