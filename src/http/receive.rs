//! What comes in: bodies, queries and headers, read once and judged exactly.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, dev};
use serde::de::DeserializeOwned;
use utoipa::PartialSchema;

use super::bounds::Limits;
use super::json::{lacking, parse};
use super::problem::Problem;
use crate::domain::{InstanceId, Instant};
use crate::gate::PublicIds;

/// The largest body: 1 MiB.
pub(super) const BODY_MAX: usize = 1 << 20;

/// A longer idempotency key is refused.
const KEY_MAX: usize = 200;

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned + PartialSchema> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let kind = kind_of(request);
        let bytes = read(request, payload);
        Box::pin(async move {
            if kind != Kind::Json {
                return Err(unsupported("application/json"));
            }
            let bytes = bytes.await?;
            parse(&bytes).map(Self).map_err(|problem| lacking::<T>(&bytes).unwrap_or(problem))
        })
    }
}

/// A text in YAML, or as the `source` of a JSON object.
pub(super) struct Source(pub(super) String);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    source: String,
}

pub(super) fn utf8(bytes: &Bytes) -> Result<String, Problem> {
    String::from_utf8(bytes.to_vec()).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let detail = format!("The body is not UTF-8 text: see byte {place}.");
        let zh = format!("正文不是UTF-8文本（见第{place}字节）；表格请另存为“CSV UTF-8”");
        Problem::bad_request("invalid_utf8", zh, detail)
    })
}

impl FromRequest for Source {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let kind = kind_of(request);
        let bytes = read(request, payload);
        Box::pin(async move {
            match kind {
                Kind::Json => Ok(Self(parse::<Wrapped>(&bytes.await?)?.source)),
                Kind::Yaml => utf8(&bytes.await?).map(Self),
                Kind::Other => Err(unsupported("text/yaml, application/yaml or application/json")),
            }
        })
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Json,
    Yaml,
    Other,
}

fn kind_of(request: &HttpRequest) -> Kind {
    match request.content_type().to_ascii_lowercase().as_str() {
        "application/json" => Kind::Json,
        "text/yaml" | "application/yaml" | "text/x-yaml" | "application/x-yaml" => Kind::Yaml,
        _ => Kind::Other,
    }
}

pub(super) fn unsupported(wanted: &str) -> Problem {
    let detail = format!("The body must be {wanted}; say so in Content-Type.");
    Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        .zh("不支持的内容类型")
}

pub(super) fn read(
    request: &HttpRequest,
    payload: &mut dev::Payload,
) -> impl Future<Output = Result<Bytes, Problem>> + use<> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let limit = u64::try_from(BODY_MAX).unwrap_or(u64::MAX);
    let too_large = declared.is_some_and(|length| length > limit);
    let bytes = Bytes::from_request(request, payload);
    let limit = Limits::of(request).body;
    async move {
        if too_large {
            return Err(too_long(BODY_MAX));
        }
        match tokio::time::timeout(limit, bytes).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => Err(match error.as_response_error().status_code() {
                StatusCode::PAYLOAD_TOO_LARGE => too_long(BODY_MAX),
                _ => {
                    let detail = "The body could not be read.";
                    Problem::bad_request("unreadable_body", "正文读取失败，请重新发送", detail)
                }
            }),
            Err(_late) => {
                let detail = "The body did not arrive in time.";
                let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", detail);
                Err(problem.zh("正文未在规定时间内送达"))
            }
        }
    }
}

pub(super) fn too_long(most: usize) -> Problem {
    let detail = format!("A body has at most {most} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        .zh(format!("正文过大：最多{most}字节"))
}

/// A time that was written in a body.
pub(super) fn instant(name: &str, text: &str) -> Result<Instant, Problem> {
    // The reader's own words are about bytes; the example says more.
    Instant::parse(text).map_err(|_parse| {
        let zh = format!("“{name}”应为时间，例如2018-07-02T09:10:00+08:00");
        let detail = format!("`{name}` must be a time such as 2018-07-02T09:10:00+08:00.");
        Problem::bad_request("bad_time", zh, detail).input(name)
    })
}

/// A number that stands in a path; what is none names nothing.
pub(super) fn number(text: &str) -> Result<i64, Problem> {
    text.parse().ok().filter(|id| *id > 0).ok_or_else(Problem::not_found)
}

/// The parameters of a query, taken one by one; what is left over is a mistake.
pub(super) struct Query {
    left: BTreeMap<String, Vec<String>>,
    known: Vec<&'static str>,
}

impl FromRequest for Query {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        std::future::ready(Self::read(request.query_string()))
    }
}

