//! `fenliu components`: what the program is made of, as a `CycloneDX` 1.6 document, so that whoever runs
//! it can compare it with the lists of known weaknesses. Made from the lock file that it was built by.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::store::bundled_sqlite;

const LOCK: &str = include_str!("../../Cargo.lock");
const MANIFEST: &str = include_str!("../../Cargo.toml");
/// Where everything comes from.
#[cfg(test)]
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A lock file, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Lock {
    package: Vec<Package>,
}

/// A package of it.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    #[cfg(test)]
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

/// A manifest, as far as it is read here.
#[derive(Debug, Deserialize)]
struct Manifest {
    dependencies: BTreeMap<String, toml::Value>,
}

/// The document: every package that the program may have been linked with, on whichever system, with
/// version, source, and SHA-256 of what was downloaded. What only tests use is left out.
///
/// # Errors
/// When the lock file cannot be read, which a test excludes.
pub fn report() -> Result<String, String> {
    let sqlite = bundled_sqlite();
    let lock: Lock = toml::from_str(LOCK).map_err(|error| error.to_string())?;
    let manifest: Manifest = toml::from_str(MANIFEST).map_err(|error| error.to_string())?;
    let own = env!("CARGO_PKG_NAME");
    let used = reached(&lock, own, &manifest.dependencies);
    let mut components: Vec<Value> = used.iter().map(|package| component(package)).collect();
    components.push(json!({
        "type": "library", "bom-ref": "sqlite", "name": "sqlite", "version": sqlite,
        "cpe": format!("cpe:2.3:a:sqlite:sqlite:{sqlite}:*:*:*:*:*:*:*"),
    }));
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": own, "name": own,
                "version": env!("CARGO_PKG_VERSION"),
                "licenses": [{ "license": { "id": env!("CARGO_PKG_LICENSE") } }],
            },
        },
        "components": components,
    });
    serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|e| e.to_string())
}

/// The packages that are reached from the direct dependencies, without the program itself, in order.
fn reached<'l>(
    lock: &'l Lock,
    own: &str,
    direct: &BTreeMap<String, toml::Value>,
) -> Vec<&'l Package> {
    // `name`, or `name version` where there are several.
    let find = |wanted: &str| {
        let (name, version) = wanted.split_once(' ').unwrap_or((wanted, ""));
        lock.package
            .iter()
            .find(|one| one.name == name && (version.is_empty() || one.version == version))
    };
    let root = lock.package.iter().find(|one| one.name == own);
    let named = root.map_or(&[][..], |root| &root.dependencies);
    let direct = named.iter().filter(|one| {
        direct.contains_key(one.split_once(' ').map_or(one.as_str(), |(name, _)| name))
    });
    let mut open: Vec<&str> = direct.map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    let mut used = Vec::new();
    while let Some(package) = open.pop().map(find) {
        let Some(package) = package else { continue };
        if seen.insert((&package.name, &package.version)) {
            used.push(package);
            open.extend(package.dependencies.iter().map(String::as_str));
        }
    }
    used.sort_by_key(|one| (&one.name, &one.version));
    used
}

fn component(package: &Package) -> Value {
    let Package { name, version, .. } = package;
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component = json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
    if let (Some(fields), Some(sum)) = (component.as_object_mut(), &package.checksum) {
        fields.insert("hashes".to_owned(), json!([{ "alg": "SHA-256", "content": sum }]));
    }
    component
}

#[cfg(test)]
mod tests {
    use super::*;

    // Check 51.
    #[test]
    fn everything_linked_comes_from_crates_io_by_its_checksum() {
        let lock: Lock = toml::from_str(LOCK).unwrap();
        for package in lock.package.iter().filter(|one| one.name != env!("CARGO_PKG_NAME")) {
            assert_eq!(package.source.as_deref(), Some(CRATES_IO), "{}", package.name);
            assert!(package.checksum.is_some(), "{}", package.name);
        }
    }

    // Check 51.
    #[test]
    fn the_list_of_components_names_what_is_linked_and_not_what_only_tests_use() {
        let document: Value = serde_json::from_str(&report().unwrap()).unwrap();
        let components = document["components"].as_array().unwrap();
        let named = |name: &str| components.iter().filter(|one| one["name"] == name).count();
        for name in ["actix-web", "diesel", "statig", "rustls", "serde", "sqlite"] {
            assert!(named(name) > 0, "{name}");
        }
        assert_eq!((named("proptest"), named("fenliu")), (0, 0));
        let versioned = |one: &Value| one["version"].as_str().is_some_and(|text| !text.is_empty());
        assert!(components.iter().all(versioned));
        let references: BTreeSet<&str> =
            components.iter().filter_map(|one| one["bom-ref"].as_str()).collect();
        assert_eq!(references.len(), components.len());
    }
}
