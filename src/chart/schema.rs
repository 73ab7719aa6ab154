//! The form of workflow files as a JSON Schema, so that editors can complete and check them.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::document::Document;

/// The JSON Schema (draft 2020-12) of a workflow file, with a title and descriptions.
#[must_use]
pub fn schema() -> Value {
    let mut schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "fenliu workflow".into());
    schema.insert(
        "description".to_owned(),
        "A workflow: a statechart in YAML. `fenliu workflow check FILE` says what is wrong with it."
            .into(),
    );
    schema.to_value()
}
