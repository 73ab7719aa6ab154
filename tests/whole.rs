//! A whole house from its settings file, with a provider's gateway beside it, and a unit's own system.

mod client;
mod example;
mod gateway;
mod house;
mod intake;
mod peer;
