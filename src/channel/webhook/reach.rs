//! Where a webhook may go. An address given by somebody outside must not make this house knock at
//! its own doors: names are looked up once, what they lead to is checked, and exactly that is
//! connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::super::post::Forbidden;
use super::hosts::Hosts;

/// Looks a name up.
pub type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Why a webhook may not be posted to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Barred {
    /// The office names hosts, and this one is not among them.
    #[error("the host is none of those that `channel.webhook.hosts` names")]
    Unlisted,
    /// Anything else, in a sentence that does not repeat the address.
    #[error("{0}")]
    Other(String),
}

/// What may be reached.
#[derive(Clone)]
pub struct Reach {
    allow_http: bool,
    allow_private: bool,
    hosts: Hosts,
    lookup: Lookup,
}

impl Reach {
    /// A rule; `lookup` answers what a name leads to.
    #[must_use]
    pub fn new(allow_http: bool, allow_private: bool, hosts: Hosts, lookup: Lookup) -> Self {
        Self { allow_http, allow_private, hosts, lookup }
    }

    /// The system's way to look names up.
    #[must_use]
    pub fn system() -> Lookup {
        Arc::new(|name: String| {
            async move {
                let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            .boxed()
        })
    }

    /// The address, if a webhook may be posted to it; also for those who register one.
    ///
    /// # Errors
    /// Why not, in a sentence that does not repeat it.
    pub fn url(&self, address: &str) -> Result<Url, Barred> {
        let other = |why: &str| Barred::Other(why.to_owned());
        let url = Url::parse(address);
        let url = url.map_err(|error| other(&format!("the address is no URL: {error}")))?;
        match url.scheme() {
            "https" => {}
            "http" if self.allow_http => {}
            _ => return Err(other("only https addresses are posted to")),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(other("an address with a name or password in it is not posted to"));
        }
        let host = url.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        if literal.is_ok_and(|ip| !self.may(ip)) {
            return Err(other(FORBIDDEN));
        }
        if !self.hosts.allow(host) {
            return Err(Barred::Unlisted);
        }
        Ok(url)
    }

    fn may(&self, ip: IpAddr) -> bool {
        match place(ip) {
            Place::Public => true,
            Place::Private => self.allow_private,
            Place::Never => false,
        }
    }
}

const FORBIDDEN: &str = "the address leads into a network that webhooks may not reach; \
                         `channel.webhook.allow_private` allows private ones";

impl Resolve for Reach {
    fn resolve(&self, name: Name) -> Resolving {
        let (rule, name) = (self.clone(), name.as_str().to_owned());
        Box::pin(async move {
            let found = (rule.lookup)(name).await?;
            let known = !found.is_empty();
            let may: Vec<SocketAddr> =
                found.into_iter().filter(|ip| rule.may(*ip)).map(|ip| (ip, 0).into()).collect();
            if known && may.is_empty() {
                return Err(Forbidden(FORBIDDEN.to_owned()).into());
            }
            let may: Addrs = Box::new(may.into_iter());
            Ok(may)
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Out in the world.
    Public,
    /// This machine, or a network of an office.
    Private,
    /// Nobody's system is there: link-local and metadata services, groups, reserved ranges.
    Never,
}

fn place(ip: IpAddr) -> Place {
    match ip {
        IpAddr::V4(ip) => place_v4(ip),
        IpAddr::V6(ip) => place_v6(ip),
    }
}

fn place_v4(ip: Ipv4Addr) -> Place {
    let [a, b, c, _] = ip.octets();
    // A metadata service that lies in the range of carriers.
    if ip == Ipv4Addr::new(100, 100, 100, 200) {
        return Place::Never;
    }
    match (a, b, c) {
        (127 | 10, ..) | (172, 16..=31, _) | (192, 168, _) | (100, 64..=127, _) => Place::Private,
        (0 | 224..=255, ..)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18 | 19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Place::Never,
        _ => Place::Public,
    }
}

fn place_v6(ip: Ipv6Addr) -> Place {
    let [first, second, third, .., seventh, eighth] = ip.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        place_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(inner) = ip.to_ipv4_mapped() {
        return place_v4(inner);
    }
    if ip.is_loopback() {
        return Place::Private;
    }
    match (first, second) {
        // Addresses of the fourth version within those of the sixth: NAT64 and 6to4.
        (0x64, 0xff9b) => embedded(seventh, eighth),
        (0x2002, _) => embedded(second, third),
        (0x2001, 0 | 0xdb8) => Place::Never,
        // A metadata service in the private range.
        (0xfd00, 0xec2) => Place::Never,
        (0xfc00..=0xfdff, _) => Place::Private,
        (0x2000..=0x3fff, _) => Place::Public,
        _ => Place::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Place {
        place(text.parse().unwrap())
    }

    #[test]
    fn addresses_of_the_house_are_told_from_those_of_the_world() {
        for public in [
            "1.1.1.1",
            "223.5.5.5",
            "172.32.0.1",
            "2400:3200::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(of(public), Place::Public, "{public}");
        }
        for private in [
            "127.0.0.1",
            "127.8.8.8",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::127.0.0.1",
            "2002:7f00:1::",
        ] {
            assert_eq!(of(private), Place::Private, "{private}");
        }
        for never in [
            "0.0.0.0",
            "169.254.169.254",
            "100.100.100.200",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "2001:db8::1",
            "::127.0.0.1",
            "198.18.0.1",
        ] {
            assert_eq!(of(never), Place::Never, "{never}");
        }
    }

    #[test]
    fn only_addresses_that_lead_out_are_taken() {
        let strict = Reach::new(false, false, Hosts::default(), Reach::system());
        assert!(strict.url("https://unit.example/hook?x=1").is_ok());
        for wrong in [
            "http://unit.example/hook",
            "ftp://unit.example",
            "file:///etc/passwd",
            "unit.example",
            "",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://017700000001/",
            "https://[::1]/",
            "https://[::ffff:7f00:1]/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data",
            "https://name:word@unit.example/",
        ] {
            assert!(strict.url(wrong).is_err(), "{wrong}");
        }
        let kind = Reach::new(true, true, Hosts::default(), Reach::system());
        assert!(kind.url("http://10.0.0.1:8080/hook").is_ok());
        assert!(kind.url("http://169.254.169.254/").is_err(), "never to metadata");
    }
}
