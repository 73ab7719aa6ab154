//! The page behind the link of a message: what it is about, and one button. Looking changes
//! nothing; only the button does, so that a scanner of mails acknowledges nothing.

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::House;
use super::client::address;
use super::problem::{Problem, blocking};
use super::style;
use crate::calendar::Calendar;
use crate::domain::{Language, Refusal, Text};
use crate::gate::{self, Bundled, Linked};

/// The style of every page.
const STYLE: &str = include_str!("link.css");

/// Nothing is loaded, nothing is framed, the form leads here only.
static POLICY: LazyLock<String> = LazyLock::new(|| style::policy(STYLE));

/// What the button says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pressed {
    /// `acknowledge`, or `offer` for the command that the message offers.
    act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Act {
    Acknowledge,
    Offer,
}

/// Shows what a message is about. Changes nothing.
#[utoipa::path(
    get, path = "/a/{token}", tag = "service", security(()),
    responses((status = 200, body = String, content_type = "text/html", description = "A page with a button."),
        (status = 404, body = String, content_type = "text/html", description = "The link is not good (any more)."),
        (status = 429, body = String, content_type = "text/html", description = "Too many wrong links from this address.")),
    params(("token" = String, Path, description = "From the message.")),
)]
pub(super) async fn look(
    house: web::Data<House>,
    path: web::Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    match linked(&house, path.into_inner(), &request).await? {
        Ok(linked) => Ok(page(StatusCode::OK, &Page::of(&house, &linked)?.question(&linked))),
        Err(said) => Ok(said),
    }
}

/// Acknowledges a message, or gives the command that it offers.
#[utoipa::path(
    post, path = "/a/{token}", tag = "service", security(()),
    request_body(content = Pressed, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = String, content_type = "text/html", description = "Done."),
        (status = 404, body = String, content_type = "text/html", description = "The link is not good (any more)."),
        (status = 409, body = String, content_type = "text/html", description = "Not possible now, and why."),
        (status = 429, body = String, content_type = "text/html", description = "Too many wrong links from this address.")),
    params(("token" = String, Path, description = "From the message.")),
)]
pub(super) async fn press(
    house: web::Data<House>,
    path: web::Path<String>,
    request: HttpRequest,
    pressed: Result<web::Form<Pressed>, actix_web::Error>,
) -> Result<HttpResponse, Problem> {
    let pressed = pressed.map_err(|_unreadable| {
        let zh = "请提交act=acknowledge或act=offer";
        Problem::bad_request("bad_form", zh, "Send `act=acknowledge` or `act=offer`.")
    })?;
    let token = path.into_inner();
    let before = match linked(&house, token.clone(), &request).await? {
        Ok(linked) => linked,
        Err(said) => return Ok(said),
    };
    let offered = pressed.act == Act::Offer;
    match house.gate.answer_link(&before, offered).await {
        Ok(_) => {
            // How it stands now; whoever has no part in it any more sees how it stood.
            let now = linked(&house, token, &request).await?.unwrap_or(before);
            Ok(page(StatusCode::OK, &Page::of(&house, &now)?.thanks(offered)))
        }
        Err(gate::Error::Refused(refusal)) => {
            let sheet = Page::of(&house, &before)?;
            Ok(page(StatusCode::CONFLICT, &sheet.refused(&before, &refusal)))
        }
        // The person takes no part in the matter any more.
        Err(gate::Error::NotFound) => Ok(gone()),
        Err(error) => Err(error.into()),
    }
}

/// What a link shows, or the page that says why it shows nothing. Whoever tries link after link has
/// to wait.
async fn linked(
    house: &House,
    token: String,
    request: &HttpRequest,
) -> Result<Result<Linked, HttpResponse>, Problem> {
    let (from, now) = (address(house, request), std::time::Instant::now());
    if let Some(seconds) = house.guesses.must_wait(&from, now) {
        return Ok(Err(too_often(seconds)));
    }
    let gate = house.gate.clone();
    let found = blocking(move || match gate.linked(&token) {
        Ok(linked) => Ok(Some(linked)),
        Err(gate::Error::NotFound) => Ok(None),
        Err(error) => Err(error),
    });
    Ok(found.await?.ok_or_else(|| {
        house.guesses.wrong(&from, now);
        gone()
    }))
}

/// A page in the person's language.
struct Page {
    language: Language,
    calendar: Calendar,
    heading: String,
    sentence: String,
    number: Option<String>,
    status: Option<String>,
    sent: String,
    others: Vec<Bundled>,
}

impl Page {
    fn of(house: &House, linked: &Linked) -> Result<Self, Problem> {
        let language = linked.person.rules.language;
        let calendar = house.gate.registry().calendar(linked.message.jurisdiction)?;
        let written = linked.message.created_at.timestamp().to_zoned(calendar.zone().clone());
        Ok(Self {
            language,
            heading: say(language, &linked.office).to_owned(),
            sentence: linked.message.body.clone(),
            number: linked.number.clone(),
            status: linked.status.as_ref().map(|text| say(language, text).to_owned()),
            sent: written.strftime("%Y-%m-%d %H:%M").to_string(),
            others: linked.others.clone(),
            calendar,
        })
    }

    fn words<'w>(&self, zh: &'w str, en: &'w str) -> &'w str {
        match self.language {
            Language::Zh => zh,
            Language::En => en,
        }
    }

