//! The form of workflow files that editors are given.

use fenliu::chart::schema::schema;
use serde_json::Value;

/// Every key of the sample must be a property of the schema at its place.
fn known(schema: &Value, root: &Value, sample: &Value, path: &str) {
    let name = schema.get("$ref").and_then(Value::as_str);
    let target = name.and_then(|name| root.pointer(name.trim_start_matches('#')));
    let schema = target.unwrap_or(schema);
    if let Some(either) = schema.get("anyOf").and_then(Value::as_array) {
        let kind = if sample.is_array() { "array" } else { "object" };
        let fits = either.iter().find(|one| {
            let one = one
                .get("$ref")
                .and_then(Value::as_str)
                .map_or(*one, |name| root.pointer(name.trim_start_matches('#')).unwrap());
            one["type"] == kind
        });
        return fits.into_iter().for_each(|one| known(one, root, sample, path));
    }
    match sample {
        Value::Object(entries) => {
            for (key, value) in entries {
                let inner = schema.pointer(&format!("/properties/{key}"));
                let inner =
                    inner.or(schema.get("additionalProperties").filter(|s| !s.is_boolean()));
                let inner = inner.unwrap_or_else(|| panic!("{path}.{key} is not in {schema}"));
                known(inner, root, value, &format!("{path}.{key}"));
            }
        }
        Value::Array(members) => {
            members.iter().for_each(|value| known(&schema["items"], root, value, path));
        }
        _ => {}
    }
}

#[test]
fn an_editor_finds_every_key_of_a_workflow_in_the_schema() {
    let schema = schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "fenliu workflow");
    assert_eq!(schema["additionalProperties"], false);
    assert!(schema["properties"]["clocks"]["description"].is_string());
    let sample = serde_json::json!({
        "workflow": "w", "title": { "zh": "一", "en": "one" }, "parties": ["desk"], "urgent": "true",
        "fields": { "unit": { "type": "unit", "title": { "zh": "", "en": "" }, "shown": false } },
        "start": { "command": "go", "title": { "zh": "", "en": "" }, "by": ["desk.duty"],
                   "input": { "x": { "type": "text", "optional": true, "personal": true } } },
        "clocks": { "c": { "due": "days(1)", "ladder": "l", "from": "at", "replaces": "d" } },
        "ladders": { "l": [{ "at": "due", "tell": ["desk.duty"], "acknowledge_within": "10m" }] },
        "initial": "a",
        "states": { "a": { "clocks": ["c"], "on": { "go": { "to": "b", "when": "true" },
                    "stop": [{ "require": [{ "check": "true", "else": { "code": "c" } }] }] },
                    "final": false, "rest": true, "states": { "b": { "holder": "desk" } },
                    "entry": { "tell": [{ "to": [], "via": [], "text": "t" }] } } },
        "laws": [{ "id": "l", "never": { "command": "go", "when": "true" } }],
    });
    known(&schema, &schema, &sample, "");
    let mut shipped = 0;
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/workflows")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let workflow = std::fs::read_to_string(&path).unwrap();
            let workflow: Value = serde_saphyr::from_str(&workflow).unwrap();
            known(&schema, &schema, &workflow, &path.display().to_string());
            shipped += 1;
        }
    }
    assert!(shipped >= 7, "only {shipped} workflows were read");
}
