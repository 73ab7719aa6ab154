//! Input as it comes (JSON) into values, and values back into what people read.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::Value as Json;

use crate::chart::expression::Type;
use crate::chart::{CommandSpec, Input, Kind};
use crate::domain::refusal::Reason;
use crate::domain::{Fields, Instant, Refusal, Text, Tier, Value};

/// What a caller gave, sorted: values for the chart, and personal texts that must not reach it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Values by input name; personal ones are not among them.
    pub values: Fields,
    /// Personal texts by input name.
    pub personal: BTreeMap<String, String>,
}

/// Reads a JSON object as the input of a command: names, types and bounds.
///
/// # Errors
/// `wrong_input` with a reason for every input at fault.
pub fn read(spec: &CommandSpec, json: &serde_json::Map<String, Json>) -> Result<Given, Refusal> {
    let (given, refusal) = sort(spec, json);
    refusal.map_or(Ok(given), Err)
}

/// The same, with what could be read beside the refusal of what could not.
#[must_use]
pub fn sort(spec: &CommandSpec, json: &serde_json::Map<String, Json>) -> (Given, Option<Refusal>) {
    let mut given = Given::default();
    let mut reasons = Vec::new();
    for name in json.keys().filter(|name| !spec.input.iter().any(|input| input.name == **name)) {
        let known: Vec<&str> = spec.input.iter().map(|input| input.name.as_str()).collect();
        reasons.push(reason(name, format!("没有“{name}”这一项"), {
            format!("there is no input `{name}`; inputs are: {}", known.join(", "))
        }));
    }
    for input in &spec.input {
        match json.get(&input.name) {
            None | Some(Json::Null) => {}
            Some(value) => match value_of(input, value) {
                Ok(Value::Text(text)) if input.personal => {
                    given.personal.insert(input.name.clone(), text);
                }
                Ok(value) => {
                    given.values.insert(input.name.clone(), value);
                }
                Err(fault) => reasons.push(fault),
            },
        }
        let missing = !given.values.contains_key(&input.name)
            && !given.personal.contains_key(&input.name)
            && json.get(&input.name).is_none_or(Json::is_null);
        if missing && !input.optional {
            reasons.push(missing_reason(input));
        }
    }
    let refusal = (!reasons.is_empty()).then(|| wrong(reasons));
    (given, refusal)
}

/// Reads one personal text by itself.
///
/// # Errors
/// `wrong_input` with what is at fault.
pub fn personal(input: &Input, json: &Json) -> Result<String, Refusal> {
    match value_of(input, json) {
        Ok(Value::Text(text)) => Ok(text),
        Ok(_) => Err(wrong(vec![expected(input, "文字", "a text")])),
        Err(fault) => Err(wrong(vec![fault])),
    }
}

/// Checks values that did not come through [`read`]: from relatives, scenarios and records.
///
/// # Errors
/// `wrong_input` with a reason for every input at fault.
pub fn check(inputs: &[Input], values: &Fields) -> Result<(), Refusal> {
    let mut reasons = Vec::new();
    for name in values.keys().filter(|name| !inputs.iter().any(|input| input.name == **name)) {
        reasons.push(reason(name, format!("没有“{name}”这一项"), {
            format!("there is no input `{name}`")
        }));
    }
    for input in inputs {
        match values.get(&input.name) {
            None | Some(Value::Unset) if input.optional => {}
            None | Some(Value::Unset) => reasons.push(missing_reason(input)),
            // A digest stands for a personal text, which was measured when it was read.
            Some(Value::Text(_)) if input.personal => {}
            Some(value) => {
                if let Err(fault) = fits(input, value) {
                    reasons.push(fault);
                }
            }
        }
    }
    if reasons.is_empty() { Ok(()) } else { Err(wrong(reasons)) }
}

