//! What pages of the service may load: nothing but their own few lines of style, known by their hash.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// The policy of a page with one `<style>`, whose text is this.
pub(super) fn policy(style: &str) -> String {
    let hash = BASE64.encode(Sha256::digest(style.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; \
         base-uri 'none'"
    )
}

/// The style of a page that is kept as a whole.
pub(super) fn style_of(page: &str) -> &str {
    let after = page.split_once("<style>").map_or("", |(_, after)| after);
    after.split_once("</style>").map_or("", |(style, _)| style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_is_known_by_its_hash_and_no_other_is_allowed() {
        assert_eq!(style_of("<p><style>a{}</style></p>"), "a{}");
        let policy = policy("a{}");
        assert!(policy.contains("style-src 'sha256-"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        // echo -n 'a{}' | openssl dgst -sha256 -binary | base64
        assert!(policy.contains("X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk="), "{policy}");
    }
}
