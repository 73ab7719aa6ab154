//! The audit log and the checkpoints over all chains: written, read, and looked at again.

use serde_json::{Value as Json, json};

use super::error::Error;
use super::granted::Granted;
use super::proposal::Approval;
use super::sources::Sources;
use super::{Caller, Gate};
use crate::domain::event::{Hash, NO_HASH, hex};
use crate::domain::{AuditEntry, ChainHash, Instant, JurisdictionId, StoredEntry, audit_entry};
use crate::policy::Act;
use crate::seal::{self, AuditHead, Checkpoint, SigningKey};
use crate::store::{self, AuditFilter, CheckpointRow, Head, Reader, Store, Transaction};

/// What somebody does outside matters, for the audit log.
pub(super) struct Deed {
    jurisdiction: JurisdictionId,
    actor: String,
    token: Option<i64>,
    kind: &'static str,
    subject: String,
    detail: Json,
    approval: Option<Approval>,
}

impl Deed {
    /// Somebody does something to something.
    pub(super) fn of(caller: &Caller, kind: &'static str, subject: impl Into<String>) -> Self {
        Self {
            jurisdiction: caller.jurisdiction,
            actor: caller.actor.name(),
            token: caller.actor.via().map(|via| via.token),
            kind,
            subject: subject.into(),
            detail: Json::Null,
            approval: None,
        }
    }

    /// The same with how it is now. Neither secrets nor callers' personal data.
    pub(super) fn with(self, detail: Json) -> Self {
        Self { detail, ..self }
    }

    /// The same as a second person approved it: with its entry the proposal is decided.
    pub(super) fn approved(mut self, approval: Option<Approval>) -> Self {
        if let (Some(approval), Json::Object(detail)) = (&approval, &mut self.detail) {
            detail.insert("proposed_by".to_owned(), approval.proposer().into());
        }
        Self { approval, ..self }
    }

    /// Appends it.
    pub(super) fn write(
        self,
        transaction: &mut Transaction<'_>,
        now: Instant,
    ) -> Result<(), store::Error> {
        let Self { jurisdiction, actor, token, kind, subject, detail, approval } = self;
        if let Some(approval) = approval {
            approval.take(transaction, now)?;
        }
        let kind = kind.to_owned();
        transaction.append_audit(AuditEntry {
            format: audit_entry::FORMAT,
            jurisdiction,
            seq: 0,
            at: now,
            actor,
            token,
            kind,
            subject,
            detail,
        })
    }
}

/// A checkpoint, with everything in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Its number.
    pub number: i64,
    /// When it was made.
    pub at: Instant,
    /// How many matters had changed since the one before.
    pub matters: i64,
    /// The hash of its text, which the next one names.
    pub hash: String,
    /// Its text, byte for byte as it was signed.
    pub body: String,
    /// The signature over its text.
    pub signature: String,
    /// The public key that verifies it.
    pub key: String,
}

impl Sealed {
    fn of(row: CheckpointRow) -> Self {
        let said = serde_json::from_str::<Checkpoint>(&row.body);
        let (matters, by) =
            said.map_or((0, ChainHash::default()), |said| (said.matters, said.chain));
        Self {
            number: row.number,
            at: row.at,
            matters,
            hash: hex(&seal::hash_of(by, &row.body)),
            signature: hex(&row.signature),
            key: hex(&row.key),
            body: row.body,
        }
    }
}

/// Entries of audit logs looked at in one go.
const PAGE: i64 = 1000;

impl Gate {
    /// Takes the key with which checkpoints are signed. The first one given stays.
    pub fn use_seal(&self, key: SigningKey) {
        // A second key would only come from a second start, which has its own gate.
        drop(self.inner.seal.set(key));
    }

