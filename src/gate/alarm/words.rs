//! What a message says about new alarms.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::domain::{InstanceId, Language, Text};
use crate::store::Alarm;
use crate::template::{About, Item};

/// A message lists so many alarms and counts the rest.
const LISTED: usize = 8;

/// A message says so many characters of what exactly was noticed.
const DETAIL_MAX: usize = 100;

/// What the message says: the kinds in a sentence short enough for an SMS, and a list.
pub(super) fn about(
    news: &[&Alarm],
    numbers: &BTreeMap<InstanceId, String>,
    language: Language,
) -> About {
    let number = |one: &Alarm| {
        one.raised.instance.and_then(|id| numbers.get(&id)).cloned().unwrap_or_default()
    };
    let listed = news.iter().take(LISTED).map(|one| Item {
        number: number(one),
        sentence: format!(
            "{}{}{}",
            words(&one.raised.kind).say(language),
            if language == Language::Zh { "：" } else { ": " },
            shortened(&one.raised.detail)
        ),
        link: String::new(),
    });
    let mut items: Vec<Item> = listed.collect();
    if news.len() > LISTED {
        let more = news.len() - LISTED;
        let more = Text::new(format!("另有{more}条"), format!("and {more} more"));
        items.push(Item { sentence: more.say(language).to_owned(), ..Item::default() });
    }
    let sentence = match news {
        [one] => format!("{} {}", number(one), words(&one.raised.kind).say(language)),
        _ => kinds(news, language),
    };
    About {
        sentence: sentence.trim_start().to_owned(),
        count: i64::try_from(news.len()).unwrap_or(i64::MAX),
        items,
        ..About::default()
    }
}

/// How many alarms of which kind, the most frequent first.
fn kinds(news: &[&Alarm], language: Language) -> String {
    const NAMED: usize = 2;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in news {
        *counts.entry(one.raised.kind.as_str()).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let said = counts.iter().take(NAMED).map(|(kind, count)| {
        let words = words(kind);
        match language {
            Language::Zh => format!("{}{count}条", words.zh),
            Language::En => format!("{} ({count})", words.en),
        }
    });
    let said: Vec<String> = said.collect();
    let more = counts.len() > NAMED;
    match language {
        Language::Zh => format!("{}{}", said.join("、"), if more { "等" } else { "" }),
        Language::En => format!("{}{}", said.join(", "), if more { " and others" } else { "" }),
    }
}

fn shortened(detail: &str) -> String {
    let mut chars = detail.chars();
    let mut short: String = chars.by_ref().take(DETAIL_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}

/// What a kind of alarm is called.
fn words(kind: &str) -> Text {
    let (what, channel) = kind.split_once('.').unwrap_or((kind, ""));
    let way = match channel {
        "sms" => "短信",
        "email" => "邮件",
        other => other,
    };
    match what {
        "message_failed" => Text::new("消息未能送达", "a message was given up"),
        "nobody_told" => Text::new("提醒无人可通知", "an alert reached nobody"),
        "channel_test" => Text::new(
            format!("{way}通道自检失败"),
            format!("the channel {channel} failed its self-test"),
        ),
        "arrival_lost" => Text::new(
            format!("{way}通道有回执或回复丢失"),
            format!("arrivals by {channel} were lost"),
        ),
        "calendar_missing" => Text::new("工作日历缺少放假安排", "the calendar lacks a year"),
        "clock_effect_refused" => {
            Text::new("时限到期的处理未全部完成", "a clock came without its effects")
        }
        "subscription_left" => {
            Text::new("推送订阅的经办人已离岗", "a subscription outlives its maker's post")
        }
        "clock_jumped" => Text::new("系统时间跳变", "the system's time has jumped"),
        "clock_row_damaged" => Text::new("时限记录损坏", "the row of a clock is damaged"),
        "clock_not_fired" => Text::new("时限到期未能执行", "a clock could not be fired"),
        "recount_refused" => Text::new("时限重算被拒绝", "a clock could not be counted again"),
        "database_unsafe" => Text::new(
            "数据库设置可能丢失已确认的数据",
            "the database may lose what was acknowledged",
        ),
        "clear_text" => Text::new(
            match channel {
                "database" => "与数据库的连接未加密".to_owned(),
                _ => format!("{way}通道的线路未加密"),
            },
            format!("the line to the service of {channel} is in clear text"),
        ),
        "router_untrained" => Text::new(
            "分流模型训练失败，来电一律先询问",
            "no router was trained: every call is asked about",
        ),
        "precedents_left_out" => {
            Text::new("先例过多，较早的未采用", "there are more precedents than are gone by")
        }
        "audit_behind" => Text::new("系统核对进度落后", "the auditor is behind"),
        "audit_difference" => Text::new("系统核对发现不一致", "the auditor found a difference"),
        other => Text::new(other, other),
    }
}
