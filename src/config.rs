//! Files and environment, read once.

pub mod access;
pub mod alerts;
pub mod channel;
mod environment;
pub mod job;
pub mod jurisdiction;
pub mod knowledge;
mod secret;
pub mod settings;
pub mod texts;
