//! Certificates made for one test.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// What a server shows, and what its callers trust.
pub(crate) struct Certificate {
    /// The certificate, as PEM.
    pub(crate) shown: String,
    /// Its key, as PEM.
    pub(crate) key: String,
    /// The authority's certificate, as PEM.
    pub(crate) root: String,
}

/// A certificate for `localhost`, signed by an authority of the office.
pub(crate) fn signed() -> Certificate {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, "office authority");
    let root = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    // Of the same name as its authority, OpenSSL takes it for one that signed itself.
    params.distinguished_name.push(DnType::CommonName, "localhost");
    let shown = params.signed_by(&key, &issuer).unwrap().pem();
    Certificate { shown, key: key.serialize_pem(), root }
}

/// A certificate for `localhost` that is an authority itself, as some instructions have it made.
pub(crate) fn authority_as_server() -> Certificate {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let shown = params.self_signed(&key).unwrap().pem();
    Certificate { root: shown.clone(), shown, key: key.serialize_pem() }
}
