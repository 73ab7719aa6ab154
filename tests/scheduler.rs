//! What happens without anybody asking: on a clock that is moved by hand, never sleeping.

mod auditor;
mod clocks;
mod handovers;
pub(crate) mod house;
mod jobs;
mod letters;
mod mutes;
mod nodes;
mod outbox;
mod recount;
