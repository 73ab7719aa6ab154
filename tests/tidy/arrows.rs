//! Rooms, floors and arrows: who may use whom, and who owns which crate. This table is the law;
//! `ARCHITECTURE.md` only explains it.

use super::source::sources;

/// A room, its floor, and the rooms that it may use. Arrows point down, or to a neighbour named
/// here.
const ROOMS: &[(&str, u8, &[&str])] = &[
    ("domain", 0, &[]),
    ("calendar", 0, &["domain"]),
    ("clock", 0, &["domain"]),
    ("chart", 1, &["calendar", "domain"]),
    ("policy", 1, &["domain"]),
    ("seal", 1, &["domain"]),
    ("vault", 1, &["domain"]),
    ("roster", 1, &["calendar", "domain"]),
    ("engine", 1, &["chart", "calendar", "domain"]),
    ("routing", 1, &["domain"]),
    ("intake", 1, &["chart", "domain"]),
    ("scenario", 1, &["engine", "chart", "policy", "roster", "calendar", "domain"]),
    ("template", 1, &["chart", "domain"]),
    ("store", 2, &["vault", "domain"]),
    ("channel", 2, &["domain"]),
    ("config", 2, &["vault", "roster", "routing", "calendar", "domain"]),
    ("identity", 2, &["domain"]),
    (
        "gate",
        3,
        &[
            "store", "template", "policy", "roster", "routing", "intake", "seal", "engine",
            "chart", "clock", "calendar", "domain",
        ],
    ),
    (
        "http",
        4,
        &[
            "gate", "identity", "config", "template", "policy", "routing", "intake", "roster",
            "engine", "chart", "clock", "calendar", "domain",
        ],
    ),
    (
        "scheduler",
        4,
        &[
            "gate", "store", "channel", "config", "template", "roster", "engine", "chart", "clock",
            "calendar", "domain",
        ],
    ),
    (
        "app",
        5,
        &[
            "http",
            "scheduler",
            "gate",
            "store",
            "channel",
            "identity",
            "config",
            "template",
            "policy",
            "roster",
            "intake",
            "routing",
            "seal",
            "vault",
            "engine",
            "chart",
            "scenario",
            "clock",
            "calendar",
            "domain",
        ],
    ),
    ("main", 6, &["app", "config", "domain"]),
];

/// A crate (or a part of `std`), and the rooms that may name it.
const OWNERS: &[(&str, &[&str])] = &[
    ("statig", &["chart"]),
    ("miette", &["chart"]),
    ("serde_saphyr", &["calendar", "chart", "scenario", "config", "app"]),
    ("minijinja", &["template"]),
    ("diesel", &["store"]),
    ("diesel_migrations", &["store"]),
    ("libsqlite3_sys", &["store"]),
    ("actix_web", &["http"]),
    ("utoipa", &["http"]),
    ("utoipa_actix_web", &["http"]),
    ("utoipa_swagger_ui", &["http"]),
    ("tokio", &["channel", "gate", "http", "identity", "scheduler", "app", "main"]),
    ("tokio_util", &["channel"]),
    ("lettre", &["channel"]),
    ("rusmpp", &["channel"]),
    ("hmac", &["channel", "gate"]),
    ("argon2", &["gate"]),
    ("sha1", &["gate"]),
    ("base64", &["channel", "gate", "http", "identity", "vault"]),
    ("aes_gcm", &["vault"]),
    ("sm4", &["vault"]),
    ("sm3", &["domain"]),
    ("email_address", &["domain"]),
    ("jsonwebtoken", &["identity"]),
    ("rustls", &["channel", "http", "app"]),
    ("rustls_native_certs", &["channel"]),
    ("tokio_rustls", &["channel"]),
    ("age", &["app"]),
    ("encoding_rs", &["channel"]),
    ("futures_util", &["channel", "gate", "http", "scheduler", "app"]),
    ("tracing", &["channel", "gate", "http", "scheduler", "app", "main"]),
    ("tracing_subscriber", &["app", "main"]),
    ("clap", &["app", "main"]),
    ("toml", &["app", "config"]),
    ("chrono", &["calendar"]),
    ("csv", &["roster", "intake", "http", "app"]),
    ("calamine", &["intake"]),
    ("rust_xlsxwriter", &["intake"]),
    ("zip", &["intake"]),
    ("reqwest", &["channel", "identity", "app"]),
    ("aws_lc_rs", &["seal"]),
    ("std::env", &["config", "main"]),
    ("std::fs", &["config", "store", "channel", "app", "main"]),
    ("std::net", &["channel", "http", "app", "config"]),
    ("std::thread", &["store", "gate", "scheduler", "app"]),
    ("std::time::SystemTime", &[]),
];

/// Floors 0 and 1 are pure: they never wait.
const PURE: u8 = 1;

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|(name, ..)| *name == room).map(|(_, floor, _)| *floor)
}

#[test]
fn every_room_has_a_floor() {
    for source in sources("src") {
        let room = source.room();
        assert!(
            room == "lib" || floor(room).is_some(),
            "{}: give the room `{room}` a floor in tests/tidy/arrows.rs",
            source.path
        );
    }
}

#[test]
fn every_room_of_the_table_is_in_the_house() {
    for (room, ..) in ROOMS {
        let there = sources("src").iter().any(|source| source.room() == *room);
        assert!(there, "there is no room `{room}` in src");
    }
}

#[test]
fn the_table_itself_points_down_or_to_a_neighbour() {
    for (room, own, uses) in ROOMS {
        for other in *uses {
            let below = floor(other).unwrap_or_else(|| panic!("{room}: no room `{other}`"));
            assert!(below <= *own, "{room} (floor {own}) may not look up to {other} ({below})");
        }
    }
}

#[test]
fn arrows_point_down_only() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        let Some((room, _, uses)) = ROOMS.iter().find(|(name, ..)| *name == source.room()) else {
            continue;
        };
        for (line, used) in source.rooms_used() {
            let known = floor(&used).is_some();
            if known && used != *room && !uses.contains(&used.as_str()) {
                wrong.push(format!("{}:{line}: `{room}` may not use `{used}`", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Check 21.
#[test]
fn a_crate_is_named_by_its_owners_only() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (name, owners) in OWNERS.iter().filter(|(_, owners)| !owners.contains(&source.room())) {
            for line in source.lines_with(name) {
                let owners = owners.join(", ");
                wrong.push(format!("{}:{line}: `{name}` belongs to: {owners}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn judgement_never_waits() {
    for source in sources("src") {
        if floor(source.room()).is_none_or(|floor| floor > PURE) {
            continue;
        }
        for (line, code) in source.code() {
            let words = ["async fn", "async move", ".await;", ".await?", ".await)"];
            let waits = words.iter().any(|word| code.contains(word));
            assert!(!waits, "{}:{line}: floors 0 and 1 have no `async`", source.path);
        }
    }
}
