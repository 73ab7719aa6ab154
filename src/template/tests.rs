use super::*;
use crate::chart::{self, Chart};

fn shipped() -> Templates {
    Templates::shipped().unwrap_or_else(|faults| panic!("{faults:#?}"))
}

fn sources() -> BTreeMap<String, String> {
    Templates::shipped_files()
}

/// The files of the distribution with one more, or another one.
fn with(name: &str, text: &str) -> Result<Templates, Vec<Fault>> {
    let mut sources = sources();
    sources.insert(name.to_owned(), text.to_owned());
    Templates::read(sources)
}

#[track_caller]
fn only_fault(read: Result<Templates, Vec<Fault>>) -> String {
    let faults = read.expect_err("it was taken for sound");
    assert_eq!(faults.len(), 1, "{faults:#?}");
    faults[0].to_string()
}

/// The shipped workflows.
fn charts() -> Vec<Chart> {
    let sources = [
        include_str!("../../workflows/co_task.yaml"),
        include_str!("../../workflows/convenience_measure.yaml"),
        include_str!("../../workflows/dispatch_order.yaml"),
        include_str!("../../workflows/incident.yaml"),
        include_str!("../../workflows/referral.yaml"),
        include_str!("../../workflows/supervision.yaml"),
        include_str!("../../workflows/vehicle_mark.yaml"),
    ];
    sources.into_iter().map(|source| chart::compile(source).0.unwrap()).collect()
}

fn sample(public_url: &str) -> Sample {
    let office = crate::domain::Text::new("城口县", "Chengkou County");
    Sample { office, public_url: public_url.to_owned() }
}

fn alert() -> About {
    let mut about = About::default_sample(Language::Zh, &sample("https://fl.example"));
    about.items.clear();
    about
}

#[test]
fn every_text_of_the_shipped_workflows_can_be_said_in_every_channel_and_language() {
    let charts = charts();
    let checked = shipped().check(&charts, &sample("https://fl.example"));
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    let texts: usize = charts.iter().map(|chart| chart.texts.len()).sum();
    assert!(texts > 100, "{texts}");
}

#[test]
fn without_links_nearly_every_chinese_alert_is_one_sms() {
    let charts = charts();
    let checked = shipped().check(&charts, &sample(""));
    let long: Vec<String> = checked
        .warnings
        .iter()
        .filter(|warning| warning.language == Language::Zh)
        .map(ToString::to_string)
        .collect();
    let texts: usize = charts.iter().map(|chart| chart.texts.len()).sum();
    assert!(long.len() * 10 <= texts, "{} of {texts}:\n{}", long.len(), long.join("\n"));
}

#[test]
fn an_unknown_variable_is_said_with_file_line_and_the_known_ones() {
    let fault = only_fault(with("zh/alert.sms.txt", "{{ sentence }}\n{{ caller_phone }}\n"));
    assert!(
        fault.starts_with(
            "zh/alert.sms.txt:2: there is no variable `caller_phone` here; the variables are: "
        ),
        "{fault}"
    );
    assert!(fault.contains(" sentence, ") && fault.contains("tier.word"), "{fault}");
    // Also where no sample would come by.
    let fault =
        only_fault(with("zh/test.txt", "{% if urgent and not urgent %}{{ nmae }}{% endif %}"));
    assert!(fault.contains("`nmae`"), "{fault}");
    let fault =
        only_fault(with("en/bundle.txt", "{% for item in items %}{{ item.place }}{% endfor %}"));
    assert!(fault.starts_with("en/bundle.txt:1: it asks for something"), "{fault}");
}

