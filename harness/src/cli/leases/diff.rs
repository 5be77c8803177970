//! `leaselab leases diff`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use dnsmasq_model::hex_text;
use lease_formats::dhcpd::Ia;
use lease_formats::exchange::Database;
use serde_json::{Value, json};

use super::input_options::InputOptions;
use super::json_writer::{Names, lease_value};
use super::print::print;
use super::text::safe;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;
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
    let mut read = |path: &PathBuf| -> Result<Database, CommandError> {
        let mut loaded = input.load(path)?;
        loaded.explain();
        if loaded.left_out > 0 {
            let parts = quantity(loaded.left_out, "part");
            errln!("{}: {parts} left out: not compared", path.shown());
        }
        left_out += loaded.left_out;
        Ok(loaded.take_database().unwrap_or_default())
    };
    let (a, b) = (read(&args.a)?, read(&args.b)?);
    let (a, b) = (Side::new(&a), Side::new(&b));
    let mut lines = Vec::new();
    for (key, place) in &a.places {
        let value = a.value(*place);
        match b.places.get(key).map(|place| b.value(*place)) {
            None => lines.push(format!("- {key}{}", summary(&value))),
            Some(other) if other != value => {
                let changes = changes(&value, &other);
                lines.push(format!("~ {key}: {}", changes.join("; ")));
            }
            Some(_) => {}
        }
    }
    for (key, place) in b.places.iter().filter(|(key, _)| !a.places.contains_key(*key)) {
        lines.push(format!("+ {key}{}", summary(&b.value(*place))));
    }
    print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    Ok(if lines.is_empty() && left_out == 0 { Exit::Passed } else { Exit::Failed })
}

/// The values of one database. The JSON of each is made only when it is compared, since it is much larger.
struct Side<'a> {
    database: &'a Database,
    names: Names<'a>,
    associations: Vec<Ia>,
    /// By address, or what else identifies the value.
    places: BTreeMap<String, Place>,
}

/// Where a value is in a database.
#[derive(Clone, Copy)]
enum Place {
    Lease(usize),
    Association(usize),
    NonLease,
    ServerDuid,
}

impl<'a> Side<'a> {
    fn new(database: &'a Database) -> Self {
        let mut associations = database.associations();
        for ia in &mut associations {
            ia.addresses.sort_by_key(|held| (held.address, held.prefix_length));
        }
        let names = Names::of(database);
        let mut side = Self { database, names, associations, places: BTreeMap::new() };
        let leases = database.leases.iter().enumerate();
        let mut places: BTreeMap<String, Place> = leases
            .map(|(at, lease)| (format!("lease {}", lease.address), Place::Lease(at)))
            .collect();
        places.extend((0..side.associations.len()).map(|at| {
            let place = Place::Association(at);
            let value = side.value(place);
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            (format!("ia-{} {} {}", text("kind"), text("iaid_raw"), text("duid")), place)
        }));
        let others = database.non_leases.iter();
        places.extend(others.map(|other| (safe(Some(&other.text)), Place::NonLease)));
        if database.server_duid.is_some() {
            places.insert("server-duid".to_owned(), Place::ServerDuid);
        }
        side.places = places;
        side
    }

    fn value(&self, place: Place) -> Value {
        match place {
            Place::Lease(at) => lease_value(self.database, &self.database.leases[at]),
            Place::Association(at) => self.names.association(&self.associations[at], None),
            Place::NonLease => Value::Null,
            Place::ServerDuid => {
                json!({"duid": hex_text(self.database.server_duid.as_deref().unwrap_or_default())})
            }
        }
    }
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
