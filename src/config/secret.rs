//! Secrets in settings: read, but never shown.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// A password or key. It is printed nowhere: neither for debugging nor with the settings.
#[derive(Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself: what stands in the settings, or in the file that they name with `file:`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn reveal(&self) -> Result<String, String> {
        let Some(path) = self.0.strip_prefix("file:") else { return Ok(self.0.clone()) };
        let read = std::fs::read_to_string(path);
        let text = read.map_err(|error| format!("the secret's file {path}: {error}"))?;
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "hidden" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        serde_json::from_value(serde_json::Value::from(text)).unwrap()
    }

    #[test]
    fn a_secret_is_read_and_not_shown() {
        let one = secret("open sesame");
        assert_eq!(one.reveal().unwrap(), "open sesame");
        assert_eq!(format!("{one:?}"), "hidden");
        assert_eq!(serde_json::to_string(&one).unwrap(), "\"\"");
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let path = std::env::temp_dir().join(format!("fenliu-secret-{}", std::process::id()));
        std::fs::write(&path, "开门\n").unwrap();
        assert_eq!(secret(&format!("file:{}", path.display())).reveal().unwrap(), "开门");
        std::fs::remove_file(&path).unwrap();
        let error = secret(&format!("file:{}", path.display())).reveal().unwrap_err();
        assert!(error.starts_with("the secret's file "), "{error}");
    }
}