#[test]
fn all_faults_are_said_at_once() {
    let mut sources = sources();
    sources.remove("en/digest.txt");
    sources.insert("zh/alert.txt".to_owned(), "{% if %}".to_owned());
    sources.insert("zh/alrt.txt".to_owned(), "x".to_owned());
    sources.insert("zh/alert.smss.txt".to_owned(), "x".to_owned());
    sources.insert("fr/alert.txt".to_owned(), "x".to_owned());
    let faults = Templates::read(sources).unwrap_err();
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let all = said.join("\n");
    for part in [
        "en/digest.txt: it is missing",
        "zh/alert.txt:1: syntax error",
        "zh/alrt.txt: no message is of the kind `alrt`; kinds are: alert, code,",
        "zh/alert.smss.txt: this is no name for a text of kind `alert`",
        "fr/alert.txt: nothing asks for a file of this name",
    ] {
        assert!(all.contains(part), "{part}\n{all}");
    }
}

// Check 25.
#[test]
fn an_endless_loop_is_broken_off() {
    let four = ["a", "b", "c", "d"].map(|name| format!("{{% for {name} in sentence %}}"));
    let endless = format!("{}x{}", four.concat(), "{% endfor %}".repeat(4));
    let fault = only_fault(with("zh/test.txt", &endless));
    assert!(fault.contains("it takes more than 50000 steps"), "{fault}");
}

// Check 25.
#[test]
fn a_template_reaches_no_file() {
    for reach in ["{% include \"/etc/passwd\" %}", "{% include \"../fenliu.toml\" %}"] {
        let faults = with("zh/test.txt", reach).unwrap_err();
        assert!(faults[0].what.contains("template not found"), "{faults:?}");
    }
}

// Check 20.
#[test]
fn html_is_escaped_and_plain_text_is_not() {
    let mut about = alert();
    about.sentence = "<b>A & B</b>".to_owned();
    let mail = shipped().write(Language::En, Kind::Alert, "email", &about).unwrap();
    assert!(mail.text.contains("<b>A & B</b>"));
    let html = mail.html.unwrap();
    assert!(html.contains("&lt;b&gt;A &amp; B&lt;") && !html.contains("<b>A"), "{html}");
}

#[test]
fn a_mail_has_one_button_with_the_link_and_the_same_in_text() {
    let mail = shipped().write(Language::Zh, Kind::Alert, "email", &alert()).unwrap();
    assert_eq!(mail.subject, "【城口县】非紧急求助警情分流 00000017（较大）");
    assert!(mail.text.contains("确认收到：https://fl.example/a/"), "{}", mail.text);
    let html = mail.html.unwrap();
    assert_eq!(html.matches("确认收到 / Acknowledge</a>").count(), 1);
    let without = About { link: String::new(), ..alert() };
    let mail = shipped().write(Language::Zh, Kind::Alert, "email", &without).unwrap();
    assert!(!mail.html.unwrap().contains("Acknowledge"));
    assert!(!mail.text.contains("确认收到"));
}

#[test]
fn each_person_reads_its_own_language() {
    let about = About { code: "042137".to_owned(), ..alert() };
    let said = |language| shipped().write(language, Kind::Code, "sms", &about).unwrap().text;
    assert_eq!(
        said(Language::Zh),
        "【城口县】验证码042137，10分钟内有效，用于确认您的联系方式。请勿转告他人。"
    );
    assert_eq!(
        said(Language::En),
        "城口县: your code is 042137, good for 10 minutes. Tell it to nobody."
    );
}

#[test]
fn a_code_cannot_be_put_into_a_subject() {
    let fault = only_fault(with("zh/code.subject.txt", "验证码{{ code }}"));
    assert!(fault.contains("there is no variable `code` here"), "{fault}");
}

#[test]
fn several_alerts_become_one_summary() {
    let mut about = alert();
    let item = |number: &str| Item { number: number.to_owned(), ..Item::default() };
    about.items = vec![item("00000017"), item("00000018")];
    about.link = String::new();
    let sms = shipped().write(Language::Zh, Kind::Alert, "sms", &about).unwrap();
    assert_eq!(sms.text, "【汇总】2条提醒：00000017、00000018");
}

