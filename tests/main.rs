//! The one binary of integration tests.

mod semantics;
mod tidy;
