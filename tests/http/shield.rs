//! What keeps the service from harm by what it serves and by those who ask.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use fenliu::app::tls;
use fenliu::http::{Declined, Limits, Options, Postbox, Posted, Server};
use reqwest::Method;

use super::office::{Office, read};
use crate::channel::certificate::{Certificate, signed};

/// A second door of the same house, set up otherwise. It stops when the runtime of the test ends.
fn door(office: &Office, options: Options) -> std::net::SocketAddr {
    let server = Server::bind("127.0.0.1:0", office.gate.clone(), options).unwrap();
    let address = server.local_addr();
    tokio::spawn(async move { server.run().await.unwrap() });
    address
}

// Check 18.
#[tokio::test]
async fn every_path_answers_with_the_headers_that_bind_browsers() {
    let office = Office::open().await;
    for (path, method) in fenliu::http::routes() {
        if path == "/api/v1/changes" {
            continue;
        }
        let path = path.replace("{file:.*}", "index.css").replace("{id}", "1");
        let method: Method = method.parse().unwrap();
        let answer = read(office.ask("Asha", method.clone(), &path)).await;
        let name = format!("{method} {path}");
        for (header, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(header), value, "{name}: {header}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{name}: {policy}");
        // The documentation's own page sets styles by script; nothing else may, and no script either.
        let inline = policy.contains("'unsafe-inline'") || policy.contains("unsafe-eval");
        assert!(!inline || path.starts_with("/api/docs"), "{name}: {policy}");
        assert!(!policy.contains("script-src 'unsafe"), "{name}: {policy}");
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
        assert_eq!(answer.header("strict-transport-security"), "", "only where there is TLS");
    }
    let strict = door(&office, Options { strict: true, ..Options::default() });
    let answer = reqwest::get(format!("http://{strict}/health")).await.unwrap();
    assert!(answer.headers()["strict-transport-security"].to_str().unwrap().contains("max-age="));
}

// Check 50.
#[tokio::test]
async fn methods_that_only_attackers_use_are_refused() {
    let office = Office::open().await;
    for method in ["TRACE", "CONNECT", "PATCH", "PROPFIND"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        if method == Method::CONNECT {
            continue;
        }
        let answer = read(office.ask("Asha", method, "/api/v1/referrals")).await;
        assert_eq!(answer.problem(405), "method_not_allowed");
    }
}

// Check 33.
#[tokio::test]
async fn who_sends_the_head_of_a_request_letter_by_letter_is_not_waited_for() {
    let office = Office::open().await;
    let patience = Duration::from_millis(300);
    let limits = Limits { head: patience, ..Limits::default() };
    let address = door(&office, Options { limits, ..Options::default() });
    let slow = tokio::task::spawn_blocking(move || {
        let mut streams: Vec<_> = (0..50)
            .map(|_| {
                let mut stream = std::net::TcpStream::connect(address).unwrap();
                stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx-slow:").unwrap();
                stream
            })
            .collect();
        // Each is ended by the service: reading comes to an end by itself.
        for stream in &mut streams {
            let mut said = Vec::new();
            stream.read_to_end(&mut said).unwrap();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
        }
    });
    slow.await.unwrap();
    assert_eq!(office.get("nobody", "/health").await.status, 200, "others are served");
}

// Check 32.
#[tokio::test]
async fn a_head_without_end_is_refused() {
    let office = Office::open().await;
    let address = office.address;
    let asked = tokio::task::spawn_blocking(move || {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\nx-long: ").unwrap();
        // Written until the service has enough of it.
        let part = [b'a'; 0x4000];
        for _ in 0..64 {
            if stream.write_all(&part).is_err() {
                break;
            }
        }
        let mut said = Vec::new();
        drop(stream.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    });
    let said = asked.await.unwrap();
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{said}");
    assert_eq!(office.get("nobody", "/health").await.status, 200);
    let long = format!("/api/v1/referrals?status={}", "a".repeat(0x20000));
    let answer = office.ask("Asha", Method::GET, &long).send().await;
    assert!(answer.is_err() || answer.unwrap().status().is_client_error());
}

// Check 34.
#[tokio::test]
async fn a_program_gone_wild_is_slowed_down_and_others_are_not() {
    let office = Office::open().await;
    let address = door(&office, Options { per_second: 1, ..Options::default() });
    let client = reqwest::Client::new();
    let ask = async |who: &str| {
        let request = client.get(format!("http://{address}/api/v1/me"));
        read(request.bearer_auth(&office.tokens[who])).await
    };
    let mut refused = 0;
    for _ in 0..60 {
        let answer = ask("Asha").await;
        if answer.status == 429 {
            assert_eq!(answer.problem(429), "too_many_requests");
            assert_eq!(answer.header("retry-after"), "1");
            refused += 1;
        }
    }
    assert!(refused > 0, "four at once and one a second are less than sixty");
    ask("Baraka").await.ok(200);
}

/// A postbox in which too much waits already.
struct Full;

impl Postbox for Full {
    fn take(&self, _posted: &Posted<'_>) -> Result<String, Declined> {
        Err(Declined::Full)
    }
}

#[tokio::test]
async fn a_gateway_that_posts_while_too_much_waits_is_told_when_to_post_again() {
    let office = Office::open().await;
    let full: Arc<dyn Postbox> = Arc::new(Full);
    let postboxes = [("sms".to_owned(), full)].into();
    let address = door(&office, Options { postboxes, ..Options::default() });
    let posted = reqwest::Client::new().post(format!("http://{address}/in/sms")).body("{}");
    let answer = read(posted).await;
    assert_eq!(answer.problem(503), "inbox_full");
    assert_eq!(answer.header("retry-after"), "30");
}

// Check 37.
#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let office = Office::open().await;
    let folder = std::env::temp_dir().join(format!("fenliu-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
    let write = |certificate: &Certificate| {
        std::fs::write(&file, &certificate.shown).unwrap();
        std::fs::write(&key, &certificate.key).unwrap();
    };
    let (old, new) = (signed(), signed());
    write(&old);
    let config = tls::server(file.clone(), key.clone(), Some(Duration::ZERO)).unwrap();
    let address = door(&office, Options { tls: Some(config), ..Options::default() });
    let ask = async |trusted: &Certificate| {
        let root = reqwest::Certificate::from_pem(trusted.root.as_bytes()).unwrap();
        let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
        client.get(format!("https://localhost:{}/health", address.port())).send().await
    };
    assert_eq!(ask(&old).await.unwrap().status(), 200);
    assert!(ask(&new).await.is_err());
    write(&new);
    assert_eq!(ask(&new).await.unwrap().status(), 200);
    assert!(ask(&old).await.is_err());
    // A file that is half written does not take the service away.
    std::fs::write(&file, "-----BEGIN").unwrap();
    assert_eq!(ask(&new).await.unwrap().status(), 200);
    let wrong = tls::server(file.clone(), key.clone(), None).unwrap_err().to_string();
    assert!(wrong.contains("certificate.pem"), "{wrong}");
    // In clear text nothing is answered there.
    assert!(reqwest::get(format!("http://{address}/health")).await.is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}
