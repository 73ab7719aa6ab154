//! Who can read what goes over a line to a service outside.

use core::net::IpAddr;

/// How a line to a service is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Wire {
    /// It does not leave this machine.
    #[default]
    Here,
    /// It is encrypted, and the other end shows a certificate that is checked.
    Verified,
    /// Whoever is on the way can read it, or pretend to be the other end.
    Clear,
}

impl Wire {
    /// The line to a host; `verified` says that it is encrypted and the certificate is checked. Of names
    /// only `localhost` is this machine: what others lead to may change.
    #[must_use]
    pub fn to(host: &str, verified: bool) -> Self {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let here = bare.eq_ignore_ascii_case("localhost")
            || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        match (verified, here) {
            (true, _) => Self::Verified,
            (false, true) => Self::Here,
            (false, false) => Self::Clear,
        }
    }

    /// The line to an address such as `https://host:port/path`.
    #[must_use]
    pub fn of_url(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let place = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
        let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
        Self::to(without_port(place), scheme.eq_ignore_ascii_case("https"))
    }

    /// As it is written where channels are shown.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Verified => "verified",
            Self::Clear => "clear",
        }
    }
}

/// A host without the port that may stand after it; of an IPv6 address with its brackets.
#[must_use]
pub fn without_port(place: &str) -> &str {
    match place.split_once(']') {
        Some((host, _)) => host,
        None => place.split_once(':').map_or(place, |(host, _)| host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_names_only_localhost_is_this_machine() {
        for here in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.1", "::1", "[::1]"] {
            assert_eq!(Wire::to(here, false), Wire::Here, "{here}");
            assert_eq!(Wire::to(here, true), Wire::Verified, "{here}");
        }
        for away in ["", "10.0.0.1", "0.0.0.0", "smsc.example", "localhost.example", "127.1"] {
            assert_eq!(Wire::to(away, false), Wire::Clear, "{away}");
        }
    }

    #[test]
    fn an_address_says_where_it_leads_whatever_stands_before_and_behind_the_host() {
        for (url, wire) in [
            ("https://sms.example/send", Wire::Verified),
            ("http://127.0.0.1:8080/send", Wire::Here),
            ("http://[::1]:8080/send", Wire::Here),
            ("http://localhost", Wire::Here),
            ("http://sms.example/send?at=localhost", Wire::Clear),
            ("http://localhost@sms.example/", Wire::Clear),
            ("http://localhost:80@sms.example/", Wire::Clear),
            ("http://{key}.example/", Wire::Clear),
            ("sms.example/send", Wire::Clear),
        ] {
            assert_eq!(Wire::of_url(url), wire, "{url}");
        }
    }
}
