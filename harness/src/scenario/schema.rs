//! The JSON schema of the scenario format, for editors.

use super::model::Scenario;

/// The schema as pretty JSON text, with a newline at its end.
///
/// # Panics
/// Never: a schema is always valid JSON.
pub fn json_schema() -> String {
    let schema = schemars::schema_for!(Scenario);
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is valid JSON");
    text.push('\n');
    text
}
