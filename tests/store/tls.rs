//! A PostgreSQL that is reached by TLS: known by its certificate, or not spoken to.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use fenliu::domain::Wire;
use fenliu::store::{Error, Options, Store};

use super::postgres::Cluster;
use crate::channel::certificate;
use crate::process::Folder;

#[derive(QueryableByName)]
struct Seen {
    #[diesel(sql_type = Bool)]
    protected: bool,
    #[diesel(sql_type = BigInt)]
    lines: i64,
}

/// As the server sees the house's connections.
const SEEN: &str = "SELECT coalesce(bool_and(ssl), false) AS protected, count(*) AS lines \
     FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'fenliu'";

// Check 38.
#[test]
fn a_database_is_known_by_its_certificate_and_a_stranger_gets_no_word() {
    let folder = Folder::new("database-roots");
    let (known, stranger) = (certificate::signed(), certificate::signed());
    let cluster = Cluster::with_tls(&known.shown, &known.key);
    let roots = |name: &str, root: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, root).unwrap();
        path.display().to_string()
    };
    let (right, wrong) = (roots("right.pem", &known.root), roots("wrong.pem", &stranger.root));
    let url = |mode: &str, roots: &str, host: &str| {
        let port = cluster.port();
        format!("postgres://fenliu@{host}:{port}/postgres?sslmode={mode}&sslrootcert={roots}")
    };
    let store = Store::open(&url("verify-full", &right, "localhost"), Options::default()).unwrap();
    assert_eq!(store.wire(), Wire::Verified);
    store.migrate().unwrap();
    let writer = store.writer().unwrap();
    let watching = url("verify-full", &right, "localhost") + "&application_name=watching";
    let mut watching = PgConnection::establish(&watching).unwrap();
    let seen: Seen = diesel::sql_query(SEEN).get_result(&mut watching).unwrap();
    assert!(seen.protected && seen.lines > 0, "{} lines", seen.lines);
    drop(writer);
    for (mode, roots, host, what) in [
        ("verify-full", &wrong, "localhost", "another authority"),
        ("verify-ca", &wrong, "localhost", "another authority"),
        ("verify-full", &right, "127.0.0.1", "another name"),
    ] {
        let refused = Store::open(&url(mode, roots, host), Options::default()).unwrap_err();
        assert!(matches!(refused, Error::Down(_)), "{what}: {refused}");
        // OpenSSL says it in one of these ways: an authority of the same name, or another name.
        let said = refused.to_string();
        assert!(said.contains("SSL error") || said.contains("certificate"), "{what}: {said}");
    }
}

// Check 38.
#[test]
fn a_database_on_another_machine_is_not_even_called_when_its_certificate_is_not_checked() {
    // A name that leads nowhere: nobody is asked.
    for url in
        ["postgres://u:s3cret@db.invalid/d", "postgres://u:s3cret@db.invalid/d?sslmode=require"]
    {
        let refused = Store::open(url, Options::default()).unwrap_err();
        assert!(matches!(refused, Error::Address { .. }), "{refused}");
        let said = refused.to_string();
        assert!(said.contains("sslmode=verify-full") && !said.contains("s3cret"), "{said}");
        assert!(said.contains("database.allow_clear_text = true"), "{said}");
    }
    // Allowed, it is called, and does not answer.
    let options = Options { allow_clear_text: true, ..Options::default() };
    let refused = Store::open("postgres://u:s3cret@db.invalid/d", options).unwrap_err();
    assert!(matches!(refused, Error::Down(_)), "{refused}");
}
