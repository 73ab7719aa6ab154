//! Words that only look as if they calmed an emergency, and words that do.

use fenliu::routing::knowledge::SignKind;
use fenliu::routing::{Example, Knowledge, Router, Verdict};
use serde::Deserialize;

use super::say;

/// Two texts of much the same words: one tells of an emergency, the other does not.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Twins {
    emergency: Option<String>,
    calm: Option<String>,
}

/// Emergencies, each told in words that no sentence below takes back.
const SIGNS: [&str; 12] = [
    "着火了",
    "锅炉爆炸了",
    "老人昏迷了",
    "娃娃掉河里了",
    "他要跳楼",
    "有人持刀砍人",
    "工人触电了",
    "两个人被困",
    "房子塌了压了人",
    "煤气中毒倒了两个",
    "有人被绑架",
    "车祸撞死人了",
];

fn kept_within(sentences: &[&str]) {
    for sentence in sentences {
        for sign in SIGNS {
            let text = sentence.replace("{}", sign);
            let said = say(&text);
            assert_ne!(said.verdict, Verdict::Divert, "{text}: {said:?}");
        }
    }
}

#[test]
fn a_character_within_another_word_denies_nothing() {
    kept_within(&[
        "未婚妻说{}",
        "别人家里{}",
        "非要等到{}才来吗",
        "不得了了{}",
        "没想到{}",
        "差不多十分钟前{}",
        "不知道为什么{}",
        "无业的表哥来说{}",
        "没办法了，{}",
        "不是吵架，是{}",
        "不是吵架是{}",
    ]);
}

#[test]
fn the_name_of_a_place_or_a_trade_fears_nothing() {
    kept_within(&[
        "社会福利院{}",
        "会计室里{}",
        "消防队对面{}",
        "工会楼下{}",
        "等会议散了才发现{}",
    ]);
}

#[test]
fn the_age_of_a_thing_or_of_a_marriage_does_not_date_what_happens() {
    kept_within(&["去年修的楼里{}", "前年买的房子，{}", "一年级教室{}", "结婚三年了，{}"]);
}

#[test]
fn what_is_not_over_yet_or_only_for_others_calms_nothing() {
    kept_within(&[
        "{}，没有扑灭",
        "{}，还没救出来",
        "{}，还没处理好",
        "{}，快送医院",
        "{}，不能走了，等人救出来",
        "{}，其他人都安全",
        "{}，隔壁没事",
        "{}，我自己没受伤",
        "{}，我看得清清楚楚",
        "住院部{}",
        "停车场{}",
        "安全出口锁了{}",
    ]);
}

