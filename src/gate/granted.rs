//! Whether people's rights, the tokens, and which unit plays which party still are what the audit log says
//! of them: whoever writes into the database gives nobody rights without being found.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::sealing::digest;
use crate::domain::event::hex;
use crate::domain::{AuditEntry, JurisdictionId, Person, PersonId, Term};
use crate::store::{self, Reader, TokenRow};

/// The entry that notes everything at once, where an older service did not at the founding.
pub(super) const RIGHTS_NOTED: &str = "rights_noted";

/// What somebody may, as entries write it.
pub(super) fn rights(person: &Person) -> Json {
    let grants = person.lasting().into_iter().map(|grant| format!("{}.{}", grant.unit, grant.role));
    let grants: Vec<String> = grants.collect();
    json!({ "active": person.active, "grants": grants, "terms": person.terms })
}

/// A token, as entries write it.
pub(super) fn token(row: &TokenRow) -> Json {
    json!({
        "person": row.person,
        "expires_at": row.expires_at,
        "scope": row.scope,
        "fingerprint": digest(&hex(&row.hash)),
        "revoked": row.revoked_at.is_some(),
    })
}

/// What somebody may, in a form that can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rights {
    active: bool,
    grants: BTreeSet<String>,
    terms: Vec<Term>,
}

impl Rights {
    /// None: the entry does not say all of it, as those of older services.
    fn read(said: &Json) -> Option<Self> {
        let grants = said.get("grants")?.as_array()?.iter();
        let mut grants: BTreeSet<String> =
            grants.map(|one| one.as_str().map(str::to_owned)).collect::<Option<_>>()?;
        let terms: Vec<Term> = serde_json::from_value(said.get("terms")?.clone()).ok()?;
        // What has no end is kept among the lasting ones, and what has one not.
        let lasts = |term: &Term| term.from.is_none() && term.until.is_none();
        for term in &terms {
            let name = format!("{}.{}", term.unit, term.role);
            if lasts(term) {
                grants.insert(name);
            } else {
                grants.remove(&name);
            }
        }
        let terms = terms.into_iter().filter(|term| !lasts(term)).collect();
        Some(Self { active: said.get("active")?.as_bool()?, grants, terms })
    }

    fn said(&self) -> String {
        let mut parts: Vec<String> = self.grants.iter().cloned().collect();
        for Term { role, unit, from, until } in &self.terms {
            let from = from.map(|from| format!(" from {from}")).unwrap_or_default();
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            parts.push(format!("{unit}.{role}{from}{until}"));
        }
        if !self.active {
            parts.push("not active".to_owned());
        }
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }
}

/// A token, as an entry says it.
#[derive(Debug, Clone)]
struct Token {
    seq: i64,
    person: PersonId,
    said: Json,
    /// The entry by which it ended.
    ended: Option<i64>,
}

/// What the audit log of one jurisdiction says of rights, entry by entry.
#[derive(Debug, Default)]
pub(super) struct Granted {
    /// With the number of the last entry; none: that entry does not say all of it.
    people: BTreeMap<PersonId, (i64, Option<Rights>)>,
    tokens: BTreeMap<i64, Token>,
    bodies: Option<(i64, Json)>,
    /// Whether everything that is there stands in some entry: older services did not note it all.
    whole: bool,
}

impl Granted {
    /// Takes what an entry says of them.
    pub(super) fn note(&mut self, entry: &AuditEntry) {
        let (seq, detail) = (entry.seq, &entry.detail);
        let subject = |kind: &str| {
            let id = entry.subject.strip_prefix(kind)?.strip_prefix(':')?;
            id.parse::<i64>().ok()
        };
        match entry.kind.as_str() {
            "founded" | RIGHTS_NOTED => {
                self.whole |= seq == 1 || entry.kind == RIGHTS_NOTED;
                self.note_all(seq, detail);
            }
            "person_put" => {
                // Older services wrote 0 for somebody new.
                let Some(id) = subject("person").filter(|id| *id != 0) else { return };
                self.people.insert(PersonId(id), (seq, Rights::read(detail)));
                if detail.get("active") == Some(&Json::Bool(false)) {
                    self.end_all(PersonId(id), seq);
                }
            }
            "account_reset" | "account_taken" | "password_changed" => {
                let Some(id) = subject("person") else { return };
                self.end_all(PersonId(id), seq);
            }
            "token_issued" => {
                let (id, person) = (detail.get("token").and_then(Json::as_i64), subject("person"));
                if let (Some(id), Some(person)) = (id, person) {
                    let (person, said) = (PersonId(person), detail.clone());
                    self.tokens.insert(id, Token { seq, person, said, ended: None });
                }
            }
            "token_revoked" => {
                let token = subject("token").and_then(|id| self.tokens.get_mut(&id));
                token.into_iter().for_each(|token| token.ended = Some(seq));
            }
            _ => {}
        }
    }