    fn question(&self, linked: &Linked) -> String {
        let mut text = self.about();
        let seen = linked.message.acknowledged_at.map(|at| {
            let at = at.timestamp().to_zoned(self.calendar.zone().clone());
            let at = at.strftime("%m-%d %H:%M").to_string();
            let said = self.words("您已确认收到", "You have acknowledged this");
            format!("<p class=\"done\">✓ {said} ({at})</p>")
        });
        text.push_str(seen.as_deref().unwrap_or_default());
        // What must be done comes first; only having seen it is the lesser answer.
        if let Some((_, title)) = &linked.offer {
            text.push_str(&self.button("offer", say(self.language, title)));
        }
        if let Some(title) = &linked.sign_in {
            let title = escaped(say(self.language, title));
            let said = match self.language {
                Language::Zh => format!("“{title}”须登录系统并用动态口令办理。"),
                Language::En => format!("Sign in with a code of your device to: {title}."),
            };
            text.push_str(&format!("<p>{said}</p>"));
        }
        if seen.is_none() {
            let label = match linked.offer {
                None => self.words("确认收到", "Acknowledge"),
                Some(_) => self.words("仅确认收到，稍后办理", "Only acknowledge, act later"),
            };
            text.push_str(&self.button("acknowledge", label));
        }
        text.push_str(&self.others());
        self.whole(&text)
    }

    /// What else stood in the same summary, each with its own button.
    fn others(&self) -> String {
        let mut rows = String::new();
        for Bundled { token, sentence, acknowledged } in &self.others {
            let seen = self.words("确认收到", "Acknowledge");
            let answer = if *acknowledged {
                "<span class=\"done\">✓</span>".to_owned()
            } else {
                format!(
                    "<form method=\"post\" action=\"{token}\"><button name=\"act\" \
                     value=\"acknowledge\">{seen}</button></form>"
                )
            };
            rows.push_str(&format!(
                "<li><a href=\"{token}\">{}</a> {answer}</li>",
                escaped(sentence)
            ));
        }
        if rows.is_empty() {
            return rows;
        }
        let heading = self.words("同一汇总中的其他提醒", "Also in this summary");
        format!("<h2>{heading}</h2><ul>{rows}</ul>")
    }

    fn button(&self, act: &str, label: &str) -> String {
        format!(
            "<form method=\"post\"><button name=\"act\" value=\"{act}\">{}</button></form>",
            escaped(label)
        )
    }

    fn thanks(&self, offered: bool) -> String {
        let said = if offered {
            self.words("已办理", "Done")
        } else {
            self.words("已确认收到，谢谢", "Acknowledged, thank you")
        };
        let (about, others) = (self.about(), self.others());
        self.whole(&format!("{about}<p class=\"done\">✓ {said}</p>{others}"))
    }

    fn refused(&self, linked: &Linked, refusal: &Refusal) -> String {
        let reasons: String = refusal
            .reasons
            .iter()
            .map(|reason| format!("<li>{}</li>", escaped(say(self.language, &reason.text))))
            .collect();
        let said = self.words("未能办理：", "Not possible:");
        let text = format!("{}<p class=\"no\">{said}</p><ul>{reasons}</ul>", self.about());
        let again = if linked.message.acknowledged_at.is_none() {
            self.button("acknowledge", self.words("确认收到", "Acknowledge"))
        } else {
            String::new()
        };
        self.whole(&format!("{text}{again}"))
    }

    fn about(&self) -> String {
        let mut rows = String::new();
        let mut row = |name: &str, value: &str| {
            rows.push_str(&format!("<dt>{name}</dt><dd>{}</dd>", escaped(value)));
        };
        if let Some(number) = &self.number {
            row(self.words("编号", "Number"), number);
        }
        if let Some(status) = &self.status {
            row(self.words("目前状态", "Stands now"), status);
        }
        row(self.words("发出时间", "Sent"), &self.sent);
        format!("<p class=\"what\">{}</p><dl>{rows}</dl>", escaped(&self.sentence))
    }

    fn whole(&self, body: &str) -> String {
        let heading = escaped(&self.heading);
        document(self.language.code(), &heading, &format!("<h1>{heading}</h1>{body}"))
    }
}

fn say(language: Language, text: &Text) -> &str {
    match language {
        Language::Zh => &text.zh,
        Language::En => &text.en,
    }
}

fn document(lang: &str, title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>{title}</title><style>{STYLE}</style></head>\
         <body><main>{body}</main></body></html>"
    )
}

fn gone() -> HttpResponse {
    let body = "<h1>链接已失效</h1><p>该链接不正确、已过期，或您已不再参与此事项。请登录系统查看，或联系发出消息的单位。</p>\
                <p lang=\"en\">This link is not good, too old, or you take no part in the matter any more. \
                Look into the system, or call the office that wrote to you.</p>";
    page(StatusCode::NOT_FOUND, &document("zh", "链接已失效", body))
}

fn too_often(seconds: u64) -> HttpResponse {
    let minutes = seconds.div_ceil(60);
    let body = format!(
        "<h1>请稍后再试</h1><p>从您所在的网络打开了过多不正确的链接，请{minutes}分钟后再试。</p>\
         <p lang=\"en\">Too many wrong links were opened from your network. Try again in {minutes} \
         minutes.</p>"
    );
    let mut said = page(StatusCode::TOO_MANY_REQUESTS, &document("zh", "请稍后再试", &body));
    said.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
    said
}

fn page(status: StatusCode, text: &str) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY.as_str()))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .body(text.to_owned())
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
