use super::*;
use crate::domain::{Instant, MessageId};

fn letter() -> Letter {
    Letter {
        id: MessageId(42),
        attempt: 1,
        written_at: Instant::parse("2018-07-02T09:10:00+08:00").unwrap(),
        address: "wang@example.org".to_owned(),
        name: "王𠮷".to_owned(),
        subject: "【督办】工地夜间施工噪声".to_owned(),
        text: "请于17:30前签收。".to_owned(),
        thread: Some("chengkou.00000001".to_owned()),
        ..Letter::default()
    }
}

fn headers(letter: &Letter) -> Vec<String> {
    let from: Mailbox = "分流 <alert@fenliu.example>".parse().unwrap();
    let text = mail(&from, letter).unwrap().data;
    let head = text.split("\r\n\r\n").next().unwrap().to_owned();
    head.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_mail_is_the_same_in_every_attempt() {
    let first = headers(&letter());
    let again = headers(&Letter { attempt: 7, ..letter() });
    assert_eq!(first, again);
    assert!(first.contains(&"Message-ID: <message.42@fenliu.example>".to_owned()), "{first:#?}");
    assert!(first.contains(&"Date: Mon, 02 Jul 2018 01:10:00 +0000".to_owned()), "{first:#?}");
}

#[test]
fn mails_of_a_matter_answer_the_same_root() {
    let root = "<thread.chengkou.00000001@fenliu.example>";
    let head = headers(&letter());
    assert!(head.contains(&format!("References: {root}")), "{head:#?}");
    assert!(head.contains(&format!("In-Reply-To: {root}")), "{head:#?}");
    assert_eq!(token("城口..1 >\r\n"), "_57ce_53e3.1_20_3e_d_a");
}

#[test]
fn machines_do_not_answer_it_and_urgent_ones_are_marked() {
    let calm = headers(&letter());
    assert!(calm.contains(&"Auto-Submitted: auto-generated".to_owned()), "{calm:#?}");
    assert!(!calm.iter().any(|line| line.starts_with("X-Priority")), "{calm:#?}");
    let urgent = headers(&Letter { urgent: true, ..letter() });
    assert!(urgent.contains(&"X-Priority: 1".to_owned()), "{urgent:#?}");
    assert!(urgent.contains(&"Importance: high".to_owned()), "{urgent:#?}");
}

#[test]
fn no_text_begins_a_header_of_its_own() {
    let attacks = [
        "x\r\nBcc: thief@example.net",
        "x\nBcc: thief@example.net",
        "x\rBcc: thief@example.net",
        "x\r\n\r\n<script>",
        "x\u{0}\u{b}\u{c}\r\n Bcc: thief@example.net",
        "=?utf-8?q?x=0D=0ABcc:_thief@example.net?=",
    ];
    for attack in attacks {
        let attacked = Letter {
            name: attack.to_owned(),
            subject: attack.to_owned(),
            thread: Some(attack.to_owned()),
            ..letter()
        };
        let from: Mailbox = "alert@fenliu.example".parse().unwrap();
        let mail = mail(&from, &attacked).unwrap();
        assert_eq!(mail.to.to_string(), "wang@example.org");
        let head = headers(&attacked);
        let names: Vec<&str> = head
            .iter()
            .filter(|line| !line.starts_with(' '))
            .filter_map(|l| l.split(':').next())
            .collect();
        assert!(!names.contains(&"Bcc"), "{attack:?}: {head:#?}");
        assert_eq!(head.len(), head.iter().filter(|line| !line.contains(['\r', '\n'])).count());
        let usual = headers(&letter());
        let usual = usual.iter().filter(|line| !line.starts_with(' ')).count();
        assert_eq!(names.len(), usual, "{attack:?}: {head:#?}");
    }
}

#[test]
fn an_address_that_is_none_or_several_gets_nothing() {
    let from: Mailbox = "alert@fenliu.example".parse().unwrap();
    for address in ["", "wang", "a@example.org, b@example.org", "a@example.org\r\nDATA", "<a@b.c>"]
    {
        let error = mail(&from, &Letter { address: address.to_owned(), ..letter() }).err();
        assert_eq!(error.as_deref(), Some("the address is no mail address"), "{address:?}");
    }
}

#[test]
fn the_name_the_server_gives_is_found() {
    let of = |said: &str| queue_id(&said.parse().unwrap());
    assert_eq!(of("250 2.0.0 Ok: queued as 4WxYz\r\n").as_deref(), Some("4WxYz"));
    assert_eq!(of("250 OK id=1abcDE-0001-XY\r\n").as_deref(), Some("1abcDE-0001-XY"));
    assert_eq!(of("250 OK: message queued\r\n"), None);
}

#[test]
fn the_end_of_a_mail_is_the_only_line_of_one_dot() {
    for (text, data) in [
        ("", "\r\n.\r\n"),
        ("a\r\n", "a\r\n.\r\n"),
        ("a", "a\r\n.\r\n"),
        (".\r\n..\r\na.b\r\n.c", "..\r\n...\r\na.b\r\n..c\r\n.\r\n"),
    ] {
        assert_eq!(ended(text), data);
    }
}
