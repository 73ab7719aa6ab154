//! Where a case runs: a new, migrated store with one jurisdiction, one definition and one person.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use fenliu::domain::{DefinitionId, Instant, JurisdictionId, Person, PersonId, Text};
use fenliu::store::{Batch, DefinitionSource, Error, Jurisdiction, Options, Store, Writer};

use super::{postgres, samples};

/// A folder that is gone when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("fenliu-store-{}-{count}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.0.join("store.db").display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// A store to exercise.
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<Folder>,
}

/// The jurisdiction of every case.
pub(crate) const OURS: JurisdictionId = JurisdictionId(1);
/// Another one.
pub(crate) const OTHERS: JurisdictionId = JurisdictionId(2);

impl Place {
    pub(crate) fn file() -> Self {
        let folder = Folder::new();
        let options = Options { create: true, ..Options::default() };
        let store = Store::open(&folder.url(), options).unwrap();
        store.migrate().unwrap();
        Self::furnished(store, folder.url(), Some(folder))
    }

    pub(crate) fn memory() -> Self {
        let url = "sqlite::memory:";
        let store = Store::open(url, Options::default()).unwrap();
        store.migrate().unwrap();
        Self::furnished(store, url.to_owned(), None)
    }

    pub(crate) fn postgres() -> Self {
        let url = postgres::migrated_database();
        let store = Store::open(&url, Options::default()).unwrap();
        Self::furnished(store, url, None)
    }

    fn furnished(store: Store, url: String, folder: Option<Folder>) -> Self {
        let furnish = |transaction: &mut fenliu::store::Transaction<'_>| {
            for (id, code) in [(OURS, "nanxian"), (OTHERS, "beixian")] {
                transaction.put_jurisdiction(&jurisdiction(id, code))?;
            }
            transaction.add_definition(&definition())?;
            transaction.put_person(OURS, &person())
        };
        store.writer().unwrap().transaction(furnish).unwrap();
        Self { store, url, _folder: folder }
    }

    pub(crate) fn writer(&self) -> Writer {
        self.store.writer().unwrap()
    }

    /// Writes one batch in a transaction of its own.
    pub(crate) fn write(&self, batch: &Batch) -> Result<(), Error> {
        self.writer().transaction(|transaction| transaction.write(batch))
    }
}

pub(crate) fn jurisdiction(id: JurisdictionId, code: &str) -> Jurisdiction {
    Jurisdiction {
        id,
        code: code.to_owned(),
        name: Text::new("南县", "Nan County"),
        zone: "Asia/Shanghai".to_owned(),
        calendar: "cn".to_owned(),
        bodies: [("desk".to_owned(), "gongan".to_owned())].into(),
        revision: 0,
        access_revision: 0,
    }
}

pub(crate) fn definition() -> DefinitionSource {
    DefinitionSource {
        id: DefinitionId(0),
        jurisdiction: OURS,
        workflow: "referral".to_owned(),
        number: 0,
        source: "workflow: referral # 分流 𠮷\n".to_owned(),
        hash: [7; 32],
        published_at: Instant(1),
        published_by: "person:1".to_owned(),
        retired_at: None,
    }
}

pub(crate) fn person() -> Person {
    Person {
        id: PersonId(0),
        name: "王芳".to_owned(),
        email: Some("wangfang@example.org".to_owned()),
        phone: None,
        grants: samples::grants(),
        active: true,
        ..Person::default()
    }
}
