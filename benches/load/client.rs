//! A lean HTTP/1.1 client: the load generator shares the machine with what it measures.

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One connection that stays open.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// One request; answers status and body.
    pub async fn ask(&mut self, method: &str, path: &str, token: &str, body: &str) -> (u16, &str) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nPrefer: return=minimal\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        let (head, length) = loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the service closed the connection");
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                let text = std::str::from_utf8(&self.buffer[..head]).unwrap().to_ascii_lowercase();
                let length = text.split("content-length:").nth(1).map_or(0, |rest| {
                    rest.split_whitespace().next().unwrap().parse::<usize>().unwrap()
                });
                break (head + 4, length);
            }
        };
        while self.buffer.len() < head + length {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the service closed the connection");
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).unwrap().parse().unwrap();
        (status, std::str::from_utf8(&self.buffer[head..head + length]).unwrap())
    }

    /// One request whose answer is wanted as JSON.
    pub async fn json(&mut self, method: &str, path: &str, token: &str, body: &Json) -> Json {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let (status, answer) = self.ask(method, path, token, &text).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        serde_json::from_str(answer).unwrap()
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Tokens of the posts that play in a life cycle.
#[derive(Clone)]
pub struct Tokens {
    pub desk: String,
    pub unit: String,
}

/// Makes tokens for the desk and for the liaison of one unit.
pub async fn tokens(address: &str, admin: &str, unit: &str) -> Tokens {
    let mut client = Client::connect(address).await;
    let people = client.json("GET", "/api/v1/people", admin, &Json::Null).await;
    let mut made = Vec::new();
    for (role, unit) in [("dispatcher", "gongan"), ("liaison", unit)] {
        let has = |person: &&Json| {
            let grants = person["grants"].as_array().unwrap();
            grants.iter().any(|grant| grant["role"] == role && grant["unit"] == unit)
        };
        let person = people["items"].as_array().unwrap().iter().find(has).unwrap();
        let wish = json!({ "person": person["id"], "label": "bench" });
        let issued = client.json("POST", "/api/v1/tokens", admin, &wish).await;
        made.push(issued["token"].as_str().unwrap().to_owned());
    }
    let tokens = Tokens { desk: made[0].clone(), unit: made[1].clone() };
    trained(&mut client, &tokens.desk).await;
    tokens
}

/// The router is trained after the start, on a core that would be missing here: what is measured is
/// the service as it runs for months. A minute at most, for one that runs without.
async fn trained(client: &mut Client, desk: &str) {
    for _ in 0..300 {
        let text = json!({ "text": "路灯不亮" }).to_string();
        let (status, said) = client.ask("POST", "/api/v1/routing/suggest", desk, &text).await;
        // Until then it is answered all the same, but by no model.
        if status == 200 && !said.contains("\"model\":\"\"") {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}
