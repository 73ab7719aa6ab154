//! The identity provider that the settings name.

use std::sync::Arc;

use super::house::Error;
use crate::config::settings::Settings;
use crate::identity::{self, Provider};

/// Where people may sign in besides, if the settings name a provider.
pub(super) fn provider(settings: &Settings) -> Result<Option<Arc<Provider>>, Error> {
    let oidc = &settings.access.oidc;
    if oidc.issuer.is_empty() {
        return Ok(None);
    }
    let base = settings.alerts.public_url.trim_end_matches('/');
    if base.is_empty() {
        let sentence =
            "access.oidc.issuer needs alerts.public_url: the provider sends people back there";
        return Err(Error::Sense(sentence.to_owned()));
    }
    let roots = &oidc.roots;
    let roots = if roots.as_os_str().is_empty() {
        None
    } else {
        let path = settings.beside(roots);
        let shown = path.display().to_string();
        Some(std::fs::read(path).map_err(|error| Error::File { path: shown, error })?)
    };
    let secret = oidc.client_secret.reveal();
    let client_secret = secret.map_err(|error| Error::Sense(format!("access.oidc: {error}")))?;
    let provider = Provider::new(identity::Setting {
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        client_secret,
        redirect: format!("{base}/api/v1/login/provider/return"),
        second_factor: oidc.second_factor.clone(),
        roots,
    });
    let provider = provider.map_err(|error| Error::Sense(format!("access.oidc: {error}")))?;
    Ok(Some(Arc::new(provider)))
}
