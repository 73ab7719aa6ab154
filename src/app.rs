//! Builds the house from its configuration, and speaks the command line.

pub mod alerts;
pub mod channels;
pub mod demo;
pub mod house;
pub mod rights;
pub mod serve;
pub mod tls;
pub mod workflow;
