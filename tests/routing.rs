//! The router as it is shipped: what dispatchers are told about calls, and how well.

mod guard;

use std::sync::OnceLock;

use fenliu::app::routing::{self, House};
use fenliu::config::settings::Settings;
use fenliu::routing::evaluate::{CallRecord, Prediction, Scores, Share};
use fenliu::routing::{Knowledge, Router, Suggestion, Verdict};

/// The house as it is shipped, trained once for all tests.
fn house() -> &'static House {
    static HOUSE: OnceLock<House> = OnceLock::new();
    HOUSE.get_or_init(|| {
        let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
        House::open(&Settings { home, ..Settings::default() }).unwrap()
    })
}

fn knowledge() -> &'static Knowledge {
    &house().knowledge
}

fn router() -> &'static Router {
    &house().router
}

fn say(text: &str) -> Suggestion {
    router().suggest(text)
}

/// A few examples of two harbour offices: enough to be trained in a moment.
fn harbour() -> Knowledge {
    let mut small = Knowledge { police: "watch".to_owned(), ..Knowledge::default() };
    for (unit, text) in [("cranes", "crane stuck"), ("divers", "rope in the water")] {
        for more in ["today", "since morning", "again"] {
            small.examples.push(fenliu::routing::Example {
                text: format!("{text} {more}"),
                units: vec![unit.to_owned()],
                divert: true,
                ..Default::default()
            });
        }
    }
    for text in ["fire on board", "man overboard", "fire in the hold"] {
        small.examples.push(fenliu::routing::Example {
            text: text.to_owned(),
            units: vec!["watch".to_owned()],
            emergency: true,
            ..Default::default()
        });
    }
    small
}

#[test]
fn the_shipped_knowledge_speaks_of_every_category_that_is_diverted() {
    let knowledge = knowledge();
    for category in knowledge.categories.iter().filter(|category| !category.kept) {
        let code = &category.code;
        let words = knowledge.lexicon.topics.contains_key(code);
        let example = knowledge.examples.iter().any(|one| one.category.as_ref() == Some(code));
        assert!(words || example, "{code} has neither words nor an example");
    }
}

#[test]
fn another_figure_or_word_is_another_model() {
    let name = |change: fn(&mut Knowledge)| {
        let mut known = harbour();
        change(&mut known);
        known.name()
    };
    let before = name(|_| {});
    assert_eq!(name(|_| {}), before);
    for changed in [
        name(|known| known.tuning.keep = 0.6),
        name(|known| known.tuning.rounds = 3),
        name(|known| known.guard.grammar.past = "yesterday".to_owned()),
        name(|known| known.frames.landmarks = "pier".to_owned()),
        name(|known| known.places.push("Kisima".to_owned())),
        name(|known| known.examples[0].emergency = true),
    ] {
        assert_ne!(changed, before);
    }
}

/// Judges the records of a file, answered as the service and `evaluate` answer them, against what is asked
/// for; of matters of the police at least the part `kept` must be kept or asked about.
fn reaches_the_bars(file: &str, records: u32, kept: f64) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let mut scores = Scores::default();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let record: CallRecord = serde_json::from_str(line).unwrap();
        scores.count(&record, &house().answer(&record));
    }
    let drawn = scores.draw();
    assert_eq!(scores.records, records);
    assert!(scores.top1.value().unwrap() >= 0.7, "{drawn}");
    assert!(scores.top3.value().unwrap() >= 0.9, "{drawn}");
    assert!(scores.kept_recall.value().unwrap() >= kept, "{drawn}");
    assert_eq!(scores.emergencies_diverted.hits, 0, "{drawn}");
    assert!(scores.held_back.value().unwrap() <= 0.12, "{drawn}");
}

#[test]
fn the_calls_of_the_demonstration_come_to_the_right_unit_and_no_emergency_is_diverted() {
    reaches_the_bars("config/demo/calls.jsonl", 150, 0.97);
}

