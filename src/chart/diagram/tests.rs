//! Pictures: complete, nested, escaped.

use super::*;
use crate::chart::compile;

const CHART: &str = r#"
workflow: door
title: { zh: 门, en: door }
parties: [desk]
fields:
  knocks: { type: count, at_most: 3, title: { zh: 敲, en: knocks } }
start: { command: make, title: { zh: 造, en: make }, by: [desk.duty] }
commands:
  open: { title: { zh: "开 \"门\" <&>", en: "open: {it}; #1" }, by: [desk.duty], set: { knocks: "knocks + 1" } }
  burn: { title: { zh: 烧, en: burn }, by: [desk.duty] }
clocks:
  shut: { title: { zh: 关门, en: shutting }, due: "real('1h')", ladder: shout }
ladders:
  shout:
    - { every: "0 0 9 * * *", tell: [desk.duty], via: [sms], text: still }
texts: { still: { zh: 开着, en: open } }
initial: house
states:
  house:
    title: { zh: 屋, en: "a \"house\"\\" }
    holder: desk
    clocks: [shut]
    initial: closed
    on:
      clock.shut: { to: .closed }
      burn: { to: ash }
    states:
      closed: { on: { open: [{ when: "knocks < 2 && knocks != 1", to: ajar }, { to: house }] } }
      ajar: { on: { open: { to: closed } } }
  ash: { title: { zh: 灰, en: ash }, final: true }
"#;

fn chart() -> Chart {
    let (chart, findings) = compile(CHART);
    chart.unwrap_or_else(|| panic!("{findings:?}"))
}

#[test]
fn mermaid_shows_states_nested_with_titles_and_labels_in_one_language() {
    let drawing = mermaid(&chart(), Language::English);
    insta::assert_snapshot!(drawing, @r#"
    stateDiagram-v2
        [*] --> s0
        state "a #34;house#34;#92;" as s0 {
            [*] --> s1
            state "closed" as s1
            state "ajar" as s2
        }
        state "ash" as s3
        s3 --> [*]
        s0 --> s3 : burn
        s0 --> s1 : ⏰ shutting
        s1 --> s2 : open#58; #123;it#125;#59; #35;1 [knocks #60; 2 && knocks != 1]
        s1 --> s0 : open#58; #123;it#125;#59; #35;1
        s2 --> s1 : open#58; #123;it#125;#59; #35;1
    "#);
    assert!(mermaid(&chart(), Language::Chinese).contains("⏰ 关门"));
}

#[test]
fn dot_has_balanced_braces_and_quotes_and_an_arrow_for_every_transition() {
    let drawing = dot(&chart());
    let (mut depth, mut inside, mut escaped) = (0_i64, false, false);
    for c in drawing.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if inside => escaped = true,
            '"' => inside = !inside,
            '{' if !inside => depth += 1,
            '}' if !inside => depth -= 1,
            '\n' => assert!(!inside, "a line ends inside quotes"),
            _ => {}
        }
        assert!(depth >= 0);
    }
    assert_eq!((depth, inside), (0, false));
    assert_eq!(drawing.matches("subgraph cluster_").count(), 1);
    assert_eq!(drawing.matches(" -> ").count(), 6);
    assert!(drawing.contains("s1 -> s3 [label=\"烧\", ltail=cluster_0];"), "{drawing}");
    assert!(drawing.contains("peripheries=2"));
}

#[test]
fn scxml_is_well_formed_and_names_every_state_and_transition() {
    let text = scxml(&chart());
    let mut open = Vec::new();
    let mut states = 0;
    for tag in text.split('<').skip(1) {
        let (tag, after) = tag.split_once('>').unwrap();
        assert!(after.trim().is_empty(), "only tags: {after}");
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        assert!(!tag.split("&").skip(1).any(|entity| !entity.contains(';')), "{tag}");
        if tag.starts_with('?') {
            continue;
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        states += usize::from(matches!(name, "state" | "final") && !tag.starts_with('/'));
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!((open.len(), states), (0, 4));
    assert!(
        text.contains(
            "<transition event=\"clock.shut\" target=\"house.closed\" type=\"internal\"/>"
        )
    );
    assert!(
        text.contains("cond=\"knocks &lt; 2 &amp;&amp; knocks != 1\" target=\"house.ajar\"/>"),
        "{text}"
    );
    assert!(text.contains("<final id=\"ash\""));
}

#[test]
fn the_same_chart_gives_the_same_pictures() {
    assert_eq!(dot(&chart()), dot(&chart()));
    assert_eq!(scxml(&chart()), scxml(&chart()));
}
