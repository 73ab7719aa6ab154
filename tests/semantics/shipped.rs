//! The workflows that are shipped: sound, each and as a family.

use fenliu::chart::check::{Member, check_family};
use fenliu::chart::finding::draw;
use fenliu::chart::{Chart, compile};

fn shipped() -> Vec<(String, String)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("workflows");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn nothing_is_to_be_said_against_any_shipped_workflow_or_the_family() {
    let files = shipped();
    let mut wrong = String::new();
    let mut charts: Vec<(&str, &str, Chart)> = Vec::new();
    for (name, source) in &files {
        let (chart, findings) = compile(source);
        wrong.push_str(&draw(name, source, &findings));
        charts.extend(chart.map(|chart| (name.as_str(), source.as_str(), chart)));
    }
    let members: Vec<Member<'_>> =
        charts.iter().map(|(file, source, chart)| Member { file, source, chart }).collect();
    for (file, finding) in check_family(&members) {
        let source = members.iter().find(|member| member.file == file).unwrap().source;
        wrong.push_str(&draw(&file, source, &[finding]));
    }
    assert!(wrong.is_empty() && !files.is_empty(), "{wrong}");
}
