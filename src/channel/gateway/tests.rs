use std::sync::Arc;

use super::*;
use crate::domain::{Instant, MessageId};

const TEXT: &str = "【督办】\"工地\"\\夜间&施工=噪声 100%\r\n请𠮷野签收+1 {text}";

fn options() -> Options {
    Options {
        url: "https://sms.example/send?to={address}&sign={signature}".to_owned(),
        method: "POST".to_owned(),
        headers: [("X-Nonce".to_owned(), "{nonce}".to_owned())].into(),
        body_kind: Body::Json,
        body: r#"{"mobile": ["{address}"], "n": 1, "param": "{{\"content\":\"{text_json}\"}}", "text": "{text}"}"#
            .to_owned(),
        key: "office".to_owned(),
        secret: "s3cret".to_owned(),
        sign: "{key}\n{time}\n{body_sha256}".to_owned(),
        encoding: Encoding::Hex,
        success: Success {
            pointer: "/code".to_owned(),
            accepted: vec!["0".to_owned(), "OK".to_owned()],
            never: vec!["1004".to_owned()],
            refused: vec![507],
            reference: "/data/sid".to_owned(),
            reason: "/msg".to_owned(),
            ..Success::default()
        },
        reading: Reading::default(),
        allow_clear_text: false,
        test_url: String::new(),
        roots: Vec::new(),
        time: Duration::from_secs(1),
    }
}

fn gateway(options: Options) -> Result<Gateway, Setup> {
    Gateway::new(options, Arc::new(|| Instant(1_530_493_800_123)))
}

fn letter() -> Letter {
    Letter {
        id: MessageId(7),
        attempt: 2,
        address: "13800000072".to_owned(),
        text: TEXT.to_owned(),
        ..Letter::default()
    }
}

fn body(request: &Request) -> String {
    String::from_utf8(request.body().unwrap().as_bytes().unwrap().to_vec()).unwrap()
}

#[test]
fn any_text_arrives_in_a_json_body_as_it_was() {
    let request = gateway(options()).unwrap().request(&letter()).unwrap();
    let json: Json = serde_json::from_str(&body(&request)).unwrap();
    assert_eq!(json["text"], TEXT);
    assert_eq!(json["mobile"][0], "13800000072");
    assert_eq!(json["n"], 1);
    let param: Json = serde_json::from_str(json["param"].as_str().unwrap()).unwrap();
    assert_eq!(param["content"], TEXT);
}

#[test]
fn any_text_arrives_in_a_form_and_in_the_address_as_it_was() {
    let wish = Options {
        url: "https://sms.example/send?content={text}&to={address}".to_owned(),
        body_kind: Body::Form,
        body: "mobile={address}&content={text}&fixed=a b".to_owned(),
        ..options()
    };
    let request = gateway(wish).unwrap().request(&letter()).unwrap();
    let pairs: Vec<(String, String)> = request.url().query_pairs().into_owned().collect();
    assert_eq!(
        pairs,
        [("content".to_owned(), TEXT.to_owned()), ("to".to_owned(), "13800000072".to_owned())]
    );
    let form = Url::parse(&format!("https://x/?{}", body(&request))).unwrap();
    let pairs: Vec<(String, String)> = form.query_pairs().into_owned().collect();
    assert_eq!(pairs[1], ("content".to_owned(), TEXT.to_owned()));
    assert_eq!(pairs[2], ("fixed".to_owned(), "a b".to_owned()));
    assert_eq!(pairs.len(), 3);
}

