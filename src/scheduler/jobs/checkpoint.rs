//! The daily checkpoint: where all chains stand, signed, and sent to people who keep it elsewhere.

use super::{alarm, readers};
use crate::config::job::Job;
use crate::domain::{Instant, JurisdictionId, Kind, Language};
use crate::gate::{Error, Leaves, Note};
use crate::scheduler::Duty;
use crate::template::{About, Item};

/// Makes a checkpoint; what it leaves is a message to each reader, or an alarm if nobody reads it.
pub(super) async fn leaves(
    duty: &Duty,
    job: &Job,
    whose: JurisdictionId,
    now: Instant,
) -> Result<Leaves, Error> {
    let mut leaves = Leaves { replace_alarms: true, ..Leaves::default() };
    let Some(made) = duty.ask(|gate| gate.make_checkpoint()).await? else {
        return Ok(leaves);
    };
    let directory = duty.gate.registry().directory(whose)?;
    let (people, missing) = readers::of(duty, job, whose, now)?;
    leaves.alarms.extend(missing);
    if people.is_empty() && job.to.is_empty() {
        let detail = format!("the job `{}` names nobody who keeps its checkpoints", job.name);
        leaves.alarms.push(alarm("nobody_told", whose, now, detail));
    }
    for id in people {
        let Some(person) = directory.people.get(&id) else { continue };
        let item = |zh: &str, en: &str, value: &str| {
            let (name, colon) = match person.rules.language {
                Language::Zh => (zh, "："),
                Language::En => (en, ": "),
            };
            Item { sentence: format!("{name}{colon}{value}"), ..Item::default() }
        };
        let about = About {
            number: made.number.to_string(),
            count: made.matters,
            items: vec![
                item("时间", "made at", &made.at.to_string()),
                item("摘要（SHA-256）", "hash (SHA-256)", &made.hash),
                item("签名（Ed25519）", "signature (Ed25519)", &made.signature),
                item("公钥", "public key", &made.key),
            ],
            ..About::default()
        };
        let (channel, kind) = (Some("email".to_owned()), Kind::Checkpoint);
        leaves.notes.push((whose, Note { person: id, channel, kind, urgent: false, about }));
    }
    Ok(leaves)
}
