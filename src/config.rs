//! Files and environment, read once.

pub mod jurisdiction;
pub mod settings;
