//! What happens without anybody asking: on a clock that is moved by hand, never sleeping.

mod alarms;
mod anchors;
mod auditor;
mod clocks;
mod coverage;
mod envelopes;
mod fallbacks;
mod granted;
mod handovers;
pub(crate) mod house;
mod jobs;
mod letters;
mod mutes;
mod nodes;
mod older;
mod outbox;
mod recount;
mod rehearsal;
mod replies;
mod seals;
mod self_test;
mod sessions;
mod stumbling;
