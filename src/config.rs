//! Files and environment, read once.

pub mod access;
pub mod alerts;
pub mod backup;
pub mod channel;
pub mod database;
mod environment;
pub mod job;
pub mod jurisdiction;
pub mod knowledge;
pub mod publication;
mod secret;
pub mod settings;
pub mod texts;
pub mod vault;