fn value_of(input: &Input, json: &Json) -> Result<Value, Reason> {
    let value = match (&input.ty, json) {
        (Type::Bool, Json::Bool(flag)) => Value::Bool(*flag),
        (Type::Int, Json::Number(number)) => number
            .as_i64()
            .map(Value::Int)
            .ok_or_else(|| expected(input, "整数", "a whole number of at most 19 digits"))?,
        (Type::Tier, Json::String(code)) => {
            Tier::from_code(code).map(|tier| Value::Int(tier.rank())).ok_or_else(|| {
                let zh = "ordinary（一般）、larger（较大）、major（重大）、extraordinary（特别重大）之一";
                expected(input, zh, "one of ordinary, larger, major, extraordinary")
            })?
        }
        (Type::Instant, Json::String(text)) => {
            // The reader's own words are about bytes; the example says more.
            Instant::parse(text).map(|instant| Value::Int(instant.0)).map_err(|_parse| {
                let (zh, en) = words(&input.ty);
                expected(input, zh, en)
            })?
        }
        (Type::Set, Json::Array(members)) => {
            let mut codes = Vec::new();
            for member in members {
                let code =
                    member.as_str().ok_or_else(|| expected(input, "单位代码", "unit codes"))?;
                codes.push(Value::from(code));
            }
            codes.sort();
            codes.dedup();
            Value::List(codes)
        }
        (
            Type::Text | Type::Enum(_) | Type::Unit | Type::Category | Type::Date,
            Json::String(text),
        ) => Value::from(text.as_str()),
        (ty, _) => {
            let (zh, en) = words(ty);
            return Err(expected(input, zh, en));
        }
    };
    fits(input, &value)?;
    Ok(value)
}

/// Whether a value has the type and keeps the bounds of an input.
fn fits(input: &Input, value: &Value) -> Result<(), Reason> {
    let (min, max) = (input.min.unwrap_or(i64::MIN), input.max.unwrap_or(i64::MAX));
    let within = |size: i64| (min..=max).contains(&size);
    match (&input.ty, value) {
        (Type::Bool, Value::Bool(_)) | (Type::Instant, Value::Int(_)) => Ok(()),
        (Type::Int, Value::Int(number)) => {
            let least = if input.kind == Kind::Count { min.max(0) } else { min };
            if (least..=max).contains(number) {
                Ok(())
            } else {
                Err(bounds(input, "数值", "number"))
            }
        }
        (Type::Tier, Value::Int(rank)) if Tier::from_rank(*rank).is_some() => Ok(()),
        (Type::Text, Value::Text(text)) => {
            if text.contains('\0') {
                return Err(expected(input, "不含空字符的文字", "a text without NUL characters"));
            }
            if input.min.unwrap_or(i64::from(!input.optional)) > 0 && text.trim().is_empty() {
                return Err(expected(input, "非空文字", "a text that is not empty"));
            }
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            if within(length) {
                Ok(())
            } else {
                Err(bounds(input, "字数", "number of characters"))
            }
        }
        (Type::Enum(codes), Value::Text(code)) => {
            if codes.contains(code) {
                Ok(())
            } else {
                let titled = input.of.iter().map(|(code, title)| format!("{code}（{}）", title.zh));
                let zh: Vec<String> = titled.collect();
                let zh = if zh.is_empty() { codes.join("、") } else { zh.join("、") };
                let en = format!("one of {}", codes.join(", "));
                Err(expected(input, &format!("{zh}之一"), &en))
            }
        }
        (Type::Unit | Type::Category, Value::Text(code)) => {
            let sound = !code.is_empty()
                && code.chars().count() <= 64
                && code.chars().all(|c| c.is_alphanumeric() || ".-_*".contains(c));
            if sound { Ok(()) } else { Err(expected(input, "代码", "a code")) }
        }
        (Type::Date, Value::Text(text)) => text.parse::<Date>().map(drop).map_err(|_parse| {
            let (zh, en) = words(&input.ty);
            expected(input, zh, en)
        }),
        (Type::Set, Value::List(members)) => {
            let size = i64::try_from(members.len()).unwrap_or(i64::MAX);
            if within(size) { Ok(()) } else { Err(bounds(input, "个数", "number of members")) }
        }
        (ty, _) => {
            let (zh, en) = words(ty);
            Err(expected(input, zh, en))
        }
    }
}

/// What a type asks for, in both languages.
fn words(ty: &Type) -> (&'static str, &'static str) {
    match ty {
        Type::Bool => ("是或否（true或false）", "true or false"),
        Type::Int => ("整数", "a whole number"),
        Type::Tier => ("响应等级代码（文字）", "the code of a tier, as a text"),
        Type::Enum(_) => ("选项代码（文字）", "one of the codes, as a text"),
        Type::Instant => {
            ("时间，例如2018-07-02T09:10:00+08:00", "a time such as 2018-07-02T09:10:00+08:00")
        }
        Type::Date => ("日期，例如2018-07-02", "a day such as 2018-07-02"),
        Type::Unit => ("单位代码（文字）", "a unit's code, as a text"),
        Type::Category => ("类别代码（文字）", "a category's code, as a text"),
        Type::Set => ("单位代码的列表", "a list of unit codes"),
        _ => ("文字", "a text"),
    }
}

