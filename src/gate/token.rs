//! Access tokens: made for people and their programs, with an end, within what whoever makes them has.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::hash_of;
use super::error::{Error, refused};
use super::proposal::{Approval, Motion};
use super::sealing::{Deed, digest};
use super::{Caller, Gate};
use crate::domain::event::{hex, unhex};
use crate::domain::{Directory, Instant, PersonId, Scope};
use crate::policy::{self, Act};
use crate::store::TokenRow;

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose.
    pub person: PersonId,
    /// What for, in words.
    pub label: String,
    /// Until when; none: as long as the house allows.
    pub expires_at: Option<Instant>,
    /// What it is narrowed to.
    pub scope: Scope,
}

/// A token as it will be, without its secret: what a second person may have to approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenDraft {
    /// The hash of the secret, in hexadecimal.
    hash: String,
    /// Whose.
    pub person: PersonId,
    /// What for, in words.
    pub label: String,
    /// Until when.
    pub expires_at: Instant,
    /// What it is narrowed to.
    pub scope: Scope,
}

/// A token as it is handed over, once.
#[derive(Clone)]
pub struct Issued {
    /// Its id.
    pub id: i64,
    /// The secret: shown once, kept only as a hash.
    pub secret: String,
}

/// What a token begins with, so that leaked ones are found by scanners.
const PREFIX: &str = "fenliu_";

/// A day (ms).
const DAY: i64 = 24 * 3_600_000;

/// Whether a list that narrows stays within another one; an empty list narrows nothing.
fn within(inner: &[String], outer: &[String]) -> bool {
    outer.is_empty() || (!inner.is_empty() && inner.iter().all(|one| outer.contains(one)))
}

/// Refuses to whoever asks by a narrowed token what gives somebody more than that token may: it would
/// be a way round what it was narrowed to.
///
/// # Errors
/// `Refused` with `narrow_token`.
pub(super) fn unnarrowed(caller: &Caller) -> Result<(), Error> {
    if caller.actor.via().is_none_or(|via| !via.scope.narrows()) {
        return Ok(());
    }
    let en = "a narrowed token neither gives rights nor accounts, nor subscribes: sign in for it";
    Err(refused(
        "narrow_token",
        "受限令牌不能授予权限、开通或重置账户，也不能新增推送，请登录后操作",
        en,
    ))
}

/// Refuses a scope that names what is not there: it would be a token that can do nothing, or too much
/// later.
fn sound_scope(scope: &Scope, directory: &Directory) -> Result<(), Error> {
    if let Some(act) = scope.acts.iter().find(|act| Act::from_code(act).is_none()) {
        let known = policy::ACTS.map(Act::code).join(", ");
        return Err(Error::invalid(
            format!("没有权限“{act}”；可用：{known}"),
            format!("there is no act `{act}`; acts are: {known}"),
        ));
    }
    if let Some(unit) = scope.units.iter().find(|unit| !directory.units.contains_key(*unit)) {
        let en = format!("there is no unit `{unit}`");
        return Err(Error::invalid(format!("没有单位“{unit}”"), en));
    }
    Ok(())
}

impl Gate {
    /// A token as it is wished, and its secret; nothing is written yet.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such person; `Invalid` for a scope that names what is
    /// not there, for an end that is too late, and for what goes beyond the token by which it is
    /// asked.
    pub fn draft_token(
        &self,
        caller: &Caller,
        new: &NewToken,
    ) -> Result<(TokenDraft, String), Error> {
        let secret = self.secret(PREFIX);
        let latest = self.now().plus(self.access_rules().token_ms);
        let until = caller.actor.via().and_then(|via| via.until);
        let draft = TokenDraft {
            hash: hex(&hash_of(&secret)),
            person: new.person,
            label: new.label.clone(),
            expires_at: new.expires_at.unwrap_or(until.map_or(latest, |end| end.min(latest))),
            scope: new.scope.clone(),
        };
        self.sound_token(caller, &draft)?;
        Ok((draft, secret))
    }

    /// Refuses a token that may not be made by this caller now.
    pub(super) fn sound_token(&self, caller: &Caller, draft: &TokenDraft) -> Result<(), Error> {
        self.permit(caller, Act::IssueTokens)?;
        let directory = self.inner.registry.directory(caller.jurisdiction)?;
        self.sound_draft(caller, draft, &directory)
    }

