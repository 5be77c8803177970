//! Writes a scenario as the text of its file.

use serde::Serialize;
use std::fmt::Write as _;
use toml::{Table, Value};

use crate::router::Router;
use crate::scenario::Scenario;
use crate::script::Script;
use crate::server::Server;

/// Returns the text that [`super::cases`] reads as this scenario. Defaults are left out. The text starts with the lines
/// of `comment`, each after a `#`.
///
/// # Panics
/// Never panics, because every type of the format is a table, a list or a value of TOML.
pub fn to_toml(scenario: &Scenario, comment: &str) -> String {
    let mut text = String::new();
    for line in comment.lines() {
        text.push_str(if line.is_empty() { "#" } else { "# " });
        text.push_str(line);
        text.push('\n');
    }
    let mut top = table(scenario);
    let steps = top.remove("step");
    for (section, default) in [
        ("router", table(&Router::default())),
        ("server", table(&Server::default())),
        ("script", table(&Script::default())),
    ] {
        if let Some(Value::Table(own)) = top.get_mut(section) {
            own.retain(|key, value| default.get(key) != Some(value));
        }
    }
    let parameters = top.remove("parameters").into_iter().map(|value| ("parameters", value));
    top.retain(|_, value| !is_empty(value));
    for key in ["title", "story", "tags", "group", "except", "forgive"] {
        if let Some(value) = top.remove(key) {
            line(&mut text, key, &escaped(value));
        }
    }
    for (name, value) in parameters.filter(|(_, value)| !is_empty(value)) {
        section(&mut text, &format!("[{name}]"), value);
    }
    for (name, value) in top {
        match value {
            Value::Array(items) => {
                for item in items {
                    section(&mut text, &format!("[[{name}]]"), escaped(item));
                }
            }
            value => section(&mut text, &format!("[{name}]"), escaped(value)),
        }
    }
    for step in steps.and_then(|steps| steps.try_into::<Vec<Value>>().ok()).unwrap_or_default() {
        section(&mut text, "[[step]]", escaped(step));
    }
    text
}

fn table(value: &impl Serialize) -> Table {
    Table::try_from(value).expect("every type of the format is TOML")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Table(table) => table.is_empty(),
        Value::Array(array) => array.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn section(text: &mut String, header: &str, value: Value) {
    _ = writeln!(text, "\n{header}");
    let Value::Table(entries) = value else { return };
    for (key, value) in entries {
        line(text, &key, &value);
    }
}

fn line(text: &mut String, key: &str, value: &Value) {
    _ = writeln!(text, "{key} = {value}");
}

/// Doubles each `$`, because a single one begins the name of a parameter.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('$', "$$")),
        Value::Array(items) => Value::Array(items.into_iter().map(escaped).collect()),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, item)| (key, escaped(item))).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{Overrides, cases};

    /// The old name of an invariant is read, and its new name is written.
    #[test]
    fn a_scenario_round_trips() {
        let text = r#"title = "A $$ and more"
[router]
dialect = "broadcom"
variables = { motd = 'a\x0ab = "$$x"' }
clock = "1970"
[server]
lease-time = "infinite"
[[breaks]]
invariant = "thrift"
why = "so"
[[step]]
boot = {}
[[step]]
join = { client = "pc", count = 2, v6 = "ta", bootp = true }
cut = "nvram 2 op 1 byte 7"
at-call = 2
[[step]]
nvram = [["set", "a=$$b"], ["commit"]]
[[step]]
set-clock = "-5m"
expect = { remaining = { pc = "1h" }, lines = ["x"] }
"#;
        let read = |text: String| {
            let path = Path::new("a.toml");
            cases(path, text, &Overrides::default()).expect("a scenario").remove(0).scenario
        };
        let first = to_toml(&read(text.to_owned()), "two\n\nlines");
        let second = to_toml(&read(first.clone()), "two\n\nlines");
        assert_eq!(first, second);
        for line in [
            "# two",
            "#",
            r#"title = "A $$ and more""#,
            r#"lease-time = "infinite""#,
            r#"invariant = "no-redundant-writes""#,
            "boot = {}",
            r#"cut = "nvram 2 op 1 byte 7""#,
            r#"set-clock = "-5m""#,
        ] {
            assert!(first.lines().any(|written| written == line), "{line} in {first}");
        }
        assert!(!first.contains("drift") && !first.contains("every"), "{first}");
    }
}
