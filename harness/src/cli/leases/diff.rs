//! `leaselab leases diff`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dnsmasq_model::hex_text;
use lease_formats::exchange::Database;
use serde_json::{Value, json};

use super::json::{Names, lease_value};
use super::load::InputOptions;
use super::print::print;
use super::text::safe;
use crate::error::CommandError;
use crate::exit::Exit;
use scenario::quantity;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The first file
    a: PathBuf,
    /// The second file
    b: PathBuf,
    #[command(flatten)]
    input: InputOptions,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let input = InputOptions { as_written: true, ..args.input.clone() };
    let mut left_out = 0;
    let mut read = |path: &PathBuf| -> Result<BTreeMap<String, Value>, CommandError> {
        let loaded = input.load(path)?;
        loaded.explain();
        if loaded.left_out > 0 {
            let parts = quantity(loaded.left_out, "part");
            errln!("{}: {parts} left out: not compared", path.display());
        }
        left_out += loaded.left_out;
        Ok(values(&loaded.database().unwrap_or_default()))
    };
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let mut lines = Vec::new();
    for (key, value) in &a {
        match b.get(key) {
            None => lines.push(format!("- {key}{}", summary(value))),
            Some(other) if other != value => {
                let changes = changes(value, other);
                lines.push(format!("~ {key}: {}", changes.join("; ")));
            }
            Some(_) => {}
        }
    }
    for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
        lines.push(format!("+ {key}{}", summary(value)));
    }
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if lines.is_empty() && left_out == 0 { Exit::Passed } else { Exit::Failed })
}

/// The values to compare, as JSON by address.
fn values(database: &Database) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = database
        .leases
        .iter()
        .map(|lease| (format!("lease {}", lease.address), lease_value(database, lease)))
        .collect();
    let names = Names::of(database);
    all.extend(database.associations().into_iter().map(|mut ia| {
        ia.addresses.sort_by_key(|held| (held.address, held.prefix_length));
        let value = names.association(&ia, None);
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        (format!("ia-{} {} {}", text("kind"), text("iaid_raw"), text("duid")), value)
    }));
    for other in &database.non_leases {
        all.insert(safe(Some(&other.text)), Value::Null);
    }
    if let Some(duid) = &database.server_duid {
        all.insert("server-duid".to_owned(), json!({"duid": hex_text(duid)}));
    }
    all
}

fn summary(value: &Value) -> String {
    match value["addrs"].as_array() {
        Some(held) => {
            let each = held.iter().map(|one| format!("{} {}", one["addr"], one["state"]));
            format!(": {}", each.collect::<Vec<_>>().join(", "))
        }
        None if value["state"].is_string() => {
            format!(": {} until {} {}", value["state"], value["ends"], value["hardware"])
        }
        None if value.is_null() => String::new(),
        None => format!(": {value}"),
    }
}

/// The fields of two objects that differ, each with both values.
pub(super) fn differences<'a>(a: &'a Value, b: &'a Value) -> Vec<(&'a str, &'a Value, &'a Value)> {
    let object = |value: &'a Value| value.as_object().into_iter().flatten();
    let all = object(a).chain(object(b).filter(|(key, _)| a.get(key.as_str()).is_none()));
    all.map(|(key, _)| (key.as_str(), &a[key.as_str()], &b[key.as_str()]))
        .filter(|(_, a, b)| a != b)
        .collect()
}

/// The differences as text; those of addresses and of fields of other formats one by one.
fn changes(a: &Value, b: &Value) -> Vec<String> {
    let mut changes = Vec::new();
    for (key, a, b) in differences(a, b) {
        match (key, a, b) {
            ("addrs", Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
                for (a, b) in a.iter().zip(b).filter(|(a, b)| a != b) {
                    let of = a["addr"].as_str().unwrap_or_default();
                    changes
                        .extend(self::changes(a, b).into_iter().map(|one| format!("{of} {one}")));
                }
            }
            ("further", Value::Object(_), Value::Object(_)) => changes.extend(self::changes(a, b)),
            _ => changes.push(format!("{key} {a} -> {b}")),
        }
    }
    changes
}
