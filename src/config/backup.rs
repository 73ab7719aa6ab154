//! For whom copies are locked.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// For whom `fenliu backup` and `fenliu export` lock what they write, so that a copy that gets into other
/// hands tells nothing. `fenliu key backup FILE` makes a key and prints its recipient: the key is kept
/// elsewhere than this machine, which needs only the recipient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Backup {
    /// A file of recipients, one a line (`age1…`), each of whom can open what is written; counted from
    /// the folder of this file. Empty: copies are not locked.
    pub recipients: PathBuf,
}
