//! `leaselab leases diff`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use lease_formats::dhcpd::{ia_to_json, lease_to_json};
use lease_formats::exchange::Database;
use serde_json::Value;

use super::load::InputOptions;
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;

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
    let read = |path: &PathBuf| -> Result<BTreeMap<String, Value>, CommandError> {
        let loaded = args.input.load(path)?;
        loaded.explain();
        Ok(values(&loaded.database().unwrap_or_default()))
    };
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let mut lines = Vec::new();
    for (key, value) in &a {
        match b.get(key) {
            None => lines.push(format!("- {key}: {}", summary(value))),
            Some(other) if other != value => {
                lines.push(format!("~ {key}: {}", change(value, other)));
            }
            Some(_) => {}
        }
    }
    for (key, value) in b.iter().filter(|(key, _)| !a.contains_key(*key)) {
        lines.push(format!("+ {key}: {}", summary(value)));
    }
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if lines.is_empty() { Exit::Passed } else { Exit::Failed })
}

/// The values to compare, as JSON by address.
fn values(database: &Database) -> BTreeMap<String, Value> {
    let parse = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    let leases = database
        .leases
        .iter()
        .map(|lease| (format!("lease {}", lease.address), parse(lease_to_json(lease))));
    let ias = database.associations().into_iter().map(|ia| {
        let value: Value = parse(ia_to_json(&ia));
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        (format!("ia-{} {} {}", text("kind"), text("iaid_raw"), text("duid")), value)
    });
    leases.chain(ias).collect()
}

fn summary(value: &Value) -> String {
    match value["addrs"].as_array() {
        Some(held) => {
            let each = held.iter().map(|one| format!("{} {}", one["addr"], one["state"]));
            each.collect::<Vec<_>>().join(", ")
        }
        None => format!("{} until {} {}", value["state"], value["ends"], value["hardware"]),
    }
}

fn change(a: &Value, b: &Value) -> String {
    let keys = a.as_object().into_iter().flatten();
    keys.filter(|(key, value)| b[key.as_str()] != **value)
        .map(|(key, value)| format!("{key} {value} -> {}", b[key.as_str()]))
        .collect::<Vec<_>>()
        .join("; ")
}