#[test]
fn calls_that_nothing_was_learnt_from_come_to_the_right_unit_and_no_emergency_is_diverted() {
    let file = "tests/calls/unseen.jsonl";
    let text = std::fs::read_to_string(file).unwrap();
    for line in text.lines() {
        let record: CallRecord = serde_json::from_str(line).unwrap();
        let learnt = knowledge().examples.iter().any(|example| example.text == record.text);
        assert!(!learnt, "{} is an example, too", record.id);
    }
    reaches_the_bars(file, 1000, 0.97);
}

#[test]
fn of_strangers_calls_no_emergency_is_diverted_and_few_matters_of_the_police() {
    reaches_the_bars("tests/calls/strangers.jsonl", 300, 0.97);
    reaches_the_bars("tests/calls/newcomers.jsonl", 600, 0.97);
    reaches_the_bars("tests/calls/further.jsonl", 500, 0.97);
}

#[test]
fn of_emergencies_that_are_told_without_their_plain_words_none_is_diverted() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls/hints.jsonl");
    let mut scores = Scores::default();
    for line in std::fs::read_to_string(file).unwrap().lines() {
        let record: CallRecord = serde_json::from_str(line).unwrap();
        scores.count(&record, &house().answer(&record));
    }
    assert_eq!((scores.records, scores.emergencies_diverted.hits), (160, 0), "{}", scores.draw());
}

#[test]
fn danger_that_is_over_denied_or_feared_is_no_present_danger() {
    for (now, not) in [
        ("阳台起火了，老人还在屋里", "上个月阳台起过火，早就灭了，没伤到人，物业到现在没修"),
        ("电线掉下来打到人了，躺在地上不动", "电线垂得低，怕以后电到人，请来收一下"),
        ("屋里一股煤气味，人都晕倒了", "早上有点煤气味，关了阀门，开窗散了，测过没漏，请来检查"),
        ("两个人拿刀追着我打", "两家吵了几句，没动手，想找人调解"),
        ("娃掉进河里了，快来人", "河边没有护栏，怕娃掉进河里，建议装一个"),
    ] {
        assert_ne!(say(now).verdict, Verdict::Divert, "{now}");
        assert!(say(now).emergency, "{now}");
        let calm = say(not);
        assert!(calm.kept_per_mille < say(now).kept_per_mille, "{not}: {calm:?}");
        assert_ne!(calm.verdict, Verdict::Keep, "{not}: {calm:?}");
    }
}

