//! The one binary of integration tests.

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod store;