#[test]
fn one_text_of_one_workflow_can_be_worded_shorter_for_sms_alone() {
    let templates =
        with("zh/texts/referral.overdue.sms.txt", "{{ number }}{{ fields.unit }}逾期").unwrap();
    let checked = templates.check(&charts(), &sample(""));
    assert!(checked.faults.is_empty(), "{:#?}", checked.faults);
    let mut about = alert();
    about.fields.insert("unit".to_owned(), "县环保局".to_owned());
    let sentence = |channel| {
        templates.sentence(Language::Zh, ("referral", "overdue"), channel, &about).unwrap()
    };
    assert_eq!(sentence("sms").as_deref(), Some("00000017县环保局逾期"));
    assert_eq!(sentence("email"), None);
}

#[test]
fn a_wording_for_a_text_or_a_field_that_there_is_not_refuses_the_start() {
    let templates = with("zh/texts/referral.overdu.sms.txt", "{{ number }}").unwrap();
    let strays = templates.check(&charts(), &sample("")).strays;
    assert!(strays[0].to_string().contains("has a text `overdu`"), "{strays:?}");
    let templates =
        with("zh/texts/referral.overdue.sms.txt", "{{ number }}\n{{ fields.unti }}").unwrap();
    let faults = templates.check(&charts(), &sample("")).faults;
    assert_eq!((faults.len(), faults[0].line), (1, Some(2)), "{faults:?}");
}

#[test]
fn a_callers_personal_data_cannot_be_said_in_any_way() {
    let referral = include_str!("../../workflows/referral.yaml");
    let (chart, _) = chart::compile(referral);
    let chart = chart.unwrap();
    let personal: Vec<&str> = chart
        .commands
        .values()
        .chain([&chart.start])
        .flat_map(|command| &command.input)
        .filter(|input| input.personal)
        .map(|input| input.name.as_str())
        .collect();
    assert!(personal.contains(&"caller_phone"), "{personal:?}");
    for name in personal {
        // The workflow itself cannot …
        let text = "  half_time: { zh: \"【提醒】";
        assert!(referral.contains(text));
        let told = referral.replace(text, &format!("{text}{{{name}}}"));
        let (chart, findings) = chart::compile(&told);
        assert!(chart.is_none(), "{name}");
        assert!(findings.iter().any(|found| found.message.contains(name)), "{findings:?}");
        // … nor can a template, in any way.
        for file in ["zh/alert.sms.txt", "zh/texts/referral.overdue.sms.txt"] {
            assert!(with(file, &format!("{{{{ {name} }}}}")).is_err(), "{file}");
        }
        let asked = format!("{{{{ fields.{name} }}}}");
        let templates = with("zh/texts/referral.overdue.sms.txt", &asked).unwrap();
        assert_eq!(templates.check(&charts(), &sample("")).faults.len(), 1, "{name}");
    }
}

#[test]
fn an_sms_never_has_more_than_ten_parts_and_keeps_its_link() {
    let mut about = alert();
    about.sentence = "办".repeat(3000);
    let sms = shipped().write(Language::Zh, Kind::Alert, "sms", &about).unwrap().text;
    assert_eq!(parts(units(&sms)), SMS_PARTS);
    assert!(sms.contains("…确认：https://fl.example/a/"), "{sms}");
    // Letters outside the basic plane take two units each and are never cut through.
    about.sentence = "𠀀".repeat(3000);
    let sms = shipped().write(Language::Zh, Kind::Alert, "sms", &about).unwrap().text;
    assert!(parts(units(&sms)) <= SMS_PARTS);
}

#[test]
fn the_length_of_an_sms_is_counted_as_networks_do() {
    assert_eq!(units("城口县"), 3);
    assert_eq!(units("𠀀"), 2);
    assert_eq!((parts(70), parts(71), parts(134), parts(135)), (1, 2, 2, 3));
}

// Check 23.
#[test]
fn a_subject_is_one_line_whatever_the_file_says() {
    let templates = with("zh/test.subject.txt", "一\n二\n").unwrap();
    let written = templates.write(Language::Zh, Kind::Test, "email", &alert()).unwrap();
    assert_eq!(written.subject, "一 二");
}