#[test]
fn what_was_over_does_not_calm_what_has_begun_again() {
    for text in [
        "昨天着火扑灭了，今天又冒烟",
        "昨天灶房着火扑灭了今天又燃起来了",
        "之前煤气漏过，修好了，可是今天又闻到煤气味，人头昏",
        "火灭了，但是现在又烧起来了，屋里还有人",
        "前天打架散了，现在又打起来了，有人流血",
        "去年滑过坡，今天又在往下垮，屋里有人",
    ] {
        let said = say(text);
        assert_ne!(said.verdict, Verdict::Divert, "{text}: {said:?}");
        assert!(said.emergency, "{text}: {said:?}");
    }
    // Another word for now does not make danger of what is over.
    for text in [
        "上个月着过火，现在没人来修墙",
        "着火了，现在已经扑灭，没有伤人，问物业赔不赔",
        "以前打过架，现在想调解",
    ] {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn danger_of_which_nobody_is_sure_is_asked_about_in_its_own_words() {
    for (text, word) in [
        ("厨房可能漏气", "漏气"),
        ("怀疑楼下燃气泄漏", "泄漏"),
        ("好像有东西烧糊的味道，不晓得是不是着火了", "着火"),
        ("疑似有人被困电梯", "被困"),
    ] {
        let said = say(text);
        assert_eq!(said.verdict, Verdict::Ask, "{text}: {said:?}");
        let question = said.question.unwrap();
        assert!(question.zh.contains(word), "{text}: {question}");
    }
    // What is feared for later is no doubt about now.
    for text in ["怕以后漏气，想请燃气公司来换管子", "电线杆可能会倒，请供电公司来看"]
    {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn a_crime_that_is_over_stays_with_the_police_without_being_an_emergency() {
    for text in ["昨晚摩托车被偷了，锁剪断丢在地上", "网上刷单被骗了三万，对方把我拉黑了"]
    {
        let said = say(text);
        assert_ne!(said.verdict, Verdict::Divert, "{text}");
        assert!(!said.emergency, "{text}: {said:?}");
        assert_eq!(said.units[0].code, "gongan", "{text}");
    }
}

#[test]
fn slips_of_the_keyboard_and_dialect_are_read_as_they_are_meant() {
    for (text, unit) in [
        ("试用期过了老板不签劳动和同，工姿也没发", "renshe"),
        ("亭电一天了，冰箱里面的肉都化了", "gongdian"),
        ("屋头没得水，水龙头一滴都没得，啷个办", "huimin"),
        ("快弟包裹丢了，驿占不赔", "youguan"),
    ] {
        assert_eq!(say(text).units[0].code, unit, "{text}");
    }
}

#[test]
fn where_the_caller_stands_says_nothing_about_the_matter() {
    let said = say("人在高燕卫生院对面，路灯一排都不亮");
    assert_eq!(said.units[0].code, "chengguan", "{said:?}");
}

#[test]
fn a_suggestion_says_why_and_what_would_change_it() {
    let said = say("工地半夜还在打桩，吵得睡不着");
    let kinds: Vec<&str> = said.reasons.iter().map(|reason| reason.kind.as_str()).collect();
    for wanted in ["words", "clause", "change"] {
        assert!(kinds.contains(&wanted), "{kinds:?}");
    }
    assert!(said.reasons.iter().any(|reason| reason.text.zh.contains("县环保局")), "{said:?}");
}

#[test]
fn an_empty_or_strange_text_gets_an_answer_too() {
    for text in ["", "。。。", "hello 😀", "１２３４５", "一"] {
        let said = say(text);
        assert!(!said.units.is_empty(), "{text}");
        assert!(said.kept_per_mille <= 1000 && said.confidence_per_mille <= 1000, "{text}");
    }
}

#[test]
fn what_says_too_little_or_is_in_another_language_is_asked_about_and_given_to_nobody() {
    for text in [
        "",
        "  。。",
        "救",
        "火",
        "呜呜呜",
        "help, someone is trapped under the truck",
        "안녕하세요",
    ] {
        let said = say(text);
        assert_eq!(said.verdict, Verdict::Ask, "{text}");
        assert_eq!(said.confidence_per_mille, 0, "{text}: {said:?}");
        assert!(said.question.is_some(), "{text}");
        let units: Vec<&str> = said.units.iter().map(|unit| unit.code.as_str()).collect();
        assert_eq!((units, said.categories.len()), (vec!["gongan"], 0), "{text}");
        assert_eq!(said.reasons[0].kind, "unread", "{text}");
        assert!(said.reasons[0].text.zh.contains("无法判断"), "{text}");
    }
}

#[test]
fn a_few_words_that_tell_of_danger_plainly_are_kept_with_the_police_first() {
    for text in [
        "我要自杀",
        "住院部着火",
        "学校着火了",
        "有人跳河",
        "有人持刀",
        "老人昏迷了",
        "娃掉河里了",
        "他要杀我",
        "快来，车里着火",
        "房子着了",
        "化工厂爆炸",
        "孩子被车撞了",
    ] {
        let said = say(text);
        assert_eq!(said.verdict, Verdict::Keep, "{text}: {said:?}");
        assert!(said.emergency, "{text}: {said:?}");
        assert_eq!(said.units[0].code, "gongan", "{text}");
        assert_eq!(said.question, None, "{text}");
    }
    // Few words that say something else are not.
    for text in [
        "没有着火",
        "怕着火",
        "去年着过火",
        "防溺水宣传",
        "消防演练",
        "火已经扑灭了",
        "火灾后补助",
        "触电赔偿找谁",
        "累得想死",
        "喇叭吵死人了",
    ] {
        assert_ne!(say(text).verdict, Verdict::Keep, "{text}: {:?}", say(text));
    }
    // An offence in a few words is asked about at least.
    for text in ["我家进贼了", "摩托被偷", "有小偷"] {
        assert_ne!(say(text).verdict, Verdict::Divert, "{text}: {:?}", say(text));
    }
}

#[test]
fn the_same_knowledge_gives_the_same_model_and_another_word_another_name() {
    let (one, other) = (Router::train(&harbour()), Router::train(&harbour()));
    for text in ["crane stuck", "fire", "rope"] {
        assert_eq!(one.suggest(text), other.suggest(text));
    }
    let mut more = harbour();
    more.examples[0].text.push('!');
    assert_ne!(Router::train(&more).name(), one.name());
}

#[test]
fn nothing_about_one_county_is_known_to_the_program() {
    let router = Router::train(&harbour());
    assert_eq!(router.suggest("the crane is stuck").units[0].code, "cranes");
    assert_eq!(router.suggest("fire on board").units[0].code, "watch");
}

#[test]
fn records_without_labels_are_answered_and_not_scored() {
    let record: CallRecord = serde_json::from_str(r#"{"id":"x1","text":"停水三天了"}"#).unwrap();
    let said = Prediction::of(&record.id, &say(&record.text));
    let mut scores = Scores::default();
    scores.count(&record, &said);
    assert_eq!((scores.records, scores.top1.of, scores.kept_recall.of), (1, 0, 0));
    assert!(scores.draw().contains("no such records"));
    let line = serde_json::to_value(&said).unwrap();
    for key in ["id", "units", "divert", "emergency", "confidence", "reasons"] {
        assert!(line.get(key).is_some(), "{key}");
    }
}

#[test]
fn shares_say_how_much_room_chance_has() {
    let share = Share { hits: 97, of: 100 };
    let (low, high) = share.interval().unwrap();
    // Wilson's interval as tables have it.
    assert!((low - 0.9155).abs() < 0.001 && (high - 0.9897).abs() < 0.001, "{low} {high}");
    assert_eq!(Share::default().value(), None);
}

#[test]
fn the_command_line_answers_a_file_of_records() {
    let folder = std::env::temp_dir().join(format!("fenliu-routing-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, answers) = (folder.join("calls.jsonl"), folder.join("answers.jsonl"));
    std::fs::write(&file, "{\"id\":\"1\",\"text\":\"井盖没了\",\"place\":null}\n\n").unwrap();
    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let settings = Settings { home, ..Settings::default() };
    let report = routing::evaluate(&settings, &file, Some(&answers)).unwrap();
    assert!(report.text.contains("records: 1"), "{}", report.text);
    let written = std::fs::read_to_string(&answers).unwrap();
    let said: serde_json::Value = serde_json::from_str(written.trim()).unwrap();
    assert_eq!(said["id"], "1");
    assert_eq!(said["units"][0], "chengguan");
    assert_eq!(said["divert"], true);
    std::fs::write(&file, "{\"id\":\"1\"").unwrap();
    let error = routing::evaluate(&settings, &file, None).unwrap_err();
    assert!(error.contains("calls.jsonl:1"), "{error}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// A harbour with a few examples, in a folder of its own, and the settings that find it.
fn small_house(name: &str) -> (std::path::PathBuf, Settings) {
    let home = std::env::temp_dir().join(format!("fenliu-{name}-{}", std::process::id()));
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/routing/chinese");
    let (chinese, own) = (home.join("routing/chinese"), home.join("routing/kisima"));
    for folder in [&chinese, &own, &home.join("jurisdictions")] {
        std::fs::create_dir_all(folder).unwrap();
    }
    for file in ["concepts.yaml", "frames.yaml", "guard.yaml"] {
        std::fs::copy(shipped.join(file), chinese.join(file)).unwrap();
    }
    let who = "code: kisima\nname: { zh: 基西马港, en: Port of Kisima }\ncalendar: kisima\n\
        bodies: { desk: watch, police: watch }\npeople: []\ncategories: []\nunits:\n\
        \x20 - { code: watch, name: { zh: 港警, en: Watch }, kind: body }\n\
        \x20 - { code: cranes, name: { zh: 吊机队, en: Cranes }, kind: department }\n\
        \x20 - { code: divers, name: { zh: 潜水队, en: Divers }, kind: department }\n";
    std::fs::write(home.join("jurisdictions/kisima.yaml"), who).unwrap();
    std::fs::write(own.join("lexicon.yaml"), "topics: {}\n").unwrap();
    std::fs::write(own.join("tuning.yaml"), "rounds: 6\n").unwrap();
    let example = |number: usize| {
        let (unit, text) = [("cranes", "吊机卡住了"), ("divers", "缆绳缠住了螺旋桨")][number % 2];
        let line = serde_json::json!({ "text": format!("{number}号码头{text}"), "units": [unit],
            "divert": true });
        format!("{line}\n")
    };
    let examples: String = (0..24).map(example).collect();
    std::fs::write(own.join("examples.jsonl"), examples).unwrap();
    (home.clone(), Settings { home, ..Settings::default() })
}

#[test]
fn cross_validation_judges_each_text_by_what_was_learned_from_the_others() {
    let (home, settings) = small_house("folds");
    let (file, answers) = (home.join("calls.jsonl"), home.join("answers.jsonl"));
    // What only these two say is learned from the one for the other, never from itself.
    let labelled = "{\"id\":\"1\",\"text\":\"吊机不动\",\"units\":[\"cranes\"],\"divert\":true}\n\
        {\"id\":\"2\",\"text\":\"缆绳断在水里\",\"units\":[\"divers\"],\"divert\":true}\n\
        {\"id\":\"3\",\"text\":\"没有标注\"}\n";
    std::fs::write(&file, labelled).unwrap();
    let judge = |folds| routing::cross_validate(&settings, Some(&file), folds, Some(&answers));
    let report = judge(3).unwrap().text;
    assert!(report.contains("of the file, 2 of 3 labelled\nrecords: 2\n"), "{report}");
    assert!(report.contains("of the examples of the training\nrecords: 24\n"), "{report}");
    assert!(report.contains(" % ["), "intervals: {report}");
    assert_eq!(std::fs::read_to_string(&answers).unwrap().lines().count(), 2);
    // The same again is the same.
    assert_eq!(judge(3).unwrap().text, report);
    // Without a file the examples alone are judged.
    let alone = routing::cross_validate(&settings, None, 2, None).unwrap().text;
    assert!(!alone.contains("of the file") && alone.contains("records: 24"), "{alone}");
    std::fs::write(&file, "{\"id\":\"1\",\"text\":\"没有标注\"}\n").unwrap();
    let nothing = judge(2).unwrap_err();
    assert!(nothing.contains("calls.jsonl") && nothing.contains("units"), "{nothing}");
    std::fs::remove_dir_all(home).unwrap();
}

#[test]
fn a_text_and_its_doubles_are_judged_in_one_fold() {
    let fold = |text: &str| fenliu::routing::evaluate::fold_of(text, 5);
    assert_eq!(fold("路灯不亮"), fold("路灯不亮"));
    let used: std::collections::BTreeSet<u64> =
        (0..100).map(|number| fold(&format!("{number}号路灯不亮"))).collect();
    assert_eq!(used, (0..5).collect());
}
