//! Builds the house from its configuration, and speaks the command line.

pub mod alerts;
mod anchors;
pub mod archive;
pub mod backup;
pub mod channels;
pub mod components;
pub mod demo;
pub mod envelope;
pub mod house;
pub mod intake;
mod judging;
pub mod keys;
mod listening;
mod postbox;
mod provider;
pub mod rehearsal;
pub mod rights;
pub mod routing;
mod rules;
pub mod serve;
pub mod tls;
pub mod workflow;
