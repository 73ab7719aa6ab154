//! To which hosts webhooks may go, where an office says so.

use std::collections::BTreeSet;

use reqwest::Url;

/// Hosts by name, and everything below a name; where none is named: any host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    exact: BTreeSet<String>,
    /// With the point before them: `.gov.cn`.
    below: Vec<String>,
}

impl Hosts {
    /// The hosts that are named: `hooks.example.gov.cn`, or `*.example.gov.cn` for all below
    /// `example.gov.cn` (not itself). Without names any host is meant.
    ///
    /// # Errors
    /// Which name is none, and how one is written.
    pub fn new(names: &[String]) -> Result<Self, String> {
        let mut hosts = Self::default();
        for name in names {
            let (bare, below) = match name.strip_prefix("*.") {
                Some(bare) => (bare, true),
                None => (name.as_str(), false),
            };
            let host = plain(bare).ok_or_else(|| {
                format!(
                    "`{name}` is no host: write a name such as hooks.example.gov.cn, or \
                     *.example.gov.cn for all below it; without scheme, port and path"
                )
            })?;
            if below {
                hosts.below.push(format!(".{host}"));
            } else {
                hosts.exact.insert(host);
            }
        }
        Ok(hosts)
    }

    /// Whether a webhook may be posted to a host, as [`Url::host_str`] has it.
    #[must_use]
    pub fn allow(&self, host: &str) -> bool {
        if self.exact.is_empty() && self.below.is_empty() {
            return true;
        }
        let host = host.trim_end_matches('.');
        self.exact.contains(host) || self.below.iter().any(|end| host.ends_with(end.as_str()))
    }
}

/// A name as it stands in a URL that was read: in small letters, Chinese ones encoded.
fn plain(name: &str) -> Option<String> {
    let url = Url::parse(&format!("https://{name}/")).ok()?;
    let whole = url.host_str()?.to_owned();
    let nothing_else = url.as_str() == format!("https://{whole}/");
    let ported = name.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(':')
        && !name.ends_with(']')
        && !name.starts_with('[');
    let sound = nothing_else && !ported && !name.contains(['*', '/', '\\', '@', '?', '#']);
    sound.then(|| whole.trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> Result<Hosts, String> {
        Hosts::new(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_host_is_meant_exactly_and_a_suffix_means_what_is_below_it() {
        let some =
            hosts(&["Hooks.Example.org", "*.gov.cn", "政务.example", "[2001:db8::1]"]).unwrap();
        for host in ["hooks.example.org", "hooks.example.org.", "a.gov.cn", "a.b.gov.cn"] {
            assert!(some.allow(host), "{host}");
        }
        let chinese = Url::parse("https://政务.example/hook").unwrap();
        assert!(some.allow(chinese.host_str().unwrap()));
        assert!(some.allow("[2001:db8::1]"));
        for host in [
            "example.org",
            "x.hooks.example.org",
            "hooks.example.org.evil.example",
            "gov.cn",
            "evilgov.cn",
            "a.gov.cn.evil.example",
            "",
        ] {
            assert!(!some.allow(host), "{host}");
        }
        assert!(hosts(&[]).unwrap().allow("anywhere.example"), "where none is named");
    }

    #[test]
    fn what_is_no_host_is_refused_and_said() {
        for name in [
            "https://a.example",
            "a.example:8443",
            "a.example:443",
            "a.example/hook",
            "*",
            "*.",
            "",
            "a.*.example",
            "x@a.example",
            "**.example",
            "a b.example",
        ] {
            let error = hosts(&[name]).unwrap_err();
            assert!(error.contains(&format!("`{name}` is no host")), "{name}: {error}");
        }
    }
}
