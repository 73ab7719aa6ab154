//! Whether workflows and calendars still are the files that were published: by them decisions are
//! repeated, so a matter whose file was altered would only seem to have been decided otherwise. Their
//! texts are compared with the digests that the audit log noted.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::sealing::digest;
use crate::domain::{AuditEntry, Instant, JurisdictionId};
use crate::store::{self, Reader};

/// Digests that the audit log of one jurisdiction has noted.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// How often, by what was published and the digest of its text.
    noted: BTreeMap<(String, String), usize>,
    /// When the jurisdiction was founded; none: the log does not say.
    founded_at: Option<Instant>,
    /// Whether what it was founded with was noted: older services did not.
    from_founding: bool,
}

impl Sources {
    /// Takes what an entry says of them.
    pub(super) fn note(&mut self, entry: &AuditEntry) {
        let mut note = |subject: &str, digest: &Json| {
            let Some(digest) = digest.as_str() else { return };
            *self.noted.entry((subject.to_owned(), digest.to_owned())).or_default() += 1;
        };
        let noted = entry.detail.get("sha256");
        match (entry.kind.as_str(), noted) {
            ("definition_published" | "calendar_loaded", Some(digest)) => {
                note(&entry.subject, digest);
            }
            ("founded", noted) => {
                self.founded_at = Some(entry.at);
                let Some(sources) = noted.and_then(Json::as_object) else { return };
                self.from_founding = true;
                sources.iter().for_each(|(subject, digest)| note(subject, digest));
            }
            _ => {}
        }
    }

    /// What of the stored files was never published so, or is not there any more, a sentence each.
    ///
    /// # Errors
    /// As for any statement.
    pub(super) fn faults(
        mut self,
        reader: &mut Reader,
        owner: JurisdictionId,
    ) -> Result<Vec<String>, store::Error> {
        // A log that does not begin with the founding has nothing to compare with.
        let Some(founded_at) = self.founded_at else { return Ok(Vec::new()) };
        let (definitions, calendars) = (reader.definitions(owner)?, reader.calendars(owner)?);
        let definitions = definitions.into_iter().map(|one| {
            let what = format!("version {} of the workflow `{}`", one.number, one.workflow);
            (format!("definition:{}", one.workflow), what, one.source, one.published_at)
        });
        let calendars = calendars.into_iter().map(|one| {
            let what = format!("version `{}` of the calendar `{}`", one.version, one.code);
            (format!("calendar:{}", one.version), what, one.source, one.loaded_at)
        });
        let mut faults = Vec::new();
        for (subject, what, source, at) in definitions.chain(calendars) {
            if at == founded_at && !self.from_founding {
                continue;
            }
            let digest = digest(&source).as_str().unwrap_or_default().to_owned();
            match self.noted.get_mut(&(subject, digest)) {
                Some(count) if *count > 0 => *count -= 1,
                _ => faults.push(format!(
                    "{what} is not the text that was published by the audit log of jurisdiction \
                     {owner}"
                )),
            }
        }
        let lost = self.noted.into_iter().filter(|(_, count)| *count > 0);
        faults.extend(lost.map(|((subject, digest), _)| {
            format!("`{subject}` with the digest {digest}, which was published, is not there")
        }));
        Ok(faults)
    }
}
