//! Workflow definitions: checked among their relatives, then published.

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::error::{Error, refused};
use super::proposal::{Approval, Motion};
use super::sealing::{self, Deed};
use super::{Caller, Gate, Version};
use crate::chart::check::{Member, check_family};
use crate::chart::{self, Chart, Finding, Severity};
use crate::domain::{DefinitionId, Instant, JurisdictionId};
use crate::policy::Act;
use crate::store::DefinitionSource;

impl Gate {
    /// Publishes a version of a workflow: new instances start on it, running ones stay on theirs.
    /// Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `Broken` with every finding; `Refused` with `second_person_needed` or
    /// `definition_unchanged`.
    pub fn publish(
        &self,
        caller: &Caller,
        source: &str,
    ) -> Result<(DefinitionId, i64, Vec<Finding>), Error> {
        self.permit(caller, Act::Publish)?;
        self.alone(caller, &Motion::Definition(source.to_owned()))?;
        self.publish_by(caller, source, None)
    }

    /// Publishes what may be published, perhaps approved by a second person.
    pub(super) fn publish_by(
        &self,
        caller: &Caller,
        source: &str,
        approval: Option<Approval>,
    ) -> Result<(DefinitionId, i64, Vec<Finding>), Error> {
        let (new, findings) = self.sound_definition(caller, source)?;
        let by = approval.as_ref().map_or_else(|| caller.actor.name(), Approval::proposer);
        let new = DefinitionSource { published_by: by, ..new };
        let deed = Deed::of(caller, "definition_published", format!("definition:{}", new.workflow));
        let deed = deed.with(json!({ "sha256": sealing::digest(source) }));
        let motion = Motion::Definition(source.to_owned());
        let (id, number) = self.judged(caller, Act::Publish, |transaction, standing| {
            standing.settled(transaction, &motion, (self.is_ruled(), approval.as_ref()))?;
            let (jurisdiction, now) = (caller.jurisdiction, standing.now);
            let new = DefinitionSource { jurisdiction, published_at: now, ..new };
            let published = transaction.add_definition(&new)?;
            deed.approved(approval).write(transaction, now)?;
            Ok(published)
        })?;
        Ok((id, number, findings))
    }

    /// A definition that may be published as it is, with warnings that do not forbid it.
    pub(super) fn sound_definition(
        &self,
        caller: &Caller,
        source: &str,
    ) -> Result<(DefinitionSource, Vec<Finding>), Error> {
        let (_, findings) = self.check_definition(caller, source)?;
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Err(Error::Broken(findings));
        }
        let new = definition(source, &caller.actor.name())?;
        let versions = self.inner.registry.versions(caller.jurisdiction);
        let same = |version: &&Version| version.current && version.source.as_ref() == source;
        if let Some(same) = versions.iter().find(same) {
            let number = same.number;
            return Err(refused(
                "definition_unchanged",
                format!("内容与现行第{number}版完全相同，未发布新版本"),
                format!(
                    "Version {number}, which is in force, is this very file: nothing was published"
                ),
            ));
        }
        if let (Some(chart), _) = chart::compile(source) {
            self.can_be_said(&chart)?;
        }
        Ok((new, findings))
    }

    /// Says everything that is wrong with a workflow file: in itself, and with the current versions
    /// of its relatives once it takes its place among them. The workflow's name, as far as it can be
    /// read.
    ///
    /// # Errors
    /// `NotFound` for a jurisdiction that is not there.
    pub fn check_definition(
        &self,
        caller: &Caller,
        source: &str,
    ) -> Result<(Option<String>, Vec<Finding>), Error> {
        let (chart, mut findings) = chart::compile(source);
        let Some(chart) = chart else { return Ok((None, findings)) };
        let versions = self.inner.registry.versions(caller.jurisdiction);
        let current: Vec<_> = versions.into_iter().filter(|version| version.current).collect();
        let member = |version: &Version| (version.source.to_string(), Arc::clone(&version.chart));
        let old: Vec<(String, Arc<Chart>)> = current.iter().map(member).collect();
        let known = of_family(&old);
        let mut new: Vec<_> =
            old.into_iter().filter(|(_, other)| other.workflow != chart.workflow).collect();
        let name = chart.workflow.clone();
        new.push((source.to_owned(), Arc::new(chart)));
        for (workflow, mut finding) in of_family(&new) {
            let own = workflow == name;
            // What was wrong between others before is not this file's fault.
            let before = |(of, other): &(String, Finding)| {
                *of == workflow
                    && (&other.code, &other.message) == (&finding.code, &finding.message)
            };
            if own || finding.severity == Severity::Error && !known.iter().any(before) {
                if !own {
                    finding.message = format!("in `{workflow}`: {}", finding.message);
                }
                findings.push(finding);
            }
        }
        Ok((Some(name), findings))
    }
}

/// A sound definition as it is stored.
pub(super) fn definition(source: &str, by: &str) -> Result<DefinitionSource, Error> {
    let (chart, findings) = chart::compile(source);
    let Some(chart) = chart else { return Err(Error::Broken(findings)) };
    Ok(DefinitionSource {
        id: DefinitionId(0),
        jurisdiction: JurisdictionId(0),
        workflow: chart.workflow,
        number: 0,
        source: source.to_owned(),
        hash: Sha256::digest(source.as_bytes()).into(),
        published_at: Instant(0),
        published_by: by.to_owned(),
        retired_at: None,
    })
}

/// What does not fit between workflows, each with the workflow concerned.
fn of_family(members: &[(String, Arc<Chart>)]) -> Vec<(String, Finding)> {
    let members =
        members.iter().map(|(source, chart)| Member { file: &chart.workflow, source, chart });
    check_family(&members.collect::<Vec<_>>())
}
