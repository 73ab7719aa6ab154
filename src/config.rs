//! Files and environment, read once.

pub mod jurisdiction;
