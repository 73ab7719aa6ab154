//! An identity provider (`OpenID` Connect): it says who somebody is, by an authorization code with
//! PKCE. What that person may is not its business.
//!
//! Discovery, keys and tokens come from the provider's own address, without redirects, within time
//! and size limits; the token of identity is checked here: signature, issuer, audience, nonce, time.

mod token;

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use jsonwebtoken::jwk::JwkSet;
use reqwest::{Client, redirect};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::Mutex;

use crate::domain::{Instant, Wire};

/// What one question to the provider may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer.
const ANSWER_MAX: usize = 1 << 20;

/// How the provider is reached.
#[derive(Clone)]
pub struct Setting {
    /// Its address, as its own description says it.
    pub issuer: String,
    /// By which name it knows this service.
    pub client_id: String,
    /// With which secret; empty: none.
    pub client_secret: String,
    /// Where it sends people back.
    pub redirect: String,
    /// A value of `acr` or `amr` that says that a second factor was shown; empty: none does.
    pub second_factor: String,
    /// PEM of certificates that are trusted besides the system's.
    pub roots: Option<Vec<u8>>,
}

/// Why nobody is known by it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It does not answer, or not as it should.
    #[error("the identity provider {0}")]
    Provider(String),
    /// What it says is not to be believed.
    #[error("the token of identity is refused: {0}")]
    Token(String),
}

/// The provider.
pub struct Provider {
    setting: Setting,
    client: Client,
    /// What it says about itself, once it was asked.
    about: Mutex<Option<About>>,
}

/// What is kept in the browser between leaving for the provider and coming back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// Comes back with the code.
    pub state: String,
    /// Comes back in the token.
    pub nonce: String,
    /// Shows that whoever brings the code is who left for it.
    pub verifier: String,
}

/// Who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// What the provider calls the person.
    pub subject: String,
    /// Whether a second factor was shown there.
    pub factor: bool,
}

#[derive(Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Clone)]
struct About {
    description: Description,
    keys: JwkSet,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

impl Provider {
    /// Prepares; the provider is asked when the first person comes.
    ///
    /// # Errors
    /// When the certificates cannot be read; an issuer on another machine that is asked in clear text.
    pub fn new(setting: Setting) -> Result<Self, Error> {
        if Wire::of_url(&setting.issuer) == Wire::Clear {
            let issuer = &setting.issuer;
            let why =
                format!("would be asked in clear text: `{issuer}` does not begin with https://");
            return Err(Error::Provider(why));
        }
        let mut builder = Client::builder()
            .timeout(PATIENCE)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("fenliu/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &setting.roots {
            let roots = reqwest::Certificate::from_pem_bundle(pem);
            let roots = roots.map_err(|error| Error::Provider(format!("roots: {error}")))?;
            builder = builder.tls_certs_merge(roots);
        }
        let client = builder.build();
        let client = client.map_err(|error| Error::Provider(format!("client: {error}")))?;
        Ok(Self { setting, client, about: Mutex::new(None) })
    }

    /// Where a browser is sent, with numbers that cannot be guessed.
    ///
    /// # Errors
    /// When the provider does not say where that is.
    pub async fn begin(&self, random: [[u8; 32]; 3]) -> Result<(String, Begun), Error> {
        let [state, nonce, verifier] = random.map(|bytes| BASE64.encode(bytes));
        let about = self.about(false).await?;
        let challenge = BASE64.encode(Sha256::digest(verifier.as_bytes()));
        let Setting { client_id, redirect, .. } = &self.setting;
        let query = form(&[
            ("response_type", "code"),
            ("scope", "openid"),
            ("client_id", client_id),
            ("redirect_uri", redirect),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let at = &about.description.authorization_endpoint;
        let gap = if at.contains('?') { '&' } else { '?' };
        Ok((format!("{at}{gap}{query}"), Begun { state, nonce, verifier }))
    }

    /// Who has come back with a code.
    ///
    /// # Errors
    /// When the provider does not know the code, or what it says is not to be believed.
    pub async fn finish(
        &self,
        code: &str,
        begun: &Begun,
        now: Instant,
    ) -> Result<Identified, Error> {
        let about = self.about(false).await?;
        let Setting { client_id, client_secret, redirect, .. } = &self.setting;
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect.as_str()),
            ("code_verifier", begun.verifier.as_str()),
        ];
        let mut request = self.client.post(&about.description.token_endpoint);
        if client_secret.is_empty() {
            fields.push(("client_id", client_id));
        } else {
            request = request.basic_auth(encoded(client_id), Some(encoded(client_secret)));
        }
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form(&fields));
        let tokens: Tokens = read(request).await?;
        let id_token = &tokens.id_token;
        let mut keys = about.keys;
        if token::key_of(id_token, &keys)?.is_none() {
            // A key that is new: they are asked for once more.
            keys = self.about(true).await?.keys;
        }
        token::identified(id_token, &keys, &self.setting, &begun.nonce, now)
    }

    async fn about(&self, again: bool) -> Result<About, Error> {
        let mut known = self.about.lock().await;
        if let (Some(about), false) = (known.as_ref(), again) {
            return Ok(about.clone());
        }
        let issuer = self.setting.issuer.trim_end_matches('/');
        let address = format!("{issuer}/.well-known/openid-configuration");
        let description: Description = read(self.client.get(address)).await?;
        if description.issuer != self.setting.issuer {
            let other = &description.issuer;
            return Err(Error::Provider(format!("calls itself `{other}`: set `issuer` to that")));
        }
        let secure = self.setting.issuer.starts_with("https://");
        for address in [
            &description.authorization_endpoint,
            &description.token_endpoint,
            &description.jwks_uri,
        ] {
            if secure && !address.starts_with("https://") {
                return Err(Error::Provider(format!("names an address in clear text: {address}")));
            }
        }
        let keys: JwkSet = read(self.client.get(&description.jwks_uri)).await?;
        let about = About { description, keys };
        *known = Some(about.clone());
        Ok(about)
    }
}

/// An answer in JSON, of a size that is borne.
async fn read<T: serde::de::DeserializeOwned>(
    request: reqwest::RequestBuilder,
) -> Result<T, Error> {
    let wrong = |error: reqwest::Error| Error::Provider(format!("does not answer: {error}"));
    let mut response = request.send().await.map_err(wrong)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(wrong)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_MAX {
            return Err(Error::Provider("answers too much".to_owned()));
        }
    }
    if !status.is_success() {
        return Err(Error::Provider(format!("answers with status {status}")));
    }
    serde_json::from_slice(&body)
        .map_err(|error| Error::Provider(format!("does not answer as it should: {error}")))
}

fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// As it stands in a form or a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_plain_is_encoded() {
        assert_eq!(form(&[("a", "b c"), ("d", "分&=")]), "a=b%20c&d=%E5%88%86%26%3D");
    }
}
