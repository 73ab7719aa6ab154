//! What arrived at people's devices, as the servers that are not ours saw it.

use std::collections::BTreeMap;

use fenliu::domain::{Directory, Instant};
use serde_json::Value as Json;

/// By what it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Sms,
    Email,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }
}

/// One SMS or mail, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) way: Way,
    /// The person's name.
    pub(super) who: String,
    pub(super) text: String,
    /// By the house's clock.
    pub(super) at: Instant,
    /// What the service calls it: a mail's Message-ID, the centre's names for the parts of an SMS.
    pub(super) ids: Vec<String>,
    pub(super) read: bool,
}

impl Arrived {
    /// What the workflow says in it, without number, link and particulars.
    pub(super) fn sentence(&self) -> &str {
        let said = match self.way {
            // Before it stand subject and name, after it the particulars.
            Way::Email => self.text.split("\n\n").nth(1).unwrap_or_default(),
            Way::Sms => self.text.split("确认：http").next().unwrap(),
        };
        said.split_once('】').map_or(said, |(_, rest)| rest).trim()
    }

    /// The address of the link in it.
    #[track_caller]
    pub(super) fn link(&self) -> String {
        let at = self.text.find("http://").unwrap_or_else(|| panic!("no link in {self:?}"));
        let rest = self.text.get(at..).unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }
}

/// Everybody's mail boxes and telephones.
#[derive(Default)]
pub(super) struct Mailbox {
    pub(super) all: Vec<Arrived>,
    /// Parts of long SMS, by recipient and reference.
    parts: BTreeMap<(String, u64), BTreeMap<u64, (String, String)>>,
    phones: BTreeMap<String, String>,
    mails: BTreeMap<String, String>,
}

pub(super) fn digits(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

impl Mailbox {
    /// Learns whose the addresses are.
    pub(super) fn know(&mut self, directory: &Directory) {
        for person in directory.people.values() {
            if let Some(phone) = &person.phone {
                self.phones.insert(digits(phone), person.name.clone());
            }
            if let Some(mail) = &person.email {
                self.mails.insert(mail.clone(), person.name.clone());
            }
        }
    }

    fn owner(known: &BTreeMap<String, String>, address: &str) -> String {
        known.get(address).cloned().unwrap_or_else(|| format!("a stranger, {address}"))
    }

    fn keep(&mut self, way: Way, who: String, text: String, at: Instant, ids: Vec<String>) {
        self.all.push(Arrived { way, who, text, at, ids, read: false });
    }

    /// Something that the mail server or the SMS centre saw.
    pub(super) fn take(&mut self, event: &Json, at: Instant) {
        match event["event"].as_str() {
            Some("mail") => {
                let address = event["envelope"]["to"][0].as_str().unwrap();
                let who = Self::owner(&self.mails, address);
                let subject = event["subject"].as_str().unwrap();
                let text = event["text"].as_str().unwrap().replace("\r\n", "\n");
                let id = event["headers"]["message-id"].as_str().unwrap().to_owned();
                self.keep(Way::Email, who, format!("{subject}\n{text}"), at, vec![id]);
            }
            Some("submit") => self.sms(event, at),
            _ => {}
        }
    }

    fn sms(&mut self, event: &Json, at: Instant) {
        let to = event["to"].as_str().unwrap().to_owned();
        let text = event["text"].as_str().unwrap().to_owned();
        let who = Self::owner(&self.phones, &to);
        let id = event["id"].as_str().unwrap().to_owned();
        let Some(udh) = event["udh"].as_array() else {
            return self.keep(Way::Sms, who, text, at, vec![id]);
        };
        let head: Vec<u64> = udh.iter().map(|byte| byte.as_u64().unwrap()).collect();
        let [_, _, reference, total, number] = head[..] else { panic!("{event}") };
        let parts = self.parts.entry((to.clone(), reference)).or_default();
        parts.insert(number, (text, id));
        if Ok(total) == u64::try_from(parts.len()) {
            let parts = self.parts.remove(&(to, reference)).unwrap().into_values();
            let (texts, ids): (Vec<String>, Vec<String>) = parts.unzip();
            self.keep(Way::Sms, who, texts.concat(), at, ids);
        }
    }

    /// An SMS that was posted to a gateway.
    pub(super) fn posted(&mut self, body: &str, at: Instant) {
        let body: Json = serde_json::from_str(body).unwrap();
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let who = Self::owner(&self.phones, &digits(&text("mobile")));
        self.keep(Way::Sms, who, text("content"), at, vec![text("id")]);
    }

    /// The first unread one to somebody, which must say this; it is read then.
    #[track_caller]
    pub(super) fn expect(&mut self, way: Way, who: &str, text: &str) -> Arrived {
        let found = self.all.iter_mut().find(|one| !one.read && one.way == way && one.who == who);
        match found {
            Some(one) if one.text.contains(text) => {
                one.read = true;
                one.clone()
            }
            Some(one) => panic!("{who} got another {} than `{text}`: {one:?}", way.name()),
            None => {
                let unread = self.unread();
                panic!("no {} with `{text}` came to {who}; unread are {unread:#?}", way.name())
            }
        }
    }

    pub(super) fn unread(&self) -> Vec<&Arrived> {
        self.all.iter().filter(|one| !one.read).collect()
    }
}
