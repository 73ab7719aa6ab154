//! A file of calls sent by the program itself: whole, again, and with rows that are wrong.

use std::path::Path;
use std::process::{Command, Output};

use crate::process::FENLIU;

use super::house::House;

fn import(house: &House, token: &str, file: &Path, report: &Path) -> Output {
    Command::new(FENLIU)
        .args(["intake", "import", "--source", "paper", "--server", &house.base, "--report"])
        .arg(report)
        .arg(file)
        .env("FENLIU_TOKEN", token)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_imported_once_however_often_it_is_sent() {
    let house = House::start("");
    let (_, token) = house.somebody("gongan.dispatcher").await;
    let folder = std::env::temp_dir().join(format!("fenliu-intake-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, report) = (folder.join("paper.csv"), folder.join("not-taken.csv"));
    let head = "来源编号,警情内容,地点,事项类别,性质,匿名\n";
    let row = |number: usize| {
        format!("P-{number},\"停电，第{number}户\",葛城街道,停电/线路故障,求助,是\n")
    };
    let rows: String = (1..=230).map(row).collect();
    std::fs::write(&file, format!("{head}{rows}")).unwrap();
    let first = import(&house, &token, &file, &report);
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(first.status.success(), "{said}{}", String::from_utf8_lossy(&first.stderr));
    assert!(said.contains("230 rows: 230 registered, 0 known already, 0 not taken"), "{said}");
    // Progress as lines, where nobody looks.
    let progress = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(progress.lines().count(), 3, "{progress}");
    assert!(progress.contains("230/230"), "{progress}");
    // Interrupted or not: sent again, with one row more and one that is wrong.
    let more = format!("{head}{rows}{}P-232,停电,葛,停电/线路故障,求助,是\n", row(231));
    std::fs::write(&file, more).unwrap();
    let again = import(&house, &token, &file, &report);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(!again.status.success(), "a row that was not taken is a failure");
    assert!(said.contains("232 rows: 1 registered, 230 known already, 1 not taken"), "{said}");
    assert!(said.contains("paper.csv:233: place: "), "{said}");
    let table = std::fs::read_to_string(&report).unwrap();
    assert!(table.contains("233,refused,,place,"), "{table}");
    // The report tells of every row.
    assert_eq!(table.lines().count(), 1 + 232, "{table}");
    assert!(table.contains("\n2,known,0"), "{table}");
    assert!(table.contains("\n232,registered,0"), "{table}");
    let refused = import(&house, "fenliu_nosuch", &file, &report);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("401"));
    let complaint = |token: &str, name: &str, text: &str| {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        let output = import(&house, token, &file, &report);
        assert!(!output.status.success(), "{name} was taken");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (name, text) in [("empty.csv", ""), ("head.csv", head), ("empty.jsonl", "\n")] {
        let said = complaint(&token, name, text);
        assert!(said.contains("there are no rows"), "{name}: {said}");
    }
    let said = complaint(&token, "paper.txt", head);
    assert!(said.contains(".csv") && said.contains(".jsonl"), "{said}");
    let (_, liaison) = house.somebody("huanbao.liaison").await;
    let said = complaint(&liaison, "paper.csv", &format!("{head}{rows}"));
    assert!(said.lines().count() == 1 && said.contains("may not register"), "{said}");
    std::fs::remove_dir_all(folder).unwrap();
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_rows_of_a_file_are_passed_over_and_the_lines_are_those_of_the_file() {
    let house = House::start("");
    let (_, token) = house.somebody("gongan.dispatcher").await;
    let folder = std::env::temp_dir().join(format!("fenliu-empty-rows-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, report) = (folder.join("paper.csv"), folder.join("not-taken.csv"));
    let head = "来源编号,警情内容,地点,事项类别,性质,匿名\r\n";
    let row = |number: String| format!("{number},停电,葛城街道,停电/线路故障,求助,是\r\n");
    let rows: String = (1..=100).map(|number| row(format!("P-{number}"))).collect();
    // One at the end, where the piece is full.
    std::fs::write(&file, format!("{head}{rows},,,,,\r\n")).unwrap();
    let first = import(&house, &token, &file, &report);
    let said = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(first.status.success(), "{said}{}", String::from_utf8_lossy(&first.stderr));
    assert!(said.contains("100 rows: 100 registered, 0 known already, 0 not taken"), "{said}");
    // More than a whole piece of them in the middle: what is below is sent, too.
    let empty = ",,,,,\r\n".repeat(150);
    let below: String = (101..=109).map(|number| row(format!("P-{number}"))).collect();
    let shortened = row("2.01812E+13".to_owned());
    std::fs::write(&file, format!("{head}{rows}{empty}{below}{shortened}")).unwrap();
    let again = import(&house, &token, &file, &report);
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(!again.status.success(), "a row that was not taken is a failure");
    assert!(said.contains("110 rows: 9 registered, 100 known already, 1 not taken"), "{said}");
    assert!(said.contains("paper.csv:261: source_number: "), "{said}");
    let table = std::fs::read_to_string(&report).unwrap();
    assert_eq!(table.lines().count(), 1 + 110, "{table}");
    assert!(table.contains("\n101,known,0") && table.contains("\n252,registered,0"), "{table}");
    std::fs::remove_dir_all(folder).unwrap();
    house.stop().await;
}
