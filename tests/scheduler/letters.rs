//! What people read: the workflow's sentence in its template, in their own language.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use fenliu::channel::{Channel, Letter, Outcome};
use fenliu::config::texts;
use fenliu::domain::{Actor, Delivery, Language, Rules};
use fenliu::gate::Caller;
use fenliu::scheduler::outbox::{Options, Outbox};
use fenliu::template::Templates;
use futures_util::future::BoxFuture;

use super::house::{House, LEADER, LIAISON, run, turn};

/// Keeps what was handed over.
#[derive(Default)]
struct Kept(Mutex<Vec<Letter>>);

impl Channel for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn send<'a>(&'a self, letter: &'a Letter) -> BoxFuture<'a, Outcome> {
        self.0.lock().unwrap().push(letter.clone());
        Box::pin(std::future::ready(Outcome::ACCEPTED))
    }
}

/// What people get when one matter is overdue, by name.
async fn received(house: &House, channel: &str) -> BTreeMap<String, Letter> {
    house.register("ordinary").await;
    house.set("2026-03-02T11:00:00+08:00");
    house.run_clocks(&mut house.clocks()).await;
    let kept = Arc::new(Kept::default());
    let way: Arc<Kept> = Arc::clone(&kept);
    turn(&mut Outbox::new(house.duty.clone(), channel, way, Options::default())).await;
    let letters = std::mem::take(&mut *kept.0.lock().unwrap());
    letters.into_iter().map(|letter| (letter.name.clone(), letter)).collect()
}

fn administrator(house: &House) -> Caller {
    Caller { actor: Actor::System, jurisdiction: house.jurisdiction }
}

fn with(name: &str, text: &str) -> Templates {
    let mut files = Templates::shipped_files();
    files.insert(name.to_owned(), text.to_owned());
    Templates::read(files).unwrap()
}

#[test]
fn the_files_of_the_folder_are_those_in_the_program() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/templates");
    let found = texts::read(std::path::Path::new(folder)).unwrap();
    assert_eq!(found, Templates::shipped_files(), "list new files in src/template/shipped.rs");
}

#[test]
fn each_person_is_told_in_its_own_language() {
    run(async {
        let house = House::new();
        let rules = Rules { language: Language::En, ..Rules::default() };
        house.gate.put_rules(&administrator(&house), LEADER, &rules).unwrap();
        let letters = received(&house, "sms").await;
        let number = house.messages()[0].subject.split(' ').next_back().unwrap().to_owned();
        assert_eq!(letters["liaison"].text, format!("{number}逾期"));
        assert_eq!(letters["liaison"].subject, format!("【南县】事项 {number}"));
        assert_eq!(letters["leader"].text, format!("{number} is overdue"));
        assert_eq!(letters["leader"].subject, format!("[Nanxian] matter {number}"));
        assert!(letters["leader"].html.is_none(), "an SMS has no HTML");
    });
}

#[test]
fn a_text_may_be_worded_anew_for_one_channel_with_the_fields_of_the_matter() {
    run(async {
        let house = House::new();
        let own = "{{ fields.place }}：{{ tier.word }}事项逾期（{{ fields.status }}）";
        let templates = with("zh/texts/matter.over.sms.txt", own);
        house.gate.use_templates(templates, "").unwrap();
        let letters = received(&house, "sms").await;
        let text = &letters["leader"].text;
        assert!(text.ends_with("：一般事项逾期（overdue）"), "{text}");
        assert_eq!(house.messages().last().unwrap().body, *text, "lists show what is sent");
    });
}

#[test]
fn a_person_who_wishes_it_is_told_by_mail_besides_the_sms_of_the_workflow() {
    run(async {
        let house = House::new();
        let rules = Rules { normal: vec!["email".to_owned()], ..Rules::default() };
        house.gate.put_rules(&administrator(&house), LEADER, &rules).unwrap();
        let mails = received(&house, "email").await;
        assert_eq!(mails.keys().collect::<Vec<_>>(), ["leader"]);
        let to_leader = house.messages().into_iter().filter(|m| m.to.person() == Some(LEADER));
        let channels: Vec<String> = to_leader.map(|message| message.channel).collect();
        assert_eq!(channels, ["sms", "email"]);
    });
}

#[test]
fn a_code_that_has_been_sent_is_kept_nowhere() {
    run(async {
        let house = House::new();
        house.gate.send_code(&administrator(&house), LIAISON, "email").unwrap();
        let body = house.messages()[0].body.clone();
        let code: String = body.chars().filter(char::is_ascii_digit).take(6).collect();
        let kept = Arc::new(Kept::default());
        let way: Arc<Kept> = Arc::clone(&kept);
        turn(&mut Outbox::new(house.duty.clone(), "email", way, Options::default())).await;
        assert!(kept.0.lock().unwrap()[0].text.contains(&code));
        let row = house.messages().remove(0);
        assert_eq!((row.state, row.body.as_str()), (Delivery::Sent, ""));
        assert!(!row.subject.contains(&code));
        house.gate.prove_contact(&administrator(&house), LIAISON, "email", &code).unwrap();
    });
}

#[test]
fn templates_that_do_not_fit_the_workflows_are_refused_and_change_nothing() {
    run(async {
        let house = House::new();
        let wrong = with("zh/texts/matter.over.sms.txt", "{{ fields.caller }}");
        let refused = house.gate.use_templates(wrong, "https://x.example").unwrap_err();
        let sentence = refused.to_string();
        assert!(sentence.starts_with("zh/texts/matter.over.sms.txt:1: "), "{sentence}");
        assert_eq!(house.gate.public_url(), "");
        let letters = received(&house, "sms").await;
        assert!(letters["leader"].text.ends_with("逾期"));
    });
}

#[test]
fn a_template_that_breaks_at_night_holds_no_message_back() {
    run(async {
        let house = House::new();
        // Sound with every sample; what it asks for is not there for this person.
        let fragile = "{{ sentence }}{% if name == 'liaison' %}{{ gaps[7].x }}{% endif %}";
        let templates = with("zh/alert.sms.txt", fragile);
        house.gate.use_templates(templates, "").unwrap();
        let letters = received(&house, "sms").await;
        assert!(letters["liaison"].text.ends_with("逾期"), "{:?}", letters["liaison"]);
        assert_eq!(letters.len(), 2);
        assert_ne!(LIAISON, LEADER);
    });
}
