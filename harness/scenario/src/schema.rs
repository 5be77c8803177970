//! The JSON schema of the scenario format, for editors.

use serde_json::{Map, Value, json};

use crate::scenario::Scenario;

/// The schema as pretty JSON text, with a newline at its end.
pub fn json_schema() -> String {
    let mut schema = Value::from(schemars::schema_for!(Scenario));
    adapt(&mut schema);
    format!("{schema:#}\n")
}

/// Adapts a schema of Rust types to TOML files: TOML has no `null`, and the name of a parameter may stand wherever a
/// number or a boolean is wanted.
fn adapt(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(adapt),
        Value::Object(object) => {
            remove_null(object);
            object.values_mut().for_each(adapt);
            allow_parameter(object);
        }
        _ => {}
    }
}

fn remove_null(schema: &mut Map<String, Value>) {
    schema.retain(|_, value| !value.is_null());
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            schema["type"] = only;
        }
    }
    if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.retain(|branch| *branch != json!({ "type": "null" }));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            schema.remove("anyOf");
            schema.extend(only);
        }
    }
}

fn allow_parameter(schema: &mut Map<String, Value>) {
    let wants = |name: &str| match &schema["type"] {
        Value::String(kind) => kind == name,
        Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
        _ => false,
    };
    let number_or_boolean =
        schema.contains_key("type") && (wants("integer") || wants("boolean")) && !wants("string");
    if number_or_boolean {
        let plain = std::mem::take(schema);
        let parameter = json!({ "type": "string", "pattern": "^\\$[A-Za-z0-9_-]+$" });
        schema.insert("anyOf".to_owned(), json!([plain, parameter]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_schema_allows_null() {
        assert!(!json_schema().contains("null"));
    }

    #[test]
    fn a_step_is_described_by_the_keys_of_its_table() {
        let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
        let step = &schema["$defs"]["Step"]["properties"];
        assert_eq!(step["boot"]["$ref"], "#/$defs/Boot");
        assert_eq!(step["advance"]["$ref"], "#/$defs/Seconds");
        let times = json!(["integer", "string"]);
        let kinds: Vec<&Value> = step["times"]["anyOf"]
            .as_array()
            .expect("two kinds")
            .iter()
            .map(|it| &it["type"])
            .collect();
        assert_eq!(json!(kinds), times);
        assert!(step["boot"]["description"].is_string());
        assert_eq!(schema["properties"]["step"]["items"]["$ref"], "#/$defs/Step");
    }
}