impl Query {
    fn read(text: &str) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(text);
        let pairs = pairs.map_err(|error| {
            let detail = format!("The query cannot be read: {error}.");
            Problem::bad_request("bad_query", "查询参数无法读取，请检查网址编码", detail)
        })?;
        let mut left: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs.into_inner() {
            if value.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
                return Err(wrong(
                    &name,
                    "不含控制字符的文字",
                    "a text without control characters",
                ));
            }
            left.entry(name).or_default().push(value);
        }
        Ok(Self { left, known: Vec::new() })
    }

    /// Every value of a parameter, also those separated by commas.
    pub(super) fn all(&mut self, name: &'static str) -> Vec<String> {
        self.known.push(name);
        let values = self.left.remove(name).unwrap_or_default();
        let parts = values.iter().flat_map(|value| value.split(','));
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The one value of a parameter.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Problem> {
        self.known.push(name);
        let mut values = self.left.remove(name).unwrap_or_default();
        let value = values.pop();
        if values.is_empty() {
            Ok(value)
        } else {
            Err(wrong(name, "只给出一次", "given once"))
        }
    }

    /// A flag: `true` or `false`.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<bool, Problem> {
        match self.text(name)?.as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(wrong(name, "true或false", "`true` or `false`")),
        }
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        bounds: std::ops::RangeInclusive<i64>,
    ) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| bounds.contains(number));
        let (least, most) = (bounds.start(), bounds.end());
        number.map(Some).ok_or_else(|| {
            let en = format!("a whole number from {least} to {most}");
            wrong(name, &format!("{least}至{most}的整数"), &en)
        })
    }

    /// How many to answer with: 1 to 200, else 50.
    pub(super) fn limit(&mut self) -> Result<i64, Problem> {
        Ok(self.number("limit", 1..=200)?.unwrap_or(50))
    }

    /// A time.
    pub(super) fn instant(&mut self, name: &'static str) -> Result<Option<Instant>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        // A plus sign that nobody encoded arrives as a space.
        let text = text.replace(' ', "+");
        let zh = "时间，例如2018-07-02T09:10:00+08:00";
        let en = "a time such as 2018-07-02T09:10:00+08:00";
        Instant::parse(&text).map(Some).map_err(|_parse| wrong(name, zh, en))
    }

    /// An instance's public id.
    pub(super) fn instance(
        &mut self,
        name: &'static str,
        ids: &PublicIds,
    ) -> Result<Option<InstanceId>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let id = ids.read_instance(&text);
        id.map(Some).ok_or_else(|| wrong(name, "事项编号（id）", "the id of an instance"))
    }

    /// Nothing else may be left.
    pub(super) fn end(self) -> Result<(), Problem> {
        let Some(name) = self.left.keys().next() else { return Ok(()) };
        let known = self.known.join(", ");
        let detail = format!("There is no parameter `{name}`; parameters are: {known}.");
        let zh = format!("没有参数“{name}”；可用参数：{}", self.known.join("、"));
        Err(Problem::bad_request("bad_query", zh, detail).input(name))
    }
}

/// A parameter that is wrong.
pub(super) fn wrong(name: &str, zh: &str, en: &str) -> Problem {
    let detail = format!("The parameter `{name}` must be {en}.");
    Problem::bad_request("bad_query", format!("参数“{name}”应为{zh}"), detail).input(name)
}

/// The caller's idempotency key: 1 to 200 visible ASCII characters.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    let sound = (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if sound {
        return Ok(Some(key.to_owned()));
    }
    let detail = format!("Idempotency-Key is 1 to {KEY_MAX} visible ASCII characters.");
    let zh = format!("Idempotency-Key应为1至{KEY_MAX}个可见ASCII字符");
    Err(Problem::bad_request("bad_idempotency_key", zh, detail))
}

/// The version that must still hold, from `If-Match`; `*` asks for nothing.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    version_of(text).map(Some).ok_or_else(|| {
        let detail = "If-Match must be the ETag of an earlier answer, such as \"5\".";
        Problem::bad_request("bad_if_match", "If-Match应为此前应答的ETag，例如\"5\"", detail)
    })
}

/// Whether the caller has this version already.
pub(super) fn has_version(headers: &HeaderMap, version: i64) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(','));
    tags.any(|tag| tag.trim() == "*" || version_of(tag.trim()) == Some(version))
}

fn version_of(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let bare = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(tag);
    bare.parse().ok()
}

/// Whether the caller wants as little as possible back.
pub(super) fn wants_minimal(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").filter_map(|value| value.to_str().ok());
    let mut wishes = values.flat_map(|value| value.split(','));
    wishes.any(|wish| wish.trim().eq_ignore_ascii_case("return=minimal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_may_repeat_or_separate_by_commas() {
        let mut query = Query::read("status=a,b&status=c&limit=7&open=true").unwrap();
        assert_eq!(query.all("status"), ["a", "b", "c"]);
        assert_eq!(query.limit().unwrap(), 7);
        assert!(query.flag("open").unwrap());
        assert!(query.end().is_ok());
    }

    #[test]
    fn a_plus_sign_in_a_time_need_not_be_encoded() {
        let mut query = Query::read("from=2018-07-02T09:10:00+08:00").unwrap();
        let instant = query.instant("from").unwrap().unwrap();
        assert_eq!(instant, Instant(1_530_493_800_000));
    }

    #[test]
    fn what_nobody_knows_or_is_out_of_bounds_is_refused() {
        assert!(Query::read("limits=5").unwrap().end().is_err());
        assert!(Query::read("limit=0").unwrap().limit().is_err());
        assert!(Query::read("limit=201").unwrap().limit().is_err());
        assert!(Query::read("open=1").unwrap().flag("open").is_err());
        assert!(Query::read("holder=a%00b").is_err());
        assert!(Query::read("holder=a&holder=b").unwrap().text("holder").is_err());
    }

    #[test]
    fn etags_are_read_in_every_form() {
        assert_eq!(version_of("\"5\""), Some(5));
        assert_eq!(version_of("W/\"5\""), Some(5));
        assert_eq!(version_of("5"), Some(5));
        assert_eq!(version_of("\"x\""), None);
    }
}
