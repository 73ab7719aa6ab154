//! With which keys callers' data are kept locked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use crate::vault::Algorithm;

/// With which keys callers' data and the secrets of people's devices are kept locked. They are outside
/// the database; without them neither can be read by anybody, so keep a copy of them, elsewhere than
/// the copies of the database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Vault {
    /// The file of the keys, in the data folder unless its path is absolute; nobody but its owner may
    /// read it. Made at the first start. `fenliu key rotate` adds a key; a running service takes it up.
    pub file: PathBuf,
    /// The keys themselves, as they would stand in the file, with `;` between them: for the environment
    /// (`FENLIU_VAULT_KEYS`). Empty: the file has them.
    pub keys: Secret,
    /// By which algorithm a key that is made locks: `aes-256-gcm` or `sm4-gcm`.
    #[schemars(with = "String")]
    pub algorithm: Algorithm,
}

impl Default for Vault {
    fn default() -> Self {
        let file = PathBuf::from("field.keys");
        Self { file, keys: Secret::default(), algorithm: Algorithm::Aes256Gcm }
    }
}
