//! The JSON schema of the scenario format, for editors.
//!
//! It has no `anyOf` and no `oneOf`, because an editor would report a misspelt word once for each branch.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::scenario::Scenario;

/// The identifier of the schema.
const ID: &str = "urn:leaselab:scenario";

/// Matches the name of a parameter in place of a number or a boolean.
const PARAMETER: &str = "^\\$[A-Za-z0-9_-]+$";

/// Returns the schema as pretty-printed JSON with a trailing newline.
pub fn json_schema() -> String {
    format!("{:#}\n", schema())
}

pub(crate) fn schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(Scenario));
    adapt(&mut schema);
    schema["$id"] = json!(ID);
    schema
}

/// Adapts a schema of Rust types to TOML files: TOML has no `null`, and the name of a parameter may stand wherever a
/// number, a boolean or one of several words is expected.
fn adapt(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(adapt),
        Value::Object(object) => {
            remove_null(object);
            join_words(object);
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
            for (key, value) in only {
                // The description of a property takes precedence over that of its type.
                schema.entry(key).or_insert(value);
            }
        }
    }
}

/// Joins the words of an enum, each of which has its own branch because it has its own description. The keyword
/// `x-aliases` lists old words that are still accepted. Only leaselab uses it; editors ignore it.
fn join_words(schema: &mut Map<String, Value>) {
    let Some(Value::Array(branches)) = schema.get("oneOf") else { return };
    let (mut words, mut aliases) = (Vec::new(), Vec::new());
    let mut text = schema["description"].as_str().unwrap_or_default().to_owned();
    for branch in branches {
        match (&branch["const"], branch["enum"].as_array()) {
            (Value::String(word), _) => {
                let description = branch["description"].as_str().unwrap_or_default();
                _ = write!(text, "\n\n`{word}`: {description}");
                words.push(json!(word));
                aliases.extend(branch["x-aliases"].as_array().into_iter().flatten().cloned());
            }
            (_, Some(plain)) => words.extend(plain.iter().cloned()),
            _ => return,
        }
    }
    schema.remove("oneOf");
    schema.insert("description".to_owned(), json!(text));
    schema.insert("type".to_owned(), json!("string"));
    schema.insert("enum".to_owned(), json!(words));
    if !aliases.is_empty() {
        schema.insert("x-aliases".to_owned(), json!(aliases));
    }
}

fn allow_parameter(schema: &mut Map<String, Value>) {
    let mut kinds = match schema.get("type") {
        Some(Value::String(kind)) => vec![json!(kind)],
        Some(Value::Array(kinds)) => kinds.clone(),
        _ => return,
    };
    let wants = |name: &str| kinds.iter().any(|kind| kind == name);
    if (wants("integer") || wants("boolean")) && !wants("string") {
        // The keywords for numbers do not apply to strings, and `pattern` does not apply to numbers.
        kinds.push(json!("string"));
        schema.insert("type".to_owned(), json!(kinds));
        schema.insert("pattern".to_owned(), json!(PARAMETER));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_the_schema_allows_null_or_has_branches() {
        let text = json_schema();
        for word in ["null", "anyOf", "oneOf", "allOf"] {
            assert!(!text.contains(word), "{word}");
        }
        assert!(text.contains(ID));
    }

    #[test]
    fn a_step_is_described_by_the_keys_of_its_table() {
        let schema: Value = serde_json::from_str(&json_schema()).expect("JSON");
        let step = &schema["$defs"]["Step"]["properties"];
        assert_eq!(step["boot"]["$ref"], "#/$defs/Boot");
        assert_eq!(step["advance"]["$ref"], "#/$defs/Seconds");
        assert_eq!(step["times"]["type"], json!(["integer", "string"]));
        assert_eq!(step["expect"]["type"], json!(["object", "array"]));
        assert_eq!(step["expect"]["items"]["$ref"], "#/$defs/Expect");
        assert!(step["boot"]["description"].is_string());
        assert_eq!(schema["properties"]["step"]["items"]["$ref"], "#/$defs/Step");
    }
}
