//! How people sign in.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::Secret;

/// How people sign in. Systems use access tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Access {
    /// By which rules passwords are judged: `mlps3` (GB/T 22239 level 3: at least 10 characters of
    /// three kinds, changed every 90 days) or `asvs` (OWASP: at least 12 characters, no change
    /// without a reason).
    pub profile: Profile,
    /// A session ends when it was not used for so many minutes.
    pub idle_minutes: u32,
    /// A session ends after so many hours in any case.
    pub longest_hours: u32,
    /// An access token is good for so many days at most, and for as many if nothing is said.
    pub token_days: u32,
    /// Signing in at an identity provider.
    pub oidc: Oidc,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            profile: Profile::Mlps3,
            idle_minutes: 30,
            longest_hours: 12,
            token_days: 365,
            oidc: Oidc::default(),
        }
    }
}

/// By which rules passwords are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// GB/T 22239 level 3.
    Mlps3,
    /// OWASP ASVS 5.0.
    Asvs,
}

/// Signing in at an identity provider (`OpenID` Connect). It says who somebody is; what he may stays
/// with the accounts here: `subject` of an account is what the provider calls the person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Oidc {
    /// The provider's address, e.g. `https://id.example.gov.cn`; empty: none.
    pub issuer: String,
    /// By which name the provider knows this service.
    pub client_id: String,
    /// With which secret.
    pub client_secret: Secret,
    /// A value of the claim `acr` or `amr` that says that a second factor was shown; empty: it is
    /// never taken as shown.
    pub second_factor: String,
    /// A PEM file of certificates that are trusted besides the system's; empty: none.
    pub roots: PathBuf,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            client_id: "fenliu".to_owned(),
            client_secret: Secret::default(),
            second_factor: String::new(),
            roots: PathBuf::new(),
        }
    }
}
