//! At the start: whether what was signed of the past still agrees with the database. It keeps nobody from
//! being answered; what does not agree is an operator alarm, as when the auditor finds it.

use std::path::Path;
use std::thread::JoinHandle;

use super::archive;
use super::house::Error;
use super::judging::alarm;
use crate::config::settings::Settings;
use crate::domain::event::Hash;
use crate::gate::Gate;

/// What an operator does who reads that something does not agree.
const WHAT_TO_DO: &str = "change nothing, copy the database as it is (fenliu backup, pg_dump), run `fenliu verify --key … \
     --checkpoint …` and compare with the auditors' mails; docs/OPERATING.md, Verifying";

/// Looks beside everything else, once: heads only, but a first checkpoint may have many of them.
///
/// # Errors
/// When no thread can be had.
pub(super) fn look(settings: &Settings, gate: &Gate) -> Result<JoinHandle<()>, Error> {
    let (settings, gate) = (settings.clone(), gate.clone());
    let begun = std::thread::Builder::new().name("anchors".to_owned()).spawn(move || {
        if let Some(detail) = judge(&settings, &gate) {
            alarm(&gate, "audit_difference", detail);
        }
    });
    begun.map_err(Error::Server)
}

/// What does not agree, and what to do; none: everything does.
fn judge(settings: &Settings, gate: &Gate) -> Option<String> {
    let mut faults = Vec::new();
    let file = &settings.database.checkpoints;
    let kept = if file.as_os_str().is_empty() {
        Vec::new()
    } else {
        kept(&settings.beside(file)).unwrap_or_else(|error| {
            faults.push(format!("database.checkpoints: {error}"));
            Vec::new()
        })
    };
    match gate.anchored(&kept) {
        Ok(found) => {
            faults.extend(found.faults);
            if let (Some((number, hash)), true) = (found.newest, faults.is_empty()) {
                let kept = kept.len();
                tracing::info!(
                    number,
                    hash,
                    kept,
                    "the newest checkpoint agrees with the database"
                );
            }
        }
        // The store stumbles, which says nothing about the past.
        Err(error) => tracing::error!(%error, "the checkpoints could not be looked at"),
    }
    for fault in &faults {
        tracing::error!(
            fault,
            "what was signed of the past does not agree with the database: {WHAT_TO_DO}"
        );
    }
    (!faults.is_empty()).then(|| format!("{}; {WHAT_TO_DO}", faults.join("; ")))
}

/// The checkpoints of a file.
fn kept(path: &Path) -> Result<Vec<(i64, Hash)>, String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| said(&error))?;
    listed(&text).map_err(|error| said(&error))
}

/// The checkpoints of a list: a line each, its number, `:` and its hash; after `#` what people like to note.
fn listed(text: &str) -> Result<Vec<(i64, Hash)>, String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let lines = lines.enumerate().filter(|(_, line)| !line.is_empty());
    let read = lines.map(|(number, line)| {
        archive::checkpoint(line).ok_or_else(|| {
            let what = "is no checkpoint: its number, `:`, and its hash of 64 hexadecimal digits";
            format!("line {} {what}", number + 1)
        })
    });
    let read: Vec<_> = read.collect::<Result<_, String>>()?;
    if read.is_empty() { Err("no checkpoint stands in it".to_owned()) } else { Ok(read) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_checkpoints_is_read_line_by_line_and_faults_have_their_line() {
        let hash = "ab".repeat(32);
        let read = listed(&format!("# by mail\n\n7:{hash} # 2026-11-28\n8:{hash}\n")).unwrap();
        assert_eq!(read, [(7, [0xab; 32]), (8, [0xab; 32])]);
        assert!(listed(&format!("7:{hash}\n8\n")).unwrap_err().starts_with("line 2 is no"));
        assert!(listed("# nothing\n").unwrap_err().contains("no checkpoint"));
    }
}
