//! Every transition of a chart made by chance, against a model that knows nothing of statig.

use fenliu::domain::Command;
use serde_json::{Map, Value as Json, json};

use super::bench::{Bench, person};

/// A small generator of chance: the same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % most
    }
}

/// A tree of states as paths: every parent before its children, its first child is its initial.
fn grow(dice: &mut Dice) -> Vec<String> {
    let mut paths: Vec<String> = vec!["s0".to_owned(), "s1".to_owned()];
    for number in 2..16 {
        let at = dice.below(paths.len());
        let parent = paths[at].clone();
        let path = if parent.split('.').count() > 3 {
            format!("s{number}")
        } else {
            format!("{parent}.s{number}")
        };
        paths.push(path);
    }
    paths
}

fn children<'p>(paths: &'p [String], parent: &'p str) -> impl Iterator<Item = &'p String> {
    paths.iter().filter(move |path| path.rsplit_once('.').map_or("", |(above, _)| above) == parent)
}

// The model: what is left and entered, by paths alone.

fn ancestors(path: &str) -> Vec<&str> {
    let dots = path.match_indices('.').map(|(at, _)| path.split_at(at).0);
    dots.chain([path]).collect()
}

fn expected(paths: &[String], leaf: &str, owner: &str, target: &str) -> Vec<String> {
    let inside = ancestors(target).contains(&owner) && target != owner;
    let stays = |state: &&str| {
        let above_owner = ancestors(owner).contains(state) && (*state != owner || inside);
        above_owner && ancestors(target).contains(state) && *state != target
    };
    let mut end = target.to_owned();
    while let Some(first) = children(paths, &end.clone()).next() {
        end.clone_from(first);
    }
    let left = ancestors(leaf).into_iter().rev().filter(|state| !stays(state));
    let entered: Vec<&str> = ancestors(&end).into_iter().filter(|state| !stays(state)).collect();
    let name = |state: &str| state.rsplit('.').next().unwrap().to_owned();
    let left = left.map(|state| format!("out_{}", name(state)));
    left.chain(entered.iter().map(|state| format!("in_{}", name(state)))).collect()
}

// The chart, as JSON (which is YAML).

fn states(paths: &[String], parent: &str) -> Map<String, Json> {
    let tell =
        |text: String| json!({ "tell": [{ "to": ["desk.duty"], "via": ["sms"], "text": text }] });
    let mut map = Map::new();
    for path in children(paths, parent) {
        let name = path.rsplit('.').next().unwrap();
        let mut on: Map<String, Json> = paths
            .iter()
            .enumerate()
            .map(|(number, target)| (format!("go_{name}_{number}"), json!({ "to": target })))
            .collect();
        let mut state = json!({
            "entry": tell(format!("in_{name}")), "exit": tell(format!("out_{name}")),
        });
        if parent.is_empty() {
            on.insert("clock.watch".to_owned(), json!({}));
            state["holder"] = json!("desk");
            state["clocks"] = json!(["watch"]);
        }
        state["on"] = Json::Object(on);
        if let Some(first) = children(paths, path).next() {
            state["initial"] = json!(first.rsplit('.').next().unwrap());
            state["states"] = Json::Object(states(paths, path));
        }
        map.insert(name.to_owned(), state);
    }
    map
}

fn chart(paths: &[String]) -> Json {
    let title = json!({ "zh": "某", "en": "some" });
    let names = || paths.iter().map(|path| path.rsplit('.').next().unwrap());
    let commands: Map<String, Json> = names()
        .flat_map(|name| (0..paths.len()).map(move |number| format!("go_{name}_{number}")))
        .map(|name| (name, json!({ "title": title, "by": ["desk.duty"] })))
        .collect();
    let texts: Map<String, Json> = names()
        .flat_map(|name| [format!("in_{name}"), format!("out_{name}")])
        .chain(["late".to_owned()])
        .map(|name| (name, title.clone()))
        .collect();
    json!({
        "workflow": "chance", "title": title, "parties": ["desk"], "texts": texts,
        "start": { "command": "begin", "title": title, "by": ["desk.duty"] },
        "commands": commands,
        "clocks": { "watch": { "title": title, "due": "days(30)", "ladder": "loud" } },
        "ladders": { "loud": [{ "every": "0 0 9 * * *", "tell": ["desk.duty"], "via": ["sms"], "text": "late" }] },
        "initial": "s0", "states": states(paths, ""),
    })
}

#[test]
fn every_transition_of_a_chart_made_by_chance_leaves_and_enters_what_the_model_says() {
    let mut walked = 0;
    for seed in 1..=3 {
        let paths = grow(&mut Dice(seed));
        let source = chart(&paths).to_string();
        let mut bench = Bench::open(&source, &Command::new("begin"));
        let leaves = paths.iter().filter(|path| children(&paths, path).next().is_none());
        for leaf in leaves {
            for owner in ancestors(leaf) {
                for (number, target) in paths.iter().enumerate() {
                    bench.instance.state.clone_from(leaf);
                    let name = owner.rsplit('.').next().unwrap();
                    let command = Command::new(format!("go_{name}_{number}"));
                    let decision = bench.ask(&person(&["gongan.duty"]), &command).unwrap();
                    let told: Vec<&str> =
                        decision.event.told.iter().map(|told| told.text.as_str()).collect();
                    let model = expected(&paths, leaf, owner, target);
                    assert_eq!(told, model, "{leaf}: {owner} -> {target}");
                    walked += 1;
                }
            }
        }
    }
    assert!(walked > 700, "{walked}");
}