#[test]
fn what_is_plainly_denied_may_be_diverted() {
    for text in [
        "没有着火，请物业修烟感",
        "没有人被困，请物业修电梯",
        "没有触电，请供电局修电箱",
        "没有爆炸，请燃气公司检修",
        "没有塌方，请公路部门清路",
        "没人溺水，请水利局修栏杆",
        "没有人昏迷，想投诉饭店油烟",
        "没人落水，请装护栏",
        "无人触电，请换电线",
        "去年有人触电，早就处理好了，没人受伤，请供电局换线",
    ] {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn electric_shocks_explosions_and_machines_that_keep_somebody_alive_are_held() {
    for text in [
        "路口的灯柱漏电，把学生麻到了",
        "鱼塘增氧机漏电，人被电翻在水边",
        "鞭炮作坊爆炸",
        "楼下液化气罐炸了",
        "停电两个钟头了，家里制氧机不转，老人憋得难受",
        "呼吸机一直报警，没电了",
    ] {
        assert_ne!(say(text).verdict, Verdict::Divert, "{text}");
    }
    // The machine alone endangers nobody.
    for text in ["制氧机租金押金不退，想投诉", "透析病人交通补助怎么申请"]
    {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn a_denial_or_an_end_that_is_only_asked_about_calms_nothing() {
    for text in [
        "没着火？你来看，火苗窜出来了",
        "没着火？你来看",
        "你说没着火?烟都出来了",
        "没有人被困？那你听下面谁在喊",
        "没死人？人都硬了",
        "不是着火？那是啥子",
        "着火了，你问灭了没？没有",
        "着火了，灭了吧？不晓得",
    ] {
        let said = say(text);
        assert_ne!(said.verdict, Verdict::Divert, "{text}: {said:?}");
    }
    // Something else is asked, and the denial stands.
    for text in ["没有着火，烟感一直响，能来修吗？", "没人受伤，路灯杆倒了，归哪个管？"]
    {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}: {:?}", say(text));
    }
}

#[test]
fn no_emergency_is_diverted_for_words_that_it_shares_with_a_calm_call() {
    let (mut calm, mut diverted) = (0, 0);
    for line in include_str!("twins.jsonl").lines() {
        let twins: Twins = serde_json::from_str(line).unwrap();
        if let Some(text) = &twins.emergency {
            let said = say(text);
            assert_ne!(said.verdict, Verdict::Divert, "{text}: {said:?}");
        }
        if let Some(text) = &twins.calm {
            calm += 1;
            diverted += usize::from(say(text).verdict == Verdict::Divert);
        }
    }
    assert!(calm >= 100 && diverted * 10 >= calm * 8, "{diverted} of {calm} calm calls");
}

#[test]
fn what_is_over_of_something_else_calms_nothing() {
    kept_within(&[
        "{}，小区已停电",
        "{}，气关了",
        "{}，水退了",
        "{}，路灯都灭了",
        "{}，我没动手",
        "{}，还没打119",
        "{}，围了百多人",
        "{}，旁边住院了的人在看",
        "{}，碎片散了一地",
    ]);
}

#[test]
fn what_came_before_it_does_not_make_a_fear_of_it() {
    kept_within(&["吃完饭以后{}", "开会以后{}", "再不来人就{}", "你们再不派人，{}"]);
}

#[test]
fn the_name_of_a_township_swallows_no_danger() {
    kept_within(&[
        "东安{}村民都在喊",
        "高燕{}村委会叫我打的",
        "修齐{}社区都晓得了",
        "有人在庙坝喊{}",
        "周溪上面{}",
    ]);
}

#[test]
fn no_figure_of_speech_hides_a_plain_danger() {
    // In which the word means something else whatever is said around them.
    const KNOWN: &str = "跳楼价 困难 贫困 特困 枪支玩具 玩具枪 水枪 油枪 加油枪 喷枪 高压枪 防溺水 防触电 \
        防坠落 防自杀 防火灾 吵死人了 臭死人了 烦死人了 气死人了 急死人了 累死人了 \
        笑死人了 愁死人了 脏死人了 贵死人了 恨死人了 吓死人了 油烟熏死人了 味熏死人了 味道熏死人了 \
        臭得熏死人了 排死人了 闹死人了 等死人了 磨死人了 慢死人了 忙死人了 颠死人了 堵死人了 响死人了 震死人了 \
        路被打烂 管被打断 管子被打断 线被打断 光缆被打断 抢我生意 抢我们生意 抢我客户 抢我客人 抢了我生意 \
        抢了我客户 被打白条 遭打白条 被打差评 打我电话 打我手机 打我座机 打我微信 掐着点 掐着时间 掐着饭点 \
        打农药 打除草剂 金山火锅 各自燃气";
    let signs = &super::knowledge().guard;
    let grave = signs.signs.iter().filter(|sign| sign.kind == SignKind::Danger);
    let words: Vec<&str> = grave
        .flat_map(|sign| {
            let all = if sign.weight >= 3 { sign.words.as_str() } else { "" };
            all.split_whitespace().chain(sign.plain.split_whitespace())
        })
        .collect();
    for figure in signs.grammar.figures.split_whitespace().filter(|one| !KNOWN.contains(*one)) {
        let hidden = words.iter().find(|word| figure.contains(**word));
        assert_eq!(hidden, None, "{figure}");
    }
}

#[test]
fn every_word_that_ends_something_ends_signs_that_there_are() {
    let signs = &super::knowledge().guard;
    let grammar = &signs.grammar;
    for over in grammar.ended.iter().chain(&grammar.contained_of) {
        for name in over.of.split_whitespace() {
            assert!(signs.signs.iter().any(|sign| sign.name == name), "{name}");
        }
    }
}

#[test]
fn no_slip_is_put_right_across_two_words() {
    for (text, never) in [
        ("家中独居老人想申请低保", "中毒"),
        ("请假要扣工资", "假药"),
        ("因为建高铁征地", "违建"),
        ("补刻公章", "补课"),
        ("五楼水龙头", "漏"),
        ("水井该修了", "井盖"),
        ("公交临停点", "停电"),
    ] {
        let read: String = super::router().read(text).text.iter().collect();
        assert!(!read.contains(never), "{text}: {read}");
    }
    // The slips themselves are.
    for (text, meant) in [("楼上楼水了", "漏水"), ("吃了中独", "中毒"), ("井该不见了", "井盖")]
    {
        let read: String = super::router().read(text).text.iter().collect();
        assert!(read.contains(meant), "{text}: {read}");
    }
}

#[test]
fn what_units_accepted_teaches_the_guard_nothing() {
    let text = "fire on board";
    let weighed = |knowledge: &Knowledge| {
        let router = Router::train(knowledge);
        router.weigh(&router.read(text))
    };
    let mut known = super::harbour();
    let before = weighed(&known);
    let accepted = |_| Example {
        text: text.to_owned(),
        units: vec!["cranes".to_owned()],
        divert: true,
        ..Example::default()
    };
    known.learn((0..200).map(accepted).collect());
    assert_eq!(known.examples.iter().filter(|example| example.own).count(), 200);
    assert_eq!(weighed(&known), before);
    // Whose matter it is, is learned.
    let router = Router::train(&known);
    assert!(router.suggest(text).units.iter().any(|unit| unit.code == "cranes"));
}

#[test]
fn an_end_that_is_said_of_something_else_still_asks() {
    for text in [
        "厨房着火了，我把门关掉跑出来了，娃还在里面",
        "隔壁楼着火了，我们家没着，楼上有人在喊",
        "屋头起火了，蜡烛灭了看不见路",
        "车着火了，车熄了火，司机没下来",
        "仓库着火了，工人自己灭火烧伤两个",
        "氯气泄漏，工人都散了还有两个没找到",
        "液氨泄漏，浓度测过很高",
        "氯气泄漏，学校大门已关，娃儿们在教室咳",
        "泥石流下来了，我们退了回来，前头那辆车不见了",
    ] {
        assert_ne!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn what_is_cried_out_is_not_feared() {
    for text in [
        "要是再不来我爸就没气了",
        "我妈会不会死啊没呼吸了",
        "怎么办会不会死叫不醒了",
        "我担心死了孩子掉井里了",
        "刚喝了半瓶敌敌畏",
        "她喝了一口百草枯",
        "两个人生死不明",
        "拿的不是玩具枪是真枪",
    ] {
        assert_ne!(say(text).verdict, Verdict::Divert, "{text}");
    }
}

#[test]
fn where_the_gas_is_off_nobody_has_stopped_breathing() {
    for text in [
        "我家没气了",
        "我家也没气了",
        "我们这栋也没气了",
        "燃气灶没气了",
        "天然气没气了",
        "整栋楼没气了，做不了饭",
        "停气了，没气了",
        "小区从昨晚就没气了，做不了饭",
        "天然气没气了什么时候来",
    ] {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}: {:?}", say(text));
    }
    for text in ["爷爷没气了", "人没气了", "捞上来没气了", "老人家没气了快来"]
    {
        assert_eq!(say(text).verdict, Verdict::Keep, "{text}");
    }
}

/// Matters of other bodies told in words that also tell of danger: a question at most.
const HARSH: [&str; 22] = [
    "同行抢我生意",
    "公司抢我客户",
    "出租车抢我客人",
    "农民工被打白条",
    "工资被打白条",
    "我的店被打差评",
    "请打我电话",
    "水表坏了请打我电话",
    "有事打我手机",
    "竹林被砍了",
    "玉米遭砍了",
    "路灯杆被撞倒了",
    "护栏被撞飞了",
    "垃圾桶被撞倒了",
    "石墩被车撞了",
    "路被打烂了",
    "水管被打断了",
    "油烟熏死人了",
    "排队排死人了，社保大厅",
    "金山火锅店油烟大",
    "公交掐着点就走",
    "各自燃气费",
];

#[test]
fn everyday_complaints_in_harsh_words_are_not_kept_and_most_are_not_asked_about() {
    let kept: Vec<&str> =
        HARSH.into_iter().filter(|text| say(text).verdict == Verdict::Keep).collect();
    assert!(kept.is_empty(), "{kept:?}");
    let asked: Vec<&str> =
        HARSH.into_iter().filter(|text| say(text).verdict == Verdict::Ask).collect();
    assert!(asked.len() <= HARSH.len() / 2, "{}: {asked:?}", asked.len());
}

#[test]
fn an_offence_that_is_over_and_hurt_nobody_is_still_asked_about() {
    for text in [
        "扇了耳光，人没大碍，想讨个说法",
        "打了一拳，没受伤，人已经走了",
        "喝醉酒掀了摊，现在人走了，没伤人",
        "收货就跑，打的白条，人找不到",
        "昨天三十多人围了镇政府，现在散了",
        "家里被偷了，没丢啥，就是备个案",
    ] {
        assert_ne!(say(text).verdict, Verdict::Divert, "{text}");
    }
    for text in ["路灯坏了好久，怕小偷", "又没偷又没抢，凭啥扣我工资"] {
        assert_eq!(say(text).verdict, Verdict::Divert, "{text}: {:?}", say(text));
    }
}

#[test]
fn what_units_accepted_in_another_language_stops_no_question() {
    let mut known = super::harbour();
    known.tuning.seen_pairs = 2;
    let emergencies = ["救命，车底下压着人", "他掉进河里了", "厨房起火了"];
    let verdicts = |knowledge: &Knowledge| {
        let router = Router::train(knowledge);
        emergencies.map(|text| router.suggest(text).verdict)
    };
    assert_eq!(verdicts(&known), [Verdict::Ask; 3]);
    let accepted = |_| Example {
        text: "救命钱都压着，车底下的货掉进河里了，厨房起火了要赔".to_owned(),
        units: vec!["cranes".to_owned()],
        divert: true,
        ..Example::default()
    };
    known.learn((0..50).map(accepted).collect());
    assert_eq!(verdicts(&known), [Verdict::Ask; 3], "nobody has seen them told as danger");
}
