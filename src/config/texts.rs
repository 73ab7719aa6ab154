//! The folder of message templates, read into memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Why the folder cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "{path}: {error}; name the folder of message templates in `alerts.templates`, or set it to \"\" for \
     the texts that are built in"
)]
pub struct Error {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub error: std::io::Error,
}

/// Folders inside each other, at most.
const DEEPEST: usize = 4;

/// Every `.txt` and `.html` file below a folder: its text by its path from there, with `/`.
///
/// # Errors
/// What cannot be read, also a file that is not UTF-8.
pub fn read(folder: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    walk(folder, "", DEEPEST, &mut files)?;
    Ok(files)
}

fn walk(
    folder: &Path,
    name: &str,
    deep: usize,
    files: &mut BTreeMap<String, String>,
) -> Result<(), Error> {
    let failed = |path: &Path, error| Error { path: path.to_owned(), error };
    let entries = fs::read_dir(folder).map_err(|error| failed(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        let own = path.file_name().unwrap_or_default().to_string_lossy();
        let inside = if name.is_empty() { own.into_owned() } else { format!("{name}/{own}") };
        let text = path.extension().is_some_and(|end| end == "txt" || end == "html");
        if path.is_dir() && deep > 0 {
            walk(&path, &inside, deep - 1, files)?;
        } else if text {
            let read = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            files.insert(inside, read);
        }
    }
    Ok(())
}
