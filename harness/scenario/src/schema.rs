//! The JSON schema of the scenario format, for editors.

use serde_json::{Value, json};

use super::model::Scenario;

/// The schema as pretty JSON text, with a newline at its end.
pub fn json_schema() -> String {
    let mut schema = Value::from(schemars::schema_for!(Scenario));
    allow_parameters(&mut schema);
    format!("{schema:#}\n")
}

/// A parameter's name may stand wherever a number or a boolean is wanted.
fn allow_parameters(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(allow_parameters),
        Value::Object(object) => {
            object.values_mut().for_each(allow_parameters);
            let wants = |name: &str| match &object["type"] {
                Value::String(kind) => kind == name,
                Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
                _ => false,
            };
            let number_or_boolean = object.contains_key("type")
                && (wants("integer") || wants("boolean"))
                && !wants("string");
            if number_or_boolean {
                let plain = std::mem::take(object);
                let parameter = json!({ "type": "string", "pattern": "^\\$[A-Za-z0-9_-]+$" });
                object.insert("anyOf".to_owned(), json!([plain, parameter]));
            }
        }
        _ => {}
    }
}
