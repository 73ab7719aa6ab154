//! The stories beside the shipped workflows: each comes out as it is told.

use std::path::{Path, PathBuf};

use fenliu::app::workflow;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn stage() -> fenliu::scenario::Stage {
    let root = root();
    workflow::stage(
        &root.join("workflows"),
        &root.join("config/jurisdictions/chengkou.yaml"),
        &root.join("config/calendars/chongqing.yaml"),
    )
    .unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_story_of_the_shipped_workflows_comes_out_as_told() {
    let stage = stage();
    let files = workflow::scenario_files(&root().join("workflows")).unwrap();
    assert!(files.len() >= 40, "only {} stories are there", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        if let Err(error) = stage.tell(&std::fs::read_to_string(file).unwrap()) {
            let name = file.strip_prefix(root()).unwrap_or(file).display();
            wrong.push(format!("{name}: {error}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Commands that no story can tell in reasonable length, and the test that gives them.
const TOLD_ELSEWHERE: [(&str, &str); 2] = [
    ("dismiss_proposed_tier", "tests/http/repeats.rs: after thirty callers"),
    ("tell_caller", "tests/http/repeats.rs: each of many callers"),
];

#[test]
fn every_command_of_the_shipped_workflows_is_given_in_some_story() {
    let folder = root().join("workflows");
    let read = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    let stories: Vec<String> =
        workflow::scenario_files(&folder).unwrap().iter().map(read).collect();
    let mut untold = Vec::new();
    for file in workflow::yaml_files(&folder).unwrap() {
        let chart = fenliu::chart::compile(&read(&file)).0.unwrap();
        for name in chart.commands.keys().map(ToString::to_string) {
            let given = format!("do: {name}\n");
            let told = stories.iter().any(|story| story.contains(&given));
            if !told && !TOLD_ELSEWHERE.iter().any(|(other, _)| *other == name) {
                untold.push(format!("{}: {name}", chart.workflow));
            }
        }
    }
    assert_eq!(untold, Vec::<String>::new(), "commands that no story tells");
}

#[test]
fn a_story_that_expects_something_else_fails_with_every_difference() {
    let told = stage().tell(
        "scenario: { zh: 错误的期望, en: wrong expectations }
given: { at: 2018-07-02T09:10:00+08:00, workflow: referral }
steps:
  - do: register
    input: { text: 夜间施工, place: 葛城街道, category: noise.construction-night, kind: complaint, caller_phone: '000' }
    expect: { status: handling, holder: huanbao, clocks: { handle: 2018-07-04T17:30:00+08:00 }, told: [huanbao.liaison] }
",
    );
    let words = told.unwrap_err().to_string();
    for part in ["status", "holder", "clock handle", "huanbao.liaison was not told"] {
        assert!(words.contains(part), "{part} is missing in: {words}");
    }
}

#[test]
fn the_shipped_workflows_have_no_errors_alone_or_as_a_family() {
    let files = workflow::yaml_files(&root().join("workflows")).unwrap();
    assert!(files.iter().any(|file| file.ends_with(Path::new("referral.yaml"))));
    let report = workflow::check(&files).unwrap();
    assert!(!report.failed, "{}", report.text);
}

#[test]
fn one_workflow_or_one_story_is_told_alone() {
    let root = root();
    let tell = |path: &str| {
        let (who, days) = ("config/jurisdictions/chengkou.yaml", "config/calendars/chongqing.yaml");
        workflow::test(&root.join("workflows").join(path), &root.join(who), &root.join(days))
    };
    let of_one = tell("vehicle_mark.yaml").unwrap();
    assert!(!of_one.failed && of_one.text.lines().all(|line| !line.contains("referral.scenarios")));
    let folder = root.join("workflows/referral.scenarios");
    let first = workflow::yaml_files(&folder).unwrap().remove(0);
    let alone = tell(&first.display().to_string()).unwrap();
    assert!(alone.text.ends_with("1 scenario, 0 failed\n"), "{}", alone.text);
    let nothing = tell("nothing").unwrap_err();
    assert!(nothing.contains("nothing: No such file"), "{nothing}");
}
