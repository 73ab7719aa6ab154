//! Files and environment, read once.

pub mod job;
pub mod jurisdiction;
pub mod settings;
pub mod texts;