/// A value as people and programs outside read it: tiers by code, instants in the zone.
#[must_use]
pub fn show(ty: &Type, value: &Value, zone: &TimeZone) -> Json {
    match (ty, value) {
        (_, Value::Unset) => Json::Null,
        (Type::Tier, Value::Int(rank)) => {
            Tier::from_rank(*rank).map_or(Json::Null, |tier| tier.code().into())
        }
        (Type::Instant, Value::Int(millis)) => Instant(*millis).in_zone(zone).into(),
        (_, Value::Bool(flag)) => (*flag).into(),
        (_, Value::Int(int)) => (*int).into(),
        (_, Value::Text(text)) => text.as_str().into(),
        (_, Value::List(members)) => {
            members.iter().map(|member| show(&Type::Text, member, zone)).collect()
        }
    }
}

/// The JSON Schema of a command's input, with titles: what a client needs to draw a form.
#[must_use]
pub fn schema(inputs: &[Input]) -> Json {
    let properties: serde_json::Map<String, Json> =
        inputs.iter().map(|input| (input.name.clone(), property(input))).collect();
    let required: Vec<&str> =
        inputs.iter().filter(|input| !input.optional).map(|input| input.name.as_str()).collect();
    serde_json::json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn property(input: &Input) -> Json {
    let mut property = match &input.ty {
        Type::Bool => serde_json::json!({ "type": "boolean" }),
        Type::Int => serde_json::json!({ "type": "integer" }),
        Type::Tier => serde_json::json!({ "enum": Tier::ALL.map(Tier::code) }),
        Type::Enum(codes) => serde_json::json!({
            "enum": codes,
            "x-titles": input.of.iter().map(|(_, title)| title).collect::<Vec<_>>(),
        }),
        Type::Instant => serde_json::json!({ "type": "string", "format": "date-time" }),
        Type::Date => serde_json::json!({ "type": "string", "format": "date" }),
        Type::Unit => serde_json::json!({ "type": "string", "x-type": "unit" }),
        Type::Category => serde_json::json!({ "type": "string", "x-type": "category" }),
        Type::Set => serde_json::json!({
            "type": "array", "items": { "type": "string", "x-type": "unit" },
        }),
        _ => serde_json::json!({ "type": "string" }),
    };
    if let Some(object) = property.as_object_mut() {
        object.insert("title".to_owned(), serde_json::json!(input.title));
        let (least, most) = match input.ty {
            Type::Int => ("minimum", "maximum"),
            Type::Set => ("minItems", "maxItems"),
            _ => ("minLength", "maxLength"),
        };
        let bounded = matches!(input.ty, Type::Int | Type::Set | Type::Text);
        if let Some(min) = input.min.filter(|_| bounded) {
            object.insert(least.to_owned(), min.into());
        }
        if let Some(max) = input.max.filter(|max| bounded && *max < i64::MAX) {
            object.insert(most.to_owned(), max.into());
        }
        if input.personal {
            object.insert("x-personal".to_owned(), true.into());
        }
    }
    property
}

fn wrong(reasons: Vec<Reason>) -> Refusal {
    Refusal { code: "wrong_input".to_owned(), reasons, possible: Vec::new() }
}

fn reason(input: &str, zh: String, en: String) -> Reason {
    Reason { code: "wrong_input".to_owned(), text: Text { zh, en }, input: Some(input.to_owned()) }
}

fn missing_reason(input: &Input) -> Reason {
    let title = if input.title.zh.is_empty() { &input.name } else { &input.title.zh };
    reason(&input.name, format!("缺少“{title}”"), format!("`{}` is missing", input.name))
}

fn expected(input: &Input, zh: &str, en: &str) -> Reason {
    let title = if input.title.zh.is_empty() { &input.name } else { &input.title.zh };
    reason(&input.name, format!("“{title}”应为{zh}"), format!("`{}` must be {en}", input.name))
}

fn bounds(input: &Input, zh: &str, en: &str) -> Reason {
    let words = match (input.min, input.max.filter(|max| *max < i64::MAX)) {
        (Some(min), Some(max)) => format!("{min}-{max}"),
        (Some(min), None) => format!("≥ {min}"),
        (None, Some(max)) => format!("≤ {max}"),
        (None, None) => "≥ 0".to_owned(),
    };
    let title = if input.title.zh.is_empty() { &input.name } else { &input.title.zh };
    reason(
        &input.name,
        format!("“{title}”的{zh}应为 {words}"),
        format!("the {en} of `{}` must be {words}", input.name),
    )
}
