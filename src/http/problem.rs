//! Every error is a problem as RFC 9457 describes it: a stable code, words in both languages, and
//! what would be possible instead.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::request_id;
use crate::chart::Finding;
use crate::chart::finding::in_chinese;
use crate::domain::{Refusal, Text, refusal};
use crate::gate;

/// The media type of problems.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Details {
    /// `urn:fenliu:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:fenliu:problem:stale")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What is wrong, in English.
    detail: String,
    /// What is wrong, in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail_zh: Option<String>,
    /// The stable code.
    #[schema(example = "stale")]
    code: String,
    /// Every reason of a refusal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<Reason>,
    /// Commands that the caller could give instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    possible: Option<Vec<String>>,
    /// What is wrong with a workflow file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingView>,
    /// The version at which the instance is by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The number under which an operator finds this in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    incident: Option<String>,
}

/// One reason of a refusal.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reason {
    /// Its stable code.
    code: String,
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
    /// The input at fault, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<String>,
}

impl Reason {
    /// A reason with its code.
    pub(super) fn new(code: &str, text: Text, input: Option<String>) -> Self {
        Self { code: code.to_owned(), zh: text.zh, en: text.en, input }
    }

    /// A reason of a refusal.
    pub(super) fn of(reason: refusal::Reason) -> Self {
        Self::new(&reason.code, reason.text, reason.input)
    }
}

/// A finding in a workflow file.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FindingView {
    /// Its stable code.
    code: String,
    /// `error` or `warning`.
    #[schema(value_type = String)]
    severity: crate::chart::Severity,
    /// The line, from 1.
    line: usize,
    /// The character of the line, from 1.
    column: usize,
    /// What is wrong.
    message: String,
    /// Of what kind that is, in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    zh: Option<&'static str>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        let Finding { code, severity, message, help, line, column, .. } = finding;
        let zh = in_chinese(&code);
        Self { code, severity, line, column, message, zh, help }
    }
}

/// A problem on its way to the caller.
#[derive(Debug)]
pub(super) struct Problem(Box<Sheet>);

#[derive(Debug)]
struct Sheet {
    status: StatusCode,
    details: Details,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// So many findings are said in a sentence; all are listed.
const SAID_MAX: usize = 10;

impl Problem {
    /// A problem with a stable code and an English sentence.
    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let details = Details {
            kind: format!("urn:fenliu:problem:{code}"),
            title: code.replace('_', " "),
            status: status.as_u16(),
            detail: detail.into(),
            detail_zh: None,
            code: code.to_owned(),
            reasons: Vec::new(),
            possible: None,
            findings: Vec::new(),
            version: None,
            incident: None,
        };
        Self(Box::new(Sheet { status, details, headers: Vec::new() }))
    }

