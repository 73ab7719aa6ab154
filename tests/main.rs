//! The one binary of integration tests.

#[cfg(test)]
mod semantics;
#[cfg(test)]
mod store;
#[cfg(test)]
mod tidy;