    /// Signs where all chains stand. None when no key was given, or somebody else just made one. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn make_checkpoint(&self) -> Result<Option<Sealed>, Error> {
        let Some(key) = self.inner.seal.get() else { return Ok(None) };
        let now = self.now();
        let owners = self.inner.registry.jurisdictions();
        let (by, last, heads, audit) = self.read(|reader| {
            let mut audit = Vec::new();
            for owner in &owners {
                let (seq, hash) = reader.audit_head(*owner)?;
                audit.push(AuditHead { jurisdiction: *owner, seq, hash: hex(&hash) });
            }
            let by = reader.chain()?;
            Ok((by, reader.last_checkpoint()?, reader.unsealed_heads()?, audit))
        })?;
        let previous = last.as_ref().map_or(NO_HASH, |last| seal::hash_of(by, &last.body));
        let checkpoint = Checkpoint {
            format: seal::FORMAT,
            number: last.map_or(0, |last| last.number) + 1,
            at: now,
            chain: by,
            previous: hex(&previous),
            matters: i64::try_from(heads.len()).unwrap_or(i64::MAX),
            heads: hex(&seal::root(by, heads.iter().map(parts))),
            audit,
        };
        let body = serde_json::to_string(&checkpoint)
            .map_err(|error| Error::Internal(format!("a checkpoint cannot be written: {error}")))?;
        let row = CheckpointRow {
            number: checkpoint.number,
            at: now,
            signature: key.sign(&body),
            key: key.public().to_vec(),
            body,
        };
        let mut writer = self.inner.store.writer()?;
        match writer.transaction(|transaction| transaction.add_checkpoint(&row, &heads)) {
            Ok(()) => Ok(Some(Sealed::of(row))),
            Err(store::Error::Conflict(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// At most `limit` checkpoints after a number, in order. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn checkpoints(
        &self,
        caller: &Caller,
        after: i64,
        limit: i64,
    ) -> Result<Vec<Sealed>, Error> {
        self.permit(caller, Act::SeeOperation)?;
        let rows = self.read(|reader| reader.checkpoints(after, limit))?;
        Ok(rows.into_iter().map(Sealed::of).collect())
    }

    /// At most `limit` entries of the audit log that a filter shows, the newest first. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn audit_log(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        limit: i64,
    ) -> Result<Vec<StoredEntry>, Error> {
        self.permit(caller, Act::SeeOperation)?;
        self.read(|reader| reader.audit_entries(caller.jurisdiction, filter, limit))
    }
}

/// What looking again at audit logs and checkpoints found.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Seals {
    /// Entries of audit logs.
    pub audit_entries: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// When the newest was made.
    pub sealed_until: Option<Instant>,
    /// The public key of the newest, in hexadecimal: to be compared with what was noted elsewhere.
    pub key: Option<String>,
    /// Whether callers' data are locked and were not looked at, because their keys are not at hand.
    #[serde(skip)]
    pub still_locked: bool,
    /// What is wrong, a sentence each.
    pub faults: Vec<String>,
}

/// What somebody noted where the database's administrators have no hand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Noted {
    /// The public key that signs every checkpoint; none: the one that stands beside each.
    pub key: Option<Vec<u8>>,
    /// The number and hash of a checkpoint: it is there, and so is everything that it signed.
    pub checkpoint: Option<(i64, Hash)>,
}

/// Looks again at the audit logs and the checkpoints, and whether they are those that were noted.
/// Blocks.
///
/// # Errors
/// What the store says. What is wrong with the data is no error but in the answer.
pub(super) fn verify_seals(store: &Store, noted: &Noted) -> Result<Seals, Error> {
    let mut seals = Seals::default();
    let by = store.chain()?;
    let owners = store.read(Reader::jurisdictions)?;
    for owner in owners {
        audit_chain(store, by, owner.id, &mut seals)?;
    }
    let (mut after, mut previous, mut there) = (0, NO_HASH, None);
    loop {
        let rows = store.read(|reader| reader.checkpoints(after, PAGE))?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.number != after + 1 {
                let (from, to) = (after + 1, row.number - 1);
                seals.faults.push(format!("checkpoints {from} to {to} are not there"));
            }
            let key = noted.key.as_deref();
            let faults = store.read(|reader| checkpoint_faults(reader, &row, &previous, key))?;
            let number = row.number;
            seals
                .faults
                .extend(faults.into_iter().map(|what| format!("checkpoint {number}: {what}")));
            seals.checkpoints += 1;
            seals.sealed_until = Some(row.at);
            seals.key = Some(hex(&row.key));
            (after, previous) = (row.number, seal::hash_of(by, &row.body));
            if noted.checkpoint.is_some_and(|(number, _)| number == after) {
                there = Some(previous);
            }
        }
    }
    let fault = match (noted.checkpoint, there) {
        (Some((number, hash)), Some(there)) if hash != there => {
            Some(format!("checkpoint {number}: its hash is not the one that was noted"))
        }
        (Some((number, _)), None) => {
            Some(format!("checkpoint {number}, which was noted, is not there: the last is {after}"))
        }
        _ => None,
    };
    seals.faults.extend(fault);
    if noted.key.is_some() && seals.checkpoints == 0 {
        seals.faults.push("there is no checkpoint, so nothing is signed by this key".to_owned());
    }
    Ok(seals)
}

