//! The token of identity: believed only if everything about it is right.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value as Json;

use super::{Error, Identified, Setting};
use crate::domain::Instant;

/// So many seconds the clocks of provider and house may differ.
const LEEWAY: i64 = 60;

/// Signatures that are believed: by a key that is not shared.
const BELIEVED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    azp: Option<String>,
    aud: Json,
    acr: Option<String>,
    #[serde(default)]
    amr: Vec<String>,
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::Token(why.to_string())
}

/// The key that a token says it is signed with; none if it is not among those known.
pub(super) fn key_of<'k>(token: &str, keys: &'k JwkSet) -> Result<Option<&'k Jwk>, Error> {
    let header = decode_header(token).map_err(refused)?;
    Ok(match header.kid {
        Some(kid) => keys.find(&kid),
        // Without a name there can only be one.
        None => keys.keys.first().filter(|_| keys.keys.len() == 1),
    })
}

/// Whom a token names.
pub(super) fn identified(
    token: &str,
    keys: &JwkSet,
    setting: &Setting,
    nonce: &str,
    now: Instant,
) -> Result<Identified, Error> {
    let header = decode_header(token).map_err(refused)?;
    if !BELIEVED.contains(&header.alg) {
        return Err(refused(format!("its signature is by {:?}", header.alg)));
    }
    let key = key_of(token, keys)?.ok_or_else(|| refused("its key is not known"))?;
    let key = DecodingKey::from_jwk(key).map_err(refused)?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[&setting.issuer]);
    validation.set_audience(&[&setting.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The house has a clock of its own.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    let claims: Claims = decode(token, &key, &validation).map_err(refused)?.claims;
    let seconds = now.0.div_euclid(1000);
    if claims.exp + LEEWAY <= seconds || claims.iat - LEEWAY > seconds {
        return Err(refused("it is of another time"));
    }
    if claims.nonce.as_deref() != Some(nonce) {
        return Err(refused("it was made for another sign-in"));
    }
    let several = claims.aud.as_array().is_some_and(|all| all.len() > 1);
    let party = claims.azp.as_deref();
    if (several || party.is_some()) && party != Some(setting.client_id.as_str()) {
        return Err(refused("it was made for another service"));
    }
    if claims.sub.is_empty() || claims.sub.len() > 255 {
        return Err(refused("it names nobody"));
    }
    let wanted = &setting.second_factor;
    let shown = claims.acr.as_ref() == Some(wanted) || claims.amr.contains(wanted);
    Ok(Identified { subject: claims.sub, factor: !wanted.is_empty() && shown })
}
