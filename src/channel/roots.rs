//! Certificates that an office trusts besides those of the system.

use super::Setup;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The certificates of a PEM file, one by one; none of an empty one.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<String>, Setup> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(pem).map_err(|_said| Setup::new("roots", "this is not PEM"))?;
    let mut found = Vec::new();
    for part in text.split(BEGIN).skip(1) {
        let Some((inside, _)) = part.split_once(END) else {
            return Err(Setup::new("roots", "a certificate has no end"));
        };
        found.push(format!("{BEGIN}{inside}{END}\n"));
    }
    if found.is_empty() {
        return Err(Setup::new("roots", format!("there is no `{BEGIN}` in the file")));
    }
    Ok(found)
}