    /// A request that is wrong in itself, said in both languages.
    pub(super) fn bad_request(
        code: &str,
        zh: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail).zh(zh)
    }

    /// Nothing there, or nothing that the caller may know of: both say exactly the same.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
            .zh("没有这个对象")
    }

    /// Who asks is not known.
    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .zh("请提供有效的访问令牌")
            .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"fenliu\""))
    }

    /// The service is being stopped.
    pub(super) fn closing() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "closing", "The service is stopping.")
            .zh("服务正在停止")
            .retry_after("5")
    }

    /// Something that should not be: told to the log, not to the caller.
    pub(super) fn internal(cause: &str) -> Self {
        let incident = request_id::fresh();
        tracing::error!(%incident, cause, "internal error");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        let detail = "Something went wrong inside; an operator finds it under the incident number.";
        let mut problem = Self::new(status, "internal", detail).zh("内部错误，请将编号告知管理员");
        problem.0.details.incident = Some(incident);
        problem
    }

    /// The same with a Chinese sentence.
    pub(super) fn zh(mut self, words: impl Into<String>) -> Self {
        self.0.details.detail_zh = Some(words.into());
        self
    }

    /// The same with a header.
    pub(super) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same with the input at fault.
    pub(super) fn input(mut self, input: &str) -> Self {
        let details = &mut self.0.details;
        details.reasons.push(Reason {
            code: details.code.clone(),
            zh: details.detail_zh.clone().unwrap_or_default(),
            en: details.detail.clone(),
            input: Some(input.to_owned()),
        });
        self
    }

    /// Whether it says that there is no such thing.
    pub(super) fn is_not_found(&self) -> bool {
        self.0.status == StatusCode::NOT_FOUND
    }

    fn retry_after(self, seconds: &'static str) -> Self {
        self.header(header::RETRY_AFTER, HeaderValue::from_static(seconds))
    }

    fn refused(refusal: Refusal) -> Self {
        let status = match refusal.code.as_str() {
            "not_yours" | "narrow_token" => StatusCode::FORBIDDEN,
            "wrong_login" | "code_needed" => StatusCode::UNAUTHORIZED,
            "weak_password" => StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_catalogue" | "wrong_input" | "wrong_roster" | "wrong_stand_in"
            | "wrong_swap" | "wrong_rows" | "host_not_allowed" => StatusCode::UNPROCESSABLE_ENTITY,
            "unknown_workflow" => StatusCode::NOT_FOUND,
            "too_many_messages" | "too_many_attempts" => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::CONFLICT,
        };
        let all = |pick: fn(&Text) -> &str, gap: &str| {
            let texts: Vec<&str> =
                refusal.reasons.iter().map(|reason| pick(&reason.text)).collect();
            texts.join(gap)
        };
        let mut problem = Self::new(status, &refusal.code, all(|text| &text.en, "; "))
            .zh(all(|text| &text.zh, "；"));
        let details = &mut problem.0.details;
        details.reasons = refusal.reasons.into_iter().map(Reason::of).collect();
        details.possible = Some(refusal.possible);
        problem
    }

    fn broken(findings: Vec<Finding>) -> Self {
        let errors = findings.iter().filter(|f| f.severity == crate::chart::Severity::Error);
        let said = |finding: &Finding| {
            let Finding { line, code, .. } = finding;
            format!("第{line}行{}", in_chinese(code).unwrap_or(code))
        };
        let said: Vec<String> = errors.map(said).collect();
        let count = said.len();
        let detail =
            format!("The definition has {count} error{}.", if count == 1 { "" } else { "s" });
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let mut problem = Self::new(status, "broken_definition", detail).zh(format!(
            "流程定义有{count}处错误：{}{}",
            said.iter().take(SAID_MAX).cloned().collect::<Vec<_>>().join("；"),
            if count > SAID_MAX { "……" } else { "" }
        ));
        problem.0.details.findings = findings.into_iter().map(FindingView::from).collect();
        problem
    }

    fn stale(now: Option<i64>) -> Self {
        let (zh, detail) = match now {
            Some(now) => (
                "该事项已被他人更新，请刷新后重试",
                format!("The instance is at version {now} by now; read it again."),
            ),
            None => (
                "该事项的现状不向本单位显示，办理时请勿附版本号",
                "The matter is not shown to you as it stands now: leave `If-Match` out.".to_owned(),
            ),
        };
        let mut problem = Self::new(StatusCode::PRECONDITION_FAILED, "stale", detail).zh(zh);
        problem.0.details.version = now;
        problem
    }

    fn unavailable(code: &str, detail: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
            .zh("服务暂时不可用")
            .retry_after("1")
    }
}

impl From<gate::Error> for Problem {
    fn from(error: gate::Error) -> Self {
        match error {
            gate::Error::Refused(refusal) => Self::refused(refusal),
            gate::Error::NotFound => Self::not_found(),
            gate::Error::Forbidden => {
                let detail = "None of your roles allows this.";
                Self::new(StatusCode::FORBIDDEN, "forbidden", detail).zh("您的角色无此权限")
            }
            gate::Error::Stale { now } => Self::stale(now),
            gate::Error::KeyReused => {
                let detail = "This Idempotency-Key was used for another request.";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Self::new(status, "idempotency_key_reused", detail).zh("该幂等键已用于另一请求")
            }
            gate::Error::Invalid(text) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text.en).zh(text.zh)
            }
            gate::Error::Broken(findings) => Self::broken(findings),
            gate::Error::Busy(cause) => {
                tracing::warn!(cause, "the store is busy");
                Self::unavailable("busy", "The store is busy; nothing was done. Try again.")
            }
            gate::Error::Down(cause) => {
                tracing::error!(cause, "the store does not answer");
                Self::unavailable("store_down", "The store does not answer; nothing was done.")
            }
            gate::Error::Unknown(cause) => {
                tracing::error!(cause, "it is not known whether something was done");
                let detail = "It is not known whether this was done; repeat it with the same \
                              Idempotency-Key.";
                Self::unavailable("outcome_unknown", detail)
            }
            gate::Error::Closing => Self::closing(),
            gate::Error::Internal(cause) => Self::internal(&cause),
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.details.code, self.0.details.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponseBuilder::new(self.0.status);
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.insert_header((header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)));
        // Plain texts and numbers always can be written.
        response.body(serde_json::to_vec(&self.0.details).unwrap_or_default())
    }
}

/// Runs what blocks where blocking is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, gate::Error> + Send + 'static,
) -> Result<T, Problem> {
    let done = actix_web::web::block(work).await;
    done.map_err(|_stopped| Problem::closing())?.map_err(Problem::from)
}
