//! From where a request comes. Behind a proxy that the settings trust it says so itself; what others
//! say is not believed.

use std::net::IpAddr;

use actix_web::HttpRequest;

use super::House;

/// The client's address, in short; empty where it is not known.
pub(super) fn address(house: &House, request: &HttpRequest) -> String {
    let Some(peer) = request.peer_addr().map(|address| address.ip()) else {
        return String::new();
    };
    let values = request.headers().get_all("x-forwarded-for").filter_map(|v| v.to_str().ok());
    let hops: Vec<&str> = values.flat_map(|value| value.split(',')).map(str::trim).collect();
    short(far(peer, &hops, &house.trusted))
}

/// The last address that no trusted proxy has.
fn far(peer: IpAddr, hops: &[&str], trusted: &[IpAddr]) -> IpAddr {
    let mut at = peer;
    for hop in hops.iter().rev() {
        if !trusted.contains(&at.to_canonical()) {
            return at;
        }
        // A proxy that writes nonsense is the last that is known.
        let Ok(next) = hop.parse() else { return at };
        at = next;
    }
    at
}

/// Of a long address the part that one customer has, because whoever has one has them all.
pub(super) fn short(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let parts = address.segments();
            let head: Vec<String> = parts.iter().take(4).map(|part| format!("{part:x}")).collect();
            head.join(":")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let proxies = [ip("127.0.0.1"), ip("10.0.0.2")];
        let far = |peer: &str, hops: &[&str]| far(ip(peer), hops, &proxies).to_string();
        assert_eq!(far("127.0.0.1", &["203.0.113.7"]), "203.0.113.7");
        assert_eq!(far("203.0.113.9", &["10.0.0.1"]), "203.0.113.9", "not a proxy of ours");
        let forged = ["198.51.100.1", "203.0.113.7", "10.0.0.2"];
        assert_eq!(far("127.0.0.1", &forged), "203.0.113.7", "what the client added is not used");
        assert_eq!(far("127.0.0.1", &["nonsense"]), "127.0.0.1");
        assert_eq!(far("127.0.0.1", &[]), "127.0.0.1");
        assert_eq!(short(ip("2001:db8:1:2:3:4:5:6")), "2001:db8:1:2");
        assert_eq!(short(ip("::ffff:10.0.0.7")), "10.0.0.7");
    }
}
