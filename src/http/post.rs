//! What gateways post by themselves: receipts and replies. Each channel has its own proof of who
//! posts; what cannot be proved is not read.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev, web};

use super::House;
use super::client::address;
use super::problem::Problem;
use super::receive;

/// The largest body that a gateway may post: 256 KiB.
const RAW_MAX: usize = 256 << 10;

/// A gateway that posts while too much waits shall post again after so many seconds.
const FULL_SECONDS: u64 = 30;

/// A body as it came, whatever it is.
pub(super) struct Raw(Bytes);

impl FromRequest for Raw {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let bytes = receive::read(request, payload);
        Box::pin(async move {
            let bytes = bytes.await?;
            if bytes.len() > RAW_MAX { Err(receive::too_long(RAW_MAX)) } else { Ok(Self(bytes)) }
        })
    }
}

/// What is posted.
pub struct Posted<'p> {
    /// A header by name.
    pub header: &'p dyn Fn(&str) -> Option<String>,
    /// A parameter of the query by name.
    pub parameter: &'p dyn Fn(&str) -> Option<String>,
    /// The body as it came.
    pub body: &'p [u8],
}

/// Why something posted was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declined {
    /// It is not proved who posts.
    Unproved,
    /// It is not what the settings say that the gateway posts.
    Unreadable(String),
    /// What came before is not taken up yet; it shall be posted again later.
    Full,
    /// The house is being left.
    Closing,
}

/// Takes what one channel's gateway posts.
pub trait Postbox: Send + Sync {
    /// Takes it; answers what the gateway wants to read.
    ///
    /// # Errors
    /// Why not.
    fn take(&self, posted: &Posted<'_>) -> Result<String, Declined>;
}

/// Postboxes by channel.
pub type Postboxes = BTreeMap<String, Arc<dyn Postbox>>;

/// Takes receipts and replies from the gateway of a channel, which proves that it is the one by a
/// shared secret or a signature, as the settings say.
#[utoipa::path(
    post, path = "/in/{channel}", tag = "service", security(()),
    request_body(content = String, content_type = "application/json",
        description = "In the gateway's own form; at most 256 KiB."),
    responses((status = 200, body = String, description = "Taken; the text that the settings name."),
        (status = 401, description = "Not proved."),
        (status = 404, description = "Nothing is taken for this channel."),
        (status = 429, description = "Too many wrong proofs from this address."),
        (status = 503, description = "Too much waits already; to be posted again.")),
    params(("channel" = String, Path, description = "`sms`.")),
)]
pub(super) async fn take(
    house: web::Data<House>,
    path: web::Path<String>,
    request: HttpRequest,
    Raw(body): Raw,
) -> Result<HttpResponse, Problem> {
    let postbox = house.postboxes.get(path.as_str()).ok_or_else(Problem::not_found)?;
    let (from, now) = (address(&house, &request), std::time::Instant::now());
    if let Some(seconds) = house.guesses.must_wait(&from, now) {
        return Err(patience(seconds));
    }
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let pairs = pairs.map(web::Query::into_inner).unwrap_or_default();
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let parameter = |name: &str| {
        let mut pairs = pairs.iter();
        pairs.find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let posted = Posted { header: &header, parameter: &parameter, body: &body };
    match postbox.take(&posted) {
        Ok(answer) => {
            let json = serde_json::from_str::<serde_json::Value>(&answer).is_ok();
            let kind = if json { "application/json" } else { "text/plain; charset=utf-8" };
            Ok(HttpResponse::Ok().content_type(kind).body(answer))
        }
        Err(Declined::Unproved) => {
            house.guesses.wrong(&from, now);
            let channel = path.as_str();
            tracing::warn!(channel, "something was posted without the right proof");
            let detail = "It is not proved that the gateway posts this.";
            let problem = Problem::new(StatusCode::UNAUTHORIZED, "not_proved", detail);
            Err(problem.zh("未能证明来自该网关"))
        }
        Err(Declined::Unreadable(why)) => {
            let channel = path.as_str();
            tracing::error!(channel, why, "what the gateway posted cannot be read; see `reading`");
            let detail = format!("It cannot be read as the settings say: {why}.");
            Err(Problem::bad_request("unreadable_post", "无法按设置解读推送内容", detail))
        }
        Err(Declined::Full) => {
            let channel = path.as_str();
            tracing::error!(channel, "what the gateway posted is refused: too much waits already");
            let detail = "Too much waits already; post it again later.";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "inbox_full", detail);
            let problem = problem.zh("待处理内容过多，请稍后重新推送");
            Err(problem.header(header::RETRY_AFTER, header::HeaderValue::from(FULL_SECONDS)))
        }
        Err(Declined::Closing) => Err(crate::gate::Error::Closing.into()),
    }
}

/// Too many wrong guesses.
pub(super) fn patience(seconds: u64) -> Problem {
    let detail = format!("Too many wrong attempts from this address; try again in {seconds} s.");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
    let problem = problem.zh(format!("该地址错误尝试过多，请{seconds}秒后再试"));
    problem.header(header::RETRY_AFTER, header::HeaderValue::from(seconds))
}
