//! The store: one set of tests, exercised on SQLite (file and memory) and on PostgreSQL; and what
//! only one of them can show.

mod conformance;
mod contact;
mod lists;
mod locking;
mod only_postgres;
mod only_sqlite;
mod outbox;
pub(crate) mod place;
pub(crate) mod postgres;
mod rosters;
mod samples;
mod schema;
mod tls;

/// Gives each case on each back end as a test of its own.
macro_rules! on_every_store {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $case() { super::$case(&crate::store::place::Place::file()); })+
        }
        mod in_memory {
            $(#[test] fn $case() { super::$case(&crate::store::place::Place::memory()); })+
        }
        mod on_postgres {
            $(#[test] fn $case() { super::$case(&crate::store::place::Place::postgres()); })+
        }
    };
}
use on_every_store;