    /// Everything at once, as it stood then.
    fn note_all(&mut self, seq: i64, detail: &Json) {
        let object = |name: &str| detail.get(name).and_then(Json::as_object);
        let Some(people) = object("rights") else {
            // An older service founded it.
            self.whole = false;
            return;
        };
        for (id, said) in people {
            let Ok(id) = id.parse() else { continue };
            self.people.insert(PersonId(id), (seq, Rights::read(said)));
        }
        for (id, said) in object("tokens").unwrap_or(&Map::new()) {
            let person = said.get("person").and_then(Json::as_i64).map(PersonId);
            let (Ok(id), Some(person)) = (id.parse(), person) else { continue };
            let ended = (said.get("revoked") == Some(&Json::Bool(true))).then_some(seq);
            self.tokens.insert(id, Token { seq, person, said: said.clone(), ended });
        }
        self.bodies =
            detail.get("bodies").map(|bodies| (seq, bodies.clone())).or(self.bodies.take());
    }

    fn end_all(&mut self, person: PersonId, seq: i64) {
        let of_person = self.tokens.values_mut().filter(|token| token.person == person);
        of_person.for_each(|token| token.ended = token.ended.or(Some(seq)));
    }

    /// What of the stored rows is not what was last said of it, a sentence each.
    ///
    /// # Errors
    /// As for any statement.
    pub(super) fn faults(
        &self,
        reader: &mut Reader,
        owner: JurisdictionId,
    ) -> Result<Vec<String>, store::Error> {
        let Some(directory) = reader.directory(owner)? else { return Ok(Vec::new()) };
        let mut faults = Vec::new();
        if let Some((seq, said)) = &self.bodies
            && *said != json!(directory.bodies)
        {
            faults.push(format!("which unit plays which party is not what audit entry {seq} says"));
        }
        for person in directory.people.values() {
            faults.extend(self.person_fault(person));
        }
        let gone = self.people.keys().filter(|id| !directory.people.contains_key(id));
        faults
            .extend(gone.map(|id| format!("person {id}, whom the audit log names, is not there")));
        let rows = reader.tokens(owner, None)?;
        faults.extend(rows.iter().filter_map(|row| self.token_fault(row)));
        let there: BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
        let gone = self.tokens.iter().filter(|(id, _)| !there.contains(*id));
        faults.extend(gone.map(|(id, token)| {
            let seq = token.seq;
            format!("token {id}, of which audit entry {seq} speaks, is not there")
        }));
        let of = format!("jurisdiction {owner}");
        Ok(faults.into_iter().map(|fault| format!("{of}: {fault}")).collect())
    }

    fn person_fault(&self, person: &Person) -> Option<String> {
        let id = person.id;
        let Some((seq, said)) = self.people.get(&id) else {
            return self.whole.then(|| format!("person {id} stands in no entry of the audit log"));
        };
        let (said, now) = (said.as_ref()?, Rights::read(&rights(person))?);
        (now != *said).then(|| {
            let (now, said) = (now.said(), said.said());
            format!(
                "person {id} has the rights {now}; audit entry {seq}, the last one, says {said}"
            )
        })
    }

    fn token_fault(&self, row: &TokenRow) -> Option<String> {
        let id = row.id;
        let Some(known) = self.tokens.get(&id) else {
            return self.whole.then(|| format!("token {id} stands in no entry of the audit log"));
        };
        if let (Some(seq), None) = (known.ended, row.revoked_at) {
            return Some(format!("token {id} is good, which was ended by audit entry {seq}"));
        }
        let now = token(row);
        // Older services did not note all of it.
        let same = |name: &str| known.said.get(name).is_none_or(|said| now.get(name) == Some(said));
        let wrong = ["expires_at", "scope", "fingerprint"].into_iter().find(|name| !same(name));
        let wrong = if known.person == row.person { wrong } else { Some("person") };
        let seq = known.seq;
        wrong.map(|name| format!("token {id}: its `{name}` is not what audit entry {seq} says"))
    }
}