    fn sound_draft(
        &self,
        caller: &Caller,
        draft: &TokenDraft,
        directory: &Directory,
    ) -> Result<(), Error> {
        if !directory.people.contains_key(&draft.person) {
            return Err(Error::NotFound);
        }
        sound_scope(&draft.scope, directory)?;
        let longest = self.access_rules().token_ms;
        if draft.expires_at > self.now().plus(longest) {
            let days = longest.div_euclid(DAY);
            return Err(Error::invalid(
                format!("“expires_at”过晚：令牌有效期最长{days}天"),
                format!("`expires_at` is too late: a token is good for {days} days at most"),
            ));
        }
        let Some(via) = caller.actor.via() else { return Ok(()) };
        let (inner, outer) = (&draft.scope, &via.scope);
        if via.until.is_some_and(|until| draft.expires_at > until)
            || !within(&inner.acts, &outer.acts)
            || !within(&inner.units, &outer.units)
            || inner.strong && !outer.strong
        {
            return Err(Error::invalid(
                "用令牌签发的新令牌，其权限、单位和期限不得超出原令牌，请在acts、units中列明",
                "a token made by a token stays within its acts, units and end: list `acts` and \
                 `units`",
            ));
        }
        Ok(())
    }

    /// Makes a token. Blocks.
    ///
    /// # Errors
    /// As for [`Gate::draft_token`]; `Refused` with `second_person_needed` for somebody else's.
    pub fn issue_token(&self, caller: &Caller, new: &NewToken) -> Result<Issued, Error> {
        let (draft, secret) = self.draft_token(caller, new)?;
        Ok(Issued { id: self.issue_drafted(caller, &draft)?, secret })
    }

    /// Makes a token as it was drafted; answers its id. Blocks.
    ///
    /// # Errors
    /// As for [`Gate::issue_token`].
    pub fn issue_drafted(&self, caller: &Caller, draft: &TokenDraft) -> Result<i64, Error> {
        self.alone(caller, &Motion::Token(Box::new(draft.clone())))?;
        self.issue_token_by(caller, draft, None)
    }

    /// Makes a token that may be made, perhaps approved by a second person.
    pub(super) fn issue_token_by(
        &self,
        caller: &Caller,
        draft: &TokenDraft,
        approval: Option<Approval>,
    ) -> Result<i64, Error> {
        let motion = Motion::Token(Box::new(draft.clone()));
        let TokenDraft { hash, person, label, expires_at, scope } = draft.clone();
        let fingerprint = digest(&hash);
        let hash = unhex(&hash).and_then(|bytes| bytes.try_into().ok());
        let hash = hash.ok_or_else(|| Error::Internal("the hash of a token is none".to_owned()))?;
        let deed = Deed::of(caller, "token_issued", format!("person:{person}"));
        self.judged(caller, Act::IssueTokens, |transaction, standing| {
            let now = standing.now;
            standing.still_in(transaction)?;
            standing.settled(transaction, &motion, (self.is_ruled(), approval.as_ref()))?;
            self.sound_draft(caller, draft, &standing.directory)?;
            let id = transaction.add_token(&TokenRow {
                id: 0,
                hash,
                person,
                jurisdiction: caller.jurisdiction,
                label: label.clone(),
                created_at: now,
                expires_at: Some(expires_at),
                revoked_at: None,
                last_used_at: None,
                scope: scope.clone(),
            })?;
            let detail = json!({
                "token": id,
                "label": label,
                "expires_at": expires_at,
                "scope": scope,
                "fingerprint": fingerprint,
            });
            deed.with(detail).approved(approval).write(transaction, now)?;
            Ok(id)
        })
    }

    /// The tokens of the caller's jurisdiction, without their secrets. Blocks.
    ///
    /// # Errors
    /// `Forbidden`.
    pub fn tokens(&self, caller: &Caller) -> Result<Vec<TokenRow>, Error> {
        self.permit(caller, Act::IssueTokens)?;
        self.read(|reader| reader.tokens(caller.jurisdiction, None))
    }

    /// Makes a token worthless. Blocks.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when there is no such token, or it is worthless already.
    pub fn revoke_token(&self, caller: &Caller, id: i64) -> Result<(), Error> {
        let known = self.tokens(caller)?.iter().any(|token| token.id == id);
        let deed = Deed::of(caller, "token_revoked", format!("token:{id}"));
        let revoked = known && self.administer_if(deed, |t, now| t.revoke_token(id, now))?;
        if revoked { Ok(()) } else { Err(Error::NotFound) }
    }
}