#[test]
fn the_signature_is_an_hmac_over_what_the_settings_say() {
    let one = gateway(options()).unwrap();
    let request = one.request(&letter()).unwrap();
    let digest = hex(&Sha256::digest(body(&request).as_bytes()));
    let text = format!("office\n1530493800\n{digest}");
    let wanted = hex(&hmac_sha256(b"s3cret", text.as_bytes()));
    let sign = request.url().query_pairs().find(|(key, _)| key == "sign").unwrap().1.into_owned();
    assert_eq!(sign, wanted);
    let base64 = gateway(Options { encoding: Encoding::Base64, ..options() }).unwrap();
    let request = base64.request(&letter()).unwrap();
    let sign = request.url().query_pairs().find(|(key, _)| key == "sign").unwrap().1.into_owned();
    assert_eq!(hex(&STANDARD.decode(sign).unwrap()), wanted);
    // RFC 4231, test case 2.
    let known = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
    assert_eq!(hex(&known), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#[test]
fn no_text_begins_a_header_of_its_own() {
    let headers = [("X-Text".to_owned(), "{text}".to_owned())].into();
    let one = gateway(Options { headers, ..options() }).unwrap();
    let attack = Letter { text: "x\r\nX-Evil: 1".to_owned(), ..letter() };
    let request = one.request(&attack).unwrap();
    assert_eq!(request.headers()["x-text"], "x  X-Evil: 1");
    assert!(request.headers().get("x-evil").is_none());
}

#[test]
fn an_address_that_is_no_number_gets_nothing() {
    let one = gateway(options()).unwrap();
    for address in ["", "12", "1381234567x", "13812345678,13812345679", "wang@example.org"] {
        let wrong = Letter { address: address.to_owned(), ..letter() };
        assert_eq!(one.request(&wrong).unwrap_err(), "the address is no telephone number");
    }
    assert_eq!(number("+86 138-1234-5678").unwrap(), "+8613812345678");
}

#[test]
fn a_template_that_cannot_work_is_refused_at_the_start() {
    let wrong = |options: Options| gateway(options).err().unwrap().to_string();
    let said = wrong(Options { url: "https://x/{adress}".to_owned(), ..options() });
    assert!(said.starts_with("url: there is no `{adress}`; there are: address, text"), "{said}");
    let said = wrong(Options { body: "{".to_owned(), ..options() });
    assert!(said.starts_with("body: this is no JSON"), "{said}");
    let said = wrong(Options { sign: "{signature}".to_owned(), ..options() });
    assert_eq!(said, "sign: the signature would have to contain itself");
}

#[test]
fn answers_are_judged_by_code_and_status() {
    let of = |status: u16, body: &str| {
        let body = body.as_bytes().to_vec();
        let answer = Answer { status, retry_after: None, body, whole: true };
        judge(&options().success, &answer)
    };
    let reference = Some("s-9".to_owned());
    assert_eq!(of(200, r#"{"code":0,"data":{"sid":"s-9"}}"#), Outcome::Accepted { reference });
    assert_eq!(of(200, r#"{"code":"OK"}"#), Outcome::ACCEPTED);
    let never = of(400, r#"{"code":1004,"msg":"13812345678 is on the black list"}"#);
    assert_eq!(
        never,
        Outcome::never("the gateway answered 400 1004: <number> is on the black list")
    );
    assert!(matches!(of(200, r#"{"code":9}"#), Outcome::Refused { permanent: false, .. }));
    assert!(matches!(of(500, r#"{"code":0}"#), Outcome::Refused { permanent: false, .. }));
    assert!(matches!(of(200, "<html>"), Outcome::Unknown { .. }));
    assert!(matches!(of(503, ""), Outcome::Unknown { .. }), "it may have broken after it took it");
    assert!(
        matches!(of(507, ""), Outcome::Refused { permanent: false, .. }),
        "as the settings say"
    );
    assert!(matches!(of(401, ""), Outcome::Refused { permanent: false, .. }));
    assert!(matches!(of(504, ""), Outcome::Unknown { .. }));
}

#[test]
fn receipts_and_replies_are_read_by_pointers() {
    let reading = Reading {
        list: "/reports".to_owned(),
        reference: "/sid".to_owned(),
        state: "/report_status".to_owned(),
        delivered: vec!["SUCCESS".to_owned()],
        pending: vec!["WAIT".to_owned()],
        reason: "/errmsg".to_owned(),
        from: "/mobile".to_owned(),
        text: "/text".to_owned(),
    };
    let body = r#"{"reports":[{"sid":"a","report_status":"SUCCESS","mobile":"1"},
        {"sid":"b","report_status":"FAIL","errmsg":"13812345678 MK:0005"},
        {"sid":"c","report_status":"WAIT"}, {"mobile":"13812345678","text":"1 00000007"}]}"#;
    let receipt = |reference: &str, delivered, why: &str| Incoming::Receipt {
        reference: reference.to_owned(),
        delivered,
        why: why.to_owned(),
    };
    let reply =
        |text: &str| Incoming::Reply { from: "13812345678".to_owned(), text: text.to_owned() };
    assert_eq!(
        reading.read(body.as_bytes()).unwrap(),
        [
            receipt("a", true, "SUCCESS"),
            receipt("b", false, "FAIL <number> MK:0005"),
            reply("1 00000007")
        ]
    );
    let flat = Reading { list: String::new(), ..reading.clone() };
    let form = "mobile=13812345678&text=1+%E5%A5%BD%F0%A0%AE%B7%";
    assert_eq!(flat.read(form.as_bytes()).unwrap(), [reply("1 好𠮷%")]);
    for wrong in ["", "[1]", "nonsense", r#"{"reports":[{}]}"#, r#"{"x":1}"#] {
        assert!(reading.read(wrong.as_bytes()).is_err(), "{wrong}");
    }
}