fn parts(head: &Head) -> (crate::domain::InstanceId, i64, Hash) {
    (head.instance, head.seq, head.hash)
}

/// One jurisdiction's audit log: numbers without gaps, every hash, columns as the text says; the files that
/// it says were published, and the rights that it says were given.
fn audit_chain(
    store: &Store,
    by: ChainHash,
    owner: JurisdictionId,
    seals: &mut Seals,
) -> Result<(), Error> {
    let (mut after, mut head) = (0, NO_HASH);
    let (mut sources, mut granted) = (Sources::default(), Granted::default());
    loop {
        let entries = store.read(|reader| reader.audit_after(owner, after, PAGE))?;
        if entries.is_empty() {
            seals.faults.extend(store.read(|reader| sources.faults(reader, owner))?);
            seals.faults.extend(store.read(|reader| granted.faults(reader, owner))?);
            return Ok(());
        }
        for entry in entries {
            let said = serde_json::from_str::<AuditEntry>(&entry.body).ok();
            let place = format!("audit entry {} of jurisdiction {owner}", entry.seq);
            if entry.seq != after + 1 {
                let (from, to) = (after + 1, entry.seq - 1);
                let lost = format!("audit entries {from} to {to} of jurisdiction {owner}");
                seals.faults.push(format!("{lost} are not there"));
            }
            if by.link(&head, &entry.body) != entry.hash {
                seals.faults.push(format!("{place} is not what its hash was made from"));
            }
            if !said.as_ref().is_some_and(|said| says_the_same(&entry, said)) {
                seals.faults.push(format!("{place}: its columns are not what its text says"));
            }
            if let Some(said) = &said {
                sources.note(said);
                granted.note(said);
            }
            seals.audit_entries += 1;
            (after, head) = (entry.seq, entry.hash);
        }
    }
}

fn says_the_same(stored: &StoredEntry, said: &AuditEntry) -> bool {
    let columns = (stored.jurisdiction, stored.seq, stored.at, &stored.kind, &stored.actor);
    columns == (said.jurisdiction, said.seq, said.at, &said.kind, &said.actor)
}

/// What is wrong with a checkpoint: signature, form, the one before it, the heads that it signed.
pub(super) fn checkpoint_faults(
    reader: &mut Reader,
    row: &CheckpointRow,
    previous: &[u8; 32],
    key: Option<&[u8]>,
) -> Result<Vec<String>, store::Error> {
    let mut faults = Vec::new();
    let key = key.unwrap_or(&row.key);
    if !seal::is_signed(key, &row.body, &row.signature) {
        faults.push("its signature is not of this key over this text".to_owned());
    }
    let Ok(said) = serde_json::from_str::<Checkpoint>(&row.body) else {
        faults.push("its text cannot be read".to_owned());
        return Ok(faults);
    };
    if (said.number, said.at) != (row.number, row.at) {
        faults.push("its columns are not what its text says".to_owned());
    }
    let by = reader.chain()?;
    if said.chain != by {
        faults.push(format!("it speaks by {}, the chains are by {}", said.chain.code(), by.code()));
    }
    if said.previous != hex(previous) {
        faults.push("it does not follow the checkpoint before it".to_owned());
    }
    let heads = reader.checkpoint_heads(row.number)?;
    if said.heads != hex(&seal::root(by, heads.iter().map(parts))) {
        faults.push("the heads kept with it are not those that were signed".to_owned());
    }
    for lost in reader.lost_heads(row.number, 10)? {
        let Head { instance, seq, .. } = lost;
        faults.push(format!(
            "event {seq} of instance {instance}, which it signed, is not there any more as it was"
        ));
    }
    for head in &said.audit {
        let kept = reader.audit_after(head.jurisdiction, head.seq - 1, 1)?.pop();
        let same = |kept: &StoredEntry| kept.seq == head.seq && hex(&kept.hash) == head.hash;
        if head.seq > 0 && !kept.as_ref().is_some_and(same) {
            let (seq, owner) = (head.seq, head.jurisdiction);
            faults.push(format!(
                "audit entry {seq} of jurisdiction {owner}, which it signed, is not there any more \
                 as it was"
            ));
        }
    }
    Ok(faults)
}

/// What the audit log keeps of a source text: enough to tell whether it is the same.
pub(super) fn digest(source: &str) -> Json {
    json!(hex(&ChainHash::Sha256.over([source])))
}
